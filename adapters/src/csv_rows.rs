//! Rows of CSV files as events. Invariant: no allocation per row; a column that is not there is found out before the first row.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use csv::ByteRecord;
use stillpoint_actors::Instrument;
use stillpoint_engine::{Instant, Source, SourceError, Timed};

use crate::error::DataError;
use crate::input::Input;
use crate::row::{Cell, Cells, FromRow, Row, column, columns_of, misnamed};
use crate::time_format::TimeFormat;

/// Which rows of a CSV file to read, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvSettings {
    /// The file, plain or packed by gzip or zstd.
    pub path: PathBuf,
    /// The instrument that the rows speak of.
    pub instrument: Instrument,
    /// The column with the event time.
    pub time: String,
    /// How the times are written.
    pub time_format: TimeFormat,
    /// The column of each field, where it is not called as the field is.
    pub columns: BTreeMap<String, String>,
    /// Column and text: rows that have another text there are skipped. For files that hold several instruments.
    pub only: Option<(String, String)>,
    /// What stands between the fields: a comma unless given.
    pub delimiter: u8,
    /// Whether the first line names the columns. If not, they are called `1`, `2` and so on.
    pub header: bool,
}

impl CsvSettings {
    /// A file with a header and commas.
    pub fn new(path: impl Into<PathBuf>, instrument: Instrument, time: impl Into<String>, time_format: TimeFormat) -> Self {
        Self {
            path: path.into(),
            instrument,
            time: time.into(),
            time_format,
            columns: BTreeMap::new(),
            only: None,
            delimiter: b',',
            header: true,
        }
    }

    /// The same settings for another file.
    #[must_use]
    pub fn at(&self, path: &Path) -> Self {
        Self { path: path.to_owned(), ..self.clone() }
    }
}

impl Cells for ByteRecord {
    fn cell(&self, column: usize) -> Cell<'_> {
        Cell::Text(self.get(column).unwrap_or_default())
    }
}

/// Reads a CSV file front to back and keeps its order.
///
/// ```
/// use stillpoint_actors::{Decimals, Instrument, InstrumentId, Price, Quote};
/// use stillpoint_adapters::{CsvReader, CsvSettings, TimeFormat};
/// use stillpoint_engine::Source;
///
/// let path = std::env::temp_dir().join("stillpoint-csv-reader-example.csv");
/// std::fs::write(&path, "ts,best bid,ask\n1000,99.5,100.5\n")?;
/// let mut settings = CsvSettings::new(&path, Instrument::new(InstrumentId(0), "X"), "ts", TimeFormat::Millis);
/// settings.columns.insert("bid".into(), "best bid".into());
/// let quote = CsvReader::<Quote>::open(&settings)?.next()?.expect("one row");
/// assert_eq!((quote.at.to_string().as_str(), quote.value.bid), ("1970-01-01T00:00:01Z", Price(9_950_000_000)));
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CsvReader<M> {
    rows: Rows,
    instrument: Instrument,
    columns: Vec<Option<usize>>,
    event: PhantomData<fn() -> M>,
}

impl<M: FromRow> CsvReader<M> {
    /// Opens a file and finds the columns.
    ///
    /// # Errors
    /// [`DataError`] if the file cannot be opened, has no such columns, or a mapping is for a field that the event has not.
    pub fn open(settings: &CsvSettings) -> Result<Self, DataError> {
        let rows = Rows::open(settings)?;
        if let Some((cause, help)) = misnamed::<M>(&settings.columns) {
            return Err(DataError::new(&settings.path, None, cause, help));
        }
        let columns = columns_of::<M>(&rows.header, &settings.columns).map_err(|fault| rows.of_header(fault))?;
        Ok(Self { instrument: settings.instrument.clone(), columns, rows, event: PhantomData })
    }

    fn next_item(&mut self) -> Result<Option<Timed<M>>, DataError> {
        if !self.rows.advance()? {
            return Ok(None);
        }
        let at = self.rows.time()?;
        let row = Row { cells: &self.rows.record, columns: &self.columns };
        match M::read(&row, &self.instrument) {
            Ok(value) => Ok(Some(Timed { at, value })),
            Err(error) => {
                let (cause, help) = row.fault(error, &self.rows.header);
                Err(self.rows.fault(cause, help))
            }
        }
    }
}

impl<M: FromRow> Source for CsvReader<M> {
    type Item = M;

    fn next(&mut self) -> Result<Option<Timed<M>>, SourceError> {
        Ok(self.next_item()?)
    }

    fn progress(&self) -> Option<(u64, u64)> {
        Some(self.rows.progress())
    }
}

/// The wanted rows of a file, one at a time.
pub(crate) struct Rows {
    path: PathBuf,
    reader: csv::Reader<Input>,
    header: Vec<String>,
    record: ByteRecord,
    waiting: bool,
    time: usize,
    time_format: TimeFormat,
    only: Option<(usize, Vec<u8>)>,
}

