//! Versioned, crash-safe time series for research data and results.

mod cache;
mod clock;
pub mod date;
mod error;
mod library;
mod log;
mod object;
mod segment;
mod store;
mod suggest;
mod table;

pub use cache::{CACHE_BYTES, Cache, CacheStats};
pub use clock::{Clock, SetClock, SystemClock};
pub use date::DateRange;
pub use error::StoreError;
pub use library::{
    AsOf, AuditLine, Compacted, ReadOptions, Reading, SYMBOL, Scan, SnapshotInfo, Swept, Symbols, TickLibrary, Transaction, VersionInfo,
    VersionLibrary, WriteOptions, Written,
};
pub use object::{Bucket, ObjectInfo, Objects};
pub use store::{Kind, LibraryInfo, OwnLibrary, QUOTA_BYTES, Store, StoreOptions};
pub use table::{IntoColumn, TIME, Table, TableBuilder, time_type};
