//! What a data file holds: counts, span, order, gaps, duplicates. Invariant: one pass, memory by the number of streams alone.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::{self, Read};
use std::path::Path;

use stillpoint_actors::MarketEvent;
use stillpoint_engine::{Digest, Duration, Instant, digest_of};

use crate::binance::{BinanceReader, BinanceSettings, TimeOf};
use crate::csv_rows::Rows;
use crate::error::DataError;
use crate::feed;
use crate::input::{Input, Lines, unopened};
use crate::time_format::TimeFormat;

/// The time order of a sequence of events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// How many events.
    pub count: u64,
    /// The least instant.
    pub first: Option<Instant>,
    /// The greatest instant.
    pub last: Option<Instant>,
    /// How many events have an instant less than that of the event before.
    pub backward_steps: u64,
    /// The longest such step.
    pub longest_backward: Duration,
    /// How many events have an instant less than the greatest one before: those that are late without a reorder buffer.
    pub below_maximum: u64,
    /// How far the event lies below that maximum which lies furthest below: a reorder buffer of this length makes none late.
    pub furthest_below: Duration,
    /// The longest time without an event, and when it began. Zero if there is none.
    pub longest_gap: (Duration, Instant),
    /// Events that equal the one before them in their stream, instant and content.
    pub duplicates: u64,
    previous: Option<(Instant, u64)>,
}

impl Scan {
    /// Counts an event that has no time.
    pub(crate) fn add_timeless(&mut self) {
        self.count += 1;
    }

    /// Takes an event into account; `digest` stands for its content.
    pub(crate) fn add(&mut self, at: Instant, digest: u64) {
        let duplicate = self.previous == Some((at, digest));
        self.count += 1;
        self.duplicates += u64::from(duplicate);
        if let Some((previous, _)) = self.previous.filter(|(previous, _)| at < *previous) {
            self.backward_steps += 1;
            self.longest_backward = self.longest_backward.max(previous.since(at));
        }
        if let Some(maximum) = self.last {
            if at < maximum {
                self.below_maximum += 1;
                self.furthest_below = self.furthest_below.max(maximum.since(at));
            } else if at.since(maximum) > self.longest_gap.0 {
                self.longest_gap = (at.since(maximum), maximum);
            }
        }
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
        self.previous = Some((at, digest));
    }

    /// Whether no event comes before an earlier one.
    pub fn is_sorted(&self) -> bool {
        self.backward_steps == 0
    }
}

/// What was found in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// What the file was taken for, and which time was looked at.
    pub format: String,
    /// The file as one stream; its duplicates are those of the streams together.
    pub overall: Scan,
    /// Its streams by name, such as `instrument 0 quotes`. A CSV or Parquet file has one, `rows`, or one for each text in its column of symbols.
    pub streams: BTreeMap<String, Scan>,
    /// Which kinds of streams read it, and what else is to be known before one does: sentences.
    pub notes: Vec<String>,
    /// The column of symbols, if it tells rows apart.
    symbols: Option<String>,
}

impl Inspection {
    pub(crate) fn new(format: String) -> Self {
        Self { format, overall: Scan::default(), streams: BTreeMap::new(), notes: Vec::new(), symbols: None }
    }

    /// Adds which kinds of streams read the file.
    pub(crate) fn read_by(&mut self, kinds: &[&str]) {
        let (last, rest) = kinds.split_last().expect("some kind reads it");
        self.notes.push(format!(
            "It is read by the kinds `{}` and `{last}`; `stillpoint schema {last}` shows the parameters of one.",
            rest.join("`, `")
        ));
    }

    /// Takes a row of a table into account, of which one column may say what it speaks of.
    pub(crate) fn add_row(&mut self, symbol: Option<&str>, at: Instant, digest: u64) {
        self.overall.add(at, digest);
        let name = symbol.unwrap_or(ROWS);
        // Looked up first: a name is made once for each stream, not for each row.
        match self.streams.get_mut(name) {
            Some(scan) => scan.add(at, digest),
            None => self.streams.entry(name.to_owned()).or_default().add(at, digest),
        }
    }

