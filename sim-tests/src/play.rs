//! One run, kept for comparison. Invariant: two runs that did the same are equal here, whatever they cost and wherever they ran.

use std::collections::BTreeMap;

use stillpoint_engine::host::{Host, Launch};
use stillpoint_engine::snapshot::{RestoreError, Snapshot};
use stillpoint_engine::trace::{Collect, TraceHash};
use stillpoint_engine::{BuildError, End, Failed, Instant, Outcome, Path, RunError, Simulation};

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

/// Runs a simulation to its end and keeps its trace under a label. Panics if it is not complete: a mistake in the test.
pub(crate) fn play(simulation: Simulation, label: &str, drive: &Drive) -> Ran {
    let trace = Collect::new(label);
    over(driven(simulation.observe(Box::new(trace.clone())), drive), trace)
}

/// Runs what is built on several threads.
pub(crate) fn play_on(build: impl Fn() -> Simulation + Send + Sync + 'static, label: &str, host: &HostOf) -> Ran {
    let trace = Collect::new(label);
    let launch = host.launch(build).observe(Box::new(trace.clone()));
    let _quiet = Quiet::new();
    over(launch.run(), trace)
}

impl HostOf {
    /// A launch on this host.
    pub(crate) fn launch(&self, build: impl Fn() -> Simulation + Send + Sync + 'static) -> Launch {
        let launch = Launch::new(move || Ok::<_, BuildError>(build())).host(Host::Actix { threads: self.threads }).shards(self.shards);
        let launch = launch.batch(self.batch).deal(self.deal).ready_order(self.order);
        if let Some(window) = self.window { launch.window(window) } else { launch }
    }
}

/// Goes on from a snapshot.
pub(crate) fn restored(simulation: Simulation, snapshot: &Snapshot, label: &str) -> Result<Ran, RestoreError> {
    let trace = Collect::new(label);
    let run = simulation.observe(Box::new(trace.clone())).restore(snapshot)?;
    let _quiet = Quiet::new();
    Ok(over(run.finish(), trace))
}

/// Runs a simulation. Panics of its actors are not printed.
pub(crate) fn driven(simulation: Simulation, drive: &Drive) -> Result<Outcome, Box<Failed>> {
    let _quiet = Quiet::new();
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
}

pub(crate) fn over(ran: Result<Outcome, Box<Failed>>, trace: Collect) -> Ran {
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
    Ran { outcome, error, trace }
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

/// What must be equal, as pairs of what it is and its value.
pub(crate) type Facts = Vec<(String, String)>;

impl Ran {
    /// Everything that must be equal in a run that did the same.
    pub(crate) fn facts(&self) -> Facts {
        facts(&self.outcome, self.error.as_ref())
    }
}

/// Everything that must be equal in a run that did the same.
pub(crate) fn facts(outcome: &Outcome, error: Option<&RunError>) -> Facts {
    let mut facts = vec![("the trace hash".to_owned(), outcome.trace_hash.to_string()), ("the end".to_owned(), end(outcome, error))];
    let counts = [("lost on links", outcome.lost), ("never due", outcome.never), ("dead letters", outcome.dead_letters)];
    facts.extend(counts.map(|(what, count)| (what.to_owned(), count.to_string())));
    facts.extend(outcome.streams.iter().map(|(path, counts)| (format!("the counts of stream {path}"), format!("{counts:?}"))));
    facts.extend(who(outcome, |_| true));
    facts
}

/// What must be equal though others are there too, who are known by the names of their roots.
pub(crate) fn facts_without(outcome: &Outcome, error: Option<&RunError>, strangers: &[&str]) -> Facts {
    let mut facts = vec![("the end".to_owned(), end(outcome, error))];
    facts.extend(who(outcome, |path| !is_of(path, strangers)));
    facts
}

/// Whether a path is that of one of these roots, below one of them, or of the time-keeper's facet for one of those.
pub(crate) fn is_of(path: &Path, roots: &[&str]) -> bool {
    let path = path.to_string();
    let root = path.split('/').next().unwrap_or_default();
    roots.contains(&root.strip_prefix("time-keeper@").unwrap_or(root))
}

/// How a run ended, with the whole error.
fn end(outcome: &Outcome, error: Option<&RunError>) -> String {
    error.map_or_else(|| outcome.end.to_string(), |error| format!("failed: {error}"))
}

/// Everybody's chain and count, and what they reported, floats to the last bit.
fn who(outcome: &Outcome, is_meant: impl Fn(&Path) -> bool) -> Facts {
    let chains = outcome.chains.iter().filter(|(path, ..)| is_meant(path));
    let chains = chains.map(|(path, chain, count)| (format!("the deliveries of {path}"), format!("{count}, {chain:016x}")));
    let reports = outcome.reports.iter().filter(|(path, _)| is_meant(path));
    let entries = reports.flat_map(|(path, report)| report.entries().iter().map(move |entry| (path, entry)));
    let results = entries.map(|(path, (name, value))| (format!("the result `{name}` of {path}"), format!("{value:?}")));
    chains.chain(results).collect()
}
