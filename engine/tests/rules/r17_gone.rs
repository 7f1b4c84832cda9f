//! R17: questions that are lost.

use stillpoint_engine::{Link, Responder};

use crate::kit::*;

/// Logs the answers.
fn listening(log: &Log, start: impl FnOnce(&mut Cx<'_>) + Send + 'static) -> Probe {
    let (seen, mut start) = (log.clone(), Some(start));
    let mut asked = Vec::new();
    probe(move |what, ctx| match what {
        In::Start => (start.take().expect("one start"))(ctx),
        In::Answer(id, result) => {
            asked.push(id);
            seen.add(format!("{} {result:?}", moment(ctx.now())));
            assert!(asked.is_sorted(), "answers came out of order");
        }
        _ => {}
    })
}

#[test]
fn r17_gone_when_the_responder_is_dropped_after_the_targets_other_emissions() {
    let log = Log::default();
    let mut sim = world();
    let (a, m) = (sim.promise("a"), sim.promise("m"));
    sim.place(
        m,
        probe(move |what, ctx| match what {
            In::Asked(_, responder) => drop(responder),
            In::Note(_) => ctx.send(a, Word(9)),
            _ => {}
        }),
    );
    sim.place(
        a,
        listening(&log, move |ctx| {
            ctx.ask(m, Question(1), Some(ns(50)));
            ctx.send(m, Note(2));
        }),
    );
    // `gone` comes of the question, the second record of `m`, but its number is drawn at the end of the step.
    let outcome = check_after_start(
        sim,
        "0.0.1 m#2 <- a#1 question 1
         0.0.1 m#3 <- a#1 note 2
         0.0.2 a#2 <- m#3 word 9
         0.0.2 a#3 <- m#2 gone",
    );
    log.check("0 Err(Gone)");
    assert_eq!(outcome.last, Some(at(0)));
}

#[test]
fn r17_gone_when_a_responder_that_was_kept_is_dropped_later() {
    let log = Log::default();
    let mut sim = world();
    let mut kept: Vec<Responder<Reply>> = Vec::new();
    let m = sim.put(
        "m",
        probe(move |what, ctx| match what {
            In::Asked(_, responder) => {
                kept.push(responder);
                if kept.len() == 1 {
                    ctx.notify_at(at(5), Note(0));
                }
            }
            // Dropped in the reverse order: the answers come in the order of the questions.
            In::Note(_) => while kept.pop().is_some() {},
            _ => {}
        }),
    );
    sim.put("a", listening(&log, move |ctx| (1..=3).for_each(|value| _ = ctx.ask(m, Question(value), None))));
    check_after_start(
        sim,
        "0.0.1 m#2 <- a#1 question 1
         0.0.1 m#3 <- a#1 question 2
         0.0.1 m#4 <- a#1 question 3
         5.0.0 m#5 <- m#2 note 0
         5.0.1 a#2 <- m#2 gone
         5.0.1 a#3 <- m#3 gone
         5.0.1 a#4 <- m#4 gone",
    );
    log.check("5 Err(Gone)\n5 Err(Gone)\n5 Err(Gone)");
}

#[test]
fn r17_gone_when_the_target_has_stopped_or_was_never_born() {
    let log = Log::default();
    let mut sim = world();
    let m = sim.put("m", starter(|ctx| ctx.stop()));
    let unborn = cell();
    let parent = unborn.clone();
    sim.put(
        "p",
        starter(move |ctx| {
            *parent.lock() = Some(ctx.spawn(silent()));
            ctx.stop();
        }),
    );
    sim.put(
        "z",
        listening(&log, move |ctx| {
            ctx.ask(m, Question(1), None);
            ctx.ask(unborn.lock().expect("an address"), Question(2), None);
        }),
    );
    // The sender's count is the target's: one record of the one, none of the other.
    let outcome = check_after_start(
        sim,
        "0.0.1 m dead <- z#1 question 1
         0.0.1 p/0 dead <- z#1 question 2
         0.0.2 z#2 <- m#1 gone
         0.0.2 z#3 <- p/0#0 gone",
    );
    log.check("0 Err(Gone)\n0 Err(Gone)");
    assert_eq!(outcome.dead_letters, 2);
}

#[test]
fn r17_gone_when_the_target_stops_with_the_question_unanswered() {
    // It stops in the step that brings the question, or later, with the responder in its state.
    for later in [false, true] {
        let log = Log::default();
        let mut sim = world();
        let mut kept: Vec<Responder<Reply>> = Vec::new();
        let m = sim.put(
            "m",
            probe(move |what, ctx| match what {
                In::Asked(_, responder) => {
                    kept.push(responder);
                    if later {
                        ctx.notify_at(at(5), Note(0));
                    } else {
                        ctx.stop();
                    }
                }
                In::Note(_) => ctx.stop(),
                _ => {}
            }),
        );
        sim.put("a", listening(&log, move |ctx| _ = ctx.ask(m, Question(1), None)));
        let table = if later {
            "0.0.1 m#2 <- a#1 question 1\n5.0.0 m#3 <- m#2 note 0\n5.0.1 a#2 <- m#2 gone"
        } else {
            "0.0.1 m#2 <- a#1 question 1\n0.0.2 a#2 <- m#2 gone"
        };
        check_after_start(sim, table);
        log.check(if later { "5 Err(Gone)" } else { "0 Err(Gone)" });
    }
}

#[test]
fn r17_gone_of_several_targets_are_in_their_order() {
    let log = Log::default();
    let mut sim = world();
    let refusing = || {
        probe(|what, _| {
            if let In::Asked(_, responder) = what {
                drop(responder);
            }
        })
    };
    let (n, m) = (sim.put("n", refusing()), sim.put("m", refusing()));
    let k = sim.put_ranked("k", 5, refusing());
    let seen = log.clone();
    let mut ids = Vec::new();
    sim.put(
        "a",
        probe(move |what, ctx| match what {
            In::Start => ids = [k, n, m].map(|target| ctx.ask(target, Question(0), None)).to_vec(),
            In::Answer(id, _) => seen.add(ids.iter().position(|asked| *asked == id).expect("an id of mine").to_string()),
            _ => {}
        }),
    );
    check_after_start(
        sim,
        "0.0.1 m#2 <- a#1 question 0
         0.0.1 n#2 <- a#1 question 0
         0.0.1 k#2 <- a#1 question 0
         0.0.2 a#2 <- m#2 gone
         0.0.2 a#3 <- n#2 gone
         0.0.2 a#4 <- k#2 gone",
    );
    log.check("2\n1\n0");
}

#[test]
fn r17_gone_travels_like_an_answer() {
    let log = Log::default();
    let mut sim = world();
    let m = sim.put("m", starter(|ctx| ctx.stop()));
    sim.put("a", listening(&log, move |ctx| _ = ctx.ask(m, Question(1), Some(ns(9)))));
    sim.link("a", "m", Link::latency(ns(2))).expect("a link");
    sim.link("m", "a", Link::latency(ns(3))).expect("a link");
    check_after_start(sim, "2.0.0 m dead <- a#1 question 1\n5.0.0 a#2 <- m#1 gone");
    log.check("5 Err(Gone)");
}

#[test]
fn r17_gone_after_the_timeout_is_a_dead_letter() {
    let log = Log::default();
    let mut sim = world();
    let m = sim.put("m", starter(|ctx| ctx.stop()));
    sim.put("a", listening(&log, move |ctx| _ = ctx.ask(m, Question(1), Some(ns(0)))));
    check_after_start(
        sim,
        "0.0.1 a#2 <- a#1 timeout
         0.0.1 m dead <- a#1 question 1
         0.0.2 a dead <- m#1 gone",
    );
    log.check("0 Err(Timeout)");
}
