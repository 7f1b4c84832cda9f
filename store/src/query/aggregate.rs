//! Aggregates and what they add up. Invariant: values are taken one by one in the order of rows, so that no result depends on how the rows
//! are cut into batches.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;

use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use serde::{Deserialize, Serialize};

use super::column::{Column, Kind, array_of};
use super::literal::total;
use super::{Literal, QueryError};

/// What is made of many values.
///
/// All of them skip nulls. Of no values, `Count` is 0 and everything else is null. NaN is a value: it makes sums, means and deviations NaN,
/// and is the greatest of all for `Min` and `Max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum How {
    /// The sum: of integers an integer, of floats a float, of truths how many are true.
    Sum,
    /// The arithmetic mean, a float.
    Mean,
    /// The least value.
    Min,
    /// The greatest value.
    Max,
    /// How many values there are.
    Count,
    /// The first value.
    First,
    /// The last value.
    Last,
    /// The standard deviation of a sample (divided by n - 1), a float; null for fewer than two values.
    Std,
}

/// A column of a result: many values of a column made into one.
///
/// ```
/// use stillpoint_store::query::{Aggregate, How};
/// assert_eq!(Aggregate::new(How::Mean, "price").named("average").to_string(), "average = mean(price)");
/// assert_eq!(Aggregate::ohlc("price").map(|bar| bar.name), ["open", "high", "low", "close"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Aggregate {
    /// What the result is called.
    pub name: String,
    /// What is made of the values.
    pub how: How,
    /// The column whose values they are.
    pub column: String,
}

impl Aggregate {
    /// An aggregate of a column, called `price_mean` and so on.
    pub fn new(how: How, column: impl Into<String>) -> Self {
        let column = column.into();
        Self { name: format!("{column}_{how}"), how, column }
    }

    /// The same with another name.
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// `open`, `high`, `low` and `close` of a price.
    pub fn ohlc(column: &str) -> [Self; 4] {
        let named = |name: &str, how| Self::new(how, column).named(name);
        [named("open", How::First), named("high", How::Max), named("low", How::Min), named("close", How::Last)]
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sum => "sum",
            Self::Mean => "mean",
            Self::Min => "min",
            Self::Max => "max",
            Self::Count => "count",
            Self::First => "first",
            Self::Last => "last",
            Self::Std => "std",
        })
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}({})", self.name, self.how, self.column)
    }
}

/// The type of an aggregate over a column of that type.
pub(super) fn result_type(aggregate: &Aggregate, column: &DataType) -> Result<DataType, QueryError> {
    let refused = |expected| {
        let found = Kind::of(column).map_or_else(|| column.to_string(), |kind| kind.name().to_owned());
        QueryError::Type { expression: aggregate.to_string(), expected, found }
    };
    let kind = Kind::of(column);
    let is_summable = kind.is_some_and(|kind| kind.is_number() || matches!(kind, Kind::Bool | Kind::Null));
    match aggregate.how {
        How::Count => Ok(DataType::Int64),
        How::Sum | How::Mean | How::Std if !is_summable => Err(refused("numbers or truths")),
        How::Mean | How::Std => Ok(DataType::Float64),
        How::Sum => Ok(match kind {
            Some(Kind::Float) => DataType::Float64,
            Some(Kind::UInt) => DataType::UInt64,
            _ => DataType::Int64,
        }),
        How::Min | How::Max | How::First | How::Last if kind.is_none() => Err(refused("numbers, truths, texts or instants")),
        How::Min | How::Max | How::First | How::Last => Ok(column.clone()),
    }
}

/// An array of the type that [`result_type`] gave.
pub(super) fn results<'a>(data_type: &DataType, values: impl ExactSizeIterator<Item = &'a Literal>) -> Result<ArrayRef, QueryError> {
    let kind = Kind::of(data_type).unwrap_or(Kind::Null);
    let array = array_of(kind, values);
    if array.data_type() == data_type {
        return Ok(array);
    }
    match data_type {
        DataType::Timestamp(unit, zone) => {
            let scaled = arrow_cast::cast(&array, &DataType::Timestamp(*unit, Some("UTC".into())))?;
            let data = scaled.to_data().into_builder().data_type(DataType::Timestamp(*unit, zone.clone())).build()?;
            Ok(arrow_array::make_array(data))
        }
        _ => Ok(arrow_cast::cast(&array, data_type)?),
    }
}

/// What has been added up so far.
#[derive(Clone, Debug)]
pub(super) enum State {
    Count(i64),
    /// Integers and truths: exact.
    Whole {
        sum: i128,
        count: u64,
        how: How,
        is_unsigned: bool,
    },
    /// Floats, summed in the order of rows.
    Float {
        sum: f64,
        count: u64,
        how: How,
    },
    /// Welford's running moments (Technometrics 4, 1962): the mean, and the sum of squared distances from it.
    Moments {
        count: u64,
        mean: f64,
        squares: f64,
    },
    Extreme {
        wanted: Ordering,
        value: Literal,
    },
    First(Literal),
    Last(Literal),
}

impl State {
    /// Nothing yet.
    pub(super) fn new(how: How, column: &DataType) -> Self {
        let kind = Kind::of(column);
        match how {
            How::Count => Self::Count(0),
            How::Sum | How::Mean if kind == Some(Kind::Float) => Self::Float { sum: 0.0, count: 0, how },
            How::Sum | How::Mean => Self::Whole { sum: 0, count: 0, how, is_unsigned: kind == Some(Kind::UInt) },
            How::Std => Self::Moments { count: 0, mean: 0.0, squares: 0.0 },
            How::Min => Self::Extreme { wanted: Ordering::Less, value: Literal::Null },
            How::Max => Self::Extreme { wanted: Ordering::Greater, value: Literal::Null },
            How::First => Self::First(Literal::Null),
            How::Last => Self::Last(Literal::Null),
        }
    }

