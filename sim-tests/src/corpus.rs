//! Failures that were saved: files of cases in one folder. Invariant: a file is written once; one that is there is never changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::case::Case;
use crate::case_text;
use crate::sample::Sample;

/// The cases in a folder, in the order of their names; none if there is no such folder. Panics, naming the file, if one cannot be read.
pub(crate) fn cases<M: Sample>(folder: &Path) -> Vec<(PathBuf, Arc<Case<M>>)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "ron"));
    files.sort();
    files.into_iter().map(|file| (file.clone(), case(&file))).collect()
}

/// The case in a file. Panics, naming the file, if it cannot be read.
pub(crate) fn case<M: Sample>(file: &Path) -> Arc<Case<M>> {
    let name = file.display().to_string();
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{name} cannot be read: {error}"));
    Arc::new(case_text::read(&name, &text).unwrap_or_else(|error| panic!("{error}")))
}

/// Writes a case under a name that says which check failed, and what the case is: the same case gets the same file.
pub(crate) fn save(folder: &Path, check: &str, text: &str) -> Result<PathBuf, String> {
    let told = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(told)?;
    let plain: String = text.lines().filter(|line| !line.starts_with("//")).collect();
    let file = folder.join(format!("{check}-{:08x}.ron", stillpoint_engine::digest_of(&plain) as u32));
    if !file.exists() {
        fs::write(&file, text).map_err(told)?;
    }
    Ok(file)
}
