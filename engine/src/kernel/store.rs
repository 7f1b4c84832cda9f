//! Messages without a box each: all of one type lie in one store, those of the step under way in an arena, those that are kept longer in a slab.
//! Invariant: a slot is handed out again only after its last share was released.

use std::any::Any;
use std::cell::{Ref, RefCell};
use std::rc::Rc;

use anymap3::Map;

use crate::digest::{digest_of, digest_of_text};
use crate::kernel::core::Core;
use crate::kernel::entry::Entry;
use crate::kernel::gate::{AnyGate, Gate};
use crate::message::Message;
use crate::trace::Wording;

/// The messages of one type and one step, in order of emission. What an earlier step left is dropped when the next one begins to fill it.
struct Arena<M> {
    epoch: u64,
    messages: Vec<M>,
}

impl<M> Default for Arena<M> {
    fn default() -> Self {
        Self { epoch: 0, messages: Vec::new() }
    }
}

/// A place for a kept message.
enum Slot<M> {
    /// Free, or its only message is being handled.
    Empty,
    /// One delivery needs it.
    Own(M),
    /// As many deliveries still need it. It is away while it is being handled.
    Shared(u32, Option<M>),
}

impl<M> Slot<M> {
    fn message(&self) -> Option<&M> {
        match self {
            Self::Empty => None,
            Self::Own(message) => Some(message),
            Self::Shared(_, message) => message.as_ref(),
        }
    }
}

struct Slab<M> {
    slots: Vec<Slot<M>>,
    free: Vec<u32>,
}

impl<M> Default for Slab<M> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<M> Slab<M> {
    /// Keeps a message for one delivery.
    #[inline(always)]
    fn push(&mut self, message: M) -> u32 {
        match self.free.pop() {
            Some(index) => {
                self.slots[index as usize] = Slot::Own(message);
                index
            }
            None => {
                self.slots.push(Slot::Own(message));
                self.slots.len() as u32 - 1
            }
        }
    }

    /// Takes a message that one delivery needs. `None`: others share it.
    #[inline(always)]
    fn take(&mut self, index: u32) -> Option<M> {
        let slot = &mut self.slots[index as usize];
        if !matches!(slot, Slot::Own(_)) {
            return None;
        }
        self.free.push(index);
        match std::mem::replace(slot, Slot::Empty) {
            Slot::Own(message) => Some(message),
            _ => None,
        }
    }

    /// Lends the message to one delivery, whose share ends. `true`: others share it, and it must be put back.
    #[inline(always)]
    fn lend(&mut self, index: u32) -> (M, bool) {
        match self.take(index) {
            Some(message) => (message, false),
            None => self.lend_shared(index),
        }
    }

    #[cold]
    #[inline(never)]
    fn lend_shared(&mut self, index: u32) -> (M, bool) {
        let Slot::Shared(shares, message) = &mut self.slots[index as usize] else { panic!("a slot without a message") };
        let message = message.take().expect("a kept message that is not away");
        *shares -= 1;
        let shared = *shares > 0;
        if !shared {
            self.free(index);
        }
        (message, shared)
    }

    /// One more delivery needs the message.
    fn share(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        *slot = match std::mem::replace(slot, Slot::Empty) {
            Slot::Empty => panic!("a slot without a message"),
            Slot::Own(message) => Slot::Shared(2, Some(message)),
            Slot::Shared(shares, message) => Slot::Shared(shares + 1, message),
        };
    }

    /// Takes back what was lent: it stays for other deliveries, or is dropped.
    fn put_back(&mut self, index: u32, message: M) {
        match &mut self.slots[index as usize] {
            Slot::Shared(0, _) => self.free(index),
            Slot::Shared(_, away) => *away = Some(message),
            _ => panic!("a slot that has lent nothing"),
        }
    }

    /// The message that a slot has no more shares of.
    fn release(&mut self, index: u32) -> Option<M> {
        if let Slot::Shared(shares, message) = &mut self.slots[index as usize] {
            *shares -= 1;
            if *shares > 0 {
                return None;
            }
            // What is away is dropped when it is put back.
            let message = message.take()?;
            self.free(index);
            return Some(message);
        }
        self.take(index)
    }

