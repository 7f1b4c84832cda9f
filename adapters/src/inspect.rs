//! What a data file holds: counts, span, order, gaps, duplicates. Invariant: one pass, memory by the number of streams alone.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::Path;

use stillpoint_actors::MarketEvent;
use stillpoint_engine::{Digest, Duration, Instant, digest_of};

use crate::binance::{BinanceReader, BinanceSettings, TimeOf};
use crate::csv_rows::Rows;
use crate::error::DataError;
use crate::input::Lines;
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
    /// Takes an event into account; `digest` stands for its content. True if it is a duplicate.
    fn add(&mut self, at: Instant, digest: u64) -> bool {
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
        duplicate
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
    /// Its streams by name, such as `instrument 0 quotes`; a CSV file has one, `rows`.
    pub streams: BTreeMap<String, Scan>,
}

impl Inspection {
    fn new(format: String) -> Self {
        Self { format, overall: Scan::default(), streams: BTreeMap::new() }
    }
}

/// Reads a file to its end and says what it holds.
///
/// A file whose first character is `{` is taken for a recording of JSON lines. Any other is taken for CSV with a header; its time column
/// is the first one that is called like a time (`time`, `timestamp`, `ts`, `date`, `datetime`, or with these at the start or the end) and
/// its format is guessed from the first row.
///
/// # Errors
/// [`DataError`] if the file cannot be read or a line makes no sense, or no time column is found.
pub fn inspect(path: &Path, time: TimeOf) -> Result<Inspection, DataError> {
    let mut lines = Lines::open(path)?;
    let mut is_json = false;
    while lines.advance()? {
        if let Some(byte) = lines.line().trim_ascii().first() {
            is_json = *byte == b'{';
            break;
        }
    }
    drop(lines);
    if is_json { inspect_recording(path, time) } else { inspect_csv(path) }
}

fn inspect_recording(path: &Path, time: TimeOf) -> Result<Inspection, DataError> {
    let mut reader = BinanceReader::<MarketEvent>::open(&BinanceSettings { time, ..BinanceSettings::new(path) })?;
    let name = match time {
        TimeOf::Received => "receive",
        TimeOf::Exchange => "exchange",
    };
    let mut found = Inspection::new(format!("JSON lines, by {name} time"));
    let mut streams: BTreeMap<(u32, bool), Scan> = BTreeMap::new();
    while let Some(item) = reader.next_item()? {
        let key = (item.value.instrument().0, matches!(item.value, MarketEvent::Trade(_)));
        let digest = digest_of(&item.value);
        streams.entry(key).or_default().add(item.at, digest);
        found.overall.add(item.at, digest);
    }
    found.overall.duplicates = streams.values().map(|scan| scan.duplicates).sum();
    let named = |((instrument, trades), scan)| (format!("instrument {instrument} {}", if trades { "trades" } else { "quotes" }), scan);
    found.streams = streams.into_iter().map(named).collect();
    Ok(found)
}

/// How time columns are called; the earlier the likelier.
const TIME_NAMES: [&str; 5] = ["time", "timestamp", "datetime", "date", "ts"];

fn inspect_csv(path: &Path) -> Result<Inspection, DataError> {
    let mut rows = Rows::start(path, b',', true)?;
    let columns = rows.header().iter().map(|name| name.to_ascii_lowercase()).enumerate();
    let likeness = |name: &str| {
        let exact = TIME_NAMES.iter().position(|time| name == *time);
        exact.or_else(|| TIME_NAMES.iter().position(|time| name.starts_with(time) || name.ends_with(time)).map(|at| at + TIME_NAMES.len()))
    };
    let likeliest = columns.filter_map(|(at, name)| Some((likeness(&name)?, at))).min();
    let Some((_, column)) = likeliest else {
        let cause = format!("no column is called like a time among `{}`", rows.header().join("`, `"));
        return Err(DataError::new(path, Some(1), cause, "call one `time`, or look at the file through a scenario that names the column"));
    };
    let name = rows.header()[column].clone();
    let text = rows.record().get(column).unwrap_or_default().trim_ascii();
    let Some(format) = TimeFormat::guess(text) else {
        let cause = format!("column `{name}`: `{}` is in no time format that can be guessed", String::from_utf8_lossy(text));
        return Err(DataError::new(path, Some(2), cause, "look at the file through a scenario that names its format"));
    };
    let mut found = Inspection::new(format!("CSV, by column `{name}` of format `{format}`"));
    rows.set_time(column, format);
    while rows.advance()? {
        let mut digest = Digest::new();
        rows.record().iter().for_each(|field| field.hash(&mut digest));
        found.overall.add(rows.time()?, digest.finish());
    }
    found.streams.insert("rows".to_owned(), found.overall.clone());
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
        if !self.overall.is_sorted() {
            let (late, bound) = (self.overall.below_maximum, self.overall.furthest_below);
            writeln!(f, "As one stream {late} events are late; `reorder: \"{bound}\"` would put all of them in order.")?;
        }
        Ok(())
    }
}
