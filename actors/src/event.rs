//! What a market says: quotes, trades and bars. Invariant: small, `Copy`, whole numbers only, so that every run hashes them alike.

use serde::{Deserialize, Serialize};
use stillpoint_engine::Message;

use crate::decimal::{Price, Quantity};
use crate::instrument::InstrumentId;

/// Who buys or sells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Side {
    /// Buys: a positive position.
    Buy,
    /// Sells: a negative position.
    Sell,
}

impl Side {
    /// The other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// +1 for a buy, -1 for a sale.
    pub const fn sign(self) -> i64 {
        match self {
            Self::Buy => 1,
            Self::Sell => -1,
        }
    }
}

/// The best bid and ask of an instrument, also called level 1 or top of book.
///
/// A side with no order has quantity 0; its price then means nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quote {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// The highest price at which someone buys.
    pub bid: Price,
    /// How much is wanted at `bid`.
    pub bid_quantity: Quantity,
    /// The lowest price at which someone sells.
    pub ask: Price,
    /// How much is offered at `ask`.
    pub ask_quantity: Quantity,
}

impl Quote {
    /// The price halfway between bid and ask, in units of the last decimal; `None` if a side is empty. Exact below 2^52 units.
    ///
    /// ```
    /// use stillpoint_actors::{Price, Quantity, Quote};
    /// let quote = Quote { bid: Price(10), bid_quantity: Quantity(1), ask: Price(13), ask_quantity: Quantity(2), ..Quote::default() };
    /// assert_eq!(quote.mid(), Some(11.5));
    /// assert_eq!(Quote { ask_quantity: Quantity(0), ..quote }.mid(), None);
    /// ```
    pub fn mid(&self) -> Option<f64> {
        (self.bid_quantity.0 > 0 && self.ask_quantity.0 > 0).then(|| (self.bid.0 as f64 + self.ask.0 as f64) / 2.0)
    }
}

impl Message for Quote {
    const KIND: &'static str = "quote";
}

/// The exchange's number of a trade; 0 where the data has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TradeId(pub u64);

/// A trade that others made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trade {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// The side of the order that took liquidity; `None` where the data does not say.
    pub side: Option<Side>,
    /// At what price.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
    /// The exchange's number.
    pub id: TradeId,
}

impl Message for Trade {
    const KIND: &'static str = "trade";
}

/// What happened in a span of time. Its instant is the one that the data gives it, which may be the span's start or its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Bar {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// The first price.
    pub open: Price,
    /// The highest price.
    pub high: Price,
    /// The lowest price.
    pub low: Price,
    /// The last price.
    pub close: Price,
    /// How much was traded; 0 where the data has none.
    pub volume: Quantity,
}

impl Message for Bar {
    const KIND: &'static str = "bar";
}

/// A quote or a trade: for recordings that keep both in one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MarketEvent {
    /// A quote.
    Quote(Quote),
    /// A trade.
    Trade(Trade),
}

impl Message for MarketEvent {
    const KIND: &'static str = "market-event";
}

impl MarketEvent {
    /// Of which instrument.
    pub const fn instrument(&self) -> InstrumentId {
        match self {
            Self::Quote(quote) => quote.instrument,
            Self::Trade(trade) => trade.instrument,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_stay_small() {
        assert_eq!(size_of::<Quote>(), 40);
        assert_eq!(size_of::<Trade>(), 32);
        assert_eq!(size_of::<Bar>(), 48);
        assert_eq!(size_of::<MarketEvent>(), 48);
    }
}
