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
    assert!(orders[1].ends_with(",filled,,2.00,99,0.9900"), "{}", orders[1]);
    assert_eq!(orders.len(), 3);
    let equity = lines("equity.csv");
    assert_eq!((equity.len(), equity[1].as_str()), (1_202, "2025-01-01T00:00:00Z,one,\"X,Y\",0,"));
    assert_eq!(equity[1_201], "2025-01-01T00:00:06Z,one,\"X,Y\",-13.13,110");
    #[cfg(feature = "store")]
    for table in ["fills", "orders", "positions", "equity"] {
        let file = stillpoint_store::files::FileReader::open(&place.path("out").join(format!("{table}.parquet")), &Default::default());
        let rows: usize = file.expect("a Parquet file").map(|batch| batch.expect("rows").num_rows()).sum();
        let text = fs::read_to_string(place.path("out").join(format!("{table}.csv"))).expect("a table");
        assert_eq!(rows, text.lines().count() - 1, "{table}");
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
