//! The messages of random programs, and what they look like to an actor. Invariant: an actor sees the same in the engine and in the model.

use std::fmt::Debug;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Duration, Instant, Message, Request};

use super::program::{Body, remember};

/// A message between actors, which may tell of a third one. Its digest is that of its body.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Note<P> {
    pub(crate) body: Body,
    pub(crate) about: Option<(P, usize)>,
}

impl<P> Hash for Note<P> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.body.hash(state);
    }
}

impl<P: Debug + Send + Sync + 'static> Message for Note<P> {
    const KIND: &'static str = NOTE;
}

pub(crate) const NOTE: &str = "note";

macro_rules! bodies {
    ($($name:ident: $kind:literal),*) => {
        $(#[derive(Clone, Copy, Debug, Hash, Serialize, Deserialize)]
        pub(crate) struct $name(pub(crate) Body);

        impl Message for $name {
            const KIND: &'static str = $kind;
        })*
    };
}

bodies!(Flash: "flash", Item: "item", Question: "question", Reply: "reply", Work: "work");

impl Request for Question {
    type Reply = Reply;
}

/// How an ask ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Said {
    Body(Body),
    Next(Option<Instant>),
    Gone,
    Timeout,
}

/// How a job ended.
pub(crate) type Worked = Result<Body, ()>;

/// What a delivery looks like to an actor.
#[derive(Clone, Copy, Debug, Hash)]
pub(crate) struct Seen {
    pub(crate) what: u64,
    pub(crate) body: Body,
    pub(crate) due: Instant,
    pub(crate) event_time: Instant,
    pub(crate) lag: Option<Duration>,
}

impl Seen {
    fn plain(what: u64, body: Body, due: Instant) -> Self {
        Self { what, body, due, event_time: due, lag: None }
    }

    pub(crate) fn note(body: Body, due: Instant) -> Self {
        Self::plain(1, body, due)
    }

    pub(crate) fn flash(body: Body, due: Instant) -> Self {
        Self::plain(2, body, due)
    }

    pub(crate) fn item(body: Body, due: Instant, event_time: Instant, lag: Option<Duration>) -> Self {
        Self { event_time, lag, ..Self::plain(3, body, due) }
    }

    pub(crate) fn question(body: Body, due: Instant) -> Self {
        Self::plain(4, body, due)
    }

    pub(crate) fn answer(said: Said, due: Instant) -> Self {
        let body = |tag| Body { fuel: 2, tag };
        match said {
            Said::Body(body) => Self::plain(5, body, due),
            Said::Next(next) => Self::plain(6, body(remember(6, next)), due),
            Said::Gone => Self::plain(7, body(7), due),
            Said::Timeout => Self::plain(8, body(8), due),
        }
    }

    pub(crate) fn job(worked: Worked, due: Instant) -> Self {
        match worked {
            Ok(body) => Self::plain(9, body, due),
            Err(()) => Self::plain(10, Body { fuel: 2, tag: 10 }, due),
        }
    }

    /// A task's view: one number for how a wait ended.
    pub(crate) fn value(self) -> u64 {
        remember(self.what, self.body)
    }
}

/// How waits of a task end that bring no message.
pub(crate) const SLEPT: u64 = 1;
pub(crate) const YIELDED: u64 = 2;
pub(crate) const CANCELLED: u64 = 3;
