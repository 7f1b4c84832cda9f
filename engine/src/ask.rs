//! Questions and answers (rule R17). Invariant: every question that was delivered or lost is resolved once: by a reply, or by `gone`.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::actor::{Handler, Responds};
use crate::address::actor_of;
use crate::context::Context;
use crate::digest::digest_of;
use crate::error::Site;
use crate::kernel::border::With;
use crate::kernel::core::Core;
use crate::kernel::emission::Arrival;
use crate::kernel::entry::{ActorId, Cell, Entry, Thunk, What, no_thunk};
use crate::kernel::kinds::{GONE, TIMEOUT, UNIT};
use crate::kernel::pending::NodeKey;
use crate::message::{Message, Request};
use crate::task::WaitKey;
use crate::time::Duration;

/// Tells one question of an actor from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AskId(pub(crate) u64);

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AskError {
    /// There is nobody to answer any more, or it chose not to.
    Gone,
    /// The time that was given has passed.
    Timeout,
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => write!(f, "the question will not be answered: its receiver is gone or dropped it"),
            Self::Timeout => write!(f, "the question was not answered in time"),
        }
    }
}

impl std::error::Error for AskError {}

/// What comes back for a question that a handler asked.
#[derive(Debug)]
pub struct Answer<R: Request> {
    /// What [`Context::ask`] returned.
    pub id: AskId,
    /// The reply, or why there is none.
    pub result: Result<R::Reply, AskError>,
}

impl<R: Request> Hash for Answer<R> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.result {
            Ok(reply) => reply.hash(state),
            Err(error) => error.hash(state),
        }
    }
}

impl<R: Request> Message for Answer<R> {
    const KIND: &'static str = R::Reply::KIND;
}

/// The duty to answer one question with an `R`. Dropped without a reply, it tells the asker at the end of the step that the question is gone.
#[derive(Debug)]
pub struct Responder<R> {
    duty: u32,
    lost: Option<Arc<Mutex<Vec<u32>>>>,
    of: PhantomData<fn(R)>,
}

impl<R> Drop for Responder<R> {
    fn drop(&mut self) {
        if let Some(lost) = &self.lost {
            lost.lock().push(self.duty);
        }
    }
}

/// A question, as its asker knows it.
struct Ask {
    asker: ActorId,
    target: ActorId,
    id: AskId,
    /// The question's.
    kind: &'static str,
    thunk: Thunk,
    wait: Option<WaitKey>,
    timer: Option<NodeKey>,
    open: bool,
    /// The request can give no more answer.
    resolved: bool,
}

/// A question, as the one that is asked knows it. It lies where that one lives, be it in another shard than the asker.
pub(crate) struct Duty {
    pub(crate) asker: ActorId,
    /// Its slot where the asker lives.
    pub(crate) ask: u32,
    pub(crate) id: AskId,
    pub(crate) target: ActorId,
    /// The question's.
    pub(crate) kind: &'static str,
    /// The target's count when it got the request.
    pub(crate) count: u64,
    pub(crate) delivered: Site,
}

/// The open questions of a shard, and those that its actors owe an answer.
#[derive(Default)]
pub(crate) struct Asks {
    slots: Vec<Option<Ask>>,
    free: Vec<u32>,
    duties: Vec<Option<Duty>>,
    free_duties: Vec<u32>,
    /// The duties of responders that were dropped.
    lost: Arc<Mutex<Vec<u32>>>,
    /// Responders that are somewhere, so that `lost` need not be looked at while there are none.
    held: usize,
    lost_dead: Vec<u32>,
}

/// An ask that is not over, as a snapshot sees it.
#[derive(Clone, Copy)]
pub(crate) struct OpenAsk {
    pub(crate) asker: ActorId,
    pub(crate) target: ActorId,
    pub(crate) id: AskId,
    pub(crate) kind: &'static str,
    /// A reply would still be read.
    pub(crate) open: bool,
    /// None can come any more.
    pub(crate) resolved: bool,
    pub(crate) of_task: bool,
}

