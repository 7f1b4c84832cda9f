//! The same requests in virtual time, without threads. Invariant: when a request starts and ends follows from the instants, claims and latencies
//! of submissions alone.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Duration, Instant};

use super::queue::{Claim, Queue, RequestId};

/// A request that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Completion {
    /// When it ended.
    pub ended: Instant,
    /// Which one.
    pub id: RequestId,
    /// When it started.
    pub started: Instant,
}

/// A pool of workers under virtual time, for an actor to own: it submits what arrives, arms a timer at [`VirtualPool::next`], and when that is
/// due performs the operations of [`VirtualPool::completed`], in that order, and answers.
///
/// A request starts as soon as it is due in the [`Queue`] and a worker is free, and ends its latency later. Its operation may be performed at
/// its end: whatever conflicts with it has then ended, or has not started.
///
/// ```
/// use std::num::NonZeroUsize;
/// use stillpoint_engine::{Duration, Instant};
/// use stillpoint_store::request::{Claim, Kind, Scope, VirtualPool};
///
/// let claim = |kind| Claim { library: "prices".to_owned(), scope: Scope::symbol("AAPL"), kind };
/// let mut pool = VirtualPool::new(NonZeroUsize::MIN.saturating_add(7));
/// let write = pool.submit(Instant::EPOCH, claim(Kind::Modify), Duration::millis(5));
/// let read = pool.submit(Instant::EPOCH, claim(Kind::Read), Duration::millis(1));
///
/// assert_eq!(pool.next(), Some(Instant::EPOCH + Duration::millis(5)));
/// let ended: Vec<_> = pool.completed(Instant::EPOCH + Duration::secs(1)).iter().map(|done| (done.id, done.ended)).collect();
/// assert_eq!(ended, [(write, Instant::EPOCH + Duration::millis(5)), (read, Instant::EPOCH + Duration::millis(6))]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VirtualPool {
    workers: NonZeroUsize,
    now: Instant,
    queue: Queue,
    latencies: BTreeMap<RequestId, Duration>,
    /// Ordered by the end, as a [`Completion`] is.
    running: BTreeSet<Completion>,
    completed: Vec<Completion>,
}

impl VirtualPool {
    /// A pool that serves `workers` requests at a time.
    pub fn new(workers: NonZeroUsize) -> Self {
        let (queue, latencies, running) = (Queue::new(), BTreeMap::new(), BTreeSet::new());
        Self { workers, now: Instant::MIN, queue, latencies, running, completed: Vec::new() }
    }

    /// Adds a request that comes at `now` and takes `latency` once it has started; a negative one counts as none. What ends at `now` makes
    /// room for it first. An instant before the latest one that the pool was told counts as that one.
    pub fn submit(&mut self, now: Instant, claim: Claim, latency: Duration) -> RequestId {
        self.advance(now);
        let id = self.queue.submit(claim);
        self.latencies.insert(id, latency.max(Duration::ZERO));
        self.start_what_is_due();
        id
    }

    /// When the next request ends that was not collected by [`VirtualPool::completed`]; `None` if there is none.
    pub fn next(&self) -> Option<Instant> {
        self.completed.first().or(self.running.first()).map(|next| next.ended)
    }

    /// Every request that has ended up to and with `now`, in the order of their ends, each once.
    pub fn completed(&mut self, now: Instant) -> Vec<Completion> {
        self.advance(now);
        std::mem::take(&mut self.completed)
    }

    /// The queue of the requests that have not ended.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    fn advance(&mut self, to: Instant) {
        while let Some(next) = self.running.first().copied().filter(|next| next.ended <= to) {
            self.running.pop_first();
            self.now = self.now.max(next.ended);
            self.queue.finish(next.id).expect("what runs here was started");
            self.completed.push(next);
            self.start_what_is_due();
        }
        self.now = self.now.max(to);
    }

    fn start_what_is_due(&mut self) {
        while self.running.len() < self.workers.get()
            && let Some(id) = self.queue.start()
        {
            let latency = self.latencies.remove(&id).unwrap_or(Duration::ZERO);
            self.running.insert(Completion { ended: self.now + latency, id, started: self.now });
        }
    }
}
