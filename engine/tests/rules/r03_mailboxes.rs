//! R3: mailboxes are closed before anyone of the step runs, drained in key order, and bounded if wished.

use stillpoint_engine::{Limits, NextInstant, RunError};

use crate::kit::*;

fn bounded(max_mailbox: usize) -> stillpoint_engine::Simulation {
    world().limits(Limits { max_mailbox: Some(max_mailbox), ..Limits::default() })
}

#[test]
fn r03_mailboxes_hide_within_a_step_what_others_do_in_it() {
    // Two actors tell each other their numbers at once and take what they are told: the numbers change places in each step.
    let log = Log::default();
    let mut sim = world().limits(Limits { max_steps: 4, ..Limits::default() });
    let (a, b) = (sim.promise("a"), sim.promise("b"));
    for (me, other, name, mine) in [(a, b, "a", 1), (b, a, "b", 2)] {
        let (seen, mut mine) = (log.clone(), mine);
        sim.place(
            me,
            probe(move |what, ctx| {
                if let In::Note(told) = what {
                    mine = told;
                    seen.add(format!("{name} {mine}"));
                }
                ctx.send(other, Note(mine));
            }),
        );
    }
    let (_, result) = traced(sim);
    assert!(matches!(result, Err((RunError::Livelock { .. }, _))), "they go on for ever");
    log.check("a 2\nb 1\na 1\nb 2\na 2\nb 1");
}

#[test]
fn r03_mailboxes_are_closed_before_anyone_of_the_step_runs() {
    // `a` runs before `z` in every step, but what it does in step 0 reaches nobody before step 1: neither the stop nor the note.
    let mut sim = world();
    let z = sim.promise("z");
    sim.place(
        z,
        probe(move |what, ctx| match what {
            In::Start => _ = ctx.notify_at(at(5), Note(1)),
            In::Note(1) => ctx.send(ctx.address(), Note(2)),
            _ => {}
        }),
    );
    sim.put(
        "a",
        probe(move |what, ctx| match what {
            In::Start => _ = ctx.notify_at(at(5), Note(0)),
            In::Note(_) => {
                ctx.send(z, Note(3));
                ctx.stop_actor(z);
                ctx.send(z, Note(4));
            }
            _ => {}
        }),
    );
    check_after_start(
        sim,
        "5.0.0 a#2 <- a#1 note 0
         5.0.0 z#2 <- z#1 note 1
         5.0.1 z#3 <- a#2 note 3
         5.0.1 z#4 <- a#2 stop
         5.0.1 z#5 <- a#2 note 4
         5.0.1 z#6 <- z#2 note 2",
    );
}

#[test]
fn r03_mailboxes_over_the_bound_are_an_error_and_no_one_runs_that_step() {
    let mut sim = bounded(2);
    let m = sim.put("m", silent());
    sim.put(
        "a",
        starter(move |ctx| {
            ctx.send(ctx.address(), Note(0));
            for value in 1..=4 {
                ctx.send(m, Note(value));
            }
        }),
    );
    let (error, outcome) = check_failing_after_start(sim, "");
    assert_eq!(error, RunError::Mailbox { site: site(0, 0, 1), actor: "m".to_owned(), deliveries: 4, limit: 2 });
    assert_eq!((outcome.deliveries, outcome.steps), (2, 1));
}

#[test]
fn r03_mailboxes_at_the_bound_are_none() {
    let mut sim = bounded(2);
    let m = sim.put("m", silent());
    sim.put(
        "a",
        starter(move |ctx| {
            ctx.send(m, Note(1));
            ctx.send(m, Note(2));
        }),
    );
    check_after_start(sim, "0.0.1 m#2 <- a#1 note 1\n0.0.1 m#3 <- a#1 note 2");
}

