//! Pieces of RON that know where they stand. Invariant: a piece's range is its exact place in the scenario's text, whitespace trimmed.
//!
//! Parameters are parsed on their own, long after the file was: an error in them is brought back to the file by adding the piece's
//! start to the place that the inner parser reports.

use std::fmt;
use std::ops::Range;

use ron::Options;
use ron::error::{Error as RonError, Position, SpannedError};
use ron::extensions::Extensions;
use ron::value::RawValue;
use serde::Deserialize;
use serde::de::{Deserializer as _, MapAccess, SeqAccess, Visitor};

use super::error::{NO_WHOLE_NUMBER, ScenarioError};
use super::misfit::Misfit;
use super::probe::{Wanted, type_at};
use super::text::Text;
use crate::{erased, suggest};

/// What every scenario may use without enabling it.
const ALWAYS: Extensions = Extensions::IMPLICIT_SOME.union(Extensions::UNWRAP_NEWTYPES);

/// How the pieces of a scenario are parsed: with the extensions that its file enables.
#[derive(Clone, Debug)]
pub(crate) struct Dialect(Options);

impl Dialect {
    /// The dialect that the head of the file asks for.
    pub(crate) fn of(text: &Text) -> Result<Self, ScenarioError> {
        let basic = Options::default().with_default_extension(ALWAYS);
        let extensions = match ron::Deserializer::from_str_with_options(text.as_str(), &basic) {
            Ok(deserializer) => deserializer.extensions(),
            Err(error) => return Err(explain(text, &(0..text.as_str().len()), &error)),
        };
        Ok(Self(basic.with_default_extension(extensions)))
    }

    /// Parses a piece of the text.
    pub(crate) fn parse<'t, T: Deserialize<'t>>(&self, text: &'t Text, piece: &Range<usize>) -> Result<T, ScenarioError> {
        erased::from_ron(&self.0, &text.as_str()[piece.clone()])
            .map_err(|error| self.misfit(text, piece, &error, &type_at::<T>).unwrap_or_else(|| explain(text, piece, &error)))
    }

    /// Parses a text that stands in no file.
    pub(crate) fn parse_loose<'t, T: Deserialize<'t>>(&self, text: &'t str) -> Result<T, SpannedError> {
        erased::from_ron(&self.0, text)
    }

    /// What is wrong with the value of a field, at the value's place. `None` if the error is about something else.
    fn misfit(&self, text: &Text, piece: &Range<usize>, error: &SpannedError, type_at: TypeAt<'_>) -> Option<ScenarioError> {
        let inner = &text.as_str()[piece.clone()];
        let (start, end) = (offset(inner, error.span.start), offset(inner, error.span.end));
        let (way, value) = self.way(text, piece, piece.start + skip(inner, start));
        let written = &text.as_str()[value.clone()];
        let field = way.last()?;
        if cut_at_point(inner, start).or_else(|| cut_at_point(inner, end)).is_some() {
            return Some(text.error(value, format!("{NO_WHOLE_NUMBER} `{written}` for `{field}`")));
        }
        let misfit = Misfit::of(&error.code, type_at(&way), field, written)?;
        Some(text.error(value, misfit.cause).with_help(misfit.help))
    }

    /// The parts of a piece: a struct's or a map's named ones, or a list's.
    pub(crate) fn split<'t>(&self, text: &'t Text, piece: &Range<usize>) -> Result<Parts<'t>, ScenarioError> {
        self.parts(text, piece).map_err(|error| explain(text, piece, &error))
    }

    fn parts<'t>(&self, text: &'t Text, piece: &Range<usize>) -> Result<Parts<'t>, SpannedError> {
        let mut deserializer = ron::Deserializer::from_str_with_options(&text.as_str()[piece.clone()], &self.0)?;
        deserializer.deserialize_any(Splitter).map_err(|error| deserializer.span_error(error))
    }

    /// The fields that lead to the value at a place of a piece, and that value.
    fn way(&self, text: &Text, piece: &Range<usize>, at: usize) -> (Vec<String>, Range<usize>) {
        let (mut way, mut value) = (Vec::new(), piece.clone());
        loop {
            let is_at = |raw: &RawValue| Some(range_of(text, raw)).filter(|range| range.start <= at && at <= range.end);
            let found = match self.parts(text, &arguments(text, &value)) {
                Ok(Parts::Named(parts)) => parts.into_iter().find_map(|(name, raw)| Some((Some(name), is_at(raw)?))),
                Ok(Parts::Listed(parts)) => parts.into_iter().find_map(|raw| Some((None, is_at(raw)?))),
                Ok(Parts::Whole) | Err(_) => None,
            };
            match found {
                Some((name, inner)) if inner != value => {
                    way.extend(name);
                    value = inner;
                }
                _ => return (way, value),
            }
        }
    }
}

/// What a piece is made of.
#[derive(Debug)]
pub(crate) enum Parts<'t> {
    Named(Vec<(String, &'t RawValue)>),
    Listed(Vec<&'t RawValue>),
    /// A number, a text, a name alone.
    Whole,
}

struct Splitter;

impl<'de> Visitor<'de> for Splitter {
    type Value = Parts<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut parts = Vec::new();
        while let Some(part) = map.next_entry()? {
            parts.push(part);
        }
        Ok(Parts::Named(parts))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut parts = Vec::new();
        while let Some(part) = seq.next_element()? {
            parts.push(part);
        }
        Ok(Parts::Listed(parts))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Parts::Named(Vec::new()))
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Parts::Whole)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Parts::Whole)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Parts::Whole)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Parts::Whole)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Parts::Whole)
    }
}

