//! Market data from files for Stillpoint: recordings in JSON lines, CSV, plain or packed by gzip or zstd, and a look at what a file holds.
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
mod error;
mod feed;
mod floored;
mod input;
mod inspect;
mod kinds;
mod time_format;

pub use binance::{BinanceReader, BinanceSettings, Recorded, TimeOf};
pub use csv_rows::{CsvReader, CsvRow, CsvSettings, Field, FieldError, Row};
pub use error::DataError;
pub use feed::{BookCheck, BookDifference, ClockOffset, Fed, FeedReader, FeedSettings, check_books, clock_offset};
pub use floored::Floored;
pub use inspect::{Inspection, Scan, inspect};
pub use kinds::register;
pub use time_format::{Pattern, TimeFormat, TimeFormatError};
