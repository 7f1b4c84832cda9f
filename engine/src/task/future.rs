//! The engine's futures. Invariant: each stands for one wait; dropping it before the end takes the wait back.

use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context as StdContext, Poll};

use crate::actor::Actor;
use crate::ask::AskError;
use crate::context::Every;
use crate::message::{Message, Request};
use crate::pool::JobPanic;
use crate::task::{Fired, Stage, TaskContext, WaitKey};
use crate::time::{Duration, Instant};

/// A wait and the way to take it back.
pub(super) struct Held {
    stage: Rc<Stage>,
    wait: Option<WaitKey>,
}

impl Held {
    pub(super) fn new(stage: Rc<Stage>, wait: WaitKey) -> Self {
        Self { stage, wait: Some(wait) }
    }

    /// What the wait came to.
    #[inline(always)]
    fn poll(&mut self) -> Poll<Fired> {
        let wait = self.wait.expect("a future that was ready is not polled again");
        match self.stage.core(|core| core.tasks.take_fired(wait)) {
            Some(fired) => {
                self.wait = None;
                Poll::Ready(fired)
            }
            None => Poll::Pending,
        }
    }

    /// A message that a wait came to.
    fn take<M: Message>(&self, payload: u32) -> M {
        self.stage.core(|core| core.stores.take(payload))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(wait) = self.wait {
            self.stage.dropped.borrow_mut().push(wait);
        }
    }
}

macro_rules! future {
    ($(#[$doc:meta])* $name:ident $(<$param:ident>)?) => {
        $(#[$doc])*
        #[must_use = "futures do nothing unless awaited"]
        pub struct $name $(<$param>)? {
            held: Held,
            of: PhantomData<fn() -> ($($param,)?)>,
        }

        impl $(<$param>)? $name $(<$param>)? {
            pub(super) fn new(stage: Rc<Stage>, wait: WaitKey) -> Self {
                Self { held: Held::new(stage, wait), of: PhantomData }
            }
        }

        impl $(<$param>)? std::fmt::Debug for $name $(<$param>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

future! {
    /// Sleeps until its deadline.
    Sleep
}

future! {
    /// Waits for an answer.
    AskFuture<R>
}

future! {
    /// Waits for a job's result.
    JobFuture<T>
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut StdContext<'_>) -> Poll<()> {
        self.held.poll().map(|_| ())
    }
}

impl<R: Request> Future for AskFuture<R> {
    type Output = Result<R::Reply, AskError>;

    fn poll(mut self: Pin<&mut Self>, _: &mut StdContext<'_>) -> Poll<Self::Output> {
        self.held.poll().map(|fired| match fired {
            Fired::Value(_, payload) => Ok(self.held.take(payload)),
            Fired::Ask(error) => Err(error),
            Fired::Woken | Fired::Job(_) => unreachable!("an ask is ended by an answer"),
        })
    }
}

impl<T: Message> Future for JobFuture<T> {
    type Output = Result<T, JobPanic>;

    fn poll(mut self: Pin<&mut Self>, _: &mut StdContext<'_>) -> Poll<Self::Output> {
        self.held.poll().map(|fired| match fired {
            Fired::Value(_, payload) => Ok(self.held.take(payload)),
            Fired::Job(panic) => Err(panic),
            Fired::Woken | Fired::Ask(_) => unreachable!("a job's wait is ended by its result"),
        })
    }
}

/// The first of two futures to be ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Either<A, B> {
    /// The first one.
    First(A),
    /// The second one.
    Second(B),
}

/// Waits for either of two futures; of two that are ready in one step, the first is taken. The other one is dropped, which cancels it.
pub async fn select<A: Future, B: Future>(a: A, b: B) -> Either<A::Output, B::Output> {
    let (mut a, mut b) = (pin!(a), pin!(b));
    poll_fn(move |cx| match a.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Either::First(value)),
        Poll::Pending => b.as_mut().poll(cx).map(Either::Second),
    })
    .await
}

/// What a [`Ticker`] does about ticks that fell due while its task was busy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overrun {
    /// They fire one by one, a step each. For ticks that overlap, start a task per tick.
    #[default]
    Wait,
    /// They are left out.
    Skip,
}

/// Ticks at fixed instants.
#[derive(Debug)]
pub struct Ticker<A> {
    cx: TaskContext<A>,
    next: Option<Instant>,
    period: Duration,
    end: Option<Instant>,
    overrun: Overrun,
}

impl<A: Actor> Ticker<A> {
    pub(super) fn new(cx: TaskContext<A>, every: Every, overrun: Overrun) -> Self {
        Self { cx, next: Some(every.first), period: every.period, end: every.end, overrun }
    }

    /// Waits for the next tick and gives the instant at which it was due; `None` after the last one.
    pub async fn tick(&mut self) -> Option<Instant> {
        let now = self.cx.now();
        while self.overrun == Overrun::Skip
            && let Some(next) = self.next
            && next < now
        {
            self.next = next.checked_add(self.period);
        }
        let due = self.next.filter(|due| self.end.is_none_or(|end| *due <= end))?;
        self.cx.sleep_until(due).await;
        self.next = due.checked_add(self.period);
        Some(due)
    }
}
