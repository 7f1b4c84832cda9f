//! Driving a run: whole, in pieces, on several threads. Invariant: panics of actors are not printed; they become errors of runs.

use std::collections::BTreeMap;
use std::error::Error;

use stillpoint_engine::host::{Host, Launch};
use stillpoint_engine::trace::TraceHash;
use stillpoint_engine::{End, Failed, Instant, Outcome, Simulation};

use crate::perturbation::HostOf;
use crate::rim::Quiet;

/// How a run is driven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Drive {
    Whole,
    /// To this instant, then on.
    Pause(Instant),
    Steps,
    Instants,
}

/// Does something during which panics of actors are not printed.
pub(crate) fn quietly<T>(work: impl FnOnce() -> T) -> T {
    let _quiet = Quiet::new();
    work()
}

/// Runs a simulation on this thread.
pub(crate) fn driven(simulation: Simulation, drive: &Drive) -> Result<Outcome, Box<Failed>> {
    quietly(|| {
        let mut run = match drive {
            Drive::Whole => return simulation.run(),
            _ => simulation.begin().map_err(|error| Box::new(Failed { error, outcome: unbegun() }))?,
        };
        match drive {
            Drive::Whole => {}
            Drive::Pause(at) => _ = run.until(*at),
            Drive::Steps => while run.step() {},
            Drive::Instants => while run.step_instant() {},
        }
        run.finish()
    })
}

impl HostOf {
    /// A launch on this host.
    pub(crate) fn launch<E: Into<Box<dyn Error + Send + Sync>>>(
        &self,
        build: impl Fn() -> Result<Simulation, E> + Send + Sync + 'static,
    ) -> Launch {
        let launch = Launch::new(build).host(Host::Actix { threads: self.threads }).shards(self.shards);
        let launch = launch.batch(self.batch).deal(self.deal).ready_order(self.order);
        if let Some(window) = self.window { launch.window(window) } else { launch }
    }
}

/// The outcome of a run that failed before its first step, as [`Simulation::run`] gives it but for the name.
fn unbegun() -> Outcome {
    Outcome {
        name: String::new(),
        end: End::Failed,
        trace_hash: TraceHash(0),
        events: 0,
        deliveries: 0,
        instants: 0,
        steps: 0,
        first: None,
        last: None,
        streams: BTreeMap::new(),
        dead_letters: 0,
        lost: 0,
        never: 0,
        reports: Vec::new(),
        chains: Vec::new(),
        metrics: None,
    }
}
