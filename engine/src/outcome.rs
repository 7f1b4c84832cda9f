//! What a run came to.

use std::collections::BTreeMap;
use std::fmt;

use crate::error::RunError;
use crate::kernel::core::Counters;
use crate::kernel::stream::{Cover, StreamTally};
use crate::metrics::Metrics;
use crate::path::{Path, Rank};
use crate::report::Report;
use crate::sort;
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
    /// Instants in which something was delivered, counted in each shard: with several shards they are more.
    pub instants: u64,
    /// Steps in which something was delivered, counted in each shard.
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

/// Who stands where in R1's order.
pub(crate) type Stands = (Rank, Path);

/// What a run came to in one shard.
pub(crate) struct Part {
    pub(crate) counters: Counters,
    pub(crate) events_before: u64,
    pub(crate) sum: u128,
    pub(crate) first: Option<Instant>,
    pub(crate) last: Option<Instant>,
    pub(crate) streams: Vec<StreamTally>,
    pub(crate) reports: Vec<(Stands, Report)>,
    pub(crate) chains: Vec<(Stands, u64, u64)>,
    pub(crate) metrics: Option<Metrics>,
}

impl Outcome {
    /// The outcome of a run from what it came to in its shards.
    pub(crate) fn of(name: String, end: End, parts: Vec<Part>) -> Self {
        let mut outcome = Self { end, ..Self::unbegun(name) };
        let (mut reports, mut chains, mut copies) = (Vec::new(), Vec::new(), BTreeMap::<Path, Vec<StreamTally>>::new());
        for part in parts {
            let counters = part.counters;
            outcome.trace_hash.0 = outcome.trace_hash.0.wrapping_add(part.sum);
            outcome.deliveries += counters.deliveries;
            outcome.instants += counters.instants;
            outcome.steps += counters.steps;
            outcome.dead_letters += counters.dead_letters;
            outcome.lost += counters.lost;
            outcome.never += counters.never;
            // What several shards deliver is counted by what their copies of a stream cover.
            let is_alone = part.streams.iter().all(|stream| stream.cover.is_none());
            outcome.events += if is_alone { counters.events } else { part.events_before };
            outcome.first = [outcome.first, part.first].into_iter().flatten().min();
            outcome.last = outcome.last.max(part.last);
            reports.extend(part.reports);
            chains.extend(part.chains);
            for stream in part.streams {
                copies.entry(stream.path.clone()).or_default().push(stream);
            }
            match (&mut outcome.metrics, part.metrics) {
                (Some(metrics), Some(part)) => metrics.add(&part),
                (metrics, part) => *metrics = metrics.take().or(part),
            }
        }
        for (path, copies) in copies {
            outcome.events += Cover::union(copies.iter().filter_map(|copy| copy.cover.as_ref()));
            // All copies of a stream have counted the same.
            let counts = copies.iter().find(|copy| copy.opened).map(|copy| copy.counts).unwrap_or_default();
            outcome.streams.insert(path, counts);
        }
        sort::by(&mut reports, |(a, _), (b, _)| a.cmp(b));
        sort::by(&mut chains, |(a, ..), (b, ..)| a.cmp(b));
        outcome.reports = reports.into_iter().map(|((_, path), report)| (path, report)).collect();
        outcome.chains = chains.into_iter().map(|((_, path), chain, count)| (path, chain, count)).collect();
        outcome
    }

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
