//! R9: what a panic leaves, and what it takes.

use std::hash::{Hash, Hasher};

use stillpoint_engine::{Actor, Context, End, Handler, Message, OnPanic, RunError, Simulation};

use crate::kit::*;

/// `m` gets 1, 2 and 3 in one step, and panics at 2 after it has written to `z`; `z` is written to in that step too.
fn three_notes() -> Simulation {
    let mut sim = world();
    let m = sim.promise("m");
    let z = sim.promise("z");
    sim.place(
        m,
        probe(move |what, ctx| {
            if let In::Note(value) = what {
                ctx.send(z, Note(value + 20));
                assert!(value != 2, "two is too many for {}", ctx.path());
            }
        }),
    );
    sim.place(
        z,
        probe(move |what, ctx| {
            if let In::Note(9) = what {
                ctx.send(z, Note(10));
            }
        }),
    );
    sim.put(
        "a",
        starter(move |ctx| {
            (1..=3).for_each(|value| ctx.send(m, Note(value)));
            ctx.send(z, Note(9));
            ctx.send_after(m, ns(4), Note(4));
        }),
    );
    sim
}

#[test]
fn r09_panic_stops_the_run_at_the_end_of_the_step_and_others_finish_it() {
    let (error, outcome) = check_failing_after_start(
        three_notes(),
        "0.0.1 m#2 <- a#1 note 1
         0.0.1 m#3 <- a#1 note 2
         0.0.1 m dead <- a#1 note 3
         0.0.1 z#2 <- a#1 note 9",
    );
    let expected = RunError::Panic {
        site: site(0, 0, 1),
        actor: "m".to_owned(),
        kind: "note".to_owned(),
        message: "two is too many for m".to_owned(),
    };
    assert_eq!(error, expected);
    assert_eq!((outcome.end, outcome.dead_letters), (End::Failed, 1));
}

#[test]
fn r09_panic_poisons_the_actor_alone_and_what_it_emitted_stands() {
    let outcome = check_after_start(
        three_notes().on_panic(OnPanic::Poison),
        "0.0.1 m#2 <- a#1 note 1
         0.0.1 m#3 <- a#1 note 2
         0.0.1 m dead <- a#1 note 3
         0.0.1 z#2 <- a#1 note 9
         0.0.2 z#3 <- m#2 note 21
         0.0.2 z#4 <- m#3 note 22
         0.0.2 z#5 <- z#2 note 10
         4.0.0 m dead <- a#1 note 4",
    );
    assert_eq!((outcome.end, outcome.dead_letters), (End::Done, 2));
}

#[test]
fn r09_panic_kills_the_rest_of_the_mailbox_of_whatever_class_but_for_cancelled_timers() {
    let log = Log::default();
    let mut sim = world().on_panic(OnPanic::Poison);
    let m = sim.promise("m");
    let (seen, mut timers) = (log.clone(), Vec::new());
    sim.place(
        m,
        probe(move |what, ctx| match what {
            In::Start => {
                timers = (1..=3).map(|value| ctx.notify_at(at(9), Note(value))).collect();
                ctx.submit(ns(9), || Sum(4));
                ctx.submit(ns(9), || panic!("five"));
                let seen = seen.clone();
                ctx.task(move |cx| async move {
                    cx.sleep(ns(9)).await;
                    seen.add("polled");
                });
                // Due in the step after the panic: it ends with the actor.
                ctx.notify_at(at(10), Note(99));
            }
            In::Note(5) => {
                assert!(ctx.cancel(timers[1]));
                panic!("at last");
            }
            _ => {}
        }),
    );
    // In one mailbox with the stream's items, of which the first comes before the panic and the second is its cause.
    sim.feed("s", items(&[(9, 0), (9, 5), (9, 6)]), &[m]);
    let outcome = check_after_start(
        sim,
        "9.0.0 m#2 <- s#0 note 0
         9.0.0 m#3 <- s#1 note 5
         9.0.0 m dead <- s#2 note
         9.0.0 m dead <- m#1 note 1
         9.0.0 m dead <- m#1 note 3
         9.0.0 m dead <- m#1 sum
         9.0.0 m dead <- m#1 job-panic
         9.0.0 m dead <- m#1 wake",
    );
    log.check("");
    assert_eq!((outcome.dead_letters, outcome.last), (6, Some(at(9))));
}

