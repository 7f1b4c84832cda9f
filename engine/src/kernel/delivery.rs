//! The way of a message to its handler, in two halves: what depends on the message's type alone, and what on the actor's too. Invariant: whatever
//! is handled was recorded before.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::actor::{Actor, Handler};
use crate::address::actor_of;
use crate::context::Context;
use crate::digest::digest_of;
use crate::kernel::border::Shared;
use crate::kernel::core::Core;
use crate::kernel::entry::{Cell, Entry};
use crate::kernel::kinds::{START, UNIT};
use crate::message::Message;

/// Delivers a message that is kept.
pub(crate) type DeliverKept = fn(&mut dyn Cell, &mut Core, &Entry);

/// Records a message and hands it over.
#[inline(always)]
pub(crate) fn deliver<M: Message>(message: &M, cell: &mut dyn Cell, core: &mut Core, entry: &Entry) {
    core.record_message(entry, message, digest_of(message));
    (entry.thunk)(cell, message, core, entry);
}

/// Delivers a message that is kept, and drops it if nobody else needs it.
pub(crate) fn deliver_kept<M: Message>(cell: &mut dyn Cell, core: &mut Core, entry: &Entry) {
    let (message, shared) = core.kept.lend::<M>(entry.ty, entry.payload);
    if shared {
        deliver_shared(message, cell, core, entry);
    } else {
        deliver(&message, cell, core, entry);
    }
}

/// Others share the message, whatever becomes of this handler.
#[cold]
#[inline(never)]
fn deliver_shared<M: Message>(message: M, cell: &mut dyn Cell, core: &mut Core, entry: &Entry) {
    let handled = catch_unwind(AssertUnwindSafe(|| deliver(&message, cell, core, entry)));
    core.kept.give_back(entry.ty, entry.payload, message);
    if let Err(panic) = handled {
        resume_unwind(panic);
    }
}

/// Hands a recorded message over: the one way to [`Handler::handle`] for what was sent, published or armed.
pub(crate) fn handle<A: Handler<M>, M: Message>(cell: &mut dyn Cell, message: &dyn Any, core: &mut Core, entry: &Entry) {
    let actor = actor_of::<A>(cell);
    match message.downcast_ref::<M>() {
        Some(message) => actor.handle(message, &mut Context::new(core, entry.to)),
        None => handle_shared::<A, M>(actor, core, entry),
    }
}

/// Delivers what subscribers in several shards share.
#[cold]
#[inline(never)]
fn handle_shared<A: Handler<M>, M: Message>(actor: &mut A, core: &mut Core, entry: &Entry) {
    let (Shared(message), _) = core.kept.lend::<Shared<M>>(entry.ty, entry.payload);
    core.record_message(entry, &*message, digest_of(&*message));
    actor.handle(&message, &mut Context::new(core, entry.to));
}

/// Delivers `start`.
pub(crate) fn start<A: Actor>(cell: &mut dyn Cell, _: &dyn Any, core: &mut Core, entry: &Entry) {
    core.record_own(entry, START, UNIT);
    actor_of::<A>(cell).started(&mut Context::new(core, entry.to));
}
