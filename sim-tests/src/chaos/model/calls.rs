//! What an actor of the model can do: every call draws its number at once and queues at most one delivery a receiver (R1, R2).

use std::collections::VecDeque;

use stillpoint_engine::{Duration, Instant, Message, Path, Rank, Rng, digest_of};

use super::tasks::Chore;
use super::{Answer, Ask, AskId, Being, Birth, Cause, Class, Delivery, ModelHandles, Repeat, Token, What, World, facet_of, unit, wide};
use crate::chaos::account::Ending;
use crate::chaos::messages::{Flash, NOTE, Note, Question, Reply, Work};
use crate::chaos::mind::{Calls, Due, PANIC};
use crate::chaos::program::{Body, ControlPlan};

/// An actor in the middle of a delivery or of a task's poll.
pub(super) struct Acting<'w, 'p> {
    pub(super) world: &'w mut World<'p>,
    pub(super) me: Being,
    pub(super) cause: Cause,
}

impl Acting<'_, '_> {
    fn draw_seq(&mut self) -> u64 {
        self.world.draw_seq(&self.me.path)
    }

    fn delivery(&self, kind: &'static str, digest: u64, what: What) -> Delivery {
        Delivery { sender_count: self.cause.count, kind, digest, what }
    }

    /// Sends something to another actor: over a link if it stands under another root. Gives whether a link leads there.
    fn post(&mut self, to: &Being, delay: Option<i128>, kind: &'static str, digest: u64, what: impl FnOnce(i64) -> What) -> bool {
        let seq = self.draw_seq();
        let Some(latency) = self.world.program.latency(self.me.root, to.root) else {
            self.undeclared(&self.me.path.clone(), &to.path);
            return false;
        };
        // A negative delay of a message is none: a link cannot be too fast.
        let takes = i128::from(latency) + delay.unwrap_or(0).max(0);
        let due = (i128::from(self.world.now.at) + takes).min(i128::from(i64::MAX)) as i64;
        let delivery = self.delivery(kind, digest, what(due));
        self.world.emit(Class::Message, &self.me.path, seq, &to.path, takes, delivery);
        true
    }

    /// A send where no link leads: the run ends at this step (R14).
    fn undeclared(&mut self, from: &Path, to: &Path) {
        let ending = Ending::Undeclared(self.world.site(), from.to_string(), to.to_string(), self.cause.kind.to_owned());
        self.world.happened("an undeclared send");
        self.world.faults.push(ending);
    }

    /// Sends within the actor's own tree.
    fn post_inside(&mut self, to: &Being, kind: &'static str, what: What) {
        self.post(to, None, kind, unit(), |_| what);
    }

    /// Asks an actor, or the time-keeper if there is no body.
    pub(super) fn ask_for(&mut self, to: &Being, body: Option<Body>, timeout: Option<Duration>, wait: Option<Token>) -> AskId {
        let id = self.world.token();
        let program = self.world.program;
        let (there, back) = (program.latency(self.me.root, to.root), program.latency(to.root, self.me.root));
        let seq = self.draw_seq();
        let here = self.me.path.clone();
        let open = match (there, back) {
            (None, _) => {
                self.undeclared(&here, &to.path);
                false
            }
            (_, None) => {
                self.undeclared(&to.path, &here);
                false
            }
            _ => true,
        };
        let rank = self.world.rank(&here);
        let mut ask = Ask {
            asker: self.me.clone(),
            target: to.clone(),
            order: (self.world.now, rank, here.clone(), seq),
            body,
            timeout: None,
            wait,
            open,
            count: 0,
        };
        if let (Some(latency), true) = (there, open) {
            let (kind, digest) = match body {
                Some(body) => (Question::KIND, digest_of(&body)),
                None => ("next-instant", unit()),
            };
            let delivery = self.delivery(kind, digest, What::Request { ask: id });
            if let Some(key) = self.world.emit(Class::Message, &here, seq, &to.path, i128::from(latency), delivery) {
                ask.order.0 = key.when;
            }
            if let Some(timeout) = timeout {
                let (seq, token) = (self.draw_seq(), self.world.token());
                let due = self.now().as_nanos().saturating_add(timeout.as_nanos());
                let delivery = self.delivery("timeout", unit(), What::Timeout { token, ask: id, due });
                if let Some(key) = self.world.emit(Class::Timer, &here, seq, &here, wide(timeout), delivery) {
                    self.world.people.get_mut(&here).expect("a living actor").pending.insert(token, key);
                    ask.timeout = Some(token);
                }
            }
        }
        self.world.asks.insert(id, ask);
        id
    }

