//! The rate of change.

use std::collections::VecDeque;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::Indicator;

/// The change against the value `period` values ago, in percent of that: `100 * (value / before - 1)`; `None` where that was 0.
///
/// ```
/// use stillpoint_actors::indicators::{Indicator, Roc};
/// assert_eq!(Roc::new(2.try_into()?).over(&[4.0, 0.0, 5.0, 7.0]), [None, None, Some(25.0), None]);
/// # Ok::<(), std::num::TryFromIntError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Roc {
    period: NonZeroU32,
    values: VecDeque<f64>,
}

impl Roc {
    /// One that has seen no value.
    pub fn new(period: NonZeroU32) -> Self {
        Self { period, values: VecDeque::new() }
    }
}

impl Indicator for Roc {
    type Input = f64;
    type Output = f64;

    fn advance(&mut self, value: f64) {
        if self.values.len() > self.period.get() as usize {
            self.values.pop_front();
        }
        self.values.push_back(value);
    }

    fn value(&self) -> Option<f64> {
        let (before, last) = self.values.front().zip(self.values.back())?;
        let ready = self.values.len() > self.period.get() as usize && *before != 0.0;
        ready.then(|| 100.0 * (last / before - 1.0))
    }
}
