//! Libraries of rows: versions, ticks, chunks. Invariant: each public operation is one commit, or none.

mod compact;
mod core;
mod info;
mod op;
mod plan;
mod query;
mod select;
mod splice;
mod staged;
mod state;
mod tick;
mod usage;
mod version;

pub use compact::{Compacted, Swept};
pub(crate) use core::{Core, Shared};
pub use info::{AsOf, AuditLine, ReadOptions, Reading, SnapshotInfo, VersionInfo, WriteOptions, Written};
pub(crate) use plan::check_name;
pub use select::Scan;
pub use staged::Staged;
pub use tick::{SYMBOL, TickLibrary};
pub use usage::Usage;
pub use version::{Symbols, Transaction, VersionLibrary};
