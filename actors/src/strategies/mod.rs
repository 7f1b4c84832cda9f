//! Strategies on the trait [`Strategy`](crate::strategy::Strategy), one a file. Invariant: none of them reads anything but its events and its
//! desk.
//!
//! | | what |
//! |---|---|
//! | [`Breakout`] | follows closes beyond a Donchian channel of bars |
//! | [`MaCross`] | follows the crosses of two moving averages of bars |
//! | [`MacdRsi`] | follows the crosses of a MACD of bars that an RSI does not warn of |
//! | [`MarketMaker`] | quotes both sides of the mid price, shifted against what it holds |
//! | [`Pairs`] | trades the residual of one instrument's regression on another |
//! | [`Twap`] | buys or sells a quantity in equal parts at equal distances of time |

mod breakout;
mod kinds;
mod ma_cross;
mod macd_rsi;
mod market_maker;
mod pairs;
mod twap;

pub use breakout::{Breakout, BreakoutSettings};
pub(crate) use kinds::register;
pub use ma_cross::{MaCross, MaCrossSettings};
pub use macd_rsi::{MacdRsi, MacdRsiSettings};
pub use market_maker::{MarketMaker, MarketMakerSettings};
pub use pairs::{Pairs, PairsSettings};
pub use twap::{Twap, TwapSettings};

use crate::decimal::Quantity;
use crate::strategy::SettingsError;

/// A quantity that must be above zero.
fn positive(field: &'static str, quantity: Quantity) -> Result<(), SettingsError> {
    if quantity.0 > 0 { Ok(()) } else { Err(SettingsError::new(field, "is not above zero; give how much to trade")) }
}

/// Rounded down to the lots of an instrument.
fn whole_lots(quantity: i128, lot: Quantity) -> Quantity {
    let lot = i128::from(lot.0.max(1));
    Quantity(i64::try_from(whole_times(quantity, lot) * lot).unwrap_or(i64::MAX))
}

/// How many times `step`, which is above zero, goes into `distance`, rounded down. What fits into 64 bits, as nearly all does, is divided there:
/// processors have no division of 128 bits.
fn whole_times(distance: i128, step: i128) -> i128 {
    match (i64::try_from(distance), i64::try_from(step)) {
        (Ok(distance), Ok(step)) => i128::from(distance.div_euclid(step)),
        _ => distance.div_euclid(step),
    }
}

#[cfg(test)]
mod tests {
    use super::whole_times;

    #[test]
    fn rounded_down_on_both_sides_of_zero_and_beyond_64_bits() {
        let far = i128::from(i64::MAX) + 1;
        for (distance, step, times) in
            [(7, 2, 3), (-7, 2, -4), (-8, 2, -4), (far, 1, far), (-far, 1, -far), (-far - 1, 2, -far / 2 - 1), (5, far, 0), (-5, far, -1)]
        {
            assert_eq!(whole_times(distance, step), times, "{distance} by {step}");
        }
    }
}
