//! What a snapshot holds, as values. Invariant: everything is keyed by the numbers and paths of actors, so that nothing depends on how a run
//! was dealt to shards, and the parts of several shards can be merged.

use std::collections::BTreeMap;

use ron::value::RawValue;
use serde::{Deserialize, Serialize};

use crate::digest::digest_of_text;
use crate::error::Site;
use crate::kernel::core::Counters;
use crate::kernel::record::summand;
use crate::kernel::stream::{Cover, Position};
use crate::report::Report;
use crate::time::{Duration, Instant};
use crate::trace::TraceHash;

/// A run at a still point, or one shard's part of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename = "Snapshot")]
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) seed: u64,
    /// The last step that was run.
    pub(crate) site: Site,
    pub(crate) totals: Totals,
    /// Everybody who is or was there, by number: roots, streams, children, facets, whether they live or have stopped.
    pub(crate) slots: BTreeMap<u32, Slot>,
    pub(crate) pending: Vec<Pending>,
    pub(crate) asks: Vec<Ask>,
    pub(crate) streams: BTreeMap<u32, Position>,
    pub(crate) links: Vec<LinkPath>,
    pub(crate) reports: Vec<(u32, Report)>,
    /// Which items of each stream a shard among several has delivered; a whole has them counted.
    #[serde(skip)]
    pub(crate) covers: Vec<(u32, Cover)>,
}

/// What a shard has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Totals {
    pub(crate) counters: Counters,
    pub(crate) first: Option<Instant>,
    pub(crate) last: Option<Instant>,
    /// What dead letters and stopped actors have added to the hash of the run.
    pub(crate) dead: TraceHash,
    pub(crate) stopped: TraceHash,
}

/// An actor, a stream or a facet of the time-keeper.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Slot {
    pub(crate) path: String,
    pub(crate) rank: i32,
    pub(crate) role: Role,
    pub(crate) chain: u64,
    pub(crate) count: u64,
    pub(crate) seq: u64,
    /// How many random words it has drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) drawn: Option<u64>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) tasks: u64,
    #[serde(default, skip_serializing_if = "is_none")]
    pub(crate) inboxes: u32,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) picky: bool,
    /// Its own last calls about other actors' publications: publisher, kind, whether that was a subscribe.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) wishes: Vec<(u32, String, bool)>,
    /// Who is on its lists, by the kind of what it publishes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) lists: Vec<(String, Vec<u32>)>,
    /// The streams it has subscribed to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) streams: Vec<u32>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn is_none(number: &u32) -> bool {
    *number == 0
}

/// What a slot is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Role {
    /// An actor of this type, with its state.
    Living(String, Box<RawValue>),
    /// An actor that has stopped, and its type if that is known.
    Stopped(Option<String>),
    Stream,
    Facet,
}

/// A delivery that is due later.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) due: Instant,
    pub(crate) to: u32,
    pub(crate) from: u32,
    pub(crate) seq: u64,
    pub(crate) cause: u64,
    pub(crate) cargo: Cargo,
}

/// What a delivery brings. Texts are kinds, followed by the message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Cargo {
    Message(String, Box<RawValue>),
    /// A share of a publication.
    Share(String, Box<RawValue>),
    /// A share that nobody will read: its receiver has stopped.
    Relic,
    Timer(String, Box<RawValue>),
    /// A tick of an interval: also its period and its end.
    Tick(String, Box<RawValue>, Duration, Option<Instant>),
    /// The result of a job, or how it panicked.
    Job(String, Box<RawValue>),
    Request(String, Box<RawValue>),
    /// The answer to the ask of this number.
    Reply(u64, Box<RawValue>),
    Gone(u64),
    Timeout(u64),
    Stop,
    /// Somebody subscribes to what the receiver publishes of this kind.
    Subscribe(String, u32),
}

/// A question whose answer or timeout is still to come. The asker and the number that the question drew name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Ask {
    pub(crate) asker: u32,
    pub(crate) id: u64,
    pub(crate) target: u32,
    /// The question's.
    pub(crate) kind: String,
    pub(crate) open: bool,
    pub(crate) resolved: bool,
}

/// How far one sender and one receiver are on a link that draws numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct LinkPath {
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) drawn: u64,
    pub(crate) last: Instant,
}

impl Slot {
    pub(crate) fn is_stopped(&self) -> bool {
        matches!(self.role, Role::Stopped(_))
    }
}

impl Image {
    /// The hash of the run up to here.
    pub(crate) fn trace_hash(&self) -> TraceHash {
        let seen = self.slots.values().filter(|slot| !slot.is_stopped() && slot.count > 0);
        let sum = seen.map(|slot| summand(digest_of_text(&slot.path), slot.chain, slot.count));
        TraceHash(sum.fold(self.totals.stopped.0.wrapping_add(self.totals.dead.0), u128::wrapping_add))
    }
}
