//! Averages over a window. Invariant: they depend on the last `period` values alone.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::Indicator;
use super::aggregates::{Linear, Sum};
use super::window::Window;

/// The simple moving average: the mean of the last `period` values.
///
/// ```
/// use stillpoint_actors::indicators::{Indicator, Sma};
/// let mut values = vec![1.0; 40];
/// values[3] = 1e16;
/// assert_eq!(Sma::new(20.try_into()?).over(&values)[23], Some(1.0));
/// # Ok::<(), std::num::TryFromIntError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sma(Window<Sum>);

impl Sma {
    /// An average that has seen no value.
    pub fn new(period: NonZeroU32) -> Self {
        Self(Window::new(period))
    }
}

impl Indicator for Sma {
    type Input = f64;
    type Output = f64;

    fn advance(&mut self, value: f64) {
        self.0.push(Sum(value));
    }

    fn value(&self) -> Option<f64> {
        self.0.full().map(|sum| sum.0 / f64::from(self.0.period().get()))
    }
}

/// The weighted moving average: the last of `n` values weighs `n`, the one before `n - 1`, down to 1.
///
/// ```
/// use stillpoint_actors::indicators::{Indicator, Wma};
/// // (1*1 + 2*4 + 3*9) / 6
/// assert_eq!(Wma::new(3.try_into()?).over(&[1.0, 4.0, 9.0]), [None, None, Some(6.0)]);
/// # Ok::<(), std::num::TryFromIntError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wma(Window<Linear>);

impl Wma {
    /// An average that has seen no value.
    pub fn new(period: NonZeroU32) -> Self {
        Self(Window::new(period))
    }
}

impl Indicator for Wma {
    type Input = f64;
    type Output = f64;

    fn advance(&mut self, value: f64) {
        self.0.push(Linear::of(value));
    }

    fn value(&self) -> Option<f64> {
        self.0.full().map(Linear::average)
    }
}
