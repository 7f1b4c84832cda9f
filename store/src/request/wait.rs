//! Waiting for requests and for the end of a pool. Invariant: a wait ends when what it waits for does, or at its time-out, and spins at neither.

use std::collections::BTreeSet;
use std::sync::Arc;

use stillpoint_engine::{Duration, Pool};

use super::error::RequestError;
use super::handle::Request;
use super::pool::{Core, DEFAULT_SIZE, RequestPool, State, Work};
use super::queue::{Queue, RequestId};
use super::set::{RequestSet, Watched};

/// What a thread waits for: until nothing of it is pending, or not all.
enum Goal {
    All(BTreeSet<RequestId>),
    Any(BTreeSet<RequestId>),
    /// That no request is pending.
    Drained,
}

impl Goal {
    fn reached(&mut self, pending: &BTreeSet<RequestId>) -> bool {
        match self {
            Self::All(wanted) => {
                while wanted.first().is_some_and(|id| !pending.contains(id)) {
                    wanted.pop_first();
                }
                wanted.is_empty()
            }
            Self::Any(wanted) => wanted.iter().any(|id| !pending.contains(id)),
            Self::Drained => pending.is_empty(),
        }
    }

    fn missed(&self, pending: &BTreeSet<RequestId>, timeout: Duration) -> RequestError {
        let missing: Vec<_> = match self {
            Self::All(wanted) | Self::Any(wanted) => wanted.intersection(pending).copied().collect(),
            Self::Drained => pending.iter().copied().collect(),
        };
        let first = *missing.first().expect("a goal that is missed has requests that are pending");
        RequestError::RequestDuration { timeout, first, pending: missing.len() }
    }
}

/// A thread that waits.
struct Waiter {
    goal: Goal,
    timeout: Option<Duration>,
    /// What of the time-out is left.
    left: Option<Duration>,
    /// What must be run for the goal, if this thread is to run it; to drain, that is everything, and not looked up here.
    needed: Option<BTreeSet<RequestId>>,
}

impl Waiter {
    /// A thread that has no time-out, or that nobody else would serve, runs what it waits for.
    fn new(goal: Goal, timeout: Option<Duration>, state: &State) -> Self {
        let helps = timeout.is_none() || state.pool.threads() == 0;
        let needed = helps.then(|| match &goal {
            Goal::All(wanted) | Goal::Any(wanted) => state.queue.needed_for(wanted.iter().copied()),
            Goal::Drained => BTreeSet::new(),
        });
        Self { goal, timeout, left: timeout, needed }
    }

    /// Whether there is nothing to do but wait.
    fn idle(&mut self, state: &State) -> bool {
        let work = match (&self.needed, &self.goal) {
            (None, _) => None,
            (Some(_), Goal::Drained) => state.queue.due(),
            (Some(needed), _) => state.queue.due_among(needed),
        };
        work.is_none() && !self.goal.reached(&state.pending)
    }

    /// Starts what this thread is to run.
    fn start(&self, queue: &mut Queue) -> Option<RequestId> {
        match &self.goal {
            Goal::Drained => self.needed.as_ref().and_then(|_| queue.start()),
            _ => queue.start_among(self.needed.as_ref()?),
        }
    }
}

impl Core {
    fn wait(self: &Arc<Self>, goal: Goal, timeout: Option<Duration>) -> Result<(), RequestError> {
        let deadline = timeout.map(|timeout| self.clock.now() + timeout);
        let mut waiter = Waiter::new(goal, timeout, &self.state.lock());
        while let Some((id, work)) = self.next(&mut waiter)? {
            self.run(id, work, |due| self.announce(due));
            waiter.left = deadline.map(|deadline| deadline.since(self.clock.now()));
        }
        Ok(())
    }

    /// Waits until the goal is reached, which gives `None`, or there is work for this thread.
    fn next(&self, waiter: &mut Waiter) -> Result<Option<(RequestId, Work)>, RequestError> {
        let mut state = self.state.lock();
        match waiter.left {
            None => self.changed.wait_while(&mut state, |state| waiter.idle(state)),
            Some(left) if left.is_positive() => {
                // `core` has the type alone: no clock comes near.
                let left = core::time::Duration::from_nanos(left.as_nanos().unsigned_abs());
                _ = self.changed.wait_while_for(&mut state, |state| waiter.idle(state), left);
            }
            Some(_) => waiter.needed = None,
        }
        if waiter.goal.reached(&state.pending) {
            return Ok(None);
        }
        let started = waiter.start(&mut state.queue);
        match state.take(started) {
            None => Err(waiter.goal.missed(&state.pending, waiter.timeout.unwrap_or(Duration::MAX))),
            work => Ok(work),
        }
    }
}

