//! R19: random numbers.

use std::collections::BTreeMap;

use stillpoint_engine::{Link, Rng, Simulation, digest_of};

use crate::kit::*;

/// The block function of ChaCha with eight rounds (Bernstein, ChaCha, a variant of Salsa20, 2008), for the block of this number.
fn chacha8(key: [u32; 8], block: u64) -> [u32; 16] {
    let constants = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];
    let mut initial = [0u32; 16];
    initial[..4].copy_from_slice(&constants);
    initial[4..12].copy_from_slice(&key);
    (initial[12], initial[13]) = (block as u32, (block >> 32) as u32);
    let mut state = initial;
    let mut quarter = |a: usize, b: usize, c: usize, d: usize| {
        for (x, y, z, turn) in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)] {
            state[x] = state[x].wrapping_add(state[y]);
            state[z] = (state[z] ^ state[x]).rotate_left(turn);
        }
    };
    for _ in 0..4 {
        (0..4).for_each(|column| quarter(column, 4 + column, 8 + column, 12 + column));
        (0..4).for_each(|start| quarter(start, 4 + (start + 1) % 4, 8 + (start + 2) % 4, 12 + (start + 3) % 4));
    }
    std::array::from_fn(|word| state[word].wrapping_add(initial[word]))
}

/// The first numbers of (seed, path, purpose).
fn expected(seed: u64, path: &str, purpose: &str, count: usize) -> Vec<u64> {
    let digests: [u64; 4] = std::array::from_fn(|lane| digest_of(&(seed, path, purpose, lane as u64)));
    let key = std::array::from_fn(|word| (digests[word / 2] >> (32 * (word % 2))) as u32);
    let words = (0..).flat_map(|block| chacha8(key, block)).take(2 * count).collect::<Vec<u32>>();
    words.chunks(2).map(|pair| u64::from(pair[0]) | u64::from(pair[1]) << 32).collect()
}

#[test]
fn r19_randomness_is_chacha8_seeded_by_seed_path_and_purpose() {
    let mut rng = Rng::of(7, "maker/3", "actor");
    let drawn: Vec<u64> = (0..40).map(|_| rng.bits()).collect();
    assert_eq!(drawn, expected(7, "maker/3", "actor", 40));
}

/// Actors of these names draw two numbers at the start and, at 5, one each; a child of each draws one.
fn drawing(seed: u64, names: &[&str]) -> BTreeMap<String, Vec<u64>> {
    let log = Log::default();
    let mut sim = world().seed(seed);
    for name in names {
        let seen = log.clone();
        let body = probe(move |what, ctx| {
            let draws = if matches!(what, In::Start) { 2 } else { 1 };
            let path = ctx.path().to_string();
            (0..draws).for_each(|_| seen.add(format!("{path} {}", ctx.rng().bits())));
            if let In::Start = what {
                ctx.notify_at(at(5), Note(0));
                let seen = seen.clone();
                ctx.spawn(starter(move |ctx| {
                    let path = ctx.path().to_string();
                    seen.add(format!("{path} {}", ctx.rng().bits()));
                }));
            }
        });
        sim.put(name, body);
    }
    run(sim);
    let mut drawn: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for line in log.text().lines() {
        let (path, number) = line.split_once(' ').expect("a path and a number");
        drawn.entry(path.to_owned()).or_default().push(number.parse().expect("a number"));
    }
    drawn
}

#[test]
fn r19_randomness_of_an_actor_is_its_own() {
    let alone = drawing(1, &["b"]);
    let among = drawing(1, &["a", "b", "c"]);
    assert_eq!(alone["b"], expected(1, "b", "actor", 3));
    assert_eq!(alone["b/0"], expected(1, "b/0", "actor", 1));
    // Others may come and draw what they like.
    assert_eq!((&among["b"], &among["b/0"]), (&alone["b"], &alone["b/0"]));
    assert_ne!(among["a"], among["b"]);
    assert_ne!(drawing(2, &["b"])["b"], alone["b"]);
}

/// `a` sends `m` ten notes over a link of latency 100 and jitter 50, a nanosecond apart; so do the others.
fn jittery(seed: u64, others: &[&str], loss: f64) -> (Vec<(i64, u64)>, u64) {
    let mut sim = world().seed(seed);
    let m = sim.put("m", silent());
    for name in std::iter::once(&"a").chain(others) {
        let body = probe(move |what, ctx| match what {
            In::Start => (0..10).for_each(|index| _ = ctx.notify_at(at(index), Note(index as u64))),
            In::Note(index) => ctx.send(m, Note(index)),
            _ => {}
        });
        sim.put(name, body);
        sim.link(name, "m", Link::latency(ns(100)).jitter(ns(50)).loss(loss)).expect("a link");
    }
    let (records, outcome) = traced(sim);
    let of_a = records.iter().filter(|record| (record.receiver.to_string(), record.sender.to_string()) == ("m".to_owned(), "a".to_owned()));
    let arrived = of_a.map(|record| (record.at.as_nanos(), record.text.as_ref().expect("a text").parse().expect("a number"))).collect();
    (arrived, outcome.expect("a run").lost)
}

#[test]
fn r19_randomness_of_a_link_is_that_of_the_link_its_sender_and_its_receiver() {
    let (alone, lost) = jittery(1, &[], 0.0);
    assert_eq!(lost, 0);
    assert_eq!(jittery(1, &["b", "0"], 0.0).0, alone);
    assert_ne!(jittery(2, &[], 0.0).0, alone);
    // Between its least and its most, and never overtaking: a note may wait for the one before it.
    assert_eq!(alone.iter().map(|(_, value)| *value).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
    assert!(alone.is_sorted());
    assert!(alone.iter().all(|(arrived, value)| (100..=159).contains(arrived) && *arrived >= 100 + *value as i64));
    assert!(alone.iter().any(|(arrived, value)| *arrived > 100 + *value as i64));
}

#[test]
fn r19_randomness_of_loss_does_not_shift_that_of_jitter() {
    let (none, lost) = jittery(1, &[], 1.0);
    assert_eq!((none.len(), lost), (0, 10));
    let (all, _) = jittery(1, &[], 0.0);
    let (some, lost) = jittery(1, &[], 0.5);
    assert_eq!(some.len() + lost as usize, 10);
    assert!(!some.is_empty() && lost > 0);
    // What arrives does not do so later than if nothing were lost: it had the same jitter, and fewer to wait for.
    assert!(some.iter().all(|(arrived, value)| all.iter().any(|(other, same)| same == value && arrived <= other)));
}

#[test]
fn r19_randomness_of_equal_runs_is_equal() {
    let build = || -> Simulation {
        let mut sim = world().seed(9);
        let m = sim.promise("m");
        sim.place(
            m,
            probe(move |what, ctx| {
                let value = match what {
                    In::Note(value) => value,
                    _ => 30,
                };
                if value > 0 {
                    let delay = ns(ctx.rng().exponential(1000.0) as i64);
                    ctx.send_after(m, delay, Note(value - 1));
                }
            }),
        );
        sim
    };
    assert_eq!(run(build()).trace_hash, run(build()).trace_hash);
    assert_ne!(run(build()).trace_hash, run(build().seed(10)).trace_hash);
}
