//! The engine's side of each workload. What is set up, starts included, is not measured.

use std::sync::Arc;

use stillpoint_engine::{
    Actor, Addr, Context, Duration, Handler, Instant, JobDone, Limits, Message, Outcome, Rank, Simulation, Stream, Timed,
};

use crate::random::Random;
use crate::workload::{PROCESSES, Ready, Tick, share, streams};

/// A simulation that has handled the starts; an event is what `count` makes of the outcome.
fn ready(sim: Simulation, count: impl FnOnce(&Outcome) -> u64 + 'static) -> Ready {
    let mut run = sim.begin().expect("a simulation that can begin");
    run.until(Instant::EPOCH);
    Box::new(move || count(&run.finish().expect("a run without errors")))
}

/// Sends each event on to a random process.
struct Lp {
    peers: Arc<[Addr<Self>]>,
    first: u32,
    sent: u64,
    random: Random,
}

impl Lp {
    fn send(&mut self, ctx: &mut Context<'_, Self>) {
        let delay = Duration::nanos(self.random.exponential_ns());
        let target = self.peers[self.random.below(PROCESSES) as usize];
        self.sent += 1;
        ctx.send_after(target, delay, Tick(self.sent));
    }
}

impl Actor for Lp {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        (0..self.first).for_each(|_| self.send(ctx));
    }
}

impl Handler<Tick> for Lp {
    fn handle(&mut self, _: &Tick, ctx: &mut Context<'_, Self>) {
        self.send(ctx);
    }
}

pub(crate) fn phold(count: u32, until: i64) -> Ready {
    let mut sim = Simulation::new("phold").until(Instant::from_nanos(until));
    let name = |index: u32| format!("lp-{index:04}");
    let peers: Arc<[Addr<Lp>]> = (0..PROCESSES).map(|index| sim.reserve(&name(index), Rank(0)).expect("a free name")).collect();
    for (index, address) in (0u32..).zip(peers.iter()) {
        sim.place(*address, Lp { peers: peers.clone(), first: share(count, index), sent: 0, random: Random::new(u64::from(index)) });
    }
    ready(sim, |outcome| outcome.deliveries - u64::from(PROCESSES))
}

/// Answers at once.
struct Player {
    peer: Addr<Self>,
    left: u64,
    serves: bool,
}

impl Actor for Player {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        if self.serves {
            ctx.send_after(self.peer, Duration::nanos(1), Tick(0));
        }
    }
}

impl Handler<Tick> for Player {
    fn handle(&mut self, tick: &Tick, ctx: &mut Context<'_, Self>) {
        if self.left > 0 {
            self.left -= 1;
            ctx.send(self.peer, Tick(tick.0 + 1));
        }
    }
}

pub(crate) fn ping_pong(count: u64) -> Ready {
    let mut sim = Simulation::new("ping-pong").limits(Limits { max_steps: u32::MAX, ..Limits::default() });
    let (ping, pong) = (sim.reserve("ping", Rank(0)).expect("a free name"), sim.reserve("pong", Rank(0)).expect("a free name"));
    sim.place(ping, Player { peer: pong, left: count / 2 - 1, serves: true });
    sim.place(pong, Player { peer: ping, left: count / 2, serves: false });
    ready(sim, |outcome| outcome.deliveries - 2)
}

/// Re-arms itself.
struct Holder {
    outstanding: u64,
    left: u64,
    random: Random,
}

impl Holder {
    fn arm(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.notify_after(Duration::nanos(self.random.uniform_ns()), Tick(self.left));
    }
}

impl Actor for Holder {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        (0..self.outstanding).for_each(|_| self.arm(ctx));
    }
}

impl Handler<Tick> for Holder {
    fn handle(&mut self, _: &Tick, ctx: &mut Context<'_, Self>) {
        if self.left > 0 {
            self.left -= 1;
            self.arm(ctx);
        }
    }
}

pub(crate) fn timers(outstanding: u64, count: u64) -> Ready {
    let mut sim = Simulation::new("timers");
    let holder = Holder { outstanding, left: count - outstanding, random: Random::new(1) };
    sim.actor("holder", holder).expect("a free name");
    ready(sim, |outcome| outcome.deliveries - 1)
}

/// Publishes at random intervals.
struct Publisher {
    left: u64,
    random: Random,
}

impl Publisher {
    fn arm(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.notify_after(Duration::nanos(self.random.uniform_ns()), Tick(self.left));
    }
}

impl Actor for Publisher {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        self.arm(ctx);
    }
}

