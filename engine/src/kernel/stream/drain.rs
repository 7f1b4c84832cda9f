//! The short way of a stream that is alone for a while: instants of nothing but its own ordinary items (rules R1, R15). Invariant: what comes of it is
//! what the steps of these instants would come to; a panic or a poll leaves what is left of a step to them.

use std::rc::Rc;

use super::merge::{Heads, Merge, NO_HEAD, instant, key};
use super::streams::{Group, Place};
use super::{PLAIN, PastStream};
use crate::actor::Handler;
use crate::digest::{digest_of, digest_of_text};
use crate::kernel::core::Core;
use crate::kernel::door::{Door, door_of};
use crate::kernel::entry::{ActorId, Cell, Entry, NONE};
use crate::message::Message;
use crate::source::Timed;
use crate::time::Instant;

/// Who gets a stream's events.
pub(crate) struct Subscriber<M> {
    pub(crate) who: ActorId,
    door_of: fn(&Rc<dyn Cell>) -> Rc<dyn Door<M>>,
    /// Once something was delivered.
    door: Option<Rc<dyn Door<M>>>,
}

impl<M: Message> Subscriber<M> {
    pub(crate) fn of<A: Handler<M>>(who: ActorId) -> Self {
        Self { who, door_of: door_of::<A, M>, door: None }
    }

    pub(super) fn close(&mut self) {
        self.door = None;
    }

    #[inline(always)]
    pub(super) fn handle(&mut self, message: &M, cells: &[Rc<dyn Cell>], core: &mut Core) {
        let door = self.door.get_or_insert_with(|| (self.door_of)(&cells[self.who.index()]));
        door.handle(message, core, self.who);
    }
}

/// Who has had the items of the instant that is being drained: all of them these subscribers, and so many of them the next one.
#[derive(Default)]
pub(super) struct Draining {
    /// How many items the instant has. They are the last ones that were passed; while nothing is being drained, the next ones, once that is known.
    items: usize,
    subscribers: usize,
    given: usize,
}

/// What a drain needs of its shard.
pub(crate) struct Drain<'a> {
    pub(crate) merge: &'a mut Merge,
    pub(crate) core: &'a mut Core,
    pub(crate) cells: &'a [Rc<dyn Cell>],
    /// The last instant's key.
    pub(crate) bound: u64,
    /// How many instants there may be.
    pub(crate) left: u64,
}

/// How a drain has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drained {
    /// Nothing of this kind is next, or there were as many instants as there may be.
    Over,
    /// A stream of another group is next.
    OtherGroup,
    /// The last instant, of this stream, is not over.
    Open(usize),
}

impl<M: Message> Group<M> {
    /// Drains whichever stream is next, as long as it is of this group.
    pub(super) fn drain_while_next(&mut self, group: u32, places: &[Place], drain: &mut Drain<'_>) -> Drained {
        let Drain { merge, core, cells, bound, .. } = drain;
        let mut left = drain.left;
        core.kind = M::KIND;
        let drained = loop {
            let (number, head) = merge.least();
            if left == 0 || head > *bound || core.pending.may_come_before(instant(head)) {
                break Drained::Over;
            }
            let place = places[number];
            if place.group != group {
                break Drained::OtherGroup;
            }
            let stream = &mut self.0[place.at as usize];
            let mut behind = merge.behind(number);
            if behind == NO_HEAD && !stream.paused {
                behind = stream.look_behind().map_or(NO_HEAD, key);
            }
            // Then the merge has passed over it.
            if behind == NO_HEAD || !merge.pass(number, head, behind) {
                break Drained::Over;
            }
            // If it is next again, it may go on to where another one is.
            let limit = if merge.least().0 == number { merge.second().min(*bound + 1) } else { 0 };
            match stream.drain_instants(number as u32, limit, &mut left, core, cells) {
                Some(heads) => merge.stands_at(number, &heads),
                None => break Drained::Open(number),
            }
        };
        drain.left = left;
        drained
    }
}

impl<M: Message> PastStream<M> {
    /// Sees whether the next instant has ordinary items alone, and gives the instant behind it.
    #[inline(always)]
    pub(super) fn look_behind(&mut self) -> Option<Instant> {
        // What was judged comes before what need not be, and takes the long way.
        if self.next < self.ready.len() {
            return None;
        }
        match self.plain.ahead() {
            // The only one of its instant, as nearly all are: nothing but this need be looked at.
            [item, next, ..] if next.at > item.at => {
                self.draining.items = 1;
                Some(next.at)
            }
            _ => self.look_behind_several(),
        }
    }

    /// Where the stream stands after an instant that is over.
    #[inline(never)]
    fn heads(&mut self) -> Heads {
        let head = self.plain.ahead().first().map_or(NO_HEAD, |item| key(item.at));
        Heads { head, behind: self.look_behind().map_or(NO_HEAD, key) }
    }

