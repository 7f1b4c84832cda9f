//! Who is in a run, as a snapshot needs to know them: paths, types, and how each type is saved. Invariant: a child's table is found in the same
//! way when a snapshot is taken and when it is restored, through what its parent declares.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::error::Pending;
use super::saving::Table;
use crate::kernel::core::{Core, Life};
use crate::kernel::entry::{ActorId, NONE};
use crate::kernel::shard::Shard;

/// One slot.
#[derive(Default)]
pub(crate) struct Member {
    pub(crate) path: String,
    pub(crate) digest: u64,
    pub(crate) living: bool,
    /// The actor's type.
    pub(crate) of: Option<(TypeId, &'static str)>,
    pub(crate) table: Option<Rc<Table>>,
    /// For a child, its parent.
    pub(crate) parent: Option<ActorId>,
    /// For a stream, the type of its events.
    pub(crate) events: Option<TypeId>,
}

/// Everybody, by number.
#[derive(Default)]
pub(crate) struct Cast {
    pub(crate) members: Vec<Member>,
    paths: BTreeMap<String, ActorId>,
}

/// Why there is no table for an actor.
pub(crate) enum NoTable {
    /// The type does not say how it is saved.
    Unsavable(ActorId),
    /// The parent does not declare it.
    Undeclared(ActorId, Pending),
}

impl Cast {
    /// Everybody who has a slot in a shard. The cells say of which types they are; those of children may be wanting.
    pub(crate) fn of(shard: &Shard) -> Self {
        let core = &shard.core;
        let mut cast = Self::default();
        let mut known: BTreeMap<TypeId, Option<Rc<Table>>> = BTreeMap::new();
        for (index, (cold, hot)) in core.cold.iter().zip(&core.hot).enumerate() {
            let id = ActorId(index as u32);
            let path = cold.path.to_string();
            let of = shard.cell(id).and_then(|cell| cell.of());
            let is_root = cold.root == id;
            let is_facet = is_facet(core, id);
            let table = of
                .filter(|_| is_root || is_facet)
                .and_then(|(of, _)| known.entry(of).or_insert_with(|| shard.cell(id).and_then(|cell| cell.table()).map(Rc::new)).clone());
            cast.paths.insert(path.clone(), id);
            let living = hot.life == Life::Living;
            cast.members.push(Member { path, digest: hot.path_digest, living, of, table, parent: None, events: None });
        }
        for stream in shard.streams.iter() {
            cast.members[stream.id().index()].events = Some(stream.message().1);
        }
        // Parents stand before their children.
        for index in 0..core.cold.len() {
            for child in &core.cold[index].children {
                let member = &cast.members[child.index()];
                let declared = member.of.and_then(|(_, name)| cast.members[index].table.as_ref()?.child(name).map(|kind| kind.remains));
                let table = declared.and_then(|remains| {
                    let remains = remains();
                    let (of, _) = remains.of()?;
                    known.entry(of).or_insert_with(|| remains.table().map(Rc::new)).clone()
                });
                let member = &mut cast.members[child.index()];
                member.parent = Some(ActorId(index as u32));
                member.table = table;
            }
        }
        cast
    }

    pub(crate) fn member(&self, id: ActorId) -> &Member {
        &self.members[id.index()]
    }

    /// Whether nothing is known of an actor here: it was born in another shard.
    pub(crate) fn is_foreign(&self, id: ActorId) -> bool {
        let member = self.member(id);
        member.living && member.of.is_none() && member.events.is_none()
    }

    pub(crate) fn find(&self, path: &str) -> Option<ActorId> {
        self.paths.get(path).copied()
    }

    /// How an actor's type is saved.
    pub(crate) fn table(&self, id: ActorId) -> Result<&Rc<Table>, NoTable> {
        let member = self.member(id);
        if let Some(table) = &member.table {
            return Ok(table);
        }
        let (Some(parent), Some((_, of))) = (member.parent, member.of) else { return Err(NoTable::Unsavable(id)) };
        match self.table(parent)?.child(of) {
            Some(_) => Err(NoTable::Unsavable(id)),
            None => Err(NoTable::Undeclared(parent, Pending::Child(of.to_owned()))),
        }
    }
}

/// Whether a slot is a facet's of the time-keeper.
pub(crate) fn is_facet(core: &Core, id: ActorId) -> bool {
    core.hot[id.index()].unbounded && core.hot[id.index()].stream == NONE
}
