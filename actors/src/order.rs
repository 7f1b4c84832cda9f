//! Orders, what is asked about them, and what comes of them. Invariant: every order that is sent to a venue ends exactly once, with a fill that
//! leaves nothing, a cancellation, an expiry, or a rejection.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::mem;

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Instant, Message, Recipient};

use crate::decimal::{Price, Quantity};
use crate::event::Side;
use crate::instrument::InstrumentId;
use crate::position::Money;

/// The sender's number of an order: unique among its own orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OrderId(pub u64);

impl OrderId {
    /// The number of no order: under it a portfolio tells a strategy that its part of a position was liquidated. Strategies number theirs from 1
    /// on.
    pub const LIQUIDATION: Self = Self(0);
}

/// At what price an order may be filled, and from when on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OrderKind {
    /// At any.
    Market,
    /// At this price or a better one.
    Limit(Price),
    /// A market order once the market has come to the trigger: up to it for a buy, down to it for a sale.
    Stop {
        /// The price that triggers it.
        trigger: Price,
    },
    /// A limit order once the market has come to the trigger.
    StopLimit {
        /// The price that triggers it.
        trigger: Price,
        /// The limit from then on.
        limit: Price,
    },
    /// A stop whose trigger follows the market at a distance when it moves away, and stays when it comes near.
    TrailingStop(TrailBy),
    /// A limit order that shows only a part of its quantity. A new part is shown at the end of the queue when the one before is used up.
    Iceberg {
        /// The limit.
        limit: Price,
        /// How much is shown at a time.
        display: Quantity,
    },
}

/// How far behind the market a trailing stop stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TrailBy {
    /// By this much.
    Price(Price),
    /// By this many hundredths of a percent of the market's price, rounded up to a whole tick.
    BasisPoints(u32),
}

/// How long an order stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TimeInForce {
    /// Good till cancelled. For an order without a limit, which cannot rest, this means immediate or cancel.
    #[default]
    Gtc,
    /// Immediate or cancel: what cannot be filled at once is cancelled.
    Ioc,
    /// Fill or kill: filled at once as a whole, or rejected.
    Fok,
    /// Post only ("good till crossing"): rejected if any of it would be filled at once.
    Gtx,
    /// Good till this instant, inclusive: what else happens at that instant comes before the expiry.
    Gtd(Instant),
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

/// An order's own terms, without instrument and owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ticket {
    /// The sender's number of it.
    pub id: OrderId,
    /// Buy or sell.
    pub side: Side,
    /// How much: positive.
    pub quantity: Quantity,
    /// At what price.
    pub kind: OrderKind,
    /// For how long.
    pub time_in_force: TimeInForce,
}

/// What an exchange may be asked for. See [`Exchange`](crate::Exchange) for what each of them does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OrderAction {
    /// Enter an order.
    Submit(Ticket),
    /// Enter two orders of which one cancels the other.
    Oco([Ticket; 2]),
    /// Enter an order, and when it has ended, two more over what was filled of it, of which one cancels the other.
    Bracket {
        /// The order that opens the position.
        entry: Ticket,
        /// The orders that close it, such as a limit and a stop. Their quantity is replaced by what was filled of the entry.
        exits: [Ticket; 2],
    },
    /// Change an open order.
    Modify(Amendment),
    /// Cancel an open order.
    Cancel {
        /// Which one.
        id: OrderId,
        /// Its side, which the answer repeats.
        side: Side,
    },
    /// Cancel all open orders of the owner in the instrument.
    CancelAll,
}

#[cfg(feature = "exchange")]
impl OrderAction {
    /// What there is to say, order by order, if none of it is done. A request to cancel whatever there is cannot be refused.
    pub(crate) fn refused(&self, reason: Reject) -> Vec<(OrderId, Side, Outcome)> {
        let rejected = |ticket: &Ticket| (ticket.id, ticket.side, Outcome::Rejected { quantity: ticket.quantity, reason });
        match self {
            Self::Submit(ticket) => vec![rejected(ticket)],
            Self::Oco(tickets) => tickets.iter().map(rejected).collect(),
            Self::Bracket { entry, exits } => [entry, &exits[0], &exits[1]].map(rejected).to_vec(),
            Self::Modify(amendment) => vec![(amendment.id, amendment.side, Outcome::ModifyRejected { reason })],
            Self::Cancel { id, side } => vec![(*id, *side, Outcome::CancelRejected { reason })],
            Self::CancelAll => Vec::new(),
        }
    }
}