    /// As [`PastStream::look_behind`], where the next instant has several items, or more must be read.
    #[inline(never)]
    fn look_behind_several(&mut self) -> Option<Instant> {
        let at = self.plain.ahead().first()?.at;
        self.read_through(at);
        if self.next < self.ready.len() {
            // What was read has to be judged, and so has what was before it.
            return None;
        }
        let ahead = self.plain.ahead();
        let count = ahead.iter().take_while(|item| item.at == at).count();
        let behind = ahead.get(count)?.at;
        self.draining.items = count;
        (count == 1 || !self.spec.one_by_one).then_some(behind)
    }

    /// Delivers the instant that was looked at, and looks at the next one: one after another, as long as nothing else comes before it and at most
    /// `left` of them. `None`: the last one is not over.
    #[inline(always)]
    fn drain_instants(&mut self, number: u32, limit: u64, left: &mut u64, core: &mut Core, cells: &[Rc<dyn Cell>]) -> Option<Heads> {
        loop {
            self.draining.subscribers = 0;
            self.draining.given = 0;
            *left -= 1;
            let (is_over, mut heads) = if self.draining.items == 1 {
                self.deliver_one(number, core, cells)
            } else {
                core.draining = number;
                (self.deliver_together(core, cells), Heads::UNKNOWN)
            };
            core.draining = NONE;
            if !is_over {
                return None;
            }
            if heads.behind == NO_HEAD {
                heads = self.heads();
            }
            if heads.head >= limit || heads.behind == NO_HEAD || *left == 0 || core.pending.may_come_before(instant(heads.head)) {
                return Some(heads);
            }
        }
    }

    pub(super) fn rest_of_drain(&mut self, core: &Core, step: &mut Vec<Entry>) {
        let Draining { items, subscribers, given } = self.draining;
        let (next, _) = self.plain.next();
        for (number, subscriber) in self.subscribers.iter().enumerate().skip(subscribers) {
            let given = if number == subscribers { given } else { 0 };
            if core.is_living(subscriber.who) {
                let entry = |at: usize| Entry::of_stream(self.id, subscriber.who, self.plain.index(at), at as u32 | PLAIN, number as u32);
                step.extend((next - items..next).skip(given).map(entry));
            }
        }
    }

    /// Makes an instant of the next item and delivers it. Whether that instant is over, and where the stream stands then, if nothing has to be read to
    /// know.
    #[inline(always)]
    fn deliver_one(&mut self, number: u32, core: &mut Core, cells: &[Rc<dyn Cell>]) -> (bool, Heads) {
        debug_assert_eq!(self.next, self.ready.len(), "what was judged comes before what need not be");
        let (index, item, behind) = self.plain.pass_one();
        let heads = match behind {
            [item, next, ..] if next.at > item.at => Heads { head: key(item.at), behind: key(next.at) },
            _ => Heads::UNKNOWN,
        };
        core.draining = number;
        core.now = item.at;
        self.passed += 1;
        let word = core.first_word(self.id, index, const { digest_of_text(M::KIND) }, digest_of(&item.value));
        let mut any = false;
        for subscriber in &mut self.subscribers {
            self.draining.subscribers += 1;
            let who = subscriber.who;
            if !core.record_if_living(who, word) {
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
            core.show_share(self.id, index, who, &item.value);
            subscriber.handle(&item.value, cells, core);
            if core.tasks.any_due() {
                return (false, heads);
            }
        }
        (is_over(core, any), heads)
    }

    /// As [`PastStream::deliver_one`], with several items: each subscriber gets all of them before the next one gets any.
    #[inline(never)]
    fn deliver_together(&mut self, core: &mut Core, cells: &[Rc<dyn Cell>]) -> bool {
        let (next, first) = self.plain.next();
        let items = self.draining.items;
        let count = items as u64;
        self.plain.pass(items);
        self.passed += count;
        let all = &self.plain.all()[next..next + items];
        core.now = all[0].at;
        let any = self.subscribers.iter().any(|subscriber| core.is_living(subscriber.who));
        if any {
            core.counters.events += count;
            core.counters.steps += 1;
            if let Some(cover) = &mut self.cover {
                (self.passed - count..self.passed).for_each(|place| cover.add(place));
            }
        }
        self.words.clear();
        let word = |(item, index): (&Timed<M>, u64)| core.word(self.id, index, const { digest_of_text(M::KIND) }, digest_of(&item.value));
        self.words.extend(all.iter().zip(first..).map(word));
        for subscriber in &mut self.subscribers {
            let who = subscriber.who;
            if core.is_living(who) {
                for ((item, word), index) in all.iter().zip(&self.words).zip(first..) {
                    self.draining.given += 1;
                    core.record_share(who, *word);
                    core.show_share(self.id, index, who, &item.value);
                    subscriber.handle(&item.value, cells, core);
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
