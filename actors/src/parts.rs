//! What the structs in parameters of this crate's kinds are made of: each documented once, whichever kinds take it.

use stillpoint_engine::scenario::Registry;

use crate::exchange::{FeeTier, Latencies, LatencyPoint, Listing, MarketRules, PlannedPhase};
use crate::instrument::Instrument;
use crate::strategy::OrderRate;

/// Adds an instrument, and what an exchange is told of one.
pub(crate) fn register(registry: &mut Registry) {
    registry
        .part::<Instrument>(
            "instrument",
            "What is traded. All that trade one instrument must be given the same for all of it; streams, the same symbol and decimals.",
        )
        .field("id", "the number by which quotes, trades and orders name it")
        .field("symbol", "what people call it, such as \"BTCUSDT\"")
        .optional("price_decimals", "8", "decimals of its prices, 0 to 18: with 2, a price of 87000.25 is the whole number 8700025")
        .optional("quantity_decimals", "8", "decimals of its quantities, 0 to 18")
        .optional("tick_size", "1", "the step of its prices, in units of their last decimal: with 2 decimals, 5 is a step of 0.05")
        .optional("lot_size", "1", "the step of its quantities, in units of their last decimal: with 3 decimals, 10 is a step of 0.01")
        .optional("multiplier", "1", "how much of the underlying a quantity of 1 is (Linear), or of the quote currency (Inverse)")
        .optional("contract", "Linear", "what it is worth: Linear, quantity * multiplier * price; Inverse, quantity * multiplier / price")
        .optional(
            "quote_currency",
            "\"\"",
            "the currency of its prices, such as \"USD\"; needed by a portfolio whose contract has no `settlement`",
        );
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
        .part::<OrderRate>("order rate", "How many orders and changes may be sent.")
        .field("count", "how many")
        .field("within", "in how long");
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
        same::<Instrument>(
            r#"(id: 0, symbol: "X")"#,
            r#"(id: 0, symbol: "X", price_decimals: 8, quantity_decimals: 8, tick_size: 1, lot_size: 1, multiplier: 1, contract: Linear, quote_currency: "")"#,
        );
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
