//! The defects of async-stream-processing (ASP 0.1.0), a Python library of the same shape, each with the test that shows ours free of it.
//! Its letters are kept: a CPU time in the clock, b timers and c order that differ from run to run, d ties that depend on history, e a
//! later event before the rest of the present ones, k timers that cost the square of their number, times with zones and errors that vanish.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use stillpoint_engine::{Actor, Addr, Context, Duration, Handler, Instant, Message, OnPanic, RunError, Simulation, Site, Stream, Timed};

#[derive(Clone, Copy, Hash)]
struct Event(u64);

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Message for Event {
    const KIND: &'static str = "event";
}

type Log = Arc<Mutex<Vec<(i64, String)>>>;
type React = dyn FnMut(Option<u64>, &mut Context<'_, Callback>) + Send;

/// A callback as an actor: called with nothing at the start, then with each event.
struct Callback(Box<React>);

fn callback(react: impl FnMut(Option<u64>, &mut Context<'_, Callback>) + Send + 'static) -> Callback {
    Callback(Box::new(react))
}

impl Actor for Callback {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        (self.0)(None, ctx);
    }
}

impl Handler<Event> for Callback {
    fn handle(&mut self, event: &Event, ctx: &mut Context<'_, Self>) {
        (self.0)(Some(event.0), ctx);
    }
}

const fn millis(n: i64) -> Instant {
    Instant::from_nanos(n * 1_000_000)
}

fn stream(items: impl IntoIterator<Item = (Instant, u64)>) -> Stream<Event> {
    Stream::from_vec(items.into_iter().map(|(at, value)| Timed { at, value: Event(value) }).collect())
}

fn subscribed(sim: &mut Simulation, name: &str, items: Stream<Event>, who: Addr<Callback>) {
    let stream = sim.stream(name, items).expect("a free name");
    sim.subscribe::<Event, _>(who, stream);
}

/// Work that takes a while, without looking at a clock.
fn toil() -> u64 {
    (0..2_000_000u64).fold(1, |sum, number| sum.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(number))
}

#[test]
fn a_cpu_time_does_not_leak_into_the_clock() {
    let seen: Arc<Mutex<Vec<[Instant; 3]>>> = Arc::default();
    let log = seen.clone();
    let mut sim = Simulation::new("a");
    let m = callback(move |event, ctx| {
        if event.is_some() {
            let before = ctx.now();
            std::hint::black_box(toil());
            log.lock().push([before, ctx.now(), ctx.event().event_time]);
        }
    });
    let m = sim.actor("m", m).expect("a free name");
    subscribed(&mut sim, "s", stream((0..3).map(|index| (millis(10 * index), 0))), m);
    sim.run().expect("a run");
    assert_eq!(*seen.lock(), [[millis(0); 3], [millis(10); 3], [millis(20); 3]]);
}

/// Relative timers of several actors, each armed after work that takes a different time in every run.
fn relative_timers() -> (Vec<(i64, String)>, u128) {
    let log = Log::default();
    let mut sim = Simulation::new("b");
    for name in ["a", "b", "c", "d"] {
        let log = log.clone();
        let actor = callback(move |event, ctx| {
            let left = event.unwrap_or(4);
            log.lock().push((ctx.now().as_nanos(), format!("{name}{left}")));
            if left > 0 {
                std::hint::black_box(toil() % 2);
                ctx.notify_after(Duration::millis(if left % 2 == 0 { 10 } else { 5 }), Event(left - 1));
            }
        });
        sim.actor(name, actor).expect("a free name");
    }
    let hash = sim.run().expect("a run").trace_hash;
    let lines = log.lock().clone();
    (lines, hash.0)
}

#[test]
fn b_relative_timers_are_the_same_in_thirty_runs() {
    let runs: BTreeSet<_> = (0..30).map(|_| relative_timers()).collect();
    assert_eq!(runs.len(), 1);
    let (lines, _) = runs.first().expect("a run");
    let mut expected = Vec::new();
    for (at, left) in [(0, 4), (10, 3), (15, 2), (25, 1), (30, 0)] {
        expected.extend(["a", "b", "c", "d"].map(|name| (at * 1_000_000, format!("{name}{left}"))));
    }
    assert_eq!(*lines, expected);
}

#[test]
fn c_order_is_the_same_in_two_hundred_runs() {
    let once = || {
        let log = Log::default();
        let mut sim = Simulation::new("c");
        let sink = log.clone();
        let m = callback(move |event, ctx| {
            if let Some(value) = event {
                sink.lock().push((ctx.now().as_nanos(), value.to_string()));
            }
        });
        let m = sim.actor("m", m).expect("a free name");
        for number in 0..8u64 {
            let name = format!("s{number}");
            subscribed(&mut sim, &name, stream([(millis(1), number), (millis(2), 10 + number)]), m);
            let sender = callback(move |event, ctx| {
                if event.is_none() {
                    ctx.send_after(m, Duration::millis(2), Event(20 + number));
                }
            });
            sim.actor(&format!("a{number}"), sender).expect("a free name");
        }
        sim = sim.start(Instant::EPOCH);
        let hash = sim.run().expect("a run").trace_hash;
        let lines = log.lock().clone();
        (lines, hash.0)
    };
    let runs: BTreeSet<_> = (0..200).map(|_| once()).collect();
    assert_eq!(runs.len(), 1);
    let at_two: Vec<u64> = (10..18).chain(20..28).collect();
    let expected = (0..8).map(|value| (1_000_000, value.to_string())).chain(at_two.iter().map(|value| (2_000_000, value.to_string())));
    assert!(runs.first().expect("a run").0.iter().cloned().eq(expected));
}

#[test]
fn d_ties_do_not_depend_on_what_came_before() {
    for earlier in [false, true] {
        let log = Log::default();
        let sink = log.clone();
        let mut sim = Simulation::new("d");
        let m = callback(move |event, ctx| {
            if let Some(value) = event {
                sink.lock().push((ctx.now().as_nanos(), value.to_string()));
            }
        });
        let m = sim.actor("m", m).expect("a free name");
        // A's event at 1 is there or not; the tie of A and B at 2 stays as it is.
        let first = earlier.then_some((millis(1), 1));
        subscribed(&mut sim, "A", stream(first.into_iter().chain([(millis(2), 12)])), m);
        subscribed(&mut sim, "B", stream([(millis(2), 22)]), m);
        sim.run().expect("a run");
        let lines = log.lock().clone();
        let tie = &lines[lines.len() - 2..];
        assert_eq!(tie, [(2_000_000, "12".to_owned()), (2_000_000, "22".to_owned())]);
        assert_eq!(lines.len(), if earlier { 3 } else { 2 });
    }
}

#[test]
fn e_an_event_a_microsecond_later_waits_for_three_thousand_that_are_due_now() {
    let log = Log::default();
    let sink = log.clone();
    let later = millis(1) + Duration::micros(1);
    let mut sim = Simulation::new("e");
    let m = callback(move |event, ctx| {
        if let Some(value) = event {
            sink.lock().push((ctx.now().as_nanos(), value.to_string()));
            // What is called for now comes before the later event too.
            if value < 3_000 && value % 1_000 == 0 {
                ctx.notify_soon(Event(5_000 + value));
            }
        }
    });
    let m = sim.actor("m", m).expect("a free name");
    subscribed(&mut sim, "a", stream([(later, 9_000)]), m);
    subscribed(&mut sim, "b", stream((0..3_000).map(|index| (millis(1), index))), m);
    sim.run().expect("a run");
    let values = (0..3_000).chain([5_000, 6_000, 7_000]).map(|value| (1_000_000, value.to_string()));
    let expected: Vec<_> = values.chain([(1_001_000, "9000".to_owned())]).collect();
    assert_eq!(*log.lock(), expected);
}

#[test]
fn k_many_timers_all_fire_in_order_and_once() {
    for count in [16_000u64, 64_000] {
        let fired: Arc<Mutex<Vec<(i64, u64)>>> = Arc::default();
        let sink = fired.clone();
        let mut sim = Simulation::new("k");
        let m = callback(move |event, ctx| match event {
            // Due times in no order at all, ties among them; every fourth timer is cancelled.
            None => {
                for index in 0..count {
                    let due = (index * 7_919) % (count / 2);
                    let timer = ctx.notify_at(Instant::from_nanos(due as i64), Event(index));
                    if index % 4 == 3 {
                        assert!(ctx.cancel(timer));
                    }
                }
            }
            Some(index) => sink.lock().push((ctx.now().as_nanos(), index)),
        });
        sim.actor("m", m).expect("a free name");
        let outcome = sim.start(Instant::from_nanos(-1)).run().expect("a run");
        let mut expected: Vec<(i64, u64)> =
            (0..count).filter(|index| index % 4 != 3).map(|index| (((index * 7_919) % (count / 2)) as i64, index)).collect();
        expected.sort_unstable();
        assert!(*fired.lock() == expected, "{count} timers");
        assert_eq!(outcome.deliveries, count * 3 / 4 + 1);
    }
}

#[test]
fn k_times_with_zones_are_read() {
    let utc: Instant = "2025-03-25T22:07:00.5Z".parse().expect("a time");
    for text in ["2025-03-25T23:07:00.5+01:00", "2025-03-25T14:37:00.500-07:30", "2025-03-26T11:07:00.500000000+13:00"] {
        assert_eq!(text.parse(), Ok(utc), "{text}");
    }
    assert_eq!(utc.as_nanos(), 1_742_940_420_500_000_000);
}

#[test]
fn k_an_error_in_a_callback_names_it_and_drops_no_other() {
    let build = |on_panic| {
        let log = Log::default();
        let mut sim = Simulation::new("errors").on_panic(on_panic);
        let items = || stream([(millis(1), 1), (millis(2), 2)]);
        for name in ["a", "b", "c"] {
            let log = log.clone();
            let actor = callback(move |event, ctx| {
                if let Some(value) = event {
                    assert!(name != "b", "b cannot take {value}");
                    log.lock().push((ctx.now().as_nanos(), format!("{name}{value}")));
                }
            });
            let actor = sim.actor(name, actor).expect("a free name");
            subscribed(&mut sim, &format!("s-{name}"), items(), actor);
        }
        (sim, log)
    };
    let lines = |list: &[(i64, &str)]| list.iter().map(|(at, text)| (at * 1_000_000, (*text).to_owned())).collect::<Vec<_>>();

    let (sim, log) = build(OnPanic::Stop);
    let failed = sim.run().expect_err("b fails");
    let (actor, kind, message) = ("b".to_owned(), "event".to_owned(), "b cannot take 1".to_owned());
    assert_eq!(failed.error, RunError::Panic { site: Site { at: millis(1), round: 0, step: 0 }, actor, kind, message });
    // The others of that instant were called.
    assert_eq!(*log.lock(), lines(&[(1, "a1"), (1, "c1")]));

    let (sim, log) = build(OnPanic::Poison);
    sim.run().expect("the others go on");
    assert_eq!(*log.lock(), lines(&[(1, "a1"), (1, "c1"), (2, "a2"), (2, "c2")]));
}
