//! What takes effect when a step has ended, and when the run has (rules R7, R16). Invariant: it does so in an order that no handler chose.

use std::rc::Rc;

use super::Shard;
use crate::address::Occupied;
use crate::error::RunError;
use crate::kernel::core::Life;
use crate::kernel::entry::ActorId;
use crate::kernel::record::summand;
use crate::outcome::Part;
use crate::path::Path;
use crate::report::Report;
use crate::sort;
use crate::time_keeper::TimeKeeper;

impl Shard {
    /// What takes effect at the end of a step (rule R7): spawns, subscriptions, stops, and then the answers to what was lost.
    #[cold]
    pub(super) fn end_step(&mut self) {
        self.forced = false;
        self.core.attention = false;
        self.core.next_instants.clear();
        self.apply_end_of_step();
        if self.core.asks.may_have_lost() {
            self.core.answer_lost();
            // A responder that is kept may be dropped in any step to come.
            self.core.attention = self.core.asks.may_have_lost();
        }
    }

    pub(super) fn apply_end_of_step(&mut self) {
        let end = std::mem::take(&mut self.core.end_of_step);
        for facet in std::mem::take(&mut self.core.new_facets) {
            self.place(facet, Rc::new(Occupied::new(TimeKeeper(()))));
        }
        for actor in end.poisoned {
            self.core.hot[actor.index()].poisoned = false;
        }
        for (id, cell, entry) in end.spawned {
            self.place(id, cell);
            self.core.hot[id.index()].life = Life::Living;
            self.core.push_next(entry);
        }
        for (publisher, call) in end.subscribed {
            self.core.enlist(publisher, call.ty, call.sub);
        }
        for (publisher, ty, who) in end.unsubscribed {
            self.core.delist(publisher, ty, who);
        }
        for actor in end.stopped {
            self.stop(actor);
        }
    }

    /// Stops an actor and its children.
    pub(super) fn stop(&mut self, actor: ActorId) {
        let core = &mut *self.core;
        let hot = &mut core.hot[actor.index()];
        if hot.life != Life::Living {
            return;
        }
        hot.life = Life::Stopped;
        if hot.count > 0 {
            core.stopped_sum = core.stopped_sum.wrapping_add(summand(hot.path_digest, hot.chain, hot.count));
        } else {
            core.stands_at_rank_zero(actor);
        }
        core.end_tasks_of(actor);
        for (publisher, ty, _) in std::mem::take(&mut core.cold[actor.index()].wishes) {
            core.delist(publisher, ty, actor);
        }
        core.cold[actor.index()].lists.clear();
        self.any_stopped = true;
        self.core.attention_when_still = true;
        let remains = self.cells[actor.index()].remains();
        let cell = std::mem::replace(&mut self.cells[actor.index()], remains);
        let mut report = Report::default();
        cell.report(&mut report);
        self.reports.push((actor, report));
        // What it holds is dropped in this step: a question that it has not answered is lost now.
        self.gates.close(actor);
        self.streams.iter_mut().for_each(|stream| stream.close(actor));
        drop(cell);
        for child in self.core.cold[actor.index()].children.clone() {
            self.stop(child);
        }
    }

    /// The run ends at this step: of several reasons, the first by R16's order.
    #[cold]
    pub(super) fn conclude(&mut self) {
        let core = &mut *self.core;
        core.count_instant();
        let mut faults = std::mem::take(&mut core.faults);
        // Stable: several faults of one actor stay in the order in which they happened.
        sort::by_key(&mut faults, |(of, error)| (error.precedence(), core.label(*of)));
        match faults.into_iter().next() {
            Some((_, error)) => self.error = Some(error),
            None => self.stopped = true,
        }
        if let Some(error) = core.observer_error.take() {
            self.error.get_or_insert(RunError::Observer(error.to_string()));
        }
    }

    /// What the run came to in this shard.
    pub(crate) fn part(&mut self) -> Part {
        let core = &self.core;
        let stands = |id: ActorId| (core.cold[id.index()].rank, core.path(id).clone());
        let received = core.order.ids().filter(|id| core.hot[id.index()].count > 0);
        let chains = received.map(|id| (stands(id), core.hot[id.index()].chain, core.hot[id.index()].count)).collect();
        let mut reports = std::mem::take(&mut self.reports);
        reports.extend(self.living());
        reports.retain(|(_, report)| !report.is_empty());
        Part {
            counters: core.counters,
            events_before: core.events_before,
            sum: core.trace_hash().0,
            first: core.first,
            last: core.last,
            streams: self.streams.iter().map(|stream| stream.tally(core.path(stream.id()).clone())).collect(),
            reports: reports.into_iter().map(|(id, report)| (stands(id), report)).collect(),
            chains,
            metrics: self.metrics.take().map(|metrics| *metrics),
        }
    }

    /// What the living actors report.
    fn living(&self) -> impl Iterator<Item = (ActorId, Report)> {
        let living = self.core.order.ids().filter(|id| self.core.is_living(*id));
        living.filter_map(|id| {
            let mut report = Report::default();
            self.cells.get(id.index())?.report(&mut report);
            Some((id, report))
        })
    }

    /// The same by their paths, without those that have nothing to say.
    pub(crate) fn living_reports(&self) -> impl Iterator<Item = (Path, Report)> {
        self.living().filter(|(_, report)| !report.is_empty()).map(|(id, report)| (self.core.path(id).clone(), report))
    }
}
