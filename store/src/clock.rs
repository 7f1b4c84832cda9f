//! What time it is, for commits and requests. Invariant: only whoever opens a store or a pool decides; a simulation gives its virtual time.

use std::fmt;

use stillpoint_engine::Instant;

/// Tells the instant of a commit, and when requests were created, started and ended. A closure is one.
///
/// By implementing this you promise that it neither blocks nor panics. A commit is never stamped earlier than the one before it, whatever
/// this says. Of requests, only a wait with a time-out on a pool without threads is measured by it; every other time-out is kept by the
/// system, so a clock that stands still delays nothing.
pub trait Clock: Send + Sync {
    /// The instant now.
    fn now(&self) -> Instant;
}

impl fmt::Debug for dyn Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

impl<F: Fn() -> Instant + Send + Sync> Clock for F {
    fn now(&self) -> Instant {
        self()
    }
}

/// The time of the system: UTC, as its clock says.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[expect(clippy::disallowed_methods, reason = "the store's rim: when a commit was made; a simulation gives its own clock")]
impl Clock for SystemClock {
    fn now(&self) -> Instant {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Instant::from_nanos(since.ok().and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0))
    }
}

/// A clock that stands where it was set, for tests and for simulations.
///
/// ```
/// use stillpoint_engine::Instant;
/// use stillpoint_store::{Clock, SetClock};
///
/// let clock = SetClock::default();
/// clock.set(Instant::from_nanos(5));
/// assert_eq!(clock.now(), Instant::from_nanos(5));
/// ```
#[derive(Debug, Default)]
pub struct SetClock(std::sync::atomic::AtomicI64);

impl SetClock {
    /// Sets it.
    pub fn set(&self, to: Instant) {
        self.0.store(to.as_nanos(), std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Instant {
        Instant::from_nanos(self.0.load(std::sync::atomic::Ordering::SeqCst))
    }
}
