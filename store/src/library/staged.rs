//! Rows that are written in pieces and become one version. Invariant: nobody sees a piece before all are committed, and pieces that are not
//! committed are removed.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use arrow_schema::Schema;
use parking_lot::Mutex;
use stillpoint_engine::Instant;

use super::core::{Core, Laid};
use super::info::{WriteOptions, Written};
use super::op::PlaceOp;
use super::plan::{Append, check_name, union};
use super::state::Place;
use super::tick::TickLibrary;
use super::version::VersionLibrary;
use crate::error::StoreError;
use crate::table::Table;

/// Pieces of one symbol's rows. Threads may stage pieces at the same time; one commit makes all of them one version.
///
/// ```
/// use stillpoint_engine::Instant;
/// use stillpoint_store::{ReadOptions, Store, Table, WriteOptions};
///
/// let store = Store::memory()?;
/// let prices = store.create_versions("prices")?;
/// let rows = |from: i64| Table::at((from..from + 3).map(Instant::from_nanos)).column("bid", [1.0, 2.0, 3.0]).finish();
/// let staged = prices.stage("EURUSD")?;
/// std::thread::scope(|scope| {
///     let second = scope.spawn(|| staged.stage(1, &rows(10)?));
///     staged.stage(0, &rows(0)?)?;
///     second.join().expect("staging does not panic")
/// })?;
/// assert!(prices.list_symbols(&Default::default())?.is_empty());
/// assert_eq!(staged.write(&WriteOptions::default())?.rows, 6);
/// assert_eq!(prices.read("EURUSD", &ReadOptions::default())?.table.times()?[3], Instant::from_nanos(10));
/// # Ok::<(), stillpoint_store::StoreError>(())
/// ```
#[derive(Debug)]
pub struct Staged {
    core: Arc<Core>,
    symbol: String,
    is_ticks: bool,
    pieces: Mutex<BTreeMap<u64, Laid>>,
}

impl VersionLibrary {
    /// Begins to write a symbol in pieces.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a name that cannot be one.
    pub fn stage(&self, symbol: &str) -> Result<Staged, StoreError> {
        Staged::new(&self.0, symbol, false)
    }
}

impl TickLibrary {
    /// Begins to add rows to a symbol in pieces.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a name that cannot be one.
    pub fn stage(&self, symbol: &str) -> Result<Staged, StoreError> {
        Staged::new(&self.0, symbol, true)
    }
}

impl Staged {
    fn new(core: &Arc<Core>, symbol: &str, is_ticks: bool) -> Result<Self, StoreError> {
        check_name("symbol", symbol)?;
        Ok(Self { core: core.clone(), symbol: symbol.to_owned(), is_ticks, pieces: Mutex::default() })
    }

    /// Puts a piece where it will be, in files that nobody sees yet. In the version, pieces come in the order of their `place`.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] if the place is taken; [`StoreError::Schema`] for ticks without a time index; [`StoreError::Io`].
    pub fn stage(&self, place: u64, table: &Table) -> Result<(), StoreError> {
        if self.is_ticks && table.rows() > 0 && table.span().is_none() {
            return Err(StoreError::Schema { symbol: self.symbol.clone(), what: "ticks need a time index `time`".to_owned() });
        }
        let span = table.span().map(|(first, last)| (first.as_nanos(), last.as_nanos()));
        let parts = self.core.write_segments(&self.symbol, table)?;
        let bytes = parts.iter().map(|part| if let PlaceOp::At(Place::Segment(segment)) = &part.place { segment.bytes } else { 0 }).sum();
        let laid = Laid::of(table.schema().clone(), parts, table.rows(), span, bytes);
        match self.pieces.lock().entry(place) {
            Entry::Vacant(free) => {
                free.insert(laid);
                return Ok(());
            }
            Entry::Occupied(_) => self.remove(&laid),
        }
        Err(StoreError::invalid(format!("place {place} of the staged rows of `{}`", self.symbol), "it is taken already: number the pieces"))
    }

    /// The rows that are staged so far.
    pub fn rows(&self) -> u64 {
        self.pieces.lock().values().map(|laid| laid.rows).sum()
    }

    /// Commits all pieces as a new version; in a library of ticks, as [`Staged::append`] does. If that fails, they are removed.
    ///
    /// # Errors
    /// [`StoreError::UnorderedData`] if a piece begins before the end of the one before it; those of [`VersionLibrary::write`].
    pub fn write(self, options: &WriteOptions) -> Result<Written, StoreError> {
        if self.is_ticks {
            return self.append(options);
        }
        self.commit(|laid| self.core.write_laid(&self.symbol, laid, options.clone(), "write"))
    }

    /// Commits all pieces as rows after the latest version, if there is one.
    ///
    /// # Errors
    /// As [`Staged::write`]; those of [`VersionLibrary::upsert`].
    pub fn append(self, options: &WriteOptions) -> Result<Written, StoreError> {
        let mode = if self.is_ticks { Append::Ticks } else { Append::Upsert };
        self.commit(|laid| self.core.append_laid(&self.symbol, laid, options, mode))
    }

    fn commit(&self, make: impl FnOnce(Laid) -> Result<Written, StoreError>) -> Result<Written, StoreError> {
        let made = make(self.whole()?);
        if matches!(made, Ok(_) | Err(StoreError::Uncertain { .. })) {
            self.pieces.lock().clear();
        }
        made
    }

    /// All pieces as one.
    fn whole(&self) -> Result<Laid, StoreError> {
        let pieces = self.pieces.lock();
        let mut whole = Laid::of(Arc::new(Schema::empty()), Vec::new(), 0, None, 0);
        for piece in pieces.values() {
            whole.schema = union(&self.symbol, &whole.schema, &piece.schema)?;
            if let (Some((_, last)), Some((first, _))) = (whole.span, piece.span)
                && first < last
            {
                let (at, before) = (Instant::from_nanos(first), Instant::from_nanos(last));
                return Err(StoreError::UnorderedData { symbol: self.symbol.clone(), row: whole.rows, at, before });
            }
            whole.span = match (whole.span, piece.span) {
                (Some((first, _)), Some((_, last))) => Some((first, last)),
                (old, new) => new.or(old),
            };
            whole.parts.extend(piece.parts.iter().cloned());
            whole.rows += piece.rows;
            whole.bytes += piece.bytes;
        }
        Ok(whole)
    }

    /// Removes the files of a piece. What stays, because the system refuses, nobody sees, and fsck finds.
    fn remove(&self, laid: &Laid) {
        for part in &laid.parts {
            if let PlaceOp::At(Place::Segment(segment)) = &part.place {
                let _ = self.core.shared.objects.delete(&segment.name);
            }
        }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        let pieces = std::mem::take(&mut *self.pieces.lock());
        pieces.values().for_each(|laid| self.remove(laid));
    }
}
