//! Where a poll finds what its task acts on. Invariant: between polls nothing of a run is on the stage.

use std::cell::{Cell as StdCell, RefCell};
use std::rc::Rc;

use super::{Task, WaitKey};
use crate::kernel::core::Core;
use crate::kernel::entry::Cell;

/// Where the core and the actor's cell are while a task is polled. Otherwise a spare core and an empty cell are there.
pub(crate) struct Stage {
    core: RefCell<Box<Core>>,
    pub(super) cell: RefCell<Rc<dyn Cell>>,
    on: StdCell<bool>,
    /// Waits whose futures were dropped and that are to be taken back.
    pub(super) dropped: RefCell<Vec<WaitKey>>,
}

impl Stage {
    pub(crate) fn new(spare: Box<Core>, vacant: Rc<dyn Cell>) -> Self {
        Self { core: RefCell::new(spare), cell: RefCell::new(vacant), on: StdCell::new(false), dropped: RefCell::new(Vec::new()) }
    }

    /// Puts core and cell on the stage, or takes them off again.
    pub(crate) fn swap(&self, core: &mut Box<Core>, cell: &mut Rc<dyn Cell>) {
        std::mem::swap(&mut *self.core.borrow_mut(), core);
        std::mem::swap(&mut *self.cell.borrow_mut(), cell);
        self.on.set(!self.on.get());
    }

    /// Whether a poll is under way.
    pub(crate) fn is_on(&self) -> bool {
        self.on.get()
    }

    /// Runs `f` on the core of the poll under way.
    #[inline(always)]
    pub(super) fn core<T>(&self, f: impl FnOnce(&mut Core) -> T) -> T {
        assert!(self.on.get(), "a TaskContext was used outside its task");
        let mut core = self.core.try_borrow_mut().expect("a TaskContext was used inside `with`; use the Context that `with` gives");
        f(&mut core)
    }

    /// Cancels a task while another one is polled; its future is dropped when the core is not borrowed.
    pub(super) fn cancel(&self, task: Task) -> bool {
        let (cancelled, future) = self.core(|core| core.cancel_task(task));
        drop(future);
        cancelled
    }
}
