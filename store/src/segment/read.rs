//! Columns of row groups, decoded or from the cache. Invariant: only what is wanted is read, and what is read is checked first.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{ChunkReader, Length};

use super::{GROUP_ROWS, InlineDecoder, Segment};
use crate::cache::{Cache, ColumnKey};
use crate::error::StoreError;
use crate::log::{BlobRef, digest};
use crate::object::Objects;
use crate::table::time_of;

/// A file of at most so many bytes is read at once.
const SMALL_FILE: u64 = 512 << 10;

/// Which columns are read, and in which order.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    /// The columns of the result.
    pub(crate) schema: SchemaRef,
}

/// Looks at a row group's statistics; `false`: no row of it is wanted.
pub(crate) type MayMatch<'a> = &'a dyn Fn(&RowGroupMetaData, &Schema) -> bool;

/// Which rows are wanted of a part.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// Rows of the part, counted from its beginning in the segment.
    pub(crate) rows: (u64, u64),
    /// The instants from .. to, the latter excluded; `None`: to the end of time.
    pub(crate) span: (i64, Option<i64>),
    /// Whether row groups may be skipped by their statistics.
    pub(crate) may_match: Option<MayMatch<'a>>,
    /// Where decoded columns are looked for and kept.
    pub(crate) cache: Option<&'a Cache>,
}

/// Pieces of a file, by where they begin: what the reader of Parquet gets to see of it.
struct Pieces {
    len: u64,
    pieces: Vec<(u64, Bytes)>,
}

impl Length for Pieces {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for Pieces {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let piece = self.pieces.iter().find(|(from, bytes)| (*from..from + bytes.len() as u64).contains(&start));
        let (from, bytes) = piece.ok_or_else(|| ParquetError::EOF(format!("byte {start} was not read")))?;
        Ok(bytes::Buf::reader(bytes.slice((start - from) as usize..)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let bytes = self.get_read(start)?.into_inner();
        if bytes.len() < length {
            return Err(ParquetError::EOF(format!("{length} bytes at {start} were not read")));
        }
        Ok(bytes.slice(..length))
    }
}

/// What is read of a segment. Of a small one, all at once.
struct File<'a> {
    objects: &'a dyn Objects,
    segment: &'a Segment,
    whole: Option<Bytes>,
}

impl File<'_> {
    /// Bytes that fit their checksum.
    fn range(&mut self, wanted: Range<u64>, checksum: u128) -> Result<Bytes, StoreError> {
        let (objects, name, all) = (self.objects, &self.segment.name, 0..self.segment.bytes);
        if all.end > SMALL_FILE || wanted.end > all.end {
            return range(objects, name, wanted, checksum);
        }
        let whole = match &self.whole {
            Some(whole) => whole,
            None => self.whole.insert(unchecked(objects, name, all)?),
        };
        let bytes = whole.slice(wanted.start as usize..wanted.end as usize);
        check(objects, name, &bytes, wanted, checksum)?;
        Ok(bytes)
    }
}

fn unchecked(objects: &dyn Objects, name: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
    objects.get_range(name, range)?.ok_or_else(|| missing(objects, name))
}

pub(super) fn missing(objects: &dyn Objects, name: &str) -> StoreError {
    StoreError::damaged(objects.place(name), "it is missing")
}

fn range(objects: &dyn Objects, name: &str, range: Range<u64>, checksum: u128) -> Result<Bytes, StoreError> {
    let bytes = unchecked(objects, name, range.clone())?;
    check(objects, name, &bytes, range, checksum)?;
    Ok(bytes)
}

pub(super) fn check(objects: &dyn Objects, name: &str, bytes: &[u8], range: Range<u64>, checksum: u128) -> Result<(), StoreError> {
    if digest(bytes) == checksum {
        return Ok(());
    }
    Err(StoreError::damaged(objects.place(name), format!("bytes {} to {} do not fit their checksum", range.start, range.end)))
}

fn undecodable(objects: &dyn Objects, name: &str, error: impl std::fmt::Display) -> StoreError {
    StoreError::damaged(objects.place(name), format!("it cannot be decoded ({error})"))
}

