//! R16: where a run ends early, and which of several reasons is told.

use stillpoint_engine::{End, Limits, Link, RunError, Simulation};

use crate::kit::*;

#[test]
fn r16_early_end_lets_all_finish_the_step_polls_included() {
    let log = Log::default();
    let mut sim = world();
    sim.put("a", starter(|ctx| ctx.stop_run()));
    let z = sim.promise("z");
    let seen = log.clone();
    sim.place(
        z,
        probe(move |what, ctx| match what {
            In::Start => {
                ctx.send(z, Note(1));
                let seen = seen.clone();
                ctx.task(move |cx| async move {
                    cx.yield_now().await;
                    seen.add("polled");
                    cx.send(z, Note(2));
                });
            }
            In::Note(value) => {
                seen.add(format!("note {value}"));
                ctx.send(z, Note(3));
            }
            _ => {}
        }),
    );
    let outcome = check_after_start(
        sim,
        "0.0.1 time-keeper@a#1 <- a#1 stop-run StopRun
         0.0.1 z#2 <- z#1 note 1
         0.0.1 z#3 <- z#1 wake",
    );
    log.check("note 1\npolled");
    assert_eq!((outcome.end, outcome.steps, outcome.instants), (End::Stopped, 2, 1));
}

/// What may go wrong in step 1 of instant 0, by who does it.
#[derive(Clone, Copy)]
enum Fault {
    Panic,
    Undeclared,
    Stop,
}

/// Actors that fault in the step (0, 0, 1); links are declared, but none from them.
fn faulty(faults: &[(&str, i32, Fault)]) -> RunError {
    let mut sim = world();
    let x = sim.put("x", silent());
    sim.put("y", silent());
    sim.link("x", "y", Link::latency(ns(0))).expect("a link");
    for (name, rank, fault) in faults {
        let fault = *fault;
        let body = probe(move |what, ctx| match (what, fault) {
            // The stop is handled one step after it is sent, so that all three fall on one key.
            (In::Start, Fault::Stop) => ctx.stop_run(),
            (In::Start, _) => _ = ctx.notify_soon(Note(0)),
            (In::Note(_), Fault::Panic) => panic!("a fault"),
            (In::Note(_), Fault::Undeclared) => ctx.send(x, Note(1)),
            _ => {}
        });
        sim.put_ranked(name, *rank, body);
    }
    sim.run().expect_err("a fault").error
}

fn panic_of(actor: &str) -> RunError {
    let (actor, kind, message) = (actor.to_owned(), "note".to_owned(), "a fault".to_owned());
    RunError::Panic { site: site(0, 0, 1), actor, kind, message }
}

fn undeclared_of(actor: &str) -> RunError {
    RunError::Undeclared { site: site(0, 0, 1), from: actor.to_owned(), to: "x".to_owned(), kind: "note".to_owned() }
}

#[test]
fn r16_early_end_by_panics_and_undeclared_sends_is_that_of_the_first_receiver() {
    use Fault::{Panic, Stop, Undeclared};
    assert_eq!(faulty(&[("b", 0, Panic), ("a", 0, Panic)]), panic_of("a"));
    assert_eq!(faulty(&[("b", 0, Panic), ("a", 0, Undeclared)]), undeclared_of("a"));
    assert_eq!(faulty(&[("b", 0, Undeclared), ("a", 0, Panic)]), panic_of("a"));
    assert_eq!(faulty(&[("b", -1, Undeclared), ("a", 0, Panic)]), undeclared_of("b"));
    // A stop comes last, though its sender is the first.
    assert_eq!(faulty(&[("b", 0, Panic), ("a", -1, Stop)]), panic_of("b"));
    assert_eq!(faulty(&[("b", 0, Undeclared), ("a", -1, Stop)]), undeclared_of("b"));
}

