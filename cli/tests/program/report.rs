//! `run --report`: its files, its numbers against ones worked out by hand, and that a report says the same wherever the run was.
//!
//! Two strategies follow the cross of an average of 1 (the price itself) and one of 2 (two thirds of each new price), and trade at an
//! exchange 100 ms away that takes half a percent. Mids at whole seconds, and what comes of them:
//!
//! | s | mid | average of 2 | what each strategy does | profit after it |
//! |---|---|---|---|---|
//! | 1 | 100 | 100 | | 0 |
//! | 2 | 106 | 104 | the price is above | 0 |
//! | 3 | 100 | 101.33 | below: sells 2, told at 3.2 that it sold at 99 | -2 * (100 - 99) - 0.99 = -2.99 |
//! | 4 | 106 | 104.44 | above: buys 4 | -2 * (106 - 99) - 0.99 = -14.99 |
//! | 4.2 | 106 | | told that it bought at 107: lost 16, holds 2; fee 2.14 | -16 - 2 - 3.13 = -21.13 |
//! | 5 | 112 | 109.48 | | -16 + 10 - 3.13 = -9.13 |
//! | 6 | 110 | 109.83 | | -16 + 6 - 3.13 = -13.13 |
//!
//! The run is 6 s long, so samples are 5 ms apart: 1,201 of them. `report_oracle.py` makes the statistics of these profits.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value as Json;

use crate::place::{Place, Ran, repository};

const CROSSES: &str = r#"(
    name: "crosses <&>",
    seed: 3,
    start: "2025-01-01T00:00:00Z",
    streams: [(name: "quotes", kind: script_quotes(steps: [
        Add(at: "2025-01-01T00:00:01Z", value: (instrument: 0, bid: 9900, bid_quantity: 1000, ask: 10100, ask_quantity: 1000)),
        Add(at: "2025-01-01T00:00:02Z", value: (instrument: 0, bid: 10500, bid_quantity: 1000, ask: 10700, ask_quantity: 1000)),
        Add(at: "2025-01-01T00:00:03Z", value: (instrument: 0, bid: 9900, bid_quantity: 1000, ask: 10100, ask_quantity: 1000)),
        Add(at: "2025-01-01T00:00:04Z", value: (instrument: 0, bid: 10500, bid_quantity: 1000, ask: 10700, ask_quantity: 1000)),
        Add(at: "2025-01-01T00:00:05Z", value: (instrument: 0, bid: 11100, bid_quantity: 1000, ask: 11300, ask_quantity: 1000)),
        Add(at: "2025-01-01T00:00:06Z", value: (instrument: 0, bid: 10900, bid_quantity: 1000, ask: 11100, ask_quantity: 1000)),
    ]))],
    actors: [
        (name: "one", kind: ema_cross(instrument: (id: 0, symbol: "X,Y", price_decimals: 2, quantity_decimals: 2), quotes: ["quotes"],
            venue: "exchange", fast: 1, slow: 2, quantity: "4", limit: "2")),
        (name: "two", kind: ema_cross(instrument: (id: 0, symbol: "X,Y", price_decimals: 2, quantity_decimals: 2), quotes: ["quotes"],
            venue: "exchange", fast: 1, slow: 2, quantity: "4", limit: "2")),
        (name: "exchange", kind: exchange(
            listings: [(instrument: (id: 0, symbol: "X,Y", price_decimals: 2, quantity_decimals: 2), rules: (fees: [(maker: 0, taker: 5000)]))],
            quotes: ["quotes"])),
    ],
    links: [
        (from: "one", to: "exchange", latency: "100ms"), (from: "exchange", to: "one", latency: "100ms"),
        (from: "two", to: "exchange", latency: "100ms"), (from: "exchange", to: "two", latency: "100ms"),
    ],
)"#;

