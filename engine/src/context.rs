//! What a handler can do. Invariant: nothing here tells of anything but the actor's own deliveries, virtual time and seeded numbers.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::actor::{Actor, Handler, Responds};
use crate::address::{Addr, Occupied, StreamRef, Sub, Target};
use crate::ask::{Answer, AskId, Responder, answer_handler, respond};
use crate::event::{Event, LogLine};
use crate::job::{JobDone, JobId, done_handler};
use crate::kernel::border::{TypeIn, With};
use crate::kernel::core::{Cold, Core, Life, SubscribeCall};
use crate::kernel::door::{handle, start};
use crate::kernel::emission::Arrival;
use crate::kernel::entry::{ActorId, Entry, What, no_thunk};
use crate::kernel::pending::{Interval, NodeKey};
use crate::kernel::stream::{StreamCall, Subscriber};
use crate::message::{Message, Request};
use crate::path::{Path, Rank};
use crate::rng::Rng;
use crate::task::{Inbox, Task, TaskContext};
use crate::time::{Duration, Instant};
use crate::time_keeper::{StopRun, TimeKeeper};

/// A timer of the actor that armed it, until it is delivered for the last time.
#[derive(Clone, Copy, Debug)]
pub struct Timer {
    pub(crate) owner: ActorId,
    /// The number that arming it drew.
    pub(crate) seq: u64,
    pub(crate) node: Option<NodeKey>,
}

impl PartialEq for Timer {
    fn eq(&self, other: &Self) -> bool {
        (self.owner, self.seq) == (other.owner, other.seq)
    }
}

impl Eq for Timer {}

/// When an interval ticks.
///
/// ```
/// use stillpoint_engine::{Duration, Every, Instant};
/// let every = Every { first: Instant::EPOCH, period: Duration::secs(1), end: Some(Instant::from_nanos(5_000_000_000)) };
/// assert_eq!(every, Every::from(Instant::EPOCH, Duration::secs(1)).until(Instant::EPOCH + Duration::secs(5)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Every {
    /// The first tick. Ticks in the past fire one by one, a step each.
    pub first: Instant,
    /// From tick to tick; must be positive.
    pub period: Duration,
    /// The last instant at which there may be a tick, inclusive.
    pub end: Option<Instant>,
}

impl Every {
    /// Ticks at `first` and every `period` after it.
    pub const fn from(first: Instant, period: Duration) -> Self {
        Self { first, period, end: None }
    }

    /// Ends the ticks after `end`.
    #[must_use]
    pub const fn until(mut self, end: Instant) -> Self {
        self.end = Some(end);
        self
    }
}

/// What a controlled stream can be told (rule R14). It acts from the first event after this instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Control {
    /// Skip and count events from now on.
    Pause,
    /// Deliver events again.
    Resume,
    /// No more events.
    End,
}

/// The handle through which an actor acts while it handles a delivery.
pub struct Context<'a, A> {
    core: &'a mut Core,
    me: ActorId,
    of: PhantomData<fn(A)>,
}

impl<A> fmt::Debug for Context<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({} at {})", self.core.path(self.me), self.core.now)
    }
}

impl<'a, A: Actor> Context<'a, A> {
    #[inline(always)]
    pub(crate) fn new(core: &'a mut Core, me: ActorId) -> Self {
        Self { core, me, of: PhantomData }
    }

    /// The instant of this delivery, exactly.
    #[inline(always)]
    pub fn now(&self) -> Instant {
        self.core.now
    }

    /// The times of this delivery.
    pub fn event(&self) -> Event {
        self.core.event()
    }

    /// This actor's address.
    pub fn address(&self) -> Addr<A> {
        Addr::new(self.me, self.core.hot[self.me.index()].path_digest)
    }

    /// This actor's path.
    pub fn path(&self) -> &Path {
        self.core.path(self.me)
    }

    /// Sends a message; it arrives in the next step, or after the latency of the link (rule R2).
    #[inline(always)]
    pub fn send<M: Message>(&mut self, to: impl Target<M>, message: M) {
        self.core.send(to.to_recipient(), Duration::ZERO, message);
    }

