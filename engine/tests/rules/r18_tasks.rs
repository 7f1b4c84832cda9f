//! R18: when tasks are polled, and what they cause.

use std::future::poll_fn;
use std::pin::pin;

use stillpoint_engine::task::{Cancelled, Either, select};
use stillpoint_engine::{End, RunError};

use crate::kit::*;

#[test]
fn r18_tasks_poll_after_the_handlers_of_the_step_and_new_ones_after_woken_ones() {
    let log = Log::default();
    let mut sim = world();
    let m = sim.promise("m");
    let seen = log.clone();
    sim.place(
        m,
        probe(move |what, ctx| match what {
            In::Start => {
                for name in ["first", "second"] {
                    let seen = seen.clone();
                    ctx.task(move |cx| async move {
                        seen.add(format!("{name} begins"));
                        cx.sleep(ns(5)).await;
                        seen.add(format!("{name} woken"));
                        let (inner, own) = (seen.clone(), name);
                        // A task of a task: polled in this step too, after all others.
                        cx.spawn(move |_| async move { inner.add(format!("child of {own}")) });
                    });
                }
                seen.add("start handled");
                ctx.notify_at(at(5), Note(0));
            }
            In::Note(value) => {
                seen.add(format!("note {value}"));
                let inner = seen.clone();
                ctx.task(move |_| async move { inner.add(format!("new {value}")) });
            }
            _ => {}
        }),
    );
    sim.put("z", starter(move |ctx| ctx.send_after(m, ns(5), Note(1))));
    run(sim);
    log.check(
        "start handled
         first begins
         second begins
         note 1
         note 0
         first woken
         second woken
         new 1
         new 0
         child of first
         child of second",
    );
}

#[test]
fn r18_tasks_poll_in_the_order_of_the_keys_that_woke_them() {
    // Called in the order sleep, message: but a message comes before a wake-up.
    let log = Log::default();
    let mut sim = world();
    let m = sim.promise("m");
    let (seen, mut inbox) = (log.clone(), None);
    sim.place(
        m,
        probe(move |what, ctx| match what {
            In::Start => {
                let queue = ctx.inbox::<u64>();
                inbox = Some(queue);
                let (sleeper, receiver) = (seen.clone(), seen.clone());
                ctx.task(move |cx| async move {
                    cx.sleep(ns(5)).await;
                    sleeper.add("slept");
                });
                ctx.task(move |cx| async move {
                    let value = cx.recv(queue).await;
                    receiver.add(format!("received {value}"));
                });
            }
            In::Note(value) => ctx.push(inbox.expect("an inbox"), value),
            _ => {}
        }),
    );
    sim.put("z", starter(move |ctx| ctx.send_after(m, ns(5), Note(7))));
    check_after_start(sim, "5.0.0 m#2 <- z#1 note 7\n5.0.0 m#3 <- m#1 wake");
    log.check("received 7\nslept");
}

#[test]
fn r18_tasks_poll_once_a_step_and_their_cause_is_the_least_key_that_woke_them() {
    let log = Log::default();
    let mut sim = world();
    let (m, z) = (sim.promise("m"), sim.promise("z"));
    let (seen, mut inbox) = (log.clone(), None);
    sim.place(
        m,
        probe(move |what, ctx| match what {
            In::Start => {
                let queue = ctx.inbox::<u64>();
                inbox = Some(queue);
                let seen = seen.clone();
                ctx.task(move |cx| async move {
                    // The first of two that are ready is taken, whichever woke first.
                    let sleep = cx.sleep(ns(5));
                    match select(sleep, cx.recv(queue)).await {
                        Either::First(()) => seen.add("slept"),
                        Either::Second(value) => seen.add(format!("received {value}")),
                    }
                    cx.send(z, Note(100));
                    // The value is still there.
                    seen.add(format!("then received {}", cx.recv(queue).await));
                    cx.send(z, Note(101));
                });
            }
            In::Note(value) => {
                seen.add("handled");
                ctx.push(inbox.expect("an inbox"), value);
            }
            _ => {}
        }),
    );
    sim.place(z, starter(move |ctx| ctx.send_after(m, ns(5), Note(7))));
    check_after_start(
        sim,
        "5.0.0 m#2 <- z#1 note 7
         5.0.0 m#3 <- m#1 wake
         5.0.1 z#2 <- m#2 note 100
         5.0.1 z#3 <- m#2 note 101",
    );
    log.check("handled\nslept\nthen received 7");
}