/// What `report_oracle.py` prints: statistics of one strategy on a capital of 1,000.
const FIGURES: [(&str, f64); 15] = [
    ("total_return", -0.013129999999999975),
    ("volatility", 43.46263048542483),
    ("sharpe", -1576.613866670483),
    ("sortino", -2067.6885995789735),
    ("max_drawdown", 0.02113),
    ("value_at_risk", 0.0),
    ("expected_shortfall", -2.1097817645704864e-05),
    ("turnover", 0.629299989410749),
    ("exposure", 0.4666666666666666),
    ("benchmark_return", 0.1),
    ("beta", 0.0032455676514923253),
    ("alpha", -84319.452753272),
    ("correlation", 0.020205250699186494),
    ("tracking_error", 299.26272175076923),
    ("information_ratio", -2427.5124125309367),
];

/// What `report_oracle.py` prints of the account whose strategy trades half way to the exchange: see [`account`].
const ACCOUNT: [(&str, f64); 9] = [
    ("capital", 1000.0),
    ("profit", -15.13),
    ("total_return", -0.015129999999999977),
    ("volatility", 39.19562453594219),
    ("sharpe", -2024.5706815379594),
    ("sortino", -2037.2741518572852),
    ("max_drawdown", 0.016989999999999998),
    ("max_drawdown_span", 1855000000.0),
    ("value_at_risk", 0.0),
];

pub(crate) fn place() -> Place {
    Place::new(&[("crosses.ron", CROSSES.as_bytes())])
}

fn well(ran: &Ran) {
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{}", ran.out);
}

fn json(place: &Place, folder: &str) -> Json {
    let text = fs::read_to_string(place.path(folder).join("report.json")).expect("a report");
    serde_json::from_str(&text).expect("JSON")
}

fn close(found: &Json, expected: f64) -> bool {
    found.as_f64().is_some_and(|found| (found - expected).abs() <= 1e-9 * expected.abs().max(1.0))
}

#[test]
fn figures_are_those_worked_out_by_hand() {
    let place = place();
    let ran = place.run(&["run", "crosses.ron", "--report", "out", "--capital", "1000"]);
    well(&ran);
    assert!(ran.out.ends_with("\nreport\n  out/report.html\n"), "{}", ran.out);
    let report = json(&place, "out");
    assert_eq!((report["sampling"]["step_ns"].as_i64(), report["sampling"]["samples"].as_u64()), (Some(5_000_000), Some(1_201)));
    for strategy in [&report["strategies"][0], &report["strategies"][1]] {
        for (name, expected) in FIGURES {
            assert!(close(&strategy[name], expected), "{name}: {} is not {expected}", strategy[name]);
        }
        for (name, expected) in [
            ("capital", 1_000.0),
            ("profit", -13.13),
            ("fees", 0.99 + 2.14),
            ("orders", 2.0),
            ("fills", 2.0),
            // Of the second fill half closes: 2 * (99 - 107), less 0.99 and half of 2.14.
            ("round_trips", 1.0),
            ("expectancy", -18.06),
            ("average_loss", 18.06),
            ("hit_rate", 0.0),
            ("profit_factor", 0.0),
            // From sample 639, the last at the peak, to 1,200.
            ("max_drawdown_span", 561.0 * 5e6),
            ("longest_drawdown_span", 561.0 * 5e6),
        ] {
            assert!(close(&strategy[name], expected), "{name}: {} is not {expected}", strategy[name]);
        }
        assert!(strategy["average_gain"].is_null(), "nothing was won");
        for latency in ["answer_latency", "fill_latency"] {
            let told = ["count", "min", "median", "max"].map(|name| strategy[latency][name].as_f64());
            assert_eq!(told, [Some(2.0), Some(2e8), Some(2e8), Some(2e8)], "{latency}");
        }
        let equity: Vec<f64> = strategy["equity"].as_array().expect("a list").iter().filter_map(Json::as_f64).collect();
        let expected = [
            (0, 0.0),
            (639, 0.0),
            (640, -2.99),
            (799, -2.99),
            (800, -14.99),
            (839, -14.99),
            (840, -21.13),
            (1_000, -9.13),
            (1_200, -13.13),
        ];
        assert!(expected.iter().all(|(sample, profit)| (equity[*sample] - 1_000.0 - profit).abs() < 1e-9), "{expected:?}");
    }
    assert!(close(&report["total"]["profit"], -26.26) && close(&report["total"]["capital"], 2_000.0));
    // Both do the same.
    assert!(close(&report["correlations"][0][1], 1.0));
    // Six quotes to three actors; two orders and their answers for each strategy.
    let delivered = |kind: &str| report["rates"]["kinds"][kind].as_array().expect("a list").iter().filter_map(Json::as_u64).sum::<u64>();
    assert_eq!((delivered("quote"), delivered("order")), (18, 4));
}

