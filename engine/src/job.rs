//! Offloaded jobs (rule R5). Invariant: the key of a result is fixed when the job is submitted, however long the job takes.

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use crate::actor::Handler;
use crate::address::actor_of;
use crate::context::Context;
use crate::digest::digest_of;
use crate::kernel::core::Core;
use crate::kernel::entry::{ActorId, Cell, Entry, Thunk, What};
use crate::kernel::kinds::JOB_PANIC;
use crate::kernel::pending::NodeKey;
use crate::message::Message;
use crate::pool::{JobPanic, Ticket};
use crate::task::WaitKey;
use crate::time::Duration;

/// A job that was submitted.
#[derive(Clone, Copy, Debug)]
pub struct JobId {
    owner: ActorId,
    seq: u64,
    slot: u32,
    node: Option<NodeKey>,
}

impl PartialEq for JobId {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for JobId {}

impl JobId {
    pub(crate) fn owner(self) -> ActorId {
        self.owner
    }

    /// Whose job it is, and the number that submitting it drew.
    pub(crate) fn key(self) -> (ActorId, u64) {
        (self.owner, self.seq)
    }

    /// The handle of a job that is over, or of one whose result is pending in this slot.
    pub(crate) fn new((owner, seq): (ActorId, u64), pending: Option<(u32, NodeKey)>) -> Self {
        Self { owner, seq, slot: pending.map_or(u32::MAX, |(slot, _)| slot), node: pending.map(|(_, node)| node) }
    }
}

/// What comes back from a job that a handler submitted.
#[derive(Debug)]
pub struct JobDone<T: Message> {
    /// What [`Context::submit`] returned.
    pub id: JobId,
    /// What the job gave, or how it panicked.
    pub result: Result<T, JobPanic>,
}

impl<T: Message> Hash for JobDone<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.result {
            Ok(value) => value.hash(state),
            Err(panic) => panic.hash(state),
        }
    }
}

impl<T: Message> Message for JobDone<T> {
    const KIND: &'static str = T::KIND;
}

struct Slot {
    id: JobId,
    kind: &'static str,
    ticket: Box<dyn Any>,
    cancel: fn(&dyn Any),
    judge: fn(&dyn Any) -> (&'static str, u64),
    wait: Option<WaitKey>,
}

impl Slot {
    fn new<T: Message>(id: JobId, ticket: Ticket<T>, wait: Option<WaitKey>) -> Self {
        let cancel = |ticket: &dyn Any| ticket_of::<T>(ticket).cancel();
        let judge = |ticket: &dyn Any| match ticket_of::<T>(ticket).wait() {
            Ok(value) => (T::KIND, digest_of(&value)),
            Err(panic) => (JOB_PANIC.name, digest_of(&panic.0)),
        };
        Self { id, kind: T::KIND, ticket: Box::new(ticket), cancel, judge, wait }
    }
}

/// The jobs of a shard whose results were not delivered.
#[derive(Default)]
pub(crate) struct Jobs {
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
}

/// A job whose result is pending, as a snapshot sees it.
pub(crate) struct PendingJob<'a> {
    pub(crate) kind: &'static str,
    /// A `Ticket` of the result's type.
    pub(crate) ticket: &'a dyn Any,
    pub(crate) of_task: bool,
}

impl Jobs {
    pub(crate) fn look(&self, slot: u32) -> PendingJob<'_> {
        let slot = self.slots[slot as usize].as_ref().expect("a job whose result was not delivered");
        PendingJob { kind: slot.kind, ticket: &*slot.ticket, of_task: slot.wait.is_some() }
    }

    /// A slot for a job of a snapshot, to be filled by [`Jobs::fill`].
    pub(crate) fn reserve(&mut self) -> u32 {
        self.slots.push(None);
        self.slots.len() as u32 - 1
    }

    /// Puts a result that is known already into its slot.
    pub(crate) fn fill<T: Message>(&mut self, key: (ActorId, u64), slot: u32, node: NodeKey, result: Result<T, JobPanic>) {
        self.slots[slot as usize] = Some(Slot::new(JobId::new(key, Some((slot, node))), Ticket::done(result), None));
    }
}

impl Core {
    /// Submits a job; its result comes through `done`.
    pub(crate) fn submit<T: Message>(
        &mut self,
        latency: Duration,
        done: Thunk,
        wait: Option<WaitKey>,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> JobId {
        let seq = self.draw();
        let slot = self.jobs.free.pop().unwrap_or_else(|| {
            self.jobs.slots.push(None);
            self.jobs.slots.len() as u32 - 1
        });
        let entry = Entry { extra: slot, ..self.entry(self.me, seq, What::Job, done) };
        let node = self.arrival(latency).map(|arrival| self.schedule(entry, arrival));
        let id = JobId { owner: self.me, seq, slot, node };
        if node.is_some() {
            self.jobs.slots[slot as usize] = Some(Slot::new(id, self.pool.submit(job), wait));
        } else {
            self.jobs.free.push(slot);
        }
        id
    }

    /// Cancels a job, whose owner the caller speaks for; whether its result was still to come.
    pub(crate) fn cancel_job(&mut self, id: JobId) -> bool {
        let pending = id.node.is_some_and(|node| self.cancel_node(node));
        if pending {
            self.drop_job(id.slot);
        }
        pending
    }

    /// Forgets a job whose result nobody will get.
    pub(crate) fn drop_job(&mut self, slot: u32) {
        let job = self.jobs.slots[slot as usize].take().expect("a job whose result was not delivered");
        (job.cancel)(&*job.ticket);
        self.jobs.free.push(slot);
    }

    /// Waits for a job and records its delivery.
    fn finish_job<T: Message>(&mut self, entry: &Entry) -> (JobId, Option<WaitKey>, Result<T, JobPanic>) {
        let job = self.jobs.slots[entry.extra as usize].take().expect("a job whose result was not delivered");
        self.jobs.free.push(entry.extra);
        let result = ticket_of::<T>(&*job.ticket).wait();
        match &result {
            Ok(value) => self.record_message(entry, value, digest_of(value)),
            Err(panic) => self.record_own(entry, JOB_PANIC, digest_of(&panic.0)),
        }
        (job.id, job.wait, result)
    }

    /// What a job says whose result is a dead letter: the kind and digest that its delivery would have had.
    pub(crate) fn dead_job(&mut self, slot: u32) -> (&'static str, u64) {
        let job = self.jobs.slots[slot as usize].take().expect("a job whose result was not delivered");
        self.jobs.free.push(slot);
        (job.judge)(&*job.ticket)
    }
}

pub(crate) fn ticket_of<T: 'static>(ticket: &dyn Any) -> &Ticket<T> {
    ticket.downcast_ref().expect("a ticket of the job's type")
}

/// Delivers a result to a handler.
pub(crate) fn done_handler<A: Handler<JobDone<T>>, T: Message>(cell: &Rc<dyn Cell>, _: &mut dyn Any, core: &mut Core, entry: &Entry) {
    let (id, _, result) = core.finish_job::<T>(entry);
    actor_of::<A>(cell).handle(&JobDone { id, result }, &mut Context::new(core, entry.to));
}

/// Delivers a result to the task that awaits it.
pub(crate) fn done_task<T: Message>(_: &Rc<dyn Cell>, _: &mut dyn Any, core: &mut Core, entry: &Entry) {
    let (_, wait, result) = core.finish_job::<T>(entry);
    let result = match result {
        Ok(value) => Ok(core.stores.keep(value)),
        Err(panic) => Err(panic),
    };
    core.finish_wait(wait.expect("a task's job has a wait"), result);
}
