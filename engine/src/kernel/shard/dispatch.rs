//! Delivering: one entry to one actor, or to nobody; the polls of its tasks; and what a panic leaves (rules R6, R9, R18). Invariant: whatever is
//! delivered leaves exactly one record.

use std::panic::resume_unwind;

use super::Shard;
use crate::context::Control;
use crate::digest::digest_of;
use crate::error::RunError;
use crate::event::Event;
use crate::kernel::core::Core;
use crate::kernel::entry::{ActorId, Entry, NONE, Unfetched, What};
use crate::kernel::kinds::{END, GONE, Kind, PAUSE, RESUME, START, STOP, SUBSCRIBE, TIMEOUT, UNIT, WAKE};
use crate::kernel::pending::NodeTurn;
use crate::kernel::stream::StreamCall;
use crate::limits::OnPanic;
use crate::pool::panic_text;
use crate::sort;

impl Shard {
    #[inline(always)]
    pub(super) fn deliver(&mut self, at: usize) {
        let Self { core, step, cells, gates, streams, words, .. } = self;
        // Not a copy: what was written field by field just now cannot be read in larger pieces yet.
        let entry = &step[at];
        core.me = entry.to;
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
            What::Now => gates.of(core, entry.ty).deliver_sent(cells, core, entry),
            What::Later | What::LaterShare | What::Timer => gates.of(core, entry.ty).deliver_kept(cells, core, entry),
            What::Share => gates.of(core, entry.ty).deliver_share(words[entry.extra as usize], cells, core, entry),
            What::Wake => deliver_wake(core, entry),
            What::Stream => {
                let number = core.hot[entry.from.index()].stream;
                streams[number as usize].deliver(entry, cells, core);
            }
            What::Stop | What::Subscribe | What::Control => deliver_own(core, entry),
            _ => (entry.thunk)(&cells[entry.to.index()], &mut Unfetched, core, entry),
        }
        self.inside = false;
        if self.metrics.is_some() {
            self.measure(began);
        }
    }

    #[cold]
    pub(super) fn measure(&mut self, began: Option<u64>) {
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
    pub(super) fn deliver_dead(&mut self, entry: &Entry) {
        let core = &mut *self.core;
        if entry.node != NONE {
            core.pending.done(entry.node);
        }
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
                let store = core.stores.any(entry.ty);
                let digest;
                (digest, text) = store.describe_sent(core, entry.payload);
                (store.kind(), digest)
            }
            What::Later | What::LaterShare | What::Shared | What::Timer | What::Request | What::Reply => {
                let store = core.stores.any(entry.ty);
                let digest;
                (digest, text) = store.describe_kept(core, entry.payload);
                store.release(entry.payload);
                (store.kind(), digest)
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
    pub(super) fn poll(&mut self, actor: ActorId) {
        self.polls = 0;
        self.polled = actor;
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
    pub(super) fn panicked(&mut self, payload: Box<dyn std::any::Any + Send>) {
        let draining = std::mem::replace(&mut self.core.draining, NONE);
        if !self.inside && draining == NONE {
            resume_unwind(payload);
        }
        self.inside = false;
        if draining != NONE {
            self.drained_into(draining as usize);
        }
        let actor = if self.stage.is_on() { self.polled } else { self.core.me };
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
        sort::by_key(&mut rest[..own], |entry| (entry.what.class(), core.label(entry.from), entry.seq));
    }
}

/// Delivers a wake-up.
#[inline(always)]
pub(super) fn deliver_wake(core: &mut Core, entry: &Entry) {
    core.record_own(entry, WAKE, UNIT);
    core.woke(entry.extra);
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
