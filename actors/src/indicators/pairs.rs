//! How two series go together. Invariant: they depend on the last `period` pairs alone; a correlation lies within -1 and 1.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::aggregates::CoMoments;
use super::window::Window;
use super::{Indicator, Sample};

/// A value of each of two series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// Of the first: what explains, a benchmark.
    pub x: f64,
    /// Of the second: what is explained.
    pub y: f64,
}

impl Sample for Pair {
    fn is_finite(self) -> bool {
        self.x.is_finite() && self.y.is_finite()
    }
}

/// Pearson's correlation of the last `period` pairs; `None` where one of the series does not move.
///
/// ```
/// use stillpoint_actors::indicators::{Correlation, Indicator, Pair};
/// let pairs = [(1.0, 4.0), (3.0, 0.0), (1.0, 4.0), (3.0, 0.0)].map(|(x, y)| Pair { x, y });
/// assert_eq!(Correlation::new(4.try_into()?).over(&pairs)[3], Some(-1.0));
/// # Ok::<(), std::num::TryFromIntError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Correlation(Window<CoMoments>);

impl Correlation {
    /// One that has seen no pair.
    pub fn new(period: NonZeroU32) -> Self {
        Self(Window::new(period))
    }
}

impl Indicator for Correlation {
    type Input = Pair;
    type Output = f64;

    fn advance(&mut self, pair: Pair) {
        self.0.push(CoMoments::of(pair.x, pair.y));
    }

    fn value(&self) -> Option<f64> {
        let CoMoments { x, y, products } = self.0.full()?;
        let spread = x.squares.sqrt() * y.squares.sqrt();
        (spread > 0.0).then(|| (products / spread).clamp(-1.0, 1.0))
    }
}

/// A straight line: `y = intercept + slope * x`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What `y` gains with one `x`: beta, where `x` is a benchmark's return; the hedge ratio of a pair.
    pub slope: f64,
    /// `y` where `x` is 0.
    pub intercept: f64,
}

/// The line of least squares through the last `period` pairs; `None` where `x` does not move.
///
/// ```
/// use stillpoint_actors::indicators::{Indicator, Line, Pair, Regression};
/// let pairs = [(1.0, 5.0), (3.0, 9.0), (2.0, 7.0)].map(|(x, y)| Pair { x, y });
/// assert_eq!(Regression::new(3.try_into()?).over(&pairs)[2], Some(Line { slope: 2.0, intercept: 3.0 }));
/// # Ok::<(), std::num::TryFromIntError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Regression(Window<CoMoments>);

impl Regression {
    /// One that has seen no pair.
    pub fn new(period: NonZeroU32) -> Self {
        Self(Window::new(period))
    }
}

impl Indicator for Regression {
    type Input = Pair;
    type Output = Line;

    fn advance(&mut self, pair: Pair) {
        self.0.push(CoMoments::of(pair.x, pair.y));
    }

    fn value(&self) -> Option<Line> {
        let CoMoments { x, y, products } = self.0.full()?;
        let slope = (x.squares > 0.0).then(|| products / x.squares)?;
        Some(Line { slope, intercept: y.mean - slope * x.mean })
    }
}
