//! What a task can do. Invariant: what it does is done as its actor, at the step of the poll.

use std::cell::RefCell;
use std::future::Future;
use std::marker::PhantomData;
use std::rc::Rc;

use super::{AskFuture, Inbox, JobFuture, JoinHandle, Overrun, Recv, Sleep, Stage, Task, Ticker, Undo};
use crate::actor::{Actor, Responds};
use crate::address::{Addr, Target, actor_of};
use crate::ask::{Responder, answer_task, respond};
use crate::context::{Context, Every};
use crate::job::done_task;
use crate::kernel::entry::{Entry, What, no_thunk};
use crate::message::{Message, Request};
use crate::time::{Duration, Instant};

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
        let cell = self.stage.cell.try_borrow_mut().expect("`with` was called inside `with`");
        self.stage.core(|core| {
            let me = core.me;
            f(&mut actor_of::<A>(&cell), &mut Context::new(core, me))
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
    // Made where it is awaited: what was just written field by field must not be moved from here.
    #[inline(always)]
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
        self.stage.cancel(task)
    }
}
