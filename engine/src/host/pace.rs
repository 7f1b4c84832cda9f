//! How much a batch holds: enough that a message per batch costs nothing, and little enough that run control is heard. Invariant: it reads the
//! clock, and what it says can be seen in no trace.
#![expect(clippy::disallowed_methods, reason = "batches are paced by how long they take")]

use std::time::{Duration as Wall, Instant as WallInstant};

use super::crew::Stint;
use crate::time::Duration;

/// Windows in a batch, where their length is given and no more.
const BATCH: u32 = 64;
/// A batch that takes less is made larger, one that takes more is made smaller.
const SHORT: Wall = Wall::from_millis(20);
const LONG: Wall = Wall::from_millis(80);

/// Sizes of batches to come.
pub(super) struct Pacer {
    windows: u32,
    /// The longest window. `None`: as long as the lookahead allows.
    longest: Option<Duration>,
    lookahead: Option<Duration>,
    /// Given, not found.
    is_fixed: bool,
    begun: Option<WallInstant>,
}

impl Pacer {
    /// Batches of so many windows and windows of such a length, where they are given.
    pub(super) fn new(batch: Option<u32>, window: Option<Duration>, lookahead: Option<Duration>) -> Self {
        let is_fixed = batch.is_some() || window.is_some();
        let longest = if is_fixed { window } else { Some(Duration::millis(1)) };
        Self { windows: batch.unwrap_or(if is_fixed { BATCH } else { 1 }).max(1), longest, lookahead, is_fixed, begun: None }
    }

    /// The next batch, without a bound.
    pub(super) fn stint(&self) -> Stint {
        Stint { windows: self.windows, longest: self.longest, bound: None }
    }

    pub(super) fn begin(&mut self) {
        self.begun = Some(WallInstant::now());
    }

    /// A batch has come to its end.
    pub(super) fn end(&mut self, windows: u32) {
        let Some(begun) = self.begun.take() else { return };
        if !self.is_fixed && windows > 0 {
            self.adapt(begun.elapsed());
        }
    }

    fn adapt(&mut self, took: Wall) {
        let is_free = |longest: Duration| self.lookahead.is_none_or(|lookahead| longest < lookahead);
        match self.longest {
            // Few long windows rather than many short ones: in a long one, what the threads have to do differs less.
            Some(longest) if took < SHORT && is_free(longest) => {
                self.longest = Some(Duration::nanos(longest.as_nanos().saturating_mul(2)));
            }
            _ if took < SHORT => self.windows = self.windows.saturating_mul(2),
            _ if took > LONG && self.windows > 1 => self.windows /= 2,
            Some(longest) if took > LONG && longest > Duration::nanos(1) => {
                self.longest = Some(Duration::nanos(longest.as_nanos() / 2));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_grow_while_they_are_short_and_shrink_when_they_are_long() {
        let mut pacer = Pacer::new(None, None, Some(Duration::millis(3)));
        let mut sizes = Vec::new();
        for _ in 0..10 {
            sizes.push((pacer.windows, pacer.longest));
            pacer.adapt(Wall::from_millis(1));
        }
        let millis = |n| Some(Duration::millis(n));
        assert_eq!(sizes[..4], [(1, millis(1)), (1, millis(2)), (1, millis(4)), (2, millis(4))]);
        assert_eq!(sizes[8..], [(64, millis(4)), (128, millis(4))]);
        (0..10).for_each(|_| pacer.adapt(Wall::from_secs(1)));
        assert_eq!((pacer.windows, pacer.longest), (1, millis(1)));
    }

    #[test]
    fn what_is_given_stays() {
        let mut pacer = Pacer::new(Some(7), None, None);
        pacer.begin();
        pacer.end(7);
        assert_eq!((pacer.windows, pacer.longest), (7, None));
    }
}
