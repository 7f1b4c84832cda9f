//! A query made ready for a schema, and its run over batches. Invariant: rows flow through one batch at a time; what a run keeps is one state per
//! group, one bar, or the last rows of a tail.

use std::collections::{BTreeSet, VecDeque};
use std::iter::FusedIterator;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, TimestampNanosecondArray, new_null_array};
use arrow_ord::cmp;
use arrow_schema::{Field, Schema, SchemaRef};
use arrow_select::filter::filter_record_batch;
use stillpoint_engine::Instant;

use super::eval::Evaluator;
use super::groups::Groups;
use super::resample::{Bars, times};
use super::{Expr, Named, Query, QueryError, Step};
use crate::date::DateRange;
use crate::error::help;

/// A query that was checked against a schema. It can be run any number of times.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The columns that are needed of the input.
    input: SchemaRef,
    output: SchemaRef,
    stages: Vec<Stage>,
}

impl Query {
    /// Checks the query against the columns there are: all names and types, so that a run can fail for values and their order only.
    ///
    /// Batches need hold only the columns of [`Query::pushdown`]. One that was added later is null in batches without it.
    pub fn plan(&self, schema: &Schema) -> Result<Plan, QueryError> {
        let needed = self.pushdown().columns;
        let is_needed = |field: &&Arc<Field>| needed.as_ref().is_none_or(|needed| needed.contains(field.name()));
        let input: SchemaRef = Arc::new(Schema::new(schema.fields().iter().filter(is_needed).cloned().collect::<Vec<_>>()));
        // A name that is nowhere is looked for among all of them.
        if let Some(name) = needed.iter().flatten().find(|name| schema.field_with_name(name).is_err()) {
            let help = help(name, schema.fields().iter().map(|field| field.name().as_str()));
            let step = self.steps().iter().find(|step| step_columns(step).contains(name)).map_or_else(String::new, Step::to_string);
            return Err(QueryError::UnknownColumn { name: name.clone(), step, help });
        }
        let (mut stages, mut output) = (Vec::new(), Arc::clone(&input));
        for step in self.steps() {
            let (stage, next) = Stage::new(step, &output)?;
            stages.push(stage);
            output = next;
        }
        Ok(Plan { input, output, stages })
    }
}

impl Plan {
    /// The columns of the answer.
    pub fn schema(&self) -> &SchemaRef {
        &self.output
    }

    /// The answer, batch by batch; no batch of it is empty. After an error there is nothing more.
    ///
    /// `batches` are the rows in their order. Their own errors are passed on. No more of them are taken than are needed.
    pub fn run<I, E>(&self, batches: I) -> Rows<I::IntoIter>
    where
        I: IntoIterator<Item = Result<RecordBatch, E>>,
        E: From<QueryError>,
    {
        Rows {
            input: Arc::clone(&self.input),
            stages: self.stages.clone(),
            batches: batches.into_iter(),
            ready: VecDeque::new(),
            is_over: false,
        }
    }
}

/// The batches of an answer.
#[derive(Clone, Debug)]
pub struct Rows<I> {
    input: SchemaRef,
    stages: Vec<Stage>,
    batches: I,
    ready: VecDeque<RecordBatch>,
    is_over: bool,
}

impl<I, E> Iterator for Rows<I>
where
    I: Iterator<Item = Result<RecordBatch, E>>,
    E: From<QueryError>,
{
    type Item = Result<RecordBatch, E>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Some(Ok(batch));
            }
            if self.is_over {
                return None;
            }
            let next = if self.stages.iter().any(Stage::is_full) { None } else { self.batches.next() };
            let fed = match next {
                Some(Ok(batch)) => conform(&batch, &self.input).and_then(|batch| self.feed(0, batch)).map_err(E::from),
                Some(Err(error)) => Err(error),
                None => self.end().map_err(E::from),
            };
            if let Err(error) = fed {
                self.is_over = true;
                self.ready.clear();
                return Some(Err(error));
            }
        }
    }
}

impl<I, E> FusedIterator for Rows<I>
where
    I: Iterator<Item = Result<RecordBatch, E>>,
    E: From<QueryError>,
{
}

impl<I> Rows<I> {
    /// Puts a batch through the stages from that one on.
    fn feed(&mut self, stage: usize, batch: RecordBatch) -> Result<(), QueryError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        if stage == self.stages.len() {
            self.ready.push_back(batch);
            return Ok(());
        }
        for batch in self.stages[stage].push(batch)? {
            self.feed(stage + 1, batch)?;
        }
        Ok(())
    }

    /// No more input: what the stages still hold comes out, the first one's first.
    fn end(&mut self) -> Result<(), QueryError> {
        self.is_over = true;
        for stage in 0..self.stages.len() {
            for batch in self.stages[stage].finish()? {
                self.feed(stage + 1, batch)?;
            }
        }
        Ok(())
    }
}

