//! The digest of rows. Invariant: equal rows have equal digests, in whatever batches, of whichever NaN, and with either zero.

use std::hash::{Hash, Hasher};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, UInt64Type};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::DataType;
use stillpoint_engine::{Digest, canonical_bits};

use crate::table::Table;

/// The digest of the columns and of all values.
pub(super) fn digest(table: &Table) -> u64 {
    let mut digest = Digest::new();
    table.rows().hash(&mut digest);
    for (index, field) in table.schema().fields().iter().enumerate() {
        (field.name(), field.data_type().to_string()).hash(&mut digest);
        for batch in table.batches() {
            values(batch.column(index), &mut digest);
        }
    }
    digest.finish()
}

/// All values of an array, one after the other, so that where it ends does not count.
fn values(array: &ArrayRef, digest: &mut Digest) {
    let wide = match array.data_type() {
        DataType::Float32 | DataType::Float64 => arrow_cast::cast(array, &DataType::Float64),
        DataType::UInt64 => Ok(array.clone()),
        kind if kind.is_integer() || matches!(kind, DataType::Timestamp(..) | DataType::Boolean) => {
            arrow_cast::cast(array, &DataType::Int64)
        }
        _ => return texts(array, digest),
    };
    match wide {
        Ok(wide) if wide.data_type() == &DataType::Float64 => words::<Float64Type>(&wide, digest, canonical_bits),
        Ok(wide) if wide.data_type() == &DataType::UInt64 => words::<UInt64Type>(&wide, digest, |value| value),
        Ok(wide) => words::<Int64Type>(&wide, digest, |value| value as u64),
        Err(_) => texts(array, digest),
    }
}

fn words<T: ArrowPrimitiveType>(array: &ArrayRef, digest: &mut Digest, word: impl Fn(T::Native) -> u64) {
    for value in array.as_primitive::<T>() {
        value.map(&word).hash(digest);
    }
}

/// What is neither number nor instant counts as it is printed.
fn texts(array: &ArrayRef, digest: &mut Digest) {
    let options = FormatOptions::default();
    match ArrayFormatter::try_new(array, &options) {
        Ok(formatter) => {
            for row in 0..array.len() {
                array.is_valid(row).then(|| formatter.value(row).to_string()).hash(digest);
            }
        }
        Err(error) => error.to_string().hash(digest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(prices: Vec<f64>) -> u64 {
        digest(&Table::plain().column("price", prices).finish().expect("a table"))
    }

    #[test]
    fn batches_nan_and_zero_do_not_count_and_values_do() {
        assert_eq!(of(vec![0.0, f64::NAN]), of(vec![-0.0, -f64::NAN]));
        assert_ne!(of(vec![1.0, 2.0]), of(vec![2.0, 1.0]));
        let whole = Table::plain().column("size", [1u32, 2, 3]).column("side", ["a", "b", "c"]).finish().expect("a table");
        let batch = whole.whole().expect("one batch");
        let cut = Table::new(batch.schema(), vec![batch.slice(0, 1), batch.slice(1, 2)]).expect("a table");
        assert_eq!(digest(&whole), digest(&cut));
        let nulls = Table::plain().column("size", vec![Some(0i64), None]).finish().expect("a table");
        let zeros = Table::plain().column("size", vec![Some(0i64), Some(0)]).finish().expect("a table");
        assert_ne!(digest(&nulls), digest(&zeros));
    }
}
