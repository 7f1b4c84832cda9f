//! What a fill costs. Invariant: whole numbers only; a fee is never rounded in favour of the one who pays it.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Duration, Instant};

use crate::order::Liquidity;
use crate::position::Money;

/// A part of the traded value in millionths: 100 are one basis point. Negative for a rebate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FeeRate(pub i32);

impl FeeRate {
    /// All of the traded value.
    pub const WHOLE: Self = Self(1_000_000);

    /// This part of `notional`, whose sign does not matter, rounded up to [`Money`]'s unit: a fee away from zero and a rebate toward it.
    ///
    /// ```
    /// use stillpoint_actors::{FeeRate, Money};
    /// assert_eq!(FeeRate(750).of(Money(10_000)), Money(8)); // 7.5
    /// assert_eq!(FeeRate(-250).of(Money(-10_000)), Money(-2)); // -2.5
    /// ```
    pub const fn of(self, notional: Money) -> Money {
        let (value, rate) = (notional.0.saturating_abs(), self.0 as i128);
        let (whole, rest) = (value / 1_000_000, value % 1_000_000);
        let part = rest * rate;
        let up = if part % 1_000_000 > 0 { 1 } else { 0 };
        Money(whole.saturating_mul(rate).saturating_add(part / 1_000_000 + up))
    }
}

/// The rates of those who have traded at least so much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeeTier {
    /// From this traded value on, in [`Money`]'s unit of the instrument; the fill that reaches it still pays the tier before.
    #[serde(default)]
    pub from: i128,
    /// For an order that rested.
    pub maker: FeeRate,
    /// For an order that took, and for a fill in an auction.
    pub taker: FeeRate,
}

/// Tiers that are no schedule: the first one does not begin at 0, or one does not begin above the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeScheduleError;

impl fmt::Display for FeeScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the first tier of fees must begin at 0, and each one above the one before")
    }
}

impl std::error::Error for FeeScheduleError {}

/// Maker and taker rates by the value that an owner has traded in the instrument: since the run began, or in the days that the
/// [rules](super::MarketRules::fee_days) say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<FeeTier>", into = "Vec<FeeTier>")]
pub struct FeeSchedule {
    tiers: Vec<FeeTier>,
}

impl FeeSchedule {
    /// A schedule of these tiers; none at all is free.
    ///
    /// # Errors
    /// [`FeeScheduleError`] if the first tier does not begin at 0, or one not above the one before.
    pub fn new(mut tiers: Vec<FeeTier>) -> Result<Self, FeeScheduleError> {
        if tiers.is_empty() {
            tiers.push(FeeTier::default());
        }
        let sorted = tiers[0].from == 0 && tiers.is_sorted_by(|a, b| a.from < b.from);
        if sorted { Ok(Self { tiers }) } else { Err(FeeScheduleError) }
    }

    /// One tier for everybody.
    pub fn flat(maker: FeeRate, taker: FeeRate) -> Self {
        Self { tiers: vec![FeeTier { from: 0, maker, taker }] }
    }

    /// The fee of a fill worth `notional`, for an owner who has traded `volume` before it.
    pub fn fee(&self, volume: i128, liquidity: Liquidity, notional: Money) -> Money {
        let reached = self.tiers.partition_point(|tier| tier.from <= volume.max(0));
        let tier = &self.tiers[reached.max(1) - 1];
        match liquidity {
            Liquidity::Maker => tier.maker.of(notional),
            Liquidity::Taker | Liquidity::Auction => tier.taker.of(notional),
        }
    }

    /// Why nobody can have meant these rates: one is more than the whole value traded.
    ///
    /// # Errors
    /// A sentence.
    pub fn check(&self) -> Result<(), String> {
        let rates = self.tiers.iter().flat_map(|tier| [tier.maker, tier.taker]);
        match rates.map(|FeeRate(rate)| rate).find(|rate| rate.unsigned_abs() > FeeRate::WHOLE.0.unsigned_abs()) {
            Some(rate) => {
                Err(format!("{rate} millionths are more than the whole value traded; write 100 for a basis point, and 10000 for a percent"))
            }
            None => Ok(()),
        }
    }
}

impl Default for FeeSchedule {
    fn default() -> Self {
        Self::flat(FeeRate(0), FeeRate(0))
    }
}

impl TryFrom<Vec<FeeTier>> for FeeSchedule {
    type Error = FeeScheduleError;

    fn try_from(tiers: Vec<FeeTier>) -> Result<Self, FeeScheduleError> {
        Self::new(tiers)
    }
}

impl From<FeeSchedule> for Vec<FeeTier> {
    fn from(schedule: FeeSchedule) -> Self {
        schedule.tiers
    }
}

