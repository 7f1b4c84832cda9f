//! The commands `import`, `export` and `copy`. Invariant: rows pass through in pieces of bounded size, and what they become is there at once or
//! not at all.

use std::path::Path;

use serde_json::json;
use stillpoint_store::files::{FileError, FileOptions, FileReader, FileWriter, RecordBatch, SchemaRef};
use stillpoint_store::{Kind, ReadOptions, Staged, Store, StoreError, Table, WriteOptions, Written};

use super::args::{ExportArgs, ImportArgs, KindArg, RowsArgs};
use super::bar::Bar;
use super::name::SymbolName;
use super::place::Place;
use super::{Called, list};
use crate::failure::{Done, Failure};
use crate::numbers::{bytes, grouped};

/// Rows of a piece: half a segment, so that compaction leaves it alone.
const PIECE_ROWS: u64 = 1 << 21;
/// Bytes of a piece in memory, at most, but for one batch.
const PIECE_BYTES: u64 = 128 << 20;

/// Reads a file into a symbol.
pub(super) fn import(called: &Called<'_>, args: &ImportArgs) -> Result<Done, Failure> {
    args.symbol.without_version().map_err(Failure::Input)?;
    let options = FileOptions {
        format: args.format,
        time: args.time.clone(),
        without_time: args.no_time,
        unit: args.unit,
        zone: args.zone,
        delimiter: args.delimiter,
        types: args.types.iter().map(|given| (given.0.clone(), given.1.clone())).collect(),
    };
    let mut reader = FileReader::open(&args.file, &options)?;
    let store = called.open_or_make()?;
    let wanted = args.kind.map(|kind| match kind {
        KindArg::Version => Kind::Version,
        KindArg::Tick => Kind::Tick,
    });
    let mut target = Target::open(&store, &args.symbol, wanted.as_ref(), &Kind::Version)?;
    let bar = Bar::new(called);
    let mut pieces = Pieces::new(&args.symbol, Some(&args.file), target.stage()?, reader.schema().clone());
    while let Some(batch) = reader.next() {
        if called.is_stopped() {
            drop(bar);
            return target.give_up(called, pieces);
        }
        pieces.push(batch?)?;
        bar.bytes(reader.progress(), pieces.rows());
    }
    if called.is_stopped() {
        drop(bar);
        return target.give_up(called, pieces);
    }
    let write = WriteOptions { metadata: args.metadata.clone(), ..WriteOptions::default() };
    let written = pieces.commit(args.append, &write)?;
    target.keep();
    drop(bar);
    report(called, "imported", &args.file.display().to_string(), &args.symbol, &written)
}

/// Copies a version of a symbol.
pub(super) fn copy(called: &Called<'_>, from: &SymbolName, to: &SymbolName, to_store: Option<&Place>) -> Result<Done, Failure> {
    to.without_version().map_err(Failure::Input)?;
    let store = called.open()?;
    let library = store.rows(&from.library)?;
    let scan = library.scan(&from.symbol, &ReadOptions::as_of(from.as_of.clone()).bypass_cache())?;
    let other = match to_store {
        Some(place) => place.open_or_make()?,
        None => store.clone(),
    };
    let kind = store.info(&from.library)?.kind;
    let mut target = Target::open(&other, to, None, &kind)?;
    let bar = Bar::new(called);
    let (all, metadata) = (scan.version().rows, scan.version().metadata.clone());
    let mut pieces = Pieces::new(to, None, target.stage()?, scan.schema().clone());
    for batch in scan {
        if called.is_stopped() {
            drop(bar);
            return target.give_up(called, pieces);
        }
        pieces.push(batch?)?;
        bar.count(pieces.rows(), all, "rows");
    }
    let written = pieces.commit(false, &WriteOptions { metadata, ..WriteOptions::default() })?;
    target.keep();
    drop(bar);
    report(called, "copied", &format!("{}/{}", from.library, from.symbol), to, &written)
}

/// Writes a version of a symbol to a file.
pub(super) fn export(called: &Called<'_>, args: &ExportArgs) -> Result<Done, Failure> {
    let store = called.open()?;
    let library = store.rows(&args.symbol.library)?;
    let scan = library.scan(&args.symbol.symbol, &options(&args.symbol, &args.rows).bypass_cache())?;
    let (all, version) = (scan.version().rows, scan.version().number);
    let mut writer = FileWriter::create(&args.file, args.format, scan.schema())?;
    let (bar, mut rows) = (Bar::new(called), 0);
    for batch in scan {
        if called.is_stopped() {
            drop(bar);
            return called.interrupted(&format!("{} was not written", args.file.display()));
        }
        let batch = batch?;
        writer.write(&batch)?;
        rows += batch.num_rows() as u64;
        bar.count(rows, all, "rows");
    }
    let size = writer.finish()?;
    drop(bar);
    let (symbol, file) = (list::shown(&args.symbol), args.file.display());
    called.say(
        || format!("{file}: {} rows of {symbol}, version {version}, {}\n", grouped(rows), bytes(size)),
        || json!({ "file": file.to_string(), "symbol": symbol, "version": version, "rows": rows, "bytes": size }),
    )
}

/// What to read.
pub(super) fn options(symbol: &SymbolName, rows: &RowsArgs) -> ReadOptions {
    let range = rows.range.unwrap_or_default();
    ReadOptions { as_of: symbol.as_of.clone(), range, columns: rows.columns.clone(), ..ReadOptions::default() }
}

