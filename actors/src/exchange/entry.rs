//! How orders come in. Invariant: what could never be right is rejected before anything of it has an effect, and so are all orders that belong
//! to it.

use super::core::{Answer, Live, Market, Outbox, OwnerId, Place, Slot};
use super::rules::Phase;
use crate::decimal::{Price, Quantity};
use crate::order::{CancelCause, OrderAction, OrderKind, Outcome, Reject, Ticket, TimeInForce, TrailBy};

impl Market {
    pub(super) fn on_request(&mut self, owner: OwnerId, action: OrderAction, out: &mut Outbox) {
        match action {
            OrderAction::Submit(ticket) => self.submit(owner, ticket, out),
            OrderAction::Oco(tickets) => self.submit_pair(owner, tickets, out),
            OrderAction::Bracket { entry, exits } => self.submit_bracket(owner, entry, exits, out),
            OrderAction::Modify(amendment) => self.modify(owner, amendment, out),
            OrderAction::Cancel { id, side } => self.cancel_requested(owner, id, side, out),
            OrderAction::CancelAll => self.cancel_all(Some(owner), CancelCause::Requested, out),
        }
    }

    fn submit(&mut self, owner: OwnerId, ticket: Ticket, out: &mut Outbox) {
        if let Err(reason) = self.check(owner, &ticket).and_then(|()| self.check_market(owner, &ticket)) {
            out.answers.push(rejection(owner, &ticket, reason));
            return;
        }
        let slot = self.open(owner, ticket);
        self.answer(slot, Outcome::Accepted, out);
        self.enter(slot, out);
    }

    fn submit_pair(&mut self, owner: OwnerId, tickets: [Ticket; 2], out: &mut Outbox) {
        let distinct = if tickets[0].id == tickets[1].id { Err(Reject::DuplicateId) } else { Ok(()) };
        let checked =
            tickets.map(|ticket| distinct.and_then(|()| self.check(owner, &ticket)).and_then(|()| self.check_market(owner, &ticket)));
        if reject_linked(owner, &tickets, &checked, out) {
            return;
        }
        let pair = self.open_pair(owner, tickets, out);
        self.enter_pair(pair, out);
    }

    fn submit_bracket(&mut self, owner: OwnerId, entry: Ticket, exits: [Ticket; 2], out: &mut Outbox) {
        let exits = exits.map(|exit| Ticket { quantity: entry.quantity, ..exit });
        let tickets = [entry, exits[0], exits[1]];
        let distinct = entry.id != exits[0].id && entry.id != exits[1].id && exits[0].id != exits[1].id;
        let mut checked = tickets.map(|ticket| if distinct { self.check(owner, &ticket) } else { Err(Reject::DuplicateId) });
        for (exit, checked) in exits.iter().zip(&mut checked[1..]) {
            if exit.side == entry.side && checked.is_ok() {
                *checked = Err(Reject::WrongSide);
            }
        }
        checked[0] = checked[0].and_then(|()| self.check_market(owner, &entry));
        if reject_linked(owner, &tickets, &checked, out) {
            return;
        }
        let slot = self.open(owner, entry);
        self.answer(slot, Outcome::Accepted, out);
        let pair = self.open_pair(owner, exits, out);
        pair.iter().for_each(|exit| self.order_mut(*exit).place = Place::Held(slot));
        self.order_mut(slot).exits = Some(pair);
        self.enter(slot, out);
    }

    fn open_pair(&mut self, owner: OwnerId, tickets: [Ticket; 2], out: &mut Outbox) -> [Slot; 2] {
        let pair = tickets.map(|ticket| self.open(owner, ticket));
        for (slot, partner) in [(pair[0], pair[1]), (pair[1], pair[0])] {
            self.order_mut(slot).partner = Some(partner);
            self.answer(slot, Outcome::Accepted, out);
        }
        pair
    }

    /// Lets both orders of a pair in, unless the first one ends the second.
    pub(super) fn enter_pair(&mut self, pair: [Slot; 2], out: &mut Outbox) {
        for slot in pair {
            if self.is_open(slot) {
                self.enter(slot, out);
            }
        }
    }

