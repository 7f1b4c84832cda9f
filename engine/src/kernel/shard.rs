//! One shard's run: instants, rounds and steps (rules R2 to R4, R7 to R9). Invariant: between two calls of `advance` the shard can be left as
//! it is; a panic inside a handler leaves it where it can go on with the next delivery.

mod closing;
mod dispatch;
mod ending;
mod lone;
mod share;
mod streams;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::Waker;

use crate::address::Sub;
use crate::error::{RunError, Site};
use crate::kernel::border::Border;
use crate::kernel::core::Core;
use crate::kernel::entry::{ActorId, Cell, Class, Entry, NONE, Step, Thunk, Vacant, What};
use crate::kernel::gate::Gates;
use crate::kernel::ready::ReadyOrder;
use crate::kernel::stream::{Merge, Streams};
use crate::limits::{Limits, OnPanic};
use crate::metrics::Metrics;
use crate::report::Report;
use crate::task::Stage;
use crate::time::Instant;
use crate::trace::{Observer, StepOrder};

/// Where an instant stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Between instants.
    Still,
    /// The entries of a step are in `step`, not closed.
    Emitted,
    /// The step is closed and under way.
    Running,
    /// A step has ended.
    Ended,
}

/// What `advance` came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Advance {
    /// A step was run; more may follow in this instant.
    Stepped,
    /// The still point of the instant was reached.
    Still,
    /// The run has ended, at a key of its own.
    Over,
}

/// How many instants the short ways run between two looks at whether to pause.
pub(crate) const DRAIN: u64 = 64;

/// Asked whether to pause, at a still point at least every [`DRAIN`] instants.
pub(crate) type Pause<'a> = Option<&'a mut dyn FnMut(&mut Shard) -> bool>;

/// One thread's worth of actors and streams.
pub(crate) struct Shard {
    pub(crate) core: Box<Core>,
    cells: Vec<Rc<dyn Cell>>,
    pub(crate) streams: Streams,
    merge: Merge,
    limits: Limits,
    on_panic: OnPanic,
    stage: Rc<Stage>,
    waker: Waker,
    phase: Phase,
    /// Whether a handler or a task is under way.
    inside: bool,
    /// The step under way.
    step: Step,
    pos: usize,
    /// Whose tasks were polled last.
    polled: ActorId,
    polls: usize,
    gates: Gates,
    published: Vec<Rc<Vec<Sub>>>,
    /// The publication under way that is alone in its step, and how many of its subscribers had their turn.
    sharing: Option<Rc<Vec<Sub>>>,
    shared: usize,
    /// The words of the step's publications.
    words: Vec<u64>,
    /// Whether `step` is in key order but for the receivers.
    emitted_in_order: bool,
    keys: Vec<(u64, u32)>,
    sorted: Vec<Entry>,
    /// Streams that have current items, with how many.
    active: Vec<(u32, usize)>,
    /// Whether one of them has items for later rounds.
    rounds: bool,
    /// The step exists even if nothing is delivered in it: a late item ends the run there.
    forced: bool,
    delivered_before: u64,
    steps_before: u64,
    pub(crate) error: Option<RunError>,
    pub(crate) stopped: bool,
    pub(crate) reports: Vec<(ActorId, Report)>,
    pub(crate) metrics: Option<Box<Metrics>>,
    any_stopped: bool,
    /// Whether handlers are timed.
    timed: bool,
    /// Whether neither metrics nor a bound on mailboxes wants to see every step.
    unmeasured: bool,
    /// Stream items of the step, to be counted if it is run.
    items: u64,
    declared: Option<Instant>,
    pub(crate) ready: ReadyOrder,
}

impl Shard {
    pub(crate) fn new(mut core: Box<Core>, limits: Limits, on_panic: OnPanic) -> Self {
        let spare = Box::new(Core::new(0, core.pool.clone()));
        let stage = Rc::new(Stage::new(spare, Rc::new(Vacant)));
        core.tasks.stage = Some(stage.clone());
        let waker = core.tasks.waker();
        Self {
            core,
            cells: Vec::new(),
            streams: Streams::default(),
            merge: Merge::default(),
            limits,
            on_panic,
            stage,
            waker,
            phase: Phase::Still,
            inside: false,
            step: Box::default(),
            pos: 0,
            polled: ActorId(0),
            polls: 0,
            gates: Gates::default(),
            published: Vec::new(),
            sharing: None,
            shared: 0,
            words: Vec::new(),
            emitted_in_order: true,
            keys: Vec::new(),
            sorted: Vec::new(),
            active: Vec::new(),
            rounds: false,
            forced: false,
            delivered_before: 0,
            steps_before: 0,
            error: None,
            stopped: false,
            reports: Vec::new(),
            metrics: None,
            any_stopped: false,
            timed: false,
            unmeasured: limits.max_mailbox.is_none(),
            items: 0,
            declared: None,
            ready: ReadyOrder::Sorted,
        }
    }

