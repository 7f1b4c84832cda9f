//! Writes and appends: what they need, and what they come to. Invariant: a plan looks at nothing but the state it is given.

use std::sync::Arc;

use arrow_schema::{Field, Schema, SchemaRef};
use serde_json::Value;
use stillpoint_engine::Instant;

use super::core::{Core, Laid, Planned};
use super::info::{WriteOptions, Written};
use super::op::{Op, PartOp, Tip};
use super::state::Series;
use crate::error::StoreError;
use crate::table::{TIME, Table, names};

/// Metadata as it is kept.
pub(super) fn metadata_text(metadata: Option<&Value>) -> Option<Arc<str>> {
    metadata.map(|value| value.to_string().into())
}

/// The columns of both; those that are in one alone are null in the rows of the other.
pub(crate) fn union(symbol: &str, old: &SchemaRef, new: &SchemaRef) -> Result<SchemaRef, StoreError> {
    if old.fields() == new.fields() {
        return Ok(old.clone());
    }
    let wrong = |what: String| StoreError::Schema { symbol: symbol.to_owned(), what };
    if old.index_of(TIME).is_ok() != new.index_of(TIME).is_ok() && !old.fields().is_empty() {
        return Err(wrong(format!(
            "one has the time index `time`, the other has not; it has {}, and these rows have {}",
            names(old),
            names(new)
        )));
    }
    let mut fields: Vec<Arc<Field>> = Vec::with_capacity(old.fields().len());
    for field in old.fields() {
        let nullable = match new.field_with_name(field.name()) {
            Ok(other) if other.data_type() != field.data_type() => {
                let (is, was, name) = (other.data_type(), field.data_type(), field.name());
                return Err(wrong(format!("`{name}` is of type {is}, and of type {was} before: convert it, or write a new version")));
            }
            Ok(other) => field.is_nullable() || other.is_nullable(),
            Err(_) => true,
        };
        fields.push(Arc::new(field.as_ref().clone().with_nullable(nullable)));
    }
    for field in new.fields().iter().filter(|field| old.index_of(field.name()).is_err()) {
        fields.push(Arc::new(field.as_ref().clone().with_nullable(!old.fields().is_empty() || field.is_nullable())));
    }
    Ok(Arc::new(Schema::new(fields)))
}

/// What comes of expecting a version.
fn check_expected(symbol: &str, options: &WriteOptions, tip: Option<&Tip>) -> Result<(), StoreError> {
    let found = tip.filter(|tip| tip.exists).map(|tip| tip.number);
    match options.expected {
        Some(expected) if expected != found => Err(StoreError::ConcurrentModification { symbol: symbol.to_owned(), expected, found }),
        _ => Ok(()),
    }
}

/// What an append is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Append {
    /// A symbol that must exist.
    Existing,
    /// A symbol that is made if it does not exist.
    Upsert,
    /// As before, and the version before goes.
    Ticks,
}

/// Names of symbols are any text that is not empty and not longer than this.
const LONGEST_NAME: usize = 1_024;

pub(crate) fn check_name(what: &str, name: &str) -> Result<(), StoreError> {
    if name.is_empty() || name.len() > LONGEST_NAME {
        return Err(StoreError::invalid(format!("the {what} `{name:.40}`"), format!("a name has 1 to {LONGEST_NAME} bytes")));
    }
    Ok(())
}

impl Core {
    /// Writes a new version with these rows.
    pub(crate) fn write(self: &Arc<Self>, symbol: &str, table: &Table, options: &WriteOptions) -> Result<Written, StoreError> {
        check_name("symbol", symbol)?;
        let laid = self.lay(symbol, table)?;
        self.write_laid(symbol, laid, options.clone(), "write")
    }

    /// Writes a new version of rows that were laid down.
    pub(crate) fn write_laid(
        self: &Arc<Self>,
        symbol: &str,
        laid: Laid,
        options: WriteOptions,
        what: &'static str,
    ) -> Result<Written, StoreError> {
        let (name, mine) = (symbol.to_owned(), laid.clone());
        let ((number, rows), stamp) = self.commit_tip(symbol, laid, move |state, tip, _| {
            check_expected(&name, &options, tip.as_ref())?;
            let number = tip.as_ref().map_or_else(|| state.next_number(&name), |tip| tip.number + 1);
            let mut ops = vec![Op::Write {
                symbol: name.clone(),
                schema: state.schema_op(&mine.schema),
                parts: mine.parts.clone(),
                span: mine.span,
                metadata: metadata_text(options.metadata.as_ref()),
            }];
            let older: Vec<u64> = match (options.prune, state.symbols.get(&name)) {
                (true, Some(symbol)) => symbol.visible().map(|version| version.number).collect(),
                _ => Vec::new(),
            };
            let only_tip = older.is_empty() && !options.prune;
            if !older.is_empty() {
                ops.push(Op::Drop { symbol: name.clone(), versions: older });
            }
            ops.extend(audit(&name, Some(number), what, options.audit.as_ref()));
            let tip = Tip { number, span: mine.span, rows: mine.rows, schema: mine.schema.clone(), exists: true, adds: 0 };
            Ok(Planned { ops, tip: Some(tip), only_tip, adds: mine.bytes, result: (number, mine.rows) })
        })?;
        let at = stamp.map_or(Instant::MIN, |stamp| stamp.at);
        Ok(self.written(symbol, number, rows, at))
    }

