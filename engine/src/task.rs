//! Async tasks under virtual time (rule R18). Invariant: a task runs only when it is polled in a step, after its actor's handlers; while it
//! does, the shard's core and the actor's cell are on its stage.

mod future;
mod inbox;
mod join;

use std::cell::{Cell as StdCell, RefCell};
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

pub use future::{AskFuture, Either, JobFuture, Overrun, Sleep, Ticker, select};
pub(crate) use inbox::Inboxes;
pub use inbox::{Inbox, Recv};
pub use join::{Cancelled, Join, JoinHandle};

use crate::actor::{Actor, Responds};
use crate::address::{Addr, Target, actor_of};
use crate::ask::{AskError, Responder, answer_task, respond};
use crate::context::{Context, Every};
use crate::job::{JobId, done_task};
use crate::kernel::core::Core;
use crate::kernel::emission::Arrival;
use crate::kernel::entry::{ActorId, Cell, Entry, What, no_thunk};
use crate::kernel::pending::NodeKey;
use crate::message::{Message, Request};
use crate::pool::JobPanic;
use crate::time::{Duration, Instant};

/// A task of the actor that started it.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    index: u32,
    generation: u32,
    owner: ActorId,
    /// How many tasks its owner had started before.
    number: u64,
}

impl PartialEq for Task {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Task {}

impl Task {
    /// Whose task it is, and which one.
    pub(crate) fn key(self) -> (ActorId, u64) {
        (self.owner, self.number)
    }

    /// The handle of a task that is over.
    pub(crate) fn over((owner, number): (ActorId, u64)) -> Self {
        Self { index: u32::MAX, generation: 0, owner, number }
    }
}

/// One thing that a task awaits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WaitKey {
    pub(crate) index: u32,
    generation: u32,
}

/// How a wait is taken back.
#[derive(Clone, Copy)]
pub(crate) enum Undo {
    Nothing,
    Node(NodeKey),
    Ask(u32),
    Job(JobId),
    Inbox(u32),
}

/// What a wait came to.
pub(crate) enum Fired {
    Woken,
    Value(u16, u32),
    Ask(AskError),
    Job(JobPanic),
}

enum WaitState {
    Free,
    Waiting(Undo),
    Fired(Fired),
}

struct Wait {
    generation: u32,
    task: u32,
    state: WaitState,
}

type BoxFuture = Pin<Box<dyn Future<Output = ()>>>;

struct Slot {
    generation: u32,
    owner: ActorId,
    alive: bool,
    /// Away while it is polled.
    future: Option<BoxFuture>,
    waits: u32,
    /// Polls in this step already.
    woken: bool,
    joiners: Vec<(WaitKey, u64)>,
    /// In the list of free slots.
    pooled: bool,
}

/// A poll that is due in this step.
#[derive(Clone, Copy)]
struct Due {
    index: u32,
    generation: u32,
    cause: u64,
    kind: &'static str,
}

/// Where the core and the actor's cell are while a task is polled. Otherwise a spare core and an empty cell are there.
pub(crate) struct Stage {
    core: RefCell<Box<Core>>,
    cell: RefCell<Box<dyn Cell>>,
    on: StdCell<bool>,
    /// Waits whose futures were dropped and that are to be taken back.
    dropped: RefCell<Vec<WaitKey>>,
}

impl Stage {
    pub(crate) fn new(spare: Box<Core>, vacant: Box<dyn Cell>) -> Self {
        Self { core: RefCell::new(spare), cell: RefCell::new(vacant), on: StdCell::new(false), dropped: RefCell::new(Vec::new()) }
    }

    /// Puts core and cell on the stage, or takes them off again.
    pub(crate) fn swap(&self, core: &mut Box<Core>, cell: &mut Box<dyn Cell>) {
        std::mem::swap(&mut *self.core.borrow_mut(), core);
        std::mem::swap(&mut *self.cell.borrow_mut(), cell);
        self.on.set(!self.on.get());
    }

