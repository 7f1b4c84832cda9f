//! The instants at which something is pending. Invariant: `pop` gives the least instant first; entries of one instant come in any order,
//! since closing a step sorts them.
//!
//! A radix queue of base 64 in front of a sorted run and a small heap. Entries far ahead lie in buckets by the highest base-64 digit in which
//! they differ from `base`; the next bucket becomes the run; what is pushed inside the run's window goes into the heap. Every entry is
//! moved at most once a level, and none is compared with the far future.

/// An instant with its sign bit flipped, so that it compares unsigned, and a node.
type Entry = (u64, u32);

const LEVELS: usize = 11;
const DIGITS: usize = 64;
/// A bucket of at most this size is sorted; a larger one is spread over the levels below.
const RUN: usize = 96;
/// A heap larger than this gives its far half to the buckets.
const HEAP: usize = 128;

const SIGN: u64 = 1 << 63;

/// A min-queue of (instant, node) that orders by instant alone.
pub(crate) struct Queue {
    /// The least entry, if there is any.
    front: Entry,
    /// The current run, latest first.
    run: Vec<Entry>,
    /// A 4-ary heap of what was pushed inside the window.
    heap: Vec<Entry>,
    heap_limit: usize,
    /// The window: keys up to this one belong to run and heap.
    window_end: u64,
    base: u64,
    buckets: Vec<Vec<Entry>>,
    /// Which buckets of a level hold something, and which levels do.
    occupied: [u64; LEVELS],
    levels: u32,
    len: usize,
    /// Whether nobody has looked at the run since it was made.
    fresh: bool,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            front: (u64::MAX, 0),
            run: Vec::new(),
            heap: Vec::new(),
            heap_limit: HEAP,
            window_end: u64::MAX,
            base: 0,
            buckets: (0..LEVELS * DIGITS).map(|_| Vec::new()).collect(),
            occupied: [0; LEVELS],
            levels: 0,
            len: 0,
            fresh: false,
        }
    }
}

impl Queue {
    #[inline(always)]
    pub(crate) fn push(&mut self, at: i64, node: u32) {
        let mut entry = (at as u64 ^ SIGN, node);
        self.len += 1;
        if self.len == 1 {
            self.front = entry;
            // All goes into the heap, until that is too large.
            self.window_end = u64::MAX;
            return;
        }
        if entry.0 < self.front.0 {
            std::mem::swap(&mut entry, &mut self.front);
        }
        if entry.0 <= self.window_end {
            self.push_heap(entry);
            if self.heap.len() > self.heap_limit {
                self.spill();
            }
        } else {
            self.push_bucket(entry);
        }
    }

    /// The least entry.
    #[inline(always)]
    pub(crate) fn peek(&self) -> Option<(i64, u32)> {
        (self.len > 0).then_some(((self.front.0 ^ SIGN) as i64, self.front.1))
    }

    /// Takes the least entry.
    #[inline(always)]
    pub(crate) fn pop(&mut self) -> Option<(i64, u32)> {
        let popped = self.peek()?;
        self.len -= 1;
        if self.len > 0 {
            self.front = self.next();
        }
        Some(popped)
    }

    /// Takes the least entry if no other one is at its instant. There must be one. Whether it was.
    #[inline(always)]
    pub(crate) fn pop_lone(&mut self) -> bool {
        self.len -= 1;
        if self.len == 0 {
            return true;
        }
        let next = self.next();
        let is_lone = next.0 > self.front.0;
        if is_lone {
            self.front = next;
        } else {
            self.len += 1;
            // It goes where it came before all others.
            self.run.push(next);
        }
        is_lone
    }

    /// Takes the least entry behind the front.
    #[inline(always)]
    fn next(&mut self) -> Entry {
        if self.run.is_empty() && self.heap.is_empty() {
            self.refill();
        }
        let from_run = match (self.run.last(), self.heap.first()) {
            (Some(run), Some(heap)) => run.0 <= heap.0,
            (run, _) => run.is_some(),
        };
        let next = if from_run { self.run.pop() } else { self.pop_heap() };
        next.expect("as many entries as were counted")
    }

    /// Whether nobody has looked at the run since it was made.
    #[inline(always)]
    pub(crate) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Says that somebody has looked at the run.
    pub(crate) fn look(&mut self) {
        self.fresh = false;
    }

    /// What comes next, latest first; what was pushed meanwhile may come between.
    pub(crate) fn run(&self) -> &[(u64, u32)] {
        &self.run
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Keeps the entries whose node passes.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(u32) -> bool) {
        let mut all: Vec<Entry> = self.run.drain(..).chain(self.heap.drain(..)).collect();
        if self.len > 0 {
            all.push(self.front);
        }
        for bucket in &mut self.buckets {
            all.append(bucket);
        }
        *self = Self { buckets: std::mem::take(&mut self.buckets), ..Self::default() };
        for (key, node) in all {
            if keep(node) {
                self.push((key ^ SIGN) as i64, node);
            }
        }
    }

    #[inline(always)]
    fn push_bucket(&mut self, entry: Entry) {
        let differs = entry.0 ^ self.base;
        let level = (63 - (differs | 1).leading_zeros() as usize) / 6;
        let digit = (entry.0 >> (6 * level)) as usize % DIGITS;
        self.buckets[level * DIGITS + digit].push(entry);
        self.occupied[level] |= 1 << digit;
        self.levels |= 1 << level;
    }

