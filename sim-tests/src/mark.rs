//! What must have happened in some case, or agreement shows little. Invariant: a mark is counted only from what was run.

use std::collections::BTreeMap;
use std::fmt;

use stillpoint_engine::scenario::StreamFault;
use stillpoint_engine::trace::Record;
use stillpoint_engine::{Instant, RunError};

use crate::case::Case;
use crate::ran::Ran;
use crate::sample::Sample;

/// A kind of fault that scenarios can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// Items are lost.
    Gap,
    /// Items come twice.
    Duplicate,
    /// Items come behind later ones.
    Late,
    /// Items have wrong times.
    Skew,
    /// Nothing comes any more.
    Disconnect,
    /// A source fails.
    Fail,
    /// A link takes longer now and then.
    Jitter,
    /// A link loses messages.
    Loss,
    /// A link is down for some time.
    Down,
}

/// What the cases of a test are to have held, each at least once. The kit fails if one that was declared was never seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Two stream items of one instant were delivered.
    Tie,
    /// Two actors received something in one instant, not counting starts.
    Crowd,
    /// An item was late.
    LateItem,
    /// A fault of this kind did something.
    Fault(FaultKind),
    /// A stream had delivered something, and had more to deliver, when the run was paused.
    HalfReadStream,
    /// A timer or a wake-up was pending when the run was paused.
    PendingTimer,
    /// A message between two actors was on its way when the run was paused.
    DelayedMessage,
    /// Something of this kind was pending when the run was paused, such as the result of a job.
    Pending(&'static str),
    /// A message of this kind was delivered at all: an order, a fill.
    Delivered(&'static str),
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gap => "gap",
            Self::Duplicate => "duplicate",
            Self::Late => "late",
            Self::Skew => "skew",
            Self::Disconnect => "disconnect",
            Self::Fail => "fail",
            Self::Jitter => "jitter",
            Self::Loss => "loss",
            Self::Down => "down",
        })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tie => write!(f, "two events of one instant"),
            Self::Crowd => write!(f, "two actors in one instant"),
            Self::LateItem => write!(f, "a late item"),
            Self::Fault(kind) => write!(f, "a fault `{kind}`"),
            Self::HalfReadStream => write!(f, "a half-read stream at a pause"),
            Self::PendingTimer => write!(f, "a pending timer at a pause"),
            Self::DelayedMessage => write!(f, "a delayed message at a pause"),
            Self::Pending(kind) => write!(f, "a pending `{kind}` at a pause"),
            Self::Delivered(kind) => write!(f, "a delivered `{kind}`"),
        }
    }
}

/// How often each mark was seen, counted by cases.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(pub(crate) BTreeMap<Mark, u64>);

impl Tally {
    pub(crate) fn get(&self, mark: &Mark) -> u64 {
        self.0.get(mark).copied().unwrap_or(0)
    }

    /// Looks for the declared marks in a run.
    pub(crate) fn look<M: Sample>(&mut self, declared: &[Mark], case: &Case<M>, ran: &Ran, pause: Option<Instant>) {
        let records = ran.trace.records();
        let streams: Vec<String> = case.streams.iter().map(|feed| feed.name.clone()).collect();
        let seen = Seen { case, ran, records: &records, streams: &streams, pause };
        for mark in declared {
            *self.0.entry(*mark).or_default() += u64::from(seen.has(mark));
        }
    }
}

struct Seen<'r, M> {
    case: &'r Case<M>,
    ran: &'r Ran,
    records: &'r [Record],
    streams: &'r [String],
    pause: Option<Instant>,
}

impl<M: Sample> Seen<'_, M> {
    fn is_item(&self, record: &Record) -> bool {
        self.streams.contains(&record.sender.to_string())
    }

    fn has(&self, mark: &Mark) -> bool {
        let outcome = &self.ran.outcome;
        match mark {
            Mark::Tie => {
                let items = self.records.iter().filter(|record| self.is_item(record));
                let items: std::collections::BTreeSet<_> = items.map(|record| (record.at, &record.sender, record.sender_count)).collect();
                items.iter().zip(items.iter().skip(1)).any(|(one, next)| one.0 == next.0)
            }
            Mark::Crowd => self.records.windows(2).any(|pair| {
                pair[0].at == pair[1].at && pair[0].receiver != pair[1].receiver && pair.iter().all(|record| &*record.kind != "start")
            }),
            Mark::LateItem => outcome.late() > 0,
            Mark::Fault(kind) => self.has_fault(*kind),
            Mark::HalfReadStream => self.pause.is_some_and(|pause| {
                self.streams.iter().any(|stream| {
                    let mut items = self.records.iter().filter(|record| record.sender.to_string() == *stream);
                    items.clone().any(|item| item.at <= pause) && items.any(|item| item.at > pause)
                })
            }),
            Mark::PendingTimer => self.pending(|record| record.sender == record.receiver),
            Mark::DelayedMessage => self.pending(|record| record.sender != record.receiver),
            Mark::Pending(kind) => self.pending(|record| &*record.kind == *kind),
            Mark::Delivered(kind) => self.records.iter().any(|record| record.count.is_some() && &*record.kind == *kind),
        }
    }

    /// Whether something of this kind was emitted before the pause and delivered after it.
    fn pending(&self, is_of_kind: impl Fn(&Record) -> bool) -> bool {
        let Some(pause) = self.pause else { return false };
        let handled = self.records.iter().filter(|record| record.at <= pause);
        let handled: std::collections::BTreeSet<_> = handled.filter_map(|record| Some((&record.receiver, record.count?))).collect();
        let mut later = self.records.iter().filter(|record| record.at > pause && !self.is_item(record) && is_of_kind(record));
        later.any(|record| handled.contains(&(&record.sender, record.sender_count)))
    }

    fn has_fault(&self, kind: FaultKind) -> bool {
        let lost = self.ran.outcome.lost > 0;
        let any = |is: &dyn Fn(&crate::case::Weather) -> bool| self.case.weather.iter().any(is);
        match kind {
            FaultKind::Jitter => {
                let crossed = |from: &str, to: &str| {
                    self.records.iter().any(|record| is_under(&record.sender, from) && is_under(&record.receiver, to))
                };
                any(&|weather| weather.jitter.is_positive() && crossed(&weather.from, &weather.to))
            }
            // Where both may lose a message, neither is credited.
            FaultKind::Loss => lost && any(&|weather| weather.loss > 0.0) && !any(&|weather| weather.down.is_some()),
            FaultKind::Down => lost && any(&|weather| weather.down.is_some()) && !any(&|weather| weather.loss > 0.0),
            FaultKind::Fail => matches!(self.ran.error, Some(RunError::Source { .. })),
            _ => self.case.faults.iter().any(|(stream, fault)| {
                let items = &self.case.streams[*stream].items;
                let within = |from: &Instant, to: &Instant| items.iter().any(|item| *from <= item.at && item.at < *to);
                match (kind, fault) {
                    (FaultKind::Gap, StreamFault::Gap { from, to })
                    | (FaultKind::Duplicate, StreamFault::Duplicate { from, to })
                    | (FaultKind::Late, StreamFault::Late { from, to, .. })
                    | (FaultKind::Skew, StreamFault::Skew { from, to, .. }) => within(from, to),
                    (FaultKind::Disconnect, StreamFault::Disconnect { at }) => items.iter().any(|item| item.at >= *at),
                    _ => false,
                }
            }),
        }
    }
}

fn is_under(path: &stillpoint_engine::Path, root: &str) -> bool {
    path.to_string().split('/').next() == Some(root)
}