    /// Whether a poll is under way.
    pub(crate) fn is_on(&self) -> bool {
        self.on.get()
    }

    /// Runs `f` on the core of the poll under way.
    #[inline(always)]
    fn core<T>(&self, f: impl FnOnce(&mut Core) -> T) -> T {
        assert!(self.on.get(), "a TaskContext was used outside its task");
        let mut core = self.core.try_borrow_mut().expect("a TaskContext was used inside `with`; use the Context that `with` gives");
        f(&mut core)
    }
}

/// A waker that only someone else than the engine can use.
struct Foreign(AtomicBool);

impl Wake for Foreign {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The tasks of a shard.
pub(crate) struct Tasks {
    slots: Vec<Slot>,
    free: Vec<u32>,
    waits: Vec<Wait>,
    free_waits: Vec<u32>,
    woken: Vec<Due>,
    fresh: Vec<Due>,
    current: u32,
    /// Whether a poll is under way.
    pub(crate) polling: bool,
    pub(crate) inboxes: Inboxes,
    pub(crate) stage: Option<Rc<Stage>>,
    foreign: Arc<Foreign>,
}

impl Default for Tasks {
    fn default() -> Self {
        let foreign = Arc::new(Foreign(AtomicBool::new(false)));
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            waits: Vec::new(),
            free_waits: Vec::new(),
            woken: Vec::new(),
            fresh: Vec::new(),
            current: 0,
            polling: false,
            inboxes: Inboxes::default(),
            stage: None,
            foreign,
        }
    }
}

impl Tasks {
    /// Whether a poll is due after the handlers of the actor under way.
    #[inline(always)]
    pub(crate) fn any_due(&self) -> bool {
        !self.woken.is_empty() || !self.fresh.is_empty()
    }

    /// Whether there are tasks.
    pub(crate) fn any(&self) -> bool {
        self.slots.len() > self.free.len()
    }

    /// Forgets the polls that are due.
    pub(crate) fn forget_due(&mut self) {
        for due in self.woken.drain(..) {
            self.slots[due.index as usize].woken = false;
        }
        self.fresh.clear();
    }

    /// The waker of every poll. The engine does not use it.
    pub(crate) fn waker(&self) -> Waker {
        Waker::from(self.foreign.clone())
    }

    /// Whether somebody else woke a task.
    pub(crate) fn woken_by_others(&self) -> bool {
        self.foreign.0.load(Ordering::Relaxed)
    }

    fn is_alive(&self, task: Task) -> bool {
        self.slots.get(task.index as usize).is_some_and(|slot| slot.alive && slot.generation == task.generation)
    }

    #[inline]
    fn new_wait(&mut self, undo: Undo) -> WaitKey {
        let task = self.current;
        self.slots[task as usize].waits += 1;
        match self.free_waits.pop() {
            Some(index) => {
                let wait = &mut self.waits[index as usize];
                wait.task = task;
                wait.state = WaitState::Waiting(undo);
                WaitKey { index, generation: wait.generation }
            }
            None => {
                self.waits.push(Wait { generation: 0, task, state: WaitState::Waiting(undo) });
                WaitKey { index: self.waits.len() as u32 - 1, generation: 0 }
            }
        }
    }

    fn set_undo(&mut self, key: WaitKey, undo: Undo) {
        self.waits[key.index as usize].state = WaitState::Waiting(undo);
    }

    #[inline]
    fn free_wait(&mut self, key: WaitKey) -> WaitState {
        let wait = &mut self.waits[key.index as usize];
        let state = std::mem::replace(&mut wait.state, WaitState::Free);
        wait.generation = wait.generation.wrapping_add(1);
        self.slots[wait.task as usize].waits -= 1;
        self.free_waits.push(key.index);
        state
    }

    fn is_waiting(&self, key: WaitKey) -> bool {
        let wait = &self.waits[key.index as usize];
        wait.generation == key.generation && matches!(wait.state, WaitState::Waiting(_))
    }

