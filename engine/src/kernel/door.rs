//! The way of a message to its handler. Invariant: a door leads to an actor that lives.
//!
//! To ask `dyn Any` for its type costs as much as the rest of a delivery, so an actor is asked once: behind its door it is of its type.

use std::any::Any;
use std::rc::Rc;

use crate::actor::{Actor, Handler};
use crate::address::{Occupied, actor_of};
use crate::context::Context;
use crate::digest::digest_of;
use crate::kernel::border::Shared;
use crate::kernel::core::Core;
use crate::kernel::entry::{ActorId, Cell, Entry, Thunk, What};
use crate::kernel::kinds::{START, UNIT};
use crate::message::Message;

/// An actor, to those who bring it messages of type `M`.
pub(crate) trait Door<M> {
    /// The one way to [`Handler::handle`] for what was sent, published, armed or came from a stream.
    fn handle(&self, message: &M, core: &mut Core, me: ActorId);
}

/// The doors of one type of messages, by the actors' numbers.
pub(crate) struct Doors<M>(Vec<Option<Rc<dyn Door<M>>>>);

impl<M> Default for Doors<M> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<M: Message> Doors<M> {
    /// Hands a recorded message over to its receiver, behind a door that the thunk opens.
    #[inline(always)]
    pub(crate) fn hand_over(&mut self, message: &M, to: ActorId, thunk: impl FnOnce() -> Thunk, cells: &[Rc<dyn Cell>], core: &mut Core) {
        match self.0.get(to.index()) {
            Some(Some(door)) => door.handle(message, core, to),
            _ => self.knock(message, to, thunk(), cells, core),
        }
    }

    /// The first message for an actor: its door is opened.
    #[cold]
    #[inline(never)]
    fn knock(&mut self, message: &M, to: ActorId, thunk: Thunk, cells: &[Rc<dyn Cell>], core: &mut Core) {
        let entry = core.entry(to, 0, What::Now, thunk);
        thunk(&cells[to.index()], self, core, &entry);
        let door = self.0.get(to.index()).and_then(Option::as_ref);
        door.expect("an address leads to an actor of its own type").handle(message, core, to);
    }

    fn open(&mut self, who: ActorId, door: Rc<dyn Door<M>>) {
        if self.0.len() <= who.index() {
            self.0.resize_with(who.index() + 1, || None);
        }
        self.0[who.index()] = Some(door);
    }

    /// Forgets the way to an actor that has stopped.
    pub(crate) fn close(&mut self, who: ActorId) {
        if let Some(door) = self.0.get_mut(who.index()) {
            *door = None;
        }
    }
}

impl<A: Handler<M>, M: Message> Door<M> for Occupied<A> {
    fn handle(&self, message: &M, core: &mut Core, me: ActorId) {
        self.0.borrow_mut().handle(message, &mut Context::new(core, me));
    }
}

/// The door of an actor whose type the caller knows.
pub(crate) fn door_of<A: Handler<M>, M: Message>(cell: &Rc<dyn Cell>) -> Rc<dyn Door<M>> {
    let cell: Rc<dyn Any> = cell.clone();
    cell.downcast::<Occupied<A>>().unwrap_or_else(|_| panic!("an address leads to an actor of its own type"))
}

/// Opens the door of an actor among the doors that are given; without them, hands over what subscribers in several shards share.
pub(crate) fn handle<A: Handler<M>, M: Message>(cell: &Rc<dyn Cell>, doors: &mut dyn Any, core: &mut Core, entry: &Entry) {
    match doors.downcast_mut::<Doors<M>>() {
        Some(doors) => doors.open(entry.to, door_of::<A, M>(cell)),
        None => handle_shared::<A, M>(cell, core, entry),
    }
}

fn handle_shared<A: Handler<M>, M: Message>(cell: &Rc<dyn Cell>, core: &mut Core, entry: &Entry) {
    let Shared(message) = core.stores.take::<Shared<M>>(entry.payload);
    core.record_message(entry, &*message, digest_of(&*message));
    actor_of::<A>(cell).handle(&message, &mut Context::new(core, entry.to));
}

/// Delivers `start`.
pub(crate) fn start<A: Actor>(cell: &Rc<dyn Cell>, _: &mut dyn Any, core: &mut Core, entry: &Entry) {
    core.record_own(entry, START, UNIT);
    actor_of::<A>(cell).started(&mut Context::new(core, entry.to));
}
