//! One run of a world, kept for comparison with all its deliveries. Invariant: a world that is not complete is a mistake in the test, and panics.

use stillpoint_engine::host::Launch;
use stillpoint_engine::snapshot::{RestoreError, Snapshot};
use stillpoint_engine::trace::Collect;
use stillpoint_engine::{Failed, Outcome, RunError, Simulation};

use crate::drive::{Drive, driven, quietly};
use crate::facts::{Facts, facts};

/// A run that is over.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    /// What it came to.
    pub(crate) outcome: Outcome,
    /// Why it failed, if it did.
    pub(crate) error: Option<RunError>,
    /// Every delivery.
    pub(crate) trace: Collect,
}

impl Ran {
    fn of(ran: Result<Outcome, Box<Failed>>, trace: Collect) -> Self {
        let (outcome, error) = match ran {
            Ok(outcome) => (outcome, None),
            Err(failed) => {
                let Failed { error, outcome } = *failed;
                (outcome, Some(error))
            }
        };
        if let Some(error @ (RunError::Build(_) | RunError::Host(_))) = &error {
            panic!("the world cannot be run: {error}");
        }
        Self { outcome, error, trace }
    }

    /// Everything that must be equal in a run that did the same.
    pub(crate) fn facts(&self) -> Facts {
        facts(&self.outcome, self.error.as_ref())
    }
}

/// Runs a simulation to its end and keeps its trace under a label.
pub(crate) fn play(simulation: Simulation, label: &str, drive: &Drive) -> Ran {
    let trace = Collect::new(label);
    Ran::of(driven(simulation.observe(Box::new(trace.clone())), drive), trace)
}

/// Runs on several threads.
pub(crate) fn play_on(launch: Launch, label: &str) -> Ran {
    let trace = Collect::new(label);
    let launch = launch.observe(Box::new(trace.clone()));
    Ran::of(quietly(|| launch.run()), trace)
}

/// Goes on from a snapshot.
pub(crate) fn restored(simulation: Simulation, snapshot: &Snapshot, label: &str) -> Result<Ran, RestoreError> {
    let trace = Collect::new(label);
    let run = simulation.observe(Box::new(trace.clone())).restore(snapshot)?;
    Ok(Ran::of(quietly(|| run.finish()), trace))
}
