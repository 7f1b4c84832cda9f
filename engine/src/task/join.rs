//! Joining tasks. Invariant: whoever joins wakes in the step after the task ended, or after the call if that was before.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as StdContext, Poll};

use crate::task::future::Sleep;
use crate::task::{Stage, Task, Undo};

/// The task was cancelled and has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled;

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the task was cancelled")
    }
}

impl std::error::Error for Cancelled {}

/// A task and its result to come. Dropping it lets the task go on.
pub struct JoinHandle<T> {
    stage: Rc<Stage>,
    task: Task,
    out: Rc<RefCell<Option<T>>>,
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinHandle({:?})", self.task)
    }
}

impl<T> JoinHandle<T> {
    pub(super) fn new(stage: Rc<Stage>, task: Task, out: Rc<RefCell<Option<T>>>) -> Self {
        Self { stage, task, out }
    }

    /// The task.
    pub fn task(&self) -> Task {
        self.task
    }

    /// Cancels the task. Whether it was still under way.
    pub fn cancel(&self) -> bool {
        self.stage.cancel(self.task)
    }

    /// Waits for the task's result.
    pub fn join(self) -> Join<T> {
        let task = self.task;
        let wait = self.stage.core(|core| {
            let seq = core.draw();
            let wait = core.tasks.new_wait(Undo::Nothing);
            if core.tasks.is_alive(task) {
                core.tasks.slots[task.index as usize].joiners.push((wait, seq));
            } else {
                core.wake_next(wait, seq);
            }
            wait
        });
        Join { woken: Sleep::new(self.stage, wait), out: self.out }
    }
}

/// Waits for a task's result.
#[must_use = "futures do nothing unless awaited"]
pub struct Join<T> {
    woken: Sleep,
    out: Rc<RefCell<Option<T>>>,
}

impl<T> fmt::Debug for Join<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Join")
    }
}

impl<T> Future for Join<T> {
    type Output = Result<T, Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut StdContext<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.woken).poll(cx).map(|()| self.out.borrow_mut().take().ok_or(Cancelled))
    }
}
