//! Bars of equal length from rows sorted by time. Invariant: a bar holds the rows of `[open, close)` and nothing that came later.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampNanosecondType;
use arrow_array::{Array, ArrayRef, RecordBatch, TimestampNanosecondArray};
use arrow_schema::{Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};
use stillpoint_engine::{Duration, Instant};

use super::column::{Kind, normal};
use super::eval::column;
use super::groups::Groups;
use super::{Aggregate, QueryError, TIME};

/// Which end of a bar is its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Label {
    /// Its close, at which all of it is known. The default: whoever reads a bar at its time has no look-ahead bias.
    #[default]
    Close,
    /// Its open. At that time nothing of the bar is known yet; whoever replays such bars must delay them by their length.
    Open,
}

/// Bars of a fixed length, aligned to an origin.
///
/// Bar n holds the rows from `origin + n * every` up to, without, `origin + (n + 1) * every`: a row exactly at the close belongs to the next
/// bar. Bars without rows are left out. Rows must be sorted by time. The last bar may still be growing where the input ends.
///
/// ```
/// use stillpoint_engine::Duration;
/// use stillpoint_store::query::{Aggregate, How, Query, Resample};
/// let minutes = Resample::every(Duration::minutes(1)).aggregates(Aggregate::ohlc("price")).aggregate(How::Sum, "size");
/// let query = Query::new().resample(minutes);
/// # let _ = query;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Resample {
    /// The length of a bar.
    pub every: Duration,
    /// Where some bar begins.
    pub origin: Instant,
    /// Which end is the bar's time.
    pub label: Label,
    /// Columns of which every combination has bars of its own.
    pub by: Vec<String>,
    /// What a bar holds beside its time and `by`.
    pub aggregates: Vec<Aggregate>,
}

impl Resample {
    /// Bars of that length, aligned to 1970-01-01T00:00:00Z, labelled at their close.
    pub fn every(length: Duration) -> Self {
        Self { every: length, origin: Instant::EPOCH, label: Label::Close, by: Vec::new(), aggregates: Vec::new() }
    }

    /// Bars that begin there, and every length before and after.
    pub fn origin(self, origin: Instant) -> Self {
        Self { origin, ..self }
    }

    /// Bars whose time is that end.
    pub fn label(self, label: Label) -> Self {
        Self { label, ..self }
    }

    /// Bars for each combination of these columns.
    pub fn by<T: Into<String>>(self, columns: impl IntoIterator<Item = T>) -> Self {
        Self { by: columns.into_iter().map(Into::into).collect(), ..self }
    }

    /// With these aggregates too.
    pub fn aggregates(mut self, aggregates: impl IntoIterator<Item = Aggregate>) -> Self {
        self.aggregates.extend(aggregates);
        self
    }

    /// With that aggregate too, named after itself.
    pub fn aggregate(self, how: super::How, column: &str) -> Self {
        self.aggregates([Aggregate::new(how, column)])
    }

    /// The number of the bar that holds `at`.
    fn bar(&self, at: Instant) -> i128 {
        (i128::from(at.as_nanos()) - i128::from(self.origin.as_nanos())).div_euclid(i128::from(self.every.as_nanos()))
    }

    /// The time of a bar; `at` is a row in it.
    fn time(&self, bar: i128, at: Instant) -> Result<i64, QueryError> {
        let end = if self.label == Label::Close { bar + 1 } else { bar };
        let nanos = i128::from(self.origin.as_nanos()) + end * i128::from(self.every.as_nanos());
        i64::try_from(nanos).map_err(|_| QueryError::BarBeyondTime { at })
    }
}

/// Bars in the making.
#[derive(Clone, Debug)]
pub(super) struct Bars {
    resample: Resample,
    groups: Groups,
    schema: SchemaRef,
    /// The bar in `groups`, and the time of its last row.
    open: Option<(i128, Instant)>,
}

const STEP: &str = "resample";

impl Bars {
    pub(super) fn new(resample: &Resample, schema: &Schema) -> Result<Self, QueryError> {
        if !resample.every.is_positive() {
            return Err(QueryError::Length { what: "resample has bars", length: resample.every });
        }
        times(&RecordBatch::new_empty(schema.clone().into()), STEP)?;
        let groups = Groups::new(STEP, &resample.by, &resample.aggregates, schema)?;
        let mut fields = vec![Field::new(TIME, Kind::Time.data_type(), false)];
        fields.extend(groups.fields().iter().cloned());
        Ok(Self { resample: resample.clone(), groups, schema: Arc::new(Schema::new(fields)), open: None })
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Takes rows; gives the bars that they complete.
    pub(super) fn push(&mut self, batch: &RecordBatch) -> Result<Vec<RecordBatch>, QueryError> {
        let times = times(batch, STEP)?;
        if times.null_count() > 0 {
            return Err(QueryError::NullTime { step: STEP });
        }
        let inputs = self.groups.inputs(batch)?;
        let mut done = Vec::new();
        let (mut start, mut closes_at) = (0, self.open.map_or(i128::MIN, |(bar, _)| self.close(bar)));
        for (row, &nanos) in times.values().iter().enumerate() {
            let at = Instant::from_nanos(nanos);
            if let Some((_, before)) = self.open.filter(|(_, before)| *before > at) {
                return Err(QueryError::Unordered { step: STEP, before, after: at });
            }
            if i128::from(nanos) >= closes_at {
                self.groups.add(&inputs, start..row);
                done.extend(self.finish()?);
                start = row;
                closes_at = self.close(self.resample.bar(at));
            }
            self.open = Some((self.open.map_or_else(|| self.resample.bar(at), |(bar, _)| bar), at));
        }
        self.groups.add(&inputs, start..times.len());
        Ok(done)
    }

    /// The bar that is still open.
    pub(super) fn finish(&mut self) -> Result<Option<RecordBatch>, QueryError> {
        let Some((bar, at)) = self.open.take() else { return Ok(None) };
        let time = self.resample.time(bar, at)?;
        let (columns, rows) = self.groups.take()?;
        let times: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![time; rows]).with_timezone("UTC"));
        Ok(Some(RecordBatch::try_new(Arc::clone(&self.schema), [vec![times], columns].concat())?))
    }

    fn close(&self, bar: i128) -> i128 {
        i128::from(self.resample.origin.as_nanos()) + (bar + 1) * i128::from(self.resample.every.as_nanos())
    }
}

/// The time column of a batch, in nanoseconds.
pub(super) fn times(batch: &RecordBatch, step: &'static str) -> Result<TimestampNanosecondArray, QueryError> {
    let array = column(batch, TIME, step)?;
    match (Kind::of(array.data_type()), normal(array)) {
        (Some(Kind::Time), Some(nanos)) => Ok(nanos.as_primitive::<TimestampNanosecondType>().clone()),
        _ => {
            Err(QueryError::Type { expression: format!("{step} of `{TIME}`"), expected: "instants", found: array.data_type().to_string() })
        }
    }
}
