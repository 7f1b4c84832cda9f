//! What a strategy acts through. Invariant: nothing is sent that the blotter has not let through and noted.

use std::fmt;
use std::ops::Deref;

use stillpoint_engine::{Duration, Every, Instant, Rng, Timer};

use super::blotter::{Blotter, Terms};
use super::refusal::Refusal;
use super::wire::{Alarm, TimerTag, Wire};
use crate::decimal::{Price, Quantity};
use crate::event::Side;
use crate::instrument::InstrumentId;
use crate::order::{OrderAction, OrderId, OrderKind, TimeInForce};

/// The desk at which a strategy trades, while it handles something.
///
/// What there is to read is on the [`Blotter`], to which a desk dereferences: `desk.held(x)`, `desk.mid(x)`, `desk.orders()`.
///
/// What breaks a limit, or could never be right, is refused: the call gives a [`Refusal`], nothing is sent, and the trader reports how often.
/// A refusal is given back, not sent as an event, for three reasons: whoever asked knows at once, while what it wanted is at hand; a strategy
/// that tries again from the callback of a rejection cannot call itself without end; and what never happened leaves no record in the trace.
/// What the venue rejects comes to [`on_order`](super::Strategy::on_order), whenever its answer does. A strategy that does not care writes
/// `_ = desk.buy(..)`.
pub struct Desk<'a> {
    blotter: &'a mut Blotter,
    wire: &'a mut (dyn Wire + 'a),
}

impl fmt::Debug for Desk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Desk at {}", self.now())
    }
}

impl Deref for Desk<'_> {
    type Target = Blotter;

    fn deref(&self) -> &Blotter {
        self.blotter
    }
}

