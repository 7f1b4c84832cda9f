//! R6: what can be cancelled, by whom, and until when.

use stillpoint_engine::{JobId, Timer};

use crate::kit::*;

#[test]
fn r06_cancel_works_on_a_timer_that_is_due_in_this_very_mailbox() {
    let mut sim = world();
    let m = sim.promise("m");
    let mut armed = Vec::new();
    sim.place(
        m,
        probe(move |what, ctx| match what {
            In::Start => armed = (1..=4).map(|value| ctx.notify_at(at(9), Note(value))).collect(),
            // A message, which comes before timers; then a timer, about a later and an earlier one.
            In::Note(10) => assert!(ctx.cancel(armed[1])),
            In::Note(1) => {
                assert!(!ctx.cancel(armed[0]), "it is being delivered");
                assert!(!ctx.cancel(armed[1]), "it was cancelled");
                assert!(ctx.cancel(armed[3]));
            }
            In::Note(3) => assert!(!ctx.cancel(armed[0]), "it was delivered"),
            _ => {}
        }),
    );
    sim.put("a", starter(move |ctx| ctx.send_after(m, ns(9), Note(10))));
    check_after_start(
        sim,
        "9.0.0 m#2 <- a#1 note 10
         9.0.0 m#3 <- m#1 note 1
         9.0.0 m#4 <- m#1 note 3",
    );
}

#[test]
fn r06_cancel_works_on_a_call_for_the_next_step() {
    let mut sim = world();
    let mut armed = None;
    sim.put(
        "m",
        probe(move |what, ctx| match what {
            In::Start => {
                ctx.notify_soon(Note(1));
                armed = Some(ctx.notify_soon(Note(2)));
                ctx.notify_soon(Note(3));
            }
            In::Note(1) => assert!(ctx.cancel(armed.expect("a timer"))),
            _ => {}
        }),
    );
    check_after_start(sim, "0.0.1 m#2 <- m#1 note 1\n0.0.1 m#3 <- m#1 note 3");
}

#[test]
fn r06_cancel_ends_an_interval_also_from_the_handler_of_its_tick() {
    let mut sim = world();
    let (mut ticks, mut armed) = (0, None);
    sim.put(
        "m",
        probe(move |what, ctx| match what {
            In::Start => armed = Some(ctx.notify_every(every(10, 10), Note(1))),
            In::Note(_) => {
                ticks += 1;
                // It was armed again before this handler ran, so there is something to cancel.
                if ticks == 2 {
                    assert!(ctx.cancel(armed.expect("a timer")));
                    assert!(!ctx.cancel(armed.expect("a timer")));
                }
            }
            _ => {}
        }),
    );
    let outcome = check_after_start(sim, "10.0.0 m#2 <- m#1 note 1\n20.0.0 m#3 <- m#2 note 1");
    assert_eq!(outcome.end, stillpoint_engine::End::Done);
}

#[test]
fn r06_cancel_is_for_the_owner_alone() {
    let timer = cell::<Timer>();
    let job = cell::<JobId>();
    let task = cell();
    let mut sim = world();
    let (its_timer, its_job, its_task) = (timer.clone(), job.clone(), task.clone());
    sim.put(
        "m",
        starter(move |ctx| {
            *its_timer.lock() = Some(ctx.notify_at(at(9), Note(1)));
            *its_job.lock() = Some(ctx.submit(ns(9), || Sum(2)));
            *its_task.lock() = Some(ctx.task(|cx| async move { cx.sleep(ns(9)).await }));
        }),
    );
    sim.put(
        "thief",
        probe(move |what, ctx| match what {
            In::Start => _ = ctx.notify_at(at(5), Note(0)),
            In::Note(_) => {
                assert!(!ctx.cancel(timer.lock().expect("a timer")), "a timer of another actor");
                assert!(!ctx.cancel_job(job.lock().expect("a job")), "a job of another actor");
                assert!(!ctx.cancel_task(task.lock().expect("a task")), "a task of another actor");
            }
            _ => {}
        }),
    );
    check_after_start(
        sim,
        "5.0.0 thief#2 <- thief#1 note 0
         9.0.0 m#2 <- m#1 note 1
         9.0.0 m#3 <- m#1 sum 2
         9.0.0 m#4 <- m#1 wake",
    );
}

#[test]
fn r06_cancel_works_on_jobs_and_tasks_that_are_due_in_this_very_mailbox() {
    let log = Log::default();
    let mut sim = world();
    let (seen, mut job, mut task) = (log.clone(), None, None);
    sim.put(
        "m",
        probe(move |what, ctx| match what {
            In::Start => {
                ctx.notify_at(at(9), Note(1));
                job = Some(ctx.submit(ns(9), || Sum(2)));
                let seen = seen.clone();
                task = Some(ctx.task(move |cx| async move {
                    cx.sleep(ns(9)).await;
                    seen.add("woken");
                }));
            }
            In::Note(1) => {
                assert!(ctx.cancel_job(job.expect("a job")));
                assert!(ctx.cancel_task(task.expect("a task")));
                assert!(!ctx.cancel_task(task.expect("a task")), "it was cancelled");
            }
            _ => {}
        }),
    );
    check_after_start(sim, "9.0.0 m#2 <- m#1 note 1");
    log.check("");
}

#[test]
fn r06_cancel_of_a_woken_task_keeps_the_record_but_not_the_poll() {
    let log = Log::default();
    let mut sim = world();
    let (seen, mut task) = (log.clone(), None);
    sim.put(
        "m",
        probe(move |what, ctx| match what {
            In::Start => {
                let seen = seen.clone();
                task = Some(ctx.task(move |cx| async move {
                    cx.sleep(ns(9)).await;
                    seen.add("woken");
                }));
                ctx.task(|cx| async move {
                    // A job called after the sleep of the other task: its result comes after that wake-up.
                    cx.with(|_, ctx| ctx.submit(ns(9), || Sum(2)));
                });
            }
            In::Done(..) => assert!(ctx.cancel_task(task.expect("a task"))),
            _ => {}
        }),
    );
    check_after_start(sim, "9.0.0 m#2 <- m#1 wake\n9.0.0 m#3 <- m#1 sum 2");
    log.check("");
}
