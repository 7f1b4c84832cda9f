//! Messages without a box each: one arena per type for the step under way, one slab per type for what is kept longer. Invariant: a slot is
//! handed out again only after its last share was released.

use std::any::{Any, TypeId};
use std::hash::{Hash, Hasher};

use crate::digest::{digest_of, digest_of_text};
use crate::kernel::core::Core;
use crate::kernel::delivery::{self, DeliverKept};
use crate::kernel::entry::{Cell, Entry};
use crate::message::Message;
use crate::trace::Wording;

/// The messages of one type and one step, in order of emission. What an earlier step left is dropped when the next one begins to fill it.
struct Arena<M> {
    epoch: u64,
    messages: Vec<M>,
}

/// What can be done with an arena without knowing its type.
pub(crate) trait AnyArena: Any {
    fn message(&self, index: u32) -> &dyn Any;
    /// The word of the records of all who share a message.
    fn word(&self, core: &Core, entry: &Entry) -> u64;
    fn deliver(&self, cell: &mut dyn Cell, core: &mut Core, entry: &Entry);
    fn kind(&self) -> &'static str;
    fn digest(&self, index: u32) -> u64;
    fn text(&self, index: u32, wording: &Wording) -> Option<String>;
}

impl<M: Message> AnyArena for Arena<M> {
    fn message(&self, index: u32) -> &dyn Any {
        &self.messages[index as usize]
    }

    fn word(&self, core: &Core, entry: &Entry) -> u64 {
        let digest = digest_of(&self.messages[entry.payload as usize]);
        core.word(entry.from, entry.cause, const { digest_of_text(M::KIND) }, digest)
    }

    fn deliver(&self, cell: &mut dyn Cell, core: &mut Core, entry: &Entry) {
        delivery::deliver(&self.messages[entry.payload as usize], cell, core, entry);
    }

    fn kind(&self) -> &'static str {
        M::KIND
    }

    fn digest(&self, index: u32) -> u64 {
        digest_of(&self.messages[index as usize])
    }

    fn text(&self, index: u32, wording: &Wording) -> Option<String> {
        let message = &self.messages[index as usize];
        wording(message, message)
    }
}

/// One arena per type.
#[derive(Default)]
pub(crate) struct Arenas {
    arenas: Vec<Box<dyn AnyArena>>,
    /// Of the step that fills them; never one that was used before.
    pub(crate) epoch: u64,
}

impl Arenas {
    #[inline(always)]
    pub(crate) fn push<M: Message>(&mut self, ty: u16, message: M) -> u32 {
        let arena: &mut dyn Any = &mut *self.arenas[usize::from(ty)];
        let arena = arena.downcast_mut::<Arena<M>>().expect("an arena of its index's type");
        if arena.epoch != self.epoch {
            arena.epoch = self.epoch;
            arena.messages.clear();
        }
        let index = arena.messages.len();
        arena.messages.push(message);
        index as u32
    }

    #[inline(always)]
    pub(crate) fn any(&self, ty: u16) -> &dyn AnyArena {
        &*self.arenas[usize::from(ty)]
    }
}

/// A kept message and how many deliveries still need it. The message is away while it is being handled.
struct Slot<M> {
    shares: u32,
    message: Option<M>,
}

struct Slab<M> {
    slots: Vec<Slot<M>>,
    free: Vec<u32>,
}

impl<M> Slab<M> {
    #[inline(always)]
    fn put_back(&mut self, index: u32, message: M) {
        let slot = &mut self.slots[index as usize];
        if slot.shares == 0 {
            self.free.push(index);
        } else {
            slot.message = Some(message);
        }
    }
}

/// What can be done with kept messages without knowing their type.
pub(crate) trait AnySlab: Any {
    fn share(&mut self, index: u32);
    /// Fetches a slot into the caches: how many need it, which nobody wants to know.
    fn touch(&self, index: u32) -> u32;
    fn release(&mut self, index: u32);
    fn kind(&self) -> &'static str;
    fn digest(&self, index: u32) -> u64;
    fn text(&self, index: u32, wording: &Wording) -> Option<String>;
}

impl<M: Message> AnySlab for Slab<M> {
    fn share(&mut self, index: u32) {
        self.slots[index as usize].shares += 1;
    }

    fn touch(&self, index: u32) -> u32 {
        self.slots[index as usize].shares
    }

    fn release(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        slot.shares -= 1;
        if slot.shares == 0 && slot.message.take().is_some() {
            self.free.push(index);
        }
    }

    fn kind(&self) -> &'static str {
        M::KIND
    }

    fn digest(&self, index: u32) -> u64 {
        self.slots[index as usize].message.as_ref().map_or(0, digest_of)
    }

    fn text(&self, index: u32, wording: &Wording) -> Option<String> {
        self.slots[index as usize].message.as_ref().and_then(|message| wording(message, message))
    }
}

/// One slab per type.
#[derive(Default)]
pub(crate) struct Kept {
    slabs: Vec<Box<dyn AnySlab>>,
}

impl Kept {
    #[inline(always)]
    fn slab<M: Message>(&mut self, ty: u16) -> &mut Slab<M> {
        let slab: &mut dyn Any = &mut *self.slabs[usize::from(ty)];
        slab.downcast_mut::<Slab<M>>().expect("a slab of its index's type")
    }

    /// Keeps a message for `shares` deliveries.
    #[inline(always)]
    pub(crate) fn push<M: Message>(&mut self, ty: u16, message: M, shares: u32) -> u32 {
        let slab = self.slab::<M>(ty);
        let slot = Slot { shares, message: Some(message) };
        match slab.free.pop() {
            Some(index) => {
                slab.slots[index as usize] = slot;
                index
            }
            None => {
                slab.slots.push(slot);
                slab.slots.len() as u32 - 1
            }
        }
    }

