//! Versioned, crash-safe time series for research data and results.

mod cache;
pub mod chunk;
mod clock;
pub mod date;
pub mod documents;
mod error;
pub mod files;
mod fsck;
pub mod history;
mod library;
mod log;
mod object;
pub mod operations;
pub mod query;
mod record;
mod repair;
pub mod replay;
pub mod request;
mod segment;
pub mod shard;
mod store;
mod table;

pub use cache::{CACHE_BYTES, Cache, CacheStats};
pub use clock::{Clock, SetClock, SystemClock};
pub use date::DateRange;
pub use error::StoreError;
pub use fsck::{Finding, FsckReport};
pub use library::{
    AsOf, AuditLine, ChunkInfo, ChunkLibrary, ChunkedInfo, Chunks, Compacted, DocumentLibrary, MetadataLibrary, ReadOptions, Reading,
    SYMBOL, Scan, SnapshotInfo, Staged, Swept, Symbols, TickLibrary, TickPartitions, Transaction, Usage, VersionInfo, VersionLibrary,
    WriteOptions, Written,
};
pub use object::{Bucket, ObjectInfo, ObjectReader, Objects};
pub use record::{Record, Recorder, Recording, Sink};
pub use repair::repair;
pub use store::{Kind, LibraryInfo, OwnLibrary, QUOTA_BYTES, Store, StoreOptions};
pub use table::{IntoColumn, TIME, Table, TableBuilder, time_type};
