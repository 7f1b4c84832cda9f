//! What a merge promises: the calls of the inline host, from any number of shards, over any windows, also when a part of the run is done again.

use std::sync::Arc;

use parking_lot::Mutex;
use proptest::prelude::*;

use super::*;
use crate::trace::{Text, Writer, in_full};
use crate::{Actor, Addr, Answer, Context, Duration, Handler, NextInstant, Outcome, Simulation, Stream, Timed};

/// All who appear, in R1's order: ranks first, then segments, indices as numbers.
const ORDER: [(i32, &str); 7] = [(-3, "z"), (0, "a"), (0, "a/2"), (0, "a/10"), (0, "a-b"), (0, "b"), (4, "a0/1/0")];

fn who(place: usize) -> (Path, Rank) {
    (Path::parse(ORDER[place].1).expect("a path"), Rank(ORDER[place].0))
}

/// One call of a run: a record with its sender, or a line.
#[derive(Clone, Debug)]
struct Call {
    at: i64,
    round: u32,
    step: u32,
    receiver: usize,
    /// `None`: a line.
    sender: Option<usize>,
    dead: bool,
    kind: &'static str,
    value: u64,
    text: Option<String>,
}

fn call() -> impl Strategy<Value = Call> {
    let key = (0i64..6, 0u32..2, 0u32..3, 0..ORDER.len());
    let what = (prop::option::weighted(0.8, 0..ORDER.len()), prop::bool::weighted(0.2), prop::sample::select(vec!["quote", "order", ""]));
    (key, what, any::<u64>(), prop::option::of("[a-zé]{0,5}")).prop_map(
        |((at, round, step, receiver), (sender, dead, kind), value, text)| {
            let dead = dead && sender.is_some();
            Call { at, round, step, receiver, sender, dead, kind, value, text }
        },
    )
}

/// What an observer and a log were told, as text, and an observer that refuses one record.
#[derive(Clone, Default)]
struct Told {
    calls: Arc<Mutex<Vec<String>>>,
    refuses: Option<u64>,
    records: u64,
}

impl Told {
    fn refusing(refuses: Option<u64>) -> Self {
        Self { refuses, ..Self::default() }
    }

    fn lines(&self) -> Vec<String> {
        self.calls.lock().clone()
    }

    fn observer(&self) -> Option<Box<dyn Observer + Send>> {
        Some(Box::new(self.clone()))
    }

    fn log(&self) -> SharedLog {
        let calls = self.calls.clone();
        Box::new(move |line| calls.lock().push(format!("{line} ({})", line.rank.0)))
    }
}

impl Observer for Told {
    fn name(&mut self, id: u32, path: &Path, rank: Rank) {
        self.calls.lock().push(format!("{id} is {path} ({})", rank.0));
    }

    fn record(&mut self, record: &TraceRecord<'_>) -> io::Result<()> {
        self.calls.lock().push(format!("{record:?}"));
        self.records += 1;
        if self.refuses == Some(self.records) { Err(io::Error::other(format!("record {} is too much", self.records))) } else { Ok(()) }
    }

    fn end(&mut self, hash: TraceHash) -> io::Result<()> {
        self.calls.lock().push(format!("end {hash}"));
        Ok(())
    }

    fn wording(&self) -> Option<Wording> {
        Some(in_full())
    }
}

/// A run, or one shard of it: tells an observer and a log as the kernel does, under numbers that `number` makes of its own ones.
struct Teller<O> {
    observer: O,
    log: LogSink,
    numbers: [Option<u32>; ORDER.len()],
    named: u32,
    number: fn(u32) -> u32,
    said: Vec<String>,
}

impl<O: Observer> Teller<O> {
    fn new(observer: O, log: LogSink, number: fn(u32) -> u32) -> Self {
        Self { observer, log, numbers: [None; ORDER.len()], named: 0, number, said: Vec::new() }
    }

    fn number(&mut self, place: usize) -> u32 {
        if let Some(number) = self.numbers[place] {
            return number;
        }
        let number = (self.number)(self.named);
        self.named += 1;
        self.numbers[place] = Some(number);
        let (path, rank) = who(place);
        self.observer.name(number, &path, rank);
        number
    }

    fn tell(&mut self, call: &Call) {
        let Call { round, step, kind, value, .. } = *call;
        let at = Instant::from_nanos(call.at);
        let Some(sender) = call.sender else {
            let (actor, rank) = who(call.receiver);
            return (self.log)(LogLine { at, round, step, actor: &actor, rank, text: format_args!("{:?} {value}", call.text) });
        };
        let (sender, receiver) = (self.number(sender), self.number(call.receiver));
        let count = (!call.dead).then_some(value >> 1);
        let text = call.text.as_deref();
        let record = TraceRecord { at, round, step, receiver, count, sender, sender_count: value / 3, kind, digest: !value, text };
        if let Err(error) = self.observer.record(&record) {
            self.said.push(error.to_string());
        }
    }
}

