//! R11: the clock, the start and the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use stillpoint_engine::{End, Instant, Late, LateCounts, Simulation, Stream};

use crate::kit::*;

#[test]
fn r11_clock_is_the_instant_exactly_in_handlers_and_tasks() {
    let log = Log::default();
    let mut sim = world();
    let seen = log.clone();
    sim.put(
        "m",
        probe(move |what, ctx| {
            seen.add(format!("{} at {}", if matches!(what, In::Start) { "start" } else { "note" }, moment(ctx.now())));
            if let In::Start = what {
                ctx.notify_at(at(1_000_000_007), Note(0));
                ctx.notify_at(at(1_000_000_008), Note(0));
                let seen = seen.clone();
                ctx.task(move |cx| async move {
                    cx.sleep(ns(3)).await;
                    seen.add(format!("task at {}", moment(cx.now())));
                });
            }
        }),
    );
    run(sim);
    log.check("start at 0\ntask at 3\nnote at 1000000007\nnote at 1000000008");
}

#[test]
fn r11_start_is_the_least_event_time_of_the_first_items_of_subscribed_streams() {
    let mut sim = Simulation::new("rules");
    let m = sim.put("m", silent());
    // In source order the first item of `s` is 50; the 10 after it is late, not skipped, though it lies before the start.
    sim.feed("s", items(&[(50, 0), (10, 1)]).late(Late::DeliverFlagged), &[m]);
    // The delay of a buffer is not added.
    sim.feed("t", items(&[(20, 2), (21, 3)]).reorder(ns(15)), &[m]);
    // Nobody subscribes to this one.
    sim.feed("u", items(&[(5, 4)]), &[]);
    sim.feed("v", items(&[]), &[m]);
    let outcome = check(
        sim,
        "20.0.0 m#1 <- time-keeper#0 start
         35.0.0 m#2 <- t#0 note 2
         36.0.0 m#3 <- t#1 note 3
         50.0.0 m#4 <- s#0 note 0
         50.0.0 m#5 <- s#1 note 1",
    );
    assert_eq!(outcome.streams.values().map(|counts| counts.skipped).sum::<u64>(), 0);
    assert_eq!(outcome.first, Some(at(20)));
}

#[test]
fn r11_start_is_zero_without_streams_or_items() {
    for with_stream in [false, true] {
        let mut sim = Simulation::new("rules");
        let m = sim.put("m", silent());
        if with_stream {
            sim.feed("s", items(&[]), &[m]);
        }
        let outcome = check(sim, "0.0.0 m#1 <- time-keeper#0 start");
        assert_eq!(outcome.end, End::Done);
    }
}

#[test]
fn r11_start_that_is_declared_skips_and_counts_what_lies_before_it() {
    let mut sim = world().start(at(10));
    let m = sim.put("m", silent());
    sim.feed("s", items(&[(-5, 0), (9, 1), (10, 2), (11, 3)]), &[m]);
    let outcome = check(
        sim,
        "10.0.0 m#1 <- time-keeper#0 start
         10.0.0 m#2 <- s#2 note 2
         11.0.0 m#3 <- s#3 note 3",
    );
    let only_skipped = LateCounts { skipped: 2, ..LateCounts::default() };
    assert_eq!(outcome.streams.into_values().collect::<Vec<_>>(), [only_skipped]);
}

#[test]
fn r11_start_reaches_all_actors_in_one_step_before_their_first_messages() {
    let mut sim = world().start(at(3));
    let z = sim.put("z", silent());
    sim.put("a", starter(move |ctx| ctx.send(z, Note(1))));
    sim.feed("s", items(&[(3, 2)]), &[z]);
    check(
        sim,
        "3.0.0 a#1 <- time-keeper#0 start
         3.0.0 z#1 <- time-keeper#0 start
         3.0.0 z#2 <- s#0 note 2
         3.0.1 z#3 <- a#1 note 1",
    );
}