    /// Adds rows of a column. `nulls` is the column as it was given: of a column without a kind only nulls are seen.
    pub(super) fn add(&mut self, input: &Input, rows: Range<usize>) {
        if let Self::Count(count) = self {
            *count += input.array.slice(rows.start, rows.len()).logical_nulls().map_or(rows.len(), |nulls| nulls.len() - nulls.null_count())
                as i64;
            return;
        }
        let Some(column) = &input.column else { return };
        match self {
            Self::Count(_) => {}
            Self::Whole { sum, count, .. } => {
                for value in rows.filter_map(|row| whole(column, row)) {
                    *sum += value;
                    *count += 1;
                }
            }
            Self::Float { sum, count, .. } => {
                for value in rows.filter_map(|row| float(column, row)) {
                    *sum += value;
                    *count += 1;
                }
            }
            Self::Moments { count, mean, squares } => {
                for value in rows.filter_map(|row| float(column, row)) {
                    *count += 1;
                    let distance = value - *mean;
                    *mean += distance / *count as f64;
                    *squares += distance * (value - *mean);
                }
            }
            Self::Extreme { wanted, value } => {
                if let Some(found) = extreme(column, rows, *wanted).map(|row| column.literal(row))
                    && (*value == Literal::Null || found.cmp(value) == *wanted)
                {
                    *value = found;
                }
            }
            Self::First(value) => {
                if *value == Literal::Null
                    && let Some(row) = rows.into_iter().find(|row| !column.is_null(*row))
                {
                    *value = column.literal(row);
                }
            }
            Self::Last(value) => {
                if let Some(row) = rows.rev().find(|row| !column.is_null(*row)) {
                    *value = column.literal(row);
                }
            }
        }
    }

    /// The aggregate of what was added.
    pub(super) fn result(&self, aggregate: &Aggregate) -> Result<Literal, QueryError> {
        Ok(match self {
            Self::Count(count) => Literal::Int(*count),
            Self::Whole { count: 0, .. } | Self::Float { count: 0, .. } | Self::Moments { count: 0 | 1, .. } => Literal::Null,
            Self::Whole { sum, count, how: How::Mean, .. } => Literal::Float(*sum as f64 / *count as f64),
            Self::Whole { sum, is_unsigned, .. } => {
                let too_large = || QueryError::SumTooLarge { aggregate: aggregate.to_string(), sum: *sum };
                if *is_unsigned {
                    Literal::UInt(u64::try_from(*sum).map_err(|_| too_large())?)
                } else {
                    Literal::Int(i64::try_from(*sum).map_err(|_| too_large())?)
                }
            }
            Self::Float { sum, count, how: How::Mean } => Literal::Float(sum / *count as f64),
            Self::Float { sum, .. } => Literal::Float(*sum),
            Self::Moments { count, squares, .. } => Literal::Float((squares / (*count - 1) as f64).sqrt()),
            Self::Extreme { value, .. } | Self::First(value) | Self::Last(value) => value.clone(),
        })
    }
}

/// A column to be aggregated.
pub(super) struct Input {
    array: ArrayRef,
    column: Option<Column>,
}

impl Input {
    pub(super) fn new(array: &ArrayRef) -> Self {
        Self { array: ArrayRef::clone(array), column: Column::of(array) }
    }
}

fn whole(column: &Column, row: usize) -> Option<i128> {
    if column.is_null(row) {
        return None;
    }
    match column {
        Column::Bool(array) => Some(i128::from(array.value(row))),
        Column::Int(array) => Some(i128::from(array.value(row))),
        Column::UInt(array) => Some(i128::from(array.value(row))),
        Column::Float(_) | Column::Text(_) | Column::Time(_) => None,
    }
}

fn float(column: &Column, row: usize) -> Option<f64> {
    match column {
        Column::Float(array) => (!array.is_null(row)).then(|| array.value(row)),
        _ => whole(column, row).map(|value| value as f64),
    }
}

/// The row with the least (`Less`) or greatest (`Greater`) value, the first of equals.
pub(super) fn extreme(column: &Column, rows: Range<usize>, wanted: Ordering) -> Option<usize> {
    fn best<T: Copy>(
        rows: Range<usize>,
        wanted: Ordering,
        value: impl Fn(usize) -> Option<T>,
        order: impl Fn(T, T) -> Ordering,
    ) -> Option<usize> {
        let values = rows.filter_map(|row| value(row).map(|value| (row, value)));
        values.reduce(|best, next| if order(next.1, best.1) == wanted { next } else { best }).map(|(row, _)| row)
    }
    match column {
        Column::Text(array) => best(rows, wanted, |row| (!array.is_null(row)).then(|| array.value(row)), |a, b| a.cmp(b)),
        Column::Float(_) => best(rows, wanted, |row| float(column, row), total),
        Column::Time(array) => best(rows, wanted, |row| (!array.is_null(row)).then(|| array.value(row)), |a, b| a.cmp(&b)),
        Column::Bool(_) | Column::Int(_) | Column::UInt(_) => best(rows, wanted, |row| whole(column, row), |a, b| a.cmp(&b)),
    }
}
