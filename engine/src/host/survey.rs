//! Looks at a simulation before it is spread over threads: who belongs together, and who does how much. Invariant: what it finds decides
//! where actors run, and can be seen in no trace.
#![expect(clippy::disallowed_methods, reason = "a trial is as long as the clock says")]

use std::collections::BTreeMap;
use std::time::{Duration as Wall, Instant as WallInstant};

use super::launch::{Build, Launch};
use super::plan::{Deal, Plan};
use crate::error::RunError;
use crate::kernel::entry::ActorId;
use crate::kernel::shard::Shard;
use crate::time::Instant;

/// A trial ends after so many deliveries, or this long.
const TRIAL: u64 = 20_000;
const TRIAL_TIME: Wall = Wall::from_millis(20);

/// What a host must know of a simulation.
pub(super) struct Survey {
    pub(super) name: String,
    pub(super) plan: Plan,
    /// By number: the streams that are open from the start.
    pub(super) opened: Vec<bool>,
    pub(super) start: Option<Instant>,
    pub(super) until: Option<Instant>,
}

/// Builds a simulation, looks at it, and deals it to shards.
pub(super) fn survey(launch: &Launch, shards: usize) -> Result<Survey, RunError> {
    let prepared = launch.build.prepare()?;
    let core = &prepared.shard.core;
    let loads = match launch.deal {
        Deal::ByLoad if shards > 1 && core.links.is_some() && core.components.all().len() > shards => loads(&launch.build)?,
        _ => BTreeMap::new(),
    };
    Ok(Survey {
        plan: Plan::new(&core.components, core.links.as_ref(), core.hot.len(), shards, launch.deal, &loads),
        opened: prepared.shard.streams.iter().map(|stream| stream.has_subscribers()).collect(),
        name: prepared.name,
        start: prepared.start,
        until: prepared.until,
    })
}

/// How many deliveries each root's tree has in a short trial.
fn loads(build: &Build) -> Result<BTreeMap<ActorId, u64>, RunError> {
    let mut prepared = build.prepare()?;
    let shard = &mut prepared.shard;
    let earliest = shard.open()?;
    shard.settle(prepared.start);
    shard.start(prepared.start.or(earliest).unwrap_or(Instant::EPOCH), prepared.roots);
    let begun = WallInstant::now();
    let mut is_enough = |shard: &mut Shard| shard.core.counters.deliveries >= TRIAL || begun.elapsed() > TRIAL_TIME;
    shard.run(prepared.until, Some(&mut is_enough));
    let mut loads = BTreeMap::new();
    for (hot, cold) in shard.core.hot.iter().zip(&shard.core.cold) {
        *loads.entry(cold.root).or_insert(0) += hot.count;
    }
    Ok(loads)
}
