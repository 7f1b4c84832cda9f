//! Breakouts of a channel. Invariant: a bar is held against the channel of the bars before it, never against itself.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::positive;
use crate::decimal::Quantity;
use crate::event::Bar;
use crate::indicators::{Band, Candle, Donchian, Indicator};
use crate::instrument::InstrumentId;
use crate::strategy::{Desk, SettingsError, Strategy};

/// What a [`Breakout`] trades, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreakoutSettings {
    /// What.
    pub instrument: InstrumentId,
    /// How much it holds, long or short.
    pub quantity: Quantity,
    /// Of how many bars the channel is whose breakout opens a position; 20 and 55 are usual.
    pub entry: NonZeroU32,
    /// Of how many bars the channel is whose breakout against a position closes it: no more than `entry`; 10 and 20 are usual.
    pub exit: NonZeroU32,
    /// Whether it is never short.
    #[serde(default)]
    pub long_only: bool,
}

/// Buys when a bar closes above the highest high of the bars before it, sells when one closes below the lowest low, and closes a position
/// when a bar closes beyond the shorter channel on the other side (R. Donchian; the rules of the "turtles").
///
/// It acts once there are as many bars as the longer channel has. Its orders are market orders.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Breakout {
    settings: BreakoutSettings,
    entry: Donchian,
    exit: Donchian,
}

impl Breakout {
    /// A strategy that has seen no bar.
    ///
    /// # Errors
    /// [`SettingsError`] if the quantity is not above zero, or the exit's channel is the longer one.
    pub fn new(settings: BreakoutSettings) -> Result<Self, SettingsError> {
        positive("quantity", settings.quantity)?;
        if settings.exit > settings.entry {
            return Err(SettingsError::new("exit", format!("must not be above `entry`, which is {}", settings.entry)));
        }
        Ok(Self { settings, entry: Donchian::new(settings.entry), exit: Donchian::new(settings.exit) })
    }

    /// What to hold after a close, in quantities: `None` to leave it as it is.
    fn target(&self, close: f64, held: i64, (entry, exit): (Band, Band)) -> Option<i64> {
        let short = if self.settings.long_only { 0 } else { -1 };
        if close > entry.upper {
            (held <= 0).then_some(1)
        } else if close < entry.lower {
            (held >= 0 && held != short).then_some(short)
        } else {
            let is_over = (held > 0 && close < exit.lower) || (held < 0 && close > exit.upper);
            is_over.then_some(0)
        }
    }
}

impl Strategy for Breakout {
    fn on_bar(&mut self, bar: &Bar, desk: &mut Desk<'_>) {
        let BreakoutSettings { instrument, quantity, .. } = self.settings;
        if bar.instrument != instrument {
            return;
        }
        let Some(account) = desk.account(instrument) else { return };
        let (candle, held) = (Candle::of(bar, account.instrument()), account.coming().0);
        let channels = self.entry.value().zip(self.exit.value());
        self.entry.advance(candle);
        self.exit.advance(candle);
        if let Some(target) = channels.and_then(|channels| self.target(candle.close, held, channels)) {
            _ = desk.trade_to(instrument, Quantity(target * quantity.0));
        }
    }
}
