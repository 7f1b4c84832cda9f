//! Looks at every byte of a store. Invariant: without `repair` nothing is changed; with it, nothing that a version or snapshot shows is lost.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use stillpoint_engine::Duration;

use crate::error::StoreError;
use crate::library::Core;
use crate::log::{commit_name, digest};
use crate::object::ObjectInfo;
use crate::store::{Kind, Store, folder};

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, or object.
    pub file: String,
    /// What is wrong with it, and what it means.
    pub what: String,
    /// Whether it is so no more.
    pub repaired: bool,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}{}", self.file, self.what, if self.repaired { " (repaired)" } else { "" })
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FsckReport {
    /// How many objects were read and compared with their checksums.
    pub checked: u64,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
}

/// A file without a version may belong to a commit that is about to be made: one that is younger than this is left alone.
const YOUNG: Duration = Duration::hours(1);

impl Store {
    /// Reads all that versions and snapshots show and compares it with its checksums, and looks for files that nothing shows. `repair` removes
    /// the latter, if they are older than an hour; what is damaged has to come from a copy.
    ///
    /// # Errors
    /// [`StoreError::Io`]; [`StoreError::Damaged`] if the list of libraries itself cannot be read.
    pub fn fsck(&self, repair: bool) -> Result<FsckReport, StoreError> {
        let mut report = FsckReport::default();
        for library in self.list()? {
            let id = self.known_id(&library.name)?;
            if matches!(library.kind, Kind::Document | Kind::Metadata) {
                self.check_objects(&folder(id), &mut report)?;
                continue;
            }
            self.check_objects(&folder(id), &mut report)?;
            match self.core(&library.name, &library.kind) {
                Ok(core) => self.check_rows(&core, repair, &mut report)?,
                Err(error @ StoreError::Damaged { .. }) => {
                    let what = format!("library `{}` cannot be opened: {error}", library.name);
                    report.findings.push(Finding { file: self.inner.shared.objects.place(&folder(id)), what, repaired: false });
                }
                Err(error) => return Err(error),
            }
        }
        self.check_objects("store", &mut report)?;
        for id in self.deleted()? {
            let file = self.inner.shared.objects.place(&folder(id));
            if repair {
                self.remove_files(id)?;
            }
            report.findings.push(Finding { file, what: "files of a library that was deleted".to_owned(), repaired: repair });
        }
        Ok(report)
    }

    /// Commits and checkpoints: each ends with a checksum of all before.
    fn check_objects(&self, folder: &str, report: &mut FsckReport) -> Result<(), StoreError> {
        let objects = &self.inner.shared.objects;
        for part in ["commit", "checkpoint"] {
            for info in objects.list(&format!("{folder}/{part}"))? {
                // One that was removed meanwhile was superseded.
                let Some(bytes) = objects.get(&info.name)? else { continue };
                report.checked += 1;
                let middle = bytes.len().saturating_sub(16);
                if digest(&bytes[..middle]).to_le_bytes() != bytes[middle..] {
                    let what = format!("the {part} is damaged: its checksum does not fit its bytes");
                    report.findings.push(Finding { file: objects.place(&info.name), what, repaired: false });
                }
            }
        }
        Ok(())
    }

    fn check_rows(&self, core: &Arc<Core>, repair: bool, report: &mut FsckReport) -> Result<(), StoreError> {
        let objects = &self.inner.shared.objects;
        // The list comes first: what is written after it is not in it.
        let listed = objects.list(&format!("{}/segment", core.folder))?;
        core.refresh()?;
        let (segments, commits, garbage) = core.log.read(|state| {
            let garbage: BTreeSet<String> = state.garbage.keys().cloned().collect();
            (state.shown(), state.commits_with_rows(), garbage)
        });
        for segment in &segments {
            let place = objects.place(&segment.name);
            let damage = match objects.get(&segment.name)? {
                None => Some("it is missing".to_owned()),
                Some(bytes) => {
                    report.checked += 1;
                    segment.damage(&bytes)
                }
            };
            if let Some(what) = damage {
                let what = format!("{what}; versions that have rows in it cannot be read");
                report.findings.push(Finding { file: place, what, repaired: false });
            }
        }
        for commit in commits {
            let name = commit_name(&core.folder, commit);
            if objects.get_range(&name, 0..1)?.is_none() {
                let what = "it is missing; versions that have rows in it cannot be read".to_owned();
                report.findings.push(Finding { file: objects.place(&name), what, repaired: false });
            }
        }
        let known: BTreeSet<&str> = segments.iter().map(|segment| segment.name.as_str()).collect();
        let now = self.inner.shared.clock.now();
        let is_lost = |info: &&ObjectInfo| {
            let old = info.written <= now && now.since(info.written) >= YOUNG;
            old && !known.contains(info.name.as_str()) && !garbage.contains(&info.name)
        };
        for info in listed.iter().filter(is_lost) {
            if repair {
                objects.delete(&info.name)?;
            }
            let what = "no version has rows in it: what wrote it came to no commit".to_owned();
            report.findings.push(Finding { file: objects.place(&info.name), what, repaired: repair });
        }
        Ok(())
    }
}
