//! The workload: messages that hop from actor to actor on two sides, with a link between the sides, and work that takes its time.
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::hint::black_box;
use std::time::Instant as WallInstant;

use stillpoint_engine::{
    Actor, Addr, BuildError, Context, Duration, Handler, Instant, Link, Message, Outcome, Rank, Report, Simulation, Value,
};

/// Actors on each side.
const ACTORS: usize = 16;
/// The mean time between two deliveries to one actor, in virtual nanoseconds.
const GAP_NS: f64 = 1_000_000.0;

/// Work that no compiler can leave out: dependent multiplications.
pub(crate) fn spin(turns: u64) -> u64 {
    let mut state = black_box(0x9e37_79b9_7f4a_7c15u64);
    for _ in 0..turns {
        state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ state >> 31;
    }
    black_box(state)
}

/// How fast this machine spins.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    ns_per_turn: f64,
}

impl Pace {
    pub(crate) fn measure() -> Self {
        const TURNS: u64 = 2_000_000;
        let best = (0..5).map(|_| {
            let begun = WallInstant::now();
            spin(TURNS);
            begun.elapsed().as_nanos() as f64 / TURNS as f64
        });
        Self { ns_per_turn: best.fold(f64::MAX, f64::min) }
    }

    /// Turns for so many nanoseconds.
    pub(crate) fn spins(self, nanos: u64) -> u64 {
        (nanos as f64 / self.ns_per_turn) as u64
    }
}

/// A workload.
#[derive(Clone, Copy)]
pub(crate) struct Hopping {
    /// How many messages in a hundred go to the other side.
    pub(crate) remote: u32,
    pub(crate) spins: u64,
    pub(crate) events_in_window: f64,
    pub(crate) events: u64,
}

impl Hopping {
    /// Which part of the messages goes to the other side.
    fn share(self) -> f64 {
        f64::from(self.remote) / 100.0
    }

    /// Messages that each actor begins with: 1,024 in all, as is usual, or as many as a window of four gaps needs to hold so many events.
    fn messages(self) -> f64 {
        let needed = (self.events_in_window * (1.0 + 4.0 * self.share()) / 4.0).max(1_024.0);
        (needed / (2.0 * ACTORS as f64)).ceil()
    }

    /// The latency between the sides, such that so many events fall into a window: a message takes a gap, and now and then this latency.
    fn latency_ns(self) -> f64 {
        let part = self.events_in_window / (2.0 * ACTORS as f64 * self.messages());
        part * GAP_NS / (1.0 - self.share() * part)
    }

    /// How long the run is.
    fn length(self) -> Duration {
        let takes_ns = GAP_NS + self.share() * self.latency_ns();
        Duration::nanos((self.events as f64 / (2.0 * ACTORS as f64 * self.messages()) * takes_ns) as i64)
    }

    pub(crate) fn build(self) -> Result<Simulation, BuildError> {
        let mut sim = Simulation::new("hopping").seed(1).start(Instant::EPOCH).until(Instant::EPOCH + self.length());
        let name = |side: usize, index: usize| format!("{}{index:02}", ["left", "right"][side]);
        let mut sides: [Vec<Addr<Hopper>>; 2] = [Vec::new(), Vec::new()];
        for (side, actors) in sides.iter_mut().enumerate() {
            for index in 0..ACTORS {
                actors.push(sim.reserve(&name(side, index), Rank::default())?);
            }
        }
        for (side, actors) in sides.iter().enumerate() {
            for address in actors {
                let (near, far) = (actors.clone(), sides[1 - side].clone());
                let (begins, remote, spins) = (self.messages() as u64, self.remote, self.spins);
                let hopper = Hopper { near, far, begins, remote, spins, came: 0, far_came: 0 };
                sim.place(*address, hopper);
            }
        }
        for side in 0..2 {
            for index in 0..ACTORS {
                for other in 0..ACTORS {
                    if index != other {
                        sim.link(&name(side, index), &name(side, other), Link::latency(Duration::ZERO))?;
                    }
                    if self.remote > 0 {
                        sim.link(&name(side, index), &name(1 - side, other), Link::latency(Duration::nanos(self.latency_ns() as i64 + 1)))?;
                    }
                }
            }
        }
        Ok(sim)
    }

    /// Which part of the deliveries came from the other side.
    pub(crate) fn crossing(self) -> f64 {
        let outcome = self.build().expect("a simulation").run().expect("a run");
        let sum = |outcome: &Outcome, name: &str| -> f64 {
            let values = outcome.reports.iter().filter_map(|(_, report)| report.get(name));
            values.map(|value| if let Value::Integer(count) = value { *count as f64 } else { 0.0 }).sum()
        };
        sum(&outcome, "from the other side") / sum(&outcome, "messages").max(1.0)
    }
}

/// Works on a message, then sends it on after a random time.
struct Hopper {
    near: Vec<Addr<Hopper>>,
    far: Vec<Addr<Hopper>>,
    begins: u64,
    remote: u32,
    spins: u64,
    came: i64,
    far_came: i64,
}

#[derive(Debug, Hash)]
struct Hop {
    from_afar: bool,
}

impl Message for Hop {
    const KIND: &'static str = "hop";
}

impl Hopper {
    fn send_on(&mut self, ctx: &mut Context<'_, Self>) {
        let delay = Duration::nanos(ctx.rng().exponential(GAP_NS) as i64 + 1);
        let from_afar = ctx.rng().below(100) < u64::from(self.remote);
        let side = if from_afar { &self.far } else { &self.near };
        let to = side[ctx.rng().below(side.len() as u64) as usize];
        ctx.send_after(to, delay, Hop { from_afar });
    }
}

impl Actor for Hopper {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        (0..self.begins).for_each(|_| self.send_on(ctx));
    }

    fn report(&self, report: &mut Report) {
        report.integer("messages", self.came);
        report.integer("from the other side", self.far_came);
    }
}

impl Handler<Hop> for Hopper {
    fn handle(&mut self, hop: &Hop, ctx: &mut Context<'_, Self>) {
        self.came += 1;
        self.far_came += i64::from(hop.from_afar);
        spin(self.spins);
        self.send_on(ctx);
    }
}
