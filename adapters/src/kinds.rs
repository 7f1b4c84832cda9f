//! The kinds of streams that scenarios may name from this crate.

#[cfg(feature = "dbn")]
mod dbn;
#[cfg(feature = "parquet")]
mod parquet;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use stillpoint_actors::{Bar, DepthUpdate, Instrument, MarketEvent, Quote, Trade, declare_carried};
use stillpoint_engine::scenario::{Registry, SceneError, StreamScene};
use stillpoint_engine::{Duration, Message, Source, Stream};

use crate::binance::{BinanceReader, BinanceSettings, Recorded, TimeOf};
use crate::csv_rows::{CsvReader, CsvSettings};
use crate::error::DataError;
use crate::feed::{Fed, FeedReader, FeedSettings};
use crate::files::{DAYS, Days, FILES, chosen};
use crate::floored::Floored;
use crate::row::FromRow;
use crate::series::FileSeries;
use crate::time_format::TimeFormat;

/// Adds the kinds `binance_quotes`, `binance_trades` and `binance_events` (both in one), `feed_quotes`, `feed_trades` and `feed_depth`,
/// `csv_quotes`, `csv_trades` and `csv_bars`, `parquet_quotes`, `parquet_trades` and `parquet_bars` (with the feature `parquet`). Without a feature its
/// kinds are there in name only, and say which one it is.
pub fn register(registry: &mut Registry) {
    registry
        .part::<Days>("days", "The days of a pattern of file names.")
        .field("from", "the first day, such as \"2025-03-24\"")
        .field("to", "the last day, which is one of them")
        .optional("skip_missing", "false", "whether a day without a file is passed over");
    binance::<Quote>(registry, "binance_quotes", "Best bid and ask from a recording in JSON lines.");
    binance::<Trade>(registry, "binance_trades", "Trades from a recording in JSON lines.");
    binance::<MarketEvent>(registry, "binance_events", "Quotes and trades as they stand in a recording in JSON lines.");
    feed::<Quote>(registry, "feed_quotes", "Best bid and ask from a recording of Binance's raw feed.");
    feed::<Trade>(registry, "feed_trades", "Trades from a recording of Binance's raw feed.");
    feed::<DepthUpdate>(registry, "feed_depth", "Changes of the book by price from a recording of Binance's raw feed.");
    let example = r#"(file: "quotes.csv", instrument: (id: 0, symbol: "EURUSD"), time: "time", time_format: "%Y-%m-%d %H:%M:%S%.f", columns: {"bid": "best bid"}, only: ("symbol", "EURUSD"), delimiter: ',', header: true, floor_to: "1ns")"#;
    csv::<Quote>(registry, "csv_quotes", "Quotes from a CSV file: bid, ask, and if there bid_quantity, ask_quantity.", example);
    let example = r#"(file: "trades.csv.gz", instrument: (id: 0, symbol: "BTCUSDT"), time: "ts", time_format: "ms", columns: {"quantity": "amount"}, only: ("symbol", "BTCUSDT"), delimiter: ';', header: true, floor_to: "1ns")"#;
    csv::<Trade>(registry, "csv_trades", "Trades from a CSV file: price, quantity, and if there side, id.", example);
    let example = r#"(file: "bars.csv.zst", instrument: (id: 0, symbol: "AAPL"), time: "Date", time_format: "%Y-%m-%d", columns: {"open": "Open", "high": "High", "low": "Low", "close": "Close", "volume": "Volume"}, only: ("Ticker", "AAPL"), delimiter: ',', header: true, floor_to: "1d")"#;
    csv::<Bar>(registry, "csv_bars", "Bars from a CSV file: open, high, low, close, and if there volume.", example);
    #[cfg(feature = "dbn")]
    dbn::register(registry);
    #[cfg(not(feature = "dbn"))]
    registry.absent_streams(
        "dbn",
        &[
            ("dbn_quotes", "Best bid and ask from Databento's files, in builds with the feature `dbn`."),
            ("dbn_trades", "Trades from Databento's files, in builds with the feature `dbn`."),
            ("dbn_events", "Quotes and trades from Databento's files, in builds with the feature `dbn`."),
            ("dbn_depth", "Changes of the book by price from Databento's files, in builds with the feature `dbn`."),
            ("dbn_book", "Changes of the book by order from Databento's files, in builds with the feature `dbn`."),
            ("dbn_bars", "Bars from Databento's files, in builds with the feature `dbn`."),
        ],
    );
    #[cfg(feature = "parquet")]
    parquet::register(registry);
    #[cfg(not(feature = "parquet"))]
    registry.absent_streams(
        "parquet",
        &[
            ("parquet_quotes", "Quotes from Parquet files, in builds with the feature `parquet`."),
            ("parquet_trades", "Trades from Parquet files, in builds with the feature `parquet`."),
            ("parquet_bars", "Bars from Parquet files, in builds with the feature `parquet`."),
        ],
    );
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BinanceParams {
    #[serde(default)]
    file: Option<String>,
    #[serde(default)]
    files: Vec<String>,
    #[serde(default)]
    days: Option<Days>,
    #[serde(default)]
    instruments: Vec<Instrument>,
    #[serde(default)]
    time: TimeOf,
    #[serde(default)]
    floor_to: Option<Duration>,
}

fn binance<M: Recorded + Message + Clone>(registry: &mut Registry, name: &'static str, doc: &'static str) {
    registry
        .stream(name, doc, |params: BinanceParams, scene| binance_stream::<M>(params, scene))
        .param("file", "the recording, plain or packed by gzip or zstd")
        .param("files", FILES)
        .param("days", DAYS)
        .param("instruments", "which instruments to read, by the file's numbers; all with 8 decimals unless given")
        .param("time", "which time is the event time: Received or Exchange")
        .param("floor_to", "moves event times back to whole multiples of it")
        .example(r#"(file: "recording.json.gz", instruments: [(id: 0, symbol: "BTCUSDT")], time: Received, floor_to: "1ns")"#);
}

fn binance_stream<M: Recorded + Message + Clone>(params: BinanceParams, scene: &mut StreamScene<'_>) -> Result<Stream<M>, SceneError> {
    let BinanceParams { file, files, days, instruments, time, floor_to } = params;
    instruments.iter().try_for_each(|instrument| declare_carried(scene, instrument))?;
    let files = chosen(file, files, days, scene)?;
    let settings = BinanceSettings { instruments, time, ..BinanceSettings::new("") };
    let open = move |path: &Path, _| BinanceReader::<M>::open(&settings.at(path));
    series(files, open, floor_to)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FeedParams {
    #[serde(default)]
    file: Option<String>,
    #[serde(default)]
    files: Vec<String>,
    #[serde(default)]
    days: Option<Days>,
    instrument: Instrument,
    #[serde(default)]
    time: TimeOf,
    #[serde(default = "nothing")]
    clock_offset: Duration,
    #[serde(default)]
    floor_to: Option<Duration>,
}

fn nothing() -> Duration {
    Duration::ZERO
}

fn feed<M: Fed + Message + Clone>(registry: &mut Registry, name: &'static str, doc: &'static str) {
    registry
        .stream(name, doc, |params: FeedParams, scene| feed_stream::<M>(params, scene))
        .param("file", "the recording, plain or packed by gzip or zstd: a line is the receive time in nanoseconds, a space, and the message")
        .param("files", FILES)
        .param("days", DAYS)
        .param("instrument", "the instrument that the file is about, and its decimals")
        .param("time", "which time is the event time: Received or Exchange")
        .param("clock_offset", "added to the exchange's times; below zero if its clock is ahead")
        .param("floor_to", "moves event times back to whole multiples of it")
        .example(r#"(file: "btcusdt.gz", instrument: (id: 0, symbol: "BTCUSDT", price_decimals: 2, quantity_decimals: 3), time: Received, clock_offset: "-1.2s", floor_to: "1ns")"#);
}

fn feed_stream<M: Fed + Message + Clone>(params: FeedParams, scene: &mut StreamScene<'_>) -> Result<Stream<M>, SceneError> {
    let FeedParams { file, files, days, instrument, time, clock_offset, floor_to } = params;
    declare_carried(scene, &instrument)?;
    let files = chosen(file, files, days, scene)?;
    let settings = FeedSettings { time, clock_offset, ..FeedSettings::new("", instrument) };
    let open = move |path: &Path, before: Option<FeedReader<M>>| match before {
        Some(reader) => reader.go_on(path),
        None => FeedReader::open(&settings.at(path)),
    };
    series(files, open, floor_to)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CsvParams {
    #[serde(default)]
    file: Option<String>,
    #[serde(default)]
    files: Vec<String>,
    #[serde(default)]
    days: Option<Days>,
    instrument: Instrument,
    time: String,
    time_format: TimeFormat,
    #[serde(default)]
    columns: BTreeMap<String, String>,
    #[serde(default)]
    only: Option<(String, String)>,
    #[serde(default = "comma")]
    delimiter: char,
    #[serde(default = "yes")]
    header: bool,
    #[serde(default)]
    floor_to: Option<Duration>,
}

fn comma() -> char {
    ','
}

fn yes() -> bool {
    true
}

fn csv<M: FromRow + Message + Clone>(registry: &mut Registry, name: &'static str, doc: &'static str, example: &'static str) {
    registry
        .stream(name, doc, |params: CsvParams, scene| csv_stream::<M>(params, scene))
        .param("file", "the file, plain or packed by gzip or zstd")
        .param("files", FILES)
        .param("days", DAYS)
        .param("instrument", "what the rows speak of; 8 decimals each for prices and quantities unless given")
        .param("time", "the column with the event time")
        .param("time_format", "rfc3339, s, ms, us, ns, or a pattern such as %Y-%m-%d %H:%M:%S%.f")
        .param("columns", "the column of each field that is not called as the field is")
        .param("only", "a column and a text: other rows are skipped")
        .param("delimiter", "what stands between fields")
        .param("header", "whether the first line names the columns; if not, they are called 1, 2 and so on")
        .param("floor_to", "moves event times back to whole multiples of it")
        .example(example);
}

fn csv_stream<M: FromRow + Message + Clone>(params: CsvParams, scene: &mut StreamScene<'_>) -> Result<Stream<M>, SceneError> {
    let delimiter = u8::try_from(params.delimiter).ok().filter(u8::is_ascii);
    declare_carried(scene, &params.instrument)?;
    let files = chosen(params.file, params.files, params.days, scene)?;
    let settings = CsvSettings {
        path: files[0].clone(),
        instrument: params.instrument,
        time: params.time,
        time_format: params.time_format,
        columns: params.columns,
        only: params.only,
        delimiter: delimiter.ok_or_else(|| SceneError::param("delimiter", "must be an ASCII character"))?,
        header: params.header,
    };
    // A column that is not there is an error of the scenario: found now, not when the run has begun.
    CsvReader::<M>::open(&settings).map_err(of_scenario)?;
    series(files, move |path: &Path, _| CsvReader::<M>::open(&settings.at(path)), params.floor_to)
}

/// A file's error as one of the scenario that names it.
fn of_scenario(error: DataError) -> SceneError {
    let DataError { file, cause, help, .. } = error;
    SceneError::new(format!("{}: {cause}", file.display())).with_help(help)
}

/// A stream of files that are read one after another.
pub(crate) fn series<S, F>(files: Vec<PathBuf>, open: F, floor_to: Option<Duration>) -> Result<Stream<S::Item>, SceneError>
where
    S: Source,
    F: Fn(&Path, Option<S>) -> Result<S, DataError> + Send + Sync + 'static,
{
    let floor_to = positive(floor_to)?;
    let open = Arc::new(open);
    Ok(Stream::open(move || {
        let open = Arc::clone(&open);
        Ok(Floored::new(FileSeries::open(files.clone(), move |path: &Path, before| open(path, before))?, floor_to))
    }))
}

fn positive(floor_to: Option<Duration>) -> Result<Option<Duration>, SceneError> {
    match floor_to {
        Some(to) if !to.is_positive() => Err(SceneError::param("floor_to", "must be above zero")),
        floor_to => Ok(floor_to),
    }
}
