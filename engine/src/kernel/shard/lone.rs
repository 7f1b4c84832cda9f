//! The short ways of a delivery that is alone in its step, or in its instant: the common case in a simulation without ties. Invariant: what comes of
//! it is what closing and running its step would come to; whatever is not of this kind is left to that.

use super::dispatch::deliver_wake;
use super::{DRAIN, Phase, Shard};
use crate::kernel::core::Life;
use crate::kernel::entry::{ActorId, Entry, NONE, What};
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
            any = true;
            if core.pending.should_look_ahead() {
                core.look_ahead();
            }
            core.now = at;
            (core.round, core.step, core.event) = (0, 0, None);
            let Entry { to, from, cause, thunk, payload, extra, ty, what, .. } = *core.pending.entry(node);
            if core.hot[to.index()].life != Life::Living || !matches!(what, What::Later | What::Timer | What::Wake) {
                self.step.push(Entry { node: NONE, ..*core.pending.entry(node) });
                self.delivered_before = core.counters.deliveries;
                self.steps_before = core.counters.steps;
                self.emitted_in_order = true;
                self.phase = Phase::Emitted;
                break;
            }
            self.step_lone(to);
            // Not a copy: what was written field by field just now cannot be read in larger pieces yet.
            let entry = Entry { to, from, seq: 0, cause, thunk, payload, extra: NONE, node: NONE, ty, what, dead: false };
            if what == What::Wake {
                deliver_wake(&mut self.core, &Entry { extra, ..entry });
            } else {
                self.gates.of(&self.core, ty).deliver_kept(&self.cells, &mut self.core, &entry);
            }
            if self.is_quiet() {
                self.inside = false;
                self.phase = Phase::Still;
                self.core.count_instant();
                continue;
            }
            // Whatever is counted for this instant is counted at its still point.
            self.delivered_before = self.core.counters.deliveries - 1;
            self.steps_before = self.core.counters.steps - 1;
            if self.has_stepped() {
                self.next_step();
                self.run_on();
            }
            if self.phase != Phase::Still || self.error.is_some() {
                break;
            }
        }
        any
    }

    /// Whether the instant of a lone delivery is over with it: nothing was sent for it, and neither its end nor its still point has anything to look at.
    #[inline(always)]
    fn is_quiet(&self) -> bool {
        let core = &*self.core;
        let is_over = core.next.is_empty() && !core.tasks.any_due() && !core.attention && !core.attention_when_still;
        is_over && !(core.tasks.any() && core.tasks.woken_by_others())
    }

    /// Begins a step of one delivery to `who`.
    #[inline(always)]
    fn step_lone(&mut self, who: ActorId) {
        self.core.counters.steps += 1;
        self.current = who;
        self.phase = Phase::Running;
        self.pos = self.step.len();
        self.inside = true;
    }

    /// After the delivery of a step of one. `false`: its end has something to look at, and it is left under way.
    #[inline(always)]
    fn has_stepped(&mut self) -> bool {
        self.inside = false;
        if self.core.tasks.any_due() {
            self.poll(self.current);
        }
        if self.core.attention {
            return false;
        }
        self.step.clear();
        self.phase = Phase::Ended;
        true
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
        if self.has_stepped() {
            self.core.counters.events += self.items;
            self.items = 0;
        }
    }

    /// Runs the step if it is one message that was just sent. `false`: it is something else.
    #[inline(always)]
    fn run_message(&mut self) -> bool {
        let [entry] = &self.step[..] else { return false };
        let who = entry.to;
        let is_plain = entry.what == What::Now && self.core.hot[who.index()].life == Life::Living;
        if !is_plain || !self.unmeasured || self.core.step >= self.limits.max_steps {
            return false;
        }
        self.core.event = None;
        self.step_lone(who);
        // Not a copy of the entry: what was written field by field just now cannot be read in larger pieces yet.
        let entry = &self.step[0];
        self.gates.of(&self.core, entry.ty).deliver_sent(&self.cells, &mut self.core, entry);
        if self.has_stepped() {
            self.next_step();
        }
        true
    }

    /// Runs on while every next step is a lone delivery or a lone publication.
    #[inline(always)]
    pub(super) fn run_on(&mut self) {
        while self.phase == Phase::Emitted {
            if self.run_message() {
                continue;
            }
            if self.is_lone_publication() {
                self.run_publication();
            } else if self.is_simple() {
                self.run_single();
            } else {
                return;
            }
            if self.phase == Phase::Ended {
                self.next_step();
            }
        }
    }
}
