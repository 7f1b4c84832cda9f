//! What can be requested of libraries of rows, as values. Invariant: each does what the library's method of its name does, and nothing else.
//!
//! ```
//! use std::sync::Arc;
//!
//! use stillpoint_engine::{Duration, Instant};
//! use stillpoint_store::operations::{ListSymbols, Read, Write};
//! use stillpoint_store::request::RequestPool;
//! use stillpoint_store::{Store, SystemClock, Table};
//!
//! let prices = Arc::new(Store::memory()?.create_versions("prices")?);
//! let pool = RequestPool::new(2, Arc::new(SystemClock));
//! let table = Table::at([Instant::EPOCH]).column("bid", [1.1]).finish()?;
//! // It is known of a write that it modifies: the read after it waits for it.
//! pool.submit(&prices, Write::new("EURUSD", table))?;
//! let (read, list) = (pool.submit(&prices, Read::new("EURUSD"))?, pool.submit(&prices, ListSymbols::default())?);
//! let (reading, symbols) = pool.wait_all(&(read, list), Some(Duration::secs(60)))?;
//! assert_eq!((reading.table.rows(), symbols.as_slice()), (1, ["EURUSD".to_owned()].as_slice()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeMap;

use serde_json::Value;
use stillpoint_engine::Duration;

use crate::date::DateRange;
use crate::error::StoreError;
use crate::library::{AsOf, ReadOptions, Reading, SnapshotInfo, Symbols, TickLibrary, VersionInfo, VersionLibrary, WriteOptions, Written};
use crate::request::{Kind, Named, Operation, Scope};
use crate::table::Table;

impl Named for VersionLibrary {
    fn name(&self) -> &str {
        self.name()
    }
}

impl Named for TickLibrary {
    fn name(&self) -> &str {
        self.name()
    }
}

/// One operation on one library: its name, whether it modifies, what it concerns, and what it does.
macro_rules! operation {
    ($operation:ident on $library:ty: $name:literal, $kind:ident, $scope:expr, $run:expr => $output:ty) => {
        impl Operation<$library> for $operation {
            type Output = $output;
            type Error = StoreError;

            fn name(&self) -> &str {
                $name
            }

            fn kind(&self) -> Kind {
                Kind::$kind
            }

            fn scope(&self) -> Scope {
                let scope: fn(&Self) -> Scope = $scope;
                scope(self)
            }

            fn run(self, library: &$library) -> Result<$output, StoreError> {
                let run: fn(Self, &$library) -> Result<$output, StoreError> = $run;
                run(self, library)
            }
        }
    };
}

/// Reads a symbol. The reading's table tells its rows and bytes.
#[derive(Clone, Debug)]
pub struct Read {
    /// Which one.
    pub symbol: String,
    /// What of it.
    pub options: ReadOptions,
}

impl Read {
    /// Everything of the latest version.
    pub fn new(symbol: impl Into<String>) -> Self {
        Self { symbol: symbol.into(), options: ReadOptions::default() }
    }

    /// With these options.
    #[must_use]
    pub fn options(self, options: ReadOptions) -> Self {
        Self { options, ..self }
    }

    /// Only these instants.
    #[must_use]
    pub fn range(mut self, range: DateRange) -> Self {
        self.options.range = range;
        self
    }
}

operation!(Read on VersionLibrary: "read", Read, |it| Scope::symbol(&it.symbol), |it, library| library.read(&it.symbol, &it.options) => Reading);

/// Writes a new version of a symbol.
#[derive(Clone, Debug)]
pub struct Write {
    /// Of which one.
    pub symbol: String,
    /// The rows.
    pub table: Table,
    /// How.
    pub options: WriteOptions,
}

impl Write {
    /// A plain write.
    pub fn new(symbol: impl Into<String>, table: Table) -> Self {
        Self { symbol: symbol.into(), table, options: WriteOptions::default() }
    }

    /// With these options.
    #[must_use]
    pub fn options(self, options: WriteOptions) -> Self {
        Self { options, ..self }
    }
}

operation!(Write on VersionLibrary: "write", Modify, |it| Scope::symbol(&it.symbol),
    |it, library| library.write(&it.symbol, &it.table, &it.options) => Written);

