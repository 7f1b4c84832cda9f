//! What a strategy is. Invariant: it acts through its desk alone, so that nothing it does is missing in positions and limits.

use serde::Serialize;
use serde::de::DeserializeOwned;
use stillpoint_engine::Report;

use super::desk::Desk;
use super::wire::TimerTag;
use crate::decimal::{Price, Quantity};
use crate::event::{Bar, Quote, Side, Trade};
use crate::instrument::InstrumentId;
use crate::order::{Liquidity, OrderEvent, OrderId};
use crate::position::Money;

/// A part of an order that was traded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execution {
    /// The order.
    pub order: OrderId,
    /// In what.
    pub instrument: InstrumentId,
    /// Bought or sold.
    pub side: Side,
    /// How much.
    pub quantity: Quantity,
    /// At what price.
    pub price: Price,
    /// How much of the order is still to be done; with nothing left it has ended.
    pub left: Quantity,
    /// Whether it took what was there, or was there.
    pub liquidity: Liquidity,
    /// What it cost: negative for a rebate.
    pub fee: Money,
}

/// What to do when something happens. A [`Trader`](super::Trader) calls it, and keeps orders, positions and limits.
///
/// Each callback does nothing unless it is written. When it is called, the desk knows already of what it is called with: in `on_fill` the
/// position has moved, in `on_order` an order that was cancelled is gone. Events of instruments that the trader was not given do not come.
///
/// By implementing this you promise what an [`Actor`](stillpoint_engine::Actor) promises: that it does the same whenever the same comes. What
/// it remembers goes through serde when a run is saved, so that it goes on as if nothing had happened.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use stillpoint_actors::strategy::{Desk, Route, Strategy, Trader, TraderSettings};
/// use stillpoint_actors::{Exchange, ExchangeSettings, Instrument, InstrumentId, Listing, Price, Quantity, Quote};
/// use stillpoint_engine::{Instant, Simulation, Stream, Timed, Value};
///
/// /// Buys one whenever the bid falls, and sells all of it when the bid is higher than what was paid.
/// #[derive(Default, Serialize, Deserialize)]
/// struct Dips {
///     last: Option<Price>,
/// }
/// impl Strategy for Dips {
///     fn on_quote(&mut self, quote: &Quote, desk: &mut Desk<'_>) {
///         let paid = desk.account(quote.instrument).and_then(|account| account.average_price());
///         if paid.is_some_and(|paid| quote.bid.0 as f64 > paid) {
///             _ = desk.trade_to(quote.instrument, Quantity(0));
///         } else if self.last.is_some_and(|last| quote.bid < last) {
///             _ = desk.buy(quote.instrument, Quantity(1));
///         }
///         self.last = Some(quote.bid);
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let x = Instrument::new(InstrumentId(0), "X");
/// let quotes = (0..).zip([100, 98, 97, 99]).map(|(nanos, bid)| Timed {
///     at: Instant::from_nanos(nanos),
///     value: Quote { bid: Price(bid), bid_quantity: Quantity(5), ask: Price(bid + 1), ask_quantity: Quantity(5), ..Quote::default() },
/// });
/// let mut sim = Simulation::new("dips");
/// let quotes = sim.stream("quotes", Stream::from_vec(quotes.collect()))?;
/// let listings = vec![Listing { instrument: x.clone(), rules: Default::default() }];
/// let exchange = sim.actor("exchange", Exchange::new(ExchangeSettings { listings, ..Default::default() })?)?;
/// let routes = vec![Route { instrument: x, venue: exchange.recipient(), limits: Default::default() }];
/// let dips = sim.actor("dips", Trader::new(TraderSettings { routes, ..Default::default() }, Dips::default())?)?;
/// sim.subscribe::<Quote, _>(exchange, quotes);
/// sim.subscribe::<Quote, _>(dips, quotes);
/// let outcome = sim.run()?;
/// // One at 99 and one at 98, both sold at 99.
/// let report = outcome.report("dips").expect("every actor reports");
/// assert_eq!(report.get("X profit"), Some(&Value::Number(1e-16)));
/// # Ok(())
/// # }
/// ```
pub trait Strategy: Serialize + DeserializeOwned + Send + 'static {
    /// The run begins; bars of the past have come before.
    fn on_start(&mut self, desk: &mut Desk<'_>) {
        let _ = desk;
    }

    /// A quote.
    fn on_quote(&mut self, quote: &Quote, desk: &mut Desk<'_>) {
        let _ = (quote, desk);
    }

    /// A trade of others.
    fn on_trade(&mut self, trade: &Trade, desk: &mut Desk<'_>) {
        let _ = (trade, desk);
    }

    /// A bar is over.
    fn on_bar(&mut self, bar: &Bar, desk: &mut Desk<'_>) {
        let _ = (bar, desk);
    }

    /// A part or all of an order was traded.
    fn on_fill(&mut self, fill: &Execution, desk: &mut Desk<'_>) {
        let _ = (fill, desk);
    }

    /// Something else came of an order at the venue: it is open, changed, cancelled, rejected, ... What the desk itself refuses comes back
    /// from the call that asked for it, not here.
    fn on_order(&mut self, event: &OrderEvent, desk: &mut Desk<'_>) {
        let _ = (event, desk);
    }

    /// A timer that the desk was asked for.
    fn on_timer(&mut self, tag: TimerTag, desk: &mut Desk<'_>) {
        let _ = (tag, desk);
    }

    /// Results beyond those that every trader reports.
    fn report(&self, report: &mut Report) {
        let _ = report;
    }
}
