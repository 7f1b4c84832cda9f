//! Recording: an actor that writes what others publish to the store. Invariant: what it has heard is written when it stops, or an error says so.
//!
//! ```
//! use stillpoint_engine::{Actor, Context, Event, Instant, Message, Simulation};
//! use stillpoint_store::{ReadOptions, Record, Recording, Store, StoreError, TableBuilder};
//!
//! #[derive(Debug, Hash)]
//! struct Fill {
//!     lots: i64,
//! }
//! impl Message for Fill {
//!     const KIND: &'static str = "fill";
//! }
//! impl Record for Fill {
//!     type Columns = Vec<i64>;
//!     fn append(&self, _: Event, columns: &mut Vec<i64>) {
//!         columns.push(self.lots);
//!     }
//!     fn columns(columns: Vec<i64>, table: TableBuilder) -> TableBuilder {
//!         table.column("lots", columns)
//!     }
//! }
//!
//! struct Trader;
//! impl Actor for Trader {
//!     fn started(&mut self, ctx: &mut Context<'_, Self>) {
//!         ctx.publish(Fill { lots: 3 });
//!     }
//! }
//!
//! let results = Store::memory()?.create_versions("results")?;
//! let recording = Recording::to(results.clone(), "fills", 1_000);
//! let mut sim = Simulation::new("recorded").start(Instant::EPOCH);
//! let trader = sim.actor("trader", Trader)?;
//! let recorder = sim.actor("recorder", recording.recorder::<Fill>())?;
//! sim.subscribe_to::<Fill, _, _>(recorder, trader);
//! sim.run()?;
//! assert_eq!(recording.finish()?, 1);
//! assert_eq!(results.read("fills", &ReadOptions::default())?.table.times()?, [Instant::EPOCH]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use stillpoint_engine::{Actor, Context, Event, Handler, Instant, Message, Report};

use crate::error::StoreError;
use crate::library::{TickLibrary, VersionLibrary, WriteOptions};
use crate::table::{Table, TableBuilder};

/// A message that can be written as a row.
pub trait Record: Message {
    /// The columns in the making.
    type Columns: Default + Send + 'static;

    /// Appends a row. The time index has the instant at which the recorder got the message; `event` tells its other times.
    fn append(&self, event: Event, columns: &mut Self::Columns);

    /// Puts the columns into a table.
    fn columns(columns: Self::Columns, table: TableBuilder) -> TableBuilder;
}

/// Where rows can be added.
pub trait Sink: Send + Sync + 'static {
    /// Adds rows to a symbol; it is made if it does not exist.
    ///
    /// # Errors
    /// As [`VersionLibrary::upsert`].
    fn add(&self, symbol: &str, table: &Table) -> Result<(), StoreError>;
}

impl Sink for VersionLibrary {
    fn add(&self, symbol: &str, table: &Table) -> Result<(), StoreError> {
        self.upsert(symbol, table, &WriteOptions::default()).map(|_| ())
    }
}

impl Sink for TickLibrary {
    fn add(&self, symbol: &str, table: &Table) -> Result<(), StoreError> {
        self.append(symbol, table).map(|_| ())
    }
}

#[derive(Debug, Default)]
struct Progress {
    rows: u64,
    failed: Option<StoreError>,
}

/// What is recorded to one symbol, as those outside the run know it. Clones are the same recording.
#[derive(Clone)]
pub struct Recording {
    sink: Arc<dyn Sink>,
    symbol: Arc<str>,
    batch: usize,
    progress: Arc<Mutex<Progress>>,
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").field("symbol", &self.symbol).field("progress", &*self.progress.lock()).finish_non_exhaustive()
    }
}

impl Recording {
    /// A recording to a symbol, in batches of about so many rows: a batch is written at the end of the instant that fills it.
    pub fn to(library: impl Sink, symbol: impl Into<Arc<str>>, batch: usize) -> Self {
        Self { sink: Arc::new(library), symbol: symbol.into(), batch, progress: Arc::default() }
    }