    /// Takes what a wait came to, if it did.
    #[inline]
    fn take_fired(&mut self, key: WaitKey) -> Option<Fired> {
        match self.waits[key.index as usize].state {
            WaitState::Fired(_) => match self.free_wait(key) {
                WaitState::Fired(fired) => Some(fired),
                _ => None,
            },
            _ => None,
        }
    }

    /// Ends a wait and has its task polled in this step.
    #[inline]
    pub(crate) fn fire(&mut self, key: WaitKey, fired: Fired, cause: u64, kind: &'static str) {
        let wait = &mut self.waits[key.index as usize];
        wait.state = WaitState::Fired(fired);
        let index = wait.task;
        let slot = &mut self.slots[index as usize];
        if !slot.woken {
            slot.woken = true;
            self.woken.push(Due { index, generation: slot.generation, cause, kind });
        }
    }

    /// The key of the wait that lives in a slot.
    pub(crate) fn wait_in(&self, index: u32) -> WaitKey {
        WaitKey { index, generation: self.waits[index as usize].generation }
    }
}

impl Core {
    /// Starts a task of the actor that is handling; it is polled first in this step.
    pub(crate) fn start_task(&mut self, future: BoxFuture) -> Task {
        let tasks = &mut self.tasks;
        let index = tasks.free.pop().unwrap_or_else(|| {
            tasks.slots.push(Slot {
                generation: 0,
                owner: self.me,
                alive: false,
                future: None,
                waits: 0,
                woken: false,
                joiners: Vec::new(),
                pooled: false,
            });
            tasks.slots.len() as u32 - 1
        });
        let slot = &mut tasks.slots[index as usize];
        slot.owner = self.me;
        slot.alive = true;
        slot.woken = false;
        slot.pooled = false;
        slot.future = Some(future);
        let cold = &mut self.cold[self.me.index()];
        let task = Task { index, generation: slot.generation, owner: self.me, number: cold.tasks_started };
        cold.tasks_started += 1;
        tasks.fresh.push(Due { index, generation: slot.generation, cause: self.cause, kind: self.kind });
        self.cold[self.me.index()].tasks.push(index);
        task
    }

    /// Cancels a task of the actor that is handling. The future comes back, to be dropped when nothing of the core is borrowed.
    pub(crate) fn cancel_task(&mut self, task: Task) -> (bool, Option<BoxFuture>) {
        if !self.tasks.is_alive(task) || self.tasks.slots[task.index as usize].owner != self.me {
            return (false, None);
        }
        let future = self.tasks.slots[task.index as usize].future.take();
        self.end_task(task.index);
        (true, future)
    }

    /// A task is over: its joiners wake in the next step.
    fn end_task(&mut self, index: u32) {
        let slot = &mut self.tasks.slots[index as usize];
        slot.alive = false;
        slot.generation = slot.generation.wrapping_add(1);
        let owner = slot.owner;
        let joiners = std::mem::take(&mut slot.joiners);
        self.cold[owner.index()].tasks.retain(|task| *task != index);
        for (wait, seq) in joiners {
            if self.tasks.is_waiting(wait) {
                self.wake_next(wait, seq);
            }
        }
        // While it is polled, or has waits to take back, the slot is not free yet.
        self.free_task_slot(index);
    }

    fn free_task_slot(&mut self, index: u32) {
        let polled = self.tasks.polling && self.tasks.current == index;
        let slot = &mut self.tasks.slots[index as usize];
        if !slot.alive && slot.waits == 0 && !polled && !slot.pooled {
            slot.pooled = true;
            self.tasks.free.push(index);
        }
    }

    /// Wakes a wait of this actor in the next step.
    pub(crate) fn wake_next(&mut self, wait: WaitKey, seq: u64) {
        let entry = Entry { extra: wait.index, ..self.entry(self.me, seq, What::Wake, no_thunk) };
        let key = self.schedule(entry, Arrival::NextStep);
        self.tasks.set_undo(wait, Undo::Node(key));
    }

