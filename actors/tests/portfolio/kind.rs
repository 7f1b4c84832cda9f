//! The kind `portfolio` in scenarios: what it comes to, and errors with their places.

use stillpoint_engine::Value;
use stillpoint_engine::scenario::{Registry, Scenario};

/// A slice of 0.50 is bought each second at 101.0; the price falls at the fourth.
const SCENARIO: &str = r#"(
    name: "account",
    streams: [
        (name: "quotes", kind: script_quotes(steps: [
            Add(at: "2025-01-01T00:00:00Z", value: (instrument: 0, bid: 1000, bid_quantity: 900, ask: 1010, ask_quantity: 900)),
            Add(at: "2025-01-01T00:00:01Z", value: (instrument: 0, bid: 1000, bid_quantity: 900, ask: 1010, ask_quantity: 900)),
            Add(at: "2025-01-01T00:00:02Z", value: (instrument: 0, bid: 1000, bid_quantity: 900, ask: 1010, ask_quantity: 900)),
            Add(at: "2025-01-01T00:00:03Z", value: (instrument: 0, bid: 1000, bid_quantity: 900, ask: 1010, ask_quantity: 900)),
            Add(at: "2025-01-01T00:00:04Z", value: (instrument: 0, bid: 800, bid_quantity: 900, ask: 810, ask_quantity: 900)),
        ])),
        (name: "funding", kind: script_funding(steps: [Add(at: "2025-01-01T00:00:03.5Z", value: (instrument: 0, rate: 10000000))])),
        (name: "rates", kind: script_rates(steps: [Add(at: "2025-01-01T00:00:03Z", value: (of: 1, within: 0, rate: 12, decimals: 1))])),
    ],
    actors: [
        (name: "buyer", kind: twap(
            instrument: (id: 0, symbol: "X", price_decimals: 1, quantity_decimals: 2), exchange: "account", quotes: ["quotes"],
            side: Buy, quantity: "2", slices: 4, every: "1s",
        )),
        (name: "account", kind: portfolio(
            currencies: [(code: "USD", decimals: 4, cash: "17.5"), (code: "EUR", decimals: 2, cash: "10")],
            contracts: [(
                instrument: (id: 0, symbol: "X", price_decimals: 1, quantity_decimals: 2, quote_currency: "USD"), exchange: "exchange",
                margin: (mode: Cross, initial: "0.1", maintenance: "0.05"),
            )],
            rates: [(of: "EUR", within: "USD", rate: "1.1")],
            liquidation_fee: "0.01",
            quotes: ["quotes"], quotes_of: ["exchange"], funding: ["funding"], conversions: ["rates"],
        )),
        (name: "exchange", kind: exchange(
            listings: [(instrument: (id: 0, symbol: "X", price_decimals: 1, quantity_decimals: 2))], quotes: ["quotes"], publish: true,
        )),
    ],
)"#;

fn registry() -> Registry {
    let mut registry = Registry::new();
    stillpoint_actors::register(&mut registry);
    registry
}

#[test]
fn a_scenario_with_margin_funding_and_two_currencies() {
    let scenario = Scenario::parse("account.ron", SCENARIO, &[]).expect("a scenario");
    let outcome = scenario.build(&registry()).unwrap_or_else(|error| panic!("{error}")).simulation.run().expect("a run");
    let report = outcome.report("account").expect("a report");
    for (name, value) in [
        // Slices at 0, 1 and 2 s take 5.05 each of 17.50; that at 3 s would take more than the 1.00 that is left then.
        ("fills", Value::Integer(3)),
        ("rejected because the account does not cover what the order could open", Value::Integer(1)),
        // 1.5 at 100.0, what selling them would bring, times a hundredth.
        ("USD funding", Value::Number(-1.5)),
        // 1.5 bought for 151.50 are worth 120.00: the loss is more than there is. A hundredth of 120 is the fee.
        ("liquidations", Value::Integer(1)),
        ("USD realised", Value::Number(-31.5)),
        ("USD fees", Value::Number(1.2)),
        ("USD equity", Value::Number(-16.7)),
        ("X position", Value::Number(0.0)),
        // 10 euros at 1.2.
        ("total in USD", Value::Number(-4.7)),
    ] {
        assert_eq!(report.get(name), Some(&value), "{name} in {report:?}");
    }
    let Some(Value::Number(position)) = outcome.report("buyer").and_then(|report| report.get("X position")) else { panic!("no position") };
    assert_eq!(*position, 0.0, "the strategy has heard of the liquidation");
}

