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

pub mod calendar;
mod decimal;
mod ema_cross;
mod event;
pub mod indicators;
mod instrument;
mod kinds;
pub mod operators;
mod order;
pub mod portfolio;
mod position;
pub mod statistics;
mod sum;
mod venue;

pub use decimal::{DecimalError, Decimals, Price, Quantity, parse_decimal};
pub use ema_cross::{EmaCross, EmaCrossError, EmaCrossSettings, PriceOf};
pub use event::{Bar, MarketEvent, Quote, Side, Trade, TradeId};
pub use indicators::Ema;
pub use instrument::{Instrument, InstrumentId};
pub use kinds::register;
pub use order::{Order, OrderEvent, OrderId, OrderKind, Outcome, Reject};
pub use position::{Money, Position};
pub use venue::{Venue, match_at_quote};