impl RequestPool {
    /// Waits for a request and gives its result: at once if it has ended.
    ///
    /// # Errors
    /// [`RequestError::RequestDuration`] after `timeout` (`None`: never; zero: at once): the operation goes on. The operation's own error in
    /// [`RequestError::Operation`], or its panic. [`RequestError::OtherPool`] if it was submitted elsewhere.
    pub fn wait<T>(&self, request: &Request<T>, timeout: Option<Duration>) -> Result<Arc<T>, RequestError> {
        let (result,) = self.wait_all(&(request,), timeout)?;
        Ok(result)
    }

    /// Waits for every request and gives the results in the order of the requests. `timeout` is for all of them together.
    ///
    /// # Errors
    /// As [`RequestPool::wait`]. If operations fail, all are waited for, and the error is that of the first in the list; each request
    /// keeps its own.
    pub fn wait_all<S: RequestSet + ?Sized>(&self, requests: &S, timeout: Option<Duration>) -> Result<S::Results, RequestError> {
        self.wait_finished(requests, timeout)?;
        requests.results().expect("every request has ended")
    }

    /// Waits for every request, whatever comes of it; each keeps its result or its error.
    ///
    /// # Errors
    /// [`RequestError::RequestDuration`] after `timeout`, which is for all of them together, and [`RequestError::OtherPool`].
    pub fn wait_finished<S: RequestSet + ?Sized>(&self, requests: &S, timeout: Option<Duration>) -> Result<(), RequestError> {
        self.core.wait(Goal::All(self.ids(requests)?.into_iter().collect()), timeout)
    }

    /// Waits until one of the requests has ended, well or not, and gives its place in the list: the first such; `None` for an empty list.
    ///
    /// # Errors
    /// [`RequestError::RequestDuration`] after `timeout`, and [`RequestError::OtherPool`].
    pub fn wait_any<S: RequestSet + ?Sized>(&self, requests: &S, timeout: Option<Duration>) -> Result<Option<usize>, RequestError> {
        let ids = self.ids(requests)?;
        if ids.is_empty() {
            return Ok(None);
        }
        self.core.wait(Goal::Any(ids.iter().copied().collect()), timeout)?;
        let state = self.core.state.lock();
        Ok(ids.iter().position(|id| !state.pending.contains(id)))
    }

    /// Rejects new requests from now on, then waits for those that are pending.
    ///
    /// # Errors
    /// [`RequestError::RequestDuration`] after `timeout` (`None`: never; zero: at once): the pool stays shut down, pending requests go on.
    pub fn shutdown(&self, timeout: Option<Duration>) -> Result<(), RequestError> {
        self.core.state.lock().shut_down = true;
        self.core.wait(Goal::Drained, timeout)
    }

    /// Waits until a pool that was shut down has nothing pending.
    ///
    /// # Errors
    /// [`RequestError::NotShutDown`] if the pool takes requests, and [`RequestError::RequestDuration`] after `timeout`.
    pub fn await_termination(&self, timeout: Option<Duration>) -> Result<(), RequestError> {
        if !self.core.state.lock().rejects() {
            return Err(RequestError::NotShutDown);
        }
        self.core.wait(Goal::Drained, timeout)
    }

    /// Rejects new requests, waits for those that are pending, and opens the pool again, shut down or not, with `size` threads of its own
    /// (`None`: [`DEFAULT_SIZE`]).
    ///
    /// # Errors
    /// [`RequestError::RequestDuration`] after `timeout`: the pool is as it was before, and its requests go on.
    pub fn reset_pool(&self, size: Option<usize>, timeout: Option<Duration>) -> Result<(), RequestError> {
        let was_shut_down = {
            let mut state = self.core.state.lock();
            state.resets += 1;
            std::mem::take(&mut state.shut_down)
        };
        let drained = self.core.wait(Goal::Drained, timeout);
        let mut state = self.core.state.lock();
        state.resets -= 1;
        match drained {
            Ok(()) => state.pool = Arc::new(Pool::new(size.unwrap_or(DEFAULT_SIZE))),
            // Someone may have shut it down meanwhile.
            Err(_) => state.shut_down |= was_shut_down,
        }
        drained
    }

    /// The requests' numbers.
    fn ids<S: RequestSet + ?Sized>(&self, requests: &S) -> Result<Vec<RequestId>, RequestError> {
        let id = |watched: Watched<'_>| match Arc::ptr_eq(watched.core, &self.core) {
            true => Ok(watched.id),
            false => Err(RequestError::OtherPool { request: watched.id }),
        };
        requests.watched().into_iter().map(id).collect()
    }
}
