//! Reading ahead and judging what was read (rules R10, R11). Invariant: what is ready is in the order of delivery, and was judged by what came
//! before it in its source alone.

use std::cmp::Reverse;

use super::PastStream;
use super::plain::SPENT;
use crate::message::Message;
use crate::source::{Source, SourceError, Timed};
use crate::stream::Late;
use crate::time::{Duration, Instant};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// To be delivered.
    Good,
    /// To be delivered, flagged with its lag.
    Flagged,
    /// The error of a late item.
    Error,
    /// `index` late items that were dropped.
    Dropped,
    /// `index` items that were skipped.
    Skipped,
}

impl Mark {
    pub(super) fn is_real(self) -> bool {
        matches!(self, Self::Good | Self::Flagged | Self::Error)
    }
}

pub(super) struct Item<M> {
    pub(super) at: Instant,
    pub(super) event_time: Instant,
    pub(super) index: u64,
    pub(super) lag: Duration,
    pub(super) mark: Mark,
    pub(super) value: Option<M>,
}

impl<M> Item<M> {
    #[inline(always)]
    pub(super) fn ordinary(at: Instant, index: u64, value: M) -> Self {
        Self { at, event_time: at, index, lag: Duration::ZERO, mark: Mark::Good, value: Some(value) }
    }

    pub(super) fn is_real(&self) -> bool {
        self.mark.is_real()
    }
}

/// A source whose first item was read already.
pub(super) struct Chained<M> {
    pub(super) first: Option<Timed<M>>,
    pub(super) rest: Box<dyn Source<Item = M>>,
}

impl<M: 'static> Source for Chained<M> {
    type Item = M;

    fn next(&mut self) -> Result<Option<Timed<M>>, SourceError> {
        match self.first.take() {
            Some(first) => Ok(Some(first)),
            None => self.rest.next(),
        }
    }

    fn read(&mut self, most: usize, into: &mut Vec<Timed<M>>) -> Result<bool, SourceError> {
        into.extend(self.first.take());
        self.rest.read(most, into)
    }

    fn progress(&self) -> Option<(u64, u64)> {
        self.rest.progress()
    }
}

pub(super) struct Held<M>(pub(super) Item<M>);

impl<M> Held<M> {
    fn key(&self) -> (Instant, u64) {
        (self.0.at, self.0.index)
    }
}

impl<M> PartialEq for Held<M> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<M> Eq for Held<M> {}

impl<M> PartialOrd for Held<M> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<M> Ord for Held<M> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl<M: Message> PastStream<M> {
    /// Reads a batch from the source. Whether there was anything.
    pub(super) fn read(&mut self) -> bool {
        let Some(source) = &mut self.source else { return false };
        let (from, read) = self.plain.read(&mut **source, self.next_index);
        match read {
            Ok(true) => {}
            Ok(false) => self.source = None,
            Err(error) => {
                self.failure = Some(error);
                self.source = None;
            }
        }
        let batch = &self.plain.all()[from..];
        let any = !batch.is_empty() || self.source.is_some();
        match batch.last().map(|item| item.at) {
            Some(last) if self.are_ordinary(batch, self.plain.index(from)) => {
                self.next_index += batch.len() as u64;
                self.greatest = Some(last);
            }
            Some(_) => self.judge_from(from),
            None => {}
        }
        if self.source.is_none() {
            self.let_go(Instant::MAX);
        }
        any
    }

    /// Judges what lies among the plain items from here on, which are ready behind those before it then.
    fn judge_from(&mut self, from: usize) {
        let mut batch = std::mem::take(&mut self.batch);
        self.plain.give(from, &mut batch);
        self.make_ready();
        batch.drain(..).for_each(|item| self.judge(item));
        self.batch = batch;
    }

    /// Puts the plain items that are still to come behind what is ready.
    fn make_ready(&mut self) {
        let (from, first) = self.plain.next();
        let before = self.ready.len();
        let mut ordinary = Vec::new();
        self.plain.give(from, &mut ordinary);
        self.ready.extend(ordinary.into_iter().zip(first..).map(|(Timed { at, value }, index)| Item::ordinary(at, index, value)));
        self.real_ready += self.ready.len() - before;
    }

