//! What is pending: timers, delayed messages, wake-ups, job results. Invariant: a cancelled node is never delivered, and its slot is reused
//! only after the queue or the step that still names it has let go of it.

use crate::kernel::entry::{Entry, NONE, What};
use crate::kernel::queue::Queue;
use crate::time::{Duration, Instant};

/// How an interval goes on.
#[derive(Clone, Copy)]
pub(crate) struct Interval {
    pub(crate) period: Duration,
    pub(crate) end: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Free,
    /// In the queue or in a step.
    Armed,
    Cancelled,
}

/// One cache line: nodes of a large population are met in the order of time, which is no order in memory.
#[repr(align(64))]
struct Node {
    /// An interval's has its number as `extra`.
    entry: Entry,
    due: Instant,
    generation: u32,
    state: State,
    queued: bool,
}

impl Node {
    /// The number of its interval, if it is one's.
    #[inline(always)]
    fn interval(&self) -> Option<usize> {
        (self.entry.what == What::Timer && self.entry.extra != NONE).then_some(self.entry.extra as usize)
    }

    /// Whoever still has a handle to it is too late.
    #[inline(always)]
    fn release(&mut self) {
        self.state = State::Free;
        self.queued = false;
        self.generation = self.generation.wrapping_add(1);
    }
}

/// From so many nodes on they do not stay in a core's own cache.
const FAR: usize = 4096;

/// What a node is when its turn has come.
pub(crate) enum NodeTurn {
    /// Not to be delivered.
    Cancelled,
    /// Delivered once.
    Once { due: Instant },
    /// One tick of an interval.
    Tick { due: Instant },
}

/// The nodes of one shard and the queue over them.
#[derive(Default)]
pub(crate) struct Pending {
    nodes: Vec<Node>,
    free: Vec<u32>,
    intervals: Vec<Interval>,
    free_intervals: Vec<u32>,
    queue: Queue,
    /// Cancelled nodes that the queue still holds.
    stale: usize,
}

/// A handle that is valid until its node is delivered for the last time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeKey {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

impl Pending {
    #[inline(always)]
    fn add(&mut self, mut entry: Entry, due: Instant, queued: bool) -> NodeKey {
        match self.free.pop() {
            Some(index) => {
                let node = &mut self.nodes[index as usize];
                entry.node = index;
                node.entry = entry;
                node.due = due;
                node.state = State::Armed;
                node.queued = queued;
                NodeKey { index, generation: node.generation }
            }
            None => {
                let index = self.nodes.len() as u32;
                entry.node = index;
                self.nodes.push(Node { entry, due, generation: 0, state: State::Armed, queued });
                NodeKey { index, generation: 0 }
            }
        }
    }

    /// Takes a node and queues it for the instant at which it is due.
    #[inline(always)]
    pub(crate) fn add_queued(&mut self, entry: Entry, due: Instant) -> NodeKey {
        let key = self.add(entry, due, true);
        self.queue.push(due.as_nanos(), key.index);
        key
    }

    /// Takes a node; it is in no queue yet.
    #[inline]
    pub(crate) fn add_bare(&mut self, entry: Entry, due: Instant) -> NodeKey {
        self.add(entry, due, false)
    }

    /// Queues a node for an instant.
    #[inline]
    pub(crate) fn queue(&mut self, index: u32, at: Instant) {
        self.nodes[index as usize].queued = true;
        self.queue.push(at.as_nanos(), index);
    }

