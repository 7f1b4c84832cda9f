//! The average true range.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::Indicator;
use super::candle::Candle;
use super::ema::{Ema, Seed};

/// [Wilder's average](Ema::wilder) of the [true range](Candle::true_range).
///
/// The true range needs the close before, so that the first value comes with bar `period + 1`, as in TA-Lib.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Atr {
    average: Ema,
    close: Option<f64>,
}

impl Atr {
    /// One that has seen no bar; 14 is a usual period.
    pub fn new(period: NonZeroU32, seed: Seed) -> Self {
        Self { average: Ema::wilder(period, seed), close: None }
    }
}

impl Indicator for Atr {
    type Input = Candle;
    type Output = f64;

    fn advance(&mut self, candle: Candle) {
        if let Some(before) = self.close.replace(candle.close) {
            self.average.advance(candle.true_range(before));
        }
    }

    fn value(&self) -> Option<f64> {
        self.average.value()
    }
}
