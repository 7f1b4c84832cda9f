//! What can go wrong in a store. Each variant says what, where, and what to do; none is a panic.

use std::fmt;
use std::sync::Arc;

use stillpoint_engine::{Instant, suggest};

use crate::chunk::ChunkError;
use crate::date::DateError;
use crate::documents::DocumentError;
use crate::files::FileError;
use crate::history::HistoryError;
use crate::query::QueryError;

/// Why an operation of the store did not happen. Unless a variant says otherwise, nothing was changed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// A library of this name does not exist.
    LibraryNotFound {
        /// What was asked for.
        library: String,
        /// What may have been meant.
        help: String,
    },
    /// A library of this name is there already.
    LibraryExists(String),
    /// The library is of another kind.
    WrongKind {
        /// The library.
        library: String,
        /// What it is.
        is: String,
        /// What was asked for.
        wanted: String,
    },
    /// A kind of libraries that nobody registered, or one that is registered already.
    Kind(String),
    /// The symbol does not exist, or has no version that is not deleted.
    SymbolNotFound {
        /// The library.
        library: String,
        /// What was asked for.
        symbol: String,
        /// What may have been meant.
        help: String,
    },
    /// A symbol of this name is there already.
    SymbolExists(String),
    /// The symbol has no such version.
    VersionNotFound {
        /// The symbol.
        symbol: String,
        /// What was asked for.
        wanted: String,
        /// What there is.
        has: String,
    },
    /// A snapshot of this name does not exist.
    SnapshotNotFound {
        /// The library.
        library: String,
        /// What was asked for.
        snapshot: String,
        /// What may have been meant.
        help: String,
    },
    /// A snapshot of this name is there already.
    SnapshotExists(String),
    /// The symbol has changed since the version that the writer expected.
    ConcurrentModification {
        /// The symbol.
        symbol: String,
        /// The version that the writer had seen; `None`: no symbol.
        expected: Option<u64>,
        /// The version that there is.
        found: Option<u64>,
    },
    /// Rows that begin before the last row of the symbol.
    OverlappingData {
        /// The symbol.
        symbol: String,
        /// The symbol's last instant.
        last: Instant,
        /// The first instant of what was to be added.
        first: Instant,
    },
    /// A row that is earlier than the row before it.
    UnorderedData {
        /// The symbol.
        symbol: String,
        /// Which row, counted from 0.
        row: u64,
        /// Its instant.
        at: Instant,
        /// The instant of the row before.
        before: Instant,
    },
    /// Columns that do not fit those of the symbol.
    Schema {
        /// The symbol.
        symbol: String,
        /// What does not fit.
        what: String,
    },
    /// More than the library may hold.
    QuotaExceeded {
        /// The library.
        library: String,
        /// The limit in bytes.
        quota: u64,
        /// What it would hold in bytes.
        wanted: u64,
    },
    /// An argument that makes no sense.
    Invalid {
        /// The argument.
        what: String,
        /// Why, and what would be right.
        why: String,
    },
    /// Bytes that are not what was written: a disk, a copy or a power failure changed them.
    Damaged {
        /// The file, or object.
        file: String,
        /// What is wrong with it.
        what: String,
    },
    /// A file of a newer program.
    Newer {
        /// The file, or object.
        file: String,
        /// Its format.
        format: u32,
        /// The latest format that this program knows.
        known: u32,
    },
    /// The file system or bucket failed.
    Io {
        /// What was being done, and to which object.
        what: String,
        /// What the system says.
        why: String,
    },
    /// The file system or bucket failed while a commit was made, and whether it is there could not be found out. It may have happened.
    Uncertain {
        /// The commit's file, or object.
        file: String,
        /// What the system says.
        why: String,
    },
    /// Of documents.
    Document(Box<DocumentError>),
    /// Of metadata with history.
    History(Box<HistoryError>),
    /// Of chunks.
    Chunk(Box<ChunkError>),
    /// Of a query.
    Query(Box<QueryError>),
    /// Of a file of another program.
    File(Box<FileError>),
    /// Of a date or a range of dates.
    Date(Box<DateError>),
    /// Of another part of the store: see its source.
    Other(Arc<dyn std::error::Error + Send + Sync>),
}

