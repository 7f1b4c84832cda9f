//! Market pieces for Stillpoint: what is traded, what the market says, orders, a venue, positions, and a first strategy.
//!
//! Prices, quantities and money are whole numbers throughout ([`Price`], [`Quantity`], [`Money`]); floats appear in averages and reports
//! alone. The engine knows nothing of this crate.
//!
//! ```
//! use stillpoint_actors::{Instrument, InstrumentId, Money, Price, Quantity};
//!
//! let x = Instrument::new(InstrumentId(0), "X");
//! let bid = Price::parse("100.25", x.price_decimals)?;
//! let two = Quantity::parse("2", x.quantity_decimals)?;
//! assert!(Money::of(bid, two).display(&x).to_string().starts_with("200.5"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(not(feature = "exchange"))]
mod absent;
mod by_instrument;
#[cfg(feature = "calendar")]
pub mod calendar;
mod decimal;
mod declared;
mod ema_cross;
mod event;
#[cfg(feature = "exchange")]
mod exchange;
pub mod indicators;
mod instrument;
mod kinds;
mod mark;
mod market;
#[cfg(feature = "operators")]
pub mod operators;
mod order;
mod parts;
#[cfg(feature = "exchange")]
pub mod portfolio;
mod position;
#[cfg(feature = "statistics")]
pub mod statistics;
#[cfg(feature = "exchange")]
pub mod strategies;
#[cfg(feature = "exchange")]
pub mod strategy;
mod sum;
mod venue;
mod wiring;

pub use decimal::{DecimalError, Decimals, Price, Quantity, parse_decimal};
pub use declared::{declare, declare_carried};
pub use ema_cross::{EmaCross, EmaCrossError, EmaCrossSettings, PriceOf};
pub use event::{Bar, MarketEvent, Quote, Side, Trade, TradeId};
#[cfg(feature = "exchange")]
pub use exchange::{
    Answer, BookKind, Exchange, ExchangeError, ExchangeSettings, FeeRate, FeeSchedule, FeeScheduleError, FeeTier, Impact, Input, Latencies,
    Latency, LatencyPoint, Listing, Market, MarketRules, Outbox, OwnerId, Phase, PhaseChange, PlannedPhase, QueueModel, Scale, SelfTrade,
    TriggerBy,
};
pub use indicators::Ema;
pub use instrument::{ContractKind, Instrument, InstrumentId};
pub use kinds::register;
pub use mark::{Mark, MarkOf};
pub use market::{
    BarBuilder, BarMaker, BarPrice, BarSpan, BarSpanError, BookChange, BookOrderId, BookUpdate, DepthChange, DepthUpdate, Level, OrderBook,
    OrderKey, PriceBook,
};
pub use order::{
    Amendment, CancelCause, Liquidity, Order, OrderAction, OrderEvent, OrderId, OrderKind, OrderRequest, Outcome, Reject, Ticket,
    TimeInForce, TrailBy,
};
pub use position::{Money, Position};
pub use venue::{Venue, match_at_quote};