    fn open(&mut self, owner: OwnerId, ticket: Ticket) -> Slot {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.live.push(None);
            Slot(u32::try_from(self.live.len() - 1).expect("fewer than 2^32 open orders"))
        });
        self.orders += 1;
        let number = self.orders;
        self.live[slot.0 as usize] = Some(Live { owner, ticket, filled: 0, place: Place::Entering, number, partner: None, exits: None });
        self.index.insert((owner, ticket.id), slot);
        self.accounts.entry(owner).or_default().used.insert(ticket.id);
        if let TimeInForce::Gtd(at) = ticket.time_in_force {
            self.expiries.insert((at, number, slot));
        }
        slot
    }

    /// Lets an accepted order do what it is for: wait for its trigger, or take what it may and rest.
    pub(super) fn enter(&mut self, slot: Slot, out: &mut Outbox) {
        let Live { owner, ticket, filled, .. } = *self.order(slot);
        let left = Quantity(ticket.quantity.0 - filled);
        if let Err(reason) = self.check_market(owner, &Ticket { quantity: left, ..ticket }) {
            self.finish(slot, Outcome::Rejected { quantity: left, reason }, out);
            return;
        }
        match ticket.kind {
            OrderKind::Stop { trigger } | OrderKind::StopLimit { trigger, .. } => self.wait(slot, trigger),
            OrderKind::TrailingStop(by) => {
                let market = self.reference(ticket.side).expect("a price to follow, as checked");
                self.wait(slot, super::stops::trail(ticket.side, by, market, self.instrument.tick_size));
            }
            OrderKind::Market => {
                self.take(slot, None, out);
                self.cancel_rest(slot, out);
            }
            OrderKind::Limit(limit) | OrderKind::Iceberg { limit, .. } => self.enter_limit(slot, limit, out),
        }
    }

    pub(super) fn enter_limit(&mut self, slot: Slot, limit: Price, out: &mut Outbox) {
        if self.phase == Phase::Open {
            self.take(slot, Some(limit), out);
        }
        if !self.is_open(slot) {
            return;
        }
        match self.order(slot).ticket.time_in_force {
            TimeInForce::Ioc | TimeInForce::Fok => self.cancel_rest(slot, out),
            TimeInForce::Gtc | TimeInForce::Gtx | TimeInForce::Gtd(_) => self.rest(slot),
        }
    }

    fn cancel_rest(&mut self, slot: Slot, out: &mut Outbox) {
        if self.is_open(slot) {
            self.cancel(slot, CancelCause::Unfilled, out);
        }
    }

    /// What is wrong with a ticket whatever the market does.
    fn check(&self, owner: OwnerId, ticket: &Ticket) -> Result<(), Reject> {
        match self.phase {
            Phase::Closed => return Err(Reject::Closed),
            Phase::Halted => return Err(Reject::Halted),
            Phase::Open | Phase::Auction => {}
        }
        if self.accounts.get(&owner).is_some_and(|account| account.used.contains(ticket.id)) {
            return Err(Reject::DuplicateId);
        }
        self.check_quantity(ticket.quantity)?;
        self.check_kind(ticket.kind, ticket.quantity)?;
        if !fits(ticket.kind, ticket.time_in_force) {
            return Err(Reject::BadTimeInForce);
        }
        match ticket.time_in_force {
            TimeInForce::Gtd(at) if at <= self.now => Err(Reject::PastExpiry),
            _ => Ok(()),
        }
    }

    pub(super) fn check_quantity(&self, quantity: Quantity) -> Result<(), Reject> {
        if quantity.0 <= 0 {
            return Err(Reject::BadQuantity);
        }
        if quantity.0 % self.instrument.lot_size.0.max(1) != 0 { Err(Reject::OffLot) } else { Ok(()) }
    }

    fn check_kind(&self, kind: OrderKind, quantity: Quantity) -> Result<(), Reject> {
        match kind {
            OrderKind::Market => Ok(()),
            OrderKind::Limit(limit) => self.check_limit(limit, quantity),
            OrderKind::Stop { trigger } => self.check_price(trigger),
            OrderKind::StopLimit { trigger, limit } => self.check_price(trigger).and_then(|()| self.check_limit(limit, quantity)),
            OrderKind::TrailingStop(TrailBy::BasisPoints(points)) => {
                if points > 0 {
                    Ok(())
                } else {
                    Err(Reject::BadPrice)
                }
            }
            OrderKind::TrailingStop(TrailBy::Price(distance)) => {
                if distance.0 <= 0 {
                    Err(Reject::BadPrice)
                } else {
                    self.check_price(distance)
                }
            }
            OrderKind::Iceberg { limit, display } => {
                self.check_limit(limit, quantity)?;
                if display.0 <= 0 || display >= quantity {
                    return Err(Reject::BadDisplay);
                }
                self.check_quantity(display)
            }
        }
    }

    pub(super) fn check_price(&self, price: Price) -> Result<(), Reject> {
        if price.0 <= 0 && !self.rules.negative_prices {
            return Err(Reject::BadPrice);
        }
        if price.0 % self.instrument.tick_size.0.max(1) != 0 { Err(Reject::OffTick) } else { Ok(()) }
    }

    pub(super) fn check_limit(&self, limit: Price, quantity: Quantity) -> Result<(), Reject> {
        self.check_price(limit)?;
        self.instrument.notional(limit, quantity).map(|_| ()).ok_or(Reject::BadPrice)
    }

    /// What the market, as it is now, has against a ticket.
    pub(super) fn check_market(&self, owner: OwnerId, ticket: &Ticket) -> Result<(), Reject> {
        let limit = match ticket.kind {
            OrderKind::Stop { .. } | OrderKind::StopLimit { .. } => return Ok(()),
            OrderKind::TrailingStop(_) => {
                return self.reference(ticket.side).map(|_| ()).ok_or(Reject::NoReference);
            }
            OrderKind::Limit(limit) | OrderKind::Iceberg { limit, .. } => Some(limit),
            OrderKind::Market => None,
        };
        let rests = matches!(ticket.kind, OrderKind::Limit(_)) && matches!(ticket.time_in_force, TimeInForce::Gtc | TimeInForce::Gtd(_));
        match self.phase {
            Phase::Open => {}
            Phase::Auction => return if rests { Ok(()) } else { Err(Reject::InAuction) },
            Phase::Halted => return if limit.is_some() { Ok(()) } else { Err(Reject::Halted) },
            Phase::Closed => return Err(Reject::Closed),
        }
        let Some(best) = self.best_price(ticket.side.opposite()) else {
            return match (limit, ticket.time_in_force) {
                (None, _) => Err(Reject::NothingDisplayed),
                (_, TimeInForce::Fok) => Err(Reject::NotFillable),
                _ => Ok(()),
            };
        };
        match ticket.time_in_force {
            TimeInForce::Gtx if limit.is_some_and(|limit| ticket.side.accepts(limit, best)) => Err(Reject::WouldTake),
            TimeInForce::Fok if !self.is_fillable(owner, ticket.side, limit, ticket.quantity) => Err(Reject::NotFillable),
            _ => Ok(()),
        }
    }
}

