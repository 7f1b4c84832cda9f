//! Aggregates over stretches of time. Invariant: made from exactly the values of the stretch; nothing is ever taken out of a sum.

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Duration, Instant};

use super::order::{Order, OutOfOrder};
use crate::indicators::Aggregate;

/// The aggregate of one stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tumbled<A> {
    /// Where the stretch begins; this instant is part of it.
    pub start: Instant,
    /// Where it ends; this instant is not part of it.
    pub end: Instant,
    /// How many values it has: at least one.
    pub count: u64,
    /// Their aggregate.
    pub value: A,
}

/// Aggregates of stretches of one length, one after the other: a value belongs to the stretch `[start, start + width)` it lies in, the starts
/// being `origin` and all multiples of the width away from it, before it too. A stretch without a value is left out.
///
/// ```
/// use stillpoint_actors::indicators::Sum;
/// use stillpoint_actors::operators::Tumbling;
/// use stillpoint_engine::{Duration, Instant};
/// let at = Instant::from_nanos;
/// let mut sums = Tumbling::new(at(0), Duration::nanos(10)).expect("a width above zero");
/// assert_eq!(sums.push(at(3), Sum(1.0))?, None);
/// assert_eq!(sums.push(at(9), Sum(2.0))?, None);
/// let first = sums.push(at(10), Sum(4.0))?.expect("the stretch before is over");
/// assert_eq!((first.start, first.end, first.count, first.value), (at(0), at(10), 2, Sum(3.0)));
/// assert_eq!(sums.finish().map(|last| last.value), Some(Sum(4.0)));
/// # Ok::<(), stillpoint_actors::operators::OutOfOrder>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tumbling<A> {
    origin: Instant,
    width: Duration,
    open: Option<Tumbled<A>>,
    order: Order,
}

impl<A: Aggregate> Tumbling<A> {
    /// Stretches of this width; `None` unless it is above zero.
    pub fn new(origin: Instant, width: Duration) -> Option<Self> {
        width.is_positive().then(|| Self { origin, width, open: None, order: Order::default() })
    }

    /// Takes a value, and says what the stretch before it came to if that is over.
    ///
    /// # Errors
    /// [`OutOfOrder`].
    pub fn push(&mut self, at: Instant, value: A) -> Result<Option<Tumbled<A>>, OutOfOrder> {
        self.order.take(at)?;
        match &mut self.open {
            Some(open) if at < open.end => {
                open.value = open.value.merge(value);
                open.count += 1;
                Ok(None)
            }
            _ => {
                let (start, end) = self.bounds(at);
                Ok(self.open.replace(Tumbled { start, end, count: 1, value }))
            }
        }
    }

    /// What the last stretch came to; nothing is open afterwards.
    pub fn finish(&mut self) -> Option<Tumbled<A>> {
        self.open.take()
    }

    /// The stretch an instant lies in, cut off where time ends.
    fn bounds(&self, at: Instant) -> (Instant, Instant) {
        let [at, origin, width] = [at.as_nanos(), self.origin.as_nanos(), self.width.as_nanos()].map(i128::from);
        let start = at - (at - origin).rem_euclid(width);
        let instant = |nanos: i128| Instant::from_nanos(nanos.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64);
        (instant(start), instant(start + width))
    }
}

/// The aggregate of the time just past: of the values in `(now - width, now]`.
///
/// Values that are still to leave are merged from the latest to the oldest once, and those that came since from the oldest to the latest, so
/// that an update merges three times on average, and what has left is forgotten.
///
/// ```
/// use stillpoint_actors::indicators::Sum;
/// use stillpoint_actors::operators::Sliding;
/// use stillpoint_engine::{Duration, Instant};
/// let at = Instant::from_nanos;
/// let mut sum = Sliding::new(Duration::nanos(10));
/// sum.push(at(0), Sum(1e16))?;
/// sum.push(at(4), Sum(1.0))?;
/// sum.push(at(10), Sum(2.0))?; // what was at 0 has just left
/// assert_eq!(sum.value(), Some(Sum(3.0)));
/// sum.advance(at(20))?;
/// assert_eq!(sum.value(), None);
/// # Ok::<(), stillpoint_actors::operators::OutOfOrder>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sliding<A> {
    width: Duration,
    /// The oldest last, each with the aggregate of itself and all that came after it up to the first of this list.
    leaving: Vec<(Instant, A)>,
    /// The latest last, each by itself.
    came: Vec<(Instant, A)>,
    came_together: Option<A>,
    order: Order,
}

impl<A: Aggregate> Sliding<A> {
    /// The last `width`; of a width of zero or less there is never anything in it.
    pub fn new(width: Duration) -> Self {
        Self { width, leaving: Vec::new(), came: Vec::new(), came_together: None, order: Order::default() }
    }

    /// Takes a value.
    ///
    /// # Errors
    /// [`OutOfOrder`].
    pub fn push(&mut self, at: Instant, value: A) -> Result<(), OutOfOrder> {
        self.advance(at)?;
        if self.width.is_positive() {
            self.came.push((at, value));
            self.came_together = Some(self.came_together.map_or(value, |before| before.merge(value)));
        }
        Ok(())
    }

    /// Lets time pass without a value.
    ///
    /// # Errors
    /// [`OutOfOrder`].
    pub fn advance(&mut self, now: Instant) -> Result<(), OutOfOrder> {
        self.order.take(now)?;
        let width = self.width;
        let left = |at: Instant| at.checked_add(width).is_some_and(|end| end <= now);
        if self.leaving.is_empty() && self.came.first().is_some_and(|(at, _)| left(*at)) {
            self.turn();
        }
        while self.leaving.last().is_some_and(|(at, _)| left(*at)) {
            self.leaving.pop();
            if self.leaving.is_empty() && self.came.first().is_some_and(|(at, _)| left(*at)) {
                self.turn();
            }
        }
        Ok(())
    }

    /// What came since now is to leave.
    fn turn(&mut self) {
        self.came_together = None;
        let mut together: Option<A> = None;
        while let Some((at, value)) = self.came.pop() {
            let merged = together.map_or(value, |later| value.merge(later));
            self.leaving.push((at, merged));
            together = Some(merged);
        }
    }

    /// The aggregate of the time up to the last value or [`advance`](Self::advance); `None` if there is no value in it.
    pub fn value(&self) -> Option<A> {
        match (self.leaving.last().map(|(_, value)| *value), self.came_together) {
            (Some(older), Some(later)) => Some(older.merge(later)),
            (older, later) => older.or(later),
        }
    }

    /// How many values are in it.
    pub fn count(&self) -> usize {
        self.leaving.len() + self.came.len()
    }
}
