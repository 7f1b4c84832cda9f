//! A collection as it would be: the state and, over it, what a plan has changed so far. Invariant: after each item, whether it succeeded or
//! not, uniqueness holds, and an item that failed has left no trace.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::collection::Collection;
use super::document::{Document, ID, fields};
use super::filter::{Filter, Test};
use super::index::Index;
use super::order::Key;
use super::state::{Change, after_drawn};
use super::update::Update;
use super::{DocumentError, Updated};

/// How many documents an item may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    First,
    All,
}

pub(super) struct Draft<'a> {
    name: &'a str,
    base: &'a Collection,
    indexes: Vec<&'a Index>,
    next_id: u64,
    /// What became of the documents that were changed; none if removed.
    staged: BTreeMap<Key, Option<Document>>,
    /// The keys of staged documents in each unique index.
    keys: BTreeMap<(usize, Vec<Key>), BTreeSet<Key>>,
    changes: Vec<Change>,
    /// The item at work: which documents it staged, and what was staged before.
    undo: Vec<(Key, Option<Option<Document>>)>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(name: &'a str, base: &'a Collection, next_id: u64) -> Self {
        let (staged, keys) = (BTreeMap::new(), BTreeMap::new());
        Self { name, base, indexes: base.indexes().collect(), next_id, staged, keys, changes: Vec::new(), undo: Vec::new() }
    }

    pub(super) fn into_changes(self) -> Vec<Change> {
        self.changes
    }

    /// Does one item: all of it, or nothing.
    pub(super) fn item<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, DocumentError>) -> Result<T, DocumentError> {
        let (changes, next_id) = (self.changes.len(), self.next_id);
        let done = work(self).and_then(|done| self.check_unique().map(|()| done));
        let undo = std::mem::take(&mut self.undo);
        if done.is_err() {
            self.changes.truncate(changes);
            self.next_id = next_id;
            undo.into_iter().rev().for_each(|(id, before)| {
                self.stage(id, before);
            });
        }
        done
    }

    pub(super) fn insert(&mut self, value: &Value) -> Result<Value, DocumentError> {
        let mut fields = fields(value)?.clone();
        if !fields.contains_key(ID) {
            fields.insert(ID.to_owned(), Value::from(self.draw()?));
        }
        let document = Document::new(Value::Object(fields))?;
        let id = document.id().clone();
        if self.get(&Key::from(id.clone())).is_some() {
            return Err(DocumentError::DuplicateId { collection: self.name.to_owned(), id });
        }
        self.put(document)?;
        Ok(id)
    }

    pub(super) fn update(&mut self, filter: &Filter, update: &Update, reach: Reach, upsert: bool) -> Result<Updated, DocumentError> {
        filter.check()?;
        update.check()?;
        if reach == Reach::All && matches!(update, Update::Replace(_)) {
            return Err(DocumentError::Update {
                why: "a document replaces one document; use update_one, or operators such as $set".into(),
            });
        }
        let found = self.find(filter, reach);
        if found.is_empty() && upsert {
            let id = self.upsert(filter, update)?;
            return Ok(Updated { matched: 0, modified: 0, upserted: Some(id) });
        }
        let mut modified = 0;
        for document in &found {
            modified += u64::from(self.change(document, update)?);
        }
        Ok(Updated { matched: found.len() as u64, modified, upserted: None })
    }

    pub(super) fn upsert(&mut self, filter: &Filter, update: &Update) -> Result<Value, DocumentError> {
        let mut seed = Update::edit();
        for (path, test) in filter.required() {
            if let Test::Eq(value) = test
                && (matches!(update, Update::Edit(_)) || path.names() == [ID])
            {
                seed = seed.set(path.clone(), value.clone());
            }
        }
        seed.check()?;
        let seeded = seed.applied_to(&Value::Object(Map::new()))?;
        self.insert(&update.applied_to(&seeded)?)
    }

    /// Whether the update made a difference to `document`.
    pub(super) fn change(&mut self, document: &Document, update: &Update) -> Result<bool, DocumentError> {
        let changed = update.applied_to(document.value())?;
        if changed.get(ID).is_none_or(|id| Key::from(id.clone()) != document.key()) {
            return Err(DocumentError::ImmutableId { id: document.id().clone() });
        }
        if changed == *document.value() {
            return Ok(false);
        }
        self.put(Document::new(changed)?)?;
        Ok(true)
    }

    pub(super) fn delete(&mut self, filter: &Filter, reach: Reach) -> Result<u64, DocumentError> {
        filter.check()?;
        let found = self.find(filter, reach);
        found.iter().for_each(|document| self.remove(document.key()));
        Ok(found.len() as u64)
    }

    pub(super) fn remove(&mut self, id: Key) {
        self.changes.push(Change::Remove(id.clone()));
        let before = self.stage(id.clone(), Some(None));
        self.undo.push((id, before));
    }

    fn put(&mut self, document: Document) -> Result<(), DocumentError> {
        if let Some(index) = self.indexes.iter().find(|index| index.spec.is_parallel(document.value())) {
            return Err(DocumentError::ParallelLists { index: index.spec.name.clone(), id: document.id().clone() });
        }
        self.next_id = after_drawn(self.next_id, document.id());
        self.changes.push(Change::Put(document.clone()));
        let id = document.key();
        let before = self.stage(id.clone(), Some(Some(document)));
        self.undo.push((id, before));
        Ok(())
    }

    fn draw(&self) -> Result<u64, DocumentError> {
        if self.next_id > super::state::LAST_DRAWN { Err(DocumentError::IdsExhausted) } else { Ok(self.next_id) }
    }

    pub(super) fn get(&self, id: &Key) -> Option<&Document> {
        match self.staged.get(id) {
            Some(staged) => staged.as_ref(),
            None => self.base.get(id),
        }
    }

    /// The documents that pass, in the order of their `_id`s.
    fn find(&self, filter: &Filter, reach: Reach) -> Vec<Document> {
        let unchanged = self.base.matching(filter).filter(|document| !self.staged.contains_key(&document.key()));
        let staged = self.staged.values().flatten().filter(|document| filter.matches(document.value()));
        let mut found: BTreeMap<Key, &Document> = staged.map(|document| (document.key(), document)).collect();
        let limit = if reach == Reach::First { 1 } else { usize::MAX };
        found.extend(unchanged.take(limit).map(|document| (document.key(), document)));
        found.into_values().take(limit).cloned().collect()
    }

    /// Sets what is staged for `id`, and gives what was.
    fn stage(&mut self, id: Key, now: Option<Option<Document>>) -> Option<Option<Document>> {
        let before = self.staged.remove(&id);
        for (i, index) in self.indexes.iter().enumerate().filter(|(_, index)| index.spec.unique) {
            if let Some(Some(document)) = &before {
                for key in index.spec.keys(document.value()) {
                    if let Some(holders) = self.keys.get_mut(&(i, key)) {
                        holders.remove(&id);
                    }
                }
            }
            if let Some(Some(document)) = &now {
                for key in index.spec.keys(document.value()) {
                    self.keys.entry((i, key)).or_default().insert(id.clone());
                }
            }
        }
        if let Some(now) = now {
            self.staged.insert(id, now);
        }
        before
    }

    /// Whether what the item at work staged has keys of its own, looked at when all of it is staged: keys may wander between documents.
    fn check_unique(&self) -> Result<(), DocumentError> {
        let touched: BTreeSet<&Key> = self.undo.iter().map(|(id, _)| id).collect();
        for (i, index) in self.indexes.iter().enumerate().filter(|(_, index)| index.spec.unique) {
            for id in &touched {
                let Some(Some(document)) = self.staged.get(*id) else { continue };
                for key in index.spec.keys(document.value()) {
                    let unchanged = index.holders(&key).filter(|holder| !self.staged.contains_key(*holder));
                    let staged = self.keys.get(&(i, key.clone())).into_iter().flatten();
                    // Of several, the least, so that it does not matter which of them came with this write.
                    if let Some(holder) = unchanged.chain(staged).filter(|holder| *holder != *id).min() {
                        return Err(duplicate(self.name, index, &key, holder));
                    }
                }
            }
        }
        Ok(())
    }
}

pub(super) fn duplicate(collection: &str, index: &Index, key: &[Key], holder: &Key) -> DocumentError {
    DocumentError::DuplicateKey {
        collection: collection.to_owned(),
        index: index.spec.name.clone(),
        key: key.iter().map(|part| part.value().clone()).collect(),
        holder: holder.value().clone(),
    }
}
