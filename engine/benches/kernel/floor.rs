//! What each workload costs without an engine: a std heap of (instant, sequence, target), a virtual call and the engine's digest
//! an event.
//! These loops are fixed: the goals are ratios to them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hash::Hash;
use std::hint::black_box;

use stillpoint_engine::{Timed, digest_of};

use crate::random::Random;
use crate::workload::{PROCESSES, Ready, Tick, share, streams};

#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// The trace of one process, kept as the engine keeps an actor's: the same digest of the message, the same folds an event.
struct Trace {
    path: u64,
    count: u64,
    chain: u64,
}

impl Trace {
    fn new(path: u64) -> Self {
        Self { path, count: 0, chain: path }
    }

    #[inline(always)]
    fn record<M: Hash>(&mut self, now: i64, message: &M) {
        self.count += 1;
        let place = fold(now as u64 ^ 0x9ddf_ea08_eb38_2d69, 0xc2b2_ae3d_27d4_eb4f);
        let origin = fold(self.path ^ 0x1656_67b1_9e37_79f9, self.count ^ 0x27d4_eb2f_1656_67c5);
        let what = fold(0x5555 ^ 0x8564_9d2b_0b15_c5a1, digest_of(message) ^ 0x2127_599b_f432_5c37);
        let word = place.rotate_left(17) ^ origin.rotate_left(41) ^ what;
        self.chain = fold(self.chain ^ 0xa076_1d64_78bd_642f, word ^ self.chain.rotate_left(32));
    }
}

/// Pending events, and the number of the next one.
#[derive(Default)]
struct Events {
    heap: BinaryHeap<Reverse<(i64, u64, u32)>>,
    seq: u64,
}

impl Events {
    #[inline]
    fn push(&mut self, at: i64, target: u32) {
        self.heap.push(Reverse((at, self.seq, target)));
        self.seq += 1;
    }
}

/// What an event is handed to.
trait Process {
    fn handle(&mut self, now: i64, tick: &Tick, events: &mut Events);
    fn chain(&self) -> u64;
}

/// Runs until nothing is pending, or the time is up; the number of events handled.
fn run(processes: &mut [Box<dyn Process>], events: &mut Events, until: i64) -> u64 {
    let mut handled = 0;
    while let Some(Reverse((now, seq, target))) = events.heap.pop() {
        if now > until {
            break;
        }
        processes[target as usize].handle(now, &Tick(seq), events);
        handled += 1;
    }
    black_box(processes.iter().map(|process| process.chain()).fold(0, u64::wrapping_add));
    handled
}

/// Sends each event on to a random process.
struct Lp {
    trace: Trace,
    random: Random,
}

impl Process for Lp {
    fn handle(&mut self, now: i64, tick: &Tick, events: &mut Events) {
        self.trace.record(now, tick);
        let (delay, target) = (self.random.exponential_ns(), self.random.below(PROCESSES));
        events.push(now + delay, target);
    }

    fn chain(&self) -> u64 {
        self.trace.chain
    }
}

pub(crate) fn phold(count: u32, until: i64) -> Ready {
    let mut events = Events::default();
    let mut processes: Vec<Box<dyn Process>> = Vec::new();
    for index in 0..PROCESSES {
        let mut random = Random::new(u64::from(index));
        for _ in 0..share(count, index) {
            let (delay, target) = (random.exponential_ns(), random.below(PROCESSES));
            events.push(delay, target);
        }
        processes.push(Box::new(Lp { trace: Trace::new(u64::from(index)), random }));
    }
    let mut processes = black_box(processes);
    Box::new(move || run(&mut processes, &mut events, until))
}

/// Counts.
struct Sink {
    trace: Trace,
}

impl Process for Sink {
    fn handle(&mut self, now: i64, tick: &Tick, _: &mut Events) {
        self.trace.record(now, tick);
    }

    fn chain(&self) -> u64 {
        self.trace.chain
    }
}

fn sinks(count: u32) -> Vec<Box<dyn Process>> {
    black_box((0..count).map(|index| Box::new(Sink { trace: Trace::new(u64::from(index)) }) as Box<dyn Process>).collect())
}

