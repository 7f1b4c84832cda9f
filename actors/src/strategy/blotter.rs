//! What a desk knows: positions, open orders, limits. Invariant: an order is let through only if every limit holds whatever becomes of it and of
//! all others that are open.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Instant, Recipient};

use super::account::Account;
use super::limits::{RiskLimits, Sent};
use super::refusal::Refusal;
use super::settings::{SettingsError, TraderSettings};
use super::working::{WorkingOrder, WorkingOrders, amended};
use crate::by_instrument;
use crate::decimal::{Price, Quantity};
use crate::event::{Bar, Quote, Side, Trade};
use crate::instrument::{Instrument, InstrumentId};
use crate::mark::{Mark, MarkOf};
use crate::order::{Amendment, OrderEvent, OrderId, OrderKind, OrderRequest, Outcome, Ticket, TimeInForce, TrailBy};
use crate::position::Money;

/// The state of a desk, to read: what [`Desk`](super::Desk) and [`Trader`](super::Trader) show of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Blotter {
    /// By the numbers of their instruments.
    accounts: Vec<Account>,
    orders: WorkingOrders,
    limits: RiskLimits,
    sent: Sent,
    trade_from: Instant,
    trade_until: Option<Instant>,
    pub(super) now: Instant,
    /// Whether what comes is of the past.
    pub(super) replaying: bool,
    halted: Option<Refusal>,
    /// All profit together, where a loss is limited.
    profit: i128,
    counts: Counts,
}

/// What a desk counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Orders sent.
    pub orders: u64,
    /// Changes sent.
    pub changes: u64,
    /// Fills.
    pub fills: u64,
    /// Orders that ended without a last fill: cancelled, rejected, expired.
    pub unfilled: u64,
    /// Answers about orders that are not open here, but for changes and cancellations that came too late. A fill among them moves the
    /// position all the same.
    pub unknown: u64,
    /// Fills that moved nothing: of other instruments, or of quantities or money that cannot be counted.
    pub unbooked: u64,
    /// What was refused, and why.
    pub refused: BTreeMap<Refusal, u64>,
}

/// An order as its strategy wants it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) instrument: InstrumentId,
    pub(super) side: Side,
    pub(super) quantity: Quantity,
    pub(super) kind: OrderKind,
    pub(super) time_in_force: TimeInForce,
}

impl Blotter {
    pub(super) fn new(settings: &TraderSettings) -> Result<Self, SettingsError> {
        let TraderSettings { limits, trade_from, trade_until, .. } = settings;
        if let (Some(from), Some(until)) = (trade_from, trade_until)
            && until <= from
        {
            return Err(SettingsError::new("trade_until", format!("is {until}, which is not after `trade_from`, {from}")));
        }
        Ok(Self {
            accounts: settings.accounts()?,
            orders: WorkingOrders::default(),
            limits: *limits,
            sent: Sent::default(),
            trade_from: trade_from.unwrap_or(Instant::MIN),
            trade_until: *trade_until,
            now: Instant::MIN,
            replaying: false,
            halted: None,
            profit: 0,
            counts: Counts::default(),
        })
    }

    /// The instant of this event.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// All accounts, by the numbers of their instruments.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// What is known of an instrument; `None` if the trader was not given it.
    #[inline]
    pub fn account(&self, instrument: InstrumentId) -> Option<&Account> {
        self.index(instrument).map(|index| &self.accounts[index])
    }

    /// An instrument.
    pub fn instrument(&self, instrument: InstrumentId) -> Option<&Instrument> {
        self.account(instrument).map(Account::instrument)
    }

    /// The last quote of an instrument.
    pub fn quote(&self, instrument: InstrumentId) -> Option<&Quote> {
        self.account(instrument)?.quote()
    }

    /// The mid of the last quote of an instrument, in units of the last decimal; `None` before the first, and if a side is empty.
    pub fn mid(&self, instrument: InstrumentId) -> Option<f64> {
        self.account(instrument)?.mid()
    }

    /// How much of an instrument is held: negative if short, zero if the instrument is unknown.
    pub fn held(&self, instrument: InstrumentId) -> Quantity {
        self.account(instrument).map_or(Quantity(0), Account::held)
    }

    /// All orders that have not ended, in the order in which they were sent.
    pub fn orders(&self) -> &[WorkingOrder] {
        self.orders.all()
    }

    /// An order that has not ended.
    pub fn order(&self, id: OrderId) -> Option<&WorkingOrder> {
        self.orders.find(id).map(|index| &self.orders.all()[index])
    }

    /// Why nothing is sent at this instant, whatever it is; `None` if orders are.
    pub fn closed(&self) -> Option<Refusal> {
        if self.halted.is_some() {
            self.halted
        } else if self.replaying || self.now < self.trade_from {
            Some(Refusal::WarmUp)
        } else if self.trade_until.is_some_and(|until| self.now >= until) {
            Some(Refusal::Ended)
        } else {
            None
        }
    }