    /// Draws a number for a wake-up and gives the token of the wait. It comes after `delay`; `None`: when something else says so.
    pub(super) fn wait_for_wake(&mut self, delay: Option<i128>, value: u64) -> (Token, u64) {
        let (token, seq) = (self.world.token(), self.draw_seq());
        if let Some(delay) = delay {
            self.world.emit_wake(&self.me.path.clone(), token, seq, delay, value, self.cause.count);
        }
        (token, seq)
    }

    /// Submits a job and gives its token.
    pub(super) fn start_job(&mut self, latency: Duration, body: Body, panics: bool) -> Token {
        let (token, seq) = (self.world.token(), self.draw_seq());
        let (kind, digest) = if panics { ("job-panic", digest_of(PANIC)) } else { (Work::KIND, digest_of(&body)) };
        let result = if panics { Err(()) } else { Ok(body) };
        let delivery = self.delivery(kind, digest, What::Job { token, result });
        let me = self.me.path.clone();
        if let Some(key) = self.world.emit(Class::Wake, &me, seq, &me, wide(latency), delivery) {
            self.world.people.get_mut(&me).expect("a living actor").pending.insert(token, key);
        }
        token
    }

    /// Starts a task that polls first in this step, after those that are waiting for their poll.
    pub(super) fn start_task(&mut self, script: usize, inbox: u64, body: Body) -> u64 {
        let number = self.world.token();
        let person = self.world.people.get_mut(&self.me.path).expect("a living actor");
        person.tasks.insert(number, Chore::new(script, inbox, body));
        person.fresh.push_back((number, self.cause));
        number
    }
}

impl Calls<ModelHandles> for Acting<'_, '_> {
    fn now(&self) -> Instant {
        Instant::from_nanos(self.world.now.at)
    }

    fn tally(&mut self, op: &'static str) {
        self.world.happened(op);
    }

    fn send(&mut self, to: &Being, delay: Option<Duration>, note: Note<Being>) {
        let Note { body, about } = note;
        self.post(to, delay.map(wide), NOTE, digest_of(&body), |due| What::Note { body, about, due });
    }

    fn publish(&mut self, flash: bool, body: Body) {
        let seq = self.draw_seq();
        let me = self.me.path.clone();
        let subscribers = self.world.subscribers.get(&(me.clone(), flash)).cloned().unwrap_or_default();
        for (subscriber, root) in subscribers {
            let latency = self.world.program.latency(self.me.root, root).expect("checked at the subscription");
            let delivery = self.delivery(if flash { Flash::KIND } else { NOTE }, digest_of(&body), What::Publication { flash, body });
            self.world.emit(Class::Message, &me, seq, &subscriber, i128::from(latency), delivery);
        }
    }

    fn subscribe(&mut self, to: &Being, flash: bool) {
        let digest = digest_of(if flash { Flash::KIND } else { NOTE });
        if self.post(to, None, "subscribe", digest, |_| What::Subscribe { flash }) {
            self.world.last_call.insert((self.me.path.clone(), to.path.clone(), flash), true);
        }
    }

    fn unsubscribe(&mut self, to: &Being, flash: bool) {
        self.world.last_call.insert((self.me.path.clone(), to.path.clone(), flash), false);
        if self.world.program.joined(self.me.root, to.root) {
            self.world.ended_subscriptions.push((to.path.clone(), flash, self.me.path.clone()));
        }
    }

    fn subscribe_stream(&mut self, stream: usize) {
        let now = self.world.now.at;
        self.world.never += self.world.flows[stream].subscribe(self.me.path.clone(), now);
    }

    fn unsubscribe_stream(&mut self, stream: usize) {
        self.world.flows[stream].subscribers.remove(&self.me.path);
    }

    fn notify(&mut self, due: Due, body: Body) -> Token {
        let now = i128::from(self.world.now.at);
        let (due, repeat) = match due {
            Due::Soon => (now, None),
            Due::After(delay) => (now + wide(delay), None),
            Due::At(at) => (i128::from(at.as_nanos()), None),
            Due::Every { first, period, end } => {
                (i128::from(first.as_nanos()), Some(Repeat { period: period.as_nanos(), end: end.map(Instant::as_nanos) }))
            }
        };
        let token = self.world.token();
        if repeat.and_then(|repeat: Repeat| repeat.end).is_some_and(|end| due > i128::from(end)) {
            self.draw_seq();
            return token;
        }
        self.world.arm(&self.me.path.clone(), token, due, body, repeat, self.cause.count);
        token
    }

