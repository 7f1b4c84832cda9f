//! The orders that are open or on their way. Invariant: an order is in the table from when it is sent until the venue has said that it ended, so
//! that whatever can still be filled is counted.

use serde::{Deserialize, Serialize};

use crate::decimal::{Price, Quantity};
use crate::event::Side;
use crate::instrument::InstrumentId;
use crate::order::{Amendment, OrderId, OrderKind, Outcome, Reject, Ticket, TimeInForce};

/// An order that has not ended, as far as its sender knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkingOrder {
    /// Its number.
    pub id: OrderId,
    /// In what.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// At what price, changes that the venue has made among it.
    pub kind: OrderKind,
    /// For how long.
    pub time_in_force: TimeInForce,
    /// The quantity of the whole order, what was filled included.
    pub quantity: Quantity,
    /// How much was filled.
    pub filled: Quantity,
    /// Whether the venue has said that it is open.
    pub accepted: bool,
    /// A change that is on its way.
    pub change: Option<Amendment>,
    /// Whether a cancellation is on its way.
    pub cancelling: bool,
}

impl WorkingOrder {
    /// An order that is on its way to the venue.
    pub(crate) const fn sent(instrument: InstrumentId, ticket: &Ticket) -> Self {
        let Ticket { id, side, quantity, kind, time_in_force } = *ticket;
        let (filled, accepted, change, cancelling) = (Quantity(0), false, None, false);
        Self { id, instrument, side, kind, time_in_force, quantity, filled, accepted, change, cancelling }
    }

    /// How much is still to be done.
    pub const fn left(&self) -> Quantity {
        Quantity(self.quantity.0.saturating_sub(self.filled.0))
    }

    /// The limit it has at the venue, if it has one.
    pub const fn limit(&self) -> Option<Price> {
        match self.kind {
            OrderKind::Limit(limit) | OrderKind::StopLimit { limit, .. } | OrderKind::Iceberg { limit, .. } => Some(limit),
            OrderKind::Market | OrderKind::Stop { .. } | OrderKind::TrailingStop(_) => None,
        }
    }

    /// Whether neither a change nor a cancellation is on its way.
    pub const fn is_settled(&self) -> bool {
        self.change.is_none() && !self.cancelling
    }

    /// The most that may still be filled, whether a change on its way comes in time or not.
    pub fn exposure(&self) -> Quantity {
        let quantity = self.change.map_or(self.quantity, |change| change.quantity.max(self.quantity));
        Quantity(quantity.0.saturating_sub(self.filled.0).max(0))
    }

    /// Takes what the venue says of it. Whether it has ended.
    pub(crate) fn apply(&mut self, outcome: &Outcome) -> bool {
        match *outcome {
            Outcome::Filled { quantity, .. } => self.filled.0 = self.filled.0.saturating_add(quantity.0),
            Outcome::Accepted => self.accepted = true,
            Outcome::Triggered { .. } => self.kind = triggered(self.kind),
            Outcome::Modified { left } => {
                if let Some(change) = self.change.take() {
                    self.kind = amended(self.kind, &change);
                }
                self.quantity.0 = self.filled.0.saturating_add(left.0);
            }
            Outcome::ModifyRejected { reason } => {
                self.change = None;
                return is_gone(reason);
            }
            Outcome::CancelRejected { reason } => {
                self.cancelling = false;
                return is_gone(reason);
            }
            Outcome::Cancelled { .. } | Outcome::Rejected { .. } | Outcome::Expired { .. } => {}
        }
        outcome.is_end()
    }
}

/// Answers keep their order, so an order that the venue does not know of when it is asked to change or cancel it never came, and one that is not
/// open has ended; if nothing was heard of that, it was lost.
const fn is_gone(reason: Reject) -> bool {
    matches!(reason, Reject::UnknownOrder | Reject::NotOpen)
}

/// What a stop is once its trigger was reached.
const fn triggered(kind: OrderKind) -> OrderKind {
    match kind {
        OrderKind::Stop { .. } | OrderKind::TrailingStop(_) => OrderKind::Market,
        OrderKind::StopLimit { limit, .. } => OrderKind::Limit(limit),
        other => other,
    }
}

/// A kind of order with the prices of a change.
pub(crate) fn amended(kind: OrderKind, change: &Amendment) -> OrderKind {
    let Amendment { limit: new_limit, trigger: new_trigger, .. } = *change;
    match kind {
        OrderKind::Limit(limit) => OrderKind::Limit(new_limit.unwrap_or(limit)),
        OrderKind::Iceberg { limit, display } => OrderKind::Iceberg { limit: new_limit.unwrap_or(limit), display },
        OrderKind::Stop { trigger } => OrderKind::Stop { trigger: new_trigger.unwrap_or(trigger) },
        OrderKind::StopLimit { trigger, limit } => {
            OrderKind::StopLimit { trigger: new_trigger.unwrap_or(trigger), limit: new_limit.unwrap_or(limit) }
        }
        OrderKind::Market | OrderKind::TrailingStop(_) => kind,
    }
}

/// All working orders of a desk, by their numbers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct WorkingOrders(Vec<WorkingOrder>);

impl WorkingOrders {
    pub(super) fn all(&self) -> &[WorkingOrder] {
        &self.0
    }

    pub(super) fn all_mut(&mut self) -> &mut [WorkingOrder] {
        &mut self.0
    }

    /// Adds an order, whose number is above those of all before.
    pub(super) fn add(&mut self, order: WorkingOrder) {
        self.0.push(order);
    }

    pub(super) fn find(&self, id: OrderId) -> Option<usize> {
        self.0.binary_search_by_key(&id, |order| order.id).ok()
    }

    /// Takes what a venue says of an order, and gives by how much more (or less) may be filled now. `None` if the order is unknown.
    pub(super) fn apply(&mut self, id: OrderId, instrument: InstrumentId, side: Side, outcome: &Outcome) -> Option<i64> {
        let index = self.find(id).filter(|index| (self.0[*index].instrument, self.0[*index].side) == (instrument, side))?;
        let order = &mut self.0[index];
        let before = order.exposure();
        let ended = order.apply(outcome);
        let after = order.exposure();
        if ended {
            self.0.remove(index);
            return Some(-before.0);
        }
        Some(after.0 - before.0)
    }
}
