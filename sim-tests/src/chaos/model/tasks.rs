//! The model's tasks: scripts with a place in them and the waits they stand at (R18). Invariant: a task stands at no wait, at one, or at two.

use std::ops::ControlFlow;

use stillpoint_engine::{Instant, Path};

use super::calls::Acting;
use super::{Cause, ModelMind, Person, Token, World};
use crate::chaos::messages::{CANCELLED, SLEPT, YIELDED};
use crate::chaos::mind::Calls;
use crate::chaos::program::{Body, Step, Wait, nanos, remember};

/// Something a task stands at.
#[derive(Clone, Copy, Debug)]
enum Standing {
    /// Ready when a delivery has brought this value.
    Token(Token, Option<u64>),
    /// A wake-up that the end of a child will emit.
    Child {
        token: Token,
        child: u64,
        value: Option<u64>,
    },
    Inbox(u64),
}

/// A task.
pub(super) struct Chore {
    script: usize,
    place: usize,
    inbox: u64,
    fuel: u32,
    /// Its number among its actor's, for the ops it does.
    number: u64,
    value: u64,
    children: Vec<u64>,
    standing: Vec<Standing>,
    /// Whether it stands at a choice of two.
    selects: bool,
    /// Who joined it: the waiting task's token and number for the wake-up.
    joiner: Option<(Token, u64)>,
}

impl Chore {
    pub(super) fn new(script: usize, inbox: u64, body: Body) -> Self {
        Self {
            script,
            place: 0,
            inbox,
            fuel: body.fuel,
            number: body.tag,
            value: 0,
            children: Vec::new(),
            standing: Vec::new(),
            selects: false,
            joiner: None,
        }
    }

    pub(super) fn waits_for(&self, token: Token) -> bool {
        self.standing.iter().any(|standing| match standing {
            Standing::Token(other, _) | Standing::Child { token: other, .. } => *other == token,
            Standing::Inbox(_) => false,
        })
    }

    pub(super) fn receives_from(&self, inbox: u64) -> bool {
        self.standing.iter().any(|standing| matches!(standing, Standing::Inbox(other) if *other == inbox))
    }
}

impl Person {
    /// Puts a task on the list of those to be polled in this step, once.
    pub(super) fn is_woken(&mut self, number: u64, cause: Cause) {
        if self.woken.iter().all(|(other, _)| *other != number) {
            self.woken.push((number, cause));
        }
    }
}

impl World<'_> {
    /// A delivery brings `value` to the wait under `token`.
    pub(super) fn wake(&mut self, me: &Path, token: Token, value: u64, cause: Cause) {
        let person = self.people.get_mut(me).expect("a living actor");
        let Some((number, task)) = person.tasks.iter_mut().find(|(_, task)| task.waits_for(token)) else { return };
        for standing in &mut task.standing {
            match standing {
                Standing::Token(other, ready) | Standing::Child { token: other, value: ready, .. } if *other == token => {
                    *ready = Some(value)
                }
                _ => {}
            }
        }
        let number = *number;
        person.is_woken(number, cause);
    }

    /// Polls the woken tasks of an actor in the order of what woke them, then its new ones.
    pub(super) fn poll_all(&mut self, me: &Path) {
        while let Some(person) = self.people.get_mut(me) {
            let next = if person.woken.is_empty() { person.fresh.pop_front() } else { Some(person.woken.remove(0)) };
            let Some((number, cause)) = next else { return };
            if !person.tasks.contains_key(&number) {
                continue;
            }
            self.happened("poll");
            if self.act(me, cause, |acting, mind| acting.poll(number, mind)).is_break() {
                self.panicked(me, cause.kind);
                return;
            }
        }
    }

    /// Ends a task that has not ended. Gives whether there was one.
    pub(super) fn cancel_chore(&mut self, me: &Path, number: u64, count: u64) -> bool {
        let Some(task) = self.people.get_mut(me).expect("a living actor").tasks.remove(&number) else { return false };
        for standing in task.standing {
            self.leave(me, standing);
        }
        self.end_chore(me, number, task.joiner, None, count);
        true
    }

    /// Notes what a task gave and wakes who joined it.
    fn end_chore(&mut self, me: &Path, number: u64, joiner: Option<(Token, u64)>, value: Option<u64>, count: u64) {
        self.people.get_mut(me).expect("a living actor").over.insert(number, value);
        if let Some((token, seq)) = joiner {
            self.emit_wake(me, token, seq, 0, value.unwrap_or(CANCELLED), count);
        }
    }

    /// Drops a wait.
    fn leave(&mut self, me: &Path, standing: Standing) {
        match standing {
            Standing::Token(token, _) => {
                self.cancel(me, token);
                let ask = self.asks.iter().find(|(_, ask)| ask.wait == Some(token) && ask.open).map(|(id, _)| *id);
                if let Some(ask) = ask {
                    self.happened("an ask whose task left it");
                    self.close_ask(ask);
                }
            }
            Standing::Child { token, child, .. } => {
                self.cancel(me, token);
                if let Some(task) = self.people.get_mut(me).expect("a living actor").tasks.get_mut(&child) {
                    task.joiner = None;
                }
            }
            Standing::Inbox(_) => {}
        }
    }
}

impl Acting<'_, '_> {
    fn chore(&mut self, number: u64) -> &mut Chore {
        let person = self.world.people.get_mut(&self.me.path).expect("a living actor");
        person.tasks.get_mut(&number).expect("a task that has not ended")
    }

