//! Objects through the crate `object_store`. Invariant: calls return when the work is done, whatever runtime the caller is in.

use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use stillpoint_engine::Instant;
use tokio::runtime::Runtime;

use super::{ObjectInfo, Objects};
use crate::error::StoreError;

/// A folder, a place in memory, or any other implementation of [`ObjectStore`].
///
/// ```
/// use stillpoint_store::{Bucket, Objects};
///
/// let bucket = Bucket::memory();
/// assert!(bucket.put_new("a/1", vec!["x".into()])?);
/// assert!(!bucket.put_new("a/1", vec!["y".into()])?, "an object is never changed");
/// assert_eq!(bucket.get("a/1")?.as_deref(), Some(&b"x"[..]));
/// # Ok::<(), stillpoint_store::StoreError>(())
/// ```
#[derive(Clone)]
pub struct Bucket {
    store: Arc<dyn ObjectStore>,
    shown: String,
    /// What needs sockets and timers runs here; files need none.
    runtime: Option<Arc<Runtime>>,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bucket({})", self.shown)
    }
}

impl Bucket {
    /// A folder, which is made if there is none. `synced`: what is written is on the disk when the call returns, also after a loss of power.
    ///
    /// # Errors
    /// [`StoreError::Io`] if the folder cannot be made.
    pub fn folder(folder: impl AsRef<FilePath>, synced: bool) -> Result<Self, StoreError> {
        let folder = folder.as_ref();
        let failed = |why: String| StoreError::Io { what: format!("opening the folder {}", folder.display()), why };
        std::fs::create_dir_all(folder).map_err(|error| failed(error.to_string()))?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(|error| failed(error.to_string()))?.with_fsync(synced);
        Ok(Self { store: Arc::new(store), shown: folder.display().to_string(), runtime: None })
    }

    /// Memory of this process, for tests and for what need not be kept.
    pub fn memory() -> Self {
        Self { store: Arc::new(InMemory::new()), shown: "memory:".to_owned(), runtime: None }
    }

    /// A store of objects that was set up elsewhere, such as a bucket in a cloud; objects lie below `prefix`. `shown` is what errors call it.
    ///
    /// # Errors
    /// [`StoreError::Io`] if no thread can be had that waits for its sockets.
    pub fn remote(store: Arc<dyn ObjectStore>, prefix: &str, shown: &str) -> Result<Self, StoreError> {
        let (prefix, shown) = (prefix.trim_matches('/'), shown.trim_end_matches('/'));
        let shown = if prefix.is_empty() { shown.to_owned() } else { format!("{shown}/{prefix}") };
        Self::below(store, Path::from(prefix), shown)
    }

    pub(super) fn below(store: Arc<dyn ObjectStore>, prefix: Path, shown: String) -> Result<Self, StoreError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().thread_name("stillpoint-bucket").build();
        let runtime = runtime.map_err(|error| StoreError::Io { what: format!("opening {shown}"), why: error.to_string() })?;
        Ok(Self { store: Arc::new(PrefixStore::new(store, prefix)), shown, runtime: Some(Arc::new(runtime)) })
    }

    /// Waits for `work`: on this thread, or on the runtime of what needs one.
    fn wait<T: Send + 'static>(&self, work: impl Future<Output = Result<T, Error>> + Send + 'static) -> Result<T, Error> {
        let Some(runtime) = &self.runtime else { return futures::executor::block_on(work) };
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        runtime.spawn(async move {
            // Nobody else receives, and who waits here is there.
            let _ = sender.send(work.await);
        });
        receiver
            .recv()
            .unwrap_or_else(|_| Err(Error::Generic { store: "bucket", source: "the thread that waits for its sockets has ended".into() }))
    }

    fn failed(&self, doing: &str, name: &str, error: &Error) -> StoreError {
        StoreError::Io { what: format!("{doing} {}", self.place(name)), why: error.to_string() }
    }
}

impl Objects for Bucket {
    fn get(&self, name: &str) -> Result<Option<Bytes>, StoreError> {
        let (store, path) = (self.store.clone(), Path::from(name));
        match self.wait(async move { store.get(&path).await?.bytes().await }) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("reading", name, &error)),
        }
    }

    fn get_range(&self, name: &str, range: Range<u64>) -> Result<Option<Bytes>, StoreError> {
        let (store, path) = (self.store.clone(), Path::from(name));
        let wanted = range.end - range.start;
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        match self.wait(async move { store.get_opts(&path, options).await?.bytes().await }) {
            Ok(bytes) if bytes.len() as u64 == wanted => Ok(Some(bytes)),
            Ok(bytes) => Err(StoreError::damaged(self.place(name), format!("{} bytes where {wanted} were written", bytes.len()))),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("reading", name, &error)),
        }
    }

    fn put_new(&self, name: &str, pieces: Vec<Bytes>) -> Result<bool, StoreError> {
        let (store, path) = (self.store.clone(), Path::from(name));
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.wait(async move { store.put_opts(&path, PutPayload::from_iter(pieces), options).await }) {
            Ok(_) => Ok(true),
            Err(Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(self.failed("writing", name, &error)),
        }
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        let (store, path) = (self.store.clone(), Path::from(name));
        match self.wait(async move { store.delete(&path).await }) {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed("deleting", name, &error)),
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<ObjectInfo>, StoreError> {
        let (store, path) = (self.store.clone(), Path::from(folder));
        let listed = self.wait(async move { store.list(Some(&path)).try_collect::<Vec<_>>().await });
        let listed = listed.map_err(|error| self.failed("listing", folder, &error))?;
        let mut infos: Vec<_> = listed
            .into_iter()
            .map(|object| {
                // In i64 nanoseconds all times until the year 2262 can be told.
                let written = Instant::from_nanos(object.last_modified.timestamp_nanos_opt().unwrap_or(i64::MAX));
                ObjectInfo { name: object.location.into(), bytes: object.size, written }
            })
            .collect();
        infos.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(infos)
    }

    fn place(&self, name: &str) -> String {
        format!("{}/{name}", self.shown)
    }
}
