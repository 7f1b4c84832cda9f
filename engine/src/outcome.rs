//! What a run came to.

use std::collections::BTreeMap;
use std::fmt;

use crate::error::RunError;
use crate::metrics::Metrics;
use crate::path::Path;
use crate::report::Report;
use crate::stream::LateCounts;
use crate::time::Instant;
use crate::trace::TraceHash;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing was left to do.
    Done,
    /// The instant given as the last one was passed.
    Until,
    /// An actor or the caller stopped it.
    Stopped,
    /// It was interrupted from outside, at a still point.
    Interrupted,
    /// With an error.
    Failed,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "done",
            Self::Until => "until",
            Self::Stopped => "stopped",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        })
    }
}

/// What a run came to: everything but how long it took.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The simulation's name.
    pub name: String,
    /// How it ended.
    pub end: End,
    /// The hash of its trace.
    pub trace_hash: TraceHash,
    /// Items of streams that were delivered, each counted once.
    pub events: u64,
    /// All deliveries: records that are no dead letters.
    pub deliveries: u64,
    /// Instants in which something was delivered. Depends on nothing but the run, yet is no part of the trace.
    pub instants: u64,
    /// Steps in which something was delivered.
    pub steps: u64,
    /// The first instant.
    pub first: Option<Instant>,
    /// The last instant.
    pub last: Option<Instant>,
    /// What each stream has counted.
    pub streams: BTreeMap<Path, LateCounts>,
    /// Messages that reached nobody.
    pub dead_letters: u64,
    /// Messages that links lost.
    pub lost: u64,
    /// What would have been due after the end of time.
    pub never: u64,
    /// The actors' results, in R1's order.
    pub reports: Vec<(Path, Report)>,
    /// Every receiver's chain and count, in R1's order.
    pub chains: Vec<(Path, u64, u64)>,
    /// Figures, if they were kept.
    pub metrics: Option<Metrics>,
}

impl Outcome {
    pub(crate) fn unbegun(name: String) -> Self {
        Self {
            name,
            end: End::Failed,
            trace_hash: TraceHash(0),
            events: 0,
            deliveries: 0,
            instants: 0,
            steps: 0,
            first: None,
            last: None,
            streams: BTreeMap::new(),
            dead_letters: 0,
            lost: 0,
            never: 0,
            reports: Vec::new(),
            chains: Vec::new(),
            metrics: None,
        }
    }

    /// All late items of all streams.
    pub fn late(&self) -> u64 {
        self.streams.values().map(LateCounts::late).sum()
    }

    /// The results of the actor with this path.
    pub fn report(&self, path: &str) -> Option<&Report> {
        self.reports.iter().find(|(actor, _)| actor.to_string() == path).map(|(_, report)| report)
    }
}

/// A run that ended with an error.
#[derive(Clone, Debug)]
pub struct Failed {
    /// The error.
    pub error: RunError,
    /// The outcome up to it.
    pub outcome: Outcome,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Failed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}
