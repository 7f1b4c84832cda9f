//! The short ways of a delivery that is alone in its step, or in its instant: the common case in a simulation without ties. Invariant: what comes of
//! it is what closing and running its step would come to; whatever is not of this kind is left to that.

use super::dispatch::deliver_wake;
use super::{DRAIN, Phase, Shard};
use crate::kernel::core::Life;
use crate::kernel::entry::{Entry, NONE, What, no_thunk};
use crate::kernel::stream::instant;
use crate::time::Instant;

impl Shard {
    /// Runs instants that begin with a lone timer, delayed message or wake-up. `false`: the next one is not of this kind.
    pub(super) fn run_lone(&mut self, bound: Instant) -> bool {
        if self.limits.max_steps == 0 {
            return false;
        }
        let mut left = DRAIN;
        while left > 0 {
            let before = left;
            let Some(bound) = self.before_streams(bound) else { break };
            let Some(first) = self.core.pending.first(bound) else { break };
            let is_loud = if first.is_kept_message() {
                let ty = first.ty;
                self.begin_running(0);
                self.gates.of(&self.core, ty).run_kept(&self.cells, &mut self.core, bound, &mut left)
            } else if first.what == What::Wake {
                self.run_wake(bound, &mut left)
            } else if self.emit_lone(bound) {
                return true;
            } else {
                break;
            };
            if is_loud {
                // Whatever is counted for this instant is counted at its still point.
                self.delivered_before = self.core.counters.deliveries - 1;
                self.steps_before = self.core.counters.steps - 1;
                if self.has_stepped() {
                    self.step_on();
                    self.run_on();
                }
                if self.phase != Phase::Still || self.error.is_some() {
                    break;
                }
            } else {
                self.inside = false;
                self.phase = Phase::Still;
                if left == before {
                    break;
                }
            }
        }
        left < DRAIN
    }

    /// Delivers a wake-up that is alone in its instant. `true`: the instant is not over with it.
    fn run_wake(&mut self, bound: Instant, left: &mut u64) -> bool {
        let core = &mut *self.core;
        let Some(lone) = core.begin_lone(bound, |entry| entry.what == What::Wake) else { return false };
        *left -= 1;
        let wake = Entry { from: lone.from, cause: lone.cause, extra: lone.extra, ..core.entry(lone.to, 0, What::Wake, no_thunk) };
        deliver_wake(core, &wake);
        if core.is_quiet() {
            core.count_instant();
            return false;
        }
        self.begin_running(0);
        true
    }

    /// Begins an instant of one delivery, of whatever kind, but for ticks. `false`: the next one is not like that.
    fn emit_lone(&mut self, bound: Instant) -> bool {
        let core = &mut *self.core;
        let Some((at, entry)) = core.pending.pop_lone(bound, |entry| entry.what != What::Timer) else { return false };
        self.step.push(Entry { node: NONE, ..*entry });
        core.now = at;
        (core.round, core.step) = (0, 0);
        self.delivered_before = core.counters.deliveries;
        self.steps_before = core.counters.steps;
        self.emitted_in_order = true;
        self.phase = Phase::Emitted;
        true
    }

    /// A step is under way, of which `pos` deliveries had their turn.
    #[inline(always)]
    fn begin_running(&mut self, pos: usize) {
        self.phase = Phase::Running;
        self.pos = pos;
        self.inside = true;
    }

    /// After the delivery of a step of one. `false`: its end has something to look at, and it is left under way.
    #[inline(always)]
    fn has_stepped(&mut self) -> bool {
        self.inside = false;
        if self.core.tasks.any_due() {
            self.poll(self.core.me);
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

    /// After a step that has ended: runs the messages and publications that come alone, a step each, and moves on to the next step.
    #[inline(always)]
    fn step_on(&mut self) {
        while self.unmeasured
            && self.phase == Phase::Ended
            && let Some((what, ty)) = self.core.lone_next(self.limits.max_steps)
        {
            if what == What::Publication {
                self.core.turn_to_lone(&mut self.step);
                let list = self.core.published.pop();
                self.share_with(list);
            } else {
                self.core.event = None;
                self.begin_running(1);
                self.gates.of(&self.core, ty).run_sent(&mut self.step, &self.cells, &mut self.core, self.limits.max_steps);
                self.has_stepped();
            }
        }
        if self.phase == Phase::Ended {
            self.next_step();
        }
    }

    /// Runs on while every next step is a lone delivery or a lone publication.
    #[inline(always)]
    pub(super) fn run_on(&mut self) {
        while self.phase == Phase::Emitted {
            if self.is_lone_publication() {
                self.run_publication();
            } else if self.is_simple() {
                self.run_single();
            } else {
                return;
            }
            self.step_on();
        }
    }
}
