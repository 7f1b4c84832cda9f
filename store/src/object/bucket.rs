//! Objects through the crate `object_store`. Invariant: calls return when the work is done, whatever runtime the caller is in.

use std::fmt;
use std::fs::File;
use std::future::Future;
use std::io::{ErrorKind, Read};
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{Error, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use rustix::buffer::spare_capacity;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::{Errno, retry_on_intr};
use stillpoint_engine::Instant;
use tokio::runtime::Runtime;

use super::{EachAlone, ObjectInfo, ObjectReader, Objects};
use crate::error::StoreError;

/// What has at most so many bytes is written in one piece: pages of the system's cache then lie together, and reading finds them faster.
const SMALL: usize = 96 << 10;

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
    /// Where its objects are files.
    folder: Option<PathBuf>,
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
        // The program may go to another folder later.
        let absolute = folder.canonicalize().map_err(|error| failed(error.to_string()))?;
        let shown = folder.display().to_string();
        Ok(Self { store: Arc::new(store), shown, folder: Some(absolute), runtime: None })
    }

    /// Memory of this process, for tests and for what need not be kept.
    pub fn memory() -> Self {
        Self { store: Arc::new(InMemory::new()), shown: "memory:".to_owned(), folder: None, runtime: None }
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
        Ok(Self { store: Arc::new(PrefixStore::new(store, prefix)), shown, folder: None, runtime: Some(Arc::new(runtime)) })
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

    /// What was listed in a folder, by name.
    fn infos(&self, folder: &str, listed: Result<Vec<ObjectMeta>, Error>) -> Result<Vec<ObjectInfo>, StoreError> {
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

    /// Reads a part of what was opened; `false` if there is no such file.
    fn part(&self, name: &str, range: Range<u64>, into: &mut Vec<u8>, file: std::io::Result<File>) -> Result<bool, StoreError> {
        let wanted = range.end - range.start;
        match found(file.and_then(|file| read_part(&file, range, into))) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(self.shorter(name, "fewer", wanted)),
            read => read.map(|read| read.is_some()).map_err(|error| self.failed("reading", name, &error)),
        }
    }

    fn shorter(&self, name: &str, has: impl fmt::Display, wanted: u64) -> StoreError {
        StoreError::damaged(self.place(name), format!("{has} where {wanted} bytes were written"))
    }

    fn failed(&self, doing: &str, name: &str, error: &dyn fmt::Display) -> StoreError {
        StoreError::Io { what: format!("{doing} {}", self.place(name)), why: error.to_string() }
    }
}

/// A file. The crate would make a URL of each path and a path of it again, which takes as long as reading a small file.
fn read_file(path: &FilePath) -> std::io::Result<Bytes> {
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes.into())
}

/// Some bytes of a file.
fn read_part(file: &File, range: Range<u64>, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    let wanted = (range.end - range.start) as usize;
    bytes.clear();
    bytes.reserve_exact(wanted);
    // The standard library would either clear the memory first or begin with small reads.
    while bytes.len() < wanted {
        let at = range.start + bytes.len() as u64;
        match rustix::io::pread(file, spare_capacity(bytes), at) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    bytes.truncate(wanted);
    Ok(())
}

/// `None`: there is no such file.
fn found<T>(read: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match read {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory) => Ok(None),
        read => read.map(Some),
    }
}

/// Reads files one after the other. The way to a folder is gone once, not for each file of it.
#[derive(Debug)]
struct FolderReader<'a> {
    bucket: &'a Bucket,
    folder: &'a FilePath,
    /// The folder that was read from last.
    latest: String,
    /// It, if two files in a row were of it.
    handle: Option<OwnedFd>,
}

impl FolderReader<'_> {
    fn open(&mut self, name: &str) -> std::io::Result<File> {
        let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
        if folder != self.latest {
            (self.latest, self.handle) = (folder.to_owned(), None);
            return File::open(self.folder.join(name));
        }
        let open = |at: BorrowedFd<'_>, path: &FilePath, flags| {
            retry_on_intr(|| openat(at, path, OFlags::RDONLY | OFlags::CLOEXEC | flags, Mode::empty()))
        };
        let handle = match &self.handle {
            Some(handle) => handle,
            None => self.handle.insert(open(CWD, &self.folder.join(folder), OFlags::DIRECTORY)?),
        };
        Ok(open(handle.as_fd(), FilePath::new(file), OFlags::empty())?.into())
    }
}

