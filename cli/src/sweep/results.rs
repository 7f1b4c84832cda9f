//! Where results are kept: documents in a store, each under the key of its run. Invariant: a result is there whole or not at all, and one that was
//! told is on the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value as Json, json};
use stillpoint_store::documents::{Find, OnError, Write, field};
use stillpoint_store::{DocumentLibrary, Kind, Store, StoreError};

use super::job::{Came, Task};
use super::ran::Ran;
use super::space::{Parameter, Set};

const LIBRARY: &str = "sweep";
const COLLECTION: &str = "runs";

/// The results of sweeps in a folder.
pub(super) struct Results {
    /// Keeps the library's log open.
    _store: Store,
    library: DocumentLibrary,
    known: BTreeSet<String>,
}

impl Results {
    /// Those in a folder, which is made if there is none.
    pub(super) fn open(folder: &Path) -> Result<Self, StoreError> {
        let store = Store::folder(folder)?;
        if !store.exists(LIBRARY)? {
            match store.create(LIBRARY, Kind::Document) {
                // Another process was faster.
                Err(StoreError::LibraryExists(_)) | Ok(()) => {}
                Err(error) => return Err(error),
            }
        }
        let library = store.documents(LIBRARY)?;
        Ok(Self { _store: store, library, known: BTreeSet::new() })
    }

    /// All that is there, by key. What is no result is as if it were not there.
    pub(super) fn all(&mut self) -> Result<BTreeMap<String, Came>, StoreError> {
        let documents = self.library.find(COLLECTION, &Find::all())?;
        let key = |document: &Json| document["_id"].as_str().map(str::to_owned);
        self.known = documents.iter().filter_map(key).collect();
        Ok(documents.iter().filter_map(|document| Some((key(document)?, came(document)?))).collect())
    }

    /// Keeps results, all in one commit, in place of those of the same keys.
    pub(super) fn keep(&mut self, results: &[(String, Json)]) -> Result<(), StoreError> {
        if results.is_empty() {
            return Ok(());
        }
        let mut writes = Vec::new();
        for (key, result) in results {
            if !self.known.insert(key.clone()) {
                writes.push(Write::delete_many(field("_id").eq(key.as_str())));
            }
            writes.push(Write::insert_one(result.clone()));
        }
        // Where another process has kept a result meanwhile, it is the same one.
        self.library.bulk(COLLECTION, &writes, OnError::Continue).map(drop)
    }
}

/// A result as a document; what it was for can be read in it.
pub(super) fn document(key: &str, task: Task, parameters: &[Parameter], set: &Set, came: &Came) -> Json {
    let values = parameters.iter().zip(set).map(|(parameter, value)| json!([parameter.name, parameter.paths, value])).collect::<Vec<_>>();
    let span = task.span.map(|span| [span.from.to_string(), span.to.to_string()]);
    let mut document = json!({ "_id": key, "parameters": values, "seed": task.seed, "span": span });
    match came {
        Ok(ran) => document["ran"] = ran.to_json(),
        Err(error) => document["error"] = json!(error),
    }
    document
}

fn came(document: &Json) -> Option<Came> {
    match document["error"].as_str() {
        Some(error) => Some(Err(error.to_owned())),
        None => Ran::from_json(&document["ran"]).map(Ok),
    }
}
