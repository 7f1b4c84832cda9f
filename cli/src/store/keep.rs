//! The commands `snapshot`, `prune`, `compact` and `fsck`: what keeps a store in order.

use std::collections::BTreeMap;

use serde_json::json;
use stillpoint_engine::Duration;
use stillpoint_store::SnapshotInfo;

use super::Called;
use super::args::Target;
use super::bar::Bar;
use super::list::{headed, meant};
use super::name::SnapshotPin;
use crate::failure::{Done, Failure, print};
use crate::numbers::{counted, grouped};
use crate::table::Side;

/// Lists the snapshots of a library.
pub(super) fn snapshots(called: &Called<'_>, library: &str) -> Result<Done, Failure> {
    let snapshots = called.open()?.rows(library)?.list_snapshots()?;
    let text = || {
        let title = format!("{library}: {}\n", counted(snapshots.len(), "snapshot"));
        let rows: Vec<_> = snapshots
            .iter()
            .map(|snapshot| [snapshot.name.clone(), snapshot.at.to_string(), grouped(snapshot.versions.len() as u64)])
            .collect();
        if rows.is_empty() { title } else { title + &headed([Side::Left, Side::Left, Side::Right], ["snapshot", "made", "symbols"], rows) }
    };
    called.say(text, || json!({ "library": library, "snapshots": snapshots.iter().map(snapshot_json).collect::<Vec<_>>() }))
}

fn snapshot_json(snapshot: &SnapshotInfo) -> serde_json::Value {
    json!({ "snapshot": snapshot.name, "at": snapshot.at.to_string(), "versions": snapshot.versions, "metadata": snapshot.metadata })
}

/// Makes a snapshot.
pub(super) fn snapshot(called: &Called<'_>, library: &str, name: &str, pins: &[SnapshotPin]) -> Result<Done, Failure> {
    let chosen: BTreeMap<String, _> = pins.iter().map(|pin| (pin.0.clone(), pin.1.clone())).collect();
    let made = called.open()?.rows(library)?.snapshot(name, &chosen, None)?;
    let text = || format!("snapshot {name} of {library} shows {}\n", counted(made.versions.len(), "symbol"));
    called.say(text, || snapshot_json(&made))
}

/// Deletes a snapshot.
pub(super) fn delete_snapshot(called: &Called<'_>, library: &str, name: &str) -> Result<Done, Failure> {
    called.open()?.rows(library)?.delete_snapshot(name)?;
    called.say(|| format!("snapshot {name} of {library} is deleted\n"), || json!({ "library": library, "deleted": name }))
}

/// Deletes old versions, and files that nothing shows any more.
pub(super) fn prune(called: &Called<'_>, target: &Target, keep: Duration, grace: Duration) -> Result<Done, Failure> {
    let store = called.open()?;
    let library = store.rows(&target.library)?;
    let mut versions = 0;
    for (_, symbol) in meant(&store, Some(target))? {
        if called.is_stopped() {
            return called.interrupted("what is deleted stays deleted; the same command does the rest");
        }
        versions += library.prune(&symbol, keep)?;
    }
    let swept = library.sweep(grace)?;
    let text = || {
        let files = counted((swept.segments + swept.commits) as usize, "file");
        format!("{} deleted, {files} removed that nothing has shown for {grace}\n", counted(versions as usize, "version"))
    };
    called.say(text, || json!({ "versions": versions, "segments": swept.segments, "commits": swept.commits, "bytes": swept.bytes }))
}

/// Deletes a symbol, or a library if that is said twice.
pub(super) fn delete(called: &Called<'_>, target: &Target, whole_library: bool) -> Result<Done, Failure> {
    let (store, library) = (called.open()?, &target.library);
    let deleted = match (&target.symbol, whole_library) {
        (Some(symbol), false) => {
            store.rows(library)?.delete(symbol)?;
            format!("{library}/{symbol}")
        }
        (None, true) => {
            store.delete(library)?;
            library.clone()
        }
        (None, false) => {
            return Err(Failure::Input(format!(
                "this would delete the library `{library}` with all its symbols: write {library}/SYMBOL, or add --whole-library"
            )));
        }
        (Some(symbol), true) => {
            return Err(Failure::Input(format!(
                "write {library} to delete the whole library, or leave out --whole-library to delete `{symbol}`"
            )));
        }
    };
    called.say(|| format!("{deleted} is deleted\n"), || json!({ "deleted": deleted }))
}

/// Puts small pieces together.
pub(super) fn compact(called: &Called<'_>, target: Option<&Target>) -> Result<Done, Failure> {
    let store = called.open()?;
    let symbols = meant(&store, target)?;
    let bar = Bar::new(called);
    let (mut pieces, mut segments) = (0, 0);
    for (index, (library, symbol)) in symbols.iter().enumerate() {
        if called.is_stopped() {
            drop(bar);
            return called.interrupted("what is compacted stays so; the same command does the rest");
        }
        bar.count(index as u64, symbols.len() as u64, "symbols");
        let done = store.rows(library)?.compact(symbol)?;
        (pieces, segments) = (pieces + done.pieces, segments + done.segments);
    }
    drop(bar);
    let text = || {
        let (of, into) = (counted(pieces as usize, "piece"), counted(segments as usize, "segment"));
        format!("{}: {of} became {into}\n", counted(symbols.len(), "symbol"))
    };
    called.say(text, || json!({ "symbols": symbols.len(), "pieces": pieces, "segments": segments }))
}

/// Looks at every byte.
pub(super) fn fsck(called: &Called<'_>, repair: bool) -> Result<Done, Failure> {
    let report = called.open()?.fsck(repair)?;
    let left = report.findings.iter().filter(|finding| !finding.repaired).count();
    if called.json {
        let findings: Vec<_> = report
            .findings
            .iter()
            .map(|finding| json!({ "file": finding.file, "what": finding.what, "repaired": finding.repaired }))
            .collect();
        print(&format!("{:#}\n", json!({ "checked": report.checked, "findings": findings })))?;
    } else {
        let lines: String = report.findings.iter().map(|finding| format!("{finding}\n")).collect();
        let files = counted(report.checked as usize, "file");
        let result = if left == 0 { "all is well".to_owned() } else { counted(left, "finding") };
        print(&format!("{lines}{}: {files} read, {result}\n", called.place))?;
        if repair && left > 0 {
            eprintln!("help: what is damaged or missing cannot be repaired from the store itself: put these files back from a copy");
        }
    }
    Ok(if left == 0 { Done::Well } else { Done::Unmet })
}
