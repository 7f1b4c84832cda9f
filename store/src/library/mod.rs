//! Libraries: of rows (versions, ticks, chunks), of documents, of metadata. Invariant: each public operation is one commit, or none.

mod chunked;
mod compact;
mod core;
mod document;
mod gather;
mod info;
mod kept;
mod metadata;
mod op;
mod partitions;
mod plan;
mod query;
mod select;
mod splice;
mod staged;
mod state;
mod tick;
mod usage;
mod version;

pub use chunked::{ChunkInfo, ChunkLibrary, ChunkedInfo, Chunks};
pub use compact::{Compacted, Swept};
pub(crate) use core::{Core, Shared};
pub use document::DocumentLibrary;
pub use gather::SYMBOL;
pub use info::{AsOf, AuditLine, ReadOptions, Reading, SnapshotInfo, VersionInfo, WriteOptions, Written};
pub(crate) use kept::{Kept, Measured};
pub use metadata::MetadataLibrary;
pub use partitions::TickPartitions;
pub(crate) use plan::check_name;
pub use select::Scan;
pub use staged::Staged;
pub use tick::TickLibrary;
pub use usage::Usage;
pub use version::{Symbols, Transaction, VersionLibrary};
