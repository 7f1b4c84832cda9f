//! The time-keeper of a run on several threads: an actix actor that lets the shards run batches of windows, and takes run control in between.
//! Invariant: it speaks to the shards only when all of them are at a still point.
#![expect(clippy::disallowed_methods, reason = "a trial has a deadline of the clock")]

mod control;
mod remote;

use std::fmt;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant as WallInstant;

use actix::prelude::{Actor, ActorFutureExt, Addr, Arbiter, AsyncContext, Context, MailboxError, WrapFuture};
use tokio::sync::oneshot;

pub use control::{Finish, GetStatus, Pace, Pause, Start, Status, Step, Stop, TakeSnapshot};
pub(super) use remote::{Remote, run};

use super::crew::{Berth, Meeting, Post, Progressed, Stint};
use super::crew_actor::{Begin, CrewActor, Dismiss, Enlist, Panicked, Save, Work};
use super::launch::{Build, Host, Keep, Launch, Tell, failed};
use super::merge::{Merge, Part};
use super::pace::Pacer;
use super::survey::{Loads, survey};
use crate::error::RunError;
use crate::kernel::ready::ReadyOrder;
use crate::outcome::{End, Failed, Outcome};
use crate::run::Progress;
use crate::snapshot::{Snapshot, SnapshotError};
use crate::time::{Duration, Instant};

/// Why there is no outcome of a whole run.
pub(super) enum Cut {
    Failed(Box<Failed>),
    /// A panic that is no actor's, such as one in a source: it goes on in who waits for the run.
    Panicked(Panicked),
}

impl From<RunError> for Cut {
    fn from(error: RunError) -> Self {
        Self::Failed(failed(error))
    }
}

impl From<MailboxError> for Cut {
    fn from(error: MailboxError) -> Self {
        Self::from(RunError::Host(format!("one of its threads is gone: {error}")))
    }
}

/// What a run came to.
pub(super) type Ended = Result<Outcome, Cut>;

/// What the time-keeper is told to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Goal {
    Rest,
    Run,
    RunTo(Instant, WallInstant),
    Step(Pace),
}

/// Keeps the time of a run that is spread over several threads. Its messages are [`Start`], [`Pause`], [`Step`], [`Stop`], [`GetStatus`],
/// [`TakeSnapshot`] and [`Finish`]; [`Launch::run`](super::Launch::run) is the short way for runs that need no control.
///
/// ```
/// use stillpoint_engine::host::{Finish, Host, Launch, Pace, Start, Step, TimeKeeper};
/// use stillpoint_engine::{BuildError, Simulation};
///
/// let outcome = actix::System::new().block_on(async {
///     let launch = Launch::new(|| Ok::<_, BuildError>(Simulation::new("nothing"))).host(Host::Actix { threads: 2 });
///     let keeper = TimeKeeper::of(launch).await?;
///     let status = keeper.send(Step(Pace::Window)).await?;
///     assert_eq!(status.progress.deliveries, 0);
///     keeper.send(Start).await?;
///     Ok::<_, Box<dyn std::error::Error>>(keeper.send(Finish).await??)
/// })?;
/// assert_eq!(outcome.deliveries, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TimeKeeper {
    build: Build,
    name: String,
    ready: Option<ReadyOrder>,
    until: Option<Instant>,
    crews: Vec<Addr<CrewActor>>,
    arbiters: Vec<Arbiter>,
    shards: usize,
    merge: Merge,
    /// What the shards have observed, by shard; emptied, they are sent back to be filled again.
    parts: Vec<Part>,
    /// The trace must be made by one shard: somewhere the run came to an early end, or the observer refused a record.
    again: bool,
    progress: Option<Tell>,
    interrupt: Option<Arc<AtomicBool>>,
    pacer: Pacer,
    goal: Goal,
    /// Whether the shards are at work.
    busy: bool,
    next: Option<Instant>,
    done: Progress,
    windows: u64,
    stopped: bool,
    end: Option<End>,
    ended: Option<Ended>,
    askers: Vec<oneshot::Sender<Status>>,
    finish: Option<oneshot::Sender<Ended>>,
    restore: Option<Arc<Snapshot>>,
    /// A snapshot that is to be taken, and those who ask for one now.
    save: Option<(Instant, Keep)>,
    savers: Vec<oneshot::Sender<Result<Snapshot, SnapshotError>>>,
    /// Why the snapshot was not kept: the run ends there.
    unsaved: Option<String>,
}

impl fmt::Debug for TimeKeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimeKeeper").field("name", &self.name).field("status", &self.status()).finish_non_exhaustive()
    }
}

