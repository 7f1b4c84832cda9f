//! Rows of Parquet files as events. Invariant: memory is that of a batch of the columns that are wanted, however long the file; a row becomes the
//! event that the same row of a CSV file would become.

mod inspection;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::fs::File;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::ColumnChunkMetaData;
use stillpoint_actors::Instrument;
use stillpoint_engine::{Instant, Source, SourceError, Timed};

use crate::error::DataError;
use crate::input::unopened;
use crate::row::{Cell, Cells, FromRow, Row, column, columns_of, misnamed};
use crate::time_format::TimeFormat;
pub(crate) use inspection::inspect;

/// Rows that are decoded at a time.
const BATCH_ROWS: usize = 4_096;

/// Which rows of a Parquet file to read, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParquetSettings {
    /// The file.
    pub path: PathBuf,
    /// The instrument that the rows speak of.
    pub instrument: Instrument,
    /// The column with the event time.
    pub time: String,
    /// How the times are written. `None` for a column of timestamps or dates, which says so itself.
    pub time_format: Option<TimeFormat>,
    /// The column of each field, where it is not called as the field is.
    pub columns: BTreeMap<String, String>,
    /// Column and text: rows that have another value there are skipped. For files that hold several instruments.
    pub only: Option<(String, String)>,
}

impl ParquetSettings {
    /// A file of one instrument whose times are timestamps.
    pub fn new(path: impl Into<PathBuf>, instrument: Instrument, time: impl Into<String>) -> Self {
        Self { path: path.into(), instrument, time: time.into(), time_format: None, columns: BTreeMap::new(), only: None }
    }

    /// The same settings for another file.
    #[must_use]
    pub fn at(&self, path: &Path) -> Self {
        Self { path: path.to_owned(), ..self.clone() }
    }
}

/// Reads a Parquet file front to back, row group by row group, and keeps its order.
///
/// Whole numbers, decimals, floats and texts can be prices and quantities. A float stands for the shortest decimal number that is read as it, which is
/// what programs print for it.
///
/// ```no_run
/// use stillpoint_actors::{Instrument, InstrumentId, Quote};
/// use stillpoint_adapters::{ParquetReader, ParquetSettings};
/// use stillpoint_engine::Source;
///
/// let settings = ParquetSettings::new("quotes.parquet", Instrument::new(InstrumentId(0), "EURUSD"), "time");
/// let mut reader = ParquetReader::<Quote>::open(&settings)?;
/// while let Some(quote) = reader.next()? {
///     println!("{} {:?}", quote.at, quote.value);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ParquetReader<M> {
    rows: Rows,
    instrument: Instrument,
    columns: Vec<Option<usize>>,
    only: Option<(usize, Vec<u8>)>,
    event: PhantomData<fn() -> M>,
}

/// A file of which nothing but its columns is known yet.
struct Opened {
    path: PathBuf,
    length: u64,
    builder: ParquetRecordBatchReaderBuilder<File>,
    /// Names of all columns.
    columns: Vec<String>,
}

/// Some columns of a file, row by row.
struct Rows {
    path: PathBuf,
    length: u64,
    /// How many rows the file has.
    count: u64,
    reader: ParquetRecordBatchReader,
    /// Names of the columns that are read.
    header: Vec<String>,
    time: usize,
    time_format: Option<TimeFormat>,
    batch: Batch,
    /// Rows that were read, of the file.
    row: u64,
}

/// Rows that were decoded, and the one that is looked at.
#[derive(Default)]
struct Batch {
    columns: Vec<ArrayRef>,
    rows: usize,
    row: usize,
}

impl Cells for Batch {
    fn cell(&self, column: usize) -> Cell<'_> {
        cell(self.columns[column].as_ref(), self.row)
    }
}

impl<M: FromRow> ParquetReader<M> {
    /// Opens a file and finds the columns.
    ///
    /// # Errors
    /// [`DataError`] if the file cannot be opened, is no Parquet file, has no such columns or columns of other types, or a mapping is for a field
    /// that the event has not.
    pub fn open(settings: &ParquetSettings) -> Result<Self, DataError> {
        let path = &settings.path;
        let fault = |(cause, help): (String, String)| DataError::new(path, None, cause, help);
        if let Some(wrong) = misnamed::<M>(&settings.columns) {
            return Err(fault(wrong));
        }
        let file = Opened::open(path)?;
        let wanted = columns_of::<M>(&file.columns, &settings.columns).map_err(fault)?;
        let time = column(&file.columns, &settings.time).map_err(fault)?;
        let only = settings.only.as_ref().map(|(name, text)| Ok((column(&file.columns, name)?, text.clone().into_bytes())));
        let only = only.transpose().map_err(fault)?;
        for at in wanted.iter().flatten().chain(only.as_ref().map(|(at, _)| at)) {
            if !is_value(file.type_of(*at)) {
                let cause = format!("column `{}` is of the type {}, which is no number and no text", file.columns[*at], file.type_of(*at));
                return Err(fault((cause, "name a column that is one, or write the file with one".into())));
            }
        }
        check_time(&settings.time, file.type_of(time), settings.time_format.as_ref()).map_err(fault)?;
        let read: BTreeSet<usize> = wanted.iter().flatten().copied().chain([time]).chain(only.as_ref().map(|(at, _)| *at)).collect();
        let place = |at: usize| read.range(..at).count();
        Ok(Self {
            rows: file.rows(&read, time, settings.time_format.clone())?,
            instrument: settings.instrument.clone(),
            columns: wanted.into_iter().map(|at| at.map(place)).collect(),
            only: only.map(|(at, text)| (place(at), text)),
            event: PhantomData,
        })
    }

