//! R18: what a task can wait for.

use stillpoint_engine::task::{Either, Overrun, select};
use stillpoint_engine::{AskError, Instant, JobPanic, Simulation};

use crate::kit::*;

/// One actor with one task.
fn task<F, Fut>(body: F) -> Simulation
where
    F: FnOnce(Task) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + 'static,
{
    let mut sim = world();
    sim.put("m", starter(move |ctx| _ = ctx.task(body)));
    sim
}

#[test]
fn r18_wait_for_a_message_is_the_delivery_itself() {
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
                    for _ in 0..3 {
                        let value = cx.recv(queue).await;
                        seen.add(format!("{} received {value}", moment(cx.now())));
                    }
                });
            }
            In::Note(value) => {
                seen.add(format!("{} handled {value}", moment(ctx.now())));
                ctx.push(inbox.expect("an inbox"), value);
            }
            _ => {}
        }),
    );
    sim.put(
        "a",
        starter(move |ctx| {
            ctx.send(m, Note(1));
            ctx.send(m, Note(2));
            ctx.send_after(m, ns(4), Note(3));
            ctx.send_after(m, ns(5), Note(4));
        }),
    );
    // No wake-ups: the task goes on after the handlers of the step.
    check_after_start(
        sim,
        "0.0.1 m#2 <- a#1 note 1
         0.0.1 m#3 <- a#1 note 2
         4.0.0 m#4 <- a#1 note 3
         5.0.0 m#5 <- a#1 note 4",
    );
    log.check(
        "0 handled 1
         0 handled 2
         0 received 1
         0 received 2
         4 handled 3
         4 received 3
         5 handled 4",
    );
}

#[test]
fn r18_wait_for_what_another_task_pushes_is_a_wake_up_in_the_next_step() {
    let log = Log::default();
    let seen = log.clone();
    let sim = task(move |cx| async move {
        let queue = cx.with(|_, ctx| ctx.inbox::<u64>());
        for name in ["first", "second"] {
            let seen = seen.clone();
            cx.spawn(move |cx| async move {
                let value = cx.recv(queue).await;
                seen.add(format!("{name} received {value}"));
            });
        }
        cx.sleep(ns(5)).await;
        // Both wait, in the order in which they began to; whoever is polled first takes the value, the other waits on.
        cx.with(|_, ctx| ctx.push(queue, 7));
        cx.sleep(ns(2)).await;
        cx.with(|_, ctx| ctx.push(queue, 8));
    });
    check_after_start(
        sim,
        "5.0.0 m#2 <- m#1 wake
         5.0.1 m#3 <- m#2 wake
         5.0.1 m#4 <- m#2 wake
         7.0.0 m#5 <- m#2 wake
         7.0.1 m#6 <- m#5 wake",
    );
    log.check("first received 7\nsecond received 8");
}

#[test]
fn r18_wait_for_an_answer_or_a_job_is_the_delivery_itself() {
    let log = Log::default();
    let mut sim = world();
    let n = sim.put(
        "n",
        probe(|what, ctx| {
            if let In::Asked(value @ 0..10, responder) = what {
                ctx.reply(responder, Reply(value * 2));
            }
        }),
    );
    let seen = log.clone();
    sim.put(
        "m",
        starter(move |ctx| {
            ctx.task(move |cx| async move {
                assert_eq!(cx.ask(n, Question(3), Some(ns(1))).await, Ok(Reply(6)));
                assert_eq!(cx.ask(n, Question(30), None).await, Err(AskError::Gone));
                assert_eq!(cx.submit(ns(4), || Sum(9)).await, Ok(Sum(9)));
                let panicked = cx.submit::<Sum>(ns(0), || panic!("no sum")).await;
                assert_eq!(panicked, Err(JobPanic("no sum".to_owned())));
                seen.add(format!("done at {}", moment(cx.now())));
            });
        }),
    );
    check_after_start(
        sim,
        "0.0.1 n#2 <- m#1 question 3
         0.0.2 m#2 <- n#2 reply 6
         0.0.3 n#3 <- m#2 question 30
         0.0.4 m#3 <- n#3 gone
         4.0.0 m#4 <- m#3 sum 9
         4.0.1 m#5 <- m#4 job-panic",
    );
    log.check("done at 4");
}

