//! The tick library: rows are added at the end, and there is one version. Invariant: rows of a symbol are in order of time.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema};
use stillpoint_engine::Instant;

use super::compact::{Compacted, Swept};
use super::core::Core;
use super::info::{ReadOptions, VersionInfo, WriteOptions, Written};
use super::plan::union;
use super::select::Scan;
use super::version::{Symbols, VersionLibrary};
use crate::date::DateRange;
use crate::error::StoreError;
use crate::table::{Table, time_of};

/// The column that says which symbol a row is of, where several are read together.
pub const SYMBOL: &str = "symbol";

/// A library of ticks: any columns, a time index in nanoseconds, one version.
///
/// ```
/// use stillpoint_engine::Instant;
/// use stillpoint_store::{DateRange, Kind, Store, Table};
///
/// let store = Store::memory()?;
/// store.create("ticks", Kind::Tick)?;
/// let ticks = store.ticks("ticks")?;
/// let at = Instant::from_nanos;
/// ticks.append("BTC", &Table::at([at(1), at(3)]).column("price", [10.0, 11.0]).finish()?)?;
/// ticks.append("ETH", &Table::at([at(2)]).column("price", [5.0]).finish()?)?;
/// let both = ticks.read(&["BTC", "ETH"], DateRange::ALL, None)?;
/// assert_eq!(both.times()?, [at(1), at(2), at(3)]);
/// # Ok::<(), stillpoint_store::StoreError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TickLibrary(pub(crate) Arc<Core>);

impl TickLibrary {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Adds rows. A symbol that does not exist is made.
    ///
    /// # Errors
    /// [`StoreError::UnorderedData`]; [`StoreError::OverlappingData`] if they begin before the last row; [`StoreError::Schema`] without a time index or if a
    /// column is of another type than before; [`StoreError::QuotaExceeded`].
    pub fn append(&self, symbol: &str, table: &Table) -> Result<Written, StoreError> {
        if table.rows() > 0 && table.span().is_none() {
            return Err(StoreError::Schema { symbol: symbol.to_owned(), what: "ticks need a time index `time`".to_owned() });
        }
        self.0.append(symbol, table, &WriteOptions::default(), super::plan::Append::Ticks)
    }

    /// Reads rows of some symbols in one order of time; rows of one instant are in the order of `symbols`. Of several, the column `symbol` says which.
    ///
    /// # Errors
    /// [`StoreError::SymbolNotFound`], [`StoreError::Schema`], [`StoreError::Damaged`].
    pub fn read(&self, symbols: &[&str], range: DateRange, columns: Option<&[&str]>) -> Result<Table, StoreError> {
        let options = ReadOptions {
            range,
            columns: columns.map(|columns| columns.iter().map(|&column| column.to_owned()).collect()),
            ..ReadOptions::default()
        };
        let tables: Vec<(String, Table)> = symbols
            .iter()
            .map(|symbol| Ok((symbol.to_string(), self.0.read(symbol, &options)?.table)))
            .collect::<Result<_, StoreError>>()?;
        match &tables[..] {
            [] => Err(StoreError::invalid("the symbols to read", "there are none: name at least one")),
            [(_, one)] => Ok(one.clone()),
            many => merge(many),
        }
    }

    /// Reads one symbol as rows are asked for, at constant memory.
    ///
    /// # Errors
    /// As [`TickLibrary::read`].
    pub fn scan(&self, symbol: &str, options: &ReadOptions) -> Result<Scan, StoreError> {
        self.0.refresh()?;
        Ok(self.0.select(symbol, options)?.scan())
    }

    /// Removes exactly the rows in a range. Returns how many there are left.
    ///
    /// # Errors
    /// [`StoreError::SymbolNotFound`].
    pub fn delete_range(&self, symbol: &str, range: DateRange) -> Result<u64, StoreError> {
        Ok(self.0.splice(symbol, range, None, &WriteOptions::default().prune(), "delete range")?.rows)
    }

