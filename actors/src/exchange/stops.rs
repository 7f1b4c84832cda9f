//! Stops that wait for their trigger. Invariant: each is filed under its trigger, so that a market that moves looks only at those it reaches.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::core::{Market, Outbox, Place, Slot};
use super::rules::{Phase, TriggerBy};
use crate::decimal::Price;
use crate::event::Side;
use crate::order::{OrderKind, Outcome, TrailBy};

/// The stops of a market.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stops {
    /// By trigger, then by number.
    buys: BTreeSet<(Price, u64, Slot)>,
    sells: BTreeSet<(Price, u64, Slot)>,
    /// Those whose trigger moves, by number.
    trailing: BTreeSet<(u64, Slot)>,
    /// Those that were reached, by number, and the price that did.
    reached: BTreeMap<(u64, Slot), Price>,
    /// The prices they were last held against, for buys and for sales.
    seen: [Option<Price>; 2],
}

impl Stops {
    fn of(&mut self, side: Side) -> &mut BTreeSet<(Price, u64, Slot)> {
        match side {
            Side::Buy => &mut self.buys,
            Side::Sell => &mut self.sells,
        }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.buys.is_empty() && self.sells.is_empty() && self.reached.is_empty()
    }
}

/// The trigger of a trailing stop with the market at `price`: the distance is rounded up to a whole tick.
pub(super) fn trail(side: Side, by: TrailBy, price: Price, tick: Price) -> Price {
    let distance = match by {
        TrailBy::Price(distance) => i128::from(distance.0),
        TrailBy::BasisPoints(points) => {
            let tick = i128::from(tick.0.max(1));
            let parts = i128::from(price.0).abs() * i128::from(points);
            (parts + tick * 10_000 - 1) / (tick * 10_000) * tick
        }
    };
    let trigger = i128::from(price.0) + i128::from(side.sign()) * distance;
    Price(trigger.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
}

impl Market {
    /// The price that stops of a side are held against.
    pub(super) fn reference(&self, side: Side) -> Option<Price> {
        match self.rules.trigger_by {
            TriggerBy::Quotes => self.best_price(side.opposite()),
            TriggerBy::Trades => self.last,
        }
    }

    /// Notes a trade, and which stops it reaches: one sweep may pass a trigger and come back from it.
    pub(super) fn note_last(&mut self, price: Price) {
        self.last = Some(price);
        if self.rules.trigger_by == TriggerBy::Trades && self.phase == Phase::Open && !self.stops.is_empty() {
            self.look(Side::Buy);
            self.look(Side::Sell);
        }
    }

    /// Files a stop under its trigger.
    pub(super) fn wait(&mut self, slot: Slot, trigger: Price) {
        let order = self.order_mut(slot);
        order.place = Place::Waiting(trigger);
        let (side, number) = (order.ticket.side, order.number);
        if matches!(order.ticket.kind, OrderKind::TrailingStop(_)) {
            self.stops.trailing.insert((number, slot));
        }
        self.stops.of(side).insert((trigger, number, slot));
        // It is held against the market even if that has not moved.
        self.stops.seen[side as usize] = None;
    }

    /// Takes a stop out of the files.
    pub(super) fn stop_waiting(&mut self, slot: Slot) {
        let order = self.order(slot);
        let Place::Waiting(trigger) = order.place else { return };
        let (side, number) = (order.ticket.side, order.number);
        self.stops.of(side).remove(&(trigger, number, slot));
        self.stops.trailing.remove(&(number, slot));
        self.stops.reached.remove(&(number, slot));
    }

    /// Notes which stops the market has reached, and triggers the one that came first. False if there is none.
    pub(super) fn trigger_one(&mut self, out: &mut Outbox) -> bool {
        if self.phase != Phase::Open || self.stops.is_empty() {
            return false;
        }
        for side in [Side::Buy, Side::Sell] {
            self.look(side);
        }
        let Some((&(_, slot), &price)) = self.stops.reached.first_key_value() else { return false };
        self.trigger(slot, price, out);
        true
    }

    /// Moves trailing stops of a side with the market, and notes which stops it has reached.
    fn look(&mut self, side: Side) {
        let price = self.reference(side);
        if self.stops.seen[side as usize] == price {
            return;
        }
        self.stops.seen[side as usize] = price;
        let Some(price) = price else { return };
        self.follow(side, price);
        let reached: Vec<_> = match side {
            Side::Buy => self.stops.buys.iter().take_while(|(trigger, ..)| *trigger <= price).copied().collect(),
            Side::Sell => self.stops.sells.iter().rev().take_while(|(trigger, ..)| *trigger >= price).copied().collect(),
        };
        for stop in reached {
            self.stops.of(side).remove(&stop);
            self.stops.reached.insert((stop.1, stop.2), price);
        }
    }

    fn follow(&mut self, side: Side, price: Price) {
        let trailing: Vec<_> = self.stops.trailing.iter().copied().filter(|stop| !self.stops.reached.contains_key(stop)).collect();
        for (number, slot) in trailing {
            let order = self.order(slot);
            let (Place::Waiting(old), OrderKind::TrailingStop(by)) = (order.place, order.ticket.kind) else { continue };
            if order.ticket.side != side {
                continue;
            }
            let new = trail(side, by, price, self.instrument.tick_size);
            // A buy's trigger goes down with the market and never up, a sale's up and never down.
            if side.is_better(old, new) {
                self.stops.of(side).remove(&(old, number, slot));
                self.stops.of(side).insert((new, number, slot));
                self.order_mut(slot).place = Place::Waiting(new);
            }
        }
    }

    /// A stop becomes a market or a limit order.
    fn trigger(&mut self, slot: Slot, price: Price, out: &mut Outbox) {
        self.stop_waiting(slot);
        let order = self.order_mut(slot);
        order.place = Place::Entering;
        order.ticket.kind = match order.ticket.kind {
            OrderKind::StopLimit { limit, .. } => OrderKind::Limit(limit),
            _ => OrderKind::Market,
        };
        self.answer(slot, Outcome::Triggered { price }, out);
        self.release_partner(slot, out);
        self.enter(slot, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_rounded_up_to_a_tick() {
        for (side, by, price, tick, trigger) in [
            (Side::Sell, TrailBy::Price(Price(30)), 1000, 10, 970),
            (Side::Buy, TrailBy::Price(Price(30)), 1000, 10, 1030),
            (Side::Sell, TrailBy::BasisPoints(100), 1000, 1, 990),
            (Side::Sell, TrailBy::BasisPoints(101), 1000, 1, 989), // 10.1
            (Side::Buy, TrailBy::BasisPoints(101), 1000, 5, 1015),
            (Side::Buy, TrailBy::BasisPoints(1), -1000, 5, -995), // 0.1
            (Side::Buy, TrailBy::BasisPoints(100), 1000, 10, 1010),
        ] {
            assert_eq!(trail(side, by, Price(price), Price(tick)), Price(trigger), "{side:?} {by:?} at {price}");
        }
    }
}
