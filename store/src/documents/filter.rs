//! Which documents are meant: a typed filter and its builder. Invariant: whether a document matches depends on that document alone.

use std::ops::{BitAnd, BitOr, Not};

use regex::Regex;
use serde_json::Value;

use super::order::{Class, compare};
use super::{DocumentError, Path};

/// A condition on documents.
///
/// A test on a path holds if it holds for any value there: where the path meets a list of objects, for any of them; a list at the end is
/// tested as a whole and element by element. A missing field counts as null. `gt`, `gte`, `lt` and `lte` hold only between values of one
/// kind (a string is never greater than 5).
///
/// In JSON it is written as in MongoDB's language: `{"sector": "bank", "price": {"$gt": 5, "$lte": 9}}`, with `$eq`, `$ne`, `$gt`, `$gte`,
/// `$lt`, `$lte`, `$in`, `$nin`, `$exists`, `$regex` and `$not` below a path, and `$and`, `$or` and `$nor` beside paths.
///
/// ```
/// use serde_json::json;
/// use stillpoint_store::documents::{Filter, field};
///
/// let built = field("price").gt(5) & field("sector").eq("bank");
/// let written: Filter = serde_json::from_value(json!({"sector": "bank", "price": {"$gt": 5}}))?;
/// assert_eq!(built, written);
/// assert!(built.matches(&json!({"sector": "bank", "price": 5.5})));
/// assert!(!built.matches(&json!({"sector": "bank", "price": "high"})));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Every one holds; none at all: every document.
    All(Vec<Filter>),
    /// At least one holds.
    Any(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// A test of the values at a path.
    Field(Path, Test),
}

/// What a value is tested for.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Equal to this.
    Eq(Value),
    /// Of this one's kind and greater.
    Gt(Value),
    /// Of this one's kind and not less.
    Gte(Value),
    /// Of this one's kind and less.
    Lt(Value),
    /// Of this one's kind and not greater.
    Lte(Value),
    /// Equal to one of these.
    In(Vec<Value>),
    /// Whether there is any value, be it null.
    Exists(bool),
    /// A string in which this is found.
    Regex(Pattern),
}

/// A regular expression (the syntax of the crate `regex`; it has no back-references and matches in linear time).
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// Compiles `text`.
    ///
    /// # Errors
    /// `text` is no regular expression, or one that takes too much memory.
    pub fn new(text: &str) -> Result<Self, DocumentError> {
        Regex::new(text).map(Self).map_err(|error| DocumentError::Pattern { pattern: text.to_owned(), why: error.to_string() })
    }

    /// Whether it is found anywhere in `text`.
    pub fn is_found_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Filter {
    /// The filter that every document passes.
    pub fn everything() -> Self {
        Self::All(Vec::new())
    }

    /// Reads `{"price": {"$gt": 5}}`.
    ///
    /// # Errors
    /// An unknown operator, an operand of the wrong kind, a text that is no path or no regular expression.
    pub fn parse(form: &Value) -> Result<Self, DocumentError> {
        super::filter_form::read(form)
    }

    /// Whether the filter holds for `document`.
    pub fn matches(&self, document: &Value) -> bool {
        match self {
            Self::All(filters) => filters.iter().all(|filter| filter.matches(document)),
            Self::Any(filters) => filters.iter().any(|filter| filter.matches(document)),
            Self::Not(filter) => !filter.matches(document),
            Self::Field(path, Test::Exists(wanted)) => path.values(document).is_empty() != *wanted,
            Self::Field(path, test) => {
                let candidates = path.candidates(document);
                if candidates.is_empty() { test.holds(&Value::Null) } else { candidates.into_iter().any(|value| test.holds(value)) }
            }
        }
    }

    /// Says whether every path in it is one.
    pub(crate) fn check(&self) -> Result<(), DocumentError> {
        match self {
            Self::All(filters) | Self::Any(filters) => filters.iter().try_for_each(Self::check),
            Self::Not(filter) => filter.check(),
            Self::Field(path, _) => path.check(),
        }
    }

    /// The tests of which each must hold.
    pub(super) fn required(&self) -> Vec<(&Path, &Test)> {
        match self {
            Self::All(filters) => filters.iter().flat_map(Self::required).collect(),
            Self::Field(path, test) => vec![(path, test)],
            Self::Any(_) | Self::Not(_) => Vec::new(),
        }
    }

    /// Both must hold.
    pub fn and(self, other: Self) -> Self {
        match self {
            Self::All(mut filters) if !filters.is_empty() => {
                filters.push(other);
                Self::All(filters)
            }
            Self::All(_) => other,
            one => Self::All(vec![one, other]),
        }
    }

    /// One of them must hold.
    pub fn or(self, other: Self) -> Self {
        match self {
            Self::Any(mut filters) => {
                filters.push(other);
                Self::Any(filters)
            }
            one => Self::Any(vec![one, other]),
        }
    }
}

