//! R1: the key of a delivery, and what stands in it.

use stillpoint_engine::{BuildError, Name, NameError, Path, Rank, Simulation};

use crate::kit::*;

#[test]
fn r01_total_order_of_classes_at_one_instant() {
    let mut sim = world();
    let m = sim.promise("m");
    sim.place(
        m,
        starter(move |ctx| {
            // Everything is due at 20, called in the reverse of the order in which it must come.
            ctx.submit(ns(20), || Sum(60));
            ctx.task(|cx| async move {
                cx.sleep(ns(20)).await;
                cx.with(|_, ctx| ctx.submit(ns(0), || Sum(61)));
                cx.yield_now().await;
            });
            ctx.notify_after(ns(20), Note(50));
            ctx.send_after(ctx.address(), ns(20), Note(41));
        }),
    );
    // `a` stands before `m`, and `zz`, a stream, after both: the class decides first.
    sim.put("a", starter(move |ctx| ctx.send_after(m, ns(20), Note(40))));
    sim.feed("zz", items(&[(0, 10), (20, 11)]), &[m]);
    check(
        sim,
        "0.0.0 a#1 <- time-keeper#0 start
         0.0.0 m#1 <- time-keeper#0 start
         0.0.0 m#2 <- zz#0 note 10
         20.0.0 m#3 <- zz#1 note 11
         20.0.0 m#4 <- a#1 note 40
         20.0.0 m#5 <- m#1 note 41
         20.0.0 m#6 <- m#1 note 50
         20.0.0 m#7 <- m#1 sum 60
         20.0.0 m#8 <- m#1 wake
         20.0.1 m#9 <- m#8 sum 61
         20.0.1 m#10 <- m#8 wake",
    );
}

#[test]
fn r01_total_order_of_wakes_and_job_results_is_by_seq() {
    for wake_first in [true, false] {
        let mut sim = world();
        let body = starter(move |ctx| {
            ctx.task(move |cx| async move {
                if wake_first {
                    let sleep = cx.sleep(ns(5));
                    cx.with(|_, ctx| ctx.submit(ns(5), || Sum(1)));
                    sleep.await;
                } else {
                    cx.with(|_, ctx| ctx.submit(ns(5), || Sum(1)));
                    cx.sleep(ns(5)).await;
                }
            });
        });
        sim.put("m", body);
        let two = if wake_first { ["wake", "sum 1"] } else { ["sum 1", "wake"] };
        check_after_start(sim, &format!("5.0.0 m#2 <- m#1 {}\n5.0.0 m#3 <- m#1 {}", two[0], two[1]));
    }
}

/// Each sends its number to `m`, to arrive at 10, where their order shows.
fn send_at_ten(m: stillpoint_engine::Addr<Probe>, number: u64) -> Probe {
    probe(move |what, ctx| {
        if let In::Start = what {
            ctx.send_after(m, at(10).since(ctx.now()), Note(number));
        }
    })
}

#[test]
fn r01_total_order_of_senders_is_by_path_segments() {
    let log = Log::default();
    let mut sim = world();
    let m = sim.promise("m");
    let seen = log.clone();
    sim.place(
        m,
        probe(move |what, _| {
            if let In::Note(value) = what {
                seen.add(value.to_string());
            }
        }),
    );
    sim.put("a-b", send_at_ten(m, 900));
    sim.put("B", send_at_ten(m, 1));
    sim.put(
        "a",
        starter(move |ctx| {
            ctx.send_after(m, ns(10), Note(100));
            for index in 0..12 {
                ctx.spawn(send_at_ten(m, 200 + index));
            }
        }),
    );
    sim.put("é", send_at_ten(m, 950));
    sim.put("z", send_at_ten(m, 940));
    run(sim);
    // Bytes: `B` before `a` before `a-b` before `z` before `é`; a's children between `a` and `a-b`, 10 and 11 after 9.
    log.check("1\n100\n200\n201\n202\n203\n204\n205\n206\n207\n208\n209\n210\n211\n900\n940\n950");
}

