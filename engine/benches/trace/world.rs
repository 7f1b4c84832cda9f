//! The run whose trace is compared: a thousand actors that tick and write to each other at random, a stream, and an alarm set at the start.

use std::sync::Arc;

use stillpoint_engine::trace::Observer;
use stillpoint_engine::{Actor, Addr, Context, Duration, Handler, Instant, Message, Outcome, Rank, Simulation, Stream, Timed};

use crate::random::Random;

const ACTORS: u32 = 1_000;
/// Every so many records, an item of the stream.
const PER_ITEM: u64 = 1_000;

/// What one run does differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Nothing,
    /// Everybody's first note after this share of the run, in percent.
    Note(u8),
    /// The note of the alarm: it is set at the start and rings when nearly all is over.
    Alarm,
    /// The last item of the stream.
    Item,
}

#[derive(Debug, Hash)]
struct Tick;
impl Message for Tick {
    const KIND: &'static str = "tick";
}

#[derive(Clone, Debug, Hash)]
struct Note(u64);
impl Message for Note {
    const KIND: &'static str = "note";
}

/// Ticks at random and writes to a random peer each time, at once or later.
struct Writer {
    peers: Arc<[Addr<Self>]>,
    random: Random,
    /// From when on its next note is another one than it would have been.
    changes_at: Option<Instant>,
}

impl Writer {
    fn wait(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.notify_after(Duration::nanos(self.random.uniform_ns()), Tick);
    }
}

impl Actor for Writer {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        self.wait(ctx);
    }
}

impl Handler<Tick> for Writer {
    fn handle(&mut self, _: &Tick, ctx: &mut Context<'_, Self>) {
        let changed = self.changes_at.take_if(|at| *at <= ctx.now()).is_some();
        let note = Note(self.random.next() ^ u64::from(changed));
        let peer = self.peers[self.random.below(ACTORS) as usize];
        if self.random.below(2) == 0 {
            ctx.send(peer, note);
        } else {
            ctx.send_after(peer, Duration::nanos(self.random.uniform_ns()), note);
        }
        self.wait(ctx);
    }
}

impl Handler<Note> for Writer {
    fn handle(&mut self, _: &Note, _: &mut Context<'_, Self>) {}
}

struct Alarm {
    rings: Instant,
    note: u64,
}

impl Actor for Alarm {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.notify_at(self.rings, Note(self.note));
    }
}

impl Handler<Note> for Alarm {
    fn handle(&mut self, _: &Note, _: &mut Context<'_, Self>) {}
}

/// Runs it to about `records` records.
pub(crate) fn run(records: u64, change: Change, observer: Option<Box<dyn Observer>>) -> Outcome {
    // Each actor has two records for every delay, which is 2^30 ns in the mean.
    let last = (records / u64::from(2 * ACTORS)) as i64 * (1 << 30);
    let percent = |percent: i64| Instant::from_nanos(last / 100 * percent);
    let mut sim = Simulation::new("writers").until(Instant::from_nanos(last));
    if let Some(observer) = observer {
        sim = sim.observe(observer);
    }
    let peers: Arc<[Addr<Writer>]> =
        (0..ACTORS).map(|index| sim.reserve(&format!("writer-{index:04}"), Rank(0)).expect("a free name")).collect();
    for (index, address) in (0..).zip(peers.iter()) {
        let changes_at = match change {
            Change::Note(share) => Some(percent(share.into())),
            _ => None,
        };
        sim.place(*address, Writer { peers: peers.clone(), random: Random::new(index), changes_at });
    }
    sim.actor("alarm", Alarm { rings: percent(99), note: u64::from(change == Change::Alarm) }).expect("a free name");
    let items = (records / PER_ITEM) as i64;
    let item = |index: i64| Timed { at: Instant::from_nanos(last / items * index), value: Note(index as u64) };
    let mut items: Vec<Timed<Note>> = (0..items).map(item).collect();
    if let (Change::Item, Some(item)) = (change, items.last_mut()) {
        item.value.0 = u64::MAX;
    }
    let stream = sim.stream("stream", Stream::from_vec(items)).expect("a free name");
    sim.subscribe::<Note, _>(peers[0], stream);
    sim.run().expect("a run without errors")
}