impl TimeKeeper {
    /// The time-keeper of a launch, in the actix system of the caller. It rests until it is told to start.
    ///
    /// # Errors
    /// [`RunError`] if the simulation cannot be built, or a stream cannot be opened.
    pub async fn of(launch: Launch) -> Result<Addr<Self>, RunError> {
        let threads = match launch.host {
            Host::Inline => 1,
            Host::Actix { threads } | Host::Auto { threads } => threads,
        };
        Self::on(launch, threads, None).await.map_err(|cut| match cut {
            Cut::Failed(failed) => failed.error,
            Cut::Panicked(panic) => resume_unwind(panic),
        })
    }

    async fn on(launch: Launch, threads: usize, loads: Option<Loads>) -> Result<Addr<Self>, Cut> {
        let survey = survey(&launch, launch.shards.unwrap_or(threads).max(1), loads).map_err(Cut::from)?;
        let shards = survey.plan.shards;
        let threads = threads.clamp(1, shards);
        let merge = Merge::new(launch.observer, launch.log);
        let berth = Berth {
            thread: 0,
            threads,
            plan: Arc::new(survey.plan),
            opened: Arc::new(survey.opened),
            post: Post::new(shards),
            meeting: Arc::new(Meeting::new(threads)),
            ready: launch.ready,
            restore: launch.restore.clone(),
            records: merge.observes(),
            wording: merge.wording(),
            logs: merge.logs(),
        };
        let mut keeper = Self {
            build: launch.build,
            name: survey.name,
            ready: launch.ready,
            until: survey.until,
            crews: Vec::new(),
            arbiters: Vec::new(),
            shards,
            merge,
            parts: (0..shards).map(|_| Part::default()).collect(),
            again: false,
            progress: launch.progress,
            interrupt: launch.interrupt,
            pacer: Pacer::new(launch.batch, launch.window, berth.plan.lookahead),
            goal: Goal::Rest,
            busy: false,
            next: None,
            done: Progress { at: Instant::MIN, until: survey.until, events: 0, deliveries: 0, read: (0, 0) },
            windows: 0,
            stopped: false,
            end: None,
            ended: None,
            askers: Vec::new(),
            finish: None,
            restore: launch.restore,
            save: launch.save,
            savers: Vec::new(),
            unsaved: None,
        };
        for thread in 0..threads {
            let arbiter = Arbiter::new();
            let (berth, build) = (Berth { thread, ..berth.clone() }, keeper.build.clone());
            keeper.crews.push(CrewActor::start_in_arbiter(&arbiter.handle(), move |_| CrewActor::new(berth, build)));
            keeper.arbiters.push(arbiter);
        }
        match keeper.begin(survey.start).await {
            Ok(()) => Ok(keeper.start()),
            Err(error) => {
                keeper.dismiss();
                Err(error)
            }
        }
    }

    /// Has every thread build its shards, and begins the run.
    async fn begin(&mut self, declared: Option<Instant>) -> Result<(), Cut> {
        let mut earliest: Option<Instant> = None;
        let answers: Vec<_> = self.crews.iter().map(|crew| crew.send(Enlist)).collect();
        for answer in answers {
            let enlisted = answer.await.map_err(Cut::from)?.map_err(Cut::Panicked)?;
            let first = enlisted.map_err(Cut::from)?;
            earliest = [earliest, first].into_iter().flatten().min();
        }
        if self.restore.is_some() && earliest.is_none() {
            return Ok(());
        }
        let declared = declared.filter(|_| self.restore.is_none());
        let start = declared.or(earliest).unwrap_or(Instant::EPOCH);
        let answers: Vec<_> = self.crews.iter().map(|crew| crew.send(Begin(start))).collect();
        for answer in answers {
            answer.await.map_err(Cut::from)?.map_err(Cut::Panicked)?;
        }
        self.next = Some(start);
        Ok(())
    }

    fn status(&self) -> Status {
        let next = if self.end.is_some() { None } else { self.next };
        Status { next, progress: self.done, end: self.end, windows: self.windows, shards: self.shards }
    }

