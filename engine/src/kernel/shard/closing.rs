//! Closing a step: what is delivered in it, to whom, in which order (rules R1, R3, R7, R8). Invariant: after closing, nothing that happens in the
//! step changes what is in its mailboxes, but for cancelled timers and panics.

use super::{Phase, Shard};
use crate::error::RunError;
use crate::kernel::core::Life;
use crate::kernel::entry::{ActorId, Class, Entry, NONE, What};
use crate::kernel::ready::ReadyOrder;
use crate::sort;

impl Shard {
    /// Closes the mailboxes of a step (rule R3). `false`: there is no such step.
    #[inline]
    pub(super) fn close(&mut self) -> bool {
        if self.step.is_empty() && !self.forced {
            return false;
        }
        if !self.published.is_empty() {
            self.expand_publications();
        }
        if self.step.len() > 1 {
            self.sort();
        }
        self.judge()
    }

    /// Gives every subscriber its share of the step's publications.
    pub(super) fn expand_publications(&mut self) {
        let step = std::mem::take(&mut *self.step);
        let mut expanded = std::mem::take(&mut self.sorted);
        expanded.clear();
        self.words.clear();
        self.words.resize(self.published.len(), 0);
        for entry in &step {
            if entry.what != What::Publication {
                expanded.push(*entry);
                continue;
            }
            self.words[entry.extra as usize] = self.core.stores.any(entry.ty).word(&self.core, entry);
            for sub in self.published[entry.extra as usize].iter() {
                expanded.push(Entry { to: sub.to, thunk: sub.thunk, what: What::Share, ..*entry });
            }
        }
        *self.step = expanded;
        self.sorted = step;
        self.published.clear();
    }

    /// Sorts the step by receiver, then by key: the order of R1. What was emitted in key order needs only be grouped by receiver.
    pub(super) fn sort(&mut self) {
        let core = &*self.core;
        if !self.emitted_in_order {
            self.step.sort_unstable_by_key(|entry| (core.label(entry.to), entry.what.class(), core.label(entry.from), entry.seq));
            return;
        }
        self.keys.clear();
        let mut in_order = true;
        let mut last = 0;
        for (index, entry) in self.step.iter().enumerate() {
            let label = core.label(entry.to);
            in_order &= last <= label;
            last = label;
            self.keys.push((label, index as u32));
        }
        if !in_order {
            self.keys.sort_unstable();
            self.sorted.clear();
            self.sorted.extend(self.keys.iter().map(|(_, index)| self.step[*index as usize]));
            std::mem::swap(&mut *self.step, &mut self.sorted);
        }
    }

    /// Decides what is a dead letter and what is left out, and holds the step against the limits. `false`: it is not run.
    #[inline]
    pub(super) fn judge(&mut self) -> bool {
        let (mut kept, mut alive, mut unread) = (0, 0usize, false);
        let (mut mailbox, mut owner) = (0usize, NONE);
        let limit = self.limits.max_mailbox.unwrap_or(usize::MAX);
        let mut over: Option<(ActorId, usize)> = None;
        for at in 0..self.step.len() {
            let mut entry = self.step[at];
            if !self.admit(&mut entry) {
                continue;
            }
            self.step[kept] = entry;
            kept += 1;
            if entry.dead {
                unread |= self.core.is_living(entry.to);
                continue;
            }
            alive += 1;
            if entry.to.0 != owner {
                if let Some(metrics) = &mut self.metrics
                    && mailbox > 0
                {
                    metrics.mailbox(mailbox as u64);
                }
                owner = entry.to.0;
                mailbox = 0;
            }
            mailbox += 1;
            if mailbox > limit && !self.core.hot[entry.to.index()].unbounded {
                let deliveries = mailbox;
                if over.is_none_or(|(actor, _)| actor == entry.to) {
                    over = Some((entry.to, deliveries));
                }
            }
        }
        self.step.truncate(kept);
        if let Some(metrics) = &mut self.metrics
            && mailbox > 0
        {
            metrics.mailbox(mailbox as u64);
        }
        if let Some((actor, deliveries)) = over {
            self.refuse_mailbox(actor, deliveries, limit);
            return false;
        }
        if alive > 0 && self.core.step >= self.limits.max_steps {
            self.refuse_steps();
            return false;
        }
        if kept == 0 && !self.forced {
            return false;
        }
        if unread {
            // In a trace the dead letters of a step come after the records of their receiver.
            let core = &*self.core;
            sort::by_key(&mut self.step, |entry| (core.label(entry.to), entry.dead));
        }
        if self.ready != ReadyOrder::Sorted {
            self.ready.apply(&mut self.step);
        }
        self.core.counters.steps += u64::from(alive > 0);
        self.pos = 0;
        self.phase = Phase::Running;
        true
    }

