//! Wilder's directional movement. Invariant: the three figures lie within 0 and 100.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::Indicator;
use super::candle::Candle;

/// What an [`Adx`] says, in percent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AdxValue {
    /// How strong the trend is, whatever its direction.
    pub adx: f64,
    /// The upward movement in the range, +DI.
    pub plus: f64,
    /// The downward movement in the range, -DI.
    pub minus: f64,
}

/// The average directional index with the directional indicators +DI and -DI.
///
/// Movements and true range are summed up with Wilder's smoothing, `sum += value - sum / n`, started by the sum of the first `n - 1`, as in
/// TA-Lib; the index starts as the mean of the first `n` values of `100 * |plus - minus| / (plus + minus)`, and comes with bar `2 * n`.
/// Without any movement there is no direction: while it starts that counts as 0, later the index stays as it is; without any range +DI and
/// -DI are 0. (J. W. Wilder, "New Concepts in Technical Trading Systems", 1978.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adx {
    period: NonZeroU32,
    before: Option<Candle>,
    /// How many changes from bar to bar have been seen, up to all that the warm-up needs.
    changes: u64,
    up: f64,
    down: f64,
    range: f64,
    /// The sum of the first directions, then the index.
    level: f64,
}

impl Adx {
    /// One that has seen no bar; 14 is a usual period.
    pub fn new(period: NonZeroU32) -> Self {
        Self { period, before: None, changes: 0, up: 0.0, down: 0.0, range: 0.0, level: 0.0 }
    }

    fn n(&self) -> f64 {
        f64::from(self.period.get())
    }

    fn warm_up(&self) -> u64 {
        2 * u64::from(self.period.get()) - 1
    }

    fn smooth(&mut self, before: Candle, candle: Candle) {
        let (rise, fall) = (candle.high - before.high, before.low - candle.low);
        let up = if rise > 0.0 && rise > fall { rise } else { 0.0 };
        let down = if fall > 0.0 && fall > rise { fall } else { 0.0 };
        let n = self.n();
        let leaves = |sum: f64| if self.changes < u64::from(self.period.get()) { 0.0 } else { sum / n };
        let (up, down, range) = (up - leaves(self.up), down - leaves(self.down), candle.true_range(before.close) - leaves(self.range));
        self.up += up;
        self.down += down;
        self.range += range;
    }

    fn indicators(&self) -> (f64, f64) {
        if self.range > 0.0 { (100.0 * (self.up / self.range), 100.0 * (self.down / self.range)) } else { (0.0, 0.0) }
    }

    fn direct(&mut self) {
        let (plus, minus) = self.indicators();
        let direction = (plus + minus > 0.0).then(|| 100.0 * ((plus - minus).abs() / (plus + minus)));
        match self.changes.cmp(&self.warm_up()) {
            std::cmp::Ordering::Less => self.level += direction.unwrap_or(0.0),
            std::cmp::Ordering::Equal => self.level = (self.level + direction.unwrap_or(0.0)) / self.n(),
            std::cmp::Ordering::Greater => self.level += direction.map_or(0.0, |direction| (direction - self.level) / self.n()),
        }
    }
}

impl Indicator for Adx {
    type Input = Candle;
    type Output = AdxValue;

    fn advance(&mut self, candle: Candle) {
        let Some(before) = self.before.replace(candle) else { return };
        self.changes = self.changes.saturating_add(1);
        self.smooth(before, candle);
        if self.changes >= u64::from(self.period.get()) {
            self.direct();
        }
    }

    fn value(&self) -> Option<AdxValue> {
        let (plus, minus) = self.indicators();
        (self.changes >= self.warm_up()).then_some(AdxValue { adx: self.level, plus, minus })
    }
}
