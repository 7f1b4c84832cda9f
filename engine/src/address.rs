//! Addresses: where messages can be sent. Invariant: an address hashes and compares by the path it stands for, never by its slot.

use std::any::{Any, TypeId, type_name};
use std::cell::{RefCell, RefMut};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::rc::Rc;

use crate::actor::{Actor, Handler};
use crate::kernel::door::handle;
use crate::kernel::entry::{ActorId, Cell, Thunk};
use crate::message::Message;
use crate::report::Report;
use crate::snapshot::Table;

macro_rules! address {
    ($(#[$doc:meta])* $name:ident<$param:ident>) => {
        $(#[$doc])*
        pub struct $name<$param> {
            pub(crate) id: ActorId,
            pub(crate) path_digest: u64,
            of: PhantomData<fn($param)>,
        }

        impl<$param> $name<$param> {
            pub(crate) fn new(id: ActorId, path_digest: u64) -> Self {
                Self { id, path_digest, of: PhantomData }
            }
        }

        address!(@traits $name<$param>);
    };
    (@traits $name:ident<$param:ident>) => {
        impl<$param> Clone for $name<$param> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<$param> Copy for $name<$param> {}

        impl<$param> PartialEq for $name<$param> {
            fn eq(&self, other: &Self) -> bool {
                self.path_digest == other.path_digest
            }
        }

        impl<$param> Eq for $name<$param> {}

        impl<$param> Hash for $name<$param> {
            fn hash<H: Hasher>(&self, state: &mut H) {
                state.write_u64(self.path_digest);
            }
        }

        impl<$param> fmt::Debug for $name<$param> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:016x})"), self.path_digest)
            }
        }
    };
}

address! {
    /// The address of an actor of type `A`.
    Addr<A>
}

address! {
    /// A stream of events of type `M`.
    StreamRef<M>
}

/// The address of some actor that takes messages of type `M`.
pub struct Recipient<M> {
    pub(crate) id: ActorId,
    pub(crate) path_digest: u64,
    pub(crate) thunk: Thunk,
    of: PhantomData<fn(M)>,
}

address!(@traits Recipient<M>);

impl<M> Recipient<M> {
    pub(crate) fn new(id: ActorId, path_digest: u64, thunk: Thunk) -> Self {
        Self { id, path_digest, thunk, of: PhantomData }
    }
}

impl<A: Actor> Addr<A> {
    /// The address as one that takes messages of type `M` and hides what the actor is.
    #[inline(always)]
    pub fn recipient<M: Message>(self) -> Recipient<M>
    where
        A: Handler<M>,
    {
        Recipient { id: self.id, path_digest: self.path_digest, thunk: handle::<A, M>, of: PhantomData }
    }
}

/// Anything a message of type `M` can be sent to: an [`Addr`] of an actor that handles it, or a [`Recipient`].
pub trait Target<M: Message> {
    /// The address as a recipient.
    fn to_recipient(&self) -> Recipient<M>;
}

impl<A: Handler<M>, M: Message> Target<M> for Addr<A> {
    #[inline(always)]
    fn to_recipient(&self) -> Recipient<M> {
        self.recipient()
    }
}

impl<M: Message> Target<M> for Recipient<M> {
    #[inline(always)]
    fn to_recipient(&self) -> Recipient<M> {
        *self
    }
}

impl<M: Message, T: Target<M>> Target<M> for &T {
    #[inline(always)]
    fn to_recipient(&self) -> Recipient<M> {
        (**self).to_recipient()
    }
}

/// One subscriber of a publisher.
#[derive(Clone, Copy)]
pub(crate) struct Sub {
    pub(crate) to: ActorId,
    pub(crate) thunk: Thunk,
}

/// An actor in its slot. Doors lead to it too, and one of them is open at a time.
pub(crate) struct Occupied<A>(pub(crate) RefCell<A>);

impl<A> Occupied<A> {
    pub(crate) fn new(actor: A) -> Self {
        Self(RefCell::new(actor))
    }
}

impl<A: Actor> Cell for Occupied<A> {
    fn report(&self, report: &mut Report) {
        self.0.borrow().report(report);
    }

    fn of(&self) -> Option<(TypeId, &'static str)> {
        Remains::<A>::new().of()
    }

    fn table(&self) -> Option<Table> {
        Remains::<A>::new().table()
    }

    fn remains(&self) -> Rc<dyn Cell> {
        Rc::new(Remains::<A>::new())
    }
}

/// The slot of an actor that has stopped: what is still on its way to it is of its type.
pub(crate) struct Remains<A>(PhantomData<fn(A)>);

impl<A> Remains<A> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<A: Actor> Cell for Remains<A> {
    fn report(&self, _: &mut Report) {}

    fn of(&self) -> Option<(TypeId, &'static str)> {
        Some((TypeId::of::<A>(), type_name::<A>()))
    }

    fn table(&self) -> Option<Table> {
        A::saving().map(Table::from)
    }

    fn remains(&self) -> Rc<dyn Cell> {
        Rc::new(Self::new())
    }
}

/// The actor behind a slot whose type the caller knows.
pub(crate) fn actor_of<A: Actor>(cell: &Rc<dyn Cell>) -> RefMut<'_, A> {
    let cell: &dyn Any = &**cell;
    cell.downcast_ref::<Occupied<A>>().expect("an address leads to an actor of its own type").0.borrow_mut()
}
