//! Why a query cannot be answered. Invariant: a query that could be planned fails later only for its input's order, sums or time's ends.

use std::fmt;

use stillpoint_engine::{Duration, Instant};

/// A query that cannot be answered. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryError {
    /// There is no column of that name at that step.
    UnknownColumn {
        /// The name.
        name: String,
        /// The step that asks for it.
        step: String,
        /// What may have been meant.
        help: String,
    },
    /// Two columns of one name would come out of a step.
    DuplicateColumn {
        /// The name.
        name: String,
        /// The step.
        step: String,
    },
    /// An operator cannot take what it is given.
    Type {
        /// The expression or aggregate.
        expression: String,
        /// What it takes.
        expected: &'static str,
        /// What it was given.
        found: String,
    },
    /// A regular expression that is none.
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// Bars, or a tolerance, of no or negative length.
    Length {
        /// What has the length.
        what: &'static str,
        /// The length.
        length: Duration,
    },
    /// A batch does not have the columns that the query was planned for.
    Batch {
        /// The column.
        column: String,
        /// What is wrong with it.
        why: String,
    },
    /// Rows that must be sorted by time are not.
    Unordered {
        /// The step.
        step: &'static str,
        /// The greatest time so far.
        before: Instant,
        /// The one that came after it.
        after: Instant,
    },
    /// A row has no time where a step needs it.
    NullTime {
        /// The step.
        step: &'static str,
    },
    /// A sum of integers that 64 bits cannot hold.
    SumTooLarge {
        /// The aggregate.
        aggregate: String,
        /// The sum.
        sum: i128,
    },
    /// A bar begins before the earliest or ends after the latest instant.
    BarBeyondTime {
        /// A row in it.
        at: Instant,
    },
    /// Arrow refused what should have been checked before. This is a fault of the store: please report it.
    Arrow(String),
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownColumn { name, step, help } => write!(f, "{step}: there is no column `{name}`; {help}"),
            Self::DuplicateColumn { name, step } => {
                write!(f, "{step}: two columns would be called `{name}`; give one of them another name")
            }
            Self::Type { expression, expected, found } => write!(f, "`{expression}` takes {expected}, not {found}"),
            Self::Pattern { pattern, why } => write!(f, "`{pattern}` is no regular expression: {why}"),
            Self::Length { what, length } => write!(f, "{what} of {length}; it must be longer than nothing"),
            Self::Batch { column, why } => {
                write!(f, "a batch does not fit the query's plan: column `{column}` {why}; plan again with the batch's schema")
            }
            Self::Unordered { step, before, after } => {
                write!(f, "{step} needs rows sorted by time, but {after} comes after {before}; sort them, or read one sorted symbol")
            }
            Self::NullTime { step } => {
                write!(f, "{step} needs a time in every row, but one has none; filter with `not is_null(time)` before")
            }
            Self::SumTooLarge { aggregate, sum } => {
                write!(f, "{aggregate} is {sum}, more than 64 bits hold; sum `column * 1.0` instead, which is a float")
            }
            Self::BarBeyondTime { at } => {
                write!(f, "the bar of {at} goes beyond the ends of time, 1677-09-21 and 2262-04-11; take shorter bars or another origin")
            }
            Self::Arrow(why) => write!(f, "the query's own checks missed this, please report it: {why}"),
        }
    }
}

impl std::error::Error for QueryError {}

impl From<arrow_schema::ArrowError> for QueryError {
    fn from(error: arrow_schema::ArrowError) -> Self {
        Self::Arrow(error.to_string())
    }
}
