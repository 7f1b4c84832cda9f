//! Makes a store usable again that lost unsynced commits with the power. Invariant: each log keeps the longest beginning that is whole, and what
//! comes after it is set aside, not destroyed.
//!
//! A store that is synced needs none of this: what was acknowledged is there, and what was not is not.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::error::StoreError;
use crate::fsck::{Finding, FsckReport};
use crate::log::{BlobRef, commit_name, commit_number, digest, header};
use crate::object::Objects;

/// Sets aside, below `lost/`, the commits of each log that follow a missing or damaged one, or show files that are missing or cut. Nobody else may have the store open.
///
/// # Errors
/// [`StoreError::Io`].
pub fn repair(objects: &dyn Objects) -> Result<FsckReport, StoreError> {
    let mut report = FsckReport::default();
    let mut logs = BTreeSet::new();
    for info in objects.list("")? {
        let log = info.name.split_once("/commit/").or_else(|| info.name.split_once("/checkpoint/"));
        if let Some((log, _)) = log
            && !log.starts_with("lost/")
        {
            logs.insert(log.to_owned());
        }
    }
    for log in logs {
        repair_log(objects, &log, &mut report)?;
    }
    Ok(report)
}

fn repair_log(objects: &dyn Objects, log: &str, report: &mut FsckReport) -> Result<(), StoreError> {
    let checkpoints: Vec<(u64, u128)> = whole_checkpoints(objects, log, report)?;
    let mut commits: Vec<u64> = objects.list(&format!("{log}/commit"))?.iter().filter_map(|info| commit_number(&info.name)).collect();
    // From the latest checkpoint that the log can go on from.
    let (mut number, mut before) = checkpoints.last().copied().unwrap_or((0, 0));
    commits.retain(|commit| *commit > number);
    loop {
        let name = commit_name(log, number + 1);
        let Some(bytes) = objects.get(&name)? else { break };
        report.checked += 1;
        let Ok((header, digest)) = header(&bytes, || objects.place(&name)) else { break };
        let follows = header["number"] == number + 1 && header["before"] == format!("{before:032x}");
        if !follows || !has_its_files(objects, log, &header)? {
            break;
        }
        (number, before) = (number + 1, digest);
    }
    for lost in commits.into_iter().filter(|commit| *commit > number) {
        let name = commit_name(log, lost);
        set_aside(objects, &name)?;
        let what = format!("the commits before it, from {} on, are not whole: it was set aside below `lost/`", number + 1);
        report.findings.push(Finding { file: objects.place(&name), what, repaired: true });
    }
    Ok(())
}

/// The checkpoints that are whole, by number, with the digest of their commit. Others are set aside.
fn whole_checkpoints(objects: &dyn Objects, log: &str, report: &mut FsckReport) -> Result<Vec<(u64, u128)>, StoreError> {
    let mut whole = Vec::new();
    for info in objects.list(&format!("{log}/checkpoint"))? {
        let Some(bytes) = objects.get(&info.name)? else { continue };
        report.checked += 1;
        match header(&bytes, || objects.place(&info.name)) {
            Ok((header, _)) if has_its_files(objects, log, &header["state"])? => {
                let digest = header["digest"].as_str().and_then(|text| u128::from_str_radix(text, 16).ok()).unwrap_or(0);
                whole.extend(commit_number(&info.name).map(|number| (number, digest)));
            }
            _ => {
                set_aside(objects, &info.name)?;
                let what = "the checkpoint is not whole, or shows files that are not: it was set aside below `lost/`".to_owned();
                report.findings.push(Finding { file: objects.place(&info.name), what, repaired: true });
            }
        }
    }
    Ok(whole)
}

fn set_aside(objects: &dyn Objects, name: &str) -> Result<(), StoreError> {
    if let Some(bytes) = objects.get(name)? {
        let mut attempt = 0;
        while !objects.put_new(&format!("lost/{name}.{attempt}"), vec![bytes.clone()])? {
            attempt += 1;
        }
    }
    objects.delete(name)
}

/// Whether the segments, and rows of earlier commits, that a commit or a state shows are there and whole.
fn has_its_files(objects: &dyn Objects, log: &str, value: &Value) -> Result<bool, StoreError> {
    match value {
        Value::Object(fields) => {
            if let Some(segment) = fields.get("segment")
                && let Ok(segment) = serde_json::from_value::<crate::segment::Segment>(segment.clone())
            {
                return Ok(objects.get(&segment.name)?.is_some_and(|bytes| segment.damage(&bytes).is_none()));
            }
            if let Some(blob) = fields.get("inline")
                && let Ok(blob) = serde_json::from_value::<BlobRef>(blob.clone())
            {
                let bytes = objects.get(&commit_name(log, blob.commit))?;
                let rows = bytes.as_ref().and_then(|bytes| bytes.get(blob.offset as usize..(blob.offset + blob.len) as usize));
                return Ok(rows.is_some_and(|rows| digest(rows) == blob.digest));
            }
            for value in fields.values() {
                if !has_its_files(objects, log, value)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Value::Array(values) => {
            for value in values {
                if !has_its_files(objects, log, value)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        _ => Ok(true),
    }
}
