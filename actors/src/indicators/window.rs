//! An aggregate of the last values. Invariant: it is made from exactly these values, however many went before; nothing is ever taken out.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// What can be put together from two neighbouring stretches of a series.
///
/// By implementing this you promise that `merge` is associative (as far as rounding lets it): a sum, a minimum, the moments of a sample.
pub trait Aggregate: Copy {
    /// The aggregate of this stretch and of the one that follows it.
    #[must_use]
    fn merge(self, later: Self) -> Self;
}

impl<A: Aggregate, B: Aggregate> Aggregate for (A, B) {
    fn merge(self, later: Self) -> Self {
        (self.0.merge(later.0), self.1.merge(later.1))
    }
}

/// The aggregate of the last `period` values.
///
/// The series is cut into blocks of one period. A window is then the end of one block and the beginning of the next: the aggregates of
/// all ends of a block are made when it is complete, in its place, and that of the beginning grows with each value. So an update merges
/// three times on average, and what has left the window has left it without a trace. (M. van Herk, "A fast algorithm for local minimum and
/// maximum filters", Pattern Recognition Letters 13, 1992.)
///
/// ```
/// use stillpoint_actors::indicators::{Sum, Window};
/// let mut window = Window::new(2.try_into()?);
/// let sums = [1e16, 1.0, 1.0, 3.0].map(|value| { window.push(Sum(value)); window.full().map(|sum| sum.0) });
/// assert_eq!(sums, [None, Some(1e16), Some(2.0), Some(4.0)]);
/// # Ok::<(), std::num::TryFromIntError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Window<T> {
    period: NonZeroU32,
    /// Before `next`: the values of this block. From there on: the ends of the block before.
    slots: Vec<T>,
    next: usize,
    beginning: Option<T>,
}

impl<T: Aggregate> Window<T> {
    /// A window over `period` values that has seen none. Its memory grows with the values up to the period.
    pub fn new(period: NonZeroU32) -> Self {
        Self { period, slots: Vec::new(), next: 0, beginning: None }
    }

    /// Over how many values.
    pub fn period(&self) -> NonZeroU32 {
        self.period
    }

    /// Takes the next value.
    pub fn push(&mut self, value: T) {
        self.beginning = Some(self.beginning.map_or(value, |beginning| beginning.merge(value)));
        match self.slots.get_mut(self.next) {
            Some(slot) => *slot = value,
            None => self.slots.push(value),
        }
        self.next += 1;
        if self.next == self.period.get() as usize {
            let mut end = value;
            for slot in self.slots[..self.next - 1].iter_mut().rev() {
                end = slot.merge(end);
                *slot = end;
            }
            self.next = 0;
            self.beginning = None;
        }
    }

    /// The aggregate of the last values: as many as there were, at most a period; `None` before the first.
    pub fn so_far(&self) -> Option<T> {
        match (self.slots.get(self.next), self.beginning) {
            (Some(end), Some(beginning)) => Some(end.merge(beginning)),
            (end, beginning) => end.copied().or(beginning),
        }
    }

    /// The aggregate of the last `period` values; `None` before there were so many.
    pub fn full(&self) -> Option<T> {
        let full = self.slots.len() == self.period.get() as usize;
        if full { self.so_far() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values themselves, in order: an aggregate that is wrong as soon as a value is missing, doubled or out of place.
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Word(u64);

    impl Aggregate for Word {
        fn merge(self, later: Self) -> Self {
            Self(later.0 + self.0 * 10u64.pow(later.0.ilog10() + 1))
        }
    }

    #[test]
    fn a_window_is_its_last_values_in_their_order() {
        for period in 1..=7usize {
            let mut window = Window::new(NonZeroU32::new(period as u32).expect("not zero"));
            assert_eq!(window.so_far(), None);
            let digits: Vec<u64> = (0..40).map(|at| at % 9 + 1).collect();
            for seen in 1..=digits.len() {
                window.push(Word(digits[seen - 1]));
                let last = &digits[seen.saturating_sub(period)..seen];
                let word = Word(last.iter().fold(0, |word, digit| word * 10 + digit));
                assert_eq!(window.so_far(), Some(word), "period {period}, {seen} seen");
                assert_eq!(window.full(), (seen >= period).then_some(word), "period {period}, {seen} seen");
            }
        }
    }
}
