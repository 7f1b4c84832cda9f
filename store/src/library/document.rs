//! The document library: collections of JSON objects, found by their fields. Invariant: what a call did is one commit, and every handle on the
//! library, in this process or another, sees it from then on.

use std::sync::Arc;

use serde_json::Value;
use stillpoint_engine::Duration;

use super::compact::Swept;
use super::kept::{Kept, Measured};
use crate::documents::{
    CollectionStats, DocumentError, DocumentOp, Documents, Done, Exchanged, Filter, Find, Group, IndexSpec, OnError, Path, Sort, Update,
    Updated, Write,
};
use crate::error::StoreError;
use crate::log::{BlobRef, Stamp, State};

impl State for Documents {
    type Op = DocumentOp;
    type Tip = ();

    fn apply(&mut self, op: &DocumentOp, stamp: Stamp, _: Option<&BlobRef>) {
        Documents::apply(self, op, stamp.at);
    }
}

impl Measured for Documents {
    fn bytes(&self) -> u64 {
        Documents::bytes(self)
    }

    fn bytes_after(&self, op: &DocumentOp) -> u64 {
        Documents::bytes_after(self, op)
    }
}

/// A library of documents. Clones are the same library; see [`documents`](crate::documents) for filters, updates and groups.
///
/// ```
/// use serde_json::json;
/// use stillpoint_store::documents::{Filter, Find, Group, IndexSpec, Update, field};
/// use stillpoint_store::{Kind, Store};
///
/// let store = Store::memory()?;
/// store.create("reference", Kind::Document)?;
/// let reference = store.documents("reference")?;
/// reference.create_index("bonds", &IndexSpec::over(["isin"]).unique())?;
/// reference.insert("bonds", json!({"isin": "DE01", "coupon": 2.5}))?;
/// reference.insert("bonds", json!({"isin": "DE02", "coupon": 4.0}))?;
/// assert!(reference.insert("bonds", json!({"isin": "DE01"})).is_err(), "the index is unique");
///
/// reference.update("bonds", &field("isin").eq("DE02"), &Update::edit().set("coupon", 4.5))?;
/// assert_eq!(reference.find("bonds", &Find::matching(field("coupon").gt(3)))?, [json!({"_id": 2, "isin": "DE02", "coupon": 4.5})]);
/// let sums = reference.group("bonds", &Filter::everything(), &Group::all().sum("coupons", "coupon"))?;
/// assert_eq!(sums[0]["coupons"], json!(7.0));
/// # Ok::<(), stillpoint_store::StoreError>(())
/// ```
#[derive(Clone, Debug)]
pub struct DocumentLibrary(pub(crate) Arc<Kept<Documents>>);

impl DocumentLibrary {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Inserts a document, and gives its `_id`: a number is drawn if it has none.
    ///
    /// # Errors
    /// [`StoreError::Document`] if the `_id` or a key of a unique index is taken, or it is no document; [`StoreError::QuotaExceeded`].
    pub fn insert(&self, collection: &str, document: Value) -> Result<Value, StoreError> {
        match self.write(collection, &Write::insert_one(document))? {
            Done::Inserted(mut ids) if ids.len() == 1 => Ok(ids.remove(0)),
            other => unreachable!("one insertion came to {other:?}"),
        }
    }

    /// Inserts documents, all or none of them, and gives their `_id`s in order.
    ///
    /// # Errors
    /// As [`DocumentLibrary::insert`].
    pub fn insert_many(&self, collection: &str, documents: impl IntoIterator<Item = Value>) -> Result<Vec<Value>, StoreError> {
        match self.write(collection, &Write::insert_many(documents))? {
            Done::Inserted(ids) => Ok(ids),
            other => unreachable!("insertions came to {other:?}"),
        }
    }

    /// Updates all documents that pass.
    ///
    /// # Errors
    /// [`StoreError::Document`] if the update does not fit a document or breaks a unique index; [`StoreError::QuotaExceeded`].
    pub fn update(&self, collection: &str, filter: &Filter, update: &Update) -> Result<Updated, StoreError> {
        self.updated(collection, &Write::update_many(filter.clone(), update.clone()))
    }

