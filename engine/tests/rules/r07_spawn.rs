//! R7: children, and when they come to life.

use crate::kit::*;

#[test]
fn r07_spawn_starts_a_child_in_the_next_step_before_its_first_messages() {
    let mut sim = world();
    let a = sim.promise("a");
    let m = sim.promise("m");
    sim.place(a, silent());
    sim.place(
        m,
        probe(move |what, ctx| match what {
            In::Start => {
                ctx.send(m, Note(1));
                ctx.send(m, Note(2));
            }
            // The cause of the start is the delivery that spawned: `m`'s third record.
            In::Note(2) => {
                let child = ctx.spawn(probe(move |what, ctx| {
                    if let In::Note(value) = what {
                        ctx.send(a, Note(value + 1));
                    }
                }));
                ctx.send(child, Note(10));
                ctx.send_after(child, ns(4), Note(20));
                assert_eq!(ctx.path().to_string(), "m");
            }
            _ => {}
        }),
    );
    check_after_start(
        sim,
        "0.0.1 m#2 <- m#1 note 1
         0.0.1 m#3 <- m#1 note 2
         0.0.2 m/0#1 <- m#3 start
         0.0.2 m/0#2 <- m#3 note 10
         0.0.3 a#2 <- m/0#2 note 11
         4.0.0 m/0#3 <- m#3 note 20
         4.0.1 a#3 <- m/0#3 note 21",
    );
}

#[test]
fn r07_spawn_starts_come_before_messages_of_any_class_or_sender() {
    // The child has a greater rank than its parent and than `z`, which writes to it in the very step of its spawn.
    let child = cell();
    let mut sim = world();
    let others = child.clone();
    sim.put(
        "z",
        probe(move |what, ctx| match what {
            In::Start => _ = ctx.notify_soon(Note(0)),
            In::Note(_) => ctx.send(others.lock().expect("an address"), Note(2)),
            _ => {}
        }),
    );
    sim.put(
        "m",
        probe(move |what, ctx| match what {
            In::Start => _ = ctx.notify_soon(Note(0)),
            In::Note(_) => *child.lock() = Some(ctx.spawn_ranked(stillpoint_engine::Rank(9), silent())),
            _ => {}
        }),
    );
    check_after_start(
        sim,
        "0.0.1 m#2 <- m#1 note 0
         0.0.1 z#2 <- z#1 note 0
         0.0.2 m/0#1 <- m#2 start
         0.0.2 m/0#2 <- z#2 note 2",
    );
}

#[test]
fn r07_spawn_gives_indices_in_the_order_of_the_calls() {
    let mut sim = world();
    let m = sim.promise("m");
    sim.place(
        m,
        probe(move |what, ctx| match what {
            In::Start => {
                ctx.spawn(starter(|ctx| _ = ctx.spawn(silent())));
                let second = ctx.spawn(silent());
                ctx.stop_actor(second);
                ctx.notify_after(ns(1), Note(0));
            }
            // The index of a child that has stopped is not given again.
            In::Note(_) => _ = ctx.spawn(silent()),
            _ => {}
        }),
    );
    check_after_start(
        sim,
        "0.0.1 m/0#1 <- m#1 start
         0.0.1 m/1#1 <- m#1 start
         0.0.1 m/1#2 <- m#1 stop
         0.0.2 m/0/0#1 <- m/0#1 start
         1.0.0 m#2 <- m#1 note 0
         1.0.1 m/2#1 <- m#2 start",
    );
}

#[test]
fn r07_spawn_in_the_last_step_of_the_parent_gives_no_life() {
    let mut sim = world();
    let m = sim.promise("m");
    sim.place(
        m,
        starter(move |ctx| {
            // Called before the spawn, it acts at the end of the step all the same: after spawns.
            ctx.stop();
            let child = ctx.spawn(silent());
            ctx.send(child, Note(1));
            ctx.send_after(child, ns(3), Note(2));
            ctx.send(m, Note(3));
        }),
    );
    let outcome = check_after_start(
        sim,
        "0.0.1 m dead <- m#1 note 3
         0.0.1 m/0 dead <- m#1 note 1
         3.0.0 m/0 dead <- m#1 note 2",
    );
    assert_eq!((outcome.dead_letters, outcome.deliveries), (3, 1));
}

#[test]
fn r07_spawn_of_a_child_that_is_stopped_at_once_lets_it_start() {
    let mut sim = world();
    sim.put(
        "m",
        starter(move |ctx| {
            let child = ctx.spawn(starter(|ctx| {
                ctx.send(ctx.address(), Note(1));
            }));
            ctx.stop_actor(child);
        }),
    );
    check_after_start(
        sim,
        "0.0.1 m/0#1 <- m#1 start
         0.0.1 m/0#2 <- m#1 stop
         0.0.2 m/0 dead <- m/0#1 note 1",
    );
}
