//! The short ways of a delivery that is alone in its step, or in its instant: the common case in a simulation without ties. Invariant: what comes of
//! it is what closing and running its step would come to; whatever is not of this kind is left to that.

use super::dispatch::Bay;
use super::{DRAIN, Phase, Shard};
use crate::kernel::core::Life;
use crate::kernel::entry::{Entry, NONE, What};
use crate::kernel::stream::instant;
use crate::time::Instant;

impl Shard {
    /// Runs instants that begin with a lone timer, delayed message or wake-up. `false`: the next one is not of this kind.
    pub(super) fn run_lone(&mut self, bound: Instant) -> bool {
        if self.limits.max_steps == 0 {
            return false;
        }
        let mut any = false;
        for _ in 0..DRAIN {
            let Some(bound) = self.before_streams(bound) else { break };
            let core = &mut *self.core;
            let Some((at, node)) = core.pending.pop_lone(bound) else { break };
            let entry = core.pending.entry(node);
            any = true;
            if core.pending.should_look_ahead() {
                core.look_ahead();
            }
            core.now = at;
            (core.round, core.step) = (0, 0);
            self.delivered_before = core.counters.deliveries;
            self.steps_before = core.counters.steps;
            let hot = &core.hot[entry.to.index()];
            if hot.life != Life::Living || hot.picky || !matches!(entry.what, What::Later | What::Timer | What::Wake) {
                self.step.push(Entry { node: NONE, ..entry });
                self.emitted_in_order = true;
                self.phase = Phase::Emitted;
                break;
            }
            core.counters.steps += 1;
            core.event = None;
            self.current = entry.to;
            self.phase = Phase::Running;
            self.pos = 0;
            self.inside = true;
            let Self { core, cells, arenas, streams, words, .. } = self;
            Bay { core, cells, arenas, streams, words }.hand_over(&entry);
            self.inside = false;
            if self.core.tasks.any_due() {
                self.poll(self.current);
            }
            if self.core.attention {
                break;
            }
            self.next_step();
            self.run_on();
            if self.phase != Phase::Still || self.error.is_some() {
                break;
            }
        }
        any
    }

    /// The last instant up to a bound at which no stream has anything.
    #[inline(always)]
    fn before_streams(&self, bound: Instant) -> Option<Instant> {
        if self.streams.is_empty() {
            return Some(bound);
        }
        let (_, head) = self.merge.least();
        instant(head).as_nanos().checked_sub(1).map(|before| bound.min(Instant::from_nanos(before)))
    }

    /// Whether the step is one delivery to a living actor, of which closing has nothing to decide: the common case, kept short.
    #[inline(always)]
    pub(super) fn is_simple(&self) -> bool {
        let [entry] = &self.step[..] else { return false };
        let hot = &self.core.hot[entry.to.index()];
        self.unmeasured
            && matches!(entry.what, What::Now | What::Later | What::Timer | What::Stream | What::Wake | What::Job)
            && hot.life == Life::Living
            && !hot.picky
            && !self.forced
            && self.core.step < self.limits.max_steps
            && (entry.node == NONE || self.core.step == 0 || !self.core.pending.is_cancelled(entry.node))
    }

    /// Runs a simple step. If its end has something to look at, the step is left under way.
    #[inline(always)]
    pub(super) fn run_single(&mut self) {
        self.core.counters.steps += 1;
        self.phase = Phase::Running;
        self.pos = 1;
        self.deliver(0);
        if self.core.tasks.any_due() {
            self.poll(self.current);
        }
        if !self.core.attention {
            self.core.counters.events += self.items;
            self.items = 0;
            self.step.clear();
            self.phase = Phase::Ended;
        }
    }

    /// Runs on while every next step is a simple one.
    #[inline(always)]
    pub(super) fn run_on(&mut self) {
        while self.phase == Phase::Emitted && self.is_simple() {
            self.run_single();
            if self.phase == Phase::Ended {
                self.next_step();
            }
        }
    }
}