#[test]
fn r16_early_end_is_that_of_the_first_receiver_though_many_are_born_between_two_faults() {
    let mut sim = world();
    // The children crowd below `n`, so that those born between the panics of #26 and #28 move both.
    sim.put("n", silent());
    sim.put(
        "m",
        starter(|ctx| {
            for number in 0..29 {
                ctx.spawn(probe(move |what, ctx| match (what, number) {
                    (In::Start, _) => _ = ctx.notify_soon(Note(0)),
                    (In::Note(_), 26 | 28) => panic!("a fault"),
                    (In::Note(_), 27) => (0..200).for_each(|_| _ = ctx.spawn(silent())),
                    _ => {}
                }));
            }
        }),
    );
    let error = sim.run().expect_err("two faults").error;
    assert!(matches!(&error, RunError::Panic { site: s, actor, .. } if *s == site(0, 0, 2) && actor == "m/26"), "{error:?}");
}

#[test]
fn r16_early_end_by_a_full_mailbox_comes_before_the_limit_of_steps() {
    let mut sim = world().limits(Limits { max_steps: 1, max_mailbox: Some(1) });
    let m = sim.put("m", silent());
    sim.put(
        "a",
        starter(move |ctx| {
            ctx.send(ctx.address(), Note(0));
            ctx.send(m, Note(1));
            ctx.send(m, Note(2));
        }),
    );
    let (error, _) = check_failing_after_start(sim, "");
    assert_eq!(error, RunError::Mailbox { site: site(0, 0, 1), actor: "m".to_owned(), deliveries: 2, limit: 1 });
}

/// At 9 an item is late, and there is a timer at 9 for `m`.
fn late_at_nine(body: Probe) -> Simulation {
    let mut sim = world();
    let m = sim.put("m", body);
    sim.feed("s", items(&[(9, 1), (8, 2), (9, 3)]), &[m]);
    sim
}

#[test]
fn r16_early_end_by_a_late_event_comes_after_mailboxes_and_before_panics() {
    let late = RunError::Late { site: site(9, 0, 0), stream: "s".to_owned(), index: 1, event_time: at(8), lag: ns(1) };
    let panicking = || {
        probe(|what, _| {
            if let In::Note(1) = what {
                panic!("a fault");
            }
        })
    };
    let failed = late_at_nine(panicking()).run().expect_err("a fault");
    assert_eq!(failed.error, late);
    // The step is run: one record of the item, and the rest of the mailbox is dead.
    assert_eq!((failed.outcome.deliveries, failed.outcome.dead_letters), (2, 1));

    let failed = late_at_nine(silent()).limits(Limits { max_mailbox: Some(1), ..Limits::default() }).run().expect_err("a fault");
    assert_eq!(failed.error, RunError::Mailbox { site: site(9, 0, 0), actor: "m".to_owned(), deliveries: 2, limit: 1 });
}

#[test]
fn r16_early_end_of_two_full_mailboxes_is_that_of_the_first_receiver() {
    let mut sim = world().limits(Limits { max_mailbox: Some(1), ..Limits::default() });
    let (b, a) = (sim.put("b", silent()), sim.put("a", silent()));
    sim.put(
        "z",
        starter(move |ctx| {
            for to in [b, a] {
                (0..3).for_each(|value| ctx.send(to, Note(value)));
            }
        }),
    );
    let failed = sim.run().expect_err("a fault");
    assert_eq!(failed.error, RunError::Mailbox { site: site(0, 0, 1), actor: "a".to_owned(), deliveries: 3, limit: 1 });
}

#[test]
fn r16_early_end_delivers_nothing_later() {
    let mut sim = world();
    let m = sim.promise("m");
    sim.place(
        m,
        probe(move |what, ctx| match what {
            In::Start => {
                ctx.notify_at(at(5), Note(1));
                ctx.notify_at(at(6), Note(2));
            }
            In::Note(1) => {
                ctx.stop_run();
                ctx.send(m, Note(3));
            }
            In::Note(3) => ctx.send(m, Note(4)),
            _ => {}
        }),
    );
    sim.feed("s", items(&[(5, 10), (5, 11)]).one_by_one(), &[m]);
    let outcome = check_after_start(
        sim,
        "5.0.0 m#2 <- s#0 note 10
         5.0.0 m#3 <- m#1 note 1
         5.0.1 m#4 <- m#3 note 3
         5.0.1 time-keeper@m#1 <- m#3 stop-run StopRun",
    );
    assert_eq!((outcome.end, outcome.last), (End::Stopped, Some(at(5))));
}
