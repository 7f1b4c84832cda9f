//! The kinds of streams and actors that scenarios may name. Invariant: a kind's documented parameters are those of its type.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::error::ScenarioError;
use super::kinds;
use super::parts::PartDoc;
use super::probe::{Field, Fields, fields_of};
use super::raw::{Dialect, Parts};
use super::scene::{MakeActor, MakeStream, Scene, StreamScene, TypedActor, TypedStream};
use super::scene_error::SceneError;
use super::shared::Shared;
use super::text::Text;
use crate::actor::{Actor, Handler};
use crate::address::{Addr, Recipient};
use crate::message::Message;
use crate::stream::Stream;

/// The kinds that a scenario may use: the engine's own, and those that code adds.
///
/// ```
/// use serde::Deserialize;
/// use stillpoint_engine::scenario::{Registry, Scenario};
/// use stillpoint_engine::{Actor, Context, Handler, Report};
///
/// /// Counts the texts that are long enough.
/// struct LongTexts {
///     least: usize,
///     seen: i64,
/// }
///
/// impl Actor for LongTexts {
///     fn report(&self, report: &mut Report) {
///         report.integer("seen", self.seen);
///     }
/// }
///
/// impl Handler<String> for LongTexts {
///     fn handle(&mut self, text: &String, _: &mut Context<'_, Self>) {
///         self.seen += i64::from(text.len() >= self.least);
///     }
/// }
///
/// #[derive(Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Params {
///     stream: String,
///     least: usize,
/// }
///
/// let mut registry = Registry::new();
/// registry
///     .actor::<Params, LongTexts>("long_texts", "Counts long texts.", |params, scene| {
///         let texts = scene.stream::<String>(&params.stream)?;
///         scene.subscribe(texts);
///         Ok(LongTexts { least: params.least, seen: 0 })
///     })
///     .param("stream", "where the texts come from")
///     .param("least", "the least number of bytes of a long text")
///     .accepts::<String>();
///
/// let text = r#"(
///     name: "long texts",
///     streams: [(name: "words", kind: script(steps: [
///         Add(at: "2025-01-01T00:00:00Z", value: "short"),
///         Add(at: "2025-01-01T00:00:01Z", value: "a longer one"),
///     ]))],
///     actors: [(name: "counter", kind: long_texts(stream: "words", least: 6))],
///     expect: (events: 2, results: [(actor: "counter", name: "seen", min: 1, max: 1)]),
/// )"#;
/// let scenario = Scenario::parse("long.ron", text, &[])?;
/// let outcome = scenario.build(&registry)?.simulation.run()?;
/// assert!(scenario.unmet(&outcome).is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Registry {
    pub(crate) streams: BTreeMap<&'static str, StreamEntry>,
    pub(crate) actors: BTreeMap<&'static str, ActorEntry>,
    pub(crate) parts: Vec<PartDoc>,
    pub(crate) shared: Option<Arc<Shared>>,
}

/// What a kind is for, for people to read.
#[derive(Clone, Debug)]
pub struct KindDoc {
    /// The name that scenarios use.
    pub name: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// Its parameters, in the order of their definition.
    pub params: Vec<ParamDoc>,
    /// Parameters as a scenario may give them, with their parentheses; it is checked that they can be read.
    pub example: Option<&'static str>,
    /// For a stream the kind of message that it carries; for an actor those that other actors may send to it.
    pub messages: Vec<&'static str>,
}

/// One parameter of a kind.
#[derive(Clone, Debug)]
pub struct ParamDoc {
    /// The field's name.
    pub name: &'static str,
    /// The type of its value in RON.
    pub of: String,
    /// What it means. Empty if nobody said.
    pub doc: &'static str,
    /// Whether it must be given, as far as the kind's example shows.
    pub required: Option<bool>,
    /// The fields of the struct in its value, if there is one.
    pub(crate) inner: Fields,
}

pub(crate) struct StreamEntry {
    pub(crate) about: KindDoc,
    pub(crate) make: Box<dyn MakeStream>,
}

pub(crate) struct ActorEntry {
    pub(crate) about: KindDoc,
    pub(crate) make: Box<dyn MakeActor>,
    pub(crate) accepts: Vec<Accepted>,
}

/// How an address of the kind's actor becomes a recipient of one message type.
pub(crate) struct Accepted {
    pub(crate) message: TypeId,
    pub(crate) recipient: Convert,
}