#[test]
fn tables_are_those_worked_out_by_hand() {
    let place = place();
    well(&place.run(&["run", "crosses.ron", "--report", "out"]));
    let lines = |name: &str| {
        let text = fs::read_to_string(place.path("out").join(name)).expect("a table");
        text.lines().filter(|line| !line.contains(",two,")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        lines("fills.csv"),
        [
            "time,strategy,instrument,order,side,quantity,price,liquidity,fee",
            "2025-01-01T00:00:03.200Z,one,\"X,Y\",1,sell,2.00,99.00,taker,0.9900",
            "2025-01-01T00:00:04.200Z,one,\"X,Y\",2,buy,4.00,107.00,taker,2.1400",
        ]
    );
    assert_eq!(
        lines("positions.csv"),
        [
            "time,strategy,instrument,position,average_price,realised,fees",
            "2025-01-01T00:00:03.200Z,one,\"X,Y\",-2.00,99,0.0000,0.9900",
            "2025-01-01T00:00:04.200Z,one,\"X,Y\",2.00,107,-16.0000,3.1300",
        ]
    );
    let orders = lines("orders.csv");
    let first = "2025-01-01T00:00:03.100Z,one,\"X,Y\",1,sell,market,GTC,2.00,,,2025-01-01T00:00:03Z,2025-01-01T00:00:03.200Z,";
    assert!(orders[1].starts_with(first), "{}", orders[1]);
    assert!(orders[1].ends_with(",filled,,2.00,99,0.9900,0"), "{}", orders[1]);
    assert_eq!(orders.len(), 3);
    let equity = lines("equity.csv");
    assert_eq!((equity.len(), equity[1].as_str()), (1_202, "2025-01-01T00:00:00Z,one,\"X,Y\",0,,100000"));
    assert_eq!(equity[0], "time,strategy,instrument,profit,price,equity");
    assert_eq!(equity[1_201], "2025-01-01T00:00:06Z,one,\"X,Y\",-13.13,110,99986.87");
    #[cfg(feature = "store")]
    for table in ["fills", "orders", "positions", "equity"] {
        let file = stillpoint_store::files::FileReader::open(&place.path("out").join(format!("{table}.parquet")), &Default::default());
        let rows: usize = file.expect("a Parquet file").map(|batch| batch.expect("rows").num_rows()).sum();
        let text = fs::read_to_string(place.path("out").join(format!("{table}.csv"))).expect("a table");
        assert_eq!(rows, text.lines().count() - 1, "{table}");
    }
}

/// What an order is for is what its venue has last agreed to. A market maker 100 ms away quotes 4, 2 away from the mid, and moves what is 4 off:
///
/// | s | quote | what becomes of its first order, a buy |
/// |---|---|---|
/// | 1 | 99 to 101 | 4 at 98 |
/// | 2 | 97 to 98, of which 3 | 3 are bought at 98, 1 is left; the mid is 97.5, and 95 is 3 off |
/// | 2.5 | 105 to 107 | 4 more than were filled, 7 in all, at 104 |
/// | 3 | 100 to 103 | the other 4 are bought at 104; a change to 99 comes too late |
///
/// It paid 3 * 98 + 4 * 104 = 710 for 7.
#[test]
fn a_changed_order_is_told_as_it_was_changed() {
    let scenario = br#"(
        name: "changes",
        start: "2025-01-01T00:00:00Z",
        streams: [(name: "quotes", kind: script_quotes(steps: [
            Add(at: "2025-01-01T00:00:01Z", value: (instrument: 0, bid: 99, bid_quantity: 50, ask: 101, ask_quantity: 50)),
            Add(at: "2025-01-01T00:00:02Z", value: (instrument: 0, bid: 97, bid_quantity: 50, ask: 98, ask_quantity: 3)),
            Add(at: "2025-01-01T00:00:02.5Z", value: (instrument: 0, bid: 105, bid_quantity: 50, ask: 107, ask_quantity: 50)),
            Add(at: "2025-01-01T00:00:03Z", value: (instrument: 0, bid: 100, bid_quantity: 50, ask: 103, ask_quantity: 50)),
        ]))],
        actors: [
            (name: "maker", kind: market_maker(instrument: (id: 0, symbol: "X", price_decimals: 0, quantity_decimals: 0), quotes: ["quotes"],
                exchange: "exchange", quantity: "4", limit: "100", half_spread: "2", skew: "0", requote: "4")),
            (name: "exchange", kind: exchange(listings: [(instrument: (id: 0, symbol: "X", price_decimals: 0, quantity_decimals: 0))], quotes: ["quotes"])),
        ],
        links: [(from: "maker", to: "exchange", latency: "100ms"), (from: "exchange", to: "maker", latency: "100ms")],
    )"#;
    let place = Place::new(&[("changes.ron", scenario)]);
    well(&place.run(&["run", "changes.ron", "--report", "out"]));
    let orders = fs::read_to_string(place.path("out/orders.csv")).expect("a table");
    let heads: Vec<&str> = orders.lines().next().expect("a head").split(',').collect();
    let first: Vec<&str> = orders.lines().nth(1).expect("an order").split(',').collect();
    let told = ["order", "side", "quantity", "limit", "end", "filled", "average_price", "changes"]
        .map(|name| first[heads.iter().position(|head| *head == name).expect("a column")]);
    assert_eq!(told, ["1", "buy", "7", "104", "filled", "7", "101.428571428571", "1"], "{orders}");
}

