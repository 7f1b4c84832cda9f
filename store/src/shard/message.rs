//! What a storage shard is asked, and what it answers. Invariant: the instant of a question is that at which it was asked, whatever the asker says.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use stillpoint_engine::{Instant, Message, Request};

use super::content;
use crate::date::DateRange;
use crate::error::StoreError;
use crate::query::Query;
use crate::table::Table;

/// Rows in a message. They enter the trace with all their values.
#[derive(Clone)]
pub struct Rows {
    table: Arc<Table>,
    digest: u64,
}

impl Rows {
    /// The rows.
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }
}

impl From<Table> for Rows {
    fn from(table: Table) -> Self {
        let digest = content::digest(&table);
        Self { table: Arc::new(table), digest }
    }
}

impl Hash for Rows {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows of digest {:016x}", self.table.rows(), self.digest)
    }
}

/// Something that a storage shard can be asked about one symbol.
pub trait Question: Clone + Hash + fmt::Debug + Send + Sync + 'static {
    /// The name under which the trace knows it.
    const KIND: &'static str;
    /// What is answered.
    type Reply: Message;

    /// The symbol.
    fn symbol(&self) -> &str;
}

/// A question with the instant at which it was asked; [`Shards::ask`](super::Shards::ask) makes it, and nothing else can.
#[derive(Clone, Debug, Hash)]
pub struct Asked<Q> {
    pub(super) at: Instant,
    pub(super) question: Q,
}

impl<Q: Question> Message for Asked<Q> {
    const KIND: &'static str = Q::KIND;
}

impl<Q: Question> Request for Asked<Q> {
    type Reply = Q::Reply;
}

macro_rules! questions {
    ($($question:ident: $kind:literal => $reply:ident),*) => { $(
        impl Question for $question {
            const KIND: &'static str = $kind;
            type Reply = $reply;

            fn symbol(&self) -> &str {
                &self.symbol
            }
        }
    )* };
}

questions!(
    ReadRows: "read-rows" => RowsAnswer, RunQuery: "run-query" => RowsAnswer,
    WriteRows: "write-rows" => WrittenAnswer, AppendRows: "append-rows" => WrittenAnswer
);

/// Asks for the rows of a symbol that are known.
#[derive(Clone, Debug, Hash)]
pub struct ReadRows {
    /// Which symbol.
    pub symbol: String,
    /// Which version; `None`: the latest.
    pub version: Option<u64>,
    /// Which instants.
    pub range: DateRange,
    /// Which columns; the time index always comes first, if there is one. `None`: all.
    pub columns: Option<Vec<String>>,
}

impl ReadRows {
    /// All of the latest version.
    pub fn new(symbol: impl Into<String>) -> Self {
        Self { symbol: symbol.into(), version: None, range: DateRange::ALL, columns: None }
    }
}

/// Asks for what a query gives of the rows of a symbol that are known.
#[derive(Clone, Debug, Hash)]
pub struct RunQuery {
    /// Which symbol.
    pub symbol: String,
    /// Which version; `None`: the latest.
    pub version: Option<u64>,
    /// The query.
    pub query: Query,
}

impl RunQuery {
    /// Of the latest version.
    pub fn new(symbol: impl Into<String>, query: Query) -> Self {
        Self { symbol: symbol.into(), version: None, query }
    }
}

/// Asks for a new version of a symbol of the run's own.
#[derive(Clone, Debug, Hash)]
pub struct WriteRows {
    /// Which symbol.
    pub symbol: String,
    /// The rows.
    pub rows: Rows,
}

/// Asks for rows to be added to a symbol of the run's own; it is made if it does not exist.
#[derive(Clone, Debug, Hash)]
pub struct AppendRows {
    /// Which symbol.
    pub symbol: String,
    /// The rows.
    pub rows: Rows,
}

/// What was read.
#[derive(Clone, Debug, Hash)]
pub struct RowsRead {
    /// Of which version.
    pub version: u64,
    /// The rows.
    pub rows: Rows,
}

/// The answer to [`ReadRows`] and [`RunQuery`].
#[derive(Clone, Debug)]
pub struct RowsAnswer(pub Result<RowsRead, StoreError>);

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RowsWritten {
    /// The version that there is now.
    pub version: u64,
    /// How many rows it has.
    pub rows: u64,
    /// The virtual instant of its commit.
    pub at: Instant,
}

/// The answer to [`WriteRows`] and [`AppendRows`].
#[derive(Clone, Debug)]
pub struct WrittenAnswer(pub Result<RowsWritten, StoreError>);

macro_rules! answers {
    ($($answer:ident: $kind:literal),*) => { $(
        /// Errors count as they are printed.
        impl Hash for $answer {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.as_ref().map_err(ToString::to_string).hash(state);
            }
        }

        impl Message for $answer {
            const KIND: &'static str = $kind;
        }
    )* };
}

answers!(RowsAnswer: "rows", WrittenAnswer: "written");
