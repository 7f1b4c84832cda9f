//! Overrides of single values, such as `--set actors.fast.alpha=12`. Invariant: an override changes the text that is parsed, so what
//! it may say is exactly what the file may say.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::de::IgnoredAny;

use super::error::{Place, ScenarioError};
use super::raw::{Dialect, Parts, arguments, call, range_of};
use super::text::Text;
use crate::suggest;

/// One value given from outside the file: a path of field names, names of streams and actors and positions in lists, and RON.
///
/// The parameters of a kind are reached with or without `kind`: `actors.fast.alpha` and `actors.fast.kind.alpha` are the same. Texts
/// need no quotes where the file has a text, or where the value is no RON. Names with dots need them: `actors."a.b".alpha`.
///
/// ```
/// use stillpoint_engine::scenario::{Override, Scenario};
/// let text = r#"(name: "hello", end: "2025-01-01T00:00:00Z")"#;
/// let given: Override = "end=2025-01-02T00:00:00Z".parse()?;
/// let scenario = Scenario::parse("hello.ron", text, &[given])?;
/// assert_eq!(scenario.end(), Some("2025-01-02T00:00:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    path: String,
    value: String,
    flag: String,
}

/// A text that is no override.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverrideError(String);

impl fmt::Display for OverrideError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no override; write path=value, such as actors.fast.alpha=12 or seed=3", self.0)
    }
}

impl std::error::Error for OverrideError {}

impl Override {
    /// The override of `path`, which errors call `flag`: what the user typed.
    pub fn new(path: &str, value: &str, flag: &str) -> Self {
        Self { path: path.to_owned(), value: value.to_owned(), flag: flag.to_owned() }
    }

    /// Which value it is about.
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// As it is given to `--set`.
impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.path, self.value)
    }
}

impl FromStr for Override {
    type Err = OverrideError;

    fn from_str(text: &str) -> Result<Self, OverrideError> {
        let mut is_quoted = false;
        let sign = text.find(|letter| {
            is_quoted ^= letter == '"';
            letter == '=' && !is_quoted
        });
        match sign.map(|at| (&text[..at], &text[at + 1..])) {
            Some((path, value)) if !path.trim().is_empty() => Ok(Self::new(path.trim(), value.trim(), &format!("--set {text}"))),
            _ => Err(OverrideError(text.to_owned())),
        }
    }
}

/// Writes the override into the text.
pub(crate) fn apply(text: &mut Text, dialect: &Dialect, given: &Override) -> Result<(), ScenarioError> {
    let mut piece = 0..text.as_str().len();
    let parts = segments(&given.path).ok_or_else(|| {
        let help = "write names with dots in quotes, as in actors.\"a.b\".size".to_owned();
        ScenarioError { place: place(given), cause: format!("`{}` is no path", given.path), help: Some(help) }
    })?;
    let mut segments = parts.into_iter();
    while let Some(segment) = segments.next() {
        let parts = dialect.split(text, &arguments(text, &piece))?;
        match find(text, dialect, parts, segment)? {
            Found::Part(range) => piece = range,
            // A field that the file leaves out; with more segments, a whole struct of one field, such as `limits.max_steps`.
            Found::Absent(None) => {
                let inner: Vec<&str> = segments.collect();
                let value = written(dialect, given, false);
                let value = inner.iter().rev().fold(value, |value, field| format!("({field}: {value})"));
                return insert(text, dialect, &piece, segment, &value, given);
            }
            Found::Absent(Some(known)) => {
                let error = ScenarioError { place: place(given), cause: format!("nothing is called `{segment}` there"), help: None };
                let dotted = known.iter().find(|name| name.strip_prefix(segment).is_some_and(|rest| rest.starts_with('.')));
                return Err(error.with_help(match dotted {
                    Some(name) => Some(format!("a name with a dot goes into quotes: \"{name}\"")),
                    None => suggest::help(segment, known.iter().map(String::as_str)),
                }));
            }
        }
    }
    let is_text = text.as_str()[piece.clone()].starts_with('"');
    let value = written(dialect, given, is_text);
    text.patch(piece, &value, &given.flag);
    Ok(())
}

