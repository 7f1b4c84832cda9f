//! What a kind sees while it makes its stream or its actor, and how the typed maker is called. Invariant: all names of the scenario are
//! known before the first maker of an actor runs, so the order of declarations means nothing.

use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::error::ScenarioError;
use super::facts::Facts;
use super::faults::{StreamFault, cut, spoil};
use super::graph::Edge;
use super::notes::Notes;
use super::raw::cause;
use super::registry::ActorEntry;
use super::scene_error::SceneError;
use super::schema::{self, KindCall, LatePolicy, Scenario, Ties};
use super::shared::{Key, Shared};
use crate::actor::{Actor, Handler};
use crate::address::{Addr, Recipient, StreamRef};
use crate::error::BuildError;
use crate::message::Message;
use crate::path::Rank;
use crate::simulation::Simulation;
use crate::stream::{Late, Stream};
use crate::time::Instant;

/// What a kind of stream sees while it makes its stream.
pub struct StreamScene<'s> {
    scenario: &'s Scenario,
    name: &'s str,
    around: &'s Around<'s>,
    files: RefCell<BTreeSet<PathBuf>>,
    asked_name: Cell<bool>,
    asked_start: Cell<bool>,
}

impl StreamScene<'_> {
    /// The stream's name.
    pub fn name(&self) -> &str {
        self.asked_name.set(true);
        self.name
    }

    /// Where the run is declared to start.
    pub fn start(&self) -> Option<Instant> {
        self.asked_start.set(true);
        self.scenario.start
    }

    /// Tells whoever runs the scenario something about the stream: see [`Notes`].
    pub fn note<T: Any>(&mut self, note: T) {
        self.around.notes.borrow_mut().add(self.name, note);
    }

    /// States facts of a subject: see [`Scene::state`].
    ///
    /// # Errors
    /// As there.
    pub fn state(&mut self, subject: &str, facts: &[(&str, String)]) -> Result<(), SceneError> {
        self.around.facts.state(self.name, subject, facts)
    }

    /// A file that the scenario names, relative to the scenario's folder.
    ///
    /// # Errors
    /// [`SceneError`] if there is no such file.
    pub fn file(&self, path: &str) -> Result<PathBuf, SceneError> {
        existing(&self.scenario.folder, path, &self.files)
    }

    /// What the stream's items depend on, as far as its maker has asked for it.
    fn key<M: Message>(&self, kind: &KindCall, shared: &Shared) -> Option<Key> {
        let asked = (self.asked_name.get().then_some(self.name), self.asked_start.get().then_some(self.scenario.start));
        Some(Key {
            message: TypeId::of::<M>(),
            kind: kind.name.value.clone(),
            params: self.scenario.text()[kind.params.clone()].to_owned(),
            asked: format!("{asked:?}"),
            folder: self.scenario.folder.clone(),
            files: shared.versions(self.files.borrow().iter().cloned())?,
        })
    }
}

/// The file, which is noted.
fn existing(folder: &Path, path: &str, files: &RefCell<BTreeSet<PathBuf>>) -> Result<PathBuf, SceneError> {
    let full = folder.join(path);
    if full.is_file() {
        files.borrow_mut().insert(full.clone());
        return Ok(full);
    }
    if full.is_dir() {
        let error = SceneError::value(path, format!("`{}` is a folder, not a file", full.display()));
        return Err(error.with_help("name a file in it, or several in `files` where there is such a parameter"));
    }
    let error = SceneError::value(path, format!("there is no file `{}`", full.display()));
    Err(error.with_help("paths are relative to the folder of the scenario"))
}

/// What a kind of actor sees while it makes its actor: every stream and actor of the scenario, by name and type.
pub struct Scene<'s, A> {
    simulation: &'s mut Simulation,
    scenario: &'s Scenario,
    cast: &'s Cast<'s>,
    edges: &'s mut BTreeSet<Edge>,
    around: &'s Around<'s>,
    name: &'s str,
    call: &'s KindCall,
    me: Addr<A>,
}

