//! R13: forks, that is runs that go on otherwise than they did.

use stillpoint_engine::snapshot::RestoreError;
use stillpoint_engine::{Instant, Link, Outcome, Simulation, Snapshot};

use super::kit::{at, ns};
use super::saved::{Planner, cast, reread};

/// Draws three times, and speaks over a link that draws too.
fn program(plan: &str) -> Simulation {
    let sim = Simulation::new("forks").seed(1).start(Instant::EPOCH);
    let b = Planner::new("1 draw\n 5 draw\n 6 draw\n 6 say a 0 1\n 7 say a 0 2\n 20 stop").plan("kid", "1 draw");
    let mut sim = cast(sim, vec![("a", Planner::new(plan)), ("b", b), ("c", Planner::new("2 stop"))]).0;
    sim.link("b", "a", Link::latency(ns(2)).jitter(ns(1000))).expect("a new link");
    sim
}

const PLAN: &str = "1 draw\n 3 draw\n 6 draw\n 9 draw";

fn halfway() -> Snapshot {
    let mut run = program(PLAN).begin().expect("a simulation that begins");
    run.until(at(4));
    reread(&run.snapshot().expect("a still point"))
}

fn notes(outcome: &Outcome, who: &str) -> Vec<String> {
    let report = outcome.report(who).expect("a report");
    report.entries().iter().map(|(_, value)| format!("{value:?}")).collect()
}

#[test]
fn r13_a_fork_without_changes_is_a_restore() {
    let whole = program(PLAN).run().expect("a run that ends");
    let forked = halfway().fork().begin(program(PLAN)).expect("the same program").finish().expect("a run that ends");
    assert_eq!((forked.trace_hash, forked.deliveries), (whole.trace_hash, whole.deliveries));
}

#[test]
fn r13_a_fork_with_another_seed() {
    let whole = program(PLAN).run().expect("a run that ends");
    let fork = |seed| halfway().fork().reseed(seed).begin(program(PLAN)).expect("the same program").finish().expect("a run that ends");
    let (one, two, again) = (fork(11), fork(12), fork(11));
    assert_eq!(one.trace_hash, again.trace_hash);
    let (before, after) = (notes(&whole, "a"), notes(&one, "a"));
    // What was drawn before stays; what is drawn from there on differs, and so do the times of the messages over the link.
    assert_eq!(before[..2], after[..2]);
    assert!(before[2..] != after[2..] && notes(&two, "a")[2..] != after[2..]);
    assert_ne!(one.last, whole.last);
}

#[test]
fn r13_a_fork_with_an_actor_anew() {
    // The plan says otherwise at 6; what was noted before is gone with the old state, and what was armed is not.
    let other = "1 draw\n 3 draw\n 6 say a 1 77\n 9 draw";
    let forked = halfway().fork().anew("a").begin(program(other)).expect("the same actors").finish().expect("a run that ends");
    let notes = notes(&forked, "a");
    assert_eq!(notes.iter().filter(|note| note.contains("drew")).count(), 1, "{notes:?}");
    assert_eq!(notes.iter().filter(|note| note.contains("note 77")).count(), 1, "{notes:?}");
    for nobody in ["c", "b/0", "d"] {
        let error = halfway().fork().anew(nobody).begin(program(PLAN)).expect_err("nobody to take anew");
        assert_eq!(error, RestoreError::Anew(nobody.to_owned()));
    }
}

#[test]
fn r13_a_restored_run_may_go_further() {
    let short = || program(PLAN).until(at(4));
    let mut run = short().begin().expect("a simulation that begins");
    assert!(!run.until(at(100)), "it ends at 4");
    let snapshot = run.snapshot().expect("an end that is a still point");
    let outcome = program(PLAN).restore(&snapshot).expect("the same program").finish().expect("a run that ends");
    assert_eq!(outcome.trace_hash, program(PLAN).run().expect("a run that ends").trace_hash);
}