    /// A wake-up was delivered.
    #[inline]
    pub(crate) fn woke(&mut self, index: u32) {
        let key = self.tasks.wait_in(index);
        self.tasks.fire(key, Fired::Woken, self.cause, self.kind);
    }

    /// An answer was delivered to a task.
    pub(crate) fn answer_wait(&mut self, wait: WaitKey, result: Result<(u16, u32), AskError>) {
        let fired = match result {
            Ok((ty, payload)) => Fired::Value(ty, payload),
            Err(error) => Fired::Ask(error),
        };
        self.tasks.fire(wait, fired, self.cause, self.kind);
    }

    /// A job's result was delivered to a task.
    pub(crate) fn finish_wait(&mut self, wait: WaitKey, result: Result<(u16, u32), JobPanic>) {
        let fired = match result {
            Ok((ty, payload)) => Fired::Value(ty, payload),
            Err(panic) => Fired::Job(panic),
        };
        self.tasks.fire(wait, fired, self.cause, self.kind);
    }

    /// Takes back the waits whose futures were dropped.
    pub(crate) fn settle_dropped(&mut self) {
        let stage = self.tasks.stage.as_ref().expect("a shard has a stage");
        if stage.dropped.borrow().is_empty() {
            return;
        }
        let stage = stage.clone();
        // A function, so that the borrow ends before the key is looked at.
        let next = || stage.dropped.borrow_mut().pop();
        while let Some(key) = next() {
            let task = self.tasks.waits[key.index as usize].task;
            match self.tasks.free_wait(key) {
                WaitState::Waiting(Undo::Node(node)) => {
                    self.cancel_node(node);
                }
                WaitState::Waiting(Undo::Ask(slot)) => self.forget_ask(slot),
                WaitState::Waiting(Undo::Job(job)) => {
                    self.cancel_job(job);
                }
                WaitState::Waiting(Undo::Inbox(inbox)) => self.tasks.inboxes.forget(inbox, key),
                WaitState::Fired(Fired::Value(ty, payload)) => self.kept.release(ty, payload),
                _ => {}
            }
            self.free_task_slot(task);
        }
    }

    /// The next poll that is due: woken tasks by key, then new ones in order.
    pub(crate) fn next_poll(&mut self, at: &mut usize) -> Option<BoxFuture> {
        loop {
            let woken = self.tasks.woken.len();
            let due = if *at < woken {
                let due = self.tasks.woken[*at];
                self.tasks.slots[due.index as usize].woken = false;
                due
            } else {
                match self.tasks.fresh.get(*at - woken) {
                    Some(due) => *due,
                    None => {
                        self.tasks.woken.clear();
                        self.tasks.fresh.clear();
                        return None;
                    }
                }
            };
            *at += 1;
            let slot = &mut self.tasks.slots[due.index as usize];
            if slot.alive
                && slot.generation == due.generation
                && let Some(future) = slot.future.take()
            {
                self.tasks.current = due.index;
                self.cause = due.cause;
                self.kind = due.kind;
                return Some(future);
            }
        }
    }

    /// A poll has ended. `Some`: the task goes on. Gives whether the task awaits nothing of the engine's.
    pub(crate) fn polled(&mut self, future: Option<BoxFuture>) -> bool {
        self.settle_dropped();
        let index = self.tasks.current;
        let slot = &mut self.tasks.slots[index as usize];
        match future {
            Some(future) if slot.alive => {
                let idle = slot.waits == 0;
                slot.future = Some(future);
                if idle {
                    self.abandon(index);
                }
                return idle;
            }
            // It cancelled itself.
            Some(future) => {
                drop(future);
                self.settle_dropped();
                self.free_task_slot(index);
            }
            None if slot.alive => {
                self.end_task(index);
            }
            None => self.free_task_slot(index),
        }
        false
    }

    fn abandon(&mut self, index: u32) {
        let future = self.tasks.slots[index as usize].future.take();
        drop(future);
        self.settle_dropped();
        self.end_task(index);
    }

