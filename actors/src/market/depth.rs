//! Changes of a book by price (level 2). Invariant: what a change says of a level is absolute, so that saying it twice changes nothing.

use serde::{Deserialize, Serialize};
use stillpoint_engine::Message;

use crate::decimal::{Price, Quantity};
use crate::event::Side;
use crate::instrument::InstrumentId;

/// One change of a book by price. A snapshot is a [`DepthChange::Clear`] and its levels; an update of several levels is one message each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

impl Message for DepthUpdate {
    const KIND: &'static str = "depth";
}
