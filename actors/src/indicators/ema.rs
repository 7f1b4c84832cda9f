//! Exponential averages. Invariant: only `+ - * /` on floats, which IEEE 754 fixes to the last bit on every machine.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::Indicator;

/// What an exponential average starts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Seed {
    /// The mean of the first `n` values, at the `n`-th: as TA-Lib does.
    #[default]
    Average,
    /// The first value: as pandas does (`ewm(adjust=False)`).
    FirstValue,
}

impl Seed {
    /// Of how many values the average starts.
    const fn count(self, period: NonZeroU32) -> u32 {
        match self {
            Self::Average => period.get(),
            Self::FirstValue => 1,
        }
    }
}

/// An exponential moving average over `n` values: `average += alpha * (value - average)`.
///
/// `alpha` is `2 / (n + 1)`, or `1 / n` for [Wilder's](Self::wilder). Seeded by the first value it is the recursive average without bias
/// adjustment, `ewm(span=n, adjust=False)` in pandas.
///
/// ```
/// use stillpoint_actors::indicators::{Ema, Indicator, Seed};
/// let ema = Ema::new(3.try_into()?, Seed::FirstValue); // alpha = 1/2: 10, 15, 13
/// assert_eq!(ema.over(&[10.0, 20.0, 11.0]), [None, None, Some(13.0)]);
/// let ema = Ema::new(3.try_into()?, Seed::Average);
/// assert_eq!(ema.over(&[10.0, 20.0, 12.0, 8.0]), [None, None, Some(14.0), Some(11.0)]);
/// # Ok::<(), std::num::TryFromIntError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ema {
    alpha: f64,
    period: NonZeroU32,
    seed: Seed,
    seen: u32,
    /// The sum of the values of the seed, then the average.
    level: f64,
}

impl Ema {
    /// An average over `period` values with `alpha = 2 / (period + 1)` that has seen none.
    pub fn new(period: NonZeroU32, seed: Seed) -> Self {
        Self { alpha: 2.0 / (f64::from(period.get()) + 1.0), period, seed, seen: 0, level: 0.0 }
    }

    /// Wilder's average, with `alpha = 1 / period` (J. W. Wilder, "New Concepts in Technical Trading Systems", 1978).
    pub fn wilder(period: NonZeroU32, seed: Seed) -> Self {
        Self { alpha: 1.0 / f64::from(period.get()), ..Self::new(period, seed) }
    }

    /// The average as soon as there is one: after the first value, or the `period`-th, as the seed is. [`value`](Indicator::value) waits for
    /// the `period`-th value; before, the average leans on the first one too much to be used by itself.
    pub fn running(&self) -> Option<f64> {
        (self.seen >= self.seed.count(self.period)).then_some(self.level)
    }
}

impl Indicator for Ema {
    type Input = f64;
    type Output = f64;

    fn advance(&mut self, value: f64) {
        let seed = self.seed.count(self.period);
        if self.seen >= seed {
            self.level += self.alpha * (value - self.level);
        } else {
            self.level += value;
            if self.seen + 1 == seed {
                self.level /= f64::from(seed);
            }
        }
        if self.seen < self.period.get() {
            self.seen += 1;
        }
    }

    fn value(&self) -> Option<f64> {
        (self.seen >= self.period.get()).then_some(self.level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(count: u32) -> NonZeroU32 {
        NonZeroU32::new(count).expect("not zero")
    }

    fn check(mut ema: Ema, table: &[(f64, Option<f64>, bool)]) {
        for (value, average, ready) in table {
            let said = ema.update(*value);
            let close = |found: f64, wanted: f64| (found - wanted).abs() < 1e-12;
            assert!(ema.running().zip(*average).map_or(ema.running() == *average, |(a, b)| close(a, b)), "{ema:?} after {value}");
            assert_eq!(said, ema.running().filter(|_| *ready), "{ema:?} after {value}");
        }
    }

    #[test]
    fn averages_worked_out_by_hand() {
        // alpha = 0.4
        check(
            Ema::new(period(4), Seed::FirstValue),
            &[
                (10.0, Some(10.0), false),
                (20.0, Some(14.0), false),
                (9.0, Some(12.0), false),
                (2.0, Some(8.0), true),
                (8.0, Some(8.0), true),
            ],
        );
        check(
            Ema::new(period(4), Seed::Average),
            &[(10.0, None, false), (20.0, None, false), (9.0, None, false), (1.0, Some(10.0), true), (15.0, Some(12.0), true)],
        );
        // alpha = 0.25
        check(
            Ema::wilder(period(4), Seed::Average),
            &[(10.0, None, false), (20.0, None, false), (9.0, None, false), (1.0, Some(10.0), true), (14.0, Some(11.0), true)],
        );
        check(Ema::new(period(1), Seed::Average), &[(10.0, Some(10.0), true), (3.0, Some(3.0), true)]);
    }
}
