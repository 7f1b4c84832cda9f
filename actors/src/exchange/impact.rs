//! What it costs to take more than is shown at once. Invariant: an impact makes a price worse or leaves it, and never passes a limit.

use serde::{Deserialize, Serialize};

use crate::decimal::{Price, Quantity};
use crate::event::Side;

/// How much worse than displayed a recorded market fills an order that takes, since it cannot move by itself.
///
/// It concerns fills against displayed quotes and depth alone: between orders in the book the price is that of the one that rested. With a
/// limit the price stops there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Impact {
    /// The displayed price.
    #[default]
    None,
    /// Worse by so many ticks: a fixed slippage.
    Ticks(u32),
    /// Worse by `coefficient * volatility * |price| * (quantity / volume)`, with the order's whole quantity: linear in size, as in Kyle,
    /// *Continuous Auctions and Insider Trading* (1985).
    Linear(Scale),
    /// Worse by `coefficient * volatility * |price| * sqrt(quantity / volume)`: the square-root law that is observed for large orders (Bouchaud,
    /// Farmer and Lillo, *How Markets Slowly Digest Changes in Supply and Demand*, 2009; Almgren and others, *Direct Estimation of Equity Market
    /// Impact*, 2005). Coefficients near 1 are common.
    SquareRoot(Scale),
}

/// How large an impact is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// A number of order 1.
    pub coefficient: f64,
    /// The volatility over the time in which `volume` is traded, such as a day's: 0.02 is 2 %.
    pub volatility: f64,
    /// What the market trades in that time, in units of the last decimal.
    pub volume: Quantity,
}

impl Impact {
    /// Why this is no model: a scale that is negative or not finite, or a volume that is not above zero.
    ///
    /// # Errors
    /// A sentence.
    pub fn check(&self) -> Result<(), String> {
        let (Self::Linear(scale) | Self::SquareRoot(scale)) = self else { return Ok(()) };
        let good = |value: f64| value.is_finite() && value >= 0.0;
        if good(scale.coefficient) && good(scale.volatility) && scale.volume.0 > 0 {
            Ok(())
        } else {
            Err("an impact needs a coefficient and a volatility that are not negative, and a volume above zero".to_owned())
        }
    }

    /// The price of a fill at a displayed price, for an order of this side, whole quantity and limit. The distance is rounded up to a whole
    /// tick; a price beyond 64 bits is the last one that fits.
    ///
    /// ```
    /// use stillpoint_actors::{Impact, Price, Quantity, Scale, Side};
    /// // 1 * 0.02 * 10,000 * sqrt(100 / 10,000) = 20
    /// let impact = Impact::SquareRoot(Scale { coefficient: 1.0, volatility: 0.02, volume: Quantity(10_000) });
    /// assert_eq!(impact.price(Side::Buy, Price(10_000), Quantity(100), None, Price(1)), Price(10_020));
    /// assert_eq!(impact.price(Side::Sell, Price(10_000), Quantity(100), Some(Price(9_990)), Price(1)), Price(9_990));
    /// ```
    pub fn price(&self, side: Side, displayed: Price, quantity: Quantity, limit: Option<Price>, tick: Price) -> Price {
        let tick_size = tick.0.max(1);
        let ticks = match *self {
            Self::None => return displayed,
            Self::Ticks(ticks) => i64::from(ticks),
            Self::Linear(scale) => scale.ticks(displayed, quantity.0 as f64 / scale.volume.0 as f64, tick_size),
            Self::SquareRoot(scale) => scale.ticks(displayed, libm::sqrt(quantity.0 as f64 / scale.volume.0 as f64), tick_size),
        };
        let worse = Price(displayed.0.saturating_add(side.sign().saturating_mul(ticks.saturating_mul(tick_size))));
        match limit {
            Some(limit) if !side.accepts(limit, worse) => limit,
            _ => worse,
        }
    }
}

impl Scale {
    fn ticks(&self, displayed: Price, share: f64, tick_size: i64) -> i64 {
        let distance = self.coefficient * self.volatility * displayed.0.unsigned_abs() as f64 * share;
        (distance / tick_size as f64).ceil() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_worked_out_by_hand() {
        let scale = Scale { coefficient: 0.5, volatility: 0.04, volume: Quantity(400) };
        for (impact, side, quantity, limit, tick, price) in [
            (Impact::None, Side::Buy, 9, None, 5, 1000),
            (Impact::Ticks(3), Side::Buy, 9, None, 5, 1015),
            (Impact::Ticks(3), Side::Sell, 9, None, 5, 985),
            (Impact::Ticks(3), Side::Sell, 9, Some(990), 5, 990),
            (Impact::Ticks(3), Side::Sell, 9, Some(980), 5, 985),
            (Impact::Linear(scale), Side::Buy, 100, None, 1, 1005), // 0.02 * 1000 / 4
            (Impact::Linear(scale), Side::Buy, 100, None, 2, 1006), // three ticks
            (Impact::SquareRoot(scale), Side::Buy, 100, None, 1, 1010), // 0.02 * 1000 / 2
            (Impact::SquareRoot(scale), Side::Sell, 1, None, 1, 999), // 0.02 * 1000 / 20
            (Impact::SquareRoot(scale), Side::Sell, 101, None, 1, 989), // 10.05
        ] {
            let found = impact.price(side, Price(1000), Quantity(quantity), limit.map(Price), Price(tick));
            assert_eq!(found, Price(price), "{impact:?} {side:?} {quantity}");
        }
        assert_eq!(Impact::Ticks(9).price(Side::Buy, Price(i64::MAX - 1), Quantity(1), None, Price(1)), Price(i64::MAX));
        assert!(Impact::Linear(Scale { volatility: f64::NAN, ..scale }).check().is_err());
    }
}