/// The calls of the inline host, and its errors.
fn told_inline(calls: &[Call], refuses: Option<u64>) -> (Vec<String>, Vec<String>) {
    let told = Told::refusing(refuses);
    let mut teller = Teller::new(told.clone(), told.log(), |number| number);
    calls.iter().for_each(|call| teller.tell(call));
    teller.observer.end(TraceHash(7)).expect("an end");
    (told.lines(), teller.said)
}

/// How a run goes on several shards.
#[derive(Clone, Debug)]
struct Plan {
    shards: usize,
    /// The shard of each receiver.
    homes: [usize; ORDER.len()],
    /// Whether a window ends after this instant.
    ends: [bool; 6],
    /// Whether a window is first told, discarded, and told anew.
    twice: [bool; 6],
    /// The window at which the run is given up, to be done again inline.
    falls_back: Option<usize>,
    refuses: Option<u64>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let homes = prop::array::uniform7(0usize..4);
    let falls_back = prop::option::of(0usize..6);
    (1usize..5, homes, any::<[bool; 6]>(), any::<[bool; 6]>(), falls_back, prop::option::weighted(0.2, 1u64..60)).prop_map(
        |(shards, homes, ends, twice, falls_back, refuses)| Plan {
            shards,
            homes: homes.map(|home| home % shards),
            ends,
            twice,
            falls_back: if refuses.is_some() { None } else { falls_back },
            refuses,
        },
    )
}

fn told_merged(calls: &[Call], plan: &Plan) -> (Vec<String>, Vec<String>) {
    let told = Told::refusing(plan.refuses);
    let mut merge = Merge::new(told.observer(), Some(told.log()));
    let numbers: [fn(u32) -> u32; 4] = [|number| number, |number| number * 3 + 1, |number| 100 - number, |number| number + 7];
    let mut shards: Vec<_> = (0..plan.shards)
        .map(|shard| {
            let tap = Tap::new(merge.wording());
            (tap.clone(), Teller::new(tap.clone(), tap.log(), numbers[shard]))
        })
        .collect();
    let mut spares: Vec<Part> = (0..plan.shards).map(|_| Part::default()).collect();
    let (mut rest, mut window) = (calls, 0);
    let mut again = false;
    for (at, ends) in (0..).zip(plan.ends) {
        if !ends && at < 5 {
            continue;
        }
        let (now, later) = rest.split_at(rest.partition_point(|call| call.at <= at));
        let mut parts = std::mem::take(&mut spares);
        for _ in 0..=u32::from(plan.twice[window]) {
            merge.discard(&mut parts);
            now.iter().for_each(|call| shards[plan.homes[call.receiver]].1.tell(call));
            parts = shards.iter().zip(parts).map(|((tap, _), spare)| tap.take(spare)).collect();
        }
        if plan.falls_back == Some(window) {
            merge.discard(&mut parts);
            again = true;
            break;
        }
        if merge.commit(&mut parts).is_err() {
            again = true;
            break;
        }
        assert!(parts.iter().all(|part| part.records.is_empty() && part.lines.is_empty() && part.texts.is_empty()));
        spares = parts;
        (rest, window) = (later, window + 1);
    }
    if !again {
        merge.end(TraceHash(7)).expect("an end");
        return (told.lines(), Vec::new());
    }
    let (observer, log) = merge.inline();
    struct Boxed(Box<dyn Observer>);
    impl Observer for Boxed {
        fn name(&mut self, id: u32, path: &Path, rank: Rank) {
            self.0.name(id, path, rank);
        }
        fn record(&mut self, record: &TraceRecord<'_>) -> io::Result<()> {
            self.0.record(record)
        }
        fn end(&mut self, hash: TraceHash) -> io::Result<()> {
            self.0.end(hash)
        }
    }
    let observer = Boxed(observer.expect("an observer"));
    assert!(observer.0.wording().is_some());
    let mut teller = Teller::new(observer, log.expect("a log"), |number| 2 * number + 3);
    calls.iter().for_each(|call| teller.tell(call));
    teller.observer.end(TraceHash(7)).expect("an end");
    (told.lines(), teller.said)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn shards_and_windows_leave_no_mark(mut calls in prop::collection::vec(call(), 0..80), plan in plan()) {
        // Stable: what one receiver has in one step stays as drawn, but for dead letters, which come last.
        calls.sort_by_key(|call| (call.at, call.round, call.step, call.receiver, call.dead));
        prop_assert_eq!(told_merged(&calls, &plan), told_inline(&calls, plan.refuses));
    }

    #[test]
    fn lines_alone_are_in_order(mut calls in prop::collection::vec(call(), 0..80), plan in plan()) {
        calls.iter_mut().for_each(|call| (call.sender, call.dead) = (None, false));
        calls.sort_by_key(|call| (call.at, call.round, call.step, call.receiver));
        prop_assert_eq!(told_merged(&calls, &plan), told_inline(&calls, None));
    }
}

/// Deals the records of a real run to shards by their receivers' roots.
struct Dealer {
    names: Vec<(Path, Rank)>,
    shards: Vec<(Tap, Vec<Option<u32>>, u32)>,
    merge: Arc<Mutex<Merge>>,
    at: Instant,
    every: i64,
}

