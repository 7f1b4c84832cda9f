//! Plans: what operation would do what is asked for, and what comes out. Invariant: planning changes nothing, and what it gives can be
//! applied to the state that was looked at.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::collection::Collection;
use super::document::Document;
use super::draft::{Draft, Reach, duplicate};
use super::find::Sort;
use super::index::IndexSpec;
use super::state::{DocumentOp, Documents, check_name};
use super::{DocumentError, Filter, Update};

/// The operation to commit, none if nothing would change, and what comes out.
pub type Plan<T> = Result<(Option<DocumentOp>, T), DocumentError>;

/// One thing to do with the documents of a collection: all of it is done, or nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    /// Inserts a document. Without `_id` it gets a number.
    InsertOne {
        /// The document.
        document: Value,
    },
    /// Inserts documents.
    InsertMany {
        /// The documents.
        documents: Vec<Value>,
    },
    /// Updates the first document that passes, by `_id`.
    UpdateOne {
        /// Which.
        filter: Filter,
        /// How.
        update: Update,
        /// If there is none, whether to insert one of the values that the filter asks for by `$eq`, updated.
        #[serde(default)]
        upsert: bool,
    },
    /// Updates all documents that pass.
    UpdateMany {
        /// Which.
        filter: Filter,
        /// How; not by another document.
        update: Update,
        /// If there is none, whether to insert one of the values that the filter asks for by `$eq`, updated.
        #[serde(default)]
        upsert: bool,
    },
    /// Deletes the first document that passes, by `_id`.
    DeleteOne {
        /// Which.
        filter: Filter,
    },
    /// Deletes all documents that pass.
    DeleteMany {
        /// Which.
        filter: Filter,
    },
}

impl Write {
    /// Inserts `document`.
    pub fn insert_one(document: Value) -> Self {
        Self::InsertOne { document }
    }

    /// Inserts `documents`.
    pub fn insert_many(documents: impl IntoIterator<Item = Value>) -> Self {
        Self::InsertMany { documents: documents.into_iter().collect() }
    }

    /// Updates the first document that passes.
    pub fn update_one(filter: Filter, update: Update) -> Self {
        Self::UpdateOne { filter, update, upsert: false }
    }

    /// Updates all documents that pass.
    pub fn update_many(filter: Filter, update: Update) -> Self {
        Self::UpdateMany { filter, update, upsert: false }
    }

    /// Deletes the first document that passes.
    pub fn delete_one(filter: Filter) -> Self {
        Self::DeleteOne { filter }
    }

    /// Deletes all documents that pass.
    pub fn delete_many(filter: Filter) -> Self {
        Self::DeleteMany { filter }
    }

    /// Lets an update insert a document if it finds none. Other writes stay as they are.
    #[must_use]
    pub fn or_insert(self) -> Self {
        match self {
            Self::UpdateOne { filter, update, .. } => Self::UpdateOne { filter, update, upsert: true },
            Self::UpdateMany { filter, update, .. } => Self::UpdateMany { filter, update, upsert: true },
            other => other,
        }
    }
}

/// What came out of a write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// Documents with these `_id`s were inserted.
    Inserted(Vec<Value>),
    /// Documents were updated.
    Updated(Updated),
    /// So many documents were deleted.
    Deleted(u64),
}

/// What came out of an update.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Updated {
    /// Documents that passed the filter.
    pub matched: u64,
    /// Those among them to which it made a difference.
    pub modified: u64,
    /// The `_id` of the document that was inserted, since none passed.
    pub upserted: Option<Value>,
}

/// What a bulk does after an item that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// Ends there; what was done before it stays done.
    #[default]
    Stop,
    /// Goes on with the next item.
    Continue,
}

/// A document before and after it was changed: none before an insertion, none after a deletion, none at all if none was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exchanged {
    /// As it was.
    pub before: Option<Document>,
    /// As it is.
    pub after: Option<Document>,
}

impl Documents {
    /// Plans one write.
    ///
    /// # Errors
    /// Whatever the write breaks: a taken `_id`, a unique index, a field that does not admit the change.
    pub fn plan_write(&self, collection: &str, write: &Write) -> Plan<Done> {
        self.drafted(collection, |draft| draft.item(|draft| perform(draft, write)))
    }

    /// Plans writes in their order, each of which sees what those before it did. All that succeed are one operation. The results are those
    /// of the items in order; after one that failed, `on_error` says whether others follow.
    ///
    /// # Errors
    /// A name that no collection can have. What an item breaks is that item's result.
    pub fn plan_bulk(&self, collection: &str, writes: &[Write], on_error: OnError) -> Plan<Vec<Result<Done, DocumentError>>> {
        self.drafted(collection, |draft| {
            let mut results = Vec::with_capacity(writes.len());
            for write in writes {
                let result = draft.item(|draft| perform(draft, write));
                let ends = result.is_err() && on_error == OnError::Stop;
                results.push(result);
                if ends {
                    break;
                }
            }
            Ok(results)
        })
    }

