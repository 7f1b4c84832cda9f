//! Aggregates per key: the table behind groups and bars. Invariant: it holds one state per key and aggregate, whatever the number of rows.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Field, Schema};

use super::aggregate::{Input, State, result_type, results};
use super::column::{Column, Kind};
use super::eval::column;
use super::{Aggregate, Literal, QueryError};

/// The states of every key that has been seen.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    step: &'static str,
    by: Vec<String>,
    aggregates: Vec<Aggregate>,
    /// Nothing yet, for each aggregate.
    fresh: Vec<State>,
    states: BTreeMap<Vec<Literal>, Vec<State>>,
    fields: Vec<Field>,
}

/// The columns of a batch that groups need.
pub(super) struct Inputs {
    keys: Vec<Column>,
    values: Vec<Input>,
}

impl Groups {
    /// Fails if a column is not there, has no kind, or cannot be aggregated so.
    pub(super) fn new(step: &'static str, by: &[String], aggregates: &[Aggregate], schema: &Schema) -> Result<Self, QueryError> {
        let empty = RecordBatch::new_empty(schema.clone().into());
        let mut fields = Vec::new();
        for name in by {
            let array = column(&empty, name, step)?;
            if Kind::of(array.data_type()).is_none() {
                let (expression, found) = (format!("{step} by {name}"), array.data_type().to_string());
                return Err(QueryError::Type { expression, expected: "numbers, truths, texts or instants", found });
            }
            fields.push(Field::new(name, array.data_type().clone(), true));
        }
        let mut fresh = Vec::new();
        for aggregate in aggregates {
            let array = column(&empty, &aggregate.column, step)?;
            fields.push(Field::new(&aggregate.name, result_type(aggregate, array.data_type())?, true));
            fresh.push(State::new(aggregate.how, array.data_type()));
        }
        Ok(Self { step, by: by.to_vec(), aggregates: aggregates.to_vec(), fresh, states: BTreeMap::new(), fields })
    }

    /// The columns of the result: the keys, then the aggregates.
    pub(super) fn fields(&self) -> &[Field] {
        &self.fields
    }

    pub(super) fn inputs(&self, batch: &RecordBatch) -> Result<Inputs, QueryError> {
        let key = |name: &String| {
            let array = column(batch, name, self.step)?;
            Column::of(array).ok_or_else(|| QueryError::Arrow(format!("no key of type {}", array.data_type())))
        };
        let value = |aggregate: &Aggregate| Ok(Input::new(column(batch, &aggregate.column, self.step)?));
        let keys = self.by.iter().map(key).collect::<Result<_, QueryError>>()?;
        Ok(Inputs { keys, values: self.aggregates.iter().map(value).collect::<Result<_, QueryError>>()? })
    }

    /// Adds rows, run by run of equal keys.
    pub(super) fn add(&mut self, inputs: &Inputs, rows: Range<usize>) {
        let mut start = rows.start;
        while start < rows.end {
            let key: Vec<Literal> = inputs.keys.iter().map(|column| column.literal(start)).collect();
            let is_same = |row: &usize| inputs.keys.iter().zip(&key).all(|(column, value)| column.holds(*row, value));
            let end = if key.is_empty() { rows.end } else { (start + 1..rows.end).find(|row| !is_same(row)).unwrap_or(rows.end) };
            let states = self.states.entry(key).or_insert_with(|| self.fresh.clone());
            for (state, input) in states.iter_mut().zip(&inputs.values) {
                state.add(input, start..end);
            }
            start = end;
        }
    }

    /// Makes sure that the group of all rows is there, even without a row.
    pub(super) fn add_whole(&mut self) {
        if self.by.is_empty() {
            self.states.entry(Vec::new()).or_insert_with(|| self.fresh.clone());
        }
    }

    /// The columns of the result, by key in ascending order with nulls first, and how many rows they have. Forgets what was added.
    pub(super) fn take(&mut self) -> Result<(Vec<ArrayRef>, usize), QueryError> {
        let states = std::mem::take(&mut self.states);
        let mut arrays = Vec::new();
        for (at, field) in self.fields.iter().take(self.by.len()).enumerate() {
            arrays.push(results(field.data_type(), states.keys().map(|key| &key[at]))?);
        }
        for (at, aggregate) in self.aggregates.iter().enumerate() {
            let values: Vec<Literal> = states.values().map(|states| states[at].result(aggregate)).collect::<Result<_, _>>()?;
            arrays.push(results(self.fields[self.by.len() + at].data_type(), values.iter())?);
        }
        Ok((arrays, states.len()))
    }
}
