//! The kinds of strategies that scenarios name: each runs in one scenario, and each error names its field.

use stillpoint_engine::Value;
use stillpoint_engine::scenario::{Registry, Scenario};

/// A scenario with an exchange of X and Y, bars of X, quotes of both, and these actors.
fn scenario(actors: &str) -> String {
    let quote = |id, at, mid: i64| {
        let (bid, ask) = (mid - 1, mid + 1);
        format!(
            r#"Add(at: "2025-01-01T00:00:{at:02}Z", value: (instrument: {id}, bid: {bid}, bid_quantity: 50, ask: {ask}, ask_quantity: 50))"#
        )
    };
    let steps: Vec<String> = (0..50).flat_map(|at| [quote(0, at, 100 + at % 7), quote(1, at, 200 + at % 5)]).collect();
    format!(
        r#"(
            name: "strategies",
            streams: [(name: "quotes", kind: script_quotes(steps: [{}]))],
            actors: [
                (name: "exchange", kind: exchange(
                    listings: [
                        (instrument: (id: 0, symbol: "X", price_decimals: 1, quantity_decimals: 2)),
                        (instrument: (id: 1, symbol: "Y", price_decimals: 1, quantity_decimals: 2)),
                    ],
                    quotes: ["quotes"],
                )),
                (name: "seconds", kind: bars(instrument: 0, span: Time("1s"), price: Mid, quotes: ["quotes"])),
                {actors}
            ],
        )"#,
        steps.join(", ")
    )
}

const X: &str = r#"(id: 0, symbol: "X", price_decimals: 1, quantity_decimals: 2)"#;
const Y: &str = r#"(id: 1, symbol: "Y", price_decimals: 1, quantity_decimals: 2)"#;

fn registry() -> Registry {
    let mut registry = Registry::new();
    stillpoint_actors::register(&mut registry);
    registry
}

fn actors() -> [(&'static str, String); 6] {
    [
        (
            "maker",
            format!(
                r#"market_maker(instrument: {X}, exchange: "exchange", quotes: ["quotes"], quantity: "0.02", limit: "0.1", half_spread: "0.2",
                skew: "0.1", requote: "0.1", limits: (max_open_orders: 2, max_orders: (count: 10, within: "1s"), collar: 1000, max_loss: "5.5"))"#
            ),
        ),
        (
            "pair",
            format!(
                r#"pairs(y: {X}, x: {Y}, exchange: "exchange", quotes: ["quotes"], quantity: "0.1", period: 10, every: "1s", entry: 1.2,
                exit: 0.5, limits: (max_order: "0.3", max_position: "1"))"#
            ),
        ),
        (
            "momentum",
            format!(
                r#"macd_rsi(instrument: {X}, exchange: "exchange", quotes: ["quotes"], bars_of: ["seconds"], quantity: "0.1",
                macd: (fast: 2, slow: 4, signal: 2), rsi: 5, overbought: 99, oversold: 1)"#
            ),
        ),
        (
            "channel",
            format!(
                r#"breakout(instrument: {X}, exchange: "exchange", quotes: ["quotes"], bars_of: ["seconds"], quantity: "0.1", entry: 5, exit: 2,
                trade_from: "2025-01-01T00:00:03Z", trade_until: "2025-01-01T00:00:45Z")"#
            ),
        ),
        (
            "averages",
            format!(
                r#"ma_cross(instrument: {X}, exchange: "exchange", quotes: ["quotes"], bars_of: ["seconds"], quantity: "0.1", fast: 2, slow: 5)"#
            ),
        ),
        (
            "slices",
            format!(
                r#"twap(instrument: {X}, exchange: "exchange", quotes: ["quotes"], side: Sell, quantity: "0.4", slices: 4, every: "2s",
                start: "2025-01-01T00:00:10Z", limit: "5")"#
            ),
        ),
    ]
}

