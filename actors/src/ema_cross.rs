//! A strategy that trades when a fast average crosses a slow one. Invariant: whatever becomes of its orders, the position stays within its
//! limit.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use stillpoint_engine::{Actor, Context, Handler, Recipient, Report, Saving};

use crate::decimal::{Price, Quantity};
use crate::event::{MarketEvent, Quote, Side, Trade};
use crate::indicators::{Ema, Indicator, Seed};
use crate::instrument::Instrument;
use crate::mark::{Mark, MarkOf};
use crate::order::{Order, OrderEvent, OrderId, OrderKind, Outcome};
use crate::position::{Money, Position};

/// Which price the averages are taken of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PriceOf {
    /// The mid price of every quote that has both sides.
    #[default]
    Quotes,
    /// The price of every trade.
    Trades,
}

/// What an [`EmaCross`] trades, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmaCrossSettings {
    /// What it trades; events of others are ignored.
    pub instrument: Instrument,
    /// How many values the fast average covers.
    pub fast: NonZeroU32,
    /// How many values the slow average covers: more than the fast one.
    pub slow: NonZeroU32,
    /// Of which price.
    pub price_of: PriceOf,
    /// How much one order is for, before it is cut to the limit. Twice the limit gives a strategy that turns its position at every cross.
    pub quantity: Quantity,
    /// The most it holds, long or short.
    pub limit: Quantity,
}

/// Settings that make no strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmaCrossError {
    /// The fast average covers as many values as the slow one, or more.
    NotFaster {
        /// Values of the fast average.
        fast: NonZeroU32,
        /// Values of the slow average.
        slow: NonZeroU32,
    },
    /// The quantity or the limit is zero or negative.
    NotPositive,
}

impl fmt::Display for EmaCrossError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFaster { fast, slow } => {
                write!(f, "the fast average covers {fast} values and the slow one {slow}; give the slow one more than the fast one")
            }
            Self::NotPositive => write!(f, "the quantity and the limit of a strategy must be above zero"),
        }
    }
}

impl std::error::Error for EmaCrossError {}

/// Buys at market when the fast average rises above the slow one, sells when it falls below.
///
/// It acts on a change of sign of `fast - slow` (equal averages change nothing), once the slow average has seen as many values as it
/// covers. Buys on their way count as filled against the upper limit and sales on their way against the lower one, and neither counts in
/// favour of the other.
///
/// It reports `orders`, `fills`, `unfilled` (orders cancelled or rejected), `unbooked` if there are fills whose money cannot be counted, `position`,
/// `realised`, `unrealised`, `fees` and `profit` (realised and unrealised, less fees) in the quote currency, or the base currency of an inverse
/// contract, and `last_price` (the mid of the last quote, or the last trade, as `price_of` says). What is open is valued at the last mid, or the
/// last trade where no quotes come ([`Mark`]).
#[derive(Debug, Serialize, Deserialize)]
pub struct EmaCross {
    settings: EmaCrossSettings,
    venue: Recipient<Order>,
    signal: Signal,
    position: Position,
    bought: i64,
    sold: i64,
    orders: u64,
    fills: u64,
    unfilled: u64,
    quote: Option<Quote>,
    trade: Option<Price>,
    mark: Option<Mark>,
    fees: Money,
    unbooked: u64,
}

/// The two averages and which one was above. Apart from the actor so that it can be checked by hand.
#[derive(Debug, Serialize, Deserialize)]
struct Signal {
    fast: Ema,
    slow: Ema,
    above: Option<bool>,
}

impl Signal {
    /// The side to trade on after a new price, if the averages have crossed.
    fn update(&mut self, price: f64) -> Option<Side> {
        self.fast.advance(price);
        self.slow.advance(price);
        let difference = self.fast.running()? - self.slow.running()?;
        if difference == 0.0 {
            return None;
        }
        let above = difference > 0.0;
        let before = self.above.replace(above);
        self.slow.value()?;
        (before == Some(!above)).then_some(if above { Side::Buy } else { Side::Sell })
    }
}

impl EmaCross {
    /// A strategy that sends its orders to `venue`.
    ///
    /// # Errors
    /// [`EmaCrossError`] if the slow average is not slower, or the quantity or the limit is not above zero.
    pub fn new(settings: EmaCrossSettings, venue: Recipient<Order>) -> Result<Self, EmaCrossError> {
        let EmaCrossSettings { fast, slow, quantity, limit, .. } = settings;
        if fast >= slow {
            return Err(EmaCrossError::NotFaster { fast, slow });
        }
        if quantity.0 <= 0 || limit.0 <= 0 {
            return Err(EmaCrossError::NotPositive);
        }
        Ok(Self {
            settings,
            venue,
            signal: Signal { fast: Ema::new(fast, Seed::FirstValue), slow: Ema::new(slow, Seed::FirstValue), above: None },
            position: Position::default(),
            bought: 0,
            sold: 0,
            orders: 0,
            fills: 0,
            unfilled: 0,
            quote: None,
            trade: None,
            mark: None,
            fees: Money(0),
            unbooked: 0,
        })
    }

    fn on_price(&mut self, price: f64, ctx: &mut Context<'_, Self>) {
        let Some(side) = self.signal.update(price) else { return };
        let limit = i128::from(self.settings.limit.0);
        let held = i128::from(self.position.quantity());
        let room = match side {
            Side::Buy => limit - held - i128::from(self.bought),
            Side::Sell => limit + held - i128::from(self.sold),
        };
        let quantity = i128::from(self.settings.quantity.0).min(room);
        if quantity <= 0 {
            return;
        }
        let quantity = Quantity(i64::try_from(quantity).expect("at most the quantity of the settings"));
        *self.on_its_way(side) += quantity.0;
        self.orders += 1;
        let order = Order {
            id: OrderId(self.orders),
            instrument: self.settings.instrument.id,
            side,
            quantity,
            kind: OrderKind::Market,
            owner: ctx.address().recipient(),
        };
        ctx.send(self.venue, order);
    }

