//! Spread and extremes over a window. Invariant: they depend on the last `period` values alone, and equal values have no spread at all.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::Indicator;
use super::aggregates::{Greatest, Least, Moments};
use super::window::Window;

/// By what the sum of squared deviations of `n` values is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Deviation {
    /// By `n`: the values are all there are (`ddof=0`; TA-Lib, numpy).
    Population,
    /// By `n - 1`: the values are a sample (`ddof=1`; pandas). Of one value it is undefined.
    Sample,
}

impl Deviation {
    /// The standard deviation; `None` of one value as a sample.
    pub fn of(self, moments: Moments) -> Option<f64> {
        let divisor = match self {
            Self::Population => moments.count,
            Self::Sample => moments.count - 1.0,
        };
        (divisor > 0.0).then(|| (moments.squares / divisor).sqrt())
    }
}

/// The standard deviation of the last `period` values.
///
/// ```
/// use stillpoint_actors::indicators::{Deviation, Indicator, RollingStd};
/// let mut std = RollingStd::new(4.try_into()?, Deviation::Population);
/// assert_eq!(std.clone().over(&[1.0, 1.0, 5.0, 5.0])[3], Some(2.0));
/// // A deviation of a half around a billion is not lost among squares of a billion.
/// let values = [1e9, 1e9 + 1.0].repeat(4);
/// assert!(std.over(&values)[7].is_some_and(|std| (std - 0.5).abs() < 1e-7));
/// # Ok::<(), std::num::TryFromIntError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RollingStd {
    window: Window<Moments>,
    deviation: Deviation,
}

impl RollingStd {
    /// One that has seen no value.
    pub fn new(period: NonZeroU32, deviation: Deviation) -> Self {
        Self { window: Window::new(period), deviation }
    }
}

impl Indicator for RollingStd {
    type Input = f64;
    type Output = f64;

    fn advance(&mut self, value: f64) {
        self.window.push(Moments::of(value));
    }

    fn value(&self) -> Option<f64> {
        self.deviation.of(self.window.full()?)
    }
}

/// The least of the last `period` values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RollingMin(Window<Least>);

impl RollingMin {
    /// One that has seen no value.
    pub fn new(period: NonZeroU32) -> Self {
        Self(Window::new(period))
    }
}

impl Indicator for RollingMin {
    type Input = f64;
    type Output = f64;

    fn advance(&mut self, value: f64) {
        self.0.push(Least(value));
    }

    fn value(&self) -> Option<f64> {
        self.0.full().map(|least| least.0)
    }
}

/// The greatest of the last `period` values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RollingMax(Window<Greatest>);

impl RollingMax {
    /// One that has seen no value.
    pub fn new(period: NonZeroU32) -> Self {
        Self(Window::new(period))
    }
}

impl Indicator for RollingMax {
    type Input = f64;
    type Output = f64;

    fn advance(&mut self, value: f64) {
        self.0.push(Greatest(value));
    }

    fn value(&self) -> Option<f64> {
        self.0.full().map(|greatest| greatest.0)
    }
}