    /// Sends a message that leaves after `delay`; one of no or negative delay is as [`Context::send`].
    #[inline(always)]
    pub fn send_after<M: Message>(&mut self, to: impl Target<M>, delay: Duration, message: M) {
        self.core.send(to.to_recipient(), delay, message);
    }

    /// Publishes a message to those who subscribed to this actor's messages of type `M`. One copy serves all of them.
    #[inline(always)]
    pub fn publish<M: Message>(&mut self, message: M) {
        self.core.publish(message);
    }

    /// Subscribes to another actor's publications of type `M`: a message to it, in force from the end of the step that delivers it (rule R7).
    pub fn subscribe<M: Message, P: Actor>(&mut self, publisher: Addr<P>)
    where
        A: Handler<M>,
    {
        let ty = self.core.stores.ty::<M>();
        let sub = Sub { to: self.me, thunk: handle::<A, M> };
        self.core.subscribe(publisher.id, SubscribeCall { ty, kind: M::KIND, sub }, |core| core.stores.ty::<M>());
    }

    /// Ends a subscription: what is published in later steps does not arrive, nor does what is on its way.
    pub fn unsubscribe<M: Message, P: Actor>(&mut self, publisher: Addr<P>)
    where
        A: Handler<M>,
    {
        let ty = self.core.stores.ty::<M>();
        self.core.unsubscribe(publisher.id, ty);
    }

    /// Subscribes to a stream, from its first event after this instant.
    pub fn subscribe_stream<M: Message>(&mut self, stream: StreamRef<M>)
    where
        A: Handler<M>,
    {
        if !self.core.may_hear(self.me, stream.id) {
            self.core.undeclared(self.me, stream.id);
            return;
        }
        let call = StreamCall::subscribe(stream, Subscriber::of::<A>(self.me));
        self.core.stream_calls.push(call);
        self.core.attention_when_still = true;
    }

    /// Ends a subscription to a stream, from its first event after this instant.
    pub fn unsubscribe_stream<M: Message>(&mut self, stream: StreamRef<M>)
    where
        A: Handler<M>,
    {
        self.core.stream_calls.push(StreamCall::Unsubscribe { stream: stream.id, who: self.me });
        self.core.attention_when_still = true;
    }

    /// Sends this actor a message of its own in the next step.
    pub fn notify_soon<M: Message>(&mut self, message: M) -> Timer
    where
        A: Handler<M>,
    {
        self.notify_at(self.core.now, message)
    }

    /// Arms a timer: this actor gets `message` after `delay`; of no or negative delay, in the next step. `event().due` is the instant asked for.
    #[inline(always)]
    pub fn notify_after<M: Message>(&mut self, delay: Duration, message: M) -> Timer
    where
        A: Handler<M>,
    {
        match self.core.now.checked_add(delay) {
            Some(due) => self.notify_at(due, message),
            None if delay.is_positive() => {
                let seq = self.core.draw();
                self.core.counters.never += 1;
                Timer { owner: self.me, seq, node: None }
            }
            None => self.notify_at(Instant::MIN, message),
        }
    }

    /// Arms a timer for an instant; one that has come or gone is delivered in the next step.
    #[inline(always)]
    pub fn notify_at<M: Message>(&mut self, at: Instant, message: M) -> Timer
    where
        A: Handler<M>,
    {
        let (seq, node) = self.core.arm(handle::<A, M>, at, message);
        Timer { owner: self.me, seq, node: Some(node) }
    }

    /// Arms an interval. Panics if its period is not positive.
    pub fn notify_every<M: Message>(&mut self, every: Every, message: M) -> Timer
    where
        A: Handler<M>,
    {
        assert!(every.period.is_positive(), "an interval of {} never moves on", every.period);
        if every.end.is_some_and(|end| every.first > end) {
            let seq = self.core.draw();
            return Timer { owner: self.me, seq, node: None };
        }
        let timer = self.notify_at(every.first, message);
        if let Some(node) = timer.node {
            self.core.pending.set_interval(node.index, Interval { period: every.period, end: every.end });
        }
        timer
    }

    /// Cancels a timer of this actor, also one that is due in this step and was not delivered yet. Whether there was something to cancel.
    pub fn cancel(&mut self, timer: Timer) -> bool {
        timer.owner == self.me && timer.node.is_some_and(|node| self.core.cancel_node(node))
    }

