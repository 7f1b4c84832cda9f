//! Those who have nothing to do with anybody: an actor, and a stream that it may hear. Invariant: they send to themselves alone.

use stillpoint_engine::{Actor, BuildError, Context, Duration, Handler, Instant, Simulation, Stream, Timed};

/// The name of the actor.
pub(crate) const ACTOR: &str = "kit-bystander";
/// The name of the stream.
pub(crate) const STREAM: &str = "kit-bystander-stream";

/// Talks to itself, and to a child, for some steps and instants.
struct Bystander {
    is_child: bool,
}

impl Actor for Bystander {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        ctx.notify_soon(0u64);
        ctx.notify_at(ctx.now() + Duration::millis(30), 1u64);
        if !self.is_child {
            let child = ctx.spawn(Bystander { is_child: true });
            ctx.send(child, 3u64);
        }
    }
}

impl Handler<u64> for Bystander {
    fn handle(&mut self, number: &u64, ctx: &mut Context<'_, Self>) {
        ctx.rng().bits();
        if *number < 8 {
            let me = ctx.address();
            ctx.send(me, number + 4);
            ctx.send_after(me, Duration::millis(20), number + 3);
        }
    }
}

/// Adds the actor, and where `instants` are given a stream with an event at each of them, which the actor hears.
pub(crate) fn add(simulation: &mut Simulation, instants: Option<Vec<Instant>>) -> Result<(), BuildError> {
    let bystander = simulation.actor(ACTOR, Bystander { is_child: false })?;
    if let Some(instants) = instants {
        let items = instants.into_iter().map(|at| Timed { at, value: 9u64 }).collect();
        let stream = simulation.stream(STREAM, Stream::from_vec(items))?;
        simulation.subscribe::<u64, _>(bystander, stream);
    }
    Ok(())
}
