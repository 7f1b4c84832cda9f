//! The time index of a file of another program. Invariant: it comes first, is called `time`, and is in nanoseconds of UTC without nulls.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampNanosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch, TimestampNanosecondArray};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use chrono::DateTime;
use stillpoint_engine::Instant;

use super::FileError;
use super::read::FileOptions;
use crate::date::{LocalPolicy, Zone};
use crate::table::{TIME, names, time_type};

/// What times can look like, for errors.
pub(super) const TIME_FORMATS: &str = "2024-03-09T14:30:00.5Z, 2024-03-09 14:30:00, 20240309, or a whole number with its unit";

/// How the rows of one file become ours.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    schema: SchemaRef,
    /// Which column of the file is the time index.
    column: Option<usize>,
    options: FileOptions,
}

impl Plan {
    pub(super) fn new(schema: &Schema, shown: &str, options: &FileOptions) -> Result<Self, FileError> {
        let wrong = |what: String| FileError::Columns { file: shown.to_owned(), what };
        let wanted = options.time.as_deref().unwrap_or(TIME);
        if wanted != TIME && schema.index_of(TIME).is_ok() {
            return Err(wrong(format!(
                "`{wanted}` is to be the time index and be called `time`, but there is another column `time`: rename that one"
            )));
        }
        let column = match (schema.index_of(wanted), options.without_time) {
            (Ok(column), _) => Some(column),
            (Err(_), true) if options.time.is_none() => None,
            (Err(_), _) => {
                let has = names(schema);
                return Err(wrong(format!(
                    "there is no column `{wanted}` for the time index; there are {has}: give the option `time`, the column that has the times"
                )));
            }
        };
        if let Some(column) = column {
            check(schema.field(column), options).map_err(wrong)?;
        }
        let mut fields: Vec<FieldRef> = column.map(|_| Arc::new(Field::new(TIME, time_type(), false))).into_iter().collect();
        let others = schema.fields().iter().enumerate().filter(|(index, _)| Some(*index) != column);
        fields.extend(others.map(|(_, field)| Arc::new(plain(field))));
        Ok(Self { schema: Arc::new(Schema::new(fields)), column, options: options.clone() })
    }

    /// The columns as they will be.
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Which column of the file is the time index.
    pub(super) fn column(&self) -> Option<usize> {
        self.column
    }

    /// A batch of the file, of which `before` rows came before, as one of ours.
    pub(super) fn apply(&self, batch: &RecordBatch, shown: &str, before: u64) -> Result<RecordBatch, FileError> {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(batch.num_columns());
        if let Some(column) = self.column {
            columns.push(self.times(batch.column(column), shown, before)?);
        }
        let others = batch.columns().iter().enumerate().filter(|(index, _)| Some(*index) != self.column);
        let wrong = |error: arrow_schema::ArrowError| FileError::Columns { file: shown.to_owned(), what: error.to_string() };
        let strict = CastOptions { safe: false, ..CastOptions::default() };
        for (_, column) in others {
            let kind = usual(column.data_type());
            let is_usual = kind == *column.data_type();
            columns.push(if is_usual { column.clone() } else { cast_with_options(column, &kind, &strict).map_err(wrong)? });
        }
        RecordBatch::try_new(self.schema.clone(), columns).map_err(wrong)
    }

    /// The values of a column as a time index.
    pub(super) fn times(&self, column: &ArrayRef, shown: &str, before: u64) -> Result<ArrayRef, FileError> {
        let at = |index: usize, what: String| FileError::Time { file: shown.to_owned(), row: before + index as u64 + 1, what };
        if let Some(index) = column.logical_nulls().and_then(|nulls| nulls.iter().position(|valid| !valid)) {
            return Err(at(index, "it has no time: drop such rows, or give them one".to_owned()));
        }
        let strict = CastOptions { safe: false, ..CastOptions::default() };
        let cast = |to: &DataType| {
            let why = |error: arrow_schema::ArrowError| at(0, format!("times of this or a later row cannot be told: {error}"));
            cast_with_options(column, to, &strict).map_err(why)
        };
        let zone = self.options.zone;
        let times: Vec<i64> = match column.data_type() {
            DataType::Timestamp(_, Some(_)) => return Ok(in_utc(&cast(&DataType::Timestamp(TimeUnit::Nanosecond, None))?)),
            DataType::Timestamp(_, None) | DataType::Date32 | DataType::Date64 => {
                let local = cast(&DataType::Timestamp(TimeUnit::Nanosecond, None))?;
                if zone == Zone::UTC {
                    return Ok(in_utc(&local));
                }
                let local = local.as_primitive::<TimestampNanosecondType>().values().iter().enumerate();
                let instant = |(index, nanos): (usize, &i64)| {
                    let naive = DateTime::from_timestamp_nanos(*nanos).naive_utc();
                    zone.instant(naive, LocalPolicy::Refuse).map(Instant::as_nanos).map_err(|error| at(index, error.to_string()))
                };
                local.map(instant).collect::<Result<_, _>>()?
            }
            kind if kind.is_integer() => {
                let counts = cast(&DataType::Int64)?;
                let Some(unit) = self.options.unit else { return Err(at(0, "its time is a number without a unit".to_owned())) };
                let instant = |(index, count): (usize, &i64)| {
                    unit.instant(*count).map(Instant::as_nanos).map_err(|error| at(index, format!("{error}: is the unit right?")))
                };
                counts.as_primitive::<Int64Type>().values().iter().enumerate().map(instant).collect::<Result<_, _>>()?
            }
            _ => {
                let texts = cast(&DataType::Utf8)?;
                let instant = |(index, text): (usize, Option<&str>)| {
                    let parsed = zone.parse(text.unwrap_or_default().trim(), LocalPolicy::Refuse);
                    parsed.map(Instant::as_nanos).map_err(|error| at(index, format!("{error}; times may be {TIME_FORMATS}")))
                };
                texts.as_string::<i32>().iter().enumerate().map(instant).collect::<Result<_, _>>()?
            }
        };
        Ok(Arc::new(TimestampNanosecondArray::from(times).with_timezone("UTC")))
    }
}

/// Counts of nanoseconds are those of UTC.
fn in_utc(times: &ArrayRef) -> ArrayRef {
    Arc::new(times.as_primitive::<TimestampNanosecondType>().clone().with_timezone("UTC"))
}

/// Whether a column can be the time index.
fn check(field: &Field, options: &FileOptions) -> Result<(), String> {
    let name = field.name();
    match field.data_type() {
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Ok(()),
        DataType::Dictionary(_, values) if matches!(**values, DataType::Utf8 | DataType::LargeUtf8) => Ok(()),
        kind if kind.is_integer() && options.unit.is_some() => Ok(()),
        kind if kind.is_integer() => Err(format!("the times in `{name}` are whole numbers: give the option `unit`, one of s, ms, us, ns")),
        other => Err(format!("`{name}` is of type {other} and cannot be the time index; times may be {TIME_FORMATS}")),
    }
}

/// A column without the notes that other programs make in Parquet files of their own. Whether nulls are promised not to come differs from program
/// to program.
fn plain(field: &Field) -> Field {
    let mut field = field.clone().with_nullable(true).with_data_type(usual(field.data_type()));
    field.metadata_mut().retain(|key, _| key != "PARQUET:field_id");
    field
}

/// Programs have several layouts for texts and bytes, which mean the same and would not fit together.
fn usual(kind: &DataType) -> DataType {
    match kind {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
        other => other.clone(),
    }
}
