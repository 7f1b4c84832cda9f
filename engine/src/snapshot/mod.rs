//! Snapshots: a run at a still point, saved, and gone on with later, elsewhere, or otherwise (rule R13).
//!
//! A [`Snapshot`] is taken of a [`Run`] between two instants. It holds the actors, whatever is on its way to them (timers, delayed messages,
//! results of jobs, questions and answers), who has subscribed to what, how far streams, links and random numbers are, and the counters and
//! chains of the trace. [`Simulation::restore`](crate::Simulation::restore) puts it into a simulation that was built anew in the same way;
//! the run then goes on as if it had never been interrupted, down to its trace hash.
//!
//! What an actor's state is made of is known to the actor alone, so it says so: see [`Saving`]. Handles can be kept in states: [`Addr`],
//! [`Recipient`], [`StreamRef`], [`Timer`], [`JobId`], [`AskId`], and [`Rng`]s of one's own, all go through serde. A run with an actor that
//! does not say how it is saved, that has an async task under way, or that owes an answer, is refused by name.
//!
//! # What is not in it
//!
//! Sources are opened again and read up to where they were; what was read ahead is compared with what is there now, so that a changed source
//! is noticed if it differs there. Metrics, observers and log sinks are of the run at hand: they see it from the snapshot on. Limits, links
//! and the last instant are those of the simulation that it is restored into.
//!
//! # What if
//!
//! [`Snapshot::fork`] goes on otherwise: with another seed, or with actors as they were built in place of those saved.
//!
//! [`Addr`]: crate::Addr
//! [`AskId`]: crate::AskId
//! [`JobId`]: crate::JobId
//! [`Recipient`]: crate::Recipient
//! [`Rng`]: crate::Rng
//! [`Run`]: crate::Run
//! [`StreamRef`]: crate::StreamRef
//! [`Timer`]: crate::Timer

mod cast;
mod error;
mod file;
mod handles;
mod image;
mod merge;
mod restore;
mod saving;
mod scope;
mod take;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

pub use error::{Pending, ReadError, RestoreError, SnapshotError, WriteError};
pub(crate) use image::Image;
pub(crate) use restore::{Changes, restore};
pub use saving::Saving;
pub(crate) use saving::Table;
pub(crate) use take::take;

use crate::error::Site;
use crate::kernel::border::Opening;
use crate::kernel::entry::ActorId;
use crate::run::Run;
use crate::simulation::{Prepared, Simulation};
use crate::time::Instant;
use crate::trace::TraceHash;

/// A run at a still point. See the [module](self) for what is in it.
#[derive(Clone)]
pub struct Snapshot(Image);

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("name", &self.name()).field("site", &self.site()).finish_non_exhaustive()
    }
}

impl Snapshot {
    pub(crate) fn of(image: Image) -> Self {
        Self(image)
    }

    pub(crate) fn image(&self) -> &Image {
        &self.0
    }

    /// One snapshot from those of all shards.
    pub(crate) fn of_parts(parts: impl IntoIterator<Item = Image>) -> Option<Self> {
        Image::merge(parts).map(Self)
    }

    /// By number: the shard of everybody, from the shards of roots and streams in a simulation that was built anew.
    pub(crate) fn owners(&self, prepared: &Prepared, mut owners: Vec<u16>) -> Vec<u16> {
        let core = &prepared.shard.core;
        let mut roots = BTreeMap::new();
        roots.extend(core.order.ids().map(|id| (core.path(id).to_string(), id)));
        for (saved, slot) in &self.0.slots {
            let path =
                slot.path.split_once('@').filter(|_| matches!(slot.role, image::Role::Facet)).map_or(&*slot.path, |(_, asker)| asker);
            let root = path.split('/').next().and_then(|root| roots.get(root));
            if let Some(root) = root.filter(|_| !roots.contains_key(&slot.path)) {
                let index = *saved as usize;
                if owners.len() <= index {
                    owners.resize(index + 1, u16::MAX);
                }
                owners[index] = owners[root.index()];
            }
        }
        owners
    }

    /// By number: since when each stream is open.
    pub(crate) fn openings(&self, prepared: &Prepared) -> Vec<Option<Opening>> {
        let core = &prepared.shard.core;
        let at = |id: ActorId| {
            let path = core.path(id).to_string();
            let (saved, _) = self.0.slots.iter().find(|(_, slot)| slot.path == path)?;
            self.0.streams.get(saved)?.opening()
        };
        prepared.shard.streams.iter().map(|stream| at(stream.id())).collect()
    }

    /// The name of the simulation it was taken of.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The instant at whose still point it was taken.
    pub fn at(&self) -> Instant {
        self.0.site.at
    }

