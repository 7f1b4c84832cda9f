//! Changes of a book by price (level 2). Invariant: what a change says of a level is absolute, so that saying it twice changes nothing.

use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};
use stillpoint_engine::Message;

use crate::decimal::{Price, Quantity};
use crate::event::Side;
use crate::instrument::InstrumentId;

/// One change of a book by price. A snapshot is a [`DepthChange::Clear`] and its levels; an update of several levels is one message each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepthUpdate {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// What has changed.
    pub change: DepthChange,
    /// Whether the book is whole after it: false for all but the last of changes that the exchange made at once.
    pub last: bool,
}

/// A change of a book by price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DepthChange {
    /// All levels are gone.
    Clear,
    /// A level has this quantity from now on; none if it is 0.
    Set {
        /// Bids or asks.
        side: Side,
        /// The level's price.
        price: Price,
        /// All that is wanted or offered there.
        quantity: Quantity,
    },
}

/// What is small is one word: these are the most numerous of all messages, and each word costs.
impl Hash for DepthUpdate {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { instrument, change, last } = *self;
        let small = |what: u64| u64::from(instrument.0) << 8 | what << 1 | u64::from(last);
        match change {
            DepthChange::Clear => state.write_u64(small(0)),
            DepthChange::Set { side, price, quantity } => {
                state.write_u64(small(1 + side as u64));
                price.hash(state);
                quantity.hash(state);
            }
        }
    }
}

impl Message for DepthUpdate {
    const KIND: &'static str = "depth";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use stillpoint_engine::digest_of;

    #[test]
    fn every_field_reaches_the_digest() {
        let mut digests = BTreeSet::new();
        for instrument in [0, 1, u32::MAX].map(InstrumentId) {
            for last in [false, true] {
                let mut add = |change| assert!(digests.insert(digest_of(&DepthUpdate { instrument, change, last })), "{change:?}");
                add(DepthChange::Clear);
                for side in [Side::Buy, Side::Sell] {
                    for (price, quantity) in [(0, 0), (0, 1), (1, 0), (1, 1), (-1, i64::MAX)] {
                        add(DepthChange::Set { side, price: Price(price), quantity: Quantity(quantity) });
                    }
                }
            }
        }
        assert_eq!(digests.len(), 3 * 2 * 11);
    }
}
