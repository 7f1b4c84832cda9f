//! The chunk library: rows cut by time, so that a part can be read or replaced alone. Invariant: there is one version of a symbol, which says by
//! which chunker it is cut, and every change of it is one commit.

use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stillpoint_engine::{Duration, Instant};

use super::compact::{Compacted, Swept};
use super::core::Core;
use super::gather::together;
use super::info::{AsOf, ReadOptions, VersionInfo, WriteOptions, Written};
use super::op::Op;
use super::plan::{Append, check_name, metadata_text};
use super::select::{Scan, Selected};
use super::version::{Symbols, VersionLibrary};
use crate::chunk::{Chunkers, Named, Span, split};
use crate::date::DateRange;
use crate::error::StoreError;
use crate::table::{TIME, Table};

/// A library of rows that are cut into chunks by day, month, year, or a chunker of one's own ([`Store::register_chunker`](crate::Store::register_chunker)).
///
/// ```
/// use stillpoint_store::{DateRange, Kind, Store, Table, WriteOptions};
///
/// let store = Store::memory()?;
/// store.create("closes", Kind::Chunk)?;
/// let closes = store.chunks("closes")?;
/// let rows = |days: [&str; 2], closes: [f64; 2]| {
///     Table::at(days.map(|day| format!("{day}T00:00:00Z").parse().expect("an instant"))).column("close", closes).finish()
/// };
/// let options = WriteOptions::default();
/// closes.write("X", &rows(["2024-01-30", "2024-02-01"], [1.0, 2.0])?, "month", &options)?;
/// // Whatever January had gives way.
/// closes.update("X", &rows(["2024-01-02", "2024-01-03"], [3.0, 4.0])?, &options)?;
/// let keys: Vec<String> = closes.chunk_ranges("X", DateRange::ALL)?.into_iter().map(|chunk| chunk.key).collect();
/// assert_eq!(keys, ["2024-01", "2024-02"]);
/// let january = closes.read("X", "20240101-20240131".parse()?, None)?;
/// assert_eq!(january.values::<arrow_array::types::Float64Type>("close")?, [3.0, 4.0]);
/// # Ok::<(), stillpoint_store::StoreError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ChunkLibrary {
    core: Arc<Core>,
    chunkers: Chunkers,
}

/// One chunk that a symbol has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkInfo {
    /// Its name.
    pub key: String,
    /// The stretch of time it is for.
    pub span: Span,
    /// How many rows it has, at least one.
    pub rows: u64,
    /// The instant of the first of them.
    pub first: Instant,
    /// The instant of the last of them.
    pub last: Instant,
}

/// What is known of a symbol of a chunk library.
#[derive(Clone, Debug, PartialEq)]
pub struct ChunkedInfo {
    /// The chunker by which it is cut.
    pub chunker: String,
    /// Rows, first and last instant, columns, metadata.
    pub version: VersionInfo,
}

/// What the library keeps where other libraries keep the user's metadata alone.
#[derive(Serialize, Deserialize)]
struct Said {
    chunker: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metadata: Option<Value>,
}

impl Said {
    fn text(&self) -> Value {
        serde_json::json!({ "chunker": self.chunker, "metadata": self.metadata })
    }
}

/// What a change is planned on.
struct Base {
    number: u64,
    last: Option<Instant>,
    chunker: Named,
}

impl ChunkLibrary {
    pub(crate) fn new(core: Arc<Core>, chunkers: Chunkers) -> Self {
        Self { core, chunkers }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.core.name
    }

    /// Writes a symbol anew, cut by a chunker: `day`, `month`, `year`, or one that was registered. What it had is gone.
    ///
    /// # Errors
    /// [`StoreError::Chunk`] for an unknown chunker; [`StoreError::Schema`] without a time index; [`StoreError::QuotaExceeded`].
    pub fn write(&self, symbol: &str, table: &Table, chunker: &str, options: &WriteOptions) -> Result<Written, StoreError> {
        check_time(symbol, table)?;
        split(&self.chunkers.get(chunker)?, table.batches())?;
        let said = Said { chunker: chunker.to_owned(), metadata: options.metadata.clone() };
        self.core.write(symbol, table, &options.clone().metadata(said.text()).prune())
    }

