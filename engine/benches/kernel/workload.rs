//! The list of workloads: names, sizes, goals, and what both sides of a comparison are given.

use stillpoint_engine::{Instant, Message, Timed};

use crate::random::Random;
use crate::{engine, floor};

/// Processes of PHOLD.
pub(crate) const PROCESSES: u32 = 1024;

/// PHOLD with one event in all: what its handlers and the digest take, whatever keeps the events. Measured if it is asked for by its name.
pub(crate) const ALONE: &str = "phold-alone";

/// How many of so many events begin at a process.
pub(crate) fn share(events: u32, process: u32) -> u32 {
    events / PROCESSES + u32::from(process < events % PROCESSES)
}

/// One side of a workload, set up. Calling it runs the events and gives their number.
pub(crate) type Ready = Box<dyn FnOnce() -> u64>;

/// What is sent in every workload: a number.
#[derive(Clone, Copy, Debug, Hash)]
pub(crate) struct Tick(pub(crate) u64);

impl Message for Tick {
    const KIND: &'static str = "tick";
}

/// A quote as a market data file has it, in units of the instrument's decimals.
#[derive(Clone, Copy, Debug, Hash)]
pub(crate) struct Quote {
    bid: i64,
    ask: i64,
    bid_size: i64,
    ask_size: i64,
}

impl Message for Quote {
    const KIND: &'static str = "quote";
}

/// One line of the bench.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    /// The ratio to the floor to be reached, if there is one.
    pub(crate) goal: Option<f64>,
    pub(crate) floor: Box<dyn Fn() -> Ready>,
    pub(crate) engine: Box<dyn Fn() -> Ready>,
}

/// All workloads, about `count` events each.
pub(crate) fn all(count: u64) -> Vec<Workload> {
    let mut list = Vec::new();
    let mut add = |name, goal, floor: Box<dyn Fn() -> Ready>, engine: Box<dyn Fn() -> Ready>| {
        list.push(Workload { name, goal, floor, engine });
    };
    for (name, goal, events) in [("phold-1", Some(0.8), PROCESSES), ("phold-16", Some(0.65), 16 * PROCESSES), (ALONE, None, 1)] {
        let until = count as i64 * 1_100_000_000 / i64::from(events);
        add(name, goal, Box::new(move || floor::phold(events, until)), Box::new(move || engine::phold(events, until)));
    }
    add("ping-pong", Some(4.0), Box::new(move || floor::ping_pong(count)), Box::new(move || engine::ping_pong(count)));
    for (name, goal, pending) in [("timers-1", 1.2, 1), ("timers-1000", 0.75, 1000), ("timers-100000", 0.5, 100_000)] {
        let all = count.max(2 * pending);
        add(name, Some(goal), Box::new(move || floor::timers(pending, all)), Box::new(move || engine::timers(pending, all)));
    }
    for (name, goal, sinks) in [("fanout-1", 2.0, 1), ("fanout-10", 2.5, 10), ("fanout-100", 2.0, 100)] {
        add(name, Some(goal), Box::new(move || floor::fan_out(sinks, count)), Box::new(move || engine::fan_out(sinks, count)));
    }
    for (name, goal, sources) in [("merge-1", 2.0, 1), ("merge-16", 0.7, 16), ("merge-256", 0.6, 256)] {
        add(name, Some(goal), Box::new(move || floor::merge(sources, count)), Box::new(move || engine::merge(sources, count)));
    }
    add("await-sleep", Some(2.5), Box::new(move || floor::timers(1, count)), Box::new(move || engine::await_sleep(count)));
    add("offload-empty", None, Box::new(move || floor::timers(1, count)), Box::new(move || engine::offload(count)));
    add("spawn", None, Box::new(move || floor::timers(1, count)), Box::new(move || engine::spawn(count)));
    add("quotes-empty", None, Box::new(move || floor::merged(quotes(count))), Box::new(move || engine::merged(quotes(count))));
    list
}

/// `count` items over some sorted streams, each at an instant of its own, the streams in random turn.
fn interleaved<M>(streams: u32, count: u64, mut item: impl FnMut(u64, &mut Random) -> M) -> Vec<Vec<Timed<M>>> {
    let (mut random, mut turns) = (Random::new(3), Random::new(4));
    let mut sizes = vec![0; streams as usize];
    let mut same_turns = turns.clone();
    (0..count).for_each(|_| sizes[same_turns.below(streams) as usize] += 1);
    let mut lists: Vec<Vec<Timed<M>>> = sizes.into_iter().map(Vec::with_capacity).collect();
    let mut at = 0;
    for index in 0..count {
        at += i64::from(random.below(1_000_000)) + 1;
        let value = item(index, &mut random);
        lists[turns.below(streams) as usize].push(Timed { at: Instant::from_nanos(at), value });
    }
    lists
}

/// Numbered items.
pub(crate) fn streams(streams: u32, count: u64) -> Vec<Vec<Timed<Tick>>> {
    interleaved(streams, count, |index, _| Tick(index))
}

/// Quotes of three instruments.
pub(crate) fn quotes(count: u64) -> Vec<Vec<Timed<Quote>>> {
    interleaved(3, count, |_, random| {
        let bid = 100_000 + i64::from(random.below(1000));
        Quote {
            bid,
            ask: bid + 1 + i64::from(random.below(5)),
            bid_size: i64::from(random.below(100)),
            ask_size: i64::from(random.below(100)),
        }
    })
}