    /// Updates the first document that passes, by `_id`.
    ///
    /// # Errors
    /// As [`DocumentLibrary::update`].
    pub fn update_one(&self, collection: &str, filter: &Filter, update: &Update) -> Result<Updated, StoreError> {
        self.updated(collection, &Write::update_one(filter.clone(), update.clone()))
    }

    /// As [`DocumentLibrary::update_one`]; if none passes, one of the values that the filter asks for is inserted, updated.
    ///
    /// # Errors
    /// As [`DocumentLibrary::update`].
    pub fn upsert(&self, collection: &str, filter: &Filter, update: &Update) -> Result<Updated, StoreError> {
        self.updated(collection, &Write::update_one(filter.clone(), update.clone()).or_insert())
    }

    fn updated(&self, collection: &str, write: &Write) -> Result<Updated, StoreError> {
        match self.write(collection, write)? {
            Done::Updated(updated) => Ok(updated),
            other => unreachable!("an update came to {other:?}"),
        }
    }

    /// Deletes all documents that pass, and tells how many.
    ///
    /// # Errors
    /// [`StoreError::Document`] for a filter that is none.
    pub fn delete(&self, collection: &str, filter: &Filter) -> Result<u64, StoreError> {
        self.deleted(collection, &Write::delete_many(filter.clone()))
    }

    /// Deletes the first document that passes, by `_id`, and tells whether there was one.
    ///
    /// # Errors
    /// As [`DocumentLibrary::delete`].
    pub fn delete_one(&self, collection: &str, filter: &Filter) -> Result<bool, StoreError> {
        Ok(self.deleted(collection, &Write::delete_one(filter.clone()))? > 0)
    }

    fn deleted(&self, collection: &str, write: &Write) -> Result<u64, StoreError> {
        match self.write(collection, write)? {
            Done::Deleted(count) => Ok(count),
            other => unreachable!("a deletion came to {other:?}"),
        }
    }

    /// Does one write: all of it, or nothing.
    ///
    /// # Errors
    /// As [`DocumentLibrary::insert`], [`DocumentLibrary::update`], [`DocumentLibrary::delete`].
    pub fn write(&self, collection: &str, write: &Write) -> Result<Done, StoreError> {
        let (collection, write) = (collection.to_owned(), write.clone());
        self.0.change(move |state, _| state.plan_write(&collection, &write))
    }

    /// Does writes in their order, each of which sees what those before it did, in one commit; those that fail are left out, and `on_error`
    /// says whether others follow. The results are those of the writes in order.
    ///
    /// # Errors
    /// A name that no collection can have; [`StoreError::QuotaExceeded`] for all of them. What one write breaks is its own result.
    pub fn bulk(&self, collection: &str, writes: &[Write], on_error: OnError) -> Result<Vec<Result<Done, DocumentError>>, StoreError> {
        let (collection, writes) = (collection.to_owned(), writes.to_vec());
        self.0.change(move |state, _| state.plan_bulk(&collection, &writes, on_error))
    }

    /// Updates the first document that passes, by `sort`, and gives it as it was and as it is. `upsert`: as [`DocumentLibrary::upsert`].
    ///
    /// # Errors
    /// As [`DocumentLibrary::update`].
    pub fn find_one_and_update(
        &self,
        collection: &str,
        filter: &Filter,
        sort: &Sort,
        update: &Update,
        upsert: bool,
    ) -> Result<Exchanged, StoreError> {
        let (collection, filter, sort, update) = (collection.to_owned(), filter.clone(), sort.clone(), update.clone());
        self.0.change(move |state, _| state.plan_find_one_and_update(&collection, &filter, &sort, &update, upsert))
    }

    /// Deletes the first document that passes, by `sort`, and gives it.
    ///
    /// # Errors
    /// As [`DocumentLibrary::delete`].
    pub fn find_one_and_delete(&self, collection: &str, filter: &Filter, sort: &Sort) -> Result<Exchanged, StoreError> {
        let (collection, filter, sort) = (collection.to_owned(), filter.clone(), sort.clone());
        self.0.change(move |state, _| state.plan_find_one_and_delete(&collection, &filter, &sort))
    }

