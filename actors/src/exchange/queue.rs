//! Where an order stands in the queue of a price level whose orders are not known one by one. Invariant: what is ahead of an order never grows,
//! and is never more than what is displayed.

use serde::{Deserialize, Serialize};

use crate::decimal::Quantity;

/// How a decrease of a level that no trade explains is divided between what is ahead of an order and what is behind it.
///
/// Let `ahead` be the quantity before the order, `behind` what is displayed after it, and `p` the probability that a cancellation comes from
/// behind. A decrease by `d` moves the order by `(1 - p) d`, and by what `p d` exceeds `behind`, rounded down to a whole unit. Trades at the
/// price are not part of `d`: they move every order by their quantity. The functions of the shares ahead and behind are those by which queue
/// positions are commonly estimated in backtests with depth by price; none of them is a law, so fit one to live fills.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum QueueModel {
    /// `p = 1`: others cancel behind the order as long as there is something behind it. Only trades move it for sure.
    #[default]
    RiskAverse,
    /// `p = behind^n / (behind^n + ahead^n)`. With `n = 1` cancellations are spread evenly.
    Power {
        /// The exponent.
        n: f64,
    },
    /// `p = ln(1 + behind) / (ln(1 + behind) + ln(1 + ahead))`, quantities in units of the last decimal.
    Log,
    /// `p = ln(1 + behind) / ln(1 + behind + ahead)`: more comes from behind than with [`QueueModel::Log`].
    LogOfAll,
    /// `p = 1 - (ahead / (ahead + behind))^n`.
    PowerOfShare {
        /// The exponent.
        n: f64,
    },
}

impl QueueModel {
    /// Why this is no model: an exponent that is not a finite number above zero.
    ///
    /// # Errors
    /// A sentence.
    pub fn check(&self) -> Result<(), String> {
        match *self {
            Self::Power { n } | Self::PowerOfShare { n } if !(n.is_finite() && n > 0.0) => {
                Err(format!("an exponent of {n} makes no queue model; give one above zero"))
            }
            _ => Ok(()),
        }
    }

    /// The probability that a cancellation comes from behind, with something ahead and something behind.
    fn behind_share(self, ahead: f64, behind: f64) -> f64 {
        match self {
            Self::RiskAverse => 1.0,
            Self::Power { n } => {
                let (ahead, behind) = (libm::pow(ahead, n), libm::pow(behind, n));
                behind / (behind + ahead)
            }
            Self::Log => libm::log1p(behind) / (libm::log1p(behind) + libm::log1p(ahead)),
            Self::LogOfAll => libm::log1p(behind) / libm::log1p(behind + ahead),
            Self::PowerOfShare { n } => 1.0 - libm::pow(ahead / (ahead + behind), n),
        }
    }

    /// What is ahead of an order after its level went from `before`, trades taken off, to `now`.
    ///
    /// ```
    /// use stillpoint_actors::{Quantity, QueueModel};
    /// let ahead = |model: QueueModel| model.ahead(Quantity(6), Quantity(10), Quantity(5)).0;
    /// assert_eq!(ahead(QueueModel::RiskAverse), 5);
    /// assert_eq!(ahead(QueueModel::Power { n: 1.0 }), 3); // six tenths of five
    /// ```
    #[must_use]
    pub fn ahead(self, ahead: Quantity, before: Quantity, now: Quantity) -> Quantity {
        let (ahead, before, now) = (ahead.0, before.0, now.0.max(0));
        let decrease = before.saturating_sub(now);
        let behind = before.saturating_sub(ahead);
        if decrease <= 0 || ahead <= 0 || behind <= 0 {
            return Quantity(ahead.min(now));
        }
        let share = self.behind_share(ahead as f64, behind as f64);
        let share = if share.is_nan() { 1.0 } else { share.clamp(0.0, 1.0) };
        let moved = ((1.0 - share) * decrease as f64) as i64;
        // What is behind can lose no more than it has: the rest of the decrease came from ahead.
        Quantity((ahead - moved).clamp(0, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use QueueModel::{Log, LogOfAll, Power, PowerOfShare, RiskAverse};
    use proptest::prelude::*;

    fn check(model: QueueModel, (ahead, before, now): (i64, i64, i64), expected: i64) {
        let found = model.ahead(Quantity(ahead), Quantity(before), Quantity(now));
        assert_eq!(found, Quantity(expected), "{model:?}: {ahead} of {before}, now {now}");
    }

    #[test]
    fn decreases_worked_out_by_hand() {
        // Nothing is behind: all of a decrease comes from ahead, with every model.
        for model in [RiskAverse, Power { n: 2.0 }, Log, LogOfAll, PowerOfShare { n: 1.0 }] {
            check(model, (10, 10, 7), 7);
            check(model, (6, 10, 12), 6); // an increase comes behind
            check(model, (6, 10, 0), 0);
            check(model, (0, 10, 5), 0);
            check(model, (i64::MAX, 0, 8), 8); // unknown until displayed
        }
        check(RiskAverse, (6, 10, 7), 6);
        check(RiskAverse, (6, 10, 4), 4);
        check(Power { n: 1.0 }, (60, 100, 90), 54); // 0.6 of 10
        check(Power { n: 2.0 }, (60, 100, 90), 54); // 3600 / 5200 of 10 = 6.92, rounded down
        check(Power { n: 2.0 }, (80, 100, 90), 71); // 6400 / 6800 of 10 = 9.41
        // ln 61 / (ln 41 + ln 61) = 4.1109 / 7.8245 = 0.5254
        check(Log, (60, 100, 90), 55);
        // 1 - ln 41 / ln 101 = 1 - 3.7136 / 4.6151 = 0.1953
        check(LogOfAll, (60, 100, 90), 59);
        check(PowerOfShare { n: 1.0 }, (60, 100, 90), 54);
        check(PowerOfShare { n: 3.0 }, (60, 100, 90), 58); // 0.216 of 10
        // 0.36 of 60 is 21.6, but only 40 can have come from behind and 20 must come from ahead: 21 do.
        check(PowerOfShare { n: 2.0 }, (60, 100, 40), 39);
        // 0.047 of 60 is 2.8, but 20 must come from ahead.
        check(PowerOfShare { n: 6.0 }, (60, 100, 40), 40);
    }

    proptest! {
        #[test]
        fn never_back_never_beyond_what_is_displayed(ahead in 0i64..1_000_000, behind in 0i64..1_000_000, now in 0i64..2_000_000, n in 0.01f64..9.0) {
            for model in [RiskAverse, Power { n }, Log, LogOfAll, PowerOfShare { n }] {
                let found = model.ahead(Quantity(ahead), Quantity(ahead + behind), Quantity(now)).0;
                prop_assert!(0 <= found && found <= ahead.min(now));
                // Nobody is moved by more than was cancelled.
                prop_assert!(ahead - found <= (ahead + behind - now).max(0));
            }
        }
    }
}
