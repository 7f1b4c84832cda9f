//! A delivery on its way. Invariant: two entries of one receiver never share (class, sender, seq).

use std::any::{Any, TypeId};
use std::rc::Rc;

use crate::kernel::core::Core;
use crate::report::Report;
use crate::snapshot::Table;

/// The slot of an actor, a stream or a facet in its shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ActorId(pub(crate) u32);

impl ActorId {
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Classes of senders (rule R1). External input (2) comes with live hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Class {
    Start = 0,
    Stream = 1,
    Message = 3,
    Timer = 4,
    Wake = 5,
}

/// What a delivery does, and where its payload lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// The first delivery of an actor.
    Start,
    /// The `extra`-th subscriber of the item `payload` of stream `from`.
    Stream,
    /// A message in the arena of its step.
    Now,
    /// A delayed message, kept.
    Later,
    /// One subscriber's share of a publication that travels over a link, kept.
    LaterShare,
    /// One subscriber's share of a publication that subscribers in several shards share, kept; `extra` is its type.
    Shared,
    /// An own timer's message, kept.
    Timer,
    /// One copy in the arena for all the subscribers in list `extra`; expanded when the step is closed.
    Publication,
    /// One subscriber's share of a publication.
    Share,
    /// A question, kept; `extra` is the ask.
    Request,
    /// Its answer, kept; `extra` is the ask.
    Reply,
    /// The answer that there is none.
    Gone,
    /// The asker's timer.
    Timeout,
    /// Wakes the wait `extra`.
    Wake,
    /// The result of job `extra`.
    Job,
    /// `stop` from another actor.
    Stop,
    /// A subscription; `extra` indexes the calls that are on their way.
    Subscribe,
    /// Pause, resume or end of a controlled stream.
    Control,
}

impl What {
    /// The class of the sender.
    #[inline(always)]
    pub(crate) const fn class(self) -> Class {
        match self {
            Self::Start => Class::Start,
            Self::Stream => Class::Stream,
            Self::Timer | Self::Timeout => Class::Timer,
            Self::Wake | Self::Job => Class::Wake,
            _ => Class::Message,
        }
    }
}

/// No node, no payload.
pub(crate) const NONE: u32 = u32::MAX;

/// One delivery to one receiver (to all subscribers, for a publication).
///
/// What a delivery takes over into its own entry does not adjoin here: two fields that were written one after the other just now, and are read
/// together, keep a processor waiting until both have reached its cache.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Entry {
    pub(crate) to: ActorId,
    pub(crate) extra: u32,
    pub(crate) from: ActorId,
    /// The pending node this came from, if it can be cancelled.
    pub(crate) node: u32,
    pub(crate) payload: u32,
    /// The index of the payload's type.
    pub(crate) ty: u16,
    pub(crate) what: What,
    /// Decided at the closing: nobody will read this.
    pub(crate) dead: bool,
    /// The sender's count when it emitted this.
    pub(crate) cause: u64,
    pub(crate) seq: u64,
    pub(crate) thunk: Thunk,
}

impl Entry {
    /// Whether this is a message that was kept for one delivery: a delayed one, or a timer's that is no interval's.
    #[inline(always)]
    pub(crate) fn is_kept_message(&self) -> bool {
        matches!(self.what, What::Later | What::Timer) && self.extra == NONE
    }

    /// The entry of a stream's current item for one of its subscribers.
    #[inline(always)]
    pub(crate) fn of_stream(stream: ActorId, to: ActorId, index: u64, payload: u32, extra: u32) -> Self {
        Self {
            to,
            from: stream,
            seq: index,
            cause: index,
            thunk: no_thunk,
            payload,
            extra,
            node: NONE,
            ty: u16::MAX,
            what: What::Stream,
            dead: false,
        }
    }
}

/// The entries of a step. Boxed: two steps change places by one pointer, many million times a second.
pub(crate) type Step = Box<Vec<Entry>>;

/// An actor behind its type.
pub(crate) trait Cell: Any {
    fn report(&self, report: &mut Report);
    /// The actor's type, if there is or was one.
    fn of(&self) -> Option<(TypeId, &'static str)>;
    /// How the actor's type is saved, if it can be.
    fn table(&self) -> Option<Table>;
    /// What is left of the actor when it has stopped: its type alone.
    fn remains(&self) -> Rc<dyn Cell>;
}

/// A slot without an actor.
pub(crate) struct Vacant;

impl Cell for Vacant {
    fn report(&self, _: &mut Report) {}

    fn of(&self) -> Option<(TypeId, &'static str)> {
        None
    }

    fn table(&self) -> Option<Table> {
        None
    }

    fn remains(&self) -> Rc<dyn Cell> {
        Rc::new(Self)
    }
}

/// In the place of doors, where the thunk fetches the message itself.
pub(crate) struct Unfetched;

/// The typed half of a delivery, one per (actor type, message type): it opens the actor's door among the doors that it is given, or, given
/// [`Unfetched`], delivers what the entry says.
pub(crate) type Thunk = fn(&Rc<dyn Cell>, &mut dyn Any, &mut Core, &Entry);

/// For deliveries that touch no actor.
pub(crate) fn no_thunk(_: &Rc<dyn Cell>, _: &mut dyn Any, _: &mut Core, _: &Entry) {}
