//! What handlers can reach: counters, queues and the emission of deliveries. Invariant: every emission draws its sequence number at the call.

use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::address::{Recipient, Sub};
use crate::ask::Asks;
use crate::digest::{digest_of, digest_of_text, fold};
use crate::error::{RunError, Site};
use crate::event::Event;
use crate::job::Jobs;
use crate::kernel::border::{Border, Shared, With};
use crate::kernel::components::Components;
use crate::kernel::entry::{ActorId, Cell, Entry, NONE, Thunk, What, no_thunk};
use crate::kernel::kinds::Kind;
use crate::kernel::order::Order;
use crate::kernel::payload::{AnyArena, Arenas, Kept, Types};
use crate::kernel::pending::{NodeKey, Pending};
use crate::kernel::stream::StreamCall;
use crate::link::{Links, Travel};
use crate::message::Message;
use crate::path::{Path, Rank};
use crate::pool::Pool;
use crate::rng::Rng;
use crate::task::Tasks;
use crate::time::{Duration, Instant};
use crate::trace::{Observer, TraceHash, TraceRecord, Wording};

/// Whether there is anybody at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// Spawned in a step that has not ended.
    Unborn,
    Living,
    Stopped,
}

/// What the dispatch of one delivery touches.
#[repr(align(64))]
pub(crate) struct Hot {
    pub(crate) chain: u64,
    pub(crate) count: u64,
    pub(crate) seq: u64,
    pub(crate) path_digest: u64,
    /// Its place in R1's order.
    pub(crate) label: u64,
    pub(crate) life: Life,
    /// Panicked in the step under way.
    pub(crate) poisoned: bool,
    /// Has called unsubscribe at least once, so that publications to it must be looked at.
    pub(crate) picky: bool,
    /// Not bounded by `max_mailbox`.
    pub(crate) unbounded: bool,
    /// For a stream, its number among the streams.
    pub(crate) stream: u32,
    /// The number under which the observer knows it.
    pub(crate) number: u32,
}

/// The rest of what is known of an actor, a stream or a facet.
pub(crate) struct Cold {
    pub(crate) path: Path,
    pub(crate) rank: Rank,
    pub(crate) root: ActorId,
    /// Children in order of their indices.
    pub(crate) children: Vec<ActorId>,
    pub(crate) facet: Option<ActorId>,
    /// A stream that takes messages over no declared link.
    pub(crate) controlled: bool,
    /// For a stream, its number among the streams; for a facet, its asker.
    pub(crate) stream: Option<u32>,
    pub(crate) rng: Option<Box<Rng>>,
    /// Its subscribers, a list per published type.
    pub(crate) lists: Vec<(u16, Rc<Vec<Sub>>)>,
    /// Its own last calls: publisher, type, whether that was a subscribe.
    pub(crate) wishes: Vec<(ActorId, u16, bool)>,
    pub(crate) tasks: Vec<u32>,
    /// How many tasks it has started, and how many inboxes it has made.
    pub(crate) tasks_started: u64,
    pub(crate) inboxes: u32,
}

impl Hot {
    /// A slot of nobody.
    const fn vacant() -> Self {
        Self {
            chain: 0,
            count: 0,
            seq: 0,
            path_digest: 0,
            label: 0,
            life: Life::Unborn,
            poisoned: false,
            picky: false,
            unbounded: false,
            stream: NONE,
            number: NONE,
        }
    }
}

impl Cold {
    /// A slot of nobody.
    fn vacant() -> Self {
        Self {
            path: Path::time_keeper(),
            rank: Rank::default(),
            root: ActorId(0),
            children: Vec::new(),
            facet: None,
            controlled: false,
            stream: None,
            rng: None,
            lists: Vec::new(),
            wishes: Vec::new(),
            tasks: Vec::new(),
            tasks_started: 0,
            inboxes: 0,
        }
    }
}

/// A subscription on its way to the publisher.
#[derive(Clone, Copy)]
pub(crate) struct SubscribeCall {
    pub(crate) ty: u16,
    pub(crate) kind: &'static str,
    pub(crate) sub: Sub,
}

