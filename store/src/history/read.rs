//! Reading metadata: as of an instant, as known at an instant. Invariant: what is read as known at an instant never depends on a later commit,
//! but for a purge.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use stillpoint_engine::Instant;

use super::HistoryError;
use super::state::{Entry, History};
use crate::documents::{Filter, Pattern};

/// Which metadata is meant: valid when, and as known when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AsOf {
    /// What is valid at this instant; none: the last, even if it starts in the future.
    pub valid: Option<Instant>,
    /// As it was known right after the commits of this instant; none: as it is known now.
    pub known: Option<Instant>,
}

impl AsOf {
    /// The last metadata, as it is known now.
    pub const fn latest() -> Self {
        Self { valid: None, known: None }
    }

    /// What is valid at `instant`, as it is known now.
    pub const fn valid(instant: Instant) -> Self {
        Self { valid: Some(instant), known: None }
    }

    /// What whoever looked at `instant` saw: valid then, as known then. It cannot look ahead.
    pub const fn seen_at(instant: Instant) -> Self {
        Self { valid: Some(instant), known: Some(instant) }
    }

    /// The same as it was known at `instant`.
    #[must_use]
    pub const fn known_at(self, instant: Instant) -> Self {
        Self { valid: self.valid, known: Some(instant) }
    }
}

/// Metadata and how long it is valid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Period {
    /// From when on it is valid.
    pub start: Instant,
    /// Until when, this instant not included; none: for ever.
    pub end: Option<Instant>,
    /// What is valid; null: nothing any more.
    pub metadata: Value,
    /// The commit from which on it was known.
    pub recorded: Instant,
}

/// Which symbols are meant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SymbolQuery {
    /// In the name of which this is found.
    pub pattern: Option<Pattern>,
    /// Whose metadata passes; paths begin in the metadata.
    pub filter: Filter,
    /// Which metadata that is. Symbols that have none then are not meant.
    pub as_of: AsOf,
}

impl History {
    /// The metadata of `symbol`; nothing if it has none then, or null.
    pub fn read(&self, symbol: &str, as_of: AsOf) -> Option<&Value> {
        self.read_entry(symbol, as_of).map(|entry| &entry.metadata).filter(|metadata| !metadata.is_null())
    }

    /// The metadata of `symbol` with its start and when it was recorded; also when it is null.
    pub fn read_entry(&self, symbol: &str, as_of: AsOf) -> Option<&Entry> {
        let entries = self.entries(symbol);
        let started = as_of.valid.map_or(entries.len(), |valid| entries.partition_point(|entry| entry.start <= valid));
        entries[..started].iter().rev().find(|entry| entry.is_known(as_of.known))
    }

    /// All metadata of `symbol`, as known at `known`, or now, sorted by start.
    pub fn read_history(&self, symbol: &str, known: Option<Instant>) -> Vec<Period> {
        let entries: Vec<&Entry> = self.known(symbol, known).collect();
        let ends = entries.iter().skip(1).map(|next| Some(next.start)).chain([None]);
        let period = |(entry, end): (&&Entry, Option<Instant>)| Period {
            start: entry.start,
            end,
            metadata: entry.metadata.clone(),
            recorded: entry.recorded,
        };
        entries.iter().zip(ends).map(period).collect()
    }

    /// Whether `symbol` has metadata, be it null.
    pub fn has_symbol(&self, symbol: &str, as_of: AsOf) -> bool {
        self.read_entry(symbol, as_of).is_some()
    }

    /// The symbols that are meant, sorted.
    ///
    /// # Errors
    /// A text in the filter that is no path.
    pub fn list_symbols(&self, query: &SymbolQuery) -> Result<Vec<&str>, HistoryError> {
        query.filter.check()?;
        let meant = |symbol: &&str| {
            query.pattern.as_ref().is_none_or(|pattern| pattern.is_found_in(symbol))
                && self.read_entry(symbol, query.as_of).is_some_and(|entry| query.filter.matches(&entry.metadata))
        };
        Ok(self.symbols.keys().map(String::as_str).filter(meant).collect())
    }
}
