//! A bar as floats, for indicators.

use serde::{Deserialize, Serialize};

use super::Sample;
use crate::event::Bar;
use crate::instrument::Instrument;

/// A [`Bar`] as floats: prices and volume in whole units, each the float nearest to what the bar has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Candle {
    /// The first price.
    pub open: f64,
    /// The highest price.
    pub high: f64,
    /// The lowest price.
    pub low: f64,
    /// The last price.
    pub close: f64,
    /// How much was traded: zero or more.
    pub volume: f64,
}

impl Candle {
    /// The bar of `instrument`, whose decimals it needs.
    pub fn of(bar: &Bar, instrument: &Instrument) -> Self {
        let price = |price: crate::Price| price.to_f64(instrument.price_decimals);
        Self {
            open: price(bar.open),
            high: price(bar.high),
            low: price(bar.low),
            close: price(bar.close),
            volume: bar.volume.to_f64(instrument.quantity_decimals),
        }
    }

    /// The typical price: the mean of high, low and close.
    pub fn typical(self) -> f64 {
        (self.high + self.low + self.close) / 3.0
    }

    /// Wilder's true range: the distance from the lowest to the highest of high, low and the close before.
    pub fn true_range(self, close_before: f64) -> f64 {
        (self.high - self.low).max((self.high - close_before).abs()).max((self.low - close_before).abs())
    }
}

impl Sample for Candle {
    fn is_finite(self) -> bool {
        [self.open, self.high, self.low, self.close, self.volume].into_iter().all(f64::is_finite)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Decimals, InstrumentId, Price, Quantity};

    #[test]
    fn a_bar_becomes_floats_by_the_decimals_of_its_instrument() {
        let decimals = |count| Decimals::new(count).expect("at most 18");
        let instrument = Instrument::new(InstrumentId(0), "X").with_decimals(decimals(2), decimals(1));
        let bar = Bar {
            instrument: instrument.id,
            open: Price(1000),
            high: Price(1234),
            low: Price(-10),
            close: Price(1050),
            volume: Quantity(25),
        };
        let candle = Candle::of(&bar, &instrument);
        assert_eq!(candle, Candle { open: 10.0, high: 12.34, low: -0.1, close: 10.5, volume: 2.5 });
    }

    #[test]
    fn the_true_range_reaches_to_the_close_before() {
        let candle = Candle { high: 12.0, low: 10.0, close: 11.0, ..Candle::default() };
        assert_eq!([11.0, 14.0, 7.0].map(|before| candle.true_range(before)), [2.0, 4.0, 5.0]);
        assert_eq!(candle.typical(), 11.0);
    }
}
