//! The project's one pool of threads: jobs that run beside a simulation. Invariant: a job's result is the same whether a pool thread or the
//! waiting thread ran it, so neither the size of the pool nor its speed can reach a run.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crossbeam_channel::{Sender, unbounded};
use parking_lot::{Condvar, Mutex};
use serde::{Deserialize, Serialize};

/// A job that panicked, with what it said.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct JobPanic(pub String);

impl fmt::Display for JobPanic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the job panicked: {}", self.0)
    }
}

impl std::error::Error for JobPanic {}

/// What a panic said.
pub(crate) fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a value that is no text".to_owned())
}

/// Runs `job` and turns a panic into a value, with what it said.
///
/// ```
/// use stillpoint_engine::{JobPanic, pool};
/// assert_eq!(pool::catch(|| 6 * 7), Ok(42));
/// assert_eq!(pool::catch(|| -> u8 { panic!("no {}", 7) }), Err(JobPanic("no 7".to_owned())));
/// ```
///
/// # Errors
/// [`JobPanic`] if the job panicked. What it shared with others is as it left it.
pub fn catch<T>(job: impl FnOnce() -> T) -> Result<T, JobPanic> {
    catch_unwind(AssertUnwindSafe(job)).map_err(|payload| JobPanic(panic_text(&*payload)))
}

type Job<T> = Box<dyn FnOnce() -> T + Send>;

enum State<T> {
    Waiting(Job<T>),
    Running,
    Done(Result<T, JobPanic>),
    Over,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    done: Condvar,
}

trait Work: Send + Sync {
    fn run(&self);
}

impl<T: Send> Work for Shared<T> {
    fn run(&self) {
        let mut state = self.state.lock();
        match std::mem::replace(&mut *state, State::Running) {
            State::Waiting(job) => {
                drop(state);
                let result = catch(job);
                *self.state.lock() = State::Done(result);
                self.done.notify_all();
            }
            other => *state = other,
        }
    }
}

/// A job that was submitted.
pub struct Ticket<T>(Arc<Shared<T>>);

impl<T> fmt::Debug for Ticket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket")
    }
}

impl<T: Send + 'static> Ticket<T> {
    /// Waits for the result. A job that no thread has begun is run here and now, so a pool of any size, 0 included, makes progress.
    ///
    /// # Errors
    /// [`JobPanic`] if the job panicked. Panics if the result was taken before or the job was cancelled.
    pub fn wait(&self) -> Result<T, JobPanic> {
        self.0.run();
        let mut state = self.0.state.lock();
        loop {
            match std::mem::replace(&mut *state, State::Over) {
                State::Done(result) => return result,
                State::Running => {
                    *state = State::Running;
                    self.0.done.wait(&mut state);
                }
                State::Waiting(_) | State::Over => unreachable!("a job that was cancelled, or whose result was taken, is waited for"),
            }
        }
    }

    /// Waits for the result and looks at it; it stays to be taken. Panics as [`Ticket::wait`] does.
    pub(crate) fn look<R>(&self, f: impl FnOnce(&Result<T, JobPanic>) -> R) -> R {
        let result = self.wait();
        let looked = f(&result);
        *self.0.state.lock() = State::Done(result);
        looked
    }

    /// A job that is done already.
    pub(crate) fn done(result: Result<T, JobPanic>) -> Self {
        Self(Arc::new(Shared { state: Mutex::new(State::Done(result)), done: Condvar::new() }))
    }

    /// Gives the job up: if no thread has begun it, it never runs. A running one goes on, and its result is dropped.
    pub fn cancel(&self) {
        let mut state = self.0.state.lock();
        if matches!(*state, State::Waiting(_)) {
            *state = State::Over;
        }
    }
}

/// Threads that run jobs; they start with the first job and end with the pool.
///
/// ```
/// use stillpoint_engine::Pool;
/// let pool = Pool::new(2);
/// let ticket = pool.submit(|| 6 * 7);
/// assert_eq!(ticket.wait(), Ok(42));
/// ```
#[derive(Debug)]
pub struct Pool {
    size: usize,
    crew: Mutex<Option<Crew>>,
}

/// The threads of a pool, as long as the sender lives.
#[derive(Debug)]
struct Crew {
    sender: Sender<Arc<dyn Work>>,
    threads: usize,
}

impl Pool {
    /// A pool of `size` threads. With 0, jobs run where they are waited for.
    pub fn new(size: usize) -> Self {
        Self { size, crew: Mutex::new(None) }
    }

    /// The number of threads that it was made with.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The number of threads that run: 0 before the first job, and fewer than [`Pool::size`] if the system would not give them.
    pub fn threads(&self) -> usize {
        self.crew.lock().as_ref().map_or(0, |crew| crew.threads)
    }

    /// Submits a job.
    pub fn submit<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Ticket<T> {
        let shared = Arc::new(Shared { state: Mutex::new(State::Waiting(Box::new(job))), done: Condvar::new() });
        if self.size > 0 {
            let mut crew = self.crew.lock();
            let crew = crew.get_or_insert_with(|| start_threads(self.size));
            // The threads hold the receiver as long as there is a sender; were they gone, the waiting thread would run the job.
            let _ = crew.sender.send(shared.clone());
        }
        Ticket(shared)
    }
}

fn start_threads(size: usize) -> Crew {
    let (sender, receiver) = unbounded::<Arc<dyn Work>>();
    let start = |index: &usize| {
        let receiver = receiver.clone();
        // A thread that cannot be had is not missed: whoever waits runs the job.
        let thread = std::thread::Builder::new().name(format!("stillpoint-pool-{index}")).spawn(move || {
            while let Ok(work) = receiver.recv() {
                work.run();
            }
        });
        thread.is_ok()
    };
    let threads = (0..size).filter(start).count();
    Crew { sender, threads }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_gives_every_result() {
        for size in [0, 1, 2] {
            let pool = Pool::new(size);
            let tickets: Vec<_> = (0..100u64).map(|n| pool.submit(move || n * n)).collect();
            let sum: u64 = tickets.iter().map(|ticket| ticket.wait().expect("no panic")).sum();
            assert_eq!(sum, 328_350);
            assert_eq!((pool.size(), pool.threads()), (size, size));
        }
    }

    #[test]
    fn a_job_may_wait_for_another_job_of_a_full_pool() {
        let pool = Arc::new(Pool::new(1));
        let inner = pool.clone();
        let ticket = pool.submit(move || inner.submit(|| 1).wait().map(|n| n + 1));
        assert_eq!(ticket.wait(), Ok(Ok(2)));
    }

    #[test]
    fn a_panic_is_a_result_and_a_cancelled_job_never_runs() {
        let pool = Pool::new(0);
        let ticket = pool.submit(|| -> u8 { panic!("no {}", 7) });
        assert_eq!(ticket.wait(), Err(JobPanic("no 7".to_owned())));
        let (ticket, ran) = (Arc::new(Mutex::new(false)), ());
        let flag = ticket.clone();
        let job = pool.submit(move || *flag.lock() = true);
        job.cancel();
        job.0.run();
        assert_eq!((*ticket.lock(), ran), (false, ()));
    }
}
