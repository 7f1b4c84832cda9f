//! How open orders are changed and cancelled, and how the market changes its phase. Invariant: an order that cannot be changed or cancelled goes
//! on as it was, and its owner is told why.

use super::core::{Answer, Market, Outbox, OwnerId, Place, Slot};
use super::rules::Phase;
use crate::decimal::{Price, Quantity};
use crate::event::Side;
use crate::order::{Amendment, CancelCause, OrderId, OrderKind, Outcome, Reject, Ticket, TimeInForce};

impl Market {
    fn find(&self, owner: OwnerId, id: OrderId, side: Side) -> Result<Slot, Reject> {
        match self.index.get(&(owner, id)) {
            Some(slot) if self.order(*slot).ticket.side == side => Ok(*slot),
            None if self.accounts.get(&owner).is_some_and(|account| account.used.contains(id)) => Err(Reject::NotOpen),
            _ => Err(Reject::UnknownOrder),
        }
    }

    pub(super) fn cancel_requested(&mut self, owner: OwnerId, id: OrderId, side: Side, out: &mut Outbox) {
        match self.find(owner, id, side) {
            Ok(slot) => self.cancel(slot, CancelCause::Requested, out),
            Err(reason) => out.answers.push(Answer { owner, order: id, side, outcome: Outcome::CancelRejected { reason } }),
        }
    }

    /// Cancels all open orders, or those of one owner, in the order in which they came.
    pub(super) fn cancel_all(&mut self, owner: Option<OwnerId>, cause: CancelCause, out: &mut Outbox) {
        let slots = self.index.iter().filter(|((whose, _), _)| owner.is_none_or(|owner| owner == *whose)).map(|(_, slot)| *slot);
        let mut slots: Vec<_> = slots.map(|slot| (self.order(slot).number, slot)).collect();
        slots.sort_unstable();
        for (number, slot) in slots {
            if self.is_open(slot) && self.order(slot).number == number {
                self.cancel(slot, cause, out);
            }
        }
    }

    pub(super) fn modify(&mut self, owner: OwnerId, amendment: Amendment, out: &mut Outbox) {
        let Amendment { id, side, .. } = amendment;
        let found = self.find(owner, id, side).and_then(|slot| self.amended(slot, amendment).map(|ticket| (slot, ticket)));
        match found {
            Ok((slot, ticket)) => self.replace(slot, ticket, out),
            Err(reason) => out.answers.push(Answer { owner, order: id, side, outcome: Outcome::ModifyRejected { reason } }),
        }
    }

    /// What an order would be, or why it cannot be so.
    fn amended(&self, slot: Slot, amendment: Amendment) -> Result<Ticket, Reject> {
        if self.phase == Phase::Halted {
            return Err(Reject::Halted);
        }
        let order = self.order(slot);
        let Amendment { quantity, limit, trigger, .. } = amendment;
        self.check_quantity(quantity)?;
        if quantity.0 <= order.filled {
            return Err(Reject::BelowFilled);
        }
        let kind = match (order.ticket.kind, limit, trigger, order.place) {
            (_, _, _, Place::Held(_)) => return Err(Reject::NotModifiable),
            (kind, None, None, _) => kind,
            (OrderKind::Limit(_), Some(limit), None, _) => OrderKind::Limit(limit),
            (OrderKind::Iceberg { display, .. }, Some(limit), None, _) => OrderKind::Iceberg { limit, display },
            (OrderKind::Stop { .. }, None, Some(trigger), _) => OrderKind::Stop { trigger },
            (OrderKind::StopLimit { trigger: old_trigger, limit: old_limit }, limit, trigger, _) => {
                OrderKind::StopLimit { trigger: trigger.unwrap_or(old_trigger), limit: limit.unwrap_or(old_limit) }
            }
            _ => return Err(Reject::NotModifiable),
        };
        if let Some(trigger) = trigger {
            self.check_price(trigger)?;
        }
        let ticket = Ticket { quantity, kind, ..order.ticket };
        if let OrderKind::Limit(limit) | OrderKind::Iceberg { limit, .. } | OrderKind::StopLimit { limit, .. } = kind {
            self.check_limit(limit, quantity)?;
            self.check_post_only(&ticket, limit)?;
        }
        Ok(ticket)
    }

    fn check_post_only(&self, ticket: &Ticket, limit: Price) -> Result<(), Reject> {
        let waits = matches!(ticket.kind, OrderKind::StopLimit { .. });
        let best = self.best_price(ticket.side.opposite()).filter(|_| self.phase == Phase::Open && !waits);
        match (ticket.time_in_force, best) {
            (TimeInForce::Gtx, Some(best)) if ticket.side.accepts(limit, best) => Err(Reject::WouldTake),
            _ => Ok(()),
        }
    }

    /// Gives an order its new terms. It keeps its place in the queue if its limit is the same and its quantity not greater.
    fn replace(&mut self, slot: Slot, ticket: Ticket, out: &mut Outbox) {
        let order = self.order_mut(slot);
        let (old, place) = (order.ticket, order.place);
        order.ticket = ticket;
        let left = order.left();
        self.answer(slot, Outcome::Modified { left: Quantity(left) }, out);
        match place {
            Place::Waiting(trigger) => {
                let kept = match ticket.kind {
                    OrderKind::Stop { trigger } | OrderKind::StopLimit { trigger, .. } => trigger,
                    _ => trigger,
                };
                self.stop_waiting(slot);
                self.wait(slot, kept);
            }
            Place::Resting(key) if old.kind == ticket.kind && ticket.quantity <= old.quantity => {
                // What an iceberg hides is given up first.
                let excess = self.book.quantity(key).0 - left;
                if excess > 0 {
                    self.book.reduce(key, Quantity(excess));
                }
            }
            Place::Resting(key) => {
                self.book.remove(key);
                let order = self.order_mut(slot);
                order.place = Place::Entering;
                let limit = order.limit().expect("an order that rests has a limit");
                self.enter_limit(slot, limit, out);
            }
            Place::Entering | Place::Held(_) => {}
        }
    }

    pub(super) fn on_phase(&mut self, phase: Phase, out: &mut Outbox) {
        self.phase = phase;
        match phase {
            Phase::Open => {
                self.uncross(out);
                self.cross_displayed(out);
            }
            Phase::Closed => self.cancel_all(None, CancelCause::Closed, out),
            Phase::Halted | Phase::Auction => {}
        }
    }
}