    /// Adds rows, wherever they belong: after the last one, or between those that there are, behind what has the same instant. Metadata stays
    /// as it is if no other is given. Without rows nothing happens.
    ///
    /// # Errors
    /// [`StoreError::SymbolNotFound`], [`StoreError::ConcurrentModification`] if another version was expected; those of [`ChunkLibrary::write`].
    pub fn append(&self, symbol: &str, table: &Table, options: &WriteOptions) -> Result<Written, StoreError> {
        let Some((first, last)) = table.span() else { return self.append_nothing(symbol, table, options) };
        loop {
            let base = self.base(symbol, options)?;
            split(&base.chunker, table.batches())?;
            if base.last.is_some_and(|last| first < last) {
                let between = |base: &Base| {
                    let range = DateRange::closed(first, last)?;
                    Ok((range, together(symbol, &[self.rows_of(symbol, base, range)?, table.clone()])?))
                };
                return self.change(symbol, options, "append", between);
            }
            // Metadata is kept with the chunker's name, which is that of the base.
            let expected = options.expected.or(options.metadata.as_ref().map(|_| Some(base.number)));
            let metadata =
                options.metadata.clone().map(|metadata| Said { chunker: base.chunker.name().to_owned(), metadata: Some(metadata) }.text());
            let adding = WriteOptions { metadata, expected, prune: true, audit: options.audit.clone() };
            match self.core.append(symbol, table, &adding, Append::Existing) {
                Err(StoreError::OverlappingData { .. } | StoreError::ConcurrentModification { .. }) => {}
                done => return done,
            }
        }
    }

    fn append_nothing(&self, symbol: &str, table: &Table, options: &WriteOptions) -> Result<Written, StoreError> {
        if table.rows() > 0 {
            check_time(symbol, table)?;
        }
        let options = WriteOptions { metadata: None, audit: None, prune: false, ..options.clone() };
        self.core.append(symbol, table, &options, Append::Existing)
    }

    /// Replaces each chunk in which there are rows of `table` by these rows, in one commit; all other chunks stay as they are. Doing it twice is
    /// doing it once. Metadata stays as it is if no other is given. Without rows nothing happens.
    ///
    /// # Errors
    /// As [`ChunkLibrary::append`].
    pub fn update(&self, symbol: &str, table: &Table, options: &WriteOptions) -> Result<Written, StoreError> {
        if table.span().is_none() {
            return self.append_nothing(symbol, table, options);
        }
        self.change(symbol, options, "update", |base| {
            let touched: Vec<Span> = split(&base.chunker, table.batches())?.into_iter().map(|chunk| chunk.span).collect();
            // What lies between two chunks that are replaced stays.
            let mut rows = vec![table.clone()];
            for pair in touched.windows(2) {
                let (from, to) = (pair[0].last + Duration::nanos(1), pair[1].first);
                if from < to {
                    rows.push(self.rows_of(symbol, base, DateRange::new(from..to)?)?);
                }
            }
            let stretch = DateRange::closed(touched[0].first, touched[touched.len() - 1].last)?;
            Ok((stretch, together(symbol, &rows)?))
        })
    }

    /// Puts rows in the place of exactly the rows in a range, in one commit. The rows must lie in the range.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] if rows lie outside; those of [`ChunkLibrary::append`].
    pub fn update_range(&self, symbol: &str, range: DateRange, table: &Table, options: &WriteOptions) -> Result<Written, StoreError> {
        check_time(symbol, table)?;
        self.change(symbol, options, "update", |base| {
            split(&base.chunker, table.batches())?;
            Ok((range, table.clone()))
        })
    }

    /// Removes exactly the rows in a range. Returns how many there are left.
    ///
    /// # Errors
    /// [`StoreError::SymbolNotFound`].
    pub fn delete_range(&self, symbol: &str, range: DateRange) -> Result<u64, StoreError> {
        Ok(self.core.splice(symbol, range, None, &WriteOptions::default().prune(), "delete range")?.rows)
    }

    /// Removes a symbol.
    ///
    /// # Errors
    /// [`StoreError::SymbolNotFound`].
    pub fn delete(&self, symbol: &str) -> Result<(), StoreError> {
        self.core.delete(symbol)
    }

    /// Gives a symbol another name. Its rows and its metadata stay.
    ///
    /// # Errors
    /// [`StoreError::SymbolNotFound`], [`StoreError::SymbolExists`].
    pub fn rename(&self, symbol: &str, to: &str) -> Result<(), StoreError> {
        check_name("symbol", to)?;
        let (core, symbol, to) = (self.core.clone(), symbol.to_owned(), to.to_owned());
        self.core.commit_whole(move |state, _| {
            if state.symbols.get(&symbol).and_then(|known| known.latest()).is_none() {
                return Err(core.no_symbol(state, &symbol));
            }
            if state.symbols.contains_key(&to) {
                return Err(StoreError::SymbolExists(to.clone()));
            }
            Ok((vec![Op::Rename { symbol: symbol.clone(), to: to.clone() }], ()))
        })?;
        Ok(())
    }

    /// Reads the rows in a range, all of them with [`DateRange::ALL`].
    ///
    /// # Errors
    /// [`StoreError::SymbolNotFound`], [`StoreError::Schema`] for an unknown column, [`StoreError::Damaged`].
    pub fn read(&self, symbol: &str, range: DateRange, columns: Option<&[&str]>) -> Result<Table, StoreError> {
        Ok(self.core.read(symbol, &reading(range, columns))?.table)
    }