/// The columns of a schema, in its order. Columns that the batch has not are null.
fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, QueryError> {
    if batch.schema_ref() == schema {
        return Ok(batch.clone());
    }
    let column = |field: &Arc<Field>| {
        let wrong = |why: String| QueryError::Batch { column: field.name().clone(), why };
        match batch.column_by_name(field.name()) {
            None if field.is_nullable() => Ok(new_null_array(field.data_type(), batch.num_rows())),
            None => Err(wrong("is missing, and may not be null".to_owned())),
            Some(array) if array.data_type() != field.data_type() => {
                Err(wrong(format!("is of type {}, not {}", array.data_type(), field.data_type())))
            }
            Some(array) if array.null_count() > 0 && !field.is_nullable() => Err(wrong("has nulls, and may not".to_owned())),
            Some(array) => Ok(Arc::clone(array)),
        }
    };
    let columns = schema.fields().iter().map(column).collect::<Result<_, _>>()?;
    made(schema, columns, batch.num_rows())
}

/// A batch that may have no column.
fn made(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, QueryError> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

/// A step at work.
#[derive(Clone, Debug)]
enum Stage {
    Range(DateRange),
    Filter(Evaluator, Expr),
    /// The columns that come out; `None` is the column of that name as it comes in.
    Columns {
        evaluator: Evaluator,
        columns: Vec<Expr>,
        schema: SchemaRef,
    },
    Groups {
        groups: Groups,
        schema: SchemaRef,
    },
    Bars(Box<Bars>),
    /// Rows to leave out, then rows to keep.
    Window {
        skip: u64,
        keep: u64,
    },
    Tail {
        count: u64,
        held: VecDeque<RecordBatch>,
        rows: u64,
    },
}

impl Stage {
    /// The stage of a step, and the columns that come out of it.
    fn new(step: &Step, schema: &SchemaRef) -> Result<(Self, SchemaRef), QueryError> {
        let same = Arc::clone(schema);
        let empty = RecordBatch::new_empty(Arc::clone(schema));
        Ok(match step {
            Step::DateRange(range) => {
                times(&empty, "range")?;
                (Self::Range(*range), same)
            }
            Step::Filter(condition) => {
                let evaluator = Evaluator::new("filter", [condition])?;
                evaluator.mask(condition, &empty)?;
                (Self::Filter(evaluator, condition.clone()), same)
            }
            Step::Select(columns) => Self::columns("select", columns.clone(), schema)?,
            Step::With(columns) => {
                distinct("with", columns.iter().map(|named| &named.name))?;
                let replaced = |name: &String| columns.iter().find(|named| named.name == *name).cloned();
                let kept = schema.fields().iter().map(|field| {
                    replaced(field.name()).unwrap_or_else(|| Named { name: field.name().clone(), expr: Expr::Column(field.name().clone()) })
                });
                let added = columns.iter().filter(|named| schema.field_with_name(&named.name).is_err()).cloned();
                Self::columns("with", kept.chain(added).collect(), schema)?
            }
            Step::Group { by, aggregates } => {
                let groups = Groups::new("group", by, aggregates, schema)?;
                distinct("group", groups.fields().iter().map(Field::name))?;
                let schema = Arc::new(Schema::new(groups.fields().to_vec()));
                (Self::Groups { groups, schema: Arc::clone(&schema) }, schema)
            }
            Step::Resample(resample) => {
                let bars = Bars::new(resample, schema)?;
                distinct("resample", bars.schema().fields().iter().map(|field| field.name()))?;
                let schema = Arc::clone(bars.schema());
                (Self::Bars(Box::new(bars)), schema)
            }
            Step::Head(count) => (Self::Window { skip: 0, keep: *count }, same),
            Step::Rows { from, to } => (Self::Window { skip: *from, keep: to.saturating_sub(*from) }, same),
            Step::Tail(count) => (Self::Tail { count: *count, held: VecDeque::new(), rows: 0 }, same),
        })
    }

    fn columns(step: &'static str, columns: Vec<Named>, input: &SchemaRef) -> Result<(Self, SchemaRef), QueryError> {
        distinct(step, columns.iter().map(|named| &named.name))?;
        let evaluator = Evaluator::new(step, columns.iter().map(|named| &named.expr))?;
        let empty = RecordBatch::new_empty(Arc::clone(input));
        let field = |named: &Named| {
            let array = evaluator.array(&named.expr, &empty)?;
            Ok::<_, QueryError>(match &named.expr {
                Expr::Column(name) => input.field_with_name(name)?.clone().with_name(&named.name),
                _ => Field::new(&named.name, array.data_type().clone(), true),
            })
        };
        let schema: SchemaRef = Arc::new(Schema::new(columns.iter().map(field).collect::<Result<Vec<_>, _>>()?));
        let columns = columns.into_iter().map(|named| named.expr).collect();
        Ok((Self::Columns { evaluator, columns, schema: Arc::clone(&schema) }, schema))
    }

    /// Takes rows; gives what comes out for them.
    fn push(&mut self, batch: RecordBatch) -> Result<Vec<RecordBatch>, QueryError> {
        Ok(match self {
            Self::Range(range) => vec![in_range(&batch, range)?],
            Self::Filter(evaluator, condition) => vec![filter_record_batch(&batch, &evaluator.mask(condition, &batch)?)?],
            Self::Columns { evaluator, columns, schema } => {
                let arrays = columns.iter().map(|expr| evaluator.array(expr, &batch)).collect::<Result<_, _>>()?;
                vec![made(schema, arrays, batch.num_rows())?]
            }
            Self::Groups { groups, .. } => {
                let inputs = groups.inputs(&batch)?;
                groups.add(&inputs, 0..batch.num_rows());
                Vec::new()
            }
            Self::Bars(bars) => bars.push(&batch)?,
            Self::Window { skip, keep } => {
                let rows = batch.num_rows() as u64;
                let skipped = rows.min(*skip);
                let kept = (rows - skipped).min(*keep);
                (*skip, *keep) = (*skip - skipped, *keep - kept);
                vec![batch.slice(skipped as usize, kept as usize)]
            }
            Self::Tail { count, held, rows } => {
                *rows += batch.num_rows() as u64;
                held.push_back(batch);
                while let Some(first) = held.front().map(|batch| batch.num_rows() as u64).filter(|first| *rows - *first >= *count) {
                    held.pop_front();
                    *rows -= first;
                }
                Vec::new()
            }
        })
    }

    /// What comes out at the end.
    fn finish(&mut self) -> Result<Vec<RecordBatch>, QueryError> {
        Ok(match self {
            Self::Groups { groups, schema } => {
                groups.add_whole();
                let (columns, rows) = groups.take()?;
                vec![made(schema, columns, rows)?]
            }
            Self::Bars(bars) => bars.finish()?.into_iter().collect(),
            Self::Tail { count, held, rows } => {
                if let Some(first) = held.front_mut() {
                    let extra = rows.saturating_sub(*count) as usize;
                    *first = first.slice(extra, first.num_rows() - extra);
                }
                std::mem::take(held).into()
            }
            _ => Vec::new(),
        })
    }

    /// Whether no further row can matter.
    fn is_full(&self) -> bool {
        matches!(self, Self::Window { keep: 0, .. })
    }
}

fn distinct<'a>(step: &str, names: impl Iterator<Item = &'a String>) -> Result<(), QueryError> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(QueryError::DuplicateColumn { name: name.clone(), step: step.to_owned() });
        }
    }
    Ok(())
}

