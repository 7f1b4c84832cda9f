//! Which stream is next. Invariant: at every node of the tournament stands the least of what is below it.

use std::hint::select_unpredictable;

use crate::time::Instant;

/// The key of no instant, or of one that is not known. The last instant there is has it too.
pub(crate) const NO_HEAD: u64 = u64::MAX;

/// The key of a stream's head, and the stream's number.
#[derive(Clone, Copy)]
struct Head {
    key: u64,
    stream: u64,
}

/// The keys of a stream's head, and of what is behind that, if it is known.
pub(crate) struct Heads {
    pub(crate) head: u64,
    pub(crate) behind: u64,
}

/// Which stream is next: a tournament over the streams' heads, of which the lesser one wins, of two the one of the stream with the lesser number.
#[derive(Default)]
pub(crate) struct Merge {
    /// The tree. Leaves lie from `size` on.
    nodes: Vec<Head>,
    /// The keys of what follows the streams' heads, as far as they are known.
    behind: Vec<u64>,
    size: usize,
}

/// An instant as a number that compares unsigned.
#[inline(always)]
pub(crate) const fn key(at: Instant) -> u64 {
    at.as_nanos() as u64 ^ 1 << 63
}

/// The instant of a key.
#[inline(always)]
pub(crate) const fn instant(key: u64) -> Instant {
    Instant::from_nanos((key ^ 1 << 63) as i64)
}

impl Merge {
    /// Makes room for `streams` heads.
    pub(crate) fn resize(&mut self, streams: usize) {
        self.size = streams.next_power_of_two();
        self.nodes = vec![Head { key: NO_HEAD, stream: 0 }; 2 * self.size];
        self.behind = vec![NO_HEAD; self.size];
        for stream in 0..self.size {
            self.put(stream, NO_HEAD);
        }
    }

    #[inline(always)]
    fn put(&mut self, stream: usize, key: u64) {
        let mut node = self.size + stream;
        let mut least = Head { key, stream: stream as u64 };
        self.nodes[node] = least;
        while node > 1 {
            let other = self.nodes[node ^ 1];
            // Of two the left one has the lesser numbers.
            let other_wins = (other.key < least.key) | ((other.key == least.key) & (node % 2 == 1));
            // Which stream comes first is as good as random: a branch would be guessed wrong every other time.
            least.key = select_unpredictable(other_wins, other.key, least.key);
            least.stream = select_unpredictable(other_wins, other.stream, least.stream);
            node /= 2;
            self.nodes[node] = least;
        }
    }

    /// A stream has a new head. What is behind that is not known.
    #[inline]
    pub(crate) fn set(&mut self, stream: usize, head: Option<Instant>) {
        self.behind[stream] = NO_HEAD;
        self.put(stream, head.map_or(NO_HEAD, key));
    }

    /// The stream with the least head and that head's key; at `u64::MAX` the stream must be asked whether it has one.
    #[inline(always)]
    pub(crate) fn least(&self) -> (usize, u64) {
        let Head { key, stream } = self.nodes[1];
        (stream as usize, key)
    }

    /// Where a stream stands that was passed over.
    #[inline(always)]
    pub(crate) fn stands_at(&mut self, stream: usize, heads: &Heads) {
        if self.nodes[self.size + stream].key != heads.head {
            self.put(stream, heads.head);
        }
        self.behind[stream] = heads.behind;
    }

    /// The least key of all streams but the one that is next.
    pub(crate) fn second(&self) -> u64 {
        let mut node = self.size + self.least().0;
        let mut second = NO_HEAD;
        while node > 1 {
            second = second.min(self.nodes[node ^ 1].key);
            node /= 2;
        }
        second
    }

    /// The key of what is behind a stream's head, if that is known.
    #[inline(always)]
    pub(crate) fn behind(&self, stream: usize) -> u64 {
        self.behind[stream]
    }

    /// Passes over the least head to what is behind it. `false`: another stream has a head at the same instant, and nothing was done. What is behind
    /// the new head is for the caller to say.
    #[inline(always)]
    pub(crate) fn pass(&mut self, stream: usize, head: u64, behind: u64) -> bool {
        self.put(stream, behind);
        let is_alone = self.least().1 > head;
        if !is_alone {
            self.put(stream, head);
        }
        is_alone
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn heads() -> impl Strategy<Value = Option<Instant>> {
        let near = -3..4i64;
        let far = prop_oneof![Just(i64::MIN), Just(i64::MIN + 1), Just(i64::MAX - 1), any::<i64>()];
        prop::option::weighted(0.9, prop_oneof![4 => near, 1 => far].prop_map(Instant::from_nanos))
    }

    proptest! {
        #[test]
        fn the_least_head_is_next(streams in 1..9usize, heads in prop::collection::vec((0..9usize, heads(), heads()), 0..60)) {
            let mut merge = Merge::default();
            merge.resize(streams);
            let mut model = vec![None; streams];
            for (stream, head, behind) in heads {
                let stream = stream % streams;
                model[stream] = head;
                merge.set(stream, head);
                let next = |model: &[Option<Instant>]| {
                    let heads = model.iter().enumerate().filter_map(|(stream, head)| head.map(|head| (head, stream)));
                    heads.filter(|(head, _)| *head < Instant::MAX).min()
                };
                let least = |merge: &Merge| Some(merge.least()).filter(|(_, key)| *key < NO_HEAD).map(|(stream, key)| (instant(key), stream));
                prop_assert_eq!(least(&merge), next(&model));
                // Passing over it shows a tie, and else what comes then.
                if let (Some((head, stream)), Some(behind)) = (next(&model), behind)
                    && head < behind
                {
                    let ties = model.iter().filter(|other| **other == Some(head)).count() > 1;
                    prop_assert_eq!(merge.pass(stream, key(head), key(behind)), !ties);
                    if !ties {
                        model[stream] = Some(behind);
                    }
                    prop_assert_eq!(least(&merge), next(&model));
                }
            }
        }
    }
}
