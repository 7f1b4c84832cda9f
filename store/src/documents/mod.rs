//! Libraries of documents: collections of JSON objects that are found by their fields.
//!
//! [`Documents`] is the state: find, count, distinct and group read it; plans of [`Write`]s and indexes make [`DocumentOp`]s, which
//! [`Documents::apply`] applies. Filters, updates and projections are typed, and in JSON they read like MongoDB's.
//!
//! # What is compared with what
//!
//! [`compare`] is the one order of JSON values: sorting, ranges, groups, indexes and equality use it, so 1 and 1.0 are one value everywhere. A
//! missing field counts as null in filters, sorts, groups and indexes; only `exists` tells them apart.
//!
//! # Identity
//!
//! A document's `_id` is a string or a number and never changes. If none is given, a number is drawn: greater than every number below 2^53
//! that was ever drawn or given in the library, also in collections that were dropped. So a drawn `_id` never meant another document.

mod collection;
mod document;
mod draft;
mod error;
mod filter;
mod filter_form;
mod find;
mod group;
mod index;
mod order;
mod path;
mod projection;
mod state;
mod update;
mod write;

pub use document::{Document, ID};
pub(crate) use document::{is_within, length};
pub use error::DocumentError;
pub use filter::{Field, Filter, Pattern, Test, field};
pub use find::{Direction, Find, Sort};
pub use group::{Aggregate, Group};
pub use index::IndexSpec;
pub use order::{Key, compare};
pub use path::{MAX_DEPTH, Path};
pub use projection::Projection;
pub use state::{Change, CollectionStats, DocumentOp, Documents};
pub use update::{Edit, Update};
pub use write::{Done, Exchanged, OnError, Plan, Updated, Write};
