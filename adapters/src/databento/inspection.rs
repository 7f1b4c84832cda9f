//! What a DBN file holds. Invariant: records count that streams can be made of; of those that they leave out, none does.

use std::collections::BTreeMap;
use std::path::Path;

use stillpoint_engine::digest_of;

use super::members::symbols;
use super::record::{Body, span_of};
use super::{Clock, Records};
use crate::binance::TimeOf;
use crate::error::DataError;
use crate::inspect::{Inspection, Scan};

/// Reads a file to its end; a stream is what one publisher tells of one instrument.
pub(crate) fn inspect(path: &Path, time: TimeOf) -> Result<Inspection, DataError> {
    let (mut records, metadata) = Records::open(path, None)?;
    let schema = metadata.as_ref().and_then(|metadata| metadata.schema);
    let span = schema.and_then(span_of);
    let by = if span.is_some() { "the end of bars".to_owned() } else { format!("{} time", time.name()) };
    let mut found = Inspection::new(format!("DBN, schema {}, by {by}", schema.map_or("mixed", |schema| schema.as_str())));
    let mut clock = Clock::new(time);
    let mut streams: BTreeMap<(u32, u16), Scan> = BTreeMap::new();
    let mut take = |record: dbn::RecordRef<'_>| {
        let body = Body::of(&record, span)?;
        match body {
            Body::Notice => return Ok(()),
            Body::Other(_) if schema.is_none() => return Ok(()),
            Body::Other(rtype) => {
                let help = "no kind of stream reads such records: get the data in another schema, such as mbp-1 or trades";
                return Err((format!("is of the type {rtype:?}"), help.to_owned()));
            }
            _ => {}
        }
        let header = record.header();
        let (at, digest) = (clock.time_of(body, header.ts_event)?, digest_of(record.as_ref()));
        streams.entry((header.instrument_id, header.publisher_id)).or_default().add(at, digest);
        found.overall.add(at, digest);
        Ok(())
    };
    while records.next(&mut take)?.is_some() {}
    let symbols = metadata.as_ref().map(symbols).unwrap_or_default();
    let named = |((number, publisher), scan)| {
        let names = symbols.get(&number).into_iter().flatten().map(|symbol| format!(" {symbol}")).collect::<String>();
        (format!("instrument {number}{names}, publisher {publisher}"), scan)
    };
    found.overall.duplicates = streams.values().map(|scan| scan.duplicates).sum();
    found.streams = streams.into_iter().map(named).collect();
    found.read_by(&["dbn_quotes", "dbn_trades", "dbn_events", "dbn_depth", "dbn_book", "dbn_bars"]);
    Ok(found)
}
