//! Order labels: rank and path (rule R1) as one number. Invariant: labels compare as (rank, path) do, and giving one to a newcomer never changes
//! the relative order of the others.

use std::collections::BTreeMap;

use crate::kernel::entry::ActorId;
use crate::path::{Path, Rank};

/// Who stands where. New labels fall halfway between their neighbours; when there is no room all are spread anew.
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
        let label = below + (above - below) / 2;
        let crowded = label == below;
        let taken = self.places.insert(key, (id, label));
        assert!(taken.is_none(), "two actors under one path");
        if crowded {
            self.spread(set);
        } else {
            set(id, label);
        }
    }

    /// Moves `id` to another rank.
    pub(crate) fn move_to(&mut self, from: Rank, to: Rank, path: &Path, id: ActorId, set: impl FnMut(ActorId, u64)) {
        self.places.remove(&(from, path.clone()));
        self.insert(to, path.clone(), id, set);
    }

    fn spread(&mut self, mut set: impl FnMut(ActorId, u64)) {
        let gap = u64::MAX / (self.places.len() as u64 + 1);
        for (index, (id, label)) in self.places.values_mut().enumerate() {
            *label = gap * (index as u64 + 1);
            set(*id, *label);
        }
    }

    /// All slots in order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = ActorId> + '_ {
        self.places.values().map(|(id, _)| *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::Name;

    #[test]
    fn a_thousand_newcomers_at_one_spot_keep_the_order() {
        let mut order = Order::default();
        let mut labels = BTreeMap::new();
        let root = Path::root(Name::new("a").expect("a name"));
        for index in (0..1000u32).rev() {
            order.insert(Rank(0), root.child(index), ActorId(index), |id, label| {
                labels.insert(id, label);
            });
        }
        let sorted: Vec<u64> = (0..1000).map(|index| labels[&ActorId(index)]).collect();
        assert!(sorted.is_sorted() && sorted.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(order.ids().map(|id| id.0).eq(0..1000));
    }
}
