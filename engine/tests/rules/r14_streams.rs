//! R14: streams need no links, and can be controlled.

use stillpoint_engine::{Control, LateCounts, Link, RunError, Simulation, StreamRef};

use crate::kit::*;

/// `m` pauses the stream at 2, resumes it at 4 and ends it at 5.
fn controller(s: StreamRef<Note>) -> Probe {
    probe(move |what, ctx| match what {
        In::Start => [2, 4, 5].into_iter().for_each(|due| _ = ctx.notify_at(at(due), Note(100 + due as u64))),
        In::Note(102) => ctx.control(s, Control::Pause),
        In::Note(104) => ctx.control(s, Control::Resume),
        In::Note(105) => ctx.control(s, Control::End),
        _ => {}
    })
}

const CONTROLLED: &str = "1.0.0 m#2 <- s#0 note 1
                          2.0.0 m#3 <- s#1 note 2
                          2.0.0 m#4 <- m#1 note 102
                          2.0.1 s#1 <- m#4 pause
                          4.0.0 m#5 <- m#1 note 104
                          4.0.1 s#2 <- m#5 resume
                          5.0.0 m#6 <- s#4 note 5
                          5.0.0 m#7 <- m#1 note 105
                          5.0.1 s#3 <- m#7 end";

fn fed(controlled: bool, links: bool) -> Simulation {
    let mut sim = world();
    let m = sim.promise("m");
    let stream = items(&[(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7)]);
    let s = sim.feed("s", if controlled { stream.controlled() } else { stream }, &[m]);
    sim.place(m, controller(s));
    if links {
        sim.put("z", silent());
        sim.link("m", "z", Link::latency(ns(1))).expect("a link");
    }
    sim
}

#[test]
fn r14_control_of_a_stream_acts_from_its_first_event_after_this_instant() {
    for (controlled, links) in [(false, false), (true, false), (true, true)] {
        let outcome = check_after_start(fed(controlled, links), CONTROLLED);
        let counts = outcome.streams.into_values().next();
        assert_eq!(counts, Some(LateCounts { paused: 2, ..LateCounts::default() }), "links: {links}");
        assert_eq!((outcome.events, outcome.last), (3, Some(at(5))));
    }
}

#[test]
fn r14_control_of_a_stream_that_is_not_controlled_is_an_undeclared_send_among_links() {
    let (error, _) = check_failing_after_start(
        fed(false, true),
        "1.0.0 m#2 <- s#0 note 1
         2.0.0 m#3 <- s#1 note 2
         2.0.0 m#4 <- m#1 note 102",
    );
    let expected = RunError::Undeclared { site: site(2, 0, 0), from: "m".to_owned(), to: "s".to_owned(), kind: "note".to_owned() };
    assert_eq!(error, expected);
}

#[test]
fn r14_streams_need_no_links_to_their_subscribers() {
    let mut sim = world();
    let (a, b) = (sim.put("a", silent()), sim.promise("b"));
    let s = sim.feed("s", items(&[(1, 1), (2, 2)]), &[a]);
    sim.place(b, starter(move |ctx| ctx.subscribe_stream(s)));
    sim.link("a", "b", Link::latency(ns(7))).expect("a link");
    // The same keys for all, and each item counts once.
    let outcome = check_after_start(
        sim,
        "1.0.0 a#2 <- s#0 note 1
         1.0.0 b#2 <- s#0 note 1
         2.0.0 a#3 <- s#1 note 2
         2.0.0 b#3 <- s#1 note 2",
    );
    assert_eq!(outcome.events, 2);
}

#[test]
fn r14_control_does_not_reach_later_rounds_of_this_instant() {
    let mut sim = world();
    let m = sim.promise("m");
    let s = sim.feed("s", items(&[(1, 1), (1, 2), (2, 3)]).one_by_one(), &[m]);
    sim.place(
        m,
        probe(move |what, ctx| {
            if let In::Note(1) = what {
                ctx.control(s, Control::End);
            }
        }),
    );
    check_after_start(
        sim,
        "1.0.0 m#2 <- s#0 note 1
         1.0.1 s#1 <- m#2 end
         1.1.0 m#3 <- s#1 note 2",
    );
}

#[test]
fn r14_control_by_several_actors_acts_in_key_order() {
    // Within one step the later key wins: `b` resumes after `a` has paused.
    let mut sim = world();
    let (a, b) = (sim.promise("a"), sim.promise("b"));
    let s = sim.feed("s", items(&[(1, 1)]), &[a]);
    sim.place(b, starter(move |ctx| ctx.control(s, Control::Resume)));
    sim.place(a, starter(move |ctx| ctx.control(s, Control::Pause)));
    check_after_start(
        sim,
        "0.0.1 s#1 <- a#1 pause
         0.0.1 s#2 <- b#1 resume
         1.0.0 a#2 <- s#0 note 1",
    );
}
