//! The progress bar of a run: on a terminal only, so that no output of a program depends on it.
#![expect(clippy::disallowed_methods, reason = "a progress bar tells real time")]

use std::io::IsTerminal;
use std::time::Instant as Wall;

use indicatif::{ProgressBar, ProgressStyle};
use stillpoint_engine::{Instant, Progress};

use crate::numbers::grouped;

/// How finely the bar tells how much is done.
const PARTS: u64 = 1000;

/// A bar on stderr; `None` if nobody would see it.
pub(crate) fn bar() -> Option<ProgressBar> {
    if !std::io::stderr().is_terminal() {
        return None;
    }
    let bar = ProgressBar::new(PARTS);
    bar.set_style(ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}").expect("the template is right"));
    Some(bar)
}

/// Shows how far a run has come whenever the engine tells.
pub(crate) fn show(bar: ProgressBar, begin: Option<Instant>) -> impl FnMut(&Progress) + Send {
    let started = Wall::now();
    let mut begin = begin;
    move |progress| {
        let begin = *begin.get_or_insert(progress.at);
        let spent = started.elapsed().as_secs_f64();
        let rate = progress.events as f64 / spent.max(1e-9);
        let share = share_done(progress, begin);
        let left =
            share.filter(|share| *share > 0.0).map(|share| format!("  {:.0} s left", spent / share * (1.0 - share))).unwrap_or_default();
        bar.set_position((share.unwrap_or(0.0) * PARTS as f64) as u64);
        bar.set_message(format!("{}  {} events/s{left}", progress.at, grouped(rate as u64)));
    }
}

/// Shows how many of all runs are done, whenever it is told.
#[cfg(feature = "sweep")]
pub(crate) fn runs(bar: ProgressBar, all: usize) -> impl FnMut(usize) {
    let started = Wall::now();
    bar.set_length(all.max(1) as u64);
    move |done| {
        let spent = started.elapsed().as_secs_f64();
        let left = spent / done.max(1) as f64 * (all - done) as f64;
        bar.set_position(done as u64);
        let (done, all, rate) = (grouped(done as u64), grouped(all as u64), done as f64 / spent.max(1e-9));
        bar.set_message(format!("{done} of {all} runs  {rate:.1} runs/s  {left:.0} s left"));
    }
}

/// How much is done: by the data read if the streams tell, else by virtual time if an end is declared.
fn share_done(progress: &Progress, begin: Instant) -> Option<f64> {
    let (done, all) = progress.read;
    let read = (all > 0).then(|| done as f64 / all as f64);
    let passed =
        progress.until.filter(|end| *end > begin).map(|end| progress.at.since(begin).as_secs_f64() / end.since(begin).as_secs_f64());
    read.into_iter().chain(passed).reduce(f64::max).map(|share| share.clamp(0.0, 1.0))
}
