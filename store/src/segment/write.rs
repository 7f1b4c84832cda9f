//! Batches become a Parquet file. Invariant: row groups have 65,536 rows, the last one fewer, and are compressed on their own.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, Type, ZstdLevel};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion};
use parquet::schema::types::ColumnPath;

use super::{GroupInfo, Segment};
use crate::error::StoreError;
use crate::log::digest;
use crate::table::{TIME, time_of};

/// Rows of a row group: what a short range has to decode, and what keeps compression and overhead good.
pub(crate) const GROUP_ROWS: usize = 65_536;
/// Rows of a segment: longer tables become several.
pub(crate) const SEGMENT_ROWS: usize = 64 * GROUP_ROWS;

/// What zstd does not make so much smaller is written as it is: unpacking it would cost more than all the rest of reading it.
const WORTH_COMPRESSING: f64 = 0.5;
/// A column chunk whose dictionary is larger has too few values that repeat, and goes on without.
const DICTIONARY_BYTES: usize = 128 << 10;
/// So many rows, and no more than an eighth of all, show how columns are best written.
const SAMPLE_ROWS: usize = 4_096;
/// They are taken from so many places.
const SAMPLE_PLACES: usize = 4;

/// How columns are written. Prices, sizes and sides repeat: a dictionary and the few bits that number what is in it take less room than zstd leaves,
/// and a fraction of the time. Instants do not repeat, but their deltas are short. What neither makes small is left to zstd-1.
fn properties(schema: &Schema) -> Result<WriterPropertiesBuilder, StoreError> {
    let level = ZstdLevel::try_new(1).map_err(StoreError::other)?;
    let mut properties = WriterProperties::builder()
        // Its pages say of themselves whether they are compressed.
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_compression(Compression::ZSTD(level))
        .set_data_page_v2_compression_ratio_threshold(WORTH_COMPRESSING)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_created_by("stillpoint".to_owned());
    for field in schema.fields() {
        let path = ColumnPath::from(field.name().as_str());
        match field.data_type() {
            DataType::Timestamp(..) => {
                properties =
                    properties.set_column_dictionary_enabled(path.clone(), false).set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
            }
            // As deltas, which would be taken otherwise, texts that have little in common are larger.
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Binary | DataType::LargeBinary => {
                properties = properties.set_column_encoding(path, Encoding::PLAIN);
            }
            _ => {}
        }
    }
    Ok(properties)
}

/// Rows from several places.
fn sample(batches: &[RecordBatch]) -> Vec<RecordBatch> {
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let stretch = (rows / 8).min(SAMPLE_ROWS) / SAMPLE_PLACES;
    let mut sample = Vec::new();
    let mut start = 0;
    for batch in batches {
        let end = start + batch.num_rows();
        for place in 0..SAMPLE_PLACES {
            let begin = rows / SAMPLE_PLACES * place;
            let (from, to) = (begin.max(start), (begin + stretch).min(end));
            if from < to {
                sample.push(batch.slice(from - start, to - from));
            }
        }
        start = end;
    }
    sample
}

/// The columns that their encoding makes small and zstd little smaller. They are better off without it: also where it leaves pages as they are, its
/// workspaces cost a reader of few rows as much as the rows.
fn better_uncompressed(schema: &Arc<Schema>, batches: &[RecordBatch]) -> Result<Vec<ColumnPath>, StoreError> {
    let mut writer = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties(schema)?.build())).map_err(StoreError::other)?;
    for batch in sample(batches) {
        writer.write(&batch).map_err(StoreError::other)?;
    }
    let written = writer.close().map_err(StoreError::other)?;
    let columns = written.row_groups().iter().flat_map(RowGroupMetaData::columns).filter(|column| {
        let width = match column.column_type() {
            Type::INT32 | Type::FLOAT => 4,
            Type::INT64 | Type::DOUBLE => 8,
            _ => return false,
        };
        let (encoded, compressed) = (column.uncompressed_size(), column.compressed_size());
        encoded <= column.num_values() * width / 2 && compressed as f64 > encoded as f64 * WORTH_COMPRESSING
    });
    Ok(columns.map(|column| column.column_path().clone()).collect())
}

