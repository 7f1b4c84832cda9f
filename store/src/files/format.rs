//! Formats of files. Invariant: a name's ending decides, else the first bytes.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// A format of files with rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileFormat {
    /// Text with a header. It knows no types, and takes an empty text for none.
    Csv,
    /// Apache Parquet.
    Parquet,
    /// Arrow IPC, the file format: also called Feather 2.
    Ipc,
    /// Arrow IPC, the stream format.
    IpcStream,
}

impl FileFormat {
    /// The format that a name ends in.
    pub fn of_name(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "csv" | "tsv" => Some(Self::Csv),
            "parquet" | "pq" => Some(Self::Parquet),
            "arrow" | "feather" | "ipc" => Some(Self::Ipc),
            "arrows" => Some(Self::IpcStream),
            _ => None,
        }
    }

    /// The format that begins with these bytes, where that can be told.
    pub(super) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [b'P', b'A', b'R', b'1', ..] => Some(Self::Parquet),
            [b'A', b'R', b'R', b'O', b'W', b'1', ..] => Some(Self::Ipc),
            [0xff, 0xff, 0xff, 0xff, ..] => Some(Self::IpcStream),
            _ => None,
        }
    }
}

impl fmt::Display for FileFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Csv => "CSV",
            Self::Parquet => "Parquet",
            Self::Ipc => "an Arrow IPC file",
            Self::IpcStream => "an Arrow IPC stream",
        })
    }
}

impl FromStr for FileFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "csv" => Ok(Self::Csv),
            "parquet" => Ok(Self::Parquet),
            "ipc" => Ok(Self::Ipc),
            "ipc-stream" => Ok(Self::IpcStream),
            _ => Err(format!("there is no format `{text}`: it is one of csv, parquet, ipc, ipc-stream")),
        }
    }
}
