//! The state of a library of documents, and the operations that change it. Invariant: it is what its operations, applied in order to the
//! empty state, make of it; nothing else goes into it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use stillpoint_engine::Instant;

use super::collection::Collection;
use super::document::{Document, length};
use super::index::IndexSpec;
use super::order::{Key, float, whole};
use super::{DocumentError, Filter};

/// The greatest `_id` that is drawn: the greatest whole number that every reader of JSON keeps exactly, 2^53 - 1.
pub(super) const LAST_DRAWN: u64 = (1 << 53) - 1;

/// Collections of JSON documents.
///
/// The state changes by operations alone: a plan (`plan_write`, `plan_bulk`, ...) looks at it and makes a [`DocumentOp`], which
/// [`Documents::apply`] applies. An operation holds what documents become, not how that was found out, so it means the same for ever.
///
/// ```
/// use serde_json::json;
/// use stillpoint_engine::Instant;
/// use stillpoint_store::documents::{Documents, Find, Write, field};
///
/// let mut state = Documents::default();
/// let (op, _) = state.plan_write("bonds", &Write::insert_many([json!({"issuer": "A", "coupon": 2.5}), json!({"issuer": "B", "coupon": 4})]))?;
/// state.apply(&op.expect("something changes"), Instant::EPOCH);
///
/// let high = state.find("bonds", &Find::matching(field("coupon").gt(3)))?;
/// assert_eq!(high, [json!({"_id": 2, "issuer": "B", "coupon": 4})]);
/// # Ok::<(), stillpoint_store::documents::DocumentError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Documents {
    /// One more than the greatest number drawn or given as an `_id`; 0 before the first.
    next_id: u64,
    collections: BTreeMap<String, Collection>,
}

/// A change of a library of documents, complete in itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentOp {
    /// Documents of one collection change, in this order. The collection is made if it is not there.
    Write {
        /// The collection.
        collection: String,
        /// What becomes of which document.
        changes: Vec<Change>,
    },
    /// An index is made. The collection is made if it is not there.
    CreateIndex {
        /// The collection.
        collection: String,
        /// What the index is over.
        index: IndexSpec,
    },
    /// An index is dropped.
    DropIndex {
        /// The collection.
        collection: String,
        /// The index's name.
        index: String,
    },
    /// A collection is dropped with its documents and indexes.
    DropCollection {
        /// The collection.
        collection: String,
    },
}

/// What becomes of a document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is this from now on, whether there was one with its `_id` or not.
    Put(Document),
    /// The document with this `_id` is no more.
    Remove(Key),
}

/// Sizes of a collection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectionStats {
    /// Documents in it.
    pub documents: u64,
    /// Bytes of all documents as compact JSON.
    pub bytes: u64,
    /// Indexes beside that of `_id`.
    pub indexes: u64,
    /// The commit that last changed it.
    pub changed: Option<Instant>,
}

impl Documents {
    /// Makes the change. `at` is the instant of the commit. On any state it does what it says, as far as that means anything there.
    pub fn apply(&mut self, op: &DocumentOp, at: Instant) {
        match op {
            DocumentOp::Write { collection, changes } => {
                let collection = self.collections.entry(collection.clone()).or_default();
                collection.changed = Some(at);
                for change in changes {
                    match change {
                        Change::Put(document) => {
                            self.next_id = after_drawn(self.next_id, document.id());
                            collection.put(document.clone());
                        }
                        Change::Remove(id) => collection.remove(id),
                    }
                }
            }
            DocumentOp::CreateIndex { collection, index } => {
                let collection = self.collections.entry(collection.clone()).or_default();
                collection.changed = Some(at);
                collection.create_index(index.clone());
            }
            DocumentOp::DropIndex { collection, index } => {
                if let Some(collection) = self.collections.get_mut(collection) {
                    collection.changed = Some(at);
                    collection.drop_index(index);
                }
            }
            DocumentOp::DropCollection { collection } => {
                self.collections.remove(collection);
            }
        }
    }

    /// The names of the collections, sorted.
    pub fn collections(&self) -> impl Iterator<Item = &str> {
        self.collections.keys().map(String::as_str)
    }

    /// Sizes of a collection; nothing if there is none of this name.
    pub fn stats(&self, collection: &str) -> Option<CollectionStats> {
        let collection = self.collections.get(collection)?;
        let indexes = collection.indexes().count() as u64;
        Some(CollectionStats { documents: collection.len() as u64, bytes: collection.bytes(), indexes, changed: collection.changed })
    }

    /// Bytes of all documents as compact JSON; what a quota counts.
    pub fn bytes(&self) -> u64 {
        self.collections.values().map(Collection::bytes).sum()
    }

    /// What [`Documents::bytes`] would be after an operation.
    pub(crate) fn bytes_after(&self, op: &DocumentOp) -> u64 {
        let (DocumentOp::Write { collection, .. } | DocumentOp::DropCollection { collection }) = op else { return self.bytes() };
        let base = self.collections.get(collection);
        let DocumentOp::Write { changes, .. } = op else { return self.bytes() - base.map_or(0, Collection::bytes) };
        // A document may change more than once; what it is last counts.
        let last: BTreeMap<Key, u64> = changes
            .iter()
            .map(|change| match change {
                Change::Put(document) => (document.key(), length(document.value())),
                Change::Remove(id) => (id.clone(), 0),
            })
            .collect();
        let before = last.keys().filter_map(|id| base?.get(id)).map(|document| length(document.value())).sum::<u64>();
        self.bytes() - before + last.values().sum::<u64>()
    }

    /// The indexes of a collection, sorted by name. That of `_id` is always there and not among them.
    pub fn indexes(&self, collection: &str) -> Vec<IndexSpec> {
        self.collections
            .get(collection)
            .map(|collection| collection.indexes().map(|index| index.spec.clone()).collect())
            .unwrap_or_default()
    }

    /// The index that a search by `filter` uses; nothing if it uses `_id` or looks at every document.
    pub fn explain(&self, collection: &str, filter: &Filter) -> Option<&str> {
        self.collections.get(collection)?.best(filter).map(|(index, _)| index.spec.name.as_str())
    }

    pub(super) fn collection(&self, name: &str) -> Option<&Collection> {
        self.collections.get(name)
    }

    /// The number that is drawn next.
    pub(super) fn next_id(&self) -> u64 {
        self.next_id.max(1)
    }
}

/// The number to draw next when `id` was used: greater than all that were drawn or given before, as far as they can be drawn.
pub(super) fn after_drawn(next: u64, id: &Value) -> u64 {
    let Value::Number(number) = id else { return next };
    let floor = whole(number).unwrap_or_else(|| float(number).floor() as i128);
    match u64::try_from(floor) {
        Ok(used) if used <= LAST_DRAWN => next.max(used + 1),
        _ => next,
    }
}

pub(super) fn check_name(name: &str) -> Result<(), DocumentError> {
    let why = if name.is_empty() {
        "it is empty"
    } else if name.len() > 255 {
        "it is longer than 255 bytes"
    } else if name.chars().any(char::is_control) {
        "it contains a control character"
    } else {
        return Ok(());
    };
    Err(DocumentError::Collection { name: name.to_owned(), why })
}
