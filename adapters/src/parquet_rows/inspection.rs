//! What a Parquet file holds. Invariant: two rows are duplicates if all columns say so, whatever their types are.

use std::path::Path;

use arrow_array::{Array, ArrayRef};
use stillpoint_engine::Instant;

use super::{Opened, Rows, cell, is_stamp, is_value};
use crate::error::DataError;
use crate::inspect::{Inspection, symbol_column, time_column};
use crate::time_format::TimeFormat;

/// Reads a file to its end. Its time column is found as that of a CSV file is; a format is guessed only where the type does not say it.
pub(crate) fn inspect(path: &Path) -> Result<Inspection, DataError> {
    let file = Opened::open(path)?;
    let time = time_column(&file.columns).map_err(|(cause, help)| DataError::new(path, None, cause, help))?;
    let (name, of) = (file.columns[time].clone(), file.type_of(time).clone());
    if !is_stamp(&of) && !is_value(&of) {
        let cause = format!("column `{name}` is of the type {of}, which holds no times");
        return Err(DataError::new(
            path,
            None,
            cause,
            "call the column of times `time`, or look at the file through a scenario that names it",
        ));
    }
    let symbols = symbol_column(&file.columns).filter(|column| is_value(file.type_of(*column)));
    let parts = symbols.map(|column| file.columns[column].clone());
    let all = (0..file.columns.len()).collect();
    let mut rows = file.rows(&all, time, None)?;
    let mut more = rows.advance()?;
    let mut written = format!("type {of}");
    if !is_stamp(&of) && more {
        let format = rows.guess()?;
        written = format!("format `{format}`");
        rows.time_format = Some(format);
    }
    let mut found = Inspection::new(format!("Parquet, by column `{name}` of {written}"));
    // Which of the contents met so far the last row has, and that row.
    let (mut content, mut last): (u64, Option<(Instant, Vec<ArrayRef>)>) = (0, None);
    while more {
        let at = rows.time()?;
        if !last.as_ref().is_some_and(|(before, cells)| *before == at && rows.is_now(cells)) {
            content += 1;
            last = Some((at, rows.cells()));
        }
        let symbol = symbols.map(|column| rows.text(column));
        found.add_row(symbol.as_deref(), at, content);
        more = rows.advance()?;
    }
    found.parted_by(parts.as_deref());
    found.read_by(&["parquet_quotes", "parquet_trades", "parquet_bars"]);
    Ok(found)
}

impl Rows {
    /// The format that the time of the row is probably in.
    fn guess(&self) -> Result<TimeFormat, DataError> {
        let text = self.text(self.time);
        TimeFormat::guess(text.as_bytes()).ok_or_else(|| {
            let name = &self.header[self.time];
            let cause = format!("column `{name}`: `{text}` is in no time format that can be guessed");
            self.fault(cause, "look at the file through a scenario that names its format")
        })
    }

    /// What the row says in a column.
    fn text(&self, column: usize) -> String {
        String::from_utf8_lossy(&cell(self.batch.columns[column].as_ref(), self.batch.row).text()).into_owned()
    }

    /// The row, a column each.
    fn cells(&self) -> Vec<ArrayRef> {
        self.batch.columns.iter().map(|column| column.slice(self.batch.row, 1)).collect()
    }

    /// Whether the row is the same as one before.
    fn is_now(&self, before: &[ArrayRef]) -> bool {
        self.batch.columns.iter().zip(before).all(|(column, before)| column.slice(self.batch.row, 1).as_ref() == before.as_ref())
    }
}