    /// What is known when all rows have been seen, of the column that was taken for one of symbols.
    pub(crate) fn parted_by(&mut self, column: Option<&str>) {
        match column {
            Some(column) if self.streams.len() > 1 => {
                self.overall.duplicates = self.streams.values().map(|scan| scan.duplicates).sum();
                let named = |(symbol, scan)| (format!("{column} {symbol}"), scan);
                let streams = std::mem::take(&mut self.streams);
                self.streams.extend(streams.into_iter().map(named));
                self.symbols = Some(column.to_owned());
            }
            _ => {
                self.streams.clear();
                self.streams.insert(ROWS.to_owned(), self.overall.clone());
            }
        }
    }

    /// What to do about events that are late in the file as a whole; `None` if there are none.
    fn remedy(&self) -> Option<String> {
        if self.overall.is_sorted() {
            return None;
        }
        let (late, bound) = (self.overall.below_maximum, self.overall.furthest_below);
        let furthest = self.streams.values().map(|scan| scan.furthest_below).max().unwrap_or_default();
        Some(match &self.symbols {
            Some(column) => {
                let order =
                    if furthest == Duration::ZERO { "in order".to_owned() } else { format!("put in order by `reorder: \"{furthest}\"`") };
                let example = self.streams.keys().next().and_then(|name| name.strip_prefix(column.as_str())).unwrap_or_default().trim();
                format!(
                    "As one stream {late} events are late. Apart each is {order}: give each value of `{column}` a stream of its own, with \
                     `only: (\"{column}\", \"{example}\")`, or split the file."
                )
            }
            None => format!("As one stream {late} events are late; `reorder: \"{bound}\"` would put all of them in order."),
        })
    }
}

/// The one stream of a table that does not part.
const ROWS: &str = "rows";

/// Reads a file to its end and says what it holds. What it is its first bytes say, and where these say nothing, its name.
///
/// * A file that begins with `{` is taken for a recording of JSON lines, one that begins with digits, a space and `{` for one of Binance's raw feed,
///   and any that is none of the others for CSV with a header.
/// * In a recording of the raw feed a stream is what is called so there, such as `btcusdt@trade`, and whole books are one more; an event is a
///   message. Messages of other kinds than those that streams are made of are counted together.
/// * The time column of a CSV or Parquet file is the first one that is called like a time (`time`, `timestamp`, `ts`, `date`, `datetime`, or
///   with these at the start or the end); how times are written is guessed from the first row, unless the column's type says it. Rows are told
///   apart by the first column that is called `symbol`, `ticker`, `instrument`, `pair` or `asset`, in whatever case.
/// * In a DBN file a stream is what one publisher tells of one instrument, in records that streams can be made of; bars are at their ends.
///
/// # Errors
/// [`DataError`] if the file cannot be read or a line, row or record makes no sense, no time column is found, no kind of stream reads such a file, or
/// it needs a feature that was not built in (`dbn`, `parquet`).
pub fn inspect(path: &Path, time: TimeOf) -> Result<Inspection, DataError> {
    match Format::of(path)? {
        Format::Json => inspect_recording(path, time),
        Format::Feed => feed::inspect(path, time),
        Format::Csv => inspect_csv(path),
        Format::Dbn => inspect_dbn(path, time),
        Format::Parquet => inspect_parquet(path),
    }
}

/// What a file is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    Feed,
    Csv,
    Dbn,
    Parquet,
}

