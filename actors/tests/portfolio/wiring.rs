//! What must fit between those who trade with each other is looked at before a run: links, what is listed, books and what feeds them, fees.

use stillpoint_engine::scenario::{Registry, Scenario};

const SCENARIO: &str = r#"(
    name: "wired",
    streams: [(name: "quotes", kind: script_quotes(steps: [])), (name: "trades", kind: script_trades(steps: []))],
    actors: [
        (name: "buyer", kind: twap(instrument: (id: 0, symbol: "X"), exchange: "inner", quotes: ["quotes"], side: Buy, quantity: "1", slices: 1, every: "1s")),
        (name: "inner", kind: portfolio(currencies: [(code: "USD")], contracts: [(instrument: (id: 0, symbol: "X"), exchange: "outer", settlement: "USD")])),
        (name: "outer", kind: portfolio(currencies: [(code: "USD")], contracts: [(instrument: (id: 0, symbol: "X"), exchange: "market", settlement: "USD")])),
        (name: "market", kind: exchange(listings: [(instrument: (id: 0, symbol: "X"), rules: (book: L1))], quotes: ["quotes"])),
    ],
    links: [
        (from: "buyer", to: "inner", latency: "1ms"), (from: "inner", to: "buyer", latency: "1ms"),
        (from: "inner", to: "outer", latency: "1ms"), (from: "outer", to: "inner", latency: "1ms"),
        (from: "outer", to: "market", latency: "1ms"), (from: "market", to: "outer", latency: "1ms"),
    ],
)"#;

fn build(text: &str) -> Result<(), String> {
    let mut registry = Registry::new();
    stillpoint_actors::register(&mut registry);
    let scenario = Scenario::parse("wired.ron", text, &[]).map_err(|error| error.to_string())?;
    scenario.build(&registry).map(|_| ()).map_err(|error| error.to_string())
}

/// Replaces a text, and expects an error that begins so and gives this help.
#[track_caller]
fn check(from: &str, to: &str, first: &str, help: &str) {
    assert_eq!(SCENARIO.matches(from).count(), 1, "`{from}` stands there once");
    let error = build(&SCENARIO.replace(from, to)).expect_err(to);
    assert_eq!(error.lines().next(), Some(first), "{error}");
    assert!(error.contains(&format!("help: {help}")), "{error}");
}

#[test]
fn what_fits_is_built() {
    assert_eq!(build(SCENARIO), Ok(()));
    // Trades fill what rests, and orders of the run's own may be all that there are.
    assert_eq!(build(&SCENARIO.replace("(book: L1))], quotes: [\"quotes\"]", "(book: L1))], trades: [\"trades\"]")), Ok(()));
    assert_eq!(build(&SCENARIO.replace("(book: L1))], quotes: [\"quotes\"]", "(book: L3))]")), Ok(()));
    // The whole value is the dearest fee there is, and the largest rebate.
    assert_eq!(build(&SCENARIO.replace("book: L1", "fees: [(maker: -1000000, taker: 1000000)]")), Ok(()));
    let links = SCENARIO.find("    links:").expect("links");
    assert_eq!(build(&format!("{})", &SCENARIO[..links])), Ok(()));
}

#[test]
fn a_link_that_is_missing_is_told_whichever_way() {
    let help = "declare it: `links: [(from: \"buyer\", to: \"inner\", latency: \"1ms\")]`, or no links at all";
    check("(from: \"buyer\", to: \"inner\", latency: \"1ms\"), ", "", "wired.ron:5:80: no link leads from `buyer` to `inner`", help);
    let there = ", (from: \"market\", to: \"outer\", latency: \"1ms\")";
    check(there, "", "wired.ron:7:127: no link leads from `market` to `outer`", "declare it: `links: [(from: \"market\", to: \"outer\"");
}

#[test]
fn what_is_not_listed_is_told_where_it_is_asked_for() {
    let help = "`market` trades `X` (id 3): give the id of one of these, or add the instrument there";
    check(
        "listings: [(instrument: (id: 0",
        "listings: [(instrument: (id: 3",
        "wired.ron:7:95: `instrument` `X` (id 0) is not traded by `market`",
        help,
    );
    let help = "`inner` trades `X` (id 0): give the id of one of these, or add the instrument there";
    check("twap(instrument: (id: 0", "twap(instrument: (id: 1", "wired.ron:5:64: `X` (id 1) is not traded by `inner`", help);
}

#[test]
fn portfolios_do_not_go_round() {
    let from = "exchange: \"market\"";
    check(
        from,
        "exchange: \"outer\"",
        "wired.ron:7:127: `exchange` names the portfolio itself: orders would never come to an exchange",
        "name an exchange",
    );
    check(
        from,
        "exchange: \"inner\"",
        "wired.ron:6:127: `exchange` leads back to `inner`: orders would never come to an exchange",
        "name an exchange",
    );
}

#[test]
fn a_book_wants_what_feeds_it() {
    let help = "name one in `quotes`; a market of the run's own actors alone has `rules: (book: L3)`";
    let first = "wired.ron:8:101: `book` of `X` is L1, but `quotes` names no stream: its orders would meet no market";
    check("(book: L1))], quotes: [\"quotes\"]", "(book: L1))]", first, help);
    let first = "wired.ron:8:101: `book` of `X` is L2, but `depth` names no stream: its orders would meet no market";
    check("book: L1", "book: L2", first, "name one in `depth`; ");
}

#[test]
fn a_fee_is_no_more_than_the_whole() {
    for rate in ["1000001", "-1000001"] {
        let fees = format!("fees: [(maker: 0, taker: {rate})]");
        let cause = format!(
            "wired.ron:8:101: `fees` of `X` are no fees: {rate} millionths are more than the whole value traded; write 100 for a basis point, and 10000 for a percent"
        );
        let error = build(&SCENARIO.replace("book: L1", &fees)).expect_err(&fees);
        assert_eq!(error.lines().next(), Some(cause.as_str()), "{error}");
    }
}