#[test]
fn r09_panic_in_a_start_makes_dead_letters_of_publications() {
    let mut sim = world().on_panic(OnPanic::Poison);
    let p = sim.put(
        "p",
        starter(|ctx| {
            ctx.publish(Word(1));
            ctx.publish(Word(2));
        }),
    );
    let s = sim.promise("s");
    sim.place(
        s,
        probe(|what, _| {
            if let In::Word(1) = what {
                panic!("a word");
            }
        }),
    );
    sim.subscribe_to::<Word, _, _>(s, p);
    sim.put("a", starter(|_| panic!("no start")));
    let outcome = check_after_start(
        sim,
        "0.0.1 s#2 <- p#1 word 1
         0.0.1 s dead <- p#1 word 2",
    );
    assert_eq!(outcome.dead_letters, 1);
}

#[test]
fn r09_panic_drops_the_polls_of_the_step() {
    let log = Log::default();
    let mut sim = world();
    let seen = log.clone();
    let mut inbox = None;
    sim.put(
        "m",
        probe(move |what, ctx| match what {
            In::Start => {
                let queue = ctx.inbox::<u64>();
                inbox = Some(queue);
                let seen = seen.clone();
                ctx.task(move |cx| async move {
                    cx.recv(queue).await;
                    seen.add("received");
                });
                ctx.notify_at(at(5), Note(0));
            }
            In::Note(_) => {
                ctx.push(inbox.expect("an inbox"), 1);
                panic!("after the push");
            }
            _ => {}
        }),
    );
    let (error, _) = check_failing_after_start(sim, "5.0.0 m#2 <- m#1 note 0");
    assert_eq!(error.site(), Some(site(5, 0, 0)));
    log.check("");
}

#[test]
fn r09_panic_in_a_task_names_the_kind_that_woke_it_and_ends_the_other_polls() {
    for by_job in [true, false] {
        let log = Log::default();
        let mut sim = world();
        let seen = log.clone();
        sim.put(
            "m",
            starter(move |ctx| {
                let other = seen.clone();
                ctx.task(move |cx| async move {
                    if by_job {
                        cx.submit(ns(5), || Sum(1)).await.expect("a sum");
                    } else {
                        cx.sleep(ns(5)).await;
                    }
                    seen.add("first");
                    panic!("in a task");
                });
                ctx.task(move |cx| async move {
                    cx.sleep(ns(5)).await;
                    other.add("second");
                });
            }),
        );
        let kind = if by_job { "sum" } else { "wake" };
        let text = if by_job { " 1" } else { "" };
        let (error, _) = check_failing_after_start(sim, &format!("5.0.0 m#2 <- m#1 {kind}{text}\n5.0.0 m#3 <- m#1 wake"));
        let (actor, message) = ("m".to_owned(), "in a task".to_owned());
        assert_eq!(error, RunError::Panic { site: site(5, 0, 0), actor, kind: kind.to_owned(), message });
        log.check("first");
    }
}

#[test]
fn r09_panic_in_the_first_poll_of_a_task_names_what_spawned_it() {
    let mut sim = world();
    let body = starter(|ctx| {
        ctx.task(|_| async { panic!("at once") });
    });
    sim.put("m", body);
    let (error, _) = check_failing_after_start(sim, "");
    let (actor, kind, message) = ("m".to_owned(), "start".to_owned(), "at once".to_owned());
    assert_eq!(error, RunError::Panic { site: site(0, 0, 0), actor, kind, message });
}

#[test]
fn r09_panic_within_a_publication_poisons_the_subscriber_whose_turn_it_is() {
    // In its handler, or in a task that is polled before the next subscriber has its turn.
    for by_task in [true, false] {
        let mut sim = world().on_panic(OnPanic::Poison);
        let a = sim.put("a", silent());
        let p = sim.put(
            "p",
            probe(move |what, ctx| match what {
                In::Start => {
                    ctx.notify_after(ns(5), Word(1));
                    ctx.notify_after(ns(6), Word(2));
                    ctx.send_after(a, ns(9), Note(9));
                }
                In::Word(_) => ctx.publish(Note(2)),
                _ => {}
            }),
        );
        let subscriber = |panics: bool| {
            probe(move |what, ctx| match what {
                In::Note(_) if panics && by_task => _ = ctx.task(|_| async { panic!("in a task") }),
                In::Note(_) => assert!(!panics, "in a handler"),
                _ => {}
            })
        };
        for (name, panics) in [("m", false), ("n", true), ("z", false)] {
            let who = sim.put(name, subscriber(panics));
            sim.subscribe_to::<Note, _, _>(who, p);
        }
        let outcome = check_after_start(
            sim,
            "5.0.0 p#2 <- p#1 word 1
             5.0.1 m#2 <- p#2 note 2
             5.0.1 n#2 <- p#2 note 2
             5.0.1 z#2 <- p#2 note 2
             6.0.0 p#3 <- p#1 word 2
             6.0.1 m#3 <- p#3 note 2
             6.0.1 z#3 <- p#3 note 2
             9.0.0 a#2 <- p#1 note 9",
        );
        assert_eq!((outcome.end, outcome.dead_letters), (End::Done, 0));
    }
}

