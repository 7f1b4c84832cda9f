//! Streams of the past: read ahead, judged for lateness, released in order (rules R10, R11, R15). Invariant: the released instants of a stream
//! never go back, and ties are in source order.

mod ahead;
mod drain;
mod merge;
mod plain;
mod position;
mod streams;
mod tally;

use std::any::{Any, TypeId};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use self::ahead::{Chained, Held, Item, Mark};
use self::drain::Draining;
pub(crate) use self::drain::{Drain, Drained, Subscriber};
pub(crate) use self::merge::{Merge, NO_HEAD, instant, key};
use self::plain::Plain;
pub(crate) use self::position::{Position, Resume};
pub(crate) use self::streams::Streams;
pub(crate) use self::tally::{Cover, StreamTally};
use crate::address::StreamRef;
use crate::context::Control;
use crate::digest::digest_of;
use crate::event::Event;
use crate::kernel::core::Core;
use crate::kernel::entry::{ActorId, Cell, Entry};
use crate::message::Message;
use crate::path::Path;
use crate::source::{Source, SourceError, Timed};
use crate::stream::{LateCounts, Stream};
use crate::time::{Duration, Instant};

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
    /// The deliveries that a drain has left undone, after a panic or for a poll.
    fn rest(&mut self, core: &Core, step: &mut Vec<Entry>);
    /// Puts the current item `index` into the step.
    fn emit(&mut self, index: usize, core: &Core, step: &mut Vec<Entry>) -> Emitted;
    /// Takes back what was counted for this instant: its first step is not run.
    fn uncount(&mut self, at: Instant);
    fn deliver(&mut self, entry: &Entry, cells: &[Rc<dyn Cell>], core: &mut Core);
    /// Kind and digest of a current item, for dead letters.
    fn describe(&self, entry: &Entry) -> (&'static str, u64);
    fn subscribe(&mut self, subscriber: Box<dyn Any>, core: &mut Core);
    fn unsubscribe(&mut self, who: ActorId);
    fn control(&mut self, what: Control);
    /// Forgets the way to an actor that has stopped, so that nothing is left of it.
    fn close(&mut self, who: ActorId);
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

/// Marks the position of a plain item.
const PLAIN: u32 = 1 << 31;

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
    /// What was read behind that, and need not be judged.
    plain: Plain<M>,
    /// Where the real items of the instant are: in `ready`, or with [`PLAIN`] in `plain`.
    current: Vec<u32>,
    subscribers: Vec<Subscriber<M>>,
    paused: bool,
    ended: bool,
    draining: Draining,
    /// The words of the records of the instant that is being drained.
    words: Vec<u64>,
    counts: LateCounts,
    /// An instant, and the counts before it.
    counted: (Option<Instant>, LateCounts),
    /// The real items that have come up.
    passed: u64,
    cover: Option<Box<Cover>>,
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
            plain: Plain::default(),
            current: Vec::new(),
            subscribers: Vec::new(),
            paused: false,
            ended: false,
            draining: Draining::default(),
            words: Vec::new(),
            counts: LateCounts::default(),
            counted: (None, LateCounts::default()),
            passed: 0,
            cover: None,
        }
    }

    /// The item at a position, if it was judged.
    #[inline(always)]
    fn judged(&self, position: u32) -> Option<&Item<M>> {
        (position & PLAIN == 0).then(|| &self.ready[position as usize])
    }

    #[inline(always)]
    fn message_at(&self, position: u32) -> Option<&M> {
        message_at(&self.ready, &self.plain, position)
    }

    /// A real item of this instant: it is put into the step, unless it waits for its round.
    #[inline(always)]
    fn come_up(&mut self, position: u32, taken: &mut Taken, core: &Core, step: &mut Vec<Entry>) {
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
}