impl ObjectReader for FolderReader<'_> {
    fn read(&mut self, name: &str, range: Range<u64>, into: &mut Vec<u8>) -> Result<bool, StoreError> {
        let file = self.open(name);
        self.bucket.part(name, range, into, file)
    }
}

impl Objects for Bucket {
    fn get(&self, name: &str) -> Result<Option<Bytes>, StoreError> {
        if let Some(folder) = &self.folder {
            return found(read_file(&folder.join(name))).map_err(|error| self.failed("reading", name, &error));
        }
        let (store, path) = (self.store.clone(), Path::from(name));
        match self.wait(async move { store.get(&path).await?.bytes().await }) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("reading", name, &error)),
        }
    }

    fn get_range(&self, name: &str, range: Range<u64>) -> Result<Option<Bytes>, StoreError> {
        let wanted = range.end - range.start;
        if let Some(folder) = &self.folder {
            let mut bytes = Vec::new();
            let there = self.part(name, range, &mut bytes, File::open(folder.join(name)))?;
            return Ok(there.then(|| bytes.into()));
        }
        let (store, path) = (self.store.clone(), Path::from(name));
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        match self.wait(async move { store.get_opts(&path, options).await?.bytes().await }) {
            Ok(bytes) if bytes.len() as u64 == wanted => Ok(Some(bytes)),
            Ok(bytes) => Err(self.shorter(name, bytes.len(), wanted)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("reading", name, &error)),
        }
    }

    fn reader(&self) -> Box<dyn ObjectReader + '_> {
        match &self.folder {
            Some(folder) => Box::new(FolderReader { bucket: self, folder, latest: String::new(), handle: None }),
            None => Box::new(EachAlone(self)),
        }
    }

    fn put_new(&self, name: &str, pieces: Vec<Bytes>) -> Result<bool, StoreError> {
        let (store, path) = (self.store.clone(), Path::from(name));
        let bytes: usize = pieces.iter().map(Bytes::len).sum();
        let pieces = if bytes <= SMALL { vec![pieces.concat().into()] } else { pieces };
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
        self.infos(folder, self.wait(async move { store.list(Some(&path)).try_collect().await }))
    }

    fn list_after(&self, folder: &str, after: &str) -> Result<Vec<ObjectInfo>, StoreError> {
        let (store, path, after) = (self.store.clone(), Path::from(folder), Path::from(after));
        let listed = self.wait(async move {
            let here = store.list_with_delimiter(Some(&path)).await?;
            let mut listed: Vec<_> = here.objects.into_iter().filter(|object| object.location > after).collect();
            let before = |folder: &Path| after.as_ref().bytes().take(folder.as_ref().len()).gt(folder.as_ref().bytes());
            for folder in here.common_prefixes.iter().filter(|folder| !before(folder)) {
                listed.extend(store.list_with_offset(Some(folder), &after).try_collect::<Vec<_>>().await?);
            }
            Ok(listed)
        });
        self.infos(folder, listed)
    }

    fn place(&self, name: &str) -> String {
        format!("{}/{name}", self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_after_a_name_is_listed_wherever_it_lies() {
        let folder = tempfile::tempdir().expect("a folder");
        let below = Bucket::remote(Arc::new(InMemory::new()), "some/where", "here").expect("a thread");
        let buckets = [Bucket::memory(), Bucket::folder(folder.path(), false).expect("it is there"), below];
        for bucket in &buckets {
            for name in ["a/0/1", "a/0/2", "a/0/3", "a/1/1", "a/1/deep/er", "a/0-x", "a/z", "b/0/3"] {
                assert!(bucket.put_new(name, vec!["x".into()]).expect("written"));
            }
            let after = |name| {
                let listed = bucket.list_after("a", name).expect("listed");
                listed.into_iter().map(|object| object.name).collect::<Vec<_>>()
            };
            assert_eq!(after("a/0/2"), ["a/0/3", "a/1/1", "a/1/deep/er", "a/z"]);
            assert_eq!(after("a/0-y/1"), ["a/0/1", "a/0/2", "a/0/3", "a/1/1", "a/1/deep/er", "a/z"]);
            assert_eq!(after("a/1/2"), ["a/1/deep/er", "a/z"]);
            assert!(after("a/z").is_empty());
            assert!(bucket.list_after("nowhere", "nowhere/1").expect("listed").is_empty());
        }
    }
}