    /// Makes the next bucket the run. There must be one.
    #[cold]
    fn refill(&mut self) {
        loop {
            let level = self.levels.trailing_zeros() as usize;
            let digit = self.occupied[level].trailing_zeros() as usize;
            self.occupied[level] &= self.occupied[level] - 1;
            if self.occupied[level] == 0 {
                self.levels &= !(1 << level);
            }
            let low = 6 * level;
            let above = if low + 6 < 64 { self.base >> (low + 6) << (low + 6) } else { 0 };
            let start = above | (digit as u64) << low;
            let bucket = &mut self.buckets[level * DIGITS + digit];
            if level == 0 || bucket.len() <= RUN {
                std::mem::swap(bucket, &mut self.run);
                self.run.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.0));
                self.base = start;
                self.window_end = start | ((1u64 << low) - 1);
                self.heap_limit = HEAP;
                self.fresh = true;
                return;
            }
            let mut entries = std::mem::take(bucket);
            // From the least entry, not from the bucket's start: a lone far cluster goes down in one move.
            self.base = entries.iter().map(|entry| entry.0).min().unwrap_or(start);
            for entry in entries.drain(..) {
                self.push_bucket(entry);
            }
            self.buckets[level * DIGITS + digit] = entries;
        }
    }

    /// The heap is too large: the far half of the window goes into the buckets. Only what lies after `base` can; if that is nothing, the
    /// heap may grow.
    #[cold]
    fn spill(&mut self) {
        let mut all: Vec<Entry> = self.heap.drain(..).collect();
        all.append(&mut self.run);
        all.sort_unstable_by_key(|entry| entry.0);
        if self.window_end == u64::MAX && self.levels == 0 {
            self.base = all[0].0;
        }
        let last_kept = all[all.len() / 2].0.max(self.base);
        let far = all.partition_point(|entry| entry.0 <= last_kept);
        if far == all.len() {
            self.heap_limit *= 2;
        } else {
            self.window_end = last_kept;
            for entry in all.drain(far..) {
                self.push_bucket(entry);
            }
        }
        all.reverse();
        self.run = all;
    }

    #[inline(always)]
    fn push_heap(&mut self, entry: Entry) {
        let mut at = self.heap.len();
        self.heap.push(entry);
        while at > 0 {
            let parent = (at - 1) / 4;
            if self.heap[parent].0 <= entry.0 {
                break;
            }
            self.heap[at] = self.heap[parent];
            at = parent;
        }
        self.heap[at] = entry;
    }

    #[inline(always)]
    fn pop_heap(&mut self) -> Option<Entry> {
        let last = self.heap.pop()?;
        let Some(&top) = self.heap.first() else { return Some(last) };
        let mut at = 0;
        loop {
            let first = 4 * at + 1;
            let children = self.heap.get(first..self.heap.len().min(first + 4)).unwrap_or(&[]);
            let Some((child, entry)) = children.iter().enumerate().min_by_key(|(_, entry)| entry.0) else { break };
            if entry.0 >= last.0 {
                break;
            }
            self.heap[at] = *entry;
            at = first + child;
        }
        self.heap[at] = last;
        Some(top)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[derive(Clone, Debug)]
    enum Op {
        Push(i64),
        Pop,
        Retain(u32),
    }

    fn ops() -> impl Strategy<Value = Vec<Op>> {
        let ahead = prop_oneof![Just(0i64), 0..4i64, 0..1_000i64, 0..1_000_000i64, 0..i64::MAX];
        let op = prop_oneof![6 => ahead.prop_map(Op::Push), 4 => Just(Op::Pop), 1 => (2u32..5).prop_map(Op::Retain)];
        prop::collection::vec(op, 0..2_000)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn pops_as_a_sorted_map_does(start in any::<i64>(), bursts in prop::collection::vec((ops(), 0..300usize), 1..4)) {
            let (mut queue, mut model, mut now, mut node) = (Queue::default(), BTreeMap::<i64, Vec<u32>>::new(), start, 0u32);
            for (ops, burst) in bursts {
                let burst = (0..burst).map(|index| Op::Push(index as i64 % 7));
                for op in ops.into_iter().chain(burst) {
                    match op {
                        Op::Push(ahead) => {
                            let at = now.saturating_add(ahead);
                            queue.push(at, node);
                            model.entry(at).or_default().push(node);
                            node += 1;
                        }
                        Op::Pop => {
                            let least = model.keys().next().copied();
                            prop_assert_eq!(queue.peek().map(|(at, _)| at), least);
                            let popped = queue.pop();
                            prop_assert_eq!(popped.map(|(at, _)| at), least);
                            if let Some((at, node)) = popped {
                                now = at;
                                let nodes = model.get_mut(&at).expect("a known instant");
                                let index = nodes.iter().position(|other| *other == node);
                                nodes.remove(index.expect("a pushed node"));
                                if nodes.is_empty() {
                                    model.remove(&at);
                                }
                            }
                        }
                        Op::Retain(modulus) => {
                            queue.retain(|node| node % modulus != 0);
                            for nodes in model.values_mut() {
                                nodes.retain(|node| node % modulus != 0);
                            }
                            model.retain(|_, nodes| !nodes.is_empty());
                        }
                    }
                    prop_assert_eq!(queue.len(), model.values().map(Vec::len).sum::<usize>());
                }
            }
        }
    }
}