impl Default for Filter {
    fn default() -> Self {
        Self::everything()
    }
}

impl BitAnd for Filter {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        self.and(other)
    }
}

impl BitOr for Filter {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        self.or(other)
    }
}

impl Not for Filter {
    type Output = Self;
    fn not(self) -> Self {
        Self::Not(Box::new(self))
    }
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        let ordered = |bound: &Value| (Class::of(value) == Class::of(bound)).then(|| compare(value, bound));
        match self {
            Self::Eq(wanted) => compare(value, wanted).is_eq(),
            Self::Gt(bound) => ordered(bound).is_some_and(|order| order.is_gt()),
            Self::Gte(bound) => ordered(bound).is_some_and(|order| order.is_ge()),
            Self::Lt(bound) => ordered(bound).is_some_and(|order| order.is_lt()),
            Self::Lte(bound) => ordered(bound).is_some_and(|order| order.is_le()),
            Self::In(wanted) => wanted.iter().any(|wanted| compare(value, wanted).is_eq()),
            Self::Exists(wanted) => *wanted,
            Self::Regex(pattern) => value.as_str().is_some_and(|text| pattern.is_found_in(text)),
        }
    }
}

/// Begins a test of the values at `path`.
pub fn field(path: impl Into<Path>) -> Field {
    Field(path.into())
}

/// A path that waits for its test. Made by [`field`].
#[derive(Clone, Debug)]
pub struct Field(Path);

impl Field {
    /// Equal to `value`; null is equal to a missing field too.
    pub fn eq(self, value: impl Into<Value>) -> Filter {
        Filter::Field(self.0, Test::Eq(value.into()))
    }

    /// No value is equal to `value`.
    pub fn ne(self, value: impl Into<Value>) -> Filter {
        !self.eq(value)
    }

    /// Greater than `bound`.
    pub fn gt(self, bound: impl Into<Value>) -> Filter {
        Filter::Field(self.0, Test::Gt(bound.into()))
    }

    /// Greater than `bound`, or equal.
    pub fn gte(self, bound: impl Into<Value>) -> Filter {
        Filter::Field(self.0, Test::Gte(bound.into()))
    }

    /// Less than `bound`.
    pub fn lt(self, bound: impl Into<Value>) -> Filter {
        Filter::Field(self.0, Test::Lt(bound.into()))
    }

    /// Less than `bound`, or equal.
    pub fn lte(self, bound: impl Into<Value>) -> Filter {
        Filter::Field(self.0, Test::Lte(bound.into()))
    }

    /// Equal to one of `values`.
    pub fn one_of<V: Into<Value>>(self, values: impl IntoIterator<Item = V>) -> Filter {
        Filter::Field(self.0, Test::In(values.into_iter().map(Into::into).collect()))
    }

    /// Equal to none of `values`.
    pub fn none_of<V: Into<Value>>(self, values: impl IntoIterator<Item = V>) -> Filter {
        !self.one_of(values)
    }

    /// Whether there is any value, be it null.
    pub fn exists(self, wanted: bool) -> Filter {
        Filter::Field(self.0, Test::Exists(wanted))
    }

    /// A string in which `pattern` is found.
    ///
    /// # Errors
    /// `pattern` is no regular expression.
    pub fn regex(self, pattern: &str) -> Result<Filter, DocumentError> {
        Ok(Filter::Field(self.0, Test::Regex(Pattern::new(pattern)?)))
    }
}
