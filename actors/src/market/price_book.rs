//! The book by price (level 2). Invariant: every level has a quantity above zero.

use serde::{Deserialize, Serialize};

use super::depth::DepthChange;
use super::ladder::Ladder;
use crate::decimal::{Price, Quantity};
use crate::event::{Quote, Side};
use crate::instrument::InstrumentId;

/// A price level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// All that is displayed at the price.
    pub quantity: Quantity,
    /// How much has traded there since the quantity was last told, which a recording may or may not have counted yet.
    pub traded: Quantity,
}

/// A book by price: built from [`DepthUpdate`](crate::DepthUpdate)s, or from quotes as a book of one level a side.
///
/// ```
/// use stillpoint_actors::{DepthChange, Price, PriceBook, Quantity, Side};
/// let mut book = PriceBook::default();
/// for (side, price, quantity) in [(Side::Buy, 99, 5), (Side::Buy, 98, 7), (Side::Sell, 101, 2), (Side::Buy, 99, 0)] {
///     book.apply(DepthChange::Set { side, price: Price(price), quantity: Quantity(quantity) });
/// }
/// let quote = book.quote(Default::default());
/// assert_eq!((quote.bid, quote.bid_quantity, quote.ask), (Price(98), Quantity(7), Price(101)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceBook {
    bids: Ladder<Level>,
    asks: Ladder<Level>,
}

impl Default for PriceBook {
    fn default() -> Self {
        Self { bids: Ladder::new(Side::Buy), asks: Ladder::new(Side::Sell) }
    }
}

impl PriceBook {
    fn ladder(&self, side: Side) -> &Ladder<Level> {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    pub(crate) fn ladder_mut(&mut self, side: Side) -> &mut Ladder<Level> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// Applies a change. A level of no or a negative quantity is none.
    pub fn apply(&mut self, change: DepthChange) {
        match change {
            DepthChange::Clear => {
                self.bids.clear();
                self.asks.clear();
            }
            DepthChange::Set { side, price, quantity } => self.set(side, price, quantity),
        }
    }

    /// Sets a level; a quantity that is not above zero removes it.
    pub fn set(&mut self, side: Side, price: Price, quantity: Quantity) {
        let ladder = self.ladder_mut(side);
        if quantity.0 > 0 {
            *ladder.or_default(price) = Level { quantity, traded: Quantity(0) };
        } else {
            ladder.remove(price);
        }
    }

    /// The level of a price, if there is one.
    pub fn level(&self, side: Side, price: Price) -> Option<Level> {
        self.ladder(side).get(price).copied()
    }

    /// The best price of a side and its level.
    pub fn best(&self, side: Side) -> Option<(Price, Level)> {
        self.ladder(side).best().map(|(price, level)| (price, *level))
    }

    /// The levels of a side, the best one first.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = (Price, Level)> {
        self.ladder(side).iter().map(|(price, level)| (price, *level))
    }

    /// How many levels a side has.
    pub fn depth(&self, side: Side) -> usize {
        self.ladder(side).len()
    }

    /// The best levels of both sides as a quote.
    pub fn quote(&self, instrument: InstrumentId) -> Quote {
        let best = |side| self.best(side).map_or((Price(0), Quantity(0)), |(price, level)| (price, level.quantity));
        let ((bid, bid_quantity), (ask, ask_quantity)) = (best(Side::Buy), best(Side::Sell));
        Quote { instrument, bid, bid_quantity, ask, ask_quantity }
    }
}
