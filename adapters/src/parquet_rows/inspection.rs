//! What a Parquet file holds. Invariant: two rows are duplicates if all columns say so, whatever their types are.

use std::path::Path;

use arrow_array::{Array, ArrayRef};
use stillpoint_engine::Instant;

use super::{Opened, Rows, cell, is_stamp, is_value};
use crate::error::DataError;
use crate::inspect::{Inspection, time_column};
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
        found.overall.add(at, content);
        more = rows.advance()?;
    }
    found.streams.insert("rows".to_owned(), found.overall.clone());
    Ok(found)
}

impl Rows {
    /// The format that the time of the row is probably in.
    fn guess(&self) -> Result<TimeFormat, DataError> {
        let text = cell(self.batch.columns[self.time].as_ref(), self.batch.row).text();
        TimeFormat::guess(&text).ok_or_else(|| {
            let (name, text) = (&self.header[self.time], String::from_utf8_lossy(&text));
            let cause = format!("column `{name}`: `{text}` is in no time format that can be guessed");
            self.fault(cause, "look at the file through a scenario that names its format")
        })
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
