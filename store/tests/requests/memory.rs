//! A library in memory with operations of a few lines each: what the promises of requests are tried on.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use stillpoint_store::request::{Kind, Named, Operation, Scope};

/// Rows of (time, price).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table(pub(crate) Vec<(i64, f64)>);

impl Table {
    /// `rows` rows, a second apart, all at one price.
    pub(crate) fn flat(rows: usize, price: f64) -> Self {
        Self((0..rows).map(|row| (row as i64 * 1_000_000_000, price)).collect())
    }

    pub(crate) fn rows(&self) -> usize {
        self.0.len()
    }
}

#[derive(Clone, Debug)]
struct Symbol {
    version: u64,
    table: Table,
}

#[derive(Debug)]
pub(crate) struct Memory {
    name: String,
    symbols: Mutex<BTreeMap<String, Symbol>>,
}

impl Memory {
    pub(crate) fn new(name: &str) -> Arc<Self> {
        Arc::new(Self { name: name.to_owned(), symbols: Mutex::default() })
    }

    /// A library with such symbols, each of three rows at the price of its place: 1, 2, ...
    pub(crate) fn with(name: &str, symbols: &[&str]) -> Arc<Self> {
        let library = Self::new(name);
        for (price, symbol) in (1..).zip(symbols) {
            let write = Write::new(symbol, Table::flat(3, f64::from(price)));
            write.run(&library).expect("a name that is not empty");
        }
        library
    }

    fn get<T>(&self, symbol: &str, f: impl FnOnce(&Symbol) -> T) -> Result<T, MemoryError> {
        let missing = || MemoryError::NoSymbol { symbol: symbol.to_owned(), library: self.name.clone() };
        self.symbols.lock().get(symbol).map(f).ok_or_else(missing)
    }
}

impl Named for Memory {
    fn name(&self) -> &str {
        &self.name
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MemoryError {
    NoSymbol { symbol: String, library: String },
    EmptyName,
}

impl fmt::Display for MemoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSymbol { symbol, library } => write!(f, "no symbol `{symbol}` in library `{library}`; write it first"),
            Self::EmptyName => f.write_str("a symbol without a name; give it one"),
        }
    }
}

impl std::error::Error for MemoryError {}

/// Reads a symbol.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) symbol: String,
}

impl Read {
    pub(crate) fn all(symbol: &str) -> Self {
        Self { symbol: symbol.to_owned() }
    }
}

impl Operation<Memory> for Read {
    type Output = Table;
    type Error = MemoryError;

    fn name(&self) -> &str {
        "read"
    }

    fn kind(&self) -> Kind {
        Kind::Read
    }

    fn scope(&self) -> Scope {
        Scope::symbol(&self.symbol)
    }

    fn run(self, library: &Memory) -> Result<Table, MemoryError> {
        library.get(&self.symbol, |symbol| symbol.table.clone())
    }
}

/// Writes a new version and gives its number.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) symbol: String,
    pub(crate) table: Table,
}

impl Write {
    pub(crate) fn new(symbol: &str, table: Table) -> Self {
        Self { symbol: symbol.to_owned(), table }
    }
}

impl Operation<Memory> for Write {
    type Output = u64;
    type Error = MemoryError;

    fn name(&self) -> &str {
        "write"
    }

    fn kind(&self) -> Kind {
        Kind::Modify
    }

    fn scope(&self) -> Scope {
        Scope::symbol(&self.symbol)
    }

    fn run(self, library: &Memory) -> Result<u64, MemoryError> {
        if self.symbol.is_empty() {
            return Err(MemoryError::EmptyName);
        }
        let mut symbols = library.symbols.lock();
        let version = symbols.get(&self.symbol).map_or(0, |symbol| symbol.version) + 1;
        symbols.insert(self.symbol, Symbol { version, table: self.table });
        Ok(version)
    }
}

/// Whether there is such a symbol.
#[derive(Clone, Debug)]
pub(crate) struct HasSymbol(pub(crate) String);

impl Operation<Memory> for HasSymbol {
    type Output = bool;
    type Error = MemoryError;

    fn name(&self) -> &str {
        "has_symbol"
    }

    fn kind(&self) -> Kind {
        Kind::Read
    }

    fn scope(&self) -> Scope {
        Scope::symbol(&self.0)
    }

    fn run(self, library: &Memory) -> Result<bool, MemoryError> {
        Ok(library.symbols.lock().contains_key(&self.0))
    }
}

/// The names of all symbols, sorted.
#[derive(Clone, Debug)]
pub(crate) struct ListSymbols;

impl Operation<Memory> for ListSymbols {
    type Output = Vec<String>;
    type Error = MemoryError;

    fn name(&self) -> &str {
        "list_symbols"
    }

    fn kind(&self) -> Kind {
        Kind::Read
    }

    fn scope(&self) -> Scope {
        Scope::Library
    }

    fn run(self, library: &Memory) -> Result<Vec<String>, MemoryError> {
        Ok(library.symbols.lock().keys().cloned().collect())
    }
}
