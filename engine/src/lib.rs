//! Stillpoint's engine: actors with mailboxes under a virtual clock that moves only when every actor is at rest.

mod digest;
mod message;
mod path;
mod source;
mod time;

pub use digest::{Digest, digest_of};
pub use message::{Message, Request, canonical_bits};
pub use path::{Name, NameError, Path, Rank};
pub use source::{Source, SourceError, Timed};
pub use time::{Duration, Instant, TimeError};
