//! The world of a test: actors, wired by the test's own code, around the streams of a case. Invariant: with another order of
//! registration every name is still given to the same actor or stream.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use stillpoint_engine::{
    Actor, Addr, BuildError, Duration, Handler, Link, Message, Pool, Rank, ReadyOrder, Rng, Simulation, Stream, StreamRef, Timed,
};

use crate::bystander;
use crate::case::Case;
use crate::case_text::LinkOf;
use crate::sample::Sample;

/// One part of a world: code that adds actors.
pub(crate) type Part<M> = Arc<dyn Fn(&mut World<M>) + Send + Sync>;

type Wire = Box<dyn FnOnce(&mut Simulation)>;
type Reserve = fn(&mut Simulation, &str, Rank) -> Result<Box<dyn Any>, BuildError>;

/// An actor that was added.
struct Registered {
    name: String,
    rank: Rank,
    reserve: Reserve,
}

/// What a test's code builds its actors in: a simulation that has the streams of a case already.
///
/// Every method panics if a name is taken or unknown: that is a mistake in the test.
pub struct World<M> {
    simulation: Option<Simulation>,
    case: Arc<Case<M>>,
    streams: Vec<StreamRef<M>>,
    reserved: BTreeMap<String, Box<dyn Any>>,
    roster: Vec<Registered>,
    wiring: Vec<Wire>,
    links: Vec<LinkOf>,
    replay: Replays,
}

impl<M: Sample> World<M> {
    fn of(case: &Arc<Case<M>>, replay: Replays) -> Self {
        let simulation = Some(Simulation::new("kit").seed(case.seed));
        let case = case.clone();
        Self { simulation, case, streams: vec![], reserved: BTreeMap::new(), roster: vec![], wiring: vec![], links: vec![], replay }
    }

    /// Adds a stream of the case.
    fn open(&mut self, index: usize) -> StreamRef<M> {
        let (name, items) = (self.case.streams[index].name.clone(), &self.case.streams[index].items);
        let stream = self.case.stream(index, plain(items, self.replay));
        given(&name, self.simulation().stream(&name, stream))
    }

    /// Adds an actor that hears all streams.
    #[track_caller]
    pub fn add<A: Handler<M>>(&mut self, name: &str, actor: A) -> Addr<A> {
        let address = self.actor(name, actor);
        self.hear(address);
        address
    }

    /// Adds an actor that hears no stream.
    #[track_caller]
    pub fn actor<A: Actor>(&mut self, name: &str, actor: A) -> Addr<A> {
        let address = self.reserve(name, Rank::default());
        self.place(address, actor);
        address
    }

    /// Takes a name for an actor that is placed later, so that actors can know each other.
    #[track_caller]
    pub fn reserve<A: Actor>(&mut self, name: &str, rank: Rank) -> Addr<A> {
        let address = match self.reserved.remove(name) {
            Some(address) => *address.downcast().expect("the same code adds the same actors"),
            None => given(name, self.simulation().reserve::<A>(name, rank)),
        };
        let reserve: Reserve =
            |simulation, name, rank| simulation.reserve::<A>(name, rank).map(|address| Box::new(address) as Box<dyn Any>);
        self.roster.push(Registered { name: name.to_owned(), rank, reserve });
        address
    }

    /// Places an actor under a reserved name.
    pub fn place<A: Actor>(&mut self, address: Addr<A>, actor: A) {
        self.simulation().place(address, actor);
    }

    /// Subscribes an actor to all streams of the case.
    pub fn hear<A: Handler<M>>(&mut self, actor: Addr<A>) {
        for index in 0..self.streams.len() {
            self.subscribe(actor, self.streams[index]);
        }
    }

    /// The streams of the case: as many as were asked for, at least one.
    pub fn streams(&self) -> &[StreamRef<M>] {
        &self.streams
    }

    /// Adds a stream of the test's own.
    #[track_caller]
    pub fn stream<N: Message>(&mut self, name: &str, stream: Stream<N>) -> StreamRef<N> {
        given(name, self.simulation().stream(name, stream))
    }

    /// Subscribes an actor to one stream.
    pub fn subscribe<N: Message, A: Handler<N>>(&mut self, actor: Addr<A>, stream: StreamRef<N>) {
        self.wiring.push(Box::new(move |simulation| simulation.subscribe::<N, A>(actor, stream)));
    }

    /// Subscribes an actor to what another one publishes of type `N`.
    pub fn subscribe_to<N: Message, A: Handler<N>, P: Actor>(&mut self, actor: Addr<A>, publisher: Addr<P>) {
        self.wiring.push(Box::new(move |simulation| simulation.subscribe_to::<N, A, P>(actor, publisher)));
    }

    /// Declares a link between two root actors, one way; the case may add jitter, loss and times at which it is down. With the first link, all
    /// sends need one.
    #[track_caller]
    pub fn link(&mut self, from: &str, to: &str, link: Link) {
        self.links.push((from.to_owned(), to.to_owned(), link.least()));
        let link = match self.case.weather(from, to) {
            None => link,
            Some(weather) => {
                let link = if weather.jitter > Duration::ZERO { link.jitter(weather.jitter) } else { link };
                let link = if weather.loss > 0.0 { link.loss(weather.loss) } else { link };
                weather.down.map_or(link.clone(), |(from, to)| link.down(from, to))
            }
        };
        let (from, to) = (from.to_owned(), to.to_owned());
        self.wiring.push(Box::new(move |simulation| given(&format!("{from} to {to}"), simulation.link(&from, &to, link))));
    }

