//! Tables cut into chunks. Invariant: the chunks of a table, one after the other, are the table; no row is copied.

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampNanosecondType;
use arrow_array::{Array, RecordBatch, TimestampNanosecondArray};
use arrow_schema::{DataType, TimeUnit};
use stillpoint_engine::Instant;

use super::ChunkError;
use super::chunker::{Named, Span};

/// The rows of one chunk.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    /// Its name.
    pub key: String,
    /// The stretch of time it is for.
    pub span: Span,
    /// Its rows, sorted by time. They share the memory of the table that was cut.
    pub batches: Vec<RecordBatch>,
}

/// Cuts a table whose rows are sorted by `time` (nanoseconds, UTC) into chunks, in their order. Spans without rows make no chunk.
///
/// # Errors
/// No such column, one with a null, rows out of order, or a chunker that breaks its promise.
pub fn split(chunker: &Named, batches: &[RecordBatch]) -> Result<Vec<Chunk>, ChunkError> {
    let mut chunks: Vec<Chunk> = Vec::new();
    for (batch, times) in batches.iter().zip(sorted_times(batches)?) {
        let times = times.values();
        let mut from = 0;
        while from < times.len() {
            let at = Instant::from_nanos(times[from]);
            let span = chunker.span(at)?;
            let rows = times[from..].partition_point(|time| *time <= span.last.as_nanos());
            let part = batch.slice(from, rows);
            match chunks.last_mut() {
                Some(last) if last.span == span => last.batches.push(part),
                Some(last) if last.span.overlaps(span) => return Err(chunker.broken(at, span)),
                _ => chunks.push(Chunk { key: chunker.key(at), span, batches: vec![part] }),
            }
            from += rows;
        }
    }
    Ok(chunks)
}

/// The rows of a table, sorted by `time`, that are in `span`. They share the table's memory.
///
/// # Errors
/// No column `time`, one with a null, or rows out of order.
pub fn within(batches: &[RecordBatch], span: Span) -> Result<Vec<RecordBatch>, ChunkError> {
    let cut = |(batch, (from, to)): (&RecordBatch, (usize, usize))| batch.slice(from, to - from);
    Ok(batches.iter().zip(bounds(batches, span)?).map(cut).filter(|batch| batch.num_rows() > 0).collect())
}

/// The rows of a table, sorted by `time`, that are not in `span`. They share the table's memory.
///
/// # Errors
/// No column `time`, one with a null, or rows out of order.
pub fn outside(batches: &[RecordBatch], span: Span) -> Result<Vec<RecordBatch>, ChunkError> {
    let cut = |(batch, (from, to)): (&RecordBatch, (usize, usize))| [batch.slice(0, from), batch.slice(to, batch.num_rows() - to)];
    Ok(batches.iter().zip(bounds(batches, span)?).flat_map(cut).filter(|batch| batch.num_rows() > 0).collect())
}

/// For each batch, from which row and up to which, that one not included, its rows are in `span`.
fn bounds(batches: &[RecordBatch], span: Span) -> Result<Vec<(usize, usize)>, ChunkError> {
    let of = |times: &TimestampNanosecondArray| {
        let from = times.values().partition_point(|time| *time < span.first.as_nanos());
        (from, times.values().partition_point(|time| *time <= span.last.as_nanos()).max(from))
    };
    Ok(sorted_times(batches)?.into_iter().map(of).collect())
}

/// The column `time` of each batch.
fn sorted_times(batches: &[RecordBatch]) -> Result<Vec<&TimestampNanosecondArray>, ChunkError> {
    let (mut row, mut before) = (0, i64::MIN);
    let mut columns = Vec::with_capacity(batches.len());
    for batch in batches {
        let times = times(batch)?;
        if let Some(null) = (0..times.len()).find(|at| times.is_null(*at)) {
            return Err(ChunkError::TimeIsNull { row: row + null });
        }
        for time in times.values() {
            if *time < before {
                return Err(ChunkError::Unordered { row, time: Instant::from_nanos(*time) });
            }
            before = *time;
            row += 1;
        }
        columns.push(times);
    }
    Ok(columns)
}