#[test]
fn r01_total_order_of_paths() {
    let root = |name: &str| Path::root(Name::new(name).expect("a name"));
    let a = root("a");
    let ordered = [a.clone(), a.child(0), a.child(0).child(7), a.child(2), a.child(10), root("a-b"), root("a0"), root("b")];
    assert!(ordered.windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!(a.child(10).child(0).to_string(), "a/10/0");
}

#[test]
fn r01_total_order_puts_ranks_before_paths() {
    let log = Log::default();
    let mut sim = world();
    let m = sim.promise("m");
    let seen = log.clone();
    sim.place(
        m,
        probe(move |what, _| {
            if let In::Note(value) = what {
                seen.add(value.to_string());
            }
        }),
    );
    sim.put_ranked("a", 1, send_at_ten(m, 5));
    sim.put("b", send_at_ten(m, 4));
    sim.put_ranked(
        "z",
        -2,
        starter(move |ctx| {
            ctx.send_after(m, ns(10), Note(1));
            // A child has its parent's rank, unless it is given one.
            ctx.spawn(send_at_ten(m, 2));
            ctx.spawn_ranked(Rank(i32::MAX), send_at_ten(m, 6));
            ctx.spawn_ranked(Rank(-1), send_at_ten(m, 3));
            ctx.spawn_ranked(Rank(i32::MIN), send_at_ten(m, 0));
        }),
    );
    run(sim);
    log.check("0\n1\n2\n3\n4\n5\n6");
}

#[test]
fn r01_total_order_of_streams_by_rank_and_path_and_of_their_items_by_source_index() {
    let mut sim = world();
    let m = sim.put("m", silent());
    sim.feed("b", items(&[(3, 1), (3, 2)]), &[m]);
    sim.feed("a", items(&[(3, 3), (3, 4)]), &[m]);
    sim.feed("z", items(&[(1, 5), (3, 6)]).rank(Rank(-1)), &[m]);
    check_after_start(
        sim,
        "1.0.0 m#2 <- z#0 note 5
         3.0.0 m#3 <- z#1 note 6
         3.0.0 m#4 <- a#0 note 3
         3.0.0 m#5 <- a#1 note 4
         3.0.0 m#6 <- b#0 note 1
         3.0.0 m#7 <- b#1 note 2",
    );
}

#[test]
fn r01_total_order_of_one_sender_is_that_of_its_calls() {
    let log = Log::default();
    let mut sim = world();
    let m = sim.promise("m");
    let seen = log.clone();
    sim.place(
        m,
        probe(move |what, ctx| {
            if let In::Note(value) = what {
                seen.add(format!("{} {value}", moment(ctx.now())));
            }
        }),
    );
    // The counter is never reset: what was called at 0 comes before what was called at 5, whatever the delays.
    sim.put(
        "a",
        probe(move |what, ctx| match what {
            In::Start => {
                ctx.send_after(m, ns(10), Note(1));
                ctx.notify_at(at(5), Note(0));
                ctx.send_after(m, ns(10), Note(2));
            }
            In::Note(_) => {
                ctx.send_after(m, ns(5), Note(3));
                ctx.send_after(m, ns(4), Note(4));
                ctx.send_after(m, ns(5), Note(5));
            }
            _ => {}
        }),
    );
    run(sim);
    log.check("9 4\n10 1\n10 2\n10 3\n10 5");
}

#[test]
fn r01_total_order_counts_a_publication_as_one_emission_between_sends() {
    let mut sim = world();
    let s = sim.put("s", silent());
    let t = sim.put("t", silent());
    let p = sim.put(
        "p",
        starter(move |ctx| {
            ctx.send(t, Note(1));
            ctx.publish(Note(2));
            ctx.send(s, Note(3));
        }),
    );
    sim.subscribe_to::<Note, _, _>(t, p);
    sim.subscribe_to::<Note, _, _>(s, p);
    check_after_start(
        sim,
        "0.0.1 s#2 <- p#1 note 2
         0.0.1 s#3 <- p#1 note 3
         0.0.1 t#2 <- p#1 note 1
         0.0.1 t#3 <- p#1 note 2",
    );
}

/// Two actors and two streams, added in one of the orders of 0..4.
fn registered(order: [usize; 4]) -> Simulation {
    let mut sim = world();
    let (mut a, mut b) = (None, None);
    for what in order {
        match what {
            0 => a = Some(sim.promise("a")),
            1 => b = Some(sim.promise("b")),
            _ => {}
        }
    }
    let (a, b) = (a.expect("an actor"), b.expect("an actor"));
    for what in order {
        match what {
            0 => sim.place(a, starter(move |ctx| ctx.send(b, Note(1)))),
            1 => sim.place(b, starter(move |ctx| ctx.send(b, Note(2)))),
            2 => _ = sim.feed("s", items(&[(0, 3), (4, 4)]), &if order[0].is_multiple_of(2) { [a, b] } else { [b, a] }),
            _ => _ = sim.feed("t", items(&[(4, 5)]), &[b]),
        }
    }
    sim
}

#[test]
fn r01_total_order_is_never_that_of_registration() {
    let expected = "0.0.0 a#1 <- time-keeper#0 start
                    0.0.0 a#2 <- s#0 note 3
                    0.0.0 b#1 <- time-keeper#0 start
                    0.0.0 b#2 <- s#0 note 3
                    0.0.1 b#3 <- a#1 note 1
                    0.0.1 b#4 <- b#1 note 2
                    4.0.0 a#3 <- s#1 note 4
                    4.0.0 b#5 <- s#1 note 4
                    4.0.0 b#6 <- t#0 note 5";
    let mut hashes = Vec::new();
    for a in 0..4 {
        for b in 0..4 {
            for c in 0..4 {
                let d = 6usize.wrapping_sub(a + b + c);
                if d < 4 && [a, b, c, d].iter().collect::<std::collections::BTreeSet<_>>().len() == 4 {
                    hashes.push(check(registered([a, b, c, d]), expected).trace_hash);
                }
            }
        }
    }
    assert_eq!(hashes.len(), 24);
    assert!(hashes.iter().all(|hash| *hash == hashes[0]));
}

#[test]
fn r01_total_order_refuses_names_that_would_break_it() {
    let mut sim = world();
    let refused = |error: NameError| Err(BuildError::Name(error));
    assert_eq!(sim.actor("", silent()), refused(NameError::Empty));
    assert_eq!(sim.actor("a/0", silent()), refused(NameError::Slash("a/0".to_owned())));
    for name in ["time-keeper", "time-keeper@", "time-keeper@a"] {
        assert_eq!(sim.actor(name, silent()), refused(NameError::Reserved(name.to_owned())));
    }
    // Actors and streams share one namespace.
    sim.put("x", silent());
    assert_eq!(sim.actor("x", silent()), Err(BuildError::Duplicate("x".to_owned())));
    assert_eq!(sim.stream("x", items(&[])), Err(BuildError::Duplicate("x".to_owned())));
    assert!(sim.actor("time-keepers", silent()).is_ok());
}
