//! What a recording of the raw feed holds. Invariant: each line is read as streams read it, so what passes here can be replayed.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::path::Path;

use stillpoint_engine::Digest;

use super::message::{Fault, Message, received, stream_of};
use crate::binance::TimeOf;
use crate::error::DataError;
use crate::input::Lines;
use crate::inspect::{Inspection, Scan};

/// What whole books are counted as, which come from no stream of the exchange.
const WHOLE_BOOKS: &str = "whole books";

/// What messages are counted as that no kind reads.
const OTHERS: &str = "others";

/// Whether a line looks like one of such a recording: a time in nanoseconds and a JSON object.
pub(crate) fn is_line(line: &[u8]) -> bool {
    matches!(received(line), Ok(Some((_, text))) if text.starts_with(b"{"))
}

/// Reads a recording to its end.
pub(crate) fn inspect(path: &Path, time: TimeOf) -> Result<Inspection, DataError> {
    let mut lines = Lines::open(path)?;
    let mut found = Inspection::new(format!("Binance's raw feed, by {} time", time.name()));
    let mut symbols = BTreeSet::new();
    while lines.advance()? {
        let fault = |fault: Fault| fault.at(path, lines.number());
        let Some((received, text)) = received(lines.line()).map_err(fault)? else { continue };
        let stream = stream_of(text);
        let message = Message::parse(lines.line(), |_| true).map_err(fault)?;
        let at = match (time, &message) {
            (TimeOf::Received, _) => Some(received),
            (TimeOf::Exchange, Some(message)) => message.sent().map_err(fault)?,
            (TimeOf::Exchange, None) => None,
        };
        let mut digest = Digest::new();
        text.hash(&mut digest);
        let digest = digest.finish();
        let name = if message.is_some() { stream.unwrap_or(WHOLE_BOOKS) } else { OTHERS };
        if let Some((symbol, _)) = stream.and_then(|stream| stream.split_once('@'))
            && !symbols.contains(symbol)
        {
            symbols.insert(symbol.to_owned());
        }
        for scan in [&mut found.overall, scan_of(&mut found.streams, name)] {
            match at {
                Some(at) => scan.add(at, digest),
                None => scan.add_timeless(),
            }
        }
    }
    found.overall.duplicates = found.streams.values().map(|scan| scan.duplicates).sum();
    tell(&mut found, &symbols);
    Ok(found)
}

fn scan_of<'s>(streams: &'s mut BTreeMap<String, Scan>, name: &str) -> &'s mut Scan {
    if !streams.contains_key(name) {
        streams.insert(name.to_owned(), Scan::default());
    }
    streams.get_mut(name).expect("a stream that is there")
}

/// Adds which kinds read it, and what stands in their way.
fn tell(found: &mut Inspection, symbols: &BTreeSet<String>) {
    let has = |part: &str| found.streams.keys().any(|name| name.contains(part));
    let mut notes = Vec::new();
    if symbols.len() > 1 {
        let names: Vec<&str> = symbols.iter().map(String::as_str).collect();
        notes.push(format!("It speaks of `{}`, but a stream takes a file to be about one instrument: split it first.", names.join("`, `")));
    }
    if has("@depth") && !has(WHOLE_BOOKS) {
        notes.push("It has changes of the book, but no whole book that they could follow: `feed_depth` would tell nothing.".to_owned());
    }
    if found.streams.values().any(|scan| scan.count > 0 && scan.first.is_none()) {
        notes.push("Where there is no first instant, the exchange tells no time: such messages are read by receive time alone.".to_owned());
    }
    notes.push(
        "It is read by the kinds `feed_quotes` (bookTicker), `feed_trades` (trade) and `feed_depth` (depth and whole books); \
         `stillpoint schema feed_depth` shows the parameters of one."
            .to_owned(),
    );
    found.notes = notes;
}
