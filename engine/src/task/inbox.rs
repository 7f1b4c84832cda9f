//! An actor's own queues: handlers push, tasks receive. Invariant: a push wakes every task that waits, in the order in which they began to;
//! whoever is polled first takes the value.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as StdContext, Poll};

use crate::kernel::core::Core;
use crate::kernel::entry::ActorId;
use crate::task::table::WaitState;
use crate::task::{Fired, Stage, Undo, WaitKey};

/// A queue between the handlers and the tasks of one actor. It lives as long as the run.
pub struct Inbox<T> {
    index: u32,
    of: PhantomData<fn(T) -> T>,
}

impl<T> Inbox<T> {
    pub(crate) fn new(index: u32) -> Self {
        Self { index, of: PhantomData }
    }

    pub(crate) fn index(self) -> u32 {
        self.index
    }
}

impl<T> Clone for Inbox<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Inbox<T> {}

impl<T> fmt::Debug for Inbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inbox({})", self.index)
    }
}

struct Queue {
    owner: ActorId,
    /// How many inboxes its owner had made before.
    number: u32,
    values: Box<dyn Any>,
    waiting: Vec<WaitKey>,
}

/// The inboxes of a shard.
#[derive(Default)]
pub(crate) struct Inboxes(Vec<Queue>);

impl Inboxes {
    fn values<T: 'static>(&mut self, inbox: Inbox<T>) -> &mut VecDeque<T> {
        self.0[inbox.index as usize].values.downcast_mut().expect("an inbox keeps its type")
    }

    /// Whose an inbox is, which one of theirs, and what is in it.
    pub(crate) fn look<T: 'static>(&self, inbox: Inbox<T>) -> Option<(ActorId, u32, &VecDeque<T>)> {
        let queue = self.0.get(inbox.index as usize)?;
        Some((queue.owner, queue.number, queue.values.downcast_ref()?))
    }

    /// An inbox from a snapshot.
    pub(crate) fn resume<T: 'static>(&mut self, owner: ActorId, number: u32, values: VecDeque<T>) -> Inbox<T> {
        self.0.push(Queue { owner, number, values: Box::new(values), waiting: Vec::new() });
        Inbox::new(self.0.len() as u32 - 1)
    }

    /// A task does not wait any more.
    pub(super) fn forget(&mut self, index: u32, key: WaitKey) {
        self.0[index as usize].waiting.retain(|waiting| *waiting != key);
    }
}

impl Core {
    /// A new inbox of the actor that is handling.
    pub(crate) fn new_inbox<T: 'static>(&mut self) -> Inbox<T> {
        let index = self.tasks.inboxes.0.len() as u32;
        let made = &mut self.cold[self.me.index()].inboxes;
        let number = *made;
        *made += 1;
        self.tasks.inboxes.0.push(Queue { owner: self.me, number, values: Box::new(VecDeque::<T>::new()), waiting: Vec::new() });
        Inbox { index, of: PhantomData }
    }

    /// Appends a value and wakes those who wait: in this step if a handler does it, in the next if a task does.
    pub(crate) fn push_inbox<T: 'static>(&mut self, inbox: Inbox<T>, value: T) {
        let queue = &mut self.tasks.inboxes.0[inbox.index as usize];
        assert!(queue.owner == self.me, "an inbox was pushed to by another actor than its own");
        let waiting = std::mem::take(&mut queue.waiting);
        self.tasks.inboxes.values(inbox).push_back(value);
        for wait in waiting {
            if self.tasks.polling {
                let seq = self.draw();
                self.wake_next(wait, seq);
            } else {
                self.tasks.fire(wait, Fired::Woken, self.cause, self.kind);
            }
        }
    }
}

/// Waits for a value.
#[must_use = "futures do nothing unless awaited"]
pub struct Recv<T> {
    stage: Rc<Stage>,
    inbox: Inbox<T>,
    wait: Option<WaitKey>,
}

impl<T> fmt::Debug for Recv<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recv")
    }
}

impl<T> Recv<T> {
    pub(super) fn new(stage: Rc<Stage>, inbox: Inbox<T>) -> Self {
        Self { stage, inbox, wait: None }
    }
}

impl<T: 'static> Future for Recv<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _: &mut StdContext<'_>) -> Poll<T> {
        let (stage, inbox, mut wait) = (self.stage.clone(), self.inbox, self.wait.take());
        let value = stage.core(|core| {
            if let Some(key) = wait
                && matches!(core.tasks.waits[key.index as usize].state, WaitState::Fired(_))
            {
                core.tasks.free_wait(key);
                wait = None;
            }
            let value = core.tasks.inboxes.values(inbox).pop_front();
            if value.is_none() && wait.is_none() {
                let key = core.tasks.new_wait(Undo::Inbox(inbox.index));
                core.tasks.inboxes.0[inbox.index as usize].waiting.push(key);
                wait = Some(key);
            }
            value
        });
        self.wait = wait;
        match value {
            Some(value) => Poll::Ready(value),
            None => Poll::Pending,
        }
    }
}

impl<T> Drop for Recv<T> {
    fn drop(&mut self) {
        if let Some(wait) = self.wait {
            self.stage.dropped.borrow_mut().push(wait);
        }
    }
}