    fn on_its_way(&mut self, side: Side) -> &mut i64 {
        match side {
            Side::Buy => &mut self.bought,
            Side::Sell => &mut self.sold,
        }
    }

    fn last_price(&self) -> Option<f64> {
        let last = match self.settings.price_of {
            PriceOf::Quotes => self.quote?.mid()?,
            PriceOf::Trades => self.trade?.0 as f64,
        };
        Some(last / self.settings.instrument.price_decimals.one() as f64)
    }
}

impl Actor for EmaCross {
    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<Quote>().message::<Trade>().message::<MarketEvent>().message::<OrderEvent>())
    }

    fn report(&self, report: &mut Report) {
        let instrument = &self.settings.instrument;
        let (Money(realised), Money(cost), Money(fees)) = (self.position.realised(), self.position.cost(), self.fees);
        report.text("instrument", instrument.symbol.clone());
        report.integer("orders", self.orders as i64);
        report.integer("fills", self.fills as i64);
        report.integer("unfilled", self.unfilled as i64);
        if self.unbooked > 0 {
            report.integer("unbooked", self.unbooked as i64);
        }
        let held = Quantity(self.position.quantity());
        let value = |cash| Mark::value_or_cash(self.mark, instrument, held, Money(cash));
        report.number("position", held.to_f64(instrument.quantity_decimals));
        report.number("realised", Money(realised).to_f64(instrument));
        report.number("unrealised", value(-cost));
        report.number("fees", Money(fees).to_f64(instrument));
        report.number("profit", value(realised - cost - fees));
        if let Some(price) = self.last_price() {
            report.number("last_price", price);
        }
    }
}

impl Handler<Quote> for EmaCross {
    fn handle(&mut self, quote: &Quote, ctx: &mut Context<'_, Self>) {
        if quote.instrument != self.settings.instrument.id {
            return;
        }
        let Some(mid) = quote.mid() else { return };
        self.quote = Some(*quote);
        Mark::quoted(&mut self.mark, quote);
        if self.settings.price_of == PriceOf::Quotes {
            self.on_price(mid, ctx);
        }
    }
}

impl Handler<Trade> for EmaCross {
    fn handle(&mut self, trade: &Trade, ctx: &mut Context<'_, Self>) {
        if trade.instrument != self.settings.instrument.id {
            return;
        }
        self.trade = Some(trade.price);
        Mark::traded(&mut self.mark, trade);
        if self.settings.price_of == PriceOf::Trades {
            self.on_price(trade.price.0 as f64, ctx);
        }
    }
}

impl Handler<MarketEvent> for EmaCross {
    fn handle(&mut self, event: &MarketEvent, ctx: &mut Context<'_, Self>) {
        match event {
            MarketEvent::Quote(quote) => self.handle(quote, ctx),
            MarketEvent::Trade(trade) => self.handle(trade, ctx),
        }
    }
}

impl Handler<OrderEvent> for EmaCross {
    fn handle(&mut self, event: &OrderEvent, _: &mut Context<'_, Self>) {
        let done = match event.outcome {
            Outcome::Filled { quantity, price, fee, .. } => {
                self.fills += 1;
                if self.position.book(&self.settings.instrument, event.side, quantity, price) {
                    self.fees.0 = self.fees.0.saturating_add(fee.0);
                    Mark::at(&mut self.mark, MarkOf::Fill, price);
                } else {
                    self.unbooked += 1;
                }
                quantity
            }
            Outcome::Cancelled { quantity, .. } | Outcome::Rejected { quantity, .. } | Outcome::Expired { quantity } => {
                self.unfilled += 1;
                quantity
            }
            _ => return,
        };
        if event.order != OrderId::LIQUIDATION {
            *self.on_its_way(event.side) -= done.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Averages over 1 and 3 values (alpha 1 and 1/2), worked out by hand.
    #[test]
    fn a_signal_is_a_change_of_sign_once_the_slow_average_is_ready() {
        let periods = |n| Ema::new(NonZeroU32::new(n).expect("not zero"), Seed::FirstValue);
        let mut signal = Signal { fast: periods(1), slow: periods(3), above: None };
        let mut copy = periods(3);
        for (price, slow, side) in [
            (10.0, 10.0, None),
            (8.0, 9.0, None),               // below: the first sign
            (13.0, 11.0, Some(Side::Buy)),  // above, and three values seen
            (15.0, 13.0, None),             // still above
            (13.0, 13.0, None),             // equal: nothing
            (15.0, 14.0, None),             // above as before
            (12.0, 13.0, Some(Side::Sell)), // below
            (11.0, 12.0, None),
        ] {
            assert_eq!(signal.update(price), side, "at {price}");
            copy.advance(price);
            assert_eq!(copy.running(), Some(slow), "at {price}");
        }
    }

    /// An average over 7 values (alpha 1/4) goes 16, 15, 16, 15, ...; the price itself lies below and above it by turns.
    #[test]
    fn crosses_before_the_slow_average_is_ready_are_no_signals() {
        let periods = |n| Ema::new(NonZeroU32::new(n).expect("not zero"), Seed::FirstValue);
        let mut signal = Signal { fast: periods(1), slow: periods(7), above: None };
        let sides = [16.0, 12.0, 19.0, 12.0, 19.0, 12.0, 19.0, 12.0].map(|price| signal.update(price));
        assert_eq!(sides, [None, None, None, None, None, None, Some(Side::Buy), Some(Side::Sell)]);
    }
}
