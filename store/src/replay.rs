//! Streams straight from the store. Invariant: the items depend on the rows alone, not on how they are stored, cached or cut into batches.
//!
//! ```
//! use std::ops::Range;
//!
//! use stillpoint_engine::{Actor, Context, Handler, Instant, Message, Simulation, Timed, canonical_bits};
//! use stillpoint_store::replay::{FromRows, RowsOf, stream};
//! use stillpoint_store::{ReadOptions, Store, StoreError, Table, WriteOptions};
//!
//! #[derive(Clone, Debug)]
//! struct Bid(f64);
//! impl std::hash::Hash for Bid {
//!     fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
//!         canonical_bits(self.0).hash(state);
//!     }
//! }
//! impl Message for Bid {
//!     const KIND: &'static str = "bid";
//! }
//! impl FromRows for Bid {
//!     const COLUMNS: &'static [&'static str] = &["bid"];
//!     fn from_rows(of: &RowsOf<'_>, rows: Range<usize>, into: &mut Vec<Timed<Self>>) -> Result<(), StoreError> {
//!         let (times, bids) = (of.times()?, of.floats("bid")?);
//!         into.extend(rows.map(|row| Timed { at: Instant::from_nanos(times[row]), value: Bid(bids[row]) }));
//!         Ok(())
//!     }
//! }
//!
//! struct Count(u32);
//! impl Actor for Count {}
//! impl Handler<Bid> for Count {
//!     fn handle(&mut self, _: &Bid, _: &mut Context<'_, Self>) {
//!         self.0 += 1;
//!     }
//! }
//!
//! let prices = Store::memory()?.create_versions("prices")?;
//! let rows = Table::at([Instant::EPOCH, Instant::from_nanos(7)]).column("bid", [1.1, 1.2]).finish()?;
//! prices.write("EURUSD", &rows, &WriteOptions::default())?;
//! let mut sim = Simulation::new("replay");
//! let bids = sim.stream("bids", stream::<Bid, _>(&prices, &["EURUSD"], &ReadOptions::default())?)?;
//! let count = sim.actor("count", Count(0))?;
//! sim.subscribe::<Bid, _>(count, bids);
//! assert_eq!(sim.run()?.events, 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, RecordBatch, StringArray};
use arrow_schema::DataType;
use stillpoint_engine::{Instant, Message, Source, SourceError, Stream, Timed};

use crate::error::StoreError;
use crate::library::{AsOf, ReadOptions, Scan, TickLibrary, VersionLibrary};
use crate::table::{TIME, names, time_of};

/// How many rows of a symbol are turned into items at a time when several are merged.
const LANE: usize = 1_024;

/// A library whose rows can be replayed.
pub trait Scans: Clone + Send + 'static {
    /// Reads a symbol batch by batch.
    ///
    /// # Errors
    /// As [`VersionLibrary::read`].
    fn scan(&self, symbol: &str, options: &ReadOptions) -> Result<Scan, StoreError>;
}

impl Scans for VersionLibrary {
    fn scan(&self, symbol: &str, options: &ReadOptions) -> Result<Scan, StoreError> {
        self.scan(symbol, options)
    }
}

impl Scans for TickLibrary {
    fn scan(&self, symbol: &str, options: &ReadOptions) -> Result<Scan, StoreError> {
        self.scan(symbol, options)
    }
}

/// Columns of some rows of one symbol.
#[derive(Clone, Copy, Debug)]
pub struct RowsOf<'a> {
    symbol: &'a Arc<str>,
    batch: &'a RecordBatch,
}

