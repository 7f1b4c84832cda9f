//! What an actor is: a state that is changed by deliveries, one at a time.

use crate::ask::Responder;
use crate::context::Context;
use crate::message::{Message, Request};
use crate::report::Report;
use crate::snapshot::Saving;

/// Something with a mailbox.
///
/// By implementing this you promise that what the actor does depends on its deliveries and its [`Context`] alone: no clock, no environment,
/// no map in random order, no state shared with others. Then its trace is the same on every run.
///
/// ```
/// use stillpoint_engine::{Actor, Context, Handler, Message, Simulation};
///
/// #[derive(Debug, Hash)]
/// struct Ping;
/// impl Message for Ping {
///     const KIND: &'static str = "ping";
/// }
///
/// struct Counter(u64);
/// impl Actor for Counter {
///     fn started(&mut self, ctx: &mut Context<'_, Self>) {
///         ctx.notify_soon(Ping);
///     }
/// }
/// impl Handler<Ping> for Counter {
///     fn handle(&mut self, _: &Ping, _: &mut Context<'_, Self>) {
///         self.0 += 1;
///     }
/// }
///
/// let mut sim = Simulation::new("count");
/// sim.actor("counter", Counter(0))?;
/// let outcome = sim.run()?;
/// assert_eq!(outcome.deliveries, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Actor: Sized + Send + 'static {
    /// The first delivery: at the start of the run, or in the step after the one that spawned it.
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        let _ = ctx;
    }

    /// How the actor is saved in a [`Snapshot`](crate::Snapshot): with what kinds of messages, jobs, questions and children.
    ///
    /// `None`, which is what this gives unless it is overridden, says that it cannot be: a snapshot of a run with such an actor is refused.
    fn saving() -> Option<Saving<Self>> {
        None
    }

    /// Named results, asked for when the run has ended, or when the actor stops.
    fn report(&self, report: &mut Report) {
        let _ = report;
    }
}

/// An actor that takes messages of type `M`.
pub trait Handler<M: Message>: Actor {
    /// Handles one message. `ctx.event()` tells when it was due.
    fn handle(&mut self, message: &M, ctx: &mut Context<'_, Self>);
}

/// An actor that answers questions of type `R`.
pub trait Responds<R: Request>: Actor {
    /// Handles one question: answer with [`Context::reply`], at once or later; a responder that is dropped tells the asker that it is gone.
    fn respond(&mut self, request: &R, responder: Responder<R::Reply>, ctx: &mut Context<'_, Self>);
}
