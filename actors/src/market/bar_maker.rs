//! Bars as an actor. Invariant: a bar is published at the instant at which it is over, after all that came before that instant.

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Actor, Context, Handler, Instant, Message, Report, Saving};

use super::bars::{BarBuilder, BarSpan, BarSpanError};
use crate::decimal::{Price, Quantity};
use crate::event::{Bar, MarketEvent, Quote, Trade};
use crate::instrument::InstrumentId;

/// Which price bars are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BarPrice {
    /// The price of every trade.
    #[default]
    Trades,
    /// The bid of every quote that has one.
    Bid,
    /// The ask of every quote that has one.
    Ask,
    /// The mid price of every quote that has both sides, rounded down to a unit of the last decimal.
    Mid,
}

impl BarPrice {
    fn of_quote(self, quote: &Quote) -> Option<Price> {
        match self {
            Self::Trades => None,
            Self::Bid => (quote.bid_quantity.0 > 0).then_some(quote.bid),
            Self::Ask => (quote.ask_quantity.0 > 0).then_some(quote.ask),
            Self::Mid => quote.mid().map(|_| {
                let sum = i128::from(quote.bid.0) + i128::from(quote.ask.0);
                Price(i64::try_from(sum.div_euclid(2)).expect("between two prices"))
            }),
        }
    }
}

/// The end of a bar of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct BarEnd;

impl Message for BarEnd {
    const KIND: &'static str = "bar-end";
}

/// An actor that hears trades or quotes of one instrument and publishes [`Bar`]s of them.
#[derive(Debug, Serialize, Deserialize)]
pub struct BarMaker {
    instrument: InstrumentId,
    price: BarPrice,
    builder: BarBuilder,
    /// The end for which a timer is armed.
    armed: Option<Instant>,
    made: u64,
}

impl BarMaker {
    /// A maker that has heard nothing.
    ///
    /// # Errors
    /// [`BarSpanError`] if a time or a volume is not above zero.
    pub fn new(instrument: InstrumentId, span: BarSpan, price: BarPrice) -> Result<Self, BarSpanError> {
        Ok(Self { instrument, price, builder: BarBuilder::new(instrument, span)?, armed: None, made: 0 })
    }

    fn take(&mut self, price: Price, quantity: Quantity, ctx: &mut Context<'_, Self>) {
        let mut closed = Vec::new();
        self.builder.trade(ctx.now(), price, quantity, &mut closed);
        self.publish(closed, ctx);
        if let Some(ends) = self.builder.ends()
            && self.armed != Some(ends)
        {
            self.armed = Some(ends);
            ctx.notify_at(ends, BarEnd);
        }
    }

    fn publish(&mut self, closed: Vec<Bar>, ctx: &mut Context<'_, Self>) {
        for bar in closed {
            self.made += 1;
            ctx.publish(bar);
        }
    }
}

impl Actor for BarMaker {
    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<Quote>().message::<Trade>().message::<MarketEvent>().message::<BarEnd>())
    }

    fn report(&self, report: &mut Report) {
        report.integer("bars", self.made as i64);
    }
}

impl Handler<Trade> for BarMaker {
    fn handle(&mut self, trade: &Trade, ctx: &mut Context<'_, Self>) {
        if trade.instrument == self.instrument && self.price == BarPrice::Trades {
            self.take(trade.price, trade.quantity, ctx);
        }
    }
}

impl Handler<Quote> for BarMaker {
    fn handle(&mut self, quote: &Quote, ctx: &mut Context<'_, Self>) {
        if quote.instrument == self.instrument
            && let Some(price) = self.price.of_quote(quote)
        {
            self.take(price, Quantity(0), ctx);
        }
    }
}

impl Handler<MarketEvent> for BarMaker {
    fn handle(&mut self, event: &MarketEvent, ctx: &mut Context<'_, Self>) {
        match event {
            MarketEvent::Quote(quote) => self.handle(quote, ctx),
            MarketEvent::Trade(trade) => self.handle(trade, ctx),
        }
    }
}

impl Handler<BarEnd> for BarMaker {
    fn handle(&mut self, _: &BarEnd, ctx: &mut Context<'_, Self>) {
        let mut closed = Vec::new();
        self.builder.close(ctx.now(), &mut closed);
        self.publish(closed, ctx);
    }
}
