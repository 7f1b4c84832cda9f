//! Rows in a Parquet file of our own. Invariant: every byte that is decoded was compared with a checksum from when it was written.

mod inline;
mod plain;
mod read;
mod write;

use serde::{Deserialize, Serialize};

use crate::log::{digest, hex128};

pub(crate) use inline::{InlineDecoder, encode as encode_inline};
pub(crate) use plain::PlainRows;
pub(crate) use read::{Columns, MayMatch, Wanted, read_inline, read_segment};
pub(crate) use write::{GROUP_ROWS, SEGMENT_ROWS, write};

/// One row group of a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GroupInfo {
    /// Its rows.
    #[serde(rename = "r")]
    pub(crate) rows: u64,
    /// Its first and last instant, if there is a time index.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub(crate) span: Option<(i64, i64)>,
    /// Where its bytes begin in the file.
    #[serde(rename = "o")]
    pub(crate) offset: u64,
    /// How many they are.
    #[serde(rename = "l")]
    pub(crate) len: u64,
    /// Their checksum.
    #[serde(rename = "d", with = "hex128")]
    pub(crate) digest: u128,
}

/// What a log knows of a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Segment {
    /// The object.
    pub(crate) name: String,
    /// Its size.
    pub(crate) bytes: u64,
    /// Its row groups.
    pub(crate) groups: Vec<GroupInfo>,
    /// Checksum of everything after the row groups: the footer of Parquet.
    #[serde(with = "hex128")]
    pub(crate) footer: u128,
}

impl Segment {
    /// All its rows.
    pub(crate) fn rows(&self) -> u64 {
        self.groups.iter().map(|group| group.rows).sum()
    }

    /// What is wrong with these bytes, which should be the whole segment.
    pub(crate) fn damage(&self, bytes: &[u8]) -> Option<String> {
        if bytes.len() as u64 != self.bytes {
            return Some(format!("it has {} bytes where {} were written", bytes.len(), self.bytes));
        }
        for (index, group) in self.groups.iter().enumerate() {
            let range = group.offset as usize..(group.offset + group.len) as usize;
            if bytes.get(range).map(digest) != Some(group.digest) {
                return Some(format!("row group {index} is damaged: its checksum does not fit its bytes"));
            }
        }
        let footer = bytes.get(self.footer_at() as usize..).map(digest);
        let head = bytes.get(..4) == Some(b"PAR1");
        (footer != Some(self.footer) || !head).then(|| "its footer is damaged: its checksum does not fit its bytes".to_owned())
    }

    /// Where its footer begins.
    pub(crate) fn footer_at(&self) -> u64 {
        self.groups.last().map_or(4, |group| group.offset + group.len)
    }
}
