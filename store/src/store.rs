//! A store: libraries by name, in one place. Invariant: a library has one kind and one folder for ever, whatever its name.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use stillpoint_engine::{Instant, Pool};

use crate::cache::{Cache, CacheStats};
use crate::chunk::{Chunker, Chunkers};
use crate::clock::{Clock, SystemClock};
use crate::date::{Period, Zone};
use crate::documents::Documents;
use crate::error::{StoreError, help};
use crate::history::History;
use crate::library::{
    ChunkLibrary, Core, DocumentLibrary, Kept, Measured, MetadataLibrary, Shared, TickPartitions, VersionLibrary, check_name,
};
use crate::log::{BlobRef, Entry, Group, Log, Pace, Stamp, State, Verdict};
use crate::object::{Bucket, Objects};

/// The quota of a library, unless another is given: 10 GiB.
pub const QUOTA_BYTES: u64 = 10 << 30;
/// Commits between two checkpoints, at least.
const CHECKPOINT_EVERY: u64 = 256;

/// What a library can be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// [`VersionLibrary`]
    Version,
    /// [`TickLibrary`](crate::TickLibrary)
    Tick,
    /// [`ChunkLibrary`](crate::ChunkLibrary)
    Chunk,
    /// [`DocumentLibrary`](crate::DocumentLibrary)
    Document,
    /// [`MetadataLibrary`](crate::MetadataLibrary)
    Metadata,
    /// A kind of a user's own: see [`Store::register`].
    Own(String),
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Version => "version",
            Self::Tick => "tick",
            Self::Chunk => "chunk",
            Self::Document => "document",
            Self::Metadata => "metadata",
            Self::Own(name) => name,
        })
    }
}

/// A kind of libraries of one's own, which keeps its rows in a library of versions.
///
/// By implementing this you promise that `KIND` never changes: it is written into stores.
pub trait OwnLibrary: Sized {
    /// The name of the kind.
    const KIND: &'static str;

    /// Opens a library of this kind over its rows.
    ///
    /// # Errors
    /// Whatever keeps it from being opened.
    fn open(rows: VersionLibrary) -> Result<Self, StoreError>;
}

/// What is known of a library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibraryInfo {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// The bytes that it may hold; 0: any number.
    pub quota: u64,
    /// When it was made.
    pub created: Instant,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Known {
    id: u64,
    kind: Kind,
    quota: u64,
    created: i64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Registry {
    libraries: BTreeMap<String, Known>,
    next: u64,
    /// Folders of libraries that are deleted; their files may still be there.
    deleted: Vec<u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RegistryOp {
    Create { name: String, kind: Kind, quota: u64 },
    Rename { name: String, to: String },
    Quota { name: String, quota: u64 },
    Delete { name: String },
    Removed { id: u64 },
}

impl State for Registry {
    type Op = RegistryOp;
    type Tip = ();

    fn apply(&mut self, op: &RegistryOp, stamp: Stamp, _: Option<&BlobRef>) {
        match op {
            RegistryOp::Create { name, kind, quota } => {
                let known = Known { id: self.next, kind: kind.clone(), quota: *quota, created: stamp.at.as_nanos() };
                self.next += 1;
                self.libraries.insert(name.clone(), known);
            }
            RegistryOp::Rename { name, to } => {
                if let Some(known) = self.libraries.remove(name) {
                    self.libraries.insert(to.clone(), known);
                }
            }
            RegistryOp::Quota { name, quota } => {
                if let Some(known) = self.libraries.get_mut(name) {
                    known.quota = *quota;
                }
            }
            RegistryOp::Delete { name } => self.deleted.extend(self.libraries.remove(name).map(|known| known.id)),
            RegistryOp::Removed { id } => self.deleted.retain(|deleted| deleted != id),
        }
    }
}

/// How to open a store.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Tells the times of commits.
    pub clock: Arc<dyn Clock>,
    /// Decoded columns; share one between stores of one process, if you like.
    pub cache: Cache,
    /// Where compaction and checkpoints run. `None`: only when they are asked for.
    pub background: Option<Arc<Pool>>,
    /// What tells this writer's files from those of others. `None`: a random number of the system.
    pub writer: Option<u64>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), cache: Cache::default(), background: Some(Arc::new(Pool::new(1))), writer: None }
    }
}

