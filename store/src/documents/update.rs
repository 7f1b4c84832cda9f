//! How documents change. Invariant: no two edits of one update meet in a field, so their order does not matter.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Number, Value, json};

use super::document::ID;
use super::order::{Class, float, whole};
use super::path::position;
use super::{DocumentError, Path};

/// What becomes of a document: another one in its place, or edits of some fields.
///
/// In JSON: `{"$set": {"a.b": 1}, "$unset": {"c": true}, "$inc": {"n": 2}, "$push": {"tags": "new"}}`, or, without operators, the document
/// that replaces it (its `_id` stays).
///
/// ```
/// use serde_json::json;
/// use stillpoint_store::documents::Update;
/// let built = Update::edit().set("venue.name", "X").inc("count", 1);
/// assert_eq!(serde_json::to_value(&built)?, json!({"$set": {"venue.name": "X"}, "$inc": {"count": 1}}));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// These fields and no others, but for `_id`, which stays.
    Replace(Map<String, Value>),
    /// These changes, all or none.
    Edit(Vec<Edit>),
}

/// A change of one field. Objects on the way to it are made; a position in a list must exist.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Becomes this value.
    Set(Path, Value),
    /// Is removed; an element of a list becomes null, so that the others keep their places.
    Unset(Path),
    /// Grows by this number; missing, it becomes the number. Whole numbers stay whole.
    Inc(Path, Value),
    /// Gets this value as its last element; missing, it becomes a list of it.
    Push(Path, Value),
}

impl Edit {
    fn path(&self) -> &Path {
        match self {
            Self::Set(path, _) | Self::Unset(path) | Self::Inc(path, _) | Self::Push(path, _) => path,
        }
    }
}

impl Update {
    /// An update without edits yet.
    pub fn edit() -> Self {
        Self::Edit(Vec::new())
    }

    /// Sets the field at `path`.
    #[must_use]
    pub fn set(self, path: impl Into<Path>, value: impl Into<Value>) -> Self {
        self.with(Edit::Set(path.into(), value.into()))
    }

    /// Removes the field at `path`.
    #[must_use]
    pub fn unset(self, path: impl Into<Path>) -> Self {
        self.with(Edit::Unset(path.into()))
    }

    /// Adds to the number at `path`.
    #[must_use]
    pub fn inc(self, path: impl Into<Path>, by: impl Into<Value>) -> Self {
        self.with(Edit::Inc(path.into(), by.into()))
    }

    /// Appends to the list at `path`.
    #[must_use]
    pub fn push(self, path: impl Into<Path>, value: impl Into<Value>) -> Self {
        self.with(Edit::Push(path.into(), value.into()))
    }

    /// A replacement that is edited becomes the edits alone.
    fn with(self, edit: Edit) -> Self {
        match self {
            Self::Edit(mut edits) => {
                edits.push(edit);
                Self::Edit(edits)
            }
            Self::Replace(_) => Self::Edit(vec![edit]),
        }
    }

    /// Reads `{"$set": {"price": 5}}`, or a document that replaces.
    ///
    /// # Errors
    /// An unknown operator, operators beside fields, an operand of the wrong kind, a text that is no path.
    pub fn parse(form: &Value) -> Result<Self, DocumentError> {
        let fields = super::document::fields(form)?;
        let of_operators = fields.keys().filter(|name| name.starts_with('$')).count();
        if of_operators == 0 {
            return Ok(Self::Replace(fields.clone()));
        }
        if of_operators < fields.len() {
            return Err(DocumentError::Update { why: "it mixes operators with fields; use $set for the fields".into() });
        }
        let mut edits = Vec::new();
        for (operator, operand) in fields {
            let Value::Object(operands) = operand else {
                return Err(DocumentError::Update {
                    why: format!("{operator} takes an object of paths, not {}", Class::of(operand).name()),
                });
            };
            for (path, value) in operands {
                edits.push(edit(operator, Path::new(path), value)?);
            }
        }
        let update = Self::Edit(edits);
        update.check()?;
        Ok(update)
    }

    /// Says whether every path is one, and whether no two edits meet.
    pub(super) fn check(&self) -> Result<(), DocumentError> {
        let Self::Edit(edits) = self else { return Ok(()) };
        for (i, edit) in edits.iter().enumerate() {
            edit.path().check()?;
            if let Edit::Inc(path, by) = edit
                && !by.is_number()
            {
                return Err(DocumentError::Update { why: format!("$inc of `{path}` takes a number, not {}", Class::of(by).name()) });
            }
            if let Some(other) = edits[..i].iter().find(|other| other.path().overlaps(edit.path())) {
                return Err(DocumentError::Conflict { path: other.path().to_string(), other: edit.path().to_string() });
            }
        }
        Ok(())
    }

