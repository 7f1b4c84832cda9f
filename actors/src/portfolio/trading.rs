//! A portfolio in the place of an exchange: orders come in, are held against what is free, and go on; answers are booked and handed on.
//! Invariant: an answer reaches the owner as it came, but for the number of the order; what the portfolio refuses is an answer as well.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Context, Handler};

use super::actor::PortfolioActor;
use super::book::{Fill, Leg};
use super::brokerage::OwnerNumber;
use super::error::PortfolioError;
use super::margin::{Liquidation, MarginMode};
use crate::decimal::Quantity;
use crate::event::Side;
use crate::instrument::InstrumentId;
use crate::order::{Liquidity, Order, OrderAction, OrderEvent, OrderId, OrderRequest, Outcome, Reject, Ticket, TimeInForce};
use crate::position::Money;

/// What trading is counted.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Counts {
    pub(super) requests: u64,
    pub(super) rejected: BTreeMap<Reject, u64>,
    pub(super) liquidations: u64,
}

impl PortfolioActor {
    /// Sends a request on under its numbers here, or answers it.
    fn request(&mut self, request: &OrderRequest, ctx: &mut Context<'_, Self>) {
        let OrderRequest { instrument, action, owner } = request;
        self.trading.requests += 1;
        let number = self.brokerage.owner(*owner);
        match self.brokerage.enter(&self.portfolio, number, *instrument, action) {
            Ok(actions) => self.send(actions, *instrument, ctx),
            Err(reason) => {
                for (order, side, outcome) in action.refused(reason) {
                    *self.trading.rejected.entry(reason).or_default() += 1;
                    ctx.send(*owner, OrderEvent { order, instrument: *instrument, side, outcome });
                }
            }
        }
    }

    fn send(&self, actions: Vec<OrderAction>, instrument: InstrumentId, ctx: &mut Context<'_, Self>) {
        let Some(venue) = self.brokerage.venue(instrument) else { return };
        let owner = ctx.address().recipient();
        actions.into_iter().for_each(|action| ctx.send(venue, OrderRequest { instrument, action, owner }));
    }

    /// Books a fill of an order that went through here.
    fn book(&mut self, event: &OrderEvent, owner: OwnerNumber, (fill, fee): (Fill, Money), ctx: &mut Context<'_, Self>) {
        let OrderEvent { instrument, side, .. } = *event;
        let legs = self.brokerage.legs(self.portfolio.keeping(), instrument, owner, side, fill.quantity);
        let booked = self.brokerage.settled(instrument, fee).ok_or(PortfolioError::TooLarge).and_then(|mut fee| {
            for (leg, quantity) in legs.into_iter().filter(|(_, quantity)| *quantity > 0) {
                let fee = (fill.fee.0, std::mem::take(&mut fee));
                let part = Fill { leg, quantity: Quantity(quantity), fee, ..fill };
                // Before the fill is booked, since it may lead to a liquidation, which closes what owners hold.
                self.brokerage.hold(instrument, owner, side.sign() * quantity);
                self.change(instrument, ctx, |portfolio| portfolio.fill(&part))
                    .inspect_err(|_| self.brokerage.hold(instrument, owner, -side.sign() * quantity))?;
            }
            Ok(())
        });
        self.count(instrument, booked, ctx);
    }

    /// Closes what is due at the price at which it is valued, cancels what could open it again, and tells the owners of their parts.
    pub(super) fn liquidate(&mut self, what: Liquidation, ctx: &mut Context<'_, Self>) {
        let positions: Vec<(InstrumentId, Leg)> = match what {
            Liquidation::Position(instrument, leg) => vec![(instrument, leg)],
            Liquidation::Account(currency) => {
                let concerned = self.portfolio.holdings().filter(|(instrument, _, holding)| {
                    let contract = self.portfolio.contract(*instrument);
                    let is_cross = contract.is_some_and(|it| it.settlement == currency && it.mode() == Some(MarginMode::Cross));
                    holding.quantity() != 0 && is_cross
                });
                concerned.map(|(instrument, leg, _)| (instrument, leg)).collect()
            }
        };
        for (instrument, leg) in positions {
            let cancelled = self.brokerage.cancel(|of, _| of == instrument);
            self.send(cancelled, instrument, ctx);
            if let Err(error) = self.take_over(instrument, leg, ctx) {
                ctx.log(format_args!("a position of instrument {} was not liquidated: {error}", instrument.0));
            }
        }
    }

