//! Rows in memory: Arrow record batches of one schema. Invariant: if there is a time index, no row is earlier than the row before it.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampNanosecondType;
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, BooleanArray, RecordBatch, StringArray, TimestampNanosecondArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use stillpoint_engine::Instant;

use crate::error::StoreError;

/// The name of the column that is the time index.
pub const TIME: &str = "time";

/// The type of the time index: nanoseconds since the Unix epoch, UTC.
pub fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
}

/// Rows of named, typed columns, in batches.
///
/// The column `time`, if there is one, is the index: nanoseconds in UTC, without nulls, never going back. All other types of Arrow are kept as they are.
///
/// ```
/// use stillpoint_engine::Instant;
/// use stillpoint_store::Table;
///
/// let at = |seconds: i64| Instant::from_nanos(seconds * 1_000_000_000);
/// let table = Table::at([at(1), at(2)]).column("price", [1.5, 2.5]).column("size", [10u32, 20]).finish()?;
/// assert_eq!((table.rows(), table.span()), (2, Some((at(1), at(2)))));
/// assert_eq!(table.values::<arrow_array::types::Float64Type>("price")?, [1.5, 2.5]);
/// # Ok::<(), stillpoint_store::StoreError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Table {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

/// Two tables are equal if they have the same columns and the same rows, in whatever batches; NaN equals NaN, and 0.0 is not -0.0.
impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        if self.schema.fields() != other.schema.fields() || self.rows() != other.rows() {
            return false;
        }
        match (self.whole(), other.whole()) {
            (Ok(a), Ok(b)) => a.columns().iter().zip(b.columns()).all(|(a, b)| a.to_data() == b.to_data()),
            _ => false,
        }
    }
}

impl Table {
    /// A table of batches. A time index in other units or of another zone is made one of nanoseconds in UTC.
    ///
    /// # Errors
    /// [`StoreError::Schema`] if the batches differ in their columns, two columns have one name, or the time index has nulls or is of another type;
    /// [`StoreError::UnorderedData`].
    pub fn new(schema: SchemaRef, batches: Vec<RecordBatch>) -> Result<Self, StoreError> {
        let wrong = |what: String| StoreError::Schema { symbol: "these rows".to_owned(), what };
        for (index, field) in schema.fields().iter().enumerate() {
            if schema.fields()[..index].iter().any(|other| other.name() == field.name()) {
                return Err(wrong(format!("two columns are called `{}`: rename one", field.name())));
            }
        }
        if let Some(batch) = batches.iter().find(|batch| batch.schema().fields() != schema.fields()) {
            return Err(wrong(format!("a batch has other columns than the first: {}", names(&batch.schema()))));
        }
        let (schema, batches) = with_time(schema, batches)?;
        let table = Self { schema, batches };
        table.check_order("these rows")?;
        Ok(table)
    }

    /// Rows that are known to be in order, as they were when they were written.
    pub(crate) fn of(schema: SchemaRef, batches: Vec<RecordBatch>) -> Self {
        Self { schema, batches }
    }

    /// A table of one batch.
    ///
    /// # Errors
    /// As [`Table::new`].
    pub fn from_batch(batch: RecordBatch) -> Result<Self, StoreError> {
        Self::new(batch.schema(), vec![batch])
    }

    /// Begins a table with a time index.
    pub fn at(times: impl IntoIterator<Item = Instant>) -> TableBuilder {
        let times = TimestampNanosecondArray::from_iter_values(times.into_iter().map(Instant::as_nanos)).with_timezone("UTC");
        TableBuilder { columns: vec![(TIME.to_owned(), Arc::new(times))] }
    }

    /// Begins a table without a time index.
    pub fn plain() -> TableBuilder {
        TableBuilder { columns: Vec::new() }
    }

    /// The columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The rows.
    pub fn batches(&self) -> &[RecordBatch] {
        &self.batches
    }

    /// The rows, given away.
    pub fn into_batches(self) -> Vec<RecordBatch> {
        self.batches
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.batches.iter().map(|batch| batch.num_rows() as u64).sum()
    }

    /// How many bytes of memory they take, about.
    pub fn bytes(&self) -> u64 {
        self.batches.iter().map(|batch| batch.get_array_memory_size() as u64).sum()
    }

    /// All rows as one batch.
    ///
    /// # Errors
    /// [`StoreError::Other`] if they are too many for one batch of Arrow.
    pub fn whole(&self) -> Result<RecordBatch, StoreError> {
        match &self.batches[..] {
            [one] => Ok(one.clone()),
            many => arrow_select::concat::concat_batches(&self.schema, many).map_err(StoreError::other),
        }
    }