fn footer(file: &mut File<'_>, cache: Option<&Cache>) -> Result<ArrowReaderMetadata, StoreError> {
    let (objects, segment) = (file.objects, file.segment);
    if let Some(footer) = cache.and_then(|cache| cache.footer(&segment.name)) {
        return Ok(footer);
    }
    let from = segment.footer_at();
    let bytes = file.range(from..segment.bytes, segment.footer)?;
    let pieces = Pieces { len: segment.bytes, pieces: vec![(from, bytes)] };
    let footer =
        ArrowReaderMetadata::load(&pieces, ArrowReaderOptions::new()).map_err(|error| undecodable(objects, &segment.name, error))?;
    if let Some(cache) = cache {
        cache.put_footer(segment.name.as_str().into(), footer.clone());
    }
    Ok(footer)
}

/// Reads rows of a segment, a batch for each row group with any, and hands them on.
pub(crate) fn read_segment(
    objects: &dyn Objects,
    segment: &Segment,
    columns: &Columns,
    wanted: Wanted<'_>,
    mut emit: impl FnMut(RecordBatch) -> Result<bool, StoreError>,
) -> Result<bool, StoreError> {
    let mut file = File { objects, segment, whole: None };
    let mut footer_here = None;
    let name: Arc<str> = segment.name.as_str().into();
    let mut start = 0;
    for (index, group) in segment.groups.iter().enumerate() {
        let rows = (start, start + group.rows);
        start = rows.1;
        let overlap = (rows.0.max(wanted.rows.0), rows.1.min(wanted.rows.1));
        let outside = group.span.is_some_and(|(first, last)| last < wanted.span.0 || wanted.span.1.is_some_and(|to| first >= to));
        if overlap.0 >= overlap.1 || outside {
            continue;
        }
        let key = |column: &str| ColumnKey { object: name.clone(), group: index as u64, column: column.into() };
        let mut found: Vec<Option<ArrayRef>> =
            columns.schema.fields().iter().map(|field| wanted.cache.and_then(|cache| cache.get(&key(field.name())))).collect();
        if found.iter().any(Option::is_none) || wanted.may_match.is_some() {
            if footer_here.is_none() {
                footer_here = Some(footer(&mut file, wanted.cache)?);
            }
            let footer = footer_here.as_ref().expect("it was just put there");
            if let Some(may_match) = wanted.may_match
                && !may_match(footer.metadata().row_group(index), footer.schema())
            {
                continue;
            }
            decode_group(&mut file, index, footer, columns, &mut found)?;
            if let Some(cache) = wanted.cache {
                for (field, column) in columns.schema.fields().iter().zip(&found) {
                    if let Some(column) = column {
                        cache.put(key(field.name()), column);
                    }
                }
            }
        }
        let arrays = columns.schema.fields().iter().zip(found);
        let arrays = arrays.map(|(field, column)| column.unwrap_or_else(|| new_null_array(field.data_type(), group.rows as usize)));
        let batch = batch_of(columns, arrays.collect(), group.rows as usize, objects, &segment.name)?;
        let batch = batch.slice((overlap.0 - rows.0) as usize, (overlap.1 - overlap.0) as usize);
        if let Some(batch) = within(batch, group.span, wanted.span)
            && !emit(batch)?
        {
            return Ok(false);
        }
    }
    Ok(true)
}

fn batch_of(columns: &Columns, arrays: Vec<ArrayRef>, rows: usize, objects: &dyn Objects, name: &str) -> Result<RecordBatch, StoreError> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(columns.schema.clone(), arrays, &options).map_err(|error| undecodable(objects, name, error))
}

/// Decodes the wanted columns of a row group that are in the file; those that are not stay `None`.
fn decode_group(
    file: &mut File<'_>,
    index: usize,
    footer: &ArrowReaderMetadata,
    columns: &Columns,
    found: &mut [Option<ArrayRef>],
) -> Result<(), StoreError> {
    let (objects, segment) = (file.objects, file.segment);
    let in_file: Vec<(usize, usize)> = columns
        .schema
        .fields()
        .iter()
        .enumerate()
        .filter(|(wanted, _)| found[*wanted].is_none())
        .filter_map(|(wanted, field)| footer.schema().index_of(field.name()).ok().map(|at| (wanted, at)))
        .collect();
    if in_file.is_empty() {
        return Ok(());
    }
    let group = &segment.groups[index];
    let bytes = file.range(group.offset..group.offset + group.len, group.digest)?;
    let pieces = Pieces { len: segment.bytes, pieces: vec![(group.offset, bytes)] };
    let mask = ProjectionMask::roots(footer.parquet_schema(), in_file.iter().map(|(_, at)| *at));
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(pieces, footer.clone())
        .with_row_groups(vec![index])
        .with_projection(mask)
        .with_batch_size(GROUP_ROWS.max(group.rows as usize))
        .build();
    let fail = |error: &dyn std::fmt::Display| undecodable(objects, &segment.name, error);
    let batches: Vec<RecordBatch> = reader.map_err(|error| fail(&error))?.collect::<Result<_, _>>().map_err(|error| fail(&error))?;
    let [batch] = &batches[..] else {
        return Err(fail(&format!("a row group gave {} batches", batches.len())));
    };
    for (wanted, _) in in_file {
        let field = columns.schema.field(wanted);
        let column = batch.column_by_name(field.name()).ok_or_else(|| fail(&"a column is missing"))?;
        found[wanted] = Some(of_type(column, field.data_type()).map_err(|error| fail(&error))?);
    }
    Ok(())
}

