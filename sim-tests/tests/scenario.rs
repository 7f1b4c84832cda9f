//! Checking a scenario's own data: kinds with one fault each are caught by the check that names it, and good ones hold.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use stillpoint_engine::scenario::{Registry, Scenario, Scene, SceneError};
use stillpoint_engine::{Actor, Context, Handler, Instant, Report, Saving, Source, SourceError, Stream, Timed};
use stillpoint_sim_tests::{Check, Checked, Difference, Request, SCENARIO_CHECKS, check_scenario};

/// Adds what a function gives to a number, and reports and sends nothing.
struct Adder {
    next: Next,
    sum: i64,
}

impl Actor for Adder {
    fn report(&self, report: &mut Report) {
        report.integer("sum", self.sum);
    }
}

impl Handler<i64> for Adder {
    fn handle(&mut self, number: &i64, ctx: &mut Context<'_, Self>) {
        self.sum = self.sum.wrapping_mul(31).wrapping_add((self.next)(*number));
        let (me, sum) = (ctx.address(), Sum(self.sum));
        ctx.send(me, sum);
    }
}

#[derive(Debug, Hash)]
struct Sum(i64);

impl stillpoint_engine::Message for Sum {
    const KIND: &'static str = "sum";
}

impl Handler<Sum> for Adder {
    fn handle(&mut self, _: &Sum, _: &mut Context<'_, Self>) {}
}

/// Adds up, and forgets to save the sum.
#[derive(Serialize, Deserialize)]
struct Forgetful {
    #[serde(skip)]
    sum: i64,
}

impl Actor for Forgetful {
    fn report(&self, report: &mut Report) {
        report.integer("sum", self.sum);
    }

    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<i64>())
    }
}

