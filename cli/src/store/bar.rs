//! The progress of a command on a store: on a terminal only, so that no output of a program depends on it.

use indicatif::ProgressBar;

use super::Called;
use crate::numbers::{bytes, grouped};
use crate::progress;

/// A bar, if somebody sees it.
pub(super) struct Bar(Option<ProgressBar>);

impl Bar {
    pub(super) fn new(called: &Called<'_>) -> Self {
        Self(if called.json { None } else { progress::bar() })
    }

    /// So many of all bytes, and so many rows.
    pub(super) fn bytes(&self, (done, all): (u64, u64), rows: u64) {
        self.set(done, all, || format!("{} of {}  {} rows", bytes(done), bytes(all), grouped(rows)));
    }

    /// So many of all things.
    pub(super) fn count(&self, done: u64, all: u64, what: &str) {
        self.set(done, all, || format!("{} of {} {what}", grouped(done), grouped(all)));
    }

    fn set(&self, done: u64, all: u64, text: impl FnOnce() -> String) {
        if let Some(bar) = &self.0 {
            bar.set_length(all.max(1));
            bar.set_position(done.min(all));
            bar.set_message(text());
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
