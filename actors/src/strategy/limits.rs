//! Limits that hold before an order is sent. Invariant: a limit that is not given limits nothing.

use std::collections::VecDeque;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Duration, Instant};

use super::refusal::Refusal;
use super::settings::SettingsError;
use crate::decimal::{Price, Quantity};
use crate::event::Quote;
use crate::order::OrderKind;
use crate::position::Money;

/// Limits of all that a trader does. Each that is not given limits nothing.
///
/// What is checked is what could become of an order: a limit holds whatever is filled, and in whatever order answers come. Cancelling is never
/// refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RiskLimits {
    /// The most orders that may be open, those on their way among them.
    pub max_open_orders: Option<u32>,
    /// The most orders and changes in any interval.
    pub max_orders: Option<OrderRate>,
    /// How far a limit may be from the mid of the last quote, either way, in hundredths of a percent of it. That of a stop-limit order is held
    /// against its trigger instead. Orders without a limit are not looked at.
    pub collar: Option<BasisPoints>,
    /// The loss at which trading ends: as soon as it is this much, fees included and what is open valued at what closing it would bring,
    /// everything is cancelled, and every order from then on is refused. In units of 10^-n, n being the most price and quantity
    /// decimals together that one of the trader's instruments has.
    pub max_loss: Option<Money>,
}

/// Limits in one instrument. Each that is not given limits nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InstrumentLimits {
    /// The most that one order may be for.
    pub max_order: Option<Quantity>,
    /// The most that may be held, long or short. Open buys count as filled against the long side and open sales against the short one, and
    /// neither counts in favour of the other.
    pub max_position: Option<Quantity>,
}

/// Hundredths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BasisPoints(pub u32);

/// At most so many in any stretch of time of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderRate {
    /// How many.
    pub count: NonZeroU32,
    /// Within how long: what was sent this long ago does not count any more.
    pub within: Duration,
}

impl RiskLimits {
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        if self.max_orders.is_some_and(|rate| !rate.within.is_positive()) {
            return Err(SettingsError::new("max_orders", "has an interval that is not above zero; give one such as 1s"));
        }
        match self.max_loss {
            Some(loss) if loss.0 <= 0 => Err(SettingsError::new("max_loss", "is not above zero; give the loss as a positive amount")),
            _ => Ok(()),
        }
    }

    /// Whether the limit of an order is within the collar.
    pub(super) fn check_collar(&self, kind: OrderKind, quote: Option<&Quote>) -> Result<(), Refusal> {
        let Some(collar) = self.collar else { return Ok(()) };
        let (limit, twice_reference) = match kind {
            OrderKind::Limit(limit) | OrderKind::Iceberg { limit, .. } => (limit, quote.and_then(twice_mid).ok_or(Refusal::NoReference)?),
            OrderKind::StopLimit { trigger, limit } => (limit, 2 * i128::from(trigger.0)),
            OrderKind::Market | OrderKind::Stop { .. } | OrderKind::TrailingStop(_) => return Ok(()),
        };
        let distance = (2 * i128::from(limit.0) - twice_reference).abs();
        if distance * 10_000 <= twice_reference.abs() * i128::from(collar.0) { Ok(()) } else { Err(Refusal::Collar) }
    }
}

impl InstrumentLimits {
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        for (field, limit) in [("max_order", self.max_order), ("max_position", self.max_position)] {
            if limit.is_some_and(|limit| limit.0 <= 0) {
                return Err(SettingsError::new(field, "is not above zero; leave it out to have no such limit"));
            }
        }
        Ok(())
    }
}

/// Bid and ask together; `None` if a side is empty.
fn twice_mid(quote: &Quote) -> Option<i128> {
    let Quote { bid: Price(bid), ask: Price(ask), bid_quantity, ask_quantity, .. } = quote;
    (bid_quantity.0 > 0 && ask_quantity.0 > 0).then(|| i128::from(*bid) + i128::from(*ask))
}

/// The instants of the last orders and changes, as far back as a rate looks.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Sent(VecDeque<Instant>);

impl Sent {
    /// Whether one more may be sent now.
    pub(super) fn check(&mut self, now: Instant, rate: Option<OrderRate>) -> Result<(), Refusal> {
        let Some(OrderRate { count, within }) = rate else { return Ok(()) };
        while self.0.front().is_some_and(|at| now.since(*at) >= within) {
            self.0.pop_front();
        }
        if self.0.len() < count.get() as usize { Ok(()) } else { Err(Refusal::MaxOrders) }
    }

    /// Notes that one was sent now.
    pub(super) fn note(&mut self, now: Instant, rate: Option<OrderRate>) {
        if rate.is_some() {
            self.0.push_back(now);
        }
    }
}
