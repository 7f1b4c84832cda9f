//! What a market shows beyond quotes and trades: depth by price, depth by order, the books that they add up to, and bars.

mod bar_maker;
mod bars;
mod book_order;
mod depth;
#[cfg(feature = "exchange")]
mod kinds;
mod ladder;
mod order_book;
mod price_book;

pub use bar_maker::{BarMaker, BarPrice};
pub use bars::{BarBuilder, BarSpan, BarSpanError};
pub use book_order::{BookChange, BookOrderId, BookUpdate};
pub use depth::{DepthChange, DepthUpdate};
#[cfg(feature = "exchange")]
pub(crate) use kinds::register;
pub use order_book::{OrderBook, OrderKey};
pub use price_book::{Level, PriceBook};
