//! The relative strength index. Invariant: it lies within 0 and 100.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::Indicator;
use super::ema::{Ema, Seed};

/// Wilder's relative strength index: `100 * gain / (gain + loss)`, with [Wilder's averages](Ema::wilder) of gains and losses.
///
/// The first value comes after `period` changes, that is with value `period + 1`. Without any gain or loss it is 50; with gains alone 100,
/// with losses alone 0. (J. W. Wilder, "New Concepts in Technical Trading Systems", 1978.)
///
/// ```
/// use stillpoint_actors::indicators::{Indicator, Rsi, Seed};
/// let rsi = Rsi::new(2.try_into()?, Seed::Average);
/// assert_eq!(rsi.over(&[10.0, 13.0, 12.0, 12.0]), [None, None, Some(75.0), Some(75.0)]);
/// # Ok::<(), std::num::TryFromIntError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rsi {
    gain: Ema,
    loss: Ema,
    before: Option<f64>,
}

impl Rsi {
    /// An index over `period` changes that has seen no value; 14 is usual.
    pub fn new(period: NonZeroU32, seed: Seed) -> Self {
        let average = Ema::wilder(period, seed);
        Self { gain: average, loss: average, before: None }
    }
}

impl Indicator for Rsi {
    type Input = f64;
    type Output = f64;

    fn advance(&mut self, value: f64) {
        if let Some(before) = self.before.replace(value) {
            self.gain.advance((value - before).max(0.0));
            self.loss.advance((before - value).max(0.0));
        }
    }

    fn value(&self) -> Option<f64> {
        let (gain, loss) = self.gain.value().zip(self.loss.value())?;
        let moved = gain + loss;
        Some(if moved > 0.0 { 100.0 * (gain / moved) } else { 50.0 })
    }
}
