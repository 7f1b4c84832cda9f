//! The commands of `stillpoint store`. Invariant: what changes a store does so in one commit, so that Ctrl-C leaves all of it or nothing.

mod args;
mod bar;
mod keep;
mod list;
mod name;
mod place;
mod read;
mod transfer;

use std::sync::atomic::{AtomicBool, Ordering};

use stillpoint_store::files::FileError;
use stillpoint_store::{Store, StoreError};

use crate::failure::{Done, Failure, print};
use crate::interrupt;
pub(crate) use args::StoreArgs;
use args::StoreCommand;
use place::Place;

/// Does what the command line says.
pub(crate) fn command(args: &StoreArgs) -> Result<Done, Failure> {
    // The reader of a pipe may wait for ever, so the first Ctrl-C must be heard before a file is opened.
    let stop = interrupt::flag().map_err(|error| Failure::Work(format!("Ctrl-C cannot be handled: {error}")))?;
    let called = Called { place: &args.store, json: args.json, stop: &stop };
    match &args.command {
        StoreCommand::Import(import) => transfer::import(&called, import),
        StoreCommand::Export(export) => transfer::export(&called, export),
        StoreCommand::Copy { from, to, to_store } => transfer::copy(&called, from, to, to_store.as_ref()),
        StoreCommand::Ls { library: None } => list::libraries(&called),
        StoreCommand::Ls { library: Some(library) } => list::symbols(&called, &library.0),
        StoreCommand::Versions { symbol } => list::versions(&called, symbol),
        StoreCommand::Path { symbol } => list::path(&called, symbol),
        StoreCommand::Stats { target } => list::stats(&called, target.as_ref()),
        StoreCommand::Read(read) => read::read(&called, read),
        StoreCommand::Snapshot { library, name: None, .. } => keep::snapshots(&called, &library.0),
        StoreCommand::Snapshot { library, name: Some(name), delete: true, .. } => keep::delete_snapshot(&called, &library.0, name),
        StoreCommand::Snapshot { library, name: Some(name), versions, .. } => keep::snapshot(&called, &library.0, name, versions),
        StoreCommand::Prune { target, keep, grace } => keep::prune(&called, target, *keep, *grace),
        StoreCommand::Delete { target, whole_library } => keep::delete(&called, target, *whole_library),
        StoreCommand::Compact { target } => keep::compact(&called, target.as_ref()),
        StoreCommand::Fsck { repair } => keep::fsck(&called, *repair),
    }
}

/// What all commands are told.
struct Called<'a> {
    place: &'a Place,
    json: bool,
    stop: &'a AtomicBool,
}

impl Called<'_> {
    /// The store that is there.
    fn open(&self) -> Result<Store, Failure> {
        self.place.open()
    }

    fn open_or_make(&self) -> Result<Store, Failure> {
        self.place.open_or_make()
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Ends a command after Ctrl-C, and tells what became of its work.
    fn interrupted(&self, what: &str) -> Result<Done, Failure> {
        eprintln!("interrupted: {what}");
        Ok(Done::Interrupted)
    }

    /// Prints one or the other.
    fn say(&self, text: impl FnOnce() -> String, json: impl FnOnce() -> serde_json::Value) -> Result<Done, Failure> {
        print(&if self.json { format!("{:#}\n", json()) } else { text() })
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        match error {
            StoreError::Io { .. } | StoreError::Uncertain { .. } | StoreError::Damaged { .. } => Self::Work(text),
            StoreError::ConcurrentModification { .. } | StoreError::Newer { .. } | StoreError::Other(_) => Self::Work(text),
            StoreError::File(error) => (*error).into(),
            _ => Self::Input(text),
        }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Write { .. } => Self::Work(error.to_string()),
            _ => Self::Input(error.to_string()),
        }
    }
}
