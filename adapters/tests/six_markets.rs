//! A market maker and a crossover in each of six recorded markets, whose books are built from changes of depth and trades: one trace on every host.
//!
//! The recordings are of Binance's spot market and of its USD-margined and coin-margined futures, six minutes each, and do not ship.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde::Deserialize;
use stillpoint_actors::{DepthUpdate, Instrument, Quote, Trade};
use stillpoint_adapters::{Fed, FeedReader, FeedSettings};
use stillpoint_engine::host::{Host, Launch};
use stillpoint_engine::scenario::{Registry, Scenario, ScenarioError, SceneError};
use stillpoint_engine::{Duration, Message, Outcome, Simulation, Source, Stream, Timed, Value};
use tempfile::TempDir;

/// What the run comes to. It changes if anything of what follows does, or an exchange: CHANGELOG.md then says why.
const GOLDEN: &str = "b24a5d7b48ef3cdcdd27d4e908cc2d07";

/// One market: its recording, how it is traded, and what a strategy does in it.
struct Market {
    name: &'static str,
    file: &'static str,
    instrument: &'static str,
    queue: &'static str,
    fees: &'static str,
    latencies: &'static str,
    maker: &'static str,
    cross: &'static str,
}

const MARKETS: [Market; 6] = [
    Market {
        name: "usdm-btc",
        file: "usdm_btcusdt_20240808.gz",
        instrument: r#"(id: 0, symbol: "BTCUSDT", price_decimals: 2, quantity_decimals: 3, tick_size: 10)"#,
        queue: "Power(n: 3.0)",
        fees: "(maker: -50, taker: 400)",
        latencies: r#"(entry: LogNormal(median: "3ms", sigma: 0.5), response: Constant("1ms"))"#,
        maker: r#"quantity: "0.020", limit: "0.100", half_spread: "2.0", skew: "6.0", requote: "1.0""#,
        cross: r#"fast: 300, slow: 2000, quantity: "0.020", limit: "0.010""#,
    },
    Market {
        name: "usdm-eth",
        file: "usdm_ethusdt_20240808.gz",
        instrument: r#"(id: 1, symbol: "ETHUSDT", price_decimals: 2, quantity_decimals: 3)"#,
        queue: "Log",
        fees: "(maker: -50, taker: 400)",
        latencies: r#"(entry: Uniform(least: "1ms", most: "4ms"), response: Uniform(least: "1ms", most: "4ms"))"#,
        maker: r#"quantity: "0.500", limit: "2.000", half_spread: "0.12", skew: "0.40", requote: "0.05""#,
        cross: r#"fast: 300, slow: 2000, quantity: "0.400", limit: "0.200""#,
    },
    Market {
        name: "cm-btc",
        file: "cm_btcusd_perp_20240808.gz",
        instrument: r#"(id: 2, symbol: "BTCUSD_PERP", price_decimals: 1, quantity_decimals: 0, multiplier: 100, contract: Inverse)"#,
        queue: "RiskAverse",
        fees: "(maker: 100, taker: 500)",
        latencies: r#"(entry: Constant("5ms"), response: Constant("5ms"))"#,
        maker: r#"quantity: "10", limit: "50", half_spread: "3.0", skew: "9.0", requote: "1.0""#,
        cross: r#"fast: 100, slow: 600, quantity: "10", limit: "5""#,
    },
    Market {
        name: "cm-eth",
        file: "cm_ethusd_perp_20240808.gz",
        instrument: r#"(id: 3, symbol: "ETHUSD_PERP", price_decimals: 2, quantity_decimals: 0, multiplier: 10, contract: Inverse)"#,
        queue: "LogOfAll",
        fees: "(maker: 100, taker: 500)",
        latencies: r#"(entry: Exponential(least: "2ms", mean: "2ms"))"#,
        maker: r#"quantity: "50", limit: "250", half_spread: "0.20", skew: "0.60", requote: "0.05""#,
        cross: r#"fast: 100, slow: 600, quantity: "40", limit: "20""#,
    },
    Market {
        name: "spot-btc",
        file: "spot_btcusdt_20240808.gz",
        instrument: r#"(id: 4, symbol: "BTCUSDT", tick_size: 1000000, lot_size: 1000)"#,
        queue: "PowerOfShare(n: 2.0)",
        fees: "(maker: 0, taker: 1000)",
        latencies: "()",
        maker: r#"quantity: "0.01", limit: "0.05", half_spread: "2.0", skew: "6.0", requote: "1.0""#,
        cross: r#"fast: 100, slow: 600, quantity: "0.02", limit: "0.01""#,
    },
    Market {
        name: "spot-eth",
        file: "spot_ethusdt_20240808.gz",
        instrument: r#"(id: 5, symbol: "ETHUSDT", tick_size: 1000000, lot_size: 10000)"#,
        queue: "Power(n: 1.0)",
        fees: "(maker: 0, taker: 1000)",
        latencies: r#"(response: LogNormal(median: "10ms", sigma: 1.0))"#,
        maker: r#"quantity: "0.2", limit: "1.0", half_spread: "0.12", skew: "0.40", requote: "0.05""#,
        cross: r#"fast: 100, slow: 600, quantity: "0.4", limit: "0.2""#,
    },
];

