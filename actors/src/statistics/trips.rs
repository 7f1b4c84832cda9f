//! Round trips: what was bought paired with what was sold. Invariant: of quantities, money and fees nothing is lost and nothing doubled.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Duration, Instant};

use crate::decimal::{Price, Quantity};
use crate::event::Side;
use crate::position::{Money, share};

/// A fill of one instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TripFill {
    /// When.
    pub at: Instant,
    /// Bought or sold.
    pub side: Side,
    /// How much: positive.
    pub quantity: Quantity,
    /// At what price.
    pub price: Price,
    /// What was paid for it besides; negative for a rebate.
    pub fee: Money,
}

/// An entry and the exit that it is paired with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RoundTrip {
    /// The side of the entry: a buy is a long trip.
    pub side: Side,
    /// How much.
    pub quantity: Quantity,
    /// When it was entered.
    pub entered: Instant,
    /// At what price.
    pub entry: Price,
    /// When it was left.
    pub left: Instant,
    /// At what price.
    pub exit: Price,
    /// The fees of entry and exit, as far as this trip has part in them.
    pub fees: Money,
    /// What it brought, after fees.
    pub profit: Money,
}

impl RoundTrip {
    /// For how long it was held.
    pub fn held(&self) -> Duration {
        self.left.since(self.entered)
    }
}

/// Pairs the fills of one instrument, first in, first out: a fill against the position closes the oldest entry first.
///
/// A fill that closes several entries makes a trip with each, and an entry that is closed by several fills one with each. Their fees are
/// divided by quantity, rounded toward zero to [`Money`]'s unit, what is left over staying with the last part. What is left of a fill that
/// closes everything is a new entry.
///
/// ```
/// use stillpoint_actors::statistics::{RoundTrips, TripFill};
/// use stillpoint_actors::{Money, Price, Quantity, Side};
/// use stillpoint_engine::Instant;
/// let fill = |at, side, quantity, price| {
///     TripFill { at: Instant::from_nanos(at), side, quantity: Quantity(quantity), price: Price(price), fee: Money(1) }
/// };
/// let mut trips = RoundTrips::default();
/// trips.fill(fill(1, Side::Buy, 2, 100));
/// trips.fill(fill(2, Side::Buy, 3, 110));
/// let closed = trips.fill(fill(3, Side::Sell, 3, 120));
/// // Two of the first entry: 2 * 20 - 1; one of the second: 10, and of the fees of both only what the division leaves: the exit's 1.
/// assert_eq!(closed.iter().map(|trip| (trip.quantity.0, trip.profit.0)).collect::<Vec<_>>(), [(2, 39), (1, 9)]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundTrips {
    /// All of one side, the oldest first, with what is left of quantities and fees.
    entries: VecDeque<TripFill>,
}

/// Takes `quantity` off a fill, with its share of the fee.
fn take(fill: &mut TripFill, quantity: i64) -> i128 {
    let fee = share(fill.fee.0, quantity, fill.quantity.0);
    fill.quantity.0 -= quantity;
    fill.fee.0 -= fee;
    fee
}

impl RoundTrips {
    /// What has been entered and not left, the oldest first.
    pub fn open(&self) -> impl Iterator<Item = &TripFill> {
        self.entries.iter()
    }

    /// Books a fill and returns the trips that it ends, that of the oldest entry first.
    ///
    /// # Panics
    /// If the quantity is not positive.
    pub fn fill(&mut self, mut fill: TripFill) -> Vec<RoundTrip> {
        assert!(fill.quantity.0 > 0, "a fill of {} units: a fill has a positive quantity", fill.quantity.0);
        let mut trips = Vec::new();
        while let Some(entry) = self.entries.front_mut().filter(|entry| entry.side != fill.side && fill.quantity.0 > 0) {
            let quantity = entry.quantity.0.min(fill.quantity.0);
            let fees = take(entry, quantity) + take(&mut fill, quantity);
            let gained = i128::from(fill.price.0) - i128::from(entry.price.0);
            trips.push(RoundTrip {
                side: entry.side,
                quantity: Quantity(quantity),
                entered: entry.at,
                entry: entry.price,
                left: fill.at,
                exit: fill.price,
                fees: Money(fees),
                profit: Money(gained * i128::from(quantity) * i128::from(entry.side.sign()) - fees),
            });
            if entry.quantity.0 == 0 {
                self.entries.pop_front();
            }
        }
        if fill.quantity.0 > 0 {
            self.entries.push_back(fill);
        }
        trips
    }
}

/// How trades went, by their profits. A profit of zero is neither won nor lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TripFigures {
    /// How many trades.
    pub count: usize,
    /// How many brought something.
    pub won: usize,
    /// How many cost something.
    pub lost: usize,
    /// What the won ones brought.
    pub gains: f64,
    /// What the lost ones cost, as a positive number.
    pub losses: f64,
}

impl TripFigures {
    /// Of these profits, all in one currency.
    pub fn of(profits: &[f64]) -> Self {
        let sum = |of: fn(f64) -> f64| profits.iter().map(|profit| of(*profit)).collect::<crate::sum::CompensatedSum>().value();
        Self {
            count: profits.len(),
            won: profits.iter().filter(|profit| **profit > 0.0).count(),
            lost: profits.iter().filter(|profit| **profit < 0.0).count(),
            gains: sum(|profit| profit.max(0.0)),
            losses: sum(|profit| (-profit).max(0.0)),
        }
    }

    /// The share of trades that brought something; `None` without a trade.
    pub fn hit_rate(&self) -> Option<f64> {
        (self.count > 0).then(|| self.won as f64 / self.count as f64)
    }

    /// What was won over what was lost; `None` if nothing was lost.
    pub fn profit_factor(&self) -> Option<f64> {
        (self.losses > 0.0).then(|| self.gains / self.losses)
    }

    /// The mean profit of a trade; `None` without a trade.
    pub fn expectancy(&self) -> Option<f64> {
        (self.count > 0).then(|| (self.gains - self.losses) / self.count as f64)
    }

    /// The mean gain of those that brought something; `None` if none did.
    pub fn average_gain(&self) -> Option<f64> {
        (self.won > 0).then(|| self.gains / self.won as f64)
    }

    /// The mean loss of those that cost something, as a positive number; `None` if none did.
    pub fn average_loss(&self) -> Option<f64> {
        (self.lost > 0).then(|| self.losses / self.lost as f64)
    }
}
