//! What can be wrong when tables are cut into chunks. Invariant: whoever gets one of these has got no chunk.

use std::fmt;

use stillpoint_engine::Instant;

use super::Span;

/// Why a table could not be cut.
#[derive(Clone, Debug, PartialEq)]
pub enum ChunkError {
    /// There is no chunker of this name.
    UnknownChunker {
        /// The name.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The name is taken.
    ChunkerExists {
        /// The name.
        name: String,
    },
    /// A chunker gave a span that breaks its promise.
    BrokenPromise {
        /// The chunker.
        chunker: String,
        /// The instant it was asked for.
        at: Instant,
        /// What it gave.
        span: Span,
    },
    /// The table has no column `time`.
    NoTime {
        /// The columns it has.
        columns: Vec<String>,
    },
    /// The column `time` is of another type.
    TimeType {
        /// Its type.
        found: String,
    },
    /// The column `time` has a null.
    TimeIsNull {
        /// The row, counted from 0 through all batches.
        row: usize,
    },
    /// The rows are not sorted by time.
    Unordered {
        /// The first row that is before the one before it, counted from 0 through all batches.
        row: usize,
        /// Its time.
        time: Instant,
    },
}

impl fmt::Display for ChunkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownChunker { name, known } => {
                write!(f, "there is no chunker `{name}`; register it before the library is opened, or use one of: {}", known.join(", "))
            }
            Self::ChunkerExists { name } => write!(f, "there is a chunker `{name}` already; register yours under another name"),
            Self::BrokenPromise { chunker, at, span } => write!(
                f,
                "chunker `{chunker}` puts {at} into the chunk from {} to {}, which does not contain it or overlaps another; mend its `span`",
                span.first, span.last
            ),
            Self::NoTime { columns } => {
                write!(f, "the table has no column `time`, by which it is cut, but: {}; rename one", columns.join(", "))
            }
            Self::TimeType { found } => {
                write!(f, "the column `time` is {found}, and should be a timestamp in nanoseconds with time zone \"UTC\"; cast it")
            }
            Self::TimeIsNull { row } => write!(f, "row {row} has no time; leave the row out, or give it one"),
            Self::Unordered { row, time } => write!(f, "row {row} at {time} is before the row before it; sort the table by `time`"),
        }
    }
}

impl std::error::Error for ChunkError {}
