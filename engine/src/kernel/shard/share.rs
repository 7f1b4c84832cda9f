//! The short way of a publication that is alone in its step. Invariant: each subscriber has its turn once, in R1's order, whoever panics.

use super::{Phase, Shard};
use crate::kernel::core::Life;
use crate::kernel::entry::What;

impl Shard {
    /// Whether the step is one publication, of which closing has nothing to decide.
    #[inline(always)]
    pub(super) fn is_lone_publication(&self) -> bool {
        let [entry] = &self.step[..] else { return false };
        entry.what == What::Publication && self.unmeasured && !self.forced && self.core.step < self.limits.max_steps
    }

    /// Begins the step of one publication, without an entry for every subscriber.
    pub(super) fn run_publication(&mut self) {
        let entry = &mut self.step[0];
        (entry.what, entry.extra) = (What::Share, 0);
        let word = self.arenas.any(entry.ty).word(&self.core, entry);
        self.words.clear();
        self.words.push(word);
        self.sharing = self.published.pop();
        self.shared = 0;
        self.pos = 1;
        self.phase = Phase::Running;
        self.share();
    }

    /// Gives each subscriber its share, in R1's order, in which lists are kept; after a panic, each one that is left.
    pub(super) fn share(&mut self) {
        let before = self.core.counters.deliveries;
        self.core.event = None;
        self.inside = true;
        while self.share_on() {
            self.poll(self.current);
            self.core.event = None;
            self.inside = true;
        }
        self.inside = false;
        self.sharing = None;
        self.step.clear();
        self.core.counters.steps += u64::from(self.core.counters.deliveries > before);
        if !self.core.attention {
            self.phase = Phase::Ended;
        }
    }

    /// Gives their shares to all who are left, up to one that has tasks to be polled. Whether there is such a one.
    fn share_on(&mut self) -> bool {
        let (Some(list), [entry]) = (&self.sharing, &mut self.step[..]) else { return false };
        let (core, word) = (&mut *self.core, self.words[0]);
        let arena = self.arenas.any(entry.ty);
        let (kind, message) = (arena.kind(), arena.message(entry.payload));
        while let Some(sub) = list.get(self.shared) {
            self.shared += 1;
            entry.to = sub.to;
            let hot = &core.hot[sub.to.index()];
            if hot.life != Life::Living || hot.picky && !core.is_wanted(sub.to, entry.from, entry.ty) {
                continue;
            }
            self.current = sub.to;
            core.record_word(sub.to, kind, word);
            if core.observer.is_some() {
                core.show_in(arena, entry, kind);
            }
            (sub.thunk)(&mut *self.cells[sub.to.index()], message, core, entry);
            if core.tasks.any_due() {
                return true;
            }
        }
        false
    }
}
