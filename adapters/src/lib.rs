//! Market data from files for Stillpoint: recordings in JSON lines, CSV, plain or packed by gzip or zstd,
//! Parquet and DBN with their features, and a look at what a file holds.
//!
//! Every reader is a [`Source`](stillpoint_engine::Source): it goes through its file once, keeps the file's order, and needs memory for a
//! buffer and a line, however long the file. A reader that cannot go on says why in a [`DataError`]: file, line, cause, and what to do.
//!
//! ```no_run
//! use stillpoint_actors::Quote;
//! use stillpoint_adapters::{BinanceReader, BinanceSettings};
//! use stillpoint_engine::{Simulation, Stream};
//!
//! let settings = BinanceSettings::new("recording.json.gz");
//! let mut sim = Simulation::new("replay");
//! let quotes = sim.stream("quotes", Stream::open(move || Ok(BinanceReader::<Quote>::open(&settings)?)))?;
//! # let _ = quotes;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod binance;
mod csv_rows;
#[cfg(feature = "dbn")]
mod databento;
mod error;
mod feed;
mod files;
mod floored;
mod input;
mod inspect;
mod kinds;
#[cfg(feature = "parquet")]
mod parquet_rows;
mod row;
mod series;
mod time_format;

pub use binance::{BinanceReader, BinanceSettings, Recorded, TimeOf};
pub use csv_rows::{CsvReader, CsvSettings};
#[cfg(feature = "dbn")]
pub use databento::{DbnReader, DbnSettings, FromDbn};
pub use error::DataError;
pub use feed::{BookCheck, BookDifference, ClockOffset, Fed, FeedReader, FeedSettings, check_books, clock_offset};
pub use floored::Floored;
pub use inspect::{Inspection, Scan, inspect};
pub use kinds::register;
#[cfg(feature = "parquet")]
pub use parquet_rows::{ParquetReader, ParquetSettings};
pub use row::{Field, FieldError, FromRow, Row};
pub use series::FileSeries;
pub use time_format::{Pattern, TimeFormat, TimeFormatError};