    fn next_item(&mut self) -> Result<Option<Timed<M>>, DataError> {
        let Self { rows, instrument, columns, only, .. } = self;
        while rows.advance()? {
            if only.as_ref().is_some_and(|(at, text)| rows.batch.cell(*at).text() != text.as_slice()) {
                continue;
            }
            let at = rows.time()?;
            let row = Row { cells: &rows.batch, columns };
            let value = M::read(&row, instrument).map_err(|error| {
                let (cause, help) = row.fault(error, &rows.header);
                rows.fault(cause, help)
            })?;
            return Ok(Some(Timed { at, value }));
        }
        Ok(None)
    }
}

impl Opened {
    fn open(path: &Path) -> Result<Self, DataError> {
        let fault = |cause: String, help: &str| DataError::new(path, None, cause, help);
        let file = File::open(path).map_err(|error| unopened(path, &error))?;
        let length = file.metadata().map_err(|error| unopened(path, &error))?.len();
        // What Arrow's own programs note beside the columns would make texts dictionaries; the file says all that matters without it.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let builder = guarded(|| ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)).map_err(|error| {
            fault(format!("is no Parquet file that can be read ({error})"), "fetch the file again, or name the format that it has")
        })?;
        if !builder.metadata().row_groups().iter().all(|group| group.columns().iter().all(|chunk| lies_within(chunk, length))) {
            return Err(fault("says of a column that it lies outside the file".into(), "the file is damaged: fetch it again"));
        }
        let columns = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
        Ok(Self { path: path.to_owned(), length, builder, columns })
    }

    fn type_of(&self, column: usize) -> &DataType {
        self.builder.schema().field(column).data_type()
    }

    /// The rows of these columns, of which `time` is one.
    fn rows(self, read: &BTreeSet<usize>, time: usize, time_format: Option<TimeFormat>) -> Result<Rows, DataError> {
        let Self { path, length, builder, columns } = self;
        let mask = ProjectionMask::roots(builder.parquet_schema(), read.iter().copied());
        let count = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
        let reader = builder.with_batch_size(BATCH_ROWS).with_projection(mask).build();
        let reader = reader.map_err(|error| DataError::new(&path, None, format!("cannot be read ({error})"), "fetch the file again"))?;
        let header = read.iter().map(|at| columns[*at].clone()).collect();
        let time = read.range(..time).count();
        Ok(Rows { path, length, count, reader, header, time, time_format, batch: Batch::default(), row: 0 })
    }
}

impl Rows {
    /// Goes to the next row; false at the end.
    fn advance(&mut self) -> Result<bool, DataError> {
        self.batch.row += 1;
        while self.batch.row >= self.batch.rows {
            let batch = guarded(|| self.reader.next().transpose());
            let batch = batch.map_err(|error| self.fault(format!("the file cannot be read on ({error})"), "fetch the file again"))?;
            let Some(batch) = batch else {
                self.batch = Batch::default();
                return Ok(false);
            };
            self.batch = Batch { columns: batch.columns().to_vec(), rows: batch.num_rows(), row: 0 };
        }
        self.row += 1;
        Ok(true)
    }

    fn time(&self) -> Result<Instant, DataError> {
        let (column, row) = (self.batch.columns[self.time].as_ref(), self.batch.row);
        let at = match &self.time_format {
            Some(format) => format.parse_cell(cell(column, row)),
            None => stamp(column, row),
        };
        at.ok_or_else(|| {
            let name = &self.header[self.time];
            let text = cell(column, row).text().into_owned();
            let cause = match &self.time_format {
                _ if column.is_null(row) => format!("column `{name}` has no value where a time should be"),
                Some(format) => format!(
                    "column `{name}`: `{}` is no time of the format `{format}` between 1677 and 2262",
                    String::from_utf8_lossy(&text)
                ),
                None => format!("column `{name}` has a time that is not between 1677 and 2262"),
            };
            self.fault(cause, "mend the row, or name the column and the format that the file has")
        })
    }

    fn fault(&self, cause: String, help: impl Into<String>) -> DataError {
        DataError::new(&self.path, None, format!("row {}: {cause}", self.row), help)
    }
}

