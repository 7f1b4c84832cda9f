//! Crosses of two moving averages of bars. Invariant: it acts on a change of sign of their difference alone, and never before both averages
//! are whole.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::positive;
use crate::decimal::Quantity;
use crate::event::Bar;
use crate::indicators::{Indicator, Sma};
use crate::instrument::InstrumentId;
use crate::strategy::{Desk, SettingsError, Strategy};

/// What an [`MaCross`] trades, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaCrossSettings {
    /// What.
    pub instrument: InstrumentId,
    /// How much it holds, long or short.
    pub quantity: Quantity,
    /// Of how many closes the fast average is.
    pub fast: NonZeroU32,
    /// Of how many closes the slow average is: more than the fast one.
    pub slow: NonZeroU32,
    /// Whether it is never short.
    #[serde(default)]
    pub long_only: bool,
}

/// Turns long when the simple average of the last few closes rises above that of more of them, and short (or flat) when it falls below.
///
/// Averages that are equal change nothing. The first difference is no cross: what to hold is known from the first change of its sign on. Its
/// orders are market orders.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MaCross {
    settings: MaCrossSettings,
    fast: Sma,
    slow: Sma,
    above: Option<bool>,
}

impl MaCross {
    /// A strategy that has seen no bar.
    ///
    /// # Errors
    /// [`SettingsError`] if the quantity is not above zero, or the fast average is not faster.
    pub fn new(settings: MaCrossSettings) -> Result<Self, SettingsError> {
        let MaCrossSettings { quantity, fast, slow, .. } = settings;
        positive("quantity", quantity)?;
        if fast >= slow {
            return Err(SettingsError::new("slow", format!("must be above `fast`, which is {fast}")));
        }
        Ok(Self { settings, fast: Sma::new(fast), slow: Sma::new(slow), above: None })
    }

    /// Whether this close makes the averages cross, and to which side (`true`: upward).
    fn cross(&mut self, close: f64) -> Option<bool> {
        self.fast.advance(close);
        self.slow.advance(close);
        let difference = self.fast.value()? - self.slow.value()?;
        if difference == 0.0 {
            return None;
        }
        let above = difference > 0.0;
        (self.above.replace(above) == Some(!above)).then_some(above)
    }
}

impl Strategy for MaCross {
    fn on_bar(&mut self, bar: &Bar, desk: &mut Desk<'_>) {
        let MaCrossSettings { instrument, quantity, long_only, .. } = self.settings;
        if bar.instrument != instrument {
            return;
        }
        let Some(upward) = self.cross(bar.close.0 as f64) else { return };
        let target = match (upward, long_only) {
            (true, _) => quantity,
            (false, false) => Quantity(-quantity.0),
            (false, true) => Quantity(0),
        };
        _ = desk.trade_to(instrument, target);
    }
}
