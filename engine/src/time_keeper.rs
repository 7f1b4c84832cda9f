//! The time-keeper as actors meet it: one facet per asker (rule R20). Invariant: it tells an asker only of the asker's own future.

use serde::{Deserialize, Serialize};

use crate::actor::{Actor, Handler, Responds};
use crate::ask::Responder;
use crate::context::Context;
use crate::kernel::core::Core;
use crate::kernel::entry::ActorId;
use crate::message::{Message, Request};
use crate::snapshot::Saving;
use crate::time::Instant;

/// Asks for the least instant at which a timer, task, job or subscribed stream of the asker is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NextInstant;

/// The answer to [`NextInstant`]. `None`: nothing is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NextInstantIs(pub Option<Instant>);

/// Stops the run at the end of the step that delivers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StopRun;

impl Message for NextInstant {
    const KIND: &'static str = "next-instant";
}

impl Request for NextInstant {
    type Reply = NextInstantIs;
}

impl Message for NextInstantIs {
    const KIND: &'static str = "next-instant-is";
}

impl Message for StopRun {
    const KIND: &'static str = "stop-run";
}

/// A facet of the time-keeper; [`Context::time_keeper`] gives its address.
#[derive(Debug, Serialize, Deserialize)]
pub struct TimeKeeper(pub(crate) ());

impl Actor for TimeKeeper {
    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<StopRun>().answers::<NextInstant>())
    }
}

impl Handler<StopRun> for TimeKeeper {
    fn handle(&mut self, _: &StopRun, ctx: &mut Context<'_, Self>) {
        let core = ctx.core();
        core.stop_requested = true;
        core.attention = true;
    }
}

impl Responds<NextInstant> for TimeKeeper {
    fn respond(&mut self, _: &NextInstant, responder: Responder<NextInstantIs>, ctx: &mut Context<'_, Self>) {
        let core = ctx.core();
        let next = core.noted_next_instant(core.me);
        ctx.reply(responder, NextInstantIs(next));
    }
}

impl Core {
    fn noted_next_instant(&self, facet: ActorId) -> Option<Instant> {
        self.next_instants.iter().find(|(noted, _)| *noted == facet).and_then(|(_, next)| *next)
    }
}
