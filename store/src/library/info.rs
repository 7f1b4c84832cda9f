//! What is asked of a library of rows, and what it tells.

use serde_json::Value;
use stillpoint_engine::Instant;

use crate::date::DateRange;
use crate::table::Table;

/// Which version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AsOf {
    /// The latest one.
    #[default]
    Latest,
    /// The one with this number.
    Version(u64),
    /// The one that a snapshot shows.
    Snapshot(String),
    /// The latest one of those that were committed at this instant or before.
    At(Instant),
}

impl std::fmt::Display for AsOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Latest => f.write_str("latest version"),
            Self::Version(number) => write!(f, "version {number}"),
            Self::Snapshot(name) => write!(f, "version in snapshot `{name}`"),
            Self::At(at) => write!(f, "version as of {at}"),
        }
    }
}

/// What to read of a symbol. The default is everything of the latest version.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Which version.
    pub as_of: AsOf,
    /// Which instants of the time index.
    pub range: DateRange,
    /// Which columns, in this order; the time index always comes first, if there is one. `None`: all.
    pub columns: Option<Vec<String>>,
    /// Which rows, counted from 0 in the whole version: from .. to, the latter excluded.
    pub rows: Option<(u64, u64)>,
    /// Leaves the cache of decoded columns alone.
    pub bypass_cache: bool,
}

impl ReadOptions {
    /// Everything of one version.
    pub fn as_of(as_of: AsOf) -> Self {
        Self { as_of, ..Self::default() }
    }

    /// Only these instants.
    #[must_use]
    pub fn range(mut self, range: DateRange) -> Self {
        self.range = range;
        self
    }

    /// Only these columns.
    #[must_use]
    pub fn columns<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.columns = Some(columns.into_iter().map(Into::into).collect());
        self
    }

    /// Only these rows: `from` and those after it, before `to`.
    #[must_use]
    pub fn rows(mut self, from: u64, to: u64) -> Self {
        self.rows = Some((from, to));
        self
    }

    /// Decodes anew, and keeps nothing.
    #[must_use]
    pub fn bypass_cache(mut self) -> Self {
        self.bypass_cache = true;
        self
    }
}

/// What was read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The symbol.
    pub symbol: String,
    /// Its version.
    pub version: VersionInfo,
    /// The rows.
    pub table: Table,
}

/// What is known of a version.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionInfo {
    /// Its number, from 1.
    pub number: u64,
    /// When it was committed.
    pub at: Instant,
    /// How many rows it has.
    pub rows: u64,
    /// The first and the last instant of its time index.
    pub span: Option<(Instant, Instant)>,
    /// Its columns: name and type.
    pub columns: Vec<(String, String)>,
    /// What was said of it.
    pub metadata: Option<Value>,
    /// Snapshots that show it.
    pub snapshots: Vec<String>,
    /// It was deleted, and only snapshots show it.
    pub deleted: bool,
}

/// How to write.
#[derive(Clone, Debug, Default)]
pub struct WriteOptions {
    /// What to say of the version.
    pub metadata: Option<Value>,
    /// Removes all older versions but those that a snapshot shows.
    pub prune: bool,
    /// The version that must be the latest one; `Some(None)`: there must be none. Else [`ConcurrentModification`](crate::StoreError::ConcurrentModification).
    pub expected: Option<Option<u64>>,
    /// A line for the audit log.
    pub audit: Option<String>,
}

impl WriteOptions {
    /// Says something of the version.
    #[must_use]
    pub fn metadata(mut self, metadata: Value) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// Removes older versions.
    #[must_use]
    pub fn prune(mut self) -> Self {
        self.prune = true;
        self
    }

    /// Only if this is the latest version; `None`: only if there is none.
    #[must_use]
    pub fn expecting(mut self, version: Option<u64>) -> Self {
        self.expected = Some(version);
        self
    }

    /// Writes a line into the audit log.
    #[must_use]
    pub fn audit(mut self, message: impl Into<String>) -> Self {
        self.audit = Some(message.into());
        self
    }
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The symbol.
    pub symbol: String,
    /// The version that there is now: a new one, or the latest if nothing was to be done.
    pub version: u64,
    /// How many rows it has.
    pub rows: u64,
    /// When it was committed.
    pub at: Instant,
    /// Whether the library is nearly full: what it holds, and its quota, in bytes, from 90 % on.
    pub nearly_full: Option<(u64, u64)>,
}

/// What is known of a snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotInfo {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub at: Instant,
    /// What it shows: symbols and versions.
    pub versions: std::collections::BTreeMap<String, u64>,
    /// What was said of it.
    pub metadata: Option<Value>,
}

/// A line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    /// When.
    pub at: Instant,
    /// To which symbol.
    pub symbol: String,
    /// Which version came of it.
    pub version: Option<u64>,
    /// What was done.
    pub what: String,
    /// Why, in the words of who did it.
    pub message: String,
}
