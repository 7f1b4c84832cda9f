//! Finds the faster host by trying both on the beginning of the run itself. Invariant: what is slower is thrown away, and what is faster
//! goes on; which one that is can be seen in no trace.
#![expect(clippy::disallowed_methods, reason = "the faster host is found by the clock")]

use std::time::{Duration as Wall, Instant as WallInstant};

use super::keeper::{self, Remote};
use super::launch::{Launch, failed};
use super::survey::loads;
use crate::kernel::shard::Shard;
use crate::outcome::{Failed, Outcome};
use crate::run::Run;
use crate::time::Instant;

/// How long the inline host runs in each trial; the other one then gets as far as it can in the same time and a half.
const TRIALS: [Wall; 2] = [Wall::from_millis(20), Wall::from_millis(40)];
/// A run that will not take longer is not worth a trial.
const SHORT: Wall = Wall::from_secs(2);
/// What is this much faster than the other is so beyond doubt.
const CLEAR: f64 = 1.25;

/// Runs a launch on the faster host.
pub(super) fn run(launch: Launch, threads: usize) -> Result<Outcome, Box<Failed>> {
    if threads < 2 {
        return launch.run_inline();
    }
    // What is thrown away must not have been told to anybody.
    let is_watched = launch.observer.is_some() || launch.log.is_some() || launch.progress.is_some() || launch.save.is_some();
    let mut inline = Trial::new(&launch)?;
    if inline.takes_less_than(SHORT, TRIALS[0]) {
        return if is_watched { launch.run_inline() } else { inline.run.finish() };
    }
    let rival = Remote::new(launch.like(), threads, Some(loads(&inline.run.shard)))?;
    let mut inline_is_faster = true;
    for (number, trial) in TRIALS.into_iter().enumerate() {
        if number > 0 && !inline.goes_on(trial) {
            break;
        }
        let begun = WallInstant::now();
        let Some(status) = rival.run_to(inline.at(), begun + inline.took.mul_f64(1.5)) else { break };
        let took = begun.elapsed();
        let has_come = status.next.is_none_or(|next| next > inline.at());
        let ratio = inline.took.as_secs_f64() / took.as_secs_f64();
        inline_is_faster = !has_come || ratio < 1.0;
        if !has_come || !(1.0 / CLEAR..CLEAR).contains(&ratio) {
            break;
        }
    }
    match (inline_is_faster, is_watched) {
        (true, false) => inline.run.finish(),
        (false, false) => rival.finish(),
        (true, true) => launch.run_inline(),
        (false, true) => keeper::run(launch, threads),
    }
}

/// The inline host on trial.
struct Trial {
    run: Run,
    /// How long the last part of it took.
    took: Wall,
}

impl Trial {
    fn new(launch: &Launch) -> Result<Self, Box<Failed>> {
        let mut prepared = launch.build.prepare().map_err(failed)?;
        prepared.interrupt = launch.interrupt.clone();
        if let Some(order) = launch.ready {
            prepared.shard.ready_order(order);
        }
        let run = Launch::begin(prepared, launch.restore.as_deref()).map_err(failed)?;
        Ok(Self { run, took: Wall::ZERO })
    }

    /// The last instant that was run.
    fn at(&self) -> Instant {
        self.run.site().at
    }

    /// Runs for so long. Whether there is more.
    fn goes_on(&mut self, trial: Wall) -> bool {
        let begun = WallInstant::now();
        let mut looks = 0u32;
        let mut goes_on = |_: &Shard| {
            looks += 1;
            !looks.is_multiple_of(16) || begun.elapsed() < trial
        };
        let rests = self.run.run_to_while(self.run.until, Some(&mut goes_on));
        self.took = begun.elapsed();
        rests
    }

    /// Runs for so long, and tells whether all of the run takes less than `short`, as far as can be told.
    fn takes_less_than(&mut self, short: Wall, trial: Wall) -> bool {
        let from = self.run.next_instant();
        if !self.goes_on(trial) {
            return true;
        }
        let progress = self.run.progress();
        let share = match (from, self.run.until, progress.read) {
            (_, _, (read, all)) if all > 0 => read as f64 / all as f64,
            (Some(from), Some(until), _) => {
                let span = |to: Instant| i128::from(to.as_nanos()) - i128::from(from.as_nanos());
                span(progress.at) as f64 / span(until).max(1) as f64
            }
            _ => return false,
        };
        self.took.as_secs_f64() / share.max(f64::MIN_POSITIVE) < short.as_secs_f64()
    }
}
