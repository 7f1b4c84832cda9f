//! Where the messages of one type are delivered. Invariant: whatever is handed over was recorded before, and every actor is asked for its type once.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use crate::address::Sub;
use crate::digest::{digest_of, digest_of_text};
use crate::kernel::core::{Core, Life};
use crate::kernel::door::Doors;
use crate::kernel::entry::{ActorId, Cell, Entry, Step, What};
use crate::kernel::store::Store;
use crate::message::Message;
use crate::time::Instant;

/// The messages of one type, and the doors of those who get them.
pub(crate) struct Gate<M> {
    store: Rc<Store<M>>,
    doors: Doors<M>,
}

/// The subscribers of a publication, and how many of them had their turn.
pub(crate) struct Sharing<'a> {
    pub(crate) list: &'a [Sub],
    pub(crate) shared: &'a mut usize,
}

/// What can be done at a gate without knowing its type.
pub(crate) trait AnyGate {
    /// Delivers a message of the step.
    fn deliver_sent(&mut self, cells: &[Rc<dyn Cell>], core: &mut Core, entry: &Entry);
    /// Delivers a message that is kept, and drops it if nobody else needs it.
    fn deliver_kept(&mut self, cells: &[Rc<dyn Cell>], core: &mut Core, entry: &Entry);
    /// Delivers a share of a publication, whose word is known.
    fn deliver_share(&mut self, word: u64, cells: &[Rc<dyn Cell>], core: &mut Core, entry: &Entry);
    /// Gives all who are left their shares of a publication, up to one that has tasks to be polled. Whether there is such a one.
    fn share_on(&mut self, sharing: Sharing<'_>, cells: &[Rc<dyn Cell>], core: &mut Core, entry: &mut Entry) -> bool;
    /// Delivers the message that is alone in the step emitted, and runs on through the steps after it while they are like that, of this type.
    fn run_sent(&mut self, step: &mut Step, cells: &[Rc<dyn Cell>], core: &mut Core, max_steps: u32);
    /// Delivers kept messages of this type that are due up to `bound` and alone in their instants, at most `left`, which it counts down.
    /// `true`: the last one's instant is not over with it.
    fn run_kept(&mut self, cells: &[Rc<dyn Cell>], core: &mut Core, bound: Instant, left: &mut u64) -> bool;
    /// Forgets the way to an actor that has stopped.
    fn close(&mut self, who: ActorId);
}

impl<M: Message> Gate<M> {
    pub(crate) fn to(store: Rc<Store<M>>) -> Self {
        Self { store, doors: Doors::default() }
    }

    /// Others share the message, whatever becomes of this handler.
    #[cold]
    #[inline(never)]
    fn deliver_shared(&mut self, message: M, cells: &[Rc<dyn Cell>], core: &mut Core, entry: &Entry) {
        let handled = catch_unwind(AssertUnwindSafe(|| deliver(&message, &mut self.doors, cells, core, entry)));
        self.store.put_back(entry.payload, message);
        if let Err(panic) = handled {
            resume_unwind(panic);
        }
    }
}

/// Records a message and hands it over.
#[inline(always)]
fn deliver<M: Message>(message: &M, doors: &mut Doors<M>, cells: &[Rc<dyn Cell>], core: &mut Core, entry: &Entry) {
    core.kind = M::KIND;
    core.record_of_kind(entry.from, entry.cause, entry.to, message, digest_of(message));
    doors.hand_over(message, entry.to, || entry.thunk, cells, core);
}

impl<M: Message> AnyGate for Gate<M> {
    fn deliver_sent(&mut self, cells: &[Rc<dyn Cell>], core: &mut Core, entry: &Entry) {
        let sent = self.store.sent(&core.stores);
        deliver(&sent[entry.payload as usize], &mut self.doors, cells, core, entry);
    }

    fn deliver_kept(&mut self, cells: &[Rc<dyn Cell>], core: &mut Core, entry: &Entry) {
        let (message, shared) = self.store.lend(entry.payload);
        if shared {
            self.deliver_shared(message, cells, core, entry);
        } else {
            deliver(&message, &mut self.doors, cells, core, entry);
        }
    }

