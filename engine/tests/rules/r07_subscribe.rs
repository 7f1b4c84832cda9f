//! R7: subscriptions to actors.

use stillpoint_engine::Addr;

use crate::kit::*;

/// Publishes at each of its notes what they say.
fn publisher() -> Probe {
    probe(|what, ctx| {
        if let In::Note(value) = what {
            ctx.publish(Word(value));
        }
    })
}

/// Sends `p` a note in each of the steps 1 to `steps` of instant 0, saying the step in which it arrives.
fn metronome(sim: &mut stillpoint_engine::Simulation, p: Addr<Probe>, steps: u64) {
    let metronome = sim.promise("metronome");
    let mut step = 0;
    sim.place(
        metronome,
        probe(move |_, ctx| {
            step += 1;
            ctx.send(p, Note(step));
            if step < steps {
                ctx.send(ctx.address(), Note(0));
            }
        }),
    );
}

/// Compares what `who` gets.
#[track_caller]
fn check_of(sim: stillpoint_engine::Simulation, who: &str, expected: &str) {
    let (records, outcome) = traced(sim);
    outcome.expect("a run");
    let own: Vec<_> = records.into_iter().filter(|record| record.receiver.to_string() == who).collect();
    same(&table(&own), expected);
}

#[test]
fn r07_subscribe_is_in_force_from_the_end_of_the_step_that_delivers_it() {
    let mut sim = world();
    let p = sim.put("p", publisher());
    metronome(&mut sim, p, 4);
    // Called in step 0, delivered in step 1: what is published in step 1 does not come, what is in step 2 comes in step 3.
    sim.put("s", starter(move |ctx| ctx.subscribe::<Word, _>(p)));
    let (records, outcome) = traced(sim);
    outcome.expect("a run");
    let of_both: Vec<_> = records.into_iter().filter(|record| ["p", "s"].contains(&record.receiver.to_string().as_str())).collect();
    same(
        &table(&of_both),
        "0.0.0 p#1 <- time-keeper#0 start
         0.0.0 s#1 <- time-keeper#0 start
         0.0.1 p#2 <- metronome#1 note 1
         0.0.1 p#3 <- s#1 subscribe
         0.0.2 p#4 <- metronome#2 note 2
         0.0.3 p#5 <- metronome#3 note 3
         0.0.3 s#2 <- p#4 word 2
         0.0.4 p#6 <- metronome#4 note 4
         0.0.4 s#3 <- p#5 word 3
         0.0.5 s#4 <- p#6 word 4",
    );
}

#[test]
fn r07_subscribe_twice_is_like_once_and_types_are_apart() {
    let mut sim = world();
    let p = sim.put(
        "p",
        starter(|ctx| {
            ctx.publish(Note(1));
            ctx.publish(Word(2));
        }),
    );
    let s = sim.put("s", silent());
    let t = sim.put("t", silent());
    sim.subscribe_to::<Note, _, _>(s, p);
    sim.subscribe_to::<Note, _, _>(s, p);
    sim.subscribe_to::<Word, _, _>(t, p);
    check_after_start(sim, "0.0.1 s#2 <- p#1 note 1\n0.0.1 t#2 <- p#1 word 2");
}

#[test]
fn r07_subscribe_during_the_run_is_idempotent_too() {
    let mut sim = world();
    let p = sim.put("p", publisher());
    metronome(&mut sim, p, 2);
    sim.put(
        "s",
        starter(move |ctx| {
            ctx.subscribe::<Word, _>(p);
            ctx.subscribe::<Word, _>(p);
        }),
    );
    check_of(sim, "s", "0.0.0 s#1 <- time-keeper#0 start\n0.0.3 s#2 <- p#5 word 2");
}

#[test]
fn r07_subscribe_fixes_the_receivers_at_the_publish_call() {
    // `s` subscribed while the run was built and gets what is published at the start; `t` subscribes in the step of the publication.
    let mut sim = world();
    let p = sim.put("p", starter(|ctx| ctx.publish(Word(1))));
    let s = sim.put("s", silent());
    sim.put("t", starter(move |ctx| ctx.subscribe::<Word, _>(p)));
    sim.subscribe_to::<Word, _, _>(s, p);
    check_after_start(sim, "0.0.1 p#2 <- t#1 subscribe\n0.0.1 s#2 <- p#1 word 1");
}

#[test]
fn r07_subscribe_and_unsubscribe_calls_of_one_step_the_later_wins() {
    for (last_is_subscribe, words) in [(false, ""), (true, "0.0.3 s#2 <- p#5 word 2")] {
        let mut sim = world();
        let p = sim.put("p", publisher());
        metronome(&mut sim, p, 2);
        sim.put(
            "s",
            starter(move |ctx| {
                ctx.subscribe::<Word, _>(p);
                ctx.unsubscribe::<Word, _>(p);
                if last_is_subscribe {
                    ctx.subscribe::<Word, _>(p);
                }
            }),
        );
        check_of(sim, "s", &format!("0.0.0 s#1 <- time-keeper#0 start\n{words}"));
    }
}

