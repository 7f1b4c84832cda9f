//! Which numbers were used. Invariant: runs of numbers are kept as their bounds, so that numbers given in turn take no memory.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::order::OrderId;

/// A set of order numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct IdSet {
    /// The first and the last number of each run; runs do not touch.
    runs: BTreeMap<u64, u64>,
}

impl IdSet {
    pub(super) fn contains(&self, id: OrderId) -> bool {
        self.runs.range(..=id.0).next_back().is_some_and(|(_, last)| *last >= id.0)
    }

    pub(super) fn insert(&mut self, id: OrderId) {
        if self.contains(id) {
            return;
        }
        let before = self.runs.range(..id.0).next_back().filter(|(_, last)| **last + 1 == id.0).map(|(first, _)| *first);
        let behind = id.0.checked_add(1).and_then(|next| self.runs.remove(&next));
        self.runs.insert(before.unwrap_or(id.0), behind.unwrap_or(id.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_set_of_runs_is_a_set(ids in prop::collection::vec(0u64..40, 0..60)) {
            let (mut runs, mut plain) = (IdSet::default(), std::collections::BTreeSet::new());
            for id in ids {
                runs.insert(OrderId(id));
                plain.insert(id);
                prop_assert!((0..41).all(|id| runs.contains(OrderId(id)) == plain.contains(&id)));
                let ends = plain.iter().filter(|id| !plain.contains(&(*id + 1))).count();
                prop_assert_eq!(runs.runs.len(), ends);
            }
        }
    }

    #[test]
    fn the_last_number_can_be_used() {
        let mut ids = IdSet::default();
        ids.insert(OrderId(u64::MAX));
        ids.insert(OrderId(u64::MAX - 1));
        assert!(ids.contains(OrderId(u64::MAX)) && ids.runs.len() == 1);
    }
}