/// Whether a time in force goes with a kind of order.
const fn fits(kind: OrderKind, time_in_force: TimeInForce) -> bool {
    match kind {
        OrderKind::Limit(_) | OrderKind::StopLimit { .. } => true,
        OrderKind::Market => !matches!(time_in_force, TimeInForce::Gtx | TimeInForce::Gtd(_)),
        OrderKind::Stop { .. } | OrderKind::TrailingStop(_) => !matches!(time_in_force, TimeInForce::Gtx),
        OrderKind::Iceberg { .. } => !matches!(time_in_force, TimeInForce::Ioc | TimeInForce::Fok),
    }
}

const fn rejection(owner: OwnerId, ticket: &Ticket, reason: Reject) -> Answer {
    Answer { owner, order: ticket.id, side: ticket.side, outcome: Outcome::Rejected { quantity: ticket.quantity, reason } }
}

/// Rejects all of several orders if one of them is wrong. Whether it did.
fn reject_linked(owner: OwnerId, tickets: &[Ticket], checked: &[Result<(), Reject>], out: &mut Outbox) -> bool {
    if checked.iter().all(Result::is_ok) {
        return false;
    }
    let reasons = checked.iter().map(|checked| checked.err().unwrap_or(Reject::LinkedRejected));
    out.answers.extend(tickets.iter().zip(reasons).map(|(ticket, reason)| rejection(owner, ticket, reason)));
    true
}
