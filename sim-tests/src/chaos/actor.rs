//! The one actor that plays every part of a random program in the engine. Invariant: it makes the same calls in the same order as the model's.

use std::collections::BTreeMap;
use std::future::Future;
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use stillpoint_engine::task::{Either, Inbox, JoinHandle, Task, TaskContext, select};
use stillpoint_engine::{
    Actor, Addr, Answer, AskError, AskId, Context, Control, Duration, Every, Handler, Instant, JobDone, JobId, JobPanic, NextInstant, Rank,
    Responder, Responds, Saving, StreamRef, Timer,
};

use super::messages::{CANCELLED, Flash, Item, Note, Question, Reply, SLEPT, Said, Seen, Work, YIELDED};
use super::mind::{Calls, Due, Handles, Mind, PANIC};
use super::program::{Body, ControlPlan, Program, Step, Wait, nanos, remember};

/// What every actor of a run remembers.
pub(super) type Memories = BTreeMap<String, u64>;

/// What all actors of a run share: the program, addresses that never change, and the memories that a test looks at.
pub(super) struct Setting {
    pub(super) program: Program,
    pub(super) roots: Vec<Addr<Player>>,
    pub(super) streams: Vec<StreamRef<Item>>,
    pub(super) memories: Arc<Mutex<Memories>>,
}

impl Setting {
    fn of_nobody() -> Arc<Self> {
        Arc::new(Self { program: Program::default(), roots: Vec::new(), streams: Vec::new(), memories: Arc::default() })
    }
}

pub(super) struct EngineHandles;

impl Handles for EngineHandles {
    type Peer = Addr<Player>;
    type Timer = Timer;
    type Ask = AskId;
    type Job = JobId;
    type Task = Task;
    type Inbox = Inbox<u64>;
    type Held = Responder<Reply>;
}

pub(super) type EngineNote = Note<Addr<Player>>;

/// An actor of a random program.
#[derive(Serialize, Deserialize)]
pub(super) struct Player {
    /// A restored actor has it from its parent, or from the one that was built in its place.
    #[serde(skip, default = "Setting::of_nobody")]
    setting: Arc<Setting>,
    mind: Mind<EngineHandles>,
}

impl Player {
    pub(super) fn new(setting: Arc<Setting>, root: usize, role: usize, generation: u32) -> Self {
        let mind = Mind::new(&setting.program, root, role, generation, setting.roots.clone());
        Self { setting, mind }
    }

    /// Lets the mind act and notes what it then remembers. A panic leaves the note as it was.
    fn act(&mut self, ctx: &mut Context<'_, Self>, f: impl FnOnce(&mut Mind<EngineHandles>, &mut Wire<'_, '_>) -> ControlFlow<()>) {
        let mut wire = Wire { setting: &self.setting, ctx };
        let _ = f(&mut self.mind, &mut wire);
        self.setting.memories.lock().expect("nobody panics while noting").insert(ctx.path().to_string(), self.mind.memory);
    }

    fn react(&mut self, seen: Seen, ctx: &mut Context<'_, Self>) {
        self.act(ctx, |mind, wire| mind.react(&wire.setting.program, seen, wire));
    }
}

impl Actor for Player {
    fn saving() -> Option<Saving<Self>> {
        let saving = Saving::<Self>::new().message::<EngineNote>().message::<Flash>().message::<Item>().job::<Work>();
        let saving = saving.asks::<Question>().asks::<NextInstant>().answers::<Question>();
        let saving = saving.complete_child::<Self>(|parent, child| child.setting = parent.setting.clone());
        Some(saving.complete(|saved, built| saved.setting = built.setting))
    }

    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        let now = ctx.now();
        self.act(ctx, |mind, wire| mind.start(&wire.setting.program, now, wire));
    }
}

impl Handler<EngineNote> for Player {
    fn handle(&mut self, note: &EngineNote, ctx: &mut Context<'_, Self>) {
        if let Some((peer, root)) = note.about {
            self.mind.meet(&self.setting.program, peer, root);
        }
        let seen = Seen::note(note.body, ctx.event().due);
        self.react(seen, ctx);
    }
}

