//! The strategies on the shipped recording: all kinds at one exchange, with latencies, the same on every host and after an interruption.

use std::fs;
use std::path::{Path, PathBuf};

use stillpoint_engine::host::{Host, Launch};
use stillpoint_engine::scenario::{Registry, Scenario, ScenarioError};
use stillpoint_engine::{Instant, Outcome, Simulation, Value};
use tempfile::TempDir;

const INSTRUMENTS: [(&str, &str); 3] = [
    ("btc", r#"(id: 0, symbol: "BTCUSDT", tick_size: 1000000, lot_size: 1000)"#),
    ("eth", r#"(id: 1, symbol: "ETHUSDT", tick_size: 1000000, lot_size: 10000)"#),
    ("sol", r#"(id: 2, symbol: "SOLUSDT", tick_size: 1000000, lot_size: 100000)"#),
];

/// All strategies, a millisecond from the exchange and from the bars.
fn scenario(folder: &TempDir) -> PathBuf {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/binance-trades/binance_spot_trades_l1_btcusdt_ethusdt_solusdt.json.gz");
    let mut streams = String::new();
    for (name, instrument) in INSTRUMENTS {
        for kind in ["quotes", "trades"] {
            let file = data.display();
            streams += &format!("(name: \"{name}-{kind}\", kind: binance_{kind}(file: \"{file}\", instruments: [{instrument}])),\n");
        }
    }
    let [btc, eth, sol] = INSTRUMENTS.map(|(_, instrument)| instrument);
    let listings =
        [btc, eth, sol].map(|instrument| format!("(instrument: {instrument}, rules: (fees: [(maker: -10, taker: 400)]))")).join(", ");
    let strategies = [
        (
            "maker",
            format!(
                r#"market_maker(instrument: {btc}, exchange: "binance", quotes: ["btc-quotes"], quantity: "0.003", limit: "0.01", half_spread: "0.3", skew: "0.9", limits: (max_position: "0.01")"#
            ),
        ),
        (
            "pair",
            format!(
                r#"pairs(y: {eth}, x: {btc}, exchange: "binance", quotes: ["btc-quotes", "eth-quotes"], quantity: "0.5", period: 60, every: "250ms", entry: 1.8, exit: 0.4"#
            ),
        ),
        (
            "momentum",
            format!(
                r#"macd_rsi(instrument: {btc}, exchange: "binance", bars_of: ["seconds"], quantity: "0.01", macd: (fast: 3, slow: 8, signal: 3), rsi: 6, overbought: 80, oversold: 20"#
            ),
        ),
        (
            "channel",
            format!(r#"breakout(instrument: {btc}, exchange: "binance", bars_of: ["seconds"], quantity: "0.01", entry: 12, exit: 6"#),
        ),
        (
            "slices",
            format!(
                r#"twap(instrument: {sol}, exchange: "binance", quotes: ["sol-quotes"], side: Buy, quantity: "40", slices: 20, every: "8s""#
            ),
        ),
    ];
    let mut actors = format!(
        r#"(name: "binance", kind: exchange(listings: [{listings}], quotes: ["btc-quotes", "eth-quotes", "sol-quotes"],
            trades: ["btc-trades", "eth-trades", "sol-trades"], latencies: (entry: LogNormal(median: "2ms", sigma: 0.7)))),
        (name: "seconds", kind: bars(instrument: 0, span: Time("1s"), trades: ["btc-trades"])),"#
    );
    let mut links = String::new();
    for (name, kind) in &strategies {
        actors += &format!("(name: \"{name}\", kind: {kind})),\n");
        for (one, other) in [(name, &"binance"), (&"binance", name), (name, &"seconds"), (&"seconds", name)] {
            links += &format!("(from: \"{one}\", to: \"{other}\", latency: \"1ms\"),\n");
        }
    }
    let file = folder.path().join("strategies.ron");
    let text = format!("(name: \"strategies\", seed: 3, streams: [{streams}], actors: [{actors}], links: [{links}])");
    fs::write(&file, text).expect("space for a small file");
    file
}

fn simulation(file: &Path) -> Result<Simulation, ScenarioError> {
    let mut registry = Registry::new();
    stillpoint_actors::register(&mut registry);
    stillpoint_adapters::register(&mut registry);
    Ok(Scenario::read(file, &[])?.build(&registry)?.simulation)
}

fn integer(outcome: &Outcome, actor: &str, name: &str) -> i64 {
    match outcome.report(actor).and_then(|report| report.get(name)) {
        Some(Value::Integer(number)) => *number,
        other => panic!("{actor} reports {other:?} as `{name}`"),
    }
}

#[test]
fn all_kinds_trade_alike_on_every_host_and_after_an_interruption() {
    let folder = TempDir::new().expect("a folder for temporary files");
    let file = scenario(&folder);
    let whole = simulation(&file).unwrap_or_else(|error| panic!("{error}")).run().unwrap_or_else(|failed| panic!("{}", failed.error));
    for (strategy, least) in [("maker", 50), ("pair", 4), ("momentum", 5), ("channel", 5), ("slices", 20)] {
        let fills = integer(&whole, strategy, "fills");
        assert!(fills >= least, "{strategy} has only {fills} fills: {:?}", whole.report(strategy));
        assert_eq!(integer(&whole, strategy, "unknown"), 0, "{strategy}");
    }

    let again = file.clone();
    let threads =
        Launch::new(move || simulation(&again)).host(Host::Actix { threads: 2 }).run().unwrap_or_else(|failed| panic!("{}", failed.error));
    assert_eq!((threads.trace_hash, threads.deliveries), (whole.trace_hash, whole.deliveries));

    let mut run = simulation(&file).expect("the same scenario").begin().expect("a run");
    run.until("2025-03-25T23:08:30Z".parse::<Instant>().expect("an instant"));
    let snapshot = run.snapshot().expect("a snapshot");
    let rest = simulation(&file).expect("the same scenario").restore(&snapshot).expect("restored").finish().expect("a run");
    assert_eq!((rest.trace_hash, rest.deliveries), (whole.trace_hash, whole.deliveries));
    for strategy in ["maker", "pair", "momentum", "channel", "slices"] {
        assert_eq!(rest.report(strategy), whole.report(strategy), "{strategy}");
    }
}

/// The market maker's own scenario: its figures, and that its limits hold.
#[test]
fn the_market_maker_stays_within_its_limits() {
    let outcome = simulation(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/market-maker.ron"))
        .unwrap_or_else(|error| panic!("{error}"))
        .run()
        .unwrap_or_else(|failed| panic!("{}", failed.error));
    let report = outcome.report("maker").expect("a report");
    assert!(integer(&outcome, "maker", "fills") > 10, "{report:?}");
    assert_eq!((integer(&outcome, "maker", "unknown"), integer(&outcome, "maker", "open_orders")), (0, 0), "{report:?}");
    let Some(Value::Number(position)) = report.get("BTCUSDT position") else { panic!("{report:?}") };
    assert!(position.abs() <= 0.01, "{report:?}");
}
