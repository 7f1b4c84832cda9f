//! The latest value at every point of a grid.

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Every, Instant, Timed};

use super::order::{Order, OutOfOrder};

/// Says at each tick what the latest value is, that of the tick's own instant among them. Ticks before the first value say nothing.
///
/// ```
/// use stillpoint_actors::operators::Sample;
/// use stillpoint_engine::{Duration, Every, Instant};
/// let at = Instant::from_nanos;
/// let mut sample = Sample::new(Every::from(at(0), Duration::nanos(10)));
/// assert_eq!(sample.push(at(3), 'a')?.len(), 0);
/// assert_eq!(sample.push(at(10), 'b')?.len(), 0); // another value of 10 may follow
/// let ticks: Vec<_> = sample.push(at(25), 'c')?.iter().map(|tick| (tick.at.as_nanos(), tick.value)).collect();
/// assert_eq!(ticks, [(10, 'b'), (20, 'b')]);
/// assert_eq!(sample.finish(at(30)).len(), 1);
/// # Ok::<(), stillpoint_actors::operators::OutOfOrder>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample<T> {
    next: Option<Instant>,
    every: Every,
    latest: Option<T>,
    order: Order,
}

impl<T: Clone> Sample<T> {
    /// Samples at these ticks; their period must be above zero, or there is only the first.
    pub fn new(every: Every) -> Self {
        let mut sample = Self { next: None, every, latest: None, order: Order::default() };
        sample.next = sample.within(Some(every.first));
        sample
    }

    /// Takes a value, and says what the ticks before it are, which cannot change any more.
    ///
    /// # Errors
    /// [`OutOfOrder`].
    pub fn push(&mut self, at: Instant, value: T) -> Result<Vec<Timed<T>>, OutOfOrder> {
        self.order.take(at)?;
        let ticks = self.ticks(|tick| tick < at);
        self.latest = Some(value);
        Ok(ticks)
    }

    /// The ticks up to `end`, that one among them, that have not been said.
    pub fn finish(&mut self, end: Instant) -> Vec<Timed<T>> {
        self.ticks(|tick| tick <= end)
    }

    fn ticks(&mut self, due: impl Fn(Instant) -> bool) -> Vec<Timed<T>> {
        let mut ticks = Vec::new();
        while let Some(at) = self.next.filter(|tick| due(*tick)) {
            ticks.extend(self.latest.clone().map(|value| Timed { at, value }));
            let further = self.every.period.is_positive().then(|| at.checked_add(self.every.period)).flatten();
            self.next = self.within(further);
        }
        ticks
    }

    fn within(&self, tick: Option<Instant>) -> Option<Instant> {
        tick.filter(|tick| self.every.end.is_none_or(|end| *tick <= end))
    }
}
