//! The as-of join: to every row the row of another symbol that was the newest at that time, or the next, or the nearest. Invariant: the left rows
//! come out in their order, each exactly once.

use std::collections::BTreeMap;
use std::iter::FusedIterator;
use std::sync::Arc;

use arrow_array::{Array, RecordBatch, UInt64Array};
use arrow_schema::{Field, Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use arrow_select::take::take;
use serde::{Deserialize, Serialize};
use stillpoint_engine::{Duration, Instant};

use super::column::{Column, Kind};
use super::eval::column;
use super::resample::times;
use super::{Literal, QueryError, TIME};

/// Where the row that is joined lies in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Direction {
    /// The last one at or before the time. The default, and the only one that has no look-ahead bias.
    #[default]
    Backward,
    /// The first one at or after the time.
    Forward,
    /// The nearer of the two; if both are equally near, the one before.
    Nearest,
}

/// How rows are joined by time.
///
/// The right rows must be sorted by time and are held in memory; the left ones flow through in any order. Of right rows of one time, backward takes
/// the last and forward the first. A row without a time or with a null among its `by` columns matches nothing; where nothing matches, the
/// right columns are null.
///
/// Out come the left columns, then the right ones without `by`, its time called `time_right`. A right column whose name is taken gets the
/// suffix.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{Int64Array, RecordBatch, TimestampNanosecondArray};
/// use stillpoint_store::query::{AsOf, QueryError};
/// let table = |name, times: Vec<i64>, values: Vec<i64>| {
///     let time = TimestampNanosecondArray::from(times).with_timezone("UTC");
///     RecordBatch::try_from_iter([("time", Arc::new(time) as _), (name, Arc::new(Int64Array::from(values)) as _)])
/// };
/// let trades = table("size", vec![10, 20, 30], vec![1, 2, 3])?;
/// let quotes = table("bid", vec![15, 25], vec![99, 100])?;
/// let (left, right) = (trades.schema(), quotes.schema());
/// let joined = AsOf::backward().join(&left, [Ok::<_, QueryError>(trades)], &right, [Ok(quotes)])?;
/// let rows: Vec<RecordBatch> = joined.collect::<Result<_, _>>()?;
/// let bids = rows[0].column_by_name("bid").unwrap();
/// assert_eq!(bids.as_ref(), &Int64Array::from(vec![None, Some(99), Some(100)]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AsOf {
    /// Where the joined row lies.
    pub direction: Direction,
    /// How far away at most, both ways; `None` for any distance.
    pub tolerance: Option<Duration>,
    /// Whether a row of exactly the same time matches.
    pub exact: bool,
    /// Columns of both sides that must be equal.
    pub by: Vec<String>,
    /// What is appended to a right column's name that is taken.
    pub suffix: String,
}

impl AsOf {
    fn new(direction: Direction) -> Self {
        Self { direction, tolerance: None, exact: true, by: Vec::new(), suffix: "_right".to_owned() }
    }

    /// The last row at or before each time.
    pub fn backward() -> Self {
        Self::new(Direction::Backward)
    }

    /// The first row at or after each time.
    pub fn forward() -> Self {
        Self::new(Direction::Forward)
    }

    /// The nearest row.
    pub fn nearest() -> Self {
        Self::new(Direction::Nearest)
    }

    /// Only rows at most so far away.
    pub fn tolerance(self, tolerance: Duration) -> Self {
        Self { tolerance: Some(tolerance), ..self }
    }

    /// Only rows of another time.
    pub fn without_exact(self) -> Self {
        Self { exact: false, ..self }
    }

    /// Only rows in which these columns are equal.
    pub fn by<T: Into<String>>(self, columns: impl IntoIterator<Item = T>) -> Self {
        Self { by: columns.into_iter().map(Into::into).collect(), ..self }
    }

    /// Names of right columns that are taken get this.
    pub fn suffix(self, suffix: impl Into<String>) -> Self {
        Self { suffix: suffix.into(), ..self }
    }

    /// Joins. Reads all of the right side at once, the left side as the result is read.
    pub fn join<L, R, E>(&self, left: &Schema, left_batches: L, right: &Schema, right_batches: R) -> Result<Joined<L::IntoIter>, E>
    where
        L: IntoIterator<Item = Result<RecordBatch, E>>,
        R: IntoIterator<Item = Result<RecordBatch, E>>,
        E: From<QueryError>,
    {
        let schema = self.schema(left, right)?;
        let right: SchemaRef = Arc::new(right.clone());
        let batches: Vec<RecordBatch> = right_batches.into_iter().collect::<Result<_, E>>()?;
        let right = concat_batches(&right, &batches).map_err(QueryError::from)?;
        let index = Index::new(self, &right)?;
        Ok(Joined { join: self.clone(), schema, right, index, batches: left_batches.into_iter() })
    }

