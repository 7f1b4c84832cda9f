//! The documents of one collection and their indexes. Invariant: every index holds every document, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use stillpoint_engine::Instant;

use super::Path;
use super::document::{Document, ID, length};
use super::filter::{Filter, Test};
use super::index::{Index, IndexSpec, Piece};
use super::order::Key;

/// The documents of one collection and their indexes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Collection {
    documents: BTreeMap<Key, Document>,
    indexes: BTreeMap<String, Index>,
    bytes: u64,
    pub(super) changed: Option<Instant>,
}

impl Collection {
    pub(super) fn len(&self) -> usize {
        self.documents.len()
    }

    /// Bytes of all documents as compact JSON.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn get(&self, id: &Key) -> Option<&Document> {
        self.documents.get(id)
    }

    pub(super) fn indexes(&self) -> impl Iterator<Item = &Index> {
        self.indexes.values()
    }

    pub(super) fn index(&self, name: &str) -> Option<&Index> {
        self.indexes.get(name)
    }

    /// Puts `document` in the place of the one with its `_id`, if there is one.
    pub(super) fn put(&mut self, document: Document) {
        let id = document.key();
        self.remove(&id);
        self.bytes += length(document.value());
        self.indexes.values_mut().for_each(|index| index.insert(&id, document.value()));
        self.documents.insert(id, document);
    }

    pub(super) fn remove(&mut self, id: &Key) {
        if let Some(document) = self.documents.remove(id) {
            self.bytes -= length(document.value());
            self.indexes.values_mut().for_each(|index| index.remove(id, document.value()));
        }
    }

    pub(super) fn create_index(&mut self, spec: IndexSpec) {
        let index = self.indexed(spec);
        self.indexes.insert(index.spec.name.clone(), index);
    }

    pub(super) fn drop_index(&mut self, name: &str) {
        self.indexes.remove(name);
    }

    /// An index of `spec` over all documents.
    pub(super) fn indexed(&self, spec: IndexSpec) -> Index {
        let mut index = Index::new(spec);
        self.documents.iter().for_each(|(id, document)| index.insert(id, document.value()));
        index
    }

    /// All documents in the order of their `_id`s.
    pub(super) fn documents(&self) -> impl Iterator<Item = &Document> {
        self.documents.values()
    }

    /// The documents that pass `filter`, in the order of their `_id`s, whichever way they are found.
    pub(super) fn matching<'a>(&'a self, filter: &'a Filter) -> Box<dyn Iterator<Item = &'a Document> + 'a> {
        let passes = move |document: &&Document| filter.matches(document.value());
        match self.narrowed(filter) {
            Some(ids) => Box::new(ids.into_iter().filter_map(|id| self.get(&id)).filter(passes)),
            None => Box::new(self.documents.values().filter(passes)),
        }
    }

    /// A few documents among which are all that pass, if `_id` or an index tells.
    fn narrowed(&self, filter: &Filter) -> Option<BTreeSet<Key>> {
        let id = Path::new(ID);
        let by_id = filter.required().into_iter().find_map(|(path, test)| match test {
            Test::Eq(value) if *path == id => Some(BTreeSet::from([Key::from(value.clone())])),
            Test::In(values) if *path == id => Some(values.iter().cloned().map(Key::from).collect()),
            _ => None,
        });
        by_id.or_else(|| {
            let (index, pieces) = self.best(filter)?;
            Some(pieces.iter().flat_map(|piece| index.in_piece(piece)).cloned().collect())
        })
    }

    /// The index of which `filter` uses most; among equals the first by name.
    pub(super) fn best(&self, filter: &Filter) -> Option<(&Index, Vec<Piece>)> {
        let mut best: Option<(usize, &Index, Vec<Piece>)> = None;
        for index in self.indexes.values() {
            if let Some((used, pieces)) = index.pieces(filter)
                && best.as_ref().is_none_or(|(most, _, _)| used > *most)
            {
                best = Some((used, index, pieces));
            }
        }
        best.map(|(_, index, pieces)| (index, pieces))
    }
}

/// What is written of a collection; its trees are made again from it.
#[derive(Deserialize)]
struct Saved {
    documents: Vec<Document>,
    indexes: Vec<IndexSpec>,
    changed: Option<Instant>,
}

impl Serialize for Collection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut saved = serializer.serialize_struct("Collection", 3)?;
        saved.serialize_field("documents", &self.documents.values().collect::<Vec<_>>())?;
        saved.serialize_field("indexes", &self.indexes.values().map(|index| &index.spec).collect::<Vec<_>>())?;
        saved.serialize_field("changed", &self.changed)?;
        saved.end()
    }
}

impl<'de> Deserialize<'de> for Collection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Saved { documents, indexes, changed } = Saved::deserialize(deserializer)?;
        let mut collection = Self { changed, ..Self::default() };
        documents.into_iter().for_each(|document| collection.put(document));
        indexes.into_iter().for_each(|spec| collection.create_index(spec));
        Ok(collection)
    }
}
