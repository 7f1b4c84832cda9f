//! Moments of a sample. Invariant: equal values have exactly that mean and no deviation at all.

use crate::indicators::{Aggregate, Deviation, Moments};

fn moments(values: &[f64]) -> Option<Moments> {
    values.iter().map(|value| Moments::of(*value)).reduce(Aggregate::merge)
}

/// The arithmetic mean; `None` of nothing.
pub fn mean(values: &[f64]) -> Option<f64> {
    moments(values).map(|moments| moments.mean)
}

/// The standard deviation, by `n` or by `n - 1`; `None` of nothing, and of one value as a sample.
pub fn standard_deviation(values: &[f64], deviation: Deviation) -> Option<f64> {
    deviation.of(moments(values)?)
}

/// The mean of `(value - mean)^power`, divided by the population's standard deviation to the same power.
fn standardised(values: &[f64], power: fn(f64) -> f64) -> Option<f64> {
    let moments = moments(values)?;
    let deviation = Deviation::Population.of(moments).filter(|deviation| *deviation > 0.0)?;
    mean(&values.iter().map(|value| power((value - moments.mean) / deviation)).collect::<Vec<_>>())
}

/// The skewness of the values as a population (`scipy.stats.skew`); `None` where they do not move.
pub fn skewness(values: &[f64]) -> Option<f64> {
    standardised(values, |score| score * score * score)
}

/// The kurtosis of the values as a population, 3 for a normal distribution (`scipy.stats.kurtosis(fisher=False)`); `None` where they do not
/// move.
pub fn kurtosis(values: &[f64]) -> Option<f64> {
    standardised(values, |score| score * score * (score * score))
}
