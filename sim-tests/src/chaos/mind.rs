//! What an actor of a random program decides: the same for the engine and the reference model. Invariant: it sees deliveries and the answers to
//! its calls, and folds all of them into its memory.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Duration, Instant};

use super::messages::{Note, Seen};
use super::program::{Answering, Body, ControlPlan, Op, Program, Who, nanos, remember};

/// The handles that a host of actors gives out.
pub(crate) trait Handles {
    type Peer: Clone;
    type Timer: Clone;
    type Ask: PartialEq;
    type Job: Clone + PartialEq;
    type Task: Clone;
    type Inbox: Clone;
    type Held;
}

/// When an own timer is due.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Due {
    Soon,
    After(Duration),
    At(Instant),
    Every { first: Instant, period: Duration, end: Option<Instant> },
}

/// What a host offers to an actor that is handling a delivery, or to its task between two waits.
pub(crate) trait Calls<H: Handles> {
    fn now(&self) -> Instant;
    fn tally(&mut self, op: &'static str);
    fn send(&mut self, to: &H::Peer, delay: Option<Duration>, note: Note<H::Peer>);
    fn publish(&mut self, flash: bool, body: Body);
    fn subscribe(&mut self, to: &H::Peer, flash: bool);
    fn unsubscribe(&mut self, to: &H::Peer, flash: bool);
    fn subscribe_stream(&mut self, stream: usize);
    fn unsubscribe_stream(&mut self, stream: usize);
    fn notify(&mut self, due: Due, body: Body) -> H::Timer;
    fn cancel_timer(&mut self, timer: H::Timer) -> bool;
    fn ask(&mut self, to: &H::Peer, body: Body, timeout: Option<Duration>) -> H::Ask;
    fn answer(&mut self, held: H::Held, body: Body);
    fn give_up(&mut self, held: H::Held);
    fn spawn(&mut self, rank: Option<i32>, root: usize, role: usize, generation: u32) -> H::Peer;
    fn stop(&mut self);
    fn stop_actor(&mut self, to: &H::Peer);
    fn task(&mut self, script: usize, inbox: H::Inbox, body: Body) -> H::Task;
    fn cancel_task(&mut self, task: H::Task) -> bool;
    fn inbox(&mut self) -> H::Inbox;
    fn push(&mut self, inbox: H::Inbox, value: u64);
    fn submit(&mut self, latency: Duration, body: Body, panics: bool) -> H::Job;
    fn cancel_job(&mut self, job: H::Job) -> bool;
    fn draw(&mut self) -> u64;
    fn next_instant(&mut self, timeout: Option<Duration>);
    fn stop_run(&mut self);
    fn control(&mut self, stream: usize, what: ControlPlan);
    /// In the engine this does not return.
    fn panic(&mut self);
}

/// An actor's memory and all it holds.
#[derive(Serialize, Deserialize)]
#[serde(bound(
    serialize = "H::Peer: Serialize, H::Timer: Serialize, H::Ask: Serialize, H::Job: Serialize, H::Task: Serialize, H::Inbox: Serialize, \
                 H::Held: Serialize",
    deserialize = "H::Peer: Deserialize<'de>, H::Timer: Deserialize<'de>, H::Ask: Deserialize<'de>, H::Job: Deserialize<'de>, \
                   H::Task: Deserialize<'de>, H::Inbox: Deserialize<'de>, H::Held: Deserialize<'de>"
))]
pub(crate) struct Mind<H: Handles> {
    pub(crate) role: usize,
    pub(crate) root: usize,
    pub(crate) generation: u32,
    pub(crate) memory: u64,
    pub(crate) handled: usize,
    pub(crate) asked: usize,
    pub(crate) energy: u32,
    /// Those it may send to, with their roots.
    pub(crate) peers: Vec<(H::Peer, usize)>,
    pub(crate) roots: Vec<H::Peer>,
    pub(crate) timers: Vec<H::Timer>,
    pub(crate) asks: Vec<H::Ask>,
    pub(crate) jobs: Vec<H::Job>,
    /// Its tasks with their numbers.
    pub(crate) tasks: Vec<(u64, H::Task)>,
    pub(crate) inboxes: Vec<H::Inbox>,
    pub(crate) held: Vec<H::Held>,
}

