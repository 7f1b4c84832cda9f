//! What can be wrong with a file of another program. Invariant: every text names the file.

use std::fmt;

use super::FileFormat;

/// Why a file could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileError {
    /// The system does not let it be read.
    Open {
        /// The file.
        file: String,
        /// What the system says.
        why: String,
    },
    /// Neither its name nor its content tells its format.
    Unknown {
        /// The file.
        file: String,
    },
    /// Nothing is in it.
    Empty {
        /// The file.
        file: String,
        /// What is missing.
        what: &'static str,
    },
    /// It is not in the format that it should be in, or cut short.
    Unreadable {
        /// The file.
        file: String,
        /// The format.
        format: FileFormat,
        /// What its reader says, with the place.
        why: String,
    },
    /// Its columns are not what they should be.
    Columns {
        /// The file.
        file: String,
        /// What is wrong, and what to do.
        what: String,
    },
    /// The time of a row cannot be told.
    Time {
        /// The file.
        file: String,
        /// The row, counted from 1, without a header.
        row: u64,
        /// What is wrong, and what to do.
        what: String,
    },
    /// The folder that it should be written to is not there.
    NoFolder {
        /// The folder.
        folder: String,
    },
    /// It cannot be written.
    Write {
        /// The file.
        file: String,
        /// Why.
        why: String,
    },
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { file, why } => write!(f, "{file} cannot be read: {why}"),
            Self::Unknown { file } => {
                write!(f, "{file}: its format is not known: give the option `format`, one of csv, parquet, ipc, ipc-stream")
            }
            Self::Empty { file, what } => write!(f, "{file} is empty: {what}"),
            Self::Unreadable { file, format, why } => write!(f, "{file} cannot be read as {format}: {why}"),
            Self::Columns { file, what } => write!(f, "{file}: {what}"),
            Self::Time { file, row, what } => write!(f, "{file}: row {row}: {what}"),
            Self::NoFolder { folder } => write!(f, "there is no folder {folder}: make it first, or choose another place"),
            Self::Write { file, why } => write!(f, "{file} cannot be written: {why}"),
        }
    }
}

impl std::error::Error for FileError {}
