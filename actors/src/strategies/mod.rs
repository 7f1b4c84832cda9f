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
    Quantity(i64::try_from(quantity.div_euclid(lot) * lot).unwrap_or(i64::MAX))
}
