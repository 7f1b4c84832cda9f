//! One snapshot out of the parts of several shards. Invariant: whatever belongs to an actor is in exactly one part, so that parts can be put
//! together in any order.

use super::image::{Image, Totals};
use crate::kernel::stream::Cover;
use crate::sort;

impl Image {
    /// Puts the parts of one run's shards together, all taken at one still point. Panics if two parts have one slot: shards own their actors.
    pub(crate) fn merge(parts: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut merged = parts.into_iter().reduce(Self::and)?;
        sort::by_key(&mut merged.pending, |pending| (pending.due, pending.from, pending.seq, pending.to));
        sort::by(&mut merged.asks, Ord::cmp);
        merged.asks.dedup();
        sort::by(&mut merged.links, Ord::cmp);
        let mut covers = std::mem::take(&mut merged.covers);
        sort::by_key(&mut covers, |(stream, _)| *stream);
        for copies in covers.chunk_by(|(a, _), (b, _)| a == b) {
            merged.totals.counters.events += Cover::union(copies.iter().map(|(_, cover)| cover));
        }
        Some(merged)
    }

    fn and(mut self, mut other: Self) -> Self {
        self.site = self.site.max(other.site);
        self.totals = self.totals.and(&other.totals);
        for (id, slot) in other.slots {
            let path = slot.path.clone();
            assert!(self.slots.insert(id, slot).is_none(), "two shards own `{path}`");
        }
        for (id, position) in other.streams {
            let known = self.streams.entry(id).or_insert_with(|| position.clone());
            if !known.opened {
                *known = position;
            }
        }
        self.covers.append(&mut other.covers);
        self.pending.append(&mut other.pending);
        self.asks.append(&mut other.asks);
        self.links.append(&mut other.links);
        self.reports.append(&mut other.reports);
        self
    }
}

impl Totals {
    fn and(&self, other: &Self) -> Self {
        let (mut counters, more) = (self.counters, &other.counters);
        counters.events += more.events;
        counters.deliveries += more.deliveries;
        counters.dead_letters += more.dead_letters;
        counters.steps += more.steps;
        counters.never += more.never;
        counters.lost += more.lost;
        counters.instants += more.instants;
        let mut sum = *self;
        sum.counters = counters;
        sum.first = [self.first, other.first].into_iter().flatten().min();
        sum.last = self.last.max(other.last);
        sum.dead.0 = sum.dead.0.wrapping_add(other.dead.0);
        sum.stopped.0 = sum.stopped.0.wrapping_add(other.stopped.0);
        sum
    }
}