const MOST_PEERS: usize = 12;
const OLDEST_GENERATION: u32 = 3;
const FIRST_FUEL: u32 = 12;
/// What a spawn takes besides, so that populations stay small.
const SPAWN_COST: u32 = 12;

pub(crate) const PANIC: &str = "a planned panic";

fn pick<T>(list: &[T], which: u8) -> Option<&T> {
    list.get(usize::from(which).checked_rem(list.len())?)
}

fn take<T>(list: &mut Vec<T>, which: u8) -> Option<T> {
    let index = usize::from(which).checked_rem(list.len())?;
    Some(list.remove(index))
}

impl<H: Handles> Mind<H> {
    pub(crate) fn new(program: &Program, root: usize, role: usize, generation: u32, roots: Vec<H::Peer>) -> Self {
        let peers = (0..roots.len()).filter(|to| program.latency(root, *to).is_some()).map(|to| (roots[to].clone(), to)).collect();
        Self {
            role,
            root,
            generation,
            memory: role as u64,
            handled: 0,
            asked: 0,
            energy: if generation == 0 { program.energy } else { program.energy >> (generation + 1) },
            peers,
            roots,
            timers: Vec::new(),
            asks: Vec::new(),
            jobs: Vec::new(),
            tasks: Vec::new(),
            inboxes: Vec::new(),
            held: Vec::new(),
        }
    }

    pub(crate) fn note(&mut self, seen: impl std::hash::Hash) {
        self.memory = remember(self.memory, seen);
    }

    fn peer(&self, who: Who) -> Option<H::Peer> {
        pick(&self.peers, who).map(|peer| peer.0.clone())
    }

    /// A peer that may also answer.
    pub(crate) fn friend(&self, program: &Program, who: Who) -> Option<H::Peer> {
        let friends: Vec<_> = self.peers.iter().filter(|peer| program.mutual(self.root, peer.1)).collect();
        pick(&friends, who).map(|peer| peer.0.clone())
    }

    pub(crate) fn start(&mut self, program: &Program, now: Instant, calls: &mut impl Calls<H>) -> ControlFlow<()> {
        self.note((0u64, now));
        self.perform_all(program, &program.roles[self.role].on_start, FIRST_FUEL, calls)
    }

    /// Reacts to a delivery other than the start.
    pub(crate) fn react(&mut self, program: &Program, seen: Seen, calls: &mut impl Calls<H>) -> ControlFlow<()> {
        self.handled += 1;
        self.note((seen, calls.now()));
        let table = &program.roles[self.role].table;
        if seen.body.fuel == 0 || table.is_empty() {
            return ControlFlow::Continue(());
        }
        let ops = &table[(self.handled + seen.body.tag as usize % 2) % table.len()];
        self.perform_all(program, ops, seen.body.fuel - 1, calls)
    }

    /// How the next question is dealt with.
    pub(crate) fn answering(&mut self, program: &Program) -> Answering {
        let answers = &program.roles[self.role].answers;
        self.asked += 1;
        answers[self.asked % answers.len()]
    }

    /// Answers, keeps or drops a question, after the reaction to it.
    pub(crate) fn deal_with(&mut self, held: H::Held, question: Body, answering: Answering, calls: &mut impl Calls<H>) {
        match answering {
            Answering::Now => {
                calls.tally("answer");
                let body = Body { fuel: question.fuel.saturating_sub(1), tag: self.memory };
                calls.answer(held, body);
            }
            Answering::Keep => {
                calls.tally("keep a question");
                self.held.push(held);
            }
            Answering::Drop => {
                calls.tally("drop a question");
                calls.give_up(held);
            }
        }
    }

    /// Learns of another actor.
    pub(crate) fn meet(&mut self, program: &Program, peer: H::Peer, root: usize) {
        if self.peers.len() < MOST_PEERS && program.latency(self.root, root).is_some() {
            self.peers.push((peer, root));
        }
    }