    fn free(&mut self, index: u32) {
        self.slots[index as usize] = Slot::Empty;
        self.free.push(index);
    }
}

/// All messages of one type.
pub(crate) struct Store<M> {
    ty: u16,
    /// One is filled for the next step while the other one is delivered.
    arenas: [RefCell<Arena<M>>; 2],
    kept: RefCell<Slab<M>>,
}

/// What can be done with messages without knowing their type.
pub(crate) trait AnyStore: Any {
    fn kind(&self) -> &'static str;
    /// The word of the records of all who share a message of the step.
    fn word(&self, core: &Core, entry: &Entry) -> u64;
    /// Digest and words of a message of the step.
    fn describe_sent(&self, core: &Core, index: u32) -> (u64, Option<String>);
    /// Digest and words of a kept message.
    fn describe_kept(&self, core: &Core, index: u32) -> (u64, Option<String>);
    fn share(&self, index: u32);
    fn release(&self, index: u32);
    /// Fetches slots into the caches: how many hold a message, which nobody wants to know.
    fn touch(&self, kept: &[(u16, u32)]) -> usize;
    /// Where its messages are delivered.
    fn gate(self: Rc<Self>) -> Box<dyn AnyGate>;
}

impl<M: Message> Store<M> {
    fn new(ty: u16) -> Self {
        Self { ty, arenas: Default::default(), kept: RefCell::default() }
    }

    #[inline(always)]
    pub(crate) fn ty(&self) -> u16 {
        self.ty
    }

    #[inline(always)]
    fn send(&self, step: u64, message: M) -> (u16, u32) {
        let mut arena = self.arenas[filled(step)].borrow_mut();
        if arena.epoch != step {
            arena.epoch = step;
            arena.messages.clear();
        }
        let index = arena.messages.len();
        arena.messages.push(message);
        (self.ty, index as u32)
    }

    #[inline(always)]
    fn keep(&self, message: M) -> (u16, u32) {
        (self.ty, self.kept.borrow_mut().push(message))
    }

    /// The messages of the step that is delivered.
    #[inline(always)]
    pub(crate) fn sent(&self, stores: &Stores) -> Ref<'_, [M]> {
        Ref::map(self.arenas[delivered(stores.step)].borrow(), |arena| &arena.messages[..])
    }

    /// Lends a kept message to one delivery, whose share ends. `true`: others share it, and it must be put back.
    #[inline(always)]
    pub(crate) fn lend(&self, index: u32) -> (M, bool) {
        self.kept.borrow_mut().lend(index)
    }

    /// Takes a kept message that has one share.
    #[inline(always)]
    pub(crate) fn take(&self, index: u32) -> M {
        self.kept.borrow_mut().take(index).expect("a message that nobody shares")
    }

    /// Takes back what was lent: it stays for other deliveries, or is dropped.
    pub(crate) fn put_back(&self, index: u32, message: M) {
        self.kept.borrow_mut().put_back(index, message);
    }
}

impl<M: Message> AnyStore for Store<M> {
    fn kind(&self) -> &'static str {
        M::KIND
    }

    fn word(&self, core: &Core, entry: &Entry) -> u64 {
        let digest = digest_of(&self.sent(&core.stores)[entry.payload as usize]);
        core.word(entry.from, entry.cause, const { digest_of_text(M::KIND) }, digest)
    }

    fn describe_sent(&self, core: &Core, index: u32) -> (u64, Option<String>) {
        describe(core, &self.sent(&core.stores)[index as usize])
    }

    fn describe_kept(&self, core: &Core, index: u32) -> (u64, Option<String>) {
        self.kept.borrow().slots[index as usize].message().map_or((0, None), |message| describe(core, message))
    }

    fn share(&self, index: u32) {
        self.kept.borrow_mut().share(index);
    }

    fn release(&self, index: u32) {
        // What is dropped here may do anything but reach this slab again.
        let over = self.kept.borrow_mut().release(index);
        drop(over);
    }

    fn touch(&self, kept: &[(u16, u32)]) -> usize {
        let slab = self.kept.borrow();
        kept.iter().filter(|(_, index)| slab.slots[*index as usize].message().is_some()).count()
    }

    fn gate(self: Rc<Self>) -> Box<dyn AnyGate> {
        Box::new(Gate::to(self))
    }
}

