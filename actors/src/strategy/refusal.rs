//! Why a desk does not do what its strategy asks for. Invariant: what is refused was not sent, and changes nothing but a count.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why an order, a change or a cancellation was refused before anything was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Refusal {
    /// The trader was given no such instrument.
    UnknownInstrument,
    /// The quantity is zero or negative; or, in a change, not above what was filled.
    BadQuantity,
    /// The quantity is no multiple of the lot size.
    OffLot,
    /// A limit, a trigger or a distance is no multiple of the tick size.
    OffTick,
    /// Trading has not begun: what comes before it is there to learn from.
    WarmUp,
    /// Trading is over.
    Ended,
    /// The strategy has stopped its desk.
    Stopped,
    /// The loss has come to the limit: everything was cancelled, and nothing is sent any more.
    MaxLoss,
    /// The order is for more than one order may be for.
    MaxOrder,
    /// If this and all other orders of its side were filled, the position would be beyond its limit.
    MaxPosition,
    /// There are as many open orders as there may be.
    MaxOpenOrders,
    /// As many orders and changes as there may be were sent in the last interval.
    MaxOrders,
    /// There is a collar, and no quote with both sides to hold the price against.
    NoReference,
    /// The price is too far from the mid of the last quote.
    Collar,
    /// There is no such open order.
    UnknownOrder,
    /// A change or a cancellation of the order is on its way.
    Pending,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownInstrument => "the trader was given no such instrument",
            Self::BadQuantity => "the quantity is not positive, or not above what was filled",
            Self::OffLot => "the quantity is no multiple of the lot size",
            Self::OffTick => "a price is no multiple of the tick size",
            Self::WarmUp => "trading has not begun",
            Self::Ended => "trading is over",
            Self::Stopped => "the strategy has stopped its desk",
            Self::MaxLoss => "the loss has come to its limit",
            Self::MaxOrder => "the order is for more than one may be for",
            Self::MaxPosition => "the position could come to be beyond its limit",
            Self::MaxOpenOrders => "there are as many open orders as there may be",
            Self::MaxOrders => "as many orders as there may be in an interval were sent",
            Self::NoReference => "there is no mid price to hold the order's price against",
            Self::Collar => "the price is too far from the mid price",
            Self::UnknownOrder => "there is no such open order",
            Self::Pending => "a change or a cancellation of the order is on its way",
        })
    }
}

impl std::error::Error for Refusal {}