impl<'a> RowsOf<'a> {
    /// The symbol.
    pub fn symbol(&self) -> &'a Arc<str> {
        self.symbol
    }

    /// The time index, in nanoseconds since the epoch.
    ///
    /// # Errors
    /// [`StoreError::Schema`] without one.
    pub fn times(&self) -> Result<&'a [i64], StoreError> {
        time_of(self.batch).ok_or_else(|| self.wrong(format!("there is no time index `{TIME}`, so nothing can be replayed")))
    }

    /// A column of numbers. Rows that are null have any value: ask for the [`RowsOf::column`] if there are some.
    ///
    /// # Errors
    /// [`StoreError::Schema`] if there is no such column, or it is of another type.
    pub fn values<T: ArrowPrimitiveType>(&self, column: &str) -> Result<&'a [T::Native], StoreError> {
        let array = self.column(column)?.as_primitive_opt::<T>();
        Ok(array.ok_or_else(|| self.wrong_type(column, &T::DATA_TYPE))?.values())
    }

    /// A column of 64-bit integers, as [`RowsOf::values`] gives it.
    ///
    /// # Errors
    /// As [`RowsOf::values`].
    pub fn integers(&self, column: &str) -> Result<&'a [i64], StoreError> {
        self.values::<Int64Type>(column)
    }

    /// A column of 64-bit floats, as [`RowsOf::values`] gives it.
    ///
    /// # Errors
    /// As [`RowsOf::values`].
    pub fn floats(&self, column: &str) -> Result<&'a [f64], StoreError> {
        self.values::<Float64Type>(column)
    }

    /// A column of text.
    ///
    /// # Errors
    /// As [`RowsOf::values`].
    pub fn texts(&self, column: &str) -> Result<&'a StringArray, StoreError> {
        self.column(column)?.as_string_opt::<i32>().ok_or_else(|| self.wrong_type(column, &DataType::Utf8))
    }

    /// A column of any type.
    ///
    /// # Errors
    /// [`StoreError::Schema`] if there is none.
    pub fn column(&self, column: &str) -> Result<&'a ArrayRef, StoreError> {
        let missing = || self.wrong(format!("there is no column `{column}`; there are {}", names(&self.batch.schema())));
        self.batch.column_by_name(column).ok_or_else(missing)
    }

    fn wrong_type(&self, column: &str, wanted: &DataType) -> StoreError {
        let is = self.batch.column_by_name(column).map_or(DataType::Null, |array| array.data_type().clone());
        self.wrong(format!("column `{column}` is of type {is}, not {wanted}"))
    }

    fn wrong(&self, what: String) -> StoreError {
        StoreError::Schema { symbol: self.symbol.to_string(), what }
    }
}

/// An event that rows can be turned into.
///
/// By implementing this you promise that an item depends on its own row and the symbol alone: where batches begin is nobody's business. A row
/// may give no item. The instant of an item is yours to say: where the data has one at which a row became known
/// ([`KNOWN_AT`](crate::shard::KNOWN_AT)), it is that one, or the run knows too much too early.
pub trait FromRows: Sized + 'static {
    /// The columns that are needed beside the time index.
    const COLUMNS: &'static [&'static str];

    /// Appends the items of these rows, in their order. It is called once for many rows: get the columns first, then loop over them.
    ///
    /// # Errors
    /// [`StoreError::Schema`] if a column is not what is needed, or a value makes no sense.
    fn from_rows(of: &RowsOf<'_>, rows: Range<usize>, into: &mut Vec<Timed<Self>>) -> Result<(), StoreError>;
}

/// A stream of the rows of some symbols, merged by time if they are several; items of one instant are in the order of `symbols`.
///
/// The versions that are read are fixed now, so that every opening of the stream gives the same items. One that is deleted meanwhile is found
/// only if `options` name a snapshot that shows it. `options.columns` and `options.rows` are not used: the former are those of the item's type.
/// For streams that are not merged, call this for each symbol.
///
/// # Errors
/// [`StoreError::Invalid`] without symbols; those of [`VersionLibrary::read`].
pub fn stream<M: FromRows + Message, L: Scans>(library: &L, symbols: &[&str], options: &ReadOptions) -> Result<Stream<M>, StoreError> {
    if symbols.is_empty() {
        return Err(StoreError::invalid("the symbols to replay", "there are none: name at least one"));
    }
    let fix = |symbol: &&str| {
        let number = library.scan(symbol, options)?.version().number;
        // A snapshot shows its versions also when they are deleted.
        let as_of = if let AsOf::Snapshot(_) = options.as_of { options.as_of.clone() } else { AsOf::Version(number) };
        Ok((symbol.to_string(), number, ReadOptions { as_of, ..options.clone() }))
    };
    let fixed = symbols.iter().map(fix).collect::<Result<Vec<_>, StoreError>>()?;
    let library = library.clone();
    let open = move || {
        let replays = fixed.iter().map(|(symbol, number, options)| Replay::open(&library, symbol, options)?.of_version(*number));
        let mut replays = replays.collect::<Result<Vec<_>, StoreError>>().map_err(source_error)?;
        let source: Box<dyn Source<Item = M>> = match replays.pop() {
            Some(only) if replays.is_empty() => Box::new(only),
            last => Box::new(Merged::new(replays.into_iter().chain(last))?),
        };
        Ok(source)
    };
    Ok(Stream::open(open))
}

fn source_error(error: StoreError) -> SourceError {
    SourceError(error.to_string())
}

/// A source of the rows of one symbol, read as they are needed.
pub struct Replay<M> {
    symbol: Arc<str>,
    scan: Scan,
    batch: Option<RecordBatch>,
    /// How many rows of the batch were given.
    row: usize,
    /// How many rows were given, and how many there are at most.
    progress: (u64, u64),
    of: PhantomData<fn() -> M>,
}