/// Libraries by name, in a folder, in memory, or in a bucket. Clones are the same store.
///
/// ```
/// use stillpoint_store::{Kind, Store};
///
/// let store = Store::memory()?;
/// store.create("prices", Kind::Version)?;
/// assert_eq!(store.list()?[0].name, "prices");
/// let error = store.versions("price").unwrap_err();
/// assert_eq!(error.to_string(), "there is no library `price`: did you mean `prices`?");
/// # Ok::<(), stillpoint_store::StoreError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) shared: Arc<Shared>,
    registry: Log<Registry>,
    cores: Mutex<BTreeMap<u64, Arc<Core>>>,
    documents: Mutex<BTreeMap<u64, Arc<Kept<Documents>>>>,
    metadata: Mutex<BTreeMap<u64, Arc<Kept<History>>>>,
    own: Mutex<BTreeMap<&'static str, ()>>,
    chunkers: Mutex<Chunkers>,
}

impl Store {
    /// Opens a folder, or makes it a store. What is committed is on the disk when a call returns.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn folder(folder: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open(Arc::new(Bucket::folder(folder, true)?), StoreOptions::default())
    }

    /// Opens the place that a URL names, or makes it a store: see [`Bucket::url`].
    ///
    /// # Errors
    /// [`StoreError::Invalid`], [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn url(url: &str, settings: impl IntoIterator<Item = (String, String)>) -> Result<Self, StoreError> {
        Self::open(Arc::new(Bucket::url(url, settings)?), StoreOptions::default())
    }

    /// A store in memory.
    ///
    /// # Errors
    /// None that is known.
    pub fn memory() -> Result<Self, StoreError> {
        Self::open(Arc::new(Bucket::memory()), StoreOptions::default())
    }

    /// Opens a store in any place.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn open(objects: Arc<dyn Objects>, options: StoreOptions) -> Result<Self, StoreError> {
        let StoreOptions { clock, cache, background, writer } = options;
        let writer = match writer {
            Some(writer) => writer,
            None => getrandom::u64()
                .map_err(|error| StoreError::Io { what: "drawing a number for this writer".to_owned(), why: error.to_string() })?,
        };
        let registry = Log::open(objects.clone(), "store", clock.clone(), writer, Pace { commits: CHECKPOINT_EVERY })?;
        let shared = Shared { objects, clock, cache, writer, segments: AtomicU64::new(0), background };
        let inner = Inner {
            shared: Arc::new(shared),
            registry,
            cores: Mutex::default(),
            documents: Mutex::default(),
            metadata: Mutex::default(),
            own: Mutex::default(),
            chunkers: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Makes a library with the default quota.
    ///
    /// # Errors
    /// [`StoreError::LibraryExists`].
    pub fn create(&self, name: &str, kind: Kind) -> Result<(), StoreError> {
        self.create_with_quota(name, kind, QUOTA_BYTES)
    }

    /// Makes a library that may hold so many bytes; 0: any number.
    ///
    /// # Errors
    /// [`StoreError::LibraryExists`]; [`StoreError::Kind`] for a kind that was not registered.
    pub fn create_with_quota(&self, name: &str, kind: Kind, quota: u64) -> Result<(), StoreError> {
        check_name("library", name)?;
        if let Kind::Own(own) = &kind
            && !self.inner.own.lock().contains_key(own.as_str())
        {
            return Err(StoreError::Kind(format!("there is no kind of libraries `{own}`: register it first")));
        }
        let name = name.to_owned();
        self.registry(move |registry| {
            if registry.libraries.contains_key(&name) {
                return Err(StoreError::LibraryExists(name.clone()));
            }
            Ok(RegistryOp::Create { name: name.clone(), kind: kind.clone(), quota })
        })
    }

    /// All libraries, by name.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn list(&self) -> Result<Vec<LibraryInfo>, StoreError> {
        self.inner.registry.refresh()?;
        Ok(self.inner.registry.read(|registry| registry.libraries.iter().map(|(name, known)| info(name, known)).collect()))
    }

    /// What is known of a library.
    ///
    /// # Errors
    /// [`StoreError::LibraryNotFound`].
    pub fn info(&self, name: &str) -> Result<LibraryInfo, StoreError> {
        Ok(info(name, &self.known(name)?))
    }

    /// Whether there is a library.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn exists(&self, name: &str) -> Result<bool, StoreError> {
        match self.known(name) {
            Ok(_) => Ok(true),
            Err(StoreError::LibraryNotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Gives a library another name. Who has it open goes on.
    ///
    /// # Errors
    /// [`StoreError::LibraryNotFound`], [`StoreError::LibraryExists`].
    pub fn rename(&self, name: &str, to: &str) -> Result<(), StoreError> {
        check_name("library", to)?;
        let (name, to) = (name.to_owned(), to.to_owned());
        self.registry(move |registry| {
            registry.get(&name)?;
            if registry.libraries.contains_key(&to) {
                return Err(StoreError::LibraryExists(to.clone()));
            }
            Ok(RegistryOp::Rename { name: name.clone(), to: to.clone() })
        })
    }

    /// Changes what a library may hold, in bytes; 0: any number.
    ///
    /// # Errors
    /// [`StoreError::LibraryNotFound`].
    pub fn set_quota(&self, name: &str, quota: u64) -> Result<(), StoreError> {
        let id = self.known(name)?.id;
        let name = name.to_owned();
        self.registry(move |registry| registry.get(&name).map(|_| RegistryOp::Quota { name: name.clone(), quota }))?;
        if let Some(core) = self.inner.cores.lock().get(&id) {
            core.quota.store(quota, Ordering::Relaxed);
        }
        if let Some(kept) = self.inner.documents.lock().get(&id) {
            kept.quota.store(quota, Ordering::Relaxed);
        }
        if let Some(kept) = self.inner.metadata.lock().get(&id) {
            kept.quota.store(quota, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Deletes a library and its files. Should the latter fail half-way, [`Store::fsck`] removes the rest.
    ///
    /// # Errors
    /// [`StoreError::LibraryNotFound`], [`StoreError::Io`].
    pub fn delete(&self, name: &str) -> Result<(), StoreError> {
        let id = self.known(name)?.id;
        let name = name.to_owned();
        self.registry(move |registry| registry.get(&name).map(|_| RegistryOp::Delete { name: name.clone() }))?;
        self.inner.cores.lock().remove(&id);
        self.inner.documents.lock().remove(&id);
        self.inner.metadata.lock().remove(&id);
        self.remove_files(id)
    }

    pub(crate) fn remove_files(&self, id: u64) -> Result<(), StoreError> {
        for object in self.inner.shared.objects.list(&folder(id))? {
            self.inner.shared.objects.delete(&object.name)?;
        }
        self.registry(move |_| Ok(RegistryOp::Removed { id }))
    }

    /// How many commits the list of libraries has.
    pub(crate) fn committed(&self) -> Result<u64, StoreError> {
        self.inner.registry.refresh()?;
        Ok(self.inner.registry.number())
    }

    /// Folders of libraries that were deleted and whose files may still be there.
    pub(crate) fn deleted(&self) -> Result<Vec<u64>, StoreError> {
        self.inner.registry.refresh()?;
        Ok(self.inner.registry.read(|registry| registry.deleted.clone()))
    }

    /// Makes a library of versions.
    ///
    /// # Errors
    /// As [`Store::create`].
    pub fn create_versions(&self, name: &str) -> Result<VersionLibrary, StoreError> {
        self.create(name, Kind::Version)?;
        self.versions(name)
    }

    /// Opens a library of versions.
    ///
    /// # Errors
    /// [`StoreError::LibraryNotFound`], [`StoreError::WrongKind`].
    pub fn versions(&self, name: &str) -> Result<VersionLibrary, StoreError> {
        self.core(name, &Kind::Version).map(VersionLibrary)
    }

    /// Opens a library of ticks.
    ///
    /// # Errors
    /// [`StoreError::LibraryNotFound`], [`StoreError::WrongKind`].
    pub fn ticks(&self, name: &str) -> Result<crate::TickLibrary, StoreError> {
        self.core(name, &Kind::Tick).map(crate::TickLibrary)
    }

    /// Opens the tick libraries `<base>_<year>`, by years in UTC, as one. There need not be any yet.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a base that cannot begin a name.
    pub fn tick_partitions(&self, base: &str) -> Result<TickPartitions, StoreError> {
        self.tick_partitions_by(base, Period::Year, Zone::UTC)
    }

    /// Opens the tick libraries `<base>_<period>`, by the periods of a zone, as one. There need not be any yet.
    ///
    /// # Errors
    /// As [`Store::tick_partitions`].
    pub fn tick_partitions_by(&self, base: &str, period: Period, zone: Zone) -> Result<TickPartitions, StoreError> {
        TickPartitions::new(self.clone(), base, period, zone)
    }

    /// Opens a library of chunks, which may be cut by the chunkers that are registered by now.
    ///
    /// # Errors
    /// [`StoreError::LibraryNotFound`], [`StoreError::WrongKind`].
    pub fn chunks(&self, name: &str) -> Result<ChunkLibrary, StoreError> {
        let core = self.core(name, &Kind::Chunk)?;
        Ok(ChunkLibrary::new(core, self.inner.chunkers.lock().clone()))
    }

    /// Makes a chunker of one's own known to this store. Libraries write its name down: register it whenever the store is opened, before they are.
    ///
    /// # Errors
    /// [`StoreError::Chunk`] if the name is taken; `day`, `month` and `year` are.
    pub fn register_chunker(&self, name: &str, chunker: impl Chunker + 'static) -> Result<(), StoreError> {
        Ok(self.inner.chunkers.lock().register(name, chunker)?)
    }

    /// Opens a library of documents.
    ///
    /// # Errors
    /// [`StoreError::LibraryNotFound`], [`StoreError::WrongKind`].
    pub fn documents(&self, name: &str) -> Result<DocumentLibrary, StoreError> {
        self.kept(name, &Kind::Document, &self.inner.documents).map(DocumentLibrary)
    }

    /// Opens a library of metadata with history.
    ///
    /// # Errors
    /// [`StoreError::LibraryNotFound`], [`StoreError::WrongKind`].
    pub fn metadata(&self, name: &str) -> Result<MetadataLibrary, StoreError> {
        self.kept(name, &Kind::Metadata, &self.inner.metadata).map(MetadataLibrary)
    }

    /// Opens the rows of a library of any kind that has rows, for tools that look at them whatever they mean. What is changed through it is not
    /// held to the rules of the library's kind.
    ///
    /// # Errors
    /// [`StoreError::LibraryNotFound`]; [`StoreError::WrongKind`] for documents and metadata.
    pub fn rows(&self, name: &str) -> Result<VersionLibrary, StoreError> {
        let kind = self.known(name)?.kind;
        if matches!(kind, Kind::Document | Kind::Metadata) {
            let (library, is) = (name.to_owned(), kind.to_string());
            return Err(StoreError::WrongKind { library, is, wanted: "version`, `tick` or `chunk".to_owned() });
        }
        self.core(name, &kind).map(VersionLibrary)
    }

    /// Makes a kind of libraries of one's own known to this store.
    ///
    /// # Errors
    /// [`StoreError::Kind`] if there is a kind of this name.
    pub fn register<L: OwnLibrary>(&self) -> Result<(), StoreError> {
        let kind = L::KIND;
        let builtin =
            [Kind::Version, Kind::Tick, Kind::Chunk, Kind::Document, Kind::Metadata].iter().any(|known| known.to_string() == kind);
        if builtin || self.inner.own.lock().insert(kind, ()).is_some() {
            return Err(StoreError::Kind(format!("there is a kind of libraries `{kind}` already: choose another name")));
        }
        Ok(())
    }

    /// Opens a library of one's own kind.
    ///
    /// # Errors
    /// [`StoreError::LibraryNotFound`], [`StoreError::WrongKind`]; what opening it gives.
    pub fn own<L: OwnLibrary>(&self, name: &str) -> Result<L, StoreError> {
        L::open(VersionLibrary(self.core(name, &Kind::Own(L::KIND.to_owned()))?))
    }

    /// How the cache of decoded columns does.
    pub fn cache_stats(&self) -> CacheStats {
        self.inner.shared.cache.stats()
    }

    /// What went wrong in the background, lately: compaction and checkpoints are tried again by themselves.
    pub fn trouble(&self) -> Vec<StoreError> {
        let rows = self.inner.cores.lock().values().filter_map(|core| core.trouble()).collect::<Vec<_>>();
        let documents = self.inner.documents.lock().values().filter_map(|kept| kept.trouble()).collect::<Vec<_>>();
        let metadata = self.inner.metadata.lock().values().filter_map(|kept| kept.trouble()).collect::<Vec<_>>();
        [rows, documents, metadata].concat()
    }

    pub(crate) fn known_id(&self, name: &str) -> Result<u64, StoreError> {
        self.known(name).map(|known| known.id)
    }

    fn known(&self, name: &str) -> Result<Known, StoreError> {
        self.inner.registry.refresh()?;
        self.inner.registry.read(|registry| registry.get(name).cloned())
    }

    /// Opens the rows of a library, once for the process.
    pub(crate) fn core(&self, name: &str, kind: &Kind) -> Result<Arc<Core>, StoreError> {
        let known = self.check_kind(name, kind)?;
        let mut cores = self.inner.cores.lock();
        if let Some(core) = cores.get(&known.0) {
            // Another process may have changed it.
            core.quota.store(known.1, Ordering::Relaxed);
            return Ok(core.clone());
        }
        let (folder, shared) = (folder(known.0), self.inner.shared.clone());
        let log = Log::open(shared.objects.clone(), &folder, shared.clock.clone(), shared.writer, Pace { commits: CHECKPOINT_EVERY })?;
        let core = Arc::new(Core::new(name.to_owned(), folder, known.1, shared, log));
        cores.insert(known.0, core.clone());
        Ok(core)
    }

    /// Opens a library that is kept in memory, once for the process.
    fn kept<S: Measured>(&self, name: &str, kind: &Kind, open: &Mutex<BTreeMap<u64, Arc<Kept<S>>>>) -> Result<Arc<Kept<S>>, StoreError> {
        let (id, quota) = self.check_kind(name, kind)?;
        let mut open = open.lock();
        if let Some(kept) = open.get(&id) {
            kept.quota.store(quota, Ordering::Relaxed);
            return Ok(kept.clone());
        }
        let shared = self.inner.shared.clone();
        let log = Log::open(shared.objects.clone(), &folder(id), shared.clock.clone(), shared.writer, Pace { commits: CHECKPOINT_EVERY })?;
        let kept = Arc::new(Kept::new(name.to_owned(), quota, shared, log));
        open.insert(id, kept.clone());
        Ok(kept)
    }

    /// The number and the quota of a library, if it is of this kind.
    pub(crate) fn check_kind(&self, name: &str, kind: &Kind) -> Result<(u64, u64), StoreError> {
        let known = self.known(name)?;
        if known.kind != *kind {
            return Err(StoreError::WrongKind { library: name.to_owned(), is: known.kind.to_string(), wanted: kind.to_string() });
        }
        Ok((known.id, known.quota))
    }

    fn registry(&self, mut plan: impl FnMut(&Registry) -> Result<RegistryOp, StoreError> + Send + 'static) -> Result<(), StoreError> {
        self.inner.registry.commit(256, move |registry: &Registry, group: &Group<Registry>| {
            if !group.is_empty() {
                return Ok(Verdict::Later);
            }
            let entries = vec![Entry { op: plan(registry)?, blob: None }];
            Ok(Verdict::Commit { entries, tips: Vec::new(), whole: true })
        })?;
        Ok(())
    }
}

impl Registry {
    fn get(&self, name: &str) -> Result<&Known, StoreError> {
        let missing =
            || StoreError::LibraryNotFound { library: name.to_owned(), help: help(name, self.libraries.keys().map(String::as_str)) };
        self.libraries.get(name).ok_or_else(missing)
    }
}

fn info(name: &str, known: &Known) -> LibraryInfo {
    LibraryInfo { name: name.to_owned(), kind: known.kind.clone(), quota: known.quota, created: Instant::from_nanos(known.created) }
}

/// Where a library's objects are.
pub(crate) fn folder(id: u64) -> String {
    format!("library/{id:04}")
}
