//! Why a run could not be built, or ended before its time.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::path::NameError;
use crate::source::SourceError;
use crate::time::{Duration, Instant};

/// Where in virtual time something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Site {
    /// The instant.
    pub at: Instant,
    /// The round inside the instant.
    pub round: u32,
    /// The step inside the round.
    pub step: u32,
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, round {}, step {}", self.at, self.round, self.step)
    }
}

/// A simulation that cannot be built. Nothing has run; the builder is as it was before the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildError {
    /// The name cannot be given.
    Name(NameError),
    /// Two actors or streams have one name: they share one namespace.
    Duplicate(String),
    /// No actor has this name.
    Unknown(String),
    /// A link was declared twice.
    DuplicateLink {
        /// The sender's root.
        from: String,
        /// The receiver's root.
        to: String,
    },
    /// Links are declared, and a subscription lacks one of the two that it needs.
    SubscriptionWithoutLink {
        /// The subscriber.
        subscriber: String,
        /// The publisher.
        publisher: String,
    },
    /// A name was reserved, and no actor was placed there.
    Vacant(String),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => error.fmt(f),
            Self::Duplicate(name) => write!(f, "two actors or streams are named `{name}`; give one of them another name"),
            Self::Unknown(name) => write!(f, "no actor is named `{name}`; add it before it is linked"),
            Self::DuplicateLink { from, to } => write!(f, "the link from `{from}` to `{to}` is declared twice; keep one"),
            Self::SubscriptionWithoutLink { subscriber, publisher } => {
                write!(f, "`{subscriber}` subscribes to `{publisher}`, which needs a link each way; declare both, or no links at all")
            }
            Self::Vacant(name) => write!(f, "the name `{name}` was reserved, but no actor was placed there"),
        }
    }
}

impl std::error::Error for BuildError {}

impl From<NameError> for BuildError {
    fn from(error: NameError) -> Self {
        Self::Name(error)
    }
}

/// Why a run failed. The run has ended at the key that the variant names; everything before it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunError {
    /// The simulation was not complete. Nothing has run.
    Build(BuildError),
    /// More deliveries in one step to one actor than the limit (rule R3). That step was not run.
    Mailbox {
        /// Where.
        site: Site,
        /// Who.
        actor: String,
        /// How many there were.
        deliveries: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// As many steps in one round as the limit (rule R8): actors send to each other without delay. That step was not run.
    Livelock {
        /// Where.
        site: Site,
        /// Who sent or would have received something in that step, in the order of rule R1, at most the first eight.
        actors: Vec<String>,
    },
    /// A stream's item lies behind an earlier one (rule R10). The step was run, and was the last.
    Late {
        /// Where the late item would have been delivered.
        site: Site,
        /// The stream.
        stream: String,
        /// The item's index in its source, from 0.
        index: u64,
        /// Its event time.
        event_time: Instant,
        /// How far it lies behind.
        lag: Duration,
    },
    /// A handler or a task panicked (rule R9). The step was run, and was the last.
    Panic {
        /// Where.
        site: Site,
        /// Who.
        actor: String,
        /// What it was handling.
        kind: String,
        /// What the panic said.
        message: String,
    },
    /// A message was sent where no link leads (rule R14). The step was run, and was the last.
    Undeclared {
        /// Where.
        site: Site,
        /// Who sent.
        from: String,
        /// To whom.
        to: String,
        /// What the sender was handling.
        kind: String,
    },
    /// A task awaited a future that is not the engine's, or was woken from outside a step (rule R18). The step was run, and was the last.
    ForeignFuture {
        /// Where.
        site: Site,
        /// Whose task.
        actor: String,
    },
    /// A stream's source could not be opened or read. All items before the failed one were delivered.
    Source {
        /// The stream.
        stream: String,
        /// What the source said.
        error: SourceError,
    },
    /// The host cannot run it, or what builds it failed. Nothing has run.
    Host(String),
    /// A snapshot that was asked for could not be taken, or not be kept. The run ended at that still point.
    Snapshot(String),
    /// The run could not go on from a snapshot. Nothing has run.
    Restore(String),
    /// The observer of the trace failed, such as a trace file on a full disk. The run ended at the next still point.
    Observer(String),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mailbox { site, actor, deliveries, limit } => write!(
                f,
                "`{actor}` would get {deliveries} deliveries in one step at {site}, over the limit of {limit}; slow its senders down or raise max_mailbox"
            ),
            Self::Livelock { site, actors } => write!(
                f,
                "the actors {} keep sending without delay: step {} of one instant was reached at {}; add a delay to one of the sends or raise max_steps",
                actors.iter().map(|actor| format!("`{actor}`")).collect::<Vec<_>>().join(", "),
                site.step,
                site.at
            ),
            Self::Late { site, stream, index, event_time, lag } => write!(
                f,
                "item {index} of stream `{stream}` is late: its time {event_time} lies {lag} behind an earlier item ({site}); sort the data, split it \
                 into sorted streams, reorder it by at least {lag}, or choose the policy DropAndCount or DeliverFlagged"
            ),
            Self::Panic { site, actor, kind, message } => {
                write!(f, "`{actor}` panicked while handling `{kind}` at {site}: {message}")
            }
            Self::Undeclared { site, from, to, kind } => write!(
                f,
                "`{from}` sent to `{to}` while handling `{kind}` at {site}, but no link leads there; declare the link from `{from}` to `{to}`"
            ),
            Self::ForeignFuture { site, actor } => {
                write!(f, "a task of `{actor}` awaited a future that is not the engine's, at {site}; await only what its TaskContext gives")
            }
            Self::Source { stream, error } => write!(f, "stream `{stream}`: {error}"),
            Self::Build(error) => error.fmt(f),
            Self::Host(cause) => write!(f, "the simulation cannot be run: {cause}"),
            Self::Snapshot(cause) => write!(f, "no snapshot could be taken: {cause}"),
            Self::Restore(cause) => write!(f, "the snapshot cannot be restored: {cause}"),
            Self::Observer(cause) => write!(f, "the trace could not be written: {cause}; free some space or write it elsewhere"),
        }
    }
}

impl std::error::Error for RunError {}

impl RunError {
    /// The key at which the run ended, for errors that have one.
    pub fn site(&self) -> Option<Site> {
        match self {
            Self::Mailbox { site, .. }
            | Self::Livelock { site, .. }
            | Self::Late { site, .. }
            | Self::Panic { site, .. }
            | Self::Undeclared { site, .. }
            | Self::ForeignFuture { site, .. } => Some(*site),
            Self::Build(_) | Self::Host(_) | Self::Source { .. } | Self::Snapshot(_) | Self::Restore(_) | Self::Observer(_) => None,
        }
    }

    /// Which of several errors at one key is reported (rule R16).
    pub(crate) fn precedence(&self) -> u8 {
        match self {
            Self::Mailbox { .. } => 0,
            Self::Livelock { .. } => 1,
            Self::Late { .. } => 2,
            _ => 3,
        }
    }
}