/// No digest can be made of it.
#[derive(Debug)]
struct Sour;

impl Hash for Sour {
    fn hash<H: Hasher>(&self, _: &mut H) {
        panic!("no digest");
    }
}

impl Message for Sour {
    const KIND: &'static str = "sour";
}

struct Taster;

impl Actor for Taster {}

impl Handler<Sour> for Taster {
    fn handle(&mut self, _: &Sour, _: &mut Context<'_, Self>) {}
}

#[test]
fn r09_panic_in_the_digest_of_a_message_is_that_of_its_receiver() {
    // Alone in its step, alone in its instant, or with others.
    for (after, others) in [(0, 0), (5, 0), (0, 1), (5, 1)] {
        let mut sim = world();
        let m = sim.actor("m", Taster).expect("a free name");
        let z = sim.put("z", silent());
        sim.put(
            "a",
            probe(move |what, ctx| match what {
                In::Start => _ = ctx.notify_after(ns(1), Note(0)),
                _ => {
                    ctx.send_after(m, ns(after), Sour);
                    (0..others).for_each(|value| ctx.send_after(z, ns(after), Note(value)));
                }
            }),
        );
        let site = if after > 0 { site(1 + after, 0, 0) } else { site(1, 0, 1) };
        let step = if after > 0 { "6.0.0" } else { "1.0.1" };
        let heard = if others > 0 { format!("{step} z#2 <- a#2 note 0") } else { String::new() };
        let (error, _) = check_failing_after_start(sim, &format!("1.0.0 a#2 <- a#1 note 0\n{heard}"));
        let (actor, kind, message) = ("m".to_owned(), "sour".to_owned(), "no digest".to_owned());
        assert_eq!(error, RunError::Panic { site, actor, kind, message });
    }
}

#[test]
fn r09_panic_poisons_the_tree_with_the_actor() {
    let mut sim = world().on_panic(OnPanic::Poison);
    sim.put(
        "m",
        probe(move |what, ctx| match what {
            In::Start => {
                let child = ctx.spawn(silent());
                ctx.send_after(child, ns(5), Note(1));
                ctx.send_after(child, ns(6), Note(2));
                ctx.notify_at(at(5), Note(3));
            }
            In::Note(_) => panic!("with all its house"),
            _ => {}
        }),
    );
    check_after_start(
        sim,
        "0.0.1 m/0#1 <- m#1 start
         5.0.0 m#2 <- m#1 note 3
         5.0.0 m/0#2 <- m#1 note 1
         6.0.0 m/0 dead <- m#1 note 2",
    );
}

#[test]
fn r09_panic_makes_a_question_in_the_rest_of_the_mailbox_a_lost_one() {
    let mut sim = world().on_panic(OnPanic::Poison);
    let m = sim.put(
        "m",
        probe(|what, _| {
            if let In::Note(_) = what {
                panic!("before the question");
            }
        }),
    );
    let log = Log::default();
    let seen = log.clone();
    sim.put(
        "a",
        probe(move |what, ctx| match what {
            In::Start => {
                ctx.send(m, Note(1));
                ctx.ask(m, Question(2), None);
            }
            In::Answer(_, result) => seen.add(format!("{result:?}")),
            _ => {}
        }),
    );
    check_after_start(
        sim,
        "0.0.1 m#2 <- a#1 note 1
         0.0.1 m dead <- a#1 question 2
         0.0.2 a#2 <- m#2 gone",
    );
    log.check("Err(Gone)");
}
