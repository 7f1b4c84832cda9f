//! Who is on whose list of subscribers (rule R7). Invariant: a list is in R1's order, and nobody is on it twice.

use std::rc::Rc;

use crate::address::Sub;
use crate::kernel::core::Core;
use crate::kernel::entry::ActorId;

impl Core {
    /// Whether two actors are in one component, so that what one of them does may reach the other at once.
    pub(crate) fn are_joined(&self, a: ActorId, b: ActorId) -> bool {
        self.links.is_none() || self.components.joins(self.cold[a.index()].root, self.cold[b.index()].root)
    }

    /// Puts a subscriber on a publisher's list, unless it has thought better of it since. What one in another component has thought since
    /// is not known here.
    pub(crate) fn enlist(&mut self, publisher: ActorId, ty: u16, sub: Sub) {
        let wishes = &self.cold[sub.to.index()].wishes;
        let wanted = wishes.iter().find(|(actor, wished, _)| (*actor, *wished) == (publisher, ty)).is_some_and(|wish| wish.2);
        if self.are_joined(publisher, sub.to) && (!wanted || !self.is_living(sub.to)) {
            return;
        }
        let lists = &mut self.cold[publisher.index()].lists;
        let at = lists.iter().position(|(published, _)| *published == ty).unwrap_or_else(|| {
            lists.push((ty, Rc::default()));
            lists.len() - 1
        });
        let list = Rc::make_mut(&mut lists[at].1);
        if list.iter().all(|other| other.to != sub.to) {
            let label = |sub: &Sub| self.hot[sub.to.index()].label;
            let at = list.partition_point(|other| label(other) < label(&sub));
            list.insert(at, sub);
        }
    }

    /// Whether the last thing that a subscriber has called about a publisher was no unsubscribe.
    pub(crate) fn is_wanted(&self, who: ActorId, publisher: ActorId, ty: u16) -> bool {
        let wishes = &self.cold[who.index()].wishes;
        wishes.iter().find(|(actor, wished, _)| (*actor, *wished) == (publisher, ty)).is_none_or(|wish| wish.2)
    }

    /// Takes a subscriber off a publisher's list. A publisher in another component does not hear of it.
    pub(crate) fn delist(&mut self, publisher: ActorId, ty: u16, who: ActorId) {
        if !self.are_joined(publisher, who) {
            return;
        }
        if let Some((_, list)) = self.cold[publisher.index()].lists.iter_mut().find(|(published, _)| *published == ty) {
            Rc::make_mut(list).retain(|sub| sub.to != who);
        }
    }
}
