//! What handlers can reach: who there is, what was sent, where the run stands. Invariant: nothing here depends on the host.

use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::address::Sub;
use crate::ask::Asks;
use crate::digest::digest_of_text;
use crate::error::{RunError, Site};
use crate::event::Event;
use crate::job::Jobs;
use crate::kernel::border::Border;
use crate::kernel::components::Components;
use crate::kernel::entry::{ActorId, Cell, Entry, NONE, Step, Thunk, What};
use crate::kernel::order::Order;
use crate::kernel::pending::Pending;
use crate::kernel::store::Stores;
use crate::kernel::stream::StreamCall;
use crate::link::Links;
use crate::path::{Path, Rank};
use crate::pool::Pool;
use crate::rng::Rng;
use crate::task::Tasks;
use crate::time::Instant;
use crate::trace::{Observer, Wording};

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
    pub(crate) spawned: Vec<(ActorId, Rc<dyn Cell>, Entry)>,
    pub(crate) subscribed: Vec<(ActorId, SubscribeCall)>,
    pub(crate) unsubscribed: Vec<(ActorId, u16, ActorId)>,
    pub(crate) stopped: Vec<ActorId>,
    pub(crate) poisoned: Vec<ActorId>,
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

/// What there is to know of a delivery that is alone in its instant.
pub(crate) struct Lone {
    pub(crate) to: ActorId,
    pub(crate) from: ActorId,
    pub(crate) cause: u64,
    pub(crate) thunk: Thunk,
    pub(crate) payload: u32,
    pub(crate) extra: u32,
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
    /// The stream of which an item is being handled on the short way, if one is.
    pub(crate) draining: u32,
    /// The times of the delivery under way, if they are not all the instant's.
    pub(crate) event: Option<Event>,
    pub(crate) kind: &'static str,
    pub(crate) hot: Vec<Hot>,
    pub(crate) cold: Vec<Cold>,
    pub(crate) order: Order,
    /// All messages.
    pub(crate) stores: Stores,
    /// The step being emitted.
    pub(crate) next: Step,
    /// Whether `next` is in key order but for the receivers.
    pub(crate) next_sorted: bool,
    /// The receivers of the publications in `next`.
    pub(crate) published: Vec<Rc<Vec<Sub>>>,
    pub(crate) pending: Pending,
    /// Types and places of the kept messages that come next.
    ahead: Vec<(u16, u32)>,
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
    pub(crate) faults: Vec<(ActorId, RunError)>,
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
            draining: NONE,
            event: None,
            kind: "start",
            hot: Vec::new(),
            cold: Vec::new(),
            order: Order::default(),
            stores: Stores::default(),
            next: Box::default(),
            next_sorted: true,
            published: Vec::new(),
            pending: Pending::default(),
            ahead: Vec::new(),
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

    /// Something was delivered in this instant, which is over.
    #[inline(always)]
    pub(crate) fn count_instant(&mut self) {
        self.counters.instants += 1;
        self.first.get_or_insert(self.now);
        self.last = Some(self.now);
    }

    /// What is alone in the step emitted, and its type: a message for one who lives, or a publication. `None`: that step is of another kind.
    #[inline(always)]
    pub(crate) fn lone_next(&self, max_steps: u32) -> Option<(What, u16)> {
        let [entry] = &self.next[..] else { return None };
        let is_plain = entry.what == What::Publication || entry.what == What::Now && self.is_living(entry.to);
        (is_plain && self.step + 1 < max_steps).then_some((entry.what, entry.ty))
    }

    /// Makes the step emitted the one that is delivered; it is of one entry.
    #[inline(always)]
    pub(crate) fn turn_to_lone(&mut self, step: &mut Step) {
        step.clear();
        std::mem::swap(&mut self.next, step);
        self.stores.turn();
        self.step += 1;
    }

    /// Begins the instant of the one delivery that is due before all others, up to `bound`, if its entry passes and its receiver lives.
    #[inline(always)]
    pub(crate) fn begin_lone(&mut self, bound: Instant, passes: impl FnOnce(&Entry) -> bool) -> Option<Lone> {
        let hot = &self.hot;
        let passes = |entry: &Entry| passes(entry) && hot[entry.to.index()].life == Life::Living;
        let (at, entry) = self.pending.pop_lone(bound, passes)?;
        // Not a copy of the entry: most of it is not needed.
        let Entry { to, from, cause, thunk, payload, extra, .. } = *entry;
        let lone = Lone { to, from, cause, thunk, payload, extra };
        if self.pending.should_look_ahead() {
            self.look_ahead();
        }
        self.now = at;
        (self.round, self.step, self.event) = (0, 0, None);
        self.me = to;
        self.counters.steps += 1;
        Some(lone)
    }

    /// Whether the instant of a lone delivery is over with it: nothing was sent for it, and neither its end nor its still point has anything to look at.
    #[inline(always)]
    pub(crate) fn is_quiet(&self) -> bool {
        // All of it is nearly always false: to look at everything at once takes less than a branch each.
        let more = !self.next.is_empty() | self.tasks.any_due() | self.attention | self.attention_when_still;
        !(more || self.tasks.any() && self.tasks.woken_by_others())
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
        self.faults.push((of, error));
    }

    /// Where the run stands.
    pub(crate) fn site(&self) -> Site {
        Site { at: self.now, round: self.round, step: self.step }
    }

    /// Fetches what the queue gives next into the caches.
    #[cold]
    pub(crate) fn look_ahead(&mut self) {
        self.ahead.clear();
        self.ahead.extend(self.pending.look_ahead());
        for kept in self.ahead.chunk_by(|(ty, _), (next, _)| ty == next) {
            black_box(self.stores.any(kept[0].0).touch(kept));
        }
    }

    /// The actor's own stream of random numbers (rule R19).
    pub(crate) fn rng(&mut self) -> &mut Rng {
        let (seed, cold) = (self.seed, &mut self.cold[self.me.index()]);
        cold.rng.get_or_insert_with(|| Box::new(Rng::of(seed, &cold.path.to_string(), "actor")))
    }
}
