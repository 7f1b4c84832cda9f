//! Orders and what comes of them.

use std::fmt;

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Message, Recipient};

use crate::decimal::{Price, Quantity};
use crate::event::Side;
use crate::instrument::InstrumentId;

/// The sender's number of an order: unique among its own orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OrderId(pub u64);

/// At what price an order may be filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OrderKind {
    /// At any.
    Market,
    /// At this price or a better one.
    Limit(Price),
}

/// An order to a venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Order {
    /// The sender's number of it.
    pub id: OrderId,
    /// What to trade.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// How much: positive.
    pub quantity: Quantity,
    /// At what price.
    pub kind: OrderKind,
    /// Who is told what comes of it.
    pub owner: Recipient<OrderEvent>,
}

impl Message for Order {
    const KIND: &'static str = "order";
}

/// What came of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OrderEvent {
    /// The order's number.
    pub order: OrderId,
    /// Its instrument.
    pub instrument: InstrumentId,
    /// Its side.
    pub side: Side,
    /// What happened.
    pub outcome: Outcome,
}

impl Message for OrderEvent {
    const KIND: &'static str = "order-event";
}

/// What happened to an order. Every order ends with a fill that leaves nothing, a cancellation, or a rejection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// A part or all of it was traded.
    Filled {
        /// How much.
        quantity: Quantity,
        /// At what price.
        price: Price,
        /// How much is still to be done.
        left: Quantity,
    },
    /// The venue gave up on the rest.
    Cancelled {
        /// How much was not traded.
        quantity: Quantity,
    },
    /// The venue took nothing of it.
    Rejected {
        /// The whole order's quantity.
        quantity: Quantity,
        /// Why.
        reason: Reject,
    },
}

/// Why an order was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Reject {
    /// The venue does not trade the instrument.
    UnknownInstrument,
    /// The quantity is zero or negative.
    BadQuantity,
    /// Nothing is displayed on the opposite side: no quote has come yet, or its quantity is used up.
    NothingDisplayed,
    /// The opposite price is worse than the order's limit, and the venue keeps no resting orders.
    NotMarketable,
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownInstrument => "the venue does not trade the instrument",
            Self::BadQuantity => "the quantity is not positive",
            Self::NothingDisplayed => "nothing is displayed on the opposite side",
            Self::NotMarketable => "the opposite price is worse than the limit",
        })
    }
}