#[test]
fn r03_mailboxes_count_every_class() {
    // A stream's item, a message, a timer, a job and a wake-up: five.
    for limit in [5, 4] {
        let mut sim = bounded(limit);
        let m = sim.promise("m");
        sim.place(
            m,
            starter(move |ctx| {
                ctx.notify_at(at(9), Note(1));
                ctx.send_after(m, ns(9), Note(2));
                ctx.submit(ns(9), || Sum(3));
                ctx.task(|cx| async move { cx.sleep(ns(9)).await });
            }),
        );
        sim.feed("s", items(&[(9, 4)]), &[m]);
        let (records, result) = traced(sim);
        if limit == 5 {
            assert_eq!((records.len(), result.is_ok()), (6, true));
        } else {
            assert_eq!(records.len(), 1);
            let expected = RunError::Mailbox { site: site(9, 0, 0), actor: "m".to_owned(), deliveries: 5, limit: 4 };
            assert_eq!(result.expect_err("an error").0, expected);
        }
    }
}

#[test]
fn r03_mailboxes_count_a_timer_that_this_step_would_cancel_but_none_cancelled_before() {
    for early in [true, false] {
        let mut sim = bounded(2);
        let mut armed = Vec::new();
        sim.put(
            "m",
            probe(move |what, ctx| match what {
                In::Start => {
                    ctx.notify_at(at(if early { 8 } else { 9 }), Note(1));
                    armed = (0..2).map(|_| ctx.notify_at(at(9), Note(2))).collect();
                }
                In::Note(1) => armed.drain(..).for_each(|timer| assert!(ctx.cancel(timer))),
                _ => {}
            }),
        );
        if early {
            check_after_start(sim, "8.0.0 m#2 <- m#1 note 1");
        } else {
            let (error, _) = check_failing_after_start(sim, "");
            assert_eq!(error, RunError::Mailbox { site: site(9, 0, 0), actor: "m".to_owned(), deliveries: 3, limit: 2 });
        }
    }
}

#[test]
fn r03_mailboxes_do_not_count_dead_letters() {
    let mut sim = bounded(1);
    let m = sim.put("m", starter(|ctx| ctx.stop()));
    sim.put("a", starter(move |ctx| (1..=3).for_each(|value| ctx.send(m, Note(value)))));
    let outcome = check_after_start(sim, "0.0.1 m dead <- a#1 note 1\n0.0.1 m dead <- a#1 note 2\n0.0.1 m dead <- a#1 note 3");
    assert_eq!(outcome.dead_letters, 3);
}

#[test]
fn r03_mailboxes_do_not_count_publications_that_were_dropped() {
    let mut sim = bounded(1);
    let p = sim.put(
        "p",
        starter(|ctx| {
            ctx.publish(Note(1));
            ctx.publish(Note(2));
        }),
    );
    let m = sim.put("m", starter(move |ctx| ctx.unsubscribe::<Note, _>(p)));
    sim.subscribe_to::<Note, _, _>(m, p);
    check_after_start(sim, "");
}

#[test]
fn r03_mailboxes_of_facets_and_streams_have_no_bound() {
    let mut sim = bounded(1);
    let a = sim.promise("a");
    let s = sim.feed("s", items(&[]), &[a]);
    sim.place(
        a,
        starter(move |ctx| {
            let keeper = ctx.time_keeper();
            for _ in 0..3 {
                ctx.send(keeper, stillpoint_engine::StopRun);
            }
            ctx.control(s, stillpoint_engine::Control::Pause);
            ctx.control(s, stillpoint_engine::Control::Resume);
            ctx.ask(keeper, NextInstant, None);
        }),
    );
    let outcome = check_after_start(
        sim,
        "0.0.1 s#1 <- a#1 pause
         0.0.1 s#2 <- a#1 resume
         0.0.1 time-keeper@a#1 <- a#1 stop-run StopRun
         0.0.1 time-keeper@a#2 <- a#1 stop-run StopRun
         0.0.1 time-keeper@a#3 <- a#1 stop-run StopRun
         0.0.1 time-keeper@a#4 <- a#1 next-instant NextInstant",
    );
    assert_eq!(outcome.end, stillpoint_engine::End::Stopped);
}
