//! The kind `exchange` of scenarios.

use serde::Deserialize;
use stillpoint_engine::scenario::{Registry, Scene, SceneError};

use super::{BookKind, Exchange, ExchangeSettings, FeeTier, Latencies, LatencyPoint, Listing, MarketRules, PhaseChange, PlannedPhase};
use crate::declared::declare;
use crate::kinds::{hear, subscribe};
use crate::market::{BookUpdate, DepthUpdate};
use crate::order::{Order, OrderRequest};
use crate::wiring::Takes;

/// Adds the kind `exchange`.
pub(crate) fn register(registry: &mut Registry) {
    registry.part::<Listing>("listing", "An instrument, and what an exchange does in it.").field("instrument", "what is traded").optional(
        "rules",
        "()",
        "how: with none, best quotes, no fees, no impact",
    );
    registry
        .part::<MarketRules>("rules", "What an exchange does in one instrument.")
        .optional("book", "L1", "what orders meet: L1, `quotes` or `events`, or `trades` alone; L2, `depth`; L3, `books`, or with none the run's own orders alone")
        .optional("queue", "RiskAverse", "how far others' cancellations move a resting order of L1 and L2: RiskAverse (only from behind it), Power(n: 1.0), Log, LogOfAll, PowerOfShare(n: 1.0)")
        .optional("self_trade", "CancelNewest", "what happens when an owner would trade with itself; Allow: it does")
        .optional("fees", "[]", "what fills cost, by the value an owner has traded before: the first tier is from 0; none is free")
        .optional("fee_days", "all since the run began", "of how many days of UTC that value is, today among them")
        .optional("impact", "None", "how much worse than displayed taking is: None, Ticks(2), or Linear and SquareRoot(coefficient: 1.0, volatility: 0.02, volume: 500000), with the volatility and the volume of one time, such as a day; the volume in units of the last decimal")
        .optional("trigger_by", "Quotes", "which price triggers stops: Quotes, the best one to fill them at; Trades, the last one")
        .optional("negative_prices", "false", "whether prices of zero and below are prices, as those of spreads are");
    registry
        .part::<FeeTier>("fee tier", "What fills cost those who have traded so much.")
        .optional("from", "0", "the traded value from which on it holds, in units of the last decimal of the instrument's money, which has as many as price and quantity together, and at least 16 for Inverse: with 2 and 3 decimals (Linear), 100000000 is 1000")
        .field("maker", "the fee of an order that rested, in millionths of the value traded: 100 are a basis point, 10000 a percent; below zero for a rebate; 1000000 at most")
        .field("taker", "the same for an order that took, and in auctions");
    registry
        .part::<Latencies>("latencies", "How long requests and answers take, beyond links: None, Constant(\"5ms\"), Uniform(least: \"1ms\", most: \"5ms\"), Exponential(least: \"1ms\", mean: \"2ms\"), LogNormal(median: \"5ms\", sigma: 0.5), Recorded([(at: \"2025-03-25T23:07:00Z\", latency: \"5ms\")]).")
        .optional("entry", "None", "from who sends an order to the matching")
        .optional("response", "None", "from the matching to who sent it");
    registry
        .part::<LatencyPoint>("recorded latency", "A latency at an instant.")
        .field("at", "when it was measured")
        .field("latency", "how long it was");
    registry
        .part::<PlannedPhase>("phase change", "A change of phase that is known beforehand.")
        .field("at", "when; what streams say of that instant comes before it")
        .optional("instrument", "all", "the number of the instrument")
        .field(
            "phase",
            "from then on: Open; Halted, orders can only be cancelled; Auction, they gather and meet at one price; Closed, none is taken",
        );
    registry
        .actor("exchange", "Matches orders with each other and with a recorded market: queues, stops, fees, latencies, phases.", exchange)
        .param(
            "listings",
            "what it trades, and by which rules",
        )
        .param("quotes", "streams of quotes, for books of kind L1")
        .param("trades", "streams of trades")
        .param("events", "streams of quotes and trades in one")
        .param("depth", "streams of changes of depth by price, for books of kind L2")
        .param("books", "streams of changes by order, for books of kind L3")
        .param("latencies", "how long requests and answers take beyond links; default: no time")
        .param("phases", "changes of phase; default: open all the time")
        .param("publish", "whether actors may subscribe to its trades and best prices; default: false")
        .example(
            r#"(listings: [(instrument: (id: 0, symbol: "BTCUSDT"), rules: (fees: [(maker: 200, taker: 500)]))], quotes: ["btc-quotes"], trades: ["btc-trades"], latencies: (entry: Constant("5ms"), response: Constant("5ms")))"#,
        )
        .accepts::<Order>()
        .accepts::<OrderRequest>()
        .accepts::<PhaseChange>();
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExchangeParams {
    listings: Vec<Listing>,
    #[serde(default)]
    quotes: Vec<String>,
    #[serde(default)]
    trades: Vec<String>,
    #[serde(default)]
    events: Vec<String>,
    #[serde(default)]
    depth: Vec<String>,
    #[serde(default)]
    books: Vec<String>,
    #[serde(default)]
    latencies: Latencies,
    #[serde(default)]
    phases: Vec<PlannedPhase>,
    #[serde(default)]
    publish: bool,
}

fn exchange(params: ExchangeParams, scene: &mut Scene<'_, Exchange>) -> Result<Exchange, SceneError> {
    hear(scene, &params.quotes, &params.trades, &params.events)?;
    subscribe::<DepthUpdate, _>(scene, &params.depth)?;
    subscribe::<BookUpdate, _>(scene, &params.books)?;
    for (index, listing) in params.listings.iter().enumerate() {
        possible(listing, index, &params)?;
        declare(scene, &listing.instrument)?;
    }
    scene.note(Takes::matched(params.listings.iter().map(|listing| &listing.instrument)));
    let ExchangeParams { listings, latencies, phases, publish, .. } = params;
    Exchange::new(ExchangeSettings { listings, latencies, phases, publish }).map_err(|error| SceneError::new(error.to_string()))
}

/// Looks at what can be wrong with one listing.
fn possible(listing: &Listing, index: usize, params: &ExchangeParams) -> Result<(), SceneError> {
    let Listing { instrument, rules } = listing;
    let at = |place: &str| format!("listings.{index}.{place}");
    instrument.check().map_err(|fault| SceneError::param(&at("instrument"), format!("`{}` {fault}", instrument.symbol)))?;
    rules.fees.check().map_err(|fault| SceneError::param(&at("rules.fees"), format!("of `{}` are no fees: {fault}", instrument.symbol)))?;
    rules.check().map_err(|fault| SceneError::param(&at("rules"), format!("of `{}` cannot be: {fault}", instrument.symbol)))?;
    let ExchangeParams { quotes, trades, events, depth, .. } = params;
    // With trades alone orders can rest in a book of best prices, and trades fill them. A book of orders may be one of the run's own actors.
    let is_fed = match rules.book {
        BookKind::L1 => [quotes, trades, events].into_iter().any(|streams| !streams.is_empty()),
        BookKind::L2 => !depth.is_empty(),
        BookKind::L3 => true,
    };
    if is_fed {
        return Ok(());
    }
    let stream = if rules.book == BookKind::L2 { "depth" } else { "quotes" };
    let cause = format!("of `{}` is {:?}, but `{stream}` names no stream: its orders would meet no market", instrument.symbol, rules.book);
    let help = format!("name one in `{stream}`; a market of the run's own actors alone has `rules: (book: L3)`");
    Err(SceneError::param(&at("rules.book"), cause).with_help(help))
}

#[cfg(test)]
mod tests {
    use ron::Options;
    use ron::extensions::Extensions;

    use super::*;

    /// The defaults that are told, written out.
    #[test]
    fn defaults_are_those_of_the_types() {
        fn same<T: serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(short: &str, long: &str) {
            let options = Options::default().with_default_extension(Extensions::IMPLICIT_SOME);
            let read = |text: &str| options.from_str::<T>(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(read(short), read(long));
        }
        same::<Listing>(r#"(instrument: (id: 0, symbol: "X"))"#, r#"(instrument: (id: 0, symbol: "X"), rules: ())"#);
        same::<MarketRules>(
            "()",
            "(book: L1, queue: RiskAverse, self_trade: CancelNewest, fees: [], impact: None, trigger_by: Quotes, negative_prices: false)",
        );
        same::<FeeTier>("(maker: 1, taker: 2)", "(from: 0, maker: 1, taker: 2)");
        same::<Latencies>("()", "(entry: None, response: None)");
    }

    #[test]
    fn nothing_is_left_undocumented() {
        let mut registry = Registry::new();
        crate::register(&mut registry);
        let exchange = registry.actor_kinds().find(|kind| kind.name == "exchange").expect("the kind");
        let portfolio = registry.actor_kinds().find(|kind| kind.name == "portfolio").expect("the kind");
        let maker = registry.actor_kinds().find(|kind| kind.name == "market_maker").expect("the kind");
        let names = |kind| registry.parts_of(kind).into_iter().map(|part| part.name).collect::<Vec<_>>();
        assert_eq!(names(exchange), ["listing", "instrument", "rules", "fee tier", "latencies", "phase change"]);
        assert_eq!(names(portfolio), ["currency", "contract", "instrument", "margin", "rate"]);
        assert_eq!(names(maker), ["instrument", "limits", "order rate"]);
        for part in [exchange, portfolio, maker].into_iter().flat_map(|kind| registry.parts_of(kind)) {
            for field in &part.fields {
                assert!(!field.doc.is_empty(), "`{}` of `{}` is not documented", field.name, part.name);
            }
        }
    }
}