impl<M: FromRow> Source for ParquetReader<M> {
    type Item = M;

    fn next(&mut self) -> Result<Option<Timed<M>>, SourceError> {
        Ok(self.next_item()?)
    }

    /// Bytes, as if all rows had the same number of them.
    fn progress(&self) -> Option<(u64, u64)> {
        let Rows { length, row, count, .. } = self.rows;
        let read = u128::from(length) * u128::from(row) / u128::from(count.max(1));
        Some((u64::try_from(read).unwrap_or(length), length))
    }
}

/// The decoder panics at some kinds of damage: that is an error of the file, after which nothing more is asked of the decoder.
fn guarded<T, E: Display>(work: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_) => Err("its decoder gave up".to_owned()),
    }
}

/// Whether a column's bytes are bytes of the file.
fn lies_within(chunk: &ColumnChunkMetaData, length: u64) -> bool {
    let start = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
    let (start, bytes) = (u64::try_from(start), u64::try_from(chunk.compressed_size()));
    matches!((start, bytes), (Ok(start), Ok(bytes)) if start.checked_add(bytes).is_some_and(|end| end <= length))
}

/// Whether columns of a type hold numbers or texts.
fn is_value(of: &DataType) -> bool {
    use DataType as T;
    let whole = matches!(of, T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::UInt8 | T::UInt16 | T::UInt32 | T::UInt64);
    whole || matches!(of, T::Float32 | T::Float64 | T::Decimal128(..) | T::Utf8 | T::Binary)
}

/// Whether columns of a type hold times.
fn is_stamp(of: &DataType) -> bool {
    matches!(of, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64)
}

/// What is wrong with a format for a column of times, and what to do.
fn check_time(name: &str, of: &DataType, format: Option<&TimeFormat>) -> Result<(), (String, String)> {
    let is_stamp = is_stamp(of);
    match format {
        None if is_stamp => Ok(()),
        Some(_) if is_value(of) => Ok(()),
        None if is_value(of) => {
            let cause = format!("column `{name}` is of the type {of}, which does not say how times are written in it");
            Err((cause, "give `time_format`: rfc3339, s, ms, us, ns, or a pattern such as `%Y-%m-%d %H:%M:%S%.f`".into()))
        }
        Some(format) if is_stamp => Err((
            format!("column `{name}` is of the type {of}, and not written in the format `{format}`"),
            "leave `time_format` out".into(),
        )),
        _ => {
            Err((format!("column `{name}` is of the type {of}, which holds no times"), "name the column that holds the event time".into()))
        }
    }
}

/// What stands in a row of a column that [`is_value`].
fn cell(column: &dyn Array, row: usize) -> Cell<'_> {
    if column.is_null(row) {
        return Cell::Null;
    }
    let whole = |value: i128| Cell::Decimal(value, 0);
    match column.data_type() {
        DataType::Int8 => whole(column.as_primitive::<Int8Type>().value(row).into()),
        DataType::Int16 => whole(column.as_primitive::<Int16Type>().value(row).into()),
        DataType::Int32 => whole(column.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int64 => whole(column.as_primitive::<Int64Type>().value(row).into()),
        DataType::UInt8 => whole(column.as_primitive::<UInt8Type>().value(row).into()),
        DataType::UInt16 => whole(column.as_primitive::<UInt16Type>().value(row).into()),
        DataType::UInt32 => whole(column.as_primitive::<UInt32Type>().value(row).into()),
        DataType::UInt64 => whole(column.as_primitive::<UInt64Type>().value(row).into()),
        DataType::Decimal128(_, scale) => Cell::Decimal(column.as_primitive::<Decimal128Type>().value(row), *scale),
        DataType::Float32 => Cell::Single(column.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => Cell::Float(column.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => Cell::Text(column.as_string::<i32>().value(row).as_bytes()),
        DataType::Binary => Cell::Text(column.as_binary::<i32>().value(row)),
        _ => Cell::Null,
    }
}

/// The instant in a row of a column of timestamps or dates.
fn stamp(column: &dyn Array, row: usize) -> Option<Instant> {
    if column.is_null(row) {
        return None;
    }
    let (count, unit) = match column.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => (column.as_primitive::<TimestampSecondType>().value(row), 1_000_000_000),
        DataType::Timestamp(TimeUnit::Millisecond, _) => (column.as_primitive::<TimestampMillisecondType>().value(row), 1_000_000),
        DataType::Timestamp(TimeUnit::Microsecond, _) => (column.as_primitive::<TimestampMicrosecondType>().value(row), 1_000),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => (column.as_primitive::<TimestampNanosecondType>().value(row), 1),
        DataType::Date32 => (i64::from(column.as_primitive::<Date32Type>().value(row)), 86_400_000_000_000),
        DataType::Date64 => (column.as_primitive::<Date64Type>().value(row), 1_000_000),
        _ => return None,
    };
    count.checked_mul(unit).map(Instant::from_nanos)
}
