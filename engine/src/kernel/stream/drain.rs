//! The short way of a stream that is alone for a while: instants of nothing but its own ordinary items (rules R1, R15). Invariant: what comes of it is
//! what the steps of these instants would come to; a panic or a poll leaves what is left of a step to them.

use std::ops::Range;

use super::ahead::Mark;
use super::{PastStream, StreamCell};
use crate::actor::Handler;
use crate::address::actor_of;
use crate::context::Context;
use crate::digest::{digest_of, digest_of_text};
use crate::kernel::core::Core;
use crate::kernel::entry::{ActorId, Cell, Entry, NONE};
use crate::message::Message;
use crate::time::Instant;

type Deliver<M> = fn(&mut dyn Cell, &M, &mut Core, ActorId);

fn deliver<A: Handler<M>, M: Message>(cell: &mut dyn Cell, message: &M, core: &mut Core, me: ActorId) {
    actor_of::<A>(cell).handle(message, &mut Context::new(core, me));
}

/// Who gets a stream's events.
pub(crate) struct Subscriber<M> {
    pub(crate) who: ActorId,
    pub(super) deliver: Deliver<M>,
}

impl<M: Message> Subscriber<M> {
    pub(crate) fn of<A: Handler<M>>(who: ActorId) -> Self {
        Self { who, deliver: deliver::<A, M> }
    }
}

/// The items that are being drained, and who has had them: all of them these subscribers, and so many of them the next one.
#[derive(Default)]
pub(super) struct Draining {
    items: Range<usize>,
    subscribers: usize,
    given: usize,
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

impl<M: Message> PastStream<M> {
    pub(super) fn drain_alone(&mut self, limit: Instant, most: u64, core: &mut Core, cells: &mut [Box<dyn Cell>]) -> Drained {
        let mut drained = Drained { instants: 0, inside: false, head: None };
        core.round = 0;
        core.step = 0;
        core.event = None;
        while drained.instants < most
            && let Some((items, head)) = self.ordinary(limit)
        {
            drained.head = Some(head);
            drained.inside = !self.deliver_all(items, core, cells);
            if drained.inside {
                break;
            }
            drained.instants += 1;
            if core.pending.may_come_before(head) {
                break;
            }
        }
        drained
    }

    pub(super) fn rest_of_drain(&mut self, core: &Core, step: &mut Vec<Entry>) {
        let Draining { items, subscribers, given } = &self.draining;
        for (number, subscriber) in self.subscribers.iter().enumerate().skip(*subscribers) {
            let given = if number == *subscribers { *given } else { 0 };
            if core.is_living(subscriber.who) {
                let entry =
                    |position: usize| Entry::of_stream(self.id, subscriber.who, self.ready[position].index, position as u32, number as u32);
                step.extend(items.clone().skip(given).map(entry));
            }
        }
    }

    /// The items of the next instant and the instant of what follows them, if they come before `limit`, have nothing about them that must be
    /// counted or told, and share their round.
    #[inline(always)]
    fn ordinary(&mut self, limit: Instant) -> Option<(Range<usize>, Instant)> {
        let at = self.head().filter(|at| *at < limit)?;
        self.read_through(at);
        let ahead = &self.ready[self.next..];
        let count = ahead.iter().take_while(|item| item.at == at && item.event_time == at && item.mark == Mark::Good).count();
        let head = ahead.get(count)?.at;
        let shared = count == 1 || count > 1 && !self.spec.one_by_one;
        (shared && head > at).then_some((self.next..self.next + count, head))
    }

    /// Makes an instant of these items and delivers them. `false`: the instant is not over.
    #[inline(always)]
    fn deliver_all(&mut self, items: Range<usize>, core: &mut Core, cells: &mut [Box<dyn Cell>]) -> bool {
        self.next = items.end;
        self.real_ready -= items.len();
        self.passed += items.len() as u64;
        if self.real_ready == 0 {
            self.settle();
        }
        let all = &self.ready[items.clone()];
        core.now = all[0].at;
        if self.subscribers.iter().any(|subscriber| core.is_living(subscriber.who)) {
            core.counters.events += all.len() as u64;
            core.counters.steps += 1;
            if let Some(cover) = &mut self.cover {
                (self.passed - all.len() as u64..self.passed).for_each(|place| cover.add(place));
            }
        }
        self.words.clear();
        self.words.extend(all.iter().map(|item| {
            let entry = Entry::of_stream(self.id, self.id, item.index, NONE, NONE);
            core.word(&entry, const { digest_of_text(M::KIND) }, digest_of(item.message()))
        }));
        self.draining = Draining { items, subscribers: 0, given: 0 };
        let before = core.counters.deliveries;
        while let Some(&Subscriber { who, deliver }) = self.subscribers.get(self.draining.subscribers) {
            if core.is_living(who) {
                for (item, word) in all.iter().zip(&self.words) {
                    self.draining.given += 1;
                    core.record_item(self.id, who, item.index, item.message(), *word);
                    deliver(&mut *cells[who.index()], item.message(), core, who);
                }
            }
            self.draining.subscribers += 1;
            self.draining.given = 0;
            if core.tasks.any_due() {
                return false;
            }
        }
        if core.attention || core.attention_when_still || !core.next.is_empty() {
            return false;
        }
        if core.counters.deliveries > before {
            core.count_instant();
        }
        true
    }
}
