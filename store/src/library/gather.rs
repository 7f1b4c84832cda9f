//! Rows of several tables as one table. Invariant: they are in one order of time, and rows of one instant are in the order of the tables.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::plan::union;
use crate::error::StoreError;
use crate::table::{Table, time_of};

/// The column that says which symbol a row is of, where several are read together.
pub const SYMBOL: &str = "symbol";

/// The rows of several symbols, with a column that says which symbol a row is of.
pub(crate) fn merge(tables: &[(String, Table)]) -> Result<Table, StoreError> {
    let schema = common(tables.iter().map(|(symbol, table)| (symbol.as_str(), table)))?;
    if schema.index_of(SYMBOL).is_ok() {
        let what = "they have a column `symbol` of their own: read one symbol at a time, or other columns".to_owned();
        return Err(StoreError::Schema { symbol: tables[0].0.clone(), what });
    }
    let mut fields: Vec<Arc<Field>> = schema.fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new(SYMBOL, DataType::Utf8, false)));
    let with_symbol = Arc::new(Schema::new(fields));
    let mut batches = Vec::new();
    for (symbol, table) in tables {
        for batch in table.batches() {
            let mut columns = columns_of(batch, &schema);
            columns.push(Arc::new(StringArray::from(vec![symbol.as_str(); batch.num_rows()])));
            batches.push(RecordBatch::try_new(with_symbol.clone(), columns).map_err(StoreError::other)?);
        }
    }
    in_order(with_symbol, batches)
}

/// The rows of one symbol from several tables; columns that a table lacks are null in its rows.
pub(super) fn together(symbol: &str, tables: &[Table]) -> Result<Table, StoreError> {
    let schema = common(tables.iter().map(|table| (symbol, table)))?;
    let batches = tables.iter().flat_map(Table::batches);
    let batches = batches.map(|batch| RecordBatch::try_new(schema.clone(), columns_of(batch, &schema)).map_err(StoreError::other));
    in_order(schema.clone(), batches.collect::<Result<_, _>>()?)
}

/// The columns of all.
fn common<'a>(tables: impl Iterator<Item = (&'a str, &'a Table)>) -> Result<SchemaRef, StoreError> {
    let mut schema = Arc::new(Schema::empty());
    for (symbol, table) in tables {
        schema = union(symbol, &schema, table.schema())?;
    }
    Ok(schema)
}

/// A batch's columns in the order of `schema`, with nulls for those that it lacks.
fn columns_of(batch: &RecordBatch, schema: &Schema) -> Vec<ArrayRef> {
    let columns = schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
        Some(column) => column.clone(),
        None => arrow_array::new_null_array(field.data_type(), batch.num_rows()),
    });
    columns.collect()
}

fn in_order(schema: SchemaRef, batches: Vec<RecordBatch>) -> Result<Table, StoreError> {
    let table = Table::of(schema.clone(), batches);
    if table.check_order("").is_ok() {
        return Ok(table);
    }
    let whole = table.whole()?;
    let Some(times) = time_of(&whole) else { return Ok(table) };
    let mut order: Vec<u64> = (0..times.len() as u64).collect();
    order.sort_by_key(|row| times[*row as usize]);
    let sorted = arrow_select::take::take_record_batch(&whole, &UInt64Array::from(order)).map_err(StoreError::other)?;
    Ok(Table::of(schema, vec![sorted]))
}