    /// Keeps figures, and times handlers if there is a clock.
    pub(crate) fn keep_metrics(&mut self) {
        self.metrics = Some(Box::new(Metrics::new()));
        self.timed = self.core.clock.is_some();
        self.unmeasured = false;
    }

    /// Puts an actor into its slot.
    pub(crate) fn place(&mut self, id: ActorId, cell: Rc<dyn Cell>) {
        while self.cells.len() <= id.index() {
            self.cells.push(Rc::new(Vacant));
        }
        self.cells[id.index()] = cell;
    }

    pub(crate) fn cell(&self, id: ActorId) -> Option<&Rc<dyn Cell>> {
        self.cells.get(id.index())
    }

    /// Takes an actor out of its slot.
    pub(crate) fn take_cell(&mut self, id: ActorId) -> Rc<dyn Cell> {
        self.cells.get_mut(id.index()).map_or_else(|| Rc::new(Vacant) as Rc<dyn Cell>, |cell| std::mem::replace(cell, Rc::new(Vacant)))
    }

    /// Keeps what this shard owns of a whole simulation; what others own is only known here.
    pub(crate) fn confine(&mut self, border: Border) {
        for stream in self.streams.iter_mut() {
            stream.cover();
            for who in stream.subscribers() {
                if !border.owns(who) {
                    stream.unsubscribe(who);
                }
            }
        }
        for (index, cell) in self.cells.iter_mut().enumerate() {
            if !border.owns(ActorId(index as u32)) {
                *cell = cell.remains();
            }
        }
        self.core.border = Some(Box::new(border));
    }

    /// In which order the actors of a step run. It cannot change a trace.
    pub(crate) fn ready_order(&mut self, order: ReadyOrder) {
        self.ready = order;
        self.unmeasured &= order == ReadyOrder::Sorted;
        if order != ReadyOrder::Sorted {
            self.core.observer = self.core.observer.take().map(|observer| Box::new(StepOrder::new(observer)) as Box<dyn Observer>);
        }
    }

    /// Begins the run: `start` for all roots, in R1's order.
    pub(crate) fn start(&mut self, at: Instant, roots: Vec<Entry>) {
        *self.step = roots;
        self.begin(at);
    }

    /// The next instant at which there is something to look at.
    #[inline]
    pub(crate) fn next_instant(&mut self) -> Option<Instant> {
        let pending = self.core.pending.peek();
        if self.streams.is_empty() {
            return pending;
        }
        let head = self.least_head().map(|(_, head)| head);
        match (pending, head) {
            (Some(pending), Some(head)) => Some(pending.min(head)),
            (pending, head) => pending.or(head),
        }
    }

    /// Whether the shard is at a still point.
    pub(crate) fn is_still(&self) -> bool {
        self.phase == Phase::Still
    }

    /// Begins an instant: its streams' items, delayed messages, timers and results go into step 0.
    #[inline(always)]
    pub(crate) fn begin(&mut self, at: Instant) {
        let core = &mut *self.core;
        core.now = at;
        core.round = 0;
        core.step = 0;
        self.delivered_before = core.counters.deliveries;
        self.steps_before = core.counters.steps;
        core.pending.pop_into(at, &mut self.step);
        if core.pending.should_look_ahead() {
            core.look_ahead();
        }
        self.emitted_in_order = self.step.len() <= 1;
        self.phase = Phase::Emitted;
        if !self.streams.is_empty() {
            self.take_streams(at);
        }
    }

    /// Does the next thing: closes and runs a step, or ends the instant.
    #[inline]
    pub(crate) fn advance(&mut self) -> Advance {
        loop {
            match catch_unwind(AssertUnwindSafe(|| self.drive())) {
                Ok(advance) => return advance,
                Err(payload) => self.panicked(payload),
            }
        }
    }

    /// Runs instants up to `bound`, until `pause` says so at a still point, or to the end. `None`: nothing is left up to the bound.
    pub(crate) fn run(&mut self, bound: Option<Instant>, mut pause: Pause<'_>) -> Option<Advance> {
        loop {
            match catch_unwind(AssertUnwindSafe(|| self.drive_until(bound, &mut pause))) {
                Ok(end) => return end,
                Err(payload) => self.panicked(payload),
            }
        }
    }

