//! Tick libraries by period, read as one. Invariant: a row is in the library of the period that its instant is in.

use stillpoint_engine::Instant;

use super::core::tip_of;
use super::gather::{merge, together};
use super::info::{ReadOptions, Written};
use super::plan::{check_name, union};
use super::tick::TickLibrary;
use super::version::Symbols;
use crate::chunk::Span;
use crate::date::{DateRange, Period, Zone};
use crate::error::{StoreError, help};
use crate::store::{Kind, QUOTA_BYTES, Store};
use crate::table::Table;

/// Tick libraries named `<base>_<period>`, such as `trades_2024` or `trades_2024-02`, one for each period in which there are rows. They are made
/// when rows come, and each can be deleted as any library.
///
/// Always open one base with the same period and zone: they decide where rows go.
///
/// ```
/// use stillpoint_store::{DateRange, Store, Table};
///
/// let store = Store::memory()?;
/// let trades = store.tick_partitions("trades")?;
/// let rows = Table::at(["2023-12-31T23:59:59Z", "2024-01-01T00:00:00Z"].map(|at| at.parse().expect("an instant"))).column("price", [1.0, 2.0]);
/// trades.append("X", &rows.finish()?)?;
/// assert_eq!(trades.libraries()?, ["trades_2023", "trades_2024"]);
/// assert_eq!(trades.read(&["X"], DateRange::ALL, None)?.rows(), 2);
/// # Ok::<(), stillpoint_store::StoreError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TickPartitions {
    store: Store,
    base: String,
    period: Period,
    zone: Zone,
    quota: u64,
}

impl TickPartitions {
    pub(crate) fn new(store: Store, base: &str, period: Period, zone: Zone) -> Result<Self, StoreError> {
        check_name("base of libraries", base)?;
        Ok(Self { store, base: base.to_owned(), period, zone, quota: QUOTA_BYTES })
    }

    /// Libraries that are made from now on may hold so many bytes each; 0: any number.
    #[must_use]
    pub fn quota(mut self, bytes: u64) -> Self {
        self.quota = bytes;
        self
    }

    /// The name of the library for an instant, whether there is one or not.
    pub fn library_for(&self, at: Instant) -> String {
        format!("{}_{}", self.base, self.period.first_day(at, self.zone).format(self.form()))
    }