/// The rows whose time is in the range.
fn in_range(batch: &RecordBatch, range: &DateRange) -> Result<RecordBatch, QueryError> {
    let Some((first, last)) = range.ends() else { return Ok(batch.slice(0, 0)) };
    let times = times(batch, "range")?;
    let bound = |at: Instant| arrow_array::Scalar::new(TimestampNanosecondArray::from(vec![at.as_nanos()]).with_timezone("UTC"));
    let after: BooleanArray = cmp::gt_eq(&times, &bound(first))?;
    let before = cmp::lt_eq(&times, &bound(last))?;
    Ok(filter_record_batch(batch, &arrow_arith::boolean::and(&after, &before)?)?)
}

/// The columns that a step asks for by name.
pub(super) fn step_columns(step: &Step) -> BTreeSet<String> {
    let of_named = |columns: &[Named]| columns.iter().flat_map(|named| named.expr.columns()).collect::<BTreeSet<_>>();
    let of_aggregates = |by: &[String], aggregates: &[super::Aggregate]| {
        by.iter().cloned().chain(aggregates.iter().map(|aggregate| aggregate.column.clone())).collect::<BTreeSet<_>>()
    };
    match step {
        Step::DateRange(_) => [super::TIME.to_owned()].into(),
        Step::Filter(condition) => condition.columns(),
        Step::Select(columns) | Step::With(columns) => of_named(columns),
        Step::Group { by, aggregates } => of_aggregates(by, aggregates),
        Step::Resample(bars) => {
            let mut columns = of_aggregates(&bars.by, &bars.aggregates);
            columns.insert(super::TIME.to_owned());
            columns
        }
        Step::Head(_) | Step::Tail(_) | Step::Rows { .. } => BTreeSet::new(),
    }
}
