//! What can be wrong with an operation on metadata. Invariant: whoever gets one of these has changed nothing.

use std::fmt;

use stillpoint_engine::Instant;

use crate::documents::{DocumentError, MAX_DEPTH};

/// Why an operation on metadata was refused. Nothing was changed.
#[derive(Clone, Debug, PartialEq)]
pub enum HistoryError {
    /// Not the name of a symbol.
    Symbol {
        /// The name.
        symbol: String,
    },
    /// Metadata is appended at or before the start of the last.
    NotAfterLast {
        /// The symbol.
        symbol: String,
        /// Where it should start.
        start: Instant,
        /// Where the last one starts.
        last: Instant,
    },
    /// Metadata is prepended at or after the start of the first.
    NotBeforeFirst {
        /// The symbol.
        symbol: String,
        /// Where it should start.
        start: Instant,
        /// Where the first one starts.
        first: Instant,
    },
    /// A history whose starts do not rise.
    Unordered {
        /// The symbol.
        symbol: String,
        /// The first start that is not after the one before it.
        start: Instant,
    },
    /// There is no metadata of the symbol.
    NoMetadata {
        /// The symbol.
        symbol: String,
    },
    /// Metadata that is nested too deep.
    TooDeep {
        /// The symbol.
        symbol: String,
    },
    /// A filter that is none.
    Filter(DocumentError),
}

impl fmt::Display for HistoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Symbol { symbol } => write!(f, "`{symbol}` cannot name a symbol; use 1 to 255 bytes of visible text"),
            Self::NotAfterLast { symbol, start, last } => write!(
                f,
                "metadata of `{symbol}` from {start} would not follow the last, which starts at {last}; start later, pop the last, or write the whole history"
            ),
            Self::NotBeforeFirst { symbol, start, first } => write!(
                f,
                "metadata of `{symbol}` from {start} would not precede the first, which starts at {first}; start earlier, or write the whole history"
            ),
            Self::Unordered { symbol, start } => {
                write!(
                    f,
                    "the history of `{symbol}` is out of order: {start} is not after the start before it; sort it, with each start once"
                )
            }
            Self::NoMetadata { symbol } => {
                write!(f, "there is no metadata of `{symbol}`; append some first, or look at the symbols there are")
            }
            Self::TooDeep { symbol } => write!(f, "the metadata of `{symbol}` is nested deeper than {MAX_DEPTH} levels; make it flatter"),
            Self::Filter(error) => write!(f, "the metadata filter: {error}"),
        }
    }
}

impl std::error::Error for HistoryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Filter(error) = self { Some(error) } else { None }
    }
}

impl From<DocumentError> for HistoryError {
    fn from(error: DocumentError) -> Self {
        Self::Filter(error)
    }
}