/// The names of a path, between its dots; one in double quotes may hold dots. `None` if a quote is not closed, or something follows it but a dot.
fn segments(path: &str) -> Option<Vec<&str>> {
    let (mut segments, mut rest) = (Vec::new(), path);
    loop {
        let (segment, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => rest.split_at(rest.find('.').unwrap_or(rest.len())),
        };
        segments.push(segment);
        if after.is_empty() {
            return Some(segments);
        }
        rest = after.strip_prefix('.')?;
    }
}

/// Where a segment leads: to a piece, or nowhere. `Some`: the names there are, when no other can be added.
enum Found {
    Part(Range<usize>),
    Absent(Option<Vec<String>>),
}

/// The piece that `segment` names inside `parts`.
fn find(text: &Text, dialect: &Dialect, parts: Parts<'_>, segment: &str) -> Result<Found, ScenarioError> {
    match parts {
        Parts::Named(fields) => {
            if let Some((_, raw)) = fields.iter().find(|(name, _)| name == segment) {
                return Ok(Found::Part(range_of(text, raw)));
            }
            // A stream's or an actor's entry: what is not said there is a parameter of its kind.
            if let Some((_, kind)) = fields.iter().find(|(name, _)| name == "kind")
                && !ENTRY_FIELDS.contains(&segment)
            {
                let kind = range_of(text, kind);
                return find(text, dialect, dialect.split(text, &arguments(text, &kind))?, segment);
            }
            Ok(Found::Absent(None))
        }
        Parts::Listed(items) => {
            if let Some(raw) = segment.parse::<usize>().ok().and_then(|index| items.get(index)) {
                return Ok(Found::Part(range_of(text, raw)));
            }
            let mut known = Vec::new();
            for raw in items {
                let range = range_of(text, raw);
                if let Parts::Named(fields) = dialect.split(text, &arguments(text, &range))?
                    && let Some((_, name)) = fields.iter().find(|(field, _)| field == "name")
                {
                    let name: String = dialect.parse(text, &range_of(text, name))?;
                    if name == segment {
                        return Ok(Found::Part(range));
                    }
                    known.push(name);
                }
            }
            Ok(Found::Absent(Some(known)))
        }
        Parts::Whole => Ok(Found::Absent(None)),
    }
}

/// What an entry of a stream or an actor says besides its kind's parameters.
const ENTRY_FIELDS: [&str; 7] = ["name", "kind", "late", "reorder", "ties", "controlled", "rank"];

/// Adds a field that the file leaves out, as the first one of its struct.
fn insert(
    text: &mut Text,
    dialect: &Dialect,
    piece: &Range<usize>,
    field: &str,
    value: &str,
    given: &Override,
) -> Result<(), ScenarioError> {
    let mut target = piece.clone();
    if let Parts::Named(fields) = dialect.split(text, &arguments(text, piece))?
        && let Some((_, kind)) = fields.iter().find(|(name, _)| name == "kind")
        && !ENTRY_FIELDS.contains(&field)
    {
        target = range_of(text, kind);
    }
    let inside = arguments(text, &target);
    let code = skip_to_code(&text.as_str()[inside.clone()]);
    if text.as_str()[inside.start + code..].starts_with('(') {
        let at = inside.start + code + 1;
        text.patch(at..at, &format!("{field}: {value}, "), &given.flag);
    } else if call(text, &target).is_some() {
        text.patch(target.end..target.end, &format!("({field}: {value})"), &given.flag);
    } else {
        return Err(ScenarioError { place: place(given), cause: format!("there is no field to hold `{field}`"), help: None });
    }
    Ok(())
}

/// How far it is to the first byte that is neither white space, a comment nor an `#![enable(...)]`.
fn skip_to_code(text: &str) -> usize {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        rest = if rest.starts_with("//") {
            rest.find('\n').map_or("", |end| &rest[end..])
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or("", |end| &rest[end + 2..])
        } else if rest.starts_with("#!") {
            rest.find(']').map_or("", |end| &rest[end + 1..])
        } else {
            return text.len() - rest.len();
        };
    }
}

/// The value as RON: quoted if the file has a text there, or if it is no RON as it stands.
fn written(dialect: &Dialect, given: &Override, is_text: bool) -> String {
    let value = given.value.as_str();
    let is_ron = dialect.parse_loose::<IgnoredAny>(value).is_ok();
    if value.starts_with('"') || is_ron && !is_text { value.to_owned() } else { format!("{value:?}") }
}

fn place(given: &Override) -> Place {
    Place::Override { flag: given.flag.clone() }
}
