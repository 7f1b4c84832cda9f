//! Building a simulation: actors, streams, links and limits. Invariant: the order in which things are added cannot reach the run.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::actor::{Actor, Handler};
use crate::address::{Addr, Occupied, StreamRef, Sub};
use crate::error::{BuildError, RunError};
use crate::event::LogLine;
use crate::kernel::components::Components;
use crate::kernel::core::{Core, Life};
use crate::kernel::door::{handle, start};
use crate::kernel::entry::{ActorId, Cell, Entry};
use crate::kernel::ready::ReadyOrder;
use crate::kernel::shard::Shard;
use crate::kernel::stream::{PastStream, Streams, Subscriber};
use crate::limits::{Limits, OnPanic};
use crate::link::{Link, Links};
use crate::message::Message;
use crate::outcome::{Failed, Outcome};
use crate::path::{Name, Path, Rank};
use crate::pool::Pool;
use crate::run::{Progress, Run};
use crate::snapshot::{self, Changes, RestoreError, Snapshot};
use crate::sort;
use crate::stream::Stream;
use crate::time::{Duration, Instant};
use crate::trace::Observer;

/// Called with how far a run is.
pub(crate) type OnProgress = Box<dyn FnMut(&Progress)>;

/// An actor and its start.
type Placed = (Rc<dyn Cell>, Entry);

/// A simulation whose actors and streams are in a shard, not yet opened.
pub(crate) struct Prepared {
    pub(crate) name: String,
    pub(crate) shard: Shard,
    /// The starts of the roots, in R1's order.
    pub(crate) roots: Vec<Entry>,
    /// The declared start.
    pub(crate) start: Option<Instant>,
    pub(crate) until: Option<Instant>,
    pub(crate) interrupt: Option<Arc<AtomicBool>>,
    pub(crate) progress: Option<OnProgress>,
}

impl Prepared {
    /// Goes on from a snapshot.
    pub(crate) fn resume(mut self, snapshot: &Snapshot, changes: &Changes) -> Result<Run, RestoreError> {
        snapshot::restore(&mut self, snapshot.image(), changes, &|_| true)?;
        Ok(Run::resumed(self))
    }

    /// Opens the streams and delivers nothing yet.
    pub(crate) fn begin(mut self) -> Result<Run, RunError> {
        let earliest = self.shard.open()?;
        self.shard.settle(self.start);
        let start = self.start.or(earliest).unwrap_or(Instant::EPOCH);
        Ok(Run::new(self, start))
    }
}

/// A simulation to be run. See the crate's documentation for a whole example.
pub struct Simulation {
    pub(crate) name: String,
    pub(crate) start: Option<Instant>,
    pub(crate) until: Option<Instant>,
    limits: Limits,
    on_panic: OnPanic,
    core: Box<Core>,
    time_keeper: ActorId,
    names: BTreeMap<String, ActorId>,
    actors: Vec<(ActorId, Option<Placed>)>,
    streams: Streams,
    links: BTreeMap<(ActorId, ActorId), Link>,
    subscriptions: Vec<(ActorId, ActorId)>,
    metrics: bool,
    ready_order: ReadyOrder,
    pub(crate) interrupt: Option<Arc<AtomicBool>>,
    pub(crate) progress: Option<OnProgress>,
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation").field("name", &self.name).field("actors", &self.actors.len()).finish_non_exhaustive()
    }
}

impl Simulation {
    /// An empty simulation: seed 0, one thread, no limit in time, jobs run where they are waited for.
    pub fn new(name: &str) -> Self {
        let mut core = Box::new(Core::new(0, Arc::new(Pool::new(0))));
        let time_keeper = core.add(Path::time_keeper(), Rank::default(), None, Life::Stopped);
        Self {
            name: name.to_owned(),
            start: None,
            until: None,
            limits: Limits::default(),
            on_panic: OnPanic::default(),
            core,
            time_keeper,
            names: BTreeMap::new(),
            actors: Vec::new(),
            streams: Streams::default(),
            links: BTreeMap::new(),
            subscriptions: Vec::new(),
            metrics: false,
            ready_order: ReadyOrder::Sorted,
            interrupt: None,
            progress: None,
        }
    }