    /// The tasks of an actor that stops end without record.
    pub(crate) fn end_tasks_of(&mut self, actor: ActorId) {
        for index in std::mem::take(&mut self.cold[actor.index()].tasks) {
            let slot = &mut self.tasks.slots[index as usize];
            slot.alive = false;
            slot.generation = slot.generation.wrapping_add(1);
            slot.joiners.clear();
            let future = slot.future.take();
            drop(future);
            self.settle_dropped();
            self.free_task_slot(index);
        }
    }
}

/// What a task can do. It may be cloned and moved into futures; it works only while its own task is polled.
///
/// ```
/// use stillpoint_engine::{Actor, Addr, Context, Duration, Instant, Message, Request, Responder, Responds, Simulation};
///
/// #[derive(Debug, Hash)]
/// struct Price;
/// impl Message for Price {
///     const KIND: &'static str = "price";
/// }
/// impl Request for Price {
///     type Reply = i64;
/// }
///
/// struct Shop;
/// impl Actor for Shop {}
/// impl Responds<Price> for Shop {
///     fn respond(&mut self, _: &Price, responder: Responder<i64>, ctx: &mut Context<'_, Self>) {
///         ctx.reply(responder, 42);
///     }
/// }
///
/// struct Buyer(Addr<Shop>, i64);
/// impl Actor for Buyer {
///     fn started(&mut self, ctx: &mut Context<'_, Self>) {
///         let shop = self.0;
///         ctx.task(async move |cx| {
///             cx.sleep(Duration::secs(5)).await;
///             let paid = cx.ask(shop, Price, None).await.unwrap_or(0);
///             cx.with(|buyer, _| buyer.1 = paid);
///         });
///     }
/// }
///
/// let mut sim = Simulation::new("shop");
/// let shop = sim.actor("shop", Shop)?;
/// let buyer = sim.actor("buyer", Buyer(shop, 0))?;
/// let mut run = sim.begin()?;
/// run.until(Instant::MAX);
/// assert_eq!(run.actor(buyer).map(|buyer| buyer.1), Some(42));
/// assert_eq!(run.finish()?.last, Some(Instant::EPOCH + Duration::secs(5)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TaskContext<A> {
    stage: Rc<Stage>,
    of: PhantomData<fn(A)>,
}

impl<A> Clone for TaskContext<A> {
    fn clone(&self) -> Self {
        Self { stage: self.stage.clone(), of: PhantomData }
    }
}

impl<A> std::fmt::Debug for TaskContext<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TaskContext")
    }
}

impl<A: Actor> TaskContext<A> {
    pub(crate) fn new(stage: Rc<Stage>) -> Self {
        Self { stage, of: PhantomData }
    }

    /// The instant.
    pub fn now(&self) -> Instant {
        self.stage.core(|core| core.now)
    }

