//! What handlers emit: messages, publications, timers. Invariant: every emission draws its sequence number at the call.

use std::rc::Rc;
use std::sync::Arc;

use crate::address::{Recipient, Sub};
use crate::kernel::border::{Shared, With};
use crate::kernel::core::Core;
use crate::kernel::entry::{ActorId, Entry, NONE, Thunk, What, no_thunk};
use crate::kernel::pending::NodeKey;
use crate::link::Travel;
use crate::message::Message;
use crate::time::{Duration, Instant};

/// When a message gets there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    NextStep,
    At(Instant),
    /// In another shard.
    Away(Instant),
}

impl Core {
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
        match arrival {
            Arrival::Away(at) => {
                let ty = self.stores.ty::<M>();
                self.cross(Entry { ty, ..entry }, at, message, with);
            }
            here => {
                let (ty, payload) = self.stores.keep(message);
                self.schedule(Entry { payload, ty, ..entry }, here);
            }
        }
    }

    /// When a message from the actor that is handling arrives at `to`, over links. `None`: it does not, which is counted or an error.
    #[inline(always)]
    pub(crate) fn travel(&mut self, to: ActorId, delay: Duration) -> Option<Arrival> {
        if self.links.is_none() { self.arrival(delay) } else { self.travel_linked(to, delay) }
    }

    #[inline(never)]
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

    /// Sends a message (rule R2).
    #[inline(always)]
    pub(crate) fn send<M: Message>(&mut self, to: Recipient<M>, delay: Duration, message: M) {
        let seq = self.draw();
        if self.links.is_some() {
            self.send_linked(seq, to, delay, message);
        } else if let Some(arrival) = self.arrival(delay) {
            self.send_here(seq, to, arrival, message);
        }
    }

    #[inline(never)]
    fn send_linked<M: Message>(&mut self, seq: u64, to: Recipient<M>, delay: Duration, message: M) {
        match self.travel_linked(to.id, delay) {
            Some(Arrival::Away(at)) => {
                let ty = self.stores.ty::<M>();
                let entry = Entry { ty, ..self.entry(to.id, seq, What::Later, to.thunk) };
                self.cross(entry, at, message, With::Nothing);
            }
            Some(here) => self.send_here(seq, to, here, message),
            None => {}
        }
    }

    #[inline(always)]
    fn send_here<M: Message>(&mut self, seq: u64, to: Recipient<M>, arrival: Arrival, message: M) {
        if let Arrival::At(at) = arrival {
            let (ty, payload) = self.stores.keep(message);
            let entry = Entry { payload, ty, ..self.entry(to.id, seq, What::Later, to.thunk) };
            self.pending.add_queued(entry, at);
        } else {
            let (ty, payload) = self.stores.send(message);
            let entry = Entry { payload, ty, ..self.entry(to.id, seq, What::Now, to.thunk) };
            self.push_next(entry);
        }
    }

    /// Publishes to those who subscribed (rule R7): one emission, receivers fixed now.
    #[inline]
    pub(crate) fn publish<M: Message>(&mut self, message: M) {
        let seq = self.draw();
        let store = self.stores.of::<M>();
        let ty = store.ty();
        let Some((_, list)) = self.cold[self.me.index()].lists.iter().find(|(published, _)| *published == ty) else { return };
        if list.is_empty() {
            return;
        }
        let list = Rc::clone(list);
        if self.links.is_some() {
            self.publish_linked(seq, ty, message, &list);
            return;
        }
        let payload = self.stores.send_to(&store, message);
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
        let (_, payload) = self.stores.keep(message);
        for sub in list {
            let Some(arrival) = self.travel(sub.to, Duration::ZERO) else { continue };
            let entry = Entry { payload, ty, ..self.entry(sub.to, seq, What::LaterShare, sub.thunk) };
            self.stores.any(ty).share(payload);
            self.schedule(entry, arrival);
        }
        self.stores.any(ty).release(payload);
    }

    /// A publication that leaves the shard for some.
    #[cold]
    fn publish_abroad<M: Message>(&mut self, seq: u64, message: M, list: &[Sub]) {
        let published = u32::from(self.stores.ty::<M>());
        let message = Arc::new(message);
        for sub in list {
            let Some(arrival) = self.travel(sub.to, Duration::ZERO) else { continue };
            let entry = Entry { extra: published, ..self.entry(sub.to, seq, What::Shared, sub.thunk) };
            self.dispatch_kept(entry, arrival, Shared(message.clone()), With::Share(|core| core.stores.ty::<M>()));
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
        self.stores.any(entry.ty).share(entry.payload);
        let cause = self.hot[entry.to.index()].count + 1;
        let entry = self.pending.rearm(entry.node, seq, cause, next);
        if next > self.now {
            self.pending.queue(entry.node, next);
        } else {
            self.push_next(entry);
        }
    }

    /// Arms an own timer.
    #[inline(always)]
    pub(crate) fn arm<M: Message>(&mut self, thunk: Thunk, due: Instant, message: M) -> (u64, NodeKey) {
        let seq = self.draw();
        let (ty, payload) = self.stores.keep(message);
        let entry = Entry { payload, ty, ..self.entry(self.me, seq, What::Timer, thunk) };
        (seq, self.schedule_at(entry, due))
    }

    /// Queues for an instant, which may be in the past: then for the next step.
    #[inline(always)]
    pub(crate) fn schedule_at(&mut self, entry: Entry, due: Instant) -> NodeKey {
        if due > self.now {
            return self.pending.add_queued(entry, due);
        }
        let key = self.pending.add_bare(entry, due);
        self.push_next(Entry { node: key.index, ..entry });
        key
    }

    /// Cancels what is pending under a handle and drops its message.
    pub(crate) fn cancel_node(&mut self, key: NodeKey) -> bool {
        match self.pending.cancel(key) {
            Some(entry) => {
                if entry.payload != NONE {
                    self.stores.any(entry.ty).release(entry.payload);
                }
                true
            }
            None => false,
        }
    }
}
