//! The port through which a pool learns the time. Invariant: nothing here reads a clock; whoever makes a pool brings one.

use stillpoint_engine::Instant;

/// Tells the time for what requests report: when they were created, started and ended. A closure is one.
///
/// By implementing this you promise that it neither blocks nor panics. Only a wait with a time-out on a pool without threads is measured by
/// it; every other time-out is kept by the system, so a clock that stands still delays nothing.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Instant;
}

impl<F: Fn() -> Instant + Send + Sync> Clock for F {
    fn now(&self) -> Instant {
        self()
    }
}
