//! The text of a scenario with its overrides applied. Invariant: every byte of it is traced back to a line of the file or to one override.

use std::ops::Range;

use super::error::{Place, ScenarioError};

/// A scenario's text as it is parsed, and where each part of it came from.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    file: String,
    original: String,
    patched: String,
    patches: Vec<Patch>,
}

/// One replacement: `old` is a range of the text before it, `new` one of the text after it.
#[derive(Clone, Debug)]
struct Patch {
    old: Range<usize>,
    new: Range<usize>,
    flag: String,
}

impl Text {
    pub(crate) fn new(file: &str, text: &str) -> Self {
        Self { file: file.to_owned(), original: text.to_owned(), patched: text.to_owned(), patches: Vec::new() }
    }

    /// The text with all replacements made so far.
    pub(crate) fn as_str(&self) -> &str {
        &self.patched
    }

    /// Replaces a range of the present text on behalf of the override `flag`.
    pub(crate) fn patch(&mut self, old: Range<usize>, with: &str, flag: &str) {
        self.patched.replace_range(old.clone(), with);
        let new = old.start..old.start + with.len();
        self.patches.push(Patch { old, new, flag: flag.to_owned() });
    }

    /// Where a range of the present text came from.
    pub(crate) fn place(&self, range: Range<usize>) -> Place {
        let mut start = range.start;
        for patch in self.patches.iter().rev() {
            if patch.new.contains(&start) {
                return Place::Override { flag: patch.flag.clone() };
            }
            if start >= patch.new.end {
                start = start - patch.new.len() + patch.old.len();
            }
        }
        let start = start.min(self.original.len());
        let line_start = self.original[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_len = self.original[line_start..].find('\n').unwrap_or(self.original.len() - line_start);
        let source = self.original[line_start..line_start + line_len].trim_end().to_owned();
        let column = self.original[line_start..start].chars().count() + 1;
        let marked = self.patched.get(range).map_or(1, |text| text.lines().next().unwrap_or("").chars().count());
        let room = (source.chars().count() + 1).saturating_sub(column);
        let line = self.original[..start].matches('\n').count() + 1;
        Place::File { file: self.file.clone(), line, column, marked: marked.clamp(1, room.max(1)), source }
    }

    /// An error at a range of the present text.
    pub(crate) fn error(&self, range: Range<usize>, cause: impl Into<String>) -> ScenarioError {
        ScenarioError { place: self.place(range), cause: cause.into(), help: None }
    }
}