/// From an `Addr` of the kind's actor to a `Recipient` of the message.
type Convert = Box<dyn Fn(&dyn Any) -> Box<dyn Any> + Send + Sync>;

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Registry {
    /// A registry of the engine's own kinds.
    pub fn new() -> Self {
        let mut registry = Self { streams: BTreeMap::new(), actors: BTreeMap::new(), parts: Vec::new(), shared: None };
        kinds::register(&mut registry);
        registry
    }

    /// Lets all simulations that are built with this registry from now on share what their streams decode.
    pub fn share(&mut self, shared: &Arc<Shared>) {
        self.shared = Some(shared.clone());
    }

    /// Adds a kind of stream of messages of type `M`, made from parameters of type `P`: a struct with named fields.
    ///
    /// The scenario itself sets the stream's rank, late policy, reordering, ties and faults. Panics if the name is no RON identifier or is
    /// taken: a mistake in the program, not in a scenario.
    pub fn stream<P, M>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        make: impl Fn(P, &mut StreamScene<'_>) -> Result<Stream<M>, SceneError> + Send + Sync + 'static,
    ) -> StreamKind<'_, P>
    where
        P: DeserializeOwned + 'static,
        M: Message + Clone,
    {
        assert_new(name, self.streams.contains_key(name));
        let about = about::<P>(name, doc, vec![M::KIND]);
        let entry = StreamEntry { about, make: Box::new(TypedStream::new(make)) };
        StreamKind { about: &mut self.streams.entry(name).or_insert(entry).about, of: PhantomData }
    }

    /// Adds a kind of actor of type `A`, made from parameters of type `P`: a struct with named fields.
    ///
    /// `make` may refer to every stream and actor of the scenario by name, in whatever order they are declared. Panics as
    /// [`Registry::stream`] does.
    pub fn actor<P, A>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        make: impl Fn(P, &mut Scene<'_, A>) -> Result<A, SceneError> + Send + Sync + 'static,
    ) -> ActorKind<'_, P, A>
    where
        P: DeserializeOwned + 'static,
        A: Actor,
    {
        assert_new(name, self.actors.contains_key(name));
        let about = about::<P>(name, doc, Vec::new());
        let entry = ActorEntry { about, make: Box::new(TypedActor::new(make)), accepts: Vec::new() };
        ActorKind { entry: self.actors.entry(name).or_insert(entry), of: PhantomData }
    }

    /// The kinds of streams, by name.
    pub fn stream_kinds(&self) -> impl Iterator<Item = &KindDoc> {
        self.streams.values().map(|entry| &entry.about)
    }

    /// The kinds of actors, by name.
    pub fn actor_kinds(&self) -> impl Iterator<Item = &KindDoc> {
        self.actors.values().map(|entry| &entry.about)
    }
}

fn assert_new(name: &str, taken: bool) {
    let valid = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    assert!(valid, "`{name}` cannot name a kind: use letters, digits and `_`, as in `ema_cross`");
    assert!(!taken, "there are two kinds named `{name}`");
}

fn about<P: DeserializeOwned>(name: &'static str, doc: &'static str, messages: Vec<&'static str>) -> KindDoc {
    let param = |Field { name, of, inner }| ParamDoc { name, of, doc: "", required: None, inner };
    let params = fields_of::<P>().fields.into_iter().map(param).collect();
    KindDoc { name, doc, params, example: None, messages }
}

impl KindDoc {
    fn document(&mut self, param: &str, doc: &'static str) {
        let kind = self.name;
        let entry = self.params.iter_mut().find(|known| known.name == param);
        entry.unwrap_or_else(|| panic!("kind `{kind}` has no parameter `{param}` to document")).doc = doc;
    }

    /// Takes an example and finds out which parameters it cannot do without.
    fn illustrate<P: DeserializeOwned>(&mut self, example: &'static str) {
        self.show(example, |dialect, text, piece| dialect.parse::<P>(text, piece).map(drop));
    }

    fn show(&mut self, example: &'static str, read: fn(&Dialect, &Text, &Range<usize>) -> Result<(), ScenarioError>) {
        let kind = self.name;
        let text = Text::new(kind, example);
        let whole = 0..example.len();
        let parts = Dialect::of(&text).and_then(|dialect| {
            read(&dialect, &text, &whole)?;
            Ok((dialect.split(&text, &whole)?, dialect))
        });
        match parts {
            Ok((Parts::Named(fields), dialect)) => {
                for param in &mut self.params {
                    let rest = fields.iter().filter(|(name, _)| name != param.name);
                    let rest: Vec<String> = rest.map(|(name, raw)| format!("{name}: {raw}")).collect();
                    let rest = Text::new(kind, &format!("({})", rest.join(", ")));
                    param.required = Some(read(&dialect, &rest, &(0..rest.as_str().len())).is_err());
                }
            }
            Ok(_) => panic!("the example of kind `{kind}` names no parameters: {example}"),
            Err(error) => panic!("the example of kind `{kind}` cannot be read: {error}"),
        }
        self.example = Some(example);
    }
}

/// A kind of stream that has just been added, to be documented.
pub struct StreamKind<'r, P> {
    about: &'r mut KindDoc,
    of: PhantomData<fn(P)>,
}

impl<P: DeserializeOwned> StreamKind<'_, P> {
    /// Says what a parameter means. Panics if there is none of that name.
    pub fn param(self, name: &str, doc: &'static str) -> Self {
        self.about.document(name, doc);
        self
    }

    /// Gives parameters as a scenario might, with their parentheses. Panics if they cannot be read.
    pub fn example(self, example: &'static str) -> Self {
        self.about.illustrate::<P>(example);
        self
    }
}

/// A kind of actor that has just been added, to be documented and opened to messages.
pub struct ActorKind<'r, P, A> {
    entry: &'r mut ActorEntry,
    of: PhantomData<fn(P) -> A>,
}

impl<P: DeserializeOwned, A: Actor> ActorKind<'_, P, A> {
    /// Says what a parameter means. Panics if there is none of that name.
    pub fn param(self, name: &str, doc: &'static str) -> Self {
        self.entry.about.document(name, doc);
        self
    }

    /// Gives parameters as a scenario might, with their parentheses. Panics if they cannot be read.
    pub fn example(self, example: &'static str) -> Self {
        self.entry.about.illustrate::<P>(example);
        self
    }

    /// Lets other kinds reach this one's actors through [`Scene::recipient`] with messages of type `M`.
    pub fn accepts<M: Message>(self) -> Self
    where
        A: Handler<M>,
    {
        let recipient = |address: &dyn Any| -> Box<dyn Any> {
            let address: &Addr<A> = address.downcast_ref().expect("an entry is asked about an address of its own");
            let recipient: Recipient<M> = address.recipient();
            Box::new(recipient)
        };
        self.entry.about.messages.push(M::KIND);
        self.entry.accepts.push(Accepted { message: TypeId::of::<M>(), recipient: Box::new(recipient) });
        self
    }
}