    /// The first and the last instant. `None` without rows or without a time index.
    pub fn span(&self) -> Option<(Instant, Instant)> {
        let mut filled = self.batches.iter().filter(|batch| batch.num_rows() > 0);
        let first = filled.next()?;
        let last = filled.next_back().unwrap_or(first);
        let (first, last) = (time_of(first)?, time_of(last)?);
        Some((Instant::from_nanos(first[0]), Instant::from_nanos(last[last.len() - 1])))
    }

    /// All instants of the time index.
    ///
    /// # Errors
    /// [`StoreError::Schema`] without one.
    pub fn times(&self) -> Result<Vec<Instant>, StoreError> {
        Ok(self.values::<TimestampNanosecondType>(TIME)?.into_iter().map(Instant::from_nanos).collect())
    }

    /// All values of a column of numbers; what is null has its type's default.
    ///
    /// # Errors
    /// [`StoreError::Schema`] if there is no such column, or it is of another type.
    pub fn values<T: ArrowPrimitiveType>(&self, column: &str) -> Result<Vec<T::Native>, StoreError> {
        let index = self.index_of(column)?;
        let mut values = Vec::with_capacity(self.rows() as usize);
        for batch in &self.batches {
            let array = batch.column(index).as_primitive_opt::<T>().ok_or_else(|| self.wrong_type(index, &T::DATA_TYPE))?;
            values.extend_from_slice(array.values());
        }
        Ok(values)
    }

    /// All values of a column of text.
    ///
    /// # Errors
    /// As [`Table::values`].
    pub fn texts(&self, column: &str) -> Result<Vec<Option<String>>, StoreError> {
        let index = self.index_of(column)?;
        let mut values = Vec::with_capacity(self.rows() as usize);
        for batch in &self.batches {
            let array = batch.column(index).as_string_opt::<i32>().ok_or_else(|| self.wrong_type(index, &DataType::Utf8))?;
            values.extend(array.iter().map(|text| text.map(str::to_owned)));
        }
        Ok(values)
    }

    /// These columns, the time index first.
    pub(crate) fn select_columns(&self, columns: &[&str]) -> Result<Self, StoreError> {
        let time = self.schema.index_of(TIME).ok().filter(|_| !columns.contains(&TIME));
        let indexes = time.into_iter().map(Ok).chain(columns.iter().map(|column| self.index_of(column))).collect::<Result<Vec<_>, _>>()?;
        let schema = Arc::new(self.schema.project(&indexes).map_err(StoreError::other)?);
        let batches = self.batches.iter().map(|batch| batch.project(&indexes).map_err(StoreError::other));
        Ok(Self { schema, batches: batches.collect::<Result<_, _>>()? })
    }

    fn index_of(&self, column: &str) -> Result<usize, StoreError> {
        self.schema.index_of(column).map_err(|_| StoreError::Schema {
            symbol: "these rows".to_owned(),
            what: format!("there is no column `{column}`; there are {}", names(&self.schema)),
        })
    }

    fn wrong_type(&self, index: usize, wanted: &DataType) -> StoreError {
        let field = self.schema.field(index);
        StoreError::Schema {
            symbol: "these rows".to_owned(),
            what: format!("column `{}` is of type {}, not {wanted}", field.name(), field.data_type()),
        }
    }

    /// Whether the time index never goes back.
    pub(crate) fn check_order(&self, symbol: &str) -> Result<(), StoreError> {
        let (mut row, mut before) = (0, i64::MIN);
        for batch in &self.batches {
            let Some(times) = time_of(batch) else { return Ok(()) };
            if times.first().is_some_and(|first| *first >= before) && times.is_sorted() {
                (row, before) = (row + times.len() as u64, times[times.len() - 1]);
                continue;
            }
            for &at in times {
                if at < before {
                    let (at, before) = (Instant::from_nanos(at), Instant::from_nanos(before));
                    return Err(StoreError::UnorderedData { symbol: symbol.to_owned(), row, at, before });
                }
                (row, before) = (row + 1, at);
            }
        }
        Ok(())
    }
}

/// About how many bytes the rows of a batch take, also where they are a part of larger arrays.
pub(crate) fn sliced_bytes(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(|column| column.to_data().get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size())).sum()
}

/// The time index of a batch.
pub(crate) fn time_of(batch: &RecordBatch) -> Option<&[i64]> {
    let column = batch.column_by_name(TIME)?;
    Some(column.as_primitive_opt::<TimestampNanosecondType>()?.values())
}