    fn form(&self) -> &'static str {
        match self.period {
            Period::Day => "%Y-%m-%d",
            Period::Month => "%Y-%m",
            Period::Year => "%Y",
        }
    }

    /// The names of the libraries that there are, in the order of their periods.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn libraries(&self) -> Result<Vec<String>, StoreError> {
        let is_part = |name: &str| {
            let period = name.strip_prefix(&self.base).and_then(|rest| rest.strip_prefix('_'));
            period.is_some_and(|period| self.is_period(period))
        };
        // The digits are of one number, so names are in the order of periods.
        Ok(self
            .store
            .list()?
            .into_iter()
            .filter(|library| library.kind == Kind::Tick && is_part(&library.name))
            .map(|library| library.name)
            .collect())
    }

    /// Whether a text is as [`TickPartitions::form`] makes them.
    fn is_period(&self, text: &str) -> bool {
        let shape: &[u8] = match self.period {
            Period::Day => b"0000-00-00",
            Period::Month => b"0000-00",
            Period::Year => b"0000",
        };
        text.len() == shape.len()
            && text.bytes().zip(shape).all(|(found, wanted)| if *wanted == b'0' { found.is_ascii_digit() } else { found == *wanted })
    }

    fn open(&self) -> Result<Vec<TickLibrary>, StoreError> {
        self.libraries()?.iter().map(|name| self.store.ticks(name)).collect()
    }

    /// The libraries that have a symbol, in the order of their periods.
    fn with(&self, symbol: &str) -> Result<Vec<TickLibrary>, StoreError> {
        let mut found = Vec::new();
        for library in self.open()? {
            if library.has_symbol(symbol)? {
                found.push(library);
            }
        }
        if !found.is_empty() {
            return Ok(found);
        }
        let symbols = self.list_symbols(&Symbols::default())?;
        let help = help(symbol, symbols.iter().map(String::as_str));
        Err(StoreError::SymbolNotFound { library: format!("{}_*", self.base), symbol: symbol.to_owned(), help })
    }

    /// Adds rows, each to the library of its period, which is made if need be. A period takes rows after its last one, so that an earlier period can
    /// still be filled. Returns what was written, in the order of the periods.
    ///
    /// Each library commits for itself. Whether the rows fit all of them is found out first, so only a race, a quota or a disk can stop an append
    /// half-way: then the rows of the earlier periods are written, and [`TickPartitions::max_date`] tells how far.
    ///
    /// # Errors
    /// As [`TickLibrary::append`]; [`StoreError::WrongKind`] if a library of another kind has the name.
    pub fn append(&self, symbol: &str, table: &Table) -> Result<Vec<Written>, StoreError> {
        check_name("symbol", symbol)?;
        let Some((first, last)) = table.span() else {
            if table.rows() == 0 {
                return Ok(Vec::new());
            }
            return Err(StoreError::Schema { symbol: symbol.to_owned(), what: "ticks need a time index `time`".to_owned() });
        };
        let mut pieces = Vec::new();
        for range in DateRange::closed(first, last)?.cut(self.period, self.zone) {
            let Some((from, to)) = range.ends() else { continue };
            let rows = crate::chunk::within(table.batches(), Span { first: from, last: to })?;
            if !rows.is_empty() {
                pieces.push((self.library_for(from), Table::of(table.schema().clone(), rows)));
            }
        }
        self.check(symbol, table, &pieces)?;
        pieces.into_iter().map(|(name, rows)| self.make(&name)?.append(symbol, &rows)).collect()
    }

    /// Whether rows fit the libraries as they are.
    fn check(&self, symbol: &str, table: &Table, pieces: &[(String, Table)]) -> Result<(), StoreError> {
        for library in self.open()? {
            library.0.refresh()?;
            let Some(tip) = library.0.log.read(|state| tip_of(state, symbol)) else { continue };
            union(symbol, &tip.schema, table.schema())?;
            let piece = pieces.iter().find(|(name, _)| name == library.name());
            let (Some((_, last)), Some((first, _))) = (tip.span, piece.and_then(|(_, rows)| rows.span())) else { continue };
            let last = Instant::from_nanos(last);
            if first < last {
                return Err(StoreError::OverlappingData { symbol: symbol.to_owned(), last, first });
            }
        }
        Ok(())
    }

    fn make(&self, name: &str) -> Result<TickLibrary, StoreError> {
        if !self.store.exists(name)? {
            match self.store.create_with_quota(name, Kind::Tick, self.quota) {
                // Somebody else needed it too.
                Err(StoreError::LibraryExists(_)) => {}
                made => made?,
            }
        }
        self.store.ticks(name)
    }

    /// Reads rows of some symbols from all periods in one order of time: as [`TickLibrary::read`].
    ///
    /// # Errors
    /// As [`TickLibrary::read`].
    pub fn read(&self, symbols: &[&str], range: DateRange, columns: Option<&[&str]>) -> Result<Table, StoreError> {
        let tables = symbols.iter().map(|symbol| Ok((symbol.to_string(), self.read_one(symbol, range, columns)?)));
        let tables: Vec<(String, Table)> = tables.collect::<Result<_, StoreError>>()?;
        match &tables[..] {
            [] => Err(StoreError::invalid("the symbols to read", "there are none: name at least one")),
            [(_, one)] => Ok(one.clone()),
            many => merge(many),
        }
    }

    fn read_one(&self, symbol: &str, range: DateRange, columns: Option<&[&str]>) -> Result<Table, StoreError> {
        let mut tables = Vec::new();
        let mut known: Vec<String> = Vec::new();
        for library in self.with(symbol)? {
            let there: Vec<String> = library.stats(symbol)?.columns.into_iter().map(|(name, _)| name).collect();
            // A column that one period has is null in the others.
            let wanted =
                columns.map(|columns| columns.iter().copied().filter(|column| there.iter().any(|name| name == column)).collect::<Vec<_>>());
            tables.push(library.read(&[symbol], range, wanted.as_deref())?);
            known.extend(there);
        }
        if let Some(column) = columns.into_iter().flatten().find(|column| !known.iter().any(|name| name == *column)) {
            let what = format!("there is no column `{column}`: {}", help(column, known.iter().map(String::as_str)));
            return Err(StoreError::Schema { symbol: symbol.to_owned(), what });
        }
        let table = together(symbol, &tables)?;
        match columns {
            Some(columns) => table.select_columns(columns),
            None => Ok(table),
        }
    }

    /// Reads one symbol from all periods as rows are asked for, at constant memory: batch by batch, one period after the other.
    ///
    /// # Errors
    /// As [`TickLibrary::scan`]; those of the rows come with them.
    pub fn scan(
        &self,
        symbol: &str,
        range: DateRange,
    ) -> Result<impl Iterator<Item = Result<arrow_array::RecordBatch, StoreError>> + use<>, StoreError> {
        let options = ReadOptions::default().range(range);
        let scans = self.with(symbol)?.into_iter().map(|library| library.scan(symbol, &options)).collect::<Result<Vec<_>, _>>()?;
        Ok(scans.into_iter().flatten())
    }

    /// Removes exactly the rows in a range, from all periods. Returns how many there are left. Each library commits for itself.
    ///
    /// # Errors
    /// [`StoreError::SymbolNotFound`].
    pub fn delete_range(&self, symbol: &str, range: DateRange) -> Result<u64, StoreError> {
        self.with(symbol)?.iter().map(|library| library.delete_range(symbol, range)).sum()
    }

    /// Removes a symbol from all periods. Each library commits for itself.
    ///
    /// # Errors
    /// [`StoreError::SymbolNotFound`].
    pub fn delete(&self, symbol: &str) -> Result<(), StoreError> {
        self.with(symbol)?.iter().try_for_each(|library| library.delete(symbol))
    }

    /// The first instant of a symbol; `None` without rows.
    ///
    /// # Errors
    /// [`StoreError::SymbolNotFound`].
    pub fn min_date(&self, symbol: &str) -> Result<Option<Instant>, StoreError> {
        let dates = self.with(symbol)?.iter().map(|library| library.min_date(symbol)).collect::<Result<Vec<_>, _>>()?;
        Ok(dates.into_iter().flatten().min())
    }

    /// The last instant of a symbol; `None` without rows.
    ///
    /// # Errors
    /// [`StoreError::SymbolNotFound`].
    pub fn max_date(&self, symbol: &str) -> Result<Option<Instant>, StoreError> {
        let dates = self.with(symbol)?.iter().map(|library| library.max_date(symbol)).collect::<Result<Vec<_>, _>>()?;
        Ok(dates.into_iter().flatten().max())
    }

    /// Whether any period has a symbol.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn has_symbol(&self, symbol: &str) -> Result<bool, StoreError> {
        match self.with(symbol) {
            Ok(_) => Ok(true),
            Err(StoreError::SymbolNotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The names of the symbols of all periods, in order.
    ///
    /// # Errors
    /// As [`TickLibrary::list_symbols`].
    pub fn list_symbols(&self, which: &Symbols) -> Result<Vec<String>, StoreError> {
        let mut symbols = Vec::new();
        for library in self.open()? {
            symbols.extend(library.list_symbols(which)?);
        }
        symbols.sort();
        symbols.dedup();
        Ok(symbols)
    }
}
