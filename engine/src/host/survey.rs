//! Looks at a simulation before it is spread over threads: who belongs together, and who does how much. Invariant: what it finds decides
//! where actors run, and can be seen in no trace.
#![expect(clippy::disallowed_methods, reason = "a trial is as long as the clock says")]

use std::collections::BTreeMap;
use std::time::{Duration as Wall, Instant as WallInstant};

use super::launch::Launch;
use super::plan::{Deal, Plan};
use crate::error::RunError;
use crate::kernel::border::Opening;
use crate::kernel::entry::ActorId;
use crate::kernel::ready::ReadyOrder;
use crate::kernel::shard::Shard;
use crate::time::Instant;

/// A trial ends after so many deliveries, or this long.
const TRIAL: u64 = 20_000;
const TRIAL_TIME: Wall = Wall::from_millis(20);

/// What a host must know of a simulation.
pub(super) struct Survey {
    pub(super) name: String,
    pub(super) plan: Plan,
    /// By number: since when each stream is open, if it is.
    pub(super) opened: Vec<Option<Opening>>,
    pub(super) start: Option<Instant>,
    pub(super) until: Option<Instant>,
}

/// Builds a simulation, looks at it, and deals it to shards.
pub(super) fn survey(launch: &Launch, shards: usize, known: Option<Loads>) -> Result<Survey, RunError> {
    let prepared = launch.build.prepare()?;
    if launch.log.is_some() && launch.ready.unwrap_or(prepared.shard.ready) != ReadyOrder::Sorted {
        let cause = "on several threads a log needs the sorted ready order; leave out the log, or the other ready order";
        return Err(RunError::Host(cause.to_owned()));
    }
    let core = &prepared.shard.core;
    let loads = match (known, launch.deal) {
        (Some(loads), _) => loads,
        (None, Deal::ByLoad) if shards > 1 && core.links.is_some() && core.components.all().len() > shards => trial(launch)?,
        _ => BTreeMap::new(),
    };
    Ok(Survey {
        plan: Plan::new(&core.components, core.links.as_ref(), core.hot.len(), shards, launch.deal, &loads),
        opened: prepared.shard.streams.iter().map(|stream| stream.has_subscribers().then_some(Opening::Start)).collect(),
        name: prepared.name,
        start: prepared.start,
        until: prepared.until,
    })
}

/// How much each root's tree has done, by its id.
pub(super) type Loads = BTreeMap<ActorId, u64>;

/// What has been delivered to each root's tree.
pub(super) fn loads(shard: &Shard) -> Loads {
    let mut loads = Loads::new();
    for (hot, cold) in shard.core.hot.iter().zip(&shard.core.cold) {
        *loads.entry(cold.root).or_insert(0) += hot.count;
    }
    loads
}

/// The loads of a short trial.
fn trial(launch: &Launch) -> Result<Loads, RunError> {
    let mut run = Launch::begin(launch.build.prepare()?, launch.restore.as_deref())?;
    let begun = WallInstant::now();
    let mut goes_on = |shard: &Shard| shard.core.counters.deliveries < TRIAL && begun.elapsed() < TRIAL_TIME;
    run.run_to_while(run.until, Some(&mut goes_on));
    Ok(loads(&run.shard))
}
