//! Snapshots as text: a line with the version, a line with checksum and length, and a RON value. Invariant: a text that was changed in any
//! byte, or cut anywhere, is refused.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::error::{ReadError, WriteError};
use super::image::Image;
use crate::digest::digest_of;
use crate::erased;

/// Of the text, and of what is in it.
pub(crate) const VERSION: u32 = 1;

const TITLE: &str = "stillpoint-snapshot ";

/// Checksum and length of what follows.
fn seal(body: &[u8]) -> String {
    let (low, high) = (digest_of(&("low", body)), digest_of(&("high", body)));
    format!("{high:016x}{low:016x} {}\n", body.len())
}

pub(crate) fn to_text(image: &Image) -> String {
    let pretty = ron::ser::PrettyConfig::new().depth_limit(2).indentor("  ").escape_strings(true);
    let mut body = ron::ser::to_string_pretty(&(image as &dyn erased_serde::Serialize), pretty)
        .expect("names, numbers and values that are RON already can be written");
    body.push('\n');
    format!("{TITLE}{VERSION}\n{}{body}", seal(body.as_bytes()))
}

/// Reads a text; `file` is named in errors.
pub(crate) fn of_bytes(bytes: &[u8], file: &Path) -> Result<Image, ReadError> {
    let file = || file.to_owned();
    let (title, rest) = line(bytes).ok_or_else(|| cut_short(bytes, file()))?;
    let version =
        title.strip_prefix(TITLE).filter(|digits| !digits.starts_with('0') || *digits == "0").and_then(|digits| digits.parse::<u32>().ok());
    match version {
        None => return Err(ReadError::Foreign { file: file() }),
        Some(version) if version > VERSION => return Err(ReadError::Newer { file: file(), version }),
        Some(version) if version < VERSION => return Err(ReadError::Older { file: file(), version }),
        Some(_) => {}
    }
    let head = bytes.len() - rest.len();
    let Some((sealed, body)) = line(rest) else {
        return Err(ReadError::Truncated { file: file(), expected: head as u64 + 35, found: bytes.len() as u64 });
    };
    let length = sealed.split_once(' ').and_then(|(_, length)| length.parse::<u64>().ok());
    if let Some(length) = length
        && (body.len() as u64) < length
    {
        let head = (bytes.len() - body.len()) as u64;
        return Err(ReadError::Truncated { file: file(), expected: head.saturating_add(length), found: bytes.len() as u64 });
    }
    if format!("{sealed}\n") != seal(body) {
        return Err(ReadError::Damaged { file: file() });
    }
    let malformed = |cause: String| ReadError::Malformed { file: file(), cause };
    let text = std::str::from_utf8(body).map_err(|error| malformed(error.to_string()))?;
    erased::from_ron(&ron::Options::default(), text).map_err(|error| malformed(error.to_string()))
}

/// The first line of a text and what comes after it.
fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]))
}

/// A text without a whole first line: the beginning of a snapshot, or none.
fn cut_short(bytes: &[u8], file: PathBuf) -> ReadError {
    let title = format!("{TITLE}{VERSION}");
    if title.as_bytes().starts_with(bytes) {
        ReadError::Truncated { file, expected: title.len() as u64 + 1, found: bytes.len() as u64 }
    } else {
        ReadError::Foreign { file }
    }
}

pub(crate) fn read(file: &Path) -> Result<Image, ReadError> {
    let bytes = fs::read(file).map_err(|cause| ReadError::Io { file: file.to_owned(), cause })?;
    of_bytes(&bytes, file)
}

/// Writes beside the file, and puts it in its place when all of it is on the disk.
pub(crate) fn write(image: &Image, file: &Path) -> Result<(), WriteError> {
    let fault = |cause| WriteError { file: file.to_owned(), cause };
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = file.with_file_name(name);
    let written = fs::File::create(&part).and_then(|mut open| {
        open.write_all(to_text(image).as_bytes())?;
        open.sync_all()
    });
    let placed = written.and_then(|()| fs::rename(&part, file));
    placed.map_err(|cause| {
        // What is left of it is of no use; that it cannot be removed is no news either.
        let _ = fs::remove_file(&part);
        fault(cause)
    })
}
