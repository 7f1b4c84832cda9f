//! R2: when an emission arrives.

use stillpoint_engine::{Instant, Link};

use crate::kit::*;

#[test]
fn r02_arrival_in_the_next_step_or_at_the_instant_of_the_delay() {
    let mut sim = world();
    let m = sim.promise("m");
    sim.place(
        m,
        probe(move |what, ctx| {
            if let In::Note(1) = what {
                ctx.send(m, Note(10));
            }
        }),
    );
    sim.put(
        "a",
        starter(move |ctx| {
            ctx.send_after(m, ns(1), Note(5));
            ctx.send_after(m, ns(0), Note(2));
            ctx.send_after(m, ns(-7), Note(3));
            ctx.send(m, Note(1));
        }),
    );
    check_after_start(
        sim,
        "0.0.1 m#2 <- a#1 note 2
         0.0.1 m#3 <- a#1 note 3
         0.0.1 m#4 <- a#1 note 1
         0.0.2 m#5 <- m#4 note 10
         1.0.0 m#6 <- a#1 note 5",
    );
}

#[test]
fn r02_arrival_of_a_call_for_now_or_for_the_past_is_the_next_step_and_it_knows_when_it_was_due() {
    let log = Log::default();
    let mut sim = world().start(at(100));
    let seen = log.clone();
    sim.put(
        "m",
        probe(move |what, ctx| match what {
            In::Start => {
                ctx.notify_at(at(101), Note(1));
                ctx.notify_at(at(-40), Note(2));
                ctx.notify_at(at(100), Note(3));
                ctx.notify_soon(Note(4));
                ctx.notify_after(ns(-5), Note(5));
                ctx.notify_at(Instant::MIN, Note(6));
            }
            In::Note(value) => seen.add(format!("{value}: now {}, due {}", moment(ctx.now()), moment(ctx.event().due))),
            _ => {}
        }),
    );
    check_after_start(
        sim,
        "100.0.1 m#2 <- m#1 note 2
         100.0.1 m#3 <- m#1 note 3
         100.0.1 m#4 <- m#1 note 4
         100.0.1 m#5 <- m#1 note 5
         100.0.1 m#6 <- m#1 note 6
         101.0.0 m#7 <- m#1 note 1",
    );
    log.check(
        "2: now 100, due -40
         3: now 100, due 100
         4: now 100, due 100
         5: now 100, due 95
         6: now 100, due MIN
         1: now 101, due 101",
    );
}

#[test]
fn r02_arrival_of_missed_ticks_is_one_by_one() {
    let log = Log::default();
    let mut sim = world().start(at(100)).until(at(120));
    let seen = log.clone();
    sim.put(
        "m",
        probe(move |what, ctx| match what {
            In::Start => _ = ctx.notify_every(every(75, 10), Note(7)),
            In::Note(_) => seen.add(format!("now {}, due {}", moment(ctx.now()), moment(ctx.event().due))),
            _ => {}
        }),
    );
    // Each tick is caused by the one before it, which armed it.
    check_after_start(
        sim,
        "100.0.1 m#2 <- m#1 note 7
         100.0.2 m#3 <- m#2 note 7
         100.0.3 m#4 <- m#3 note 7
         105.0.0 m#5 <- m#4 note 7
         115.0.0 m#6 <- m#5 note 7",
    );
    log.check("now 100, due 75\nnow 100, due 85\nnow 100, due 95\nnow 105, due 105\nnow 115, due 115");
}

#[test]
fn r02_arrival_of_a_tick_due_now_is_the_next_step() {
    let mut sim = world().start(at(100)).until(at(110));
    sim.put("m", starter(|ctx| _ = ctx.notify_every(every(90, 10), Note(7))));
    check_after_start(
        sim,
        "100.0.1 m#2 <- m#1 note 7
         100.0.2 m#3 <- m#2 note 7
         110.0.0 m#4 <- m#3 note 7",
    );
}

