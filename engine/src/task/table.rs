//! The tasks of a shard and what they await. Invariant: a slot is used again only after its task is over and all its waits were taken back.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

use super::{BoxFuture, Inboxes, Stage, Task};
use crate::ask::AskError;
use crate::job::JobId;
use crate::kernel::entry::ActorId;
use crate::kernel::pending::NodeKey;
use crate::pool::JobPanic;

/// One thing that a task awaits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WaitKey {
    pub(crate) index: u32,
    pub(super) generation: u32,
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

pub(super) enum WaitState {
    Free,
    Waiting(Undo),
    Fired(Fired),
}

pub(super) struct Wait {
    pub(super) generation: u32,
    pub(super) task: u32,
    pub(super) state: WaitState,
}

pub(super) struct Slot {
    pub(super) generation: u32,
    pub(super) owner: ActorId,
    pub(super) alive: bool,
    /// Away while it is polled.
    pub(super) future: Option<BoxFuture>,
    pub(super) waits: u32,
    /// Polls in this step already.
    pub(super) woken: bool,
    pub(super) joiners: Vec<(WaitKey, u64)>,
    /// In the list of free slots.
    pub(super) pooled: bool,
}

/// A poll that is due in this step.
#[derive(Clone, Copy)]
pub(super) struct Due {
    pub(super) index: u32,
    pub(super) generation: u32,
    pub(super) cause: u64,
    pub(super) kind: &'static str,
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
    pub(super) slots: Vec<Slot>,
    pub(super) free: Vec<u32>,
    pub(super) waits: Vec<Wait>,
    free_waits: Vec<u32>,
    pub(super) woken: Vec<Due>,
    pub(super) fresh: Vec<Due>,
    /// Whether one of these has something: asked after every delivery.
    pub(super) due: bool,
    pub(super) current: u32,
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
            due: false,
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
        self.due
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
        self.due = false;
    }

    /// The waker of every poll. The engine does not use it.
    pub(crate) fn waker(&self) -> Waker {
        Waker::from(self.foreign.clone())
    }

    /// Whether somebody else woke a task.
    pub(crate) fn woken_by_others(&self) -> bool {
        self.foreign.0.load(Ordering::Relaxed)
    }

    pub(super) fn is_alive(&self, task: Task) -> bool {
        self.slots.get(task.index as usize).is_some_and(|slot| slot.alive && slot.generation == task.generation)
    }

    #[inline]
    pub(super) fn new_wait(&mut self, undo: Undo) -> WaitKey {
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

    pub(super) fn set_undo(&mut self, key: WaitKey, undo: Undo) {
        self.waits[key.index as usize].state = WaitState::Waiting(undo);
    }

    #[inline]
    pub(super) fn free_wait(&mut self, key: WaitKey) -> WaitState {
        let wait = &mut self.waits[key.index as usize];
        let state = std::mem::replace(&mut wait.state, WaitState::Free);
        wait.generation = wait.generation.wrapping_add(1);
        self.slots[wait.task as usize].waits -= 1;
        self.free_waits.push(key.index);
        state
    }

    pub(super) fn is_waiting(&self, key: WaitKey) -> bool {
        let wait = &self.waits[key.index as usize];
        wait.generation == key.generation && matches!(wait.state, WaitState::Waiting(_))
    }

    /// Takes what a wait came to, if it did.
    #[inline]
    pub(super) fn take_fired(&mut self, key: WaitKey) -> Option<Fired> {
        match self.waits[key.index as usize].state {
            WaitState::Fired(_) => match self.free_wait(key) {
                WaitState::Fired(fired) => Some(fired),
                _ => None,
            },
            _ => None,
        }
    }

    /// Ends a wait and has its task polled in this step.
    // Made where it is known what `fired` is: what was just written in parts must not be moved from here.
    #[inline(always)]
    pub(crate) fn fire(&mut self, key: WaitKey, fired: Fired, cause: u64, kind: &'static str) {
        let wait = &mut self.waits[key.index as usize];
        wait.state = WaitState::Fired(fired);
        let index = wait.task;
        let slot = &mut self.slots[index as usize];
        if !slot.woken {
            slot.woken = true;
            self.woken.push(Due { index, generation: slot.generation, cause, kind });
            self.due = true;
        }
    }

    /// The key of the wait that lives in a slot.
    pub(crate) fn wait_in(&self, index: u32) -> WaitKey {
        WaitKey { index, generation: self.waits[index as usize].generation }
    }
}
