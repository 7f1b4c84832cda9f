//! The scenarios on the shipped recording. Counts, fills and profits are those of oracle.py, which knows nothing of the engine; their
//! traces are in golden.rs.

use std::path::{Path, PathBuf};

use stillpoint_engine::scenario::{Registry, Scenario};
use stillpoint_engine::{End, Failed, Outcome, RunError, Value};

fn registry() -> Registry {
    let mut registry = Registry::new();
    stillpoint_actors::register(&mut registry);
    stillpoint_adapters::register(&mut registry);
    registry
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name)
}

fn run(name: &str) -> Result<Outcome, Box<Failed>> {
    let scenario = Scenario::read(&file(name), &[]).expect("a scenario");
    let outcome = scenario.build(&registry()).expect("known kinds").simulation.run()?;
    assert!(scenario.unmet(&outcome).is_empty(), "{name}: {:?}", scenario.unmet(&outcome));
    Ok(outcome)
}

fn finished(name: &str) -> Outcome {
    let outcome = run(name).unwrap_or_else(|failed| panic!("{name}: {}", failed.error));
    assert_eq!(outcome.end, End::Done);
    outcome
}

fn integer(outcome: &Outcome, actor: &str, name: &str) -> i64 {
    match outcome.report(actor).and_then(|report| report.get(name)) {
        Some(Value::Integer(value)) => *value,
        other => panic!("{actor}.{name} is {other:?}"),
    }
}

fn number(outcome: &Outcome, actor: &str, name: &str) -> f64 {
    match outcome.report(actor).and_then(|report| report.get(name)) {
        Some(Value::Number(value)) => *value,
        other => panic!("{actor}.{name} is {other:?}"),
    }
}

/// Orders (each filled, at least in part), orders not filled in full, position, realised and unrealised profit of a strategy.
type Figures = (i64, i64, f64, f64, f64);

fn check_strategies(outcome: &Outcome, expected: [(&str, Figures); 3]) {
    for (actor, (orders, unfilled, position, realised, unrealised)) in expected {
        let counts = ["orders", "fills", "unfilled"].map(|name| integer(outcome, actor, name));
        assert_eq!(counts, [orders, orders, unfilled], "{actor}");
        for (name, value) in [("position", position), ("realised", realised), ("unrealised", unrealised), ("profit", realised + unrealised)]
        {
            let found = number(outcome, actor, name);
            assert!((found - value).abs() < 1e-9, "{actor}.{name} is {found}, not {value}");
        }
    }
    let orders = expected.iter().map(|(_, figures)| figures.0).sum();
    let cancelled = expected.iter().map(|(_, figures)| figures.1).sum();
    let counts = ["orders", "fills", "cancelled", "rejected"].map(|name| integer(outcome, "binance", name));
    assert_eq!(counts, [orders, orders, cancelled, 0]);
}

const BY_ARRIVAL: [(&str, Figures); 3] = [
    ("btc", (17, 7, 0.00564, 0.1555689, 0.0123234)),
    ("eth", (9, 5, -0.1038, -0.075717, -0.107433)),
    ("sol", (15, 3, -1.34, 1.4586, -0.1541)),
];

#[test]
fn quickstart() {
    let outcome = finished("quickstart.ron");
    assert_eq!((outcome.events, outcome.late(), outcome.dead_letters), (50_000, 0, 0));
    // Quotes go to a strategy and the venue, trades to the venue; 41 orders, 41 fills, 15 cancellations; 4 starts.
    assert_eq!(outcome.deliveries, 2 * 38_968 + 11_032 + 41 + 41 + 15 + 4);
    check_strategies(&outcome, BY_ARRIVAL);
}

#[test]
fn by_exchange_time() {
    let outcome = finished("exchange-time.ron");
    assert_eq!((outcome.events, outcome.late(), outcome.dead_letters), (50_000, 0, 0));
    assert_eq!(outcome.deliveries, 2 * 38_968 + 11_032 + 41 + 41 + 15 + 4);
    // Quotes and orders meet in the same order by either time, so the strategies fare the same.
    check_strategies(&outcome, BY_ARRIVAL);
}

#[test]
fn every_event_ties() {
    let outcome = finished("all-ties.ron");
    assert_eq!((outcome.events, outcome.late(), outcome.dead_letters), (50_000, 0, 0));
    // No fill comes before the last signal, so each strategy buys and sells once, at the last quote.
    let expected = [("btc", (2, 0, 0.0, -0.0001, 0.0)), ("eth", (2, 0, 0.0, -0.002, 0.0)), ("sol", (2, 0, 0.0, -0.05, 0.0))];
    check_strategies(&outcome, expected);
    // All events are one step at 23:00:00; what the strategies send arrives 250 us later, the answers another 250 us later.
    assert_eq!(
        (outcome.instants, outcome.first, outcome.last),
        (3, "2025-03-25T23:00:00Z".parse().ok(), "2025-03-25T23:00:00.0005Z".parse().ok())
    );
}

#[test]
fn one_stream_is_late_and_that_is_an_error() {
    let failed = run("late-error.ron").expect_err("the recording is not in order");
    // Counted from 0, item 14 is the first below the maximum, which is item 13's time: the step at that time is run, and is the end.
    let text = failed.error.to_string();
    assert!(matches!(failed.error, RunError::Late { .. }), "{text}");
    for part in ["item 14 of stream `recording`", "2025-03-25T23:07:01.489387448Z", "130.323us", "2025-03-25T23:07:01.489517771Z"] {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
    assert_eq!((failed.outcome.end, failed.outcome.events), (End::Failed, 14));
}

#[test]
fn one_stream_under_each_late_policy() {
    for (name, events, late) in [("late-drop.ron", 29_096, 20_904), ("late-flag.ron", 50_000, 20_904), ("late-reorder.ron", 46_106, 3_894)]
    {
        let outcome = finished(name);
        assert_eq!((outcome.events, outcome.late()), (events, late), "{name}");
    }
}
