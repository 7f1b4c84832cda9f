//! One document: a JSON object with an `_id`. Invariant: its `_id` is a string or a number, every field can be reached by a path, and it is
//! at most [`MAX_DEPTH`] deep.

use std::io;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value};

use super::DocumentError;
use super::order::{Class, Key};
use super::path::MAX_DEPTH;

/// The field of a document's identity.
pub const ID: &str = "_id";

static NULL: Value = Value::Null;

/// A JSON object with an `_id`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Document(Value);

impl Document {
    /// Takes `value` for a document.
    ///
    /// # Errors
    /// It is no object, has no `_id` or one that is neither a string nor a number, has a field that no path could reach, or is too deep.
    pub fn new(value: Value) -> Result<Self, DocumentError> {
        let Value::Object(fields) = &value else { return Err(DocumentError::NotAnObject { found: Class::of(&value).name() }) };
        match fields.get(ID) {
            Some(Value::String(_) | Value::Number(_)) => {}
            other => return Err(DocumentError::Id { id: other.cloned().unwrap_or_default() }),
        }
        if !is_within(&value, MAX_DEPTH) {
            return Err(DocumentError::TooDeep);
        }
        check_names(&value)?;
        Ok(Self(value))
    }

    /// Its `_id`.
    pub fn id(&self) -> &Value {
        self.0.get(ID).unwrap_or(&NULL)
    }

    /// The whole object, `_id` included.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// The whole object, `_id` included.
    pub fn into_value(self) -> Value {
        self.0
    }

    pub(super) fn key(&self) -> Key {
        Key::from(self.id().clone())
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Value::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// The fields of what should become a document.
pub(super) fn fields(value: &Value) -> Result<&Map<String, Value>, DocumentError> {
    value.as_object().ok_or(DocumentError::NotAnObject { found: Class::of(value).name() })
}

/// Whether a path could reach every field. Only for what is not too deep.
fn check_names(value: &Value) -> Result<(), DocumentError> {
    match value {
        Value::Array(list) => list.iter().try_for_each(check_names),
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            if name.is_empty() || name.starts_with('$') || name.contains('.') {
                return Err(DocumentError::FieldName { name: name.clone() });
            }
            check_names(value)
        }),
        _ => Ok(()),
    }
}

/// The length of `value` as compact JSON.
pub(crate) fn length(value: &Value) -> u64 {
    struct Count(u64);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Counting cannot fail, and a JSON value has string keys only.
    match serde_json::to_writer(&mut count, value) {
        Ok(()) | Err(_) => count.0,
    }
}

/// Whether `value` is nested at most `levels` deep.
pub(crate) fn is_within(value: &Value, levels: usize) -> bool {
    match value {
        Value::Object(_) | Value::Array(_) if levels == 0 => false,
        Value::Array(list) => list.iter().all(|value| is_within(value, levels - 1)),
        Value::Object(fields) => fields.values().all(|value| is_within(value, levels - 1)),
        _ => true,
    }
}