/// What stands in the summary under the name of a figure of the report is that figure; and the last sample is taken at the end.
#[test]
fn the_summary_and_the_report_say_the_same() {
    let place = place();
    for (scenario, names) in [
        (repository("examples/scenarios/quickstart.ron").display().to_string(), [("btc", ""), ("eth", ""), ("sol", "")].as_slice()),
        (repository("examples/scenarios/market-maker.ron").display().to_string(), &[("maker", "BTCUSDT ")]),
        // With fees.
        ("crosses.ron".to_owned(), &[("one", ""), ("two", "")]),
    ] {
        let ran = place.run(&["run", &scenario, "--report", "out", "--json", "--capital", "1000"]);
        well(&ran);
        let (report, told): (_, Json) = (json(&place, "out"), serde_json::from_str(&ran.out).expect("JSON"));
        for (index, (name, symbol)) in names.iter().enumerate() {
            let strategy = &report["strategies"][index];
            assert_eq!(strategy["name"], *name);
            for figure in ["profit", "fees"] {
                let summary = told["result"][name][format!("{symbol}{figure}")].as_f64().expect("a number");
                assert!(close(&strategy[figure], summary), "{scenario}, {name}: {figure} is {} and {summary}", strategy[figure]);
            }
            let profit = strategy["profit"].as_f64().expect("a number");
            assert!(close(strategy["equity"].as_array().and_then(|equity| equity.last()).expect("a sample"), 1_000.0 + profit));
        }
        let equity = fs::read_to_string(place.path("out/equity.csv")).expect("a table");
        let end = equity.lines().last().and_then(|line| line.split(',').next()).map(Json::from);
        assert_eq!((end.as_ref(), report["sampling"]["end"].as_str()), (Some(&told["virtual_end"]), told["virtual_end"].as_str()));
    }
}

