//! Rows of files of other programs, batch by batch. Invariant: all batches have the columns that [`FileReader::schema`] tells.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader as IpcReader, StreamReader};
use arrow_schema::{ArrowError, SchemaRef};

use super::csv::{self, ColumnType};
use super::time::Plan;
use super::{FileError, FileFormat, parquet};
use crate::date::{Unit, Zone};
use crate::table::names;

/// How to read a file.
#[derive(Clone, Debug)]
pub struct FileOptions {
    /// Its format. `None`: as its name or its first bytes tell.
    pub format: Option<FileFormat>,
    /// The column that has the times. `None`: `time`.
    pub time: Option<String>,
    /// Takes files that have no time index.
    pub without_time: bool,
    /// What times that are whole numbers count, from 1970 on.
    pub unit: Option<Unit>,
    /// Where times are local that do not tell their offset. Times that a change of clocks makes ambiguous are an error.
    pub zone: Zone,
    /// What stands between the values of a CSV file.
    pub delimiter: u8,
    /// Types of columns of a CSV file; others are guessed by the first rows.
    pub types: BTreeMap<String, ColumnType>,
}

impl Default for FileOptions {
    fn default() -> Self {
        let types = BTreeMap::new();
        Self { format: None, time: None, without_time: false, unit: None, zone: Zone::UTC, delimiter: b',', types }
    }
}

/// The rows of one file, as they are there.
pub(super) struct Opened {
    pub(super) schema: SchemaRef,
    pub(super) batches: Box<dyn Iterator<Item = Result<RecordBatch, FileError>>>,
}

/// The rows of a file or of a folder of Parquet files.
pub struct FileReader {
    files: VecDeque<PathBuf>,
    options: FileOptions,
    schema: SchemaRef,
    current: Option<Current>,
    /// Bytes of files that are read to their end, and of all.
    bytes: (u64, u64),
}

/// The file that is being read.
struct Current {
    shown: String,
    plan: Plan,
    opened: Opened,
    /// Rows that were read.
    rows: u64,
    size: u64,
    read: Share,
}

/// How much of a file was read.
enum Share {
    Bytes(Arc<AtomicU64>),
    /// Of so many rows.
    Rows(u64),
}

impl std::fmt::Debug for FileReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FileReader({:?}, {:?})", self.files, self.schema)
    }
}

impl FileReader {
    /// Opens a file, or a folder of Parquet files. CSV is read once, so that it may come from a pipe.
    ///
    /// # Errors
    /// [`FileError`], with what is wrong and what to do.
    pub fn open(path: &Path, options: &FileOptions) -> Result<Self, FileError> {
        let mut files: VecDeque<PathBuf> = if path.is_dir() { parquet::folder(path, options)?.into() } else { [path.to_owned()].into() };
        let all = files.iter().map(|file| file.metadata().map_or(0, |found| found.len())).sum();
        let Some(first) = files.pop_front() else { return Err(FileError::Unknown { file: path.display().to_string() }) };
        let current = Current::open(&first, options)?;
        let schema = current.plan.schema().clone();
        Ok(Self { files, options: options.clone(), schema, current: Some(current), bytes: (0, all) })
    }

    /// The columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// How many bytes were read, and how many there are; the latter is 0 where that is not known.
    pub fn progress(&self) -> (u64, u64) {
        let current = self.current.as_ref().map_or(0, Current::read_bytes);
        (self.bytes.0 + current, self.bytes.1)
    }

    fn advance(&mut self) -> Result<Option<RecordBatch>, FileError> {
        loop {
            if self.current.is_none() {
                let Some(file) = self.files.pop_front() else { return Ok(None) };
                let next = Current::open(&file, &self.options)?;
                if next.plan.schema().fields() != self.schema.fields() {
                    let (is, was) = (names(next.plan.schema()), names(&self.schema));
                    let what = format!("its columns are {is}, and those of the files before are {was}: import it by itself, or convert it");
                    return Err(FileError::Columns { file: next.shown, what });
                }
                self.current = Some(next);
            }
            let Some(current) = &mut self.current else { return Ok(None) };
            match current.opened.batches.next() {
                Some(batch) => {
                    let batch = batch?;
                    let ours = current.plan.apply(&batch, &current.shown, current.rows)?;
                    current.rows += batch.num_rows() as u64;
                    return Ok(Some(ours));
                }
                None => {
                    self.bytes.0 += current.size;
                    self.current = None;
                }
            }
        }
    }
}