#[test]
fn r02_arrival_of_an_interval_is_armed_before_the_handler_of_its_tick() {
    let mut sim = world();
    sim.put(
        "m",
        probe(move |what, ctx| match what {
            In::Start => _ = ctx.notify_every(every(10, 10).until(at(30)), Note(7)),
            // Due with the next tick, and called after it was armed.
            In::Note(7) => _ = ctx.notify_after(ns(10), Note(8)),
            _ => {}
        }),
    );
    check_after_start(
        sim,
        "10.0.0 m#2 <- m#1 note 7
         20.0.0 m#3 <- m#2 note 7
         20.0.0 m#4 <- m#2 note 8
         30.0.0 m#5 <- m#3 note 7
         30.0.0 m#6 <- m#3 note 8
         40.0.0 m#7 <- m#5 note 8",
    );
}

#[test]
fn r02_arrival_of_ticks_ends_inclusively() {
    for (first, end, ticks) in [(10, 30, vec![10, 20, 30]), (10, 29, vec![10, 20]), (10, 10, vec![10]), (10, 9, vec![]), (0, 5, vec![0])] {
        let mut sim = world();
        sim.put("m", starter(move |ctx| _ = ctx.notify_every(every(first, 10).until(at(end)), Note(7))));
        let (records, _) = traced(sim);
        let found: Vec<i64> = records[1..].iter().map(|record| record.at.as_nanos()).collect();
        assert_eq!(found, ticks, "from {first} to {end}");
    }
}

#[test]
fn r02_arrival_after_the_last_instant_is_never() {
    let log = Log::default();
    let mut sim = world().start(Instant::MAX - ns(10));
    let n = sim.put("n", silent());
    let seen = log.clone();
    sim.put(
        "m",
        probe(move |what, ctx| match what {
            In::Start => {
                let never = ctx.notify_after(ns(11), Note(1));
                ctx.notify_after(ns(10), Note(2));
                ctx.send_after(n, ns(11), Note(3));
                ctx.send_after(n, ns(10), Note(4));
                let done = ctx.submit(ns(11), || Sum(5));
                ctx.notify_every(every(i64::MAX - 5, 6), Note(6));
                ctx.task(|cx| async move {
                    cx.sleep(ns(11)).await;
                    unreachable!("it sleeps for ever");
                });
                seen.add(format!("{} {}", ctx.cancel(never), ctx.cancel_job(done)));
            }
            In::Done(..) => unreachable!("a job that is never due has no result"),
            _ => {}
        }),
    );
    let outcome = check_after_start(
        sim,
        "MAX-5.0.0 m#2 <- m#1 note 6
         MAX.0.0 m#3 <- m#1 note 2
         MAX.0.0 n#2 <- m#1 note 4",
    );
    log.check("false false");
    // The timer, the message, the job, the sleep, and the interval's second tick.
    assert_eq!(outcome.never, 5);
}

#[test]
fn r02_arrival_of_an_interval_that_is_over_is_not_counted_as_never() {
    let mut sim = world().start(Instant::MAX - ns(10));
    sim.put("m", starter(|ctx| _ = ctx.notify_every(every(i64::MAX - 5, 6).until(Instant::MAX), Note(6))));
    let outcome = check_after_start(sim, "MAX-5.0.0 m#2 <- m#1 note 6");
    assert_eq!(outcome.never, 0);
}

#[test]
fn r02_arrival_draws_a_number_for_what_is_never_due_without_queueing_it() {
    let mut sim = world().start(Instant::MAX);
    let m = sim.promise("m");
    sim.place(
        m,
        starter(move |ctx| {
            ctx.send(m, Note(1));
            ctx.send_after(m, ns(i64::MAX), Note(2));
            ctx.send(m, Note(3));
        }),
    );
    let outcome = check_after_start(sim, "MAX.0.1 m#2 <- m#1 note 1\nMAX.0.1 m#3 <- m#1 note 3");
    assert_eq!((outcome.never, outcome.instants, outcome.steps), (1, 1, 2));
}