    fn drive_until(&mut self, bound: Option<Instant>, pause: &mut Pause<'_>) -> Option<Advance> {
        let bound = bound.unwrap_or(Instant::MAX);
        loop {
            if self.phase == Phase::Still {
                if self.error.is_some() {
                    return Some(Advance::Over);
                }
                if let Some(pause) = pause
                    && pause(self)
                {
                    return Some(Advance::Still);
                }
                let at = self.next_instant()?;
                if at > bound {
                    return None;
                }
                if self.unmeasured && !self.streams.is_empty() && self.drain(bound) {
                    continue;
                }
                if self.unmeasured && self.run_lone(bound) {
                    continue;
                }
                self.begin(at);
            }
            self.run_on();
            while self.phase != Phase::Still {
                if self.drive() == Advance::Over {
                    return Some(Advance::Over);
                }
                self.run_on();
            }
        }
    }

    /// Closes and runs the step that was emitted, and moves on to the next one.
    #[inline(always)]
    fn drive(&mut self) -> Advance {
        if self.phase == Phase::Emitted {
            if self.is_simple() {
                self.run_single();
            } else if self.is_lone_publication() {
                self.run_publication();
            } else if !self.close() {
                if self.error.is_some() {
                    return Advance::Over;
                }
                self.phase = Phase::Ended;
            }
        }
        if self.sharing.is_some() {
            // A panic has left the rest.
            self.share();
        }
        if self.phase == Phase::Running && self.run_closed() == Advance::Over {
            return Advance::Over;
        }
        if self.phase == Phase::Ended {
            return self.next_step();
        }
        Advance::Still
    }

    /// Runs a closed step, or the rest of one that a panic has left.
    fn run_closed(&mut self) -> Advance {
        while self.pos < self.step.len() {
            let at = self.pos;
            self.pos += 1;
            self.deliver(at);
            if self.core.tasks.any_due() && self.step.get(self.pos).is_none_or(|next| next.to != self.core.me) {
                self.poll(self.core.me);
            }
        }
        self.core.counters.events += self.items;
        self.items = 0;
        self.step.clear();
        self.phase = Phase::Ended;
        if self.core.attention {
            self.end_step();
            if !self.core.faults.is_empty() || self.core.stop_requested {
                self.conclude();
                return Advance::Over;
            }
        }
        Advance::Stepped
    }

    /// Moves on to the next step, round or still point (rule R4).
    #[inline(always)]
    fn next_step(&mut self) -> Advance {
        let core = &mut *self.core;
        if core.next.is_empty() {
            if self.rounds && self.next_round() {
                self.phase = Phase::Emitted;
                return Advance::Stepped;
            }
            self.still();
            return Advance::Still;
        }
        std::mem::swap(&mut core.next, &mut self.step);
        core.stores.turn();
        if !core.published.is_empty() {
            std::mem::swap(&mut core.published, &mut self.published);
        }
        self.emitted_in_order = core.next_sorted;
        core.next_sorted = true;
        core.step += 1;
        self.phase = Phase::Emitted;
        Advance::Stepped
    }

    /// The still point of an instant.
    #[inline(always)]
    fn still(&mut self) {
        self.phase = Phase::Still;
        self.active.clear();
        self.rounds = false;
        let core = &mut *self.core;
        let delivered = core.counters.deliveries - self.delivered_before;
        if delivered > 0 {
            core.count_instant();
            if !self.unmeasured
                && let Some(metrics) = &mut self.metrics
            {
                metrics.instant(delivered, core.counters.steps - self.steps_before);
            }
        }
        if core.attention_when_still || core.tasks.any() && core.tasks.woken_by_others() {
            self.attend();
        }
    }

    /// What takes effect at a still point.
    #[cold]
    fn attend(&mut self) {
        self.core.attention_when_still = false;
        if !self.core.stream_calls.is_empty() {
            self.call_streams();
        }
        if self.any_stopped {
            self.any_stopped = false;
            for stream in self.streams.iter_mut() {
                stream.retain_living(&self.core);
            }
        }
        if let Some(error) = self.core.observer_error.take() {
            self.error.get_or_insert(RunError::Observer(error.to_string()));
        }
        if self.core.tasks.woken_by_others() {
            let error = RunError::ForeignFuture { site: self.core.site(), actor: "some actor".to_owned() };
            self.error.get_or_insert(error);
        }
    }

    /// Whether anything is still to be delivered, now or ever.
    pub(crate) fn has_more(&mut self) -> bool {
        let core = &*self.core;
        core.pending.queued().any(|(entry, _)| entry.what.class() == Class::Message || core.is_living(entry.to))
            || self.streams.iter().any(|stream| stream.head().is_some())
    }

    /// Where the run stands.
    pub(crate) fn site(&self) -> Site {
        self.core.site()
    }
}

impl Entry {
    /// A root's start.
    pub(crate) fn root_start(time_keeper: ActorId, to: ActorId, thunk: Thunk) -> Self {
        Self { thunk, what: What::Start, ..Self::of_stream(time_keeper, to, 0, NONE, NONE) }
    }
}