/// A coin in which profit of contracts of 100 dollars is paid, prices with one decimal, quantities with none.
const INVERSE: &str = r#"(
    name: "coins",
    streams: [
        (name: "quotes", kind: script_quotes(steps: [
            Add(at: "2025-01-01T00:00:00Z", value: (instrument: 0, bid: 500000, bid_quantity: 900, ask: 500000, ask_quantity: 900)),
            Add(at: "2025-01-01T00:00:02Z", value: (instrument: 0, bid: 625000, bid_quantity: 900, ask: 625000, ask_quantity: 900)),
        ])),
    ],
    actors: [
        (name: "buyer", kind: twap(
            instrument: (id: 0, symbol: "X", price_decimals: 1, quantity_decimals: 0, multiplier: 100, contract: Inverse),
            exchange: "account", quotes: ["quotes"], side: Buy, quantity: "101", slices: 1, every: "1s",
        )),
        (name: "account", kind: portfolio(
            currencies: [(code: "BTC", cash: "1")],
            contracts: [(
                instrument: (id: 0, symbol: "X", price_decimals: 1, quantity_decimals: 0, multiplier: 100, contract: Inverse),
                exchange: "exchange", settlement: "BTC", margin: (mode: Cross, initial: "0.1", maintenance: "0.05"),
            )],
            quotes: ["quotes"],
        )),
        (name: "exchange", kind: exchange(
            listings: [(
                instrument: (id: 0, symbol: "X", price_decimals: 1, quantity_decimals: 0, multiplier: 100, contract: Inverse),
                rules: (fees: [(maker: 0, taker: 500)]),
            )],
            quotes: ["quotes"],
        )),
    ],
)"#;

/// 101 contracts bought at 50,000 are 0.202 coins, at 62,500 they are 0.1616: a profit of 0.0404, less a fee of 0.0005 * 0.202 = 0.000101.
#[test]
fn money_of_an_inverse_contract_with_few_decimals_is_counted_in_small_parts_of_a_coin() {
    let scenario = Scenario::parse("coins.ron", INVERSE, &[]).expect("a scenario");
    let outcome = scenario.build(&registry()).unwrap_or_else(|error| panic!("{error}")).simulation.run().expect("a run");
    for (actor, name, value) in [
        ("exchange", "X fees", 0.000_101),
        ("account", "BTC fees", 0.000_101),
        ("account", "BTC unrealised", 0.0404),
        ("account", "BTC equity", 1.040_299),
        ("buyer", "X fees", 0.000_101),
        ("buyer", "X unrealised", 0.0404),
        ("buyer", "X profit", 0.040_299),
    ] {
        let report = outcome.report(actor).expect("a report");
        assert_eq!(report.get(name), Some(&Value::Number(value)), "{name} in {report:?}");
    }
}

#[test]
fn all_must_mean_the_same_instrument_by_a_number() {
    // What is replaced first is what the buyer says; the account, of an earlier name, was made before it.
    for (from, to, expected) in [
        ("symbol: \"X\"", "symbol: \"Y\"", "`symbol` of instrument 0 is \"Y\" at `buyer`, but \"X\" at `account`"),
        ("price_decimals: 1", "price_decimals: 2", "`price_decimals` of instrument 0 is 2 at `buyer`, but 1 at `account`"),
        ("quantity_decimals: 0, ", "", "`quantity_decimals` of instrument 0 is 8 at `buyer`, but 0 at `account`"),
        ("multiplier: 100", "multiplier: 100, tick_size: 5", "`tick_size` of instrument 0 is 5 at `buyer`, but 1 at `account`"),
        ("multiplier: 100", "multiplier: 100, lot_size: 2", "`lot_size` of instrument 0 is 2 at `buyer`, but 1 at `account`"),
        ("multiplier: 100", "multiplier: 10", "`multiplier` of instrument 0 is 10 at `buyer`, but 100 at `account`"),
        (", contract: Inverse", "", "`contract` of instrument 0 is Linear at `buyer`, but Inverse at `account`"),
    ] {
        let scenario = Scenario::parse("coins.ron", &INVERSE.replacen(from, to, 1), &[]).expect("a scenario");
        let error = scenario.build(&registry()).map(|_| ()).expect_err(to).to_string();
        assert_eq!(error.lines().next(), Some(format!("coins.ron:11:41: {expected}").as_str()));
    }
}