fn describe<M: Message>(core: &Core, message: &M) -> (u64, Option<String>) {
    let text = core.wording.as_ref().and_then(|wording: &Wording| wording(message, message));
    (digest_of(message), text)
}

/// Which arena is filled for a step, and which one is delivered meanwhile.
#[inline(always)]
const fn filled(step: u64) -> usize {
    (step % 2) as usize
}

#[inline(always)]
const fn delivered(step: u64) -> usize {
    filled(step + 1)
}

/// One store per type.
pub(crate) struct Stores {
    all: Vec<Rc<dyn AnyStore>>,
    /// The same by their types. They are only looked up, never listed, so their order cannot reach a run.
    typed: Map,
    /// Of the step whose arenas are filled; never one that was filled before.
    step: u64,
}

impl Default for Stores {
    fn default() -> Self {
        Self { all: Vec::new(), typed: Map::new(), step: 0 }
    }
}

impl Stores {
    #[inline(always)]
    fn with<M: Message, T>(&mut self, f: impl FnOnce(&Store<M>) -> T) -> T {
        match self.typed.get::<Rc<Store<M>>>() {
            Some(store) => f(store),
            None => f(&self.add()),
        }
    }

    #[cold]
    fn add<M: Message>(&mut self) -> Rc<Store<M>> {
        let ty = u16::try_from(self.all.len()).expect("at most 65,535 message types in a run");
        let store = Rc::new(Store::<M>::new(ty));
        self.all.push(store.clone());
        self.typed.insert(store.clone());
        store
    }

    /// The index of a message type.
    #[inline(always)]
    pub(crate) fn ty<M: Message>(&mut self) -> u16 {
        self.with(|store: &Store<M>| store.ty)
    }

    /// Puts a message into the step being emitted: the index of its type, and its place.
    #[inline(always)]
    pub(crate) fn send<M: Message>(&mut self, message: M) -> (u16, u32) {
        let step = self.step;
        self.with(|store| store.send(step, message))
    }

    /// The store of a type.
    #[inline(always)]
    pub(crate) fn of<M: Message>(&mut self) -> Rc<Store<M>> {
        match self.typed.get::<Rc<Store<M>>>() {
            Some(store) => store.clone(),
            None => self.add(),
        }
    }

    /// As [`Stores::send`], to a store that was found.
    #[inline(always)]
    pub(crate) fn send_to<M: Message>(&self, store: &Store<M>, message: M) -> u32 {
        store.send(self.step, message).1
    }

    /// Keeps a message for one delivery: the index of its type, and its place.
    #[inline(always)]
    pub(crate) fn keep<M: Message>(&mut self, message: M) -> (u16, u32) {
        self.with(|store| store.keep(message))
    }

    /// Takes a kept message that has one share.
    pub(crate) fn take<M: Message>(&mut self, index: u32) -> M {
        self.with(|store: &Store<M>| store.take(index))
    }

    /// A look at a kept message. `None` if it is of another type.
    pub(crate) fn look<M: Message, T>(&self, ty: u16, index: u32, f: impl FnOnce(&M) -> T) -> Option<T> {
        let store = self.typed.get::<Rc<Store<M>>>().filter(|store| store.ty == ty)?;
        store.kept.borrow().slots[index as usize].message().map(f)
    }

    #[inline(always)]
    pub(crate) fn any(&self, ty: u16) -> &dyn AnyStore {
        &*self.all[usize::from(ty)]
    }

    /// The step that was emitted is delivered now, and another one emitted.
    #[inline(always)]
    pub(crate) fn turn(&mut self) {
        self.step += 1;
    }

    /// All stores from an index on.
    pub(crate) fn from(&self, ty: usize) -> &[Rc<dyn AnyStore>] {
        &self.all[ty..]
    }
}