/// Adds rows to a symbol. In a library of ticks a symbol that does not exist is made, and there are no versions for the options to speak of.
#[derive(Clone, Debug)]
pub struct Append {
    /// To which one.
    pub symbol: String,
    /// The rows.
    pub table: Table,
    /// How.
    pub options: WriteOptions,
    /// Whether a symbol that does not exist is made.
    pub upsert: bool,
}

impl Append {
    /// To a symbol that exists.
    pub fn new(symbol: impl Into<String>, table: Table) -> Self {
        Self { symbol: symbol.into(), table, options: WriteOptions::default(), upsert: false }
    }

    /// Makes the symbol if it does not exist.
    #[must_use]
    pub fn upsert(self) -> Self {
        Self { upsert: true, ..self }
    }

    /// With these options.
    #[must_use]
    pub fn options(self, options: WriteOptions) -> Self {
        Self { options, ..self }
    }
}

operation!(Append on VersionLibrary: "append", Modify, |it| Scope::symbol(&it.symbol), |it, library| {
    let append = if it.upsert { VersionLibrary::upsert } else { VersionLibrary::append };
    append(library, &it.symbol, &it.table, &it.options)
} => Written);
operation!(Append on TickLibrary: "append", Modify, |it| Scope::symbol(&it.symbol), |it, library| library.append(&it.symbol, &it.table) => Written);

/// Puts rows in the place of all rows in a range.
#[derive(Clone, Debug)]
pub struct Update {
    /// Of which symbol.
    pub symbol: String,
    /// Which instants.
    pub range: DateRange,
    /// The rows.
    pub table: Table,
    /// How.
    pub options: WriteOptions,
}

operation!(Update on VersionLibrary: "update", Modify, |it| Scope::symbol(&it.symbol),
    |it, library| library.update(&it.symbol, it.range, &it.table, &it.options) => Written);

/// Removes all rows in a range.
#[derive(Clone, Debug)]
pub struct DeleteRange {
    /// Of which symbol.
    pub symbol: String,
    /// Which instants.
    pub range: DateRange,
}

operation!(DeleteRange on VersionLibrary: "delete_range", Modify, |it| Scope::symbol(&it.symbol),
    |it, library| library.delete_range(&it.symbol, it.range, &WriteOptions::default()) => Written);
operation!(DeleteRange on TickLibrary: "delete_range", Modify, |it| Scope::symbol(&it.symbol),
    |it, library| library.delete_range(&it.symbol, it.range) => u64);

/// Reads what was said of a version.
#[derive(Clone, Debug)]
pub struct ReadMetadata {
    /// Of which symbol.
    pub symbol: String,
    /// Which version.
    pub as_of: AsOf,
}

operation!(ReadMetadata on VersionLibrary: "read_metadata", Read, |it| Scope::symbol(&it.symbol),
    |it, library| library.read_metadata(&it.symbol, &it.as_of) => Option<Value>);

/// Says something else of a symbol, in a new version.
#[derive(Clone, Debug)]
pub struct WriteMetadata {
    /// Of which symbol.
    pub symbol: String,
    /// What to say.
    pub metadata: Option<Value>,
}

operation!(WriteMetadata on VersionLibrary: "write_metadata", Modify, |it| Scope::symbol(&it.symbol),
    |it, library| library.write_metadata(&it.symbol, it.metadata.as_ref()) => Written);

/// Whether there is a symbol.
#[derive(Clone, Debug)]
pub struct HasSymbol {
    /// Which one.
    pub symbol: String,
    /// In which version. A library of ticks has one.
    pub as_of: AsOf,
}

operation!(HasSymbol on VersionLibrary: "has_symbol", Read, |it| Scope::symbol(&it.symbol),
    |it, library| library.has_symbol(&it.symbol, &it.as_of) => bool);
operation!(HasSymbol on TickLibrary: "has_symbol", Read, |it| Scope::symbol(&it.symbol), |it, library| library.has_symbol(&it.symbol) => bool);

/// The names of the symbols. It concerns the whole library: it waits for every write before it.
#[derive(Clone, Debug, Default)]
pub struct ListSymbols {
    /// Which ones.
    pub which: Symbols,
}

operation!(ListSymbols on VersionLibrary: "list_symbols", Read, |_| Scope::Library, |it, library| library.list_symbols(&it.which) => Vec<String>);
operation!(ListSymbols on TickLibrary: "list_symbols", Read, |_| Scope::Library, |it, library| library.list_symbols(&it.which) => Vec<String>);

