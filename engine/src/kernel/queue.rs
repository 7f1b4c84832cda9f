//! The instants at which something is pending. Invariant: `pop` gives the least instant first; entries of one instant come in any order,
//! since closing a step sorts them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A min-queue of (instant, node) that orders by instant alone.
#[derive(Default)]
pub(crate) struct Queue {
    heap: BinaryHeap<Reverse<(i64, u32)>>,
}

impl Queue {
    #[inline]
    pub(crate) fn push(&mut self, at: i64, node: u32) {
        self.heap.push(Reverse((at, node)));
    }

    /// The least instant.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<i64> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<(i64, u32)> {
        self.heap.pop().map(|Reverse(entry)| entry)
    }

    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Keeps the entries whose node passes.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(u32) -> bool) {
        self.heap.retain(|Reverse((_, node))| keep(*node));
    }
}