    /// Goes on with a task until it must wait, ends or panics.
    fn poll(&mut self, number: u64, mind: &mut ModelMind) -> ControlFlow<()> {
        let program = self.world.program;
        loop {
            if !self.chore(number).standing.is_empty() && !self.pass(number, mind) {
                return ControlFlow::Continue(());
            }
            let task = self.chore(number);
            let (script, place, fuel, own) = (task.script, task.place, task.fuel, task.number);
            task.place += 1;
            let Some(step) = program.scripts[script].get(place) else {
                let me = self.me.path.clone();
                let task = self.world.people.get_mut(&me).expect("a living actor").tasks.remove(&number).expect("this task");
                self.world.end_chore(&me, number, task.joiner, Some(task.value), self.cause.count);
                return ControlFlow::Continue(());
            };
            match step {
                Step::Do(op) => {
                    mind.perform(program, op, fuel, Some(own), self)?;
                    self.world.memories.insert(self.me.path.to_string(), mind.memory);
                }
                Step::Await(wait) => self.stand(number, &[wait], mind),
                Step::Select(a, b) => self.stand(number, &[a, b], mind),
                Step::Spawn { script: other } => {
                    let later = program.scripts.len() - script - 1;
                    if let Some(other) = usize::from(*other).checked_rem(later) {
                        self.world.happened("spawn a task");
                        let inbox = self.inbox();
                        let tag = mind.tasks.len() as u64 + 1;
                        let child = self.start_task(script + 1 + other, inbox, Body { fuel, tag });
                        mind.tasks.push((tag, child));
                        self.chore(number).children.push(child);
                    }
                }
                Step::CancelChild { which } => {
                    let children = &self.chore(number).children;
                    if let Some(index) = usize::from(*which).checked_rem(children.len()) {
                        let (child, me) = (children[index], self.me.path.clone());
                        self.world.happened("cancel a child task");
                        self.world.cancel_chore(&me, child, self.cause.count);
                    }
                }
            }
        }
    }

    /// Makes the waits of a step, in order.
    fn stand(&mut self, number: u64, waits: &[&Wait], mind: &ModelMind) {
        for wait in waits {
            let standing = self.make(number, wait, mind);
            self.chore(number).standing.push(standing);
        }
        self.chore(number).selects = waits.len() == 2;
    }

    fn make(&mut self, number: u64, wait: &Wait, mind: &ModelMind) -> Standing {
        let (now, program) = (self.now(), self.world.program);
        let body = Body { fuel: self.chore(number).fuel, tag: self.chore(number).value };
        match *wait {
            Wait::Sleep { delay } => {
                self.world.happened("sleep");
                Standing::Token(self.wait_for_wake(Some(i128::from(delay)), SLEPT).0, None)
            }
            Wait::SleepUntil { offset } => {
                self.world.happened("sleep until");
                let until = now + nanos(offset);
                let delay = i128::from(until.as_nanos()) - i128::from(now.as_nanos());
                Standing::Token(self.wait_for_wake(Some(delay), SLEPT).0, None)
            }
            Wait::Recv => {
                self.world.happened("recv");
                Standing::Inbox(self.chore(number).inbox)
            }
            Wait::Ask { to, timeout } => match mind.friend(program, to) {
                Some(to) => {
                    self.world.happened("ask in a task");
                    let token = self.world.token();
                    self.ask_for(&to, Some(body), timeout.map(nanos), Some(token));
                    Standing::Token(token, None)
                }
                None => self.yields(),
            },
            Wait::Submit { latency, panics } => {
                self.world.happened("submit in a task");
                Standing::Token(self.start_job(nanos(latency), body, panics), None)
            }
            Wait::Join { which } => {
                let children = &mut self.chore(number).children;
                let Some(index) = usize::from(which).checked_rem(children.len()) else { return self.yields() };
                let child = children.remove(index);
                self.world.happened("join");
                let (token, seq) = self.wait_for_wake(None, 0);
                let person = self.world.people.get_mut(&self.me.path).expect("a living actor");
                match person.over.get(&child).copied() {
                    Some(value) => {
                        let me = self.me.path.clone();
                        self.world.emit_wake(&me, token, seq, 0, value.unwrap_or(CANCELLED), self.cause.count);
                    }
                    None => self.chore(child).joiner = Some((token, seq)),
                }
                Standing::Child { token, child, value: None }
            }
            Wait::Yield => self.yields(),
        }
    }

    fn yields(&mut self) -> Standing {
        self.world.happened("yield");
        Standing::Token(self.wait_for_wake(Some(0), YIELDED).0, None)
    }

    /// Passes the waits of a task if one is ready, the first one where both are, and leaves the other.
    fn pass(&mut self, number: u64, mind: &mut ModelMind) -> bool {
        let me = self.me.path.clone();
        let now = Instant::from_nanos(self.world.now.at);
        let standing = self.chore(number).standing.clone();
        for (index, one) in standing.iter().enumerate() {
            let ready = match one {
                Standing::Token(_, value) | Standing::Child { value, .. } => *value,
                Standing::Inbox(inbox) => {
                    let person = self.world.people.get_mut(&me).expect("a living actor");
                    person.inboxes.get_mut(inbox).and_then(|inbox| inbox.pop_front())
                }
            };
            let Some(value) = ready else { continue };
            for (_, other) in standing.iter().enumerate().filter(|(other, _)| *other != index) {
                self.world.leave(&me, *other);
                self.world.happened("leave the other wait");
            }
            let task = self.chore(number);
            task.standing.clear();
            let value = if task.selects { remember(index as u64, value) } else { value };
            task.value = remember(task.value, value);
            mind.note((value, now));
            self.world.memories.insert(me.to_string(), mind.memory);
            return true;
        }
        false
    }
}
