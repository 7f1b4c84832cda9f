//! The short way of a publication that is alone in its step. Invariant: each subscriber has its turn once, in R1's order, whoever panics.

use std::rc::Rc;

use super::{Phase, Shard};
use crate::address::Sub;
use crate::kernel::entry::What;
use crate::kernel::gate::Sharing;

impl Shard {
    /// Whether the step is one publication, of which closing has nothing to decide.
    #[inline(always)]
    pub(super) fn is_lone_publication(&self) -> bool {
        let [entry] = &self.step[..] else { return false };
        entry.what == What::Publication && self.unmeasured && !self.forced && self.core.step < self.limits.max_steps
    }

    /// Begins the step of one publication, without an entry for every subscriber.
    pub(super) fn run_publication(&mut self) {
        let list = self.published.pop();
        self.share_with(list);
    }

    /// As [`Shard::run_publication`], among those on this list.
    pub(super) fn share_with(&mut self, list: Option<Rc<Vec<Sub>>>) {
        let entry = &mut self.step[0];
        (entry.what, entry.extra) = (What::Share, 0);
        self.sharing = list;
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
            self.poll(self.core.me);
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
        let sharing = Sharing { list, shared: &mut self.shared };
        self.gates.of(&self.core, entry.ty).share_on(sharing, &self.cells, &mut self.core, entry)
    }
}
