//! R14: with links declared, who may send to whom.

use stillpoint_engine::{BuildError, End, Link, RunError, Simulation};

use crate::kit::*;

fn link(sim: &mut Simulation, from: &str, to: &str, latency: i64) {
    sim.link(from, to, Link::latency(ns(latency))).expect("a link");
}

fn undeclared(step: u32, from: &str, to: &str, kind: &str) -> RunError {
    RunError::Undeclared { site: site(0, 0, step), from: from.to_owned(), to: to.to_owned(), kind: kind.to_owned() }
}

#[test]
fn r14_links_that_are_not_declared_are_errors_naming_both_ends() {
    let log = Log::default();
    let mut sim = world();
    let (m, n) = (sim.put("m", silent()), sim.put("n", silent()));
    let seen = log.clone();
    sim.put(
        "a",
        starter(move |ctx| {
            ctx.send(m, Note(1));
            ctx.send(n, Note(2));
            ctx.send(m, Note(3));
            // The handler goes on.
            seen.add("went on");
        }),
    );
    link(&mut sim, "a", "m", 0);
    link(&mut sim, "n", "a", 0);
    // The run ends at that step, which all finish.
    let (error, outcome) = check_failing(
        sim,
        "0.0.0 a#1 <- time-keeper#0 start
         0.0.0 m#1 <- time-keeper#0 start
         0.0.0 n#1 <- time-keeper#0 start",
    );
    assert_eq!(error, undeclared(0, "a", "n", "start"));
    assert!(error.to_string().contains("declare the link from `a` to `n`"), "{error}");
    assert_eq!(outcome.end, End::Failed);
    log.check("went on");
}

#[test]
fn r14_links_are_not_needed_while_none_is_declared() {
    let mut sim = world();
    let m = sim.put("m", silent());
    sim.put("a", starter(move |ctx| ctx.send(m, Note(1))));
    check_after_start(sim, "0.0.1 m#2 <- a#1 note 1");
}

#[test]
fn r14_links_stand_for_whole_trees_and_none_is_needed_inside_one() {
    let mut sim = world();
    let m = sim.promise("m");
    let n = sim.put("n", silent());
    sim.place(
        m,
        starter(move |ctx| {
            let first = ctx.spawn(probe(move |what, ctx| match what {
                // A grandchild, which uses the root's link too.
                In::Start => _ = ctx.spawn(starter(move |ctx| ctx.send(n, Note(30)))),
                In::Note(value) => ctx.send(m, Note(value + 1)),
                _ => {}
            }));
            // Between siblings, and to oneself.
            ctx.spawn(starter(move |ctx| {
                ctx.send(first, Note(10));
                ctx.send(n, Note(20));
            }));
            ctx.send(m, Note(1));
        }),
    );
    link(&mut sim, "m", "n", 4);
    check_after_start(
        sim,
        "0.0.1 m#2 <- m#1 note 1
         0.0.1 m/0#1 <- m#1 start
         0.0.1 m/1#1 <- m#1 start
         0.0.2 m/0#2 <- m/1#1 note 10
         0.0.2 m/0/0#1 <- m/0#1 start
         0.0.3 m#3 <- m/0#2 note 11
         4.0.0 n#2 <- m/0/0#1 note 30
         4.0.0 n#3 <- m/1#1 note 20",
    );
}

#[test]
fn r14_links_lead_one_way() {
    let mut sim = world();
    let a = sim.promise("a");
    let m = sim.promise("m");
    sim.place(
        m,
        probe(move |what, ctx| {
            if let In::Note(_) = what {
                ctx.send(a, Note(2));
            }
        }),
    );
    sim.place(a, starter(move |ctx| ctx.send(m, Note(1))));
    link(&mut sim, "a", "m", 0);
    let (error, _) = check_failing_after_start(sim, "0.0.1 m#2 <- a#1 note 1");
    assert_eq!(error, undeclared(1, "m", "a", "note"));
}

#[test]
fn r14_links_of_a_child_named_in_an_error_are_the_childs() {
    let mut sim = world();
    let n = sim.put("n", silent());
    sim.put("m", starter(move |ctx| _ = ctx.spawn(starter(move |ctx| ctx.send(n, Note(1))))));
    link(&mut sim, "n", "m", 0);
    let (error, _) = check_failing_after_start(sim, "0.0.1 m/0#1 <- m#1 start");
    assert_eq!(error, undeclared(1, "m/0", "n", "start"));
}

#[test]
fn r14_links_of_a_question_are_needed_both_ways() {
    for (there, back, missing) in
        [(true, true, None), (true, false, Some(("m", "a"))), (false, true, Some(("a", "m"))), (false, false, Some(("a", "m")))]
    {
        let mut sim = world();
        let (a, m) = (sim.promise("a"), sim.promise("m"));
        sim.place(
            m,
            probe(|what, ctx| {
                if let In::Asked(value, responder) = what {
                    ctx.reply(responder, Reply(value * 2));
                }
            }),
        );
        sim.place(a, starter(move |ctx| _ = ctx.ask(m, Question(4), Some(ns(100)))));
        sim.put("z", silent());
        link(&mut sim, "z", "a", 0);
        if there {
            link(&mut sim, "a", "m", 2);
        }
        if back {
            link(&mut sim, "m", "a", 3);
        }
        match missing {
            None => _ = check_after_start(sim, "2.0.0 m#2 <- a#1 question 4\n5.0.0 a#2 <- m#2 reply 8"),
            Some((from, to)) => {
                let (error, _) = check_failing_after_start(sim, "");
                assert_eq!(error, undeclared(0, from, to, "start"));
            }
        }
    }
}

