//! What is traded, and with how many decimals.

use serde::{Deserialize, Serialize};

use crate::decimal::Decimals;

/// The number of an instrument within a run. Quotes, trades and orders name their instrument by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstrumentId(pub u32);

/// An instrument: its number, its symbol, and the decimals of its prices and quantities.
///
/// Every actor and stream of a run that speaks of an instrument must be given the same decimals for it: the numbers in messages do not
/// carry them. Both are 8 unless given.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instrument {
    /// The number that messages carry.
    pub id: InstrumentId,
    /// What people call it, such as `BTCUSDT`.
    pub symbol: String,
    /// Decimals of its prices.
    #[serde(default = "eight")]
    pub price_decimals: Decimals,
    /// Decimals of its quantities.
    #[serde(default = "eight")]
    pub quantity_decimals: Decimals,
}

fn eight() -> Decimals {
    Decimals::EIGHT
}

impl Instrument {
    /// An instrument with 8 decimals for prices and for quantities.
    pub fn new(id: InstrumentId, symbol: impl Into<String>) -> Self {
        Self { id, symbol: symbol.into(), price_decimals: Decimals::EIGHT, quantity_decimals: Decimals::EIGHT }
    }

    /// The same instrument with other decimals.
    #[must_use]
    pub fn with_decimals(self, price: Decimals, quantity: Decimals) -> Self {
        Self { price_decimals: price, quantity_decimals: quantity, ..self }
    }
}
