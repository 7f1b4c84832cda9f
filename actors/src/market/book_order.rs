//! Changes of a book by order (level 3). Invariant: an order is named by the exchange's number from its entry to its end.

use serde::{Deserialize, Serialize};
use stillpoint_engine::Message;

use crate::decimal::{Price, Quantity};
use crate::event::Side;
use crate::instrument::InstrumentId;

/// The exchange's number of an order that others have in the book.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BookOrderId(pub u64);

/// One change of a book by order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BookUpdate {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// What has changed.
    pub change: BookChange,
}

/// A change of a book by order: the actions of market-by-order feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BookChange {
    /// All orders are gone.
    Clear,
    /// An order has come to rest, at the end of its level's queue.
    Add {
        /// Its number.
        id: BookOrderId,
        /// Its side.
        side: Side,
        /// Its price.
        price: Price,
        /// Its quantity.
        quantity: Quantity,
    },
    /// An order was changed. It keeps its place in the queue if the price is the same and the quantity is not greater.
    Modify {
        /// Its number.
        id: BookOrderId,
        /// Its new price.
        price: Price,
        /// Its new quantity.
        quantity: Quantity,
    },
    /// A part or all of an order was cancelled.
    Cancel {
        /// Its number.
        id: BookOrderId,
        /// How much.
        quantity: Quantity,
    },
    /// A part or all of an order was filled by an order that came to it.
    Fill {
        /// Its number.
        id: BookOrderId,
        /// How much.
        quantity: Quantity,
    },
}

impl Message for BookUpdate {
    const KIND: &'static str = "book-update";
}
