//! How an order meets what rests. Invariant: best price first, at one price the front of the queue first, never beyond a limit, and never more
//! than is there.

use super::core::{Market, Outbox, OwnerId, Resting, Slot, Who};
use super::rules::SelfTrade;
use crate::decimal::{Price, Quantity};
use crate::event::Side;
use crate::market::{BookOrderId, OrderKey};
use crate::order::{CancelCause, Liquidity};

/// What is at the front of a level's queue.
enum Front {
    /// So much of what a recording displays.
    Displayed(i64),
    /// An order.
    Resting(OrderKey),
}

impl Market {
    /// Lets an order take what it may, up to its limit. It may have ended when this returns.
    pub(super) fn take(&mut self, slot: Slot, limit: Option<Price>, out: &mut Outbox) {
        let side = self.order(slot).ticket.side;
        let whole = Quantity(self.order(slot).left());
        while self.is_open(slot) {
            let Some(price) = self.best_price(side.opposite()) else { return };
            if limit.is_some_and(|limit| !side.accepts(limit, price)) {
                return;
            }
            match self.front(side.opposite(), price) {
                Front::Displayed(most) => {
                    let quantity = most.min(self.order(slot).left());
                    self.consume(side.opposite(), price, quantity);
                    let paid = self.rules.impact.price(side, price, whole, limit, self.instrument.tick_size);
                    self.print(paid, quantity, Some(side), out);
                    self.fill(slot, quantity, paid, Liquidity::Taker, out);
                }
                Front::Resting(key) => {
                    if !self.meet(slot, key, out) {
                        return;
                    }
                }
            }
        }
    }

    fn front(&self, side: Side, price: Price) -> Front {
        let displayed = self.depth.level(side, price).map_or(0, |level| level.quantity.0);
        match self.book.first(side, price) {
            None => Front::Displayed(displayed),
            Some(key) => match self.book.value(key).ahead.min(displayed) {
                0 => Front::Resting(key),
                ahead => Front::Displayed(ahead),
            },
        }
    }

    /// Takes from the front of what is displayed at a level, until the recording tells it again.
    pub(super) fn consume(&mut self, side: Side, price: Price, quantity: i64) {
        if let Some(level) = self.depth.ladder_mut(side).get_mut(price) {
            level.quantity.0 -= quantity;
            if level.quantity.0 <= 0 {
                self.depth.ladder_mut(side).remove(price);
            }
        }
        self.advance(side, price, quantity);
    }

    /// Moves all orders of a level forward; by `i64::MAX`, to the front, even if what is before them was unknown.
    pub(super) fn advance(&mut self, side: Side, price: Price, quantity: i64) {
        let mut next = self.book.first(side, price);
        while let Some(key) = next {
            let resting = self.book.value_mut(key);
            if resting.ahead != i64::MAX || quantity == i64::MAX {
                resting.ahead = (resting.ahead - quantity).max(0);
            }
            next = self.book.behind(key);
        }
    }

    /// Trades an order with a resting one, as far as both go. False if the order that came may not go on.
    fn meet(&mut self, slot: Slot, key: OrderKey, out: &mut Outbox) -> bool {
        let side = self.order(slot).ticket.side;
        let (price, quantity) = (self.book.price(key), self.book.quantity(key).0.min(self.order(slot).left()));
        match self.book.value(key).who {
            Who::Other(id) => {
                self.print(price, quantity, Some(side), out);
                self.fill(slot, quantity, price, Liquidity::Taker, out);
                self.take_from_other(id, key, quantity);
            }
            Who::Owner(maker) if self.order(maker).owner == self.order(slot).owner && self.rules.self_trade != SelfTrade::Allow => {
                return self.prevent(slot, maker, out);
            }
            Who::Owner(maker) => {
                self.print(price, quantity, Some(side), out);
                self.trade(slot, Liquidity::Taker, maker, Liquidity::Maker, quantity, price, out);
            }
        }
        true
    }

    /// Fills two orders with each other. Of two that are a pair both are filled before what is left of either is cancelled.
    #[expect(clippy::too_many_arguments, reason = "two orders with their parts, and what they trade")]
    pub(super) fn trade(&mut self, a: Slot, part_a: Liquidity, b: Slot, part_b: Liquidity, quantity: i64, price: Price, out: &mut Outbox) {
        let pair = self.order(a).partner == Some(b);
        if pair {
            self.order_mut(a).partner = None;
            self.order_mut(b).partner = None;
        }
        self.fill(a, quantity, price, part_a, out);
        self.fill(b, quantity, price, part_b, out);
        for slot in [a, b] {
            if pair && self.is_open(slot) {
                self.cancel(slot, CancelCause::OneCancelsOther, out);
            }
        }
    }

