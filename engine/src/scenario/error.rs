//! What is wrong with a scenario, and where. Invariant: an error always names the file or the override that it is about.

use std::fmt;

/// A scenario that cannot be read or built: the place, the cause and, where one is known, the remedy.
///
/// It prints like a compiler's message:
/// ```text
/// market.ron:7:44: unknown kind of actor `ema_cros`
///   |
/// 7 |     actors: [(name: "fast", kind: ema_cros(fast: 12))],
///   |                                   ^^^^^^^^
/// help: did you mean `ema_cross`?
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    /// Where the cause stands.
    pub place: Place,
    /// What is wrong.
    pub cause: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// How the cause begins where a number with a point stands in place of a whole number.
pub(super) const NO_WHOLE_NUMBER: &str = "expected a whole number, found";

/// Where a scenario is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the file.
    File {
        /// The file's name, as given.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// How many characters of the line are meant.
        marked: usize,
        /// The text of the line.
        source: String,
    },
    /// In a value given from outside the file, such as by `--set`.
    Override {
        /// The override as it was written.
        flag: String,
    },
    /// The file as a whole.
    Whole {
        /// The file's name, as given.
        file: String,
    },
}

impl ScenarioError {
    /// Whether a number with a point stands where a whole one is wanted.
    pub fn wants_whole_number(&self) -> bool {
        self.cause.starts_with(NO_WHOLE_NUMBER)
    }

    pub(crate) fn with_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::File { file, line, column, marked, source } => {
                let gutter = line.to_string().len();
                write!(f, "{file}:{line}:{column}: {}", self.cause)?;
                write!(f, "\n{:gutter$} |\n{line} | {source}\n{:gutter$} | {:indent$}", "", "", "", indent = column - 1)?;
                f.write_str(&"^".repeat(*marked))?;
            }
            Place::Override { flag } => write!(f, "{flag}: {}", self.cause)?,
            Place::Whole { file } => write!(f, "{file}: {}", self.cause)?,
        }
        self.help.as_ref().map_or(Ok(()), |help| write!(f, "\nhelp: {help}"))
    }
}

impl std::error::Error for ScenarioError {}