    fn perform_all(&mut self, program: &Program, ops: &[Op], fuel: u32, calls: &mut impl Calls<H>) -> ControlFlow<()> {
        ops.iter().try_for_each(|op| self.perform(program, op, fuel, None, calls))
    }

    /// Does one thing, if there is energy left. `task` is the number of the task that does it. Breaks on a panic.
    pub(crate) fn perform(
        &mut self,
        program: &Program,
        op: &Op,
        fuel: u32,
        task: Option<u64>,
        calls: &mut impl Calls<H>,
    ) -> ControlFlow<()> {
        if self.energy == 0 {
            return ControlFlow::Continue(());
        }
        self.energy -= 1;
        self.note(self.energy);
        let body = Body { fuel, tag: self.memory };
        let note = Note { body, about: None };
        match *op {
            Op::Send { to } => {
                if let Some(to) = self.peer(to) {
                    calls.tally("send");
                    calls.send(&to, None, note);
                }
            }
            Op::SendAfter { to, delay } => {
                if let Some(to) = self.peer(to) {
                    calls.tally(if delay > 0 { "send after" } else { "send for the past" });
                    calls.send(&to, Some(nanos(delay)), note);
                }
            }
            Op::Mention { to, about } => {
                if let (Some(to), Some(about)) = (self.peer(to), pick(&self.peers, about).cloned()) {
                    calls.tally("mention");
                    calls.send(&to, None, Note { body, about: Some(about) });
                }
            }
            Op::SendAstray { root } => {
                if let Some(to) = pick(&self.roots, root).cloned() {
                    calls.tally("send astray");
                    calls.send(&to, None, note);
                }
            }
            Op::AskAstray { root } => {
                if let Some(to) = pick(&self.roots, root).cloned() {
                    calls.tally("ask astray");
                    let ask = calls.ask(&to, body, Some(nanos(2)));
                    self.asks.push(ask);
                }
            }
            Op::Publish { flash } => {
                calls.tally("publish");
                calls.publish(flash, body);
            }
            Op::Subscribe { to, flash } => {
                if let Some(to) = self.friend(program, to) {
                    calls.tally("subscribe");
                    calls.subscribe(&to, flash);
                }
            }
            Op::Unsubscribe { to, flash } => {
                if let Some(to) = self.friend(program, to) {
                    calls.tally("unsubscribe");
                    calls.unsubscribe(&to, flash);
                }
            }
            Op::SubscribeStream { stream } => {
                if let Some(stream) = usize::from(stream).checked_rem(program.streams.len())
                    && program.may_hear(self.root, stream)
                {
                    calls.tally("subscribe to a stream");
                    calls.subscribe_stream(stream);
                }
            }
            Op::UnsubscribeStream { stream } => {
                if let Some(stream) = usize::from(stream).checked_rem(program.streams.len()) {
                    calls.tally("unsubscribe from a stream");
                    calls.unsubscribe_stream(stream);
                }
            }
            Op::Soon => {
                calls.tally("notify soon");
                let timer = calls.notify(Due::Soon, body);
                self.timers.push(timer);
            }
            Op::After { delay } => {
                calls.tally("notify after");
                let timer = calls.notify(Due::After(nanos(delay)), body);
                self.timers.push(timer);
            }
            Op::At { offset } => {
                calls.tally("notify at");
                let timer = calls.notify(Due::At(calls.now() + nanos(offset)), body);
                self.timers.push(timer);
            }
            Op::Every { first, period, ticks } => {
                calls.tally("notify every");
                let (first, period) = (calls.now() + nanos(first), nanos(period));
                let span = i128::from(period.as_nanos()) * i128::from(ticks);
                // An interval whose end lies beyond the last instant has none: the last instant ends it.
                let end = i128::from(first.as_nanos()) + span;
                let end = (end <= i128::from(i64::MAX)).then(|| Instant::from_nanos(end.max(i128::from(i64::MIN)) as i64));
                let timer = calls.notify(Due::Every { first, period, end }, body);
                self.timers.push(timer);
            }
            Op::CancelTimer { which } => {
                if let Some(timer) = pick(&self.timers, which).cloned() {
                    let pending = calls.cancel_timer(timer);
                    calls.tally(if pending { "cancel a pending timer" } else { "cancel a timer in vain" });
                    self.note(pending);
                }
            }
            Op::Ask { to, timeout } => {
                if let Some(to) = self.friend(program, to) {
                    calls.tally(if timeout.is_some() { "ask with a timeout" } else { "ask" });
                    let ask = calls.ask(&to, body, timeout.map(nanos));
                    self.asks.push(ask);
                }
            }
            Op::AnswerKept { which } => {
                if let Some(held) = take(&mut self.held, which) {
                    calls.tally("answer later");
                    calls.answer(held, body);
                }
            }
            Op::DropKept { which } => {
                if let Some(held) = take(&mut self.held, which) {
                    calls.tally("drop a kept question");
                    calls.give_up(held);
                }
            }
            Op::Spawn { role, rank } => {
                if self.generation < OLDEST_GENERATION {
                    calls.tally(if rank.is_some() { "spawn ranked" } else { "spawn" });
                    self.energy = self.energy.saturating_sub(SPAWN_COST);
                    let role = usize::from(role) % program.roles.len();
                    let child = calls.spawn(rank, self.root, role, self.generation + 1);
                    self.peers.truncate(MOST_PEERS - 1);
                    self.peers.push((child, self.root));
                }
            }
            Op::StopSelf => {
                calls.tally("stop");
                calls.stop();
            }
            Op::StopOther { to } => {
                if let Some(to) = self.peer(to) {
                    calls.tally("stop another");
                    calls.stop_actor(&to);
                }
            }
            Op::Task { script } => {
                if let Some(script) = usize::from(script).checked_rem(program.scripts.len()) {
                    calls.tally("task");
                    let inbox = calls.inbox();
                    let number = self.tasks.len() as u64 + 1;
                    self.inboxes.push(inbox.clone());
                    let task = calls.task(script, inbox, Body { fuel, tag: number });
                    self.tasks.push((number, task));
                }
            }
            Op::CancelTask { which } => {
                if let Some((number, victim)) = pick(&self.tasks, which).cloned()
                    && Some(number) != task
                {
                    let running = calls.cancel_task(victim);
                    calls.tally(if running { "cancel a task" } else { "cancel a task in vain" });
                    self.note(running);
                }
            }
            Op::Push { which } => {
                if task.is_none()
                    && let Some(inbox) = pick(&self.inboxes, which).cloned()
                {
                    calls.tally("push");
                    calls.push(inbox, body.tag);
                }
            }
            Op::Submit { latency, panics } => {
                calls.tally(if panics { "submit a job that panics" } else { "submit" });
                let job = calls.submit(nanos(latency), body, panics);
                self.jobs.push(job);
            }
            Op::CancelJob { which } => {
                if let Some(job) = pick(&self.jobs, which).cloned() {
                    let pending = calls.cancel_job(job);
                    calls.tally(if pending { "cancel a job" } else { "cancel a job in vain" });
                    self.note(pending);
                }
            }
            Op::Panic => {
                calls.tally("panic");
                calls.panic();
                return ControlFlow::Break(());
            }
            Op::Draw { to } => {
                if let Some(to) = self.peer(to) {
                    calls.tally("draw");
                    let tag = calls.draw();
                    calls.send(&to, None, Note { body: Body { fuel, tag }, about: None });
                }
            }
            Op::NextInstant { timeout } => {
                calls.tally("next instant");
                calls.next_instant(timeout.map(nanos));
            }
            Op::StopRun => {
                calls.tally("stop the run");
                calls.stop_run();
            }
            Op::Control { stream, what } => {
                let open: Vec<usize> = (0..program.streams.len())
                    .filter(|stream| program.streams[*stream].controlled && program.may_hear(self.root, *stream))
                    .collect();
                if let Some(stream) = pick(&open, stream).copied() {
                    calls.tally(match what {
                        ControlPlan::Pause => "pause",
                        ControlPlan::Resume => "resume",
                        ControlPlan::End => "end",
                    });
                    calls.control(stream, what);
                }
            }
        }
        ControlFlow::Continue(())
    }
}