/// Replaces a text, and expects an error at what stands in its place.
fn check(from: &str, to: &str, place: &str, expected: &str) {
    assert!(SCENARIO.contains(from), "{from}");
    let text = SCENARIO.replacen(from, to, 1);
    let scenario = Scenario::parse("account.ron", &text, &[]);
    let error = scenario.and_then(|scenario| scenario.build(&registry()).map(|_| ())).expect_err(to).to_string();
    // A hint follows in a line of its own.
    assert!(expected.split(": ").all(|part| error.contains(part)), "expected: {expected}\nfound:    {error}");
    let account = text.find("name: \"account\", kind").expect("the actor");
    let at = account + text[account..].find(place).expect("the place");
    let (line, column) = (text[..at].matches('\n').count() + 1, at - text[..at].rfind('\n').expect("not in the first line"));
    assert!(error.contains(&format!("account.ron:{line}:{column}")), "expected {line}:{column}\nfound:    {error}");
}

#[test]
fn errors_name_their_places() {
    check("cash: \"17.5\"", "cash: \"many\"", "\"many\"", "`cash` is `many`, which is no amount");
    check("(code: \"EUR\", decimals: 2", "(code: \"USD\", decimals: 2", "\"USD\"", "there are two accounts in `USD`");
    check("decimals: 4", "decimals: 1", "\"X\"", "the settlement currency has 1 decimals, but amounts of the contract need 3 to be exact");
    check("quote_currency: \"USD\"", "quote_currency: \"USB\"", "\"USB\"", "the portfolio has no account in `USB`: did you mean `USD`?");
    check(", quote_currency: \"USD\"", "", "\"X\"", "`X` names no currency in which it is settled: give its `settlement`");
    check("of: \"EUR\"", "of: \"GBP\"", "\"GBP\"", "the portfolio has no account in `GBP`");
    check("rate: \"1.1\"", "rate: \"one\"", "\"one\"", "`rate` is `one`, which is no finite decimal number");
    check("initial: \"0.1\"", "initial: \"10\"", "\"10\"", "`initial` is `10`, which is no part of a whole: give 0 to 1");
    check("initial: \"0.1\"", "initial: \"0.01\"", "\"X\"", "maintenance no more than initial");
    check("liquidation_fee: \"0.01\"", "liquidation_fee: \"-1\"", "\"-1\"", "`liquidation_fee` is `-1`, which is no part of a whole");
    check("exchange: \"exchange\"", "exchange: \"exchang\"", "\"exchang\"", "did you mean `exchange`?");
    check("quotes_of: [\"exchange\"]", "quotes_of: [\"buyer\"]", "\"buyer\"", "buyer");
    check("cash: \"17.5\"", "cash: \"-17.5\"", "\"-17.5\"", "`cash` is `-17.5`, but no less than nothing can be paid in");
    let twice = "exchange: \"exchange\",\n                margin";
    check(twice, &twice.replace("\"exchange\"", "\"account\""), "\"account\",\n", "`exchange` names the portfolio itself");
    check("listings: [(instrument: (id: 0", "listings: [(instrument: (id: 4", "(id: 0, symbol: \"X\"", {
        "`X` (id 0) is not traded by `exchange`: `exchange` trades `X` (id 4): give the id of one of these"
    });
    check("quotes: [\"quotes\"], publish", "publish", "(instrument: (id: 0", "`book` of `X` is L1, but `quotes` names no stream");
    check("mode: Cross", "mode: Crossed", "Crossed", "Cross");
    check("liquidation_fee", "liquidation_fees", "liquidation_fees", "did you mean `liquidation_fee`?");
}