/// All six markets: an exchange built from changes of depth and trades, and two strategies 20 milliseconds and more away from it.
fn scenario(data: &Path) -> String {
    let (mut streams, mut actors, mut links) = (String::new(), String::new(), String::new());
    for Market { name, file, instrument, queue, fees, latencies, maker, cross } in MARKETS {
        let file = data.join(file);
        for kind in ["depth", "quotes", "trades"] {
            streams += &format!("(name: \"{name}-{kind}\", kind: feed_{kind}(file: {file:?}, instrument: {instrument})),\n");
        }
        actors += &format!(
            r#"(name: "{name}", kind: exchange(
                listings: [(instrument: {instrument}, rules: (book: L2, queue: {queue}, fees: [{fees}]))],
                depth: ["{name}-depth"], trades: ["{name}-trades"], latencies: {latencies},
            )),
            (name: "{name}-maker", kind: market_maker(instrument: {instrument}, exchange: "{name}", quotes: ["{name}-quotes"], {maker})),
            (name: "{name}-cross", kind: ema_cross(instrument: {instrument}, venue: "{name}", quotes: ["{name}-quotes"], {cross})),
            "#
        );
        for (strategy, latency) in [("maker", "20ms"), ("cross", "30ms")] {
            links += &format!("(from: \"{name}-{strategy}\", to: \"{name}\", latency: \"{latency}\"),\n");
            links += &format!("(from: \"{name}\", to: \"{name}-{strategy}\", latency: \"{latency}\"),\n");
        }
    }
    format!("(name: \"six markets\", seed: 8, streams: [{streams}], actors: [{actors}], links: [{links}], expect: (late_events: 0))")
}

fn simulation(file: &Path, registry: &Registry) -> Result<Simulation, ScenarioError> {
    Ok(Scenario::read(file, &[])?.build(registry)?.simulation)
}

/// Recordings as they were read the first time, so that every run after it need not read them again.
struct Once<M>(Mutex<BTreeMap<String, Arc<[Timed<M>]>>>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    file: String,
    instrument: Instrument,
}

impl<M: Fed + Message + Clone> Once<M> {
    /// Adds a kind of stream that has the name and parameters of one of the adapters'.
    fn register(registry: &mut Registry, name: &'static str) {
        let once = Self(Mutex::default());
        registry.stream::<Params, M>(name, "Tells a recording from memory.", move |params, _| once.stream(&params));
    }

    fn stream(&self, params: &Params) -> Result<Stream<M>, SceneError> {
        let mut read = self.0.lock().expect("nobody panicked");
        if let Some(items) = read.get(&params.file) {
            return Ok(Stream::from_shared(items.clone()));
        }
        let fault = |error: String| SceneError::param("file", error);
        let settings = FeedSettings::new(&params.file, params.instrument.clone());
        let mut reader = FeedReader::<M>::open(&settings).map_err(|error| fault(error.to_string()))?;
        let mut items = Vec::new();
        while reader.read(65_536, &mut items).map_err(|error| fault(error.to_string()))? {}
        let items: Arc<[Timed<M>]> = items.into();
        read.insert(params.file.clone(), items.clone());
        Ok(Stream::from_shared(items))
    }
}

