//! The stochastic oscillator.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::Indicator;
use super::aggregates::{Greatest, Least};
use super::averages::Sma;
use super::candle::Candle;
use super::window::Window;

/// The periods of a [`Stochastic`]; 14, 3 and 3 are usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StochasticPeriods {
    /// Over how many bars the range is taken.
    pub range: NonZeroU32,
    /// Over how many values %K is smoothed; 1 gives the fast oscillator.
    pub k: NonZeroU32,
    /// Over how many values of %K %D is the average.
    pub d: NonZeroU32,
}

/// What a [`Stochastic`] says, in percent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StochasticValue {
    /// Where the close lies in the range, smoothed.
    pub k: f64,
    /// The average of `k`.
    pub d: f64,
}

/// Where the close lies between the lowest low and the highest high of the last bars, in percent: %K, a simple average of it, and %D, a
/// simple average of %K (G. Lane).
///
/// A range without extent has no place in it that is low or high; it counts as 50. (TA-Lib says 0.) The first value comes with bar
/// `range + k + d - 2`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stochastic {
    range: Window<(Least, Greatest)>,
    k: Sma,
    d: Sma,
}

impl Stochastic {
    /// One that has seen no bar.
    pub fn new(periods: StochasticPeriods) -> Self {
        Self { range: Window::new(periods.range), k: Sma::new(periods.k), d: Sma::new(periods.d) }
    }
}

impl Indicator for Stochastic {
    type Input = Candle;
    type Output = StochasticValue;

    fn advance(&mut self, candle: Candle) {
        self.range.push((Least(candle.low), Greatest(candle.high)));
        let Some((Least(low), Greatest(high))) = self.range.full() else { return };
        let place = if high > low { 100.0 * ((candle.close - low) / (high - low)) } else { 50.0 };
        self.k.advance(place);
        if let Some(k) = self.k.value() {
            self.d.advance(k);
        }
    }

    fn value(&self) -> Option<StochasticValue> {
        Some(StochasticValue { k: self.k.value()?, d: self.d.value()? })
    }
}
