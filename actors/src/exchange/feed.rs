//! How a recorded market moves, and what that does to the orders that rest in it. Invariant: a recorded trade or price fills no more than its
//! quantity.

use super::core::{Market, Outbox, Place, Resting, Slot, Who};
use super::rules::{BookKind, Phase};
use crate::decimal::{Price, Quantity};
use crate::event::{Quote, Side, Trade};
use crate::market::{BookChange, BookOrderId, BookUpdate, DepthChange, DepthUpdate, OrderKey};

impl Market {
    pub(super) fn on_quote(&mut self, quote: &Quote, out: &mut Outbox) {
        if self.rules.book != BookKind::L1 {
            return;
        }
        self.set_best(Side::Buy, quote.bid, quote.bid_quantity);
        self.set_best(Side::Sell, quote.ask, quote.ask_quantity);
        self.cross_displayed(out);
    }

    /// Makes a side of the depth this one level. Prices better than it have nobody at them.
    fn set_best(&mut self, side: Side, price: Price, quantity: Quantity) {
        if quantity.0 <= 0 {
            self.depth.ladder_mut(side).clear();
            self.advance_where(side, |_| true);
            return;
        }
        match self.depth.best(side) {
            Some((old, _)) if old == price => {}
            _ => self.depth.ladder_mut(side).clear(),
        }
        self.set_level(side, price, quantity);
        self.advance_where(side, |level| side.is_better(level, price));
    }

    /// Has nobody before the orders at these prices, from the best one on.
    fn advance_where(&mut self, side: Side, empty: impl Fn(Price) -> bool) {
        if self.book.is_empty() {
            return;
        }
        let levels: Vec<_> = self.book.levels(side).map(|(level, _)| level).take_while(|level| empty(*level)).collect();
        levels.into_iter().for_each(|level| self.advance(side, level, i64::MAX));
    }

    pub(super) fn on_depth(&mut self, update: &DepthUpdate, out: &mut Outbox) {
        if self.rules.book != BookKind::L2 {
            return;
        }
        match update.change {
            DepthChange::Set { side, price, quantity } => self.set_level(side, price, quantity),
            DepthChange::Clear => {
                self.depth.apply(DepthChange::Clear);
                self.cleared = true;
            }
        }
        if update.last {
            if std::mem::take(&mut self.cleared) {
                self.advance_undisplayed();
            }
            self.cross_displayed(out);
        }
    }

    /// Has nobody before the orders at prices that a new telling of the depth left out.
    fn advance_undisplayed(&mut self) {
        for side in [Side::Buy, Side::Sell] {
            let levels = self.book.levels(side).map(|(level, _)| level);
            let undisplayed: Vec<_> = levels.filter(|level| self.depth.level(side, *level).is_none()).collect();
            undisplayed.into_iter().for_each(|level| self.advance(side, level, i64::MAX));
        }
    }

    /// Sets a level, and moves the orders that rest there as the queue model says.
    fn set_level(&mut self, side: Side, price: Price, quantity: Quantity) {
        let mut next = self.book.first(side, price);
        if next.is_some() {
            let level = self.depth.level(side, price).unwrap_or_default();
            let before = Quantity((level.quantity.0 - level.traded.0).max(0));
            while let Some(key) = next {
                let resting = self.book.value_mut(key);
                resting.ahead = self.rules.queue.ahead(Quantity(resting.ahead), before, quantity).0;
                next = self.book.behind(key);
            }
        }
        self.depth.set(side, price, quantity);
    }

    /// Fills orders whose limits displayed prices of the other side have come to.
    pub(super) fn cross_displayed(&mut self, out: &mut Outbox) {
        if self.phase != Phase::Open || self.book.is_empty() {
            return;
        }
        for side in [Side::Buy, Side::Sell] {
            while let (Some((limit, _)), Some((price, level))) = (self.book.best(side), self.depth.best(side.opposite())) {
                if !side.accepts(limit, price) {
                    break;
                }
                let key = self.book.first(side, limit).expect("an order at the best price");
                let Who::Owner(slot) = self.book.value(key).who else { break };
                let filled = self.fill_shown(slot, key, level.quantity.0, out);
                self.consume(side.opposite(), price, filled);
            }
        }
    }

    pub(super) fn on_trade(&mut self, trade: &Trade, out: &mut Outbox) {
        self.note_last(trade.price);
        if self.rules.book == BookKind::L3 || trade.quantity.0 <= 0 {
            return;
        }
        let Some(taker) = trade.side.or_else(|| self.taker_of(trade.price)) else { return };
        let side = taker.opposite();
        if let Some(level) = self.depth.ladder_mut(side).get_mut(trade.price) {
            level.traded.0 = level.traded.0.saturating_add(trade.quantity.0);
        }
        if self.phase == Phase::Open && !self.book.is_empty() {
            self.sweep(side, trade.price, trade.quantity.0, out);
            self.note_last(trade.price);
        }
    }

