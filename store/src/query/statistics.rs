//! What is known of the rows of a segment without reading them. Invariant: no value lies outside the bounds; what is not known is `None`.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use serde::{Deserialize, Serialize};

use super::Literal;
use super::aggregate::extreme;
use super::column::Column;

/// What is known of the columns of a segment or a group of its rows. A column that is not here may hold anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Statistics {
    /// How many rows there are.
    pub rows: u64,
    /// The columns, by name.
    pub columns: BTreeMap<String, ColumnStatistics>,
}

/// What is known of a column.
///
/// The bounds need not be values that occur; the text bounds of Parquet, for one, may be cut off. They leave out nulls and NaN: Parquet's writer
/// leaves out NaN too, so `nans` stays `None` for what was read from its statistics, unless the column holds no floats.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ColumnStatistics {
    /// No value is less.
    pub min: Option<Literal>,
    /// No value is greater, except NaN.
    pub max: Option<Literal>,
    /// How many rows have no value.
    pub nulls: Option<u64>,
    /// How many values are NaN.
    pub nans: Option<u64>,
}

impl Statistics {
    /// All that can be known of a batch.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use arrow_array::{Float64Array, RecordBatch};
    /// use stillpoint_store::query::{Query, Statistics, col};
    /// let prices = Float64Array::from(vec![101.5, 99.25]);
    /// let statistics = Statistics::of(&RecordBatch::try_from_iter([("price", Arc::new(prices) as _)])?);
    /// assert!(Query::new().filter(col("price").gt(100.0)).pushdown().may_match(&statistics));
    /// assert!(!Query::new().filter(col("price").gt(102)).pushdown().may_match(&statistics));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(batch: &RecordBatch) -> Self {
        let schema = batch.schema();
        let named = schema.fields().iter().zip(batch.columns());
        let columns = named.filter_map(|(field, array)| Some((field.name().clone(), ColumnStatistics::of(&Column::of(array)?)))).collect();
        Self { rows: batch.num_rows() as u64, columns }
    }
}

impl ColumnStatistics {
    fn of(column: &Column) -> Self {
        let rows = column.array().len();
        let nulls = column.array().null_count() as u64;
        let bound = |wanted| extreme(column, 0..rows, wanted).map(|row| column.literal(row));
        let Column::Float(floats) = column else {
            return Self { min: bound(Ordering::Less), max: bound(Ordering::Greater), nulls: Some(nulls), nans: Some(0) };
        };
        let numbers = || floats.iter().flatten().filter(|x| !x.is_nan());
        let nans = rows as u64 - nulls - numbers().count() as u64;
        let bound = |choose: fn(f64, f64) -> f64| numbers().reduce(choose).map(Literal::Float);
        Self { min: bound(f64::min), max: bound(f64::max), nulls: Some(nulls), nans: Some(nans) }
    }
}
