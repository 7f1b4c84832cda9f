//! Values as text, for people and for JSON. Invariant: a number's text, read again, gives the same bits.

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampNanosecondType;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{DataType, TimeUnit};
use stillpoint_engine::Instant;

use crate::error::StoreError;

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// None.
    Null,
    /// A number, which may be `NaN`, `inf` or `-inf`.
    Number(String),
    /// A truth value.
    Truth(bool),
    /// Anything else.
    Text(String),
}

/// The values of a batch, row by row.
///
/// # Errors
/// [`StoreError::Other`] for a type that has no text.
pub fn cells(batch: &RecordBatch) -> Result<Vec<Vec<Cell>>, StoreError> {
    let mut rows: Vec<Vec<Cell>> = vec![Vec::with_capacity(batch.num_columns()); batch.num_rows()];
    for column in batch.columns() {
        if matches!(column.data_type(), DataType::Timestamp(_, Some(_))) {
            let texts = instants(column).into_iter().map(|at| at.map_or(Cell::Null, |at| Cell::Text(at.to_string())));
            rows.iter_mut().zip(texts).for_each(|(row, cell)| row.push(cell));
            continue;
        }
        let options = FormatOptions::new();
        let formatter = ArrayFormatter::try_new(column, &options).map_err(StoreError::other)?;
        let nulls = column.logical_nulls();
        for (index, row) in rows.iter_mut().enumerate() {
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(index)) {
                row.push(Cell::Null);
                continue;
            }
            let text = formatter.value(index).try_to_string().map_err(StoreError::other)?;
            row.push(match column.data_type() {
                DataType::Boolean => Cell::Truth(column.as_boolean().value(index)),
                kind if kind.is_numeric() => Cell::Number(text),
                _ => Cell::Text(text),
            });
        }
    }
    Ok(rows)
}

/// The values of a column of timestamps with a zone; what lies beyond 64 bits of nanoseconds is none.
pub(super) fn instants(column: &ArrayRef) -> Vec<Option<Instant>> {
    let nanos = arrow_cast::cast(column, &DataType::Timestamp(TimeUnit::Nanosecond, None));
    match nanos {
        Ok(nanos) => nanos.as_primitive::<TimestampNanosecondType>().iter().map(|nanos| nanos.map(Instant::from_nanos)).collect(),
        Err(_) => vec![None; column.len()],
    }
}
