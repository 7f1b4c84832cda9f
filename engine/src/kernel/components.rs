//! Components: who must run on one thread (rule R14). Invariant: they follow from the declared links and streams alone, never from the host.

use std::collections::BTreeMap;

use crate::kernel::entry::ActorId;

/// Roots and streams joined by links without latency.
#[derive(Clone, Debug, Default)]
pub(crate) struct Components {
    /// The least member of each one's component.
    of: BTreeMap<ActorId, ActorId>,
}

impl Components {
    /// The components of these members, of which each pair is joined.
    pub(crate) fn of(members: impl IntoIterator<Item = ActorId>, pairs: impl IntoIterator<Item = (ActorId, ActorId)>) -> Self {
        let mut components = Self { of: members.into_iter().map(|member| (member, member)).collect() };
        for (a, b) in pairs {
            let (a, b) = (components.find(a), components.find(b));
            components.of.insert(a.max(b), a.min(b));
        }
        let members: Vec<ActorId> = components.of.keys().copied().collect();
        for member in members {
            let least = components.find(member);
            components.of.insert(member, least);
        }
        components
    }

    /// The least member of a root's component.
    pub(crate) fn find(&self, mut member: ActorId) -> ActorId {
        while self.of[&member] != member {
            member = self.of[&member];
        }
        member
    }

    /// Whether two roots are in one component.
    pub(crate) fn joins(&self, a: ActorId, b: ActorId) -> bool {
        self.of[&a] == self.of[&b]
    }

    /// Every component: its least member, then all of its members.
    pub(crate) fn all(&self) -> BTreeMap<ActorId, Vec<ActorId>> {
        let mut all = BTreeMap::<_, Vec<_>>::new();
        for (member, least) in &self.of {
            all.entry(*least).or_default().push(*member);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_and_rings_are_one_component() {
        let id = ActorId;
        let pairs = [(id(4), id(3)), (id(3), id(2)), (id(7), id(8)), (id(8), id(9)), (id(9), id(7)), (id(5), id(5))];
        let components = Components::of((1..10).map(ActorId), pairs);
        let all: Vec<Vec<u32>> = components.all().into_values().map(|members| members.iter().map(|id| id.0).collect()).collect();
        assert_eq!(all, [vec![1], vec![2, 3, 4], vec![5], vec![6], vec![7, 8, 9]]);
        assert!(components.joins(id(2), id(4)) && !components.joins(id(4), id(7)));
    }
}
