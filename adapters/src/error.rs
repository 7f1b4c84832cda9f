//! Files that cannot be read.

use std::fmt;
use std::path::{Path, PathBuf};

use stillpoint_engine::SourceError;

/// A file that cannot be read or makes no sense: where, what, and what to do.
///
/// It prints as `FILE:LINE: cause; help`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataError {
    /// The file.
    pub file: PathBuf,
    /// The line in its text, from 1, where there is one.
    pub line: Option<u64>,
    /// What is wrong.
    pub cause: String,
    /// What to do about it.
    pub help: String,
}

impl DataError {
    pub(crate) fn new(file: &Path, line: Option<u64>, cause: impl Into<String>, help: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, cause: cause.into(), help: help.into() }
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}; {}", self.cause, self.help)
    }
}

impl std::error::Error for DataError {}

impl From<DataError> for SourceError {
    fn from(error: DataError) -> Self {
        Self(error.to_string())
    }
}