#[inline(always)]
fn message_at<'a, M: 'static>(ready: &'a [Item<M>], plain: &'a Plain<M>, position: u32) -> Option<&'a M> {
    match position & PLAIN {
        0 => ready[position as usize].value.as_ref(),
        _ => Some(&plain.all()[(position & !PLAIN) as usize].value),
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
        if let Some(lent) = source.lend() {
            let at = lent.items.first().map(|item| item.at);
            self.plain.borrow(lent);
            self.source = Some(source);
            return Ok(at);
        }
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
        while !self.has_real() && self.read() {}
    }

    #[inline]
    fn head(&self) -> Option<Instant> {
        match self.ready.get(self.next) {
            Some(item) => Some(item.at),
            None => self.plain.ahead().first().map(|item| item.at),
        }
    }

    fn real_head(&self) -> Option<Instant> {
        let judged = self.ready[self.next..].iter().find(|item| item.is_real()).map(|item| item.at);
        judged.or_else(|| self.plain.ahead().first().map(|item| item.at))
    }

    fn failure(&self) -> Option<&SourceError> {
        if self.head().is_none() { self.failure.as_ref() } else { None }
    }

    fn take(&mut self, at: Instant, core: &Core, step: &mut Vec<Entry>) -> Taken {
        self.read_through(at);
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
            } else {
                self.come_up(position, &mut taken, core, step);
            }
        }
        while self.plain.ahead().first().is_some_and(|item| item.at <= at) {
            let (position, _) = self.plain.next();
            self.plain.pass(1);
            if self.paused {
                self.count_paused(at);
            } else {
                self.come_up(position as u32 | PLAIN, &mut taken, core, step);
            }
        }
        if !self.has_real() {
            self.settle();
        }
        taken.head = self.head();
        taken.failed = self.failure.is_some() && self.failure().is_some();
        taken
    }

    fn rest(&mut self, core: &Core, step: &mut Vec<Entry>) {
        self.rest_of_drain(core, step);
    }

    fn uncount(&mut self, at: Instant) {
        if self.counted.0 == Some(at) {
            self.counts = self.counted.1;
        }
    }

    fn emit(&mut self, index: usize, core: &Core, step: &mut Vec<Entry>) -> Emitted {
        let position = self.current[index];
        let place = match self.judged(position) {
            Some(item) if item.mark == Mark::Error => {
                return Emitted::Late(LateItem { index: item.index, event_time: item.event_time, lag: item.lag });
            }
            Some(item) => item.index,
            None => self.plain.index((position & !PLAIN) as usize),
        };
        let before = step.len();
        for (number, subscriber) in self.subscribers.iter().enumerate() {
            if core.is_living(subscriber.who) {
                step.push(Entry::of_stream(self.id, subscriber.who, place, position, number as u32));
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
    fn deliver(&mut self, entry: &Entry, cells: &[Rc<dyn Cell>], core: &mut Core) {
        if let Some(item) = self.judged(entry.payload)
            && (item.mark == Mark::Flagged || item.event_time != item.at)
        {
            let lag = (item.mark == Mark::Flagged).then_some(item.lag);
            core.event = Some(Event { due: item.at, event_time: item.event_time, lag });
        }
        let message = message_at(&self.ready, &self.plain, entry.payload).expect("an item that is delivered has a value");
        core.record_message(entry, message, digest_of(message));
        self.subscribers[entry.extra as usize].handle(message, cells, core);
    }

    fn describe(&self, entry: &Entry) -> (&'static str, u64) {
        (M::KIND, self.message_at(entry.payload).map_or(0, digest_of))
    }

    fn subscribe(&mut self, subscriber: Box<dyn Any>, core: &mut Core) {
        let subscriber = *subscriber.downcast::<Subscriber<M>>().expect("a subscriber of the stream's type");
        if self.subscribers.iter().all(|other| other.who != subscriber.who) {
            let label = core.label(subscriber.who);
            let at = self.subscribers.partition_point(|other| core.label(other.who) < label);
            self.subscribers.insert(at, subscriber);
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
                self.plain.clear();
            }
        }
    }

    fn close(&mut self, who: ActorId) {
        self.subscribers.iter_mut().filter(|subscriber| subscriber.who == who).for_each(Subscriber::close);
    }

    fn retain_living(&mut self, core: &Core) {
        self.subscribers.retain(|subscriber| core.is_living(subscriber.who));
    }

    fn subscribers(&self) -> Vec<ActorId> {
        self.subscribers.iter().map(|subscriber| subscriber.who).collect()
    }

    fn progress(&self) -> Option<(u64, u64)> {
        let source = self.source.as_ref()?;
        self.plain.progress().or_else(|| source.progress())
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
        self.cover = Some(Box::default());
    }

    fn tally(&self, path: Path) -> StreamTally {
        StreamTally { path, opened: self.opened, counts: self.counts, cover: self.cover.as_deref().cloned() }
    }

    fn message(&self) -> (&'static str, TypeId) {
        (M::KIND, TypeId::of::<M>())
    }

    fn position(&self) -> Position {
        self.stands_at()
    }

    fn resume(&mut self, position: &Position) -> Result<(), Resume> {
        self.go_on_from(position)
    }
}
