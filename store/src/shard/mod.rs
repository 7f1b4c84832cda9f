//! Storage as actors: reads, writes and queries are questions that take virtual time. Invariant: no answer has a row that was not known when
//! the question was asked.
//!
//! [`Shards::add`] puts some [`StorageShard`]s into a simulation; each serves the symbols that [`shard_of`] gives it. An actor asks with
//! [`Shards::ask`], which notes the instant, and hears an [`Answer`](stillpoint_engine::Answer) to [`Asked<ReadRows>`](Asked) and the like.
//!
//! What was [`Recorded`] before the run can be read and never changes in it. What a run writes goes to symbols of other names, lives in memory
//! as long as the run does, and has versions stamped with virtual time; a [`Recorder`](crate::Recorder) keeps what should outlive it.
//!
//! # What is known when
//!
//! A row is known from the instant in its column `known_at`, if the data has one, else from its `time`. The rows that are not yet known at the
//! instant of the question are taken out before anything else is done: neither `tail` nor `max` nor a bar can tell of them. A bar that is not
//! finished at that instant is not in an answer either.
//!
//! # How long it takes
//!
//! Requests run as [`VirtualPool`](crate::request::VirtualPool) says: in order for each symbol, readers together, so many at a time as the
//! shard has workers. Each occupies its worker for the [`Latency`], and rows need time to travel on top.

mod actor;
mod cap;
mod content;
mod message;
mod recorded;

pub use actor::{Latency, ShardOptions, Shards, StorageShard, shard_of};
pub use cap::KNOWN_AT;
pub use message::{AppendRows, Asked, Question, ReadRows, Rows, RowsAnswer, RowsRead, RowsWritten, RunQuery, WriteRows, WrittenAnswer};
pub use recorded::Recorded;
