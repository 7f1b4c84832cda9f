//! Several files as one source. Invariant: they are read in the order given, each from front to back, and only one is open at a time.

use std::path::{Path, PathBuf};

use stillpoint_engine::{Source, SourceError, Timed};

use crate::error::DataError;

/// A source that goes through several files one after another, in constant memory: the files of some days, say.
///
/// What opens a file is also given the reader of the file before it, at its end, for formats in which a file goes on where the last one ended. A
/// file that begins before the last one ended makes late items, for which the stream's policy is asked.
///
/// ```
/// use stillpoint_actors::{Instrument, InstrumentId, Quote};
/// use stillpoint_adapters::{CsvReader, CsvSettings, FileSeries, TimeFormat};
/// use stillpoint_engine::Source;
///
/// let path = |day: &str| std::env::temp_dir().join(format!("stillpoint-file-series-example-{day}.csv"));
/// std::fs::write(path("1"), "time,bid,ask\n1,2,3\n")?;
/// std::fs::write(path("2"), "time,bid,ask\n86401,4,5\n")?;
/// let settings = CsvSettings::new("", Instrument::new(InstrumentId(0), "X"), "time", TimeFormat::Seconds);
/// let mut quotes = FileSeries::open(vec![path("1"), path("2")], move |path, _| CsvReader::<Quote>::open(&settings.at(path)))?;
/// assert_eq!(quotes.next()?.expect("a row").at.to_string(), "1970-01-01T00:00:01Z");
/// assert_eq!(quotes.next()?.expect("a row").at.to_string(), "1970-01-02T00:00:01Z");
/// assert!(quotes.next()?.is_none());
/// # for day in ["1", "2"] { std::fs::remove_file(path(day))?; }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FileSeries<S, F> {
    paths: std::vec::IntoIter<PathBuf>,
    open: F,
    reader: Option<S>,
    /// Bytes of the files that were read to their end, and of all.
    done: u64,
    length: u64,
}

impl<S, F> FileSeries<S, F>
where
    S: Source,
    F: FnMut(&Path, Option<S>) -> Result<S, DataError>,
{
    /// Opens the first of the files. No files at all are a source without items.
    ///
    /// # Errors
    /// [`DataError`] if the first file cannot be opened. One of the others is opened, and may fail, when the one before it ends.
    pub fn open(paths: Vec<PathBuf>, mut open: F) -> Result<Self, DataError> {
        // A file that is not there is told when it is its turn.
        let length = paths.iter().filter_map(|path| Some(path.metadata().ok()?.len())).sum();
        let mut paths = paths.into_iter();
        let reader = paths.next().map(|path| open(&path, None)).transpose()?;
        Ok(Self { paths, open, reader, done: 0, length })
    }
}

impl<S, F> Source for FileSeries<S, F>
where
    S: Source,
    F: FnMut(&Path, Option<S>) -> Result<S, DataError> + 'static,
{
    type Item = S::Item;

    fn next(&mut self) -> Result<Option<Timed<S::Item>>, SourceError> {
        while let Some(reader) = &mut self.reader {
            if let Some(item) = reader.next()? {
                return Ok(Some(item));
            }
            let Some(path) = self.paths.next() else { return Ok(None) };
            self.done += reader.progress().map_or(0, |(_, length)| length);
            self.reader = Some((self.open)(&path, self.reader.take())?);
        }
        Ok(None)
    }

    fn progress(&self) -> Option<(u64, u64)> {
        let (read, length) = self.reader.as_ref()?.progress()?;
        Some((self.done + read, self.length.max(self.done + length)))
    }
}