    /// Asks (rule R17): the answer comes back as an [`Answer`]. With a timeout, [`AskError::Timeout`](crate::AskError) comes if that passes first.
    pub fn ask<R: Request, B: Responds<R>>(&mut self, to: Addr<B>, request: R, timeout: Option<Duration>) -> AskId
    where
        A: Handler<Answer<R>>,
    {
        self.core.ask(to.id, respond::<B, R>, answer_handler::<A, R>, request, timeout, None).0
    }

    /// Answers a question that this actor was asked. Panics if another one was asked.
    pub fn reply<R: Message>(&mut self, responder: Responder<R>, reply: R) {
        self.core.reply(responder, reply);
    }

    /// Spawns a child with this actor's rank. Its path is this one's with the child's index; it starts in the next step.
    pub fn spawn<C: Actor>(&mut self, child: C) -> Addr<C> {
        let rank = self.core.cold[self.me.index()].rank;
        self.spawn_ranked(rank, child)
    }

    /// Spawns a child with a rank of its own.
    pub fn spawn_ranked<C: Actor>(&mut self, rank: Rank, child: C) -> Addr<C> {
        let cell = Rc::new(Occupied::new(child));
        let parent = &self.core.cold[self.me.index()];
        let path = parent.path.child(parent.children.len() as u32);
        let root = parent.root;
        let id = self.core.add(path, rank, Some(root), Life::Unborn);
        self.core.cold[self.me.index()].children.push(id);
        let entry = self.core.entry(id, 0, What::Start, start::<C>);
        self.core.attention = true;
        self.core.end_of_step.spawned.push((id, cell, entry));
        Addr::new(id, self.core.hot[id.index()].path_digest)
    }

    /// Stops this actor, and its children with it, at the end of the step.
    pub fn stop(&mut self) {
        self.core.attention = true;
        self.core.end_of_step.stopped.push(self.me);
    }

    /// Stops another actor: a message to it.
    pub fn stop_actor<B: Actor>(&mut self, actor: Addr<B>) {
        self.core.send_own(actor.id, What::Stop, u32::MAX);
    }

    /// Stops the run: a message to the time-keeper (rule R20).
    pub fn stop_run(&mut self) {
        let time_keeper = self.time_keeper();
        self.send(time_keeper, StopRun);
    }

    /// The time-keeper, as this actor addresses it.
    pub fn time_keeper(&mut self) -> Addr<TimeKeeper> {
        let id = self.core.facet();
        Addr::new(id, self.core.hot[id.index()].path_digest)
    }

    /// Tells a controlled stream something (rule R14): a message to it.
    pub fn control<M: Message>(&mut self, stream: StreamRef<M>, what: Control) {
        self.core.send_own(stream.id, What::Control, what as u32);
    }

    /// This actor's random numbers.
    pub fn rng(&mut self) -> &mut Rng {
        self.core.rng()
    }

    /// Offloads a job (rule R5): its result comes back `latency` later as a [`JobDone`], however long it took; with no latency in the next step.
    pub fn submit<T: Message>(&mut self, latency: Duration, job: impl FnOnce() -> T + Send + 'static) -> JobId
    where
        A: Handler<JobDone<T>>,
    {
        self.core.submit(latency, done_handler::<A, T>, None, job)
    }

    /// Cancels a job of this actor. Whether its result was still to come.
    pub fn cancel_job(&mut self, job: JobId) -> bool {
        job.owner() == self.me && self.core.cancel_job(job)
    }

    /// Starts an async task (rule R18). It is polled first at the end of this actor's mailbox of this step.
    pub fn task<F, Fut>(&mut self, task: F) -> Task
    where
        F: FnOnce(TaskContext<A>) -> Fut + 'static,
        Fut: Future<Output = ()> + 'static,
    {
        let cx = TaskContext::new(self.core.tasks.stage.clone().expect("a shard has a stage"));
        self.core.start_task(Box::pin(async move { task(cx).await }))
    }

    /// Cancels a task of this actor. Whether it was still under way.
    pub fn cancel_task(&mut self, task: Task) -> bool {
        let (cancelled, future) = self.core.cancel_task(task);
        drop(future);
        self.core.settle_dropped();
        cancelled
    }

    /// A new queue from this actor's handlers to its tasks.
    pub fn inbox<T: 'static>(&mut self) -> Inbox<T> {
        self.core.new_inbox()
    }

