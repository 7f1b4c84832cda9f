//! Which stream is next. Invariant: at every node of the tournament stands the stream with the least head below it, of two the one with the lesser number.

use crate::time::Instant;

/// Which stream is next: a tournament over the streams' heads.
#[derive(Default)]
pub(crate) struct Merge {
    /// Leaves from `size` on: the head's instant with its sign bit flipped, `u64::MAX` when there is none.
    keys: Vec<u64>,
    winners: Vec<u32>,
    size: usize,
}

impl Merge {
    /// Makes room for `streams` heads.
    pub(crate) fn resize(&mut self, streams: usize) {
        self.size = streams.next_power_of_two().max(1);
        self.keys = vec![u64::MAX; self.size];
        self.winners = vec![0; 2 * self.size];
        for leaf in 0..self.size {
            self.winners[self.size + leaf] = leaf as u32;
        }
        for node in (1..self.size).rev() {
            self.winners[node] = self.winners[2 * node];
        }
    }

    fn key(head: Option<Instant>) -> u64 {
        head.map_or(u64::MAX, |at| at.as_nanos() as u64 ^ 1 << 63)
    }

    /// A stream has a new head.
    #[inline]
    pub(crate) fn set(&mut self, stream: usize, head: Option<Instant>) {
        self.keys[stream] = Self::key(head);
        let mut node = (self.size + stream) / 2;
        while node > 0 {
            let (left, right) = (self.winners[2 * node], self.winners[2 * node + 1]);
            let left_wins = self.keys[left as usize] <= self.keys[right as usize];
            self.winners[node] = if left_wins { left } else { right };
            node /= 2;
        }
    }

    /// The least key of all streams but the one that is next.
    pub(crate) fn second(&self) -> u64 {
        let (winner, _) = self.least();
        let mut node = self.size + winner;
        let mut second = u64::MAX;
        while node > 1 {
            second = second.min(self.keys[self.winners[node ^ 1] as usize]);
            node /= 2;
        }
        second
    }

    /// The stream with the least head and that head's key; at `u64::MAX` the stream must be asked whether it has one.
    #[inline]
    pub(crate) fn least(&self) -> (usize, u64) {
        let winner = self.winners[if self.size > 1 { 1 } else { self.size }] as usize;
        (winner, self.keys[winner])
    }
}
