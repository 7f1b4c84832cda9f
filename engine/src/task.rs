//! Async tasks under virtual time (rule R18). Invariant: a task runs only when it is polled in a step, after its actor's handlers; while it
//! does, the shard's core and the actor's cell are on its stage.

mod context;
mod future;
mod inbox;
mod join;
mod life;
mod stage;
mod table;

use std::future::Future;
use std::pin::Pin;

pub use context::TaskContext;
pub use future::{AskFuture, Either, JobFuture, Overrun, Sleep, Ticker, select};
pub(crate) use inbox::Inboxes;
pub use inbox::{Inbox, Recv};
pub use join::{Cancelled, Join, JoinHandle};
pub(crate) use stage::Stage;
pub(crate) use table::{Fired, Tasks, Undo, WaitKey};

use crate::kernel::entry::ActorId;

type BoxFuture = Pin<Box<dyn Future<Output = ()>>>;

/// A task of the actor that started it.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    index: u32,
    generation: u32,
    owner: ActorId,
    /// How many tasks its owner had started before.
    number: u64,
}

impl PartialEq for Task {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Task {}

impl Task {
    /// Whose task it is, and which one.
    pub(crate) fn key(self) -> (ActorId, u64) {
        (self.owner, self.number)
    }

    /// The handle of a task that is over.
    pub(crate) fn over((owner, number): (ActorId, u64)) -> Self {
        Self { index: u32::MAX, generation: 0, owner, number }
    }
}
