//! Few rows inside a commit: an Arrow IPC stream. Invariant: decoding gives the rows that were encoded.

use std::io::Cursor;

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::Schema;
use bytes::Bytes;

use crate::error::StoreError;
use crate::table::sliced_bytes;

/// Batches as bytes.
pub(crate) fn encode(schema: &Schema, batches: &[RecordBatch]) -> Result<Bytes, StoreError> {
    let bytes: usize = batches.iter().map(sliced_bytes).sum();
    let mut writer = StreamWriter::try_new(Cursor::new(Vec::with_capacity(bytes + 1024)), schema).map_err(StoreError::other)?;
    for batch in batches {
        writer.write(batch).map_err(StoreError::other)?;
    }
    let cursor = writer.into_inner().map_err(StoreError::other)?;
    Ok(cursor.into_inner().into())
}

/// What a stream ends with.
const END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/// Decodes one stream after the other. A schema is decoded again only where it differs from that of the stream before.
#[derive(Debug, Default)]
pub(crate) struct InlineDecoder {
    decoder: StreamDecoder,
    /// The message that the decoder has its schema from.
    schema: Bytes,
}

impl InlineDecoder {
    /// The rows of such bytes, as one batch.
    pub(crate) fn decode(&mut self, bytes: &Bytes, place: &dyn Fn() -> String) -> Result<RecordBatch, StoreError> {
        let damaged = |error: arrow_schema::ArrowError| StoreError::damaged(place(), format!("its rows cannot be decoded ({error})"));
        // Without its end, which would end the streams after this one too.
        let Some(stream) = bytes.strip_suffix(&END).map(|stream| bytes.slice(..stream.len())) else {
            return Err(StoreError::damaged(place(), "its rows do not end where they should"));
        };
        let schema = schema_message(&stream);
        let known = std::mem::take(&mut self.schema);
        let mut rest = match &schema {
            Some(schema) if *schema == known => stream.slice(schema.len()..).into(),
            _ => {
                self.decoder = StreamDecoder::new();
                stream.into()
            }
        };
        let mut batches = Vec::new();
        while let Some(batch) = self.decoder.decode(&mut rest).map_err(damaged)? {
            batches.push(batch);
        }
        let batch = match &batches[..] {
            [one] => one.clone(),
            [] => return Err(StoreError::damaged(place(), "there are no rows in it")),
            many => arrow_select::concat::concat_batches(&many[0].schema(), many).map_err(damaged)?,
        };
        self.schema = schema.unwrap_or_default();
        Ok(batch)
    }
}

/// The first message of a stream, with the marker and the length before it. Messages of schemas have no body.
fn schema_message(stream: &Bytes) -> Option<Bytes> {
    message_end(stream, 0).map(|end| stream.slice(..end))
}

/// What precedes the values of the first batch of a stream that has no dictionaries: messages that say what they are and how they lie.
pub(super) fn before_rows(stream: &[u8]) -> Option<&[u8]> {
    message_end(stream, message_end(stream, 0)?).map(|end| &stream[..end])
}

/// Where a message ends that begins at `start`, with a marker and its length.
fn message_end(stream: &[u8], start: usize) -> Option<usize> {
    let length = u32::from_le_bytes(*stream.get(start + 4..)?.first_chunk()?) as usize;
    let end = start + 8 + length;
    (end <= stream.len()).then_some(end)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, DictionaryArray, Float64Array, types::Int32Type};

    use super::*;

    fn one(name: &str, column: ArrayRef) -> RecordBatch {
        RecordBatch::try_from_iter([(name, column)]).expect("a column")
    }

    /// The decoder goes from one schema to another and back, over texts that repeat and over bytes that are none.
    #[test]
    fn streams_are_decoded_one_after_the_other_as_each_alone() {
        let prices = |values: &[f64]| one("price", Arc::new(Float64Array::from(values.to_vec())));
        let sides = |values: &[&str]| one("side", Arc::new(values.iter().copied().collect::<DictionaryArray<Int32Type>>()));
        let batches = [prices(&[1.0]), prices(&[2.0, 3.0]), sides(&["buy", "sell"]), sides(&["none"]), prices(&[4.0])];
        let mut decoder = InlineDecoder::default();
        for batch in &batches {
            let bytes = encode(&batch.schema(), std::slice::from_ref(batch)).expect("encoded");
            assert_eq!(&decoder.decode(&bytes, &String::new).expect("decoded"), batch);
            for cut in [0, 5, 100, bytes.len() - 100, bytes.len() - 9, bytes.len() - 4] {
                assert!(decoder.decode(&bytes.slice(..cut), &String::new).is_err(), "{cut} bytes of {}", bytes.len());
            }
            assert_eq!(&decoder.decode(&bytes, &String::new).expect("decoded again"), batch);
        }
    }
}
