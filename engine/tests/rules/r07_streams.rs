//! R7: subscriptions to streams, which are no messages.

use stillpoint_engine::LateCounts;

use crate::kit::*;

fn skipped(count: u64) -> LateCounts {
    LateCounts { skipped: count, ..LateCounts::default() }
}

#[test]
fn r07_subscribe_to_a_stream_acts_from_its_first_event_after_this_instant() {
    let mut sim = world();
    let s = sim.feed("s", items(&[(0, 1), (4, 2), (5, 3), (5, 4), (6, 5), (9, 6)]), &[]);
    sim.put(
        "m",
        probe(move |what, ctx| match what {
            In::Start => _ = ctx.notify_at(at(5), Note(100)),
            In::Note(100) => ctx.subscribe_stream(s),
            _ => {}
        }),
    );
    let outcome = check_after_start(
        sim,
        "5.0.0 m#2 <- m#1 note 100
         6.0.0 m#3 <- s#4 note 5
         9.0.0 m#4 <- s#5 note 6",
    );
    // It was opened at 5, as if it had been spawned there: four items were skipped.
    assert_eq!(outcome.streams.into_values().collect::<Vec<_>>(), [skipped(4)]);
    assert_eq!(outcome.events, 2);
}

#[test]
fn r07_subscribe_to_a_stream_that_is_open_skips_nothing() {
    let mut sim = world();
    let a = sim.put("a", silent());
    let s = sim.feed("s", items(&[(0, 1), (5, 2), (6, 3)]), &[a]);
    sim.put(
        "m",
        probe(move |what, ctx| match what {
            In::Start => _ = ctx.notify_at(at(5), Note(100)),
            In::Note(100) => ctx.subscribe_stream(s),
            _ => {}
        }),
    );
    let outcome = check_after_start(
        sim,
        "0.0.0 a#2 <- s#0 note 1
         5.0.0 a#3 <- s#1 note 2
         5.0.0 m#2 <- m#1 note 100
         6.0.0 a#4 <- s#2 note 3
         6.0.0 m#3 <- s#2 note 3",
    );
    assert_eq!(outcome.streams.into_values().collect::<Vec<_>>(), [skipped(0)]);
    // An item counts once, however many receive it.
    assert_eq!(outcome.events, 3);
}

#[test]
fn r07_subscribe_to_a_stream_does_not_reach_later_rounds_of_this_instant() {
    for unsubscribe in [false, true] {
        let mut sim = world();
        let a = sim.put("a", silent());
        let m = sim.promise("m");
        let s = sim.feed("s", items(&[(5, 1), (5, 2), (6, 3)]).one_by_one(), &[a]);
        sim.place(
            m,
            probe(move |what, ctx| match what {
                In::Start => _ = ctx.notify_at(at(5), Note(100)),
                In::Note(100) if unsubscribe => ctx.unsubscribe_stream(s),
                In::Note(100) => ctx.subscribe_stream(s),
                _ => {}
            }),
        );
        if unsubscribe {
            sim.subscribe::<Note, _>(m, s);
            check_after_start(
                sim,
                "5.0.0 a#2 <- s#0 note 1
                 5.0.0 m#2 <- s#0 note 1
                 5.0.0 m#3 <- m#1 note 100
                 5.1.0 a#3 <- s#1 note 2
                 5.1.0 m#4 <- s#1 note 2
                 6.0.0 a#4 <- s#2 note 3",
            );
        } else {
            check_after_start(
                sim,
                "5.0.0 a#2 <- s#0 note 1
                 5.0.0 m#2 <- m#1 note 100
                 5.1.0 a#3 <- s#1 note 2
                 6.0.0 a#4 <- s#2 note 3
                 6.0.0 m#3 <- s#2 note 3",
            );
        }
    }
}

#[test]
fn r07_subscribe_to_a_stream_twice_is_like_once_and_the_last_call_of_an_instant_wins() {
    let mut sim = world();
    let s = sim.feed("s", items(&[(1, 1)]), &[]);
    let t = sim.feed("t", items(&[(1, 2)]), &[]);
    sim.put(
        "m",
        starter(move |ctx| {
            ctx.subscribe_stream(s);
            ctx.subscribe_stream(s);
            ctx.subscribe_stream(t);
            ctx.unsubscribe_stream(t);
        }),
    );
    check_after_start(sim, "1.0.0 m#2 <- s#0 note 1");
}

#[test]
fn r07_streams_whose_subscribers_have_all_gone_are_read_on_in_silence() {
    let mut sim = world();
    let m = sim.promise("m");
    sim.place(
        m,
        probe(|what, ctx| {
            if let In::Note(2) = what {
                ctx.stop();
            }
        }),
    );
    sim.feed("s", items(&[(1, 1), (2, 2), (3, 3), (9, 4), (8, 5)]).late(stillpoint_engine::Late::DropAndCount), &[m]);
    let outcome = check_after_start(sim, "1.0.0 m#2 <- s#0 note 1\n2.0.0 m#3 <- s#1 note 2");
    // No record, no instant, no dead letter; what is late is counted all the same.
    assert_eq!((outcome.instants, outcome.dead_letters, outcome.last), (3, 0, Some(at(2))));
    assert_eq!(outcome.streams.into_values().next(), Some(LateCounts { dropped: 1, ..LateCounts::default() }));
}

#[test]
fn r07_subscribe_to_a_stream_in_ones_last_step_opens_it_all_the_same() {
    let mut sim = world();
    let s = sim.feed("s", items(&[(0, 1), (1, 2)]), &[]);
    sim.put(
        "m",
        starter(move |ctx| {
            ctx.subscribe_stream(s);
            ctx.stop();
        }),
    );
    // Subscriptions take effect before stops; and an opened stream is read to its end.
    let outcome = check_after_start(sim, "");
    assert_eq!(outcome.streams.into_values().collect::<Vec<_>>(), [skipped(1)]);
}
