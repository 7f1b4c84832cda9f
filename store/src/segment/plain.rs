//! Rows of many commits, copied one behind the other as they are read. Invariant: what comes out is what decoding each piece alone gives, in
//! their order; a piece that cannot be copied so is left to who decodes.
//!
//! Small appends have the same columns and often the same number of rows. What precedes the rows in such a piece is then the same to the last
//! byte, and where each column's values lie follows from it: so it is decoded once, and compared from then on.

use std::ops::Range;

use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, make_array, new_empty_array};
use arrow_buffer::MutableBuffer;
use arrow_schema::SchemaRef;
use bytes::Bytes;

use super::inline::{InlineDecoder, before_rows};
use super::read::{check, fitted, missing};
use super::{Columns, GROUP_ROWS};
use crate::error::StoreError;
use crate::log::BlobRef;
use crate::object::{ObjectReader, Objects};

/// Where the values of columns lie in a piece.
#[derive(Debug)]
struct Layout {
    /// What precedes the rows. Pieces that begin with it and are as long lie the same.
    head: Vec<u8>,
    len: usize,
    rows: usize,
    /// Where the values of each wanted column begin, and how many bytes each has.
    columns: Vec<(usize, usize)>,
}

impl Layout {
    /// Of a piece that `batch` was decoded from. `None`: not every column is of values of one width, all there, that lie in the piece itself
    /// and are of the wanted type.
    fn of(piece: &Bytes, batch: &RecordBatch, wanted: &SchemaRef) -> Option<Self> {
        let is_plain = |column: &ArrayRef| column.data_type().primitive_width().is_some() && column.null_count() == 0;
        if !batch.columns().iter().all(is_plain) {
            return None;
        }
        let columns = wanted.fields().iter().map(|field| {
            let column = batch.column_by_name(field.name()).filter(|column| column.data_type() == field.data_type())?.to_data();
            // The decoder copies nothing that it can use where it lies.
            let from = (column.buffers()[0].as_ptr() as usize).checked_sub(piece.as_ptr() as usize)?;
            let width = field.data_type().primitive_width()?;
            (from + batch.num_rows() * width <= piece.len()).then_some((from, width))
        });
        Some(Self {
            head: before_rows(piece)?.to_vec(),
            len: piece.len(),
            rows: batch.num_rows(),
            columns: columns.collect::<Option<_>>()?,
        })
    }

    fn fits(&self, piece: &[u8]) -> bool {
        piece.len() == self.len && piece.starts_with(&self.head)
    }
}

/// Reads pieces, and hands their rows on in batches of about a row group.
#[derive(Debug)]
pub(crate) struct PlainRows<'a> {
    objects: &'a dyn Objects,
    reader: Box<dyn ObjectReader + 'a>,
    columns: &'a Columns,
    decoder: InlineDecoder,
    layout: Option<Layout>,
    /// The piece that was read last. Pieces take turns in it, so that it stays in the processor's cache.
    piece: Vec<u8>,
    values: Vec<MutableBuffer>,
    /// Rows that are together.
    rows: usize,
    /// No more are to come than these.
    left: usize,
}

type Emit<'a> = &'a mut dyn FnMut(RecordBatch) -> Result<bool, StoreError>;

impl<'a> PlainRows<'a> {
    /// For pieces that have so many rows together, or fewer.
    pub(crate) fn new(objects: &'a dyn Objects, columns: &'a Columns, rows: u64) -> Self {
        let (decoder, left) = (InlineDecoder::default(), rows as usize);
        Self { objects, reader: objects.reader(), columns, decoder, layout: None, piece: Vec::new(), values: Vec::new(), rows: 0, left }
    }

    /// Reads some rows of a piece, from .. to. They may be handed on later: with those of the next, or by [`flush`](Self::flush).
    pub(crate) fn read(&mut self, object: &str, blob: &BlobRef, rows: (u64, u64), emit: Emit<'_>) -> Result<bool, StoreError> {
        let range = blob.offset..blob.offset + blob.len;
        if !self.reader.read(object, range.clone(), &mut self.piece)? {
            return Err(missing(self.objects, object));
        }
        check(self.objects, object, &self.piece, range, blob.digest)?;
        if !self.layout.as_ref().is_some_and(|layout| layout.fits(&self.piece)) {
            let piece = Bytes::from(std::mem::take(&mut self.piece));
            let batch = self.decoder.decode(&piece, &|| self.objects.place(object))?;
            self.layout = Layout::of(&piece, &batch, &self.columns.schema);
            if self.layout.is_none() {
                let rows = within(rows, batch.num_rows());
                let batch = fitted(&batch.slice(rows.start, rows.len()), self.columns, self.objects, object)?;
                return Ok(self.flush(emit)? && (rows.is_empty() || emit(batch)?));
            }
            self.piece = piece.into();
        }
        let Some(rows) = self.layout.as_ref().map(|layout| within(rows, layout.rows)) else { return Ok(true) };
        if self.rows + rows.len() > GROUP_ROWS && !self.flush(emit)? {
            return Ok(false);
        }
        self.append(rows);
        Ok(true)
    }

    /// Copies rows of the piece that was read last behind those before it.
    fn append(&mut self, rows: Range<usize>) {
        let Some(layout) = &self.layout else { return };
        if self.values.is_empty() {
            let room = self.left.min(GROUP_ROWS).max(rows.len());
            self.values = layout.columns.iter().map(|(_, width)| MutableBuffer::with_capacity(width * room)).collect();
        }
        for (values, (from, width)) in self.values.iter_mut().zip(&layout.columns) {
            values.extend_from_slice(&self.piece[from + rows.start * width..from + rows.end * width]);
        }
        self.rows += rows.len();
        self.left = self.left.saturating_sub(rows.len());
    }

    /// Hands on what is together.
    pub(crate) fn flush(&mut self, emit: Emit<'_>) -> Result<bool, StoreError> {
        let rows = std::mem::take(&mut self.rows);
        let columns = self.columns.schema.fields().iter().zip(std::mem::take(&mut self.values));
        if rows == 0 {
            return Ok(true);
        }
        let columns = columns.map(|(field, mut values)| {
            if values.len() < values.capacity() / 2 {
                values.shrink_to_fit();
            }
            let data = new_empty_array(field.data_type()).into_data().into_builder().len(rows).buffers(vec![values.into()]).build();
            data.map(make_array).map_err(StoreError::other)
        });
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        emit(RecordBatch::try_new_with_options(self.columns.schema.clone(), columns, &options).map_err(StoreError::other)?)
    }
}

/// Rows of a piece that has so many.
fn within((from, to): (u64, u64), rows: usize) -> Range<usize> {
    let to = to.min(rows as u64);
    from.min(to) as usize..to as usize
}
