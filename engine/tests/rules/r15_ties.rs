//! R15: ties inside one stream.

use stillpoint_engine::{Addr, Late, LateCounts, OnPanic, RunError, Simulation};

use crate::kit::*;

#[test]
fn r15_ties_are_delivered_together() {
    let mut sim = world();
    let m = sim.promise("m");
    sim.place(
        m,
        probe(move |what, ctx| {
            if let In::Note(value @ 1..10) = what {
                ctx.send(m, Note(value * 10));
            }
        }),
    );
    sim.feed("s", items(&[(5, 1), (5, 2), (5, 3)]), &[m]);
    check_after_start(
        sim,
        "5.0.0 m#2 <- s#0 note 1
         5.0.0 m#3 <- s#1 note 2
         5.0.0 m#4 <- s#2 note 3
         5.0.1 m#5 <- m#2 note 10
         5.0.1 m#6 <- m#3 note 20
         5.0.1 m#7 <- m#4 note 30",
    );
}

#[test]
fn r15_ties_one_by_one_take_a_round_each_whatever_others_do() {
    let mut sim = world();
    let m = sim.promise("m");
    sim.place(
        m,
        probe(move |what, ctx| match what {
            In::Start => _ = ctx.notify_at(at(5), Note(90)),
            In::Note(value @ 1..10) => ctx.send(m, Note(value + 100)),
            // A call for now in a later round: its next step.
            In::Note(102) => _ = ctx.notify_at(at(5), Note(91)),
            _ => {}
        }),
    );
    let n = sim.put("n", silent());
    sim.feed("x", items(&[(5, 1), (5, 2), (5, 3), (6, 4)]).one_by_one(), &[m]);
    sim.feed("y", items(&[(5, 40), (5, 41)]).one_by_one(), &[m, n]);
    sim.feed("z", items(&[(5, 50), (5, 51)]), &[m]);
    let outcome = check_after_start(
        sim,
        "5.0.0 m#2 <- x#0 note 1
         5.0.0 m#3 <- y#0 note 40
         5.0.0 m#4 <- z#0 note 50
         5.0.0 m#5 <- z#1 note 51
         5.0.0 m#6 <- m#1 note 90
         5.0.0 n#2 <- y#0 note 40
         5.0.1 m#7 <- m#2 note 101
         5.1.0 m#8 <- x#1 note 2
         5.1.0 m#9 <- y#1 note 41
         5.1.0 n#3 <- y#1 note 41
         5.1.1 m#10 <- m#8 note 102
         5.1.2 m#11 <- m#10 note 91
         5.2.0 m#12 <- x#2 note 3
         5.2.1 m#13 <- m#12 note 103
         6.0.0 m#14 <- x#3 note 4
         6.0.1 m#15 <- m#14 note 104",
    );
    assert_eq!((outcome.instants, outcome.steps), (3, 10));
}

#[test]
fn r15_ties_one_by_one_count_delivered_items() {
    let late = || items(&[(5, 1), (4, 2), (5, 3)]).one_by_one();
    let mut sim = world();
    let m = sim.put("m", silent());
    sim.feed("s", late().late(Late::DeliverFlagged), &[m]);
    check_after_start(
        sim,
        "5.0.0 m#2 <- s#0 note 1
         5.1.0 m#3 <- s#1 note 2
         5.2.0 m#4 <- s#2 note 3",
    );

    let mut sim = world();
    let m = sim.put("m", silent());
    sim.feed("s", late().late(Late::DropAndCount), &[m]);
    check_after_start(
        sim,
        "5.0.0 m#2 <- s#0 note 1
         5.1.0 m#3 <- s#2 note 3",
    );

    // The error takes the round that the item would have had as flagged; that round is run, and is the end.
    let mut sim = world();
    let m = sim.put("m", silent());
    sim.feed("s", late(), &[m]);
    sim.feed("t", items(&[(5, 10), (5, 11), (5, 12)]).one_by_one(), &[m]);
    let (error, outcome) = check_failing_after_start(
        sim,
        "5.0.0 m#2 <- s#0 note 1
         5.0.0 m#3 <- t#0 note 10
         5.1.0 m#4 <- t#1 note 11",
    );
    assert_eq!(error, RunError::Late { site: site(5, 1, 0), stream: "s".to_owned(), index: 1, event_time: at(4), lag: ns(1) });
    assert_eq!(outcome.streams.into_values().next(), Some(LateCounts { errors: 1, ..LateCounts::default() }));
}

#[test]
fn r15_ties_one_by_one_of_a_reordered_stream_are_those_of_the_released_instant() {
    // Released at 7: the items of 5, in source order.
    let mut sim = world();
    let m = sim.put("m", silent());
    sim.feed("s", items(&[(5, 0), (6, 1), (5, 2), (5, 3)]).reorder(ns(2)).one_by_one(), &[m]);
    check_after_start(
        sim,
        "7.0.0 m#2 <- s#0 note 0
         7.1.0 m#3 <- s#2 note 2
         7.2.0 m#4 <- s#3 note 3
         8.0.0 m#5 <- s#1 note 1",
    );
}

