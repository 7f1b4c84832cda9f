//! Moving average convergence and divergence.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::Indicator;
use super::ema::{Ema, Seed};

/// The periods of a [`Macd`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MacdPeriods {
    /// Of the fast average of values.
    pub fast: NonZeroU32,
    /// Of the slow average of values.
    pub slow: NonZeroU32,
    /// Of the average of the difference.
    pub signal: NonZeroU32,
}

impl MacdPeriods {
    /// 12, 26 and 9: the usual ones.
    pub const USUAL: Self =
        Self { fast: NonZeroU32::new(12).unwrap(), slow: NonZeroU32::new(26).unwrap(), signal: NonZeroU32::new(9).unwrap() };
}

/// What a [`Macd`] says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MacdValue {
    /// The fast average less the slow one.
    pub macd: f64,
    /// The average of `macd`.
    pub signal: f64,
    /// `macd` less `signal`.
    pub histogram: f64,
}

/// The difference of a fast and a slow [`Ema`], and an [`Ema`] of that difference (G. Appel).
///
/// The first value comes with value `slow + signal - 1`, whatever the seed. Seeded by averages, both averages of values start at the same
/// value, the fast one from the mean of the last `fast` of them, as in TA-Lib; seeded by first values, everything starts with the first
/// value, as in pandas.
///
/// ```
/// use stillpoint_actors::indicators::{Indicator, Macd, MacdPeriods, Seed};
/// let closes: Vec<f64> = (0..40).map(f64::from).collect();
/// let last = Macd::new(MacdPeriods::USUAL, Seed::Average).over(&closes)[39].expect("34 values are enough");
/// // On a straight line an average lags by half of its period: (26 - 12) / 2.
/// assert_eq!((last.macd, last.signal, last.histogram), (7.0, 7.0, 0.0));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Macd {
    fast: Ema,
    slow: Ema,
    signal: Ema,
    /// How many values each average leaves out at the beginning: fast, slow.
    skip: (u32, u32),
    warm_up: u64,
}

impl Macd {
    /// One that has seen no value.
    pub fn new(periods: MacdPeriods, seed: Seed) -> Self {
        let MacdPeriods { fast, slow, signal } = periods;
        let longer = fast.max(slow).get();
        let skip = match seed {
            Seed::Average => (longer - fast.get(), longer - slow.get()),
            Seed::FirstValue => (0, 0),
        };
        let warm_up = u64::from(longer) + u64::from(signal.get()) - 1;
        Self { fast: Ema::new(fast, seed), slow: Ema::new(slow, seed), signal: Ema::new(signal, seed), skip, warm_up }
    }

    fn difference(&self) -> Option<f64> {
        Some(self.fast.running()? - self.slow.running()?)
    }
}

impl Indicator for Macd {
    type Input = f64;
    type Output = MacdValue;

    fn advance(&mut self, value: f64) {
        for (average, skip) in [(&mut self.fast, &mut self.skip.0), (&mut self.slow, &mut self.skip.1)] {
            match skip.checked_sub(1) {
                Some(left) => *skip = left,
                None => average.advance(value),
            }
        }
        if let Some(difference) = self.difference() {
            self.signal.advance(difference);
        }
        self.warm_up = self.warm_up.saturating_sub(1);
    }

    fn value(&self) -> Option<MacdValue> {
        if self.warm_up > 0 {
            return None;
        }
        let (macd, signal) = self.difference().zip(self.signal.running())?;
        Some(MacdValue { macd, signal, histogram: macd - signal })
    }
}
