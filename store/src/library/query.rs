//! Queries over a version, pushed down to its segments. Invariant: the answer is that of the query over all rows; what is left out could not be in it.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_schema::Schema;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::file::metadata::RowGroupMetaData;

use super::core::Core;
use super::info::{AsOf, ReadOptions};
use super::select::Scan;
use super::tick::TickLibrary;
use super::version::VersionLibrary;
use crate::error::StoreError;
use crate::query::{ColumnStatistics, Literal, Pushdown, Query, Rows, Statistics};
use crate::table::Table;

impl VersionLibrary {
    /// The answer to a query over a version. Only the row groups that it needs are read, and of these only the columns that it needs decoded.
    ///
    /// ```
    /// use stillpoint_engine::Instant;
    /// use stillpoint_store::query::{Query, col};
    /// use stillpoint_store::{AsOf, Store, Table, WriteOptions};
    ///
    /// let library = Store::memory()?.create_versions("prices")?;
    /// let at = Instant::from_nanos;
    /// library.write("a", &Table::at([at(1), at(2)]).column("price", [9.0, 11.0]).finish()?, &WriteOptions::default())?;
    /// let answer = library.query("a", &AsOf::Latest, &Query::new().filter(col("price").gt(10.0)))?;
    /// assert_eq!(answer.times()?, [at(2)]);
    /// # Ok::<(), stillpoint_store::StoreError>(())
    /// ```
    ///
    /// # Errors
    /// [`StoreError::Query`] if the query does not fit the columns; those of [`VersionLibrary::read`].
    pub fn query(&self, symbol: &str, as_of: &AsOf, query: &Query) -> Result<Table, StoreError> {
        let rows = self.query_batches(symbol, as_of, query)?;
        let schema = rows.1;
        Ok(Table::of(schema, rows.0.collect::<Result<_, _>>()?))
    }

    /// As [`VersionLibrary::query`], batch by batch.
    ///
    /// # Errors
    /// As [`VersionLibrary::query`].
    pub fn query_batches(&self, symbol: &str, as_of: &AsOf, query: &Query) -> Result<(Rows<Scan>, Arc<Schema>), StoreError> {
        self.0.ask(symbol, as_of, query)
    }
}

impl TickLibrary {
    /// The answer to a query over a symbol: see [`VersionLibrary::query`].
    ///
    /// # Errors
    /// As [`VersionLibrary::query`].
    pub fn query(&self, symbol: &str, query: &Query) -> Result<Table, StoreError> {
        let (rows, schema) = self.0.ask(symbol, &AsOf::Latest, query)?;
        Ok(Table::of(schema, rows.collect::<Result<_, _>>()?))
    }
}

impl Core {
    fn ask(self: &Arc<Self>, symbol: &str, as_of: &AsOf, query: &Query) -> Result<(Rows<Scan>, Arc<Schema>), StoreError> {
        self.refresh()?;
        let schema = self.log.read(|state| {
            let (_, version) = self.version(state, symbol, as_of)?;
            Ok::<_, StoreError>(state.schema(version.schema).clone())
        })?;
        let (plan, pushdown) = (query.plan(&schema)?, query.pushdown());
        let columns = pushdown.columns.as_ref().map(|columns| columns.iter().cloned().collect());
        let options = ReadOptions { as_of: as_of.clone(), range: pushdown.range, columns, ..ReadOptions::default() };
        let scan = self.select(symbol, &options)?.scan().skipping(pushdown);
        Ok((plan.run(scan), plan.schema().clone()))
    }
}

impl Pushdown {
    /// Whether a row group may have a row that is needed.
    pub(super) fn wants(&self, group: &RowGroupMetaData, schema: &Schema) -> bool {
        let columns: BTreeSet<String> = self.filters.iter().flat_map(|filter| filter.columns()).map(|name| name.to_string()).collect();
        if columns.is_empty() {
            return true;
        }
        let named = columns.into_iter().filter_map(|name| Some((name.clone(), column_statistics(group, schema, &name)?)));
        self.may_match(&Statistics { rows: group.num_rows().max(0) as u64, columns: named.collect() })
    }
}

/// What Parquet knows of a column of a row group. Its writer leaves NaN out of the bounds, and does not say whether there are any.
fn column_statistics(group: &RowGroupMetaData, schema: &Schema, name: &str) -> Option<ColumnStatistics> {
    let field = schema.field_with_name(name).ok()?;
    let converter = StatisticsConverter::try_new(name, schema, group.schema_descr()).ok()?;
    let bound = |array: arrow_array::ArrayRef| Literal::from_array(&*array, 0).filter(|bound| *bound != Literal::Null);
    let nulls = converter.row_group_null_counts([group]).ok()?;
    Some(ColumnStatistics {
        min: converter.row_group_mins([group]).ok().and_then(bound),
        max: converter.row_group_maxes([group]).ok().and_then(bound),
        nulls: nulls.iter().next().flatten(),
        nans: (!field.data_type().is_floating()).then_some(0),
    })
}