#[test]
fn r02_arrival_before_1970_and_from_the_first_instant_to_the_last() {
    let mut sim = world().start(Instant::MIN);
    let m = sim.promise("m");
    sim.place(
        m,
        probe(move |what, ctx| match what {
            In::Start => {
                for due in [i64::MAX, 1, 0, -1, -2_208_988_800_000_000_000, i64::MIN + 1] {
                    ctx.notify_at(at(due), Note(0));
                }
                ctx.send_after(m, ns(i64::MAX), Note(1));
            }
            In::Note(1) => ctx.send_after(m, ns(i64::MAX), Note(2)),
            In::Note(2) => ctx.send_after(m, ns(1), Note(3)),
            _ => {}
        }),
    );
    let outcome = check_after_start(
        sim,
        "MIN+1.0.0 m#2 <- m#1 note 0
         -2208988800000000000.0.0 m#3 <- m#1 note 0
         -1.0.0 m#4 <- m#1 note 1
         -1.0.0 m#5 <- m#1 note 0
         0.0.0 m#6 <- m#1 note 0
         1.0.0 m#7 <- m#1 note 0
         MAX-1.0.0 m#8 <- m#4 note 2
         MAX.0.0 m#9 <- m#8 note 3
         MAX.0.0 m#10 <- m#1 note 0",
    );
    assert_eq!((outcome.never, outcome.first, outcome.last), (0, Some(Instant::MIN), Some(Instant::MAX)));
}

#[test]
fn r02_arrival_over_a_link_cannot_be_faster_than_the_link() {
    let mut sim = world();
    let m = sim.promise("m");
    let n = sim.promise("n");
    sim.place(m, silent());
    sim.place(n, silent());
    sim.put(
        "a",
        starter(move |ctx| {
            ctx.send(m, Note(1));
            ctx.send_after(m, ns(3), Note(2));
            ctx.send_after(m, ns(-3), Note(3));
            ctx.send(n, Note(4));
            ctx.send_after(n, ns(5), Note(5));
            ctx.send_after(n, ns(-5), Note(6));
        }),
    );
    sim.link("a", "m", Link::latency(ns(5))).expect("a link");
    sim.link("a", "n", Link::latency(ns(0))).expect("a link");
    check_after_start(
        sim,
        "0.0.1 n#2 <- a#1 note 4
         0.0.1 n#3 <- a#1 note 6
         5.0.0 m#2 <- a#1 note 1
         5.0.0 m#3 <- a#1 note 3
         5.0.0 n#4 <- a#1 note 5
         8.0.0 m#4 <- a#1 note 2",
    );
}

#[test]
fn r02_arrival_adds_a_delay_to_a_link_without_rounding_at_the_ends_of_time() {
    for (start, arrives) in [(0, None), (-1, Some(Instant::MAX)), (i64::MIN, Some(at(0)))] {
        let mut sim = world().start(at(start));
        let m = sim.put("m", silent());
        sim.put("a", starter(move |ctx| ctx.send_after(m, ns(i64::MAX), Note(1))));
        sim.link("a", "m", Link::latency(ns(1))).expect("a link");
        let (records, outcome) = traced(sim);
        assert_eq!(records.get(2).map(|record| record.at), arrives, "from {start}");
        assert_eq!(outcome.expect("a run").never, u64::from(arrives.is_none()), "from {start}");
    }
}

#[test]
fn r02_arrival_alone_makes_instants_and_steps() {
    let mut sim = world();
    let mut armed = None;
    sim.put(
        "m",
        probe(move |what, ctx| match what {
            In::Start => {
                armed = Some(ctx.notify_at(at(10), Note(1)));
                ctx.notify_at(at(5), Note(2));
                let soon = ctx.notify_soon(Note(3));
                assert!(ctx.cancel(soon));
            }
            In::Note(2) => assert!(ctx.cancel(armed.expect("a timer"))),
            _ => {}
        }),
    );
    let outcome = check_after_start(sim, "5.0.0 m#2 <- m#1 note 2");
    assert_eq!((outcome.instants, outcome.steps, outcome.deliveries), (2, 2, 2));
    assert_eq!((outcome.first, outcome.last), (Some(at(0)), Some(at(5))));
}