    /// Changes settings of the simulation, such as its limits.
    pub fn configure(&mut self, change: impl FnOnce(Simulation) -> Simulation) {
        self.simulation = self.simulation.take().map(change);
    }

    /// How many actors were added so far. Parts of a world are built in any order.
    pub fn actors(&self) -> usize {
        self.roster.len()
    }

    /// The input of this run. A strategy that reads it knows what is to come; the checks `cut` and `future` find that out.
    pub fn input(&self) -> &Case<M> {
        &self.case
    }

    fn simulation(&mut self) -> &mut Simulation {
        self.simulation.as_mut().expect("a world holds its simulation but while it is configured")
    }
}

#[track_caller]
fn given<T>(name: &str, result: Result<T, impl Display>) -> T {
    result.unwrap_or_else(|error| panic!("the world cannot have `{name}`: {error}"))
}

/// How a world is put up, none of which may matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Setup {
    /// Registers in a random order of this seed.
    pub(crate) registration: Option<u64>,
    /// Adds one who has nothing to do with anybody.
    pub(crate) bystander: Bystander,
    /// Threads for jobs.
    pub(crate) pool: usize,
    /// In which order the actors of a step run.
    pub(crate) ready_order: ReadyOrder,
    /// Whether streams are replayed from a store.
    pub(crate) replay: Replays,
}

/// How a store holds the items of streams, if it does.
#[cfg(feature = "store")]
pub(crate) type Replays = Option<crate::store::Holding>;
/// Streams come from memory.
#[cfg(not(feature = "store"))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Replays;

/// A stream of items.
#[cfg(feature = "store")]
fn plain<M: Sample>(items: &[Timed<M>], replay: Replays) -> Stream<M> {
    replay.map_or_else(|| Stream::from_vec(items.to_vec()), |way| crate::store::replayed(items, way))
}

/// A stream of items.
#[cfg(not(feature = "store"))]
fn plain<M: Sample>(items: &[Timed<M>], _: Replays) -> Stream<M> {
    Stream::from_vec(items.to_vec())
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Bystander {
    #[default]
    None,
    Actor,
    Stream,
}

/// A world that is ready to run.
pub(crate) struct Built {
    pub(crate) simulation: Simulation,
    /// The names of its actors.
    pub(crate) actors: Vec<String>,
    pub(crate) links: Vec<LinkOf>,
}

/// Runs the parts' code over a case.
pub(crate) fn build<M: Sample>(parts: &[Part<M>], case: &Arc<Case<M>>, setup: &Setup) -> Built {
    let mut world = match setup.registration {
        None => in_order(parts, case, setup),
        Some(seed) => shuffled(parts, case, setup, &mut Rng::of(seed, "registration", "order")),
    };
    let mut simulation = world.simulation.take().expect("a world holds its simulation but while it is configured");
    world.wiring.into_iter().for_each(|wire| wire(&mut simulation));
    let added = match setup.bystander {
        Bystander::None => Ok(()),
        Bystander::Actor => bystander::add(&mut simulation, None),
        // No earlier than the others: the first item of all is the start of the run.
        Bystander::Stream => bystander::add(&mut simulation, Some(case.cuts())),
    };
    given(bystander::ACTOR, added);
    if setup.pool > 0 {
        simulation = simulation.pool(Arc::new(Pool::new(setup.pool)));
    }
    simulation = simulation.ready_order(setup.ready_order);
    Built { simulation, actors: world.roster.into_iter().map(|actor| actor.name).collect(), links: world.links }
}

/// Streams first, then the parts in their order: nothing is wired yet.
fn in_order<M: Sample>(parts: &[Part<M>], case: &Arc<Case<M>>, setup: &Setup) -> World<M> {
    let mut world = World::of(case, setup.replay);
    world.streams = (0..case.streams.len()).map(|index| world.open(index)).collect();
    parts.iter().for_each(|part| part(&mut world));
    world
}

/// Names are registered, parts are run and wires are laid in a random order. The names come from a world that was put up in order.
fn shuffled<M: Sample>(parts: &[Part<M>], case: &Arc<Case<M>>, setup: &Setup, rng: &mut Rng) -> World<M> {
    let roster = in_order(parts, case, setup).roster;
    let mut world = World::of(case, setup.replay);
    let count = case.streams.len();
    let mut slots: Vec<usize> = (0..count + roster.len()).collect();
    shuffle(&mut slots, rng);
    let mut streams = vec![None; count];
    for slot in slots {
        match slot.checked_sub(count) {
            None => streams[slot] = Some(world.open(slot)),
            Some(actor) => {
                let Registered { name, rank, reserve } = &roster[actor];
                let address = given(name, reserve(world.simulation(), name, *rank));
                world.reserved.insert(name.clone(), address);
            }
        }
    }
    world.streams = streams.into_iter().flatten().collect();
    let mut order: Vec<&Part<M>> = parts.iter().collect();
    shuffle(&mut order, rng);
    order.into_iter().for_each(|part| part(&mut world));
    shuffle(&mut world.wiring, rng);
    world
}

fn shuffle<T>(items: &mut [T], rng: &mut Rng) {
    for last in (1..items.len()).rev() {
        items.swap(last, rng.below(last as u64 + 1) as usize);
    }
}