    /// Does what is next, unless the shards are at work.
    fn go_on(&mut self, ctx: &mut Context<Self>) {
        if self.busy {
            return;
        }
        let is_due = self.save.as_ref().is_some_and(|(at, _)| self.next.is_none_or(|next| next > *at)) && self.goal != Goal::Rest;
        if self.end.is_none() && !self.again && (is_due || !self.savers.is_empty()) {
            self.take_snapshot(is_due, ctx);
            return;
        }
        if self.end.is_none()
            && let Some(end) = self.reason_to_end()
        {
            self.conclude(end, ctx);
            return;
        }
        if let Goal::RunTo(bound, deadline) = self.goal
            && (self.next.is_none_or(|next| next > bound) || WallInstant::now() > deadline)
        {
            self.goal = Goal::Rest;
        }
        if self.end.is_some() || self.goal == Goal::Rest {
            let status = self.status();
            self.askers.drain(..).for_each(|asker| _ = asker.send(status));
            if let Some(finish) = self.finish.take_if(|_| self.ended.is_some()) {
                let _ = finish.send(self.ended.take().expect("a run that has ended"));
            }
            return;
        }
        let stint = match self.goal {
            Goal::Step(Pace::Instant) => Stint { windows: 1, longest: Some(Duration::nanos(1)), bound: None },
            Goal::Step(Pace::Window) => Stint { windows: 1, ..self.pacer.stint() },
            _ => self.pacer.stint(),
        };
        let bound = if let Goal::RunTo(bound, _) = self.goal { Some(bound) } else { None };
        let saves = self.save.as_ref().map(|(at, _)| *at);
        let bound = [bound, saves, self.until].into_iter().flatten().min();
        self.work(Stint { bound, ..stint }, ctx);
    }

