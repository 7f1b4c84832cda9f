//! Order labels: rank and path (rule R1) as one number. Invariant: labels compare as (rank, path) do, and giving one to a newcomer never changes
//! the relative order of the others.

use std::collections::BTreeMap;

use crate::kernel::entry::ActorId;
use crate::path::{Path, Rank};

/// A newcomer above all others stands so far above the highest, so that those who come one after the other never crowd.
const GAP: u64 = 1 << 32;

/// Who stands where. A newcomer's label falls halfway between its neighbours', but at most [`GAP`] above the lower one. Where there is no room, the
/// narrowest stretch of labels that is sparse is spread evenly, so that a newcomer changes a logarithmic number of labels, on average (the list
/// labelling of Bender, Cole, Demaine, Farach-Colton and Zito, "Two simplified algorithms for maintaining order in a list", ESA 2002).
#[derive(Default)]
pub(crate) struct Order {
    places: BTreeMap<(Rank, Path), (ActorId, u64)>,
}

impl Order {
    /// Gives `id` its place; `set` is told every label that is given or changes.
    pub(crate) fn insert(&mut self, rank: Rank, path: Path, id: ActorId, mut set: impl FnMut(ActorId, u64)) {
        let key = (rank, path);
        let below = self.places.range(..&key).next_back().map_or(0, |(_, (_, label))| *label);
        let above = self.places.range(&key..).next().map_or(u64::MAX, |(_, (_, label))| *label);
        let label = below + ((above - below) / 2).min(GAP);
        let taken = self.places.insert(key.clone(), (id, label));
        assert!(taken.is_none(), "two actors under one path");
        if label == below {
            self.spread_around(&key, label, set);
        } else {
            set(id, label);
        }
    }

    /// Moves `id` to another rank.
    pub(crate) fn move_to(&mut self, from: Rank, to: Rank, path: &Path, id: ActorId, set: impl FnMut(ActorId, u64)) {
        self.places.remove(&(from, path.clone()));
        self.insert(to, path.clone(), id, set);
    }

    /// Spreads the narrowest aligned stretch around `label`, the one at `key`, in which of 4ⁿ labels at most 2ⁿ are given. All 2⁶⁴ are one such: there
    /// are fewer ids than 2³².
    fn spread_around(&mut self, key: &(Rank, Path), label: u64, mut set: impl FnMut(ActorId, u64)) {
        for power in 1..=u64::BITS / 2 {
            let last = u64::MAX >> (u64::BITS - 2 * power);
            let (low, high) = (label & !last, label | last);
            let below = self.places.range(..key).rev().take_while(|(_, (_, label))| *label >= low).count() as u64;
            let others = self.places.range(key..).take_while(|(_, (_, label))| *label <= high).count() as u64;
            if below + others > 1 << power {
                continue;
            }
            let gap = last / (below + others + 1);
            let lowest = self.places.range(..key).rev().take(below as usize).last().map_or(key, |(key, _)| key).clone();
            for (number, (id, label)) in (1..=below + others).zip(self.places.range_mut(&lowest..).map(|(_, place)| place)) {
                *label = low + gap * number;
                set(*id, *label);
            }
            return;
        }
    }

    /// All slots in order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = ActorId> + '_ {
        self.places.values().map(|(id, _)| *id)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::path::Name;

    /// Labels as they were told, and how often one was.
    #[derive(Default)]
    struct Labels {
        order: Order,
        told: BTreeMap<ActorId, u64>,
        changes: u64,
    }

    impl Labels {
        fn insert(&mut self, rank: i32, path: Path, id: u32) {
            self.order.insert(Rank(rank), path, ActorId(id), |id, label| {
                self.told.insert(id, label);
                self.changes += 1;
            });
        }

        /// Whether the labels of all who are there rise strictly in this order.
        fn check(&self, expected: impl Iterator<Item = u32> + Clone) {
            assert!(self.order.ids().map(|id| id.0).eq(expected.clone()));
            let labels: Vec<u64> = expected.map(|id| self.told[&ActorId(id)]).collect();
            assert!(labels.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }

    fn named(name: &str) -> Path {
        Path::root(Name::new(name).expect("a name"))
    }

    const MANY: u32 = 50_000;

    #[test]
    fn who_comes_last_changes_no_label_of_others() {
        let mut labels = Labels::default();
        (0..MANY).for_each(|id| labels.insert(0, named("a").child(id), id));
        labels.check(0..MANY);
        assert_eq!(labels.changes, u64::from(MANY));
    }

    #[test]
    fn newcomers_at_one_spot_change_few_labels_of_others() {
        // Each stands between the one before it and `b`; each stands before all others; every other one stands in the middle.
        let between = |labels: &mut Labels| (1..=MANY).for_each(|id| labels.insert(0, named("a").child(id), id));
        let first = |labels: &mut Labels| (1..=MANY).for_each(|id| labels.insert(0, named("a").child(MANY - id), id));
        let middle = |labels: &mut Labels| {
            (1..=MANY).for_each(|id| labels.insert(0, named("a").child(if id % 2 == 0 { id } else { 2 * MANY - id }), id));
        };
        for newcomers in [&between as &dyn Fn(&mut Labels), &first, &middle] {
            let mut labels = Labels::default();
            labels.insert(0, named("b"), 0);
            newcomers(&mut labels);
            let sorted: Vec<u32> = labels.order.ids().map(|id| id.0).collect();
            assert_eq!(sorted.len(), MANY as usize + 1);
            labels.check(sorted.iter().copied());
            // The logarithm of 50,000 is 16; to number all anew whenever there is no room would be 1,000 each.
            assert!(labels.changes < 40 * u64::from(MANY), "{}", labels.changes);
        }
    }

    proptest! {
        #[test]
        fn labels_rise_as_ranks_and_paths_do(
            newcomers in prop::collection::vec((-2..3i32, 0..3u32, 0..400u32), 1..600),
            moves in prop::collection::vec((any::<prop::sample::Index>(), -2..3i32), 0..20),
        ) {
            let mut labels = Labels::default();
            let mut model: BTreeMap<(u32, u32), (i32, u32)> = BTreeMap::new();
            let path = |(root, child): (u32, u32)| named(["a", "b", "c"][root as usize]).child(child);
            for (id, (rank, root, child)) in newcomers.into_iter().enumerate() {
                if let std::collections::btree_map::Entry::Vacant(place) = model.entry((root, child)) {
                    place.insert((rank, id as u32));
                    labels.insert(rank, path((root, child)), id as u32);
                }
            }
            for (index, to) in moves {
                let count = model.len();
                let (place, (rank, id)) = model.iter_mut().nth(index.index(count)).expect("one of them");
                let Labels { order, told, .. } = &mut labels;
                order.move_to(Rank(*rank), Rank(to), &path(*place), ActorId(*id), |id, label| _ = told.insert(id, label));
                *rank = to;
            }
            let mut expected: Vec<_> = model.iter().map(|(place, (rank, id))| (*rank, *place, *id)).collect();
            expected.sort_unstable();
            labels.check(expected.iter().map(|(_, _, id)| *id));
        }
    }
}