/// The place of a piece that was borrowed from the text.
pub(crate) fn range_of(text: &Text, raw: &RawValue) -> Range<usize> {
    let trimmed = raw.trim().get_ron();
    let start = trimmed.as_ptr().addr() - text.as_str().as_ptr().addr();
    start..start + trimmed.len()
}

/// A call `name(...)`: the places of the name and of the parentheses, the latter empty if there are none. `None` if it is no call.
pub(crate) fn call(text: &Text, piece: &Range<usize>) -> Option<(Range<usize>, Range<usize>)> {
    let inner = &text.as_str()[piece.clone()];
    let length = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
    let rest = inner[length..].trim_start();
    let named = inner.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (named && (rest.is_empty() || rest.starts_with('('))).then(|| {
        let name = piece.start..piece.start + length;
        (name, piece.end - rest.len()..piece.end)
    })
}

/// The type of the value to which a path leads.
type TypeAt<'a> = &'a dyn Fn(&[String]) -> Option<Wanted>;

/// The parser's last step may have begun with white space, a comma or a colon: where what follows begins.
fn skip(inner: &str, at: usize) -> usize {
    at + inner[at..].find(|c: char| !c.is_whitespace() && c != ',' && c != ':').unwrap_or(0)
}

/// The parentheses of a call, else the piece itself.
pub(crate) fn arguments(text: &Text, piece: &Range<usize>) -> Range<usize> {
    match call(text, piece) {
        Some((_, params)) if !params.is_empty() => params,
        _ => piece.clone(),
    }
}

/// Brings an error of the inner parser back to the scenario's text.
fn explain(text: &Text, piece: &Range<usize>, error: &SpannedError) -> ScenarioError {
    let inner = &text.as_str()[piece.clone()];
    let (start, end) = (offset(inner, error.span.start), offset(inner, error.span.end));
    if let Some(number) = cut_at_point(inner, start).or_else(|| cut_at_point(inner, end)) {
        let cause = format!("{NO_WHOLE_NUMBER} `{}`", &inner[number.clone()]);
        return text.error(piece.start + number.start..piece.start + number.end, cause);
    }
    let (cause, help, found) = describe(&error.code);
    let range = match found {
        Some(name) => inner[..end].rfind(name).map_or(start..end, |at| at..at + name.len()),
        None => start..end,
    };
    let start = skip(inner, range.start);
    let start = if inner[..start].ends_with('"') { start - 1 } else { start };
    let end = inner[start..].find([',', ')', ']', '}', '\n']).map_or(inner.len(), |len| start + len);
    text.error(piece.start + start..piece.start + end.min(range.end.max(start + 1)), cause).with_help(help)
}

/// The number with a point at which the parser stopped, since it had enough with the whole part.
fn cut_at_point(inner: &str, at: usize) -> Option<Range<usize>> {
    let (head, tail) = inner.split_at(at);
    let whole = head.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_').trim_end_matches(['-', '+']).len();
    let is_cut = head.ends_with(|c: char| c.is_ascii_digit()) && tail.starts_with('.');
    let rest = tail.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '_' | '-' | '+')).unwrap_or(tail.len());
    is_cut.then_some(whole..at + rest)
}

/// The byte that a line and a column name.
fn offset(text: &str, position: Position) -> usize {
    let line: usize = text.split_inclusive('\n').take(position.line - 1).map(str::len).sum();
    text[line..].char_indices().nth(position.col - 1).map_or(text.len(), |(at, _)| line + at)
}

/// The cause in the words of scenarios.
pub(crate) fn cause(error: &SpannedError) -> String {
    describe(&error.code).0
}

/// The cause, the remedy, and the name that is wrong.
fn describe(error: &RonError) -> (String, Option<String>, Option<&str>) {
    match error {
        RonError::NoSuchStructField { expected, found, .. } => {
            (format!("unknown field `{found}`"), suggest::help(found, expected.iter().copied()), Some(found))
        }
        RonError::NoSuchEnumVariant { expected, found, .. } => {
            (format!("unknown value `{found}`"), suggest::help(found, expected.iter().copied()), Some(found))
        }
        RonError::MissingStructField { field, .. } => (format!("the field `{field}` is missing"), None, None),
        RonError::DuplicateStructField { field, .. } => (format!("the field `{field}` is given twice"), None, Some(field)),
        RonError::InvalidValueForType { expected, found } => (format!("expected {expected}, found {found}"), None, None),
        RonError::SuggestRawIdentifier(name) => {
            let help = format!("write `{}`: names of fields and kinds have letters, digits and `_` only", name.replace('-', "_"));
            (format!("`{name}` is no name"), Some(help), Some(name))
        }
        RonError::Message(text) => (text.clone(), None, None),
        other => {
            let text = other.to_string();
            let mut letters = text.chars();
            let first = letters.next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
            (first + letters.as_str(), None, None)
        }
    }
}