impl Handler<Flash> for Player {
    fn handle(&mut self, flash: &Flash, ctx: &mut Context<'_, Self>) {
        let seen = Seen::flash(flash.0, ctx.event().due);
        self.react(seen, ctx);
    }
}

impl Handler<Item> for Player {
    fn handle(&mut self, item: &Item, ctx: &mut Context<'_, Self>) {
        let event = ctx.event();
        let seen = Seen::item(item.0, event.due, event.event_time, event.lag);
        self.react(seen, ctx);
    }
}

impl Responds<Question> for Player {
    fn respond(&mut self, question: &Question, responder: Responder<Reply>, ctx: &mut Context<'_, Self>) {
        let seen = Seen::question(question.0, ctx.event().due);
        self.act(ctx, |mind, wire| {
            let answering = mind.answering(&wire.setting.program);
            mind.react(&wire.setting.program, seen, wire)?;
            mind.deal_with(responder, question.0, answering, wire);
            ControlFlow::Continue(())
        });
    }
}

impl Handler<Answer<Question>> for Player {
    fn handle(&mut self, answer: &Answer<Question>, ctx: &mut Context<'_, Self>) {
        let place = self.mind.asks.iter().position(|id| *id == answer.id);
        self.mind.note(place);
        let seen = Seen::answer(said(answer.result.as_ref().map(|reply| reply.0)), ctx.event().due);
        self.react(seen, ctx);
    }
}

impl Handler<Answer<NextInstant>> for Player {
    fn handle(&mut self, answer: &Answer<NextInstant>, ctx: &mut Context<'_, Self>) {
        self.mind.note(None::<usize>);
        let said = match &answer.result {
            Ok(next) => Said::Next(next.0),
            Err(AskError::Gone) => Said::Gone,
            Err(AskError::Timeout) => Said::Timeout,
        };
        let seen = Seen::answer(said, ctx.event().due);
        self.react(seen, ctx);
    }
}

impl Handler<JobDone<Work>> for Player {
    fn handle(&mut self, done: &JobDone<Work>, ctx: &mut Context<'_, Self>) {
        let place = self.mind.jobs.iter().position(|id| *id == done.id);
        self.mind.note(place);
        let seen = Seen::job(done.result.as_ref().map(|work| work.0).map_err(|_| ()), ctx.event().due);
        self.react(seen, ctx);
    }
}

fn said(result: Result<Body, &AskError>) -> Said {
    match result {
        Ok(body) => Said::Body(body),
        Err(AskError::Gone) => Said::Gone,
        Err(AskError::Timeout) => Said::Timeout,
    }
}

/// The engine as an actor's mind calls it.
struct Wire<'a, 'c> {
    setting: &'a Arc<Setting>,
    ctx: &'a mut Context<'c, Player>,
}

impl Calls<EngineHandles> for Wire<'_, '_> {
    fn now(&self) -> Instant {
        self.ctx.now()
    }

