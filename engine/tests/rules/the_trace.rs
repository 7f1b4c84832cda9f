//! The trace: kinds, digests and counts of every sort of delivery, chains, and what can change nothing.

use std::io;

use stillpoint_engine::trace::{Collect, Observer, TraceHash, TraceRecord};
use stillpoint_engine::{Control, NextInstant, OnPanic, Outcome, Path, Rank, RunError, Simulation, digest_of};

use crate::kit::*;

/// Kind and digest of all records of `who`, in order.
fn digests(sim: Simulation, who: &str) -> Vec<(String, u64)> {
    let (records, outcome) = traced(sim);
    outcome.expect("a run");
    records.iter().filter(|record| record.receiver.to_string() == who).map(|record| (record.kind.to_string(), record.digest)).collect()
}

#[test]
fn the_trace_names_kinds_and_digests_of_the_engines_own_deliveries() {
    let unit = digest_of(&());
    let mut sim = world();
    let m = sim.promise("m");
    let s = sim.feed("s", items(&[(1, 3)]), &[m]);
    sim.place(
        m,
        probe(move |what, ctx| match what {
            In::Start => {
                ctx.send(m, Note(7));
                ctx.subscribe::<Word, _>(m);
                ctx.ask(m, Question(8), Some(ns(0)));
                ctx.ask(m, Question(9), None);
                ctx.task(|cx| async move { cx.yield_now().await });
                ctx.submit(ns(0), || Sum(5));
                ctx.submit(ns(0), || panic!("no sum"));
                let keeper = ctx.time_keeper();
                ctx.ask(keeper, NextInstant, None);
                for what in [Control::Pause, Control::Resume] {
                    ctx.control(s, what);
                }
                ctx.send_after(m, ns(2), Note(70));
            }
            // 9 is answered, 8 is not.
            In::Asked(9, responder) => ctx.reply(responder, Reply(90)),
            In::Note(70) => {
                ctx.stop_actor(m);
                ctx.control(s, Control::End);
                ctx.stop_run();
            }
            _ => {}
        }),
    );
    let kinds = |list: &[(&str, u64)]| list.iter().map(|(kind, digest)| ((*kind).to_owned(), *digest)).collect::<Vec<_>>();
    let (records, outcome) = traced(sim);
    outcome.expect("a run");
    let of = |who: &str| {
        let own = records.iter().filter(|record| record.receiver.to_string() == who);
        own.map(|record| (record.kind.to_string(), record.digest)).collect::<Vec<_>>()
    };
    let next = Some(at(1));
    assert_eq!(
        of("m"),
        kinds(&[
            ("start", unit),
            ("note", digest_of(&Note(7))),
            ("subscribe", digest_of("word")),
            ("question", digest_of(&Question(8))),
            ("question", digest_of(&Question(9))),
            ("timeout", unit),
            ("sum", digest_of(&Sum(5))),
            ("job-panic", digest_of("no sum")),
            ("wake", unit),
            ("reply", digest_of(&Reply(90))),
            ("next-instant-is", digest_of(&next)),
            // Nobody answered 8, whose timeout had closed it: a dead letter, after the records of the step.
            ("gone", unit),
            ("note", digest_of(&Note(3))),
            ("note", digest_of(&Note(70))),
            ("stop", unit),
        ])
    );
    assert_eq!(of("s"), kinds(&[("pause", unit), ("resume", unit), ("end", unit)]));
    assert_eq!(of("time-keeper@m"), kinds(&[("next-instant", unit), ("stop-run", unit)]));
}

#[test]
fn the_trace_has_the_digest_that_a_dead_letter_would_have_had() {
    let mut sim = world().on_panic(OnPanic::Poison);
    let m = sim.put(
        "m",
        probe(|what, ctx| match what {
            In::Start => {
                ctx.notify_at(at(5), Note(1));
                ctx.notify_at(at(5), Note(2));
                ctx.submit(ns(5), || Sum(3));
                ctx.submit(ns(5), || panic!("no sum"));
            }
            In::Note(1) => panic!("the rest is dead"),
            _ => {}
        }),
    );
    sim.put(
        "a",
        starter(move |ctx| {
            ctx.send_after(m, ns(6), Word(4));
            ctx.send_after(m, ns(7), Note(5));
        }),
    );
    let expected = [("start", digest_of(&())), ("note", digest_of(&Note(1)))];
    let dead = [
        ("note", digest_of(&Note(2))),
        ("sum", digest_of(&Sum(3))),
        ("job-panic", digest_of("no sum")),
        ("word", digest_of(&Word(4))),
        ("note", digest_of(&Note(5))),
    ];
    let all: Vec<(String, u64)> = expected.iter().chain(&dead).map(|(kind, digest)| ((*kind).to_owned(), *digest)).collect();
    assert_eq!(digests(sim, "m"), all);
}