/// The names of the columns, for errors.
pub(crate) fn names(schema: &Schema) -> String {
    let names: Vec<String> = schema.fields().iter().map(|field| format!("`{}` ({})", field.name(), field.data_type())).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Makes a time index of any unit and zone one of nanoseconds in UTC. Columns that merely have this name cannot be kept.
fn with_time(schema: SchemaRef, batches: Vec<RecordBatch>) -> Result<(SchemaRef, Vec<RecordBatch>), StoreError> {
    let Ok(index) = schema.index_of(TIME) else { return Ok((schema, batches)) };
    let wrong = |what: &str| StoreError::Schema { symbol: "these rows".to_owned(), what: what.to_owned() };
    if batches.iter().any(|batch| batch.column(index).null_count() > 0) {
        return Err(wrong("the time index `time` has nulls: drop these rows, or give them a time"));
    }
    let field = schema.field(index);
    let (wanted, is_fine) = (time_type(), field.data_type() == &time_type() && !field.is_nullable());
    if is_fine {
        return Ok((schema, batches));
    }
    if !matches!(field.data_type(), DataType::Timestamp(..) | DataType::Date32 | DataType::Date64) {
        return Err(wrong(&format!(
            "`time` is the time index and must be a timestamp; it is of type {}: convert or rename it",
            field.data_type()
        )));
    }
    let mut fields: Vec<Arc<Field>> = schema.fields().iter().cloned().collect();
    fields[index] = Arc::new(Field::new(TIME, wanted, false));
    let schema = Arc::new(Schema::new(fields));
    let strict = arrow_cast::CastOptions { safe: false, ..arrow_cast::CastOptions::default() };
    let batches = batches.into_iter().map(|batch| {
        let mut columns = batch.columns().to_vec();
        // Counts since 1970 are of UTC whatever the zone; a cast between zones would look for their names.
        let counts = arrow_cast::cast_with_options(&columns[index], &DataType::Timestamp(TimeUnit::Nanosecond, None), &strict)
            .map_err(|error| wrong(&format!("`time` does not fit into nanoseconds of 64 bits ({error})")))?;
        columns[index] = Arc::new(counts.as_primitive::<TimestampNanosecondType>().clone().with_timezone("UTC"));
        RecordBatch::try_new(schema.clone(), columns).map_err(StoreError::other)
    });
    let batches = batches.collect::<Result<_, _>>()?;
    Ok((schema, batches))
}

/// A table in the making: one column after the other.
#[derive(Debug)]
pub struct TableBuilder {
    columns: Vec<(String, ArrayRef)>,
}

/// What can become a column: lists of numbers, truth values or texts, with or without nulls.
pub trait IntoColumn {
    /// The column.
    fn into_column(self) -> ArrayRef;
}

macro_rules! into_column {
    ($($native:ty: $array:ty),*) => { $(
        impl IntoColumn for Vec<$native> {
            fn into_column(self) -> ArrayRef {
                Arc::new(<$array>::from(self))
            }
        }
        impl<const N: usize> IntoColumn for [$native; N] {
            fn into_column(self) -> ArrayRef {
                Vec::from(self).into_column()
            }
        }
    )* };
}

into_column!(
    f64: arrow_array::Float64Array, f32: arrow_array::Float32Array,
    i64: arrow_array::Int64Array, i32: arrow_array::Int32Array, i16: arrow_array::Int16Array, i8: arrow_array::Int8Array,
    u64: arrow_array::UInt64Array, u32: arrow_array::UInt32Array, u16: arrow_array::UInt16Array, u8: arrow_array::UInt8Array,
    bool: BooleanArray, String: StringArray, &str: StringArray,
    Option<f64>: arrow_array::Float64Array, Option<i64>: arrow_array::Int64Array, Option<String>: StringArray, Option<bool>: BooleanArray
);

impl IntoColumn for ArrayRef {
    fn into_column(self) -> ArrayRef {
        self
    }
}

impl TableBuilder {
    /// Adds a column.
    #[must_use]
    pub fn column(mut self, name: &str, values: impl IntoColumn) -> Self {
        self.columns.push((name.to_owned(), values.into_column()));
        self
    }

    /// The table.
    ///
    /// # Errors
    /// As [`Table::new`]; [`StoreError::Schema`] if the columns are not of one length.
    pub fn finish(self) -> Result<Table, StoreError> {
        if let Some((name, column)) = self.columns.iter().find(|(_, column)| column.len() != self.columns[0].1.len()) {
            let (first, rows) = (&self.columns[0].0, self.columns[0].1.len());
            let what = format!("column `{name}` has {} rows where `{first}` has {rows}", column.len());
            return Err(StoreError::Schema { symbol: "these rows".to_owned(), what });
        }
        let fields: Vec<Field> =
            self.columns.iter().map(|(name, column)| Field::new(name, column.data_type().clone(), name != TIME)).collect();
        let schema = Arc::new(Schema::new(fields));
        let columns: Vec<ArrayRef> = self.columns.into_iter().map(|(_, column)| column).collect();
        if columns.is_empty() {
            return Ok(Table { schema, batches: Vec::new() });
        }
        let batch = RecordBatch::try_new(schema, columns).map_err(StoreError::other)?;
        Table::from_batch(batch)
    }
}
