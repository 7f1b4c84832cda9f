//! What the kit says and keeps: failures, saved cases, marks that were never seen, checks that could not be made, seeds.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use stillpoint_engine::{Actor, Addr, Context, Handler, Instant};
use stillpoint_sim_tests::{Check, Claim, Determinism, FaultKind, Faults, Mark, Scratch, World, scenarios};

struct Sink;
impl Actor for Sink {}
impl Handler<u64> for Sink {
    fn handle(&mut self, _: &u64, _: &mut Context<'_, Self>) {}
}

/// Sends the sink what a function makes of the second price that is above 100.
struct Second {
    sink: Addr<Sink>,
    high: u32,
    said: fn() -> u64,
}
impl Actor for Second {}
impl Handler<i64> for Second {
    fn handle(&mut self, price: &i64, ctx: &mut Context<'_, Self>) {
        self.high += u32::from(*price > 100);
        if self.high == 2 {
            ctx.send(self.sink, (self.said)());
        }
    }
}

fn second(said: fn() -> u64) -> Determinism<i64> {
    Determinism::of(move |world: &mut World<i64>| {
        let sink = world.actor("sink", Sink);
        world.add("second", Second { sink, high: 0, said });
    })
    .without(Check::Process)
}

fn good() -> Determinism<i64> {
    second(|| 7)
}

fn faulty() -> Determinism<i64> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    second(|| COUNT.fetch_add(1, Ordering::Relaxed))
}

#[test]
fn a_failure_says_where_the_runs_part_and_is_run_first_from_then_on() {
    let folder = Scratch::new().expect("a folder");
    let corpus = folder.path().join("cases");
    let verdict = faulty().corpus(&corpus).report();
    let failure = verdict.failure.as_ref().expect("a static counter is found");
    assert!(!verdict.holds());
    assert_eq!((failure.check, failure.shrink.second), (Check::Repeat, 2), "{verdict}");
    assert!(failure.shrink.found >= failure.shrink.first && failure.shrink.first >= failure.shrink.second);
    // Two prices above 100 at the epoch and a second later, or both at once: then the sink hears of it.
    let (at, round, _) = failure.difference.at.expect("a delivery differs");
    assert!((at == Instant::EPOCH || at == Instant::from_nanos(1_000_000_000)) && round == 0, "{verdict}");
    assert_eq!(failure.difference.actors, ["sink"]);
    let text = verdict.to_string();
    for said in [
        "not deterministic: the run does not repeat itself",
        "found by the check `repeat`: run again",
        "not the same: digest",
        "`u64` from second #",
        "because of ",
        "shrunk from ",
        "kind: script_numbers(steps: [",
        "it is run first from now on",
        "STILLPOINT_CASE=",
        "cargo test a_failure_says_where_the_runs_part_and_is_run_first_from_then_on",
    ] {
        assert!(text.contains(said), "`{said}` is missing:\n{text}");
    }
    let saved = failure.saved.as_ref().expect("it was saved");
    let kept = fs::read_to_string(saved).expect("the file is there");
    assert!(kept.starts_with("// A failure of the check `repeat`") && kept.contains("(name: \"second\", kind: world),"), "{kept}");

    let again = faulty().corpus(&corpus).report();
    assert_eq!((again.saved, again.cases), (1, 0), "the saved case fails before any is made");
    assert_eq!(again.failure.as_ref().and_then(|failure| failure.saved.clone()).as_ref(), Some(saved), "the same case has the same file");
    let mended = good().corpus(&corpus).report();
    assert_eq!((mended.saved, mended.cases), (1, 64));
    assert!(mended.holds(), "{mended}");
}

#[test]
fn a_saved_case_that_cannot_be_read_is_named() {
    let folder = Scratch::new().expect("a folder");
    let file = folder.path().join("bad.ron");
    fs::write(&file, "(name: \"x\", streams: [(name: \"s0\", kind: script(steps: []))])").expect("a file");
    let corpus = folder.path().to_owned();
    let panic = std::panic::catch_unwind(|| good().corpus(corpus).report()).expect_err("it cannot be read");
    let said = panic.downcast_ref::<String>().expect("a text");
    assert!(said.contains("bad.ron:1:") && said.contains("the kind `script_numbers`"), "{said}");
}

#[test]
fn a_mark_that_was_never_seen_fails() {
    let verdict = good().marks([Mark::PendingTimer, Mark::Delivered("u64")]).report();
    assert_eq!(verdict.unseen(), [Mark::PendingTimer]);
    assert!(!verdict.holds() && verdict.failure.is_none());
    assert!(verdict.to_string().contains("no case had a pending timer at a pause"), "{verdict}");
    let scarce = good().scenarios(scenarios().events(1..=1).ties(0.5).bursts(0.0)).cases(8).report();
    assert_eq!(scarce.unseen(), [Mark::Tie, Mark::Crowd, Mark::LateItem, Mark::HalfReadStream], "{scarce}");
}

/// Faults of links cannot happen where there are none, so that they are not asked for.
#[test]
fn declared_faults_must_happen() {
    let verdict = good().scenarios(scenarios().faults(Faults::all())).report();
    assert!(verdict.holds(), "{verdict}");
    let kinds: Vec<FaultKind> =
        verdict.marks.keys().filter_map(|mark| if let Mark::Fault(kind) = mark { Some(*kind) } else { None }).collect();
    use FaultKind::{Disconnect, Duplicate, Fail, Gap, Late, Skew};
    assert_eq!(kinds, [Gap, Duplicate, Late, Skew, Disconnect, Fail]);
    assert!(verdict.failed_runs > 0, "a source that fails ends its run");
}

#[test]
fn a_check_that_could_not_be_made_fails() {
    let verdict = good().claims([Claim::Rename]).report();
    assert_eq!(verdict.unmade(), [Check::Rename]);
    assert!(!verdict.holds());
    assert!(verdict.to_string().contains("the check `rename` was never made: the events name no instrument"), "{verdict}");
}

#[test]
fn equal_seeds_make_equal_cases() {
    let records = |seed: u64| good().seed(seed).cases(10).only([Check::Pause]).report().records;
    assert_eq!(records(5), records(5));
    assert_ne!([records(5), records(6)], [records(6), records(7)]);
}

/// The strategy's own panic is a result like any other, and is not printed for every run.
#[test]
fn a_strategy_that_panics_is_compared_too() {
    let verdict = second(|| panic!("too high")).only_marks([Mark::Tie]).report();
    assert!(verdict.holds(), "{verdict}");
    assert!(verdict.failed_runs > 20, "{verdict}");
}

#[test]
#[should_panic(expected = "the world cannot have `a`: two actors or streams are named `a`")]
fn a_name_that_is_taken_is_a_mistake_in_the_test() {
    let twice = |world: &mut World<i64>| {
        world.actor("a", Sink);
        world.actor("a", Sink);
    };
    Determinism::of(twice).report();
}
