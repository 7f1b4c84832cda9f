//! Series of real prices.
#![expect(clippy::disallowed_methods, reason = "data that does not ship lies in a folder that the environment names")]

use std::io::Read;
use std::path::{Path, PathBuf};

use stillpoint_actors::indicators::Candle;

/// Bitcoin by day, 2019-01-01 to 2020-04-30.
pub(crate) fn bitcoin() -> Vec<Candle> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/bitstamp-btc-daily/btc.csv");
    let text = std::fs::read_to_string(&path).expect("a file of this repository");
    text.lines().skip(1).map(|line| candle(line.split(',').skip(1))).collect()
}

pub(crate) fn closes(candles: &[Candle]) -> Vec<f64> {
    candles.iter().map(|candle| candle.close).collect()
}

/// Open, high, low, close and volume.
fn candle<'a>(fields: impl Iterator<Item = &'a str>) -> Candle {
    let mut numbers = fields.map(|field| field.parse::<f64>().expect("a number"));
    let mut next = || numbers.next().expect("five numbers");
    Candle { open: next(), high: next(), low: next(), close: next(), volume: next() }
}

/// The text of a file of daily data that does not ship, if the folder of such data is given.
fn daily(name: &str) -> Option<String> {
    let Some(folder) = std::env::var_os("STILLPOINT_DATA").map(PathBuf::from) else {
        println!("skipped: {name} is not there; set STILLPOINT_DATA to the folder that has daily/{name}");
        return None;
    };
    let file = std::fs::File::open(folder.join("daily").join(name)).expect("a file in the folder of data");
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("gzip");
    Some(text)
}

/// Five American shares by day, with open, high and low.
pub(crate) fn shares() -> Vec<(String, Vec<Candle>)> {
    let mut all: Vec<(String, Vec<Candle>)> = Vec::new();
    for line in daily("bokeh_stocks.csv.gz").iter().flat_map(|text| text.lines().skip(1)) {
        let (symbol, rest) = line.split_once(',').expect("a symbol");
        if all.last().is_none_or(|(last, _)| last != symbol) {
            all.push((symbol.to_owned(), Vec::new()));
        }
        all.last_mut().expect("just made sure").1.push(candle(rest.split(',').skip(1)));
    }
    all
}

/// Adjusted closes of twenty American shares, 1990 to 2022.
pub(crate) fn adjusted_closes() -> Vec<(String, Vec<f64>)> {
    let Some(text) = daily("skfolio_sp500_20.csv.gz") else { return Vec::new() };
    let mut lines = text.lines();
    let mut all: Vec<_> = lines.next().expect("a head").split(',').skip(1).map(|name| (name.to_owned(), Vec::new())).collect();
    for line in lines {
        for (column, field) in line.split(',').skip(1).enumerate() {
            all[column].1.push(field.parse().expect("a number"));
        }
    }
    all
}