fn report(called: &Called<'_>, done: &str, from: &str, to: &SymbolName, written: &Written) -> Result<Done, Failure> {
    let symbol = list::shown(to);
    let full = match written.nearly_full {
        Some((held, quota)) => format!("the library `{}` is nearly full: {} of {}\n", to.library, bytes(held), bytes(quota)),
        None => String::new(),
    };
    called.say(
        || format!("{done} {from}: {symbol} has {} rows in version {}\n{full}", grouped(written.rows), written.version),
        || json!({ "symbol": symbol, "version": written.version, "rows": written.rows, "at": written.at.to_string() }),
    )
}

/// The symbol that rows are to become.
struct Target<'a> {
    store: &'a Store,
    name: &'a SymbolName,
    kind: Kind,
    /// The library was made for it, and goes if nothing comes of it.
    is_new: bool,
}

impl<'a> Target<'a> {
    /// Opens the library, or makes it.
    fn open(store: &'a Store, name: &'a SymbolName, wanted: Option<&Kind>, otherwise: &Kind) -> Result<Self, Failure> {
        let is_new = !store.exists(&name.library)?;
        if is_new {
            store.create(&name.library, wanted.unwrap_or(otherwise).clone())?;
        }
        let mut target = Self { store, name, kind: otherwise.clone(), is_new };
        target.kind = store.info(&name.library)?.kind;
        match (&target.kind, wanted) {
            (is, Some(wanted)) if is != wanted => {
                let (library, is, wanted) = (name.library.clone(), is.to_string(), wanted.to_string());
                Err(StoreError::WrongKind { library, is, wanted }.into())
            }
            _ => Ok(target),
        }
    }

    fn stage(&self) -> Result<Staged, Failure> {
        let library = &self.name.library;
        match self.kind {
            Kind::Tick => Ok(self.store.ticks(library)?.stage(&self.name.symbol)?),
            _ => Ok(self.store.versions(library)?.stage(&self.name.symbol)?),
        }
    }

    /// After Ctrl-C.
    fn give_up(self, called: &Called<'_>, pieces: Pieces<'_>) -> Result<Done, Failure> {
        drop(pieces);
        called.interrupted(&format!("{} is as it was before", list::shown(self.name)))
    }

    fn keep(&mut self) {
        self.is_new = false;
    }
}

impl Drop for Target<'_> {
    fn drop(&mut self) {
        if self.is_new {
            // Nobody else can have put anything there that is listed; what cannot be deleted is an empty library.
            let symbols = self.store.rows(&self.name.library).ok().and_then(|library| library.list_symbols(&Default::default()).ok());
            if symbols.is_some_and(|symbols| symbols.is_empty()) {
                let _ = self.store.delete(&self.name.library);
            }
        }
    }
}

/// Batches on their way into a symbol.
struct Pieces<'a> {
    name: &'a SymbolName,
    /// The file or folder that they come from.
    file: Option<&'a Path>,
    staged: Staged,
    schema: SchemaRef,
    waiting: Vec<RecordBatch>,
    waiting_rows: u64,
    waiting_bytes: u64,
    /// Rows and pieces that are staged.
    done: (u64, u64),
}

impl<'a> Pieces<'a> {
    fn new(name: &'a SymbolName, file: Option<&'a Path>, staged: Staged, schema: SchemaRef) -> Self {
        Self { name, file, staged, schema, waiting: Vec::new(), waiting_rows: 0, waiting_bytes: 0, done: (0, 0) }
    }

    fn rows(&self) -> u64 {
        self.done.0 + self.waiting_rows
    }

    fn push(&mut self, batch: RecordBatch) -> Result<(), Failure> {
        self.waiting_rows += batch.num_rows() as u64;
        self.waiting_bytes += batch.get_array_memory_size() as u64;
        self.waiting.push(batch);
        if self.waiting_rows >= PIECE_ROWS || self.waiting_bytes >= PIECE_BYTES { self.stage() } else { Ok(()) }
    }

    fn stage(&mut self) -> Result<(), Failure> {
        let batches = std::mem::take(&mut self.waiting);
        let table = Table::new(self.schema.clone(), batches).map_err(|error| self.named(error))?;
        self.staged.stage(self.done.1, &table).map_err(|error| self.named(error))?;
        self.done = (self.done.0 + self.waiting_rows, self.done.1 + 1);
        (self.waiting_rows, self.waiting_bytes) = (0, 0);
        Ok(())
    }

    fn commit(mut self, append: bool, options: &WriteOptions) -> Result<Written, Failure> {
        if self.waiting_rows > 0 || self.done.1 == 0 {
            self.stage()?;
        }
        Ok(if append { self.staged.append(options) } else { self.staged.write(options) }?)
    }

    /// Errors of pieces, told of the whole.
    fn named(&self, error: StoreError) -> Failure {
        let symbol = list::shown(self.name);
        match error {
            StoreError::UnorderedData { row, at, before, .. } => match self.file {
                // As in other errors of files, the first row below a header is 1.
                Some(file) => {
                    let (file, row) = (file.display().to_string(), row + self.done.0 + 1);
                    FileError::Time {
                        file,
                        row,
                        what: format!("it is at {at}, before the row above it at {before}: sort the rows by time"),
                    }
                    .into()
                }
                None => StoreError::UnorderedData { symbol, row: row + self.done.0, at, before }.into(),
            },
            StoreError::Schema { what, .. } => StoreError::Schema { symbol, what }.into(),
            other => other.into(),
        }
    }
}
