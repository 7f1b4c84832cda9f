//! Crosses of a MACD, with an RSI against late entries. Invariant: a cross is acted on at the close that makes it, or never.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::positive;
use crate::decimal::Quantity;
use crate::event::Bar;
use crate::indicators::{Indicator, Macd, MacdPeriods, Rsi, Seed};
use crate::instrument::InstrumentId;
use crate::strategy::{Desk, SettingsError, Strategy};

/// What a [`MacdRsi`] trades, and how.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MacdRsiSettings {
    /// What.
    pub instrument: InstrumentId,
    /// How much it holds, long or short.
    pub quantity: Quantity,
    /// The periods of the MACD, in bars.
    pub macd: MacdPeriods,
    /// The period of the RSI, in bars.
    pub rsi: NonZeroU32,
    /// It does not buy while the RSI is this high; 70 is usual.
    pub overbought: f64,
    /// It does not sell while the RSI is this low; 30 is usual.
    pub oversold: f64,
    /// Whether it is never short.
    #[serde(default)]
    pub long_only: bool,
}

/// Turns long when the MACD of closes rises above its signal and the RSI is not overbought, short (or flat) when it falls below and the RSI
/// is not oversold. Its orders are market orders; both indicators are seeded by averages.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MacdRsi {
    settings: MacdRsiSettings,
    macd: Macd,
    rsi: Rsi,
    above: Option<bool>,
}

impl MacdRsi {
    /// A strategy that has seen no bar.
    ///
    /// # Errors
    /// [`SettingsError`] if the quantity is not above zero, the fast average is not faster, or the bounds of the RSI are not
    /// `0 <= oversold < overbought <= 100`.
    pub fn new(settings: MacdRsiSettings) -> Result<Self, SettingsError> {
        let MacdRsiSettings { quantity, macd, rsi, overbought, oversold, .. } = settings;
        positive("quantity", quantity)?;
        if macd.fast >= macd.slow {
            return Err(SettingsError::new(
                "macd",
                format!("has a fast period of {} and a slow one of {}; give a longer slow one", macd.fast, macd.slow),
            ));
        }
        if !(0.0..overbought).contains(&oversold) {
            return Err(SettingsError::new("oversold", format!("must be at least 0 and below `overbought`, which is {overbought}")));
        }
        if overbought > 100.0 {
            return Err(SettingsError::new("overbought", "must be at most 100"));
        }
        Ok(Self { settings, macd: Macd::new(macd, Seed::Average), rsi: Rsi::new(rsi, Seed::Average), above: None })
    }

    /// Whether this close makes the MACD cross its signal, and to which side (`true`: upward).
    fn cross(&mut self, close: f64) -> Option<bool> {
        let histogram = self.macd.update(close)?.histogram;
        if histogram == 0.0 {
            return None;
        }
        let above = histogram > 0.0;
        (self.above.replace(above) == Some(!above)).then_some(above)
    }
}

impl Strategy for MacdRsi {
    fn on_bar(&mut self, bar: &Bar, desk: &mut Desk<'_>) {
        let MacdRsiSettings { instrument, quantity, overbought, oversold, long_only, .. } = self.settings;
        if bar.instrument != instrument {
            return;
        }
        let close = bar.close.0 as f64;
        let (cross, rsi) = (self.cross(close), self.rsi.update(close));
        let (Some(upward), Some(rsi)) = (cross, rsi) else { return };
        let target = match upward {
            true if rsi < overbought => quantity.0,
            false if rsi > oversold => {
                if long_only {
                    0
                } else {
                    -quantity.0
                }
            }
            _ => return,
        };
        _ = desk.trade_to(instrument, Quantity(target));
    }
}
