//! Returns held against those of a benchmark.

use serde::{Deserialize, Serialize};

use super::growth::PeriodsPerYear;
use super::sample::{mean, standard_deviation};
use crate::indicators::{Aggregate, CoMoments, Deviation};

/// How returns go with those of a benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Relative {
    /// What the returns gain with one of the benchmark: covariance over the benchmark's variance. `None` if the benchmark does not move.
    pub beta: Option<f64>,
    /// Jensen's alpha, yearly: `(mean - free - beta * (benchmark's mean - free)) * periods per year`. `None` without a beta.
    pub alpha: Option<f64>,
    /// Pearson's correlation. `None` if one of the two does not move.
    pub correlation: Option<f64>,
    /// The sample deviation of the difference of returns, yearly.
    pub tracking_error: f64,
    /// The mean difference of returns, yearly, over the tracking error. `None` if the difference does not move.
    pub information_ratio: Option<f64>,
}

impl Relative {
    /// Of returns and the benchmark's of the same periods, `free` being the return of one period without risk. `None` if they are not
    /// equally many, or less than two.
    pub fn of(returns: &[f64], benchmark: &[f64], free: f64, year: PeriodsPerYear) -> Option<Self> {
        if returns.len() != benchmark.len() || returns.len() < 2 {
            return None;
        }
        let pairs = benchmark.iter().zip(returns).map(|(x, y)| CoMoments::of(*x, *y));
        let CoMoments { x, y, products } = pairs.reduce(Aggregate::merge)?;
        let beta = (x.squares > 0.0).then(|| products / x.squares);
        let spread = x.squares.sqrt() * y.squares.sqrt();
        let active: Vec<f64> = returns.iter().zip(benchmark).map(|(own, other)| own - other).collect();
        let tracking_error = standard_deviation(&active, Deviation::Sample)? * year.get().sqrt();
        let lead = mean(&active)? * year.get();
        Some(Self {
            beta,
            alpha: beta.map(|beta| (y.mean - free - beta * (x.mean - free)) * year.get()),
            correlation: (spread > 0.0).then(|| (products / spread).clamp(-1.0, 1.0)),
            tracking_error,
            information_ratio: (tracking_error > 0.0).then(|| lead / tracking_error),
        })
    }
}
