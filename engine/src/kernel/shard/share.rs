//! The short way of a publication that is alone in its step. Invariant: each subscriber has its turn once, in R1's order, whoever panics.

use std::rc::Rc;

use super::{Phase, Shard};
use crate::digest::digest_of_text;
use crate::kernel::core::Life;
use crate::kernel::entry::{Entry, What};

impl Shard {
    /// Whether the step is one publication, of which closing has nothing to decide.
    #[inline(always)]
    pub(super) fn is_lone_publication(&self) -> bool {
        let [entry] = &self.step[..] else { return false };
        entry.what == What::Publication && self.unmeasured && !self.forced && self.core.step < self.limits.max_steps
    }

    /// Begins the step of one publication, without an entry for every subscriber.
    pub(super) fn run_publication(&mut self) {
        let list = Rc::clone(&self.published[self.step[0].extra as usize]);
        let entry = Entry { what: What::Share, extra: 0, ..self.step[0] };
        self.step.clear();
        self.pos = 0;
        self.published.clear();
        let arena = self.arenas.any(entry.ty);
        let word = self.core.word(entry.from, entry.cause, digest_of_text(arena.kind()), arena.digest(entry.payload));
        self.words.clear();
        self.words.push(word);
        self.sharing = Some((list, entry));
        self.shared = 0;
        self.phase = Phase::Running;
        self.share();
    }

    /// Gives each subscriber its share, in R1's order, in which lists are kept; after a panic, each one that is left.
    pub(super) fn share(&mut self) {
        let Some((list, mut entry)) = self.sharing.clone() else { return };
        let before = self.core.counters.deliveries;
        self.core.event = None;
        self.inside = true;
        let word = self.words[0];
        let kind = self.arenas.any(entry.ty).kind();
        while let Some(sub) = list.get(self.shared) {
            self.shared += 1;
            entry.to = sub.to;
            let hot = &self.core.hot[sub.to.index()];
            if hot.life != Life::Living || hot.picky && !self.is_wanted(&entry) {
                continue;
            }
            self.current = sub.to;
            let (core, arena) = (&mut *self.core, self.arenas.any(entry.ty));
            core.record_share_in(arena, &entry, kind, word);
            (sub.thunk)(&mut *self.cells[sub.to.index()], arena.message(entry.payload), core, &entry);
            if self.core.tasks.any_due() {
                self.poll(sub.to);
                self.core.event = None;
                self.inside = true;
            }
        }
        self.inside = false;
        self.sharing = None;
        self.core.counters.steps += u64::from(self.core.counters.deliveries > before);
        if !self.core.attention {
            self.phase = Phase::Ended;
        }
    }
}
