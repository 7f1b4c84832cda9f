//! One shard's run: instants, rounds and steps (rules R2 to R4, R7 to R9). Invariant: between two calls of `advance` the shard can be left as
//! it is; a panic inside a handler leaves it where it can go on with the next delivery.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::task::Waker;

use crate::address::{Occupied, Sub};
use crate::context::Control;
use crate::digest::{digest_of, digest_of_text};
use crate::error::{RunError, Site};
use crate::event::Event;
use crate::kernel::border::{Border, Opening};
use crate::kernel::core::{Core, Life, summand};
use crate::kernel::entry::{ActorId, Cell, Class, Entry, NONE, Thunk, Turn, Vacant, What};
use crate::kernel::kinds::{END, GONE, Kind, PAUSE, RESUME, START, STOP, SUBSCRIBE, TIMEOUT, UNIT, WAKE};
use crate::kernel::payload::Arenas;
use crate::kernel::pending::NodeTurn;
use crate::kernel::ready::ReadyOrder;
use crate::kernel::stream::{Emitted, LateItem, Merge, StreamCall, StreamCell};
use crate::limits::{Limits, OnPanic};
use crate::metrics::Metrics;
use crate::outcome::Part;
use crate::pool::panic_text;
use crate::report::Report;
use crate::snapshot::RestoreError;
use crate::task::Stage;
use crate::time::Instant;
use crate::time_keeper::TimeKeeper;
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

/// How many instants of one stream are run between two looks at whether to pause.
const DRAIN: u64 = 64;

/// Asked whether to pause, at a still point at least every [`DRAIN`] instants.
pub(crate) type Pause<'a> = Option<&'a mut dyn FnMut(&mut Shard) -> bool>;

/// One thread's worth of actors and streams.
pub(crate) struct Shard {
    pub(crate) core: Box<Core>,
    cells: Vec<Box<dyn Cell>>,
    pub(crate) streams: Vec<Box<dyn StreamCell>>,
    merge: Merge,
    limits: Limits,
    on_panic: OnPanic,
    stage: Rc<Stage>,
    waker: Waker,
    phase: Phase,
    /// Whether a handler or a task is under way.
    inside: bool,
    /// The step under way, and the messages that were sent for it.
    #[expect(clippy::box_collection, reason = "changes places with the step being emitted by one pointer")]
    step: Box<Vec<Entry>>,
    pos: usize,
    /// Who is handling.
    current: ActorId,
    polls: usize,
    arenas: Box<Arenas>,
    published: Vec<Rc<Vec<Sub>>>,
    /// The publication under way that is alone in its step, and how many of its subscribers had their turn.
    sharing: Option<(Rc<Vec<Sub>>, Entry)>,
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
    /// Whether a stream is being drained, and which one was last.
    draining: bool,
    drained_by: usize,
    declared: Option<Instant>,
    pub(crate) ready: ReadyOrder,
}

