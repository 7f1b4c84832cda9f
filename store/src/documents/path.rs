//! Paths to fields inside documents: names joined by dots. Invariant: a path that passed `check` has between one and 64 names, none empty.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use super::DocumentError;

/// How deep documents may be nested, and how many names a path may have. What is read back from a log must be within the parser's limits.
pub const MAX_DEPTH: usize = 64;

/// Where a value is inside a document: `"price"`, `"venue.fees.maker"`, or, with the position in a list, `"legs.0.price"`.
///
/// A path may be made from any text; what takes a path says if it is none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(Vec<String>);

impl Path {
    /// The path that `text` writes.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(text.as_ref().split('.').map(str::to_owned).collect())
    }

    /// Says whether this can be a path.
    ///
    /// # Errors
    /// A name that is empty or begins with `$`, or too many names.
    pub fn check(&self) -> Result<(), DocumentError> {
        let wrong = |why: String| Err(DocumentError::Path { path: self.to_string(), why });
        if self.0.len() > MAX_DEPTH {
            return wrong(format!("it has {} names, and documents are at most {MAX_DEPTH} deep", self.0.len()));
        }
        if self.0.iter().any(String::is_empty) {
            return wrong("a name in it is empty".into());
        }
        match self.0.iter().find(|name| name.starts_with('$')) {
            Some(name) => wrong(format!("`{name}` begins with `$`, as only operators do")),
            None => Ok(()),
        }
    }

    /// The one value at this path, taking lists by position only. Sorting and grouping look at it.
    pub fn get<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(document, |at, name| match at {
            Value::Object(fields) => fields.get(name),
            Value::Array(list) => list.get(position(name)?),
            _ => None,
        })
    }

    /// All values at this path: where it meets a list of objects, those of each. A list at the end is one value.
    pub fn values<'a>(&self, document: &'a Value) -> Vec<&'a Value> {
        let mut found = Vec::new();
        collect(&self.0, document, &mut found);
        found
    }

    /// The values that a filter holds against its test: those of [`Path::values`], and of lists among them each element too.
    pub(super) fn candidates<'a>(&self, document: &'a Value) -> Vec<&'a Value> {
        let mut found = self.values(document);
        for i in 0..found.len() {
            if let Value::Array(list) = found[i] {
                found.extend(list);
            }
        }
        found
    }

    /// The names from the outside inwards.
    pub(super) fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether one of the two paths leads to, or through, the other.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a == b)
    }
}

fn collect<'a>(names: &[String], at: &'a Value, found: &mut Vec<&'a Value>) {
    let Some((name, rest)) = names.split_first() else {
        found.push(at);
        return;
    };
    match at {
        Value::Object(fields) => {
            if let Some(inner) = fields.get(name) {
                collect(rest, inner, found);
            }
        }
        Value::Array(list) => {
            if let Some(inner) = position(name).and_then(|position| list.get(position)) {
                collect(rest, inner, found);
            }
            list.iter().filter(|element| element.is_object()).for_each(|element| collect(names, element, found));
        }
        _ => {}
    }
}

/// The position in a list that `name` writes: digits alone.
pub(super) fn position(name: &str) -> Option<usize> {
    if name.bytes().all(|byte| byte.is_ascii_digit()) { name.parse().ok() } else { None }
}

impl From<&str> for Path {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Path {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

impl Serialize for Path {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let path = Self::new(String::deserialize(deserializer)?);
        path.check().map_err(de::Error::custom)?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_inside_objects_and_lists() {
        let document = json!({"a": {"b": 1}, "legs": [{"p": 1}, {"p": [2, 3]}, 4], "n": [[5]]});
        let values = |path: &str| Path::new(path).values(&document).into_iter().cloned().collect::<Vec<_>>();
        let candidates = |path: &str| Path::new(path).candidates(&document).into_iter().cloned().collect::<Vec<_>>();
        assert_eq!(values("a.b"), [json!(1)]);
        assert_eq!(values("legs.p"), [json!(1), json!([2, 3])]);
        assert_eq!(candidates("legs.p"), [json!(1), json!([2, 3]), json!(2), json!(3)]);
        assert_eq!(values("legs.1.p.0"), [json!(2)]);
        assert_eq!(values("a.c"), [] as [Value; 0]);
        assert_eq!(candidates("n"), [json!([[5]]), json!([5])]);
        assert_eq!(Path::new("legs.p").get(&document), None);
        assert_eq!(Path::new("legs.0.p").get(&document), Some(&json!(1)));
    }

    #[test]
    fn texts_that_are_no_path() {
        let why = |text: &str| Path::new(text).check().unwrap_err().to_string();
        assert!(why("").contains("is empty"), "{}", why(""));
        assert!(why("a..b").contains("is empty"));
        assert!(why("a.$b").contains("`$b` begins with `$`"));
        assert!(why(&"a.".repeat(100)).contains("101 names"));
        assert!(serde_json::from_str::<Path>(r#""a..b""#).is_err());
        assert_eq!(serde_json::to_string(&Path::new("a.b")).unwrap(), r#""a.b""#);
    }

    #[test]
    fn overlap() {
        assert!(Path::new("a").overlaps(&Path::new("a.b")));
        assert!(Path::new("a.b").overlaps(&Path::new("a.b")));
        assert!(!Path::new("a.b").overlaps(&Path::new("a.c")));
        assert!(!Path::new("ab").overlaps(&Path::new("a")));
    }
}
