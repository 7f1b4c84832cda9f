//! The kinds of streams that read Parquet files.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use stillpoint_actors::{Bar, Instrument, Quote, Trade, declare_carried};
use stillpoint_engine::scenario::{Registry, SceneError, StreamScene};
use stillpoint_engine::{Duration, Message, Stream};

use super::{of_scenario, series};
use crate::files::{DAYS, Days, FILES, chosen};
use crate::parquet_rows::{ParquetReader, ParquetSettings};
use crate::row::FromRow;
use crate::time_format::TimeFormat;

pub(super) fn register(registry: &mut Registry) {
    let example = r#"(file: "quotes-%Y-%m-%d.parquet", days: (from: "2025-03-24", to: "2025-03-28", skip_missing: true), instrument: (id: 0, symbol: "EURUSD"), time: "time", columns: {"bid": "best bid"}, only: ("symbol", "EURUSD"), floor_to: "1ns")"#;
    rows::<Quote>(registry, "parquet_quotes", "Quotes from Parquet files: bid, ask, and if there bid_quantity, ask_quantity.", example);
    let example = r#"(file: "trades.parquet", instrument: (id: 0, symbol: "BTCUSDT"), time: "ts", time_format: "ms", columns: {"quantity": "amount"}, only: ("symbol", "BTCUSDT"), floor_to: "1ns")"#;
    rows::<Trade>(registry, "parquet_trades", "Trades from Parquet files: price, quantity, and if there side, id.", example);
    let example = r#"(files: ["2023.parquet", "2024.parquet"], instrument: (id: 0, symbol: "AAPL"), time: "Date", columns: {"open": "Open", "high": "High", "low": "Low", "close": "Close", "volume": "Volume"}, only: ("Ticker", "AAPL"), floor_to: "1d")"#;
    rows::<Bar>(registry, "parquet_bars", "Bars from Parquet files: open, high, low, close, and if there volume.", example);
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
    time: String,
    #[serde(default)]
    time_format: Option<TimeFormat>,
    #[serde(default)]
    columns: BTreeMap<String, String>,
    #[serde(default)]
    only: Option<(String, String)>,
    #[serde(default)]
    floor_to: Option<Duration>,
}

fn rows<M: FromRow + Message + Clone>(registry: &mut Registry, name: &'static str, doc: &'static str, example: &'static str) {
    registry
        .stream(name, doc, |params: Params, scene| stream::<M>(params, scene))
        .param("file", "the file")
        .param("files", FILES)
        .param("days", DAYS)
        .param("instrument", "what the rows speak of; 8 decimals each for prices and quantities unless given")
        .param("time", "the column with the event time")
        .param("time_format", "for a column of numbers or texts: rfc3339, s, ms, us, ns, or a pattern such as %Y-%m-%d %H:%M:%S%.f")
        .param("columns", "the column of each field that is not called as the field is")
        .param("only", "a column and a text: other rows are skipped")
        .param("floor_to", "moves event times back to whole multiples of it")
        .example(example);
}

fn stream<M: FromRow + Message + Clone>(params: Params, scene: &mut StreamScene<'_>) -> Result<Stream<M>, SceneError> {
    let Params { file, files, days, instrument, time, time_format, columns, only, floor_to } = params;
    declare_carried(scene, &instrument)?;
    let files = chosen(file, files, days, scene)?;
    let settings = ParquetSettings { path: files[0].clone(), instrument, time, time_format, columns, only };
    // A column that is not there is an error of the scenario: found now, not when the run has begun.
    ParquetReader::<M>::open(&settings).map_err(of_scenario)?;
    series(files, move |path: &Path, _| ParquetReader::<M>::open(&settings.at(path)), floor_to)
}
