//! Named immutable objects, in a folder, in memory or in a bucket. Invariant: an object is there whole or not at all, and is never changed.

mod bucket;
mod name;
mod url;

use std::fmt::Debug;
use std::ops::Range;

use bytes::Bytes;
use stillpoint_engine::Instant;

use crate::error::StoreError;

pub use bucket::Bucket;
pub(crate) use name::escaped;

/// What is known of an object without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its name: `/` separates folders.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was written, by the clock of whoever keeps it.
    pub written: Instant,
}

/// Reads one object after the other.
pub trait ObjectReader: Debug {
    /// Puts some bytes of an object into `into`, in place of what is there; `false` if there is no such object.
    ///
    /// # Errors
    /// As [`Objects::get_range`].
    fn read(&mut self, name: &str, range: Range<u64>, into: &mut Vec<u8>) -> Result<bool, StoreError>;
}

/// As if nobody had read before.
#[derive(Debug)]
struct EachAlone<'a, T: ?Sized>(&'a T);

impl<T: Objects + ?Sized> ObjectReader for EachAlone<'_, T> {
    fn read(&mut self, name: &str, range: Range<u64>, into: &mut Vec<u8>) -> Result<bool, StoreError> {
        let Some(bytes) = self.0.get_range(name, range)? else { return Ok(false) };
        into.clear();
        into.extend_from_slice(&bytes);
        Ok(true)
    }
}

/// Where a store keeps its objects.
///
/// By implementing this you promise that [`put_new`](Objects::put_new) is atomic between all who use the same place: of two who create one
/// object, one is told `true`, and nobody ever reads a part of it. If the place promises durability, an object is durable when `put_new` returns.
/// Names are relative, with `/` between folders, in ASCII without characters that a file system minds.
pub trait Objects: Debug + Send + Sync {
    /// The whole object; `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn get(&self, name: &str) -> Result<Option<Bytes>, StoreError>;

    /// Some bytes of it; `None` if there is no such object.
    ///
    /// # Errors
    /// [`StoreError::Io`]; [`StoreError::Damaged`] if it is shorter.
    fn get_range(&self, name: &str, range: Range<u64>) -> Result<Option<Bytes>, StoreError>;

    /// Reads many small objects one after the other. Worth an implementation of its own where looking a name up costs something, or bytes can
    /// be read into memory that is there.
    fn reader(&self) -> Box<dyn ObjectReader + '_> {
        Box::new(EachAlone(self))
    }

    /// Creates an object out of some pieces. `false`: there was one already, which stays.
    ///
    /// # Errors
    /// [`StoreError::Io`]; whether the object is there is then not known.
    fn put_new(&self, name: &str, pieces: Vec<Bytes>) -> Result<bool, StoreError>;

    /// Removes an object; none is fine too.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn delete(&self, name: &str) -> Result<(), StoreError>;

    /// All objects in a folder and below, by name.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn list(&self, folder: &str) -> Result<Vec<ObjectInfo>, StoreError>;

    /// The objects in a folder and below whose names come after `after`, by name. Worth an implementation of its own where what comes before
    /// need not be looked at.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    fn list_after(&self, folder: &str, after: &str) -> Result<Vec<ObjectInfo>, StoreError> {
        let mut listed = self.list(folder)?;
        listed.retain(|object| object.name.as_str() > after);
        Ok(listed)
    }

    /// Where an object lies, for people and other programs: a path or URL.
    fn place(&self, name: &str) -> String;
}
