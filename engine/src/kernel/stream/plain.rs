//! Items of which nothing is to be said but that they come. Invariant: they lie as the source gave them, in order of time, one index after the other.

use crate::source::{Lent, Source, SourceError, Timed};

/// How many items are read at once.
const BATCH: usize = 64;

/// How many items that are over may stay in front of what is still to come.
pub(super) const SPENT: usize = 256;

/// Where items lie.
enum Items<M> {
    /// Where they were read to.
    Own(Vec<Timed<M>>),
    /// In memory that others read too, up to an end.
    Lent(Lent<M>, usize),
}

/// Items that were read and lie where they were read to, or where their source has them.
pub(super) struct Plain<M> {
    items: Items<M>,
    /// From here on they are still to come.
    next: usize,
    /// The index in the source of the first one.
    first: u64,
}

impl<M> Default for Plain<M> {
    fn default() -> Self {
        Self { items: Items::Own(Vec::new()), next: 0, first: 0 }
    }
}

impl<M: 'static> Plain<M> {
    /// Reads what is lent from now on.
    pub(super) fn borrow(&mut self, lent: Lent<M>) {
        *self = Self { items: Items::Lent(lent, 0), next: 0, first: 0 };
    }

    /// What is still to come.
    #[inline(always)]
    pub(super) fn ahead(&self) -> &[Timed<M>] {
        &self.all()[self.next..]
    }

    /// Where the next one lies, and its index in the source.
    #[inline(always)]
    pub(super) fn next(&self) -> (usize, u64) {
        (self.next, self.index(self.next))
    }

    #[inline(always)]
    pub(super) fn all(&self) -> &[Timed<M>] {
        match &self.items {
            Items::Own(items) => items,
            Items::Lent(lent, end) => &lent.items[..*end],
        }
    }

    #[inline(always)]
    pub(super) fn index(&self, position: usize) -> u64 {
        self.first + position as u64
    }

    #[inline(always)]
    pub(super) fn pass(&mut self, count: usize) {
        self.next += count;
    }

    /// The next one, which is over with this, its index, and what lies behind it.
    #[inline(always)]
    pub(super) fn pass_one(&mut self) -> (u64, &Timed<M>, &[Timed<M>]) {
        let (at, index) = self.next();
        self.next += 1;
        let (item, behind) = self.all()[at..].split_first().expect("an item that was looked at");
        (index, item, behind)
    }

    /// Forgets what is over, if that is worth it: what is still to come is moved to the front.
    #[inline(always)]
    pub(super) fn forget_spent(&mut self) {
        if let Items::Own(items) = &mut self.items
            && (self.next == items.len() || self.next >= SPENT)
        {
            self.first += self.next as u64;
            items.drain(..self.next);
            self.next = 0;
        }
    }

    /// Reads a batch, of which the first item has this index, behind what is there. From where on it lies, and what the source said.
    pub(super) fn read(&mut self, source: &mut dyn Source<Item = M>, index: u64) -> (usize, Result<bool, SourceError>) {
        match &mut self.items {
            Items::Own(items) => {
                if items.is_empty() {
                    self.first = index;
                }
                let from = items.len();
                (from, source.read(BATCH, items))
            }
            Items::Lent(lent, end) => {
                let from = index as usize;
                if self.next == *end {
                    // Those in between were given away.
                    self.next = from;
                }
                // The bounds of batches are known to snapshots: before the first one, a source that is not lent gives one item by itself.
                *end = lent.items.len().min(from + BATCH + usize::from(from == 0));
                (from, Ok(*end < lent.items.len()))
            }
        }
    }

    /// Gives away what lies from a position on.
    pub(super) fn give(&mut self, from: usize, into: &mut Vec<Timed<M>>) {
        match &mut self.items {
            Items::Own(items) => into.extend(items.drain(from..)),
            Items::Lent(lent, end) => {
                (lent.copy)(&lent.items[from..*end], into);
                *end = from;
            }
        }
    }

    /// How many of the items that are lent were read, and how many there are.
    pub(super) fn progress(&self) -> Option<(u64, u64)> {
        match &self.items {
            Items::Own(_) => None,
            Items::Lent(lent, end) => Some((*end as u64, lent.items.len() as u64)),
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
