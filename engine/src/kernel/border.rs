//! What crosses from one shard to another: messages, births, and news of streams, a batch per pair of shards and window (rule R14).
//! Invariant: what is sent in a window is due after it, so a batch may land whenever the window is closed everywhere, in any order.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::ask::Duty;
use crate::kernel::core::{Core, Life, SubscribeCall};
use crate::kernel::entry::{ActorId, Entry, What};
use crate::message::Message;
use crate::path::{Path, Rank};
use crate::time::Instant;

/// A published message that subscribers in several shards share.
pub(crate) struct Shared<M>(pub(crate) Arc<M>);

impl<M: Hash> Hash for Shared<M> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<M: fmt::Debug> fmt::Debug for Shared<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<M: Message> Message for Shared<M> {
    const KIND: &'static str = M::KIND;
}

/// The index that a message type has in a shard.
pub(crate) type TypeIn = fn(&mut Core) -> u16;

/// Since when a stream is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// From the start of the run.
    Start,
    /// From when it was first subscribed to.
    At(Instant),
}

/// What an entry needs on the other side beside its payload.
pub(crate) enum With {
    Nothing,
    /// The question's duty to be answered.
    Duty(Duty),
    /// The subscription, and its type.
    Call(SubscribeCall, TypeIn),
    /// The type of the publication that is shared.
    Share(TypeIn),
}

struct Crossing {
    entry: Entry,
    at: Instant,
    with: With,
}

/// Messages of one type on their way.
trait AnyColumn: Any + Send {
    /// Keeps the messages on the other side, in order; gives the index of their type there.
    fn land(&mut self, core: &mut Core, payloads: &mut Vec<u32>) -> u16;
}

struct Column<M>(Vec<M>);

impl<M: Message> AnyColumn for Column<M> {
    fn land(&mut self, core: &mut Core, payloads: &mut Vec<u32>) -> u16 {
        payloads.extend(self.0.drain(..).map(|message| core.stores.keep(message).1));
        core.stores.ty::<M>()
    }
}

/// An actor or a facet that others may come to know.
#[derive(Clone)]
struct Birth {
    id: ActorId,
    path: Path,
    rank: Rank,
    root: ActorId,
}

/// All that one shard has for another one after a window. Emptied and sent back, it is filled again without allocating.
#[derive(Default)]
pub(crate) struct Batch {
    crossings: Vec<Crossing>,
    /// By the sender's index of the type.
    columns: Vec<Option<Box<dyn AnyColumn>>>,
    births: Vec<Birth>,
    /// Those among them that were stopped before they were born.
    unborn: Vec<ActorId>,
    /// Questions of the receiving shard that will have no answer.
    resolved: Vec<u32>,
    /// Streams that were first opened in this window, and when.
    opened: Vec<(usize, Instant)>,
    /// The least instant at which something of it is due.
    pub(crate) earliest: Option<Instant>,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        let Self { crossings, births, unborn, resolved, opened, .. } = self;
        crossings.is_empty() && births.is_empty() && unborn.is_empty() && resolved.is_empty() && opened.is_empty()
    }
}

/// The other shards, as one of them sees them.
pub(crate) struct Border {
    me: usize,
    /// Which shard each actor, stream or facet belongs to, by id.
    owners: Vec<u16>,
    out: Vec<Batch>,
    /// The next id of a child of this shard; ids of shards interleave, so that an id means the same everywhere.
    next_id: u32,
    /// Since when each stream is open, by its number: its copies in all shards skip the same items.
    opened: Vec<Option<Opening>>,
    /// Two shards opened a stream in one window, at different instants.
    pub(crate) conflict: bool,
    landed: Vec<u32>,
    types: Vec<(u16, usize)>,
}

impl Border {
    /// Shard `me` of so many. `owners`: by id, the shard of each actor and stream; `opened`: by number, since when each stream is open.
    pub(crate) fn new(me: usize, shards: usize, owners: Vec<u16>, opened: &[Option<Opening>]) -> Self {
        Self {
            me,
            next_id: owners.len() as u32 + me as u32,
            owners,
            out: (0..shards).map(|_| Batch::default()).collect(),
            opened: opened.to_vec(),
            conflict: false,
            landed: Vec::new(),
            types: Vec::new(),
        }
    }

    pub(crate) fn owns(&self, id: ActorId) -> bool {
        usize::from(self.owners[id.index()]) == self.me
    }

    /// The batch for a shard, to be sent; `spare` is filled next.
    pub(crate) fn take(&mut self, shard: usize, spare: Batch) -> Batch {
        std::mem::replace(&mut self.out[shard], spare)
    }

    pub(crate) fn has_for(&self, shard: usize) -> bool {
        !self.out[shard].is_empty()
    }

    fn own(&mut self, id: ActorId, owner: u16) {
        if self.owners.len() <= id.index() {
            self.owners.resize(id.index() + 1, u16::MAX);
        }
        self.owners[id.index()] = owner;
    }

    /// Since when a stream is open that this shard opens now.
    pub(crate) fn opening(&mut self, stream: usize, now: Instant) -> Opening {
        if let Some(opening) = self.opened[stream] {
            return opening;
        }
        for batch in &mut self.out {
            batch.opened.push((stream, now));
        }
        *self.opened[stream].insert(Opening::At(now))
    }
}

