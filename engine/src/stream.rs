//! What a stream is: a source that can be opened again, and how it treats ties and late items.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::path::Rank;
use crate::source::{Lent, Source, SourceError, Timed};
use crate::time::Duration;

/// What becomes of an item that lies behind an earlier one of its stream (rule R10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Late {
    /// The run ends with an error that names the item.
    #[default]
    Error,
    /// The item is left out and counted.
    DropAndCount,
    /// The item is delivered at the greatest event time before it, and its lag is told.
    DeliverFlagged,
}

/// What a stream has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateCounts {
    /// Late items that were delivered flagged.
    pub flagged: u64,
    /// Late items that were left out.
    pub dropped: u64,
    /// Late items that ended the run: none or one.
    pub errors: u64,
    /// Items before the start, or before the stream was first subscribed to.
    pub skipped: u64,
    /// Items that came while the stream was paused.
    pub paused: u64,
    /// Items that would be released after the end of time.
    pub never: u64,
}

impl LateCounts {
    /// All late items.
    pub fn late(&self) -> u64 {
        self.flagged + self.dropped + self.errors
    }
}

type Open<M> = Box<dyn Fn() -> Result<Box<dyn Source<Item = M>>, SourceError> + Send>;

/// A stream to be.
///
/// ```
/// use stillpoint_engine::{Duration, Instant, Late, Stream, Timed};
/// let items = vec![Timed { at: Instant::EPOCH, value: 1u64 }, Timed { at: Instant::EPOCH, value: 2 }];
/// let stream = Stream::from_vec(items).late(Late::DropAndCount).reorder(Duration::millis(5)).one_by_one();
/// # let _ = stream;
/// ```
pub struct Stream<M> {
    pub(crate) open: Open<M>,
    pub(crate) rank: Rank,
    pub(crate) late: Late,
    pub(crate) reorder: Option<Duration>,
    pub(crate) one_by_one: bool,
    pub(crate) controlled: bool,
}

impl<M> fmt::Debug for Stream<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("rank", &self.rank).field("late", &self.late).field("reorder", &self.reorder).finish_non_exhaustive()
    }
}

impl<M: 'static> Stream<M> {
    /// A stream whose source is opened by a function, each time anew.
    pub fn open<S, F>(open: F) -> Self
    where
        S: Source<Item = M>,
        F: Fn() -> Result<S, SourceError> + Send + 'static,
    {
        let open: Open<M> = Box::new(move || open().map(|source| Box::new(source) as Box<dyn Source<Item = M>>));
        Self { open, rank: Rank::default(), late: Late::default(), reorder: None, one_by_one: false, controlled: false }
    }

    /// Puts something around every source that is opened, such as a fault.
    #[must_use]
    pub fn wrap(mut self, around: impl Fn(Box<dyn Source<Item = M>>) -> Box<dyn Source<Item = M>> + Send + 'static) -> Self {
        let open = self.open;
        self.open = Box::new(move || open().map(&around));
        self
    }

    /// A stream of items in memory.
    pub fn from_vec(items: Vec<Timed<M>>) -> Self
    where
        M: Clone + Send + Sync,
    {
        let items: std::sync::Arc<[Timed<M>]> = items.into();
        Self::from_shared(items)
    }

    /// A stream of items in memory that others may use too.
    pub fn from_shared(items: std::sync::Arc<[Timed<M>]>) -> Self
    where
        M: Clone + Send + Sync,
    {
        Self::open(move || Ok(SharedSource { items: items.clone(), next: 0 }))
    }

    /// Where it stands among the streams.
    #[must_use]
    pub fn rank(mut self, rank: Rank) -> Self {
        self.rank = rank;
        self
    }

    /// What becomes of late items.
    #[must_use]
    pub fn late(mut self, late: Late) -> Self {
        self.late = late;
        self
    }

    /// Holds every item back by `delay` and releases them sorted; an item is late only if it lies further behind. Panics if `delay` is negative.
    #[must_use]
    pub fn reorder(mut self, delay: Duration) -> Self {
        assert!(delay >= Duration::ZERO, "a stream cannot be reordered by {delay}");
        self.reorder = Some(delay);
        self
    }

    /// Gives items of one instant a round each (rule R15).
    #[must_use]
    pub fn one_by_one(mut self) -> Self {
        self.one_by_one = true;
        self
    }

    /// Lets actors pause, resume and end it (rule R14).
    #[must_use]
    pub fn controlled(mut self) -> Self {
        self.controlled = true;
        self
    }
}

/// Items in memory that others may read too.
pub(crate) struct SharedSource<M> {
    pub(crate) items: std::sync::Arc<[Timed<M>]>,
    pub(crate) next: usize,
}

impl<M: Clone + 'static> Source for SharedSource<M> {
    type Item = M;

    fn next(&mut self) -> Result<Option<Timed<M>>, SourceError> {
        let item = self.items.get(self.next).cloned();
        self.next += usize::from(item.is_some());
        Ok(item)
    }

    fn read(&mut self, most: usize, into: &mut Vec<Timed<M>>) -> Result<bool, SourceError> {
        let end = self.items.len().min(self.next + most);
        into.extend_from_slice(&self.items[self.next..end]);
        self.next = end;
        Ok(end < self.items.len())
    }

    fn lend(&self) -> Option<Lent<M>> {
        Some(Lent::new(self.items.clone()))
    }

    fn progress(&self) -> Option<(u64, u64)> {
        Some((self.next as u64, self.items.len() as u64))
    }
}