#[test]
fn r11_until_is_inclusive() {
    for (until, records, end) in [(9, 1, End::Until), (10, 3, End::Until), (11, 4, End::Done), (i64::MAX, 4, End::Done)] {
        let mut sim = world().until(at(until));
        sim.put(
            "m",
            probe(|what, ctx| match what {
                In::Start => {
                    ctx.notify_at(at(10), Note(1));
                    ctx.notify_at(at(11), Note(2));
                }
                // Still in the last instant.
                In::Note(1) => _ = ctx.notify_soon(Note(3)),
                _ => {}
            }),
        );
        let (found, outcome) = traced(sim);
        assert_eq!((found.len(), outcome.expect("a run").end), (records, end), "until {until}");
    }
}

#[test]
fn r11_until_before_the_start_delivers_nothing() {
    let mut sim = world().start(at(10)).until(at(9));
    sim.put("m", silent());
    let outcome = check(sim, "");
    assert_eq!((outcome.end, outcome.deliveries, outcome.instants), (End::Until, 0, 0));
}

#[test]
fn r11_end_is_done_when_what_is_left_would_end_without_record() {
    // A cancelled timer, and the timer of an actor that has stopped, lie after `until`.
    for by_stop in [false, true] {
        let mut sim = world().until(at(10));
        let body = starter(move |ctx| {
            let timer = ctx.notify_at(at(20), Note(1));
            if by_stop {
                ctx.stop();
            } else {
                ctx.cancel(timer);
            }
        });
        sim.put("m", body);
        assert_eq!(run(sim).end, End::Done, "by stop: {by_stop}");
    }
}

#[test]
fn r11_streams_that_nobody_subscribes_to_are_never_opened() {
    let opened = Arc::new(AtomicU64::new(0));
    let counter = opened.clone();
    let mut sim = world();
    let m = sim.put("m", silent());
    let stream: Stream<Note> = Stream::open(move || -> Result<Empty, _> {
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(Empty)
    });
    let _unread = sim.feed("s", stream, &[]);
    let counter = opened.clone();
    let stream: Stream<Note> = Stream::open(move || -> Result<Empty, _> {
        counter.fetch_add(100, Ordering::Relaxed);
        Ok(Empty)
    });
    sim.feed("t", stream, &[m]);
    run(sim);
    assert_eq!(opened.load(Ordering::Relaxed), 100);
}

struct Empty;

impl stillpoint_engine::Source for Empty {
    type Item = Note;

    fn next(&mut self) -> Result<Option<stillpoint_engine::Timed<Note>>, stillpoint_engine::SourceError> {
        Ok(None)
    }
}

#[test]
fn r11_streams_that_an_actor_opens_later_may_fail_to_open() {
    let mut sim = world();
    let stream: Stream<Note> = Stream::open(|| -> Result<Empty, _> { Err(stillpoint_engine::SourceError("no such file".to_owned())) });
    let s = sim.feed("s", stream, &[]);
    sim.put(
        "m",
        probe(move |what, ctx| {
            if let In::Start = what {
                ctx.subscribe_stream(s);
                ctx.notify_soon(Note(1));
                ctx.notify_at(at(1), Note(2));
            }
        }),
    );
    // The instant is finished first.
    let (error, _) = check_failing_after_start(sim, "0.0.1 m#2 <- m#1 note 1");
    assert_eq!(error.to_string(), "stream `s`: no such file");
}

#[test]
fn r11_streams_of_the_whole_range_of_time() {
    let mut sim = Simulation::new("rules");
    let m = sim.put("m", silent());
    sim.feed("s", items(&[(i64::MIN, 0), (-1, 1), (0, 2), (i64::MAX, 3)]), &[m]);
    sim.feed("t", items(&[(i64::MIN + 1, 4), (i64::MAX, 5)]), &[m]);
    let outcome = check(
        sim,
        "MIN.0.0 m#1 <- time-keeper#0 start
         MIN.0.0 m#2 <- s#0 note 0
         MIN+1.0.0 m#3 <- t#0 note 4
         -1.0.0 m#4 <- s#1 note 1
         0.0.0 m#5 <- s#2 note 2
         MAX.0.0 m#6 <- s#3 note 3
         MAX.0.0 m#7 <- t#1 note 5",
    );
    assert_eq!((outcome.first, outcome.last), (Some(Instant::MIN), Some(Instant::MAX)));
}

#[test]
fn r11_run_of_nothing() {
    let outcome = check(Simulation::new("rules"), "");
    assert_eq!((outcome.end, outcome.instants, outcome.first), (End::Done, 0, None));
}
