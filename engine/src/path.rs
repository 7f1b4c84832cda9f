//! Names, paths and ranks: who stands before whom. Invariant: this is the only order of senders and receivers in the code (rule R1).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Where an actor or a stream stands among those of its class: lower ranks first, 0 unless given. A child has its parent's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Rank(pub i32);

/// The name of an actor or a stream that was not spawned: not empty, without `/`, and not the time-keeper's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// A name that cannot be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameError {
    /// The name has no characters.
    Empty,
    /// The name has a `/`, which separates the segments of paths.
    Slash(String),
    /// The name belongs to the time-keeper.
    Reserved(String),
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "a name is empty; give it at least one character"),
            Self::Slash(name) => write!(f, "the name `{name}` has a `/`, which is kept for children; use another character"),
            Self::Reserved(name) => write!(f, "the name `{name}` belongs to the time-keeper; choose another one"),
        }
    }
}

impl std::error::Error for NameError {}

/// The name under which the time-keeper stands.
pub(crate) const TIME_KEEPER: &str = "time-keeper";

impl Name {
    /// Checks and takes a name.
    ///
    /// # Errors
    /// [`NameError`] if it is empty, has a `/`, or is the time-keeper's (`time-keeper`, or anything that starts with `time-keeper@`).
    pub fn new(name: &str) -> Result<Self, NameError> {
        if name.is_empty() {
            Err(NameError::Empty)
        } else if name.contains('/') {
            Err(NameError::Slash(name.to_owned()))
        } else if name == TIME_KEEPER || name.starts_with("time-keeper@") {
            Err(NameError::Reserved(name.to_owned()))
        } else {
            Ok(Self(name.into()))
        }
    }
}

/// The full name of an actor, a stream or a facet: a root name, then the indices of children.
///
/// Ordered by segments, names as bytes and indices as numbers: `a` < `a/0` < `a/2` < `a/10` < `a-b`.
///
/// ```
/// use stillpoint_engine::{Name, Path};
/// let a = Path::root(Name::new("a")?);
/// let ab = Path::root(Name::new("a-b")?);
/// assert!(a < a.child(0) && a.child(2) < a.child(10) && a.child(10) < ab);
/// assert_eq!(a.child(2).to_string(), "a/2");
/// # Ok::<(), stillpoint_engine::NameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    root: Arc<str>,
    children: Vec<u32>,
}

impl Path {
    /// The path of a root.
    pub fn root(name: Name) -> Self {
        Self { root: name.0, children: Vec::new() }
    }

    /// The path of the `index`-th child.
    #[must_use]
    pub fn child(&self, index: u32) -> Self {
        let mut children = Vec::with_capacity(self.children.len() + 1);
        children.extend_from_slice(&self.children);
        children.push(index);
        Self { root: self.root.clone(), children }
    }

    /// The time-keeper itself: the sender of every root's start.
    pub(crate) fn time_keeper() -> Self {
        Self { root: TIME_KEEPER.into(), children: Vec::new() }
    }

    /// The time-keeper as this actor addresses it (rule R20).
    pub(crate) fn facet(&self) -> Self {
        Self { root: format!("{TIME_KEEPER}@{}", self.root).into(), children: self.children.clone() }
    }

    /// Reads what [`Display`](fmt::Display) prints. `None` if an index is not a number that fits 32 bits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut segments = text.split('/');
        let root = segments.next()?.into();
        let children = segments.map(|segment| segment.parse().ok()).collect::<Option<Vec<u32>>>()?;
        Some(Self { root, children })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.root)?;
        self.children.iter().try_for_each(|index| write!(f, "/{index}"))
    }
}
