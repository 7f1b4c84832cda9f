//! The life of a task: its start, its polls, what wakes it, its end. Invariant: a future is dropped when nothing of the core is borrowed.

use super::table::{Due, Slot, WaitState};
use super::{BoxFuture, Fired, Task, Undo, WaitKey};
use crate::ask::AskError;
use crate::kernel::core::Core;
use crate::kernel::emission::Arrival;
use crate::kernel::entry::{ActorId, Entry, What, no_thunk};
use crate::pool::JobPanic;

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
        tasks.due = true;
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
                WaitState::Fired(Fired::Value(ty, payload)) => self.stores.any(ty).release(payload),
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
                        self.tasks.due = false;
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