    /// Appends a value to an inbox of this actor; tasks that wait for one are polled in this step.
    pub fn push<T: 'static>(&mut self, inbox: Inbox<T>, value: T) {
        self.core.push_inbox(inbox, value);
    }

    /// Writes a log line, with the instant, the step and this actor's path. It is no part of the trace.
    pub fn log(&mut self, text: fmt::Arguments<'_>) {
        if let Some(sink) = &mut self.core.log {
            let Cold { path: actor, rank, .. } = &self.core.cold[self.me.index()];
            sink(LogLine { at: self.core.now, round: self.core.round, step: self.core.step, actor, rank: *rank, text });
        }
    }

    pub(crate) fn core(&mut self) -> &mut Core {
        self.core
    }
}

impl Core {
    fn subscribe(&mut self, publisher: ActorId, call: SubscribeCall, ty: TypeIn) {
        let seq = self.draw();
        if self.links.is_some() {
            let (here, there) = (self.me, publisher);
            if !self.may_send(here, there) {
                self.undeclared(here, there);
                return;
            }
            if !self.may_send(there, here) {
                self.undeclared(there, here);
                return;
            }
        }
        self.wish(publisher, call.ty, true);
        let Some(arrival) = self.travel(publisher, Duration::ZERO) else { return };
        let extra = self.subscribe_calls.len() as u32;
        if !matches!(arrival, Arrival::Away(_)) {
            self.subscribe_calls.push(call);
        }
        let entry = Entry { extra, ..self.entry(publisher, seq, What::Subscribe, no_thunk) };
        self.dispatch(entry, arrival, With::Call(call, ty));
    }

    fn unsubscribe(&mut self, publisher: ActorId, ty: u16) {
        self.wish(publisher, ty, false);
        self.hot[self.me.index()].picky = true;
        self.attention = true;
        self.end_of_step.unsubscribed.push((publisher, ty, self.me));
    }

    /// Notes what the actor that is handling wants of a publisher.
    fn wish(&mut self, publisher: ActorId, ty: u16, wanted: bool) {
        let wishes = &mut self.cold[self.me.index()].wishes;
        match wishes.iter_mut().find(|(actor, published, _)| (*actor, *published) == (publisher, ty)) {
            Some(wish) => wish.2 = wanted,
            None => wishes.push((publisher, ty, wanted)),
        }
    }

    /// Whether a link or a common root joins two actors, this way.
    pub(crate) fn may_send(&self, from: ActorId, to: ActorId) -> bool {
        let (from, to) = (self.cold[from.index()].root, self.cold[to.index()].root);
        self.links.as_ref().is_none_or(|links| from == to || links.has(from, to))
    }

    /// Whether an actor may subscribe to a stream: of a controlled one there is one copy, in its own component.
    fn may_hear(&self, who: ActorId, stream: ActorId) -> bool {
        !self.cold[stream.index()].controlled || self.are_joined(who, stream)
    }

    /// Sends a message of the engine's own.
    fn send_own(&mut self, to: ActorId, what: What, extra: u32) {
        let seq = self.draw();
        let Some(arrival) = self.travel(to, Duration::ZERO) else { return };
        let entry = Entry { extra, ..self.entry(to, seq, what, no_thunk) };
        self.dispatch(entry, arrival, With::Nothing);
    }

    /// Makes a slot the facet that serves an asker.
    pub(crate) fn make_facet(&mut self, id: ActorId, asker: ActorId) {
        self.hot[id.index()].unbounded = true;
        self.cold[id.index()].stream = Some(asker.0);
        self.cold[asker.index()].facet = Some(id);
    }

    /// The facet of the time-keeper that serves the actor that is handling.
    fn facet(&mut self) -> ActorId {
        let me = self.me;
        if let Some(facet) = self.cold[me.index()].facet {
            return facet;
        }
        let cold = &self.cold[me.index()];
        let (path, root) = (cold.path.facet(), cold.root);
        let id = self.add(path, Rank::default(), Some(root), Life::Living);
        self.make_facet(id, me);
        self.new_facets.push(id);
        self.attention = true;
        id
    }
}
