//! The commodity channel index.

use std::collections::VecDeque;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::Indicator;
use super::aggregates::Moments;
use super::candle::Candle;
use super::window::Window;

/// The commodity channel index: `(price - mean) / (0.015 * mean absolute deviation)` of the [typical price](Candle::typical) over the last
/// `period` bars; 0 where all prices are equal, as far as floats can tell. (D. Lambert, 1980.)
///
/// An update looks at every price of the window, since the deviations are from a mean that moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cci {
    mean: Window<Moments>,
    prices: VecDeque<f64>,
}

impl Cci {
    /// One that has seen no bar; 20 is a usual period.
    pub fn new(period: NonZeroU32) -> Self {
        Self { mean: Window::new(period), prices: VecDeque::new() }
    }
}

impl Indicator for Cci {
    type Input = Candle;
    type Output = f64;

    fn advance(&mut self, candle: Candle) {
        if self.prices.len() == self.mean.period().get() as usize {
            self.prices.pop_front();
        }
        self.prices.push_back(candle.typical());
        self.mean.push(Moments::of(candle.typical()));
    }

    fn value(&self) -> Option<f64> {
        let mean = self.mean.full()?.mean;
        let last = self.prices.back()?;
        let deviation = self.prices.iter().map(|price| (price - mean).abs()).sum::<f64>() / f64::from(self.mean.period().get());
        // Equal prices may differ by what the division by three rounds.
        let rounding = 4.0 * f64::EPSILON * mean.abs();
        Some(if deviation > rounding { (last - mean) / (0.015 * deviation) } else { 0.0 })
    }
}
