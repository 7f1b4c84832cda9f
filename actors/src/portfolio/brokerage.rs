//! The orders that go through a portfolio, and whose they are. Invariant: what the owners hold adds up to what was filled through here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stillpoint_engine::Recipient;

use super::book::{Keeping, Leg, Portfolio};
use super::cover::{Entered, Link, Needed, needed, price_of};
use super::currency::Parts;
use super::error::PortfolioError;
use crate::by_instrument::ByInstrument;
use crate::decimal::{Price, Quantity};
use crate::event::Side;
use crate::instrument::{Instrument, InstrumentId};
use crate::order::{Amendment, OrderAction, OrderEvent, OrderId, OrderRequest, Reject, Ticket};
use crate::position::Money;

/// An instrument that is traded through a portfolio, and where.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PortfolioRoute {
    /// What. Its contract must be in the portfolio, settled in a currency with at least as many decimals as its money has.
    pub instrument: Instrument,
    /// The exchange that takes its orders.
    pub venue: Recipient<OrderRequest>,
}

/// A strategy's number among those that trade through a portfolio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct OwnerNumber(u64);

/// An order's number at the exchange: its owner's number above these bits, which hold the owner's own number of it.
const OWN_BITS: u32 = 40;

impl OwnerNumber {
    /// The number at the exchange of an order with this number; `None` if that is too large.
    pub(super) fn number(self, own: OrderId) -> Option<OrderId> {
        (own.0 >> OWN_BITS == 0).then_some(OrderId(self.0 << OWN_BITS | own.0))
    }

    /// Whose order a number at the exchange is, and the owner's own number of it.
    pub(super) const fn of(number: OrderId) -> (Self, OrderId) {
        (Self(number.0 >> OWN_BITS), OrderId(number.0 & ((1 << OWN_BITS) - 1)))
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Traded {
    route: PortfolioRoute,
    /// How many units of the settlement currency one unit of the instrument's money is.
    scale: i128,
    /// What the market last bid and asked.
    mark: Option<(Price, Price)>,
}

/// Orders on their way through a portfolio.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Brokerage {
    traded: ByInstrument<Traded>,
    liquidation_fee: Parts,
    owners: Vec<Recipient<OrderEvent>>,
    orders: BTreeMap<OrderId, Entered>,
    /// By instrument and owner.
    held: BTreeMap<(InstrumentId, OwnerNumber), i64>,
}

impl Brokerage {
    /// Trades these, with a fee on the value of what is liquidated.
    pub(super) fn new(portfolio: &Portfolio, routes: Vec<PortfolioRoute>, liquidation_fee: Parts) -> Result<Self, PortfolioError> {
        let mut all = Self { liquidation_fee, ..Self::default() };
        for route in routes {
            let instrument = &route.instrument;
            let has = portfolio.currency(portfolio.settlement(instrument.id)?)?.decimals.count();
            let needed = instrument.money_decimals();
            let Some(more) = u32::from(has).checked_sub(needed) else {
                return Err(PortfolioError::TooCoarse { needed: needed as u8, has });
            };
            all.traded.insert(instrument.id, Traded { scale: 10i128.pow(more), mark: None, route });
        }
        Ok(all)
    }

    /// Whether anything is traded.
    pub(super) fn is_open(&self) -> bool {
        self.traded.iter().next().is_some()
    }

    /// What is traded.
    pub(super) fn instruments(&self) -> impl Iterator<Item = &Instrument> {
        self.traded.iter().map(|(_, traded)| &traded.route.instrument)
    }

    /// How many orders have not ended.
    pub(super) fn open_orders(&self) -> usize {
        self.orders.len()
    }

    /// Where the orders of an instrument go.
    pub(super) fn venue(&self, instrument: InstrumentId) -> Option<Recipient<OrderRequest>> {
        self.traded.get(instrument).map(|traded| traded.route.venue)
    }

    pub(super) fn mark(&mut self, instrument: InstrumentId, bid: Price, ask: Price) {
        if let Some(traded) = self.traded.get_mut(instrument) {
            traded.mark = Some((bid, ask));
        }
    }

    /// The number of an owner, who gets one at the first request.
    pub(super) fn owner(&mut self, recipient: Recipient<OrderEvent>) -> OwnerNumber {
        let place = self.owners.iter().position(|known| *known == recipient).unwrap_or_else(|| {
            self.owners.push(recipient);
            self.owners.len() - 1
        });
        OwnerNumber(place as u64)
    }

    pub(super) fn recipient(&self, owner: OwnerNumber) -> Option<Recipient<OrderEvent>> {
        self.owners.get(usize::try_from(owner.0).ok()?).copied()
    }