/// What takes effect at the end of the step.
#[derive(Default)]
pub(crate) struct EndOfStep {
    pub(crate) spawned: Vec<(ActorId, Box<dyn Cell>, Entry)>,
    pub(crate) subscribed: Vec<(ActorId, SubscribeCall)>,
    pub(crate) unsubscribed: Vec<(ActorId, u16, ActorId)>,
    pub(crate) stopped: Vec<ActorId>,
    pub(crate) poisoned: Vec<ActorId>,
}

/// When a message gets there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    NextStep,
    At(Instant),
    /// In another shard.
    Away(Instant),
}

/// What the run has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counters {
    pub(crate) events: u64,
    pub(crate) deliveries: u64,
    pub(crate) dead_letters: u64,
    pub(crate) instants: u64,
    pub(crate) steps: u64,
    pub(crate) never: u64,
    pub(crate) lost: u64,
}

/// Takes log lines.
pub(crate) type LogSink = Box<dyn FnMut(crate::event::LogLine<'_>)>;

/// Everything of a shard that a handler's context leads to.
pub(crate) struct Core {
    pub(crate) now: Instant,
    pub(crate) round: u32,
    pub(crate) step: u32,
    /// Who is handling, and the count of what it handles.
    pub(crate) me: ActorId,
    pub(crate) cause: u64,
    /// The times of the delivery under way, if they are not all the instant's.
    pub(crate) event: Option<Event>,
    pub(crate) kind: &'static str,
    pub(crate) hot: Vec<Hot>,
    pub(crate) cold: Vec<Cold>,
    pub(crate) order: Order,
    pub(crate) types: Types,
    /// The messages of the step being emitted.
    pub(crate) arenas: Box<Arenas>,
    pub(crate) kept: Kept,
    /// The step being emitted. Boxed, as the arenas are, so that two steps change places by their pointers.
    #[expect(clippy::box_collection, reason = "two steps change places by one pointer, many million times a second")]
    pub(crate) next: Box<Vec<Entry>>,
    /// Whether `next` is in key order but for the receivers.
    pub(crate) next_sorted: bool,
    /// The receivers of the publications in `next`.
    pub(crate) published: Vec<Rc<Vec<Sub>>>,
    pub(crate) pending: Pending,
    pub(crate) links: Option<Links>,
    /// Who is joined without latency. Empty without links: then all are.
    pub(crate) components: Components,
    /// The other shards, if there are any.
    pub(crate) border: Option<Box<Border>>,
    pub(crate) subscribe_calls: Vec<SubscribeCall>,
    pub(crate) stream_calls: Vec<StreamCall>,
    pub(crate) end_of_step: EndOfStep,
    /// Whether the end of this step has anything to look at.
    pub(crate) attention: bool,
    /// Whether the next still point has.
    pub(crate) attention_when_still: bool,
    /// Facets made in this step.
    pub(crate) new_facets: Vec<ActorId>,
    /// What the facets asked in this step answer.
    pub(crate) next_instants: Vec<(ActorId, Option<Instant>)>,
    pub(crate) asks: Asks,
    pub(crate) tasks: Tasks,
    pub(crate) jobs: Jobs,
    pub(crate) faults: Vec<(u64, RunError)>,
    pub(crate) stop_requested: bool,
    pub(crate) counters: Counters,
    /// The events of a run that was restored, up to its snapshot.
    pub(crate) events_before: u64,
    /// The first and the last instant in which something was delivered.
    pub(crate) first: Option<Instant>,
    pub(crate) last: Option<Instant>,
    pub(crate) dead_sum: u128,
    pub(crate) stopped_sum: u128,
    pub(crate) seed: u64,
    pub(crate) pool: Arc<Pool>,
    pub(crate) observer: Option<Box<dyn Observer>>,
    /// How the observer wants messages put in words.
    pub(crate) wording: Option<Wording>,
    /// How many names the observer knows.
    pub(crate) numbers: u32,
    pub(crate) observer_error: Option<std::io::Error>,
    pub(crate) log: Option<LogSink>,
    pub(crate) clock: Option<Box<dyn FnMut() -> u64>>,
}

impl Core {
    pub(crate) fn new(seed: u64, pool: Arc<Pool>) -> Self {
        Self {
            now: Instant::MIN,
            round: 0,
            step: 0,
            me: ActorId(0),
            cause: 0,
            event: None,
            kind: "start",
            hot: Vec::new(),
            cold: Vec::new(),
            order: Order::default(),
            types: Types::new(),
            arenas: Box::default(),
            kept: Kept::default(),
            next: Box::default(),
            next_sorted: true,
            published: Vec::new(),
            pending: Pending::default(),
            links: None,
            components: Components::default(),
            border: None,
            subscribe_calls: Vec::new(),
            stream_calls: Vec::new(),
            end_of_step: EndOfStep::default(),
            attention: false,
            attention_when_still: false,
            new_facets: Vec::new(),
            next_instants: Vec::new(),
            asks: Asks::default(),
            tasks: Tasks::default(),
            jobs: Jobs::default(),
            faults: Vec::new(),
            stop_requested: false,
            counters: Counters::default(),
            events_before: 0,
            first: None,
            last: None,
            dead_sum: 0,
            stopped_sum: 0,
            seed,
            pool,
            observer: None,
            wording: None,
            numbers: 0,
            observer_error: None,
            log: None,
            clock: None,
        }
    }

    /// A new slot under a path that is free.
    pub(crate) fn add(&mut self, path: Path, rank: Rank, root: Option<ActorId>, life: Life) -> ActorId {
        let id = self.next_id();
        self.put(id, path, rank, root, life);
        self.announce(id);
        id
    }

    /// Fills the slot of an id.
    pub(crate) fn put(&mut self, id: ActorId, path: Path, rank: Rank, root: Option<ActorId>, life: Life) {
        // The ids of other shards may come in any order.
        while self.hot.len() <= id.index() {
            self.hot.push(Hot::vacant());
            self.cold.push(Cold::vacant());
        }
        let path_digest = digest_of_text(&path.to_string());
        self.hot[id.index()] = Hot { chain: path_digest, path_digest, life, ..Hot::vacant() };
        self.cold[id.index()] = Cold { path: path.clone(), rank, root: root.unwrap_or(id), ..Cold::vacant() };
        let hot = &mut self.hot;
        self.order.insert(rank, path, id, |id, label| hot[id.index()].label = label);
    }

    /// One that was never born stands at rank 0 in traces, wherever it is known.
    pub(crate) fn stands_at_rank_zero(&mut self, id: ActorId) {
        self.stands_at(id, Rank::default());
        self.announce_unborn(id);
    }

    /// Gives a slot another rank.
    pub(crate) fn stands_at(&mut self, id: ActorId, rank: Rank) {
        let cold = &mut self.cold[id.index()];
        let before = std::mem::replace(&mut cold.rank, rank);
        let hot = &mut self.hot;
        self.order.move_to(before, rank, &cold.path, id, |id, label| hot[id.index()].label = label);
    }

    #[inline(always)]
    pub(crate) fn label(&self, id: ActorId) -> u64 {
        self.hot[id.index()].label
    }

    #[inline(always)]
    pub(crate) fn is_living(&self, id: ActorId) -> bool {
        self.hot[id.index()].life == Life::Living
    }

    pub(crate) fn path(&self, id: ActorId) -> &Path {
        &self.cold[id.index()].path
    }

    /// The index of a message type.
    #[inline(always)]
    pub(crate) fn ty<M: Message>(&mut self) -> u16 {
        match self.types.find::<M>() {
            Some(ty) => ty,
            None => self.new_ty::<M>(),
        }
    }

    #[cold]
    fn new_ty<M: Message>(&mut self) -> u16 {
        let ty = self.types.add::<M>();
        self.types.furnish(&mut self.arenas, &mut self.kept);
        ty
    }

    /// The sender's next sequence number.
    #[inline(always)]
    pub(crate) fn draw(&mut self) -> u64 {
        let hot = &mut self.hot[self.me.index()];
        let seq = hot.seq;
        hot.seq += 1;
        seq
    }

    /// An entry from the actor that is handling.
    #[inline(always)]
    pub(crate) fn entry(&self, to: ActorId, seq: u64, what: What, thunk: Thunk) -> Entry {
        Entry { to, from: self.me, seq, cause: self.cause, thunk, payload: NONE, extra: NONE, node: NONE, ty: u16::MAX, what, dead: false }
    }

    /// Puts an entry into the next step.
    #[inline(always)]
    pub(crate) fn push_next(&mut self, entry: Entry) {
        if let Some(last) = self.next.last() {
            let in_order = last.what.class() == entry.what.class() && last.from == entry.from && last.seq <= entry.seq;
            if !in_order && self.next_sorted {
                let key = |entry: &Entry| (entry.what.class(), self.label(entry.from), entry.seq);
                self.next_sorted = key(last) <= key(&entry);
            }
        }
        self.next.push(entry);
    }

    /// When something is due after a delay. `None`: never, which is counted.
    #[inline(always)]
    pub(crate) fn arrival(&mut self, delay: Duration) -> Option<Arrival> {
        if !delay.is_positive() {
            return Some(Arrival::NextStep);
        }
        let at = self.now.checked_add(delay).map(Arrival::At);
        self.counters.never += u64::from(at.is_none());
        at
    }

    /// Puts an entry into the next step or into the queue.
    #[inline(always)]
    pub(crate) fn schedule(&mut self, entry: Entry, arrival: Arrival) -> NodeKey {
        match arrival {
            Arrival::NextStep => self.schedule_at(entry, self.now),
            Arrival::At(at) => self.schedule_at(entry, at),
            Arrival::Away(_) => unreachable!("only what is sent leaves its shard"),
        }
    }

    /// As [`Core::schedule`], for an entry without a payload that may leave the shard.
    pub(crate) fn dispatch(&mut self, entry: Entry, arrival: Arrival, with: With) {
        match arrival {
            Arrival::Away(at) => self.cross_bare(entry, at, with),
            here => _ = self.schedule(entry, here),
        }
    }

    /// As [`Core::dispatch`], with a message.
    pub(crate) fn dispatch_kept<M: Message>(&mut self, entry: Entry, arrival: Arrival, message: M, with: With) {
        let ty = self.ty::<M>();
        match arrival {
            Arrival::Away(at) => self.cross(Entry { ty, ..entry }, at, message, with),
            here => {
                let payload = self.kept.push(ty, message, 1);
                self.schedule(Entry { payload, ty, ..entry }, here);
            }
        }
    }

    /// When a message from the actor that is handling arrives at `to`, over links. `None`: it does not, which is counted or an error.
    #[inline(always)]
    pub(crate) fn travel(&mut self, to: ActorId, delay: Duration) -> Option<Arrival> {
        if self.links.is_none() { self.arrival(delay) } else { self.travel_linked(to, delay) }
    }

    fn travel_linked(&mut self, to: ActorId, delay: Duration) -> Option<Arrival> {
        let from = self.me;
        let Some(links) = &mut self.links else { return self.arrival(delay) };
        let (from_root, to_root) = (self.cold[from.index()].root, self.cold[to.index()].root);
        if from_root == to_root || self.cold[to.index()].controlled && self.components.joins(from_root, to_root) {
            return self.arrival(delay);
        }
        let delay = if delay.is_positive() { delay } else { Duration::ZERO };
        let ends = (self.hot[from.index()].path_digest, self.hot[to.index()].path_digest);
        match links.travel(self.seed, (from_root, to_root), (from, to), ends, self.now, delay) {
            Travel::Arrives(at) if at == self.now => Some(Arrival::NextStep),
            Travel::Arrives(at) if self.border.as_ref().is_some_and(|border| !border.owns(to)) => Some(Arrival::Away(at)),
            Travel::Arrives(at) => Some(Arrival::At(at)),
            Travel::Never => {
                self.counters.never += 1;
                None
            }
            Travel::Lost => {
                self.counters.lost += 1;
                None
            }
            Travel::Undeclared => {
                self.undeclared(from, to);
                None
            }
        }
    }

    /// Something was delivered in this instant, which is over.
    #[inline(always)]
    pub(crate) fn count_instant(&mut self) {
        self.counters.instants += 1;
        self.first.get_or_insert(self.now);
        self.last = Some(self.now);
    }

    /// The times of the delivery under way.
    pub(crate) fn event(&self) -> Event {
        self.event.unwrap_or(Event { due: self.now, event_time: self.now, lag: None })
    }

    /// Reports an undeclared send between two actors, at the end of this step.
    #[cold]
    pub(crate) fn undeclared(&mut self, from: ActorId, to: ActorId) {
        let error = RunError::Undeclared {
            site: self.site(),
            from: self.path(from).to_string(),
            to: self.path(to).to_string(),
            kind: self.kind.to_owned(),
        };
        self.fault(self.me, error);
    }

    /// Ends the run at this step, on account of an actor or a stream.
    #[cold]
    pub(crate) fn fault(&mut self, of: ActorId, error: RunError) {
        self.attention = true;
        self.faults.push((self.label(of), error));
    }

    /// Where the run stands.
    pub(crate) fn site(&self) -> Site {
        Site { at: self.now, round: self.round, step: self.step }
    }

    /// Sends a message (rule R2).
    #[inline(always)]
    pub(crate) fn send<M: Message>(&mut self, to: Recipient<M>, delay: Duration, message: M) {
        let seq = self.draw();
        let Some(arrival) = self.travel(to.id, delay) else { return };
        let ty = self.ty::<M>();
        match arrival {
            Arrival::At(at) => {
                let payload = self.kept.push(ty, message, 1);
                let entry = Entry { payload, ty, ..self.entry(to.id, seq, What::Later, to.thunk) };
                let key = self.pending.add(entry, at);
                self.pending.queue(key.index, at);
            }
            Arrival::NextStep => {
                let payload = self.arenas.push(ty, message);
                let entry = Entry { payload, ty, ..self.entry(to.id, seq, What::Now, to.thunk) };
                self.push_next(entry);
            }
            Arrival::Away(at) => {
                let entry = Entry { ty, ..self.entry(to.id, seq, What::Later, to.thunk) };
                self.cross(entry, at, message, With::Nothing);
            }
        }
    }

    /// Publishes to those who subscribed (rule R7): one emission, receivers fixed now.
    #[inline]
    pub(crate) fn publish<M: Message>(&mut self, message: M) {
        let seq = self.draw();
        let ty = self.ty::<M>();
        let Some((_, list)) = self.cold[self.me.index()].lists.iter().find(|(published, _)| *published == ty) else { return };
        if list.is_empty() {
            return;
        }
        let list = Rc::clone(list);
        if self.links.is_some() {
            self.publish_linked(seq, ty, message, &list);
            return;
        }
        let payload = self.arenas.push(ty, message);
        let extra = self.published.len() as u32;
        self.published.push(list);
        let entry = Entry { payload, ty, extra, ..self.entry(self.me, seq, What::Publication, no_thunk) };
        self.push_next(entry);
    }

    /// A publication over links is late for some: they share one kept copy, or one that crosses to other shards.
    fn publish_linked<M: Message>(&mut self, seq: u64, ty: u16, message: M, list: &[Sub]) {
        if list.iter().any(|sub| !self.is_here(sub.to)) {
            self.publish_abroad(seq, message, list);
            return;
        }
        let payload = self.kept.push(ty, message, 1);
        for sub in list {
            let Some(arrival) = self.travel(sub.to, Duration::ZERO) else { continue };
            let entry = Entry { payload, ty, ..self.entry(sub.to, seq, What::LaterShare, sub.thunk) };
            self.kept.share(ty, payload);
            self.schedule(entry, arrival);
        }
        self.kept.release(ty, payload);
    }

    /// A publication that leaves the shard for some.
    #[cold]
    fn publish_abroad<M: Message>(&mut self, seq: u64, message: M, list: &[Sub]) {
        let published = u32::from(self.ty::<M>());
        let message = Arc::new(message);
        for sub in list {
            let Some(arrival) = self.travel(sub.to, Duration::ZERO) else { continue };
            let entry = Entry { extra: published, ..self.entry(sub.to, seq, What::Shared, sub.thunk) };
            self.dispatch_kept(entry, arrival, Shared(message.clone()), With::Share(Self::ty::<M>));
        }
    }

    /// Re-arms an interval before its tick is handled, under the key that the tick's first emission has (rule R2).
    pub(crate) fn rearm(&mut self, entry: &Entry, due: Instant) {
        let interval = self.pending.interval(entry.node).expect("an interval's node");
        let next = due.checked_add(interval.period);
        if interval.end.is_some_and(|end| next.is_none_or(|next| next > end)) {
            self.pending.done(entry.node);
            return;
        }
        self.me = entry.to;
        let seq = self.draw();
        let Some(next) = next else {
            self.counters.never += 1;
            self.pending.done(entry.node);
            return;
        };
        self.kept.share(entry.ty, entry.payload);
        let cause = self.hot[entry.to.index()].count + 1;
        let entry = self.pending.rearm(entry.node, seq, cause, next);
        if next > self.now {
            self.pending.queue(entry.node, next);
        } else {
            self.push_next(entry);
        }
    }

    /// Whether two actors are in one component, so that what one of them does may reach the other at once.
    pub(crate) fn are_joined(&self, a: ActorId, b: ActorId) -> bool {
        self.links.is_none() || self.components.joins(self.cold[a.index()].root, self.cold[b.index()].root)
    }

    /// Puts a subscriber on a publisher's list, unless it has thought better of it since. What one in another component has thought since
    /// is not known here.
    pub(crate) fn enlist(&mut self, publisher: ActorId, ty: u16, sub: Sub) {
        let wishes = &self.cold[sub.to.index()].wishes;
        let wanted = wishes.iter().find(|(actor, wished, _)| (*actor, *wished) == (publisher, ty)).is_some_and(|wish| wish.2);
        if self.are_joined(publisher, sub.to) && (!wanted || !self.is_living(sub.to)) {
            return;
        }
        let lists = &mut self.cold[publisher.index()].lists;
        let at = lists.iter().position(|(published, _)| *published == ty).unwrap_or_else(|| {
            lists.push((ty, Rc::default()));
            lists.len() - 1
        });
        let list = Rc::make_mut(&mut lists[at].1);
        if list.iter().all(|other| other.to != sub.to) {
            let label = |sub: &Sub| self.hot[sub.to.index()].label;
            let at = list.partition_point(|other| label(other) < label(&sub));
            list.insert(at, sub);
        }
    }

    /// Whether the last thing that a subscriber has called about a publisher was no unsubscribe.
    pub(crate) fn is_wanted(&self, who: ActorId, publisher: ActorId, ty: u16) -> bool {
        let wishes = &self.cold[who.index()].wishes;
        wishes.iter().find(|(actor, wished, _)| (*actor, *wished) == (publisher, ty)).is_none_or(|wish| wish.2)
    }

    /// Takes a subscriber off a publisher's list. A publisher in another component does not hear of it.
    pub(crate) fn delist(&mut self, publisher: ActorId, ty: u16, who: ActorId) {
        if !self.are_joined(publisher, who) {
            return;
        }
        if let Some((_, list)) = self.cold[publisher.index()].lists.iter_mut().find(|(published, _)| *published == ty) {
            Rc::make_mut(list).retain(|sub| sub.to != who);
        }
    }

    /// Arms an own timer.
    #[inline(always)]
    pub(crate) fn arm<M: Message>(&mut self, thunk: Thunk, due: Instant, message: M) -> (u64, NodeKey) {
        let seq = self.draw();
        let ty = self.ty::<M>();
        let payload = self.kept.push(ty, message, 1);
        let entry = Entry { payload, ty, ..self.entry(self.me, seq, What::Timer, thunk) };
        (seq, self.schedule_at(entry, due))
    }

    /// Queues for an instant, which may be in the past: then for the next step.
    #[inline(always)]
    pub(crate) fn schedule_at(&mut self, entry: Entry, due: Instant) -> NodeKey {
        let key = self.pending.add(entry, due);
        if due > self.now {
            self.pending.queue(key.index, due);
        } else {
            self.push_next(Entry { node: key.index, ..entry });
        }
        key
    }

    /// Fetches what the queue gives next into the caches.
    #[cold]
    pub(crate) fn look_ahead(&self) {
        let shares = self.pending.look_ahead().map(|(ty, payload)| self.kept.any(ty).touch(payload));
        black_box(shares.fold(0, u32::wrapping_add));
    }

    /// Cancels what is pending under a handle and drops its message.
    pub(crate) fn cancel_node(&mut self, key: NodeKey) -> bool {
        match self.pending.cancel(key) {
            Some(entry) => {
                if entry.payload != NONE {
                    self.kept.release(entry.ty, entry.payload);
                }
                true
            }
            None => false,
        }
    }

    /// Counts a delivery, chains its record, and makes it the cause of what follows.
    #[inline(always)]
    fn record(&mut self, entry: &Entry, kind: &'static str, kind_digest: u64, digest: u64) {
        let word = self.word(entry.from, entry.cause, kind_digest, digest);
        self.record_word(entry.to, kind, word);
    }

    /// One word for everything in a record but the receiver and its count, which the chain stands for: the same for all who share a message.
    #[inline(always)]
    pub(crate) fn word(&self, sender: ActorId, cause: u64, kind_digest: u64, digest: u64) -> u64 {
        let sender = self.hot[sender.index()].path_digest;
        record_word(self.now, self.round, self.step, sender, cause, kind_digest, digest)
    }

    /// Counts and chains a delivery of which the word is known.
    #[inline(always)]
    pub(crate) fn record_word(&mut self, to: ActorId, kind: &'static str, word: u64) {
        let hot = &mut self.hot[to.index()];
        hot.count += 1;
        hot.chain = chained(hot.chain, word);
        self.cause = hot.count;
        self.me = to;
        self.kind = kind;
        self.counters.deliveries += 1;
    }

    /// As [`Core::record_word`]. `false`: the receiver is not living, and nothing was done.
    #[inline(always)]
    pub(crate) fn record_if_living(&mut self, to: ActorId, kind: &'static str, word: u64) -> bool {
        let is_living = self.is_living(to);
        if is_living {
            self.record_word(to, kind, word);
        }
        is_living
    }

    /// Counts, chains and shows a delivery of the engine's own.
    #[inline(always)]
    pub(crate) fn record_own(&mut self, entry: &Entry, kind: Kind, digest: u64) {
        self.record(entry, kind.name, kind.digest, digest);
        if self.observer.is_some() {
            self.observe(entry, Some(self.cause), kind.name, digest, None);
        }
    }

    /// Counts, chains and shows the delivery of a message.
    #[inline(always)]
    pub(crate) fn record_message<M: Message>(&mut self, entry: &Entry, message: &M, digest: u64) {
        self.record(entry, M::KIND, const { digest_of_text(M::KIND) }, digest);
        if self.observer.is_some() {
            self.show(entry, message, digest);
        }
    }

    /// Shows what was recorded by its word.
    #[inline(always)]
    pub(crate) fn show_share<M: Message>(&mut self, entry: impl FnOnce() -> Entry, message: &M) {
        if self.observer.is_some() {
            self.show(&entry(), message, digest_of(message));
        }
    }

    /// Shows the record of a message in an arena.
    #[cold]
    pub(crate) fn show_in(&mut self, arena: &dyn AnyArena, entry: &Entry, kind: &'static str) {
        let text = self.wording.as_ref().and_then(|wording| arena.text(entry.payload, wording));
        self.observe(entry, Some(self.cause), kind, arena.digest(entry.payload), text.as_deref());
    }

    /// Shows all records to this observer from here on.
    pub(crate) fn observe_by(&mut self, observer: Box<dyn Observer>) {
        self.wording = observer.wording();
        self.observer = Some(observer);
    }

    #[cold]
    fn show<M: Message>(&mut self, entry: &Entry, message: &M, digest: u64) {
        let text = self.wording.as_ref().and_then(|wording| wording(message, message));
        self.observe(entry, Some(self.cause), M::KIND, digest, text.as_deref());
    }

    /// Counts and hashes a dead letter.
    pub(crate) fn record_dead(&mut self, entry: &Entry, kind: &'static str, digest: u64, text: Option<&str>) {
        let sender = self.hot[entry.from.index()].path_digest;
        let word = record_word(self.now, self.round, self.step, sender, entry.cause, digest_of_text(kind), digest);
        let path = self.hot[entry.to.index()].path_digest;
        self.dead_sum = self.dead_sum.wrapping_add(summand(path, word, digest_of_text("dead")));
        self.counters.dead_letters += 1;
        if self.observer.is_some() {
            self.observe(entry, None, kind, digest, text);
        }
    }

    #[cold]
    pub(crate) fn observe(&mut self, entry: &Entry, count: Option<u64>, kind: &'static str, digest: u64, text: Option<&str>) {
        let Some(observer) = &mut self.observer else { return };
        for id in [entry.from, entry.to] {
            let number = &mut self.hot[id.index()].number;
            if *number == NONE {
                *number = self.numbers;
                self.numbers += 1;
                let cold = &self.cold[id.index()];
                observer.name(*number, &cold.path, cold.rank);
            }
        }
        let record = TraceRecord {
            at: self.now,
            round: self.round,
            step: self.step,
            receiver: self.hot[entry.to.index()].number,
            count,
            sender: self.hot[entry.from.index()].number,
            sender_count: entry.cause,
            kind,
            digest,
            text,
        };
        if let Err(error) = observer.record(&record) {
            self.observer_error.get_or_insert(error);
            self.attention_when_still = true;
        }
    }

    /// The hash of the run as it stands.
    pub(crate) fn trace_hash(&self) -> TraceHash {
        let living = self.hot.iter().filter(|hot| hot.life != Life::Stopped && hot.count > 0);
        let sum = living.map(|hot| summand(hot.path_digest, hot.chain, hot.count));
        TraceHash(sum.fold(self.stopped_sum.wrapping_add(self.dead_sum), u128::wrapping_add))
    }

    /// The actor's own stream of random numbers (rule R19).
    pub(crate) fn rng(&mut self) -> &mut Rng {
        let (seed, cold) = (self.seed, &mut self.cold[self.me.index()]);
        cold.rng.get_or_insert_with(|| Box::new(Rng::of(seed, &cold.path.to_string(), "actor")))
    }
}

/// One word for everything in a record but the receiver and its count, which the chain stands for.
#[inline(always)]
fn record_word(at: Instant, round: u32, step: u32, sender: u64, cause: u64, kind: u64, digest: u64) -> u64 {
    let place = fold(at.as_nanos() as u64 ^ 0x9ddf_ea08_eb38_2d69, (u64::from(round) << 32 | u64::from(step)) ^ 0xc2b2_ae3d_27d4_eb4f);
    let origin = fold(sender ^ 0x1656_67b1_9e37_79f9, cause ^ 0x27d4_eb2f_1656_67c5);
    let what = fold(kind ^ 0x8564_9d2b_0b15_c5a1, digest ^ 0x2127_599b_f432_5c37);
    place.rotate_left(17) ^ origin.rotate_left(41) ^ what
}

#[inline(always)]
fn chained(chain: u64, word: u64) -> u64 {
    fold(chain ^ 0xa076_1d64_78bd_642f, word ^ chain.rotate_left(32))
}

/// What one chain, or one dead letter, adds to the hash of the run.
pub(crate) fn summand(path: u64, chain: u64, count: u64) -> u128 {
    let low = fold(path ^ 0xe703_7ed1_a0b4_28db, chain ^ fold(count ^ 0x8ebc_6af0_9c88_c6e3, 0x5899_65cc_7537_4cc3));
    let high = fold(chain ^ 0x1d8e_4e27_c47d_124f, path ^ fold(count ^ 0xeb44_acca_b455_d165, 0x9e37_79b9_7f4a_7c15));
    u128::from(low) | u128::from(high) << 64
}