impl Handler<Tick> for Publisher {
    fn handle(&mut self, tick: &Tick, ctx: &mut Context<'_, Self>) {
        ctx.publish(*tick);
        self.left -= 1;
        if self.left > 0 {
            self.arm(ctx);
        }
    }
}

/// Takes everything and does nothing.
struct Sink;

impl Actor for Sink {}

impl<M: Message> Handler<M> for Sink {
    fn handle(&mut self, _: &M, _: &mut Context<'_, Self>) {}
}

pub(crate) fn fan_out(receivers: u32, count: u64) -> Ready {
    let pulses = count / u64::from(receivers);
    let mut sim = Simulation::new("fan-out");
    let source = sim.actor("source", Publisher { left: pulses, random: Random::new(1) }).expect("a free name");
    for index in 0..receivers {
        let sink = sim.actor(&format!("sink-{index:03}"), Sink).expect("a free name");
        sim.subscribe_to::<Tick, _, _>(sink, source);
    }
    ready(sim, move |outcome| outcome.deliveries - pulses - 1 - u64::from(receivers))
}

pub(crate) fn merge(count_of_streams: u32, count: u64) -> Ready {
    merged(streams(count_of_streams, count))
}

/// [`merge`] over items of any type.
pub(crate) fn merged<M: Message + Clone + Sync>(streams: Vec<Vec<Timed<M>>>) -> Ready {
    let mut sim = Simulation::new("merge").start(Instant::EPOCH);
    let sink = sim.actor("sink", Sink).expect("a free name");
    for (index, items) in streams.into_iter().enumerate() {
        let stream = sim.stream(&format!("stream-{index:03}"), Stream::from_vec(items)).expect("a free name");
        sim.subscribe(sink, stream);
    }
    ready(sim, |outcome| outcome.events)
}

/// Sleeps in a task, again and again.
struct Sleeper {
    naps: u64,
}

impl Actor for Sleeper {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        let naps = self.naps;
        ctx.task(move |cx| async move {
            let mut random = Random::new(1);
            for _ in 0..naps {
                cx.sleep(Duration::nanos(random.uniform_ns())).await;
            }
        });
    }
}

pub(crate) fn await_sleep(count: u64) -> Ready {
    let mut sim = Simulation::new("await-sleep");
    sim.actor("sleeper", Sleeper { naps: count }).expect("a free name");
    ready(sim, |outcome| outcome.deliveries - 1)
}

/// Lives for one step.
struct Child;

impl Actor for Child {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.stop();
    }
}

/// Spawns a child, again and again.
struct Parent {
    left: u64,
    random: Random,
}

impl Parent {
    fn arm(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.notify_after(Duration::nanos(self.random.uniform_ns()), Tick(self.left));
    }
}

impl Actor for Parent {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        self.arm(ctx);
    }
}

impl Handler<Tick> for Parent {
    fn handle(&mut self, _: &Tick, ctx: &mut Context<'_, Self>) {
        ctx.spawn(Child);
        self.left -= 1;
        if self.left > 0 {
            self.arm(ctx);
        }
    }
}

/// An event is a child: the timer for which it is spawned, its start, and its end. Another actor stands above them all, as in most simulations.
pub(crate) fn spawn(count: u64) -> Ready {
    let mut sim = Simulation::new("spawn");
    sim.actor("parent", Parent { left: count, random: Random::new(1) }).expect("a free name");
    sim.actor("sink", Sink).expect("a free name");
    ready(sim, move |outcome| (outcome.deliveries - 2) / 2)
}

/// Submits an empty job, again and again.
struct Submitter {
    left: u64,
    random: Random,
}

impl Submitter {
    fn submit(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.submit(Duration::nanos(self.random.uniform_ns()), || Tick(0));
    }
}

impl Actor for Submitter {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        self.submit(ctx);
    }
}

impl Handler<JobDone<Tick>> for Submitter {
    fn handle(&mut self, _: &JobDone<Tick>, ctx: &mut Context<'_, Self>) {
        self.left -= 1;
        if self.left > 0 {
            self.submit(ctx);
        }
    }
}

/// Jobs run where they are waited for: a thread's wake-up would cost more than all the rest.
pub(crate) fn offload(count: u64) -> Ready {
    let mut sim = Simulation::new("offload-empty");
    sim.actor("submitter", Submitter { left: count, random: Random::new(1) }).expect("a free name");
    ready(sim, |outcome| outcome.deliveries - 1)
}