/// Help for a name that is not among `known`.
pub(crate) fn help<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    suggest::help(found, known).unwrap_or_else(|| "there is none".to_owned())
}

impl StoreError {
    pub(crate) fn invalid(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Invalid { what: what.into(), why: why.into() }
    }

    pub(crate) fn damaged(file: impl Into<String>, what: impl fmt::Display) -> Self {
        Self::Damaged { file: file.into(), what: what.to_string() }
    }

    pub(crate) fn other(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Other(Arc::new(error))
    }
}

struct OrNone(Option<u64>);

impl fmt::Display for OrNone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(version) => write!(f, "version {version}"),
            None => f.write_str("no version"),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LibraryNotFound { library, help } => write!(f, "there is no library `{library}`: {help}"),
            Self::LibraryExists(library) => write!(f, "there is a library `{library}` already: open it, or delete it first"),
            Self::WrongKind { library, is, wanted } => write!(f, "library `{library}` is of kind `{is}`, not `{wanted}`"),
            Self::Kind(why) => f.write_str(why),
            Self::SymbolNotFound { library, symbol, help } => write!(f, "library `{library}` has no symbol `{symbol}`: {help}"),
            Self::SymbolExists(symbol) => write!(f, "there is a symbol `{symbol}` already"),
            Self::VersionNotFound { symbol, wanted, has } => write!(f, "`{symbol}` has no {wanted}; it has {has}"),
            Self::SnapshotNotFound { library, snapshot, help } => write!(f, "library `{library}` has no snapshot `{snapshot}`: {help}"),
            Self::SnapshotExists(name) => write!(f, "there is a snapshot `{name}` already: choose another name, or delete it first"),
            Self::ConcurrentModification { symbol, expected, found } => write!(
                f,
                "`{symbol}` was changed meanwhile: {} was expected, {} is there; read it again and repeat",
                OrNone(*expected),
                OrNone(*found)
            ),
            Self::OverlappingData { symbol, last, first } => write!(
                f,
                "rows for `{symbol}` begin at {first}, before its last row at {last}: append later rows only, or update the range"
            ),
            Self::UnorderedData { symbol, row, at, before } => {
                write!(f, "row {row} for `{symbol}` is at {at}, before the row above it at {before}: sort the rows by time")
            }
            Self::Schema { symbol, what } => write!(f, "columns for `{symbol}`: {what}"),
            Self::QuotaExceeded { library, quota, wanted } => {
                write!(f, "library `{library}` may hold {quota} bytes and would hold {wanted}: raise its quota, or prune versions")
            }
            Self::Invalid { what, why } => write!(f, "{what}: {why}"),
            Self::Damaged { file, what } => write!(f, "{file} is damaged: {what}; restore it from a copy, or look at it with fsck"),
            Self::Newer { file, format, known } => {
                write!(f, "{file} has format {format}, and this program knows formats up to {known}: use a newer program")
            }
            Self::Io { what, why } => write!(f, "{what}: {why}"),
            Self::Uncertain { file, why } => write!(f, "whether {file} was written is not known: {why}; look before you repeat it"),
            Self::Document(error) => write!(f, "{error}"),
            Self::History(error) => write!(f, "{error}"),
            Self::Chunk(error) => write!(f, "{error}"),
            Self::Query(error) => write!(f, "{error}"),
            Self::File(error) => write!(f, "{error}"),
            Self::Date(error) => write!(f, "{error}"),
            Self::Other(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for StoreError {}

macro_rules! from {
    ($($error:ident: $variant:ident),*) => { $(
        impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                Self::$variant(Box::new(error))
            }
        }
    )* };
}

from!(DocumentError: Document, HistoryError: History, ChunkError: Chunk, QueryError: Query, FileError: File, DateError: Date);