impl<M> fmt::Debug for Replay<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay").field("symbol", &self.symbol).field("progress", &self.progress).finish_non_exhaustive()
    }
}

impl<M: FromRows> Replay<M> {
    /// Opens the rows of one symbol.
    ///
    /// # Errors
    /// As [`VersionLibrary::read`].
    pub fn open(library: &impl Scans, symbol: &str, options: &ReadOptions) -> Result<Self, StoreError> {
        let columns = Some(M::COLUMNS.iter().map(|column| (*column).to_owned()).collect());
        let scan = library.scan(symbol, &ReadOptions { columns, rows: None, ..options.clone() })?;
        let progress = (0, scan.rows());
        Ok(Self { symbol: symbol.into(), scan, batch: None, row: 0, progress, of: PhantomData })
    }

    /// Itself, if it is of this version: a snapshot may have been deleted, and another one made of its name.
    fn of_version(self, number: u64) -> Result<Self, StoreError> {
        let found = self.scan.version().number;
        if found == number {
            return Ok(self);
        }
        let (wanted, has) = (AsOf::Version(number).to_string(), format!("version {found} where that was when the stream was made"));
        Err(StoreError::VersionNotFound { symbol: self.symbol.to_string(), wanted, has })
    }

    /// Appends items of up to `most` rows. `false`: there were no more rows.
    fn rows(&mut self, most: usize, into: &mut Vec<Timed<M>>) -> Result<bool, StoreError> {
        let batch = loop {
            match &self.batch {
                Some(batch) if self.row < batch.num_rows() => break batch,
                _ => match self.scan.next() {
                    Some(batch) => (self.batch, self.row) = (Some(batch?), 0),
                    None => {
                        self.progress.1 = self.progress.0;
                        return Ok(false);
                    }
                },
            }
        };
        let rows = self.row..batch.num_rows().min(self.row + most);
        (self.row, self.progress.0) = (rows.end, self.progress.0 + rows.len() as u64);
        M::from_rows(&RowsOf { symbol: &self.symbol, batch }, rows, into)?;
        Ok(true)
    }
}

impl<M: FromRows> Source for Replay<M> {
    type Item = M;

    fn next(&mut self) -> Result<Option<Timed<M>>, SourceError> {
        let mut one = Vec::with_capacity(1);
        self.read(1, &mut one)?;
        Ok(one.pop())
    }

    fn read(&mut self, most: usize, into: &mut Vec<Timed<M>>) -> Result<bool, SourceError> {
        let wanted = into.len() + most;
        while into.len() < wanted {
            if !self.rows(wanted - into.len(), into).map_err(source_error)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn progress(&self) -> Option<(u64, u64)> {
        Some(self.progress)
    }
}

/// One symbol among several.
struct Lane<M> {
    replay: Replay<M>,
    /// The next items, the last one first.
    ready: Vec<Timed<M>>,
    is_over: bool,
}

impl<M: FromRows> Lane<M> {
    /// The instant of its next item.
    fn head(&mut self) -> Result<Option<Instant>, SourceError> {
        while self.ready.is_empty() && !self.is_over {
            self.is_over = !self.replay.read(LANE, &mut self.ready)?;
            self.ready.reverse();
        }
        Ok(self.ready.last().map(|item| item.at))
    }
}

/// Several symbols in one order of time.
struct Merged<M> {
    lanes: Vec<Lane<M>>,
    /// The next instant of each lane that has one, and the lane.
    heads: BTreeSet<(Instant, usize)>,
}

impl<M: FromRows> Merged<M> {
    fn new(replays: impl Iterator<Item = Replay<M>>) -> Result<Self, SourceError> {
        let mut lanes: Vec<_> = replays.map(|replay| Lane { replay, ready: Vec::new(), is_over: false }).collect();
        let mut heads = BTreeSet::new();
        for (number, lane) in lanes.iter_mut().enumerate() {
            heads.extend(lane.head()?.map(|at| (at, number)));
        }
        Ok(Self { lanes, heads })
    }
}

impl<M: FromRows> Source for Merged<M> {
    type Item = M;

    fn next(&mut self) -> Result<Option<Timed<M>>, SourceError> {
        let Some((_, number)) = self.heads.pop_first() else { return Ok(None) };
        let lane = &mut self.lanes[number];
        let item = lane.ready.pop();
        self.heads.extend(lane.head()?.map(|at| (at, number)));
        Ok(item)
    }

    fn progress(&self) -> Option<(u64, u64)> {
        let all = self.lanes.iter().map(|lane| lane.replay.progress);
        Some(all.fold((0, 0), |(read, of), (more, more_of)| (read + more, of + more_of)))
    }
}
