//! Documents in groups, with sums and the like of each. Invariant: groups come sorted by their key, and floats are added in the order of the
//! documents' `_id`s, so the result is the same to the last bit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use super::document::{Document, ID};
use super::order::{Key, float, whole};
use super::state::Documents;
use super::update::number_of;
use super::{DocumentError, Filter, Path};

/// How documents are put into groups, and what is told of each.
///
/// The groups' key is in the field `_id`: the value at the path, of several paths an object of them, without any null. A missing field counts
/// as null.
///
/// ```
/// use serde_json::json;
/// use stillpoint_engine::Instant;
/// use stillpoint_store::documents::{Documents, Filter, Group, Write};
///
/// let mut state = Documents::default();
/// let fills = [json!({"symbol": "B", "qty": 5}), json!({"symbol": "A", "qty": 2}), json!({"symbol": "A", "qty": 4})];
/// let (op, _) = state.plan_write("fills", &Write::insert_many(fills))?;
/// state.apply(&op.expect("something changes"), Instant::EPOCH);
///
/// let group = Group::by(["symbol"]).sum("traded", "qty").count("fills");
/// let groups = state.group("fills", &Filter::everything(), &group)?;
/// assert_eq!(groups, [json!({"_id": "A", "traded": 6, "fills": 2}), json!({"_id": "B", "traded": 5, "fills": 1})]);
/// # Ok::<(), stillpoint_store::documents::DocumentError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The paths of the key.
    pub by: Vec<Path>,
    /// What is told, by the name of the field that tells it.
    pub fields: BTreeMap<String, Aggregate>,
}

/// What is told of a group. Paths lead through lists by position only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// How many documents it has.
    Count,
    /// The sum of the numbers at the path, 0 if there are none. It is whole if all of them are.
    Sum(Path),
    /// The mean of the numbers at the path, null if there are none.
    Avg(Path),
    /// The least value at the path but null, null if there is none.
    Min(Path),
    /// The greatest value at the path but null, null if there is none.
    Max(Path),
}

impl Group {
    /// Groups of equal values at each of `paths`; without any path, one group of all.
    pub fn by<P: Into<Path>>(paths: impl IntoIterator<Item = P>) -> Self {
        Self { by: paths.into_iter().map(Into::into).collect(), fields: BTreeMap::new() }
    }

    /// One group of all documents.
    pub fn all() -> Self {
        Self::default()
    }

    /// Tells in `name` how many documents the group has.
    #[must_use]
    pub fn count(self, name: impl Into<String>) -> Self {
        self.with(name, Aggregate::Count)
    }

    /// Tells in `name` the sum of the numbers at `path`.
    #[must_use]
    pub fn sum(self, name: impl Into<String>, path: impl Into<Path>) -> Self {
        self.with(name, Aggregate::Sum(path.into()))
    }

    /// Tells in `name` the mean of the numbers at `path`.
    #[must_use]
    pub fn avg(self, name: impl Into<String>, path: impl Into<Path>) -> Self {
        self.with(name, Aggregate::Avg(path.into()))
    }

    /// Tells in `name` the least value at `path`.
    #[must_use]
    pub fn min(self, name: impl Into<String>, path: impl Into<Path>) -> Self {
        self.with(name, Aggregate::Min(path.into()))
    }

    /// Tells in `name` the greatest value at `path`.
    #[must_use]
    pub fn max(self, name: impl Into<String>, path: impl Into<Path>) -> Self {
        self.with(name, Aggregate::Max(path.into()))
    }

    fn with(mut self, name: impl Into<String>, aggregate: Aggregate) -> Self {
        self.fields.insert(name.into(), aggregate);
        self
    }

    fn check(&self) -> Result<(), DocumentError> {
        self.by.iter().try_for_each(Path::check)?;
        if self.fields.contains_key(ID) {
            return Err(DocumentError::FieldName { name: ID.to_owned() });
        }
        self.fields.values().filter_map(Aggregate::path).try_for_each(Path::check)
    }

    fn key(&self, document: &Document) -> Key {
        let at = |path: &Path| path.get(document.value()).cloned().unwrap_or_default();
        Key::from(match self.by.as_slice() {
            [] => Value::Null,
            [path] => at(path),
            paths => Value::Object(paths.iter().map(|path| (path.to_string(), at(path))).collect()),
        })
    }
}

impl Aggregate {
    fn path(&self) -> Option<&Path> {
        match self {
            Self::Count => None,
            Self::Sum(path) | Self::Avg(path) | Self::Min(path) | Self::Max(path) => Some(path),
        }
    }

    /// What is told of `documents`; nothing if it is beyond the greatest number.
    fn of(&self, documents: &[&Document]) -> Option<Value> {
        let values = |path: &Path| documents.iter().filter_map(|document| path.get(document.value())).cloned().collect::<Vec<_>>();
        let known = |path: &Path| values(path).into_iter().filter(|value| !value.is_null()).map(Key::from).collect::<Vec<_>>();
        match self {
            Self::Count => Some(Value::from(documents.len())),
            Self::Sum(path) => Total::of(&values(path)).sum().map(Value::Number),
            Self::Avg(path) => Total::of(&values(path)).mean(),
            // The first of equals, whichever way they are written.
            Self::Min(path) => Some(known(path).into_iter().min().map(Key::into_value).unwrap_or_default()),
            Self::Max(path) => Some(known(path).into_iter().rev().max().map(Key::into_value).unwrap_or_default()),
        }
    }
}

/// Numbers added up: whole ones exactly, floats in their order.
#[derive(Default)]
struct Total {
    count: u64,
    whole: i128,
    floats: Option<f64>,
}

impl Total {
    fn of(values: &[Value]) -> Self {
        let mut total = Self::default();
        for number in values.iter().filter_map(|value| if let Value::Number(number) = value { Some(number) } else { None }) {
            total.count += 1;
            match whole(number) {
                Some(whole) => total.whole += whole,
                None => total.floats = Some(total.floats.unwrap_or(0.0) + float(number)),
            }
        }
        total
    }

    fn sum(&self) -> Option<Number> {
        match self.floats {
            None => number_of(self.whole),
            Some(floats) => Number::from_f64(floats + self.whole as f64),
        }
    }

    fn mean(&self) -> Option<Value> {
        if self.count == 0 {
            return Some(Value::Null);
        }
        let sum = self.floats.unwrap_or(0.0) + self.whole as f64;
        Number::from_f64(sum / self.count as f64).map(Value::Number)
    }
}

impl Documents {
    /// The groups of the documents that pass, sorted by their key.
    ///
    /// # Errors
    /// A text that is no path, a field named `_id`, or a sum beyond the greatest number.
    pub fn group(&self, collection: &str, filter: &Filter, group: &Group) -> Result<Vec<Value>, DocumentError> {
        filter.check()?;
        group.check()?;
        let mut groups: BTreeMap<Key, Vec<&Document>> = BTreeMap::new();
        for document in self.collection(collection).into_iter().flat_map(|base| base.matching(filter)) {
            groups.entry(group.key(document)).or_default().push(document);
        }
        let told = |(key, documents): (Key, Vec<&Document>)| {
            let mut fields = Map::from_iter([(ID.to_owned(), key.value().clone())]);
            for (name, aggregate) in &group.fields {
                let overflow = || DocumentError::Overflow { field: name.clone(), group: key.value().clone() };
                fields.insert(name.clone(), aggregate.of(&documents).ok_or_else(overflow)?);
            }
            Ok(Value::Object(fields))
        };
        groups.into_iter().map(told).collect()
    }
}
