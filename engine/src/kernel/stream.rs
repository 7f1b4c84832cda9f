//! Streams of the past: read ahead, judged for lateness, released in order (rules R10, R11, R15). Invariant: the released instants of a stream
//! never go back, and ties are in source order.

use std::any::{Any, TypeId};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

use serde::{Deserialize, Serialize};

use crate::actor::Handler;
use crate::address::{StreamRef, actor_of};
use crate::context::{Context, Control};
use crate::digest::{digest_of, digest_of_text};
use crate::event::Event;
use crate::kernel::border::Opening;
use crate::kernel::core::Core;
use crate::kernel::entry::{ActorId, Cell, Entry};
use crate::message::Message;
use crate::path::Path;
use crate::source::{Source, SourceError, Timed};
use crate::stream::{Late, LateCounts, Stream};
use crate::time::{Duration, Instant};

/// How many items are read at once.
const BATCH: usize = 64;
/// How many that are over may stay in front of what is still to come.
const SPENT: usize = 256;

type Deliver<M> = fn(&mut dyn Cell, &M, &mut Core, ActorId);

fn deliver<A: Handler<M>, M: Message>(cell: &mut dyn Cell, message: &M, core: &mut Core, me: ActorId) {
    actor_of::<A>(cell).handle(message, &mut Context::new(core, me));
}

/// Who gets a stream's events.
pub(crate) struct Subscriber<M> {
    pub(crate) who: ActorId,
    deliver: Deliver<M>,
}

impl<M: Message> Subscriber<M> {
    pub(crate) fn of<A: Handler<M>>(who: ActorId) -> Self {
        Self { who, deliver: deliver::<A, M> }
    }
}

/// A call that acts on a stream at the still point.
pub(crate) enum StreamCall {
    Subscribe { stream: ActorId, who: ActorId, subscriber: Box<dyn Any> },
    Unsubscribe { stream: ActorId, who: ActorId },
    Control { stream: ActorId, what: Control },
}

