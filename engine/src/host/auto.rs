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
use crate::sort;
use crate::time::Instant;

/// How long the inline host runs before the trials, which then begin with warm caches, and threads that have found their pace.
const WARM_UP: Wall = Wall::from_millis(4);
/// The other host, whose threads are new, is given so many times as long for that.
const WARM_UP_PATIENCE: f64 = 8.0;
/// How long the inline host runs in each trial.
const TRIAL: Wall = Wall::from_millis(4);
/// The median of so many counts: two that were disturbed do not.
const TRIALS: usize = 5;
/// The other host is given so many times as long to come as far.
const PATIENCE: f64 = 2.5;
/// A run that will not take longer is not worth a trial.
const SHORT: Wall = Wall::from_secs(2);
/// What is this much faster than the other in two trials is so beyond doubt.
const CLEAR: f64 = 1.25;

/// Runs a launch on the faster host.
pub(super) fn run(launch: Launch, threads: usize) -> Result<Outcome, Box<Failed>> {
    if threads < 2 {
        return launch.run_inline();
    }
    // What is thrown away must not have been told to anybody.
    let is_watched = launch.observer.is_some() || launch.log.is_some() || launch.progress.is_some() || launch.save.is_some();
    let mut inline = Trial::new(&launch)?;
    if inline.takes_less_than(SHORT, WARM_UP) {
        return if is_watched { launch.run_inline() } else { inline.run.finish() };
    }
    let rival = Remote::new(launch.like(), threads, Some(loads(&inline.run.shard)))?;
    let inline_is_faster = speed_up(&mut inline, &rival) < 1.0;
    match (inline_is_faster, is_watched) {
        (true, false) => inline.run.finish(),
        (false, false) => rival.finish(),
        (true, true) => launch.run_inline(),
        (false, true) => keeper::run(launch, threads),
    }
}

/// How many times as fast as the inline host the other one is; 0 if it does not come along at all, or the run is at its end.
fn speed_up(inline: &mut Trial, rival: &Remote) -> f64 {
    let (mut ratios, mut is_warm) = (Vec::new(), false);
    loop {
        let begun = WallInstant::now();
        let patience = if is_warm { PATIENCE } else { WARM_UP_PATIENCE };
        let Some(status) = rival.run_to(inline.at(), begun + inline.took.mul_f64(patience)) else { return 0.0 };
        let took = begun.elapsed();
        if status.next.is_some_and(|next| next <= inline.at()) {
            return 0.0;
        }
        if std::mem::replace(&mut is_warm, true) {
            ratios.push(inline.took.as_secs_f64() / took.as_secs_f64());
        }
        if let Some(ratio) = judged(&ratios) {
            return ratio;
        }
        if !inline.goes_on(TRIAL) {
            return 0.0;
        }
    }
}

/// What trials say, once there are enough of them.
fn judged(ratios: &[f64]) -> Option<f64> {
    let mut sorted = ratios.to_vec();
    sort::by(&mut sorted, f64::total_cmp);
    let is_clear = |ratio: &f64| *ratio > CLEAR;
    let agree = ratios.len() > 1 && (sorted.iter().all(is_clear) || sorted.iter().all(|ratio| is_clear(&ratio.recip())));
    (agree || ratios.len() >= TRIALS).then(|| sorted[sorted.len() / 2])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_clear_trials_are_enough_and_two_disturbed_trials_of_five_are_outvoted() {
        assert_eq!(judged(&[9.0]), None);
        assert_eq!(judged(&[1.3, 1.6]), Some(1.6));
        assert_eq!(judged(&[0.7, 0.5]), Some(0.7));
        assert_eq!(judged(&[1.3, 1.2]), None);
        assert_eq!(judged(&[1.3, 0.5]), None);
        assert_eq!(judged(&[1.3, 0.5, 1.1, 1.2]), None);
        assert_eq!(judged(&[1.3, 0.5, 1.1, 1.2, 0.4]), Some(1.1));
        assert_eq!(judged(&[0.9, 1.4, 0.95, 1.9, 0.97]), Some(0.97));
    }
}