impl Core {
    /// Whether somebody lives in this shard.
    pub(crate) fn is_here(&self, id: ActorId) -> bool {
        self.border.as_ref().is_none_or(|border| border.owns(id))
    }

    /// The id of a newcomer.
    pub(crate) fn next_id(&mut self) -> ActorId {
        match &mut self.border {
            None => ActorId(u32::try_from(self.hot.len()).expect("fewer than 2^32 actors in a run")),
            Some(border) => {
                let id = border.next_id;
                border.next_id = id.checked_add(border.out.len() as u32).expect("fewer than 2^32 actors in a run");
                ActorId(id)
            }
        }
    }

    /// Tells the other shards of a newcomer.
    pub(crate) fn announce(&mut self, id: ActorId) {
        let Some(border) = &mut self.border else { return };
        border.own(id, border.me as u16);
        let cold = &self.cold[id.index()];
        let birth = Birth { id, path: cold.path.clone(), rank: cold.rank, root: cold.root };
        for (shard, batch) in border.out.iter_mut().enumerate() {
            if shard != border.me {
                batch.births.push(birth.clone());
            }
        }
    }

    /// Tells the other shards of one that was never born after all.
    pub(crate) fn announce_unborn(&mut self, id: ActorId) {
        let Some(border) = &mut self.border else { return };
        for (shard, batch) in border.out.iter_mut().enumerate() {
            if shard != border.me {
                batch.unborn.push(id);
            }
        }
    }

    /// Sends an entry without a payload to another shard.
    pub(crate) fn cross_bare(&mut self, entry: Entry, at: Instant, with: With) {
        let border = self.border.as_mut().expect("another shard");
        let batch = &mut border.out[usize::from(border.owners[entry.to.index()])];
        batch.earliest = Some(batch.earliest.map_or(at, |earliest| earliest.min(at)));
        batch.crossings.push(Crossing { entry, at, with });
    }

    /// Sends an entry with its message to another shard.
    pub(crate) fn cross<M: Message>(&mut self, entry: Entry, at: Instant, message: M, with: With) {
        let border = self.border.as_mut().expect("another shard");
        let columns = &mut border.out[usize::from(border.owners[entry.to.index()])].columns;
        let ty = usize::from(entry.ty);
        if columns.len() <= ty {
            columns.resize_with(ty + 1, || None);
        }
        let column: &mut dyn Any = &mut **columns[ty].get_or_insert_with(|| Box::new(Column::<M>(Vec::new())));
        let column = column.downcast_mut::<Column<M>>().expect("a column of its index's type");
        let payload = column.0.len() as u32;
        column.0.push(message);
        self.cross_bare(Entry { payload, ..entry }, at, with);
    }

    /// A question of somebody in another shard will have no answer.
    pub(crate) fn resolve_there(&mut self, asker: ActorId, slot: u32) {
        let border = self.border.as_mut().expect("another shard");
        border.out[usize::from(border.owners[asker.index()])].resolved.push(slot);
    }

    /// Takes in what another shard has sent.
    pub(crate) fn land(&mut self, from: usize, batch: &mut Batch) {
        for birth in batch.births.drain(..) {
            self.learn(birth, from);
        }
        for id in batch.unborn.drain(..) {
            self.stands_at(id, Rank::default());
        }
        for (stream, at) in batch.opened.drain(..) {
            let border = self.border.as_mut().expect("another shard");
            let opening = *border.opened[stream].get_or_insert(Opening::At(at));
            border.conflict |= opening != Opening::At(at);
        }
        for slot in batch.resolved.drain(..) {
            self.resolve(slot);
        }
        let border = self.border.as_mut().expect("another shard");
        let (mut landed, mut types) = (std::mem::take(&mut border.landed), std::mem::take(&mut border.types));
        for column in &mut batch.columns {
            let before = landed.len();
            let ty = column.as_mut().map_or(u16::MAX, |column| column.land(self, &mut landed));
            types.push((ty, before));
        }
        for Crossing { mut entry, at, with } in batch.crossings.drain(..) {
            if entry.ty != u16::MAX {
                let (ty, first) = types[usize::from(entry.ty)];
                entry.ty = ty;
                entry.payload = landed[first + entry.payload as usize];
            }
            match with {
                With::Nothing if matches!(entry.what, What::Reply | What::Gone) => entry.thunk = self.answered(entry.extra),
                With::Nothing => {}
                With::Duty(duty) => entry.extra = self.asks.owe(duty),
                With::Call(call, ty) => {
                    entry.extra = self.subscribe_calls.len() as u32;
                    let ty = ty(self);
                    self.subscribe_calls.push(SubscribeCall { ty, ..call });
                }
                With::Share(ty) => entry.extra = u32::from(ty(self)),
            }
            self.pending.add_queued(entry, at);
        }
        batch.earliest = None;
        landed.clear();
        types.clear();
        let border = self.border.as_mut().expect("another shard");
        (border.landed, border.types) = (landed, types);
    }

    /// Somebody was born in another shard.
    fn learn(&mut self, birth: Birth, from: usize) {
        self.border.as_mut().expect("another shard").own(birth.id, from as u16);
        self.put(birth.id, birth.path, birth.rank, Some(birth.root), Life::Living);
    }
}
