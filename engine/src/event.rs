//! What a handler may know of the delivery under way.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::path::{Path, Rank};
use crate::time::{Duration, Instant};

/// The times of one delivery. Its instant is [`Context::now`](crate::Context::now).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When a timer or a delayed message was asked for; the instant for everything else.
    pub due: Instant,
    /// For a stream's event what the data says; else `due`.
    pub event_time: Instant,
    /// How far a late item of a stream lies behind the latest event time before it. `None`: not late.
    pub lag: Option<Duration>,
}

/// A line that an actor wrote; it is no part of the trace.
#[derive(Clone, Copy, Debug)]
pub struct LogLine<'a> {
    /// The instant.
    pub at: Instant,
    /// The round inside the instant.
    pub round: u32,
    /// The step inside the round.
    pub step: u32,
    /// Who wrote it.
    pub actor: &'a Path,
    /// The writer's rank: lines of one step are in the order of rank and path.
    pub rank: Rank,
    /// The text.
    pub text: fmt::Arguments<'a>,
}

impl fmt::Display for LogLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, round, step, actor, rank: _, text } = self;
        write!(f, "{at} round {round} step {step} {actor}: {text}")
    }
}