    /// What the exchange is asked for in place of what an owner asks for. Cancellations aside there is one request.
    ///
    /// # Errors
    /// Why nothing of it is sent; nothing has changed then.
    pub(super) fn enter(
        &mut self,
        portfolio: &Portfolio,
        owner: OwnerNumber,
        instrument: InstrumentId,
        action: &OrderAction,
    ) -> Result<Vec<OrderAction>, Reject> {
        if self.traded.get(instrument).is_none() {
            return Err(Reject::UnknownInstrument);
        }
        let renumbered = |id: OrderId, otherwise: Reject| owner.number(id).ok_or(otherwise);
        let ticket = |ticket: &Ticket| Ok(Ticket { id: renumbered(ticket.id, Reject::NotSupported)?, ..*ticket });
        Ok(match action {
            OrderAction::Submit(one) => {
                let one = ticket(one)?;
                self.let_in(portfolio, instrument, &[(one, Link::Alone)])?;
                vec![OrderAction::Submit(one)]
            }
            OrderAction::Oco([a, b]) => {
                let (a, b) = (ticket(a)?, ticket(b)?);
                self.let_in(portfolio, instrument, &[(a, Link::Pair(b.id)), (b, Link::Pair(a.id))])?;
                vec![OrderAction::Oco([a, b])]
            }
            OrderAction::Bracket { entry, exits: [a, b] } => {
                let (entry, a, b) = (ticket(entry)?, ticket(a)?, ticket(b)?);
                let links = [Link::Entry([a.id, b.id]), Link::Exit(b.id), Link::Exit(a.id)];
                self.let_in(portfolio, instrument, &[(entry, links[0]), (a, links[1]), (b, links[2])])?;
                vec![OrderAction::Bracket { entry, exits: [a, b] }]
            }
            OrderAction::Modify(amendment) => {
                let amendment = Amendment { id: renumbered(amendment.id, Reject::UnknownOrder)?, ..*amendment };
                self.let_change(portfolio, instrument, amendment)?;
                vec![OrderAction::Modify(amendment)]
            }
            OrderAction::Cancel { id, side } => {
                let id = renumbered(*id, Reject::UnknownOrder)?;
                if let Some(entered) = self.orders.get_mut(&id) {
                    entered.order.cancelling = true;
                }
                vec![OrderAction::Cancel { id, side: *side }]
            }
            OrderAction::CancelAll => self.cancel(|of, id| of == instrument && OwnerNumber::of(id).0 == owner),
        })
    }

    /// Cancels orders that have not been cancelled yet.
    pub(super) fn cancel(&mut self, which: impl Fn(InstrumentId, OrderId) -> bool) -> Vec<OrderAction> {
        let chosen = self.orders.values_mut().map(|entered| &mut entered.order);
        let chosen = chosen.filter(|order| !order.cancelling && which(order.instrument, order.id));
        chosen
            .map(|order| {
                order.cancelling = true;
                OrderAction::Cancel { id: order.id, side: order.side }
            })
            .collect()
    }

    /// Adds orders if what is free covers them.
    fn let_in(&mut self, portfolio: &Portfolio, instrument: InstrumentId, tickets: &[(Ticket, Link)]) -> Result<(), Reject> {
        if tickets.iter().any(|(ticket, _)| self.orders.contains_key(&ticket.id)) {
            return Err(Reject::DuplicateId);
        }
        let before = self.needed(portfolio, instrument)?;
        for (ticket, link) in tickets {
            let reference = self.reference(portfolio, instrument, ticket.side);
            if reference.is_none() && price_of(ticket.kind).is_none() {
                tickets.iter().for_each(|(ticket, _)| _ = self.orders.remove(&ticket.id));
                return Err(Reject::NoReference);
            }
            let entered = Entered::new(instrument, ticket, reference.unwrap_or_default(), *link);
            self.orders.insert(ticket.id, entered);
        }
        self.covered(portfolio, instrument, &before).inspect_err(|_| {
            tickets.iter().for_each(|(ticket, _)| _ = self.orders.remove(&ticket.id));
        })
    }

    /// Notes a change if what is free covers it. One of an order that is not open here is for its exchange to refuse.
    fn let_change(&mut self, portfolio: &Portfolio, instrument: InstrumentId, amendment: Amendment) -> Result<(), Reject> {
        let before = self.needed(portfolio, instrument)?;
        let known = |entered: &&mut Entered| entered.order.instrument == instrument && entered.order.side == amendment.side;
        let Some(entered) = self.orders.get_mut(&amendment.id).filter(known) else { return Ok(()) };
        let earlier = entered.order.change;
        // Of two changes on their way the greater counts, and the later one's prices.
        let quantity = earlier.map_or(amendment.quantity, |earlier| earlier.quantity.max(amendment.quantity));
        entered.order.change = Some(Amendment { quantity, ..amendment });
        let covered = self.covered(portfolio, instrument, &before);
        if covered.is_err()
            && let Some(entered) = self.orders.get_mut(&amendment.id)
        {
            entered.order.change = earlier;
        }
        covered
    }

