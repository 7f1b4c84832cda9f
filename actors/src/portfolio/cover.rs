//! What open orders could come to. Invariant: an order counts from when it is let through until its exchange says that it ended, with the most
//! that may still be filled of it and the worst of its prices.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::book::{Keeping, Portfolio};
use super::currency::CurrencyId;
use super::error::PortfolioError;
use crate::decimal::{Price, Quantity};
use crate::event::Side;
use crate::instrument::{ContractKind, InstrumentId};
use crate::order::{OrderId, OrderKind, Outcome, Ticket};
use crate::strategy::{WorkingOrder, amended};

/// How an order belongs to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Link {
    /// Not at all.
    Alone,
    /// It opens what these two close.
    Entry([OrderId; 2]),
    /// It waits for its entry to end; then it is one of a pair with this one.
    Exit(OrderId),
    /// This one ends when it is filled.
    Pair(OrderId),
}

/// An order that was let through and has not ended, as far as is known.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Entered {
    pub(super) order: WorkingOrder,
    /// Where the market was: what the order counts at while it has no price of its own.
    reference: Price,
    pub(super) link: Link,
}

impl Entered {
    /// An order under its number here.
    pub(super) fn new(instrument: InstrumentId, ticket: &Ticket, reference: Price, link: Link) -> Self {
        Self { order: WorkingOrder::sent(instrument, ticket), reference, link }
    }

    /// Takes what the exchange says of it. Whether it has ended.
    pub(super) fn apply(&mut self, outcome: &Outcome) -> bool {
        if let Outcome::Triggered { price } = outcome {
            self.reference = *price;
        }
        self.order.apply(outcome)
    }

    /// The price at which it takes the most: its own, or that of a change on its way.
    fn dearest(&self, kind: ContractKind) -> Price {
        let now = self.price(self.order.kind);
        let then = self.order.change.map_or(now, |change| self.price(amended(self.order.kind, &change)));
        if dearness(kind, then) > dearness(kind, now) { then } else { now }
    }

    fn price(&self, kind: OrderKind) -> Price {
        price_of(kind).unwrap_or(self.reference)
    }

    /// The price at which it takes the most and the most that may still be filled of it. Of a pair on one side only one counts, the larger one, at
    /// the dearer price of both.
    fn exposure(&self, orders: &BTreeMap<OrderId, Self>, kind: ContractKind) -> (Price, i64) {
        let (price, open) = (self.dearest(kind), self.order.exposure().0);
        let other = match self.link {
            Link::Alone | Link::Entry(_) => None,
            Link::Exit(_) => return (price, 0),
            Link::Pair(other) => orders.get(&other).filter(|other| other.order.side == self.order.side),
        };
        let Some(other) = other else { return (price, open) };
        if (other.order.exposure().0, other.order.id) > (open, self.order.id) {
            return (price, 0);
        }
        let theirs = other.dearest(kind);
        (if dearness(kind, theirs) > dearness(kind, price) { theirs } else { price }, open)
    }
}

/// The price that an order names: its limit, or the trigger of one without a limit.
pub(super) const fn price_of(kind: OrderKind) -> Option<Price> {
    match kind {
        OrderKind::Limit(price)
        | OrderKind::Iceberg { limit: price, .. }
        | OrderKind::StopLimit { limit: price, .. }
        | OrderKind::Stop { trigger: price } => Some(price),
        OrderKind::Market | OrderKind::TrailingStop(_) => None,
    }
}

/// The open orders of one side that net with each other: at what price, and how much.
#[derive(Clone, Debug, Default)]
struct OneSide(Vec<(Price, i64)>);

impl OneSide {
    fn open(&self) -> i128 {
        self.0.iter().map(|(_, open)| i128::from(*open)).sum()
    }

    /// How much of it would open a position, after it has closed `closable`.
    fn opening(&self, closable: i64) -> i128 {
        (self.open() - i128::from(closable.max(0))).max(0)
    }

    /// What it takes if the cheapest orders close what they can, and all others open.
    fn needed(&mut self, portfolio: &Portfolio, instrument: InstrumentId, closable: i64) -> Result<i128, PortfolioError> {
        let kind = portfolio.contract(instrument).map(|contract| contract.kind).unwrap_or_default();
        self.0.sort_by_key(|(price, _)| std::cmp::Reverse(dearness(kind, *price)));
        let (mut left, mut amount) = (self.opening(closable), 0);
        for (price, open) in &self.0 {
            let part = left.min(i128::from(*open));
            left -= part;
            amount += portfolio.to_open(instrument, Quantity(part as i64), *price)?;
        }
        Ok(amount)
    }
}

/// What orders sort by so that those come last of which a unit is worth the least.
const fn dearness(kind: ContractKind, price: Price) -> i128 {
    match kind {
        ContractKind::Linear => (price.0 as i128).abs(),
        ContractKind::Inverse => -(price.0 as i128),
    }
}

/// What open orders need if they are filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Needed {
    /// To open positions, in units of the settlement currency.
    pub(super) amount: i128,
    /// How much would be sold that is paid in full and not there.
    pub(super) uncovered: i128,
}

impl Needed {
    /// Whether this much may be needed where `before` was, with so much that is free.
    pub(super) fn is_covered(&self, before: &Self, free: i128) -> bool {
        self.uncovered <= before.uncovered && (self.amount <= before.amount || self.amount <= free)
    }
}

/// What all open orders of the instruments that settle in a currency need. Of the two sides of a position only the one that needs more counts:
/// what one fills, the other closes.
///
/// `held` tells what stands against an order: what its portfolio holds of the instrument, or its owner if positions do not net.
pub(super) fn needed(
    portfolio: &Portfolio,
    orders: &BTreeMap<OrderId, Entered>,
    currency: CurrencyId,
    held: impl Fn(InstrumentId, u64) -> i64,
    owner_of: impl Fn(OrderId) -> u64,
) -> Result<Needed, PortfolioError> {
    let mut groups: BTreeMap<(InstrumentId, u64), [OneSide; 2]> = BTreeMap::new();
    for (id, entered) in orders {
        let instrument = entered.order.instrument;
        if portfolio.settlement(instrument)? == currency {
            let group = if portfolio.keeping() == Keeping::Netting { 0 } else { owner_of(*id) };
            let sides = groups.entry((instrument, group)).or_default();
            let kind = portfolio.contract(instrument).map(|contract| contract.kind).unwrap_or_default();
            sides[entered.order.side as usize].0.push(entered.exposure(orders, kind));
        }
    }
    let mut all = Needed::default();
    for ((instrument, group), [mut buys, mut sells]) in groups {
        let held = held(instrument, group);
        let [buying, selling] = [buys.needed(portfolio, instrument, held.saturating_neg())?, sells.needed(portfolio, instrument, held)?];
        all.amount += buying.max(selling);
        if portfolio.contract(instrument).is_some_and(|contract| contract.margin.is_none()) {
            all.uncovered += sells.opening(held);
        }
    }
    Ok(all)
}

/// The index of a side: its place in a pair of buys and sales.
const _: () = assert!(Side::Buy as usize == 0 && Side::Sell as usize == 1);