    fn tally(&mut self, _: &'static str) {}

    fn send(&mut self, to: &Addr<Player>, delay: Option<Duration>, note: EngineNote) {
        match delay {
            Some(delay) => self.ctx.send_after(*to, delay, note),
            None => self.ctx.send(*to, note),
        }
    }

    fn publish(&mut self, flash: bool, body: Body) {
        if flash { self.ctx.publish(Flash(body)) } else { self.ctx.publish(EngineNote { body, about: None }) }
    }

    fn subscribe(&mut self, to: &Addr<Player>, flash: bool) {
        if flash { self.ctx.subscribe::<Flash, _>(*to) } else { self.ctx.subscribe::<EngineNote, _>(*to) }
    }

    fn unsubscribe(&mut self, to: &Addr<Player>, flash: bool) {
        if flash { self.ctx.unsubscribe::<Flash, _>(*to) } else { self.ctx.unsubscribe::<EngineNote, _>(*to) }
    }

    fn subscribe_stream(&mut self, stream: usize) {
        self.ctx.subscribe_stream(self.setting.streams[stream]);
    }

    fn unsubscribe_stream(&mut self, stream: usize) {
        self.ctx.unsubscribe_stream(self.setting.streams[stream]);
    }

    fn notify(&mut self, due: Due, body: Body) -> Timer {
        let note = EngineNote { body, about: None };
        match due {
            Due::Soon => self.ctx.notify_soon(note),
            Due::After(delay) => self.ctx.notify_after(delay, note),
            Due::At(at) => self.ctx.notify_at(at, note),
            Due::Every { first, period, end } => self.ctx.notify_every(Every { first, period, end }, note),
        }
    }

    fn cancel_timer(&mut self, timer: Timer) -> bool {
        self.ctx.cancel(timer)
    }

    fn ask(&mut self, to: &Addr<Player>, body: Body, timeout: Option<Duration>) -> AskId {
        self.ctx.ask(*to, Question(body), timeout)
    }

    fn answer(&mut self, held: Responder<Reply>, body: Body) {
        self.ctx.reply(held, Reply(body));
    }

    fn give_up(&mut self, held: Responder<Reply>) {
        drop(held);
    }

    fn spawn(&mut self, rank: Option<i32>, root: usize, role: usize, generation: u32) -> Addr<Player> {
        let child = Player::new(self.setting.clone(), root, role, generation);
        match rank {
            Some(rank) => self.ctx.spawn_ranked(Rank(rank), child),
            None => self.ctx.spawn(child),
        }
    }

    fn stop(&mut self) {
        self.ctx.stop();
    }

    fn stop_actor(&mut self, to: &Addr<Player>) {
        self.ctx.stop_actor(*to);
    }

    fn task(&mut self, script: usize, inbox: Inbox<u64>, body: Body) -> Task {
        let setting = self.setting.clone();
        self.ctx.task(move |cx| async move {
            Scene { cx, setting, script, inbox, body }.play().await;
        })
    }

    fn cancel_task(&mut self, task: Task) -> bool {
        self.ctx.cancel_task(task)
    }

    fn inbox(&mut self) -> Inbox<u64> {
        self.ctx.inbox()
    }

    fn push(&mut self, inbox: Inbox<u64>, value: u64) {
        self.ctx.push(inbox, value);
    }

    fn submit(&mut self, latency: Duration, body: Body, panics: bool) -> JobId {
        self.ctx.submit(latency, work(body, panics))
    }

    fn cancel_job(&mut self, job: JobId) -> bool {
        self.ctx.cancel_job(job)
    }

    fn draw(&mut self) -> u64 {
        self.ctx.rng().bits()
    }

    fn next_instant(&mut self, timeout: Option<Duration>) {
        let time_keeper = self.ctx.time_keeper();
        self.ctx.ask(time_keeper, NextInstant, timeout);
    }

    fn stop_run(&mut self) {
        self.ctx.stop_run();
    }

    fn control(&mut self, stream: usize, what: ControlPlan) {
        let what = match what {
            ControlPlan::Pause => Control::Pause,
            ControlPlan::Resume => Control::Resume,
            ControlPlan::End => Control::End,
        };
        self.ctx.control(self.setting.streams[stream], what);
    }

    fn panic(&mut self) {
        planned_panic();
    }
}

/// Panics without a word on the terminal.
fn planned_panic() -> ! {
    resume_unwind(Box::new(PANIC.to_owned()))
}

fn work(body: Body, panics: bool) -> impl FnOnce() -> Work + Send + 'static {
    move || if panics { planned_panic() } else { Work(body) }
}

type Waiting = Pin<Box<dyn Future<Output = u64>>>;

/// A task in the middle of its script.
struct Scene {
    cx: TaskContext<Player>,
    setting: Arc<Setting>,
    script: usize,
    inbox: Inbox<u64>,
    /// The fuel of what it says, and its number among its actor's tasks.
    body: Body,
}