/// Two virtual calls in a loop.
pub(crate) fn ping_pong(count: u64) -> Ready {
    let mut players = sinks(2);
    let mut events = Events::default();
    Box::new(move || {
        for round in 0..count / 2 {
            players[0].handle(0, &Tick(2 * round), &mut events);
            players[1].handle(0, &Tick(2 * round + 1), &mut events);
        }
        black_box(players[0].chain() ^ players[1].chain());
        count / 2 * 2
    })
}

/// Re-arms itself.
struct Holder {
    trace: Trace,
    left: u64,
    random: Random,
}

impl Process for Holder {
    fn handle(&mut self, now: i64, tick: &Tick, events: &mut Events) {
        self.trace.record(now, tick);
        if self.left > 0 {
            self.left -= 1;
            events.push(now + self.random.uniform_ns(), 0);
        }
    }

    fn chain(&self) -> u64 {
        self.trace.chain
    }
}

/// One process with `outstanding` events that it re-arms (the hold model), `count` in all.
pub(crate) fn timers(outstanding: u64, count: u64) -> Ready {
    let mut events = Events::default();
    let mut random = Random::new(1);
    (0..outstanding).for_each(|_| events.push(random.uniform_ns(), 0));
    let holder: Box<dyn Process> = Box::new(Holder { trace: Trace::new(0), left: count - outstanding, random });
    let mut processes = black_box(vec![holder]);
    Box::new(move || run(&mut processes, &mut events, i64::MAX))
}

/// The heap for the source alone, then a loop over the receivers. An event is what a receiver gets.
pub(crate) fn fan_out(receivers: u32, count: u64) -> Ready {
    let mut events = Events::default();
    let pulses = count / u64::from(receivers);
    events.push(1, 0);
    let source: Box<dyn Process> = Box::new(Holder { trace: Trace::new(0), left: pulses - 1, random: Random::new(1) });
    let mut source = black_box(vec![source]);
    let mut receivers = sinks(receivers);
    Box::new(move || {
        let mut handled = 0;
        while let Some(Reverse((now, seq, target))) = events.heap.pop() {
            source[target as usize].handle(now, &Tick(seq), &mut events);
            for receiver in &mut receivers {
                receiver.handle(now, &Tick(seq), &mut events);
            }
            handled += receivers.len() as u64;
        }
        black_box(receivers.iter().map(|receiver| receiver.chain()).fold(0, u64::wrapping_add));
        handled
    })
}

/// Sorted streams into one process; the heap holds the head of each.
pub(crate) fn merge(count_of_streams: u32, count: u64) -> Ready {
    merged(streams(count_of_streams, count))
}

/// [`merge`] over items of any type.
pub(crate) fn merged<M: Hash + 'static>(streams: Vec<Vec<Timed<M>>>) -> Ready {
    let mut heap = BinaryHeap::new();
    for (stream, items) in streams.iter().enumerate() {
        if let Some(first) = items.first() {
            heap.push(Reverse((first.at.as_nanos(), 0u64, stream as u32)));
        }
    }
    let mut sink: Box<dyn Take<M>> = black_box(Box::new(Taker { trace: Trace::new(0) }));
    Box::new(move || {
        let mut handled = 0;
        while let Some(Reverse((now, index, stream))) = heap.pop() {
            let items = &streams[stream as usize];
            sink.take(now, &items[index as usize].value);
            handled += 1;
            if let Some(next) = items.get(index as usize + 1) {
                heap.push(Reverse((next.at.as_nanos(), index + 1, stream)));
            }
        }
        black_box(sink.chain());
        handled
    })
}

/// A process that takes the items of streams.
trait Take<M> {
    fn take(&mut self, now: i64, item: &M);
    fn chain(&self) -> u64;
}

struct Taker {
    trace: Trace,
}

impl<M: Hash> Take<M> for Taker {
    fn take(&mut self, now: i64, item: &M) {
        self.trace.record(now, item);
    }

    fn chain(&self) -> u64 {
        self.trace.chain
    }
}