impl StreamCall {
    pub(crate) fn subscribe<M: Message>(stream: StreamRef<M>, subscriber: Subscriber<M>) -> Self {
        Self::Subscribe { stream: stream.id, who: subscriber.who, subscriber: Box::new(subscriber) }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
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

struct Item<M> {
    at: Instant,
    event_time: Instant,
    index: u64,
    lag: Duration,
    mark: Mark,
    value: Option<M>,
}

impl<M> Item<M> {
    fn is_real(&self) -> bool {
        matches!(self.mark, Mark::Good | Mark::Flagged | Mark::Error)
    }
}

/// A late item that ends the run.
pub(crate) struct LateItem {
    pub(crate) index: u64,
    pub(crate) event_time: Instant,
    pub(crate) lag: Duration,
}

/// What one item put into a step.
pub(crate) enum Emitted {
    /// Nobody is there to receive it.
    Nothing,
    /// Deliveries.
    Item,
    /// It is late, and an error.
    Late(LateItem),
}

/// What a stream has for an instant.
#[derive(Default)]
pub(crate) struct Taken {
    /// Real items.
    pub(crate) items: usize,
    /// How many of them were emitted to somebody.
    pub(crate) emitted: u64,
    pub(crate) late: Option<LateItem>,
    /// The stream's new head.
    pub(crate) head: Option<Instant>,
    /// Whether an error stands where the next item should be.
    pub(crate) failed: bool,
}

/// How far a drain came.
pub(crate) struct Drained {
    /// Instants that are over.
    pub(crate) instants: u64,
    /// Whether the core is inside an instant that is not over.
    pub(crate) inside: bool,
    /// The stream's new head.
    pub(crate) head: Option<Instant>,
}

/// A stream behind its type.
pub(crate) trait StreamCell {
    fn id(&self) -> ActorId;
    fn is_open(&self) -> bool;
    fn one_by_one(&self) -> bool;
    fn is_paused(&self) -> bool;
    fn has_subscribers(&self) -> bool;
    /// Opens the source; gives the event time of its first item.
    fn open(&mut self) -> Result<Option<Instant>, SourceError>;
    /// Items before (or at, if `inclusive`) this instant are skipped and counted.
    fn skip(&mut self, from: Instant, inclusive: bool);
    /// Reads until something real is next, or the end. To be called after `skip`, and whenever the head is looked at.
    fn settle(&mut self);
    /// The instant of whatever is next, and of the next thing that is delivered.
    fn head(&self) -> Option<Instant>;
    fn real_head(&self) -> Option<Instant>;
    /// The error that stands where the next item should be.
    fn failure(&self) -> Option<&SourceError>;
    /// Makes everything of this instant current, and puts what belongs to its first round into the step.
    fn take(&mut self, at: Instant, core: &Core, step: &mut Vec<Entry>) -> Taken;
    /// Delivers ordinary items before `limit` one instant after another, as long as an item is alone in its instant and nothing but it
    /// happens there; at most `most` instants. Leaves the core where the last one ends, or where more is to be done for it.
    fn drain(&mut self, limit: Instant, most: u64, core: &mut Core, cells: &mut [Box<dyn Cell>]) -> Drained;
    /// The deliveries that a drain has left undone, after a panic or for a poll.
    fn rest(&mut self, core: &Core, step: &mut Vec<Entry>);
    /// Puts the current item `index` into the step.
    fn emit(&mut self, index: usize, core: &Core, step: &mut Vec<Entry>) -> Emitted;
    /// Takes back what was counted for this instant: its first step is not run.
    fn uncount(&mut self, at: Instant);
    fn deliver(&mut self, entry: &Entry, cell: &mut dyn Cell, core: &mut Core);
    /// Kind and digest of a current item, for dead letters.
    fn describe(&self, entry: &Entry) -> (&'static str, u64);
    fn subscribe(&mut self, subscriber: Box<dyn Any>, core: &mut Core);
    fn unsubscribe(&mut self, who: ActorId);
    fn control(&mut self, what: Control);
    fn retain_living(&mut self, core: &Core);
    fn subscribers(&self) -> Vec<ActorId>;
    fn progress(&self) -> Option<(u64, u64)>;
    /// Passes over everything up to `now`, for which nobody here was subscribed.
    fn catch_up(&mut self, now: Instant, core: &Core);
    /// Keeps note of which items were delivered, since other shards may deliver the same ones.
    fn cover(&mut self);
    /// What it has counted, under its name.
    fn tally(&self, path: Path) -> StreamTally;
    /// The kind and the type of its events.
    fn message(&self) -> (&'static str, TypeId);
    /// Where it stands at a still point.
    fn position(&self) -> Position;
    /// Opens the source again and reads up to where a snapshot has left it, delivering nothing.
    fn resume(&mut self, position: &Position) -> Result<(), Resume>;
}

/// Which items of a stream were delivered, by their place among the real ones, from and to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cover(Vec<(u64, u64)>);

impl Cover {
    fn add(&mut self, place: u64) {
        match self.0.last_mut() {
            Some((_, to)) if *to == place => *to += 1,
            Some((_, to)) if *to > place => {}
            _ => self.0.push((place, place + 1)),
        }
    }

    /// How many items any of these have.
    pub(crate) fn union<'a>(covers: impl IntoIterator<Item = &'a Self>) -> u64 {
        let mut all: Vec<(u64, u64)> = covers.into_iter().flat_map(|cover| cover.0.iter().copied()).collect();
        all.sort_unstable();
        let (mut count, mut end) = (0, 0);
        for (from, to) in all {
            count += to.saturating_sub(from.max(end));
            end = end.max(to);
        }
        count
    }
}

/// What a stream has counted in one shard.
pub(crate) struct StreamTally {
    pub(crate) path: Path,
    pub(crate) opened: bool,
    pub(crate) counts: LateCounts,
    pub(crate) cover: Option<Cover>,
}

/// Where a stream stands at a still point. What was read ahead of it is named by its digest, not kept: it is read again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    pub(crate) opened: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) ended: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) paused: bool,
    pub(crate) counts: LateCounts,
    skip_from: Instant,
    skip_inclusive: bool,
    /// Items read, and how many of them are over: delivered, dropped, skipped, or held until the end of time.
    pub(crate) read: u64,
    pub(crate) over: u64,
    /// Whether the source was read to its end, and whether that was a failure.
    exhausted: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    failed: bool,
    greatest: Option<Instant>,
    /// The next item's index in the source and its event time.
    pub(crate) next: Option<(u64, Instant)>,
    /// A digest of all that was read and is not over.
    ahead: u64,
    /// Items that were held back by Reorder.
    pub(crate) held: u64,
}

impl Position {
    /// Since when it is open, if it is.
    pub(crate) fn opening(&self) -> Option<Opening> {
        let opening = if self.skip_inclusive { Opening::At(self.skip_from) } else { Opening::Start };
        self.opened.then_some(opening)
    }
}

/// Why a stream cannot go on where it was.
pub(crate) enum Resume {
    Source(SourceError),
    /// The source is not what it was: what was found, and what was there.
    Changed(String),
}

/// A stream of one type.
pub(crate) struct PastStream<M> {
    id: ActorId,
    spec: Stream<M>,
    source: Option<Box<dyn Source<Item = M>>>,
    opened: bool,
    batch: Vec<Timed<M>>,
    failure: Option<SourceError>,
    /// The greatest event time so far.
    greatest: Option<Instant>,
    next_index: u64,
    skip_from: Instant,
    skip_inclusive: bool,
    /// Items held back by Reorder, by (release, index).
    held: BinaryHeap<Reverse<Held<M>>>,
    /// What was read and judged; from `next` on it is still to come.
    ready: Vec<Item<M>>,
    next: usize,
    real_ready: usize,
    /// Where the real items of the instant stand in `ready`.
    current: Vec<u32>,
    subscribers: Vec<Subscriber<M>>,
    paused: bool,
    ended: bool,
    /// The item that is being drained, and how many of its subscribers had their turn.
    draining: (u32, usize),
    counts: LateCounts,
    /// An instant, and the counts before it.
    counted: (Option<Instant>, LateCounts),
    /// The real items that have come up.
    passed: u64,
    cover: Option<Cover>,
}

struct Held<M>(Item<M>);

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
    pub(crate) fn new(id: ActorId, spec: Stream<M>) -> Self {
        Self {
            id,
            spec,
            source: None,
            opened: false,
            batch: Vec::new(),
            failure: None,
            greatest: None,
            next_index: 0,
            skip_from: Instant::MIN,
            skip_inclusive: false,
            held: BinaryHeap::new(),
            ready: Vec::new(),
            next: 0,
            real_ready: 0,
            current: Vec::new(),
            subscribers: Vec::new(),
            paused: false,
            ended: false,
            draining: (0, 0),
            counts: LateCounts::default(),
            counted: (None, LateCounts::default()),
            passed: 0,
            cover: None,
        }
    }

    /// Reads a batch from the source. Whether there was anything.
    fn read(&mut self) -> bool {
        let Some(source) = &mut self.source else { return false };
        match source.read(BATCH, &mut self.batch) {
            Ok(true) => {}
            Ok(false) => self.source = None,
            Err(error) => {
                self.failure = Some(error);
                self.source = None;
            }
        }
        let mut batch = std::mem::take(&mut self.batch);
        let any = !batch.is_empty() || self.source.is_some();
        for item in batch.drain(..) {
            self.judge(item);
        }
        self.batch = batch;
        if self.source.is_none() {
            self.let_go(Instant::MAX);
        }
        any
    }

    /// Lets this many items be over that no one gets: what a merged mark stands for counts each.
    fn pass(&mut self, mut items: u64) -> u64 {
        let before = items;
        while items > 0
            && let Some(item) = self.ready.get_mut(self.next)
        {
            if !item.is_real() && item.index > items {
                item.index -= items;
                items = 0;
                break;
            }
            items -= if item.is_real() { 1 } else { item.index };
            self.real_ready -= usize::from(item.is_real());
            self.passed += u64::from(item.is_real());
            self.next += 1;
        }
        if self.next >= SPENT {
            self.ready.drain(..self.next);
            self.next = 0;
        }
        before - items
    }

    /// The next item that is not over, and a digest of all of them.
    fn ahead(&self) -> (Option<(u64, Instant)>, u64) {
        let mut held: Vec<&Item<M>> = self.held.iter().map(|Reverse(Held(item))| item).collect();
        held.sort_by_key(|item| (item.at, item.index));
        let ahead = self.ready[self.next..].iter().chain(held);
        let digest = ahead.clone().fold(0u64, |digest, item| {
            let Item { at, event_time, index, lag, mark, value } = item;
            digest_of(&(digest, at, event_time, index, lag, *mark as u8, value.as_ref().map(digest_of)))
        });
        let next = ahead.filter(|item| item.is_real()).map(|item| (item.index, item.event_time)).next();
        (next, digest)
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

    /// Judges one item by what came before it in the source (rule R10).
    #[inline(always)]
    fn judge(&mut self, Timed { at: event_time, value }: Timed<M>) {
        let index = self.next_index;
        self.next_index += 1;
        let greatest = self.greatest.unwrap_or(event_time);
        let newest = greatest.max(event_time);
        self.greatest = Some(newest);
        if event_time < self.skip_from || self.skip_inclusive && event_time == self.skip_from {
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
        let item = Item { at: event_time, event_time, index, lag: Duration::ZERO, mark: Mark::Good, value: Some(value) };
        if self.spec.reorder.is_none() {
            self.push(item);
        } else if let Some(at) = event_time.checked_add(delay) {
            self.held.push(Reverse(Held(Item { at, ..item })));
            self.let_go_before(newest);
        } else {
            self.counts.never += 1;
        }
    }

    /// Counts what is no ordinary item, once the run has come to its instant.
    #[cold]
    fn count(&mut self, at: Instant, mark: Mark, count: u64) {
        self.note_counts(at);
        match mark {
            Mark::Dropped => self.counts.dropped += count,
            Mark::Skipped => self.counts.skipped += count,
            Mark::Flagged if !self.paused => self.counts.flagged += 1,
            Mark::Error => self.counts.errors += 1,
            _ => {}
        }
    }

    #[cold]
    fn count_paused(&mut self, at: Instant) {
        self.note_counts(at);
        self.counts.paused += 1;
    }

    /// Keeps the counts before an instant.
    fn note_counts(&mut self, at: Instant) {
        if self.counted.0 != Some(at) {
            self.counted = (Some(at), self.counts);
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
}

impl<M: Message> StreamCell for PastStream<M> {
    fn id(&self) -> ActorId {
        self.id
    }

    fn is_open(&self) -> bool {
        self.opened
    }

    fn one_by_one(&self) -> bool {
        self.spec.one_by_one
    }

    fn is_paused(&self) -> bool {
        self.paused
    }

    fn has_subscribers(&self) -> bool {
        !self.subscribers.is_empty()
    }

    fn open(&mut self) -> Result<Option<Instant>, SourceError> {
        self.opened = true;
        if self.ended {
            return Ok(None);
        }
        let mut source = (self.spec.open)()?;
        // The first item tells where a run without a declared start begins; it is judged when the rest is.
        let first = source.next()?;
        let at = first.as_ref().map(|item| item.at);
        self.source = Some(match first {
            Some(first) => Box::new(Chained { first: Some(first), rest: source }),
            None => source,
        });
        Ok(at)
    }

    fn skip(&mut self, from: Instant, inclusive: bool) {
        self.skip_from = from;
        self.skip_inclusive = inclusive;
    }

    fn settle(&mut self) {
        while self.real_ready == 0 && self.read() {}
    }

    #[inline]
    fn head(&self) -> Option<Instant> {
        self.ready.get(self.next).map(|item| item.at)
    }

    fn real_head(&self) -> Option<Instant> {
        self.ready[self.next..].iter().find(|item| item.is_real()).map(|item| item.at)
    }

    fn failure(&self) -> Option<&SourceError> {
        if self.next == self.ready.len() { self.failure.as_ref() } else { None }
    }

    fn take(&mut self, at: Instant, core: &Core, step: &mut Vec<Entry>) -> Taken {
        // What was current is over.
        self.current.clear();
        if self.next == self.ready.len() {
            self.ready.clear();
            self.next = 0;
        } else if self.next >= SPENT {
            self.ready.drain(..self.next);
            self.next = 0;
        }
        // All of an instant has been read once something later, or the end, is ready.
        while self.ready.last().is_some_and(|item| item.at <= at) && self.read() {}
        let mut taken = Taken::default();
        while let Some(item) = self.ready.get(self.next)
            && item.at <= at
        {
            let (position, mark, count) = (self.next as u32, item.mark, item.index);
            self.next += 1;
            if mark != Mark::Good {
                self.count(at, mark, count);
            }
            if matches!(mark, Mark::Dropped | Mark::Skipped) {
                continue;
            }
            self.real_ready -= 1;
            if self.paused && mark != Mark::Error {
                self.count_paused(at);
                continue;
            }
            self.current.push(position);
            self.passed += 1;
            taken.items += 1;
            if taken.items == 1 || !self.spec.one_by_one {
                match self.emit(taken.items - 1, core, step) {
                    Emitted::Nothing => {}
                    Emitted::Item => taken.emitted += 1,
                    Emitted::Late(late) => {
                        taken.late.get_or_insert(late);
                    }
                }
            }
        }
        if self.real_ready == 0 {
            self.settle();
        }
        taken.head = self.head();
        taken.failed = self.failure.is_some() && self.failure().is_some();
        taken
    }

    fn drain(&mut self, limit: Instant, most: u64, core: &mut Core, cells: &mut [Box<dyn Cell>]) -> Drained {
        let mut drained = Drained { instants: 0, inside: false, head: None };
        self.current.clear();
        core.round = 0;
        core.step = 0;
        core.event = None;
        while drained.instants < most
            && let [item, next, ..] = &self.ready[self.next..]
            && item.mark == Mark::Good
            && item.at < limit
            && next.at > item.at
            && item.event_time == item.at
        {
            let value = item.value.as_ref().expect("an ordinary item has a value");
            core.now = item.at;
            drained.head = Some(next.at);
            self.draining = (self.next as u32, 0);
            self.next += 1;
            self.real_ready -= 1;
            self.passed += 1;
            let mut entry = Entry::of_stream(self.id, self.id, item.index, self.draining.0, 0);
            let word = core.word(&entry, const { digest_of_text(M::KIND) }, digest_of(value));
            let mut any = 0;
            for subscriber in &self.subscribers {
                self.draining.1 += 1;
                if !core.is_living(subscriber.who) {
                    continue;
                }
                if any == 0 {
                    any = 1;
                    core.counters.events += 1;
                    core.counters.steps += 1;
                    if let Some(cover) = &mut self.cover {
                        cover.add(self.passed - 1);
                    }
                }
                entry.to = subscriber.who;
                core.me = subscriber.who;
                core.record_share(&entry, value, word);
                (subscriber.deliver)(&mut *cells[subscriber.who.index()], value, core, subscriber.who);
                if core.tasks.any_due() {
                    drained.inside = true;
                    return drained;
                }
            }
            if core.attention || core.attention_when_still || !core.next.is_empty() {
                drained.inside = true;
                return drained;
            }
            drained.instants += 1;
            if any > 0 {
                core.count_instant();
            }
            if core.pending.may_come_before(next.at) {
                break;
            }
        }
        drained
    }

    fn rest(&mut self, core: &Core, step: &mut Vec<Entry>) {
        let (position, had) = self.draining;
        let index = self.ready[position as usize].index;
        for (number, subscriber) in self.subscribers.iter().enumerate().skip(had) {
            if core.is_living(subscriber.who) {
                step.push(Entry::of_stream(self.id, subscriber.who, index, position, number as u32));
            }
        }
    }

    fn uncount(&mut self, at: Instant) {
        if self.counted.0 == Some(at) {
            self.counts = self.counted.1;
        }
    }

    fn emit(&mut self, index: usize, core: &Core, step: &mut Vec<Entry>) -> Emitted {
        let position = self.current[index];
        let item = &self.ready[position as usize];
        if item.mark == Mark::Error {
            return Emitted::Late(LateItem { index: item.index, event_time: item.event_time, lag: item.lag });
        }
        let before = step.len();
        for (number, subscriber) in self.subscribers.iter().enumerate() {
            if core.is_living(subscriber.who) {
                step.push(Entry::of_stream(self.id, subscriber.who, item.index, position, number as u32));
            }
        }
        if step.len() == before {
            return Emitted::Nothing;
        }
        if let Some(cover) = &mut self.cover {
            cover.add(self.passed - (self.current.len() - index) as u64);
        }
        Emitted::Item
    }

    #[inline]
    fn deliver(&mut self, entry: &Entry, cell: &mut dyn Cell, core: &mut Core) {
        let item = &self.ready[entry.payload as usize];
        let message = item.value.as_ref().expect("an item that is delivered has a value");
        let lag = (item.mark == Mark::Flagged).then_some(item.lag);
        if item.mark == Mark::Flagged || item.event_time != item.at {
            core.event = Some(Event { due: item.at, event_time: item.event_time, lag });
        }
        core.record_message(entry, message, digest_of(message));
        (self.subscribers[entry.extra as usize].deliver)(cell, message, core, entry.to);
    }

    fn describe(&self, entry: &Entry) -> (&'static str, u64) {
        let item = &self.ready[entry.payload as usize];
        (M::KIND, item.value.as_ref().map_or(0, digest_of))
    }

    fn subscribe(&mut self, subscriber: Box<dyn Any>, core: &mut Core) {
        let subscriber = *subscriber.downcast::<Subscriber<M>>().expect("a subscriber of the stream's type");
        if self.subscribers.iter().all(|other| other.who != subscriber.who) {
            self.subscribers.push(subscriber);
            self.subscribers.sort_by_key(|subscriber| core.label(subscriber.who));
        }
    }

    fn unsubscribe(&mut self, who: ActorId) {
        self.subscribers.retain(|subscriber| subscriber.who != who);
    }

    fn control(&mut self, what: Control) {
        match what {
            Control::Pause => self.paused = true,
            Control::Resume => self.paused = false,
            Control::End => {
                self.ended = true;
                self.source = None;
                self.failure = None;
                self.held.clear();
                self.ready.clear();
                self.next = 0;
                self.real_ready = 0;
            }
        }
    }

    fn retain_living(&mut self, core: &Core) {
        self.subscribers.retain(|subscriber| core.is_living(subscriber.who));
    }

    fn subscribers(&self) -> Vec<ActorId> {
        self.subscribers.iter().map(|subscriber| subscriber.who).collect()
    }

    fn progress(&self) -> Option<(u64, u64)> {
        self.source.as_ref().and_then(|source| source.progress())
    }

    fn catch_up(&mut self, now: Instant, core: &Core) {
        while let Some(head) = self.head()
            && head <= now
        {
            self.take(head, core, &mut Vec::new());
        }
        self.current.clear();
    }

    fn cover(&mut self) {
        self.cover = Some(Cover::default());
    }

    fn tally(&self, path: Path) -> StreamTally {
        StreamTally { path, opened: self.opened, counts: self.counts, cover: self.cover.clone() }
    }

    fn message(&self) -> (&'static str, TypeId) {
        (M::KIND, TypeId::of::<M>())
    }

    fn position(&self) -> Position {
        if self.ended {
            return Position { opened: self.opened, ended: true, paused: self.paused, counts: self.counts, ..Position::default() };
        }
        let waiting = self.ready[self.next..].iter().map(|item| if item.is_real() { 1 } else { item.index }).sum::<u64>();
        let held = self.held.len() as u64;
        let (next, ahead) = self.ahead();
        Position {
            opened: self.opened,
            ended: self.ended,
            paused: self.paused,
            counts: self.counts,
            skip_from: self.skip_from,
            skip_inclusive: self.skip_inclusive,
            read: self.next_index,
            over: self.next_index - self.counts.never - held - waiting,
            exhausted: self.source.is_none(),
            failed: self.failure.is_some(),
            greatest: self.greatest,
            next,
            ahead,
            held,
        }
    }

    fn resume(&mut self, position: &Position) -> Result<(), Resume> {
        if position.opened && !position.ended {
            self.open().map_err(Resume::Source)?;
            self.skip(position.skip_from, position.skip_inclusive);
            // Sources are read in batches whose bounds depend on nothing but the source: reading as often gives what was ready and held then.
            let mut over = self.pass(position.over);
            while self.next_index < position.read || self.source.is_none() != position.exhausted && self.next_index == position.read {
                if !self.read() {
                    break;
                }
                over += self.pass(position.over - over);
            }
            let found = Position { over, opened: true, paused: position.paused, counts: position.counts, ..self.position() };
            if found != *position {
                return Err(Resume::Changed(changed(&found, position, self.failure.as_ref())));
            }
        }
        self.opened = position.opened;
        self.ended = position.ended;
        self.paused = position.paused;
        self.counts = position.counts;
        Ok(())
    }
}

/// How a source differs from the one that a snapshot was taken of.
fn changed(found: &Position, saved: &Position, failure: Option<&SourceError>) -> String {
    let item = |next: Option<(u64, Instant)>| next.map_or("no item".to_owned(), |(index, at)| format!("item {index} of {at}"));
    if let Some(failure) = failure.filter(|_| !saved.failed) {
        format!("it fails after {} items: {failure}", found.read)
    } else if found.read != saved.read || found.exhausted != saved.exhausted {
        let end = |position: &Position| if position.exhausted { " to its end" } else { "" };
        format!("it has {} items{} where it had {}{}", found.read, end(found), saved.read, end(saved))
    } else if found.next != saved.next {
        format!("{} comes next where {} did", item(found.next), item(saved.next))
    } else {
        format!("{} or one of those behind it is another than it was", item(saved.next))
    }
}

/// A source whose first item was read already.
struct Chained<M> {
    first: Option<Timed<M>>,
    rest: Box<dyn Source<Item = M>>,
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

/// Which stream is next: a tournament over the streams' heads.
#[derive(Default)]
pub(crate) struct Merge {
    /// Leaves from `size` on: the head's instant with its sign bit flipped, `u64::MAX` when there is none.
    keys: Vec<u64>,
    winners: Vec<u32>,
    size: usize,
}

impl Merge {
    /// Makes room for `streams` heads.
    pub(crate) fn resize(&mut self, streams: usize) {
        self.size = streams.next_power_of_two().max(1);
        self.keys = vec![u64::MAX; self.size];
        self.winners = vec![0; 2 * self.size];
        for leaf in 0..self.size {
            self.winners[self.size + leaf] = leaf as u32;
        }
        for node in (1..self.size).rev() {
            self.winners[node] = self.winners[2 * node];
        }
    }

    fn key(head: Option<Instant>) -> u64 {
        head.map_or(u64::MAX, |at| at.as_nanos() as u64 ^ 1 << 63)
    }

    /// A stream has a new head.
    #[inline]
    pub(crate) fn set(&mut self, stream: usize, head: Option<Instant>) {
        self.keys[stream] = Self::key(head);
        let mut node = (self.size + stream) / 2;
        while node > 0 {
            let (left, right) = (self.winners[2 * node], self.winners[2 * node + 1]);
            let left_wins = self.keys[left as usize] <= self.keys[right as usize];
            self.winners[node] = if left_wins { left } else { right };
            node /= 2;
        }
    }

    /// The least key of all streams but the one that is next.
    pub(crate) fn second(&self) -> u64 {
        let (winner, _) = self.least();
        let mut node = self.size + winner;
        let mut second = u64::MAX;
        while node > 1 {
            second = second.min(self.keys[self.winners[node ^ 1] as usize]);
            node /= 2;
        }
        second
    }

    /// The stream with the least head and that head's key; at `u64::MAX` the stream must be asked whether it has one.
    #[inline]
    pub(crate) fn least(&self) -> (usize, u64) {
        let winner = self.winners[if self.size > 1 { 1 } else { self.size }] as usize;
        (winner, self.keys[winner])
    }
}
