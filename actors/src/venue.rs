//! A venue that fills what can be filled at once. Invariant: nobody is filled beyond what is displayed, and every order gets an end.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use stillpoint_engine::{Actor, Context, Handler, Report, Saving};

use crate::by_instrument::ByInstrument;
use crate::decimal::{Price, Quantity};
use crate::event::{MarketEvent, Quote, Side, Trade};
use crate::instrument::{Instrument, InstrumentId};
use crate::order::{CancelCause, Liquidity, Order, OrderEvent, OrderKind, Outcome, Reject};
use crate::position::Money;

/// What one order does to the displayed quote, before it is sent to anybody.
///
/// A buy is filled at the ask and a sale at the bid, up to the quantity displayed there; what is displayed shrinks by the fill until the
/// next quote replaces it. What is left of the order is cancelled at once (immediate or cancel): nothing rests here. A limit order whose
/// limit is worse than the opposite price is rejected, and so is every other kind of order.
///
/// ```
/// use stillpoint_actors::{InstrumentId, OrderKind, Outcome, Price, Quantity, Quote, Side, match_at_quote};
/// let mut quote = Quote { bid: Price(99), bid_quantity: Quantity(5), ask: Price(101), ask_quantity: Quantity(3), ..Quote::default() };
/// let outcomes = match_at_quote(&mut quote, Side::Buy, Quantity(4), OrderKind::Market);
/// assert!(matches!(outcomes[0], Some(Outcome::Filled { quantity: Quantity(3), price: Price(101), left: Quantity(1), .. })));
/// assert!(matches!(outcomes[1], Some(Outcome::Cancelled { quantity: Quantity(1), .. })));
/// assert_eq!(quote.ask_quantity, Quantity(0));
/// ```
pub fn match_at_quote(quote: &mut Quote, side: Side, quantity: Quantity, kind: OrderKind) -> [Option<Outcome>; 2] {
    let reject = |reason| [Some(Outcome::Rejected { quantity, reason }), None];
    if quantity.0 <= 0 {
        return reject(Reject::BadQuantity);
    }
    let (price, displayed) = match side {
        Side::Buy => (quote.ask, &mut quote.ask_quantity),
        Side::Sell => (quote.bid, &mut quote.bid_quantity),
    };
    if displayed.0 <= 0 {
        return reject(Reject::NothingDisplayed);
    }
    let marketable = match (kind, side) {
        (OrderKind::Market, _) => true,
        (OrderKind::Limit(limit), Side::Buy) => price <= limit,
        (OrderKind::Limit(limit), Side::Sell) => price >= limit,
        _ => return reject(Reject::NotSupported),
    };
    if !marketable {
        return reject(Reject::NotMarketable);
    }
    let filled = Quantity(quantity.0.min(displayed.0));
    let left = Quantity(quantity.0 - filled.0);
    displayed.0 -= filled.0;
    let rest = (left.0 > 0).then_some(Outcome::Cancelled { quantity: left, cause: CancelCause::Unfilled });
    [Some(Outcome::Filled { quantity: filled, price, left, liquidity: Liquidity::Taker, fee: Money(0) }), rest]
}

/// An actor that takes orders and fills them against the recorded quotes: see [`match_at_quote`].
///
/// It hears [`Quote`]s and [`Trade`]s (or [`MarketEvent`]s) of its instruments, in the order of delivery, and answers each [`Order`] to
/// the order's owner. Orders and answers take as long as the links between venue and strategy say. The recorded market does not react to
/// the fills.
#[derive(Debug, Serialize, Deserialize)]
pub struct Venue {
    listings: ByInstrument<Listing>,
    orders: u64,
    fills: u64,
    cancelled: u64,
    rejected: BTreeMap<Reject, u64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Listing {
    instrument: Instrument,
    quote: Quote,
    last_trade: Option<Price>,
    filled: i128,
}

impl Venue {
    /// A venue for these instruments. Of two with one number the later counts.
    pub fn new(instruments: impl IntoIterator<Item = Instrument>) -> Self {
        let listing = |instrument: Instrument| {
            let quote = Quote { instrument: instrument.id, ..Quote::default() };
            (instrument.id, Listing { instrument, quote, last_trade: None, filled: 0 })
        };
        let listings = instruments.into_iter().map(listing).collect();
        Self { listings, orders: 0, fills: 0, cancelled: 0, rejected: BTreeMap::new() }
    }

    fn outcomes(&mut self, order: &Order) -> [Option<Outcome>; 2] {
        match self.listings.get_mut(order.instrument) {
            Some(listing) => match_at_quote(&mut listing.quote, order.side, order.quantity, order.kind),
            None => [Some(Outcome::Rejected { quantity: order.quantity, reason: Reject::UnknownInstrument }), None],
        }
    }

