//! In steady state no delivery allocates. One test alone in its process, since allocations are counted for all threads.

use dhat::{HeapStats, Profiler};
use stillpoint_engine::{Actor, Addr, Context, Duration, Every, Handler, Instant, Message, Rank, Simulation, Stream, StreamRef, Timed};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

#[derive(Clone, Copy, Debug, Hash)]
struct Tick(u64);

impl Message for Tick {
    const KIND: &'static str = "tick";
}

/// What an actor does at each tick, a microsecond apart, until the run is cut.
#[derive(Clone, Copy, Debug)]
enum Habit {
    /// Sends to its peer.
    Send,
    /// Sends to its peer, to arrive later.
    SendLater,
    /// Arms two timers and cancels one of them.
    Timers,
    /// Publishes to its peer.
    Publish,
    /// Nothing: an interval or a stream does it all.
    Listen,
    /// Allocates: the canary, which must be noticed.
    Hoard,
}

struct Walker {
    habit: Habit,
    peer: Option<Addr<Peer>>,
    ticks: bool,
    interval: bool,
    sleeps: bool,
    hoard: Vec<Vec<u64>>,
}

/// Takes what it is sent.
struct Peer;

impl Actor for Peer {}

impl Handler<Tick> for Peer {
    fn handle(&mut self, _: &Tick, _: &mut Context<'_, Self>) {}
}

const BEAT: Duration = Duration::micros(1);

impl Actor for Walker {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        if self.ticks {
            ctx.notify_after(BEAT, Tick(0));
        }
        if self.interval {
            ctx.notify_every(Every { first: Instant::EPOCH + BEAT, period: BEAT, end: None }, Tick(0));
        }
        if self.sleeps {
            ctx.task(|cx| async move {
                loop {
                    cx.sleep(BEAT).await;
                }
            });
        }
    }
}

impl Handler<Tick> for Walker {
    fn handle(&mut self, tick: &Tick, ctx: &mut Context<'_, Self>) {
        match (self.habit, self.peer) {
            (Habit::Send, Some(peer)) => ctx.send(peer, *tick),
            (Habit::SendLater, Some(peer)) => ctx.send_after(peer, Duration::nanos(1500), *tick),
            (Habit::Publish, _) => ctx.publish(*tick),
            (Habit::Timers, _) => {
                let timer = ctx.notify_after(Duration::micros(3), *tick);
                ctx.cancel(timer);
            }
            (Habit::Hoard, _) => self.hoard.push(vec![tick.0]),
            _ => {}
        }
        if self.ticks {
            ctx.notify_after(BEAT, Tick(tick.0 + 1));
        }
    }
}

/// Blocks allocated, and deliveries, between the 30th and the 60th millisecond of a run.
fn blocks_and_deliveries(case: &str) -> (u64, u64) {
    let mut sim = Simulation::new(case).start(Instant::EPOCH).until(Instant::EPOCH + Duration::millis(100));
    let peer = sim.reserve::<Peer>("peer", Rank(0)).expect("a free name");
    sim.place(peer, Peer);
    let habit = match case {
        "sends" => Habit::Send,
        "delayed sends" => Habit::SendLater,
        "timers" => Habit::Timers,
        "publications" => Habit::Publish,
        "canary" => Habit::Hoard,
        _ => Habit::Listen,
    };
    let ticks = !matches!(habit, Habit::Listen);
    let (interval, sleeps) = (case == "interval", case == "await sleep");
    let walker = Walker { habit, peer: Some(peer), ticks, interval, sleeps, hoard: Vec::new() };
    let walker = sim.actor("walker", walker).expect("a free name");
    sim.subscribe_to::<Tick, _, _>(peer, walker);
    if case == "stream" {
        let item = |index: u64| Timed { at: Instant::from_nanos(index as i64 * 1000), value: Tick(index) };
        let stream: StreamRef<Tick> = sim.stream("stream", Stream::from_vec((0..100_000).map(item).collect())).expect("a free name");
        sim.subscribe(walker, stream);
        sim.subscribe(peer, stream);
    }
    let mut run = sim.begin().expect("a run");
    run.until(Instant::EPOCH + Duration::millis(30));
    let before = (HeapStats::get().total_blocks, run.progress().deliveries);
    run.until(Instant::EPOCH + Duration::millis(60));
    let after = (HeapStats::get().total_blocks, run.progress().deliveries);
    (after.0 - before.0, after.1 - before.1)
}

#[test]
fn nothing_allocates_per_message() {
    let _profiler = Profiler::builder().testing().build();
    // 30 ms are 30,000 beats; sends and publications make two deliveries of each, and so does a stream with two subscribers.
    let cases = [
        ("sends", 60_000),
        ("delayed sends", 60_000),
        ("timers", 30_000),
        ("interval", 30_000),
        ("publications", 60_000),
        ("stream", 60_000),
        ("await sleep", 30_000),
    ];
    for (case, deliveries) in cases {
        assert_eq!(blocks_and_deliveries(case), (0, deliveries), "{case}: blocks allocated, and deliveries");
    }
    assert!(blocks_and_deliveries("canary").0 >= 30_000, "allocations are not counted");
}
