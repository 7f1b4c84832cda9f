//! Which fields of a found document are given. Invariant: what is left stands where it stood.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

use super::document::ID;
use super::{DocumentError, Path};

/// Which fields of a found document are given. Where a path meets a list of objects, it is about each of them.
///
/// In JSON as in MongoDB's language: `{"name": 1, "venue.fees": 1}` for these and `_id`, `{"notes": 0}` for all but these; `"_id": 0` may stand
/// in either.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection {
    /// Only these fields are given, or all but these.
    paths: Paths,
    id: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Paths {
    Only(Vec<Path>),
    AllBut(Vec<Path>),
}

impl Projection {
    /// The whole document.
    pub fn everything() -> Self {
        Self::all_but::<&str>([])
    }

    /// These fields and `_id`.
    pub fn only<P: Into<Path>>(paths: impl IntoIterator<Item = P>) -> Self {
        Self { paths: Paths::Only(paths.into_iter().map(Into::into).collect()), id: true }
    }

    /// All fields but these.
    pub fn all_but<P: Into<Path>>(paths: impl IntoIterator<Item = P>) -> Self {
        Self { paths: Paths::AllBut(paths.into_iter().map(Into::into).collect()), id: true }
    }

    /// The same without `_id`.
    #[must_use]
    pub fn without_id(self) -> Self {
        Self { id: false, ..self }
    }

    pub(super) fn check(&self) -> Result<(), DocumentError> {
        let (Paths::Only(paths) | Paths::AllBut(paths)) = &self.paths;
        paths.iter().try_for_each(Path::check)
    }

    /// What is given of `document`.
    pub(super) fn of(&self, document: &Value) -> Value {
        let mut given = match &self.paths {
            Paths::AllBut(paths) => {
                let mut left = document.clone();
                paths.iter().for_each(|path| drop_at(&mut left, path.names()));
                left
            }
            Paths::Only(paths) => {
                let names: Vec<&[String]> = paths.iter().map(Path::names).collect();
                only(document, &names)
            }
        };
        if let Value::Object(fields) = &mut given {
            match document.get(ID) {
                Some(id) if self.id => fields.insert(ID.to_owned(), id.clone()),
                _ => fields.remove(ID),
            };
        }
        given
    }
}

impl Default for Projection {
    fn default() -> Self {
        Self::everything()
    }
}

fn drop_at(at: &mut Value, names: &[String]) {
    match (at, names) {
        (Value::Array(list), _) => list.iter_mut().for_each(|element| drop_at(element, names)),
        (Value::Object(fields), [name]) => {
            fields.remove(name);
        }
        (Value::Object(fields), [name, rest @ ..]) => {
            if let Some(inner) = fields.get_mut(name) {
                drop_at(inner, rest);
            }
        }
        _ => {}
    }
}

/// What of `at` lies on one of the paths. What is neither object nor list has no fields, and is left out of lists on the way.
fn only(at: &Value, paths: &[&[String]]) -> Value {
    if paths.iter().any(|names| names.is_empty()) {
        return at.clone();
    }
    match at {
        Value::Array(list) => {
            list.iter().filter(|element| element.is_object() || element.is_array()).map(|element| only(element, paths)).collect()
        }
        Value::Object(fields) => {
            let mut left = Map::new();
            for (name, value) in fields {
                let rests: Vec<&[String]> = paths.iter().filter(|names| names[0] == *name).map(|names| &names[1..]).collect();
                let on_the_way = value.is_object() || value.is_array();
                if rests.iter().any(|rest| rest.is_empty()) || (!rests.is_empty() && on_the_way) {
                    left.insert(name.clone(), only(value, &rests));
                }
            }
            Value::Object(left)
        }
        other => other.clone(),
    }
}

impl Serialize for Projection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (paths, mark) = match &self.paths {
            Paths::Only(paths) => (paths, 1),
            Paths::AllBut(paths) => (paths, 0),
        };
        let mut form: Map<String, Value> = paths.iter().map(|path| (path.to_string(), Value::from(mark))).collect();
        match (&self.paths, self.id) {
            (_, false) => form.insert(ID.to_owned(), Value::from(0)),
            (Paths::Only(paths), true) if paths.is_empty() => form.insert(ID.to_owned(), Value::from(1)),
            _ => None,
        };
        form.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Projection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(&Map::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

fn read(form: &Map<String, Value>) -> Result<Projection, DocumentError> {
    let mut id = None;
    let (mut only, mut all_but) = (Vec::new(), Vec::new());
    for (name, mark) in form {
        let given = match mark {
            Value::Bool(given) => *given,
            mark if mark == 0 || mark == 1 => mark == 1,
            _ => {
                return Err(DocumentError::Projection {
                    why: format!("`{name}` is marked {mark}; mark paths with 1 to give them, or 0 to leave them out"),
                });
            }
        };
        let path = Path::new(name);
        path.check()?;
        match (name.as_str(), given) {
            (ID, given) => id = Some(given),
            (_, true) => only.push(path),
            (_, false) => all_but.push(path),
        }
    }
    let paths = match (only.is_empty(), all_but.is_empty()) {
        (false, false) => {
            let why = format!("it gives `{}` and leaves out `{}`; mark all paths but _id the same", only[0], all_but[0]);
            return Err(DocumentError::Projection { why });
        }
        (false, true) => Paths::Only(only),
        (true, true) if id == Some(true) => Paths::Only(only),
        (true, _) => Paths::AllBut(all_but),
    };
    Ok(Projection { paths, id: id.unwrap_or(true) })
}