    /// What was counted so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    pub(super) fn trade_until(&self) -> Option<Instant> {
        self.trade_until
    }

    #[inline]
    fn index(&self, instrument: InstrumentId) -> Option<usize> {
        by_instrument::find(&self.accounts, instrument, |account| account.route.instrument.id).ok()
    }

    /// Ends trading for good, for this reason, unless it has ended before.
    pub(super) fn halt(&mut self, why: Refusal) {
        self.halted.get_or_insert(why);
    }

    /// Takes a quote. Whether it is of one of the instruments.
    #[inline]
    pub(super) fn on_quote(&mut self, quote: &Quote) -> bool {
        let Some(index) = self.index(quote.instrument) else { return false };
        let account = &mut self.accounts[index];
        account.quote = Some(*quote);
        Mark::quoted(&mut account.mark, quote);
        self.count_profit(index);
        true
    }

    /// Takes a trade. Whether it is of one of the instruments.
    #[inline]
    pub(super) fn on_trade(&mut self, trade: &Trade) -> bool {
        let Some(index) = self.index(trade.instrument) else { return false };
        let account = &mut self.accounts[index];
        account.trade = Some(*trade);
        Mark::traded(&mut account.mark, trade);
        self.count_profit(index);
        true
    }

    /// Takes a bar. Whether it is of one of the instruments.
    pub(super) fn on_bar(&mut self, bar: &Bar) -> bool {
        let Some(index) = self.index(bar.instrument) else { return false };
        Mark::at(&mut self.accounts[index].mark, MarkOf::Bar, bar.close);
        true
    }

    /// Takes an answer.
    pub(super) fn on_order_event(&mut self, event: &OrderEvent) {
        let OrderEvent { order, instrument, side, outcome } = event;
        if let Outcome::Cancelled { .. } | Outcome::Rejected { .. } | Outcome::Expired { .. } = outcome {
            self.counts.unfilled += 1;
        }
        let change = self.orders.apply(*order, *instrument, *side, outcome);
        if change.is_none() && !self.is_late_rejection(event) {
            self.counts.unknown += 1;
        }
        let index = self.index(*instrument);
        if let (Some(change), Some(index)) = (change, index) {
            self.accounts[index].add_working(*side, i128::from(change));
        }
        if let Outcome::Filled { quantity, price, fee, .. } = *outcome {
            self.counts.fills += 1;
            if !index.is_some_and(|index| self.accounts[index].fill(*side, quantity, price, fee)) {
                self.counts.unbooked += 1;
            }
            if let Some(index) = index {
                self.count_profit(index);
            }
        }
    }

    /// Whether an answer says of an order that was sent from here that it could not be changed or cancelled any more.
    fn is_late_rejection(&self, event: &OrderEvent) -> bool {
        let rejected = matches!(event.outcome, Outcome::ModifyRejected { .. } | Outcome::CancelRejected { .. });
        rejected && (1..=self.counts.orders).contains(&event.order.0)
    }

    /// Counts the profit of an instrument anew, if a loss is limited.
    #[inline]
    fn count_profit(&mut self, index: usize) {
        if self.limits.max_loss.is_none() {
            return;
        }
        let account = &mut self.accounts[index];
        let profit = account.profit().0.saturating_mul(account.scale);
        self.profit = self.profit.saturating_sub(account.counted).saturating_add(profit);
        account.counted = profit;
    }

    /// Whether the loss has come to its limit, and trading has not ended yet.
    #[inline]
    pub(super) fn has_lost(&self) -> bool {
        self.limits.max_loss.is_some_and(|Money(limit)| self.profit <= -limit) && self.halted.is_none()
    }

    /// Lets an order through, and notes that it is on its way.
    pub(super) fn place(&mut self, terms: Terms) -> Result<(Recipient<OrderRequest>, Ticket), Refusal> {
        let index = self.check_order(&terms).inspect_err(|refusal| self.refuse(*refusal))?;
        let Terms { instrument, side, quantity, kind, time_in_force } = terms;
        self.counts.orders += 1;
        let id = OrderId(self.counts.orders);
        self.sent.note(self.now, self.limits.max_orders);
        let ticket = Ticket { id, side, quantity, kind, time_in_force };
        self.orders.add(WorkingOrder::sent(instrument, &ticket));
        let account = &mut self.accounts[index];
        account.add_working(side, i128::from(quantity.0));
        Ok((account.route.venue, ticket))
    }

    /// Lets a change through, and notes that it is on its way.
    pub(super) fn change(
        &mut self,
        id: OrderId,
        quantity: Quantity,
        (limit, trigger): (Option<Price>, Option<Price>),
    ) -> Result<(Recipient<OrderRequest>, InstrumentId, Amendment), Refusal> {
        let found = self.orders.find(id).ok_or(Refusal::UnknownOrder).and_then(|at| {
            let order = self.orders.all()[at];
            let amendment = Amendment { id, side: order.side, quantity, limit, trigger };
            self.check_change(&order, &amendment).map(|index| (at, index, amendment))
        });
        let (at, index, amendment) = found.inspect_err(|refusal| self.refuse(*refusal))?;
        self.counts.changes += 1;
        self.sent.note(self.now, self.limits.max_orders);
        let order = &mut self.orders.all_mut()[at];
        let before = order.exposure();
        order.change = Some(amendment);
        let more = order.exposure().0 - before.0;
        let account = &mut self.accounts[index];
        account.add_working(amendment.side, i128::from(more));
        Ok((account.route.venue, account.route.instrument.id, amendment))
    }

    /// Notes that a cancellation is on its way; `None` if one is already.
    pub(super) fn cancel(&mut self, id: OrderId) -> Result<Option<(Recipient<OrderRequest>, InstrumentId, Side)>, Refusal> {
        let Some(at) = self.orders.find(id) else {
            self.refuse(Refusal::UnknownOrder);
            return Err(Refusal::UnknownOrder);
        };
        let order = &mut self.orders.all_mut()[at];
        let (instrument, side) = (order.instrument, order.side);
        if std::mem::replace(&mut order.cancelling, true) {
            return Ok(None);
        }
        Ok(self.account(instrument).map(|account| (account.route.venue, instrument, side)))
    }

    /// Notes that all orders in an instrument are being cancelled; where, or `None` if none is left to be cancelled.
    pub(super) fn cancel_all(&mut self, instrument: InstrumentId) -> Option<Recipient<OrderRequest>> {
        let mut any = false;
        for order in self.orders.all_mut().iter_mut().filter(|order| order.instrument == instrument) {
            any |= !std::mem::replace(&mut order.cancelling, true);
        }
        if any { self.account(instrument).map(|account| account.route.venue) } else { None }
    }

    /// Counts what was refused.
    fn refuse(&mut self, refusal: Refusal) {
        *self.counts.refused.entry(refusal).or_default() += 1;
    }

    /// The place of an order's account, if nothing is against the order.
    fn check_order(&mut self, terms: &Terms) -> Result<usize, Refusal> {
        let index = self.check_terms(terms.instrument, terms.quantity, terms.kind)?;
        if self.limits.max_open_orders.is_some_and(|most| self.orders.all().len() >= most as usize) {
            return Err(Refusal::MaxOpenOrders);
        }
        self.check_risk(index, terms.side, (terms.quantity, i128::from(terms.quantity.0)), terms.kind)?;
        Ok(index)
    }

    fn check_change(&mut self, order: &WorkingOrder, amendment: &Amendment) -> Result<usize, Refusal> {
        let kind = amended(order.kind, amendment);
        let index = self.check_terms(order.instrument, amendment.quantity, kind)?;
        if !order.is_settled() {
            return Err(Refusal::Pending);
        }
        if amendment.quantity <= order.filled {
            return Err(Refusal::BadQuantity);
        }
        let more = i128::from(amendment.quantity.0) - i128::from(order.quantity.0);
        self.check_risk(index, order.side, (amendment.quantity, more), kind)?;
        Ok(index)
    }

    /// What can never be right, and whether it is time to trade.
    fn check_terms(&self, instrument: InstrumentId, quantity: Quantity, kind: OrderKind) -> Result<usize, Refusal> {
        if let Some(refusal) = self.closed() {
            return Err(refusal);
        }
        let index = self.index(instrument).ok_or(Refusal::UnknownInstrument)?;
        let Instrument { tick_size, lot_size, .. } = &self.accounts[index].route.instrument;
        if quantity.0 <= 0 {
            return Err(Refusal::BadQuantity);
        }
        if quantity.0 % lot_size.0 != 0 {
            return Err(Refusal::OffLot);
        }
        let on_tick = |price: Price| price.0 % tick_size.0 == 0;
        let good = match kind {
            OrderKind::Market | OrderKind::TrailingStop(TrailBy::BasisPoints(_)) => true,
            OrderKind::Limit(price) | OrderKind::Stop { trigger: price } | OrderKind::Iceberg { limit: price, .. } => on_tick(price),
            OrderKind::TrailingStop(TrailBy::Price(distance)) => on_tick(distance),
            OrderKind::StopLimit { trigger, limit } => on_tick(trigger) && on_tick(limit),
        };
        if good { Ok(index) } else { Err(Refusal::OffTick) }
    }

    /// The limits on an order, or on an order that is changed so that `more` of it may be filled.
    fn check_risk(&mut self, index: usize, side: Side, (whole, more): (Quantity, i128), kind: OrderKind) -> Result<(), Refusal> {
        let account = &self.accounts[index];
        let limits = &account.route.limits;
        if more > 0 && limits.max_order.is_some_and(|most| whole > most) {
            return Err(Refusal::MaxOrder);
        }
        if more > 0 && limits.max_position.is_some_and(|most| account.reach(side) + more > i128::from(most.0)) {
            return Err(Refusal::MaxPosition);
        }
        self.limits.check_collar(kind, account.quote.as_ref())?;
        self.sent.check(self.now, self.limits.max_orders)
    }
}
