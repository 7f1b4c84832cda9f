//! Parquet in: one file, or a folder of them. Invariant: the files of a folder come in the order of their first instants, then of their names.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_schema::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::read::{FileOptions, Opened, unreadable};
use super::time;
use super::{BATCH_ROWS, FileError, FileFormat};
use arrow_array::types::TimestampNanosecondType;

fn failed(shown: &str) -> impl Fn(std::io::Error) -> FileError {
    move |error| FileError::Open { file: shown.to_owned(), why: error.to_string() }
}

fn builder(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>, FileError> {
    let shown = path.display().to_string();
    let file = File::open(path).map_err(failed(&shown))?;
    if file.metadata().map_err(failed(&shown))?.len() == 0 {
        return Err(FileError::Empty { file: shown, what: "it has no bytes" });
    }
    ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| FileError::Unreadable {
        file: shown,
        format: FileFormat::Parquet,
        why: error.to_string(),
    })
}

/// Opens one file. The other part of the result is how many rows it has.
pub(super) fn open(path: &Path) -> Result<(Opened, u64), FileError> {
    let shown = path.display().to_string();
    let builder = builder(path)?;
    let (schema, rows) = (builder.schema().clone(), builder.metadata().file_metadata().num_rows() as u64);
    let reader = builder.with_batch_size(BATCH_ROWS).build();
    let reader =
        reader.map_err(|error| FileError::Unreadable { file: shown.clone(), format: FileFormat::Parquet, why: error.to_string() })?;
    let batches = reader.map(move |batch: Result<_, ArrowError>| batch.map_err(|error| unreadable(&shown, FileFormat::Parquet, &error)));
    Ok((Opened { schema, batches: Box::new(batches) }, rows))
}

/// The Parquet files in a folder and below. Programs put notes of their own, whose names begin with `_` or `.`, beside them.
pub(super) fn folder(path: &Path, options: &FileOptions) -> Result<Vec<PathBuf>, FileError> {
    let (mut files, mut folders) = (Vec::new(), vec![path.to_owned()]);
    while let Some(folder) = folders.pop() {
        let shown = folder.display().to_string();
        for entry in fs::read_dir(&folder).map_err(failed(&shown))? {
            let path = entry.map_err(failed(&shown))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with(['_', '.']) {
                continue;
            }
            if path.is_dir() {
                if name.contains('=') {
                    let what =
                        format!("the folder `{name}` holds values of a column in its name: write the files with that column in them");
                    return Err(FileError::Columns { file: shown, what });
                }
                folders.push(path);
            } else if FileFormat::of_name(&path) == Some(FileFormat::Parquet) {
                files.push(path);
            }
        }
    }
    if files.is_empty() {
        return Err(FileError::Empty { file: path.display().to_string(), what: "no file in this folder ends in .parquet" });
    }
    let mut keyed = files.into_iter().map(|file| Ok((first(&file, options)?, file))).collect::<Result<Vec<_>, FileError>>()?;
    keyed.sort();
    Ok(keyed.into_iter().map(|(_, file)| file).collect())
}

/// The first instant of a file, if it has a time index and rows.
fn first(path: &Path, options: &FileOptions) -> Result<Option<i64>, FileError> {
    let shown = path.display().to_string();
    let builder = builder(path)?;
    let plan = time::Plan::new(builder.schema(), &shown, options)?;
    let Some(column) = plan.column() else { return Ok(None) };
    let mask = ProjectionMask::roots(builder.parquet_schema(), [column]);
    let reader = builder.with_projection(mask).with_batch_size(1).with_limit(1).build();
    let mut reader =
        reader.map_err(|error| FileError::Unreadable { file: shown.clone(), format: FileFormat::Parquet, why: error.to_string() })?;
    let Some(batch) = reader.next() else { return Ok(None) };
    let batch = batch.map_err(|error| unreadable(&shown, FileFormat::Parquet, &error))?;
    let times = plan.times(batch.column(0), &shown, 0)?;
    Ok(times.as_primitive::<TimestampNanosecondType>().values().first().copied())
}