#[test]
fn r18_wait_for_an_answer_ends_with_its_timeout() {
    let mut sim = world();
    let mut kept = Vec::new();
    let n = sim.put(
        "n",
        probe(move |what, _| {
            if let In::Asked(_, responder) = what {
                kept.push(responder);
            }
        }),
    );
    sim.put(
        "m",
        starter(move |ctx| {
            ctx.task(move |cx| async move {
                // The timeout is fixed at the call, not at the first poll.
                let answer = cx.ask(n, Question(3), Some(ns(6)));
                cx.sleep(ns(4)).await;
                assert_eq!(answer.await, Err(AskError::Timeout));
                assert_eq!(cx.now(), at(6));
            });
        }),
    );
    check_after_start(
        sim,
        "0.0.1 n#2 <- m#1 question 3
         4.0.0 m#2 <- m#1 wake
         6.0.0 m#3 <- m#1 timeout",
    );
}

#[test]
fn r18_wait_until_a_deadline_that_is_fixed_at_the_call() {
    let log = Log::default();
    let seen = log.clone();
    let sim = task(move |cx| async move {
        let long = cx.sleep(ns(10));
        let gone = cx.sleep(ns(2));
        cx.sleep(ns(4)).await;
        seen.add(moment(cx.now()));
        // Over for two nanoseconds: its wake-up was delivered then.
        gone.await;
        seen.add(moment(cx.now()));
        long.await;
        seen.add(moment(cx.now()));
    });
    check_after_start(
        sim,
        "2.0.0 m#2 <- m#1 wake
         4.0.0 m#3 <- m#1 wake
         10.0.0 m#4 <- m#1 wake",
    );
    log.check("4\n4\n10");
}

#[test]
fn r18_wait_for_now_or_for_the_past_is_the_next_step() {
    let sim = task(|cx| async move {
        cx.yield_now().await;
        cx.sleep(ns(0)).await;
        cx.sleep(ns(-5)).await;
        cx.sleep_until(at(-9)).await;
        cx.sleep_until(Instant::MIN).await;
        assert_eq!(cx.now(), at(0));
    });
    check_after_start(
        sim,
        "0.0.1 m#2 <- m#1 wake
         0.0.2 m#3 <- m#2 wake
         0.0.3 m#4 <- m#3 wake
         0.0.4 m#5 <- m#4 wake
         0.0.5 m#6 <- m#5 wake",
    );
}

#[test]
fn r18_wait_that_is_given_up_leaves_no_record() {
    let sim = task(|cx| async move {
        assert_eq!(select(cx.sleep(ns(9)), cx.sleep(ns(3))).await, Either::Second(()));
        // Both are ready in one step: biased to the first. Both wake-ups are delivered.
        assert_eq!(select(cx.sleep(ns(2)), cx.sleep(ns(2))).await, Either::First(()));
        drop(cx.sleep(ns(50)));
        drop(cx.submit(ns(50), || Sum(1)));
    });
    let outcome = check_after_start(
        sim,
        "3.0.0 m#2 <- m#1 wake
         5.0.0 m#3 <- m#2 wake
         5.0.0 m#4 <- m#2 wake",
    );
    assert_eq!(outcome.last, Some(at(5)));
}

#[test]
fn r18_wait_for_ticks_has_no_drift() {
    // The task is busy for 25 after each tick, the period is 10. Waiting, all ticks come, the missed ones at once; skipping, those that
    // fell due meanwhile are left out.
    let table = |overrun| {
        let log = Log::default();
        let seen = log.clone();
        let sim = task(move |cx| async move {
            let mut ticker = cx.ticker(every(10, 10).until(at(60)), overrun);
            while let Some(due) = ticker.tick().await {
                seen.add(format!("now {}, due {}", moment(cx.now()), moment(due)));
                cx.sleep(ns(25)).await;
            }
            seen.add(format!("over at {}", moment(cx.now())));
        });
        run(sim);
        log.text()
    };
    same(
        &table(Overrun::Wait),
        "now 10, due 10
         now 35, due 20
         now 60, due 30
         now 85, due 40
         now 110, due 50
         now 135, due 60
         over at 160",
    );
    same(
        &table(Overrun::Skip),
        "now 10, due 10
         now 40, due 40
         over at 65",
    );
}

#[test]
fn r18_wait_for_ticks_that_are_not_missed_is_the_same_either_way() {
    for overrun in [Overrun::Wait, Overrun::Skip] {
        let log = Log::default();
        let seen = log.clone();
        let sim = task(move |cx| async move {
            let mut ticker = cx.ticker(every(0, 10).until(at(30)), overrun);
            while let Some(due) = ticker.tick().await {
                seen.add(format!("now {}, due {}", moment(cx.now()), moment(due)));
                cx.sleep(ns(10)).await;
            }
        });
        run(sim);
        // A tick that falls due as the task comes back is not missed.
        log.check("now 0, due 0\nnow 10, due 10\nnow 20, due 20\nnow 30, due 30");
    }
}
