//! What a desk knows of one instrument. Invariant: what came in less what went out in fills and fees is, to the last digit, the cash that is
//! told.

use serde::{Deserialize, Serialize};
use stillpoint_engine::Recipient;

use super::limits::InstrumentLimits;
use crate::decimal::{Price, Quantity};
use crate::event::{Quote, Side, Trade};
use crate::instrument::{ContractKind, Instrument};
use crate::mark::{Mark, MarkOf};
use crate::order::OrderRequest;
use crate::position::{Money, Position};

/// An instrument that a trader may trade, and where.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Route {
    /// What.
    pub instrument: Instrument,
    /// The exchange that takes its orders.
    pub venue: Recipient<OrderRequest>,
    /// Limits in this instrument.
    pub limits: InstrumentLimits,
}

/// The state of one instrument at a desk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    pub(super) route: Route,
    pub(super) quote: Option<Quote>,
    pub(super) trade: Option<Trade>,
    pub(super) mark: Option<Mark>,
    pub(super) position: Position,
    pub(super) fees: Money,
    /// The most that open orders may still buy and sell.
    pub(super) buying: i128,
    pub(super) selling: i128,
    /// The profit as it was last counted, in units of the desk.
    pub(super) counted: i128,
    /// How many units of the desk one of this instrument's units of money is.
    pub(super) scale: i128,
}

impl Account {
    pub(super) fn new(route: Route, scale: i128) -> Self {
        Self {
            route,
            quote: None,
            trade: None,
            mark: None,
            position: Position::default(),
            fees: Money(0),
            buying: 0,
            selling: 0,
            counted: 0,
            scale,
        }
    }

    /// The instrument.
    pub fn instrument(&self) -> &Instrument {
        &self.route.instrument
    }

    /// The last quote.
    pub fn quote(&self) -> Option<&Quote> {
        self.quote.as_ref()
    }

    /// The mid of the last quote, in units of the last decimal; `None` before the first, and if a side is empty.
    pub fn mid(&self) -> Option<f64> {
        self.quote?.mid()
    }

    /// The last trade of others.
    pub fn trade(&self) -> Option<&Trade> {
        self.trade.as_ref()
    }

    /// The price at which the position is valued in reports; `None` before the first price.
    pub fn mark(&self) -> Option<Mark> {
        self.mark
    }

    /// The position, with what it cost and what was realised. Money of an inverse contract is in its base currency.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// How much is held: negative if short.
    pub fn held(&self) -> Quantity {
        Quantity(self.position.quantity())
    }

    /// How much would be held if all open orders were filled.
    pub fn coming(&self) -> Quantity {
        let coming = i128::from(self.position.quantity()) + self.buying - self.selling;
        Quantity(i64::try_from(coming).unwrap_or(if coming < 0 { i64::MIN } else { i64::MAX }))
    }

    /// What all fills cost together.
    pub fn fees(&self) -> Money {
        self.fees
    }

    /// What came in less what went out, in fills and fees.
    pub fn cash(&self) -> Money {
        Money(self.position.realised().0 - self.position.cost().0 - self.fees.0)
    }

    /// The average price of the open position, in units of the last decimal; `None` if there is none.
    pub fn average_price(&self) -> Option<f64> {
        let instrument = self.instrument();
        let contracts = self.position.quantity() as f64 * instrument.multiplier as f64;
        let cost = self.position.cost().0 as f64;
        (contracts != 0.0).then(|| match instrument.contract {
            ContractKind::Linear => cost / contracts,
            ContractKind::Inverse => -contracts * instrument.inverse_unit() as f64 / cost,
        })
    }

    /// The profit that closing everything would add: at the bid if long, at the ask if short, at the last trade where no quotes come.
    pub fn unrealised(&self) -> Money {
        let held = self.position.quantity();
        if held == 0 {
            return Money(0);
        }
        let quoted = self.quote.as_ref().and_then(|quote| match held {
            ..0 => (quote.ask_quantity.0 > 0).then_some(quote.ask),
            _ => (quote.bid_quantity.0 > 0).then_some(quote.bid),
        });
        let price = quoted.or(self.trade.map(|trade| trade.price));
        let worth = price.and_then(|price| self.instrument().worth(price, Quantity(held)));
        Money(worth.map_or(0, |worth| worth.0.saturating_sub(self.position.cost().0)))
    }

    /// All profit if everything were closed: realised and not, less fees. It is what a loss is limited by.
    pub fn profit(&self) -> Money {
        Money(self.position.realised().0.saturating_add(self.unrealised().0).saturating_sub(self.fees.0))
    }

    /// What is held, valued at the [`mark`](Self::mark), and `cash` besides, as a float.
    fn marked(&self, cash: i128) -> f64 {
        Mark::value_or_cash(self.mark, self.instrument(), self.held(), Money(cash))
    }

    /// The profit that is not realised, at the [`mark`](Self::mark), as a float.
    pub fn unrealised_at_mark(&self) -> f64 {
        self.marked(self.position.cost().0.saturating_neg())
    }

    /// All profit, realised and at the [`mark`](Self::mark), less fees, as a float: what reports of runs tell.
    pub fn profit_at_mark(&self) -> f64 {
        self.marked(self.cash().0)
    }

    /// The most that open orders of a side may still fill.
    pub fn working(&self, side: Side) -> Quantity {
        let working = match side {
            Side::Buy => self.buying,
            Side::Sell => self.selling,
        };
        Quantity(i64::try_from(working).unwrap_or(i64::MAX))
    }

    /// How much more may be ordered on a side before the position could come to be beyond its limit; `None` without a limit.
    pub fn room(&self, side: Side) -> Option<Quantity> {
        let limit = self.route.limits.max_position?;
        let room = i128::from(limit.0) - self.reach(side);
        Some(Quantity(i64::try_from(room.max(0)).unwrap_or(i64::MAX)))
    }

    /// What would be held on a side if all its open orders were filled, and those of the other were not.
    pub(super) fn reach(&self, side: Side) -> i128 {
        let held = i128::from(self.position.quantity());
        match side {
            Side::Buy => held + self.buying,
            Side::Sell => self.selling - held,
        }
    }

    pub(super) fn add_working(&mut self, side: Side, more: i128) {
        match side {
            Side::Buy => self.buying += more,
            Side::Sell => self.selling += more,
        }
    }

    /// Books a fill; `false`, and nothing is booked, if its quantity is not above zero or its money is more than can be counted.
    pub(super) fn fill(&mut self, side: Side, quantity: Quantity, price: Price, fee: Money) -> bool {
        if !self.position.book(&self.route.instrument, side, quantity, price) {
            return false;
        }
        self.fees.0 = self.fees.0.saturating_add(fee.0);
        Mark::at(&mut self.mark, MarkOf::Fill, price);
        true
    }
}
