//! R17: questions, their answers and their timeouts.

use stillpoint_engine::{Link, Responder, Simulation};

use crate::kit::*;

/// Answers at once with the double.
fn doubler() -> Probe {
    probe(|what, ctx| {
        if let In::Asked(value, responder) = what {
            ctx.reply(responder, Reply(value * 2));
        }
    })
}

/// Keeps what it is asked and answers `after` later.
fn slow(after: i64) -> Probe {
    let mut kept: Vec<(u64, Responder<Reply>)> = Vec::new();
    probe(move |what, ctx| match what {
        In::Asked(value, responder) => {
            kept.push((value, responder));
            ctx.notify_after(ns(after), Note(0));
        }
        In::Note(_) => {
            let (value, responder) = kept.remove(0);
            ctx.reply(responder, Reply(value * 2));
        }
        _ => {}
    })
}

/// Asks `m` at the start, with this timeout, and logs what comes.
fn asking(log: &Log, m: stillpoint_engine::Addr<Probe>, timeout: Option<i64>) -> Probe {
    let seen = log.clone();
    let mut asked = None;
    probe(move |what, ctx| match what {
        In::Start => asked = Some(ctx.ask(m, Question(4), timeout.map(ns))),
        In::Answer(id, result) => {
            assert_eq!(Some(id), asked);
            seen.add(format!("{} {result:?}", moment(ctx.now())));
        }
        _ => {}
    })
}

fn asked(log: &Log, answerer: Probe, timeout: Option<i64>) -> Simulation {
    let mut sim = world();
    let m = sim.put("m", answerer);
    sim.put("a", asking(log, m, timeout));
    sim
}

#[test]
fn r17_answer_comes_two_steps_after_the_question_and_blocks_nothing() {
    let log = Log::default();
    let mut sim = asked(&log, doubler(), None);
    let b = sim.promise("b");
    sim.place(
        b,
        probe(move |what, ctx| match what {
            In::Start => ctx.send(b, Note(0)),
            In::Note(0) => ctx.send(b, Note(1)),
            _ => {}
        }),
    );
    check_after_start(
        sim,
        "0.0.1 b#2 <- b#1 note 0
         0.0.1 m#2 <- a#1 question 4
         0.0.2 a#2 <- m#2 reply 8
         0.0.2 b#3 <- b#2 note 1",
    );
    log.check("0 Ok(8)");
}

#[test]
fn r17_answer_may_come_while_the_asker_goes_on_with_its_mailbox() {
    let log = Log::default();
    let mut sim = world();
    let m = sim.put("m", slow(5));
    let seen = log.clone();
    sim.put(
        "a",
        probe(move |what, ctx| match what {
            In::Start => {
                let ids = [ctx.ask(m, Question(1), None), ctx.ask(m, Question(2), None)];
                assert_ne!(ids[0], ids[1]);
                ctx.notify_at(at(2), Note(7));
            }
            In::Note(value) => seen.add(format!("note {value}")),
            In::Answer(_, result) => seen.add(format!("{result:?}")),
            _ => {}
        }),
    );
    check_after_start(
        sim,
        "0.0.1 m#2 <- a#1 question 1
         0.0.1 m#3 <- a#1 question 2
         2.0.0 a#2 <- a#1 note 7
         5.0.0 m#4 <- m#2 note 0
         5.0.0 m#5 <- m#3 note 0
         5.0.1 a#3 <- m#4 reply 2
         5.0.1 a#4 <- m#5 reply 4",
    );
    log.check("note 7\nOk(2)\nOk(4)");
}

#[test]
fn r17_answer_after_the_timeout_is_a_dead_letter() {
    // The answer is at (5, 0, 1), the timeout at (5, 0, 0).
    let log = Log::default();
    let outcome = check_after_start(
        asked(&log, slow(5), Some(5)),
        "0.0.1 m#2 <- a#1 question 4
         5.0.0 a#2 <- a#1 timeout
         5.0.0 m#3 <- m#2 note 0
         5.0.1 a dead <- m#3 reply 8",
    );
    log.check("5 Err(Timeout)");
    assert_eq!(outcome.dead_letters, 1);
}

#[test]
fn r17_answer_before_the_timeout_cancels_it() {
    let log = Log::default();
    let outcome = check_after_start(
        asked(&log, slow(5), Some(6)),
        "0.0.1 m#2 <- a#1 question 4
         5.0.0 m#3 <- m#2 note 0
         5.0.1 a#2 <- m#3 reply 8",
    );
    log.check("5 Ok(8)");
    assert_eq!((outcome.last, outcome.dead_letters), (Some(at(5)), 0));
}