impl Format {
    fn of(path: &Path) -> Result<Self, DataError> {
        let fault = |cause: &str, help: &str| Err(DataError::new(path, None, cause, help));
        let raw = File::open(path).and_then(beginning).map_err(|error| unopened(path, &error))?;
        // Before DBN there was DBZ, whose metadata lies in a part of a zstd file that readers of zstd pass over.
        if matches!(raw[..], [0x50..=0x5f, 0x2a, 0x4d, 0x18, _, _, _, _, b'D', b'B', b'Z', ..]) {
            return Ok(Self::Dbn);
        }
        let mut input = Input::open(path)?;
        let start = beginning(&mut input).map_err(|error| input.fault(&error, 0))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        match start[..] {
            [b'D', b'B', b'N', ..] => Ok(Self::Dbn),
            [b'P', b'A', b'R', b'1', ..] if raw == start => Ok(Self::Parquet),
            [b'P', b'A', b'R', b'1', ..] => fault("is a Parquet file inside of another packing", "unpack it first"),
            [b'P', b'A', b'R', b'E', ..] => fault("is an encrypted Parquet file", "decrypt it first"),
            _ if name.ends_with(".parquet") => Ok(Self::Parquet),
            _ if name.contains(".dbn") => Ok(Self::Dbn),
            _ if name.ends_with(".ron") => fault("is no data, but a scenario or a sweep", "look at a scenario with `stillpoint validate`"),
            _ => Self::of_text(path),
        }
    }

    fn of_text(path: &Path) -> Result<Self, DataError> {
        let mut lines = Lines::open(path)?;
        while lines.advance()? {
            if lines.line().contains(&0) {
                let help = "recordings in JSON lines, CSV, DBN and Parquet can be looked at: convert it, or fetch it again if it should be one of these";
                return Err(DataError::new(path, Some(lines.number()), "is neither text nor of a known format", help));
            }
            let line = lines.line().trim_ascii();
            if !line.is_empty() {
                return Ok(if line[0] == b'{' {
                    Self::Json
                } else if feed::is_line(line) {
                    Self::Feed
                } else {
                    Self::Csv
                });
            }
        }
        Ok(Self::Csv)
    }
}

/// The first bytes, enough to know a format by.
fn beginning(from: impl Read) -> io::Result<Vec<u8>> {
    let mut start = Vec::with_capacity(12);
    from.take(12).read_to_end(&mut start)?;
    Ok(start)
}

#[cfg(feature = "dbn")]
fn inspect_dbn(path: &Path, time: TimeOf) -> Result<Inspection, DataError> {
    crate::databento::inspect(path, time)
}

#[cfg(not(feature = "dbn"))]
fn inspect_dbn(path: &Path, _: TimeOf) -> Result<Inspection, DataError> {
    let help = stillpoint_engine::scenario::build_with("dbn");
    Err(DataError::new(path, None, "is a DBN file, which this program was built without", help))
}

#[cfg(feature = "parquet")]
fn inspect_parquet(path: &Path) -> Result<Inspection, DataError> {
    crate::parquet_rows::inspect(path)
}

#[cfg(not(feature = "parquet"))]
fn inspect_parquet(path: &Path) -> Result<Inspection, DataError> {
    let help = stillpoint_engine::scenario::build_with("parquet");
    Err(DataError::new(path, None, "is a Parquet file, which this program was built without", help))
}

fn inspect_recording(path: &Path, time: TimeOf) -> Result<Inspection, DataError> {
    let mut reader = BinanceReader::<MarketEvent>::open(&BinanceSettings { time, ..BinanceSettings::new(path) })?;
    let mut found = Inspection::new(format!("JSON lines, by {} time", time.name()));
    let mut streams: BTreeMap<(u32, bool), Scan> = BTreeMap::new();
    while let Some(item) = reader.next_item()? {
        let key = (item.value.instrument().0, matches!(item.value, MarketEvent::Trade(_)));
        let digest = digest_of(&item.value);
        streams.entry(key).or_default().add(item.at, digest);
        found.overall.add(item.at, digest);
    }
    found.overall.duplicates = streams.values().map(|scan| scan.duplicates).sum();
    let named = |((instrument, trades), scan)| (format!("instrument {instrument} {}", if trades { "trades" } else { "quotes" }), scan);
    found.streams.extend(streams.into_iter().map(named));
    found.read_by(&["binance_quotes", "binance_trades", "binance_events"]);
    Ok(found)
}

/// How time columns are called; the earlier the likelier.
const TIME_NAMES: [&str; 5] = ["time", "timestamp", "datetime", "date", "ts"];