impl<A: Actor> Scene<'_, A> {
    /// The address of the actor being made.
    pub fn me(&self) -> Addr<A> {
        self.me
    }

    /// The name of the actor being made.
    pub fn name(&self) -> &str {
        self.name
    }

    /// Where the run is declared to start.
    pub fn start(&self) -> Option<Instant> {
        self.scenario.start
    }

    /// Tells whoever runs the scenario something about the actor being made: see [`Notes`].
    pub fn note<T: Any>(&mut self, note: T) {
        self.around.notes.borrow_mut().add(self.name, note);
    }

    /// States facts of a subject that all streams and actors must agree on, such as `("decimals", "2")` of *instrument 0*: messages carry numbers
    /// whose units both ends take from their own parameters.
    ///
    /// # Errors
    /// [`SceneError`] if a stream or an actor has stated another value of one of these facts: it names both and their values.
    pub fn state(&mut self, subject: &str, facts: &[(&str, String)]) -> Result<(), SceneError> {
        self.around.facts.state(self.name, subject, facts)
    }

    /// Looks at what other kinds have noted, when all actors are made: for what can only be judged together.
    ///
    /// An error is one about the actor being made, and of several actors' the first by name is told.
    pub fn check(&mut self, check: impl FnOnce(&Notes) -> Result<(), SceneError> + 'static) {
        self.around.checks.borrow_mut().push((self.call.clone(), Box::new(check)));
    }

    /// Makes sure that the actor being made and the actor `name` can send to each other: where links are declared, there must be one each way.
    ///
    /// # Errors
    /// [`SceneError`] that says which link is missing.
    pub fn linked(&self, name: &str) -> Result<(), SceneError> {
        let links = &self.scenario.links;
        if links.is_empty() || name == self.name {
            return Ok(());
        }
        for (from, to) in [(self.name, name), (name, self.name)] {
            if !links.iter().any(|link| link.from.value == from && link.to.value == to) {
                let error = SceneError::value(name, format!("no link leads from `{from}` to `{to}`"));
                return Err(error
                    .with_help(format!("declare it: `links: [(from: \"{from}\", to: \"{to}\", latency: \"1ms\")]`, or no links at all")));
            }
        }
        Ok(())
    }

    /// The stream `name`, which must carry messages of type `M`.
    ///
    /// # Errors
    /// [`SceneError`] if there is none, or it carries something else.
    pub fn stream<M: Message>(&mut self, name: &str) -> Result<StreamRef<M>, SceneError> {
        let stream = self.cast.stream(name, M::KIND, |stream| stream.is::<StreamRef<M>>())?;
        self.edges.insert(Edge::stream(name, self.name, stream.message));
        Ok(*stream.stream.downcast_ref().expect("a stream that fits"))
    }

    /// Delivers the stream's events to the actor being made, from the start of the run.
    pub fn subscribe<M: Message>(&mut self, stream: StreamRef<M>)
    where
        A: Handler<M>,
    {
        self.simulation.subscribe::<M, A>(self.me, stream);
    }

    /// Delivers what `publisher` publishes to the actor being made, from the start of the run.
    pub fn subscribe_to<M: Message, P: Actor>(&mut self, publisher: Addr<P>)
    where
        A: Handler<M>,
    {
        self.simulation.subscribe_to::<M, A, P>(self.me, publisher);
    }

    /// The actor `name` as one that takes messages of type `M`.
    ///
    /// # Errors
    /// [`SceneError`] if there is none, or its kind does not [accept](super::ActorKind::accepts) them.
    pub fn recipient<M: Message>(&mut self, name: &str) -> Result<Recipient<M>, SceneError> {
        let recipient = self.cast.recipient(name, M::KIND, TypeId::of::<M>())?;
        let recipient: &Recipient<M> = recipient.downcast_ref().expect("a kind accepts a message with a recipient of its type");
        self.edges.insert(Edge::message(self.name, name, M::KIND));
        Ok(*recipient)
    }

    /// The actor `name`, which must be of type `B`.
    ///
    /// # Errors
    /// [`SceneError`] if there is none, or it is of another type.
    pub fn addr<B: Actor>(&mut self, name: &str) -> Result<Addr<B>, SceneError> {
        let address = self.cast.addr(name, |address| address.is::<Addr<B>>())?;
        self.edges.insert(Edge::message(self.name, name, ""));
        Ok(*address.downcast_ref().expect("an actor that fits"))
    }

    /// A file that the scenario names, relative to the scenario's folder.
    ///
    /// # Errors
    /// [`SceneError`] if there is no such file.
    pub fn file(&self, path: &str) -> Result<PathBuf, SceneError> {
        existing(&self.scenario.folder, path, &self.around.files)
    }
}

fn listed<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    if names.is_empty() { format!("{what}: none") } else { format!("{what}: {}", names.join(", ")) }
}

/// All streams and actors of a scenario, made or reserved.
#[derive(Default)]
pub(crate) struct Cast<'s> {
    pub(crate) streams: BTreeMap<&'s str, Declared>,
    pub(crate) actors: BTreeMap<&'s str, Member<'s>>,
}

