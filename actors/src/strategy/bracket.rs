//! Orders that belong together: a pair of which one cancels the other, and an entry with such a pair behind it. Invariant: whenever the desk lets
//! it through, each order of a pair is for what the pair has still to do; what is filled beyond that, because answers take time, is told.
//!
//! Pairs and brackets are kept here and not by the venue, so that they work at any, and that exits stand behind each part of an entry as soon as it
//! is filled. An exchange takes pairs and brackets of its own too ([`OrderAction::Oco`](crate::OrderAction::Oco)): there the two orders cannot cross.

use serde::{Deserialize, Serialize};

use super::callbacks::Execution;
use super::desk::Desk;
use super::refusal::Refusal;
use crate::decimal::Quantity;
use crate::event::Side;
use crate::instrument::InstrumentId;
use crate::order::{OrderEvent, OrderId, OrderKind, Outcome, TimeInForce};

/// What is not as it should be with a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PairEvent {
    /// So much of this fill is beyond what the pair was for: both orders were filled before one could be made smaller or cancelled. Whoever wants
    /// to be flat trades it back.
    OverFilled(Quantity),
    /// An order ended that nobody here had cancelled. It is not sent again; the other one stays.
    Lost(OrderId),
    /// The venue did not change an order, which is for more or less than it should be until the next fill.
    Unchanged(OrderId),
    /// The desk let something through neither now nor later, until the next fill or answer.
    Refused(Refusal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Leg {
    kind: OrderKind,
    /// The order, while it works.
    order: Option<OrderId>,
    /// Whether its cancellation was asked for here.
    withdrawn: bool,
    lost: bool,
}

/// Two orders on one side, such as a limit and a stop: what is filled of one is taken off the other.
///
/// A strategy keeps it in its state, and hands it each fill and each answer:
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use stillpoint_actors::strategy::{Bracket, Desk, Execution, PairEvent, Strategy};
/// use stillpoint_actors::{InstrumentId, OrderEvent, OrderKind, Price, Quantity, Quote, Side, TimeInForce};
///
/// /// Buys ten at 100, to sell them at 105, or from 97 on at market.
/// #[derive(Default, Serialize, Deserialize)]
/// struct Once {
///     bracket: Option<Bracket>,
/// }
///
/// impl Strategy for Once {
///     fn on_quote(&mut self, quote: &Quote, desk: &mut Desk<'_>) {
///         if self.bracket.is_none() {
///             let exits = [OrderKind::Limit(Price(105)), OrderKind::Stop { trigger: Price(97) }];
///             let entry = OrderKind::Limit(Price(100));
///             self.bracket = Bracket::open(desk, quote.instrument, Side::Buy, Quantity(10), entry, TimeInForce::Gtc, exits).ok();
///         }
///     }
///
///     fn on_fill(&mut self, fill: &Execution, desk: &mut Desk<'_>) {
///         let told = self.bracket.as_mut().map(|bracket| bracket.on_fill(fill, desk)).unwrap_or_default();
///         for event in told {
///             if let PairEvent::OverFilled(quantity) = event {
///                 _ = desk.buy(fill.instrument, quantity);
///             }
///         }
///     }
///
///     fn on_order(&mut self, event: &OrderEvent, desk: &mut Desk<'_>) {
///         _ = self.bracket.as_mut().map(|bracket| bracket.on_order(event, desk));
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    instrument: InstrumentId,
    side: Side,
    legs: [Leg; 2],
    /// What both together are for, and what was filled of both.
    quantity: i64,
    filled: i64,
}

impl Pair {
    fn empty(instrument: InstrumentId, side: Side, kinds: [OrderKind; 2]) -> Self {
        let legs = kinds.map(|kind| Leg { kind, order: None, withdrawn: false, lost: false });
        Self { instrument, side, legs, quantity: 0, filled: 0 }
    }

    /// Sends two orders over `quantity` each, of which one cancels the other. Both count toward the desk's limits.
    ///
    /// # Errors
    /// The [`Refusal`] of the first that was not sent; then none is left.
    pub fn submit(
        desk: &mut Desk<'_>,
        instrument: InstrumentId,
        side: Side,
        quantity: Quantity,
        kinds: [OrderKind; 2],
    ) -> Result<Self, Refusal> {
        let mut pair = Self::empty(instrument, side, kinds);
        pair.quantity = quantity.0;
        let first = desk.submit(instrument, side, quantity, kinds[0], TimeInForce::Gtc)?;
        let second = desk.submit(instrument, side, quantity, kinds[1], TimeInForce::Gtc).inspect_err(|_| _ = desk.cancel(first))?;
        (pair.legs[0].order, pair.legs[1].order) = (Some(first), Some(second));
        Ok(pair)
    }

    /// The two orders, as far as they work.
    pub fn orders(&self) -> [Option<OrderId>; 2] {
        [self.legs[0].order, self.legs[1].order]
    }