    /// Who took at a price, where the recording does not say.
    fn taker_of(&self, price: Price) -> Option<Side> {
        let at = |side: Side| self.depth.best(side).is_some_and(|(best, _)| !side.is_better(price, best));
        match (at(Side::Buy), at(Side::Sell)) {
            (true, false) => Some(Side::Sell),
            (false, true) => Some(Side::Buy),
            _ => None,
        }
    }

    /// Takes a recorded trade through the queue of a side: better prices, then at its price what is ahead of each order and the order.
    fn sweep(&mut self, side: Side, price: Price, volume: i64, out: &mut Outbox) {
        let mut left = volume;
        while left > 0 {
            let Some((best, _)) = self.book.best(side) else { return };
            if side.is_better(price, best) {
                return;
            }
            let key = self.book.first(side, best).expect("an order at the best price");
            let ahead = if best == price { self.book.value(key).ahead } else { 0 };
            if ahead > 0 {
                let passed = ahead.min(left);
                self.advance(side, price, passed);
                left -= passed;
                continue;
            }
            let Who::Owner(slot) = self.book.value(key).who else { return };
            left -= self.fill_shown(slot, key, left, out);
        }
    }

    pub(super) fn on_book(&mut self, update: &BookUpdate, out: &mut Outbox) {
        if self.rules.book != BookKind::L3 {
            return;
        }
        match update.change {
            BookChange::Clear => {
                let keys: Vec<_> = std::mem::take(&mut self.others).into_values().collect();
                keys.into_iter().for_each(|key| _ = self.book.remove(key));
            }
            BookChange::Add { id, side, price, quantity } => self.add_other(id, side, price, quantity, out),
            BookChange::Modify { id, price, quantity } => self.modify_other(id, price, quantity, out),
            BookChange::Cancel { id, quantity } => {
                if let Some(key) = self.others.get(&id).copied() {
                    self.take_from_other(id, key, quantity.0.max(0));
                }
            }
            BookChange::Fill { id, quantity } => self.fill_other(id, quantity.0.max(0), out),
        }
    }

    fn add_other(&mut self, id: BookOrderId, side: Side, price: Price, quantity: Quantity, out: &mut Outbox) {
        if let Some(key) = self.others.remove(&id) {
            self.book.remove(key);
        }
        let crossed = if self.phase == Phase::Open { self.cross(side.opposite(), price, quantity.0.max(0), out) } else { 0 };
        let left = Quantity(quantity.0 - crossed);
        if left.0 > 0 {
            let key = self.book.add(side, price, left, Resting { who: Who::Other(id), ahead: 0 });
            self.others.insert(id, key);
        }
    }

    fn modify_other(&mut self, id: BookOrderId, price: Price, quantity: Quantity, out: &mut Outbox) {
        let Some(key) = self.others.get(&id).copied() else { return };
        let less = self.book.quantity(key).0 - quantity.0.max(0);
        if self.book.price(key) == price && less >= 0 {
            self.take_from_other(id, key, less);
        } else {
            self.add_other(id, self.book.side(key), price, quantity, out);
        }
    }

    /// An order of the recording was filled: so were, by the same trade, the owners' orders before it, as far as its quantity goes.
    fn fill_other(&mut self, id: BookOrderId, quantity: i64, out: &mut Outbox) {
        let Some(key) = self.others.get(&id).copied() else { return };
        if self.phase == Phase::Open {
            let mut left = quantity;
            for (slot, before) in self.owners_before(key) {
                if left > 0 && self.is_open(slot) && self.order(slot).place == Place::Resting(before) {
                    left -= self.fill_shown(slot, before, left, out);
                }
            }
        }
        self.note_last(self.book.price(key));
        self.take_from_other(id, key, quantity);
    }

    /// The owners' orders that come before an order of the recording, by price and time.
    fn owners_before(&self, key: OrderKey) -> Vec<(Slot, OrderKey)> {
        let (side, price) = (self.book.side(key), self.book.price(key));
        if self.index.is_empty() {
            return Vec::new();
        }
        let levels = self.book.levels(side).take_while(|(level, _)| side.accepts(*level, price));
        let keys = levels.flat_map(|(level, _)| self.book.queue(side, level)).take_while(|other| *other != key);
        let owned = keys.filter_map(|key| match self.book.value(key).who {
            Who::Owner(slot) => Some((slot, key)),
            Who::Other(_) => None,
        });
        owned.collect()
    }
}