/// Where the column is whose name is most like a time; else what is wrong and what to do.
pub(crate) fn time_column(names: &[String]) -> Result<usize, (String, String)> {
    let columns = names.iter().map(|name| name.to_ascii_lowercase()).enumerate();
    let likeness = |name: &str| {
        let exact = TIME_NAMES.iter().position(|time| name == *time);
        exact.or_else(|| TIME_NAMES.iter().position(|time| name.starts_with(time) || name.ends_with(time)).map(|at| at + TIME_NAMES.len()))
    };
    let likeliest = columns.filter_map(|(at, name)| Some((likeness(&name)?, at))).min();
    likeliest.map(|(_, column)| column).ok_or_else(|| {
        let cause = format!("no column is called like a time among `{}`", names.join("`, `"));
        (cause, "call one `time`, or look at the file through a scenario that names the column".to_owned())
    })
}

/// How columns are called that say what a row speaks of.
const SYMBOL_NAMES: [&str; 5] = ["symbol", "ticker", "instrument", "pair", "asset"];

/// Where the first column is that says what a row speaks of.
pub(crate) fn symbol_column(names: &[String]) -> Option<usize> {
    names.iter().position(|name| SYMBOL_NAMES.contains(&name.to_ascii_lowercase().as_str()))
}

fn inspect_csv(path: &Path) -> Result<Inspection, DataError> {
    let mut rows = Rows::start(path, b',', true)?;
    let column = time_column(rows.header()).map_err(|(cause, help)| DataError::new(path, Some(1), cause, help))?;
    let name = rows.header()[column].clone();
    let text = rows.record().get(column).unwrap_or_default().trim_ascii();
    let Some(format) = TimeFormat::guess(text) else {
        let cause = format!("column `{name}`: `{}` is in no time format that can be guessed", String::from_utf8_lossy(text));
        return Err(DataError::new(path, Some(2), cause, "look at the file through a scenario that names its format"));
    };
    let mut found = Inspection::new(format!("CSV, by column `{name}` of format `{format}`"));
    rows.set_time(column, format);
    let symbols = symbol_column(rows.header());
    while rows.advance()? {
        let mut digest = Digest::new();
        rows.record().iter().for_each(|field| field.hash(&mut digest));
        let symbol = symbols.and_then(|column| rows.record().get(column)).map(String::from_utf8_lossy);
        found.add_row(symbol.as_deref(), rows.time()?, digest.finish());
    }
    found.parted_by(symbols.map(|column| rows.header()[column].as_str()));
    found.read_by(&["csv_quotes", "csv_trades", "csv_bars"]);
    Ok(found)
}

impl fmt::Display for Inspection {
    /// A table for people: a line for each stream and one for the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.format)?;
        let width = self.streams.keys().map(String::len).max().unwrap_or(0).max("as one stream".len());
        let heads = ["events", "first", "last", "backward", "longest", "late", "furthest", "gap", "duplicates"];
        let [count, first, last, backward, longest, late, furthest, gap, duplicates] = heads;
        let line = format!(
            "{count:>9}  {first:30}  {last:30}  {backward:>8}  {longest:>13}  {late:>8}  {furthest:>13}  {gap:>13}  {duplicates:>10}"
        );
        writeln!(f, "{:width$}  {line}", "")?;
        let whole = std::iter::once(("as one stream", &self.overall));
        for (name, scan) in self.streams.iter().map(|(name, scan)| (name.as_str(), scan)).chain(whole) {
            let instant = |at: Option<Instant>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
            writeln!(
                f,
                "{name:width$}  {:>9}  {:30}  {:30}  {:>8}  {:>13}  {:>8}  {:>13}  {:>13}  {:>10}",
                scan.count,
                instant(scan.first),
                instant(scan.last),
                scan.backward_steps,
                scan.longest_backward.to_string(),
                scan.below_maximum,
                scan.furthest_below.to_string(),
                scan.longest_gap.0.to_string(),
                scan.duplicates,
            )?;
        }
        self.remedy().iter().chain(&self.notes).try_for_each(|sentence| writeln!(f, "{sentence}"))
    }
}
