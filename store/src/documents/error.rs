//! What can be wrong with an operation on documents. Invariant: whoever gets one of these has changed nothing.

use std::fmt;

use serde_json::Value;

use super::path::MAX_DEPTH;

/// Why an operation on documents was refused. Nothing was changed.
#[derive(Clone, Debug, PartialEq)]
pub enum DocumentError {
    /// Not the name of a collection.
    Collection {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A document must be a JSON object.
    NotAnObject {
        /// What it is instead.
        found: &'static str,
    },
    /// An `_id` that cannot be one.
    Id {
        /// The `_id`.
        id: Value,
    },
    /// The `_id` is taken.
    DuplicateId {
        /// The collection.
        collection: String,
        /// The `_id`.
        id: Value,
    },
    /// All numbers that can be drawn as an `_id` were drawn or given.
    IdsExhausted,
    /// A text that is no path.
    Path {
        /// The text.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// A field whose name no path could reach.
    FieldName {
        /// The name.
        name: String,
    },
    /// A document that is nested too deep.
    TooDeep,
    /// A JSON value that is no filter.
    Filter {
        /// Where in the filter.
        place: String,
        /// What is wrong there.
        why: String,
    },
    /// A regular expression that is none.
    Pattern {
        /// The expression.
        pattern: String,
        /// What the parser said.
        why: String,
    },
    /// A JSON value that is no update.
    Update {
        /// What is wrong.
        why: String,
    },
    /// Two changes of one update meet in one field.
    Conflict {
        /// The one path.
        path: String,
        /// The other.
        other: String,
    },
    /// A change that this document does not admit.
    Edit {
        /// The document's `_id`; null if it would be a new one.
        id: Value,
        /// The field.
        path: String,
        /// Why not.
        why: String,
    },
    /// An update would have changed an `_id`.
    ImmutableId {
        /// The document's `_id`.
        id: Value,
    },
    /// A unique index has the key already.
    DuplicateKey {
        /// The collection.
        collection: String,
        /// The index.
        index: String,
        /// The key, one value for each path of the index.
        key: Value,
        /// The `_id` of the document that has it.
        holder: Value,
    },
    /// Several paths of one index lead to lists in one document.
    ParallelLists {
        /// The index.
        index: String,
        /// The document's `_id`.
        id: Value,
    },
    /// There is another index of this name.
    IndexExists {
        /// The collection.
        collection: String,
        /// The index.
        index: String,
    },
    /// There is no such index.
    NoIndex {
        /// The collection.
        collection: String,
        /// The index.
        index: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// An index needs at least one path, and each once.
    IndexPaths {
        /// The index.
        index: String,
    },
    /// An inclusion and an exclusion in one projection.
    Projection {
        /// What is wrong.
        why: String,
    },
    /// A sum beyond the numbers that JSON can hold.
    Overflow {
        /// The field of the result.
        field: String,
        /// The group's key.
        group: Value,
    },
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Collection { name, why } => write!(f, "`{name}` cannot name a collection: {why}; use 1 to 255 bytes of visible text"),
            Self::NotAnObject { found } => write!(f, "a document is a JSON object, not {found}; put the value into a field"),
            Self::Id { id } => write!(f, "`_id` {id} is neither a string nor a number; leave it out to have a number drawn"),
            Self::DuplicateId { collection, id } => {
                write!(
                    f,
                    "collection `{collection}` has a document with `_id` {id} already; update it, or leave `_id` out to have one drawn"
                )
            }
            Self::IdsExhausted => {
                write!(
                    f,
                    "no number is left to be drawn as `_id`, since one just below 2^53 was given as such; give every document an `_id`"
                )
            }
            Self::Path { path, why } => write!(f, "`{path}` is no path: {why}; write names joined by dots, such as \"venue.fees.maker\""),
            Self::FieldName { name } => {
                write!(f, "no path could reach the field `{name}`; names may not be empty, begin with `$` or contain a dot, so rename it")
            }
            Self::TooDeep => write!(f, "the document is nested deeper than {MAX_DEPTH} levels; make it flatter"),
            Self::Filter { place, why } if place.is_empty() => write!(f, "the filter is none: {why}"),
            Self::Filter { place, why } => write!(f, "the filter is none at `{place}`: {why}"),
            Self::Pattern { pattern, why } => write!(f, "`{pattern}` is no regular expression: {why}"),
            Self::Update { why } => write!(f, "the update is none: {why}"),
            Self::Conflict { path, other } => {
                write!(f, "the update changes `{path}` and `{other}`, which meet in one field; put them into two updates")
            }
            Self::Edit { id, path, why } if id.is_null() => write!(f, "field `{path}` of the new document cannot be changed so: {why}"),
            Self::Edit { id, path, why } => write!(f, "field `{path}` of document {id} cannot be changed so: {why}"),
            Self::ImmutableId { id } => {
                write!(f, "the update would change `_id` {id}, which stays for ever; insert a copy and delete the old document")
            }
            Self::DuplicateKey { collection, index, key, holder } => write!(
                f,
                "document {holder} of collection `{collection}` has {key} in the unique index `{index}` already; change one of them, or drop the index"
            ),
            Self::ParallelLists { index, id } => {
                write!(f, "document {id} has several values for more than one path of index `{index}`; make an index of each path instead")
            }
            Self::IndexExists { collection, index } => {
                write!(f, "collection `{collection}` has another index `{index}` already; drop it first, or use another name")
            }
            Self::NoIndex { collection, index, known } => {
                write!(
                    f,
                    "collection `{collection}` has no index `{index}`; it has: {}",
                    if known.is_empty() { "none".into() } else { known.join(", ") }
                )
            }
            Self::IndexPaths { index } => write!(f, "index `{index}` needs at least one path, and each path once"),
            Self::Projection { why } => write!(f, "the projection is none: {why}"),
            Self::Overflow { field, group } => {
                write!(f, "`{field}` of group {group} is beyond the greatest number; scale the values, or filter them")
            }
        }
    }
}

impl std::error::Error for DocumentError {}