#[test]
fn r17_answer_in_the_same_step_as_the_timeout_wins() {
    for (timeout, table, answer) in [
        (5, "2.0.0 m#2 <- a#1 question 4\n5.0.0 a#2 <- m#2 reply 8", "5 Ok(8)"),
        (4, "2.0.0 m#2 <- a#1 question 4\n4.0.0 a#2 <- a#1 timeout\n5.0.0 a dead <- m#2 reply 8", "4 Err(Timeout)"),
    ] {
        let log = Log::default();
        let mut sim = asked(&log, doubler(), Some(timeout));
        sim.link("a", "m", Link::latency(ns(2))).expect("a link");
        sim.link("m", "a", Link::latency(ns(3))).expect("a link");
        check_after_start(sim, table);
        log.check(answer);
    }
}

#[test]
fn r17_answer_to_a_question_without_patience_is_a_dead_letter() {
    let log = Log::default();
    check_after_start(
        asked(&log, doubler(), Some(0)),
        "0.0.1 a#2 <- a#1 timeout
         0.0.1 m#2 <- a#1 question 4
         0.0.2 a dead <- m#2 reply 8",
    );
    log.check("0 Err(Timeout)");
}

#[test]
fn r17_answer_to_an_asker_that_has_stopped_is_a_dead_letter() {
    let mut sim = world();
    let m = sim.put("m", slow(5));
    sim.put(
        "a",
        starter(move |ctx| {
            ctx.ask(m, Question(4), Some(ns(100)));
            ctx.stop();
        }),
    );
    // Its timeout ends with it, without record.
    let outcome = check_after_start(
        sim,
        "0.0.1 m#2 <- a#1 question 4
         5.0.0 m#3 <- m#2 note 0
         5.0.1 a dead <- m#3 reply 8",
    );
    assert_eq!((outcome.dead_letters, outcome.last), (1, Some(at(5))));
}

#[test]
fn r17_answer_to_a_question_that_closes_earlier_in_the_mailbox_is_recorded_without_effect() {
    // The task that asks is cancelled by a note of `0`, which comes before the answer of `m` in one mailbox; or one step earlier.
    for (steps, last) in [(2, "0.0.2 a#3 <- m#2 reply 8"), (1, "0.0.2 a dead <- m#2 reply 8")] {
        let log = Log::default();
        let mut sim = world();
        let m = sim.put("m", doubler());
        let a = sim.promise("a");
        let (seen, mut task) = (log.clone(), None);
        sim.place(
            a,
            probe(move |what, ctx| match what {
                In::Start => {
                    let seen = seen.clone();
                    task = Some(ctx.task(move |cx| async move {
                        let answer = cx.ask(m, Question(4), None).await;
                        seen.add(format!("{answer:?}"));
                    }));
                }
                In::Note(_) => assert!(ctx.cancel_task(task.expect("a task"))),
                _ => {}
            }),
        );
        let zero = sim.promise("0");
        sim.place(
            zero,
            probe(move |what, ctx| match what {
                In::Start if steps == 2 => ctx.send(zero, Note(0)),
                _ => ctx.send(a, Note(1)),
            }),
        );
        let before = if steps == 2 {
            "0.0.1 0#2 <- 0#1 note 0
             0.0.1 m#2 <- a#1 question 4
             0.0.2 a#2 <- 0#2 note 1"
        } else {
            "0.0.1 a#2 <- 0#1 note 1
             0.0.1 m#2 <- a#1 question 4"
        };
        check_after_start(sim, &format!("{before}\n{last}"));
        log.check("");
    }
}

#[test]
fn r17_answer_is_given_by_the_actor_that_was_asked() {
    // A responder that is handed over to another actor and used there is a fault of that one.
    let passed = cell::<Responder<Reply>>();
    let taken = passed.clone();
    let mut sim = world();
    let m = sim.put(
        "m",
        probe(move |what, _| {
            if let In::Asked(_, responder) = what {
                *passed.lock() = Some(responder);
            }
        }),
    );
    sim.put("a", starter(move |ctx| _ = ctx.ask(m, Question(1), None)));
    sim.put(
        "z",
        probe(move |what, ctx| match what {
            In::Start => _ = ctx.notify_after(ns(1), Note(0)),
            In::Note(_) => ctx.reply(taken.lock().take().expect("a responder"), Reply(1)),
            _ => {}
        }),
    );
    let (error, _) = check_failing_after_start(sim, "0.0.1 m#2 <- a#1 question 1\n1.0.0 z#2 <- z#1 note 0");
    assert!(error.to_string().contains("`z`") && error.to_string().contains("`m`"), "{error}");
}