    fn count(&mut self, instrument: InstrumentId, outcome: Outcome) {
        match outcome {
            Outcome::Filled { quantity, .. } => {
                self.fills += 1;
                if let Some(listing) = self.listings.get_mut(instrument) {
                    listing.filled += i128::from(quantity.0);
                }
            }
            Outcome::Cancelled { .. } => self.cancelled += 1,
            Outcome::Rejected { reason, .. } => *self.rejected.entry(reason).or_default() += 1,
            _ => {}
        }
    }
}

impl Actor for Venue {
    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<Quote>().message::<Trade>().message::<MarketEvent>().message::<Order>())
    }

    fn report(&self, report: &mut Report) {
        report.integer("orders", self.orders as i64);
        report.integer("fills", self.fills as i64);
        report.integer("cancelled", self.cancelled as i64);
        report.integer("rejected", self.rejected.values().sum::<u64>() as i64);
        for (reason, count) in &self.rejected {
            report.integer(&format!("rejected because {reason}"), *count as i64);
        }
        for (_, Listing { instrument, last_trade, filled, .. }) in self.listings.iter() {
            report.number(&format!("{} filled", instrument.symbol), *filled as f64 / instrument.quantity_decimals.one() as f64);
            if let Some(price) = last_trade {
                report.number(&format!("{} last_price", instrument.symbol), price.to_f64(instrument.price_decimals));
            }
        }
    }
}

impl Handler<Quote> for Venue {
    fn handle(&mut self, quote: &Quote, _: &mut Context<'_, Self>) {
        if let Some(listing) = self.listings.get_mut(quote.instrument) {
            listing.quote = *quote;
        }
    }
}

impl Handler<Trade> for Venue {
    fn handle(&mut self, trade: &Trade, _: &mut Context<'_, Self>) {
        if let Some(listing) = self.listings.get_mut(trade.instrument) {
            listing.last_trade = Some(trade.price);
        }
    }
}

impl Handler<MarketEvent> for Venue {
    fn handle(&mut self, event: &MarketEvent, ctx: &mut Context<'_, Self>) {
        match event {
            MarketEvent::Quote(quote) => self.handle(quote, ctx),
            MarketEvent::Trade(trade) => self.handle(trade, ctx),
        }
    }
}

impl Handler<Order> for Venue {
    fn handle(&mut self, order: &Order, ctx: &mut Context<'_, Self>) {
        self.orders += 1;
        for outcome in self.outcomes(order).into_iter().flatten() {
            self.count(order.instrument, outcome);
            ctx.send(order.owner, OrderEvent { order: order.id, instrument: order.instrument, side: order.side, outcome });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use OrderKind::{Limit, Market};
    use Side::{Buy, Sell};

    fn filled(quantity: i64, price: i64, left: i64) -> Option<Outcome> {
        Some(Outcome::Filled {
            quantity: Quantity(quantity),
            price: Price(price),
            left: Quantity(left),
            liquidity: Liquidity::Taker,
            fee: Money(0),
        })
    }

    fn cancelled(quantity: i64) -> Option<Outcome> {
        Some(Outcome::Cancelled { quantity: Quantity(quantity), cause: CancelCause::Unfilled })
    }

    fn rejected(quantity: i64, reason: Reject) -> Option<Outcome> {
        Some(Outcome::Rejected { quantity: Quantity(quantity), reason })
    }

    /// One quote, 5 wanted at 99 and 10 offered at 101, and orders one after the other; the last column is what is still displayed.
    #[test]
    fn orders_are_filled_at_the_opposite_quote() {
        let mut quote =
            Quote { instrument: InstrumentId(0), bid: Price(99), bid_quantity: Quantity(5), ask: Price(101), ask_quantity: Quantity(10) };
        for (side, quantity, kind, outcomes, displayed) in [
            (Buy, 4, Market, [filled(4, 101, 0), None], (5, 6)),
            (Buy, 2, Limit(Price(100)), [rejected(2, Reject::NotMarketable), None], (5, 6)),
            (Buy, 2, Limit(Price(101)), [filled(2, 101, 0), None], (5, 4)),
            (Buy, 1, Limit(Price(150)), [filled(1, 101, 0), None], (5, 3)),
            (Sell, 1, Limit(Price(100)), [rejected(1, Reject::NotMarketable), None], (5, 3)),
            (Sell, 1, Limit(Price(99)), [filled(1, 99, 0), None], (4, 3)),
            (Sell, 6, Market, [filled(4, 99, 2), cancelled(2)], (0, 3)),
            (Sell, 1, Market, [rejected(1, Reject::NothingDisplayed), None], (0, 3)),
            (Buy, 0, Market, [rejected(0, Reject::BadQuantity), None], (0, 3)),
            (Buy, -3, Market, [rejected(-3, Reject::BadQuantity), None], (0, 3)),
            (Buy, 3, OrderKind::Stop { trigger: Price(120) }, [rejected(3, Reject::NotSupported), None], (0, 3)),
        ] {
            assert_eq!(match_at_quote(&mut quote, side, Quantity(quantity), kind), outcomes, "{side:?} {quantity} {kind:?}");
            assert_eq!((quote.bid_quantity.0, quote.ask_quantity.0), displayed, "after {side:?} {quantity} {kind:?}");
        }
    }
}