    fn covered(&self, portfolio: &Portfolio, instrument: InstrumentId, before: &Needed) -> Result<(), Reject> {
        let settlement = portfolio.settlement(instrument).map_err(|_| Reject::UnknownInstrument)?;
        let free = portfolio.figures(settlement).map_or(0, |figures| figures.free());
        let after = self.needed(portfolio, instrument)?;
        if after.is_covered(before, free) { Ok(()) } else { Err(Reject::InsufficientMargin) }
    }

    /// What all open orders need that settle in the same currency as an instrument.
    fn needed(&self, portfolio: &Portfolio, instrument: InstrumentId) -> Result<Needed, Reject> {
        let held = |instrument, owner| match portfolio.keeping() {
            Keeping::Netting => portfolio.holding(instrument, Leg::Net).map_or(0, |holding| holding.quantity()),
            Keeping::Hedging => self.held(instrument, OwnerNumber(owner)),
        };
        let settlement = portfolio.settlement(instrument).map_err(|_| Reject::UnknownInstrument)?;
        needed(portfolio, &self.orders, settlement, held, |id| OwnerNumber::of(id).0.0).map_err(|error| match error {
            PortfolioError::BadPrice => Reject::BadPrice,
            _ => Reject::InsufficientMargin,
        })
    }

    /// Where an order without a price would be filled, as far as is known.
    fn reference(&self, portfolio: &Portfolio, instrument: InstrumentId, side: Side) -> Option<Price> {
        let mark = self.traded.get(instrument)?.mark.map(|(bid, ask)| if side == Side::Buy { ask } else { bid });
        mark.or_else(|| Leg::ALL.into_iter().find_map(|leg| portfolio.holding(instrument, leg)).map(|holding| holding.price()))
    }

    /// Takes what an exchange says of an order.
    pub(super) fn note(&mut self, event: &OrderEvent) {
        let Some(entered) = self.orders.get_mut(&event.order) else { return };
        if !entered.apply(&event.outcome) {
            return;
        }
        let Entered { order, link, .. } = entered.clone();
        self.orders.remove(&event.order);
        // The exits of an entry come in over what was filled of it.
        let Link::Entry([a, b]) = link else { return };
        for (exit, other) in [(a, b), (b, a)] {
            if let Some(exit) = self.orders.get_mut(&exit) {
                (exit.order.quantity, exit.link) = (order.filled, Link::Pair(other));
            }
        }
    }

    /// What of a fill closes and what opens, by position.
    pub(super) fn legs(
        &self,
        keeping: Keeping,
        instrument: InstrumentId,
        owner: OwnerNumber,
        side: Side,
        quantity: Quantity,
    ) -> [(Leg, i64); 2] {
        let held = self.held(instrument, owner);
        let (closes, opens) = match (keeping, side) {
            (Keeping::Netting, _) => return [(Leg::Net, quantity.0), (Leg::Net, 0)],
            (Keeping::Hedging, Side::Buy) => (Leg::Short, Leg::Long),
            (Keeping::Hedging, Side::Sell) => (Leg::Long, Leg::Short),
        };
        let closing = if held.signum() == -side.sign() { quantity.0.min(held.abs()) } else { 0 };
        [(closes, closing), (opens, quantity.0 - closing)]
    }

    /// An amount of an instrument's money in units of its settlement currency.
    pub(super) fn settled(&self, instrument: InstrumentId, money: Money) -> Option<i128> {
        self.traded.get(instrument)?.scale.checked_mul(money.0)
    }

    /// The fee for liquidating so much at a price.
    pub(super) fn liquidation_fee(&self, instrument: InstrumentId, quantity: i64, price: Price) -> Money {
        let worth = self.traded.get(instrument).and_then(|traded| traded.route.instrument.worth(price, Quantity(quantity)));
        Money(worth.map_or(0, |worth| self.liquidation_fee.of_up(worth.0.saturating_abs())))
    }

    /// How much an owner holds of an instrument.
    pub(super) fn held(&self, instrument: InstrumentId, owner: OwnerNumber) -> i64 {
        self.held.get(&(instrument, owner)).copied().unwrap_or_default()
    }

    /// The owners who hold something of an instrument, and how much.
    pub(super) fn holders(&self, instrument: InstrumentId) -> Vec<(OwnerNumber, i64)> {
        let of_it = (instrument, OwnerNumber(0))..=(instrument, OwnerNumber(u64::MAX));
        self.held.range(of_it).map(|((_, owner), held)| (*owner, *held)).collect()
    }

    /// Moves what an owner holds.
    pub(super) fn hold(&mut self, instrument: InstrumentId, owner: OwnerNumber, more: i64) {
        let held = self.held(instrument, owner).saturating_add(more);
        if held == 0 {
            self.held.remove(&(instrument, owner));
        } else {
            self.held.insert((instrument, owner), held);
        }
    }
}