#[test]
fn r18_tasks_that_are_woken_twice_in_a_step_poll_once() {
    let log = Log::default();
    let mut sim = world();
    let (seen, mut inbox) = (log.clone(), None);
    let m = sim.put(
        "m",
        probe(move |what, ctx| match what {
            In::Start => {
                let queue = ctx.inbox::<u64>();
                inbox = Some(queue);
                let seen = seen.clone();
                ctx.task(move |cx| async move {
                    let (mut sleep, mut value, mut last) = (pin!(cx.sleep(ns(5))), pin!(cx.recv(queue)), pin!(cx.sleep(ns(9))));
                    let mut open = (true, true);
                    poll_fn(|waker| {
                        seen.add(format!("polled at {}", moment(cx.now())));
                        open.0 = open.0 && sleep.as_mut().poll(waker).is_pending();
                        open.1 = open.1 && value.as_mut().poll(waker).is_pending();
                        last.as_mut().poll(waker)
                    })
                    .await;
                    assert_eq!(open, (false, false));
                });
            }
            In::Note(value) => ctx.push(inbox.expect("an inbox"), value),
            _ => {}
        }),
    );
    sim.put("z", starter(move |ctx| (1..=2).for_each(|value| ctx.send_after(m, ns(5), Note(value)))));
    run(sim);
    log.check("polled at 0\npolled at 5\npolled at 9");
}

#[test]
fn r18_tasks_have_the_delivery_that_spawned_them_as_the_cause_of_their_first_poll() {
    let mut sim = world();
    let (m, z) = (sim.promise("m"), sim.promise("z"));
    sim.place(
        m,
        probe(move |what, ctx| match what {
            In::Note(1) => _ = ctx.task(move |cx| async move { cx.send(z, Note(10)) }),
            In::Note(2) => {
                ctx.task(move |cx| async move {
                    cx.sleep(ns(3)).await;
                    cx.spawn(move |cx| async move { cx.send(z, Note(20)) });
                });
            }
            _ => {}
        }),
    );
    sim.place(z, starter(move |ctx| (1..=3).for_each(|value| ctx.send(m, Note(value)))));
    check_after_start(
        sim,
        "0.0.1 m#2 <- z#1 note 1
         0.0.1 m#3 <- z#1 note 2
         0.0.1 m#4 <- z#1 note 3
         0.0.2 z#2 <- m#2 note 10
         3.0.0 m#5 <- m#3 wake
         3.0.1 z#3 <- m#5 note 20",
    );
}

#[test]
fn r18_tasks_that_end_wake_those_who_join_them_in_the_next_step() {
    let log = Log::default();
    let mut sim = world();
    let seen = log.clone();
    sim.put(
        "m",
        starter(move |ctx| {
            ctx.task(move |cx| async move {
                let child = cx.spawn(|cx| async move {
                    cx.sleep(ns(5)).await;
                    42u64
                });
                let early = child.join().await;
                seen.add(format!("{} {early:?}", moment(cx.now())));
                // One that has ended already: the next step too.
                let ended = cx.spawn(|_| async { 43u64 });
                cx.sleep(ns(2)).await;
                let late = ended.join().await;
                seen.add(format!("{} {late:?}", moment(cx.now())));
                // One that is cancelled has nothing to give.
                let cancelled = cx.spawn(|cx| async move {
                    cx.sleep(ns(5)).await;
                    44u64
                });
                cx.sleep(ns(1)).await;
                assert!(cancelled.cancel());
                let none = cancelled.join().await;
                assert_eq!(none, Err(Cancelled));
                seen.add(format!("{} {none:?}", moment(cx.now())));
            });
        }),
    );
    check_after_start(
        sim,
        "5.0.0 m#2 <- m#1 wake
         5.0.1 m#3 <- m#2 wake
         7.0.0 m#4 <- m#3 wake
         7.0.1 m#5 <- m#4 wake
         8.0.0 m#6 <- m#5 wake
         8.0.1 m#7 <- m#6 wake",
    );
    log.check("5 Ok(42)\n7 Ok(43)\n8 Err(Cancelled)");
}

