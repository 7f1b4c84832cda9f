//! A place in memory that says of new objects what a test wants it to say, and counts the bytes that are read.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use stillpoint_store::{Bucket, ObjectInfo, Objects, StoreError};

type Answer = dyn Fn(&str, bool) -> bool + Send + Sync;

pub(crate) struct Odd {
    bucket: Bucket,
    answer: Box<Answer>,
    pub(crate) read: AtomicU64,
}

impl Odd {
    /// `answer` is given the name of an object that was put, and whether it is new.
    pub(crate) fn new(answer: impl Fn(&str, bool) -> bool + Send + Sync + 'static) -> Self {
        Self { bucket: Bucket::memory(), answer: Box::new(answer), read: AtomicU64::new(0) }
    }

    fn count(&self, bytes: Option<Bytes>) -> Option<Bytes> {
        self.read.fetch_add(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64), Ordering::SeqCst);
        bytes
    }
}

impl fmt::Debug for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an odd place")
    }
}

impl Objects for Odd {
    fn get(&self, name: &str) -> Result<Option<Bytes>, StoreError> {
        Ok(self.count(self.bucket.get(name)?))
    }

    fn get_range(&self, name: &str, range: Range<u64>) -> Result<Option<Bytes>, StoreError> {
        Ok(self.count(self.bucket.get_range(name, range)?))
    }

    fn put_new(&self, name: &str, pieces: Vec<Bytes>) -> Result<bool, StoreError> {
        Ok((self.answer)(name, self.bucket.put_new(name, pieces)?))
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        self.bucket.delete(name)
    }

    fn list(&self, folder: &str) -> Result<Vec<ObjectInfo>, StoreError> {
        self.bucket.list(folder)
    }

    fn place(&self, name: &str) -> String {
        self.bucket.place(name)
    }
}
