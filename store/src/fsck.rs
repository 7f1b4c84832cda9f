//! Looks at every byte of a store. Invariant: without `repair` nothing is changed; with it, nothing that a version or snapshot shows is lost.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use stillpoint_engine::Duration;

use crate::error::StoreError;
use crate::library::Core;
use crate::log::{commit_name, commit_number, header};
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

impl FsckReport {
    /// Tells of a file, once, what cannot be repaired here.
    fn find(&mut self, file: String, what: impl Into<String>) {
        if self.findings.iter().all(|finding| finding.file != file) {
            self.findings.push(Finding { file, what: what.into(), repaired: false });
        }
    }
}

/// A commit or a checkpoint.
enum Found {
    Missing,
    Damaged,
    /// Its header, and its digest.
    Whole(Value, u128),
}

/// A digest in a header.
fn hex(value: &Value) -> Option<u128> {
    u128::from_str_radix(value.as_str()?, 16).ok()
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
        // Folders are listed before libraries: one that is made meanwhile is not among them.
        let number = |info: &ObjectInfo| info.name.strip_prefix("library/")?.split('/').next()?.parse::<u64>().ok();
        let mut folders: BTreeSet<u64> = self.inner.shared.objects.list("library")?.iter().filter_map(number).collect();
        for library in self.list()? {
            let id = self.known_id(&library.name)?;
            folders.remove(&id);
            let opened = match &library.kind {
                Kind::Document => self.documents(&library.name).and_then(|library| library.0.committed()),
                Kind::Metadata => self.metadata(&library.name).and_then(|library| library.0.committed()),
                kind => self.core(&library.name, kind).and_then(|core| {
                    core.refresh()?;
                    self.check_rows(&core, repair, &mut report)?;
                    Ok(core.log.number())
                }),
            };
            let committed = match opened {
                Ok(number) => number,
                Err(error @ (StoreError::Damaged { .. } | StoreError::Newer { .. })) => {
                    report.find(
                        self.inner.shared.objects.place(&folder(id)),
                        format!("library `{}` cannot be opened: {error}", library.name),
                    );
                    0
                }
                Err(error) => return Err(error),
            };
            self.check_log(&folder(id), committed, &mut report)?;
        }
        self.check_log("store", self.committed()?, &mut report)?;
        folders.extend(self.deleted()?);
        for id in folders {
            let file = self.inner.shared.objects.place(&folder(id));
            if repair {
                self.remove_files(id)?;
            }
            report.findings.push(Finding { file, what: "files of a library that was deleted".to_owned(), repaired: repair });
        }
        Ok(report)
    }

    /// The commits and checkpoints of a log, of which so many commits are known here: each is whole, and each that is needed is there and
    /// follows the one before it.
    fn check_log(&self, log: &str, committed: u64, report: &mut FsckReport) -> Result<(), StoreError> {
        let objects = &self.inner.shared.objects;
        // Commits are listed first: if a checkpoint is made after that, those for which it stands may be gone.
        let numbers: BTreeSet<u64> = objects.list(&format!("{log}/commit"))?.iter().filter_map(|info| commit_number(&info.name)).collect();
        let mut oldest = None;
        for info in objects.list(&format!("{log}/checkpoint"))? {
            let found = self.look(&info.name, report)?;
            let digest = || if let Found::Whole(header, _) = &found { hex(&header["digest"]) } else { None };
            oldest = oldest.or_else(|| Some((commit_number(&info.name)?, digest())));
        }
        let (stands_for, mut before) = oldest.unwrap_or((0, Some(0)));
        for number in numbers.iter().take_while(|number| **number <= stands_for) {
            self.look(&commit_name(log, *number), report)?;
        }
        for number in stands_for + 1..=numbers.last().copied().unwrap_or(0).max(committed) {
            let name = commit_name(log, number);
            let found = self.look(&name, report)?;
            let wrong = match &found {
                Found::Missing => Some("it is missing, and others follow, or have read it: the library cannot be opened from here on"),
                Found::Whole(header, _) if before.is_some() && hex(&header["before"]) != before => {
                    Some("it does not follow the commit before it, which is another than when it was written")
                }
                Found::Whole(..) | Found::Damaged => None,
            };
            before = match (wrong, found) {
                (None, Found::Whole(_, digest)) => Some(digest),
                _ => None,
            };
            if let Some(what) = wrong {
                report.find(objects.place(&name), what);
            }
        }
        Ok(())
    }

    /// Reads a commit or a checkpoint.
    fn look(&self, name: &str, report: &mut FsckReport) -> Result<Found, StoreError> {
        let objects = &self.inner.shared.objects;
        let Some(bytes) = objects.get(name)? else { return Ok(Found::Missing) };
        report.checked += 1;
        let what = match header(&bytes, || objects.place(name)) {
            Ok((header, digest)) => return Ok(Found::Whole(header, digest)),
            Err(StoreError::Damaged { what, .. }) => format!("it is damaged: {what}"),
            Err(error) => error.to_string(),
        };
        report.find(objects.place(name), what);
        Ok(Found::Damaged)
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
                report.find(place, format!("{what}; versions that have rows in it cannot be read"));
            }
        }
        for commit in commits {
            let name = commit_name(&core.folder, commit);
            if objects.get_range(&name, 0..1)?.is_none() {
                report.find(objects.place(&name), "it is missing; versions that have rows in it cannot be read");
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