    /// Runs `f` on the actor, with its full context, between two awaits. Panics if called inside itself.
    pub fn with<T>(&self, f: impl FnOnce(&mut A, &mut Context<'_, A>) -> T) -> T {
        let mut cell = self.stage.cell.try_borrow_mut().expect("`with` was called inside `with`");
        self.stage.core(|core| {
            let me = core.me;
            f(actor_of::<A>(&mut **cell), &mut Context::new(core, me))
        })
    }

    /// Sends a message, as [`Context::send`] does.
    pub fn send<M: Message>(&self, to: impl Target<M>, message: M) {
        self.stage.core(|core| core.send(to.to_recipient(), Duration::ZERO, message));
    }

    /// Sends a message later, as [`Context::send_after`] does.
    pub fn send_after<M: Message>(&self, to: impl Target<M>, delay: Duration, message: M) {
        self.stage.core(|core| core.send(to.to_recipient(), delay, message));
    }

    /// Publishes, as [`Context::publish`] does.
    pub fn publish<M: Message>(&self, message: M) {
        self.stage.core(|core| core.publish(message));
    }

    /// Answers a question, as [`Context::reply`] does.
    pub fn reply<R: Message>(&self, responder: Responder<R>, reply: R) {
        self.stage.core(|core| core.reply(responder, reply));
    }

    /// Sleeps. The deadline is fixed at the call.
    pub fn sleep(&self, delay: Duration) -> Sleep {
        self.stage.core(|core| {
            let seq = core.draw();
            let wait = core.tasks.new_wait(Undo::Nothing);
            let entry = Entry { extra: wait.index, ..core.entry(core.me, seq, What::Wake, no_thunk) };
            if let Some(arrival) = core.arrival(delay) {
                let node = core.schedule(entry, arrival);
                core.tasks.set_undo(wait, Undo::Node(node));
            }
            Sleep::new(self.stage.clone(), wait)
        })
    }

    /// Sleeps until an instant; one in the past means until the next step.
    pub fn sleep_until(&self, due: Instant) -> Sleep {
        self.stage.core(|core| {
            let seq = core.draw();
            let wait = core.tasks.new_wait(Undo::Nothing);
            let entry = Entry { extra: wait.index, ..core.entry(core.me, seq, What::Wake, no_thunk) };
            let node = core.schedule_at(entry, due);
            core.tasks.set_undo(wait, Undo::Node(node));
            Sleep::new(self.stage.clone(), wait)
        })
    }

    /// Lets a step pass.
    pub fn yield_now(&self) -> Sleep {
        self.sleep(Duration::ZERO)
    }

    /// Ticks at fixed instants, without drift.
    pub fn ticker(&self, every: Every, overrun: Overrun) -> Ticker<A> {
        Ticker::new(self.clone(), every, overrun)
    }

    /// Waits for the next value of an inbox of this actor.
    pub fn recv<T: 'static>(&self, inbox: Inbox<T>) -> Recv<T> {
        Recv::new(self.stage.clone(), inbox)
    }

    /// Asks (rule R17); the timeout is fixed at the call.
    pub fn ask<R: Request, B: Responds<R>>(&self, to: Addr<B>, request: R, timeout: Option<Duration>) -> AskFuture<R> {
        self.stage.core(|core| {
            let wait = core.tasks.new_wait(Undo::Nothing);
            let (_, slot) = core.ask(to.id, respond::<B, R>, answer_task::<R>, request, timeout, Some(wait));
            if let Some(slot) = slot {
                core.tasks.set_undo(wait, Undo::Ask(slot));
            }
            AskFuture::new(self.stage.clone(), wait)
        })
    }

    /// Submits a job (rule R5) and waits for its result.
    pub fn submit<T: Message>(&self, latency: Duration, job: impl FnOnce() -> T + Send + 'static) -> JobFuture<T> {
        self.stage.core(|core| {
            let wait = core.tasks.new_wait(Undo::Nothing);
            let id = core.submit(latency, done_task::<T>, Some(wait), job);
            core.tasks.set_undo(wait, Undo::Job(id));
            JobFuture::new(self.stage.clone(), wait)
        })
    }

    /// Starts another task of the same actor, polled first in this step.
    pub fn spawn<T: 'static, F, Fut>(&self, f: F) -> JoinHandle<T>
    where
        F: FnOnce(TaskContext<A>) -> Fut + 'static,
        Fut: Future<Output = T> + 'static,
    {
        let out = Rc::new(RefCell::new(None));
        let (cx, result) = (self.clone(), out.clone());
        let future = Box::pin(async move {
            let value = f(cx).await;
            *result.borrow_mut() = Some(value);
        });
        let task = self.stage.core(|core| core.start_task(future));
        JoinHandle::new(self.stage.clone(), task, out)
    }

    /// Cancels a task of this actor. Whether it was still under way.
    pub fn cancel(&self, task: Task) -> bool {
        cancel_on(&self.stage, task)
    }
}

/// Cancels a task while another one is polled; its future is dropped when the core is not borrowed.
fn cancel_on(stage: &Stage, task: Task) -> bool {
    let (cancelled, future) = stage.core(|core| core.cancel_task(task));
    drop(future);
    cancelled
}