    /// Closes a position. Each owner's part is closed at the same price, with its own fee.
    fn take_over(&mut self, instrument: InstrumentId, leg: Leg, ctx: &mut Context<'_, Self>) -> Result<(), PortfolioError> {
        let Some(holding) = self.portfolio.holding(instrument, leg) else { return Ok(()) };
        let price = holding.price();
        let of_leg = |held: i64| match leg {
            Leg::Net => true,
            Leg::Long => held > 0,
            Leg::Short => held < 0,
        };
        let parts: Vec<_> = self.brokerage.holders(instrument).into_iter().filter(|(_, held)| of_leg(*held)).collect();
        let of_nobody = parts.iter().fold(holding.quantity(), |rest, (_, held)| rest.saturating_sub(*held));
        let fees = |held: i64| self.brokerage.liquidation_fee(instrument, held, price);
        let all = parts.iter().map(|(_, held)| fees(*held).0).sum::<i128>() + fees(of_nobody).0;
        let fee = self.brokerage.settled(instrument, Money(all)).unwrap_or_default();
        self.portfolio.liquidate(instrument, leg, price, fee)?;
        self.trading.liquidations += 1;
        for (owner, held) in parts {
            let fee = self.brokerage.liquidation_fee(instrument, held, price);
            self.brokerage.hold(instrument, owner, held.saturating_neg());
            let side = if held > 0 { Side::Sell } else { Side::Buy };
            let (quantity, left) = (Quantity(held.saturating_abs()), Quantity(0));
            let outcome = Outcome::Filled { quantity, price, left, liquidity: Liquidity::Taker, fee };
            if let Some(recipient) = self.brokerage.recipient(owner) {
                ctx.send(recipient, OrderEvent { order: OrderId::LIQUIDATION, instrument, side, outcome });
            }
        }
        Ok(())
    }
}

impl Handler<OrderRequest> for PortfolioActor {
    fn handle(&mut self, request: &OrderRequest, ctx: &mut Context<'_, Self>) {
        self.request(request, ctx);
    }
}

impl Handler<Order> for PortfolioActor {
    fn handle(&mut self, order: &Order, ctx: &mut Context<'_, Self>) {
        let Order { id, instrument, side, quantity, kind, owner } = *order;
        let ticket = Ticket { id, side, quantity, kind, time_in_force: TimeInForce::Gtc };
        self.request(&OrderRequest { instrument, action: OrderAction::Submit(ticket), owner }, ctx);
    }
}

impl Handler<OrderEvent> for PortfolioActor {
    fn handle(&mut self, event: &OrderEvent, ctx: &mut Context<'_, Self>) {
        let (owner, own) = OwnerNumber::of(event.order);
        let Some(recipient) = self.brokerage.recipient(owner) else {
            ctx.log(format_args!("order {} of instrument {} did not go through here", event.order.0, event.instrument.0));
            return;
        };
        ctx.send(recipient, OrderEvent { order: own, ..*event });
        self.brokerage.note(event);
        let OrderEvent { instrument, side, outcome, .. } = *event;
        if let Outcome::Filled { quantity, price, fee, .. } = outcome {
            let Ok(settlement) = self.portfolio.settlement(instrument) else { return };
            let fill = Fill { instrument, leg: Leg::Net, side, quantity, price, fee: (settlement, 0) };
            self.book(event, owner, (fill, fee), ctx);
        }
    }
}