    /// Removes a symbol.
    ///
    /// # Errors
    /// [`StoreError::SymbolNotFound`].
    pub fn delete(&self, symbol: &str) -> Result<(), StoreError> {
        self.0.delete(symbol)
    }

    /// What is known of a symbol: rows, first and last instant, columns.
    ///
    /// # Errors
    /// [`StoreError::SymbolNotFound`].
    pub fn stats(&self, symbol: &str) -> Result<VersionInfo, StoreError> {
        VersionLibrary(self.0.clone()).info(symbol, &super::info::AsOf::Latest)
    }

    /// The first instant of a symbol; `None` without rows.
    ///
    /// # Errors
    /// [`StoreError::SymbolNotFound`].
    pub fn min_date(&self, symbol: &str) -> Result<Option<Instant>, StoreError> {
        Ok(self.stats(symbol)?.span.map(|(first, _)| first))
    }

    /// The last instant of a symbol; `None` without rows.
    ///
    /// # Errors
    /// [`StoreError::SymbolNotFound`].
    pub fn max_date(&self, symbol: &str) -> Result<Option<Instant>, StoreError> {
        Ok(self.stats(symbol)?.span.map(|(_, last)| last))
    }

    /// Whether there is a symbol.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn has_symbol(&self, symbol: &str) -> Result<bool, StoreError> {
        VersionLibrary(self.0.clone()).has_symbol(symbol, &super::info::AsOf::Latest)
    }

    /// The names of the symbols, in order.
    ///
    /// # Errors
    /// As [`VersionLibrary::list_symbols`].
    pub fn list_symbols(&self, which: &Symbols) -> Result<Vec<String>, StoreError> {
        VersionLibrary(self.0.clone()).list_symbols(which)
    }

    /// Puts the small pieces of a symbol together now.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn compact(&self, symbol: &str) -> Result<Compacted, StoreError> {
        VersionLibrary(self.0.clone()).compact(symbol)
    }

    /// As [`VersionLibrary::sweep`].
    ///
    /// # Errors
    /// As [`VersionLibrary::sweep`].
    pub fn sweep(&self, grace: stillpoint_engine::Duration) -> Result<Swept, StoreError> {
        self.0.sweep(grace)
    }
}

/// Tables in one order of time, stable in the order of the tables, with a column that says which table a row is of.
pub(crate) fn merge(tables: &[(String, Table)]) -> Result<Table, StoreError> {
    let mut schema = Arc::new(Schema::empty());
    for (symbol, table) in tables {
        schema = union(symbol, &schema, table.schema())?;
    }
    let mut fields: Vec<Arc<Field>> = schema.fields().iter().cloned().collect();
    if schema.index_of(SYMBOL).is_ok() {
        let what = "they have a column `symbol` of their own: read one symbol at a time, or other columns".to_owned();
        return Err(StoreError::Schema { symbol: tables[0].0.clone(), what });
    }
    fields.push(Arc::new(Field::new(SYMBOL, DataType::Utf8, false)));
    let with_symbol = Arc::new(Schema::new(fields));
    let mut batches = Vec::new();
    for (symbol, table) in tables {
        for batch in table.batches() {
            let columns = schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
                Some(column) => column.clone(),
                None => arrow_array::new_null_array(field.data_type(), batch.num_rows()),
            });
            let mut columns: Vec<ArrayRef> = columns.collect();
            columns.push(Arc::new(StringArray::from(vec![symbol.as_str(); batch.num_rows()])));
            batches.push(RecordBatch::try_new(with_symbol.clone(), columns).map_err(StoreError::other)?);
        }
    }
    let whole = arrow_select::concat::concat_batches(&with_symbol, &batches).map_err(StoreError::other)?;
    let Some(times) = time_of(&whole) else { return Ok(Table::of(with_symbol, vec![whole])) };
    let mut order: Vec<u64> = (0..times.len() as u64).collect();
    order.sort_by_key(|row| times[*row as usize]);
    let sorted = arrow_select::take::take_record_batch(&whole, &UInt64Array::from(order)).map_err(StoreError::other)?;
    Ok(Table::of(with_symbol, vec![sorted]))
}