    fn cancel_timer(&mut self, timer: Token) -> bool {
        self.world.cancel(&self.me.path, timer)
    }

    fn ask(&mut self, to: &Being, body: Body, timeout: Option<Duration>) -> AskId {
        self.ask_for(to, Some(body), timeout, None)
    }

    fn answer(&mut self, held: AskId, body: Body) {
        self.world.unanswered.remove(&held);
        let seq = self.draw_seq();
        let me = self.me.clone();
        self.world.send_reply(&me, held, seq, self.cause.count, Reply::KIND, digest_of(&body), Answer::Body(body));
    }

    fn give_up(&mut self, held: AskId) {
        self.world.unanswered.remove(&held);
        self.world.lost.push(held);
    }

    fn spawn(&mut self, rank: Option<i32>, root: usize, role: usize, generation: u32) -> Being {
        let index = self.world.children.entry(self.me.path.clone()).or_insert(0);
        let being = Being { path: self.me.path.child(*index), root };
        *index += 1;
        let rank = rank.map_or_else(|| self.world.rank(&self.me.path), Rank);
        let birth = Birth { parent: self.me.path.clone(), being: being.clone(), rank, role, generation, count: self.cause.count };
        self.world.births.push(birth);
        being
    }

    fn stop(&mut self) {
        self.world.stopping.insert(self.me.path.clone());
    }

    fn stop_actor(&mut self, to: &Being) {
        self.post(to, None, "stop", unit(), |_| What::Stop);
    }

    fn task(&mut self, script: usize, inbox: u64, body: Body) -> u64 {
        self.start_task(script, inbox, body)
    }

    fn cancel_task(&mut self, task: u64) -> bool {
        let me = self.me.path.clone();
        self.world.cancel_chore(&me, task, self.cause.count)
    }

    fn inbox(&mut self) -> u64 {
        let inbox = self.world.token();
        self.world.people.get_mut(&self.me.path).expect("a living actor").inboxes.insert(inbox, VecDeque::new());
        inbox
    }

    fn push(&mut self, inbox: u64, value: u64) {
        let person = self.world.people.get_mut(&self.me.path).expect("a living actor");
        person.inboxes.get_mut(&inbox).expect("an inbox of its own").push_back(value);
        let waiting: Vec<u64> = person.tasks.iter().filter(|(_, task)| task.receives_from(inbox)).map(|(number, _)| *number).collect();
        for number in waiting {
            person.is_woken(number, self.cause);
        }
    }

    fn submit(&mut self, latency: Duration, body: Body, panics: bool) -> Token {
        self.start_job(latency, body, panics)
    }

    fn cancel_job(&mut self, job: Token) -> bool {
        self.world.cancel(&self.me.path, job)
    }

    fn draw(&mut self) -> u64 {
        let (seed, path) = (self.world.program.seed, self.me.path.to_string());
        let rng = self.world.rngs.entry(self.me.path.clone()).or_insert_with(|| Rng::of(seed, &path, "actor"));
        rng.bits()
    }

    fn next_instant(&mut self, timeout: Option<Duration>) {
        let facet = facet_of(&self.me);
        self.ask_for(&facet, None, timeout, None);
    }

    fn stop_run(&mut self) {
        let facet = facet_of(&self.me);
        self.post_inside(&facet, "stop-run", What::StopRun);
    }

    fn control(&mut self, stream: usize, what: ControlPlan) {
        let being = Being { path: self.world.program.stream_path(stream), root: self.me.root };
        let kind = match what {
            ControlPlan::Pause => "pause",
            ControlPlan::Resume => "resume",
            ControlPlan::End => "end",
        };
        self.post_inside(&being, kind, What::Control(what));
    }

    fn panic(&mut self) {}
}

impl World<'_> {
    /// Queues a wake-up of a task's wait.
    pub(super) fn emit_wake(&mut self, owner: &Path, token: Token, seq: u64, delay: i128, value: u64, count: u64) {
        let delivery = Delivery { sender_count: count, kind: "wake", digest: unit(), what: What::Wake { token, value } };
        if let Some(key) = self.emit(Class::Wake, owner, seq, owner, delay, delivery) {
            self.people.get_mut(owner).expect("a living actor").pending.insert(token, key);
        }
    }
}
