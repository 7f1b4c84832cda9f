//! The short way of a stream that is alone for a while: instants of nothing but its own ordinary items (rules R1, R15). Invariant: what comes of it is
//! what the steps of these instants would come to; a panic or a poll leaves what is left of a step to them.

use std::ops::Range;

use super::{PLAIN, PastStream};
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
        self.current.clear();
        core.round = 0;
        core.step = 0;
        core.event = None;
        // What was judged comes before what need not be, and takes the long way.
        while drained.instants < most && self.next == self.ready.len() {
            let (head, is_over) = match self.plain.ahead() {
                // The only one of its instant, as nearly all are: nothing but this need be looked at.
                [item, next, ..] if next.at > item.at => {
                    let head = next.at;
                    if item.at >= limit {
                        break;
                    }
                    (head, self.deliver_one(core, cells))
                }
                _ => {
                    let Some((items, head)) = self.together(limit) else { break };
                    (head, self.deliver_together(items, core, cells))
                }
            };
            drained.head = Some(head);
            drained.inside = !is_over;
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
                let entry = |at: usize| Entry::of_stream(self.id, subscriber.who, self.plain.index(at), at as u32 | PLAIN, number as u32);
                step.extend(items.clone().skip(given).map(entry));
            }
        }
    }

    /// Makes an instant of the next item and delivers it. `false`: the instant is not over.
    #[inline(always)]
    fn deliver_one(&mut self, core: &mut Core, cells: &mut [Box<dyn Cell>]) -> bool {
        let (at, index) = self.plain.next();
        self.plain.pass(1);
        let item = &self.plain.all()[at];
        core.now = item.at;
        self.draining = Draining { items: at..at + 1, subscribers: 0, given: 0 };
        self.passed += 1;
        let mut entry = Entry::of_stream(self.id, self.id, index, NONE, NONE);
        let word = core.word(&entry, const { digest_of_text(M::KIND) }, digest_of(&item.value));
        let mut any = false;
        for subscriber in &self.subscribers {
            self.draining.subscribers += 1;
            if !core.is_living(subscriber.who) {
                continue;
            }
            if !any {
                any = true;
                core.counters.events += 1;
                core.counters.steps += 1;
                if let Some(cover) = &mut self.cover {
                    cover.add(self.passed - 1);
                }
            }
            entry.to = subscriber.who;
            core.record_share(&entry, &item.value, word);
            (subscriber.deliver)(&mut *cells[subscriber.who.index()], &item.value, core, subscriber.who);
            if core.tasks.any_due() {
                return false;
            }
        }
        is_over(core, any)
    }

    /// The items of the next instant and the instant of what follows them, if they come before `limit`, and share their round.
    fn together(&mut self, limit: Instant) -> Option<(Range<usize>, Instant)> {
        let at = self.plain.ahead().first()?.at;
        if at >= limit {
            return None;
        }
        self.read_through(at);
        if self.next < self.ready.len() {
            // What was read has to be judged, and so has what was before it.
            return None;
        }
        let ahead = self.plain.ahead();
        let count = ahead.iter().take_while(|item| item.at == at).count();
        let head = ahead.get(count)?.at;
        let (next, _) = self.plain.next();
        (count == 1 || !self.spec.one_by_one).then_some((next..next + count, head))
    }

    /// As [`PastStream::deliver_one`], with several items: each subscriber gets all of them before the next one gets any.
    fn deliver_together(&mut self, items: Range<usize>, core: &mut Core, cells: &mut [Box<dyn Cell>]) -> bool {
        let count = items.len() as u64;
        self.plain.pass(items.len());
        self.passed += count;
        let (all, first) = (&self.plain.all()[items.clone()], self.plain.index(items.start));
        core.now = all[0].at;
        let any = self.subscribers.iter().any(|subscriber| core.is_living(subscriber.who));
        if any {
            core.counters.events += count;
            core.counters.steps += 1;
            if let Some(cover) = &mut self.cover {
                (self.passed - count..self.passed).for_each(|place| cover.add(place));
            }
        }
        let mut entry = Entry::of_stream(self.id, self.id, 0, NONE, NONE);
        self.words.clear();
        self.words.extend(all.iter().zip(first..).map(|(item, index)| {
            entry.cause = index;
            core.word(&entry, const { digest_of_text(M::KIND) }, digest_of(&item.value))
        }));
        self.draining = Draining { items, subscribers: 0, given: 0 };
        for subscriber in &self.subscribers {
            if core.is_living(subscriber.who) {
                entry.to = subscriber.who;
                let cell = &mut *cells[subscriber.who.index()];
                for ((item, word), index) in all.iter().zip(&self.words).zip(first..) {
                    self.draining.given += 1;
                    entry.cause = index;
                    core.record_share(&entry, &item.value, *word);
                    (subscriber.deliver)(cell, &item.value, core, subscriber.who);
                }
            }
            self.draining.subscribers += 1;
            self.draining.given = 0;
            if core.tasks.any_due() {
                return false;
            }
        }
        is_over(core, any)
    }
}

/// Whether an instant in which everything was delivered is over; if so, and if there was anything, it is counted.
#[inline(always)]
fn is_over(core: &mut Core, any: bool) -> bool {
    if core.attention || core.attention_when_still || !core.next.is_empty() {
        return false;
    }
    if any {
        core.count_instant();
    }
    true
}