/// What an owner has traded, by days in UTC, as venues count them.
///
/// A window of 30 days is the current day and the 29 before it: what was traded on a day counts no more from the midnight on with which the thirtieth day
/// after it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Turnover {
    sum: i128,
    /// Days since the epoch and what was traded on them, the oldest first. None without a window.
    days: VecDeque<(i64, i128)>,
}

impl Turnover {
    /// What counts at `now`, in a window of so many days; all of it without one.
    pub(super) fn at(&mut self, now: Instant, window: Option<NonZeroU32>) -> i128 {
        if let Some(window) = window {
            let first = day_of(now) - i64::from(window.get()) + 1;
            while let Some((_, traded)) = self.days.pop_front_if(|(day, _)| *day < first) {
                self.sum = self.sum.saturating_sub(traded);
            }
        }
        self.sum
    }

    /// Counts what was traded at `now`, which is not before what was counted last.
    pub(super) fn add(&mut self, now: Instant, window: Option<NonZeroU32>, traded: i128) {
        let counted = self.sum.saturating_add(traded) - self.sum;
        self.sum += counted;
        if window.is_some() {
            match self.days.back_mut() {
                Some((day, sum)) if *day == day_of(now) => *sum += counted,
                _ => self.days.push_back((day_of(now), counted)),
            }
        }
    }
}

fn day_of(at: Instant) -> i64 {
    at.as_nanos().div_euclid(Duration::hours(24).as_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A window of three days, hour by hour.
    #[test]
    fn what_was_traded_counts_until_midnight() {
        let window = NonZeroU32::new(3);
        let hour = |hours| Instant::EPOCH + Duration::hours(hours);
        let mut turnover = Turnover::default();
        turnover.add(hour(-1), window, 1);
        turnover.add(hour(0), window, 10);
        turnover.add(hour(23), window, 100);
        turnover.add(hour(24), window, 1_000);
        let expected = [(24, 1_111), (47, 1_111), (48, 1_110), (71, 1_110), (72, 1_000), (95, 1_000), (96, 0), (2_000, 0)];
        for (hours, counted) in expected {
            assert_eq!(turnover.at(hour(hours), window), counted, "after {hours} hours");
        }
        turnover.add(hour(2_000), window, 5);
        assert_eq!((turnover.at(hour(2_000), window), turnover.days.len()), (5, 1));
        let mut all = Turnover::default();
        all.add(hour(0), None, i128::MAX);
        all.add(hour(1), None, 7);
        assert_eq!((all.at(hour(1_000_000), None), all.days.len()), (i128::MAX, 0));
        let mut full = Turnover::default();
        full.add(hour(0), window, i128::MAX);
        full.add(hour(24), window, 7);
        assert_eq!((full.at(hour(71), window), full.at(hour(72), window)), (i128::MAX, 0), "what did not fit was not counted");
    }

    #[test]
    fn fees_round_up() {
        for (rate, notional, fee) in [
            (1000, 20_000, 20),
            (1000, 20_001, 21),   // 20.001
            (1000, -20_001, 21),  // the value of a sale at a negative price
            (1, 1, 1),            // a millionth
            (-1000, 20_999, -20), // a rebate of 20.999
            (-1, 999_999, 0),
            (0, 5, 0),
            (2_000_000, 7, 14),
        ] {
            assert_eq!(FeeRate(rate).of(Money(notional)), Money(fee), "{rate} of {notional}");
        }
        assert_eq!(FeeRate(1_000_000).of(Money(i128::MAX)), Money(i128::MAX));
    }

    #[test]
    fn tiers_are_reached_from_their_volume_on() {
        let tier = |from, maker, taker| FeeTier { from, maker: FeeRate(maker), taker: FeeRate(taker) };
        let schedule = FeeSchedule::new(vec![tier(0, 2000, 4000), tier(1000, 1000, 3000)]).expect("sorted");
        let million = Money(1_000_000);
        for (volume, maker, taker) in [(0, 2000, 4000), (999, 2000, 4000), (1000, 1000, 3000), (1 << 80, 1000, 3000)] {
            assert_eq!(schedule.fee(volume, Liquidity::Maker, million), Money(maker));
            assert_eq!(schedule.fee(volume, Liquidity::Taker, million), Money(taker));
            assert_eq!(schedule.fee(volume, Liquidity::Auction, million), Money(taker));
        }
        assert_eq!(FeeSchedule::new(vec![tier(1, 0, 0)]), Err(FeeScheduleError));
        assert_eq!(FeeSchedule::new(vec![tier(0, 0, 0), tier(5, 0, 0), tier(5, 0, 0)]), Err(FeeScheduleError));
    }
}