#[test]
fn r07_unsubscribe_in_an_earlier_step_drops_a_publication_that_is_on_its_way() {
    // Published in step 1, for step 2. `s` unsubscribes in the step given.
    for (step, words) in [(0, ""), (1, ""), (2, "0.0.2 s#3 <- p#2 word 1"), (3, "0.0.2 s#3 <- p#2 word 1\n0.0.3 s#5 <- p#3 word 2")] {
        let mut sim = world();
        let p = sim.put("p", publisher());
        metronome(&mut sim, p, 3);
        let s = sim.promise("s");
        let mut now = 0;
        sim.place(
            s,
            probe(move |what, ctx| {
                if let In::Word(_) = what {
                    return;
                }
                if now == step {
                    ctx.unsubscribe::<Word, _>(p);
                }
                now += 1;
                if now <= 4 {
                    ctx.notify_soon(Note(now));
                }
            }),
        );
        sim.subscribe_to::<Word, _, _>(s, p);
        let (records, outcome) = traced(sim);
        outcome.expect("a run");
        let found: Vec<_> = records.into_iter().filter(|record| &*record.kind == "word").collect();
        same(&table(&found), words);
    }
}

#[test]
fn r07_unsubscribe_in_the_same_mailbox_does_not_take_a_publication_away() {
    // `s` has the note of `a` before the word of `p` in one mailbox: that is not an earlier step.
    let mut sim = world();
    let p = sim.put("p", starter(|ctx| ctx.publish(Word(1))));
    let s = sim.promise("s");
    sim.place(
        s,
        probe(move |what, ctx| {
            if let In::Note(_) = what {
                ctx.unsubscribe::<Word, _>(p);
            }
        }),
    );
    sim.put("a", starter(move |ctx| ctx.send(s, Note(0))));
    sim.subscribe_to::<Word, _, _>(s, p);
    check_after_start(sim, "0.0.1 s#2 <- a#1 note 0\n0.0.1 s#3 <- p#1 word 1");
}

#[test]
fn r07_unsubscribe_and_subscribe_again_lets_in_what_was_on_its_way() {
    let mut sim = world();
    let p = sim.put("p", publisher());
    metronome(&mut sim, p, 4);
    let s = sim.promise("s");
    sim.place(
        s,
        starter(move |ctx| {
            ctx.unsubscribe::<Word, _>(p);
            ctx.subscribe::<Word, _>(p);
        }),
    );
    sim.subscribe_to::<Word, _, _>(s, p);
    // Taken off the list at the end of step 0, on it again at the end of step 1: only what was published in step 1 is missing.
    check_of(
        sim,
        "s",
        "0.0.0 s#1 <- time-keeper#0 start
         0.0.3 s#2 <- p#4 word 2
         0.0.4 s#3 <- p#5 word 3
         0.0.5 s#4 <- p#6 word 4",
    );
}

#[test]
fn r07_publications_to_one_who_has_stopped_leave_no_record() {
    let mut sim = world();
    let p = sim.put(
        "p",
        probe(|what, ctx| match what {
            In::Start => {
                ctx.publish(Word(1));
                ctx.notify_soon(Note(0));
            }
            In::Note(_) => ctx.publish(Word(2)),
            _ => {}
        }),
    );
    let s = sim.put("s", starter(|ctx| ctx.stop()));
    let t = sim.put("t", silent());
    sim.subscribe_to::<Word, _, _>(s, p);
    sim.subscribe_to::<Word, _, _>(t, p);
    let outcome = check_after_start(
        sim,
        "0.0.1 p#2 <- p#1 note 0
         0.0.1 t#2 <- p#1 word 1
         0.0.2 t#3 <- p#2 word 2",
    );
    assert_eq!(outcome.dead_letters, 0);
}

#[test]
fn r07_subscribe_to_one_who_has_stopped_is_a_dead_letter() {
    let mut sim = world();
    let p = sim.put("p", starter(|ctx| ctx.stop()));
    sim.put("s", starter(move |ctx| ctx.subscribe::<Word, _>(p)));
    let outcome = check_after_start(sim, "0.0.1 p dead <- s#1 subscribe");
    assert_eq!(outcome.dead_letters, 1);
}

#[test]
fn r07_subscribe_to_oneself() {
    let mut sim = world();
    let p = sim.promise("p");
    sim.place(p, starter(|ctx| ctx.publish(Word(1))));
    sim.subscribe_to::<Word, _, _>(p, p);
    check_after_start(sim, "0.0.1 p#2 <- p#1 word 1");
}