    /// The actor that records messages of type `M`; subscribe it to those who publish them. A recording has one recorder in a run.
    pub fn recorder<M: Record>(&self) -> Recorder<M> {
        Recorder {
            recording: self.clone(),
            buffer: Mutex::new(Buffer { times: Vec::new(), columns: M::Columns::default() }),
            is_due: false,
        }
    }

    /// How many rows were written. Call it after the run.
    ///
    /// # Errors
    /// What kept rows from being written; nothing was written after that.
    pub fn finish(&self) -> Result<u64, StoreError> {
        let progress = self.progress.lock();
        progress.failed.clone().map_or(Ok(progress.rows), Err)
    }

    /// Writes rows, unless some could not be written before: then later ones would leave a gap.
    fn write(&self, table: Result<Table, StoreError>) -> Result<(), StoreError> {
        let mut progress = self.progress.lock();
        if let Some(error) = &progress.failed {
            return Err(error.clone());
        }
        let written = table.and_then(|table| self.sink.add(&self.symbol, &table).map(|()| table.rows()));
        match written {
            Ok(rows) => {
                progress.rows += rows;
                Ok(())
            }
            Err(error) => {
                progress.failed = Some(error.clone());
                Err(error)
            }
        }
    }
}

struct Buffer<C> {
    times: Vec<Instant>,
    columns: C,
}

/// The actor of a [`Recording`]. If a batch cannot be written, it panics, which ends the run with an error that says so; what fails after the
/// last delivery, [`Recording::finish`] tells, and the actor's report as `error`.
pub struct Recorder<M: Record> {
    recording: Recording,
    buffer: Mutex<Buffer<M::Columns>>,
    is_due: bool,
}

impl<M: Record> fmt::Debug for Recorder<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("recording", &self.recording).finish_non_exhaustive()
    }
}

/// A batch is full.
#[derive(Debug, Hash)]
struct Full;

impl Message for Full {
    const KIND: &'static str = "full";
}

impl<M: Record> Recorder<M> {
    fn flush(&self) -> Result<(), StoreError> {
        let mut buffer = self.buffer.lock();
        if buffer.times.is_empty() {
            return Ok(());
        }
        let (times, columns) = (std::mem::take(&mut buffer.times), std::mem::take(&mut buffer.columns));
        self.recording.write(M::columns(columns, Table::at(times)).finish())
    }
}

impl<M: Record> Actor for Recorder<M> {
    /// At the end of a run, and of the actor: what is left is written.
    fn report(&self, report: &mut Report) {
        let flushed = self.flush().and_then(|()| self.recording.finish());
        match flushed {
            Ok(rows) => report.integer("rows", i64::try_from(rows).unwrap_or(i64::MAX)),
            Err(error) => report.text("error", error.to_string()),
        }
    }
}

impl<M: Record> Drop for Recorder<M> {
    fn drop(&mut self) {
        // A failure is kept in the recording.
        let _ = self.flush();
    }
}

impl<M: Record> Handler<M> for Recorder<M> {
    fn handle(&mut self, message: &M, ctx: &mut Context<'_, Self>) {
        let buffer = self.buffer.get_mut();
        buffer.times.push(ctx.now());
        message.append(ctx.event(), &mut buffer.columns);
        if buffer.times.len() >= self.recording.batch && !self.is_due {
            self.is_due = true;
            ctx.notify_soon(Full);
        }
    }
}

impl<M: Record> Handler<Full> for Recorder<M> {
    fn handle(&mut self, _: &Full, _: &mut Context<'_, Self>) {
        self.is_due = false;
        if let Err(error) = self.flush() {
            let (symbol, rows) = (&self.recording.symbol, self.recording.progress.lock().rows);
            panic!("recording to `{symbol}` failed after {rows} rows: {error}");
        }
    }
}
