//! Rows in a range give way to others. Invariant: rows outside of the range are where they were, and those that stay are not copied.

use std::sync::Arc;

use stillpoint_engine::Instant;

use super::core::{Core, Laid};
use super::info::{AsOf, ReadOptions, WriteOptions, Written};
use super::op::{PartOp, PlaceOp};
use super::plan::union;
use super::state::Part;
use crate::date::DateRange;
use crate::error::StoreError;
use crate::table::{TIME, Table};

impl Core {
    /// A new version without the rows in `range`, and with those of `table` in their place.
    pub(crate) fn splice(
        self: &Arc<Self>,
        symbol: &str,
        range: DateRange,
        table: Option<&Table>,
        options: &WriteOptions,
        what: &'static str,
    ) -> Result<Written, StoreError> {
        if let Some((first, last)) = table.and_then(Table::span)
            && !(range.contains(first) && range.contains(last))
        {
            let why = format!("its rows are from {first} to {last}, and {range} does not contain them: choose a range that does");
            return Err(StoreError::invalid(format!("the update of `{symbol}`"), why));
        }
        let middle = match table {
            Some(table) => {
                let mut laid = self.lay(symbol, table)?;
                self.settle(symbol, &mut laid, table)?;
                Some(laid)
            }
            None => None,
        };
        // Where the range begins and ends is found out on one version; if another came meanwhile, it is done again.
        loop {
            self.refresh()?;
            let (base, laid) = self.around(symbol, range, middle.as_ref())?;
            if options.expected.is_some_and(|expected| expected != Some(base)) {
                let expected = options.expected.flatten();
                return Err(StoreError::ConcurrentModification { symbol: symbol.to_owned(), expected, found: Some(base) });
            }
            let expecting = WriteOptions { metadata: options.metadata.clone().or(self.metadata_of(symbol, base)), ..options.clone() };
            match self.write_laid(symbol, laid, expecting.expecting(Some(base)), what) {
                Err(StoreError::ConcurrentModification { .. }) => {}
                other => return other,
            }
        }
    }

    fn metadata_of(&self, symbol: &str, number: u64) -> Option<serde_json::Value> {
        self.log.read(|state| {
            let version = state.symbols.get(symbol)?.numbered(number)?;
            serde_json::from_str(version.metadata.as_ref()?).ok()
        })
    }

    /// Rows for the middle of a version cannot lie in its commit, since what is written again shares the places of the rest.
    fn settle(&self, symbol: &str, laid: &mut Laid, table: &Table) -> Result<(), StoreError> {
        if laid.blob.take().is_some() {
            laid.parts = self.write_segments(symbol, table)?;
        }
        Ok(())
    }

    /// The latest version's number, and its rows outside of the range around those in the middle.
    fn around(self: &Arc<Self>, symbol: &str, range: DateRange, middle: Option<&Laid>) -> Result<(u64, Laid), StoreError> {
        let (from, to) = range.half_open();
        let everything = ReadOptions::as_of(AsOf::Latest).columns([TIME]);
        let count = |range: DateRange| -> Result<(u64, Option<(i64, i64)>), StoreError> {
            let reading = self.select(symbol, &everything.clone().range(range))?.table()?;
            Ok((reading.rows(), reading.span().map(|(first, last)| (first.as_nanos(), last.as_nanos()))))
        };
        let info = self.log.read(|state| {
            let (known, version) = self.version(state, symbol, &AsOf::Latest)?;
            Ok::<_, StoreError>((version.clone(), known.chain_of(version).clone(), state.schema(version.schema).clone()))
        })?;
        let (version, chain, schema) = info;
        if schema.index_of(TIME).is_err() {
            return Err(StoreError::invalid(format!("a range of `{symbol}`"), "it has no time index `time`: write a new version"));
        }
        let nothing = (0, None);
        let before = match from.checked_sub(1) {
            Some(last) => count(before(last)?)?,
            None => nothing,
        };
        let after = match to {
            Some(to) => count(after(to)?)?,
            None => nothing,
        };
        let mut parts = chain.prefix(before.0);
        let middle_parts = middle.map(|laid| laid.parts.clone()).unwrap_or_default();
        let tail = suffix(&chain.prefix(version.rows), after.0);
        let op = |part: Part| PartOp { skip: part.skip, rows: part.rows, span: part.span, place: PlaceOp::At(part.place) };
        let mut all: Vec<PartOp> = parts.drain(..).map(op).collect();
        all.extend(middle_parts);
        all.extend(tail.into_iter().map(op));
        let spans = [before.1, middle.and_then(|laid| laid.span), after.1];
        let span = spans.into_iter().flatten().reduce(|all, next| (all.0, next.1));
        let schema = match middle {
            Some(laid) => union(symbol, &schema, &laid.schema)?,
            None => schema,
        };
        let rows = all.iter().map(|part| part.rows).sum();
        let bytes = middle.map_or(0, |laid| laid.bytes);
        Ok((version.number, Laid::of(schema, all, rows, span, bytes)))
    }
}

fn before(last: i64) -> Result<DateRange, StoreError> {
    Ok(DateRange::new(..=Instant::from_nanos(last))?)
}

fn after(first: i64) -> Result<DateRange, StoreError> {
    Ok(DateRange::new(Instant::from_nanos(first)..)?)
}

/// The last `rows` rows of some parts.
fn suffix(parts: &[Part], mut rows: u64) -> Vec<Part> {
    let mut tail = Vec::new();
    for part in parts.iter().rev() {
        if rows == 0 {
            break;
        }
        let here = rows.min(part.rows);
        tail.push(Part { skip: part.skip + part.rows - here, rows: here, ..part.clone() });
        rows -= here;
    }
    tail.reverse();
    tail
}