impl<'a> Desk<'a> {
    #[inline]
    pub(super) fn new(blotter: &'a mut Blotter, wire: &'a mut (dyn Wire + 'a)) -> Self {
        Self { blotter, wire }
    }

    /// Sends an order.
    ///
    /// # Errors
    /// The [`Refusal`], if it was not sent.
    pub fn submit(
        &mut self,
        instrument: InstrumentId,
        side: Side,
        quantity: Quantity,
        kind: OrderKind,
        time_in_force: TimeInForce,
    ) -> Result<OrderId, Refusal> {
        let (venue, ticket) = self.blotter.place(Terms { instrument, side, quantity, kind, time_in_force })?;
        self.wire.send(venue, instrument, OrderAction::Submit(ticket));
        Ok(ticket.id)
    }

    /// Buys at market.
    ///
    /// # Errors
    /// The [`Refusal`], if the order was not sent.
    pub fn buy(&mut self, instrument: InstrumentId, quantity: Quantity) -> Result<OrderId, Refusal> {
        self.submit(instrument, Side::Buy, quantity, OrderKind::Market, TimeInForce::Gtc)
    }

    /// Sells at market.
    ///
    /// # Errors
    /// The [`Refusal`], if the order was not sent.
    pub fn sell(&mut self, instrument: InstrumentId, quantity: Quantity) -> Result<OrderId, Refusal> {
        self.submit(instrument, Side::Sell, quantity, OrderKind::Market, TimeInForce::Gtc)
    }

    /// Buys at this price or a better one.
    ///
    /// # Errors
    /// The [`Refusal`], if the order was not sent.
    pub fn buy_limit(
        &mut self,
        instrument: InstrumentId,
        quantity: Quantity,
        limit: Price,
        time_in_force: TimeInForce,
    ) -> Result<OrderId, Refusal> {
        self.submit(instrument, Side::Buy, quantity, OrderKind::Limit(limit), time_in_force)
    }

    /// Sells at this price or a better one.
    ///
    /// # Errors
    /// The [`Refusal`], if the order was not sent.
    pub fn sell_limit(
        &mut self,
        instrument: InstrumentId,
        quantity: Quantity,
        limit: Price,
        time_in_force: TimeInForce,
    ) -> Result<OrderId, Refusal> {
        self.submit(instrument, Side::Sell, quantity, OrderKind::Limit(limit), time_in_force)
    }

    /// Trades at market what is missing until `target` is held (negative for a short position), open orders counted as filled; `None` if
    /// nothing is missing.
    ///
    /// # Errors
    /// The [`Refusal`], if the order was not sent.
    pub fn trade_to(&mut self, instrument: InstrumentId, target: Quantity) -> Result<Option<OrderId>, Refusal> {
        let coming = self.account(instrument).map_or(0, |account| account.coming().0);
        let missing = i128::from(target.0) - i128::from(coming);
        if missing == 0 {
            return Ok(None);
        }
        let side = if missing > 0 { Side::Buy } else { Side::Sell };
        let quantity = Quantity(i64::try_from(missing.abs()).unwrap_or(i64::MAX));
        self.submit(instrument, side, quantity, OrderKind::Market, TimeInForce::Gtc).map(Some)
    }

    /// Changes an order: the quantity of all of it, what was filled included, and its limit and trigger where they are given.
    ///
    /// There is one change of an order at a time: until the venue has answered, another one is refused as [`Refusal::Pending`]. Meanwhile the
    /// greater quantity of the two counts.
    ///
    /// # Errors
    /// The [`Refusal`], if the change was not sent.
    pub fn modify(&mut self, id: OrderId, quantity: Quantity, limit: Option<Price>, trigger: Option<Price>) -> Result<(), Refusal> {
        let (venue, instrument, amendment) = self.blotter.change(id, quantity, (limit, trigger))?;
        self.wire.send(venue, instrument, OrderAction::Modify(amendment));
        Ok(())
    }

    /// Changes the limit of an order, and nothing else.
    ///
    /// # Errors
    /// The [`Refusal`], if the change was not sent.
    pub fn reprice(&mut self, id: OrderId, limit: Price) -> Result<(), Refusal> {
        let quantity = self.order(id).map_or(Quantity(0), |order| order.quantity);
        self.modify(id, quantity, Some(limit), None)
    }

    /// Cancels an order. It counts until the venue says that it has ended: it may be filled first. A second call sends nothing.
    ///
    /// # Errors
    /// [`Refusal::UnknownOrder`], if no such order is open. No limit holds against it.
    pub fn cancel(&mut self, id: OrderId) -> Result<(), Refusal> {
        if let Some((venue, instrument, side)) = self.blotter.cancel(id)? {
            self.wire.send(venue, instrument, OrderAction::Cancel { id, side });
        }
        Ok(())
    }

    /// Cancels all orders in an instrument.
    pub fn cancel_all_in(&mut self, instrument: InstrumentId) {
        if let Some(venue) = self.blotter.cancel_all(instrument) {
            self.wire.send(venue, instrument, OrderAction::CancelAll);
        }
    }

    /// Cancels all orders.
    pub fn cancel_all(&mut self) {
        for index in 0..self.accounts().len() {
            self.cancel_all_in(self.accounts()[index].instrument().id);
        }
    }

    /// Ends trading: cancels all orders, and refuses every order from now on.
    pub fn stop(&mut self) {
        self.halt(Refusal::Stopped);
    }

    pub(super) fn halt(&mut self, why: Refusal) {
        self.blotter.halt(why);
        self.cancel_all();
    }

    /// Has [`on_timer`](super::Strategy::on_timer) called after `delay`, or in the next step if it is not above zero.
    pub fn notify_after(&mut self, delay: Duration, tag: TimerTag) -> Timer {
        let at = self.now().checked_add(delay).unwrap_or(if delay.is_positive() { Instant::MAX } else { Instant::MIN });
        self.notify_at(at, tag)
    }

    /// Has [`on_timer`](super::Strategy::on_timer) called at an instant, or in the next step if it has come.
    pub fn notify_at(&mut self, at: Instant, tag: TimerTag) -> Timer {
        self.wire.arm(at, Alarm::Strategy(tag))
    }

    /// Has [`on_timer`](super::Strategy::on_timer) called again and again. Panics if the period is not above zero.
    pub fn notify_every(&mut self, every: Every, tag: TimerTag) -> Timer {
        self.wire.arm_every(every, Alarm::Strategy(tag))
    }

    /// Cancels a timer. Whether it was still to come.
    pub fn cancel_timer(&mut self, timer: Timer) -> bool {
        self.wire.disarm(timer)
    }

    /// Random numbers of this trader, seeded by the run's seed.
    pub fn rng(&mut self) -> &mut Rng {
        self.wire.rng()
    }

    /// Writes a line to the log of the run. It is no part of the trace.
    pub fn log(&mut self, text: fmt::Arguments<'_>) {
        self.wire.log(text);
    }
}