impl Asks {
    /// All asks that are not over, with their slots.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u32, OpenAsk)> {
        (0u32..).zip(&self.slots).filter_map(|(slot, ask)| {
            let Ask { asker, target, id, kind, open, resolved, .. } = *ask.as_ref()?;
            Some((slot, OpenAsk { asker, target, id, kind, open, resolved, of_task: ask.as_ref()?.wait.is_some() }))
        })
    }

    /// Takes an ask from a snapshot; its answer comes through `thunk`. Slots are handed out in order: `None` is for an ask of another shard.
    pub(crate) fn resume(&mut self, ask: Option<(OpenAsk, Thunk)>) {
        if ask.is_none() {
            self.free.push(self.slots.len() as u32);
        }
        self.slots.push(ask.map(|(OpenAsk { asker, target, id, kind, open, resolved, .. }, thunk)| Ask {
            asker,
            target,
            id,
            kind,
            thunk,
            wait: None,
            timer: None,
            open,
            resolved,
        }));
    }

    /// The timer that a resumed ask had.
    pub(crate) fn resume_timer(&mut self, slot: u32, timer: NodeKey) {
        self.ask(slot).timer = Some(timer);
    }

    /// The questions that are on their way to somebody here, or with them: slot, asker, target and kind.
    pub(crate) fn duties(&self) -> impl Iterator<Item = (u32, ActorId, ActorId, &'static str)> {
        (0u32..).zip(&self.duties).filter_map(|(slot, duty)| duty.as_ref().map(|duty| (slot, duty.asker, duty.target, duty.kind)))
    }

    fn ask(&mut self, slot: u32) -> &mut Ask {
        self.slots[slot as usize].as_mut().expect("an ask that is not over")
    }

    fn open(&mut self, ask: Ask) -> u32 {
        put(&mut self.slots, &mut self.free, ask)
    }

    /// Somebody here is to answer.
    pub(crate) fn owe(&mut self, duty: Duty) -> u32 {
        put(&mut self.duties, &mut self.free_duties, duty)
    }

    fn duty(&mut self, slot: u32) -> &mut Duty {
        self.duties[slot as usize].as_mut().expect("a question that has no answer yet")
    }

    fn fulfil(&mut self, slot: u32) -> Duty {
        self.free_duties.push(slot);
        self.duties[slot as usize].take().expect("a question that has no answer yet")
    }

    fn close(&mut self, slot: u32, resolved: bool) {
        let ask = self.ask(slot);
        ask.open = false;
        ask.resolved |= resolved;
        if ask.resolved {
            self.slots[slot as usize] = None;
            self.free.push(slot);
        }
    }

    /// Whether a reply would still be read.
    pub(crate) fn is_open(&self, slot: u32) -> bool {
        self.slots[slot as usize].as_ref().is_some_and(|ask| ask.open)
    }

    /// Whether anything may have been lost in this step.
    pub(crate) fn may_have_lost(&self) -> bool {
        self.held > 0 || !self.lost_dead.is_empty()
    }
}

/// Puts a value into a free slot.
fn put<T>(slots: &mut Vec<Option<T>>, free: &mut Vec<u32>, value: T) -> u32 {
    match free.pop() {
        Some(slot) => {
            slots[slot as usize] = Some(value);
            slot
        }
        None => {
            slots.push(Some(value));
            slots.len() as u32 - 1
        }
    }
}

