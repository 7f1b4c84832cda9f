//! How likely a Sharpe ratio is more than luck, and how much the best of many trials must show.
//!
//! Whoever tries a hundred strategies finds a good one among them even if none is. [`deflated_sharpe`] is the probability that the best
//! one is better than that.

use std::f64::consts::{E, SQRT_2};
use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use super::sample::{kurtosis, mean, skewness, standard_deviation};
use crate::indicators::Deviation;

/// The probability that a standard normal variable is at most `x`.
pub fn normal_cdf(x: f64) -> f64 {
    libm::erfc(-x / SQRT_2) / 2.0
}

/// The value that a standard normal variable is at most with this probability; `None` unless it is above 0 and below 1.
///
/// It starts from formula 26.2.23 of M. Abramowitz, I. Stegun, "Handbook of Mathematical Functions", 1964, right to 4.5e-4, and is made
/// exact by Halley's method on [`normal_cdf`].
pub fn normal_quantile(probability: f64) -> Option<f64> {
    if !(probability > 0.0 && probability < 1.0) {
        return None;
    }
    let tail = probability.min(1.0 - probability);
    let t: f64 = (-2.0 * libm::log(tail)).sqrt();
    let start: f64 = (2.515_517 + t * (0.802_853 + t * 0.010_328)) / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308))) - t;
    let lower = (0..3).fold(start, |x, _| {
        let density = libm::exp(-x * x / 2.0) / (2.0 * std::f64::consts::PI).sqrt();
        let step = (normal_cdf(x) - tail) / density;
        x - step / (1.0 + x * step / 2.0)
    });
    Some(if probability < 0.5 { lower } else { -lower })
}

/// A Sharpe ratio as a measurement: of returns of one period, not yearly, and with the shape of the returns behind it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SharpeSample {
    /// Mean over sample deviation of the returns of one period.
    pub sharpe: f64,
    /// How many returns.
    pub count: u64,
    /// Their [`skewness`].
    pub skewness: f64,
    /// Their [`kurtosis`]: 3 if they are normal.
    pub kurtosis: f64,
}

impl SharpeSample {
    /// Of returns in excess of what is free of risk; `None` where [`super::sharpe`] has no value.
    pub fn of(returns: &[f64]) -> Option<Self> {
        let deviation = standard_deviation(returns, Deviation::Sample).filter(|deviation| *deviation > 0.0)?;
        Some(Self {
            sharpe: mean(returns)? / deviation,
            count: returns.len() as u64,
            skewness: skewness(returns)?,
            kurtosis: kurtosis(returns)?,
        })
    }
}

/// The probability that the true Sharpe ratio is above `benchmark` (of one period):
/// `Phi((sharpe - benchmark) * sqrt(n - 1) / sqrt(1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe^2))`.
///
/// `None` of less than two returns, or where the variance below the root is not positive. (D. Bailey, M. Lopez de Prado, "The Sharpe Ratio
/// Efficient Frontier", Journal of Risk, 2012.)
pub fn probabilistic_sharpe(sample: SharpeSample, benchmark: f64) -> Option<f64> {
    let SharpeSample { sharpe, count, skewness, kurtosis } = sample;
    let variance = 1.0 - skewness * sharpe + (kurtosis - 1.0) / 4.0 * (sharpe * sharpe);
    (count >= 2 && variance > 0.0).then(|| normal_cdf((sharpe - benchmark) * ((count - 1) as f64).sqrt() / variance.sqrt()))
}

/// The Sharpe ratio (of one period) that the best of `trials` independent strategies without any skill shows on average, where those of the
/// trials have this variance: `sqrt(variance) * ((1 - g) * z(1 - 1 / trials) + g * z(1 - 1 / (trials * e)))`, `g` being Euler's constant.
/// 0 of one trial. `None` of a variance that is negative or not finite. (D. Bailey, M. Lopez de Prado, "The Deflated Sharpe Ratio", Journal
/// of Portfolio Management, 2014.)
pub fn expected_best_sharpe(trials: NonZeroU64, variance: f64) -> Option<f64> {
    const EULER: f64 = 0.577_215_664_901_532_9;
    if !(variance >= 0.0 && variance.is_finite()) {
        return None;
    }
    if trials.get() == 1 {
        return Some(0.0);
    }
    // The upper quantile of a small tail keeps its digits as the lower one with the sign turned.
    let upper = |tail: f64| normal_quantile(tail).map(|z| -z);
    let count = trials.get() as f64;
    Some(variance.sqrt() * ((1.0 - EULER) * upper(1.0 / count)? + EULER * upper(1.0 / (count * E))?))
}

/// The deflated Sharpe ratio: the probability that the true Sharpe ratio of the best of `trials` is above what luck alone would show. Below
/// 0.95 it is usually not taken as skill.
///
/// `variance` is that of the trials' Sharpe ratios of one period. Trials that resemble one another count as less than their number; giving
/// all of them is the careful choice.
///
/// ```
/// use stillpoint_actors::statistics::{SharpeSample, deflated_sharpe};
/// // The example of the paper: 2.5 a year on 1,250 days, the best of 100 trials with a variance of 1/2 a year.
/// let sample = SharpeSample { sharpe: 2.5 / 250f64.sqrt(), count: 1250, skewness: -3.0, kurtosis: 10.0 };
/// let probability = deflated_sharpe(sample, 100.try_into()?, 0.5 / 250.0).expect("it has a value");
/// assert!((probability - 0.9004).abs() < 5e-5);
/// # Ok::<(), std::num::TryFromIntError>(())
/// ```
pub fn deflated_sharpe(sample: SharpeSample, trials: NonZeroU64, variance: f64) -> Option<f64> {
    probabilistic_sharpe(sample, expected_best_sharpe(trials, variance)?)
}