    /// Reads rows as they are asked for, at constant memory.
    ///
    /// # Errors
    /// As [`ChunkLibrary::read`].
    pub fn scan(&self, symbol: &str, options: &ReadOptions) -> Result<Scan, StoreError> {
        self.core.refresh()?;
        Ok(self.core.select(symbol, options)?.scan())
    }

    /// The chunks that have a row and a part in a range, in order.
    ///
    /// # Errors
    /// As [`ChunkLibrary::read`].
    pub fn chunk_ranges(&self, symbol: &str, range: DateRange) -> Result<Vec<ChunkInfo>, StoreError> {
        Ok(self.held(symbol, range, None)?.1)
    }

    /// The chunks that have a part in a range, whole, one after the other: forward, or backward with [`rev`](Iterator::rev). Each is read when it
    /// is asked for; all are of the version that there was when this was called, whatever is written meanwhile.
    ///
    /// # Errors
    /// As [`ChunkLibrary::read`]; those of the rows come with them.
    pub fn chunks(&self, symbol: &str, range: DateRange, columns: Option<&[&str]>) -> Result<Chunks, StoreError> {
        let (selected, chunks) = self.held(symbol, range, columns)?;
        Ok(Chunks { selected, chunks: chunks.into_iter() })
    }

    /// A version that is held, and its chunks that have a part in a range.
    fn held(&self, symbol: &str, range: DateRange, columns: Option<&[&str]>) -> Result<(Selected, Vec<ChunkInfo>), StoreError> {
        self.core.refresh()?;
        let selected = self.core.select(symbol, &reading(DateRange::ALL, columns))?;
        let chunker = self.chunkers.get(&self.said(symbol, &selected.info)?.chunker)?;
        let mut chunks: Vec<ChunkInfo> = Vec::new();
        let (Some((first, last)), Some((from, to))) = (selected.info.span, range.ends()) else { return Ok((selected, chunks)) };
        if to < first || last < from {
            return Ok((selected, chunks));
        }
        let whole = DateRange::closed(chunker.span(first.max(from))?.first, chunker.span(last.min(to))?.last)?;
        selected.narrowed(whole, times_alone(&selected.schema)).for_each(None, &mut |batch| {
            for cut in split(&chunker, std::slice::from_ref(&batch))? {
                let times = Table::of(batch.schema(), cut.batches);
                let Some((first, last)) = times.span() else { continue };
                match chunks.last_mut() {
                    Some(chunk) if chunk.span == cut.span => (chunk.rows, chunk.last) = (chunk.rows + times.rows(), last),
                    _ => chunks.push(ChunkInfo { key: cut.key, span: cut.span, rows: times.rows(), first, last }),
                }
            }
            Ok(true)
        })?;
        Ok((selected, chunks))
    }

    /// What was said of a symbol.
    ///
    /// # Errors
    /// [`StoreError::SymbolNotFound`].
    pub fn read_metadata(&self, symbol: &str) -> Result<Option<Value>, StoreError> {
        Ok(self.info(symbol)?.version.metadata)
    }

    /// Says something else of a symbol. No row is moved.
    ///
    /// # Errors
    /// [`StoreError::SymbolNotFound`].
    pub fn write_metadata(&self, symbol: &str, metadata: Option<&Value>) -> Result<(), StoreError> {
        let (library, symbol, metadata) = (self.clone(), symbol.to_owned(), metadata.cloned());
        self.core.commit_whole(move |state, _| {
            let (known, version) = library.core.version(state, &symbol, &AsOf::Latest)?;
            let said = Said { metadata: metadata.clone(), ..library.said(&symbol, &library.core.info(state, &symbol, version))? };
            let older = known.visible().map(|version| version.number).collect();
            let describe = Op::Describe { symbol: symbol.clone(), metadata: metadata_text(Some(&said.text())) };
            Ok((vec![describe, Op::Drop { symbol: symbol.clone(), versions: older }], ()))
        })?;
        Ok(())
    }

    /// What is known of a symbol, without reading rows.
    ///
    /// # Errors
    /// [`StoreError::SymbolNotFound`].
    pub fn info(&self, symbol: &str) -> Result<ChunkedInfo, StoreError> {
        let version = VersionLibrary(self.core.clone()).info(symbol, &AsOf::Latest)?;
        let Said { chunker, metadata } = self.said(symbol, &version)?;
        Ok(ChunkedInfo { chunker, version: VersionInfo { metadata, ..version } })
    }