#[test]
fn r15_ties_one_by_one_without_a_receiver_take_their_round() {
    // `m` stops in round 0; `n`'s own stream is in its rounds all the same, and nothing is delivered of the other one.
    let mut sim = world();
    let m = sim.put(
        "m",
        probe(|what, ctx| {
            if let In::Note(_) = what {
                ctx.stop();
            }
        }),
    );
    let n = sim.put("n", silent());
    sim.feed("s", items(&[(5, 1), (5, 2), (5, 3)]).one_by_one(), &[m]);
    sim.feed("t", items(&[(5, 4), (5, 5)]).one_by_one(), &[n]);
    let outcome = check_after_start(
        sim,
        "5.0.0 m#2 <- s#0 note 1
         5.0.0 n#2 <- t#0 note 4
         5.1.0 n#3 <- t#1 note 5",
    );
    assert_eq!((outcome.events, outcome.dead_letters), (3, 0));
}

/// What `s` tells `k`, `m` and `n`: an instant of three items, and one of a single item behind it, so that nothing but this stream happens in either.
fn three_together(on_note: impl FnMut(u64, &mut Cx<'_>, Addr<Probe>) + Send + 'static) -> Simulation {
    let mut sim = world();
    let k = sim.put("k", silent());
    let m = sim.promise("m");
    let n = sim.put("n", silent());
    let mut on_note = on_note;
    sim.place(
        m,
        probe(move |what, ctx| {
            if let In::Note(value) = what {
                on_note(value, ctx, n);
            }
        }),
    );
    sim.feed("s", items(&[(5, 1), (5, 2), (5, 3), (9, 4)]), &[k, m, n]);
    sim
}

#[test]
fn r15_ties_of_a_stream_that_is_alone_fill_one_mailbox_after_the_other() {
    let outcome = check_after_start(
        three_together(|value, ctx, n| {
            if value > 1 {
                ctx.send(n, Note(10 * value));
            }
        }),
        "5.0.0 k#2 <- s#0 note 1
         5.0.0 k#3 <- s#1 note 2
         5.0.0 k#4 <- s#2 note 3
         5.0.0 m#2 <- s#0 note 1
         5.0.0 m#3 <- s#1 note 2
         5.0.0 m#4 <- s#2 note 3
         5.0.0 n#2 <- s#0 note 1
         5.0.0 n#3 <- s#1 note 2
         5.0.0 n#4 <- s#2 note 3
         5.0.1 n#5 <- m#3 note 20
         5.0.1 n#6 <- m#4 note 30
         9.0.0 k#5 <- s#3 note 4
         9.0.0 m#5 <- s#3 note 4
         9.0.0 n#7 <- s#3 note 4
         9.0.1 n#8 <- m#5 note 40",
    );
    assert_eq!((outcome.events, outcome.instants, outcome.steps), (4, 3, 5));
}

#[test]
fn r15_ties_behind_a_panic_are_dead_letters_and_others_get_theirs() {
    let outcome = check_after_start(
        three_together(|value, _, _| assert!(value != 2, "two is too many")).on_panic(OnPanic::Poison),
        "5.0.0 k#2 <- s#0 note 1
         5.0.0 k#3 <- s#1 note 2
         5.0.0 k#4 <- s#2 note 3
         5.0.0 m#2 <- s#0 note 1
         5.0.0 m#3 <- s#1 note 2
         5.0.0 m dead <- s#2 note
         5.0.0 n#2 <- s#0 note 1
         5.0.0 n#3 <- s#1 note 2
         5.0.0 n#4 <- s#2 note 3
         9.0.0 k#5 <- s#3 note 4
         9.0.0 n#5 <- s#3 note 4",
    );
    assert_eq!((outcome.events, outcome.instants, outcome.dead_letters), (4, 3, 1));
}

#[test]
fn r15_ties_come_before_the_polls_of_the_tasks_that_they_begin() {
    check_after_start(
        three_together(|value, ctx, n| match value {
            1 => _ = ctx.task(move |cx| async move { cx.send(n, Note(10)) }),
            3 => ctx.send(n, Note(30)),
            _ => {}
        }),
        "5.0.0 k#2 <- s#0 note 1
         5.0.0 k#3 <- s#1 note 2
         5.0.0 k#4 <- s#2 note 3
         5.0.0 m#2 <- s#0 note 1
         5.0.0 m#3 <- s#1 note 2
         5.0.0 m#4 <- s#2 note 3
         5.0.0 n#2 <- s#0 note 1
         5.0.0 n#3 <- s#1 note 2
         5.0.0 n#4 <- s#2 note 3
         5.0.1 n#5 <- m#4 note 30
         5.0.1 n#6 <- m#2 note 10
         9.0.0 k#5 <- s#3 note 4
         9.0.0 m#5 <- s#3 note 4
         9.0.0 n#7 <- s#3 note 4",
    );
}

#[test]
fn r15_ties_may_be_more_than_are_read_at_once() {
    let mut sim = world();
    let (log, mut sum) = (Log::default(), 0);
    let seen = log.clone();
    let m = sim.put(
        "m",
        probe(move |what, ctx| {
            if let In::Note(value) = what {
                sum += value;
                if value % 100 == 0 {
                    seen.add(format!("{sum} by {}", ctx.now().as_nanos()));
                }
            }
        }),
    );
    let all: Vec<(i64, u64)> = (1..=300).map(|value| (if value <= 200 { 5 } else { 6 + value as i64 / 300 }, value)).collect();
    sim.feed("s", items(&all), &[m]);
    let outcome = run(sim);
    // Sums of the first 100, 200 and 300 numbers.
    log.check("5050 by 5\n20100 by 5\n45150 by 7");
    assert_eq!((outcome.events, outcome.instants, outcome.steps), (300, 4, 4));
}