/// All files of a report, by name.
fn files(place: &Place, folder: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(place.path(folder)).expect("a folder").map(|entry| entry.expect("an entry"));
    let mut files: Vec<(String, Vec<u8>)> =
        entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).expect("a file"))).collect();
    files.sort();
    files
}

#[test]
fn a_report_is_the_same_on_every_host_and_changes_no_run() {
    let place = place();
    let hash = |ran: &Ran| serde_json::from_str::<Json>(&ran.out).expect("JSON")["trace_hash"].clone();
    let plain = place.run(&["run", "crosses.ron", "--json", "--trace", "plain.trace", "--trace-text"]);
    let ran = place.run(&["run", "crosses.ron", "--json", "--report", "inline", "--trace", "told.trace", "--trace-text"]);
    well(&ran);
    assert_eq!(hash(&ran), hash(&plain), "a report changes no run");
    let [plain, told] = ["plain.trace", "told.trace"].map(|name| fs::read(place.path(name)).expect("a trace"));
    assert!(plain == told, "a trace is the same beside a report, with its texts");
    let inline = files(&place, "inline");
    assert_eq!(inline.len(), if cfg!(feature = "store") { 10 } else { 6 });
    for threads in ["1", "2", "4"] {
        well(&place.run(&["run", "crosses.ron", "--report", "actix", "--host", "actix", "--threads", threads]));
        let actix = files(&place, "actix");
        let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&actix), names(&inline));
        for ((name, one), (_, other)) in inline.iter().zip(&actix) {
            assert!(one == other, "{name} differs on {threads} threads");
        }
    }
}

#[test]
fn an_older_report_is_replaced_and_nothing_else_touched() {
    let place = place();
    fs::create_dir(place.path("out")).expect("a folder");
    for name in ["fills.parquet", "report.html", "notes.txt"] {
        fs::write(place.path("out").join(name), "old").expect("a file");
    }
    well(&place.run(&["run", "crosses.ron", "--report", "out"]));
    let left: BTreeSet<String> = files(&place, "out").into_iter().filter(|(_, bytes)| bytes == b"old").map(|(name, _)| name).collect();
    assert_eq!(left, BTreeSet::from(["notes.txt".to_owned()]));
}

