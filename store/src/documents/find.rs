//! Reading documents: search, count, distinct values. Invariant: what is found, and its order, do not depend on which indexes there are.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::Document;
use super::order::{Key, compare};
use super::projection::Projection;
use super::state::Documents;
use super::{DocumentError, Filter, Path};

/// The order of what is found: by the value at the first path, then the second, and so on, in the order of [`compare`]; last by `_id`. A missing
/// field counts as null. A list is compared as a list, and the paths lead through lists by position only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sort(Vec<(Path, Direction)>);

/// Which end comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The least.
    Ascending,
    /// The greatest.
    Descending,
}

impl Sort {
    /// The order of `_id`s.
    pub fn by_id() -> Self {
        Self::default()
    }

    /// The least value at `path` first; among what came equal so far.
    #[must_use]
    pub fn ascending(mut self, path: impl Into<Path>) -> Self {
        self.0.push((path.into(), Direction::Ascending));
        self
    }

    /// The greatest value at `path` first; among what came equal so far.
    #[must_use]
    pub fn descending(mut self, path: impl Into<Path>) -> Self {
        self.0.push((path.into(), Direction::Descending));
        self
    }

    fn check(&self) -> Result<(), DocumentError> {
        self.0.iter().try_for_each(|(path, _)| path.check())
    }

    fn compare(&self, a: &Document, b: &Document) -> Ordering {
        let null = Value::Null;
        let by_path = |(path, direction): &(Path, Direction)| {
            let order = compare(path.get(a.value()).unwrap_or(&null), path.get(b.value()).unwrap_or(&null));
            if *direction == Direction::Ascending { order } else { order.reverse() }
        };
        self.0.iter().map(by_path).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

/// A search.
///
/// ```
/// use stillpoint_store::documents::{Find, Projection, Sort, field};
/// let dearest = Find::matching(field("price").exists(true)).sort(Sort::by_id().descending("price")).limit(10);
/// let names_only = dearest.project(Projection::only(["name"]));
/// # let _ = names_only;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Find {
    /// Which documents.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// How many of the first to leave out.
    pub skip: u64,
    /// How many to give at most, after that; none: all.
    pub limit: Option<u64>,
    /// Which fields of them.
    pub projection: Projection,
}

impl Find {
    /// All documents.
    pub fn all() -> Self {
        Self::default()
    }

    /// The documents that pass `filter`.
    pub fn matching(filter: Filter) -> Self {
        Self { filter, ..Self::default() }
    }

    /// In the order `sort`.
    #[must_use]
    pub fn sort(self, sort: Sort) -> Self {
        Self { sort, ..self }
    }

    /// Without the first `skip`.
    #[must_use]
    pub fn skip(self, skip: u64) -> Self {
        Self { skip, ..self }
    }

    /// At most `limit`.
    #[must_use]
    pub fn limit(self, limit: u64) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// The fields that `projection` leaves.
    #[must_use]
    pub fn project(self, projection: Projection) -> Self {
        Self { projection, ..self }
    }
}

impl Documents {
    /// The documents that a search finds. A collection that is not there has none.
    ///
    /// # Errors
    /// A text in it that is no path, or a projection that is none.
    pub fn find(&self, collection: &str, find: &Find) -> Result<Vec<Value>, DocumentError> {
        find.filter.check()?;
        find.sort.check()?;
        find.projection.check()?;
        let Some(base) = self.collection(collection) else { return Ok(Vec::new()) };
        let skip = usize::try_from(find.skip).unwrap_or(usize::MAX);
        let limit = find.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let found = base.matching(&find.filter);
        let chosen: Vec<&Document> = if find.sort.0.is_empty() {
            found.skip(skip).take(limit).collect()
        } else {
            let mut all: Vec<&Document> = found.collect();
            // They come in the order of their `_id`s, and a stable sort keeps it among equals.
            all.sort_by(|a, b| find.sort.compare(a, b));
            all.into_iter().skip(skip).take(limit).collect()
        };
        Ok(chosen.into_iter().map(|document| find.projection.of(document.value())).collect())
    }

    /// The first document that a search finds.
    ///
    /// # Errors
    /// As for [`Documents::find`].
    pub fn find_one(&self, collection: &str, find: &Find) -> Result<Option<Value>, DocumentError> {
        let limit = find.limit.map_or(1, |limit| limit.min(1));
        Ok(self.find(collection, &find.clone().limit(limit))?.pop())
    }

    /// How many documents pass.
    ///
    /// # Errors
    /// A text in the filter that is no path.
    pub fn count(&self, collection: &str, filter: &Filter) -> Result<u64, DocumentError> {
        filter.check()?;
        Ok(self.collection(collection).map_or(0, |base| base.matching(filter).count() as u64))
    }

    /// The different values at `path` in the documents that pass, sorted; of a list, those of its elements. Missing fields have none.
    ///
    /// # Errors
    /// A text that is no path.
    pub fn distinct(&self, collection: &str, path: impl Into<Path>, filter: &Filter) -> Result<Vec<Value>, DocumentError> {
        let path = path.into();
        path.check()?;
        filter.check()?;
        let mut values = BTreeSet::new();
        for document in self.collection(collection).into_iter().flat_map(|base| base.matching(filter)) {
            for value in path.values(document.value()) {
                match value {
                    Value::Array(elements) => values.extend(elements.iter().cloned().map(Key::from)),
                    other => {
                        values.insert(Key::from(other.clone()));
                    }
                }
            }
        }
        Ok(values.into_iter().map(Key::into_value).collect())
    }

    /// The first document that passes, by `sort`.
    pub(super) fn first(&self, collection: &str, filter: &Filter, sort: &Sort) -> Result<Option<Document>, DocumentError> {
        filter.check()?;
        sort.check()?;
        let Some(base) = self.collection(collection) else { return Ok(None) };
        // `min_by` gives the first of equals, which is the one with the least `_id`.
        Ok(base.matching(filter).min_by(|a, b| sort.compare(a, b)).cloned())
    }
}