    /// The least instant at which something that was not cancelled is due.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<Instant> {
        loop {
            let (at, index) = self.queue.peek()?;
            if self.stale == 0 || self.nodes[index as usize].state == State::Armed {
                return Some(Instant::from_nanos(at));
            }
            self.queue.pop();
            self.stale -= 1;
            self.free_node(index);
        }
    }

    /// Whether something may be due up to `at`; what was cancelled counts.
    #[inline(always)]
    pub(crate) fn may_come_before(&self, at: Instant) -> bool {
        self.queue.peek().is_some_and(|(next, _)| next <= at.as_nanos())
    }

    /// Takes the one node that is due before all others, up to `bound`, if its entry passes; its slot is free. `None`: there is none, or it is not
    /// alone at its instant, or was cancelled.
    #[inline(always)]
    pub(crate) fn pop_lone(&mut self, bound: Instant, passes: impl FnOnce(&Entry) -> bool) -> Option<(Instant, &Entry)> {
        let (at, index) = self.queue.peek()?;
        let node = &mut self.nodes[index as usize];
        if at > bound.as_nanos() || node.state != State::Armed || !passes(&node.entry) || !self.queue.pop_lone() {
            return None;
        }
        node.release();
        self.free.push(index);
        Some((Instant::from_nanos(at), &node.entry))
    }

    /// The entry that is due before all others, up to `bound`, if there is any; it may have been cancelled.
    #[inline(always)]
    pub(crate) fn first(&self, bound: Instant) -> Option<&Entry> {
        let (at, index) = self.queue.peek()?;
        (at <= bound.as_nanos()).then(|| &self.nodes[index as usize].entry)
    }

    /// Moves everything due at `at` that was not cancelled into a step.
    #[inline(always)]
    pub(crate) fn pop_into(&mut self, at: Instant, step: &mut Vec<Entry>) {
        while let Some((next, index)) = self.queue.peek()
            && next == at.as_nanos()
        {
            self.queue.pop();
            let node = &mut self.nodes[index as usize];
            node.queued = false;
            if node.state == State::Armed {
                step.push(node.entry);
            } else {
                self.stale -= 1;
                self.free_node(index);
            }
        }
    }

    /// Whether the queue has just learnt what comes next, of so many that they lie far away.
    #[inline(always)]
    pub(crate) fn should_look_ahead(&mut self) -> bool {
        self.queue.is_fresh() && {
            self.queue.look();
            self.nodes.len() >= FAR
        }
    }

    /// Types and places of the payloads that come next. Looking at a node fetches it: all at once, which takes little longer than fetching one.
    pub(crate) fn look_ahead(&self) -> impl Iterator<Item = (u16, u32)> {
        let next = self.queue.run().iter().map(|(_, index)| &self.nodes[*index as usize].entry);
        next.filter(|entry| entry.payload != NONE && entry.ty != u16::MAX).map(|entry| (entry.ty, entry.payload))
    }

    fn free_node(&mut self, index: u32) {
        let node = &mut self.nodes[index as usize];
        if let Some(interval) = node.interval() {
            self.free_intervals.push(interval as u32);
            node.entry.extra = NONE;
        }
        self.release(index);
    }

    /// Gives back the slot of a node that is no interval's.
    #[inline(always)]
    fn release(&mut self, index: u32) {
        self.nodes[index as usize].release();
        self.free.push(index);
    }

    /// Whether the node of an entry under way was cancelled; if so its slot is given back.
    #[inline]
    pub(crate) fn let_go_if_cancelled(&mut self, index: u32) -> bool {
        let cancelled = self.nodes[index as usize].state == State::Cancelled;
        if cancelled {
            self.free_node(index);
        }
        cancelled
    }

    /// Whether the node of an entry under way was cancelled.
    #[inline(always)]
    pub(crate) fn is_cancelled(&self, index: u32) -> bool {
        self.nodes[index as usize].state == State::Cancelled
    }

    /// What the node of an entry whose turn has come is; the slot of one that will not come again is given back.
    #[inline(always)]
    pub(crate) fn turn_of(&mut self, index: u32) -> NodeTurn {
        let node = &mut self.nodes[index as usize];
        let due = node.due;
        if node.state == State::Cancelled {
            self.free_node(index);
            return NodeTurn::Cancelled;
        }
        if node.interval().is_some() {
            return NodeTurn::Tick { due };
        }
        self.release(index);
        NodeTurn::Once { due }
    }

    /// Gives the slot of a delivered node back.
    #[inline]
    pub(crate) fn done(&mut self, index: u32) {
        self.free_node(index);
    }

    /// Whether the handle still names something to be delivered.
    pub(crate) fn is_armed(&self, key: NodeKey) -> bool {
        let node = &self.nodes[key.index as usize];
        node.generation == key.generation && node.state == State::Armed
    }

    /// Cancels; gives the entry whose payload is to be released. `None` if it is too late.
    pub(crate) fn cancel(&mut self, key: NodeKey) -> Option<Entry> {
        if !self.is_armed(key) {
            return None;
        }
        let node = &mut self.nodes[key.index as usize];
        node.state = State::Cancelled;
        let entry = node.entry;
        if node.queued {
            self.stale += 1;
            if self.stale > 1024 && self.stale * 2 > self.queue.len() {
                self.sweep();
            }
        }
        Some(entry)
    }

    /// Drops the cancelled nodes from the queue, so that re-armed far timers do not pile up.
    fn sweep(&mut self) {
        let (nodes, mut gone) = (&self.nodes, Vec::new());
        self.queue.retain(|index| {
            let keep = nodes[index as usize].state == State::Armed;
            if !keep {
                gone.push(index);
            }
            keep
        });
        gone.into_iter().for_each(|index| self.free_node(index));
        self.stale = 0;
    }

    /// Makes a node an interval's.
    pub(crate) fn set_interval(&mut self, index: u32, interval: Interval) {
        let at = match self.free_intervals.pop() {
            Some(at) => {
                self.intervals[at as usize] = interval;
                at
            }
            None => {
                self.intervals.push(interval);
                self.intervals.len() as u32 - 1
            }
        };
        self.nodes[index as usize].entry.extra = at;
    }

    #[inline]
    pub(crate) fn interval(&self, index: u32) -> Option<Interval> {
        self.nodes[index as usize].interval().map(|at| self.intervals[at])
    }

    /// Re-arms an interval's node under a new sequence number and due time.
    pub(crate) fn rearm(&mut self, index: u32, seq: u64, cause: u64, due: Instant) -> Entry {
        let node = &mut self.nodes[index as usize];
        node.entry.seq = seq;
        node.entry.cause = cause;
        node.due = due;
        node.entry
    }

    /// What is queued, with its handle and how it goes on.
    pub(crate) fn armed(&self) -> impl Iterator<Item = (NodeKey, &Entry, Instant, Option<Interval>)> {
        (0u32..).zip(&self.nodes).filter(|(_, node)| node.state == State::Armed && node.queued).map(|(index, node)| {
            let key = NodeKey { index, generation: node.generation };
            (key, &node.entry, node.due, self.interval(index))
        })
    }

    /// Gives a node that was added what its entry is to be. If it is an interval's it stays so.
    pub(crate) fn set_entry(&mut self, index: u32, entry: Entry) {
        let node = &mut self.nodes[index as usize];
        let extra = if entry.what == What::Timer { node.entry.extra } else { entry.extra };
        node.entry = Entry { node: index, extra, ..entry };
    }

    /// What is queued for later steps, in no order that matters: only least times are taken from it.
    pub(crate) fn queued(&self) -> impl Iterator<Item = (&Entry, Instant)> {
        self.nodes.iter().filter(|node| node.state == State::Armed && node.queued).map(|node| (&node.entry, node.due))
    }
}