    #[inline(always)]
    fn push(&mut self, item: Item<M>) {
        if item.is_real() {
            self.real_ready += 1;
        } else if let Some(last) = self.ready[self.next..].last_mut()
            && last.mark == item.mark
            && last.at == item.at
        {
            last.index += 1;
            return;
        }
        self.ready.push(item);
    }

    fn is_skipped(&self, event_time: Instant) -> bool {
        event_time < self.skip_from || self.skip_inclusive && event_time == self.skip_from
    }

    /// Whether nothing is to be said of any of these items, of which the first one has this place: the case of nearly all, in which they need not be
    /// judged one by one.
    fn are_ordinary(&self, batch: &[Timed<M>], index: u64) -> bool {
        let Some(first) = batch.first() else { return false };
        let is_late = self.greatest.is_some_and(|greatest| first.at < greatest);
        let stays = self.spec.reorder.is_none() && index == self.next_index;
        stays && !is_late && !self.is_skipped(first.at) && batch.is_sorted_by_key(|item| item.at)
    }

    /// Judges one item by what came before it in the source (rule R10).
    fn judge(&mut self, Timed { at: event_time, value }: Timed<M>) {
        let index = self.next_index;
        self.next_index += 1;
        let greatest = self.greatest.unwrap_or(event_time);
        let newest = greatest.max(event_time);
        self.greatest = Some(newest);
        if self.is_skipped(event_time) {
            let at = newest.max(self.skip_from);
            self.let_go(at);
            self.push(Item { at, event_time, index: 1, lag: Duration::ZERO, mark: Mark::Skipped, value: None });
            return;
        }
        let delay = self.spec.reorder.unwrap_or(Duration::ZERO);
        if event_time < greatest - delay {
            let (mark, value, index) = match self.spec.late {
                Late::Error => (Mark::Error, None, index),
                Late::DropAndCount => (Mark::Dropped, None, 1),
                Late::DeliverFlagged => (Mark::Flagged, Some(value), index),
            };
            let item = Item { at: greatest, event_time, index, lag: greatest.since(event_time), mark, value };
            self.let_go(greatest);
            // What is held for the same instant but comes later in the source waits behind this item.
            self.push(item);
            return;
        }
        let item = Item::ordinary(event_time, index, value);
        if self.spec.reorder.is_none() {
            self.push(item);
        } else if let Some(at) = event_time.checked_add(delay) {
            self.held.push(Reverse(Held(Item { at, ..item })));
            self.let_go_before(newest);
        } else {
            self.counts.never += 1;
        }
    }

    /// Releases what is held for instants before `at`: nothing that is still to be read can come before it.
    fn let_go_before(&mut self, at: Instant) {
        while let Some(Reverse(Held(item))) = self.held.peek()
            && item.at < at
        {
            let Reverse(Held(item)) = self.held.pop().expect("what was peeked");
            self.push(item);
        }
    }

    /// Releases what is held for instants up to `at`: it comes earlier in the source than what is released next.
    fn let_go(&mut self, at: Instant) {
        self.let_go_before(at);
        while let Some(Reverse(Held(item))) = self.held.peek()
            && item.at == at
        {
            let Reverse(Held(item)) = self.held.pop().expect("what was peeked");
            self.push(item);
        }
    }

    /// Forgets what is over, if that is worth it: what is still to come is moved to the front.
    #[inline(always)]
    pub(super) fn forget_spent(&mut self) {
        self.plain.forget_spent();
        if self.next == self.ready.len() {
            self.ready.clear();
            self.next = 0;
        } else if self.next >= SPENT {
            self.ready.drain(..self.next);
            self.next = 0;
        }
    }

    /// Makes sure that all items up to an instant are ready: they are once something later, or the end, is. What was current is over.
    #[inline(always)]
    pub(super) fn read_through(&mut self, at: Instant) {
        self.current.clear();
        self.forget_spent();
        while self.last().is_some_and(|last| last <= at) && self.read() {}
    }

    /// The instant of the last of what is still to come.
    #[inline(always)]
    fn last(&self) -> Option<Instant> {
        match self.plain.ahead().last() {
            Some(item) => Some(item.at),
            None => self.ready[self.next..].last().map(|item| item.at),
        }
    }

    /// Whether there is something to deliver.
    #[inline(always)]
    pub(super) fn has_real(&self) -> bool {
        !self.plain.ahead().is_empty() || self.real_ready > 0
    }
}