    /// What `document` becomes. A document without `_id` (a new one) may be given one.
    pub(super) fn applied_to(&self, document: &Value) -> Result<Value, DocumentError> {
        match self {
            Self::Replace(fields) => {
                let mut fields = fields.clone();
                if let (Some(id), false) = (document.get(ID), fields.contains_key(ID)) {
                    fields.insert(ID.to_owned(), id.clone());
                }
                Ok(Value::Object(fields))
            }
            Self::Edit(edits) => {
                let mut changed = document.clone();
                for edit in edits {
                    apply(&mut changed, edit).map_err(|why| DocumentError::Edit {
                        id: document.get(ID).cloned().unwrap_or_default(),
                        path: edit.path().to_string(),
                        why,
                    })?;
                }
                Ok(changed)
            }
        }
    }
}

fn edit(operator: &str, path: Path, operand: &Value) -> Result<Edit, DocumentError> {
    match operator {
        "$set" => Ok(Edit::Set(path, operand.clone())),
        "$unset" => Ok(Edit::Unset(path)),
        "$push" => Ok(Edit::Push(path, operand.clone())),
        "$inc" => Ok(Edit::Inc(path, operand.clone())),
        _ => Err(DocumentError::Update { why: format!("there is no operator `{operator}`; there are $set, $unset, $inc, $push") }),
    }
}

fn apply(document: &mut Value, edit: &Edit) -> Result<(), String> {
    match edit {
        Edit::Set(path, value) => *place(document, path)? = value.clone(),
        Edit::Unset(path) => unset(document, path.names()),
        Edit::Inc(path, by) => {
            let missing = path.get(document).is_none();
            let place = place(document, path)?;
            *place = match place {
                Value::Number(number) => sum(number, by)?,
                _ if missing => by.clone(),
                other => return Err(format!("it holds {}, and only numbers grow; set it instead", Class::of(other).name())),
            };
        }
        Edit::Push(path, value) => {
            let missing = path.get(document).is_none();
            let place = place(document, path)?;
            match place {
                Value::Array(list) => list.push(value.clone()),
                _ if missing => *place = json!([value]),
                other => return Err(format!("it holds {}, and only a list takes elements; set it instead", Class::of(other).name())),
            }
        }
    }
    Ok(())
}

/// The place at `path`, made if it is not there: null, inside objects made for it.
fn place<'a>(document: &'a mut Value, path: &Path) -> Result<&'a mut Value, String> {
    let mut at = document;
    let mut made = false;
    for name in path.names() {
        if made {
            *at = Value::Object(Map::new());
        }
        at = match at {
            Value::Object(fields) => {
                made = !fields.contains_key(name);
                fields.entry(name.clone()).or_insert(Value::Null)
            }
            Value::Array(list) => {
                let length = list.len();
                let element = position(name).and_then(|position| list.get_mut(position));
                element.ok_or_else(|| format!("`{name}` is no position in a list of {length}; push to make it longer"))?
            }
            other => {
                return Err(format!("the way to it leads through {} at `{name}`; set that to an object first", Class::of(other).name()));
            }
        };
    }
    Ok(at)
}

fn unset(at: &mut Value, names: &[String]) {
    let Some((name, rest)) = names.split_first() else { return };
    match at {
        Value::Object(fields) if rest.is_empty() => {
            fields.remove(name);
        }
        Value::Object(fields) => {
            if let Some(inner) = fields.get_mut(name) {
                unset(inner, rest);
            }
        }
        Value::Array(list) => {
            if let Some(inner) = position(name).and_then(|position| list.get_mut(position)) {
                if rest.is_empty() {
                    *inner = Value::Null;
                } else {
                    unset(inner, rest);
                }
            }
        }
        _ => {}
    }
}

fn sum(a: &Number, by: &Value) -> Result<Value, String> {
    let Value::Number(b) = by else { return Err(format!("it cannot grow by {}", Class::of(by).name())) };
    let sum = match (whole(a), whole(b)) {
        (Some(a), Some(b)) => number_of(a + b),
        _ => Number::from_f64(float(a) + float(b)),
    };
    sum.map(Value::Number).ok_or_else(|| format!("{a} and {b} add up to more than a number can hold"))
}

/// `whole` as a number of 64 bits, signed or not.
pub(super) fn number_of(whole: i128) -> Option<Number> {
    i64::try_from(whole).map(Number::from).or_else(|_| u64::try_from(whole).map(Number::from)).ok()
}

impl Serialize for Update {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let edits = match self {
            Self::Replace(fields) => return fields.serialize(serializer),
            Self::Edit(edits) => edits,
        };
        // An update without edits is not the empty document.
        let mut form = json!({});
        for edit in edits {
            let (operator, operand) = match edit {
                Edit::Set(_, value) => ("$set", value.clone()),
                Edit::Unset(_) => ("$unset", Value::Bool(true)),
                Edit::Inc(_, by) => ("$inc", by.clone()),
                Edit::Push(_, value) => ("$push", value.clone()),
            };
            form[operator][edit.path().to_string()] = operand;
        }
        if edits.is_empty() {
            form = json!({ "$set": {} });
        }
        form.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Update {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Value::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