// What is asked for by type is found here by what tells whether a type fits: made once, not for each kind and message.
impl Cast<'_> {
    fn stream(&self, name: &str, kind: &str, fits: fn(&dyn Any) -> bool) -> Result<&Declared, SceneError> {
        let Some(entry) = self.streams.get(name) else {
            return Err(SceneError::unknown("stream", name, self.streams.keys().copied()));
        };
        if !fits(&*entry.stream) {
            let fitting = self.streams.iter().filter(|(_, entry)| fits(&*entry.stream)).map(|(name, _)| *name);
            let error = SceneError::value(name, format!("stream `{name}` carries `{}`, not `{kind}`", entry.message));
            return Err(error.with_help(listed(&format!("streams of `{kind}`"), fitting)));
        }
        Ok(entry)
    }

    /// A recipient of its type.
    fn recipient(&self, name: &str, message: &str, of: TypeId) -> Result<Box<dyn Any>, SceneError> {
        let member = self.member(name)?;
        let Some(accepted) = member.kind.accepts.iter().find(|accepted| accepted.message == of) else {
            let kind = member.kind.about.name;
            let error = SceneError::value(name, format!("actor `{name}` of kind `{kind}` does not accept `{message}`"));
            return Err(error.with_help(listed("it accepts", member.kind.about.messages.iter().copied())));
        };
        Ok((accepted.recipient)(member.address.as_ref()))
    }

    fn addr(&self, name: &str, fits: fn(&dyn Any) -> bool) -> Result<&dyn Any, SceneError> {
        let member = self.member(name)?;
        if !fits(&*member.address) {
            let fitting = self.actors.iter().filter(|(_, member)| fits(&*member.address)).map(|(name, _)| *name);
            let error = SceneError::value(name, format!("actor `{name}` is of kind `{}`, which does not fit here", member.kind.about.name));
            return Err(error.with_help(listed("actors that fit", fitting)));
        }
        Ok(&*member.address)
    }

    fn member(&self, name: &str) -> Result<&Member<'_>, SceneError> {
        self.actors.get(name).ok_or_else(|| SceneError::unknown("actor", name, self.actors.keys().copied()))
    }
}

/// A stream: a `StreamRef` of its type.
pub(crate) struct Declared {
    pub(crate) stream: Box<dyn Any>,
    pub(crate) message: &'static str,
}

/// What one kind has to say about what others have noted.
pub(crate) type Check = Box<dyn FnOnce(&Notes) -> Result<(), SceneError>>;

/// What streams and actors are made with besides their entries.
pub(crate) struct Around<'s> {
    /// Gets the files that makers ask for.
    pub(crate) files: RefCell<BTreeSet<PathBuf>>,
    /// Gets what makers have to say.
    pub(crate) notes: RefCell<Notes>,
    /// Gets what makers say of what they share.
    pub(crate) facts: Facts,
    /// Gets what is to be looked at when all are made, each with the kind that asks for it.
    pub(crate) checks: RefCell<Vec<(KindCall, Check)>>,
    pub(crate) shared: Option<&'s Arc<Shared>>,
}

/// An actor: an `Addr` of its type.
pub(crate) struct Member<'s> {
    pub(crate) kind: &'s ActorEntry,
    pub(crate) address: Box<dyn Any>,
}

/// A kind of stream, its types hidden.
pub(crate) trait MakeStream: Send + Sync {
    /// Makes the stream of an entry and declares it.
    fn declare(
        &self,
        simulation: &mut Simulation,
        scenario: &Scenario,
        entry: &schema::StreamEntry,
        faults: Vec<StreamFault>,
        around: &Around<'_>,
    ) -> Result<Declared, ScenarioError>;
}

/// A kind of actor, its types hidden.
pub(crate) trait MakeActor: Send + Sync {
    /// Reserves a place: an `Addr` of the kind's type.
    fn reserve(&self, simulation: &mut Simulation, name: &str, rank: Rank) -> Result<Box<dyn Any>, BuildError>;

    /// Makes the actor of an entry and puts it where its place was reserved.
    fn place(
        &self,
        simulation: &mut Simulation,
        scenario: &Scenario,
        entry: &schema::ActorEntry,
        cast: &Cast<'_>,
        edges: &mut BTreeSet<Edge>,
        around: &Around<'_>,
    ) -> Result<(), ScenarioError>;
}

pub(crate) struct TypedStream<P, M, F> {
    make: F,
    of: PhantomData<fn(P) -> M>,
}

impl<P, M, F> TypedStream<P, M, F> {
    pub(crate) fn new(make: F) -> Self {
        Self { make, of: PhantomData }
    }
}

