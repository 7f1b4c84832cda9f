//! The trace of a run: every delivery as a record, the file it is kept in, and the first difference of two traces.
//!
//! A run is observed by an [`Observer`]: a [`Writer`] keeps the records in a file, [`Collect`] in memory, and [`Both`]
//! tells two observers. [`diff`] compares two files by
//! binary search over cumulative digests, down to the first record that differs and the deliveries that led to it. Names have numbers of
//! their own in each file, so that two runs compare equal whatever order their actors were registered in.

mod blocks;
mod both;
mod code;
mod collect;
mod diff;
mod frame;
mod reader;
mod record;
mod step_order;
mod table;
#[cfg(test)]
mod tests;
mod writer;

pub use blocks::Record;
pub use both::Both;
pub use collect::Collect;
pub use diff::{Comparison, Difference, Found, Origin, Side, diff};
pub use reader::{Cut, FileError, Reader};
pub use record::{Observer, TraceHash, TraceHashError, TraceRecord, Wording, in_full};
pub(crate) use step_order::StepOrder;
pub(crate) use table::Kinds;
pub use writer::{Text, Writer};