    /// Takes from an order of the recording.
    pub(super) fn take_from_other(&mut self, id: BookOrderId, key: OrderKey, quantity: i64) {
        if quantity < self.book.quantity(key).0 {
            self.book.reduce(key, Quantity(quantity));
        } else {
            self.book.remove(key);
            self.others.remove(&id);
        }
    }

    /// Keeps two orders of one owner from trading. False if the order that came is cancelled.
    fn prevent(&mut self, newest: Slot, oldest: Slot, out: &mut Outbox) -> bool {
        let (cancel_newest, cancel_oldest) = match self.rules.self_trade {
            SelfTrade::CancelNewest => (true, false),
            SelfTrade::CancelOldest => (false, true),
            SelfTrade::CancelBoth => (true, true),
            SelfTrade::Allow => (false, false),
        };
        if cancel_newest {
            self.cancel(newest, CancelCause::SelfTrade, out);
        }
        if cancel_oldest && self.is_open(oldest) {
            self.cancel(oldest, CancelCause::SelfTrade, out);
        }
        !cancel_newest
    }

    /// Whether an order could be filled as a whole now, given what may happen between orders of its owner.
    pub(super) fn is_fillable(&self, owner: OwnerId, side: Side, limit: Option<Price>, quantity: Quantity) -> bool {
        let opposite = side.opposite();
        let mut found = 0i128;
        let mut displayed = self.depth.levels(opposite).peekable();
        let mut resting = self.book.levels(opposite).peekable();
        loop {
            let price = match (displayed.peek(), resting.peek()) {
                (None, None) => return false,
                (Some((a, _)), Some((b, _))) => {
                    if opposite.is_better(*a, *b) {
                        *a
                    } else {
                        *b
                    }
                }
                (Some((price, _)), None) | (None, Some((price, _))) => *price,
            };
            if limit.is_some_and(|limit| !side.accepts(limit, price)) {
                return false;
            }
            let shown = displayed.next_if(|(level, _)| *level == price).map_or(0, |(_, level)| level.quantity.0);
            resting.next_if(|(level, _)| *level == price);
            let (there, stopped) = self.takeable(owner, opposite, price, shown);
            found += there;
            if found >= i128::from(quantity.0) {
                return true;
            }
            if stopped {
                return false;
            }
        }
    }

    /// What an owner could take at a price of which the recording displays `shown`, and whether an own order ends the taking there.
    fn takeable(&self, owner: OwnerId, side: Side, price: Price, shown: i64) -> (i128, bool) {
        let (mut found, mut passed, mut hidden) = (0i128, 0i64, 0i128);
        for key in self.book.queue(side, price) {
            let Resting { who, ahead } = *self.book.value(key);
            passed = passed.max(ahead.min(shown));
            let quantity = i128::from(self.book.quantity(key).0);
            match who {
                Who::Owner(slot) if self.order(slot).owner == owner && self.rules.self_trade != SelfTrade::Allow => {
                    if self.rules.self_trade != SelfTrade::CancelOldest {
                        return (found + i128::from(passed), true);
                    }
                }
                Who::Owner(slot) => {
                    found += quantity;
                    hidden += i128::from(self.order(slot).left()) - quantity;
                }
                Who::Other(_) => found += quantity,
            }
        }
        (found + i128::from(shown) + hidden, false)
    }

    /// What an order of a recording does to the resting orders of owners on `side` that it crosses: they are filled at their own limits, by
    /// price and time. Returns how much.
    pub(super) fn cross(&mut self, side: Side, limit: Price, volume: i64, out: &mut Outbox) -> i64 {
        let mut left = volume;
        while left > 0 {
            let Some((slot, key)) = self.first_owned(side, limit) else { break };
            left -= self.fill_shown(slot, key, left, out);
        }
        volume - left
    }

    /// The first of the owners' orders of a side that may trade at `price`.
    fn first_owned(&self, side: Side, price: Price) -> Option<(Slot, OrderKey)> {
        let levels = self.book.levels(side).take_while(|(level, _)| side.accepts(*level, price));
        let mut keys = levels.flat_map(|(level, _)| self.book.queue(side, level));
        keys.find_map(|key| match self.book.value(key).who {
            Who::Owner(slot) => Some((slot, key)),
            Who::Other(_) => None,
        })
    }

    /// Fills what a resting order shows by at most `volume`. Returns how much.
    pub(super) fn fill_shown(&mut self, slot: Slot, key: OrderKey, volume: i64, out: &mut Outbox) -> i64 {
        let quantity = volume.min(self.book.quantity(key).0);
        let price = self.book.price(key);
        let taker = self.book.side(key).opposite();
        self.print(price, quantity, Some(taker), out);
        self.fill(slot, quantity, price, Liquidity::Maker, out);
        quantity
    }
}