impl<P, M, F> MakeStream for TypedStream<P, M, F>
where
    P: DeserializeOwned + 'static,
    M: Message + Clone,
    F: Fn(P, &mut StreamScene<'_>) -> Result<Stream<M>, SceneError> + Send + Sync,
{
    fn declare(
        &self,
        simulation: &mut Simulation,
        scenario: &Scenario,
        entry: &schema::StreamEntry,
        faults: Vec<StreamFault>,
        around: &Around<'_>,
    ) -> Result<Declared, ScenarioError> {
        let params = params_of::<P>(scenario, &entry.kind)?;
        let (asked_name, asked_start) = (Cell::new(false), Cell::new(false));
        let mut scene = StreamScene { scenario, name: &entry.name.value, around, files: RefCell::default(), asked_name, asked_start };
        let stream = (self.make)(params, &mut scene).map_err(|error| error.located(scenario, &entry.kind))?;
        declare(stream, &scene, simulation, entry, faults)
    }
}

/// Declares a stream that was made, as its entry wants it; once for every type of message, whatever made it.
fn declare<M: Message + Clone>(
    mut stream: Stream<M>,
    scene: &StreamScene<'_>,
    simulation: &mut Simulation,
    entry: &schema::StreamEntry,
    faults: Vec<StreamFault>,
) -> Result<Declared, ScenarioError> {
    let StreamScene { scenario, around, .. } = *scene;
    if let Some(shared) = around.shared
        && let Some(key) = scene.key::<M>(&entry.kind, shared)
    {
        stream = shared.over(key, stream);
    }
    around.files.borrow_mut().append(&mut scene.files.borrow_mut());
    if !faults.is_empty() {
        let open = stream.open;
        stream.open = Box::new(move || open().map(|source| spoil(source, faults.clone())));
    }
    if let Some(at) = scenario.cut {
        stream = stream.wrap(move |source| cut(source, at));
    }
    stream = stream.rank(entry.rank).late(match entry.late {
        LatePolicy::Error => Late::Error,
        LatePolicy::DropAndCount => Late::DropAndCount,
        LatePolicy::DeliverFlagged => Late::DeliverFlagged,
    });
    if let Some(bound) = entry.reorder {
        stream = stream.reorder(bound);
    }
    if entry.ties == Ties::OneByOne {
        stream = stream.one_by_one();
    }
    if entry.controlled {
        stream = stream.controlled();
    }
    match simulation.stream::<M>(&entry.name.value, stream) {
        Ok(stream) => Ok(Declared { stream: Box::new(stream), message: M::KIND }),
        Err(error) => Err(scenario.text.error(entry.name.at.clone(), error.to_string())),
    }
}

pub(crate) struct TypedActor<P, A, F> {
    make: F,
    of: PhantomData<fn(P) -> A>,
}

impl<P, A, F> TypedActor<P, A, F> {
    pub(crate) fn new(make: F) -> Self {
        Self { make, of: PhantomData }
    }
}

impl<P, A, F> MakeActor for TypedActor<P, A, F>
where
    P: DeserializeOwned + 'static,
    A: Actor,
    F: Fn(P, &mut Scene<'_, A>) -> Result<A, SceneError> + Send + Sync,
{
    fn reserve(&self, simulation: &mut Simulation, name: &str, rank: Rank) -> Result<Box<dyn Any>, BuildError> {
        simulation.reserve::<A>(name, rank).map(|address| Box::new(address) as Box<dyn Any>)
    }

    fn place(
        &self,
        simulation: &mut Simulation,
        scenario: &Scenario,
        entry: &schema::ActorEntry,
        cast: &Cast<'_>,
        edges: &mut BTreeSet<Edge>,
        around: &Around<'_>,
    ) -> Result<(), ScenarioError> {
        let params = params_of::<P>(scenario, &entry.kind)?;
        let name = entry.name.value.as_str();
        let me = *cast.actors[name].address.downcast_ref::<Addr<A>>().expect("a kind reserves places of its own type");
        let mut scene = Scene { simulation: &mut *simulation, scenario, cast, edges, around, name, call: &entry.kind, me };
        let actor = (self.make)(params, &mut scene).map_err(|error| error.located(scenario, &entry.kind))?;
        simulation.place(me, actor);
        Ok(())
    }
}

/// The parameters of a kind; none given are the same as `()`.
fn params_of<P: DeserializeOwned>(scenario: &Scenario, call: &KindCall) -> Result<P, ScenarioError> {
    if !call.params.is_empty() {
        return scenario.dialect.parse(&scenario.text, &call.params);
    }
    scenario.dialect.parse_loose("()").map_err(|error| {
        let cause = format!("kind `{}` needs parameters: {}", call.name.value, cause(&error));
        scenario.text.error(call.name.at.clone(), cause)
    })
}
