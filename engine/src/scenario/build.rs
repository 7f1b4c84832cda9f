//! Building a simulation from a scenario. Invariant: streams and actors are made in the order of their names, never of their declaration.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;

use super::error::ScenarioError;
use super::facts::Facts;
use super::graph::Graph;
use super::notes::Notes;
use super::registry::Registry;
use super::scene::{Around, Cast, Member};
use super::schema::{FaultEntry, PanicPolicy, Scenario};
use crate::limits::{Limits, OnPanic};
use crate::link::Link;
use crate::rng::Rng;
use crate::simulation::Simulation;
use crate::sort;
use crate::suggest;
use crate::time::Duration;

/// A simulation that is ready to run, and who is joined to whom in it.
pub struct Built {
    /// The simulation.
    pub simulation: Simulation,
    /// Its streams, actors and links, for drawing.
    pub graph: Graph,
    /// What the kinds have said about their streams and actors.
    pub notes: Notes,
    /// The files that kinds of streams and actors asked for.
    pub files: BTreeSet<PathBuf>,
}

impl Scenario {
    /// Makes every stream and actor from its kind and wires them.
    ///
    /// # Errors
    /// [`ScenarioError`] at the first entry that names an unknown kind, has parameters that its kind cannot take, or refers to what is not there.
    pub fn build(&self, registry: &Registry) -> Result<Built, ScenarioError> {
        self.build_in(registry, None)
    }

    /// [`Scenario::build`] with streams, actors and links registered in a random order of this seed, which no run may show.
    ///
    /// # Errors
    /// As [`Scenario::build`].
    pub fn build_shuffled(&self, registry: &Registry, seed: u64) -> Result<Built, ScenarioError> {
        self.build_in(registry, Some(Rng::of(seed, "scenario", "registration")))
    }

    fn build_in(&self, registry: &Registry, mut shuffle: Option<Rng>) -> Result<Built, ScenarioError> {
        let mut simulation = Simulation::new(&self.name).seed(self.seed).limits(self.limits()).on_panic(match self.on_panic {
            PanicPolicy::Stop => OnPanic::Stop,
            PanicPolicy::Poison => OnPanic::Poison,
        });
        if let Some(start) = self.start {
            simulation = simulation.start(start);
        }
        if let Some(end) = self.end {
            simulation = simulation.until(end);
        }
        let mut cast = Cast::default();
        let around = Around {
            files: RefCell::default(),
            notes: RefCell::default(),
            facts: Facts::default(),
            checks: RefCell::default(),
            shared: registry.shared.as_ref(),
        };
        let mut streams: Vec<_> = self.streams.iter().collect();
        sort::by(&mut streams, |a, b| a.name.value.cmp(&b.name.value));
        for entry in arranged(streams, &mut shuffle) {
            let Some(kind) = registry.streams.get(entry.kind.name.value.as_str()) else {
                let also = registry.actors.contains_key(entry.kind.name.value.as_str());
                return Err(self.unknown_kind("stream", &entry.kind.name, registry.streams.keys().copied(), also));
            };
            let faults = self.faults.iter().filter_map(|fault| match fault {
                FaultEntry::Stream { stream, fault } if stream.value == entry.name.value => Some(*fault),
                _ => None,
            });
            let declared = kind.make.declare(&mut simulation, self, entry, faults.collect(), &around)?;
            cast.streams.insert(&entry.name.value, declared);
        }
        let mut actors: Vec<_> = self.actors.iter().collect();
        sort::by(&mut actors, |a, b| a.name.value.cmp(&b.name.value));
        let actors = arranged(actors, &mut shuffle);
        for entry in &actors {
            let Some(kind) = registry.actors.get(entry.kind.name.value.as_str()) else {
                let also = registry.streams.contains_key(entry.kind.name.value.as_str());
                return Err(self.unknown_kind("actor", &entry.kind.name, registry.actors.keys().copied(), also));
            };
            let address = kind.make.reserve(&mut simulation, &entry.name.value, entry.rank);
            let address = address.map_err(|error| self.text.error(entry.name.at.clone(), error.to_string()))?;
            cast.actors.insert(&entry.name.value, Member { kind, address });
        }
        let mut edges = BTreeSet::new();
        for entry in &actors {
            cast.actors[entry.name.value.as_str()].kind.make.place(&mut simulation, self, entry, &cast, &mut edges, &around)?;
        }
        for (call, check) in around.checks.take() {
            check(&around.notes.borrow()).map_err(|error| error.located(self, &call))?;
        }
        for link in arranged(self.links.iter().collect(), &mut shuffle) {
            let mut made = Link::latency(link.latency).jitter(link.jitter.unwrap_or(Duration::ZERO)).loss(link.loss.unwrap_or(0.0));
            for fault in &self.faults {
                if let FaultEntry::Down { from, to, since, until } = fault
                    && (&from.value, &to.value) == (&link.from.value, &link.to.value)
                {
                    made = made.down(*since, *until);
                }
            }
            let linked = simulation.link(&link.from.value, &link.to.value, made);
            linked.map_err(|error| self.text.error(link.from.at.clone(), error.to_string()))?;
        }
        let Around { files, notes, .. } = around;
        Ok(Built { simulation, graph: Graph::of(self, edges), notes: notes.into_inner(), files: files.into_inner() })
    }

    fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        if let Some(steps) = self.limits.max_steps {
            limits.max_steps = steps;
        }
        limits.max_mailbox = self.limits.max_mailbox;
        limits
    }

    fn unknown_kind<'a>(
        &self,
        what: &str,
        name: &super::schema::Spot<String>,
        known: impl IntoIterator<Item = &'a str>,
        is_other: bool,
    ) -> ScenarioError {
        let error = self.text.error(name.at.clone(), format!("unknown kind of {what} `{}`", name.value));
        if is_other {
            let other = if what == "stream" { "actor" } else { "stream" };
            return error.with_help(Some(format!("`{}` is a kind of {other}", name.value)));
        }
        error.with_help(suggest::help(&name.value, known))
    }
}

/// Entries as they are, or shuffled.
fn arranged<'e, T>(mut entries: Vec<&'e T>, shuffle: &mut Option<Rng>) -> Vec<&'e T> {
    if let Some(rng) = shuffle {
        for last in (1..entries.len()).rev() {
            entries.swap(last, rng.below(last as u64 + 1) as usize);
        }
    }
    entries
}