impl Rows {
    pub(crate) fn open(settings: &CsvSettings) -> Result<Self, DataError> {
        let mut rows = Self::start(&settings.path, settings.delimiter, settings.header)?;
        rows.time = rows.column(&settings.time)?;
        rows.time_format = settings.time_format.clone();
        rows.only = match &settings.only {
            Some((column, text)) => Some((rows.column(column)?, text.clone().into_bytes())),
            None => None,
        };
        Ok(rows)
    }

    /// Opens a file and reads its header and its first row; the time is not known yet.
    pub(crate) fn start(path: &Path, delimiter: u8, header: bool) -> Result<Self, DataError> {
        let mut builder = csv::ReaderBuilder::new();
        let reader = builder.delimiter(delimiter).has_headers(false).buffer_capacity(1 << 16).from_reader(Input::open(path)?);
        let mut rows = Self {
            path: path.to_owned(),
            reader,
            header: Vec::new(),
            record: ByteRecord::new(),
            waiting: false,
            time: 0,
            time_format: TimeFormat::Rfc3339,
            only: None,
        };
        if !rows.read()? {
            return Err(DataError::new(path, None, "the file is empty", "a CSV file needs at least the line that names its columns"));
        }
        if header {
            let names = rows.record.iter().map(|name| String::from_utf8_lossy(name.trim_ascii()).into_owned());
            rows.header = names.collect();
            rows.waiting = rows.read()?;
        } else {
            rows.header = (1..=rows.record.len()).map(|column| column.to_string()).collect();
            rows.waiting = true;
        }
        Ok(rows)
    }

    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    pub(crate) fn record(&self) -> &ByteRecord {
        &self.record
    }

    pub(crate) fn set_time(&mut self, column: usize, format: TimeFormat) {
        (self.time, self.time_format) = (column, format);
    }

    fn progress(&self) -> (u64, u64) {
        self.reader.get_ref().progress()
    }

    /// Where the column is that is called `name`.
    fn column(&self, name: &str) -> Result<usize, DataError> {
        column(&self.header, name).map_err(|fault| self.of_header(fault))
    }

    fn of_header(&self, (cause, help): (String, String)) -> DataError {
        DataError::new(&self.path, Some(1), cause, help)
    }

    /// Goes to the next row that is wanted; false at the end.
    pub(crate) fn advance(&mut self) -> Result<bool, DataError> {
        loop {
            if !std::mem::take(&mut self.waiting) && !self.read()? {
                return Ok(false);
            }
            let wanted =
                self.only.as_ref().is_none_or(|(column, text)| self.record.get(*column).is_some_and(|field| field.trim_ascii() == text));
            if wanted {
                return Ok(true);
            }
        }
    }

    /// The event time of the row.
    pub(crate) fn time(&self) -> Result<Instant, DataError> {
        let text = self.record.get(self.time).unwrap_or_default().trim_ascii();
        self.time_format.parse_time(text).ok_or_else(|| {
            let (name, text) = (&self.header[self.time], String::from_utf8_lossy(text));
            let cause = format!("column `{name}`: `{text}` is no time of the format `{}` between 1677 and 2262", self.time_format);
            self.fault(cause, "mend the row, or name the format that the file has")
        })
    }

    fn read(&mut self) -> Result<bool, DataError> {
        self.reader.read_byte_record(&mut self.record).map_err(|error| {
            let end = self.reader.position().byte();
            match error.into_kind() {
                csv::ErrorKind::Io(error) => self.reader.get_ref().fault(&error, self.line_at(end).map_or(0, |line| line - 1)),
                csv::ErrorKind::UnequalLengths { pos, expected_len, len } => DataError::new(
                    &self.path,
                    pos.and_then(|position| self.line_at(position.byte())),
                    format!("the row has {len} fields, the one before {expected_len}"),
                    "mend the row, or check the delimiter and the quotes",
                ),
                other => DataError::new(&self.path, self.line_at(end), format!("the row cannot be read ({other:?})"), "mend the row"),
            }
        })
    }

    fn fault(&self, cause: String, help: impl Into<String>) -> DataError {
        let line = self.record.position().and_then(|position| self.line_at(position.byte()));
        DataError::new(&self.path, line, cause, help)
    }

    /// The line of the row that starts at or after byte `start` of the text. Counted in the file itself: the parser's own count lags behind
    /// where lines end in CR LF, and does not see empty lines before a row.
    fn line_at(&self, start: u64) -> Option<u64> {
        let mut text = BufReader::new(Input::open(&self.path).ok()?);
        let (mut line, mut rest) = (1, start);
        loop {
            // Where the file cannot be read on is as far as there are lines.
            let Ok(chunk) = text.fill_buf() else { return Some(line) };
            let head = usize::try_from(rest).map_or(chunk.len(), |rest| rest.min(chunk.len()));
            rest -= head as u64;
            let blank = if rest == 0 { chunk[head..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count() } else { 0 };
            let used = head + blank;
            line += memchr::memchr_iter(b'\n', &chunk[..used]).count() as u64;
            if used < chunk.len() || chunk.is_empty() {
                return Some(line);
            }
            text.consume(used);
        }
    }
}