impl Scene {
    /// Plays the script to its end and gives a digest of all that its waits brought.
    async fn play(self) -> u64 {
        let mut value = 0;
        let mut children: Vec<JoinHandle<u64>> = Vec::new();
        let setting = self.setting.clone();
        for step in &setting.program.scripts[self.script] {
            match step {
                Step::Do(op) => {
                    let Body { fuel, tag } = self.body;
                    self.cx.with(|player, ctx| {
                        player.act(ctx, |mind, wire| mind.perform(&setting.program, op, fuel, Some(tag), wire));
                    });
                }
                Step::Await(wait) => {
                    let ready = self.wait(wait, value, &mut children).await;
                    value = self.passed(value, ready);
                }
                Step::Select(a, b) => {
                    let (a, b) = (self.wait(a, value, &mut children), self.wait(b, value, &mut children));
                    let ready = match select(a, b).await {
                        Either::First(ready) => remember(0, ready),
                        Either::Second(ready) => remember(1, ready),
                    };
                    value = self.passed(value, ready);
                }
                Step::Spawn { script } => children.extend(self.spawn(*script)),
                Step::CancelChild { which } => {
                    if let Some(index) = usize::from(*which).checked_rem(children.len()) {
                        children[index].cancel();
                    }
                }
            }
        }
        value
    }

    /// Notes what a wait brought.
    fn passed(&self, value: u64, ready: u64) -> u64 {
        let now = self.cx.now();
        self.cx.with(|player, ctx| {
            player.act(ctx, |mind, _| {
                mind.note((ready, now));
                ControlFlow::Continue(())
            });
        });
        remember(value, ready)
    }

    fn spawn(&self, script: u8) -> Option<JoinHandle<u64>> {
        let later = self.setting.program.scripts.len() - self.script - 1;
        let script = self.script + 1 + usize::from(script).checked_rem(later)?;
        let (inbox, number) = self.cx.with(|player, ctx| (ctx.inbox(), player.mind.tasks.len() as u64 + 1));
        let (setting, body) = (self.setting.clone(), Body { tag: number, ..self.body });
        let handle = self.cx.spawn(move |cx| -> Waiting { Box::pin(Scene { cx, setting, script, inbox, body }.play()) });
        let task = handle.task();
        self.cx.with(|player, _| player.mind.tasks.push((number, task)));
        Some(handle)
    }

    /// Makes one wait; what the engine draws for it is drawn here, not at the first poll.
    fn wait(&self, wait: &Wait, value: u64, children: &mut Vec<JoinHandle<u64>>) -> Waiting {
        let cx = &self.cx;
        let body = Body { fuel: self.body.fuel, tag: value };
        match *wait {
            Wait::Sleep { delay } => {
                let sleep = cx.sleep(nanos(delay));
                Box::pin(async move {
                    sleep.await;
                    SLEPT
                })
            }
            Wait::SleepUntil { offset } => {
                let sleep = cx.sleep_until(cx.now() + nanos(offset));
                Box::pin(async move {
                    sleep.await;
                    SLEPT
                })
            }
            Wait::Recv => Box::pin(cx.recv(self.inbox)),
            Wait::Ask { to, timeout } => match cx.with(|player, _| player.mind.friend(&player.setting.program, to)) {
                Some(to) => {
                    let ask = cx.ask(to, Question(body), timeout.map(nanos));
                    let cx = cx.clone();
                    Box::pin(async move {
                        let result = ask.await;
                        Seen::answer(said(result.as_ref().map(|reply| reply.0)), cx.now()).value()
                    })
                }
                None => self.yields(),
            },
            Wait::Submit { latency, panics } => {
                let (job, cx) = (cx.submit(nanos(latency), work(body, panics)), cx.clone());
                Box::pin(async move {
                    let result: Result<Work, JobPanic> = job.await;
                    Seen::job(result.map(|work| work.0).map_err(|_| ()), cx.now()).value()
                })
            }
            Wait::Join { which } => match usize::from(which).checked_rem(children.len()) {
                Some(index) => {
                    let join = children.remove(index).join();
                    Box::pin(async move { join.await.unwrap_or(CANCELLED) })
                }
                None => self.yields(),
            },
            Wait::Yield => self.yields(),
        }
    }

    fn yields(&self) -> Waiting {
        let pause = self.cx.yield_now();
        Box::pin(async move {
            pause.await;
            YIELDED
        })
    }
}