#[test]
fn a_bad_place_or_capital_is_bad_input() {
    let place = place();
    fs::write(place.path("file"), "").expect("a file");
    fs::create_dir_all(place.path("blocked/report.json")).expect("a folder");
    for (arguments, said) in [
        (["--report", "file"].as_slice(), "error: --report: `file` is a file, not a folder; name another place, or remove it"),
        (&["--report", "file/under"], "error: --report: cannot create the folder `file/under`"),
        (&["--report", "blocked"], "error: --report: `blocked/report.json` is a folder where a file of the report goes"),
        (&["--report", "out", "--capital", "0"], "give an amount above zero, such as 100000"),
        (&["--capital", "5"], "--report <FOLDER>"),
    ] {
        let ran = place.run(&[&["run", "crosses.ron"], arguments].concat());
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ran.err.contains(said), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn a_run_without_a_market_has_a_report_too() {
    let place = place();
    let scenario = repository("examples/scenarios/greeter.ron");
    well(&place.run(&["run", &scenario.display().to_string(), "--report", "out"]));
    let report = json(&place, "out");
    assert!(report["total"].is_null() && report["rates"]["kinds"].as_object().is_some_and(|kinds| !kinds.is_empty()));
    let html = fs::read_to_string(place.path("out/report.html")).expect("a page");
    assert!(html.contains("<h2>Events</h2>") && !html.contains("<h2>Equity</h2>"));
}

/// The strategy `one` with an account of 1,000 in between, half way to the exchange: it hears of each fill 150 ms after the order was sent.
///
/// | s | what the account hears | equity | margin |
/// |---|---|---|---|
/// | 3.15 | 2 sold at 99, fee 0.99; a statement of before | 1,000 before | 0 |
/// | 4 | closing costs the ask, 107: -16 | 983.01 | 10 % of 2 * 107 |
/// | 4.15 | 4 bought at 107, fee 2.14: lost 16, holds 2; a statement of before | | |
/// | 5 | closing brings the bid, 111: 8 | 1,000 - 16 - 3.13 + 8 = 988.87 | 10 % of 2 * 111 |
/// | 6 | a statement of before; the bid is 109 | 984.87 | 10 % of 2 * 109 |
///
/// So at the samples, 5 ms apart, it has 1,000 before 4.15 s, 983.01 from there on, and 984.87 at the end.
fn account(statements: &str) -> Place {
    let instrument = r#"(id: 0, symbol: "X,Y", price_decimals: 2, quantity_decimals: 2)"#;
    let account = format!(
        r#"(name: "account <&>", kind: portfolio(currencies: [(code: "USD", cash: "1000")], {statements} quotes: ["quotes"], contracts: [
            (instrument: {instrument}, exchange: "exchange", settlement: "USD", margin: (mode: Cross, initial: "0.1", maintenance: "0.005"))])),
        (name: "exchange","#
    );
    let (before, rest) = CROSSES.split_once("        (name: \"two\"").expect("a second strategy");
    let (_, exchange) = rest.split_once("        (name: \"exchange\",").expect("an exchange");
    let (exchange, _) = exchange.split_once("    links:").expect("links");
    let links = [("one", "account <&>"), ("account <&>", "exchange")]
        .map(|(a, b)| format!(r#"(from: "{a}", to: "{b}", latency: "50ms"), (from: "{b}", to: "{a}", latency: "50ms")"#));
    let before = before.replace("venue: \"exchange\"", "venue: \"account <&>\"");
    Place::new(&[("account.ron", format!("{before}{account}{exchange}    links: [{}],\n)", links.join(", ")).as_bytes())])
}

#[test]
fn accounts_are_those_worked_out_by_hand() {
    let place = account("statements: \"1s\",");
    well(&place.run(&["run", "account.ron", "--report", "out"]));
    let report = json(&place, "out");
    let account = &report["portfolios"][0]["accounts"][0];
    assert_eq!((&report["portfolios"][0]["name"], &account["currency"]), (&Json::from("account <&>"), &Json::from("USD")));
    for (name, expected) in [
        ("equity", 984.87),
        ("balance", 1_000.0 - 16.0 - 3.13),
        ("realised", -16.0),
        ("unrealised", 4.0),
        ("fees", 3.13),
        ("funding", 0.0),
        ("margin", 21.8),
        ("free", 963.07),
    ] {
        assert!(close(&account[name], expected), "{name}: {} is not {expected}", account[name]);
    }
    for (name, expected) in [
        ("at_ns", [3.15e9, 4.15e9, 6e9, 6e9]),
        ("equity", [1_000.0, 983.01, 988.87, 984.87]),
        ("margin", [0.0, 21.4, 22.2, 21.8]),
        ("free", [1_000.0, 961.61, 966.67, 963.07]),
        ("fees", [0.0, 0.99, 3.13, 3.13]),
    ] {
        let found = account["over_time"][name].as_array().expect("a list");
        assert_eq!(found.len(), 4, "{name}");
        assert!(found.iter().zip(expected).all(|(found, expected)| close(found, expected)), "{name}: {found:?}");
    }
    for (name, expected) in ACCOUNT {
        assert!(close(&account[name], expected), "{name}: {} is not {expected}", account[name]);
    }
    assert_eq!(report["currency"], "USD", "no instrument names one, and there is one account");
    let html = fs::read_to_string(place.path("out/report.html")).expect("a page");
    assert!(
        html.contains("data-path=\"/portfolios/0/accounts/0/total_return\" data-unit=\"fraction\">-1.51 %</b><small>account of"),
        "a tile"
    );
    assert!(html.contains("<span>Net profit, USD</span>"));
    assert!(html.contains("<h2>Accounts</h2>") && html.contains("account &lt;&amp;&gt; · USD: equity"), "a chart with its title");
}

#[test]
fn without_statements_an_account_has_its_end_alone() {
    let place = account("");
    well(&place.run(&["run", "account.ron", "--report", "out"]));
    let account = &json(&place, "out")["portfolios"][0]["accounts"][0];
    assert!(close(&account["equity"], 984.87) && account["over_time"]["equity"].as_array().is_some_and(|list| list.len() == 1));
    assert!(close(&account["capital"], 1_000.0) && close(&account["total_return"], -0.015_13) && account["volatility"].is_null());
    let html = fs::read_to_string(place.path("out/report.html")).expect("a page");
    assert!(html.contains("statements: \"1s\"") && !html.contains("account-0-equity"));
}

/// Its orders are those of the strategies before it, which would count twice.
#[test]
fn a_portfolio_in_between_is_no_strategy_of_its_own() {
    let place = Place::new(&[]);
    let scenario = repository("examples/scenarios/portfolio.ron").display().to_string();
    let ran = place.run(&["run", &scenario, "--report", "out", "--json"]);
    well(&ran);
    let (report, told): (_, Json) = (json(&place, "out"), serde_json::from_str(&ran.out).expect("JSON"));
    let fills = |actor: &str| told["result"][actor]["fills"].as_u64().expect("a count");
    let shown: Vec<_> = report["strategies"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (one["name"].as_str().expect("a name"), one["fills"].as_u64().expect("a count")))
        .collect();
    assert_eq!(shown, [("buyer", fills("buyer")), ("maker", fills("maker"))]);
    assert_eq!(report["fills"]["count"].as_u64(), Some(fills("binance")));
}

#[test]
fn what_a_restored_run_shows_says_so() {
    let place = place();
    well(&place.run(&["run", "crosses.ron", "--snapshot-at", "2025-01-01T00:00:04.15Z", "saved"]));
    well(&place.run(&["run", "crosses.ron", "--restore", "saved", "--report", "out"]));
    let report = json(&place, "out");
    assert_eq!((report["restored"].as_bool(), report["fills"]["count"].as_u64()), (Some(true), Some(2)));
    assert_eq!(report["strategies"][0]["answer_latency"]["count"].as_u64(), Some(0), "nobody knows when the orders were sent");
}

#[test]
fn an_interrupted_run_leaves_a_report_that_says_so() {
    use nix::sys::signal::{Signal, kill};
    use std::io::Read;

    let endless = br#"(name: "endless", start: "2025-01-01T00:00:00Z",
        actors: [(name: "clock", kind: timer(to: "clerk", text: "tick", every: "1ns")), (name: "clerk", kind: recorder)])"#;
    let place = Place::new(&[("endless.ron", endless)]);
    let pipe = place.path("trace");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a named pipe");
    let mut command = place.command(&["run", "endless.ron", "--trace", "trace", "--report", "out"]);
    let child = command.stdout(std::process::Stdio::piped()).spawn().expect("the program starts");
    let mut trace = fs::File::open(pipe).expect("the program opens the pipe");
    trace.read_exact(&mut [0; 1]).expect("the run is under way");
    kill(nix::unistd::Pid::from_raw(child.id() as i32), Signal::SIGINT).expect("the program takes signals");
    trace.read_to_end(&mut Vec::new()).expect("the trace ends");
    assert_eq!(child.wait_with_output().expect("the program ends").status.code(), Some(130));
    assert_eq!(json(&place, "out")["run"]["end"], "interrupted");
    let html = fs::read_to_string(place.path("out/report.html")).expect("a page");
    assert!(html.contains("The run was interrupted"));
}
