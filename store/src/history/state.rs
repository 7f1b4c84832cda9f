//! The state of a library of metadata, and the operations that change it. Invariants: what is not retracted has different starts; what was
//! recorded is never changed but by being retracted once, until it is purged; knowledge never runs backwards.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use stillpoint_engine::Instant;

use crate::documents::length;

/// Metadata of symbols, with what was known of it when.
///
/// The state changes by operations alone: a plan (`plan_append`, `plan_pop`, ...) looks at it and makes a [`HistoryOp`], which
/// [`History::apply`] applies.
///
/// ```
/// use serde_json::json;
/// use stillpoint_engine::{Duration, Instant};
/// use stillpoint_store::history::{AsOf, History};
///
/// let day = |n: i64| Instant::EPOCH + Duration::hours(24 * n);
/// let mut state = History::default();
/// // On day 10 it is recorded that the lot is 100 from day 1 on; on day 20, that it is 50 from day 15 on.
/// let (op, _) = state.plan_append("X", json!({"lot": 100}), day(1))?;
/// state.apply(&op.expect("something changes"), day(10));
/// let (op, _) = state.plan_append("X", json!({"lot": 50}), day(15))?;
/// state.apply(&op.expect("something changes"), day(20));
///
/// assert_eq!(state.read("X", AsOf::latest()), Some(&json!({"lot": 50})));
/// assert_eq!(state.read("X", AsOf::valid(day(14))), Some(&json!({"lot": 100})));
/// // Who asked on day 16 could not know.
/// assert_eq!(state.read("X", AsOf::seen_at(day(16))), Some(&json!({"lot": 100})));
/// # Ok::<(), stillpoint_store::history::HistoryError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// The latest instant of a commit.
    pub(super) latest: Option<Instant>,
    /// Sorted by start; of equal starts, in the order in which they were recorded.
    pub(super) symbols: BTreeMap<String, Vec<Entry>>,
    bytes: u64,
}

/// Metadata from a start on, and when it was known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// From when on it is valid, until the next one starts.
    pub start: Instant,
    /// What is valid; null: nothing any more.
    pub metadata: Value,
    /// The commit from which on it was known.
    pub recorded: Instant,
    /// The commit from which on it was known no longer.
    pub retracted: Option<Instant>,
}

impl Entry {
    /// Whether it was known at `known`; without an instant, whether it is known now.
    pub fn is_known(&self, known: Option<Instant>) -> bool {
        match known {
            None => self.retracted.is_none(),
            Some(known) => self.recorded <= known && self.retracted.is_none_or(|retracted| known < retracted),
        }
    }
}

/// Metadata from a start on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// From when on it is valid, until the next one starts.
    pub start: Instant,
    /// What is valid; null: nothing any more.
    pub metadata: Value,
}

impl Fact {
    /// `metadata` from `start` on.
    pub fn new(start: Instant, metadata: impl Into<Value>) -> Self {
        Self { start, metadata: metadata.into() }
    }
}

/// A change of a library of metadata, complete in itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryOp {
    /// What is known of a symbol changes. What is retracted stays readable for who asks what was known before.
    Learn {
        /// The symbol.
        symbol: String,
        /// The starts of what is known no longer.
        retract: Vec<Instant>,
        /// What is known in addition.
        record: Vec<Fact>,
    },
    /// A symbol is forgotten, with all that was ever known of it.
    Purge {
        /// The symbol.
        symbol: String,
    },
}

impl History {
    /// Makes the change. `at` is the instant of the commit; one before that of an earlier commit counts as that, so that knowledge never runs
    /// backwards. On any state it does what it says, as far as that means anything there.
    pub fn apply(&mut self, op: &HistoryOp, at: Instant) {
        let at = self.latest.map_or(at, |latest| latest.max(at));
        self.latest = Some(at);
        match op {
            HistoryOp::Learn { symbol, retract, record } => {
                let entries = self.symbols.entry(symbol.clone()).or_default();
                for entry in entries.iter_mut().filter(|entry| entry.retracted.is_none() && retract.contains(&entry.start)) {
                    entry.retracted = Some(at);
                }
                for Fact { start, metadata } in record {
                    self.bytes += length(metadata);
                    let place = entries.partition_point(|entry| entry.start <= *start);
                    entries.insert(place, Entry { start: *start, metadata: metadata.clone(), recorded: at, retracted: None });
                }
            }
            HistoryOp::Purge { symbol } => {
                let forgotten = self.symbols.remove(symbol).unwrap_or_default();
                self.bytes -= forgotten.iter().map(|entry| length(&entry.metadata)).sum::<u64>();
            }
        }
    }

    /// Bytes of all metadata as compact JSON, with what was retracted; what a quota counts.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What [`History::bytes`] would be after an operation.
    pub(crate) fn bytes_after(&self, op: &HistoryOp) -> u64 {
        match op {
            HistoryOp::Learn { record, .. } => self.bytes + record.iter().map(|fact| length(&fact.metadata)).sum::<u64>(),
            HistoryOp::Purge { symbol } => self.bytes - self.entries(symbol).iter().map(|entry| length(&entry.metadata)).sum::<u64>(),
        }
    }

    /// All that was ever recorded of `symbol` and not purged, sorted by start; of equal starts, in the order of recording.
    pub fn entries(&self, symbol: &str) -> &[Entry] {
        self.symbols.get(symbol).map(Vec::as_slice).unwrap_or_default()
    }

    /// What was known of `symbol` at `known`, sorted by start.
    pub(super) fn known(&self, symbol: &str, known: Option<Instant>) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries(symbol).iter().filter(move |entry| entry.is_known(known))
    }
}