fn of_type(column: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    if column.data_type() == wanted { Ok(column.clone()) } else { arrow_cast::cast(column, wanted) }
}

/// The wanted columns of rows that lie in a commit; those that it has not are null.
pub(super) fn fitted(batch: &RecordBatch, columns: &Columns, objects: &dyn Objects, object: &str) -> Result<RecordBatch, StoreError> {
    let arrays = columns.schema.fields().iter().map(|field| {
        let Some(column) = batch.column_by_name(field.name()) else {
            return Ok(new_null_array(field.data_type(), batch.num_rows()));
        };
        of_type(column, field.data_type()).map_err(|error| undecodable(objects, object, error))
    });
    batch_of(columns, arrays.collect::<Result<_, _>>()?, batch.num_rows(), objects, object)
}

/// Reads rows that lie in a commit.
pub(crate) fn read_inline(
    decoder: &mut InlineDecoder,
    objects: &dyn Objects,
    object: &str,
    blob: &BlobRef,
    columns: &Columns,
    wanted: Wanted<'_>,
    mut emit: impl FnMut(RecordBatch) -> Result<bool, StoreError>,
) -> Result<bool, StoreError> {
    let name = std::cell::LazyCell::new(|| Arc::<str>::from(object));
    let key = |column: &str| ColumnKey { object: (*name).clone(), group: blob.offset, column: column.into() };
    let cached = |cache: &Cache| columns.schema.fields().iter().map(|field| cache.get(&key(field.name()))).collect::<Option<Vec<_>>>();
    let arrays = match wanted.cache.and_then(cached) {
        Some(arrays) => arrays,
        None => {
            let bytes = range(objects, object, blob.offset..blob.offset + blob.len, blob.digest)?;
            let batch = decoder.decode(&bytes, &|| objects.place(object))?;
            let arrays = fitted(&batch, columns, objects, object)?.columns().to_vec();
            if let Some(cache) = wanted.cache {
                for (field, column) in columns.schema.fields().iter().zip(&arrays) {
                    cache.put(key(field.name()), column);
                }
            }
            arrays
        }
    };
    let rows = arrays.first().map_or(wanted.rows.1, |column| column.len() as u64);
    let batch = batch_of(columns, arrays, rows as usize, objects, object)?;
    let overlap = (wanted.rows.0.min(rows), wanted.rows.1.min(rows));
    let batch = if overlap == (0, rows) { batch } else { batch.slice(overlap.0 as usize, overlap.1.saturating_sub(overlap.0) as usize) };
    match within(batch, None, wanted.span) {
        Some(batch) => emit(batch),
        None => Ok(true),
    }
}

/// The rows of a batch in a span of time; `None` if there are none.
fn within(batch: RecordBatch, span: Option<(i64, i64)>, wanted: (i64, Option<i64>)) -> Option<RecordBatch> {
    let is_inside = |(first, last): (i64, i64)| first >= wanted.0 && wanted.1.is_none_or(|to| last < to);
    if batch.num_rows() == 0 || wanted == (i64::MIN, None) || span.is_some_and(is_inside) {
        return (batch.num_rows() > 0).then_some(batch);
    }
    let (from, to) = match time_of(&batch) {
        Some(times) => {
            let to = wanted.1.map_or(times.len(), |to| times.partition_point(|at| *at < to));
            (times.partition_point(|at| *at < wanted.0), to)
        }
        None => (0, batch.num_rows()),
    };
    (from < to).then(|| batch.slice(from, to - from))
}