#[test]
fn r14_links_of_a_subscription_are_needed_both_ways() {
    for (there, back, missing) in [(true, false, ("p", "s")), (false, true, ("s", "p")), (false, false, ("s", "p"))] {
        for while_built in [true, false] {
            let mut sim = world();
            let (p, s) = (sim.promise("p"), sim.promise("s"));
            sim.place(p, silent());
            sim.put("z", silent());
            link(&mut sim, "z", "p", 0);
            if there {
                link(&mut sim, "s", "p", 1);
            }
            if back {
                link(&mut sim, "p", "s", 1);
            }
            if while_built {
                sim.place(s, silent());
                sim.subscribe_to::<Word, _, _>(s, p);
                let (error, _) = check_failing(sim, "");
                let (subscriber, publisher) = ("s".to_owned(), "p".to_owned());
                assert_eq!(error, RunError::Build(BuildError::SubscriptionWithoutLink { subscriber, publisher }));
            } else {
                sim.place(s, starter(move |ctx| ctx.subscribe::<Word, _>(p)));
                let (error, _) = check_failing_after_start(sim, "");
                assert_eq!(error, undeclared(0, missing.0, missing.1, "start"));
            }
        }
    }
}

#[test]
fn r14_links_carry_subscriptions_and_publications_with_their_latencies() {
    let mut sim = world();
    let p = sim.promise("p");
    sim.place(
        p,
        probe(move |what, ctx| match what {
            In::Start => [1, 2, 3, 4, 6].into_iter().for_each(|due| _ = ctx.notify_at(at(due), Note(due as u64))),
            In::Note(value) => ctx.publish(Word(value)),
            _ => {}
        }),
    );
    sim.put(
        "s",
        probe(move |what, ctx| match what {
            In::Start => {
                ctx.subscribe::<Word, _>(p);
                ctx.notify_at(at(8), Note(0));
            }
            In::Note(_) => ctx.unsubscribe::<Word, _>(p),
            _ => {}
        }),
    );
    let t = sim.put("t", silent());
    sim.subscribe_to::<Word, _, _>(t, p);
    for (from, to, latency) in [("s", "p", 2), ("p", "s", 3), ("p", "t", 0), ("t", "p", 0)] {
        link(&mut sim, from, to, latency);
    }
    // In force from the end of 2: what is published at 3 and 4 arrives at 6 and 7; that of 6 is on its way when `s` unsubscribes at 8.
    check_after_start(
        sim,
        "1.0.0 p#2 <- p#1 note 1
         1.0.1 t#2 <- p#2 word 1
         2.0.0 p#3 <- s#1 subscribe
         2.0.0 p#4 <- p#1 note 2
         2.0.1 t#3 <- p#4 word 2
         3.0.0 p#5 <- p#1 note 3
         3.0.1 t#4 <- p#5 word 3
         4.0.0 p#6 <- p#1 note 4
         4.0.1 t#5 <- p#6 word 4
         6.0.0 p#7 <- p#1 note 6
         6.0.0 s#2 <- p#5 word 3
         6.0.1 t#6 <- p#7 word 6
         7.0.0 s#3 <- p#6 word 4
         8.0.0 s#4 <- s#1 note 0",
    );
}

#[test]
fn r14_links_need_names_that_exist_once() {
    let mut sim = world();
    sim.put("a", silent());
    sim.put("b", silent());
    let none = Link::latency(ns(0));
    assert_eq!(sim.link("a", "c", none.clone()), Err(BuildError::Unknown("c".to_owned())));
    assert_eq!(sim.link("a", "b", none.clone()), Ok(()));
    assert_eq!(sim.link("b", "a", none.clone()), Ok(()));
    let twice = BuildError::DuplicateLink { from: "a".to_owned(), to: "b".to_owned() };
    assert_eq!(sim.link("a", "b", none), Err(twice));
}

#[test]
fn r14_links_are_not_needed_to_reach_the_time_keeper() {
    let mut sim = world();
    sim.put("a", starter(|ctx| ctx.stop_run()));
    sim.put("b", silent());
    link(&mut sim, "a", "b", 3);
    let outcome = check_after_start(sim, "0.0.1 time-keeper@a#1 <- a#1 stop-run StopRun");
    assert_eq!(outcome.end, End::Stopped);
}

#[test]
fn r14_actor_that_was_promised_and_never_placed_is_an_error() {
    let mut sim = world();
    sim.promise("a");
    let (error, _) = check_failing(sim, "");
    assert_eq!(error, RunError::Build(BuildError::Vacant("a".to_owned())));
}
