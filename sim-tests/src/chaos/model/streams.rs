//! The model's streams: all items of the past, placed in time when the stream is opened (R10, R11, R15).

use std::collections::{BTreeMap, BTreeSet};

use stillpoint_engine::Path;

use crate::chaos::program::{Body, ControlPlan, LatePlan, Program};

/// One item, placed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    pub(super) index: u64,
    pub(super) event_time: i64,
    pub(super) body: Body,
    /// For a late item how far it lies behind.
    pub(super) lag: Option<i64>,
}

/// What one stream does in one instant, by rounds.
#[derive(Debug, Default)]
pub(super) struct Burst {
    /// Late items, counted when the first step of the instant is run.
    pub(super) late: u64,
    pub(super) items: Vec<(u32, Placed)>,
    /// The first late item that is an error, with its round.
    pub(super) error: Option<(u32, Placed)>,
}

/// One stream.
pub(super) struct Flow {
    pub(super) path: Path,
    items: Vec<(i64, Body)>,
    late_plan: LatePlan,
    reorder: i64,
    one_by_one: bool,
    pub(super) subscribers: BTreeSet<Path>,
    placed: BTreeMap<i64, Vec<Placed>>,
    opened: bool,
    paused: bool,
    pub(super) ended: bool,
    /// The instant and round of a late item that is an error, and who subscribed when that instant was opened.
    failing: Option<(i64, u32, BTreeSet<Path>)>,
    pub(super) late: u64,
    pub(super) skipped: u64,
    /// Left out in a pause.
    pub(super) missed: u64,
}

impl Flow {
    pub(super) fn new(program: &Program, index: usize) -> Self {
        let plan = &program.streams[index];
        Self {
            path: program.stream_path(index),
            items: plan.items.iter().map(|(offset, body)| (program.at(*offset).as_nanos(), *body)).collect(),
            late_plan: plan.late,
            reorder: plan.reorder.unwrap_or(0),
            one_by_one: plan.one_by_one,
            subscribers: BTreeSet::new(),
            placed: BTreeMap::new(),
            opened: false,
            paused: false,
            ended: false,
            failing: None,
            late: 0,
            skipped: 0,
            missed: 0,
        }
    }

    pub(super) fn first_event_time(&self) -> Option<i64> {
        self.items.first().map(|item| item.0)
    }

    /// Places all items, leaving out those before `from`. Gives the number of those that are due after the last instant.
    pub(super) fn open(&mut self, from: Option<i64>) -> u64 {
        self.opened = true;
        let (mut greatest, mut never) = (None::<i64>, 0);
        for (index, (event_time, body)) in self.items.iter().copied().enumerate() {
            let before = greatest;
            greatest = greatest.max(Some(event_time));
            if from.is_some_and(|from| event_time < from) {
                self.skipped += 1;
                continue;
            }
            let late = before.filter(|before| i128::from(event_time) < i128::from(*before) - i128::from(self.reorder));
            let lag = late.map(|before| before.saturating_sub(event_time));
            match late.or_else(|| event_time.checked_add(self.reorder)) {
                Some(at) => self.placed.entry(at).or_default().push(Placed { index: index as u64, event_time, body, lag }),
                None => never += 1,
            }
        }
        never
    }

    /// Subscribes from the events after `now` on, opening the stream if it was not. Gives what [`Flow::open`] gives.
    pub(super) fn subscribe(&mut self, subscriber: Path, now: i64) -> u64 {
        self.subscribers.insert(subscriber);
        if self.opened {
            return 0;
        }
        match now.checked_add(1) {
            Some(from) => self.open(Some(from)),
            None => {
                self.opened = true;
                self.skipped += self.items.len() as u64;
                0
            }
        }
    }

    /// The next instant in which this stream has something.
    pub(super) fn next(&self) -> Option<i64> {
        self.placed.keys().next().copied().filter(|_| !self.ended)
    }

    /// The next instant, in a later round or after `now`, in which it has something for `asker`, as far as it has been told.
    pub(super) fn next_event(&self, asker: &Path, now: i64, round: u32) -> Option<i64> {
        if self.failing.as_ref().is_some_and(|failing| failing.0 == now && failing.1 > round && failing.2.contains(asker)) {
            return Some(now);
        }
        let counts = |item: &Placed| item.lag.is_none() || self.late_plan != LatePlan::Drop;
        let mut ahead = self.placed.iter().filter(|(at, items)| **at > now && items.iter().any(counts));
        ahead.next().map(|(at, _)| *at).filter(|_| !self.ended && !self.paused)
    }

    /// Takes what this stream does at `at`: what it is told from now on acts later.
    pub(super) fn take(&mut self, at: i64) -> Burst {
        let mut burst = Burst::default();
        let items = self.placed.remove(&at).filter(|_| !self.ended).unwrap_or_default();
        let mut places = 0;
        for item in items {
            let is_late = item.lag.is_some();
            if is_late && self.late_plan == LatePlan::Drop {
                burst.late += 1;
                continue;
            }
            let is_error = is_late && self.late_plan == LatePlan::Error;
            if self.paused && !is_error {
                self.missed += 1;
                continue;
            }
            burst.late += u64::from(is_late);
            let round = if self.one_by_one { places } else { 0 };
            places += 1;
            if is_error {
                burst.error.get_or_insert((round, item));
                self.failing.get_or_insert((at, round, self.subscribers.clone()));
            } else {
                burst.items.push((round, item));
            }
        }
        burst
    }

    pub(super) fn control(&mut self, what: ControlPlan) {
        match what {
            ControlPlan::Pause => self.paused = true,
            ControlPlan::Resume => self.paused = false,
            ControlPlan::End => self.ended = true,
        }
    }
}
