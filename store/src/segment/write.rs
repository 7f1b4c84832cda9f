//! Batches become a Parquet file. Invariant: row groups have 65,536 rows, the last one fewer, and are compressed on their own.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::{GroupInfo, Segment};
use crate::error::StoreError;
use crate::log::digest;
use crate::table::{TIME, time_of};

/// Rows of a row group: what a short range has to decode, and what keeps compression and overhead good.
pub(crate) const GROUP_ROWS: usize = 65_536;
/// Rows of a segment: longer tables become several.
pub(crate) const SEGMENT_ROWS: usize = 64 * GROUP_ROWS;

/// How columns are written. Timestamps as deltas and zstd-1 give about 5 bytes for a tick of 21; splitting the bytes of prices made them larger.
fn properties(schema: &Schema) -> Result<WriterProperties, StoreError> {
    let level = ZstdLevel::try_new(1).map_err(StoreError::other)?;
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_created_by("stillpoint".to_owned());
    for field in schema.fields() {
        let path = ColumnPath::from(field.name().as_str());
        match field.data_type() {
            DataType::Timestamp(..) => properties = properties.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Binary | DataType::Dictionary(..) => {
                properties = properties.set_column_dictionary_enabled(path, true);
            }
            _ => {}
        }
    }
    Ok(properties.build())
}

/// Batches as the bytes of a segment, which is called `name`.
pub(crate) fn write(name: String, schema: &Arc<Schema>, batches: &[RecordBatch]) -> Result<(Segment, Bytes), StoreError> {
    let mut writer = ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties(schema)?)).map_err(StoreError::other)?;
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
