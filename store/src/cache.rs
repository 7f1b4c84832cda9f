//! Decoded columns that readers of one process share. Invariant: what it holds is what decoding would give again, and never more than its room.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, UInt64Array};
use arrow_select::take::take;
use parking_lot::Mutex;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;

/// The room of a cache, unless another is given: 256 MiB.
pub const CACHE_BYTES: u64 = 256 << 20;

/// One column of one row group of one segment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ColumnKey {
    pub(crate) object: Arc<str>,
    /// A row group, or where rows begin in a commit.
    pub(crate) group: u64,
    pub(crate) column: Arc<str>,
}

/// How often a cache had what was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Columns of row groups that were there.
    pub hits: u64,
    /// Those that had to be decoded.
    pub misses: u64,
    /// What it holds, in bytes.
    pub bytes: u64,
    /// What it may hold, in bytes.
    pub room: u64,
}

#[derive(Default)]
struct Inner {
    columns: BTreeMap<ColumnKey, (ArrayRef, u64, u64)>,
    by_age: BTreeMap<u64, ColumnKey>,
    footers: BTreeMap<Arc<str>, ArrowReaderMetadata>,
    turn: u64,
    stats: CacheStats,
}

/// Decoded columns, the least recently used of which give way. Clones share it; so can stores.
#[derive(Clone)]
pub struct Cache(Arc<Mutex<Inner>>);

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cache({:?})", self.stats())
    }
}

impl Cache {
    /// Footers are small; so many are kept.
    const FOOTERS: usize = 4_096;

    /// A cache with room for so many bytes. 0: nothing is kept.
    pub fn new(room: u64) -> Self {
        Self(Arc::new(Mutex::new(Inner { stats: CacheStats { room, ..CacheStats::default() }, ..Inner::default() })))
    }

    /// How it did.
    pub fn stats(&self) -> CacheStats {
        self.0.lock().stats
    }

    /// Forgets everything.
    pub fn clear(&self) {
        let mut inner = self.0.lock();
        let room = inner.stats.room;
        *inner = Inner { stats: CacheStats { room, ..CacheStats::default() }, ..Inner::default() };
    }

    pub(crate) fn get(&self, key: &ColumnKey) -> Option<ArrayRef> {
        let mut inner = self.0.lock();
        let inner = &mut *inner;
        let Some((column, _, turn)) = inner.columns.get_mut(key) else {
            inner.stats.misses += 1;
            return None;
        };
        inner.stats.hits += 1;
        if let Some(key) = inner.by_age.remove(turn) {
            inner.turn += 1;
            *turn = inner.turn;
            inner.by_age.insert(inner.turn, key);
        }
        Some(column.clone())
    }

    pub(crate) fn put(&self, key: ColumnKey, column: &ArrayRef) {
        let column = on_its_own(column);
        let bytes = column.get_array_memory_size() as u64;
        let mut inner = self.0.lock();
        let inner = &mut *inner;
        if bytes > inner.stats.room {
            return;
        }
        inner.turn += 1;
        inner.by_age.insert(inner.turn, key.clone());
        if let Some((_, old, turn)) = inner.columns.insert(key, (column, bytes, inner.turn)) {
            inner.by_age.remove(&turn);
            inner.stats.bytes -= old;
        }
        inner.stats.bytes += bytes;
        while inner.stats.bytes > inner.stats.room
            && let Some((_, oldest)) = inner.by_age.pop_first()
        {
            if let Some((_, bytes, _)) = inner.columns.remove(&oldest) {
                inner.stats.bytes -= bytes;
            }
        }
    }

    pub(crate) fn footer(&self, object: &str) -> Option<ArrowReaderMetadata> {
        self.0.lock().footers.get(object).cloned()
    }

    pub(crate) fn put_footer(&self, object: Arc<str>, footer: ArrowReaderMetadata) {
        let mut inner = self.0.lock();
        if inner.stats.room == 0 {
            return;
        }
        if inner.footers.len() >= Self::FOOTERS {
            inner.footers.pop_first();
        }
        inner.footers.insert(object, footer);
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self::new(CACHE_BYTES)
    }
}

/// The column, or a copy of it if it is a small part of arrays that would be kept in memory for it.
fn on_its_own(column: &ArrayRef) -> ArrayRef {
    let used = column.to_data().get_slice_memory_size();
    match used {
        Ok(used) if used < column.get_array_memory_size() / 2 => {
            let rows = UInt64Array::from_iter_values(0..column.len() as u64);
            take(column, &rows, None).unwrap_or_else(|_| column.clone())
        }
        _ => column.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::Int64Array;

    #[test]
    fn the_least_recently_used_gives_way() {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![0; 100]));
        let size = column.get_array_memory_size() as u64;
        let cache = Cache::new(2 * size + 1);
        let key = |group| ColumnKey { object: "a".into(), group, column: "x".into() };
        cache.put(key(1), &column);
        cache.put(key(2), &column);
        assert!(cache.get(&key(1)).is_some());
        cache.put(key(3), &column);
        assert_eq!([1, 2, 3].map(|group| cache.get(&key(group)).is_some()), [true, false, true]);
        assert_eq!(cache.stats(), CacheStats { hits: 3, misses: 1, bytes: 2 * size, room: 2 * size + 1 });
        Cache::new(0).put(key(1), &column);
    }

    #[test]
    fn a_part_of_a_large_column_does_not_keep_the_rest() {
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..100_000));
        let cache = Cache::default();
        let key = ColumnKey { object: "a".into(), group: 0, column: "x".into() };
        cache.put(key.clone(), &column.slice(500, 3));
        let kept = cache.get(&key).expect("it was put there");
        assert_eq!(kept.as_any().downcast_ref(), Some(&Int64Array::from(vec![500, 501, 502])));
        let freed = Arc::downgrade(&column);
        assert!(cache.stats().bytes < 1000, "{:?}", cache.stats());
        drop(column);
        assert!(freed.upgrade().is_none());
    }
}
