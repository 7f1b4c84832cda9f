//! Named results of actors.

use serde::{Deserialize, Serialize};

/// A result: a number, a whole number or a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// A float.
    Number(f64),
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
}

/// The results of one actor, in the order in which it gave them.
///
/// ```
/// use stillpoint_engine::{Report, Value};
/// let mut report = Report::default();
/// report.integer("fills", 3);
/// report.number("profit", 1.25);
/// assert_eq!(report.get("fills"), Some(&Value::Integer(3)));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    entries: Vec<(String, Value)>,
}

impl Report {
    /// Adds a float.
    pub fn number(&mut self, name: &str, value: f64) {
        self.entries.push((name.to_owned(), Value::Number(value)));
    }

    /// Adds a whole number.
    pub fn integer(&mut self, name: &str, value: i64) {
        self.entries.push((name.to_owned(), Value::Integer(value)));
    }

    /// Adds a text.
    pub fn text(&mut self, name: &str, value: impl Into<String>) {
        self.entries.push((name.to_owned(), Value::Text(value.into())));
    }

    /// The value under a name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.entries.iter().find(|(entry, _)| entry == name).map(|(_, value)| value)
    }

    /// All names and values.
    pub fn entries(&self) -> &[(String, Value)] {
        &self.entries
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
