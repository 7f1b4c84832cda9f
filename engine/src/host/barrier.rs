//! Where threads wait for each other, a few hundred times a millisecond. Invariant: nobody leaves before everybody came, or one has given up.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use parking_lot::{Condvar, Mutex};

/// Looks at the others before the processor is left to them: a thread that spins on while its peer waits for this very processor costs
/// milliseconds a meeting.
const SPINS: u32 = 200;

/// Where a fixed number of threads meet, and where each marks how far it has come in between.
pub(super) struct Barrier {
    arrived: AtomicUsize,
    meeting: AtomicUsize,
    broken: AtomicBool,
    marks: Vec<Mark>,
    gathering: Mutex<Gathering>,
    gathered: Condvar,
}

/// Who waits asleep.
#[derive(Default)]
struct Gathering {
    arrived: usize,
    number: usize,
}

/// How many slices a thread has behind it: on a cache line of its own, since the others look at it all the time.
#[repr(align(128))]
#[derive(Default)]
struct Mark(AtomicU64);

/// One of the threads has panicked, and will not come any more.
#[derive(Debug)]
pub(super) struct Broken;

impl Barrier {
    pub(super) fn new(parties: usize) -> Self {
        let marks = (0..parties).map(|_| Mark::default()).collect();
        Self {
            arrived: AtomicUsize::new(0),
            meeting: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
            marks,
            gathering: Mutex::default(),
            gathered: Condvar::new(),
        }
    }

    /// Waits for all, asleep: who is woken comes to a processor that is free. Threads that begin together may find themselves on one processor, and
    /// as long as they leave it to each other without sleeping, the scheduler may take tens of milliseconds to see that another one is idle.
    pub(super) fn gather(&self) -> Result<(), Broken> {
        let mut gathering = self.gathering.lock();
        let number = gathering.number;
        gathering.arrived += 1;
        if gathering.arrived == self.marks.len() {
            *gathering = Gathering { arrived: 0, number: number.wrapping_add(1) };
            self.gathered.notify_all();
            return Ok(());
        }
        while gathering.number == number {
            if self.broken.load(Ordering::Relaxed) {
                return Err(Broken);
            }
            self.gathered.wait(&mut gathering);
        }
        Ok(())
    }

    /// Waits for all. What each has written before is then seen by all.
    pub(super) fn wait(&self) -> Result<(), Broken> {
        let meeting = self.meeting.load(Ordering::Acquire);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.marks.len() {
            self.arrived.store(0, Ordering::Relaxed);
            self.meeting.store(meeting.wrapping_add(1), Ordering::Release);
            return Ok(());
        }
        self.wait_until(|| self.meeting.load(Ordering::Acquire) != meeting)
    }

    /// A thread has so many slices behind it.
    pub(super) fn pass(&self, thread: usize, slices: u64) {
        self.marks[thread].0.store(slices, Ordering::Release);
    }

    /// Waits until every thread has so many slices behind it. What each has written before is then seen by the caller.
    pub(super) fn wait_for(&self, slices: u64) -> Result<(), Broken> {
        self.marks.iter().try_for_each(|mark| self.wait_until(|| mark.0.load(Ordering::Acquire) >= slices))
    }

    fn wait_until(&self, is_so: impl Fn() -> bool) -> Result<(), Broken> {
        let mut spins = 0;
        while !is_so() {
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
        let _gathering = self.gathering.lock();
        self.broken.store(true, Ordering::Relaxed);
        self.gathered.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_a_meeting_ahead() {
        const THREADS: u64 = 5;
        let (barrier, count) = (Barrier::new(THREADS as usize), AtomicU64::new(0));
        let walk = || {
            for meeting in 0..2_000 {
                count.fetch_add(1, Ordering::Relaxed);
                if meeting % 2 == 0 { barrier.wait() } else { barrier.gather() }.expect("all come");
                assert_eq!(count.load(Ordering::Relaxed), (meeting + 1) * THREADS);
                if meeting % 3 == 0 { barrier.wait() } else { barrier.gather() }.expect("all come");
            }
        };
        std::thread::scope(|scope| (0..THREADS).for_each(|_| _ = scope.spawn(walk)));
    }

    #[test]
    fn nobody_is_more_slices_ahead_than_it_waits_for() {
        const THREADS: usize = 3;
        const SLACK: u64 = 4;
        let (barrier, counts) = (Barrier::new(THREADS), [const { AtomicU64::new(0) }; THREADS]);
        let walk = |thread: usize| {
            for slice in 0..2_000u64 {
                barrier.wait_for((slice + 1).saturating_sub(SLACK)).expect("all come");
                let least = counts.iter().map(|count| count.load(Ordering::Relaxed)).min().expect("three");
                assert!(slice < least + SLACK, "slice {slice} while another is at {least}");
                counts[thread].store(slice + 1, Ordering::Relaxed);
                barrier.pass(thread, slice + 1);
            }
        };
        std::thread::scope(|scope| {
            (0..THREADS).for_each(|thread| {
                _ = scope.spawn({
                    let walk = &walk;
                    move || walk(thread)
                })
            })
        });
    }

    #[test]
    fn one_that_gives_up_frees_the_others() {
        for wait in [Barrier::wait, Barrier::gather] {
            let barrier = Barrier::new(2);
            std::thread::scope(|scope| {
                let other = scope.spawn(|| wait(&barrier).is_err());
                barrier.give_up();
                assert!(other.join().expect("no panic"));
            });
        }
    }
}
