//! R7: how an actor ends, and what becomes of what was sent to it.

use std::sync::Arc;

use crate::kit::*;

#[test]
fn r07_stop_of_oneself_acts_at_the_end_of_the_step() {
    let mut sim = world();
    let m = sim.promise("m");
    sim.place(
        m,
        probe(move |what, ctx| {
            if let In::Note(value) = what {
                ctx.stop();
                ctx.send(m, Note(value + 10));
            }
        }),
    );
    sim.put(
        "a",
        starter(move |ctx| {
            ctx.send(m, Note(1));
            ctx.send(m, Note(2));
            ctx.send_after(m, ns(3), Note(3));
        }),
    );
    let outcome = check_after_start(
        sim,
        "0.0.1 m#2 <- a#1 note 1
         0.0.1 m#3 <- a#1 note 2
         0.0.2 m dead <- m#2 note 11
         0.0.2 m dead <- m#3 note 12
         3.0.0 m dead <- a#1 note 3",
    );
    assert_eq!((outcome.dead_letters, outcome.deliveries), (3, 4));
}

#[test]
fn r07_stop_of_another_is_a_message() {
    let mut sim = world();
    let m = sim.promise("m");
    let n = sim.put("n", silent());
    sim.place(
        m,
        probe(move |what, ctx| {
            if let In::Note(value) = what {
                // What it emits before its end stands.
                ctx.send(n, Note(value + 10));
                ctx.send_after(n, ns(5), Note(value + 20));
            }
        }),
    );
    sim.put(
        "a",
        starter(move |ctx| {
            ctx.stop_actor(m);
            ctx.send(m, Note(1));
            ctx.stop_actor(m);
            ctx.notify_soon(Note(0));
        }),
    );
    check_after_start(
        sim,
        "0.0.1 a#2 <- a#1 note 0
         0.0.1 m#2 <- a#1 stop
         0.0.1 m#3 <- a#1 note 1
         0.0.1 m#4 <- a#1 stop
         0.0.2 n#2 <- m#3 note 11
         5.0.0 n#3 <- m#3 note 21",
    );
}

#[test]
fn r07_stop_ends_timers_tasks_and_jobs_without_record() {
    let log = Log::default();
    let mut sim = world();
    let seen = log.clone();
    sim.put(
        "m",
        probe(move |what, ctx| match what {
            In::Start => {
                ctx.notify_at(at(5), Note(1));
                ctx.notify_every(every(5, 5), Note(2));
                ctx.submit(ns(5), || Sum(3));
                ctx.notify_at(at(2), Note(4));
                let seen = seen.clone();
                ctx.task(move |cx| async move {
                    cx.sleep(ns(5)).await;
                    seen.add("woken");
                });
            }
            In::Note(4) => {
                ctx.notify_soon(Note(5));
                ctx.stop();
            }
            _ => {}
        }),
    );
    let outcome = check_after_start(sim, "2.0.0 m#2 <- m#1 note 4");
    log.check("");
    assert_eq!((outcome.dead_letters, outcome.last, outcome.end), (0, Some(at(2)), stillpoint_engine::End::Done));
}

#[test]
fn r07_stop_takes_the_whole_tree_depth_first_by_index() {
    let log = Log::default();
    let mut sim = world();
    let names = ["m/0", "m/0/0", "m/0/1", "m/1", "m/1/0", "m/2"];
    let reports = log.clone();
    sim.put(
        "m",
        probe(move |what, ctx| match what {
            In::Start => {
                for child in 0..3 {
                    let below: Vec<&'static str> = names.into_iter().filter(|name| name.starts_with(&format!("m/{child}/"))).collect();
                    let (own, reports) = (["m/0", "m/1", "m/2"][child], reports.clone());
                    let inner = reports.clone();
                    let body = starter(move |ctx| {
                        for name in below {
                            ctx.spawn(silent().reporting(&inner, name));
                        }
                    });
                    ctx.spawn(body.reporting(&reports, own));
                }
                ctx.notify_at(at(5), Note(0));
            }
            In::Note(_) => ctx.stop(),
            _ => {}
        }),
    );
    run(sim);
    // An actor is asked for its report as it stops.
    log.check("m/0\nm/0/0\nm/0/1\nm/1\nm/1/0\nm/2");
}

#[test]
fn r07_stop_of_a_parent_reaches_children_that_have_messages_coming() {
    let mut sim = world();
    let child = cell();
    let others = child.clone();
    sim.put(
        "m",
        probe(move |what, ctx| match what {
            In::Start => {
                *others.lock() = Some(ctx.spawn(starter(|ctx| _ = ctx.notify_at(at(9), Note(1)))));
                ctx.notify_at(at(5), Note(0));
            }
            In::Note(_) => ctx.stop(),
            _ => {}
        }),
    );
    sim.put(
        "z",
        probe(move |what, ctx| match what {
            In::Start => _ = ctx.notify_at(at(5), Note(0)),
            In::Note(_) => ctx.send(child.lock().expect("an address"), Note(2)),
            _ => {}
        }),
    );
    let outcome = check_after_start(
        sim,
        "0.0.1 m/0#1 <- m#1 start
         5.0.0 m#2 <- m#1 note 0
         5.0.0 z#2 <- z#1 note 0
         5.0.1 m/0 dead <- z#2 note 2",
    );
    assert_eq!(outcome.dead_letters, 1);
}

#[test]
fn r07_dead_letters_come_after_the_records_of_their_step_by_receiver() {
    // All three of one step: `b` lives, `a` and `c` do not.
    let mut sim = world();
    let (a, c) = (sim.put("a", starter(|ctx| ctx.stop())), sim.put("c", starter(|ctx| ctx.stop())));
    let b = sim.put("b", silent());
    sim.put(
        "z",
        starter(move |ctx| {
            ctx.send(c, Note(1));
            ctx.send(b, Note(2));
            ctx.send(a, Note(3));
            ctx.stop_actor(a);
        }),
    );
    let outcome = check_after_start(
        sim,
        "0.0.1 a dead <- z#1 note 3
         0.0.1 a dead <- z#1 stop
         0.0.1 b#2 <- z#1 note 2
         0.0.1 c dead <- z#1 note 1",
    );
    assert_eq!(outcome.dead_letters, 3);
}

#[test]
fn r07_stop_drops_the_actor_in_the_step_in_which_it_stops() {
    // Whoever brings messages to `m` knows a way to it: a stream, a sender, its own timer. None of them keeps it.
    let held = Arc::new(());
    let left = Arc::downgrade(&held);
    let log = Log::default();
    let mut sim = world();
    let a = sim.promise("a");
    let m = sim.put(
        "m",
        probe(move |what, ctx| match what {
            In::Start => _ = ctx.notify_after(ns(1), Note(1)),
            In::Note(3) => {
                let _ = &held;
                ctx.send(a, Note(4));
                ctx.stop();
            }
            _ => {}
        }),
    );
    let seen = log.clone();
    sim.place(
        a,
        probe(move |what, ctx| match what {
            In::Start => ctx.send_after(m, ns(2), Note(2)),
            In::Note(_) => seen.add(format!("{} {} left", moment(ctx.now()), left.strong_count())),
            _ => {}
        }),
    );
    sim.feed("ticks", items(&[(3, 3)]), &[m]);
    check_after_start(
        sim,
        "1.0.0 m#2 <- m#1 note 1
         2.0.0 m#3 <- a#1 note 2
         3.0.0 m#4 <- ticks#0 note 3
         3.0.1 a#2 <- m#4 note 4",
    );
    log.check("3 0 left");
}