    /// How much was filled of both.
    pub fn filled(&self) -> Quantity {
        Quantity(self.filled)
    }

    /// Whether no order works and none will be sent.
    pub fn is_closed(&self) -> bool {
        self.legs.iter().all(|leg| leg.order.is_none() && (leg.lost || self.filled >= self.quantity))
    }

    /// Takes a fill, of whatever order.
    pub fn on_fill(&mut self, fill: &Execution, desk: &mut Desk<'_>) -> Vec<PairEvent> {
        let mut told = Vec::new();
        let Some(leg) = self.legs.iter_mut().find(|leg| leg.order == Some(fill.order)) else { return told };
        if fill.left.0 == 0 {
            (leg.order, leg.withdrawn) = (None, false);
        }
        self.filled += fill.quantity.0;
        let over = (self.filled - self.quantity).min(fill.quantity.0);
        if over > 0 {
            told.push(PairEvent::OverFilled(Quantity(over)));
        }
        self.fit(desk, &mut told);
        told
    }

    /// Takes an answer of the venue, about whatever order.
    pub fn on_order(&mut self, event: &OrderEvent, desk: &mut Desk<'_>) -> Vec<PairEvent> {
        let mut told = Vec::new();
        let Some(leg) = self.legs.iter_mut().find(|leg| leg.order == Some(event.order)) else { return told };
        if desk.order(event.order).is_none() {
            leg.order = None;
            if !std::mem::take(&mut leg.withdrawn) {
                leg.lost = true;
                told.push(PairEvent::Lost(event.order));
            }
        } else if let Outcome::ModifyRejected { .. } = event.outcome {
            told.push(PairEvent::Unchanged(event.order));
            return told;
        }
        self.fit(desk, &mut told);
        told
    }

    /// Has each order be for what is still to be done.
    fn fit(&mut self, desk: &mut Desk<'_>, told: &mut Vec<PairEvent>) {
        let left = self.quantity - self.filled;
        for leg in &mut self.legs {
            let working = leg.order.and_then(|id| desk.order(id).copied());
            let asked = match working {
                Some(order) if left <= 0 => {
                    leg.withdrawn = true;
                    desk.cancel(order.id)
                }
                Some(order) if order.is_settled() && order.left().0 != left => {
                    desk.modify(order.id, Quantity(order.filled.0 + left), None, None)
                }
                None if left > 0 && !leg.lost => {
                    let sent = desk.submit(self.instrument, self.side, Quantity(left), leg.kind, TimeInForce::Gtc);
                    sent.map(|id| leg.order = Some(id))
                }
                _ => Ok(()),
            };
            told.extend(asked.err().map(PairEvent::Refused));
        }
    }
}

/// An entry and two exits, such as a profit to be taken and a loss to be stopped. The exits are sent with the first fill of the entry and grow with each
/// further one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bracket {
    entry: OrderId,
    is_entering: bool,
    exits: Pair,
}

impl Bracket {
    /// Sends the entry. The exits are on the other side.
    ///
    /// # Errors
    /// The [`Refusal`], if the entry was not sent.
    pub fn open(
        desk: &mut Desk<'_>,
        instrument: InstrumentId,
        side: Side,
        quantity: Quantity,
        entry: OrderKind,
        time_in_force: TimeInForce,
        exits: [OrderKind; 2],
    ) -> Result<Self, Refusal> {
        let entry = desk.submit(instrument, side, quantity, entry, time_in_force)?;
        Ok(Self { entry, is_entering: true, exits: Pair::empty(instrument, side.opposite(), exits) })
    }

    /// The entry, which may be changed and cancelled like any order.
    pub fn entry(&self) -> OrderId {
        self.entry
    }

    /// How much of the entry was filled.
    pub fn entered(&self) -> Quantity {
        Quantity(self.exits.quantity)
    }

    /// The exits.
    pub fn exits(&self) -> &Pair {
        &self.exits
    }

    /// Whether no order works and none will be sent.
    pub fn is_closed(&self) -> bool {
        !self.is_entering && self.exits.is_closed()
    }

    /// Takes a fill, of whatever order.
    pub fn on_fill(&mut self, fill: &Execution, desk: &mut Desk<'_>) -> Vec<PairEvent> {
        if fill.order != self.entry {
            return self.exits.on_fill(fill, desk);
        }
        let mut told = Vec::new();
        self.is_entering = fill.left.0 > 0;
        self.exits.quantity += fill.quantity.0;
        self.exits.fit(desk, &mut told);
        told
    }

    /// Takes an answer of the venue, about whatever order.
    pub fn on_order(&mut self, event: &OrderEvent, desk: &mut Desk<'_>) -> Vec<PairEvent> {
        if event.order != self.entry {
            return self.exits.on_order(event, desk);
        }
        self.is_entering &= desk.order(self.entry).is_some();
        Vec::new()
    }
}