fn from_memory() -> Registry {
    let mut registry = Registry::new();
    stillpoint_actors::register(&mut registry);
    Once::<DepthUpdate>::register(&mut registry, "feed_depth");
    Once::<Quote>::register(&mut registry, "feed_quotes");
    Once::<Trade>::register(&mut registry, "feed_trades");
    registry
}

fn from_files() -> Registry {
    let mut registry = Registry::new();
    stillpoint_actors::register(&mut registry);
    stillpoint_adapters::register(&mut registry);
    registry
}

fn integer(outcome: &Outcome, actor: &str, name: &str) -> i64 {
    match outcome.report(actor).and_then(|report| report.get(name)) {
        Some(Value::Integer(number)) => *number,
        other => panic!("{actor} reports {other:?} as `{name}`"),
    }
}

/// What is only worth comparing if it happened: orders and fills of each strategy, and orders that rested until somebody came to them.
fn check_that_they_traded(outcome: &Outcome) {
    for Market { name, .. } in MARKETS {
        let (maker, cross) = (format!("{name}-maker"), format!("{name}-cross"));
        let counts = [
            integer(outcome, &maker, "orders"),
            integer(outcome, &maker, "changes"),
            integer(outcome, &maker, "fills"),
            integer(outcome, &cross, "orders"),
            integer(outcome, &cross, "fills"),
        ];
        println!("{name}: orders, changes and fills of the maker, orders and fills of the crossover: {counts:?}");
        for (count, least) in counts.into_iter().zip([100, 500, 100, 20, 20]) {
            assert!(count >= least, "{name}: {counts:?}, {:?}", outcome.report(&maker));
        }
        assert_eq!(integer(outcome, &maker, "unknown"), 0, "{name}");
        assert_eq!(integer(outcome, name, "fills"), counts[2] + counts[4], "{name}");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "where data lies that does not ship")]
fn one_trace_on_every_host() {
    let Some(data) = std::env::var_os("STILLPOINT_DATA").map(|folder| Path::new(&folder).join("binance-l2")) else {
        println!("skipped: STILLPOINT_DATA names no folder with data");
        return;
    };
    let folder = TempDir::new().expect("a folder for temporary files");
    let file = folder.path().join("six.ron");
    fs::write(&file, scenario(&data)).expect("space for a small file");

    let whole = simulation(&file, &from_files()).unwrap_or_else(|error| panic!("{error}")).run();
    let whole = whole.unwrap_or_else(|failed| panic!("{}", failed.error));
    check_that_they_traded(&whole);
    assert_eq!((whole.events, whole.late()), (1_866_388, 0));
    assert_eq!(whole.trace_hash.to_string(), GOLDEN);

    let registry = Arc::new(from_memory());
    let actix = |threads| launch(&file, &registry).host(Host::Actix { threads });
    for (how, launch) in [
        ("inline, from memory", launch(&file, &registry)),
        ("1 thread", actix(1)),
        ("2 threads", actix(2)),
        ("4 threads", actix(4)),
        ("8 threads", actix(8)),
        ("2 threads, 18 shards dealt at random, batches of one window", actix(2).shards(18).deal(3).batch(1)),
        ("2 threads, short windows in batches of 64", actix(2).window(Duration::millis(7)).batch(64)),
        ("the faster host", launch(&file, &registry).host(Host::Auto { threads: 2 })),
    ] {
        let outcome = launch.run().unwrap_or_else(|failed| panic!("{how}: {}", failed.error));
        assert_eq!((outcome.trace_hash, outcome.events, outcome.deliveries), (whole.trace_hash, whole.events, whole.deliveries), "{how}");
        for (path, report) in &whole.reports {
            assert_eq!(outcome.report(&path.to_string()), Some(report), "{how}: {path}");
        }
    }
}

fn launch(file: &Path, registry: &Arc<Registry>) -> Launch {
    let (file, registry) = (file.to_owned(), registry.clone());
    Launch::new(move || simulation(&file, &registry))
}