impl Core {
    /// Asks; the answer comes through `answered`.
    pub(crate) fn ask<R: Request>(
        &mut self,
        to: ActorId,
        responds: Thunk,
        answered: Thunk,
        request: R,
        timeout: Option<Duration>,
        wait: Option<WaitKey>,
    ) -> (AskId, Option<u32>) {
        let seq = self.draw();
        let id = AskId(seq);
        if let Some(links) = &self.links {
            let (here, there) = (self.cold[self.me.index()].root, self.cold[to.index()].root);
            if here != there && links.has(here, there) && !links.has(there, here) {
                self.undeclared(to, self.me);
                return (id, None);
            }
            if here != there && !links.has(here, there) {
                self.undeclared(self.me, to);
                return (id, None);
            }
        }
        let ask = Ask { asker: self.me, target: to, id, kind: R::KIND, thunk: answered, wait, timer: None, open: true, resolved: false };
        let slot = self.asks.open(ask);
        match self.travel(to, Duration::ZERO) {
            Some(arrival) => {
                let duty = Duty { asker: self.me, ask: slot, id, target: to, kind: R::KIND, count: 0, delivered: self.site() };
                let entry = self.entry(to, seq, What::Request, responds);
                match arrival {
                    Arrival::Away(_) => self.dispatch_kept(entry, arrival, request, With::Duty(duty)),
                    here => {
                        let extra = self.asks.owe(duty);
                        self.dispatch_kept(Entry { extra, ..entry }, here, request, With::Nothing);
                    }
                }
            }
            None => self.asks.ask(slot).resolved = true,
        }
        if let Some(timeout) = timeout {
            let seq = self.draw();
            let entry = Entry { extra: slot, ..self.entry(self.me, seq, What::Timeout, answered) };
            let timer = self.arrival(timeout).map(|_| self.schedule_at(entry, self.now + timeout));
            self.asks.ask(slot).timer = timer;
        }
        (id, Some(slot))
    }

    /// The asker does not wait any more.
    pub(crate) fn forget_ask(&mut self, slot: u32) {
        if let Some(timer) = self.asks.ask(slot).timer.take() {
            self.cancel_node(timer);
        }
        self.asks.close(slot, false);
    }

    /// Emits a reply from the actor that is handling, which must be the one that was asked.
    pub(crate) fn reply<R: Message>(&mut self, mut responder: Responder<R>, reply: R) {
        let target = self.asks.duty(responder.duty).target;
        assert!(target == self.me, "`{}` answers a question that `{}` was asked", self.path(self.me), self.path(target));
        responder.lost = None;
        self.asks.held -= 1;
        let duty = self.asks.fulfil(responder.duty);
        let seq = self.draw();
        match self.travel(duty.asker, Duration::ZERO) {
            Some(arrival) => {
                let entry = Entry { extra: duty.ask, ..self.entry(duty.asker, seq, What::Reply, self.answer_thunk(&duty)) };
                self.dispatch_kept(entry, arrival, reply, With::Nothing);
            }
            None => self.resolve_from_here(&duty),
        }
    }

    /// How an answer is delivered to an asker that lives here; one that lives elsewhere knows itself.
    fn answer_thunk(&self, duty: &Duty) -> Thunk {
        if self.is_here(duty.asker) { self.answered(duty.ask) } else { no_thunk }
    }

    /// How the answer of an open or closed question is delivered.
    pub(crate) fn answered(&self, slot: u32) -> Thunk {
        self.asks.slots[slot as usize].as_ref().expect("an ask that is not over").thunk
    }

    fn resolve_from_here(&mut self, duty: &Duty) {
        if self.is_here(duty.asker) { self.resolve(duty.ask) } else { self.resolve_there(duty.asker, duty.ask) }
    }

    /// The request can give no answer any more.
    pub(crate) fn resolve(&mut self, slot: u32) {
        let open = self.asks.is_open(slot);
        self.asks.ask(slot).resolved = true;
        if !open {
            self.asks.close(slot, true);
        }
    }

    /// A request that is a dead letter is lost in this step.
    pub(crate) fn lose_request(&mut self, entry: &Entry) {
        let count = self.hot[entry.to.index()].count;
        let delivered = self.site();
        let duty = self.asks.duty(entry.extra);
        (duty.count, duty.delivered) = (count, delivered);
        self.asks.lost_dead.push(entry.extra);
        self.attention = true;
    }

    /// A reply or `gone` that nobody reads.
    pub(crate) fn drop_reply(&mut self, entry: &Entry) {
        self.resolve(entry.extra);
    }

