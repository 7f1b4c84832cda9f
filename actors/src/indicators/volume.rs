//! What prices are worth by the volume behind them.

use serde::{Deserialize, Serialize};

use super::Indicator;
use super::candle::Candle;
use crate::sum::CompensatedSum;

/// The volume-weighted average price since the beginning, or since [`reset`](Self::reset): of [typical prices](Candle::typical), or of
/// trades as candles of one price. `None` while nothing has been traded.
///
/// ```
/// use stillpoint_actors::indicators::{Candle, Indicator, Vwap};
/// let trade = |price, volume| Candle { open: price, high: price, low: price, close: price, volume };
/// assert_eq!(Vwap::default().over(&[trade(9.0, 0.0), trade(10.0, 3.0), trade(14.0, 1.0)]), [None, Some(10.0), Some(11.0)]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Vwap {
    paid: CompensatedSum,
    volume: CompensatedSum,
}

impl Vwap {
    /// Forgets everything: a new session.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

impl Indicator for Vwap {
    type Input = Candle;
    type Output = f64;

    fn advance(&mut self, candle: Candle) {
        self.paid.add(candle.typical() * candle.volume);
        self.volume.add(candle.volume);
    }

    fn value(&self) -> Option<f64> {
        let volume = self.volume.value();
        (volume > 0.0).then(|| self.paid.value() / volume)
    }
}

/// On-balance volume: the volume of bars that closed higher less that of bars that closed lower than the one before. It starts as the
/// volume of the first bar, as in TA-Lib. (J. Granville, 1963.)
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Obv {
    close: Option<f64>,
    balance: CompensatedSum,
}

impl Indicator for Obv {
    type Input = Candle;
    type Output = f64;

    fn advance(&mut self, candle: Candle) {
        let before = self.close.replace(candle.close);
        if before.is_none_or(|before| candle.close > before) {
            self.balance.add(candle.volume);
        } else if before.is_some_and(|before| candle.close < before) {
            self.balance.add(-candle.volume);
        }
    }

    fn value(&self) -> Option<f64> {
        self.close.map(|_| self.balance.value())
    }
}
