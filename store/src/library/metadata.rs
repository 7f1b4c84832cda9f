//! The metadata library: what is valid of a symbol from when on, and what was known of that when. Invariant: but for a purge, what was once known
//! can be read for ever.

use std::sync::Arc;

use serde_json::Value;
use stillpoint_engine::{Duration, Instant};

use super::compact::Swept;
use super::kept::{Kept, Measured};
use crate::error::StoreError;
use crate::history::{AsOf, Entry, Fact, History, HistoryOp, Period, SymbolQuery};
use crate::log::{BlobRef, Stamp, State};

impl State for History {
    type Op = HistoryOp;
    type Tip = ();

    fn apply(&mut self, op: &HistoryOp, stamp: Stamp, _: Option<&BlobRef>) {
        History::apply(self, op, stamp.at);
    }
}

impl Measured for History {
    fn bytes(&self) -> u64 {
        History::bytes(self)
    }

    fn bytes_after(&self, op: &HistoryOp) -> u64 {
        History::bytes_after(self, op)
    }
}

/// A library of metadata with history. Clones are the same library; see [`history`](crate::history) for the two times that an entry has.
///
/// ```
/// use serde_json::json;
/// use stillpoint_engine::Instant;
/// use stillpoint_store::history::AsOf;
/// use stillpoint_store::{Kind, Store};
///
/// let store = Store::memory()?;
/// store.create("lots", Kind::Metadata)?;
/// let lots = store.metadata("lots")?;
/// let day = |n: i64| Instant::from_nanos(n * 86_400_000_000_000);
/// lots.append("X", json!({"lot": 100}), Some(day(1)))?;
/// lots.append("X", json!({"lot": 50}), Some(day(15)))?;
/// assert_eq!(lots.read("X", AsOf::latest())?, Some(json!({"lot": 50})));
/// assert_eq!(lots.read("X", AsOf::valid(day(14)))?, Some(json!({"lot": 100})));
/// # Ok::<(), stillpoint_store::StoreError>(())
/// ```
#[derive(Clone, Debug)]
pub struct MetadataLibrary(pub(crate) Arc<Kept<History>>);

impl MetadataLibrary {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Metadata is valid from `start` on (`None`: from the commit on). Gives what is the last of the symbol then: metadata equal to the last
    /// changes nothing. Null says that nothing is valid from `start` on.
    ///
    /// # Errors
    /// [`StoreError::History`] if `start` is not after that of the last; [`StoreError::QuotaExceeded`].
    pub fn append(&self, symbol: &str, metadata: Value, start: Option<Instant>) -> Result<Option<Fact>, StoreError> {
        let symbol = symbol.to_owned();
        self.0.change(move |state, now| state.plan_append(&symbol, metadata.clone(), start.unwrap_or(now)))
    }

    /// Metadata is valid from `start` on ([`Instant::MIN`]: since ever), until the first that is known starts. Gives what is the first of the
    /// symbol then: metadata equal to the first moves the first one's start. Null changes nothing.
    ///
    /// # Errors
    /// [`StoreError::History`] if `start` is not before that of the first; [`StoreError::QuotaExceeded`].
    pub fn prepend(&self, symbol: &str, metadata: Value, start: Instant) -> Result<Option<Fact>, StoreError> {
        let symbol = symbol.to_owned();
        self.0.change(move |state, _| state.plan_prepend(&symbol, metadata.clone(), start))
    }

    /// The history of a symbol is this, whatever was known so far. What was known before stays readable.
    ///
    /// # Errors
    /// [`StoreError::History`] if the starts do not rise; [`StoreError::QuotaExceeded`].
    pub fn write_history(&self, symbol: &str, facts: Vec<Fact>) -> Result<(), StoreError> {
        let symbol = symbol.to_owned();
        self.0.change(move |state, _| state.plan_write_history(&symbol, facts.clone()))
    }

    /// The last metadata of a symbol is known no longer, and is given. The one before it is valid for ever again.
    ///
    /// # Errors
    /// [`StoreError::History`] if there is none.
    pub fn pop(&self, symbol: &str) -> Result<Fact, StoreError> {
        let symbol = symbol.to_owned();
        self.0.change(move |state, _| state.plan_pop(&symbol))
    }

    /// Nothing is known of a symbol any longer; tells how much was. Who asks what was known before still reads it.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn delete(&self, symbol: &str) -> Result<u64, StoreError> {
        let symbol = symbol.to_owned();
        self.0.change(move |state, _| state.plan_delete(&symbol))
    }

    /// A symbol is forgotten with all that was ever known of it; tells how much was recorded.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn purge(&self, symbol: &str) -> Result<u64, StoreError> {
        let symbol = symbol.to_owned();
        self.0.change(move |state, _| state.plan_purge(&symbol))
    }

    /// The metadata of a symbol; `None` if it has none then, or null.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn read(&self, symbol: &str, as_of: AsOf) -> Result<Option<Value>, StoreError> {
        self.0.read(|state| state.read(symbol, as_of).cloned())
    }

    /// The metadata of a symbol with its start and when it was recorded; also when it is null.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn read_entry(&self, symbol: &str, as_of: AsOf) -> Result<Option<Entry>, StoreError> {
        self.0.read(|state| state.read_entry(symbol, as_of).cloned())
    }

    /// All metadata of a symbol, as known at `known`, or now, by start.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn read_history(&self, symbol: &str, known: Option<Instant>) -> Result<Vec<Period>, StoreError> {
        self.0.read(|state| state.read_history(symbol, known))
    }

    /// All that was ever recorded of a symbol and not purged, also what is known no longer, by start.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn entries(&self, symbol: &str) -> Result<Vec<Entry>, StoreError> {
        self.0.read(|state| state.entries(symbol).to_vec())
    }

    /// Whether a symbol has metadata, be it null.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn has_symbol(&self, symbol: &str, as_of: AsOf) -> Result<bool, StoreError> {
        self.0.read(|state| state.has_symbol(symbol, as_of))
    }

    /// The symbols that are meant, in order.
    ///
    /// # Errors
    /// [`StoreError::History`] for a text in the filter that is no path.
    pub fn list_symbols(&self, query: &SymbolQuery) -> Result<Vec<String>, StoreError> {
        self.0.read(|state| Ok::<_, StoreError>(state.list_symbols(query)?.into_iter().map(str::to_owned).collect()))?
    }

    /// Bytes of all metadata as compact JSON, with what is known no longer: what the quota counts.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn bytes(&self) -> Result<u64, StoreError> {
        self.0.read(History::bytes)
    }

    /// Whether it is nearly full: what it holds, and its quota, in bytes, from 90 % on.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn nearly_full(&self) -> Result<Option<(u64, u64)>, StoreError> {
        self.0.nearly_full()
    }

    /// Makes a checkpoint, and removes commits for which older ones have stood for so long. Zero is right only if nobody else has the store open.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn sweep(&self, grace: Duration) -> Result<Swept, StoreError> {
        self.0.sweep(grace)
    }
}
