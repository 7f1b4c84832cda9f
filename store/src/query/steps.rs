//! A query: steps that are taken one after the other. Invariant: a query is a value; nothing is read before it is planned and run.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Aggregate, Expr, Resample, col};
use crate::date::DateRange;

/// The time index of every table: instants in UTC.
pub const TIME: &str = "time";

/// Steps from the rows of a symbol to those of an answer, in the order in which they were added.
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{Int64Array, RecordBatch, TimestampNanosecondArray};
/// use stillpoint_store::query::{How, Query, QueryError, col};
///
/// let time = TimestampNanosecondArray::from(vec![1, 2, 3]).with_timezone("UTC");
/// let price = Int64Array::from(vec![100, 104, 96]);
/// let batch = RecordBatch::try_from_iter([("time", Arc::new(time) as _), ("price", Arc::new(price) as _)])?;
///
/// let query = Query::new().filter(col("price").lt(104)).with("double", col("price") * 2).group(["price"], [(How::Sum, "double")]);
/// let plan = query.plan(&batch.schema())?;
/// let answer: Vec<RecordBatch> = plan.run([Ok::<_, QueryError>(batch)]).collect::<Result<_, _>>()?;
/// assert_eq!(answer[0].column(1).as_ref(), &Int64Array::from(vec![192, 200]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Query {
    steps: Vec<Step>,
}

/// A step of a query.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Step {
    /// Keeps the rows whose time is in the range.
    DateRange(DateRange),
    /// Keeps the rows in which the condition is true, not those in which it is false or unknown.
    Filter(Expr),
    /// Has these columns instead of those there were.
    Select(Vec<Named>),
    /// Has these columns beside those there were; one of the same name is replaced.
    With(Vec<Named>),
    /// One row for each combination of values of some columns.
    Group {
        /// The columns; of none, there is one row for all.
        by: Vec<String>,
        /// What is beside them.
        aggregates: Vec<Aggregate>,
    },
    /// Bars.
    Resample(Resample),
    /// Keeps the first rows.
    Head(u64),
    /// Keeps the last rows.
    Tail(u64),
    /// Keeps the rows numbered `from` to `to`, counted from 0, without `to`.
    Rows {
        /// The first row.
        from: u64,
        /// The row after the last one.
        to: u64,
    },
}

/// A computed column.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Named {
    /// What it is called.
    pub name: String,
    /// What it is.
    pub expr: Expr,
}

impl<N: Into<String>, E: Into<Expr>> From<(N, E)> for Named {
    fn from((name, expr): (N, E)) -> Self {
        Self { name: name.into(), expr: expr.into() }
    }
}

impl<N: Into<String>> From<(super::How, N)> for Aggregate {
    /// Named after itself, such as `price_mean`.
    fn from((how, column): (super::How, N)) -> Self {
        Self::new(how, column)
    }
}

impl Query {
    /// All rows, as they are.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more step.
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// The steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Keeps the rows whose time is in the range.
    pub fn date_range(self, range: DateRange) -> Self {
        self.step(Step::DateRange(range))
    }

    /// Keeps the rows in which the condition is true.
    pub fn filter(self, condition: Expr) -> Self {
        self.step(Step::Filter(condition))
    }

    /// Keeps these columns, in this order.
    pub fn columns<T: Into<String>>(self, names: impl IntoIterator<Item = T>) -> Self {
        self.select(names.into_iter().map(Into::into).map(|name: String| (name.clone(), col(name))))
    }

    /// Has these computed columns instead of those there were.
    pub fn select<T: Into<Named>>(self, columns: impl IntoIterator<Item = T>) -> Self {
        self.step(Step::Select(columns.into_iter().map(Into::into).collect()))
    }

    /// Has a computed column beside those there were, or instead of that of its name.
    pub fn with(self, name: impl Into<String>, expr: impl Into<Expr>) -> Self {
        self.step(Step::With(vec![Named::from((name, expr))]))
    }

    /// One row for each combination of values of `by`, in ascending order (null, then false, true; NaN last).
    pub fn group<T: Into<String>, A: Into<Aggregate>>(
        self,
        by: impl IntoIterator<Item = T>,
        aggregates: impl IntoIterator<Item = A>,
    ) -> Self {
        let by = by.into_iter().map(Into::into).collect();
        self.step(Step::Group { by, aggregates: aggregates.into_iter().map(Into::into).collect() })
    }

    /// Bars instead of rows.
    pub fn resample(self, bars: Resample) -> Self {
        self.step(Step::Resample(bars))
    }

    /// Keeps the first rows. Nothing is read beyond them.
    pub fn head(self, count: u64) -> Self {
        self.step(Step::Head(count))
    }

    /// Keeps the last rows.
    pub fn tail(self, count: u64) -> Self {
        self.step(Step::Tail(count))
    }

    /// Keeps rows by number, counted from 0, without `rows.end`. Nothing is read beyond them.
    pub fn rows(self, rows: std::ops::Range<u64>) -> Self {
        self.step(Step::Rows { from: rows.start, to: rows.end })
    }
}

impl fmt::Display for Query {
    /// One line, such as `filter (price > 1) | head 10`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<String> = self.steps.iter().map(Step::to_string).collect();
        f.write_str(if steps.is_empty() { "all rows" } else { "" })?;
        f.write_str(&steps.join(" | "))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn list<T: ToString>(items: &[T]) -> String {
            items.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
        }
        match self {
            Self::DateRange(range) => write!(f, "range {range}"),
            Self::Filter(condition) => write!(f, "filter {condition}"),
            Self::Select(columns) => write!(f, "select {}", list(columns)),
            Self::With(columns) => write!(f, "with {}", list(columns)),
            Self::Group { by, aggregates } => write!(f, "group by {}: {}", list(by), list(aggregates)),
            Self::Resample(bars) => {
                write!(f, "bars of {} from {} by {}: {}", bars.every, bars.origin, list(&bars.by), list(&bars.aggregates))
            }
            Self::Head(count) => write!(f, "head {count}"),
            Self::Tail(count) => write!(f, "tail {count}"),
            Self::Rows { from, to } => write!(f, "rows {from}..{to}"),
        }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.expr {
            Expr::Column(name) if *name == self.name => f.write_str(name),
            expr => write!(f, "{} = {expr}", self.name),
        }
    }
}
