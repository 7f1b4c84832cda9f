//! Files of other programs: CSV, Parquet and Arrow IPC, in and out. Invariant: rows pass through batch by batch, so a file's size takes no memory.
//!
//! ```
//! use stillpoint_store::files::{FileOptions, FileReader, FileWriter};
//! use stillpoint_store::Table;
//!
//! let folder = tempfile::tempdir()?;
//! let csv = folder.path().join("prices.csv");
//! std::fs::write(&csv, "ts,price\n1577836800000,1.5\n1577836800001,-0.0\n")?;
//! let options = FileOptions { time: Some("ts".to_owned()), unit: Some(stillpoint_store::date::Unit::Millis), ..FileOptions::default() };
//! let reader = FileReader::open(&csv, &options)?;
//! let table = Table::new(reader.schema().clone(), reader.collect::<Result<_, _>>()?)?;
//! assert_eq!(table.times()?[1].to_string(), "2020-01-01T00:00:00.001Z");
//!
//! let mut writer = FileWriter::create(&folder.path().join("prices.parquet"), None, table.schema())?;
//! table.batches().iter().try_for_each(|batch| writer.write(batch))?;
//! writer.finish()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod csv;
mod error;
mod format;
mod parquet;
mod read;
mod text;
mod time;
mod write;

// What rows come in, so that whoever passes them on needs no other crate.
pub use arrow_array::RecordBatch;
pub use arrow_schema::SchemaRef;
pub use csv::{ColumnType, TYPES};
pub use error::FileError;
pub use format::FileFormat;
pub use read::{FileOptions, FileReader};
pub use text::{Cell, cells};
pub use write::{FileWriter, write_csv};

/// Rows of a batch that is read.
const BATCH_ROWS: usize = 65_536;