/// The versions of a symbol.
#[derive(Clone, Debug)]
pub struct ListVersions {
    /// Which one.
    pub symbol: String,
}

operation!(ListVersions on VersionLibrary: "list_versions", Read, |it| Scope::symbol(&it.symbol),
    |it, library| library.list_versions(&it.symbol) => Vec<VersionInfo>);

/// Deletes a symbol with all its versions.
#[derive(Clone, Debug)]
pub struct DeleteSymbol {
    /// Which one.
    pub symbol: String,
}

operation!(DeleteSymbol on VersionLibrary: "delete", Modify, |it| Scope::symbol(&it.symbol), |it, library| library.delete(&it.symbol) => ());
operation!(DeleteSymbol on TickLibrary: "delete", Modify, |it| Scope::symbol(&it.symbol), |it, library| library.delete(&it.symbol) => ());

/// Deletes a version.
#[derive(Clone, Debug)]
pub struct DeleteVersion {
    /// Of which symbol.
    pub symbol: String,
    /// Its number.
    pub number: u64,
}

operation!(DeleteVersion on VersionLibrary: "delete_version", Modify, |it| Scope::symbol(&it.symbol),
    |it, library| library.delete_version(&it.symbol, it.number) => ());

/// Makes an older version the latest one.
#[derive(Clone, Debug)]
pub struct Restore {
    /// Of which symbol.
    pub symbol: String,
    /// Which version.
    pub as_of: AsOf,
}

operation!(Restore on VersionLibrary: "restore", Modify, |it| Scope::symbol(&it.symbol),
    |it, library| library.restore(&it.symbol, &it.as_of) => Written);

/// Removes old versions that nothing needs.
#[derive(Clone, Debug)]
pub struct Prune {
    /// Of which symbol.
    pub symbol: String,
    /// Those that are younger stay.
    pub keep: Duration,
}

operation!(Prune on VersionLibrary: "prune", Modify, |it| Scope::symbol(&it.symbol), |it, library| library.prune(&it.symbol, it.keep) => u64);

/// Gives versions of all symbols a name together. It concerns the whole library: it waits for every request before it.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Its name.
    pub name: String,
    /// Versions other than the latest ones.
    pub versions: BTreeMap<String, AsOf>,
    /// What to say of it.
    pub metadata: Option<Value>,
}

impl Snapshot {
    /// Of all latest versions.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), versions: BTreeMap::new(), metadata: None }
    }
}

operation!(Snapshot on VersionLibrary: "snapshot", Modify, |_| Scope::Library,
    |it, library| library.snapshot(&it.name, &it.versions, it.metadata.as_ref()) => SnapshotInfo);

/// All snapshots.
#[derive(Clone, Copy, Debug)]
pub struct ListSnapshots;

operation!(ListSnapshots on VersionLibrary: "list_snapshots", Read, |_| Scope::Library, |_, library| library.list_snapshots() => Vec<SnapshotInfo>);

/// Removes a snapshot.
#[derive(Clone, Debug)]
pub struct DeleteSnapshot {
    /// Its name.
    pub name: String,
}

operation!(DeleteSnapshot on VersionLibrary: "delete_snapshot", Modify, |_| Scope::Library,
    |it, library| library.delete_snapshot(&it.name) => ());

/// Reads rows of some symbols of a library of ticks in one order of time.
#[derive(Clone, Debug)]
pub struct ReadTicks {
    /// Which ones.
    pub symbols: Vec<String>,
    /// Which instants.
    pub range: DateRange,
    /// Which columns; `None`: all.
    pub columns: Option<Vec<String>>,
}

impl ReadTicks {
    /// Everything of some symbols.
    pub fn new<S: Into<String>>(symbols: impl IntoIterator<Item = S>) -> Self {
        Self { symbols: symbols.into_iter().map(Into::into).collect(), range: DateRange::ALL, columns: None }
    }
}

operation!(ReadTicks on TickLibrary: "read", Read, |it| Scope::symbols(it.symbols.iter().cloned()), |it, library| {
    let symbols: Vec<&str> = it.symbols.iter().map(String::as_str).collect();
    let columns: Option<Vec<&str>> = it.columns.as_ref().map(|columns| columns.iter().map(String::as_str).collect());
    library.read(&symbols, it.range, columns.as_deref())
} => Table);