/// How an open order is to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Amendment {
    /// Which order.
    pub id: OrderId,
    /// Its side, which cannot be changed.
    pub side: Side,
    /// The new quantity of the whole order, what has been filled included, so that a fill that crosses the request is not traded twice.
    pub quantity: Quantity,
    /// The new limit; `None` keeps it.
    pub limit: Option<Price>,
    /// The new trigger of a stop that still waits; `None` keeps it.
    pub trigger: Option<Price>,
}

/// A request to an exchange, about orders in one instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OrderRequest {
    /// In what.
    pub instrument: InstrumentId,
    /// What to do.
    pub action: OrderAction,
    /// Who is told what comes of it, and whose orders these are.
    pub owner: Recipient<OrderEvent>,
}

impl Message for OrderRequest {
    const KIND: &'static str = "order-request";
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

/// What happened to an order.
///
/// Its hash leaves out what was free and taking of a fill, and what is cancelled for the usual cause: these are what a venue without fees and
/// without resting orders says, and whose traces know nothing of either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// A part or all of it was traded.
    Filled {
        /// How much.
        quantity: Quantity,
        /// At what price.
        price: Price,
        /// How much is still to be done.
        left: Quantity,
        /// Whether it took what was there, or was there.
        liquidity: Liquidity,
        /// What it cost: negative for a rebate.
        fee: Money,
    },
    /// What was left of it is cancelled.
    Cancelled {
        /// How much was not traded.
        quantity: Quantity,
        /// Why.
        cause: CancelCause,
    },
    /// The venue took nothing of it, or could not do what a trigger asked of it.
    Rejected {
        /// The whole order's quantity.
        quantity: Quantity,
        /// Why.
        reason: Reject,
    },
    /// It is open.
    Accepted,
    /// A stop's trigger was reached; it is a market or a limit order from here on.
    Triggered {
        /// The price that triggered it.
        price: Price,
    },
    /// Its time is over.
    Expired {
        /// How much was not traded.
        quantity: Quantity,
    },
    /// It was changed.
    Modified {
        /// How much is now to be done.
        left: Quantity,
    },
    /// It was not changed, and goes on as it was, if it is still open.
    ModifyRejected {
        /// Why.
        reason: Reject,
    },
    /// It was not cancelled.
    CancelRejected {
        /// Why.
        reason: Reject,
    },
}

impl Outcome {
    /// Whether this is the end of the order.
    pub const fn is_end(&self) -> bool {
        match self {
            Self::Filled { left, .. } => left.0 == 0,
            Self::Cancelled { .. } | Self::Rejected { .. } | Self::Expired { .. } => true,
            _ => false,
        }
    }
}

impl Hash for Outcome {
    fn hash<H: Hasher>(&self, state: &mut H) {
        mem::discriminant(self).hash(state);
        match self {
            Self::Filled { quantity, price, left, liquidity, fee } => {
                (quantity, price, left).hash(state);
                if (*liquidity, *fee) != (Liquidity::Taker, Money(0)) {
                    (liquidity, fee).hash(state);
                }
            }
            Self::Cancelled { quantity, cause } => {
                quantity.hash(state);
                if *cause != CancelCause::Unfilled {
                    cause.hash(state);
                }
            }
            Self::Rejected { quantity, reason } => (quantity, reason).hash(state),
            Self::Accepted => {}
            Self::Triggered { price } => price.hash(state),
            Self::Expired { quantity } | Self::Modified { left: quantity } => quantity.hash(state),
            Self::ModifyRejected { reason } | Self::CancelRejected { reason } => reason.hash(state),
        }
    }
}

/// Which part an order has in a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Liquidity {
    /// It rested, and another order came to it.
    Maker,
    /// It came, and found what rested.
    Taker,
    /// Both sides met in an auction.
    Auction,
}

/// Why an order was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CancelCause {
    /// It may not rest, and nothing more could be filled at once.
    Unfilled,
    /// Its owner asked for it.
    Requested,
    /// The other order of the pair was filled, triggered, cancelled or refused.
    OneCancelsOther,
    /// It would have traded with an order of the same owner.
    SelfTrade,
    /// The order that it was to follow ended without a fill.
    EntryUnfilled,
    /// The market was closed.
    Closed,
}

