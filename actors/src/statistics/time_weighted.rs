//! Figures over time, each value counting for as long as it held.

use serde::{Deserialize, Serialize};
use stillpoint_engine::Instant;

use super::sample::mean;
use crate::sum::CompensatedSum;

/// A value that holds from an instant on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Since {
    /// From when on.
    pub at: Instant,
    /// What holds.
    pub value: f64,
}

/// The mean of a figure over the time from the first of `steps`, which are in order of time, until `end`, each value counting for as long as
/// it holds. `None` if no time passes.
///
/// With a value of 1 while a position is held and 0 otherwise it is the exposure, the share of time in the market; with the value of
/// positions over equity it is the mean leverage.
///
/// ```
/// use stillpoint_actors::statistics::{Since, time_weighted_mean};
/// use stillpoint_engine::Instant;
/// let since = |at, value| Since { at: Instant::from_nanos(at), value };
/// // Held from 2 to 5 of 0 to 10.
/// let steps = [since(0, 0.0), since(2, 1.0), since(5, 0.0)];
/// assert_eq!(time_weighted_mean(&steps, Instant::from_nanos(10)), Some(0.3));
/// ```
pub fn time_weighted_mean(steps: &[Since], end: Instant) -> Option<f64> {
    let nanos = |at: Instant| i128::from(at.as_nanos());
    let span = nanos(end) - nanos(steps.first()?.at);
    let ends = steps.iter().skip(1).map(|next| next.at).chain([end]);
    let area: CompensatedSum = steps.iter().zip(ends).map(|(step, end)| step.value * (nanos(end) - nanos(step.at)) as f64).collect();
    (span > 0).then(|| area.value() / span as f64)
}

/// The turnover: the value bought and sold, both counting, over the mean equity. `None` unless the mean equity is above zero.
///
/// ```
/// use stillpoint_actors::statistics::turnover;
/// assert_eq!(turnover(&[50.0, 100.0], &[90.0, 110.0]), Some(1.5));
/// ```
pub fn turnover(traded: &[f64], equity: &[f64]) -> Option<f64> {
    let traded: CompensatedSum = traded.iter().map(|value| value.abs()).collect();
    mean(equity).filter(|equity| *equity > 0.0).map(|equity| traded.value() / equity)
}
