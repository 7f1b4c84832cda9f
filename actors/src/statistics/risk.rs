//! What may be lost in a period.

use serde::{Deserialize, Serialize};

use super::luck::normal_quantile;
use super::sample::{mean, standard_deviation};
use crate::indicators::Deviation;

/// How sure a statement about losses is to be: between 0 and 1, both left out; 0.95 is usual.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Confidence(f64);

impl Confidence {
    /// `None` unless above 0 and below 1.
    pub fn new(confidence: f64) -> Option<Self> {
        (confidence > 0.0 && confidence < 1.0).then_some(Self(confidence))
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Confidence {
    type Error = String;

    fn try_from(confidence: f64) -> Result<Self, String> {
        Self::new(confidence).ok_or_else(|| format!("a confidence of {confidence} is not between 0 and 1; 0.95 is usual"))
    }
}

impl From<Confidence> for f64 {
    fn from(confidence: Confidence) -> Self {
        confidence.0
    }
}

/// The value below which a fraction of the values lies, interpolated between the two nearest: type 7 of R. J. Hyndman, Y. Fan, "Sample
/// Quantiles in Statistical Packages", 1996; numpy's `linear`. `None` of nothing, or of a fraction outside 0 to 1.
///
/// ```
/// use stillpoint_actors::statistics::percentile;
/// assert_eq!(percentile(&[4.0, 1.0, 2.0], 0.25), Some(1.5));
/// ```
pub fn percentile(values: &[f64], fraction: f64) -> Option<f64> {
    if values.is_empty() || !(0.0..=1.0).contains(&fraction) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (sorted.len() - 1) as f64 * fraction;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    Some(sorted[below] + (sorted[above] - sorted[below]) * (place - place.floor()))
}

/// The value at risk by history: the return that `1 - confidence` of the returns lie below. It is a return, so that a loss is negative.
/// `None` without a return.
pub fn value_at_risk(returns: &[f64], confidence: Confidence) -> Option<f64> {
    percentile(returns, 1.0 - confidence.0)
}

/// The value at risk if returns are normal: `mean + deviation * z`, the deviation being that of a sample and `z` the normal distribution's
/// value at `1 - confidence`. `None` of less than two returns.
pub fn parametric_value_at_risk(returns: &[f64], confidence: Confidence) -> Option<f64> {
    let z = normal_quantile(1.0 - confidence.0)?;
    Some(mean(returns)? + standard_deviation(returns, Deviation::Sample)? * z)
}

/// The expected shortfall, also conditional value at risk: the mean of the returns at or below [`value_at_risk`]. `None` without a return.
pub fn expected_shortfall(returns: &[f64], confidence: Confidence) -> Option<f64> {
    let limit = value_at_risk(returns, confidence)?;
    mean(&returns.iter().copied().filter(|step| *step <= limit).collect::<Vec<_>>())
}
