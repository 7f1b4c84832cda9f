//! The instrument in the parameters of kinds: documented once, whichever kinds take it.

use stillpoint_engine::scenario::Registry;

use crate::instrument::Instrument;

/// Adds it.
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
}

#[cfg(test)]
mod tests {
    use ron::Options;
    use ron::extensions::Extensions;

    use super::*;

    #[test]
    fn defaults_are_those_of_the_type() {
        let options = Options::default().with_default_extension(Extensions::IMPLICIT_SOME);
        let read = |text: &str| options.from_str::<Instrument>(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let long = r#"(id: 0, symbol: "X", price_decimals: 8, quantity_decimals: 8, tick_size: 1, lot_size: 1, multiplier: 1, contract: Linear, quote_currency: "")"#;
        assert_eq!(read(r#"(id: 0, symbol: "X")"#), read(long));
    }
}
