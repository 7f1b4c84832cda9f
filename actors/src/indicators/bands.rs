//! Bands around a price. Invariant: `lower <= middle <= upper` where widths are not negative.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::Indicator;
use super::aggregates::{Greatest, Least, Moments};
use super::atr::Atr;
use super::candle::Candle;
use super::ema::{Ema, Seed};
use super::rolling::Deviation;
use super::window::Window;

/// A band.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// Its lower edge.
    pub lower: f64,
    /// Its middle.
    pub middle: f64,
    /// Its upper edge.
    pub upper: f64,
}

impl Band {
    fn around(middle: f64, half: f64) -> Self {
        Self { lower: middle - half, middle, upper: middle + half }
    }
}

/// Bollinger bands: the mean of the last `period` values, and `width` population standard deviations to each side.
///
/// On equal values all three are that value. (J. Bollinger; 20 and 2.0 are usual.)
///
/// ```
/// use stillpoint_actors::indicators::{Band, Bollinger, Indicator};
/// let bands = Bollinger::new(4.try_into()?, 2.0).over(&[1.0, 1.0, 5.0, 5.0]);
/// assert_eq!(bands[3], Some(Band { lower: -1.0, middle: 3.0, upper: 7.0 }));
/// # Ok::<(), std::num::TryFromIntError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bollinger {
    window: Window<Moments>,
    width: f64,
}

impl Bollinger {
    /// Bands that have seen no value.
    pub fn new(period: NonZeroU32, width: f64) -> Self {
        Self { window: Window::new(period), width }
    }
}

impl Indicator for Bollinger {
    type Input = f64;
    type Output = Band;

    fn advance(&mut self, value: f64) {
        self.window.push(Moments::of(value));
    }

    fn value(&self) -> Option<Band> {
        let moments = self.window.full()?;
        Some(Band::around(moments.mean, self.width * Deviation::Population.of(moments)?))
    }
}

/// The Donchian channel: the highest high and the lowest low of the last `period` bars, this one among them, and halfway between.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Donchian(Window<(Least, Greatest)>);

impl Donchian {
    /// A channel that has seen no bar.
    pub fn new(period: NonZeroU32) -> Self {
        Self(Window::new(period))
    }
}

impl Indicator for Donchian {
    type Input = Candle;
    type Output = Band;

    fn advance(&mut self, candle: Candle) {
        self.0.push((Least(candle.low), Greatest(candle.high)));
    }

    fn value(&self) -> Option<Band> {
        let (Least(lower), Greatest(upper)) = self.0.full()?;
        Some(Band { lower, middle: (lower + upper) / 2.0, upper })
    }
}

/// The Keltner channel: an [`Ema`] of closes, and `width` [average true ranges](Atr) to each side.
///
/// This is the later form, with the average true range (L. Raschke); usual are 20 bars for the average, 10 for the range, and 2.0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Keltner {
    middle: Ema,
    range: Atr,
    width: f64,
}

impl Keltner {
    /// A channel made of `middle` and `range`, `width` ranges to each side.
    pub fn new(middle: Ema, range: Atr, width: f64) -> Self {
        Self { middle, range, width }
    }

    /// 20 bars for the average, 10 for the range, 2.0 ranges to each side.
    pub fn usual(seed: Seed) -> Self {
        let (middle, range) = const { (NonZeroU32::new(20).unwrap(), NonZeroU32::new(10).unwrap()) };
        Self::new(Ema::new(middle, seed), Atr::new(range, seed), 2.0)
    }
}

impl Indicator for Keltner {
    type Input = Candle;
    type Output = Band;

    fn advance(&mut self, candle: Candle) {
        self.middle.advance(candle.close);
        self.range.advance(candle);
    }

    fn value(&self) -> Option<Band> {
        Some(Band::around(self.middle.value()?, self.width * self.range.value()?))
    }
}
