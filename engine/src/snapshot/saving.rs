//! How an actor's type is saved: its state, and the kinds of what may be on its way to it. Invariant: a table holds each kind once, so that a
//! kind's name leads back to its type.

use std::any::{Any, TypeId, type_name};
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;

use ron::error::SpannedError;
use ron::value::RawValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::actor::{Actor, Handler, Responds};
use crate::address::{Occupied, Remains, actor_of};
use crate::ask::{Answer, answer_handler, respond};
use crate::erased;
use crate::job::{JobDone, done_handler, ticket_of};
use crate::kernel::border::Shared;
use crate::kernel::core::Core;
use crate::kernel::door::handle;
use crate::kernel::entry::{ActorId, Cell, Thunk};
use crate::kernel::pending::NodeKey;
use crate::kernel::store::Stores;
use crate::kernel::stream::Subscriber;
use crate::message::{Message, Request};
use crate::pool::JobPanic;

/// A value as RON text of its own.
pub(crate) type Text = Result<Box<RawValue>, ron::Error>;

/// How actors of type `A` are saved: what [`Actor::saving`] gives.
///
/// The actor's own state is saved through serde. Beside it a snapshot holds what is on its way to the actor, and that is of types which the
/// engine cannot guess: declare the messages that reach it (from others, from its own timers, from streams and publishers), the results of
/// its jobs, the questions it asks and those it answers, and the types of its children. What is missing is named by the error that the
/// snapshot is refused with.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use stillpoint_engine::{Actor, Context, Duration, Handler, Instant, Message, Saving, Simulation};
///
/// #[derive(Debug, Hash, Serialize, Deserialize)]
/// struct Chime;
/// impl Message for Chime {
///     const KIND: &'static str = "chime";
/// }
///
/// #[derive(Serialize, Deserialize)]
/// struct Clock {
///     chimes: u64,
/// }
/// impl Actor for Clock {
///     fn started(&mut self, ctx: &mut Context<'_, Self>) {
///         ctx.notify_after(Duration::secs(1), Chime);
///     }
///
///     fn saving() -> Option<Saving<Self>> {
///         Some(Saving::new().message::<Chime>())
///     }
/// }
/// impl Handler<Chime> for Clock {
///     fn handle(&mut self, _: &Chime, ctx: &mut Context<'_, Self>) {
///         self.chimes += 1;
///         ctx.notify_after(Duration::secs(1), Chime);
///     }
/// }
///
/// let build = || -> Result<_, Box<dyn std::error::Error>> {
///     let mut sim = Simulation::new("clock").until(Instant::EPOCH + Duration::secs(10));
///     sim.actor("clock", Clock { chimes: 0 })?;
///     Ok(sim)
/// };
/// let whole = build()?.run()?;
///
/// let mut run = build()?.begin()?;
/// run.until(Instant::EPOCH + Duration::secs(4));
/// let snapshot = run.snapshot()?;
/// let rest = build()?.restore(&snapshot)?.finish()?;
/// assert_eq!((rest.trace_hash, rest.deliveries), (whole.trace_hash, whole.deliveries));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Saving<A> {
    table: Table,
    of: PhantomData<fn(A)>,
}

impl<A> fmt::Debug for Saving<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Saving({})", self.table.type_name)
    }
}

impl<A: Actor + Serialize + DeserializeOwned> Default for Saving<A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A: Actor + Serialize + DeserializeOwned> Saving<A> {
    /// Saves the state alone: nothing may be on its way to the actor.
    pub fn new() -> Self {
        let save = |cell: &Rc<dyn Cell>| erased::to_raw(&*actor_of::<A>(cell));
        let load = |text: &RawValue| erased::from_raw::<A>(text).map(|actor| Rc::new(Occupied::new(actor)) as Rc<dyn Cell>);
        let table = Table {
            type_name: type_name::<A>(),
            save,
            load,
            complete: None,
            messages: Vec::new(),
            jobs: Vec::new(),
            asks: Vec::new(),
            answers: Vec::new(),
            children: Vec::new(),
        };
        Self { table, of: PhantomData }
    }