/// `a` and `b` talk, `c` tells itself `value` at 1; one more actor by wish, which nobody knows.
fn talk(value: u64, one_more: bool) -> Simulation {
    let mut sim = world();
    let (a, b) = (sim.promise("a"), sim.promise("b"));
    sim.place(
        a,
        probe(move |what, ctx| match what {
            In::Start => ctx.send(b, Note(3)),
            In::Note(value @ 1..) => ctx.send_after(b, ns(1), Note(value - 1)),
            _ => {}
        }),
    );
    sim.place(
        b,
        probe(move |what, ctx| {
            if let In::Note(value @ 1..) = what {
                ctx.send(a, Note(value - 1));
            }
        }),
    );
    sim.put("c", starter(move |ctx| _ = ctx.notify_at(at(1), Note(value))));
    if one_more {
        let body = starter(|ctx| {
            (0..3).for_each(|due| _ = ctx.notify_at(at(due), Note(0)));
            ctx.submit(ns(0), || Sum(0));
            ctx.spawn(starter(|ctx| _ = ctx.rng().bits()));
        });
        sim.actor_ranked("b0", Rank(-7), body).expect("a free name");
    }
    sim
}

fn chains(outcome: &Outcome) -> Vec<(String, u64, u64)> {
    outcome.chains.iter().map(|(path, chain, count)| (path.to_string(), *chain, *count)).collect()
}

#[test]
fn the_trace_of_others_is_the_same_with_an_unrelated_actor_added() {
    let (plain, more) = (run(talk(0, false)), run(talk(0, true)));
    let others: Vec<_> = chains(&more).into_iter().filter(|(path, ..)| !path.starts_with("b0")).collect();
    assert_eq!(others, chains(&plain));
    assert_ne!(more.trace_hash, plain.trace_hash);
    // Beside its start, `a` gets 2 and 0, `b` gets 3 and 1.
    let counts: Vec<_> = chains(&plain).into_iter().map(|(path, _, count)| (path, count)).collect();
    assert_eq!(counts, [("a".to_owned(), 3), ("b".to_owned(), 3), ("c".to_owned(), 2)]);
}

#[test]
fn the_trace_differs_where_one_value_differs() {
    let (plain, other) = (run(talk(0, false)), run(talk(1, false)));
    assert_ne!(plain.trace_hash, other.trace_hash);
    let differ: Vec<_> = chains(&plain).into_iter().zip(chains(&other)).filter(|(a, b)| a != b).map(|(a, _)| a.0).collect();
    assert_eq!(differ, ["c"]);
}

#[test]
fn the_trace_hash_knows_of_dead_letters() {
    let sent = |value: u64| {
        let mut sim = world();
        let m = sim.put("m", starter(|ctx| ctx.stop()));
        sim.put("a", starter(move |ctx| ctx.send(m, Note(value))));
        run(sim)
    };
    let (one, two) = (sent(1), sent(2));
    assert_eq!(chains(&one), chains(&two));
    assert_ne!(one.trace_hash, two.trace_hash);
}

#[test]
fn the_trace_has_one_that_was_never_born_at_rank_0() {
    // By its parent's rank the child would stand before `m`; its dead letter stands after the note to `m`, in the order of their paths.
    let mut sim = world();
    let m = sim.put("m", silent());
    sim.put_ranked(
        "n",
        -1,
        starter(move |ctx| {
            let child = ctx.spawn(silent());
            ctx.send(child, Note(1));
            ctx.send(m, Note(2));
            ctx.stop();
        }),
    );
    let trace = Collect::new("run");
    run(sim.observe(Box::new(trace.clone())));
    same(
        &table(&trace.records()),
        "0.0.0 n#1 <- time-keeper#0 start
         0.0.0 m#1 <- time-keeper#0 start
         0.0.1 m#2 <- n#1 note 2
         0.0.1 n/0 dead <- n#1 note 1",
    );
    let ranks: Vec<_> = trace.names().into_iter().map(|(path, rank)| (path.to_string(), rank.0)).collect();
    assert_eq!(ranks, [("time-keeper", 0), ("n", -1), ("m", 0), ("n/0", 0)].map(|(path, rank)| (path.to_owned(), rank)));
}

/// Keeps three records, and then has no room.
struct Full(u32);

impl Observer for Full {
    fn name(&mut self, _: u32, _: &Path, _: Rank) {}

    fn record(&mut self, _: &TraceRecord<'_>) -> io::Result<()> {
        self.0 += 1;
        if self.0 > 3 { Err(io::Error::other("no room")) } else { Ok(()) }
    }

    fn end(&mut self, _: TraceHash) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_trace_that_cannot_be_kept_ends_the_run_where_it_could_not() {
    let timers = |mut sim: Simulation| {
        let rearms = |ctx: &mut Cx<'_>| _ = ctx.notify_after(ns(1), Note(0));
        sim.put("m", probe(move |_, ctx| rearms(ctx)));
        sim
    };
    let stream = |mut sim: Simulation| {
        let m = sim.put("m", silent());
        sim.feed("s", items(&(1..30).map(|time| (time, 0)).collect::<Vec<_>>()), &[m]);
        sim
    };
    for sim in [timers(world().until(at(30))), stream(world())] {
        let failed = sim.observe(Box::new(Full(0))).run().expect_err("no room");
        assert!(matches!(failed.error, RunError::Observer(_)), "{}", failed.error);
        // The start, then 1, 2 and 3, of which the last one is not kept.
        assert_eq!((failed.outcome.deliveries, failed.outcome.last), (4, Some(at(3))));
    }
}