    /// The last step before it.
    pub fn site(&self) -> Site {
        self.0.site
    }

    /// The hash of the run up to it.
    pub fn trace_hash(&self) -> TraceHash {
        self.0.trace_hash()
    }

    /// The snapshot as a file holds it.
    pub fn to_text(&self) -> String {
        file::to_text(&self.0)
    }

    /// Reads what [`Snapshot::to_text`] gave; `file` is the name that errors give it.
    ///
    /// # Errors
    /// As [`Snapshot::read`].
    pub fn from_bytes(bytes: &[u8], file: &Path) -> Result<Self, ReadError> {
        file::of_bytes(bytes, file).map(Self)
    }

    /// Writes a file: beside its place first, and into it when all is on the disk, so that no half of one is ever there.
    ///
    /// # Errors
    /// [`WriteError`] if the file cannot be written; one that was there before stays.
    pub fn write(&self, file: &Path) -> Result<(), WriteError> {
        file::write(&self.0, file)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`ReadError`] if it is no snapshot, of another version, cut short, or changed in any byte.
    pub fn read(file: &Path) -> Result<Self, ReadError> {
        file::read(file).map(Self)
    }

    /// A run that goes on from here otherwise.
    pub fn fork(&self) -> Fork<'_> {
        Fork { snapshot: self, changes: Changes::default() }
    }
}

/// A run that is to go on from a snapshot otherwise than it did.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use stillpoint_engine::{Actor, Context, Duration, Every, Handler, Instant, Report, Saving, Simulation, Value};
///
/// /// Rolls a die every second and adds it up, so many times.
/// #[derive(Serialize, Deserialize)]
/// struct Player {
///     times: u64,
///     sum: u64,
/// }
/// impl Actor for Player {
///     fn started(&mut self, ctx: &mut Context<'_, Self>) {
///         ctx.notify_every(Every::from(ctx.now() + Duration::secs(1), Duration::secs(1)), ());
///     }
///
///     fn report(&self, report: &mut Report) {
///         report.integer("sum", self.sum as i64);
///     }
///
///     fn saving() -> Option<Saving<Self>> {
///         Some(Saving::new().message::<()>())
///     }
/// }
/// impl Handler<()> for Player {
///     fn handle(&mut self, _: &(), ctx: &mut Context<'_, Self>) {
///         self.sum += self.times * (1 + ctx.rng().below(6));
///     }
/// }
///
/// let build = |times| -> Result<_, Box<dyn std::error::Error>> {
///     let mut sim = Simulation::new("dice").until(Instant::EPOCH + Duration::secs(100));
///     sim.actor("player", Player { times, sum: 0 })?;
///     Ok(sim)
/// };
/// let mut run = build(1)?.begin()?;
/// run.until(Instant::EPOCH + Duration::secs(50));
/// let half = run.snapshot()?;
///
/// let sum = |run: stillpoint_engine::Run| match run.finish() {
///     Ok(outcome) => outcome.report("player").and_then(|report| report.get("sum")).cloned(),
///     Err(_) => None,
/// };
/// let as_it_was = sum(build(1)?.restore(&half)?);
/// assert_eq!(sum(half.fork().begin(build(1)?)?), as_it_was);
/// // Fifty other rolls, and fifty rolls that count a hundred times.
/// assert_ne!(sum(half.fork().reseed(1).begin(build(1)?)?), as_it_was);
/// assert!(matches!(sum(half.fork().anew("player").begin(build(100)?)?), Some(Value::Integer(5_000..))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fork<'s> {
    snapshot: &'s Snapshot,
    changes: Changes,
}

impl Fork<'_> {
    /// Gives everything random another seed from here on, whatever the simulation's own seed: actors, and the jitter and loss of links.
    /// Generators that actors keep themselves go on as they were.
    #[must_use]
    pub fn reseed(mut self, seed: u64) -> Self {
        self.changes.seed = Some(seed);
        self
    }

    /// Takes a root actor as the simulation was built with it, in place of the saved one; it may be of another type. It is not started again, and
    /// what was on its way to the saved one comes to it, timers included, so that its type must declare that.
    #[must_use]
    pub fn anew(mut self, actor: &str) -> Self {
        self.changes.anew.push(actor.to_owned());
        self
    }

    /// Begins the run that goes on.
    ///
    /// # Errors
    /// As [`Simulation::restore`], and [`RestoreError::Anew`] if there is no such actor.
    pub fn begin(self, simulation: Simulation) -> Result<Run, RestoreError> {
        simulation.resume(self.snapshot, &self.changes)
    }
}
