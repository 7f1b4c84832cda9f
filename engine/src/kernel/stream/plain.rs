//! Items of which nothing is to be said but that they come. Invariant: they lie as the source gave them, in order of time, one index after the other.

use std::vec::Drain;

use crate::source::{Source, SourceError, Timed};

/// How many items are read at once.
const BATCH: usize = 64;

/// How many items that are over may stay in front of what is still to come.
pub(super) const SPENT: usize = 256;

/// Items that were read and lie where they were read to.
pub(super) struct Plain<M> {
    items: Vec<Timed<M>>,
    /// From here on they are still to come.
    next: usize,
    /// The index in the source of the first one.
    first: u64,
}

impl<M> Default for Plain<M> {
    fn default() -> Self {
        Self { items: Vec::new(), next: 0, first: 0 }
    }
}

impl<M: 'static> Plain<M> {
    /// What is still to come.
    #[inline(always)]
    pub(super) fn ahead(&self) -> &[Timed<M>] {
        &self.items[self.next..]
    }

    /// Where the next one lies, and its index in the source.
    #[inline(always)]
    pub(super) fn next(&self) -> (usize, u64) {
        (self.next, self.index(self.next))
    }

    #[inline(always)]
    pub(super) fn all(&self) -> &[Timed<M>] {
        &self.items
    }

    #[inline(always)]
    pub(super) fn index(&self, position: usize) -> u64 {
        self.first + position as u64
    }

    #[inline(always)]
    pub(super) fn pass(&mut self, count: usize) {
        self.next += count;
    }

    /// Forgets what is over, if that is worth it: what is still to come is moved to the front.
    #[inline(always)]
    pub(super) fn forget_spent(&mut self) {
        if self.next == self.items.len() || self.next >= SPENT {
            self.first += self.next as u64;
            self.items.drain(..self.next);
            self.next = 0;
        }
    }

    /// Reads a batch, of which the first item has this index, behind what is there. From where on it lies, and what the source said.
    pub(super) fn read(&mut self, source: &mut dyn Source<Item = M>, index: u64) -> (usize, Result<bool, SourceError>) {
        if self.items.is_empty() {
            self.first = index;
        }
        let from = self.items.len();
        (from, source.read(BATCH, &mut self.items))
    }

    /// Gives away what lies from a position on.
    pub(super) fn give(&mut self, from: usize) -> Drain<'_, Timed<M>> {
        self.items.drain(from..)
    }

    pub(super) fn clear(&mut self) {
        self.items.clear();
        self.next = 0;
    }
}
