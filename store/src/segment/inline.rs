//! Few rows inside a commit: an Arrow IPC stream. Invariant: decoding gives the rows that were encoded.

use std::io::Cursor;

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::Schema;
use bytes::Bytes;

use crate::error::StoreError;

/// Batches as bytes.
pub(crate) fn encode(schema: &Schema, batches: &[RecordBatch]) -> Result<Bytes, StoreError> {
    let bytes: usize = batches.iter().map(RecordBatch::get_array_memory_size).sum();
    let mut writer = StreamWriter::try_new(Cursor::new(Vec::with_capacity(bytes + 1024)), schema).map_err(StoreError::other)?;
    for batch in batches {
        writer.write(batch).map_err(StoreError::other)?;
    }
    let cursor = writer.into_inner().map_err(StoreError::other)?;
    Ok(cursor.into_inner().into())
}

/// The rows of such bytes, as one batch.
pub(crate) fn decode(bytes: Bytes, place: &dyn Fn() -> String) -> Result<RecordBatch, StoreError> {
    let damaged = |error: arrow_schema::ArrowError| StoreError::damaged(place(), format!("its rows cannot be decoded ({error})"));
    let mut decoder = StreamDecoder::new();
    let mut buffer = bytes.into();
    let mut batches = Vec::new();
    while let Some(batch) = decoder.decode(&mut buffer).map_err(damaged)? {
        batches.push(batch);
    }
    match &batches[..] {
        [one] => Ok(one.clone()),
        [] => Err(StoreError::damaged(place(), "there are no rows in it")),
        many => arrow_select::concat::concat_batches(&many[0].schema(), many).map_err(damaged),
    }
}