/// Batches as the bytes of a segment, which is called `name`.
pub(crate) fn write(name: String, schema: &Arc<Schema>, batches: &[RecordBatch]) -> Result<(Segment, Bytes), StoreError> {
    let mut properties = properties(schema)?;
    for column in better_uncompressed(schema, batches)? {
        properties = properties.set_column_compression(column, Compression::UNCOMPRESSED);
    }
    let mut writer = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties.build())).map_err(StoreError::other)?;
    for batch in batches {
        writer.write(batch).map_err(StoreError::other)?;
    }
    writer.flush().map_err(StoreError::other)?;
    let groups: Vec<_> = writer.flushed_row_groups().to_vec();
    let bytes: Bytes = writer.into_inner().map_err(StoreError::other)?.into();

    let mut spans = Spans { batches, batch: 0, row: 0 };
    let groups = groups.iter().map(|group| {
        let starts = group.columns().iter().map(|column| column.byte_range());
        let (mut from, mut to) = (u64::MAX, 0);
        for (start, len) in starts {
            (from, to) = (from.min(start), to.max(start + len));
        }
        let rows = group.num_rows() as u64;
        GroupInfo {
            rows,
            span: spans.next(rows as usize),
            offset: from,
            len: to - from,
            digest: digest(&bytes[from as usize..to as usize]),
        }
    });
    let mut segment = Segment { name, bytes: bytes.len() as u64, groups: groups.collect(), footer: 0 };
    segment.footer = digest(&bytes[segment.footer_at() as usize..]);
    Ok((segment, bytes))
}

/// The first and the last instant of so many rows, one row group after the other.
struct Spans<'a> {
    batches: &'a [RecordBatch],
    batch: usize,
    row: usize,
}

impl Spans<'_> {
    fn next(&mut self, mut rows: usize) -> Option<(i64, i64)> {
        self.batches.first()?.column_by_name(TIME)?;
        let (mut first, mut last) = (None, None);
        while rows > 0 {
            let times = time_of(self.batches.get(self.batch)?)?;
            let here = rows.min(times.len() - self.row);
            if here > 0 {
                first = first.or(Some(times[self.row]));
                last = Some(times[self.row + here - 1]);
            }
            (rows, self.row) = (rows - here, self.row + here);
            if self.row == times.len() {
                (self.batch, self.row) = (self.batch + 1, 0);
            }
        }
        first.zip(last)
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{ArrayRef, Float64Array, StringArray, UInt32Array, cast::AsArray, types::UInt32Type};
    use parquet::file::reader::{FileReader, SerializedFileReader};

    use super::*;

    fn one(name: &str, column: ArrayRef) -> RecordBatch {
        RecordBatch::try_from_iter([(name, column)]).expect("a column")
    }

    #[test]
    fn a_sample_is_taken_from_four_places_whatever_the_batches() {
        let whole = one("row", Arc::new(UInt32Array::from_iter_values(0..1_000)));
        let batches = [whole.slice(0, 260), whole.slice(260, 0), whole.slice(260, 740)];
        let rows: Vec<u32> =
            sample(&batches).iter().flat_map(|batch| batch.column(0).as_primitive::<UInt32Type>().values().to_vec()).collect();
        // An eighth of the rows is 125: 31 from each place.
        let wanted: Vec<u32> = [0..31, 250..281, 500..531, 750..781].into_iter().flatten().collect();
        assert_eq!(rows, wanted);
        assert!(sample(&[whole.slice(0, 7)]).is_empty());
    }

    /// The codec that a column of so many rows is written with.
    fn codec(column: ArrayRef) -> Compression {
        let batch = one("column", column);
        let (_, bytes) = write("a".to_owned(), &batch.schema(), std::slice::from_ref(&batch)).expect("written");
        let file = SerializedFileReader::new(bytes).expect("a file");
        assert_eq!(file.metadata().file_metadata().num_rows(), batch.num_rows() as i64);
        file.metadata().row_group(0).column(0).compression()
    }

    #[test]
    fn what_a_dictionary_makes_small_is_not_compressed() {
        let mut state = 1u32;
        let mut cents = |most: u32| {
            let draw = |_| {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                f64::from(state % most) / 100.0
            };
            Float64Array::from_iter_values((0..20_000).map(draw))
        };
        assert_eq!(codec(Arc::new(cents(50))), Compression::UNCOMPRESSED);
        let zstd = Compression::ZSTD(ZstdLevel::try_new(1).expect("a level"));
        assert_eq!(codec(Arc::new(cents(19_997))), zstd, "most values are there once");
        assert_eq!(codec(Arc::new(StringArray::from_iter_values((0..20_000).map(|row| format!("order {row}"))))), zstd);
        assert_eq!(codec(Arc::new(Float64Array::from(vec![1.5]))), zstd, "too few rows to say");
    }
}