    /// Whether an entry is delivered, or is a dead letter: all that is decided when the step is closed.
    #[inline(always)]
    pub(super) fn admit(&mut self, entry: &mut Entry) -> bool {
        let core = &mut *self.core;
        if entry.node != NONE && core.pending.let_go_if_cancelled(entry.node) {
            return false;
        }
        let hot = &core.hot[entry.to.index()];
        if hot.life == Life::Living {
            let (picky, unbounded) = (hot.picky, hot.unbounded);
            if picky && !self.is_wanted(entry) {
                return false;
            }
            match entry.what {
                What::Reply | What::Gone => entry.dead = !self.core.asks.is_open(entry.extra),
                What::Request if unbounded => self.note_next_instant(entry.to),
                _ => {}
            }
            return true;
        }
        self.admit_dead(entry)
    }

    /// Notes the answer of a facet that is asked in the step being closed: the least instant at which something of the asker's own is due,
    /// beyond what that step delivers. What streams still have for this instant is due now.
    #[cold]
    pub(super) fn note_next_instant(&mut self, facet: ActorId) {
        let asker = ActorId(self.core.cold[facet.index()].stream.expect("a facet knows its asker"));
        let streams = (0..self.streams.len()).filter_map(|number| self.next_event(number, asker)).min();
        let core = &mut *self.core;
        let own = core.pending.queued().filter(|(entry, _)| entry.to == asker && entry.what.class() >= Class::Timer).map(|(_, due)| due);
        let own = if core.is_living(asker) { own.min() } else { None };
        let next = own.into_iter().chain(streams).min();
        core.next_instants.push((facet, next));
    }

    /// What becomes of an entry whose receiver is not living.
    #[cold]
    pub(super) fn admit_dead(&mut self, entry: &mut Entry) -> bool {
        entry.dead = matches!(
            entry.what,
            What::Now | What::Later | What::Request | What::Reply | What::Gone | What::Stop | What::Subscribe | What::Control
        );
        if !entry.dead {
            self.drop_entry(entry);
        }
        entry.dead
    }

    /// Whether the receiver of an entry has not called unsubscribe since, if that is a publication's.
    pub(super) fn is_wanted(&mut self, entry: &Entry) -> bool {
        let published = match entry.what {
            What::Share | What::LaterShare => entry.ty,
            What::Shared => entry.extra as u16,
            _ => return true,
        };
        let wanted = self.core.is_wanted(entry.to, entry.from, published);
        if !wanted {
            self.drop_entry(entry);
        }
        wanted
    }

    /// Releases what an entry holds that ends without record.
    pub(super) fn drop_entry(&mut self, entry: &Entry) {
        let core = &mut *self.core;
        if entry.node != NONE {
            core.pending.done(entry.node);
        }
        match entry.what {
            What::Later | What::LaterShare | What::Shared | What::Timer => core.stores.any(entry.ty).release(entry.payload),
            What::Job => core.drop_job(entry.extra),
            _ => {}
        }
    }

    #[cold]
    pub(super) fn refuse_mailbox(&mut self, actor: ActorId, deliveries: usize, limit: usize) {
        // The count of the whole mailbox, not only up to the limit.
        let all = self.step.iter().filter(|entry| entry.to == actor && !entry.dead).count().max(deliveries);
        let error = RunError::Mailbox { site: self.core.site(), actor: self.core.path(actor).to_string(), deliveries: all, limit };
        self.refuse(error);
    }

    /// The step is not run: what its streams counted for it does not count.
    pub(super) fn refuse(&mut self, error: RunError) {
        let core = &mut *self.core;
        core.faults.clear();
        if core.round == 0 && core.step == 0 {
            for stream in self.streams.iter_mut() {
                stream.uncount(core.now);
            }
        }
        self.error = Some(error);
    }

    #[cold]
    pub(super) fn refuse_steps(&mut self) {
        // Both ends: a loop of two actors shows only one of them in each step.
        let living = self.step.iter().filter(|entry| !entry.dead);
        let mut actors: Vec<ActorId> = living.flat_map(|entry| [entry.from, entry.to]).collect();
        sort::by_key(&mut actors, |actor| self.core.label(*actor));
        actors.dedup();
        let actors = actors.iter().take(8).map(|actor| self.core.path(*actor).to_string()).collect();
        self.refuse(RunError::Livelock { site: self.core.site(), actors });
    }
}