    /// Messages of type `M` may be on their way to it: from other actors, from its timers, from streams and publishers it subscribed to. Panics
    /// if another type of the same kind was declared.
    #[must_use]
    pub fn message<M: Message + Serialize + DeserializeOwned>(mut self) -> Self
    where
        A: Handler<M>,
    {
        let kind = MessageKind {
            payload: Payload::of::<M>(),
            of: TypeId::of::<M>(),
            thunk: handle::<A, M>,
            ty: |core| core.stores.ty::<M>(),
            subscriber: |who| Box::new(Subscriber::<M>::of::<A>(who)),
        };
        self.assert_new("message", M::KIND, self.table.messages.iter().map(|known| known.payload.kind));
        self.table.messages.push(kind);
        self
    }

    /// Results of type `T` of its jobs may be on their way to it. Panics as [`Saving::message`] does.
    #[must_use]
    pub fn job<T: Message + Serialize + DeserializeOwned>(mut self) -> Self
    where
        A: Handler<JobDone<T>>,
    {
        let save =
            |ticket: &dyn Any| ticket.is::<crate::pool::Ticket<T>>().then(|| ticket_of::<T>(ticket).look(|result| erased::to_raw(result)));
        let load = |core: &mut Core, key, slot, node, text: &RawValue| {
            core.jobs.fill::<T>(key, slot, node, erased::from_raw::<Result<T, JobPanic>>(text)?);
            Ok(())
        };
        self.assert_new("job", T::KIND, self.table.jobs.iter().map(|known| known.kind));
        self.table.jobs.push(JobKind { kind: T::KIND, thunk: done_handler::<A, T>, save, load });
        self
    }

    /// Answers to questions of type `R` may be on their way to it. Panics as [`Saving::message`] does.
    #[must_use]
    pub fn asks<R: Request>(mut self) -> Self
    where
        A: Handler<Answer<R>>,
        R::Reply: Serialize + DeserializeOwned,
    {
        self.assert_new("question", R::KIND, self.table.asks.iter().map(|known| known.kind));
        self.table.asks.push(AskKind { kind: R::KIND, reply: Payload::of::<R::Reply>(), thunk: answer_handler::<A, R> });
        self
    }

    /// Questions of type `R` may be on their way to it. Panics as [`Saving::message`] does.
    #[must_use]
    pub fn answers<R: Request + Serialize + DeserializeOwned>(mut self) -> Self
    where
        A: Responds<R>,
        R::Reply: Serialize + DeserializeOwned,
    {
        self.assert_new("question", R::KIND, self.table.answers.iter().map(|known| known.request.kind));
        let kind = AnswerKind { request: Payload::of::<R>(), reply: Payload::of::<R::Reply>(), thunk: respond::<A, R> };
        self.table.answers.push(kind);
        self
    }

    /// It may have children of type `C`, which must be savable too.
    #[must_use]
    pub fn child<C: Actor>(self) -> Self {
        self.add_child::<C>(None)
    }

    /// As [`Saving::child`]; `complete` gives a restored child what was not saved of it, such as data it shares with its parent.
    #[must_use]
    pub fn complete_child<C: Actor>(self, complete: fn(&A, &mut C)) -> Self {
        self.add_child::<C>(Some(Box::new(move |parent: &Rc<dyn Cell>, child: &Rc<dyn Cell>| {
            complete(&actor_of::<A>(parent), &mut actor_of::<C>(child));
        })))
    }

    fn add_child<C: Actor>(mut self, complete: Option<CompleteChild>) -> Self {
        let cell = || Rc::new(Remains::<C>::new()) as Rc<dyn Cell>;
        self.assert_new("child", type_name::<C>(), self.table.children.iter().map(|known| known.type_name));
        self.table.children.push(ChildKind { type_name: type_name::<C>(), remains: cell, complete });
        self
    }

    /// Gives a restored actor what was not saved of it (`#[serde(skip)]`), out of the one that the simulation was built with.
    #[must_use]
    pub fn complete(mut self, complete: fn(&mut A, A)) -> Self {
        self.table.complete = Some(Box::new(move |saved: &Rc<dyn Cell>, built: Rc<dyn Cell>| {
            let built: Rc<dyn Any> = built;
            let built = built.downcast::<Occupied<A>>().ok().and_then(Rc::into_inner);
            complete(&mut actor_of::<A>(saved), built.expect("a simulation with an actor of the same type").0.into_inner());
        }));
        self
    }

    fn assert_new<'k>(&self, what: &str, kind: &str, mut known: impl Iterator<Item = &'k str>) {
        let of = self.table.type_name;
        assert!(
            known.all(|known| known != kind),
            "`{of}` declares the {what} `{kind}` twice; declare it once, and give each type a kind of its own"
        );
    }
}