    fn deliver_share(&mut self, word: u64, cells: &[Rc<dyn Cell>], core: &mut Core, entry: &Entry) {
        let sent = self.store.sent(&core.stores);
        let message = &sent[entry.payload as usize];
        core.record_word(entry.to, M::KIND, word);
        core.show_share(entry.from, entry.cause, entry.to, message);
        self.doors.hand_over(message, entry.to, || entry.thunk, cells, core);
    }

    fn share_on(&mut self, sharing: Sharing<'_>, cells: &[Rc<dyn Cell>], core: &mut Core, entry: &mut Entry) -> bool {
        let sent = self.store.sent(&core.stores);
        let message = &sent[entry.payload as usize];
        let word = core.word(entry.from, entry.cause, const { digest_of_text(M::KIND) }, digest_of(message));
        core.kind = M::KIND;
        while let Some(sub) = sharing.list.get(*sharing.shared) {
            *sharing.shared += 1;
            entry.to = sub.to;
            let hot = &core.hot[sub.to.index()];
            if hot.life != Life::Living || hot.picky && !core.is_wanted(sub.to, entry.from, entry.ty) {
                continue;
            }
            core.record_share(sub.to, word);
            core.show_share(entry.from, entry.cause, sub.to, message);
            self.doors.hand_over(message, sub.to, || sub.thunk, cells, core);
            if core.tasks.any_due() {
                return true;
            }
        }
        false
    }

    fn run_sent(&mut self, step: &mut Step, cells: &[Rc<dyn Cell>], core: &mut Core, max_steps: u32) {
        let ty = self.store.ty();
        core.kind = M::KIND;
        while core.lone_next(max_steps) == Some((What::Now, ty)) {
            core.turn_to_lone(step);
            core.counters.steps += 1;
            let [entry] = &step[..] else { return };
            core.me = entry.to;
            let sent = self.store.sent(&core.stores);
            let message = &sent[entry.payload as usize];
            core.record_of_kind(entry.from, entry.cause, entry.to, message, digest_of(message));
            self.doors.hand_over(message, entry.to, || entry.thunk, cells, core);
            drop(sent);
            if core.attention | core.tasks.any_due() {
                return;
            }
        }
    }

    fn run_kept(&mut self, cells: &[Rc<dyn Cell>], core: &mut Core, bound: Instant, left: &mut u64) -> bool {
        let ty = self.store.ty();
        core.kind = M::KIND;
        while *left > 0
            && let Some(lone) = core.begin_lone(bound, |entry| entry.is_kept_message() && entry.ty == ty)
        {
            *left -= 1;
            let message = self.store.take(lone.payload);
            core.record_first(lone.from, lone.cause, lone.to, &message, digest_of(&message));
            self.doors.hand_over(&message, lone.to, || lone.thunk, cells, core);
            if !core.is_quiet() {
                return true;
            }
            core.count_instant();
        }
        false
    }

    fn close(&mut self, who: ActorId) {
        self.doors.close(who);
    }
}

/// One gate per type, apart from the core that is lent to handlers.
#[derive(Default)]
pub(crate) struct Gates(Vec<Box<dyn AnyGate>>);

impl Gates {
    #[inline(always)]
    pub(crate) fn of(&mut self, core: &Core, ty: u16) -> &mut dyn AnyGate {
        let ty = usize::from(ty);
        if ty >= self.0.len() {
            self.add(core);
        }
        &mut *self.0[ty]
    }

    #[cold]
    #[inline(never)]
    fn add(&mut self, core: &Core) {
        self.0.extend(core.stores.from(self.0.len()).iter().map(|store| store.clone().gate()));
    }

    /// Forgets the ways to an actor that has stopped.
    pub(crate) fn close(&mut self, who: ActorId) {
        self.0.iter_mut().for_each(|gate| gate.close(who));
    }
}