    /// Answers `gone` for the requests lost in this step, in R1's order of targets, then by the requests' keys.
    pub(crate) fn answer_lost(&mut self) {
        let mut lost = std::mem::take(&mut self.asks.lost_dead);
        {
            let mut dropped = self.asks.lost.lock();
            self.asks.held -= dropped.len();
            lost.append(&mut dropped);
        }
        let mut keyed: Vec<_> = lost
            .into_iter()
            .map(|slot| {
                let duty = self.asks.fulfil(slot);
                let site = duty.delivered;
                ((self.label(duty.target), site.at, site.round, site.step, self.label(duty.asker), duty.id), duty)
            })
            .collect();
        keyed.sort_unstable_by_key(|(key, _)| *key);
        for (_, duty) in keyed {
            self.me = duty.target;
            self.cause = duty.count;
            let seq = self.draw();
            match self.travel(duty.asker, Duration::ZERO) {
                Some(arrival) => {
                    let entry = Entry { extra: duty.ask, ..self.entry(duty.asker, seq, What::Gone, self.answer_thunk(&duty)) };
                    self.dispatch(entry, arrival, With::Nothing);
                }
                None => self.resolve_from_here(&duty),
            }
        }
    }
}

/// Delivers a question.
pub(crate) fn respond<A: Responds<R>, R: Request>(cell: &Rc<dyn Cell>, _: &mut dyn Any, core: &mut Core, entry: &Entry) {
    let request = core.stores.take::<R>(entry.payload);
    core.record_message(entry, &request, digest_of(&request));
    let (count, delivered) = (core.cause, core.site());
    let duty = core.asks.duty(entry.extra);
    (duty.count, duty.delivered) = (count, delivered);
    core.asks.held += 1;
    core.attention = true;
    let responder = Responder { duty: entry.extra, lost: Some(core.asks.lost.clone()), of: PhantomData };
    actor_of::<A>(cell).respond(&request, responder, &mut Context::new(core, entry.to));
}

/// An ask that has ended, the wait of the task that made it, and how it ended.
type Conclusion<R> = (AskId, Option<WaitKey>, Result<<R as Request>::Reply, AskError>);

/// What a reply, a `gone` or a timeout says; `None` if the ask was closed earlier in this mailbox.
fn conclude<R: Request>(core: &mut Core, entry: &Entry) -> Option<Conclusion<R>> {
    let result = match entry.what {
        What::Reply => {
            let reply = core.stores.take::<R::Reply>(entry.payload);
            core.record_message(entry, &reply, digest_of(&reply));
            Ok(reply)
        }
        What::Gone => {
            core.record_own(entry, GONE, UNIT);
            Err(AskError::Gone)
        }
        _ => {
            core.record_own(entry, TIMEOUT, UNIT);
            Err(AskError::Timeout)
        }
    };
    let slot = entry.extra;
    let over = entry.what != What::Timeout;
    let ask = core.asks.ask(slot);
    let (id, wait, open, timer) = (ask.id, ask.wait, ask.open, ask.timer.take());
    if let Some(timer) = timer
        && over
        && open
    {
        core.cancel_node(timer);
    }
    core.asks.close(slot, over);
    open.then_some((id, wait, result))
}

/// Delivers an answer to a handler.
pub(crate) fn answer_handler<A: Handler<Answer<R>>, R: Request>(cell: &Rc<dyn Cell>, _: &mut dyn Any, core: &mut Core, entry: &Entry) {
    if let Some((id, _, result)) = conclude::<R>(core, entry) {
        actor_of::<A>(cell).handle(&Answer { id, result }, &mut Context::new(core, entry.to));
    }
}

/// Delivers an answer to the task that awaits it.
pub(crate) fn answer_task<R: Request>(_: &Rc<dyn Cell>, _: &mut dyn Any, core: &mut Core, entry: &Entry) {
    if let Some((_, Some(wait), result)) = conclude::<R>(core, entry) {
        let result = result.map(|reply| core.stores.keep(reply));
        core.answer_wait(wait, result);
    }
}
