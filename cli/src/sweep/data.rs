//! What tells one state of a file from another: of data, and of this program. Invariant: a digest is of the bytes that were there when it was
//! asked for first; what has changed since has another stamp.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::hash::Hasher;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use stillpoint_engine::{Digest, digest_of};

use crate::failure::Failure;

/// Files up to this length are read; above it, length and time of change must do.
const READ_UP_TO: u64 = 1 << 30;

const PIECE: usize = 1 << 20;

/// A number for a file's length and time of change; `None` if there is no such file.
pub(super) fn stamp(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|metadata| stamp_of(&metadata))
}

fn stamp_of(metadata: &Metadata) -> u64 {
    digest_of(&(metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
}

/// The versions of data files, each found out once.
#[derive(Debug, Default)]
pub(super) struct Versions {
    known: Mutex<BTreeMap<(PathBuf, u64), String>>,
}

impl Versions {
    /// What stands for the file's content in the key of a result.
    pub(super) fn of(&self, path: &Path) -> Result<String, String> {
        let fail = |error: io::Error| format!("{}: cannot be read: {error}", path.display());
        let metadata = std::fs::metadata(path).map_err(fail)?;
        let stamp = stamp_of(&metadata);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(version) = known.get(&(path.to_owned(), stamp)) {
            return Ok(version.clone());
        }
        let version = if metadata.len() <= READ_UP_TO { content(path).map_err(fail)? } else { format!("stamp {stamp:016x}") };
        known.insert((path.to_owned(), stamp), version.clone());
        Ok(version)
    }
}

/// A digest of this program: another build may come to other results.
pub(super) fn program() -> Result<String, Failure> {
    let digest = std::env::current_exe().and_then(|path| content(&path));
    digest.map_err(|error| Failure::Work(format!("the program cannot read its own file, by which it knows its results: {error}")))
}

/// A digest of 128 bits of a file's bytes.
fn content(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut lanes = lanes();
    let mut piece = vec![0; PIECE];
    loop {
        let mut filled = 0;
        while filled < PIECE {
            match file.read(&mut piece[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        lanes.iter_mut().for_each(|lane| lane.write(&piece[..filled]));
        if filled < PIECE {
            return Ok(hexadecimal(&lanes));
        }
    }
}

/// A digest of 128 bits of texts, where it matters which is which.
pub(super) fn digest<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut lanes = lanes();
    for text in texts {
        lanes.iter_mut().for_each(|lane| lane.write(text.as_bytes()));
    }
    hexadecimal(&lanes)
}

/// Two digests that begin differently.
fn lanes() -> [Digest; 2] {
    [1, 2].map(|number| {
        let mut lane = Digest::new();
        lane.write_u64(number);
        lane
    })
}

fn hexadecimal(lanes: &[Digest; 2]) -> String {
    lanes.iter().map(|lane| format!("{:016x}", lane.finish())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_follows_the_content_and_not_the_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let [a, b] = ["a", "b"].map(|name| folder.path().join(name));
        std::fs::write(&a, vec![7; PIECE + 1]).expect("a file");
        std::fs::write(&b, vec![7; PIECE + 1]).expect("a file");
        let versions = Versions::default();
        assert_eq!(versions.of(&a), versions.of(&b));
        let before = versions.of(&a).expect("a version");
        std::fs::write(&a, vec![7; PIECE]).expect("a file");
        assert_ne!(versions.of(&a), Ok(before.clone()));
        std::fs::write(&a, vec![7; PIECE + 1]).expect("a file");
        assert_eq!(versions.of(&a), Ok(before));
        assert!(versions.of(&folder.path().join("c")).is_err_and(|cause| cause.contains("cannot be read")));
        assert_eq!(stamp(&folder.path().join("c")), None);
    }

    #[test]
    fn texts_cannot_run_into_each_other() {
        assert_ne!(digest(["ab", "c"]), digest(["a", "bc"]));
        assert_eq!(digest(["ab"]).len(), 32);
    }
}