#[test]
fn every_kind_can_be_named_and_trades() {
    let all: Vec<String> = actors().iter().map(|(name, kind)| format!("(name: \"{name}\", kind: {kind})")).collect();
    let scenario = Scenario::parse("strategies.ron", &scenario(&all.join(",\n")), &[]).expect("a scenario");
    let outcome = scenario.build(&registry()).expect("known kinds").simulation.run().expect("a run");
    for (name, _) in actors() {
        let report = outcome.report(name).expect("a report");
        let Some(Value::Integer(fills)) = report.get("fills") else { panic!("{name} counts no fills") };
        assert!(*fills > 0, "{name} traded nothing: {report:?}");
    }
    let report = |name: &str| outcome.report("slices").and_then(|report| report.get(name)).cloned();
    assert_eq!(
        (report("done"), report("X position"), report("orders")),
        (Some(Value::Number(1.0)), Some(Value::Number(-0.4)), Some(Value::Integer(4)))
    );
}

/// Changes one of the actors, and compares the error up to where `expected` ends.
fn check(name: &str, from: &str, to: &str, expected: &str) {
    let kind = actors().into_iter().find(|(other, _)| *other == name).expect("one of them").1;
    assert!(kind.contains(from), "{name} has no {from}");
    let text = scenario(&format!("(name: \"{name}\", kind: {})", kind.replace(from, to)));
    let scenario = Scenario::parse("strategies.ron", &text, &[]).expect("a well-formed scenario");
    let error = scenario.build(&registry()).err().expect("an error").to_string();
    assert!(error.contains(expected), "expected: {expected}\nfound:    {error}");
}

#[test]
fn errors_name_their_field() {
    check("maker", r#"quantity: "0.02""#, r#"quantity: "0.001""#, "`quantity` is `0.001`, which has more than the instrument's 2 decimals");
    check("maker", r#"skew: "0.1""#, r#"skew: "-0.1""#, "`skew` is below zero");
    check("maker", r#"half_spread: "0.2""#, r#"half_spread: "0""#, "`half_spread` is not above zero");
    check("maker", "skew", "skw", "did you mean `skew`?");
    check("maker", "max_loss", "max_los", "max_loss");
    check("maker", r#"max_loss: "5.5""#, r#"max_loss: "-5.5""#, "`max_loss` is not above zero");
    check("maker", r#"within: "1s""#, r#"within: "0s""#, "`max_orders` has an interval that is not above zero");
    check("maker", r#"exchange: "exchange""#, r#"exchange: "seconds""#, "actor `seconds` of kind `bars` does not accept `order-request`");
    check("maker", r#"exchange: "exchange""#, r#"exchange: "exchang""#, "did you mean `exchange`?");
    check("pair", "exit: 0.5", "exit: 1.5", "`exit` must be at least 0 and below `entry`, which is 1.2");
    check("pair", "id: 1", "id: 0", "`x` is the same instrument as `y`");
    check("pair", r#"max_order: "0.3""#, r#"max_order: "x""#, "`max_order` is `x`, which is no finite decimal number");
    check("momentum", r#"bars_of: ["seconds"], "#, "", "`bars` names no stream, and `bars_of` no actor");
    check(
        "momentum",
        r#"bars_of: ["seconds"]"#,
        r#"bars_of: ["exchange"]"#,
        "actor `exchange` is of kind `exchange`, which does not fit here",
    );
    check("averages", "slow: 5", "slow: 2", "`slow` must be above `fast`, which is 2");
    check("averages", r#"quantity: "0.1""#, r#"quantity: "0""#, "`quantity` is not above zero");
    check("averages", r#"bars_of: ["seconds"], "#, "", "`bars` names no stream, and `bars_of` no actor");
    check("channel", "exit: 2", "exit: 6", "`exit` must not be above `entry`, which is 5");
    check("channel", "00:00:45Z", "00:00:02Z", "`trade_until` is 2025-01-01T00:00:02Z, which is not after `trade_from`");
    check("slices", r#"every: "2s""#, r#"every: "0s""#, "`every` is not above zero");
    check("slices", r#"limit: "5""#, r#"limit: "5.55""#, "`limit` is `5.55`, which has more than the instrument's 1 decimals");
}