    /// The seed of all random numbers.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.core.seed = seed;
        self
    }

    /// The instant at which the run starts; what streams have before it is skipped and counted. Default: the earliest first item (rule R11).
    #[must_use]
    pub fn start(mut self, at: Instant) -> Self {
        self.start = Some(at);
        self
    }

    /// The last instant that is run.
    #[must_use]
    pub fn until(mut self, at: Instant) -> Self {
        self.until = Some(at);
        self
    }

    /// What the run may do at most.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What a panic leads to.
    #[must_use]
    pub fn on_panic(mut self, on_panic: OnPanic) -> Self {
        self.on_panic = on_panic;
        self
    }

    /// Where offloaded jobs run. No pool can change a trace.
    #[must_use]
    pub fn pool(mut self, pool: Arc<Pool>) -> Self {
        self.core.pool = pool;
        self
    }

    /// Whether figures are kept. They cannot change a trace.
    #[must_use]
    pub fn metrics(mut self, on: bool) -> Self {
        self.metrics = on;
        self
    }

    /// In which order the actors of a step run. No order can change a trace: tests use it to find actors that depend on it.
    #[must_use]
    pub fn ready_order(mut self, order: ReadyOrder) -> Self {
        self.ready_order = order;
        self
    }

    /// Shows every record of the trace to an observer.
    #[must_use]
    pub fn observe(mut self, observer: Box<dyn Observer>) -> Self {
        self.core.observe_by(observer);
        self
    }

    /// Ends the run at the next still point after the flag was set.
    #[must_use]
    pub fn interrupt(mut self, flag: Arc<AtomicBool>) -> Self {
        self.interrupt = Some(flag);
        self
    }

    /// Tells how far the run is, now and then: after 16,384 still points at the soonest.
    #[must_use]
    pub fn progress(mut self, tell: impl FnMut(&Progress) + 'static) -> Self {
        self.progress = Some(Box::new(tell));
        self
    }

    /// Takes the actors' log lines.
    #[must_use]
    pub fn log(mut self, sink: impl FnMut(LogLine<'_>) + 'static) -> Self {
        self.core.log = Some(Box::new(sink));
        self
    }

    /// Gives a clock, in nanoseconds, by which handlers are timed when metrics are kept. What it says goes into the metrics and nowhere else.
    #[must_use]
    pub fn handler_clock(mut self, clock: impl FnMut() -> u64 + 'static) -> Self {
        self.core.clock = Some(Box::new(clock));
        self
    }

    fn take_name(&mut self, name: &str, rank: Rank) -> Result<ActorId, BuildError> {
        let checked = Name::new(name)?;
        if self.names.contains_key(name) {
            return Err(BuildError::Duplicate(name.to_owned()));
        }
        let id = self.core.add(Path::root(checked), rank, None, Life::Living);
        self.names.insert(name.to_owned(), id);
        Ok(id)
    }

    /// Adds an actor of rank 0.
    ///
    /// # Errors
    /// [`BuildError`] if the name is taken or cannot be given.
    pub fn actor<A: Actor>(&mut self, name: &str, actor: A) -> Result<Addr<A>, BuildError> {
        self.actor_ranked(name, Rank::default(), actor)
    }

    /// Adds an actor.
    ///
    /// # Errors
    /// As [`Simulation::actor`].
    pub fn actor_ranked<A: Actor>(&mut self, name: &str, rank: Rank, actor: A) -> Result<Addr<A>, BuildError> {
        let address = self.reserve(name, rank)?;
        self.place(address, actor);
        Ok(address)
    }

    /// Takes a name for an actor that is placed later, so that actors can know each other.
    ///
    /// # Errors
    /// As [`Simulation::actor`].
    pub fn reserve<A: Actor>(&mut self, name: &str, rank: Rank) -> Result<Addr<A>, BuildError> {
        let id = self.take_name(name, rank)?;
        self.actors.push((id, None));
        Ok(Addr::new(id, self.core.hot[id.index()].path_digest))
    }

    /// Places an actor under a reserved name. Panics if the address is not of this simulation.
    pub fn place<A: Actor>(&mut self, address: Addr<A>, actor: A) {
        let entry = Entry::root_start(self.time_keeper, address.id, start::<A>);
        let slot = self.actors.iter_mut().find(|(id, _)| *id == address.id).expect("an address that this simulation reserved");
        slot.1 = Some((Rc::new(Occupied::new(actor)), entry));
    }

    /// Adds a stream. One that nobody subscribes to is never opened.
    ///
    /// # Errors
    /// As [`Simulation::actor`].
    pub fn stream<M: Message>(&mut self, name: &str, stream: Stream<M>) -> Result<StreamRef<M>, BuildError> {
        let id = self.take_name(name, stream.rank)?;
        self.core.hot[id.index()].unbounded = true;
        self.core.hot[id.index()].stream = self.streams.len() as u32;
        let cold = &mut self.core.cold[id.index()];
        cold.stream = Some(self.streams.len() as u32);
        cold.controlled = stream.controlled;
        self.streams.push(PastStream::new(id, stream));
        Ok(StreamRef::new(id, self.core.hot[id.index()].path_digest))
    }

    /// Subscribes an actor to a stream from the start.
    pub fn subscribe<M: Message, A: Handler<M>>(&mut self, who: Addr<A>, stream: StreamRef<M>) {
        let number = self.core.cold[stream.id.index()].stream.expect("a stream has a number") as usize;
        self.streams[number].subscribe(Box::new(Subscriber::of::<A>(who.id)), &mut self.core);
    }

    /// Subscribes an actor to another one's publications of type `M` from the start.
    pub fn subscribe_to<M: Message, A: Handler<M>, P: Actor>(&mut self, who: Addr<A>, publisher: Addr<P>) {
        let ty = self.core.stores.ty::<M>();
        self.core.cold[who.id.index()].wishes.push((publisher.id, ty, true));
        self.core.enlist(publisher.id, ty, Sub { to: who.id, thunk: handle::<A, M> });
        self.subscriptions.push((who.id, publisher.id));
    }

    /// Declares a link between two root actors, one way. With the first link, all sends need one (rule R14).
    ///
    /// # Errors
    /// [`BuildError`] if a name is unknown or the link was declared before.
    pub fn link(&mut self, from: &str, to: &str, link: Link) -> Result<(), BuildError> {
        let find = |name: &str| self.names.get(name).copied().ok_or_else(|| BuildError::Unknown(name.to_owned()));
        let ends = (find(from)?, find(to)?);
        if self.links.insert(ends, link).is_some() {
            return Err(BuildError::DuplicateLink { from: from.to_owned(), to: to.to_owned() });
        }
        Ok(())
    }

    fn check(&self) -> Result<(), BuildError> {
        for (id, placed) in &self.actors {
            if placed.is_none() {
                return Err(BuildError::Vacant(self.core.path(*id).to_string()));
            }
        }
        if self.links.is_empty() {
            return Ok(());
        }
        for (subscriber, publisher) in &self.subscriptions {
            let joined = subscriber == publisher
                || self.links.contains_key(&(*subscriber, *publisher)) && self.links.contains_key(&(*publisher, *subscriber));
            if !joined {
                let path = |id: &ActorId| self.core.path(*id).to_string();
                return Err(BuildError::SubscriptionWithoutLink { subscriber: path(subscriber), publisher: path(publisher) });
            }
        }
        Ok(())
    }

    /// Who must run on one thread: actors joined by links without latency, and a controlled stream with its subscribers.
    fn components(&self) -> Components {
        let members = self.names.values().copied();
        let links = self.links.iter().filter(|(_, link)| link.least() == Duration::ZERO).map(|(ends, _)| *ends);
        let controlled = self.streams.iter().filter(|stream| self.core.cold[stream.id().index()].controlled);
        let heard = controlled.flat_map(|stream| stream.subscribers().into_iter().map(|who| (who, stream.id())));
        Components::of(members, links.chain(heard))
    }

    /// What was given to it to watch the run, if anything.
    pub(crate) fn watched_by(&self) -> Option<&'static str> {
        let watched = [
            (self.core.observer.is_some(), "an observer"),
            (self.core.log.is_some(), "a log"),
            (self.progress.is_some(), "a progress function"),
            (self.interrupt.is_some(), "an interrupt flag"),
        ];
        watched.into_iter().find(|(is, _)| *is).map(|(_, what)| what)
    }

    /// Puts everything into one shard.
    pub(crate) fn prepare(mut self) -> Result<Prepared, RunError> {
        self.check().map_err(RunError::Build)?;
        if !self.links.is_empty() {
            self.core.components = self.components();
            let mut links = Links::default();
            for ((from, to), link) in std::mem::take(&mut self.links) {
                links.insert(from, to, link);
            }
            self.core.links = Some(links);
        }
        let mut shard = Shard::new(self.core, self.limits, self.on_panic);
        if self.metrics {
            shard.keep_metrics();
        }
        shard.ready_order(self.ready_order);
        shard.streams = self.streams;
        let mut roots = Vec::new();
        for (id, placed) in self.actors {
            let (cell, entry) = placed.expect("every reserved name was checked to have its actor");
            shard.place(id, cell);
            roots.push(entry);
        }
        sort::by_key(&mut roots, |entry| shard.core.label(entry.to));
        Ok(Prepared {
            name: self.name,
            shard,
            roots,
            start: self.start,
            until: self.until,
            interrupt: self.interrupt,
            progress: self.progress,
        })
    }

    /// Opens the streams and delivers nothing yet.
    ///
    /// # Errors
    /// [`RunError::Build`] if the simulation is not complete, [`RunError::Source`] if a stream cannot be opened.
    pub fn begin(self) -> Result<Run, RunError> {
        self.prepare()?.begin()
    }

    /// Goes on from a snapshot, which was taken of a run of a simulation that was built as this one is. Its streams are opened and read up to
    /// where they were; nothing is delivered yet.
    ///
    /// # Errors
    /// [`RestoreError`] if this is another simulation, if an actor or what is on its way to it cannot be read, or if a source has changed.
    pub fn restore(self, snapshot: &Snapshot) -> Result<Run, RestoreError> {
        self.resume(snapshot, &Changes::default())
    }

    pub(crate) fn resume(self, snapshot: &Snapshot, changes: &Changes) -> Result<Run, RestoreError> {
        self.prepare()?.resume(snapshot, changes)
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// [`Failed`] holds the error and the outcome up to it.
    pub fn run(self) -> Result<Outcome, Box<Failed>> {
        let name = self.name.clone();
        match self.begin() {
            Ok(run) => run.finish(),
            Err(error) => Err(Box::new(Failed { error, outcome: Outcome::unbegun(name) })),
        }
    }
}
