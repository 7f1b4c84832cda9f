//! The command `read`: rows as a table, as CSV or as JSON. Invariant: at most the rows of a table are in memory, and one batch.

use std::collections::VecDeque;
use std::io::{BufWriter, Write, stdout};

use serde_json::json;
use stillpoint_store::files::{Cell, RecordBatch, cells, write_csv};
use stillpoint_store::{Scan, VersionInfo, VersionLibrary};

use super::args::ReadArgs;
use super::{Called, list, transfer};
use crate::failure::{Done, Failure, print};
use crate::numbers::grouped;
use crate::table::{Side, table};

/// Rows of a table if nothing is said.
const TABLE_ROWS: u64 = 10;
/// Rows that become text at a time.
const TEXT_ROWS: usize = 1024;

/// Prints rows.
pub(super) fn read(called: &Called<'_>, args: &ReadArgs) -> Result<Done, Failure> {
    let library = called.open()?.rows(&args.symbol.library)?;
    let is_table = !args.csv && !called.json;
    let head = args.head.or((is_table && args.tail.is_none()).then_some(TABLE_ROWS));
    let (scan, rows) = match args.tail {
        Some(tail) => {
            let scan = last(&library, args, tail)?;
            (scan, Rows::Last(tail))
        }
        None => (library.scan(&args.symbol.symbol, &transfer::options(&args.symbol, &args.rows))?, Rows::First(head.unwrap_or(u64::MAX))),
    };
    let info = scan.version().clone();
    if is_table {
        return as_table(args, scan, rows, &info);
    }
    let mut out = BufWriter::new(stdout().lock());
    let empty = RecordBatch::new_empty(scan.schema().clone());
    let mut sink = if args.csv { Sink::csv(&mut out, &empty)? } else { Sink::json(&mut out, &empty, &list::shown(&args.symbol), &info)? };
    let is_whole = rows.of(scan, &mut |batch| {
        sink.batch(batch)?;
        Ok(!called.is_stopped())
    })?;
    sink.end()?;
    out.flush()?;
    Ok(if is_whole { Done::Well } else { Done::Interrupted })
}

/// Which rows of a scan.
#[derive(Clone, Copy)]
enum Rows {
    First(u64),
    Last(u64),
}

/// Reads no more than is needed for the last rows, where it is known which they are.
fn last(library: &VersionLibrary, args: &ReadArgs, tail: u64) -> Result<Scan, Failure> {
    let mut options = transfer::options(&args.symbol, &args.rows);
    if args.rows.range.is_none() {
        let all = library.info(&args.symbol.symbol, &args.symbol.as_of)?.rows;
        options = options.rows(all.saturating_sub(tail), all);
    }
    Ok(library.scan(&args.symbol.symbol, &options)?)
}

impl Rows {
    /// Hands the rows on. `false` if `emit` wanted no more.
    fn of(self, scan: Scan, emit: &mut dyn FnMut(&RecordBatch) -> Result<bool, Failure>) -> Result<bool, Failure> {
        match self {
            Self::First(mut left) => {
                for batch in scan {
                    if left == 0 {
                        break;
                    }
                    let batch = batch?;
                    let here = left.min(batch.num_rows() as u64);
                    left -= here;
                    if !emit(&batch.slice(0, here as usize))? {
                        return Ok(false);
                    }
                }
            }
            Self::Last(wanted) => {
                let (mut kept, mut rows) = (VecDeque::<RecordBatch>::new(), 0);
                for batch in scan {
                    let batch = batch?;
                    rows += batch.num_rows() as u64;
                    kept.push_back(batch);
                    while let Some(first) = kept.front()
                        && rows - first.num_rows() as u64 >= wanted
                    {
                        rows -= first.num_rows() as u64;
                        kept.pop_front();
                    }
                }
                for batch in kept {
                    let skip = rows.saturating_sub(wanted).min(batch.num_rows() as u64);
                    rows -= skip;
                    if !emit(&batch.slice(skip as usize, batch.num_rows() - skip as usize))? {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }
}

fn as_table(args: &ReadArgs, scan: Scan, rows: Rows, info: &VersionInfo) -> Result<Done, Failure> {
    let names: Vec<String> = scan.schema().fields().iter().map(|field| field.name().clone()).collect();
    let mut sides = vec![Side::Left; names.len()];
    let mut lines = vec![names];
    rows.of(scan, &mut |batch| {
        for row in cells(batch)? {
            for (side, cell) in sides.iter_mut().zip(&row) {
                if matches!(cell, Cell::Number(_)) {
                    *side = Side::Right;
                }
            }
            lines.push(row.into_iter().map(plain).collect());
        }
        Ok(true)
    })?;
    let shown = lines.len() as u64 - 1;
    let which = match rows {
        _ if shown == info.rows => "all".to_owned(),
        Rows::First(_) => format!("the first {}", grouped(shown)),
        Rows::Last(_) => format!("the last {}", grouped(shown)),
    };
    let range = args.rows.range.map_or(String::new(), |range| format!(" in {range}"));
    let title = format!("{}, version {}: {which} of {} rows{range}\n", list::shown(&args.symbol), info.number, grouped(info.rows));
    print(&(title + &table(2, &sides, &lines)))
}

fn plain(cell: Cell) -> String {
    match cell {
        Cell::Null => "null".to_owned(),
        Cell::Truth(truth) => truth.to_string(),
        // A line is a row.
        Cell::Number(text) | Cell::Text(text) => text.replace(['\n', '\r'], " "),
    }
}

/// Where rows go one after the other.
enum Sink<'a> {
    Csv(&'a mut dyn Write),
    Json { out: &'a mut dyn Write, names: Vec<String>, is_first: bool },
}

impl<'a> Sink<'a> {
    fn csv(out: &'a mut dyn Write, empty: &RecordBatch) -> Result<Self, Failure> {
        write_csv(out, empty, true)?;
        Ok(Self::Csv(out))
    }

    fn json(out: &'a mut dyn Write, empty: &RecordBatch, symbol: &str, info: &VersionInfo) -> Result<Self, Failure> {
        let schema = empty.schema();
        let names = schema.fields().iter().map(|field| json!(field.name()).to_string()).collect();
        write!(out, "{{\"symbol\":{},\"version\":{},\"rows_of_version\":{},\"rows\":[", json!(symbol), info.number, info.rows)?;
        Ok(Self::Json { out, names, is_first: true })
    }

    fn batch(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        match self {
            Self::Csv(out) => Ok(write_csv(*out, batch, false)?),
            Self::Json { out, names, is_first } => {
                for from in (0..batch.num_rows()).step_by(TEXT_ROWS) {
                    for row in cells(&batch.slice(from, TEXT_ROWS.min(batch.num_rows() - from)))? {
                        let values = names.iter().zip(row).map(|(name, cell)| format!("{name}:{}", json_text(cell)));
                        let comma = if std::mem::take(is_first) { "" } else { "," };
                        write!(out, "{comma}\n{{{}}}", values.collect::<Vec<_>>().join(","))?;
                    }
                }
                Ok(())
            }
        }
    }

    fn end(self) -> Result<(), Failure> {
        if let Self::Json { out, .. } = self {
            out.write_all(b"\n]}\n")?;
        }
        Ok(())
    }
}

/// JSON has no NaN and no infinities, which become texts.
fn json_text(cell: Cell) -> String {
    match cell {
        Cell::Null => "null".to_owned(),
        Cell::Truth(truth) => truth.to_string(),
        Cell::Number(text) if text.ends_with(|last: char| last.is_ascii_digit()) => text,
        Cell::Number(text) | Cell::Text(text) => json!(text).to_string(),
    }
}
