//! Libraries of chunks: tables cut by time, so that a part can be read or replaced alone.

mod chunker;
mod error;
mod split;

pub use chunker::{Calendar, Chunker, Chunkers, Named, Span, Spans};
pub use error::ChunkError;
pub use split::{Chunk, outside, split, within};