    /// Makes an index. The same one again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Document`] if another index has its name, or it is unique and two documents have a key in common.
    pub fn create_index(&self, collection: &str, index: &IndexSpec) -> Result<(), StoreError> {
        let (collection, index) = (collection.to_owned(), index.clone());
        self.0.change(move |state, _| state.plan_create_index(&collection, &index))
    }

    /// Drops an index.
    ///
    /// # Errors
    /// [`StoreError::Document`] if there is none of this name.
    pub fn drop_index(&self, collection: &str, index: &str) -> Result<(), StoreError> {
        let (collection, index) = (collection.to_owned(), index.to_owned());
        self.0.change(move |state, _| state.plan_drop_index(&collection, &index))
    }

    /// Drops a collection with its documents and indexes, and tells whether there was one.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn drop_collection(&self, collection: &str) -> Result<bool, StoreError> {
        let collection = collection.to_owned();
        self.0.change(move |state, _| state.plan_drop_collection(&collection))
    }

    /// The documents that a search finds. A collection that is not there has none.
    ///
    /// # Errors
    /// [`StoreError::Document`] for a text in it that is no path, or a projection that is none.
    pub fn find(&self, collection: &str, find: &Find) -> Result<Vec<Value>, StoreError> {
        Ok(self.0.read(|state| state.find(collection, find))??)
    }

    /// The first document that a search finds.
    ///
    /// # Errors
    /// As [`DocumentLibrary::find`].
    pub fn find_one(&self, collection: &str, find: &Find) -> Result<Option<Value>, StoreError> {
        Ok(self.0.read(|state| state.find_one(collection, find))??)
    }

    /// How many documents pass.
    ///
    /// # Errors
    /// As [`DocumentLibrary::find`].
    pub fn count(&self, collection: &str, filter: &Filter) -> Result<u64, StoreError> {
        Ok(self.0.read(|state| state.count(collection, filter))??)
    }

    /// The different values at `path` in the documents that pass, sorted; of a list, those of its elements.
    ///
    /// # Errors
    /// As [`DocumentLibrary::find`].
    pub fn distinct(&self, collection: &str, path: impl Into<Path>, filter: &Filter) -> Result<Vec<Value>, StoreError> {
        Ok(self.0.read(|state| state.distinct(collection, path, filter))??)
    }

    /// The documents that pass, in groups, sorted by key, with sums and the like of each.
    ///
    /// # Errors
    /// [`StoreError::Document`] for a text that is no path, or a sum beyond all numbers.
    pub fn group(&self, collection: &str, filter: &Filter, group: &Group) -> Result<Vec<Value>, StoreError> {
        Ok(self.0.read(|state| state.group(collection, filter, group))??)
    }

    /// The indexes of a collection, by name. That of `_id` is always there and not among them.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn indexes(&self, collection: &str) -> Result<Vec<IndexSpec>, StoreError> {
        self.0.read(|state| state.indexes(collection))
    }

    /// The index that a search by `filter` uses; none if it uses `_id` or looks at every document.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn explain(&self, collection: &str, filter: &Filter) -> Result<Option<String>, StoreError> {
        self.0.read(|state| state.explain(collection, filter).map(str::to_owned))
    }

    /// The names of the collections, in order.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn collections(&self) -> Result<Vec<String>, StoreError> {
        self.0.read(|state| state.collections().map(str::to_owned).collect())
    }

    /// Sizes of a collection; `None` if there is none of this name.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn stats(&self, collection: &str) -> Result<Option<CollectionStats>, StoreError> {
        self.0.read(|state| state.stats(collection))
    }

    /// Bytes of all documents as compact JSON: what the quota counts.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn bytes(&self) -> Result<u64, StoreError> {
        self.0.read(Documents::bytes)
    }

    /// Whether it is nearly full: what it holds, and its quota, in bytes, from 90 % on.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn nearly_full(&self) -> Result<Option<(u64, u64)>, StoreError> {
        self.0.nearly_full()
    }

    /// Makes a checkpoint, and removes commits for which older ones have stood for so long. Zero is right only if nobody else has the store open.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn sweep(&self, grace: Duration) -> Result<Swept, StoreError> {
        self.0.sweep(grace)
    }
}
