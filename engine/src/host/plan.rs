//! Who runs where: components are dealt to shards (rule R14). Invariant: a component is never split, so what crosses takes at least the lookahead.

use std::collections::BTreeMap;

use crate::kernel::components::Components;
use crate::kernel::entry::ActorId;
use crate::link::Links;
use crate::sort;
use crate::time::Duration;

/// How components are dealt to shards. No way of dealing can be seen in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deal {
    /// Evenly, by what they have done in a trial.
    ByLoad,
    /// At random, from a seed.
    Random(u64),
}

/// Which shard owns what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// By id: the shard of every root and stream.
    pub(super) owners: Vec<u16>,
    pub(super) shards: usize,
    /// The least latency of a link between two shards. `None`: nothing ever crosses.
    pub(super) lookahead: Option<Duration>,
}

impl Plan {
    /// Deals the components of `ids` roots and streams to at most `shards` shards. `loads`: by id, how much each root has done.
    pub(super) fn new(
        components: &Components,
        links: Option<&Links>,
        ids: usize,
        shards: usize,
        deal: Deal,
        loads: &BTreeMap<ActorId, u64>,
    ) -> Self {
        let mut groups: Vec<(u64, Vec<ActorId>)> = match links {
            None => vec![(0, (1..ids as u32).map(ActorId).collect())],
            Some(_) => {
                let load = |members: &[ActorId]| members.iter().filter_map(|member| loads.get(member)).sum();
                components.all().into_values().map(|members| (load(&members), members)).collect()
            }
        };
        let shards = shards.clamp(1, groups.len().max(1));
        let mut owners = vec![0u16; ids];
        match deal {
            Deal::ByLoad => {
                // The heaviest first, each to whoever has least: at most a third above the best (Graham, 1969).
                sort::by(&mut groups, |(a, first), (b, second)| b.cmp(a).then(first.cmp(second)));
                let mut loaded = vec![(0u64, 0usize); shards];
                for (load, members) in groups {
                    let least = (0..shards).min_by_key(|shard| (loaded[*shard], *shard)).expect("at least one shard");
                    loaded[least].0 += load;
                    loaded[least].1 += members.len();
                    members.iter().for_each(|member| owners[member.index()] = least as u16);
                }
            }
            Deal::Random(seed) => {
                for (number, (_, members)) in groups.into_iter().enumerate() {
                    // None is left without a component.
                    let shard =
                        if number < shards { number as u64 } else { crate::digest::digest_of(&(seed, number as u64)) % shards as u64 };
                    members.iter().for_each(|member| owners[member.index()] = shard as u16);
                }
                let turn = crate::digest::digest_of(&seed) % shards as u64;
                owners.iter_mut().for_each(|owner| *owner = ((u64::from(*owner) + turn) % shards as u64) as u16);
            }
        }
        let crossing = links.into_iter().flat_map(Links::least).filter(|((from, to), _)| owners[from.index()] != owners[to.index()]);
        let lookahead = crossing.map(|(_, latency)| latency).min();
        Self { owners, shards, lookahead }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Link;

    fn id(n: u32) -> ActorId {
        ActorId(n)
    }

    #[test]
    fn loads_are_spread_and_the_lookahead_is_of_what_crosses() {
        let mut links = Links::default();
        for (from, to, nanos) in [(1, 2, 0), (2, 3, 40), (3, 4, 7), (4, 5, 90)] {
            links.insert(id(from), id(to), Link::latency(Duration::nanos(nanos)));
        }
        let components = Components::of((1..6).map(ActorId), [(id(1), id(2))]);
        let loads = BTreeMap::from([(id(1), 5), (id(2), 5), (id(3), 4), (id(4), 5), (id(5), 1)]);
        let plan = Plan::new(&components, Some(&links), 6, 2, Deal::ByLoad, &loads);
        // {1, 2} has 10, then 4 with 5, 3 with 4 and 5 with 1 on the other side.
        assert_eq!(plan.owners, [0, 0, 0, 1, 1, 1]);
        assert_eq!(plan.lookahead, Some(Duration::nanos(40)));
        let alone = Plan::new(&components, Some(&links), 6, 1, Deal::ByLoad, &loads);
        assert_eq!((alone.shards, alone.lookahead), (1, None));
        let many = Plan::new(&components, Some(&links), 6, 99, Deal::Random(3), &loads);
        assert_eq!((many.shards, many.lookahead), (4, Some(Duration::nanos(7))));
    }

    #[test]
    fn without_links_all_is_one_shard() {
        let plan = Plan::new(&Components::default(), None, 4, 8, Deal::Random(1), &BTreeMap::new());
        assert_eq!((plan.shards, plan.lookahead), (1, None));
    }
}
