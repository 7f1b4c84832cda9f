//! R4: when steps, rounds and instants advance.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use stillpoint_engine::End;

use crate::kit::*;

#[test]
fn r04_quiescence_ends_a_cascade_before_the_clock_moves() {
    let mut sim = world();
    let m = sim.promise("m");
    sim.place(
        m,
        probe(move |what, ctx| match what {
            In::Start => {
                ctx.notify_after(ns(1), Note(0));
                ctx.send(m, Note(3));
            }
            In::Note(left @ 1..) => ctx.send(m, Note(left - 1)),
            _ => {}
        }),
    );
    let outcome = check_after_start(
        sim,
        "0.0.1 m#2 <- m#1 note 3
         0.0.2 m#3 <- m#2 note 2
         0.0.3 m#4 <- m#3 note 1
         0.0.4 m#5 <- m#4 note 0
         1.0.0 m#6 <- m#1 note 0",
    );
    assert_eq!((outcome.instants, outcome.steps), (2, 6));
}

#[test]
fn r04_quiescence_advances_step_then_round_then_instant() {
    let mut sim = world();
    let m = sim.promise("m");
    sim.place(
        m,
        probe(move |what, ctx| match what {
            // Each item is followed by two steps, a job among what they wait for.
            In::Note(value @ 1..10) => ctx.send(m, Note(value * 10)),
            In::Note(_) => _ = ctx.submit(ns(0), || Sum(7)),
            _ => {}
        }),
    );
    sim.feed("s", items(&[(4, 1), (4, 2), (5, 3)]).one_by_one(), &[m]);
    check_after_start(
        sim,
        "4.0.0 m#2 <- s#0 note 1
         4.0.1 m#3 <- m#2 note 10
         4.0.2 m#4 <- m#3 sum 7
         4.1.0 m#5 <- s#1 note 2
         4.1.1 m#6 <- m#5 note 20
         4.1.2 m#7 <- m#6 sum 7
         5.0.0 m#8 <- s#2 note 3
         5.0.1 m#9 <- m#8 note 30
         5.0.2 m#10 <- m#9 sum 7",
    );
}

#[test]
fn r04_quiescence_is_where_an_interruption_is_looked_at_and_before_until() {
    let flag = Arc::new(AtomicBool::new(false));
    let mut sim = world().until(at(10)).interrupt(flag.clone());
    let m = sim.promise("m");
    sim.place(
        m,
        probe(move |what, ctx| match what {
            In::Start => {
                ctx.notify_at(at(10), Note(1));
                ctx.notify_at(at(11), Note(9));
            }
            In::Note(1) => {
                flag.store(true, Ordering::Relaxed);
                ctx.send(m, Note(2));
            }
            In::Note(2) => ctx.send(m, Note(3)),
            _ => {}
        }),
    );
    // The instant comes to rest first.
    let outcome = check_after_start(
        sim,
        "10.0.0 m#2 <- m#1 note 1
         10.0.1 m#3 <- m#2 note 2
         10.0.2 m#4 <- m#3 note 3",
    );
    assert_eq!(outcome.end, End::Interrupted);
}