fn times(batch: &RecordBatch) -> Result<&TimestampNanosecondArray, ChunkError> {
    let Some(column) = batch.column_by_name("time") else {
        return Err(ChunkError::NoTime { columns: batch.schema().fields().iter().map(|field| field.name().clone()).collect() });
    };
    let in_utc = matches!(column.data_type(), DataType::Timestamp(TimeUnit::Nanosecond, Some(zone)) if &**zone == "UTC");
    let times = column.as_primitive_opt::<TimestampNanosecondType>().filter(|_| in_utc);
    times.ok_or_else(|| ChunkError::TimeType { found: column.data_type().to_string() })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int64Array};
    use proptest::prelude::*;

    use super::super::Chunkers;
    use super::*;

    const HOUR: i64 = 3_600_000_000_000;

    fn batch(hours: &[i64]) -> RecordBatch {
        let times = TimestampNanosecondArray::from_iter_values(hours.iter().map(|hour| hour * HOUR));
        let columns: [(&str, ArrayRef); 2] =
            [("n", Arc::new(Int64Array::from(hours.to_vec()))), ("time", Arc::new(times.with_timezone("UTC")))];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn hours(batches: &[RecordBatch]) -> Vec<i64> {
        batches.iter().flat_map(|batch| batch["n"].as_primitive::<arrow_array::types::Int64Type>().values().to_vec()).collect()
    }

    fn day() -> Named {
        Chunkers::default().get("day").unwrap()
    }

    #[test]
    fn a_table_by_day() {
        let chunks = split(&day(), &[batch(&[-1, 0, 0]), batch(&[]), batch(&[23, 24, 100])]).unwrap();
        let parts: Vec<_> = chunks.iter().map(|chunk| (chunk.key.as_str(), hours(&chunk.batches), chunk.batches.len())).collect();
        assert_eq!(
            parts,
            [("1969-12-31", vec![-1], 1), ("1970-01-01", vec![0, 0, 23], 2), ("1970-01-02", vec![24], 1), ("1970-01-05", vec![100], 1)]
        );
        assert_eq!(split(&day(), &[]), Ok(vec![]));
    }

    #[test]
    fn tables_that_cannot_be_cut() {
        let why = |batches: &[RecordBatch]| split(&day(), batches).unwrap_err().to_string();
        assert_eq!(
            why(&[batch(&[1, 2]), batch(&[1])]),
            "row 2 at 1970-01-01T01:00:00Z is before the row before it; sort the table by `time`"
        );
        let one = |name: &str, column: ArrayRef| [RecordBatch::try_from_iter([(name, column)]).unwrap()];
        let integers = Arc::new(Int64Array::from(vec![1]));
        assert!(why(&one("n", integers.clone())).contains("no column `time`, by which it is cut, but: n;"));
        assert!(why(&one("time", integers)).contains("the column `time` is Int64"));
        assert!(why(&one("time", Arc::new(TimestampNanosecondArray::from(vec![1])))).contains("should be a timestamp in nanoseconds"));
        let nulls = TimestampNanosecondArray::from(vec![Some(1), None]).with_timezone("UTC");
        assert_eq!(split(&day(), &one("time", Arc::new(nulls))), Err(ChunkError::TimeIsNull { row: 1 }));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_moved(mut all in prop::collection::vec(-60..60_i64, 0..40), cut in 0..40_usize, first in -70..70_i64, last in -70..70_i64) {
            all.sort_unstable();
            let (left, right) = all.split_at(cut.min(all.len()));
            let batches = [batch(left), batch(right)];
            let chunks = split(&day(), &batches).unwrap();
            prop_assert_eq!(chunks.iter().flat_map(|chunk| hours(&chunk.batches)).collect::<Vec<_>>(), all.clone());
            for chunk in &chunks {
                let days: Vec<i64> = hours(&chunk.batches).into_iter().map(|hour| hour.div_euclid(24)).collect();
                prop_assert!(!days.is_empty() && days.iter().all(|day| *day == days[0]));
            }
            prop_assert!(chunks.windows(2).all(|pair| pair[0].span.last < pair[1].span.first && pair[0].key < pair[1].key));

            let span = Span { first: Instant::from_nanos(first * HOUR), last: Instant::from_nanos(last * HOUR) };
            let (inside, others): (Vec<i64>, Vec<i64>) = all.iter().partition(|hour| (first..=last).contains(hour));
            prop_assert_eq!(hours(&within(&batches, span).unwrap()), inside);
            prop_assert_eq!(hours(&outside(&batches, span).unwrap()), others);
        }
    }
}