    /// Adds rows after the latest version. Without rows nothing happens.
    pub(crate) fn append(
        self: &Arc<Self>,
        symbol: &str,
        table: &Table,
        options: &WriteOptions,
        mode: Append,
    ) -> Result<Written, StoreError> {
        check_name("symbol", symbol)?;
        let laid = self.lay(symbol, table)?;
        self.append_laid(symbol, laid, options, mode)
    }

    /// Adds rows that were laid down.
    pub(crate) fn append_laid(
        self: &Arc<Self>,
        symbol: &str,
        laid: Laid,
        options: &WriteOptions,
        mode: Append,
    ) -> Result<Written, StoreError> {
        let (name, mine, options, core) = (symbol.to_owned(), laid.clone(), options.clone(), self.clone());
        let ((number, rows, at), stamp) = self.commit_tip(symbol, laid, move |state, tip, _| {
            check_expected(&name, &options, tip.as_ref())?;
            let Some(tip) = tip.filter(|tip| tip.exists) else {
                if mode == Append::Existing {
                    return Err(core.no_symbol(state, &name));
                }
                return Ok(first_append(state, &name, &mine, &options));
            };
            if mine.rows == 0 {
                let at = state
                    .symbols
                    .get(&name)
                    .and_then(|symbol| symbol.latest())
                    .map_or(Instant::MIN, |version| Instant::from_nanos(version.at));
                return Ok(Planned { ops: Vec::new(), tip: None, only_tip: true, adds: 0, result: (tip.number, tip.rows, Some(at)) });
            }
            if let (Some((_, last)), Some((first, _))) = (tip.span, mine.span)
                && first < last
            {
                let (last, first) = (Instant::from_nanos(last), Instant::from_nanos(first));
                return Err(StoreError::OverlappingData { symbol: name.clone(), last, first });
            }
            let schema = union(&name, &tip.schema, &mine.schema)?;
            let span = match (tip.span, mine.span) {
                (Some((first, _)), Some((_, last))) => Some((first, last)),
                (old, new) => new.or(old),
            };
            let number = tip.number + 1;
            let mut ops = vec![Op::Append {
                symbol: name.clone(),
                schema: state.schema_op(&schema),
                parts: mine.parts.clone(),
                span,
                metadata: metadata_text(options.metadata.as_ref()),
                replaces: mode == Append::Ticks,
            }];
            let older: Vec<u64> = match (options.prune, state.symbols.get(&name)) {
                (true, Some(symbol)) => symbol.visible().map(|version| version.number).collect(),
                _ => Vec::new(),
            };
            let only_tip = !options.prune;
            if !older.is_empty() {
                ops.push(Op::Drop { symbol: name.clone(), versions: older });
            }
            ops.extend(audit(&name, Some(number), "append", options.audit.as_ref()));
            let rows = tip.rows + mine.rows;
            let tip = Tip { number, span, rows, schema, exists: true, adds: 0 };
            Ok(Planned { ops, tip: Some(tip), only_tip, adds: mine.bytes, result: (number, rows, None) })
        })?;
        let at = at.or(stamp.map(|stamp| stamp.at)).unwrap_or(Instant::MIN);
        Ok(self.written(symbol, number, rows, at))
    }
}

fn first_append(state: &Series, name: &str, mine: &Laid, options: &WriteOptions) -> Planned<(u64, u64, Option<Instant>)> {
    let number = state.next_number(name);
    let parts: Vec<PartOp> = mine.parts.clone();
    let mut ops = vec![Op::Write {
        symbol: name.to_owned(),
        schema: state.schema_op(&mine.schema),
        parts,
        span: mine.span,
        metadata: metadata_text(options.metadata.as_ref()),
    }];
    ops.extend(audit(name, Some(number), "append", options.audit.as_ref()));
    let tip = Tip { number, span: mine.span, rows: mine.rows, schema: mine.schema.clone(), exists: true, adds: 0 };
    Planned { ops, tip: Some(tip), only_tip: true, adds: mine.bytes, result: (number, mine.rows, None) }
}

/// A line of the audit log, if one is asked for.
pub(super) fn audit(symbol: &str, version: Option<u64>, what: &str, message: Option<&String>) -> Option<Op> {
    let message = message?.clone();
    Some(Op::Audit { symbol: symbol.to_owned(), version, what: what.to_owned(), message })
}