    /// One more delivery will need this message.
    pub(crate) fn share(&mut self, ty: u16, index: u32) {
        self.slabs[usize::from(ty)].share(index);
    }

    /// Lends the message to one delivery, whose share ends. `true`: others share it, and it must be given back.
    #[inline(always)]
    pub(crate) fn lend<M: Message>(&mut self, ty: u16, index: u32) -> (M, bool) {
        let slab = self.slab::<M>(ty);
        let slot = &mut slab.slots[index as usize];
        slot.shares -= 1;
        let shared = slot.shares > 0;
        let message = slot.message.take().expect("a kept message that is not away");
        if !shared {
            slab.free.push(index);
        }
        (message, shared)
    }

    /// Takes back what was lent: it stays for other deliveries, or is dropped.
    #[inline(always)]
    pub(crate) fn give_back<M: Message>(&mut self, ty: u16, index: u32, message: M) {
        self.slab::<M>(ty).put_back(index, message);
    }

    /// Takes a message that has one share.
    #[inline(always)]
    pub(crate) fn take<M: Message>(&mut self, ty: u16, index: u32) -> M {
        let slab = self.slab::<M>(ty);
        let slot = &mut slab.slots[index as usize];
        slot.shares -= 1;
        assert!(slot.shares == 0, "a message taken while others share it");
        let message = slot.message.take().expect("a kept message that is not away");
        slab.free.push(index);
        message
    }

    pub(crate) fn release(&mut self, ty: u16, index: u32) {
        self.slabs[usize::from(ty)].release(index);
    }

    /// A look at a message. `None` if it is of another type.
    pub(crate) fn look<M: Message>(&self, ty: u16, index: u32) -> Option<&M> {
        let slab: &dyn Any = &*self.slabs[usize::from(ty)];
        slab.downcast_ref::<Slab<M>>()?.slots[index as usize].message.as_ref()
    }

    pub(crate) fn any(&self, ty: u16) -> &dyn AnySlab {
        &*self.slabs[usize::from(ty)]
    }
}

/// Makes the stores of one message type.
type Maker = fn() -> (Box<dyn AnyArena>, Box<dyn AnySlab>);

/// From a message type to its small index. Types are only looked up, never listed, so their order cannot reach a run.
pub(crate) struct Types {
    /// The last type found under each low bits of its hash, which the compiler knows.
    cache: [Option<(TypeId, u16)>; CACHE],
    table: Vec<(TypeId, u16)>,
    makers: Vec<Maker>,
    deliver: Vec<DeliverKept>,
}

const CACHE: usize = 64;

/// Keeps the bits that `TypeId` hashes to.
#[derive(Default)]
struct Bits(u64);

impl Hasher for Bits {
    #[inline(always)]
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    #[inline(always)]
    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }

    #[inline(always)]
    fn finish(&self) -> u64 {
        self.0
    }
}

impl Types {
    pub(crate) fn new() -> Self {
        Self { cache: [None; CACHE], table: Vec::new(), makers: Vec::new(), deliver: Vec::new() }
    }

    #[inline(always)]
    fn bits<M: Message>() -> usize {
        let mut bits = Bits::default();
        TypeId::of::<M>().hash(&mut bits);
        bits.finish() as usize
    }

    /// The index of `M` if it is in the cache.
    #[inline(always)]
    pub(crate) fn find<M: Message>(&self) -> Option<u16> {
        match &self.cache[Self::bits::<M>() % CACHE] {
            Some((id, ty)) if *id == TypeId::of::<M>() => Some(*ty),
            _ => None,
        }
    }

    /// The index of `M`, which is new unless the cache has forgotten it.
    #[cold]
    pub(crate) fn add<M: Message>(&mut self) -> u16 {
        let id = TypeId::of::<M>();
        let known = self.table.iter().find(|(known, _)| *known == id).map(|(_, ty)| *ty);
        let ty = known.unwrap_or_else(|| {
            let ty = u16::try_from(self.makers.len()).expect("at most 65,535 message types in a run");
            self.makers.push(|| {
                let arena = Arena::<M> { epoch: 0, messages: Vec::new() };
                (Box::new(arena), Box::new(Slab::<M> { slots: Vec::new(), free: Vec::new() }))
            });
            self.deliver.push(delivery::deliver_kept::<M>);
            self.table.push((id, ty));
            ty
        });
        self.cache[Self::bits::<M>() % CACHE] = Some((id, ty));
        ty
    }

    /// How a kept message of a type is delivered.
    #[inline(always)]
    pub(crate) fn deliver_kept(&self, ty: u16) -> DeliverKept {
        self.deliver[usize::from(ty)]
    }

    /// Gives the tables an arena and a slab for every type they do not know yet.
    pub(crate) fn furnish(&self, arenas: &mut Arenas, kept: &mut Kept) {
        for maker in &self.makers[kept.slabs.len()..] {
            kept.slabs.push(maker().1);
        }
        self.furnish_arenas(arenas);
    }

    #[inline(always)]
    pub(crate) fn furnish_arenas(&self, arenas: &mut Arenas) {
        if arenas.arenas.len() < self.makers.len() {
            self.add_arenas(arenas);
        }
    }

    #[cold]
    fn add_arenas(&self, arenas: &mut Arenas) {
        for maker in &self.makers[arenas.arenas.len()..] {
            arenas.arenas.push(maker().0);
        }
    }
}
