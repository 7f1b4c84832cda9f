//! The streams of a shard, those of one type side by side: what comes of them is then handed over without asking each one for its type. Invariant: a
//! stream keeps its number.

use std::any::Any;
use std::ops::{Index, IndexMut};

use super::drain::{Drain, Drained};
use super::{PastStream, StreamCell};
use crate::message::Message;

/// Which group a stream is in, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) group: u32,
    pub(super) at: u32,
}

/// Streams by their numbers.
#[derive(Default)]
pub(crate) struct Streams {
    places: Vec<Place>,
    groups: Vec<Box<dyn AnyGroup>>,
}

/// The streams of one type, in order of their numbers.
pub(super) struct Group<M>(pub(super) Vec<PastStream<M>>);

/// A group behind its type.
trait AnyGroup: Any {
    fn get(&self, at: usize) -> &(dyn StreamCell + 'static);
    fn get_mut(&mut self, at: usize) -> &mut (dyn StreamCell + 'static);
    fn all_mut(&mut self) -> Box<dyn Iterator<Item = &mut dyn StreamCell> + '_>;
    /// Drains streams of this group, up to where another one is next.
    fn drain(&mut self, group: u32, places: &[Place], drain: &mut Drain<'_>) -> Drained;
}

impl<M: Message> AnyGroup for Group<M> {
    fn get(&self, at: usize) -> &(dyn StreamCell + 'static) {
        &self.0[at]
    }

    fn get_mut(&mut self, at: usize) -> &mut (dyn StreamCell + 'static) {
        &mut self.0[at]
    }

    fn all_mut(&mut self) -> Box<dyn Iterator<Item = &mut dyn StreamCell> + '_> {
        Box::new(self.0.iter_mut().map(|stream| stream as &mut dyn StreamCell))
    }

    fn drain(&mut self, group: u32, places: &[Place], drain: &mut Drain<'_>) -> Drained {
        self.drain_while_next(group, places, drain)
    }
}

impl Streams {
    /// Adds a stream; its number is how many there were.
    pub(crate) fn push<M: Message>(&mut self, stream: PastStream<M>) {
        let known = self.groups.iter().position(|group| (&**group as &dyn Any).is::<Group<M>>());
        let group = known.unwrap_or_else(|| {
            self.groups.push(Box::new(Group::<M>(Vec::new())));
            self.groups.len() - 1
        });
        let all: &mut dyn Any = &mut *self.groups[group];
        let Group(all) = all.downcast_mut::<Group<M>>().expect("the group of this type");
        self.places.push(Place { group: group as u32, at: all.len() as u32 });
        all.push(stream);
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// All of them, in order of their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &dyn StreamCell> {
        (0..self.len()).map(|number| &self[number])
    }

    /// All of them, group by group.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut dyn StreamCell> {
        self.groups.iter_mut().flat_map(|group| group.all_mut())
    }

    /// Delivers instants in which nothing happens but the ordinary items of one stream. `Drained::Open`: the last one is not over.
    pub(crate) fn drain(&mut self, drain: &mut Drain<'_>) -> Drained {
        let mut drained = Drained::OtherGroup;
        while drained == Drained::OtherGroup {
            let (number, _) = drain.merge.least();
            let group = self.places[number].group;
            drained = self.groups[group as usize].drain(group, &self.places, drain);
        }
        drained
    }
}

impl Index<usize> for Streams {
    type Output = dyn StreamCell;

    #[inline(always)]
    fn index(&self, number: usize) -> &Self::Output {
        let Place { group, at } = self.places[number];
        self.groups[group as usize].get(at as usize)
    }
}

impl IndexMut<usize> for Streams {
    #[inline(always)]
    fn index_mut(&mut self, number: usize) -> &mut Self::Output {
        let Place { group, at } = self.places[number];
        self.groups[group as usize].get_mut(at as usize)
    }
}
