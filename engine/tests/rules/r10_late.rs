//! R10: what is late, and what becomes of it.

use stillpoint_engine::{Late, LateCounts, Limits, RunError, Simulation, Stream};

use crate::kit::*;

/// Logs `now, event time, lag` of every item.
fn witness(log: &Log) -> Probe {
    let seen = log.clone();
    probe(move |what, ctx| {
        if let In::Note(value) = what {
            let event = ctx.event();
            let lag = event.lag.map_or(String::new(), |lag| format!(", late by {}", lag.as_nanos()));
            seen.add(format!("{value}: now {}, event {}{lag}", moment(ctx.now()), moment(event.event_time)));
        }
    })
}

fn counts(sim: &stillpoint_engine::Outcome) -> LateCounts {
    *sim.streams.values().next().expect("a stream")
}

/// One stream and its witness.
fn watched(log: &Log, stream: Stream<Note>) -> Simulation {
    let mut sim = world();
    let m = sim.put("m", witness(log));
    sim.feed("s", stream, &[m]);
    sim
}

/// The greatest event time before each item: none, 10, 30, 30, 30, 30, 40. So 20 is late by 10, and 25 by 5.
fn unsorted() -> Stream<Note> {
    items(&[(10, 0), (30, 1), (20, 2), (30, 3), (25, 4), (40, 5), (40, 6)])
}

#[test]
fn r10_late_items_are_dropped_and_counted() {
    let log = Log::default();
    let outcome = run(watched(&log, unsorted().late(Late::DropAndCount)));
    log.check(
        "0: now 10, event 10
         1: now 30, event 30
         3: now 30, event 30
         5: now 40, event 40
         6: now 40, event 40",
    );
    assert_eq!(counts(&outcome), LateCounts { dropped: 2, ..LateCounts::default() });
    assert_eq!((outcome.events, outcome.late()), (5, 2));
}

#[test]
fn r10_late_items_are_delivered_flagged_at_the_greatest_event_time_before_them() {
    let log = Log::default();
    let outcome = run(watched(&log, unsorted().late(Late::DeliverFlagged)));
    log.check(
        "0: now 10, event 10
         1: now 30, event 30
         2: now 30, event 20, late by 10
         3: now 30, event 30
         4: now 30, event 25, late by 5
         5: now 40, event 40
         6: now 40, event 40",
    );
    assert_eq!(counts(&outcome), LateCounts { flagged: 2, ..LateCounts::default() });
}

