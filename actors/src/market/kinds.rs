//! The kinds that feed exchanges and strategies: scripts of depth and books, and bars.

use serde::Deserialize;
use stillpoint_engine::scenario::{Registry, Scene, SceneError};

use super::{BarMaker, BarPrice, BarSpan, BookUpdate, DepthUpdate};
use crate::instrument::InstrumentId;
use crate::kinds::{hear, script};

/// Adds the kinds `script_depth`, `script_book` and `bars`.
pub(crate) fn register(registry: &mut Registry) {
    script::<DepthUpdate>(
        registry,
        ("script_depth", "Plays a script of changes of depth by price."),
        "(steps: [Add(value: (instrument: 0, change: Set(side: Buy, price: 99, quantity: 5), last: true))])",
    );
    script::<BookUpdate>(
        registry,
        ("script_book", "Plays a script of changes of a book by order."),
        "(steps: [Add(value: (instrument: 0, change: Add(id: 1, side: Buy, price: 99, quantity: 5)))])",
    );
    registry
        .actor("bars", "Makes bars of trades or quotes and publishes each when it is over.", bars)
        .param("instrument", "the number of the instrument")
        .param("span", "Time(duration), Volume(units of the last decimal) or Count(trades or quotes)")
        .param("price", "Trades, Bid, Ask or Mid; default: Trades")
        .param("quotes", "streams of quotes to hear")
        .param("trades", "streams of trades to hear")
        .param("events", "streams of quotes and trades in one to hear")
        .example(r#"(instrument: 0, span: Time("1m"), trades: ["btc-trades"])"#);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BarsParams {
    instrument: InstrumentId,
    span: BarSpan,
    #[serde(default)]
    price: BarPrice,
    #[serde(default)]
    quotes: Vec<String>,
    #[serde(default)]
    trades: Vec<String>,
    #[serde(default)]
    events: Vec<String>,
}

fn bars(params: BarsParams, scene: &mut Scene<'_, BarMaker>) -> Result<BarMaker, SceneError> {
    hear(scene, &params.quotes, &params.trades, &params.events)?;
    BarMaker::new(params.instrument, params.span, params.price)
        .map_err(|error| SceneError::param("span", format!("makes no bars: {error}")))
}