#[test]
fn r18_tasks_joined_by_several_wake_them_all() {
    let mut sim = world();
    sim.put(
        "m",
        starter(move |ctx| {
            ctx.task(|cx| async move {
                let slow = cx.spawn(|cx| async move { cx.sleep(ns(5)).await });
                let quick = cx.spawn(|cx| async move { cx.sleep(ns(2)).await });
                // Of two joins the quick one is taken; the other is taken back and wakes nobody.
                match select(slow.join(), quick.join()).await {
                    Either::First(_) => unreachable!("it sleeps longer"),
                    Either::Second(result) => assert_eq!(result, Ok(())),
                }
            });
        }),
    );
    check_after_start(
        sim,
        "2.0.0 m#2 <- m#1 wake
         2.0.1 m#3 <- m#2 wake
         5.0.0 m#4 <- m#1 wake",
    );
}

#[test]
fn r18_tasks_that_are_cancelled_wake_those_who_join_them() {
    let log = Log::default();
    let mut sim = world();
    let seen = log.clone();
    sim.put(
        "m",
        starter(move |ctx| {
            ctx.task(move |cx| async move {
                let child = cx.spawn(|cx| async move { cx.sleep(ns(9)).await });
                let task = child.task();
                cx.spawn(move |cx| async move {
                    cx.sleep(ns(4)).await;
                    assert!(cx.cancel(task));
                });
                let result = child.join().await;
                seen.add(format!("{} {result:?}", moment(cx.now())));
            });
        }),
    );
    check_after_start(sim, "4.0.0 m#2 <- m#1 wake\n4.0.1 m#3 <- m#2 wake");
    log.check("4 Err(Cancelled)");
}

#[test]
fn r18_tasks_may_await_the_engines_futures_only() {
    let mut sim = world();
    sim.put("a", starter(|ctx| _ = ctx.task(|_| std::future::pending::<()>())));
    sim.put("b", starter(|ctx| _ = ctx.notify_soon(Note(1))));
    // The step is finished, and is the end.
    let (error, outcome) = check_failing_after_start(sim, "");
    assert_eq!(error, RunError::ForeignFuture { site: site(0, 0, 0), actor: "a".to_owned() });
    assert_eq!((outcome.end, outcome.deliveries), (End::Failed, 2));
}

#[test]
fn r18_tasks_that_others_wake_are_an_error() {
    let mut sim = world();
    let body = starter(|ctx| {
        ctx.task(|cx| async move {
            let sleep = cx.sleep(ns(5));
            let foreign = std::future::poll_fn(|cx| {
                cx.waker().wake_by_ref();
                std::task::Poll::<()>::Pending
            });
            select(sleep, foreign).await;
        });
    });
    sim.put("a", body);
    let result = sim.run();
    assert!(matches!(result.expect_err("an error").error, RunError::ForeignFuture { .. }));
}

#[test]
fn r18_tasks_of_two_actors_do_not_see_each_other_within_a_step() {
    let mut sim = world();
    let (a, b) = (sim.promise("a"), sim.promise("b"));
    for (me, other, value) in [(a, b, 1), (b, a, 2)] {
        sim.place(me, starter(move |ctx| _ = ctx.task(move |cx| async move { cx.send(other, Note(value)) })));
    }
    check_after_start(sim, "0.0.1 a#2 <- b#1 note 2\n0.0.1 b#2 <- a#1 note 1");
}