impl Handler<i64> for Forgetful {
    fn handle(&mut self, number: &i64, _: &mut Context<'_, Self>) {
        self.sum += number;
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hears {
    stream: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Counts up to 200, and tells others how far it has read.
struct Counting {
    next: i64,
    read: Arc<AtomicI64>,
}

impl Source for Counting {
    type Item = i64;

    fn next(&mut self) -> Result<Option<Timed<i64>>, SourceError> {
        self.next += 1;
        self.read.store(self.next, Ordering::Relaxed);
        Ok((self.next <= 200).then(|| Timed { at: Instant::from_nanos(self.next * 1_000), value: self.next }))
    }
}

type Next = Box<dyn FnMut(i64) -> i64 + Send>;

/// Kinds with one fault each; `good` has none.
fn registry() -> Registry {
    let mut registry = Registry::new();
    let read = Arc::new(AtomicI64::new(0));
    let told = read.clone();
    registry.stream::<Nothing, i64>("counting", "Counts.", move |_, _| {
        let read = told.clone();
        Ok(Stream::open(move || Ok(Counting { next: 0, read: read.clone() })))
    });
    let mut kind = |name: &'static str, make: fn(&Arc<AtomicI64>) -> Next| {
        let read = read.clone();
        registry.actor::<Hears, Adder>(name, "Adds.", move |params, scene: &mut Scene<'_, Adder>| -> Result<Adder, SceneError> {
            let stream = scene.stream::<i64>(&params.stream)?;
            scene.subscribe(stream);
            Ok(Adder { next: make(&read), sum: 0 })
        });
    };
    kind("good", |_| Box::new(|number| number));
    kind("static_count", |_| {
        static COUNT: AtomicI64 = AtomicI64::new(0);
        Box::new(|_| COUNT.fetch_add(1, Ordering::Relaxed))
    });
    kind("turns", |_| {
        static LAST: Mutex<(i64, i64)> = Mutex::new((0, 0));
        // The first of two actors that get a number adds 1, the second 2.
        Box::new(|number| {
            let mut last = LAST.lock().expect("nobody panics");
            *last = if last.0 == number { (0, 2) } else { (number, 1) };
            last.1
        })
    });
    kind("numbered", |_| {
        static MADE: AtomicI64 = AtomicI64::new(0);
        let index = MADE.fetch_add(1, Ordering::Relaxed) % 2;
        Box::new(move |_| index)
    });
    kind("peeking", |read| {
        let read = read.clone();
        Box::new(move |_| read.load(Ordering::Relaxed))
    });
    registry.actor::<Hears, Forgetful>("forgetful", "Adds.", |params, scene| {
        let stream = scene.stream::<i64>(&params.stream)?;
        scene.subscribe(stream);
        Ok(Forgetful { sum: 0 })
    });
    registry
}

fn checked(kind: &str) -> Checked {
    let text = format!(
        "(name: \"{kind}\", streams: [(name: \"numbers\", kind: counting())], \
         actors: [(name: \"a\", kind: {kind}(stream: \"numbers\")), (name: \"b\", kind: {kind}(stream: \"numbers\"))])"
    );
    let scenario = Scenario::parse("test.ron", &text, &[]).expect("a scenario");
    let request = Request { cases: 6, seed: 1, interrupt: Arc::new(AtomicBool::new(false)) };
    let mut told = Vec::new();
    let mut fresh =
        |_: &stillpoint_engine::Outcome, _: Option<&stillpoint_engine::Snapshot>| -> Result<Option<Difference>, String> { Ok(None) };
    let checked =
        check_scenario(&scenario, &Arc::new(registry()), &request, &mut fresh, &mut |check, done, all| told.push((check, done, all)));
    assert!(told.iter().all(|(_, done, all)| done < all), "{told:?}");
    checked.expect("known kinds")
}

/// The checks that found something.
fn found(checked: &Checked) -> Vec<Check> {
    checked.rows.iter().filter(|row| row.found.is_some()).map(|row| row.check).collect()
}

#[test]
fn good_kinds_hold() {
    let checked = checked("good");
    assert!(checked.holds(), "{checked:?}");
    for row in &checked.rows {
        let runs = match row.check {
            Check::Process => 1,
            // Who cannot be saved is no fault, but it is told.
            Check::Snapshot => 0,
            _ => 6,
        };
        assert_eq!((row.runs, row.unmade.is_some()), (runs, runs == 0), "{row:?}");
    }
    assert_eq!(checked.rows.iter().map(|row| row.check).collect::<Vec<_>>(), SCENARIO_CHECKS);
    // 200 numbers to two actors, each of which sends itself a sum, and two starts.
    assert_eq!((checked.outcome.events, checked.outcome.deliveries), (200, 802));
}

#[test]
fn each_fault_is_found_by_the_check_that_is_about_it() {
    for (kind, checks) in [
        ("static_count", vec![Check::Repeat]),
        ("turns", vec![Check::ReadyOrder]),
        ("numbered", vec![Check::Registration]),
        ("peeking", vec![Check::Cut]),
    ] {
        let checked = checked(kind);
        assert_eq!(found(&checked), checks, "{kind}: {:?}", checked.rows);
        assert!(!checked.holds());
        let (_, difference) = checked.rows.iter().find_map(|row| row.found.clone()).expect("something was found");
        assert!(difference.at.is_some() && difference.text.contains("first difference at 1970-01-01T00:00:00.0"), "{kind}: {difference}");
        assert!(
            difference.text.contains("`sum`") && difference.actors.iter().all(|actor| actor == "a" || actor == "b"),
            "{kind}: {difference}"
        );
    }
}

/// Its deliveries are the same after a restore, but not what it reports.
#[test]
fn a_field_that_is_not_saved_is_found() {
    let checked = checked("forgetful");
    assert_eq!(found(&checked), [Check::Snapshot], "{:?}", checked.rows);
    let (_, difference) = checked.rows[8].found.clone().expect("something was found");
    assert!(difference.text.starts_with("all deliveries are equal, but not the result `sum` of a\nA  Integer(20100)\n"), "{difference}");
}

#[test]
fn an_interrupted_check_does_not_hold() {
    let text = "(name: \"x\", streams: [(name: \"numbers\", kind: counting())], actors: [(name: \"a\", kind: good(stream: \"numbers\"))])";
    let scenario = Scenario::parse("test.ron", text, &[]).expect("a scenario");
    let interrupt = Arc::new(AtomicBool::new(false));
    let request = Request { cases: 3, seed: 1, interrupt: interrupt.clone() };
    let mut tell = |check: Check, _: u32, _: u32| interrupt.store(check == Check::Pool, Ordering::Relaxed);
    let checked = check_scenario(&scenario, &Arc::new(registry()), &request, &mut |_, _| Ok(None), &mut tell).expect("known kinds");
    assert!(checked.interrupted && !checked.holds() && found(&checked).is_empty());
    assert_eq!(checked.rows.last().map(|row| row.check), Some(Check::Pool));
}

#[test]
fn a_scenario_that_cannot_be_built_is_named() {
    let scenario =
        Scenario::parse("bad.ron", "(name: \"x\", actors: [(name: \"a\", kind: goood(stream: \"s\"))])", &[]).expect("a scenario");
    let request = Request { cases: 1, seed: 1, interrupt: Arc::default() };
    let error =
        check_scenario(&scenario, &Arc::new(registry()), &request, &mut |_, _| Ok(None), &mut |_, _, _| {}).expect_err("no such kind");
    assert!(error.to_string().contains("did you mean `good`?"), "{error}");
}