    /// Whether there is a symbol.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn has_symbol(&self, symbol: &str) -> Result<bool, StoreError> {
        VersionLibrary(self.core.clone()).has_symbol(symbol, &AsOf::Latest)
    }

    /// The names of the symbols, in order; those in which a regular expression finds something, if one is given.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a bad regular expression.
    pub fn list_symbols(&self, matching: Option<&str>) -> Result<Vec<String>, StoreError> {
        VersionLibrary(self.core.clone()).list_symbols(&Symbols { matching: matching.map(str::to_owned), ..Symbols::default() })
    }

    /// Puts the small pieces of a symbol together now.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn compact(&self, symbol: &str) -> Result<Compacted, StoreError> {
        VersionLibrary(self.core.clone()).compact(symbol)
    }

    /// As [`VersionLibrary::sweep`].
    ///
    /// # Errors
    /// As [`VersionLibrary::sweep`].
    pub fn sweep(&self, grace: Duration) -> Result<Swept, StoreError> {
        self.core.sweep(grace)
    }

    fn said(&self, symbol: &str, version: &VersionInfo) -> Result<Said, StoreError> {
        serde_json::from_value(version.metadata.clone().unwrap_or_default()).map_err(|error| {
            let what = format!("version {} does not say by which chunker it is cut ({error})", version.number);
            StoreError::damaged(format!("`{symbol}` of library `{}`", self.core.name), what)
        })
    }

    /// The latest version, if it is the one that is expected.
    fn base(&self, symbol: &str, options: &WriteOptions) -> Result<Base, StoreError> {
        let info = self.info(symbol)?;
        let found = Some(info.version.number);
        match options.expected {
            Some(expected) if expected != found => Err(StoreError::ConcurrentModification { symbol: symbol.to_owned(), expected, found }),
            _ => Ok(Base {
                number: info.version.number,
                last: info.version.span.map(|(_, last)| last),
                chunker: self.chunkers.get(&info.chunker)?,
            }),
        }
    }

    /// The rows of the base in a range.
    fn rows_of(&self, symbol: &str, base: &Base, range: DateRange) -> Result<Table, StoreError> {
        self.core.select(symbol, &ReadOptions::as_of(AsOf::Version(base.number)).range(range))?.table()
    }

    /// Replaces the rows of a range by others, as `plan` says of the latest version. It is asked again if another came meanwhile.
    fn change(
        &self,
        symbol: &str,
        options: &WriteOptions,
        what: &'static str,
        plan: impl Fn(&Base) -> Result<(DateRange, Table), StoreError>,
    ) -> Result<Written, StoreError> {
        loop {
            let base = self.base(symbol, options)?;
            let changed = plan(&base).and_then(|(range, table)| {
                let said = options
                    .metadata
                    .clone()
                    .map(|metadata| Said { chunker: base.chunker.name().to_owned(), metadata: Some(metadata) }.text());
                let options = WriteOptions { metadata: said, prune: true, expected: Some(Some(base.number)), audit: options.audit.clone() };
                self.core.splice(symbol, range, Some(&table), &options, what)
            });
            match changed {
                Err(StoreError::ConcurrentModification { .. } | StoreError::VersionNotFound { .. }) => {}
                done => return done,
            }
        }
    }
}

fn check_time(symbol: &str, table: &Table) -> Result<(), StoreError> {
    if table.schema().index_of(TIME).is_err() {
        return Err(StoreError::Schema { symbol: symbol.to_owned(), what: "chunks need a time index `time`".to_owned() });
    }
    Ok(())
}

fn reading(range: DateRange, columns: Option<&[&str]>) -> ReadOptions {
    let columns = columns.map(|columns| columns.iter().map(|&column| column.to_owned()).collect());
    ReadOptions { range, columns, ..ReadOptions::default() }
}

fn times_alone(schema: &SchemaRef) -> SchemaRef {
    Arc::new(Schema::new(schema.fields().iter().filter(|field| field.name() == TIME).cloned().collect::<Vec<_>>()))
}

/// The chunks of a symbol, read one by one; see [`ChunkLibrary::chunks`].
#[derive(Debug)]
pub struct Chunks {
    selected: Selected,
    chunks: std::vec::IntoIter<ChunkInfo>,
}

impl Chunks {
    fn read(&self, chunk: ChunkInfo) -> Result<(ChunkInfo, Table), StoreError> {
        let range = DateRange::closed(chunk.span.first, chunk.span.last)?;
        let table = self.selected.narrowed(range, self.selected.schema.clone()).table()?;
        Ok((chunk, table))
    }
}

impl Iterator for Chunks {
    type Item = Result<(ChunkInfo, Table), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let chunk = self.chunks.next()?;
        Some(self.read(chunk))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.chunks.size_hint()
    }
}

impl DoubleEndedIterator for Chunks {
    fn next_back(&mut self) -> Option<Self::Item> {
        let chunk = self.chunks.next_back()?;
        Some(self.read(chunk))
    }
}

impl ExactSizeIterator for Chunks {}
