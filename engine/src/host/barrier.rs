//! Where threads wait for each other, a few hundred times a millisecond. Invariant: nobody leaves before everybody came, or one has given up.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Looks at the others before the processor is left to them: a thread that spins on while its peer waits for this very processor costs
/// milliseconds a meeting.
const SPINS: u32 = 200;

/// A meeting point of a fixed number of threads.
pub(super) struct Barrier {
    parties: usize,
    arrived: AtomicUsize,
    meeting: AtomicUsize,
    broken: AtomicBool,
}

/// One of the threads has panicked, and will not come any more.
#[derive(Debug)]
pub(super) struct Broken;

impl Barrier {
    pub(super) fn new(parties: usize) -> Self {
        Self { parties, arrived: AtomicUsize::new(0), meeting: AtomicUsize::new(0), broken: AtomicBool::new(false) }
    }

    /// Waits for all. What each has written before is then seen by all.
    pub(super) fn wait(&self) -> Result<(), Broken> {
        let meeting = self.meeting.load(Ordering::Acquire);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.parties {
            self.arrived.store(0, Ordering::Relaxed);
            self.meeting.store(meeting.wrapping_add(1), Ordering::Release);
            return Ok(());
        }
        let mut spins = 0;
        while self.meeting.load(Ordering::Acquire) == meeting {
            if self.broken.load(Ordering::Relaxed) {
                return Err(Broken);
            }
            if spins < SPINS {
                spins += 1;
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
        }
        Ok(())
    }

    /// This thread will not come any more.
    pub(super) fn give_up(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;

    #[test]
    fn nobody_is_a_meeting_ahead() {
        const THREADS: u64 = 5;
        let (barrier, count) = (Barrier::new(THREADS as usize), AtomicU64::new(0));
        let walk = || {
            for meeting in 0..2_000 {
                count.fetch_add(1, Ordering::Relaxed);
                barrier.wait().expect("all come");
                assert_eq!(count.load(Ordering::Relaxed), (meeting + 1) * THREADS);
                barrier.wait().expect("all come");
            }
        };
        std::thread::scope(|scope| (0..THREADS).for_each(|_| _ = scope.spawn(walk)));
    }

    #[test]
    fn one_that_gives_up_frees_the_others() {
        let barrier = Barrier::new(2);
        std::thread::scope(|scope| {
            let other = scope.spawn(|| barrier.wait().is_err());
            barrier.give_up();
            assert!(other.join().expect("no panic"));
        });
    }
}