#[test]
fn r10_late_items_are_an_error_unless_said_otherwise() {
    let log = Log::default();
    let mut sim = watched(&log, unsorted());
    sim.put(
        "a",
        probe(|what, ctx| match what {
            // Due in the step of the error: it is run. Its next step is not.
            In::Start => _ = ctx.notify_at(at(30), Note(0)),
            In::Note(_) => _ = ctx.notify_soon(Note(1)),
            _ => {}
        }),
    );
    let (error, outcome) = check_failing_after_start(
        sim,
        "10.0.0 m#2 <- s#0 note 0
         30.0.0 a#2 <- a#1 note 0
         30.0.0 m#3 <- s#1 note 1
         30.0.0 m#4 <- s#3 note 3",
    );
    assert_eq!(error, RunError::Late { site: site(30, 0, 0), stream: "s".to_owned(), index: 2, event_time: at(20), lag: ns(10) });
    assert_eq!(counts(&outcome).late(), counts(&outcome).errors);
    assert!(counts(&outcome).errors >= 1);
    for word in ["item 2", "`s`", "10ns", "DropAndCount", "DeliverFlagged"] {
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn r10_late_error_is_a_step_even_if_nothing_else_is_in_it() {
    // The item at 30 is held back until 35; at 30 itself there is only the error.
    for (until, fails) in [(29, false), (30, true), (35, true)] {
        let log = Log::default();
        let result = watched(&log, items(&[(10, 0), (30, 1), (15, 2)]).reorder(ns(5))).until(at(until)).run();
        log.check("0: now 15, event 10");
        match result {
            Ok(outcome) => assert!(!fails && outcome.late() == 0, "until {until}"),
            Err(failed) => {
                assert!(fails, "until {until}");
                let expected = RunError::Late { site: site(30, 0, 0), stream: "s".to_owned(), index: 2, event_time: at(15), lag: ns(15) };
                assert_eq!(failed.error, expected);
                assert_eq!(counts(&failed.outcome), LateCounts { errors: 1, ..LateCounts::default() });
            }
        }
    }
}

#[test]
fn r10_reorder_releases_items_sorted_after_its_delay() {
    // With a buffer of 10, an item is late if it lies more than 10 behind: 20 after 30 is not, 19 is.
    let stream = || items(&[(10, 0), (30, 1), (20, 2), (25, 3), (19, 4), (20, 5), (40, 6)]).reorder(ns(10));
    let log = Log::default();
    let outcome = run(watched(&log, stream().late(Late::DropAndCount)));
    log.check(
        "0: now 20, event 10
         2: now 30, event 20
         5: now 30, event 20
         3: now 35, event 25
         1: now 40, event 30
         6: now 50, event 40",
    );
    assert_eq!(counts(&outcome), LateCounts { dropped: 1, ..LateCounts::default() });

    // Flagged at 30, an event time taken as an instant, between the items of its place in the source.
    let log = Log::default();
    let outcome = run(watched(&log, stream().late(Late::DeliverFlagged)));
    log.check(
        "0: now 20, event 10
         2: now 30, event 20
         4: now 30, event 19, late by 11
         5: now 30, event 20
         3: now 35, event 25
         1: now 40, event 30
         6: now 50, event 40",
    );
    assert_eq!(counts(&outcome), LateCounts { flagged: 1, ..LateCounts::default() });

    let log = Log::default();
    let failed = watched(&log, stream()).run().expect_err("a late item");
    log.check("0: now 20, event 10\n2: now 30, event 20\n5: now 30, event 20");
    let expected = RunError::Late { site: site(30, 0, 0), stream: "s".to_owned(), index: 4, event_time: at(19), lag: ns(11) };
    assert_eq!(failed.error, expected);
}

#[test]
fn r10_reorder_of_nothing_is_a_stream_without_reorder() {
    let log = Log::default();
    run(watched(&log, unsorted().reorder(ns(0)).late(Late::DropAndCount)));
    log.check(
        "0: now 10, event 10
         1: now 30, event 30
         3: now 30, event 30
         5: now 40, event 40
         6: now 40, event 40",
    );
}

#[test]
fn r10_reorder_keeps_ties_in_source_order_and_its_keys_by_source_index() {
    let mut sim = world();
    let m = sim.put("m", silent());
    sim.feed("s", items(&[(5, 0), (3, 1), (5, 2), (4, 3), (3, 4)]).reorder(ns(2)), &[m]);
    check_after_start(
        sim,
        "5.0.0 m#2 <- s#1 note 1
         5.0.0 m#3 <- s#4 note 4
         6.0.0 m#4 <- s#3 note 3
         7.0.0 m#5 <- s#0 note 0
         7.0.0 m#6 <- s#2 note 2",
    );
}

#[test]
fn r10_late_depends_on_the_order_of_the_source_alone() {
    // Two streams whose items lie far apart are not late against each other.
    let log = Log::default();
    let mut sim = watched(&log, items(&[(100, 0)]));
    let m = sim.put("n", witness(&log));
    sim.feed("t", items(&[(1, 1), (200, 2)]), &[m]);
    assert_eq!(run(sim).late(), 0);
    log.check("1: now 1, event 1\n0: now 100, event 100\n2: now 200, event 200");
}

#[test]
fn r10_late_items_are_counted_at_their_instant_and_only_if_its_first_step_is_run() {
    // Late against the item at 30, which is held back until 35: counted at 30.
    let stream = || items(&[(10, 0), (30, 1), (15, 2)]).reorder(ns(5));
    for (late, until, dropped, flagged) in
        [(Late::DropAndCount, 29, 0, 0), (Late::DropAndCount, 30, 1, 0), (Late::DeliverFlagged, 29, 0, 0), (Late::DeliverFlagged, 30, 0, 1)]
    {
        let outcome = run(watched(&Log::default(), stream().late(late)).until(at(until)));
        assert_eq!(counts(&outcome), LateCounts { dropped, flagged, ..LateCounts::default() }, "{late:?} until {until}");
        // A dropped item makes no instant.
        assert_eq!(outcome.instants, 2 + flagged, "{late:?} until {until}");
    }
}

#[test]
fn r10_late_items_of_a_step_that_is_not_run_are_not_counted() {
    for (late, limit) in [(Late::DropAndCount, 2), (Late::DeliverFlagged, 3), (Late::Error, 2)] {
        let mut sim = watched(&Log::default(), items(&[(10, 0), (30, 1), (30, 2), (20, 3), (30, 4)]).late(late));
        sim = sim.limits(Limits { max_mailbox: Some(limit), ..Limits::default() });
        let failed = sim.run().expect_err("a full mailbox");
        assert!(matches!(failed.error, RunError::Mailbox { .. }), "{late:?}: {}", failed.error);
        assert_eq!(counts(&failed.outcome), LateCounts::default(), "{late:?}");
        assert_eq!(failed.outcome.events, 1, "{late:?}");
    }
}

#[test]
fn r10_items_before_a_declared_start_are_skipped_before_they_are_judged() {
    // 20 lies behind 30, but before the start: skipped, not late. 26 is late.
    let log = Log::default();
    let stream = items(&[(10, 0), (30, 1), (20, 2), (25, 3), (30, 4)]).late(Late::DeliverFlagged);
    let outcome = run(watched(&log, stream).start(at(25)));
    log.check("1: now 30, event 30\n3: now 30, event 25, late by 5\n4: now 30, event 30");
    assert_eq!(counts(&outcome), LateCounts { skipped: 2, flagged: 1, ..LateCounts::default() });
}

#[test]
fn r10_late_error_of_a_stream_whose_subscribers_have_gone_still_ends_the_run() {
    let mut sim = world();
    let m = sim.put(
        "m",
        probe(|what, ctx| {
            if let In::Note(_) = what {
                ctx.stop();
            }
        }),
    );
    sim.feed("s", items(&[(1, 0), (9, 1), (8, 2)]), &[m]);
    let (error, outcome) = check_failing_after_start(sim, "1.0.0 m#2 <- s#0 note 0");
    assert_eq!(error, RunError::Late { site: site(9, 0, 0), stream: "s".to_owned(), index: 2, event_time: at(8), lag: ns(1) });
    assert_eq!(counts(&outcome), LateCounts { errors: 1, ..LateCounts::default() });
}

#[test]
fn r10_reorder_near_the_end_of_time() {
    // Released at MAX exactly; what would be released after it is never due, and is counted.
    let log = Log::default();
    let outcome = run(watched(&log, items(&[(i64::MAX - 5, 0), (i64::MAX - 4, 1)]).reorder(ns(5))));
    log.check("0: now MAX, event MAX-5");
    assert_eq!(counts(&outcome), LateCounts { never: 1, ..LateCounts::default() });
}

#[test]
fn r10_late_near_the_beginning_of_time() {
    // The buffer reaches below the first instant: nothing is late.
    let log = Log::default();
    let mut sim = Simulation::new("first");
    let m = sim.put("m", witness(&log));
    sim.feed("s", items(&[(i64::MIN + 3, 0), (i64::MIN, 1), (i64::MIN + 3, 2)]).reorder(ns(9)), &[m]);
    let outcome = run(sim);
    log.check("1: now MIN+9, event MIN\n0: now MIN+12, event MIN+3\n2: now MIN+12, event MIN+3");
    assert_eq!((outcome.late(), outcome.first), (0, Some(at(i64::MIN + 3))));
}
