//! What windows are made of. Invariant: a stretch of equal values has exactly that mean, and exactly no spread.

use serde::{Deserialize, Serialize};

use super::window::Aggregate;

/// A sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sum(pub f64);

impl Aggregate for Sum {
    fn merge(self, later: Self) -> Self {
        Self(self.0 + later.0)
    }
}

/// The least value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Least(pub f64);

impl Aggregate for Least {
    fn merge(self, later: Self) -> Self {
        if later.0 < self.0 { later } else { self }
    }
}

/// The greatest value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Greatest(pub f64);

impl Aggregate for Greatest {
    fn merge(self, later: Self) -> Self {
        if later.0 > self.0 { later } else { self }
    }
}

/// A sum with weights 1, 2, 3, ... from the oldest value to the latest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Linear {
    count: f64,
    sum: f64,
    weighted: f64,
}

impl Linear {
    /// One value.
    pub const fn of(value: f64) -> Self {
        Self { count: 1.0, sum: value, weighted: value }
    }

    /// The weighted sum divided by the sum of the weights.
    pub fn average(self) -> f64 {
        self.weighted / (self.count * (self.count + 1.0) / 2.0)
    }
}

impl Aggregate for Linear {
    fn merge(self, later: Self) -> Self {
        Self {
            count: self.count + later.count,
            sum: self.sum + later.sum,
            weighted: self.weighted + later.weighted + self.count * later.sum,
        }
    }
}

/// How many values, their mean, and the sum of squared deviations from it.
///
/// Merged as in T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979:
/// no difference of large squares, so that a small spread around a large mean keeps its digits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// How many values.
    pub count: f64,
    /// Their mean.
    pub mean: f64,
    /// The sum of squared deviations from the mean.
    pub squares: f64,
}

impl Moments {
    /// One value.
    pub const fn of(value: f64) -> Self {
        Self { count: 1.0, mean: value, squares: 0.0 }
    }
}

impl Aggregate for Moments {
    fn merge(self, later: Self) -> Self {
        let count = self.count + later.count;
        let delta = later.mean - self.mean;
        Self {
            count,
            mean: self.mean + delta * (later.count / count),
            squares: self.squares + later.squares + delta * delta * (self.count * later.count / count),
        }
    }
}

/// The [`Moments`] of two series and the sum of products of their deviations.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoMoments {
    /// Of the first series.
    pub x: Moments,
    /// Of the second series.
    pub y: Moments,
    /// The sum of products of the deviations from both means.
    pub products: f64,
}

impl CoMoments {
    /// One value of each.
    pub const fn of(x: f64, y: f64) -> Self {
        Self { x: Moments::of(x), y: Moments::of(y), products: 0.0 }
    }
}

impl Aggregate for CoMoments {
    fn merge(self, later: Self) -> Self {
        let weight = self.x.count * later.x.count / (self.x.count + later.x.count);
        let (dx, dy) = (later.x.mean - self.x.mean, later.y.mean - self.y.mean);
        Self { x: self.x.merge(later.x), y: self.y.merge(later.y), products: self.products + later.products + dx * dy * weight }
    }
}
