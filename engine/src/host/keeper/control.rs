//! Run control: what a time-keeper can be told, and what it answers.

use std::time::Instant as WallInstant;

use actix::prelude::{ActorContext, AsyncContext, Context, Handler, Message, MessageResult, ResponseFuture};
use tokio::sync::oneshot;

use super::{Cut, Ended, Goal, TimeKeeper};
use crate::error::{RunError, Site};
use crate::host::launch::failed;
use crate::outcome::{End, Failed, Outcome};
use crate::run::Progress;
use crate::snapshot::{Snapshot, SnapshotError};
use crate::time::Instant;

/// Runs from now on, until the end or the next order.
#[derive(Clone, Copy, Debug)]
pub struct Start;

impl Message for Start {
    type Result = ();
}

/// Rests as soon as all shards are at a still point. Answers when they are.
#[derive(Clone, Copy, Debug)]
pub struct Pause;

impl Message for Pause {
    type Result = Status;
}

/// How far a single step goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Through the next instant in which something is due anywhere.
    Instant,
    /// Through one window.
    Window,
}

/// Runs a bit and rests again. Answers when that is done.
#[derive(Clone, Copy, Debug)]
pub struct Step(pub Pace);

impl Message for Step {
    type Result = Status;
}

/// Asks for a snapshot of the next still point of all shards.
#[derive(Clone, Copy, Debug)]
pub struct TakeSnapshot;

impl Message for TakeSnapshot {
    type Result = Result<Snapshot, SnapshotError>;
}

/// Ends the run at the next still point.
#[derive(Clone, Copy, Debug)]
pub struct Stop;

impl Message for Stop {
    type Result = Status;
}

/// Asks where the run stands, as far as its shards have reported.
#[derive(Clone, Copy, Debug)]
pub struct GetStatus;

impl Message for GetStatus {
    type Result = Status;
}

/// Asks for the outcome; answered when the run has ended, once.
#[derive(Clone, Copy, Debug)]
pub struct Finish;

impl Message for Finish {
    type Result = Result<Outcome, Box<Failed>>;
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The next instant in which something is due. `None`: nothing is, or the run has ended.
    pub next: Option<Instant>,
    /// How much was delivered.
    pub progress: Progress,
    /// How it ended, if it has.
    pub end: Option<End>,
    /// Windows that were run.
    pub windows: u64,
    /// Shards that the simulation was dealt to.
    pub shards: usize,
}

/// Waits for the end, of whatever kind.
pub(super) struct Await;

impl Message for Await {
    type Result = Ended;
}

/// Runs up to an instant, inclusive, unless a time of the clock comes first. Answers when the shards rest.
pub(super) struct RunTo(pub(super) Instant, pub(super) WallInstant);

impl Message for RunTo {
    type Result = Status;
}

/// Ends the run where it stands; nobody wants to know.
pub(super) struct Halt;

impl Message for Halt {
    type Result = ();
}

impl Handler<Start> for TimeKeeper {
    type Result = ();

    fn handle(&mut self, _: Start, ctx: &mut Context<Self>) {
        self.goal = Goal::Run;
        self.go_on(ctx);
    }
}

impl TimeKeeper {
    /// Answers once the shards rest.
    fn when_at_rest(&mut self, ctx: &mut Context<Self>) -> ResponseFuture<Status> {
        let (sender, receiver) = oneshot::channel();
        self.askers.push(sender);
        let now = self.status();
        self.go_on(ctx);
        Box::pin(async move { receiver.await.unwrap_or(now) })
    }
}

impl Handler<Pause> for TimeKeeper {
    type Result = ResponseFuture<Status>;

    fn handle(&mut self, _: Pause, ctx: &mut Context<Self>) -> Self::Result {
        self.goal = Goal::Rest;
        self.when_at_rest(ctx)
    }
}

impl Handler<Step> for TimeKeeper {
    type Result = ResponseFuture<Status>;

    fn handle(&mut self, step: Step, ctx: &mut Context<Self>) -> Self::Result {
        self.goal = Goal::Step(step.0);
        self.when_at_rest(ctx)
    }
}

impl Handler<RunTo> for TimeKeeper {
    type Result = ResponseFuture<Status>;

    fn handle(&mut self, RunTo(bound, deadline): RunTo, ctx: &mut Context<Self>) -> Self::Result {
        self.goal = Goal::RunTo(bound, deadline);
        self.when_at_rest(ctx)
    }
}

impl Handler<Stop> for TimeKeeper {
    type Result = ResponseFuture<Status>;

    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) -> Self::Result {
        self.stopped = true;
        self.when_at_rest(ctx)
    }
}

impl Handler<TakeSnapshot> for TimeKeeper {
    type Result = ResponseFuture<Result<Snapshot, SnapshotError>>;

    fn handle(&mut self, _: TakeSnapshot, ctx: &mut Context<Self>) -> Self::Result {
        let (sender, receiver) = oneshot::channel();
        let site = Site { at: self.done.at, round: 0, step: 0 };
        if self.end.is_none() {
            self.savers.push(sender);
            self.go_on(ctx);
        }
        Box::pin(async move { receiver.await.unwrap_or(Err(SnapshotError::Over(site))) })
    }
}

impl Handler<Halt> for TimeKeeper {
    type Result = ();

    fn handle(&mut self, _: Halt, ctx: &mut Context<Self>) {
        self.stopped = true;
        self.go_on(ctx);
    }
}

impl Handler<GetStatus> for TimeKeeper {
    type Result = MessageResult<GetStatus>;

    fn handle(&mut self, _: GetStatus, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.status())
    }
}

impl Handler<Await> for TimeKeeper {
    type Result = ResponseFuture<Ended>;

    fn handle(&mut self, _: Await, ctx: &mut Context<Self>) -> Self::Result {
        let (sender, receiver) = oneshot::channel();
        self.finish = Some(sender);
        self.go_on(ctx);
        let lost = || Err(Cut::Failed(failed(RunError::Host("its outcome was asked for twice".to_owned()))));
        Box::pin(async move { receiver.await.unwrap_or_else(|_| lost()) })
    }
}

impl Handler<Finish> for TimeKeeper {
    type Result = ResponseFuture<Result<Outcome, Box<Failed>>>;

    fn handle(&mut self, _: Finish, ctx: &mut Context<Self>) -> Self::Result {
        let ended = Handler::<Await>::handle(self, Await, ctx);
        let keeper = ctx.address();
        Box::pin(async move {
            let ended = ended.await;
            // The actor is not needed any more.
            keeper.do_send(Leave);
            ended.map_err(|cut| match cut {
                Cut::Failed(failed) => failed,
                Cut::Panicked(panic) => failed(RunError::Host(format!("a thread panicked: {}", crate::pool::panic_text(&*panic)))),
            })
        })
    }
}

/// The outcome has been given away.
struct Leave;

impl Message for Leave {
    type Result = ();
}

impl Handler<Leave> for TimeKeeper {
    type Result = ();

    fn handle(&mut self, _: Leave, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