/// Why an order, a change or a cancellation was rejected.
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
    /// A limit, a trigger or a distance is zero or negative, or the value at the limit does not fit 128 bits.
    BadPrice,
    /// A limit, a trigger or a distance is no multiple of the tick size.
    OffTick,
    /// The quantity, or the part to be shown, is no multiple of the lot size.
    OffLot,
    /// The part to be shown is not above zero and below the quantity.
    BadDisplay,
    /// The time in force does not go with the kind of order.
    BadTimeInForce,
    /// The owner has used the number before.
    DuplicateId,
    /// A post-only order would be filled at once.
    WouldTake,
    /// A fill-or-kill order cannot be filled as a whole.
    NotFillable,
    /// The instant until which the order is good has passed.
    PastExpiry,
    /// The market is halted.
    Halted,
    /// The market is in an auction, which takes only stops and limit orders that may rest.
    InAuction,
    /// The market is closed.
    Closed,
    /// A trailing stop has no market price to follow yet.
    NoReference,
    /// The owner has no order of that number and side.
    UnknownOrder,
    /// The order has ended: it was filled or cancelled, or has expired.
    NotOpen,
    /// The new quantity is not above what was filled already.
    BelowFilled,
    /// The order has no such limit or trigger that could be changed, or it waits for another order.
    NotModifiable,
    /// An order that it belongs to was rejected.
    LinkedRejected,
    /// An exit is on the side of its entry.
    WrongSide,
    /// The venue takes whole orders only, to be filled at once: no stops, no shown parts. A portfolio takes numbers below 2^40 only.
    NotSupported,
    /// What is free in the account does not cover what the order could open.
    InsufficientMargin,
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownInstrument => "the venue does not trade the instrument",
            Self::BadQuantity => "the quantity is not positive",
            Self::NothingDisplayed => "nothing is displayed on the opposite side",
            Self::NotMarketable => "the opposite price is worse than the limit",
            Self::BadPrice => "a price is not positive, or too large",
            Self::OffTick => "a price is no multiple of the tick size",
            Self::OffLot => "a quantity is no multiple of the lot size",
            Self::BadDisplay => "the part to be shown is not between zero and the quantity",
            Self::BadTimeInForce => "the time in force does not go with the kind of order",
            Self::DuplicateId => "the number of the order was used before",
            Self::WouldTake => "a post-only order would be filled at once",
            Self::NotFillable => "a fill-or-kill order cannot be filled as a whole",
            Self::PastExpiry => "the order's time has passed",
            Self::Halted => "the market is halted",
            Self::InAuction => "an auction takes only stops and limit orders that may rest",
            Self::Closed => "the market is closed",
            Self::NoReference => "there is no market price to follow yet",
            Self::UnknownOrder => "there is no such order",
            Self::NotOpen => "the order has ended",
            Self::BelowFilled => "the new quantity is not above what was filled",
            Self::NotModifiable => "the order has nothing that could be changed so",
            Self::LinkedRejected => "an order that it belongs to was rejected",
            Self::WrongSide => "an exit is on the side of its entry",
            Self::NotSupported => "the venue does not take orders of this kind",
            Self::InsufficientMargin => "the account does not cover what the order could open",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stillpoint_engine::digest_of;

    /// What a venue says that has no fees and keeps no orders.
    #[derive(Hash)]
    enum Plain {
        Filled { quantity: Quantity, price: Price, left: Quantity },
        Cancelled { quantity: Quantity },
        Rejected { quantity: Quantity, reason: Reject },
    }

    #[test]
    fn what_is_usual_hashes_as_if_there_were_nothing_else() {
        let (quantity, price, left, reason) = (Quantity(3), Price(101), Quantity(1), Reject::NothingDisplayed);
        let filled = |liquidity, fee| Outcome::Filled { quantity, price, left, liquidity, fee };
        let usual = digest_of(&filled(Liquidity::Taker, Money(0)));
        assert_eq!(usual, digest_of(&Plain::Filled { quantity, price, left }));
        assert_eq!(digest_of(&Outcome::Cancelled { quantity, cause: CancelCause::Unfilled }), digest_of(&Plain::Cancelled { quantity }));
        assert_eq!(digest_of(&Outcome::Rejected { quantity, reason }), digest_of(&Plain::Rejected { quantity, reason }));
        let all = [filled(Liquidity::Maker, Money(0)), filled(Liquidity::Taker, Money(1)), filled(Liquidity::Auction, Money(0))];
        assert!(all.iter().all(|outcome| digest_of(outcome) != usual));
    }

    #[test]
    fn an_order_ends_once() {
        let filled = |left| Outcome::Filled {
            quantity: Quantity(1),
            price: Price(1),
            left: Quantity(left),
            liquidity: Liquidity::Taker,
            fee: Money(0),
        };
        assert!(filled(0).is_end() && !filled(1).is_end());
        assert!(Outcome::Expired { quantity: Quantity(1) }.is_end());
        assert!(!Outcome::Accepted.is_end() && !Outcome::CancelRejected { reason: Reject::NotOpen }.is_end());
    }
}