    fn reason_to_end(&self) -> Option<End> {
        if self.again || self.unsaved.is_some() {
            return Some(End::Failed);
        }
        if self.stopped {
            return Some(End::Stopped);
        }
        if self.goal != Goal::Rest && self.interrupt.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed)) {
            return Some(End::Interrupted);
        }
        match self.next {
            None => Some(End::Done),
            Some(next) => self.until.is_some_and(|until| next > until).then_some(End::Until),
        }
    }

    /// Lets all threads run some windows.
    fn work(&mut self, stint: Stint, ctx: &mut Context<Self>) {
        self.busy = true;
        self.pacer.begin();
        let threads = self.crews.len();
        let mut spares: Vec<Vec<Part>> = (0..threads).map(|_| Vec::new()).collect();
        for (shard, part) in self.parts.drain(..).enumerate() {
            spares[shard % threads].push(part);
        }
        let answers: Vec<_> = self.crews.iter().zip(spares).map(|(crew, spares)| crew.send(Work(stint, spares))).collect();
        let reports = async move {
            let mut reports = Vec::new();
            for answer in answers {
                reports.push(answer.await);
            }
            reports
        };
        ctx.spawn(reports.into_actor(self).map(|reports, keeper, ctx| {
            keeper.busy = false;
            keeper.worked(reports);
            keeper.go_on(ctx);
        }));
    }

    /// All threads have run their windows, or one of them could not.
    fn worked(&mut self, reports: Vec<Result<Result<Progressed, Option<Panicked>>, MailboxError>>) {
        let mut parts: Vec<Option<Part>> = (0..self.shards).map(|_| None).collect();
        let mut done = Progress { at: Instant::MIN, until: self.until, events: 0, deliveries: 0, read: (0, 0) };
        let (mut windows, mut lost) = (0, false);
        for report in reports {
            match report {
                Ok(Ok(progressed)) => {
                    self.next = progressed.next;
                    self.again |= progressed.over;
                    windows = progressed.windows;
                    done = done.and(&progressed.progress);
                    progressed.parts.into_iter().for_each(|(shard, part)| parts[shard] = Some(part));
                }
                Ok(Err(Some(panic))) => _ = self.ended.get_or_insert(Err(Cut::Panicked(panic))),
                Ok(Err(None)) => {}
                Err(error) => {
                    lost = true;
                    self.ended.get_or_insert(Err(Cut::from(error)));
                }
            }
        }
        if lost || self.ended.is_some() {
            self.end = Some(End::Failed);
            self.dismiss();
            return;
        }
        self.parts = parts.into_iter().map(|part| part.expect("a part of every shard")).collect();
        if self.again {
            self.merge.discard(&mut self.parts);
        } else {
            self.done = done;
            self.windows += u64::from(windows);
            self.again = self.merge.commit(&mut self.parts).is_err();
        }
        self.pacer.end(windows);
        if let Some(tell) = &mut self.progress {
            tell(&self.done);
        }
        if let Goal::Step(_) = self.goal {
            self.goal = Goal::Rest;
        }
    }

    /// Has all shards say what a snapshot needs, for those who asked and, if it is due, for who wanted one at this instant.
    fn take_snapshot(&mut self, is_due: bool, ctx: &mut Context<Self>) {
        self.busy = true;
        let answers: Vec<_> = self.crews.iter().map(|crew| crew.send(Save(self.name.clone()))).collect();
        let parts = async move {
            let mut parts = Vec::new();
            for answer in answers {
                parts.push(answer.await);
            }
            parts
        };
        ctx.spawn(parts.into_actor(self).map(move |parts, keeper, ctx| {
            keeper.busy = false;
            let mut images = Ok(Vec::new());
            for part in parts {
                match part {
                    Ok(Ok(Ok(part))) => {
                        images = images.map(|mut images: Vec<_>| {
                            images.extend(part);
                            images
                        })
                    }
                    Ok(Ok(Err(error))) => images = images.and(Err(error)),
                    Ok(Err(panic)) => _ = keeper.ended.get_or_insert(Err(Cut::Panicked(panic))),
                    Err(error) => _ = keeper.ended.get_or_insert(Err(Cut::from(error))),
                }
            }
            if keeper.ended.is_some() {
                keeper.end = Some(End::Failed);
                keeper.dismiss();
            }
            let snapshot = images.map(|images| Snapshot::of_parts(images).expect("at least one shard"));
            for saver in keeper.savers.drain(..) {
                let _ = saver.send(snapshot.clone());
            }
            if let Some((_, keep)) = keeper.save.take_if(|_| is_due) {
                let kept =
                    snapshot.map_err(|error| error.to_string()).and_then(|snapshot| keep(snapshot).map_err(|error| error.to_string()));
                keeper.unsaved = kept.err();
            }
            keeper.go_on(ctx);
        }));
    }

    /// The run has ended: the shards say what it came to, unless it must be run again.
    fn conclude(&mut self, end: End, ctx: &mut Context<Self>) {
        self.end = Some(end);
        self.busy = true;
        let answers: Vec<_> = self.crews.iter().map(|crew| crew.send(Dismiss)).collect();
        let finished = async move {
            let mut finished = Vec::new();
            for answer in answers {
                finished.push(answer.await);
            }
            finished
        };
        ctx.spawn(finished.into_actor(self).map(move |finished, keeper, ctx| {
            keeper.busy = false;
            let (mut parts, mut has_more, mut conflict) = (Vec::new(), false, false);
            for finished in finished.into_iter().flatten().flatten() {
                has_more |= finished.has_more;
                conflict |= finished.conflict;
                parts.extend(finished.parts);
            }
            keeper.dismiss();
            let merge = std::mem::take(&mut keeper.merge);
            let ended = if keeper.again || conflict || parts.len() < keeper.shards {
                keeper.run_again(merge)
            } else if let Some(cause) = keeper.unsaved.take() {
                let outcome = Outcome::of(std::mem::take(&mut keeper.name), End::Failed, parts);
                Err(Cut::Failed(Box::new(Failed { error: RunError::Snapshot(cause), outcome })))
            } else {
                let end = if end == End::Until && !has_more { End::Done } else { end };
                close(Outcome::of(std::mem::take(&mut keeper.name), end, parts), merge)
            };
            keeper.end = Some(ended.as_ref().map_or(End::Failed, |outcome| outcome.end));
            keeper.ended = Some(ended);
            keeper.go_on(ctx);
        }));
    }

    /// Runs it from the beginning as one shard, which knows where to stop. What was told before is not told again.
    fn run_again(&mut self, merge: Merge) -> Ended {
        let run = || {
            let mut simulation = self.build.simulation().map_err(failed)?;
            if let Some(order) = self.ready {
                simulation = simulation.ready_order(order);
            }
            if let Some(flag) = &self.interrupt {
                simulation = simulation.interrupt(flag.clone());
            }
            let (observer, log) = merge.inline();
            if let Some(observer) = observer {
                simulation = simulation.observe(observer);
            }
            if let Some(log) = log {
                simulation = simulation.log(log);
            }
            let run = simulation.prepare().and_then(|prepared| Launch::begin(prepared, self.restore.as_deref()));
            run.map_err(failed)?.finish()
        };
        run().map_err(Cut::Failed)
    }

    fn dismiss(&mut self) {
        self.crews.clear();
        for arbiter in self.arbiters.drain(..) {
            arbiter.stop();
            let _ = arbiter.join();
        }
    }
}

/// Tells the observer of the end.
fn close(outcome: Outcome, mut merge: Merge) -> Ended {
    match merge.end(outcome.trace_hash) {
        Ok(()) => Ok(outcome),
        Err(error) => {
            let outcome = Outcome { end: End::Failed, ..outcome };
            Err(Cut::Failed(Box::new(Failed { error: RunError::Observer(error.to_string()), outcome })))
        }
    }
}

impl Actor for TimeKeeper {
    type Context = Context<Self>;
}
