//! R20: the time-keeper as an actor.

use stillpoint_engine::{Control, End, Instant, NextInstant, Simulation};

use crate::kit::*;

/// `m` acts at its start, then asks for the next instant; what it is told.
fn told(
    build: impl FnOnce(&mut Simulation, stillpoint_engine::Addr<Probe>) -> Option<stillpoint_engine::StreamRef<Note>>,
    act: fn(&mut Cx<'_>),
) -> Option<Instant> {
    let answer = cell();
    let mut sim = world();
    let m = sim.promise("m");
    let stream = build(&mut sim, m);
    let given = answer.clone();
    sim.place(
        m,
        probe(move |what, ctx| match what {
            In::Start => {
                act(ctx);
                if let Some(stream) = stream {
                    ctx.subscribe_stream(stream);
                }
                let keeper = ctx.time_keeper();
                ctx.ask(keeper, NextInstant, None);
            }
            In::Next(next) => *given.lock() = Some(next),
            _ => {}
        }),
    );
    run(sim);
    let told = *answer.lock();
    told.expect("an answer")
}

#[test]
fn r20_time_keeper_is_a_facet_with_a_path_of_its_own_per_asker() {
    let mut sim = world();
    sim.put(
        "m",
        starter(|ctx| {
            let keeper = ctx.time_keeper();
            assert_eq!(keeper, ctx.time_keeper());
            ctx.ask(keeper, NextInstant, None);
            ctx.ask(keeper, NextInstant, None);
            ctx.notify_at(at(9), Note(0));
            ctx.spawn(starter(|ctx| {
                let keeper = ctx.time_keeper();
                ctx.ask(keeper, NextInstant, None);
            }));
        }),
    );
    // Questions and answers are traced like others.
    check_after_start(
        sim,
        "0.0.1 m/0#1 <- m#1 start
         0.0.1 time-keeper@m#1 <- m#1 next-instant NextInstant
         0.0.1 time-keeper@m#2 <- m#1 next-instant NextInstant
         0.0.2 m#2 <- time-keeper@m#1 next-instant-is NextInstantIs(Some(Instant(9)))
         0.0.2 m#3 <- time-keeper@m#2 next-instant-is NextInstantIs(Some(Instant(9)))
         0.0.2 time-keeper@m/0#1 <- m/0#1 next-instant NextInstant
         0.0.3 m/0#2 <- time-keeper@m/0#1 next-instant-is NextInstantIs(None)
         9.0.0 m#4 <- m#1 note 0",
    );
}

#[test]
fn r20_time_keeper_tells_the_least_due_time_of_what_is_the_askers_own() {
    let none = |_: &mut Simulation, _| None;
    assert_eq!(told(none, |_| {}), None);
    assert_eq!(told(none, |ctx| [9, 4, 7].into_iter().for_each(|due| _ = ctx.notify_at(at(due), Note(0)))), Some(at(4)));
    assert_eq!(told(none, |ctx| _ = ctx.notify_every(every(3, 5).until(at(20)), Note(0))), Some(at(3)));
    assert_eq!(told(none, |ctx| _ = ctx.submit(ns(6), || Sum(0))), Some(at(6)));
    assert_eq!(told(none, |ctx| _ = ctx.task(|cx| async move { cx.sleep(ns(8)).await })), Some(at(8)));
    // A cancelled timer is none, and a message that is on its way is none of the asker's.
    let cancelled: fn(&mut Cx<'_>) = |ctx| {
        let timer = ctx.notify_at(at(2), Note(0));
        ctx.cancel(timer);
        ctx.send_after(ctx.address(), ns(3), Note(0));
        ctx.notify_at(at(5), Note(0));
    };
    assert_eq!(told(none, cancelled), Some(at(5)));
    assert_eq!(told(none, |ctx| _ = ctx.notify_at(Instant::MAX, Note(0))), Some(Instant::MAX));
}

#[test]
fn r20_time_keeper_looks_at_subscribed_streams_and_not_at_others() {
    let subscribed = |sim: &mut Simulation, m| {
        sim.feed("s", items(&[(6, 1)]), &[m]);
        sim.feed("t", items(&[(2, 1)]), &[]);
        let other = sim.put("n", starter(|ctx| _ = ctx.notify_at(at(1), Note(0))));
        sim.feed("u", items(&[(3, 1)]), &[other]);
        None
    };
    assert_eq!(told(subscribed, |_| {}), Some(at(6)));
    assert_eq!(told(subscribed, |ctx| _ = ctx.notify_at(at(5), Note(0))), Some(at(5)));
    // The delay of a buffer counts, and what is before the start or late does not.
    let delayed = |sim: &mut Simulation, m| {
        sim.feed("s", items(&[(-1, 0), (6, 1)]).reorder(ns(10)), &[m]);
        None
    };
    assert_eq!(told(delayed, |_| {}), Some(at(16)));
    // Later rounds of this instant.
    let ties = |sim: &mut Simulation, m| {
        sim.feed("s", items(&[(0, 1), (0, 2), (8, 3)]).one_by_one(), &[m]);
        None
    };
    assert_eq!(told(ties, |_| {}), Some(at(0)));
}

#[test]
fn r20_time_keeper_knows_of_a_subscription_made_in_this_instant() {
    let unread = |sim: &mut Simulation, _| Some(sim.feed("s", items(&[(0, 0), (6, 1)]), &[]));
    assert_eq!(told(unread, |_| {}), Some(at(6)));
}

#[test]
fn r20_time_keeper_counts_no_paused_stream() {
    let answers = Log::default();
    let mut sim = world();
    let m = sim.promise("m");
    let s = sim.feed("s", items(&[(1, 1), (5, 2)]), &[m]);
    let seen = answers.clone();
    sim.place(
        m,
        probe(move |what, ctx| match what {
            In::Note(1) => {
                ctx.control(s, Control::Pause);
                ctx.notify_at(at(2), Note(100));
            }
            In::Note(100) => {
                let keeper = ctx.time_keeper();
                ctx.ask(keeper, NextInstant, None);
            }
            In::Next(next) => seen.add(format!("{next:?}")),
            _ => {}
        }),
    );
    run(sim);
    answers.check("None");
}

#[test]
fn r20_time_keeper_tells_an_actor_in_its_last_step_nothing_of_what_ended_with_it() {
    let mut sim = world();
    sim.put(
        "m",
        starter(|ctx| {
            let keeper = ctx.time_keeper();
            ctx.ask(keeper, NextInstant, None);
            ctx.notify_at(at(5), Note(0));
            ctx.stop();
        }),
    );
    // The facet lives on; its answer reaches nobody.
    let (records, _) = traced(sim);
    let last = records.last().expect("records");
    assert_eq!((last.receiver.to_string().as_str(), last.count, &*last.kind), ("m", None, "next-instant-is"));
    assert_eq!(last.digest, stillpoint_engine::digest_of(&None::<Instant>));
}

#[test]
fn r20_time_keeper_stops_the_run_at_the_end_of_the_next_step() {
    let mut sim = world();
    let z = sim.promise("z");
    sim.put(
        "m",
        probe(move |what, ctx| match what {
            In::Start => _ = ctx.notify_at(at(5), Note(0)),
            In::Note(_) => {
                ctx.send(z, Note(1));
                ctx.stop_run();
            }
            _ => {}
        }),
    );
    sim.place(
        z,
        probe(move |what, ctx| match what {
            In::Start => _ = ctx.notify_at(at(6), Note(9)),
            In::Note(value) => ctx.send(z, Note(value + 1)),
            _ => {}
        }),
    );
    let outcome = check_after_start(
        sim,
        "5.0.0 m#2 <- m#1 note 0
         5.0.1 time-keeper@m#1 <- m#2 stop-run StopRun
         5.0.1 z#2 <- m#2 note 1",
    );
    assert_eq!(outcome.end, End::Stopped);
}

#[test]
fn r20_time_keeper_outlives_the_one_who_asked_it_to_stop() {
    let mut sim = world();
    sim.put(
        "m",
        starter(|ctx| {
            ctx.stop_run();
            ctx.stop();
            ctx.notify_at(at(1), Note(0));
        }),
    );
    sim.put("n", starter(|ctx| _ = ctx.notify_at(at(1), Note(0))));
    let outcome = check_after_start(sim, "0.0.1 time-keeper@m#1 <- m#1 stop-run StopRun");
    assert_eq!((outcome.end, outcome.dead_letters), (End::Stopped, 0));
}
