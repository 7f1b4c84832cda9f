//! The exchange on the shipped recording. Against quotes, without fees and latencies, market orders must fare at it as at the simple venue, which
//! is another implementation; and its trace must not depend on the host.

use std::fs;
use std::path::{Path, PathBuf};

use stillpoint_engine::host::{Host, Launch};
use stillpoint_engine::scenario::{Registry, Scenario, ScenarioError};
use stillpoint_engine::{Outcome, Value};
use tempfile::TempDir;

/// The quickstart, with `venue` as its venue; its strategies may trade more often.
fn scenario(venue: &str, folder: &TempDir) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(here.join("scenarios/quickstart.ron")).expect("the quickstart");
    let (before, rest) = text.split_once("kind: venue(").expect("a venue");
    let (_, after) = rest.split_once("quotes:").expect("its quotes");
    let data = here.join("data").to_string_lossy().into_owned();
    let text = format!("{before}kind: {venue} quotes:{after}").replace("../data", &data);
    let text = text.replace("fast: 50, slow: 200", "fast: 2, slow: 5");
    let file = folder.path().join("scenario.ron");
    fs::write(&file, text).expect("space for a small file");
    file
}

fn run(venue: &str, host: Host) -> Outcome {
    let folder = TempDir::new().expect("a folder for temporary files");
    let file = scenario(venue, &folder);
    let launch = Launch::new(move || {
        let mut registry = Registry::new();
        stillpoint_actors::register(&mut registry);
        stillpoint_adapters::register(&mut registry);
        Ok::<_, ScenarioError>(Scenario::read(&file, &[])?.build(&registry)?.simulation)
    });
    launch.host(host).run().unwrap_or_else(|failed| panic!("{}", failed.error))
}

const INSTRUMENTS: [(u32, &str); 3] = [(0, "BTCUSDT"), (1, "ETHUSDT"), (2, "SOLUSDT")];

fn exchange(rules: &str, more: &str) -> String {
    let listings: Vec<String> =
        INSTRUMENTS.iter().map(|(id, symbol)| format!(r#"(instrument: (id: {id}, symbol: "{symbol}"), rules: ({rules}))"#)).collect();
    format!("exchange(listings: [{}], {more}", listings.join(", "))
}

fn venue() -> String {
    let instruments: Vec<String> = INSTRUMENTS.iter().map(|(id, symbol)| format!(r#"(id: {id}, symbol: "{symbol}")"#)).collect();
    format!("venue(instruments: [{}],", instruments.join(", "))
}

#[test]
fn market_orders_fare_as_at_the_venue() {
    let (simple, full) = (run(&venue(), Host::Inline), run(&exchange("", ""), Host::Inline));
    let mut all = 0;
    for strategy in ["btc", "eth", "sol"] {
        let report = simple.report(strategy).expect("a report");
        assert_eq!(full.report(strategy), Some(report), "{strategy}");
        let Some(Value::Integer(orders)) = report.get("orders") else { panic!("{strategy} counts no orders") };
        all += orders;
    }
    assert!(all > 60, "only {all} orders");
}

#[test]
fn hosts_agree_with_fees_and_seeded_latencies() {
    let rules = "fees: [(maker: 200, taker: 500), (from: 1000000000000000000, maker: 100, taker: 400)], impact: Ticks(1)";
    let latencies = r#"latencies: (entry: LogNormal(median: "2ms", sigma: 0.7), response: Uniform(least: "1ms", most: "3ms")),"#;
    let venue = exchange(rules, latencies);
    let (one, two) = (run(&venue, Host::Inline), run(&venue, Host::Actix { threads: 2 }));
    assert_eq!((one.trace_hash, one.deliveries), (two.trace_hash, two.deliveries));
    assert_eq!(one.report("binance"), two.report("binance"));
    assert!(one.deliveries > 78_000);
}