type Complete = Box<dyn Fn(&Rc<dyn Cell>, Rc<dyn Cell>)>;
type CompleteChild = Box<dyn Fn(&Rc<dyn Cell>, &Rc<dyn Cell>)>;

/// A [`Saving`] whose type is hidden.
pub(crate) struct Table {
    pub(crate) type_name: &'static str,
    pub(crate) save: fn(&Rc<dyn Cell>) -> Text,
    pub(crate) load: fn(&RawValue) -> Result<Rc<dyn Cell>, SpannedError>,
    pub(crate) complete: Option<Complete>,
    messages: Vec<MessageKind>,
    jobs: Vec<JobKind>,
    asks: Vec<AskKind>,
    answers: Vec<AnswerKind>,
    children: Vec<ChildKind>,
}

impl<A> From<Saving<A>> for Table {
    fn from(saving: Saving<A>) -> Self {
        saving.table
    }
}

impl Table {
    pub(crate) fn message(&self, kind: &str) -> Option<&MessageKind> {
        self.messages.iter().find(|known| known.payload.kind == kind)
    }

    pub(crate) fn message_of(&self, of: TypeId) -> Option<&MessageKind> {
        self.messages.iter().find(|known| known.of == of)
    }

    pub(crate) fn job(&self, kind: &str) -> Option<&JobKind> {
        self.jobs.iter().find(|known| known.kind == kind)
    }

    pub(crate) fn ask(&self, kind: &str) -> Option<&AskKind> {
        self.asks.iter().find(|known| known.kind == kind)
    }

    pub(crate) fn answer(&self, kind: &str) -> Option<&AnswerKind> {
        self.answers.iter().find(|known| known.request.kind == kind)
    }

    pub(crate) fn child(&self, type_name: &str) -> Option<&ChildKind> {
        self.children.iter().find(|known| known.type_name == type_name)
    }
}

/// The type and the slot of a message that is kept now.
type Loaded = Result<(u16, u32), SpannedError>;

/// A type of kept messages.
#[derive(Clone, Copy)]
pub(crate) struct Payload {
    pub(crate) kind: &'static str,
    /// `None`: the message is of another type. One that several shards share is saved as what it holds.
    pub(crate) save: fn(&Stores, u16, u32) -> Option<Text>,
    /// Keeps the message; gives its type and its slot.
    pub(crate) load: fn(&mut Core, &RawValue) -> Loaded,
}

impl Payload {
    fn of<M: Message + Serialize + DeserializeOwned>() -> Self {
        Self {
            kind: M::KIND,
            save: |stores, ty, index| {
                let shared = || stores.look(ty, index, |shared: &Shared<M>| erased::to_raw(&*shared.0));
                stores.look(ty, index, |message: &M| erased::to_raw(message)).or_else(shared)
            },
            load: |core, text| {
                let message = erased::from_raw::<M>(text)?;
                Ok(core.stores.keep(message))
            },
        }
    }
}

/// A type of messages that an actor handles.
pub(crate) struct MessageKind {
    pub(crate) payload: Payload,
    of: TypeId,
    pub(crate) thunk: Thunk,
    pub(crate) ty: fn(&mut Core) -> u16,
    /// A `Subscriber` of the message's type.
    pub(crate) subscriber: fn(ActorId) -> Box<dyn Any>,
}

type LoadJob = fn(&mut Core, (ActorId, u64), u32, NodeKey, &RawValue) -> Result<(), SpannedError>;

/// A type of results of jobs.
pub(crate) struct JobKind {
    kind: &'static str,
    pub(crate) thunk: Thunk,
    /// Waits for the job. `None`: its result is of another type.
    pub(crate) save: fn(&dyn Any) -> Option<Text>,
    pub(crate) load: LoadJob,
}

/// A type of questions that an actor asks.
pub(crate) struct AskKind {
    pub(crate) kind: &'static str,
    pub(crate) reply: Payload,
    pub(crate) thunk: Thunk,
}

/// A type of questions that an actor answers.
pub(crate) struct AnswerKind {
    pub(crate) request: Payload,
    pub(crate) reply: Payload,
    pub(crate) thunk: Thunk,
}

/// A type of children.
pub(crate) struct ChildKind {
    type_name: &'static str,
    pub(crate) remains: fn() -> Rc<dyn Cell>,
    pub(crate) complete: Option<CompleteChild>,
}