impl Iterator for FileReader {
    type Item = Result<RecordBatch, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance().transpose();
        if let Some(Err(_)) = next {
            self.files.clear();
            self.current = None;
        }
        next
    }
}

impl Current {
    fn open(path: &Path, options: &FileOptions) -> Result<Self, FileError> {
        let shown = path.display().to_string();
        let failed = |error: std::io::Error| FileError::Open { file: shown.clone(), why: error.to_string() };
        let format = match options.format.or_else(|| FileFormat::of_name(path)) {
            // One ending stands for both formats of Arrow, depending on who writes it.
            None | Some(FileFormat::Ipc | FileFormat::IpcStream) => sniffed(path, options.format)?,
            Some(known) => known,
        };
        if format == FileFormat::Parquet {
            let size = path.metadata().map_err(failed)?.len();
            let (opened, rows) = parquet::open(path)?;
            return Self::new(shown, opened, options, size, Share::Rows(rows));
        }
        let file = File::open(path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        let count = Arc::new(AtomicU64::new(0));
        let input = BufReader::with_capacity(1 << 18, Counted { inner: file, count: count.clone() });
        let opened = match format {
            FileFormat::Csv => csv::open(input, &shown, options)?,
            other => ipc(input, &shown, other)?,
        };
        Self::new(shown, opened, options, size, Share::Bytes(count))
    }

    fn new(shown: String, opened: Opened, options: &FileOptions, size: u64, read: Share) -> Result<Self, FileError> {
        let plan = Plan::new(&opened.schema, &shown, options)?;
        Ok(Self { shown, plan, opened, rows: 0, size, read })
    }

    fn read_bytes(&self) -> u64 {
        match &self.read {
            Share::Bytes(count) => count.load(Ordering::Relaxed).min(self.size),
            Share::Rows(all) => (u128::from(self.size) * u128::from(self.rows) / u128::from((*all).max(1))) as u64,
        }
    }
}

/// What the first bytes of a file say.
fn sniffed(path: &Path, given: Option<FileFormat>) -> Result<FileFormat, FileError> {
    let shown = path.display().to_string();
    let failed = |error: std::io::Error| FileError::Open { file: shown.clone(), why: error.to_string() };
    let mut head = Vec::new();
    File::open(path).map_err(failed)?.take(8).read_to_end(&mut head).map_err(failed)?;
    if head.is_empty() {
        return Err(FileError::Empty { file: shown, what: "it has no bytes" });
    }
    FileFormat::of_bytes(&head).or(given).or_else(|| FileFormat::of_name(path)).ok_or(FileError::Unknown { file: shown })
}

fn ipc(input: BufReader<Counted<File>>, shown: &str, format: FileFormat) -> Result<Opened, FileError> {
    let wrong = |error: ArrowError| unreadable(shown, format, &error);
    let (file, format_of) = (shown.to_owned(), format);
    let named = move |batch: Result<RecordBatch, ArrowError>| batch.map_err(|error| unreadable(&file, format_of, &error));
    if format == FileFormat::IpcStream {
        let reader = StreamReader::try_new(input, None).map_err(wrong)?;
        return Ok(Opened { schema: reader.schema(), batches: Box::new(reader.map(named)) });
    }
    let reader = IpcReader::try_new(input, None).map_err(wrong)?;
    Ok(Opened { schema: reader.schema(), batches: Box::new(reader.map(named)) })
}

pub(super) fn unreadable(shown: &str, format: FileFormat, error: &ArrowError) -> FileError {
    FileError::Unreadable { file: shown.to_owned(), format, why: error.to_string() }
}

/// Counts what is read.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(into)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl<R: Seek> Seek for Counted<R> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.inner.seek(to)
    }
}