impl Dealer {
    fn commit(&mut self) -> io::Result<()> {
        let mut parts: Vec<Part> = self.shards.iter().map(|(tap, ..)| tap.take(Part::default())).collect();
        self.merge.lock().commit(&mut parts)
    }
}

impl Observer for Dealer {
    fn name(&mut self, id: u32, path: &Path, rank: Rank) {
        assert_eq!(id as usize, self.names.len(), "numbers are given in order");
        self.names.push((path.clone(), rank));
    }

    fn record(&mut self, record: &TraceRecord<'_>) -> io::Result<()> {
        if record.at.as_nanos() / self.every != self.at.as_nanos() / self.every {
            self.commit()?;
        }
        self.at = record.at;
        let path = self.names[record.receiver as usize].0.to_string();
        let root = path.trim_start_matches("time-keeper@").split('/').next().expect("a root");
        let shard = root.bytes().map(usize::from).sum::<usize>() % self.shards.len();
        let (tap, numbers, named) = &mut self.shards[shard];
        numbers.resize(self.names.len(), None);
        let [sender, receiver] = [record.sender, record.receiver].map(|id| {
            *numbers[id as usize].get_or_insert_with(|| {
                let (path, rank) = &self.names[id as usize];
                tap.name(*named, path, *rank);
                *named += 1;
                *named - 1
            })
        });
        tap.record(&TraceRecord { sender, receiver, ..*record })
    }

    fn end(&mut self, hash: TraceHash) -> io::Result<()> {
        self.commit()?;
        self.merge.lock().end(hash)
    }

    fn wording(&self) -> Option<Wording> {
        Some(in_full())
    }
}

/// A sink that others can look into.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sends, spawns and stops at random; its children have ranks of their own.
struct Talker {
    peers: Vec<Addr<Talker>>,
    depth: u32,
}

impl Actor for Talker {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        let keeper = ctx.time_keeper();
        ctx.ask(keeper, NextInstant, None);
        ctx.notify_after(Duration::nanos(1), 1u64);
    }
}

impl Handler<u64> for Talker {
    fn handle(&mut self, value: &u64, ctx: &mut Context<'_, Self>) {
        let bits = ctx.rng().bits();
        let peer = self.peers[bits as usize % self.peers.len()];
        match bits >> 32 & 15 {
            0..6 => ctx.send(peer, value % 7),
            6 if self.depth < 3 => {
                let rank = Rank((bits >> 40 & 3) as i32 - 1);
                let child = ctx.spawn_ranked(rank, Talker { peers: self.peers.clone(), depth: self.depth + 1 });
                ctx.send(child, 3u64);
                if self.depth > 0 && bits >> 50 & 1 == 0 {
                    // The child is never born: its letter is dead, at rank 0.
                    ctx.stop();
                }
                self.peers.push(child);
            }
            7 if self.depth > 0 => ctx.stop(),
            _ => _ = ctx.notify_after(Duration::nanos(1 + (bits >> 8 & 31) as i64), 1u64),
        }
    }
}

impl Handler<Answer<NextInstant>> for Talker {
    fn handle(&mut self, _: &Answer<NextInstant>, _: &mut Context<'_, Self>) {}
}

fn talk(observer: Box<dyn Observer>) -> Outcome {
    let mut sim = Simulation::new("talk").seed(5).until(Instant::from_nanos(3_000)).observe(observer);
    let names = [("q", -2), ("b", 0), ("c0", 0), ("c", 0), ("c-1", 0), ("k", 1)];
    let peers: Vec<Addr<Talker>> = names.iter().map(|(name, rank)| sim.reserve(name, Rank(*rank)).expect("a free name")).collect();
    peers.iter().for_each(|peer| sim.place(*peer, Talker { peers: peers.clone(), depth: 0 }));
    let items = (0..900u64).map(|item| Timed { at: Instant::from_nanos((item / 3) as i64 * 10), value: item });
    let stream = sim.stream("c-0", Stream::from_vec(items.collect()).one_by_one()).expect("a free name");
    peers.iter().for_each(|peer| sim.subscribe::<u64, _>(*peer, stream));
    sim.run().expect("a run")
}

#[test]
fn a_file_is_the_inline_hosts_byte_for_byte() {
    let writer = |sink: &Shared| Writer::new(sink.clone(), "memory", Text::Keep).expect("room");
    let inline = Shared::default();
    let outcome = talk(Box::new(writer(&inline)));
    assert!(outcome.deliveries > 6_000 && outcome.dead_letters > 20, "{} {}", outcome.deliveries, outcome.dead_letters);
    for (shards, every) in [(1, 1_000), (2, 1), (3, 17), (5, 10_000), (8, 100)] {
        let merged = Shared::default();
        let merge = Arc::new(Mutex::new(Merge::new(Some(Box::new(writer(&merged))), None)));
        let shards = (0..shards).map(|_| (Tap::new(Some(in_full())), Vec::new(), 0)).collect();
        let names = Vec::new();
        talk(Box::new(Dealer { names, shards, merge, at: Instant::EPOCH, every }));
        assert!(*merged.0.lock() == *inline.0.lock());
    }
}
