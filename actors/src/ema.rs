//! The exponential moving average. Invariant: only `+ - * /` on floats, which IEEE 754 fixes to the last bit on every machine.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// An exponential moving average over `n` values: `average += 2 / (n + 1) * (value - average)`, starting as the first value.
///
/// This is the definition of the recursive average with `alpha = 2 / (span + 1)` and no bias adjustment (`ewm(span=n, adjust=False)` in
/// pandas).
///
/// ```
/// use stillpoint_actors::Ema;
/// let mut ema = Ema::new(3.try_into()?); // alpha = 1/2
/// assert_eq!([10.0, 20.0, 11.0].map(|value| ema.update(value)), [10.0, 15.0, 13.0]);
/// # Ok::<(), std::num::TryFromIntError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ema {
    alpha: f64,
    period: NonZeroU32,
    seen: u32,
    average: f64,
}

impl Ema {
    /// An average over `period` values that has seen none.
    pub fn new(period: NonZeroU32) -> Self {
        Self { alpha: 2.0 / (f64::from(period.get()) + 1.0), period, seen: 0, average: 0.0 }
    }

    /// Takes a value and returns the new average.
    pub fn update(&mut self, value: f64) -> f64 {
        self.average = if self.seen == 0 { value } else { self.average + self.alpha * (value - self.average) };
        self.seen = self.seen.saturating_add(1);
        self.average
    }

    /// The average, once it has seen as many values as its period; before, it leans on the first value too much to be used.
    pub fn value(&self) -> Option<f64> {
        (self.seen >= self.period.get()).then_some(self.average)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_worked_out_by_hand() {
        let mut ema = Ema::new(NonZeroU32::new(4).expect("not zero")); // alpha = 0.4
        for (value, average, ready) in [(10.0, 10.0, false), (20.0, 14.0, false), (9.0, 12.0, false), (2.0, 8.0, true), (8.0, 8.0, true)] {
            assert!((ema.update(value) - average).abs() < 1e-12, "after {value}");
            assert_eq!(ema.value().is_some(), ready);
        }
    }
}