impl Shard {
    pub(crate) fn new(mut core: Box<Core>, limits: Limits, on_panic: OnPanic) -> Self {
        let spare = Box::new(Core::new(0, core.pool.clone()));
        let stage = Rc::new(Stage::new(spare, Box::new(Vacant)));
        core.tasks.stage = Some(stage.clone());
        let waker = core.tasks.waker();
        Self {
            core,
            cells: Vec::new(),
            streams: Vec::new(),
            merge: Merge::default(),
            limits,
            on_panic,
            stage,
            waker,
            phase: Phase::Still,
            inside: false,
            step: Box::default(),
            pos: 0,
            current: ActorId(0),
            polls: 0,
            arenas: Box::default(),
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
            draining: false,
            drained_by: 0,
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
    pub(crate) fn place(&mut self, id: ActorId, cell: Box<dyn Cell>) {
        while self.cells.len() <= id.index() {
            self.cells.push(Box::new(Vacant));
        }
        self.cells[id.index()] = cell;
    }

    pub(crate) fn cell(&self, id: ActorId) -> Option<&dyn Cell> {
        self.cells.get(id.index()).map(|cell| &**cell)
    }

    /// Takes an actor out of its slot.
    pub(crate) fn take_cell(&mut self, id: ActorId) -> Box<dyn Cell> {
        self.cells.get_mut(id.index()).map_or_else(|| Box::new(Vacant) as Box<dyn Cell>, |cell| std::mem::replace(cell, Box::new(Vacant)))
    }

    /// Puts the streams where a snapshot has left them; those it does not name were not open.
    pub(crate) fn resume_streams(
        &mut self,
        declared: Option<Instant>,
        mut resume: impl FnMut(&mut dyn StreamCell) -> Result<(), RestoreError>,
    ) -> Result<(), RestoreError> {
        self.declared = declared;
        self.merge.resize(self.streams.len());
        for number in 0..self.streams.len() {
            resume(&mut *self.streams[number])?;
            self.look_at(number);
        }
        Ok(())
    }

    /// Opens the streams that are subscribed to; gives the earliest of their first items, where a run without a declared start begins (rule R11).
    pub(crate) fn open(&mut self) -> Result<Option<Instant>, RunError> {
        self.merge.resize(self.streams.len());
        let mut earliest: Option<Instant> = None;
        for number in 0..self.streams.len() {
            if self.streams[number].has_subscribers() {
                let first = self.streams[number].open().map_err(|error| self.source_error(number, error))?;
                earliest = [earliest, first].into_iter().flatten().min();
            }
        }
        Ok(earliest)
    }

    /// Lets the opened streams read up to what they deliver first. With a declared start, what lies before it is skipped.
    pub(crate) fn settle(&mut self, declared: Option<Instant>) {
        self.declared = declared;
        for number in 0..self.streams.len() {
            if self.streams[number].is_open() {
                if let Some(declared) = declared {
                    self.streams[number].skip(declared, false);
                }
                self.streams[number].settle();
                self.look_at(number);
            }
        }
    }

    /// Keeps what this shard owns of a whole simulation; what others own is only known here.
    pub(crate) fn confine(&mut self, border: Border) {
        for stream in &mut self.streams {
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

    fn source_error(&self, number: usize, error: crate::source::SourceError) -> RunError {
        RunError::Source { stream: self.core.path(self.streams[number].id()).to_string(), error }
    }

    /// A stream has moved: the merge and the time-keeper learn its head, the run its failure.
    #[inline]
    fn look_at(&mut self, number: usize) {
        let stream = &self.streams[number];
        self.merge.set(number, stream.head());
        if stream.failure().is_some() {
            self.fail_source(number);
        }
    }

    #[cold]
    fn fail_source(&mut self, number: usize) {
        if self.error.is_none()
            && let Some(error) = self.streams[number].failure()
        {
            self.error = Some(self.source_error(number, error.clone()));
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

    /// The stream that is next, and when.
    #[inline]
    fn least_head(&self) -> Option<(usize, Instant)> {
        let (number, key) = self.merge.least();
        if key < u64::MAX {
            return Some((number, Instant::from_nanos((key ^ 1 << 63) as i64)));
        }
        // The last instant there is, or no head at all.
        let last = self.streams.iter().position(|stream| stream.head() == Some(Instant::MAX));
        last.map(|number| (number, Instant::MAX))
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
        self.emitted_in_order = self.step.len() <= 1;
        self.phase = Phase::Emitted;
        if !self.streams.is_empty() {
            self.take_streams(at);
        }
    }

    #[inline]
    fn take_streams(&mut self, at: Instant) {
        let before = self.step.len();
        while let Some((number, head)) = self.least_head()
            && head <= at
        {
            let taken = self.streams[number].take(at, &self.core, &mut self.step);
            self.merge.set(number, taken.head);
            if taken.failed {
                self.fail_source(number);
            }
            self.items += taken.emitted;
            if let Some(late) = taken.late {
                self.refuse_late(number, &late);
            }
            if taken.items > 0 {
                self.rounds |= taken.items > 1 && self.streams[number].one_by_one();
                self.active.push((number as u32, taken.items));
            }
        }
        if let [(_, items)] = self.active[..] {
            // One item for its subscribers, who are kept in order, is in order.
            self.emitted_in_order = before == 0 && items == 1;
        } else if !self.active.is_empty() {
            self.emitted_in_order = false;
        }
    }

    /// The step of a late item that is an error is the last one, even if nothing is delivered in it.
    #[cold]
    fn refuse_late(&mut self, number: usize, late: &LateItem) {
        self.forced = true;
        let stream = self.streams[number].id();
        let error = RunError::Late {
            site: self.core.site(),
            stream: self.core.path(stream).to_string(),
            index: late.index,
            event_time: late.event_time,
            lag: late.lag,
        };
        self.core.fault(stream, error);
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
                if self.unmeasured && !self.streams.is_empty() && self.drain(at, bound) {
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

    /// Lets the stream that is next deliver its items alone, up to the next thing that is not its own: the way of a plain replay, kept
    /// short. `false`: it has none for now.
    fn drain(&mut self, at: Instant, bound: Instant) -> bool {
        let (number, key) = self.merge.least();
        let limit = (self.merge.second() ^ 1 << 63) as i64;
        let limit = self.core.pending.peek().map_or(limit, |pending| limit.min(pending.as_nanos()));
        let limit = Instant::from_nanos(limit.min(bound.as_nanos().saturating_add(1)));
        if key == u64::MAX || (key ^ 1 << 63) as i64 != at.as_nanos() || at >= limit || self.limits.max_steps == 0 {
            return false;
        }
        if self.streams[number].is_paused() {
            return false;
        }
        self.delivered_before = self.core.counters.deliveries;
        self.draining = true;
        self.inside = true;
        self.drained_by = number;
        let drained = self.streams[number].drain(limit, DRAIN, &mut self.core, &mut self.cells);
        self.inside = false;
        self.draining = false;
        let Some(head) = drained.head else { return false };
        self.merge.set(number, Some(head));
        if drained.inside {
            self.drained_into();
            if self.core.tasks.any_due() {
                self.poll(self.current);
            }
        }
        true
    }

    /// Goes on with the instant in which a drain has stopped.
    fn drained_into(&mut self) {
        let number = self.drained_by;
        self.current = self.core.me;
        self.phase = Phase::Running;
        self.pos = 0;
        self.step.clear();
        // Whatever is counted for this instant is counted at its still point.
        self.delivered_before = self.core.counters.deliveries - 1;
        self.steps_before = self.core.counters.steps - 1;
        self.streams[number].rest(&self.core, &mut self.step);
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
            if self.core.tasks.any_due() && self.step.get(self.pos).is_none_or(|next| next.to != self.current) {
                self.poll(self.current);
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

    /// Whether the step is one delivery to a living actor, of which closing has nothing to decide: the common case, kept short.
    #[inline(always)]
    fn is_simple(&self) -> bool {
        let [entry] = &self.step[..] else { return false };
        let hot = &self.core.hot[entry.to.index()];
        self.unmeasured
            && matches!(entry.what, What::Now | What::Later | What::Timer | What::Stream | What::Wake | What::Job)
            && hot.life == Life::Living
            && !hot.picky
            && !self.forced
            && self.core.step < self.limits.max_steps
            && (entry.node == NONE || self.core.step == 0 || !self.core.pending.is_cancelled(entry.node))
    }

    /// Runs a simple step. If its end has something to look at, the step is left under way.
    #[inline(always)]
    fn run_single(&mut self) {
        self.core.counters.steps += 1;
        self.phase = Phase::Running;
        self.pos = 1;
        self.deliver(0);
        if self.core.tasks.any_due() {
            self.poll(self.current);
        }
        if !self.core.attention {
            self.core.counters.events += self.items;
            self.items = 0;
            self.step.clear();
            self.phase = Phase::Ended;
        }
    }

    /// Whether the step is one publication, of which closing has nothing to decide.
    #[inline(always)]
    fn is_lone_publication(&self) -> bool {
        let [entry] = &self.step[..] else { return false };
        entry.what == What::Publication && self.unmeasured && !self.forced && self.core.step < self.limits.max_steps
    }

    /// Begins the step of one publication, without an entry for every subscriber.
    fn run_publication(&mut self) {
        let list = Rc::clone(&self.published[self.step[0].extra as usize]);
        let entry = Entry { what: What::Share, extra: 0, ..self.step[0] };
        self.step.clear();
        self.pos = 0;
        self.published.clear();
        let arena = self.arenas.any(entry.ty);
        let word = self.core.word(&entry, digest_of_text(arena.kind()), arena.digest(entry.payload));
        self.words.clear();
        self.words.push(word);
        self.sharing = Some((list, entry));
        self.shared = 0;
        self.phase = Phase::Running;
        self.share();
    }

    /// Gives each subscriber its share, in R1's order, in which lists are kept; after a panic, each one that is left.
    fn share(&mut self) {
        let Some((list, mut entry)) = self.sharing.clone() else { return };
        let before = self.core.counters.deliveries;
        self.core.event = None;
        self.inside = true;
        while let Some(sub) = list.get(self.shared) {
            self.shared += 1;
            (entry.to, entry.thunk) = (sub.to, sub.thunk);
            let hot = &self.core.hot[sub.to.index()];
            if hot.life != Life::Living || hot.picky && !self.is_wanted(&entry) {
                continue;
            }
            self.current = sub.to;
            let core = &mut *self.core;
            let turn = Turn { core, arenas: &self.arenas, entry: &entry, word: self.words[0] };
            (sub.thunk)(&mut *self.cells[sub.to.index()], turn);
            if self.core.tasks.any_due() {
                self.poll(sub.to);
                self.core.event = None;
                self.inside = true;
            }
        }
        self.inside = false;
        self.sharing = None;
        self.core.counters.steps += u64::from(self.core.counters.deliveries > before);
        if !self.core.attention {
            self.phase = Phase::Ended;
        }
    }

    /// Runs on while every next step is a simple one.
    #[inline(always)]
    fn run_on(&mut self) {
        while self.phase == Phase::Emitted && self.is_simple() {
            self.run_single();
            if self.phase == Phase::Ended {
                self.next_step();
            }
        }
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
        std::mem::swap(&mut core.arenas, &mut self.arenas);
        core.types.furnish_arenas(&mut core.arenas);
        core.arenas.epoch = self.arenas.epoch + 1;
        if !core.published.is_empty() {
            std::mem::swap(&mut core.published, &mut self.published);
        }
        self.emitted_in_order = core.next_sorted;
        core.next_sorted = true;
        core.step += 1;
        self.phase = Phase::Emitted;
        Advance::Stepped
    }

    /// Begins the next round if a stream has an item for it (rule R15).
    fn next_round(&mut self) -> bool {
        let round = self.core.round + 1;
        let mut any = false;
        for at in 0..self.active.len() {
            let (number, items) = self.active[at];
            if self.streams[number as usize].one_by_one() && items > round as usize {
                if !any {
                    any = true;
                    self.core.round = round;
                    self.core.step = 0;
                }
                match self.streams[number as usize].emit(round as usize, &self.core, &mut self.step) {
                    Emitted::Nothing => {}
                    Emitted::Item => self.items += 1,
                    Emitted::Late(late) => self.refuse_late(number as usize, &late),
                }
            }
        }
        self.emitted_in_order = self.step.len() <= 1;
        any
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
            for stream in &mut self.streams {
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

    /// Subscriptions to streams and their control act from the first event after this instant.
    fn call_streams(&mut self) {
        for call in std::mem::take(&mut self.core.stream_calls) {
            let id = match &call {
                StreamCall::Subscribe { stream, .. } | StreamCall::Unsubscribe { stream, .. } | StreamCall::Control { stream, .. } => {
                    *stream
                }
            };
            let number = self.core.cold[id.index()].stream.expect("a stream has a number") as usize;
            match call {
                StreamCall::Subscribe { who, subscriber, .. } => {
                    self.open_late(number);
                    if self.core.is_living(who) {
                        self.streams[number].subscribe(subscriber, &mut self.core);
                    }
                }
                StreamCall::Unsubscribe { who, .. } => self.streams[number].unsubscribe(who),
                StreamCall::Control { what, .. } => self.streams[number].control(what),
            }
            self.look_at(number);
        }
    }

    /// A stream that is first subscribed to now is opened as if it were spawned now; one that was opened in another shard, as it was there.
    fn open_late(&mut self, number: usize) {
        if self.streams[number].is_open() {
            return;
        }
        if let Err(error) = self.streams[number].open() {
            let error = self.source_error(number, error);
            self.error.get_or_insert(error);
            return;
        }
        let now = self.core.now;
        let opening = match &mut self.core.border {
            Some(border) => border.opening(number, now),
            None => Opening::At(now),
        };
        match (opening, self.declared) {
            (Opening::At(at), _) => self.streams[number].skip(at, true),
            (Opening::Start, Some(declared)) => self.streams[number].skip(declared, false),
            (Opening::Start, None) => {}
        }
        self.streams[number].settle();
        if opening != Opening::At(now) {
            self.streams[number].catch_up(now, &self.core);
        }
    }

    /// Closes the mailboxes of a step (rule R3). `false`: there is no such step.
    #[inline]
    fn close(&mut self) -> bool {
        if self.step.is_empty() && !self.forced {
            return false;
        }
        if !self.published.is_empty() {
            self.expand_publications();
        }
        if self.step.len() > 1 {
            self.sort();
        }
        self.judge()
    }

    /// Gives every subscriber its share of the step's publications.
    fn expand_publications(&mut self) {
        let step = std::mem::take(&mut *self.step);
        let mut expanded = std::mem::take(&mut self.sorted);
        expanded.clear();
        self.words.clear();
        self.words.resize(self.published.len(), 0);
        for entry in &step {
            if entry.what != What::Publication {
                expanded.push(*entry);
                continue;
            }
            let arena = self.arenas.any(entry.ty);
            self.words[entry.extra as usize] = self.core.word(entry, digest_of_text(arena.kind()), arena.digest(entry.payload));
            for sub in self.published[entry.extra as usize].iter() {
                expanded.push(Entry { to: sub.to, thunk: sub.thunk, what: What::Share, ..*entry });
            }
        }
        *self.step = expanded;
        self.sorted = step;
        self.published.clear();
    }

    /// Sorts the step by receiver, then by key: the order of R1. What was emitted in key order needs only be grouped by receiver.
    fn sort(&mut self) {
        let core = &*self.core;
        if !self.emitted_in_order {
            self.step.sort_unstable_by_key(|entry| (core.label(entry.to), entry.what.class(), core.label(entry.from), entry.seq));
            return;
        }
        self.keys.clear();
        let mut in_order = true;
        let mut last = 0;
        for (index, entry) in self.step.iter().enumerate() {
            let label = core.label(entry.to);
            in_order &= last <= label;
            last = label;
            self.keys.push((label, index as u32));
        }
        if !in_order {
            self.keys.sort_unstable();
            self.sorted.clear();
            self.sorted.extend(self.keys.iter().map(|(_, index)| self.step[*index as usize]));
            std::mem::swap(&mut *self.step, &mut self.sorted);
        }
    }

    /// Decides what is a dead letter and what is left out, and holds the step against the limits. `false`: it is not run.
    #[inline]
    fn judge(&mut self) -> bool {
        let (mut kept, mut alive, mut unread) = (0, 0usize, false);
        let (mut mailbox, mut owner) = (0usize, NONE);
        let limit = self.limits.max_mailbox.unwrap_or(usize::MAX);
        let mut over: Option<(ActorId, usize)> = None;
        for at in 0..self.step.len() {
            let mut entry = self.step[at];
            if !self.admit(&mut entry) {
                continue;
            }
            self.step[kept] = entry;
            kept += 1;
            if entry.dead {
                unread |= self.core.is_living(entry.to);
                continue;
            }
            alive += 1;
            if entry.to.0 != owner {
                if let Some(metrics) = &mut self.metrics
                    && mailbox > 0
                {
                    metrics.mailbox(mailbox as u64);
                }
                owner = entry.to.0;
                mailbox = 0;
            }
            mailbox += 1;
            if mailbox > limit && !self.core.hot[entry.to.index()].unbounded {
                let deliveries = mailbox;
                if over.is_none_or(|(actor, _)| actor == entry.to) {
                    over = Some((entry.to, deliveries));
                }
            }
        }
        self.step.truncate(kept);
        if let Some(metrics) = &mut self.metrics
            && mailbox > 0
        {
            metrics.mailbox(mailbox as u64);
        }
        if let Some((actor, deliveries)) = over {
            self.refuse_mailbox(actor, deliveries, limit);
            return false;
        }
        if alive > 0 && self.core.step >= self.limits.max_steps {
            self.refuse_steps();
            return false;
        }
        if kept == 0 && !self.forced {
            return false;
        }
        if unread {
            // In a trace the dead letters of a step come after the records of their receiver.
            let core = &*self.core;
            self.step.sort_by_key(|entry| (core.label(entry.to), entry.dead));
        }
        if self.ready != ReadyOrder::Sorted {
            self.ready.apply(&mut self.step);
        }
        self.core.counters.steps += u64::from(alive > 0);
        self.pos = 0;
        self.phase = Phase::Running;
        true
    }

    /// Whether an entry is delivered, or is a dead letter: all that is decided when the step is closed.
    #[inline(always)]
    fn admit(&mut self, entry: &mut Entry) -> bool {
        let core = &mut *self.core;
        if entry.node != NONE && core.pending.let_go_if_cancelled(entry.node) {
            return false;
        }
        let hot = &core.hot[entry.to.index()];
        if hot.life == Life::Living {
            let (picky, unbounded) = (hot.picky, hot.unbounded);
            if picky && !self.is_wanted(entry) {
                return false;
            }
            match entry.what {
                What::Reply | What::Gone => entry.dead = !self.core.asks.is_open(entry.extra),
                What::Request if unbounded => self.note_next_instant(entry.to),
                _ => {}
            }
            return true;
        }
        self.admit_dead(entry)
    }

    /// Notes the answer of a facet that is asked in the step being closed: the least instant at which something of the asker's own is due,
    /// beyond what that step delivers. What streams still have for this instant is due now.
    #[cold]
    fn note_next_instant(&mut self, facet: ActorId) {
        let asker = ActorId(self.core.cold[facet.index()].stream.expect("a facet knows its asker"));
        let streams = (0..self.streams.len()).filter_map(|number| self.next_event(number, asker)).min();
        let core = &mut *self.core;
        let own = core.pending.queued().filter(|(entry, _)| entry.to == asker && entry.what.class() >= Class::Timer).map(|(_, due)| due);
        let own = if core.is_living(asker) { own.min() } else { None };
        let next = own.into_iter().chain(streams).min();
        core.next_instants.push((facet, next));
    }

    /// When a stream's next event comes to a subscriber, as this instant's calls have left it.
    fn next_event(&mut self, number: usize, who: ActorId) -> Option<Instant> {
        let id = self.streams[number].id();
        let mut subscribed = self.streams[number].subscribers().contains(&who);
        let left = self.active.iter().any(|(active, items)| *active as usize == number && *items > self.core.round as usize + 1);
        if subscribed && left && self.streams[number].one_by_one() {
            return Some(self.core.now);
        }
        let (mut paused, mut ended) = (self.streams[number].is_paused(), false);
        for call in &self.core.stream_calls {
            match call {
                StreamCall::Subscribe { stream, who: caller, .. } if (*stream, *caller) == (id, who) => subscribed = true,
                StreamCall::Unsubscribe { stream, who: caller } if (*stream, *caller) == (id, who) => subscribed = false,
                StreamCall::Control { stream, what: Control::End } if *stream == id => ended = true,
                StreamCall::Control { stream, what } if *stream == id => paused = *what == Control::Pause,
                _ => {}
            }
        }
        if !subscribed || paused || ended {
            return None;
        }
        self.open_late(number);
        self.streams[number].real_head()
    }

    /// Whether anything is still to be delivered, now or ever.
    pub(crate) fn has_more(&mut self) -> bool {
        let core = &*self.core;
        core.pending.queued().any(|(entry, _)| entry.what.class() == Class::Message || core.is_living(entry.to))
            || self.streams.iter().any(|stream| stream.head().is_some())
    }

    /// What becomes of an entry whose receiver is not living.
    #[cold]
    fn admit_dead(&mut self, entry: &mut Entry) -> bool {
        entry.dead = matches!(
            entry.what,
            What::Now | What::Later | What::Request | What::Reply | What::Gone | What::Stop | What::Subscribe | What::Control
        );
        if !entry.dead {
            self.drop_entry(entry);
        }
        entry.dead
    }

    /// Whether the receiver of a publication has not called unsubscribe since.
    fn is_wanted(&mut self, entry: &Entry) -> bool {
        let published = match entry.what {
            What::Share | What::LaterShare => entry.ty,
            What::Shared => entry.extra as u16,
            _ => return true,
        };
        let wishes = &self.core.cold[entry.to.index()].wishes;
        let wanted = wishes.iter().find(|(actor, ty, _)| (*actor, *ty) == (entry.from, published)).is_none_or(|wish| wish.2);
        if !wanted {
            self.drop_entry(entry);
        }
        wanted
    }

    /// Releases what an entry holds that ends without record.
    fn drop_entry(&mut self, entry: &Entry) {
        let core = &mut *self.core;
        if entry.node != NONE {
            core.pending.done(entry.node);
        }
        match entry.what {
            What::Later | What::LaterShare | What::Shared | What::Timer => core.kept.release(entry.ty, entry.payload),
            What::Job => core.drop_job(entry.extra),
            _ => {}
        }
    }

    #[cold]
    fn refuse_mailbox(&mut self, actor: ActorId, deliveries: usize, limit: usize) {
        // The count of the whole mailbox, not only up to the limit.
        let all = self.step.iter().filter(|entry| entry.to == actor && !entry.dead).count().max(deliveries);
        let error = RunError::Mailbox { site: self.core.site(), actor: self.core.path(actor).to_string(), deliveries: all, limit };
        self.refuse(error);
    }

    /// The step is not run: what its streams counted for it does not count.
    fn refuse(&mut self, error: RunError) {
        let core = &mut *self.core;
        core.faults.clear();
        if core.round == 0 && core.step == 0 {
            for stream in &mut self.streams {
                stream.uncount(core.now);
            }
        }
        self.error = Some(error);
    }

    #[cold]
    fn refuse_steps(&mut self) {
        // Both ends: a loop of two actors shows only one of them in each step.
        let living = self.step.iter().filter(|entry| !entry.dead);
        let mut actors: Vec<ActorId> = living.flat_map(|entry| [entry.from, entry.to]).collect();
        actors.sort_by_key(|actor| self.core.label(*actor));
        actors.dedup();
        let actors = actors.iter().take(8).map(|actor| self.core.path(*actor).to_string()).collect();
        self.refuse(RunError::Livelock { site: self.core.site(), actors });
    }

    #[inline(always)]
    fn deliver(&mut self, at: usize) {
        let entry = &self.step[at];
        let core = &mut *self.core;
        self.current = entry.to;
        if entry.dead || core.hot[entry.to.index()].poisoned {
            let entry = *entry;
            if entry.node == NONE || !core.pending.let_go_if_cancelled(entry.node) {
                self.deliver_dead(&entry);
            }
            return;
        }
        core.event = None;
        if entry.node != NONE {
            match core.pending.turn_of(entry.node) {
                NodeTurn::Cancelled => return,
                NodeTurn::Once { due } if due == core.now => {}
                NodeTurn::Once { due } => core.event = Some(Event { due, event_time: due, lag: None }),
                NodeTurn::Tick { due } => {
                    core.event = Some(Event { due, event_time: due, lag: None });
                    core.rearm(entry, due);
                }
            }
        }
        self.inside = true;
        let began = if self.timed { core.clock.as_mut().map(|clock| clock()) } else { None };
        match entry.what {
            What::Wake => {
                core.record_own(entry, WAKE, UNIT);
                core.woke(entry.extra);
            }
            What::Stream => {
                let number = core.hot[entry.from.index()].stream;
                self.streams[number as usize].deliver(entry, &mut *self.cells[entry.to.index()], core);
            }
            What::Stop | What::Subscribe | What::Control => deliver_own(core, entry),
            _ => {
                let word = if entry.what == What::Share { self.words[entry.extra as usize] } else { 0 };
                let turn = Turn { core, arenas: &self.arenas, entry, word };
                (entry.thunk)(&mut *self.cells[entry.to.index()], turn);
            }
        }
        self.inside = false;
        if self.metrics.is_some() {
            self.measure(began);
        }
    }

    #[cold]
    fn measure(&mut self, began: Option<u64>) {
        let (core, Some(metrics)) = (&mut *self.core, &mut self.metrics) else { return };
        if let (Some(began), Some(clock)) = (began, &mut core.clock) {
            metrics.handler(clock().saturating_sub(began));
        }
        if let Some(lag) = core.event().lag {
            metrics.lag(lag.as_nanos());
        }
    }

    /// Counts a dead letter and releases what it holds.
    #[cold]
    fn deliver_dead(&mut self, entry: &Entry) {
        let core = &mut *self.core;
        if entry.node != NONE {
            core.pending.done(entry.node);
        }
        let texts = core.wants_text();
        let mut text = None;
        let (kind, digest) = match entry.what {
            What::Start => (START.name, UNIT),
            What::Stop => (STOP.name, UNIT),
            What::Gone => (GONE.name, UNIT),
            What::Timeout => (TIMEOUT.name, UNIT),
            What::Wake => (WAKE.name, UNIT),
            What::Control => (control_of(entry.extra).0.name, UNIT),
            What::Subscribe => (SUBSCRIBE.name, digest_of(core.subscribe_calls[entry.extra as usize].kind)),
            What::Job => core.dead_job(entry.extra),
            What::Stream => {
                let number = core.cold[entry.from.index()].stream.expect("a stream has a number");
                self.streams[number as usize].describe(entry)
            }
            What::Now | What::Share | What::Publication => {
                let arena = self.arenas.any(entry.ty);
                text = texts.then(|| arena.text(entry.payload));
                (arena.kind(), arena.digest(entry.payload))
            }
            What::Later | What::LaterShare | What::Shared | What::Timer | What::Request | What::Reply => {
                let slab = core.kept.any(entry.ty);
                text = texts.then(|| slab.text(entry.payload));
                let described = (slab.kind(), slab.digest(entry.payload));
                core.kept.release(entry.ty, entry.payload);
                described
            }
        };
        core.record_dead(entry, kind, digest, text.as_deref());
        match entry.what {
            What::Request => core.lose_request(entry),
            What::Reply | What::Gone => core.drop_reply(entry),
            _ => {}
        }
    }

    /// Polls the tasks of an actor that woke or began in this step (rule R18).
    fn poll(&mut self, actor: ActorId) {
        self.polls = 0;
        while let Some(mut future) = self.core.next_poll(&mut self.polls) {
            let core = &mut *self.core;
            core.me = actor;
            core.event = None;
            core.tasks.polling = true;
            self.stage.swap(&mut self.core, &mut self.cells[actor.index()]);
            self.inside = true;
            let ready = future.as_mut().poll(&mut std::task::Context::from_waker(&self.waker)).is_ready();
            self.inside = false;
            self.stage.swap(&mut self.core, &mut self.cells[actor.index()]);
            self.core.tasks.polling = false;
            let future = if ready {
                drop(future);
                None
            } else {
                Some(future)
            };
            if self.core.polled(future) {
                let core = &mut *self.core;
                let error = RunError::ForeignFuture { site: core.site(), actor: core.path(actor).to_string() };
                core.fault(actor, error);
            }
        }
    }

    /// A handler or a task panicked (rule R9): what it emitted stands, the rest of its mailbox is lost.
    #[cold]
    fn panicked(&mut self, payload: Box<dyn std::any::Any + Send>) {
        if !self.inside {
            resume_unwind(payload);
        }
        self.inside = false;
        if std::mem::take(&mut self.draining) {
            self.merge.set(self.drained_by, self.streams[self.drained_by].head());
            self.drained_into();
        }
        let actor = self.current;
        if self.stage.is_on() {
            self.stage.swap(&mut self.core, &mut self.cells[actor.index()]);
            self.core.tasks.polling = false;
            self.core.settle_dropped();
        }
        let core = &mut *self.core;
        core.tasks.forget_due();
        core.hot[actor.index()].poisoned = true;
        core.attention = true;
        match self.on_panic {
            OnPanic::Stop => {
                let error = RunError::Panic {
                    site: core.site(),
                    actor: core.path(actor).to_string(),
                    kind: core.kind.to_owned(),
                    message: panic_text(&*payload),
                };
                core.fault(actor, error);
            }
            OnPanic::Poison => core.end_of_step.stopped.push(actor),
        }
        core.end_of_step.poisoned.push(actor);
        // What is left of the mailbox is dead now, like what was dead before: in key order.
        let rest = &mut self.step[self.pos..];
        let own = rest.iter().take_while(|entry| entry.to == actor).count();
        rest[..own].sort_by_key(|entry| (entry.what.class(), core.label(entry.from), entry.seq));
    }

    /// What takes effect at the end of a step (rule R7): spawns, subscriptions, stops, and then the answers to what was lost.
    #[cold]
    fn end_step(&mut self) {
        self.forced = false;
        self.core.attention = false;
        self.core.next_instants.clear();
        self.apply_end_of_step();
        if self.core.asks.may_have_lost() {
            self.core.answer_lost();
            // A responder that is kept may be dropped in any step to come.
            self.core.attention = self.core.asks.may_have_lost();
        }
    }

    fn apply_end_of_step(&mut self) {
        let end = std::mem::take(&mut self.core.end_of_step);
        for facet in std::mem::take(&mut self.core.new_facets) {
            self.place(facet, Box::new(Occupied(TimeKeeper(()))));
        }
        for actor in end.poisoned {
            self.core.hot[actor.index()].poisoned = false;
        }
        for (id, cell, entry) in end.spawned {
            self.place(id, cell);
            self.core.hot[id.index()].life = Life::Living;
            self.core.push_next(entry);
        }
        for (publisher, call) in end.subscribed {
            self.core.enlist(publisher, call.ty, call.sub);
        }
        for (publisher, ty, who) in end.unsubscribed {
            self.core.delist(publisher, ty, who);
        }
        for actor in end.stopped {
            self.stop(actor);
        }
    }

    /// Stops an actor and its children.
    fn stop(&mut self, actor: ActorId) {
        let core = &mut *self.core;
        let hot = &mut core.hot[actor.index()];
        if hot.life != Life::Living {
            return;
        }
        hot.life = Life::Stopped;
        if hot.count > 0 {
            core.stopped_sum = core.stopped_sum.wrapping_add(summand(hot.path_digest, hot.chain, hot.count));
        } else {
            core.stands_at_rank_zero(actor);
        }
        core.end_tasks_of(actor);
        for (publisher, ty, _) in std::mem::take(&mut core.cold[actor.index()].wishes) {
            core.delist(publisher, ty, actor);
        }
        core.cold[actor.index()].lists.clear();
        self.any_stopped = true;
        self.core.attention_when_still = true;
        let remains = self.cells[actor.index()].remains();
        let cell = std::mem::replace(&mut self.cells[actor.index()], remains);
        let mut report = Report::default();
        cell.report(&mut report);
        self.reports.push((actor, report));
        drop(cell);
        for child in self.core.cold[actor.index()].children.clone() {
            self.stop(child);
        }
    }

    /// The run ends at this step: of several reasons, the first by R16's order.
    #[cold]
    fn conclude(&mut self) {
        let core = &mut *self.core;
        core.count_instant();
        let mut faults = std::mem::take(&mut core.faults);
        // Stable: several faults of one actor stay in the order in which they happened.
        faults.sort_by_key(|(label, error)| (error.precedence(), *label));
        match faults.into_iter().next() {
            Some((_, error)) => self.error = Some(error),
            None => self.stopped = true,
        }
        if let Some(error) = core.observer_error.take() {
            self.error.get_or_insert(RunError::Observer(error.to_string()));
        }
    }

    /// Where the run stands.
    pub(crate) fn site(&self) -> Site {
        self.core.site()
    }

    /// What the run came to in this shard.
    pub(crate) fn part(&mut self) -> Part {
        let core = &self.core;
        let stands = |id: ActorId| (core.cold[id.index()].rank, core.path(id).clone());
        let received = core.order.ids().filter(|id| core.hot[id.index()].count > 0);
        let chains = received.map(|id| (stands(id), core.hot[id.index()].chain, core.hot[id.index()].count)).collect();
        let mut reports = std::mem::take(&mut self.reports);
        for id in core.order.ids().filter(|id| core.is_living(*id)) {
            if let Some(cell) = self.cells.get(id.index()) {
                let mut report = Report::default();
                cell.report(&mut report);
                reports.push((id, report));
            }
        }
        reports.retain(|(_, report)| !report.is_empty());
        Part {
            counters: core.counters,
            events_before: core.events_before,
            sum: core.trace_hash().0,
            first: core.first,
            last: core.last,
            streams: self.streams.iter().map(|stream| stream.tally(core.path(stream.id()).clone())).collect(),
            reports: reports.into_iter().map(|(id, report)| (stands(id), report)).collect(),
            chains,
            metrics: self.metrics.take().map(|metrics| *metrics),
        }
    }
}

/// Deliveries that the engine handles itself.
fn deliver_own(core: &mut Core, entry: &Entry) {
    match entry.what {
        What::Stop => {
            core.record_own(entry, STOP, UNIT);
            core.attention = true;
            core.end_of_step.stopped.push(entry.to);
        }
        What::Subscribe => {
            let call = core.subscribe_calls[entry.extra as usize];
            core.record_own(entry, SUBSCRIBE, digest_of(call.kind));
            core.attention = true;
            core.end_of_step.subscribed.push((entry.to, call));
        }
        _ => {
            let (kind, what) = control_of(entry.extra);
            core.record_own(entry, kind, UNIT);
            core.stream_calls.push(StreamCall::Control { stream: entry.to, what });
            core.attention_when_still = true;
        }
    }
}

fn control_of(extra: u32) -> (Kind, Control) {
    match extra {
        0 => (PAUSE, Control::Pause),
        1 => (RESUME, Control::Resume),
        _ => (END, Control::End),
    }
}

impl Entry {
    /// A root's start.
    pub(crate) fn root_start(time_keeper: ActorId, to: ActorId, thunk: Thunk) -> Self {
        Self { thunk, what: What::Start, ..Self::of_stream(time_keeper, to, 0, NONE, NONE) }
    }
}
