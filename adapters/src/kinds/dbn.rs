//! The kinds of streams that read files of DBN.

use std::path::Path;

use serde::Deserialize;
use stillpoint_actors::{Bar, BookUpdate, DepthUpdate, Instrument, MarketEvent, Quote, Trade, declare_carried};
use stillpoint_engine::scenario::{Registry, SceneError, StreamScene};
use stillpoint_engine::{Duration, Message, Stream};

use super::{of_scenario, series};
use crate::binance::TimeOf;
use crate::databento::{DbnReader, DbnSettings, FromDbn};
use crate::files::{DAYS, Days, FILES, chosen};

pub(super) fn register(registry: &mut Registry) {
    records::<Quote>(
        registry,
        "dbn_quotes",
        "Best bid and ask from Databento's files of the schemas mbp-1, mbp-10, tbbo, bbo, cmbp-1, tcbbo and cbbo.",
    );
    records::<Trade>(
        registry,
        "dbn_trades",
        "Trades from Databento's files of the schemas trades, mbo, mbp-1, mbp-10, tbbo, cmbp-1 and tcbbo.",
    );
    records::<MarketEvent>(
        registry,
        "dbn_events",
        "Quotes and trades from Databento's files of the schemas mbp-1, mbp-10, tbbo, cmbp-1 and tcbbo.",
    );
    records::<DepthUpdate>(registry, "dbn_depth", "Changes of the ten best levels from Databento's files of the schema mbp-10.");
    records::<BookUpdate>(registry, "dbn_book", "Changes of the book by order from Databento's files of the schema mbo.");
    records::<Bar>(
        registry,
        "dbn_bars",
        "Bars, each at its end, from Databento's files of the schemas ohlcv-1s, ohlcv-1m, ohlcv-1h and ohlcv-1d.",
    );
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    #[serde(default)]
    file: Option<String>,
    #[serde(default)]
    files: Vec<String>,
    #[serde(default)]
    days: Option<Days>,
    instrument: Instrument,
    #[serde(default)]
    instrument_id: Option<u32>,
    #[serde(default)]
    publisher: Option<u16>,
    #[serde(default)]
    time: TimeOf,
    #[serde(default)]
    version: Option<u8>,
    #[serde(default)]
    floor_to: Option<Duration>,
}

fn records<M: FromDbn + Message + Clone>(registry: &mut Registry, name: &'static str, doc: &'static str) {
    registry
        .stream(name, doc, |params: Params, scene| stream::<M>(params, scene))
        .param("file", "the file, plain or packed by gzip or zstd")
        .param("files", FILES)
        .param("days", DAYS)
        .param("instrument", "the instrument, by its symbol in the file, and its decimals; 8 each unless given")
        .param("instrument_id", "its number in the file, for files that do not tell that of its symbol")
        .param("publisher", "whose records to read; of quotes, books and bars there can be one publisher alone")
        .param("time", "which time is the event time: Received (ts_recv) or Exchange (ts_event); bars have their end")
        .param("version", "1 to 3, for a fragment, which has no metadata")
        .param("floor_to", "moves event times back to whole multiples of it")
        .example(r#"(file: "glbx-mdp3-%Y%m%d.dbn.zst", days: (from: "2025-03-24", to: "2025-03-28", skip_missing: true), instrument: (id: 0, symbol: "ESM5", price_decimals: 2, quantity_decimals: 0), time: Received, floor_to: "1ns")"#);
}

fn stream<M: FromDbn + Message + Clone>(params: Params, scene: &mut StreamScene<'_>) -> Result<Stream<M>, SceneError> {
    let Params { file, files, days, instrument, instrument_id, publisher, time, version, floor_to } = params;
    declare_carried(scene, &instrument)?;
    let files = chosen(file, files, days, scene)?;
    let settings = DbnSettings { path: files[0].clone(), instrument, instrument_id, publisher, time, version };
    // An instrument that is not there is an error of the scenario: found now, not when the run has begun.
    DbnReader::<M>::open(&settings).map_err(of_scenario)?;
    let open = move |path: &Path, before: Option<DbnReader<M>>| match before {
        Some(reader) => reader.go_on(&settings.at(path)),
        None => DbnReader::open(&settings.at(path)),
    };
    series(files, open, floor_to)
}
