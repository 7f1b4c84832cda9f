//! The pool that runs requests on threads. Invariant: every accepted request is run once, by a pool's thread, a waiting thread, or whoever drops
//! the last handle; and its end is told whatever its work did.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

use parking_lot::{Condvar, Mutex};
use stillpoint_engine::{Pool, pool};

use super::error::RequestError;
use super::handle::Request;
use super::operation::{Named, Operation};
use super::queue::{Claim, Queue, RequestId, Stage};
use super::submission::Submission;
use crate::clock::Clock;

/// The number of threads of a pool that is not told another: the same on every machine.
pub const DEFAULT_SIZE: usize = 4;

/// What is left to do for a request after its operation has ended.
pub(super) type CallBack = Box<dyn FnOnce() + Send>;
/// Performs a request's operation and keeps its result.
pub(super) type Work = Box<dyn FnOnce(&dyn Clock) -> CallBack + Send>;

pub(super) struct State {
    pub(super) queue: Queue,
    work: BTreeMap<RequestId, Work>,
    /// The requests that have not ended, callback and all.
    pub(super) pending: BTreeSet<RequestId>,
    pub(super) shut_down: bool,
    /// How many resets are under way.
    pub(super) resets: usize,
    pub(super) pool: Arc<Pool>,
}

impl State {
    /// Whether new requests are turned away.
    pub(super) fn rejects(&self) -> bool {
        self.shut_down || self.resets > 0
    }

    /// The work of a request that was started in the queue.
    pub(super) fn take(&mut self, started: Option<RequestId>) -> Option<(RequestId, Work)> {
        let id = started?;
        Some((id, self.work.remove(&id)?))
    }
}

/// What the handles of a pool, its requests and its threads share.
pub(super) struct Core {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) state: Mutex<State>,
    /// Told when a request has ended, or become due otherwise than by its submission.
    pub(super) changed: Condvar,
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").finish_non_exhaustive()
    }
}

impl Core {
    /// Adds a request, whose number `make` gets.
    pub(super) fn submit<S>(
        self: &Arc<Self>,
        claim: Claim,
        what: &dyn Fn() -> String,
        make: impl FnOnce(RequestId) -> (Work, S),
    ) -> Result<S, RequestError> {
        let mut state = self.state.lock();
        if state.rejects() {
            return Err(RequestError::Rejected { operation: what() });
        }
        let id = state.queue.submit(claim);
        let (work, shared) = make(id);
        state.work.insert(id, work);
        state.pending.insert(id);
        let due = state.queue.stage(id) == Some(Stage::Due);
        drop(state);
        self.announce(usize::from(due));
        Ok(shared)
    }

    /// Tells the threads of requests that have become due.
    pub(super) fn announce(self: &Arc<Self>, due: usize) {
        if due == 0 {
            return;
        }
        let pool = self.state.lock().pool.clone();
        for _ in 0..due {
            let core = self.clone();
            pool.submit(move || {
                // A thread that waited may have been quicker.
                if let Some((id, work)) = core.start() {
                    core.run(id, work, |due| core.announce(due));
                }
            });
        }
    }

    fn start(&self) -> Option<(RequestId, Work)> {
        let mut state = self.state.lock();
        let started = state.queue.start();
        state.take(started)
    }

    /// Runs a request that was started, frees its symbols, `announce`s what has become due by that, and calls back.
    pub(super) fn run(&self, id: RequestId, work: Work, announce: impl FnOnce(usize)) {
        let call_back = work(&*self.clock);
        let due = self.state.lock().queue.finish(id).expect("a request is finished once, by who started it").len();
        announce(due);
        if due > 0 {
            self.changed.notify_all();
        }
        // With the callback goes what may be the last handle of the result, and dropping that is foreign code too.
        let _ = pool::catch(call_back);
        self.state.lock().pending.remove(&id);
        self.changed.notify_all();
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        while let Some((id, work)) = self.start() {
            self.run(id, work, |_| {});
        }
    }
}

/// How much a pool has done and has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Statistics {
    /// The requests that it took since it was made; a reset does not set it back.
    pub submitted: u64,
    /// Those of them that have not ended, with their callbacks.
    pub pending: usize,
}

/// Runs requests on threads, in the order that [`Queue`] gives. Clones are handles of one pool; there may be any number of pools.
///
/// When the last handle of a pool and of its requests is dropped, what no thread has run is run there and then. A program that ends does not
/// wait for threads: call [`RequestPool::shutdown`] first.
#[derive(Clone)]
pub struct RequestPool {
    pub(super) core: Arc<Core>,
}

impl fmt::Debug for RequestPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestPool").field("size", &self.size()).field("statistics", &self.statistics()).finish()
    }
}

impl RequestPool {
    /// A pool of `size` threads, which start with the first request. With 0, requests run where they are waited for.
    pub fn new(size: usize, clock: Arc<dyn Clock>) -> Self {
        Self::on(Arc::new(Pool::new(size)), clock)
    }

    /// A pool that shares its threads with others.
    pub fn on(pool: Arc<Pool>, clock: Arc<dyn Clock>) -> Self {
        let (queue, work, pending) = (Queue::new(), BTreeMap::new(), BTreeSet::new());
        let state = State { queue, work, pending, shut_down: false, resets: 0, pool };
        Self { core: Arc::new(Core { clock, state: Mutex::new(state), changed: Condvar::new() }) }
    }

    /// The one pool that parts of a program share which bring none of their own: made by the first call, with its clock and
    /// [`DEFAULT_SIZE`] threads.
    pub fn default_pool(clock: impl FnOnce() -> Arc<dyn Clock>) -> &'static Self {
        static DEFAULT: OnceLock<RequestPool> = OnceLock::new();
        DEFAULT.get_or_init(|| Self::new(DEFAULT_SIZE, clock()))
    }

    /// The number of threads.
    pub fn size(&self) -> usize {
        self.core.state.lock().pool.size()
    }

    /// The two counters.
    pub fn statistics(&self) -> Statistics {
        let state = self.core.state.lock();
        Statistics { submitted: state.queue.submitted(), pending: state.pending.len() }
    }

    /// Submits an operation; whether it modifies, it says itself.
    ///
    /// # Errors
    /// [`RequestError::Rejected`] if the pool takes no requests; nothing will be done.
    pub fn submit<L, O>(&self, target: &Arc<L>, operation: O) -> Result<Request<O::Output>, RequestError>
    where
        L: Named + Send + Sync + 'static,
        O: Operation<L>,
    {
        self.prepare(target, operation).submit()
    }

    /// Prepares an operation to be submitted with an explicit kind or a callback.
    pub fn prepare<L, O>(&self, target: &Arc<L>, operation: O) -> Submission<'_, L, O>
    where
        L: Named + Send + Sync + 'static,
        O: Operation<L>,
    {
        Submission::new(self, target, operation)
    }
}