    /// The columns of the result.
    fn schema(&self, left: &Schema, right: &Schema) -> Result<SchemaRef, QueryError> {
        if let Some(length) = self.tolerance.filter(|tolerance| *tolerance < Duration::ZERO) {
            return Err(QueryError::Length { what: "as-of join has a tolerance", length });
        }
        let (left_rows, right_rows) = (RecordBatch::new_empty(left.clone().into()), RecordBatch::new_empty(right.clone().into()));
        times(&left_rows, STEP)?;
        times(&right_rows, STEP)?;
        for name in &self.by {
            let kind = |rows: &RecordBatch| Ok::<_, QueryError>(Kind::of(column(rows, name, STEP)?.data_type()));
            let (one, other) = (kind(&left_rows)?, kind(&right_rows)?);
            if one.is_none() || one != other {
                let name_of = |kind: Option<Kind>| kind.map_or("of a type that cannot be compared", Kind::name);
                let found = format!("{} on the left and {} on the right", name_of(one), name_of(other));
                return Err(QueryError::Type { expression: format!("{STEP} by {name}"), expected: "one kind on both sides", found });
            }
        }
        let mut fields: Vec<Field> = left.fields().iter().map(|field| field.as_ref().clone()).collect();
        for field in self.taken(right) {
            let clashes = field.name() == TIME || left.field_with_name(field.name()).is_ok();
            let name = if clashes { format!("{}{}", field.name(), self.suffix) } else { field.name().clone() };
            if fields.iter().any(|field| *field.name() == name) {
                return Err(QueryError::DuplicateColumn { name, step: STEP.to_owned() });
            }
            fields.push(Field::new(name, field.data_type().clone(), true));
        }
        Ok(Arc::new(Schema::new(fields)))
    }

    /// The right columns that come out.
    fn taken<'a>(&'a self, right: &'a Schema) -> impl Iterator<Item = &'a Field> {
        right.fields().iter().map(AsRef::as_ref).filter(|field: &&Field| !self.by.contains(field.name()))
    }

    /// Which of the rows, sorted by time, is joined to a row at that time.
    fn find(&self, rows: &[(Instant, u64)], at: Instant) -> Option<u64> {
        let before = rows.partition_point(|(time, _)| if self.exact { *time <= at } else { *time < at });
        let after = rows.partition_point(|(time, _)| if self.exact { *time < at } else { *time <= at });
        let distance = |row: &&(Instant, u64)| (i128::from(row.0.as_nanos()) - i128::from(at.as_nanos())).unsigned_abs();
        let before = before.checked_sub(1).map(|row| &rows[row]);
        let after = rows.get(after);
        let found = match self.direction {
            Direction::Backward => before,
            Direction::Forward => after,
            Direction::Nearest => before.into_iter().chain(after).min_by_key(distance),
        };
        let reach = self.tolerance.map_or(u128::MAX, |tolerance| tolerance.as_nanos().unsigned_abs().into());
        found.filter(|row| distance(row) <= reach).map(|(_, row)| *row)
    }
}

const STEP: &str = "as-of join";

/// The right rows by key, sorted by time.
#[derive(Clone, Debug)]
struct Index {
    rows: BTreeMap<Vec<Literal>, Vec<(Instant, u64)>>,
}

impl Index {
    fn new(join: &AsOf, right: &RecordBatch) -> Result<Self, QueryError> {
        let keys = keys(join, right)?;
        let mut rows: BTreeMap<Vec<Literal>, Vec<(Instant, u64)>> = BTreeMap::new();
        let mut before = Instant::MIN;
        for (row, nanos) in times(right, STEP)?.iter().enumerate() {
            let Some(at) = nanos.map(Instant::from_nanos) else { continue };
            if at < before {
                return Err(QueryError::Unordered { step: "as-of join, on the right,", before, after: at });
            }
            before = at;
            if let Some(key) = key(&keys, row) {
                rows.entry(key).or_default().push((at, row as u64));
            }
        }
        Ok(Self { rows })
    }
}

fn keys(join: &AsOf, batch: &RecordBatch) -> Result<Vec<Column>, QueryError> {
    let key = |name: &String| {
        let array = column(batch, name, STEP)?;
        Column::of(array).ok_or_else(|| QueryError::Arrow(format!("no key of type {}", array.data_type())))
    };
    join.by.iter().map(key).collect()
}

/// The key of a row, unless a part of it is null.
fn key(keys: &[Column], row: usize) -> Option<Vec<Literal>> {
    keys.iter().map(|column| Some(column.literal(row)).filter(|value| *value != Literal::Null)).collect()
}

/// The rows of an as-of join.
#[derive(Clone, Debug)]
pub struct Joined<I> {
    join: AsOf,
    schema: SchemaRef,
    right: RecordBatch,
    index: Index,
    batches: I,
}

impl<I> Joined<I> {
    /// The columns of the result.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn rows(&self, left: &RecordBatch) -> Result<RecordBatch, QueryError> {
        let keys = keys(&self.join, left)?;
        let find = |(row, nanos): (usize, Option<i64>)| {
            let rows = self.index.rows.get(&key(&keys, row)?)?;
            self.join.find(rows, Instant::from_nanos(nanos?))
        };
        let found: UInt64Array = times(left, STEP)?.iter().enumerate().map(find).collect();
        let mut columns = left.columns().to_vec();
        for field in self.join.taken(self.right.schema_ref()) {
            columns.push(take(column(&self.right, field.name(), STEP)?, &found, None)?);
        }
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

impl<I, E> Iterator for Joined<I>
where
    I: Iterator<Item = Result<RecordBatch, E>>,
    E: From<QueryError>,
{
    type Item = Result<RecordBatch, E>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.batches.next()?.and_then(|left| self.rows(&left).map_err(E::from)))
    }
}

impl<I, E> FusedIterator for Joined<I>
where
    I: FusedIterator<Item = Result<RecordBatch, E>>,
    E: From<QueryError>,
{
}
