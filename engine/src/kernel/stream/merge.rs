//! Which stream is next. Invariant: at every node of the tournament stands the least of what is below it.

use std::hint::select_unpredictable;

use crate::time::Instant;

/// The key of no instant, or of one that is not known. The last instant there is has it too.
pub(crate) const NO_HEAD: u64 = u64::MAX;

/// The keys of a stream's head, and of what is behind that, if it is known.
#[derive(Clone)]
pub(crate) struct Heads {
    pub(crate) head: u64,
    pub(crate) behind: u64,
}

/// Which stream is next: a tournament over the streams' heads, of which the lesser one wins, of two the one of the stream with the lesser number.
///
/// What meets in it are numbers: in their high bits how far a head's key is from `base`, in the low ones the stream. A key too far away has the greatest
/// distance; should such a one win, all are counted from another base.
#[derive(Default)]
pub(crate) struct Merge {
    /// The tree. Leaves lie from `size` on.
    nodes: Vec<u64>,
    size: usize,
    /// How many bits a stream's number takes.
    bits: u32,
    base: u64,
    /// Who has won, and its key.
    least: (usize, u64),
    streams: Vec<Heads>,
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
        self.bits = self.size.trailing_zeros();
        self.nodes = vec![0; 2 * self.size];
        self.streams = vec![Heads { head: NO_HEAD, behind: NO_HEAD }; self.size];
        self.rebase();
    }

    /// The distance of what is too far away.
    #[inline(always)]
    fn far(&self) -> u64 {
        u64::MAX >> self.bits
    }

    /// Counts all keys from somewhat before the least one.
    #[cold]
    fn rebase(&mut self) {
        let least = self.streams.iter().map(|stream| stream.head).min().expect("there is a head, if only none");
        self.base = least.saturating_sub(self.far() / 4);
        for stream in 0..self.size {
            self.nodes[self.size + stream] = self.packed(stream, self.streams[stream].head);
        }
        for node in (1..self.size).rev() {
            self.nodes[node] = self.nodes[2 * node].min(self.nodes[2 * node + 1]);
        }
        self.least = self.unpacked(self.nodes[1]);
    }

    #[inline(always)]
    fn packed(&self, stream: usize, key: u64) -> u64 {
        (key - self.base).min(self.far()) << self.bits | stream as u64
    }

    #[inline(always)]
    fn unpacked(&self, packed: u64) -> (usize, u64) {
        (packed as usize & (self.size - 1), self.base + (packed >> self.bits))
    }

    #[inline(always)]
    fn put(&mut self, stream: usize, key: u64) {
        self.streams[stream].head = key;
        if key < self.base {
            return self.rebase();
        }
        let mut node = self.size + stream;
        let mut least = self.packed(stream, key);
        self.nodes[node] = least;
        while node > 1 {
            let other = self.nodes[node ^ 1];
            // Which stream comes first is as good as random: a branch would be guessed wrong every other time.
            least = select_unpredictable(other < least, other, least);
            node /= 2;
            self.nodes[node] = least;
        }
        if least >> self.bits == self.far() {
            return self.rebase();
        }
        self.least = self.unpacked(least);
    }

    /// A stream has a new head. What is behind that is not known.
    #[inline]
    pub(crate) fn set(&mut self, stream: usize, head: Option<Instant>) {
        self.put(stream, head.map_or(NO_HEAD, key));
        self.streams[stream].behind = NO_HEAD;
    }

    /// The stream with the least head and that head's key; at `u64::MAX` the stream must be asked whether it has one.
    #[inline(always)]
    pub(crate) fn least(&self) -> (usize, u64) {
        self.least
    }

    /// Where a stream stands that was passed over.
    #[inline(always)]
    pub(crate) fn stands_at(&mut self, stream: usize, heads: &Heads) {
        let stands = &mut self.streams[stream];
        stands.behind = heads.behind;
        if stands.head != heads.head {
            self.put(stream, heads.head);
        }
    }

    /// No key of a stream is less, but of the one that is next.
    pub(crate) fn second(&self) -> u64 {
        let mut node = self.size + self.least().0;
        let mut second = u64::MAX;
        while node > 1 {
            second = second.min(self.nodes[node ^ 1]);
            node /= 2;
        }
        self.base.saturating_add(second >> self.bits)
    }

    /// The key of what is behind a stream's head, if that is known.
    #[inline(always)]
    pub(crate) fn behind(&self, stream: usize) -> u64 {
        self.streams[stream].behind
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
                let others = (0..streams).filter(|other| *other != merge.least().0).map(|other| model[other].map_or(NO_HEAD, key));
                prop_assert!(others.clone().all(|other| merge.second() <= other));
                prop_assert!(merge.second() > merge.least().1 || others.clone().any(|other| other == merge.least().1) || streams == 1);
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
