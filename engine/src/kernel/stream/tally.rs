//! What a stream has counted in one shard. Invariant: an item that several shards have delivered is counted once.

use crate::path::Path;
use crate::stream::LateCounts;

/// Which items of a stream were delivered, by their place among the real ones, from and to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cover(Vec<(u64, u64)>);

impl Cover {
    pub(super) fn add(&mut self, place: u64) {
        match self.0.last_mut() {
            Some((_, to)) if *to == place => *to += 1,
            Some((_, to)) if *to > place => {}
            _ => self.0.push((place, place + 1)),
        }
    }

    /// How many items any of these have.
    pub(crate) fn union<'a>(covers: impl IntoIterator<Item = &'a Self>) -> u64 {
        let mut all: Vec<(u64, u64)> = covers.into_iter().flat_map(|cover| cover.0.iter().copied()).collect();
        all.sort_unstable();
        let (mut count, mut end) = (0, 0);
        for (from, to) in all {
            count += to.saturating_sub(from.max(end));
            end = end.max(to);
        }
        count
    }
}

/// What a stream has counted in one shard.
pub(crate) struct StreamTally {
    pub(crate) path: Path,
    pub(crate) opened: bool,
    pub(crate) counts: LateCounts,
    pub(crate) cover: Option<Cover>,
}
