//! B-trees over the values of fields. Invariant: an index holds each document under exactly the keys of its spec, so that looking up a
//! superset of what a filter needs and filtering again gives what a full scan gives.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::filter::{Filter, Test};
use super::order::{Class, Key};
use super::{DocumentError, Path};

/// What an index is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexSpec {
    /// Its name, one of its kind in a collection.
    pub name: String,
    /// The paths, the most significant first.
    pub paths: Vec<Path>,
    /// Whether no two documents may have a key in common. A missing field counts as null.
    pub unique: bool,
}

impl IndexSpec {
    /// An index over `paths`, named after them: `"symbol,time"`.
    pub fn over<P: Into<Path>>(paths: impl IntoIterator<Item = P>) -> Self {
        let paths: Vec<Path> = paths.into_iter().map(Into::into).collect();
        let name = paths.iter().map(Path::to_string).collect::<Vec<_>>().join(",");
        Self { name, paths, unique: false }
    }

    /// The same, and no two documents may have a key in common.
    #[must_use]
    pub fn unique(self) -> Self {
        Self { unique: true, ..self }
    }

    /// The same under another name.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    pub(super) fn check(&self) -> Result<(), DocumentError> {
        self.paths.iter().try_for_each(Path::check)?;
        let different: BTreeSet<_> = self.paths.iter().collect();
        if self.paths.is_empty() || different.len() < self.paths.len() || self.name.is_empty() {
            return Err(DocumentError::IndexPaths { index: self.name.clone() });
        }
        Ok(())
    }

    /// Whether more than one path leads to several values in `document`; its keys would be all their combinations.
    pub(super) fn is_parallel(&self, document: &Value) -> bool {
        self.paths.iter().filter(|path| path.candidates(document).len() > 1).count() > 1
    }

    /// The keys of `document`: a value for each path, in all combinations, each once.
    pub(super) fn keys(&self, document: &Value) -> BTreeSet<Vec<Key>> {
        let mut keys = BTreeSet::from([Vec::new()]);
        for path in &self.paths {
            let mut values: BTreeSet<Key> = path.candidates(document).into_iter().cloned().map(Key::from).collect();
            if values.is_empty() {
                values.insert(Key::from(Value::Null));
            }
            keys = keys.iter().flat_map(|key| values.iter().map(move |value| key.iter().chain([value]).cloned().collect())).collect();
        }
        keys
    }
}

/// An index and what is in it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Index {
    pub(super) spec: IndexSpec,
    tree: BTreeMap<Vec<Key>, BTreeSet<Key>>,
    /// How many documents are in it under several keys.
    several: usize,
}

/// A piece of an index: keys that begin with `prefix`, and whose next value is between the bounds, both included.
#[derive(Debug)]
pub(super) struct Piece {
    prefix: Vec<Key>,
    bounds: Option<(Key, Option<Key>)>,
}

impl Index {
    pub(super) fn new(spec: IndexSpec) -> Self {
        Self { spec, tree: BTreeMap::new(), several: 0 }
    }

    pub(super) fn insert(&mut self, id: &Key, document: &Value) {
        let keys = self.spec.keys(document);
        self.several += usize::from(keys.len() > 1);
        for key in keys {
            self.tree.entry(key).or_default().insert(id.clone());
        }
    }

    pub(super) fn remove(&mut self, id: &Key, document: &Value) {
        let keys = self.spec.keys(document);
        self.several -= usize::from(keys.len() > 1);
        for key in keys {
            if let Some(holders) = self.tree.get_mut(&key) {
                holders.remove(id);
                if holders.is_empty() {
                    self.tree.remove(&key);
                }
            }
        }
    }

    /// The documents that have `key`.
    pub(super) fn holders<'a>(&'a self, key: &[Key]) -> impl Iterator<Item = &'a Key> + use<'a> {
        self.tree.get(key).into_iter().flatten()
    }

    /// A key that several documents have, with two of them.
    pub(super) fn shared(&self) -> Option<(&[Key], &Key, &Key)> {
        self.tree.iter().find_map(|(key, holders)| {
            let mut holders = holders.iter();
            Some((key.as_slice(), holders.next()?, holders.next()?))
        })
    }

    /// Where all documents that pass `filter` are, and how much of the index's paths that uses; nothing if the index does not help.
    pub(super) fn pieces(&self, filter: &Filter) -> Option<(usize, Vec<Piece>)> {
        let required = filter.required();
        let mut prefix = Vec::new();
        for path in &self.spec.paths {
            let tests: Vec<&Test> = required.iter().filter(|(on, _)| *on == path).map(|(_, test)| *test).collect();
            let equal = tests.iter().find_map(|test| if let Test::Eq(value) = test { Some(Key::from(value.clone())) } else { None });
            if let Some(equal) = equal {
                prefix.push(equal);
                continue;
            }
            let used = 2 * prefix.len() + 1;
            if let Some(values) = tests.iter().find_map(|test| if let Test::In(values) = test { Some(values) } else { None }) {
                let with = |value: &Value| prefix.iter().cloned().chain([Key::from(value.clone())]).collect();
                return Some((used, values.iter().map(|value| Piece { prefix: with(value), bounds: None }).collect()));
            }
            if let Some(bounds) = self.bounds(&tests) {
                return Some((used, vec![Piece { prefix, bounds: Some(bounds) }]));
            }
            break;
        }
        if prefix.is_empty() { None } else { Some((2 * prefix.len(), vec![Piece { prefix, bounds: None }])) }
    }

    /// The lowest and highest value that `tests` admit. Where documents have several values, each test may hold for another one: then only
    /// one test bounds.
    fn bounds(&self, tests: &[&Test]) -> Option<(Key, Option<Key>)> {
        let low = tests.iter().find_map(|test| if let Test::Gt(low) | Test::Gte(low) = test { Some(low) } else { None });
        let high = tests.iter().find_map(|test| if let Test::Lt(high) | Test::Lte(high) = test { Some(high) } else { None });
        match (low, high) {
            (Some(low), Some(high)) if self.several == 0 && Class::of(low) == Class::of(high) => {
                Some((Key::from(low.clone()), Some(Key::from(high.clone()))))
            }
            (Some(low), _) => Some((Key::from(low.clone()), None)),
            (None, Some(high)) => Some((Key::from(Class::of(high).least()), Some(Key::from(high.clone())))),
            (None, None) => None,
        }
    }

    /// The documents in a piece.
    pub(super) fn in_piece<'a>(&'a self, piece: &'a Piece) -> impl Iterator<Item = &'a Key> {
        let mut first = piece.prefix.clone();
        first.extend(piece.bounds.as_ref().map(|(low, _)| low.clone()));
        let keys = self.tree.range(first..).take_while(move |(key, _)| piece.covers(key));
        keys.flat_map(|(_, holders)| holders)
    }
}

impl Piece {
    fn covers(&self, key: &[Key]) -> bool {
        if !key.starts_with(&self.prefix) {
            return false;
        }
        let Some((low, high)) = &self.bounds else { return true };
        key.get(self.prefix.len())
            .is_some_and(|value| Class::of(value.value()) == Class::of(low.value()) && high.as_ref().is_none_or(|high| value <= high))
    }
}
