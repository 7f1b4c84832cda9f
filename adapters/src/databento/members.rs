//! Which records of a file are about an instrument. Invariant: a file's number of an instrument is valid in the days that its metadata says.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use dbn::{MappingInterval, Metadata, SType};
use stillpoint_engine::suggest;

/// The numbers of one instrument, each with the nanoseconds since the epoch in which it is valid.
pub(super) struct Members(Vec<(u32, RangeInclusive<u64>)>);

impl Members {
    /// An instrument with the same number in the whole file.
    pub(super) fn always(number: u32) -> Self {
        Self(vec![(number, 0..=u64::MAX)])
    }

    /// The numbers of `symbol`; else what is wrong and what to do.
    pub(super) fn of(symbol: &str, metadata: &Metadata) -> Result<Self, (String, String)> {
        let help = "give the file's number of the instrument as `instrument_id`";
        if metadata.mappings.is_empty() {
            return Err((format!("does not say which number `{symbol}` has in it"), help.into()));
        }
        if !by_number(metadata) && metadata.stype_out != SType::InstrumentId {
            return Err((format!("names instruments by `{}`, not by their numbers", metadata.stype_out), help.into()));
        }
        let (mut found, mut names) = (Vec::new(), Vec::new());
        for (name, number, interval) in mapped(metadata) {
            names.push(name);
            if name == symbol
                && let Ok(number) = number.parse()
            {
                let days = [interval.start_date, interval.end_date].map(|day| day.midnight().assume_utc().unix_timestamp_nanos());
                let [start, end] = days.map(|nanos| u64::try_from(nanos.max(0)).unwrap_or(u64::MAX));
                found.push((number, start..=end.saturating_sub(1)));
            }
        }
        if found.is_empty() {
            names.sort_unstable();
            names.dedup();
            let near = suggest::help(symbol, names).map_or_else(String::new, |near| format!("; {near}"));
            return Err((format!("has no instrument `{symbol}`"), format!("{help}{near}")));
        }
        Ok(Self(found))
    }

    /// Whether a record with this number at this time is about the instrument.
    pub(super) fn contain(&self, number: u32, at: u64) -> bool {
        self.0.iter().any(|(known, valid)| *known == number && valid.contains(&at))
    }
}

fn by_number(metadata: &Metadata) -> bool {
    metadata.stype_in == Some(SType::InstrumentId)
}

/// What the metadata says of numbers: a symbol, its number as it is written, and the days of both.
fn mapped(metadata: &Metadata) -> impl Iterator<Item = (&str, &str, &MappingInterval)> {
    let by_number = by_number(metadata);
    let intervals = metadata.mappings.iter().flat_map(|mapping| mapping.intervals.iter().map(|interval| (&*mapping.raw_symbol, interval)));
    intervals
        .map(move |(asked, interval)| if by_number { (&*interval.symbol, asked, interval) } else { (asked, &*interval.symbol, interval) })
}

/// The symbols of each number of a file.
pub(super) fn symbols(metadata: &Metadata) -> BTreeMap<u32, BTreeSet<&str>> {
    let mut symbols: BTreeMap<u32, BTreeSet<&str>> = BTreeMap::new();
    for (symbol, number, _) in mapped(metadata) {
        if let Ok(number) = number.parse() {
            symbols.entry(number).or_default().insert(symbol);
        }
    }
    symbols
}
