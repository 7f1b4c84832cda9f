//! Which records of a file are about an instrument. Invariant: a file's number of an instrument is valid in the days that its metadata says.

use std::ops::RangeInclusive;

use dbn::{Metadata, SType};
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
        let by_number = metadata.stype_in == Some(SType::InstrumentId);
        if metadata.mappings.is_empty() {
            return Err((format!("does not say which number `{symbol}` has in it"), help.into()));
        }
        if !by_number && metadata.stype_out != SType::InstrumentId {
            return Err((format!("names instruments by `{}`, not by their numbers", metadata.stype_out), help.into()));
        }
        let (mut found, mut names) = (Vec::new(), Vec::new());
        for mapping in &metadata.mappings {
            for interval in &mapping.intervals {
                let (name, number) =
                    if by_number { (&interval.symbol, &mapping.raw_symbol) } else { (&mapping.raw_symbol, &interval.symbol) };
                names.push(name.as_str());
                if name == symbol
                    && let Ok(number) = number.parse()
                {
                    let days = [interval.start_date, interval.end_date].map(|day| day.midnight().assume_utc().unix_timestamp_nanos());
                    let [start, end] = days.map(|nanos| u64::try_from(nanos.max(0)).unwrap_or(u64::MAX));
                    found.push((number, start..=end.saturating_sub(1)));
                }
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
