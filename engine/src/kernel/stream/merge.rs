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

impl Heads {
    pub(crate) const UNKNOWN: Self = Self { head: NO_HEAD, behind: NO_HEAD };
}

/// Which stream is next: a tournament over the streams' heads, of which the lesser one wins, of two the one of the stream with the lesser number.
///
/// What meets in it are numbers: in their high bits how far a head's key is from `base`, in the low ones the stream. A key too far away has the greatest
/// distance; should such a one win, all are counted from another base.
pub(crate) struct Merge {
    /// The tree. Leaves lie from `size` on.
    nodes: Vec<u64>,
    climb: Climb,
    size: usize,
    /// How many bits a stream's number takes.
    bits: u32,
    /// The distance of what is too far away.
    far: u64,
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

impl Default for Merge {
    fn default() -> Self {
        Self { nodes: Vec::new(), climb: climb_up, size: 0, bits: 0, far: 0, base: 0, least: (0, NO_HEAD), streams: Vec::new() }
    }
}

impl Merge {
    /// Makes room for `streams` heads.
    pub(crate) fn resize(&mut self, streams: usize) {
        self.size = streams.next_power_of_two();
        self.bits = self.size.trailing_zeros();
        self.far = u64::MAX >> self.bits;
        self.nodes = vec![0; 2 * self.size];
        self.climb = climb_of(self.nodes.len());
        self.streams = vec![Heads::UNKNOWN; self.size];
        self.rebase();
    }

    /// Counts all keys from somewhat before the least one.
    #[cold]
    fn rebase(&mut self) {
        let least = self.streams.iter().map(|stream| stream.head).min().expect("there is a head, if only none");
        self.base = least.saturating_sub(self.far / 4);
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
        (key - self.base).min(self.far) << self.bits | stream as u64
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
        let leaf = self.packed(stream, key);
        let least = (self.climb)(&mut self.nodes, stream, leaf);
        if least >> self.bits == self.far {
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

/// Puts a leaf into a tournament; who wins then.
type Climb = fn(&mut [u64], usize, u64) -> u64;

/// The way up a tree of so many nodes. Where that is known, no step has to look whether it stays inside, which is half of what it does.
fn climb_of(len: usize) -> Climb {
    match len {
        4 => climb_in::<4>,
        8 => climb_in::<8>,
        16 => climb_in::<16>,
        32 => climb_in::<32>,
        64 => climb_in::<64>,
        128 => climb_in::<128>,
        256 => climb_in::<256>,
        512 => climb_in::<512>,
        _ => climb_up,
    }
}

fn climb_in<const LEN: usize>(nodes: &mut [u64], stream: usize, leaf: u64) -> u64 {
    let nodes: &mut [u64; LEN] = nodes.try_into().expect("a tree of this size");
    let mut node = (LEN / 2) | (stream % (LEN / 2));
    let mut least = leaf;
    nodes[node] = least;
    for _ in 1..LEN.trailing_zeros() {
        least = lesser(nodes[node ^ 1], least);
        node /= 2;
        nodes[node] = least;
    }
    least
}

fn climb_up(nodes: &mut [u64], stream: usize, leaf: u64) -> u64 {
    let mut node = nodes.len() / 2 + stream;
    let mut least = leaf;
    nodes[node] = least;
    while node > 1 {
        least = lesser(nodes[node ^ 1], least);
        node /= 2;
        nodes[node] = least;
    }
    least
}

/// Which stream comes first is as good as random: a branch would be guessed wrong every other time.
#[inline(always)]
fn lesser(one: u64, other: u64) -> u64 {
    select_unpredictable(one < other, one, other)
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

    /// Some on each side of every size of which the way is known.
    fn streams() -> impl Strategy<Value = usize> {
        prop_oneof![4 => 1..9usize, 1 => (2..10u32, 0..3usize).prop_map(|(bits, over)| (1 << bits) - 1 + over)]
    }

    proptest! {
        #[test]
        fn the_least_head_is_next(streams in streams(), heads in prop::collection::vec((any::<usize>(), heads(), heads()), 0..60)) {
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
