//! What there was to trade. Invariant: what has left stays in it, for the time in which it was there.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use stillpoint_engine::Instant;

/// A stretch of time: from an instant on, until another, which is not part of it, or for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Membership {
    /// From when on.
    pub from: Instant,
    /// Until when; `None` for as long as is known.
    pub until: Option<Instant>,
}

impl Membership {
    /// Whether an instant lies in it.
    pub fn contains(&self, at: Instant) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

/// A membership that is not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UniverseError {
    /// It ends before it begins, or at once.
    Empty,
    /// It overlaps another one of the same member.
    Overlap(Membership),
}

impl fmt::Display for UniverseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "the membership ends before it has lasted; let it end after it begins"),
            Self::Overlap(other) => {
                write!(f, "the member is there already from {}; let one membership end where the next begins", other.from)
            }
        }
    }
}

impl std::error::Error for UniverseError {}

/// Who was a member when: of an index, of an exchange.
///
/// ```
/// use stillpoint_actors::calendar::{Membership, Universe};
/// use stillpoint_engine::Instant;
/// let at = Instant::from_nanos;
/// let mut universe = Universe::default();
/// universe.add("ENRON", Membership { from: at(1), until: Some(at(5)) })?;
/// universe.add("NVIDIA", Membership { from: at(5), until: None })?;
/// assert_eq!(universe.members(at(4)).collect::<Vec<_>>(), [&"ENRON"]);
/// assert_eq!(universe.members(at(5)).collect::<Vec<_>>(), [&"NVIDIA"]);
/// # Ok::<(), stillpoint_actors::calendar::UniverseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Universe<K: Ord> {
    members: BTreeMap<K, Vec<Membership>>,
}

impl<K: Ord> Default for Universe<K> {
    fn default() -> Self {
        Self { members: BTreeMap::new() }
    }
}

impl<K: Ord> Universe<K> {
    /// Adds a membership; a member may come back.
    ///
    /// # Errors
    /// [`UniverseError`] if it has no extent or overlaps another of the same member.
    pub fn add(&mut self, member: K, membership: Membership) -> Result<(), UniverseError> {
        if membership.until.is_some_and(|until| until <= membership.from) {
            return Err(UniverseError::Empty);
        }
        let all = self.members.get(&member).map_or(&[][..], Vec::as_slice);
        if let Some(other) = all.iter().find(|other| other.contains(membership.from) || membership.contains(other.from)) {
            return Err(UniverseError::Overlap(*other));
        }
        self.members.entry(member).or_default().push(membership);
        Ok(())
    }

    /// Whether something is a member at an instant.
    pub fn contains(&self, member: &K, at: Instant) -> bool {
        self.members.get(member).is_some_and(|all| all.iter().any(|membership| membership.contains(at)))
    }

    /// The members at an instant, in their order.
    pub fn members(&self, at: Instant) -> impl Iterator<Item = &K> {
        self.members.iter().filter(move |(_, all)| all.iter().any(|membership| membership.contains(at))).map(|(member, _)| member)
    }
}