    /// Plans an update of the first document that passes, by `sort`, and gives it as it was and as it is. `upsert` as in [`Write::UpdateOne`].
    ///
    /// # Errors
    /// As for [`Documents::plan_write`].
    pub fn plan_find_one_and_update(
        &self,
        collection: &str,
        filter: &Filter,
        sort: &Sort,
        update: &Update,
        upsert: bool,
    ) -> Plan<Exchanged> {
        update.check()?;
        let before = self.first(collection, filter, sort)?;
        self.drafted(collection, |draft| {
            draft.item(|draft| {
                let after = match &before {
                    Some(document) => {
                        draft.change(document, update)?;
                        draft.get(&document.key()).cloned()
                    }
                    None if upsert => {
                        let id = draft.upsert(filter, update)?;
                        draft.get(&id.into()).cloned()
                    }
                    None => None,
                };
                Ok(Exchanged { before: before.clone(), after })
            })
        })
    }

    /// Plans the deletion of the first document that passes, by `sort`, and gives it.
    ///
    /// # Errors
    /// A text in the filter or the sort that is no path.
    pub fn plan_find_one_and_delete(&self, collection: &str, filter: &Filter, sort: &Sort) -> Plan<Exchanged> {
        let before = self.first(collection, filter, sort)?;
        self.drafted(collection, |draft| {
            draft.item(|draft| {
                before.iter().for_each(|document| draft.remove(document.key()));
                Ok(Exchanged { before: before.clone(), after: None })
            })
        })
    }

    /// Plans an index. The same one again changes nothing.
    ///
    /// # Errors
    /// Another index has the name; it is unique and two documents have a key in common; a document has lists at two of its paths.
    pub fn plan_create_index(&self, collection: &str, spec: &IndexSpec) -> Plan<()> {
        check_name(collection)?;
        spec.check()?;
        if let Some(base) = self.collection(collection) {
            match base.index(&spec.name) {
                Some(index) if index.spec == *spec => return Ok((None, ())),
                Some(_) => return Err(DocumentError::IndexExists { collection: collection.to_owned(), index: spec.name.clone() }),
                None => fits(collection, base, spec)?,
            }
        }
        Ok((Some(DocumentOp::CreateIndex { collection: collection.to_owned(), index: spec.clone() }), ()))
    }

    /// Plans to drop an index.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn plan_drop_index(&self, collection: &str, index: &str) -> Plan<()> {
        let (collection, index) = (collection.to_owned(), index.to_owned());
        let known: Vec<String> = self.indexes(&collection).into_iter().map(|spec| spec.name).collect();
        if !known.contains(&index) {
            return Err(DocumentError::NoIndex { collection, index, known });
        }
        Ok((Some(DocumentOp::DropIndex { collection, index }), ()))
    }

    /// Plans to drop a collection, with its documents and indexes; says whether there is one.
    ///
    /// # Errors
    /// None; the same shape as the other plans.
    pub fn plan_drop_collection(&self, collection: &str) -> Plan<bool> {
        let op = self.collection(collection).map(|_| DocumentOp::DropCollection { collection: collection.to_owned() });
        let exists = op.is_some();
        Ok((op, exists))
    }

    fn drafted<T>(&self, name: &str, work: impl FnOnce(&mut Draft<'_>) -> Result<T, DocumentError>) -> Plan<T> {
        check_name(name)?;
        let empty = Collection::default();
        let mut draft = Draft::new(name, self.collection(name).unwrap_or(&empty), self.next_id());
        let done = work(&mut draft)?;
        let changes = draft.into_changes();
        let op = (!changes.is_empty()).then(|| DocumentOp::Write { collection: name.to_owned(), changes });
        Ok((op, done))
    }
}

fn perform(draft: &mut Draft<'_>, write: &Write) -> Result<Done, DocumentError> {
    match write {
        Write::InsertOne { document } => Ok(Done::Inserted(vec![draft.insert(document)?])),
        Write::InsertMany { documents } => {
            documents.iter().map(|document| draft.insert(document)).collect::<Result<_, _>>().map(Done::Inserted)
        }
        Write::UpdateOne { filter, update, upsert } => draft.update(filter, update, Reach::First, *upsert).map(Done::Updated),
        Write::UpdateMany { filter, update, upsert } => draft.update(filter, update, Reach::All, *upsert).map(Done::Updated),
        Write::DeleteOne { filter } => draft.delete(filter, Reach::First).map(Done::Deleted),
        Write::DeleteMany { filter } => draft.delete(filter, Reach::All).map(Done::Deleted),
    }
}

/// Whether an index of `spec` can be over the documents of `base`.
fn fits(collection: &str, base: &Collection, spec: &IndexSpec) -> Result<(), DocumentError> {
    if let Some(document) = base.documents().find(|document| spec.is_parallel(document.value())) {
        return Err(DocumentError::ParallelLists { index: spec.name.clone(), id: document.id().clone() });
    }
    let index = base.indexed(spec.clone());
    match index.shared() {
        Some((key, holder, _)) if spec.unique => Err(duplicate(collection, &index, key, holder)),
        _ => Ok(()),
    }
}
