//! The version library: every write and append makes a version, and every version can be read again. Invariant: numbers are never used twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::Regex;
use serde_json::Value;
use stillpoint_engine::{Duration, Instant};

use super::compact::{Compacted, Swept};
use super::core::{Core, Planned};
use super::info::{AsOf, AuditLine, ReadOptions, Reading, SnapshotInfo, VersionInfo, WriteOptions, Written};
use super::op::{Op, Tip};
use super::plan::{Append, audit, check_name, metadata_text};
use super::select::Scan;
use super::state::{Series, Version};
use crate::date::DateRange;
use crate::error::StoreError;
use crate::table::Table;

/// A library whose symbols have versions.
///
/// ```
/// use stillpoint_engine::Instant;
/// use stillpoint_store::{AsOf, ReadOptions, Store, Table, WriteOptions};
///
/// let store = Store::memory()?;
/// let prices = store.create_versions("prices")?;
/// let at = |second: i64| Instant::from_nanos(second * 1_000_000_000);
/// prices.write("EURUSD", &Table::at([at(1), at(2)]).column("bid", [1.1, 1.2]).finish()?, &WriteOptions::default())?;
/// prices.append("EURUSD", &Table::at([at(3)]).column("bid", [1.3]).finish()?, &WriteOptions::default())?;
/// assert_eq!(prices.read("EURUSD", &ReadOptions::default())?.table.rows(), 3);
/// assert_eq!(prices.read("EURUSD", &ReadOptions::as_of(AsOf::Version(1)))?.table.rows(), 2);
/// # Ok::<(), stillpoint_store::StoreError>(())
/// ```
#[derive(Clone, Debug)]
pub struct VersionLibrary(pub(crate) Arc<Core>);

/// Which symbols to list.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    /// Only those whose name this regular expression finds something in.
    pub matching: Option<String>,
    /// Only those whose metadata has all these values.
    pub metadata: BTreeMap<String, Value>,
    /// Only those of a snapshot.
    pub snapshot: Option<String>,
}

/// Operations on symbols of one library, which are committed together or not at all.
#[derive(Debug)]
pub struct Transaction {
    core: Arc<Core>,
    symbol: String,
    base: Option<u64>,
    message: String,
    user: String,
}

impl VersionLibrary {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Writes a new version. Readers of older ones notice nothing.
    ///
    /// # Errors
    /// [`StoreError::UnorderedData`], [`StoreError::QuotaExceeded`], [`StoreError::ConcurrentModification`] if another version was expected.
    pub fn write(&self, symbol: &str, table: &Table, options: &WriteOptions) -> Result<Written, StoreError> {
        self.0.write(symbol, table, options)
    }

    /// Adds rows to the latest version, as a new one; columns that are new are null in older rows. Without rows nothing happens.
    ///
    /// # Errors
    /// [`StoreError::SymbolNotFound`], [`StoreError::OverlappingData`] if the rows begin before the last one, [`StoreError::Schema`] if a
    /// column is of another type; those of [`VersionLibrary::write`].
    pub fn append(&self, symbol: &str, table: &Table, options: &WriteOptions) -> Result<Written, StoreError> {
        self.0.append(symbol, table, options, Append::Existing)
    }

    /// As [`VersionLibrary::append`]; a symbol that does not exist is made.
    ///
    /// # Errors
    /// As [`VersionLibrary::append`].
    pub fn upsert(&self, symbol: &str, table: &Table, options: &WriteOptions) -> Result<Written, StoreError> {
        self.0.append(symbol, table, options, Append::Upsert)
    }

    /// Puts rows in the place of all rows in a range, as a new version. The rows must lie in the range.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] if rows lie outside; those of [`VersionLibrary::append`].
    pub fn update(&self, symbol: &str, range: DateRange, table: &Table, options: &WriteOptions) -> Result<Written, StoreError> {
        self.0.splice(symbol, range, Some(table), options, "update")
    }

    /// Removes all rows in a range, as a new version.
    ///
    /// # Errors
    /// As [`VersionLibrary::append`].
    pub fn delete_range(&self, symbol: &str, range: DateRange, options: &WriteOptions) -> Result<Written, StoreError> {
        self.0.splice(symbol, range, None, options, "delete range")
    }

    /// Reads rows.
    ///
    /// # Errors
    /// [`StoreError::SymbolNotFound`], [`StoreError::VersionNotFound`], [`StoreError::SnapshotNotFound`], [`StoreError::Schema`] for an unknown
    /// column, [`StoreError::Damaged`] naming the file.
    pub fn read(&self, symbol: &str, options: &ReadOptions) -> Result<Reading, StoreError> {
        self.0.read(symbol, options)
    }

    /// Reads rows as they are asked for, at constant memory.
    ///
    /// # Errors
    /// As [`VersionLibrary::read`]; those of the rows come with them.
    pub fn scan(&self, symbol: &str, options: &ReadOptions) -> Result<Scan, StoreError> {
        self.0.refresh()?;
        Ok(self.0.select(symbol, options)?.scan())
    }

    /// Reads several symbols, each with its own result.
    pub fn read_batch<'a>(&self, requests: impl IntoIterator<Item = (&'a str, ReadOptions)>) -> Vec<Result<Reading, StoreError>> {
        requests.into_iter().map(|(symbol, options)| self.read(symbol, &options)).collect()
    }

    /// Writes several symbols, each with its own result.
    pub fn write_batch<'a>(
        &self,
        writes: impl IntoIterator<Item = (&'a str, &'a Table, WriteOptions)>,
    ) -> Vec<Result<Written, StoreError>> {
        writes.into_iter().map(|(symbol, table, options)| self.write(symbol, table, &options)).collect()
    }

    /// What was said of a version.
    ///
    /// # Errors
    /// As [`VersionLibrary::read`].
    pub fn read_metadata(&self, symbol: &str, as_of: &AsOf) -> Result<Option<Value>, StoreError> {
        self.info(symbol, as_of).map(|info| info.metadata)
    }

    /// Makes a new version with the rows of the latest one and other metadata. No row is moved.
    ///
    /// # Errors
    /// As [`VersionLibrary::append`].
    pub fn write_metadata(&self, symbol: &str, metadata: Option<&Value>) -> Result<Written, StoreError> {
        let (core, name, metadata) = (self.0.clone(), symbol.to_owned(), metadata_text(metadata));
        let ((number, rows), stamp) = self.0.commit_tip(symbol, self.0.nothing(), move |state, tip, _| {
            let Some(tip) = tip.filter(|tip| tip.exists) else { return Err(core.no_symbol(state, &name)) };
            let ops = vec![Op::Describe { symbol: name.clone(), metadata: metadata.clone() }];
            let next = Tip { number: tip.number + 1, ..tip };
            Ok(Planned { ops, only_tip: true, adds: 0, result: (next.number, next.rows), tip: Some(next) })
        })?;
        Ok(self.0.written(symbol, number, rows, stamp.map_or(Instant::MIN, |stamp| stamp.at)))
    }

    /// What is known of a version, without reading rows.
    ///
    /// # Errors
    /// As [`VersionLibrary::read`].
    pub fn info(&self, symbol: &str, as_of: &AsOf) -> Result<VersionInfo, StoreError> {
        self.0.refresh()?;
        self.0.log.read(|state| {
            let (_, version) = self.0.version(state, symbol, as_of)?;
            Ok(self.0.info(state, symbol, version))
        })
    }

    /// Whether there is a version.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn has_symbol(&self, symbol: &str, as_of: &AsOf) -> Result<bool, StoreError> {
        self.0.refresh()?;
        Ok(self.0.log.read(|state| self.0.version(state, symbol, as_of).is_ok()))
    }

    /// The names of the symbols, in order.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a bad regular expression, [`StoreError::SnapshotNotFound`].
    pub fn list_symbols(&self, which: &Symbols) -> Result<Vec<String>, StoreError> {
        self.0.refresh()?;
        self.0.list(which)
    }

    /// The versions of a symbol that are not deleted, the latest first.
    ///
    /// # Errors
    /// [`StoreError::SymbolNotFound`].
    pub fn list_versions(&self, symbol: &str) -> Result<Vec<VersionInfo>, StoreError> {
        self.0.refresh()?;
        self.0.log.read(|state| {
            let known =
                state.symbols.get(symbol).filter(|known| known.latest().is_some()).ok_or_else(|| self.0.no_symbol(state, symbol))?;
            Ok(known.visible().rev().map(|version| self.0.info(state, symbol, version)).collect())
        })
    }

    /// The files that the rows of a version are in.
    ///
    /// # Errors
    /// As [`VersionLibrary::read`].
    pub fn files(&self, symbol: &str, as_of: &AsOf) -> Result<Vec<String>, StoreError> {
        self.0.refresh()?;
        Ok(self.0.select(symbol, &ReadOptions::as_of(as_of.clone()))?.files())
    }

    /// Gives the latest versions of all symbols a name together, except where `versions` chooses others.
    ///
    /// # Errors
    /// [`StoreError::SnapshotExists`]; [`StoreError::SymbolNotFound`], [`StoreError::VersionNotFound`] for a version that is chosen.
    pub fn snapshot(&self, name: &str, versions: &BTreeMap<String, AsOf>, metadata: Option<&Value>) -> Result<SnapshotInfo, StoreError> {
        check_name("snapshot", name)?;
        let (core, key, chosen, text) = (self.0.clone(), name.to_owned(), versions.clone(), metadata_text(metadata));
        let (pins, stamp) = self.0.commit_whole(move |state, _| {
            if state.snapshots.contains_key(&key) {
                return Err(StoreError::SnapshotExists(key.clone()));
            }
            let mut pins: BTreeMap<String, u64> = BTreeMap::new();
            for (symbol, known) in &state.symbols {
                pins.extend(known.latest().map(|version| (symbol.clone(), version.number)));
            }
            for (symbol, as_of) in &chosen {
                pins.insert(symbol.clone(), core.version(state, symbol, as_of)?.1.number);
            }
            let op = Op::Snapshot { name: key.clone(), pins: pins.clone(), metadata: text.clone() };
            Ok((vec![op], pins))
        })?;
        let at = stamp.map_or(Instant::MIN, |stamp| stamp.at);
        Ok(SnapshotInfo { name: name.to_owned(), at, versions: pins, metadata: metadata.cloned() })
    }

    /// All snapshots, by name.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn list_snapshots(&self) -> Result<Vec<SnapshotInfo>, StoreError> {
        self.0.refresh()?;
        Ok(self.0.log.read(|state| {
            let infos = state.snapshots.iter().map(|(name, snapshot)| SnapshotInfo {
                name: name.clone(),
                at: Instant::from_nanos(snapshot.at),
                versions: snapshot.pins.clone(),
                metadata: snapshot.metadata.as_ref().and_then(|text| serde_json::from_str(text).ok()),
            });
            infos.collect()
        }))
    }

    /// Removes a snapshot, and deleted versions that it alone showed.
    ///
    /// # Errors
    /// [`StoreError::SnapshotNotFound`].
    pub fn delete_snapshot(&self, name: &str) -> Result<(), StoreError> {
        let (core, name) = (self.0.clone(), name.to_owned());
        self.0.commit_whole(move |state, _| {
            if !state.snapshots.contains_key(&name) {
                return Err(core.no_snapshot(state, &name));
            }
            Ok((vec![Op::DropSnapshot { name: name.clone() }], ()))
        })?;
        Ok(())
    }

    /// Deletes a version. A snapshot that shows it goes on showing it.
    ///
    /// # Errors
    /// [`StoreError::SymbolNotFound`], [`StoreError::VersionNotFound`].
    pub fn delete_version(&self, symbol: &str, number: u64) -> Result<(), StoreError> {
        let (core, name) = (self.0.clone(), symbol.to_owned());
        self.0.commit_whole(move |state, _| {
            core.version(state, &name, &AsOf::Version(number))?;
            Ok((vec![Op::Drop { symbol: name.clone(), versions: vec![number] }], ()))
        })?;
        Ok(())
    }

    /// Deletes a symbol with all its versions. Snapshots that show some of them go on showing them.
    ///
    /// # Errors
    /// [`StoreError::SymbolNotFound`].
    pub fn delete(&self, symbol: &str) -> Result<(), StoreError> {
        self.0.delete(symbol)
    }

    /// Makes an older version the latest one, as a new version. No row is moved.
    ///
    /// # Errors
    /// As [`VersionLibrary::read`].
    pub fn restore(&self, symbol: &str, as_of: &AsOf) -> Result<Written, StoreError> {
        let (core, name, as_of) = (self.0.clone(), symbol.to_owned(), as_of.clone());
        let ((number, rows), stamp) = self.0.commit_whole(move |state, _| {
            let (known, version) = core.version(state, &name, &as_of)?;
            let op = Op::Restore { symbol: name.clone(), number: version.number };
            Ok((vec![op], (known.next, version.rows)))
        })?;
        Ok(self.0.written(symbol, number, rows, stamp.map_or(Instant::MIN, |stamp| stamp.at)))
    }

    /// Deletes versions that are older than `keep`, but for the latest one and those that snapshots show. Returns how many.
    ///
    /// # Errors
    /// [`StoreError::SymbolNotFound`].
    pub fn prune(&self, symbol: &str, keep: Duration) -> Result<u64, StoreError> {
        let (core, name) = (self.0.clone(), symbol.to_owned());
        let (count, _) = self.0.commit_whole(move |state, now| {
            let known = state.symbols.get(&name).ok_or_else(|| core.no_symbol(state, &name))?;
            let latest = known.latest().map(|version| version.number);
            let is_old = |version: &&Version| now.since(Instant::from_nanos(version.at)) > keep && Some(version.number) != latest;
            let old: Vec<u64> = known.visible().filter(is_old).map(|version| version.number).collect();
            let count = old.len() as u64;
            let ops = if old.is_empty() { Vec::new() } else { vec![Op::Drop { symbol: name.clone(), versions: old }] };
            Ok((ops, count))
        })?;
        Ok(count)
    }

    /// Begins a change of a symbol that is to be made only if nobody else changes it meanwhile: what is read now is the base of what is written.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn transaction(&self, symbol: &str, user: &str, message: &str) -> Result<Transaction, StoreError> {
        self.0.refresh()?;
        let base = self.0.log.read(|state| state.symbols.get(symbol).and_then(|known| known.latest()).map(|version| version.number));
        Ok(Transaction { core: self.0.clone(), symbol: symbol.to_owned(), base, message: message.to_owned(), user: user.to_owned() })
    }

    /// The audit log: of one symbol or all, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn audit_log(&self, symbol: Option<&str>) -> Result<Vec<AuditLine>, StoreError> {
        self.0.refresh()?;
        let lines = |state: &Series| {
            let lines = state.audit.iter().filter(|line| symbol.is_none_or(|symbol| line.symbol == symbol));
            let lines = lines.map(|line| AuditLine {
                at: Instant::from_nanos(line.at),
                symbol: line.symbol.clone(),
                version: line.version,
                what: line.what.clone(),
                message: line.message.clone(),
            });
            lines.collect()
        };
        Ok(self.0.log.read(lines))
    }

    /// Puts the small pieces of a symbol together now.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn compact(&self, symbol: &str) -> Result<Compacted, StoreError> {
        self.0.refresh()?;
        self.0.compact(symbol, true)
    }

    /// Writes down the state of the library, so that opening it need not read all commits. Done by itself now and then. Returns the number of
    /// the commit that it stands for.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn checkpoint(&self) -> Result<u64, StoreError> {
        self.0.refresh()?;
        self.0.log.checkpoint()
    }

    /// Removes files that no version has shown for so long. Zero is right only if nobody else has the store open.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn sweep(&self, grace: Duration) -> Result<Swept, StoreError> {
        self.0.sweep(grace)
    }
}

impl Transaction {
    /// Reads the base.
    ///
    /// # Errors
    /// As [`VersionLibrary::read`].
    pub fn read(&self, options: &ReadOptions) -> Result<Reading, StoreError> {
        let as_of = self.base.map_or(AsOf::Latest, AsOf::Version);
        self.core.read(&self.symbol, &ReadOptions { as_of, ..options.clone() })
    }

    /// Writes a new version and a line of the audit log, if the base is still the latest version.
    ///
    /// # Errors
    /// [`StoreError::ConcurrentModification`] if it is not; those of [`VersionLibrary::write`].
    pub fn write(self, table: &Table, options: &WriteOptions) -> Result<Written, StoreError> {
        let options = options.clone().expecting(self.base).audit(format!("{}: {}", self.user, self.message));
        self.core.write(&self.symbol, table, &options)
    }
}

impl Core {
    pub(crate) fn list(&self, which: &Symbols) -> Result<Vec<String>, StoreError> {
        let matching = which.matching.as_deref().map(|text| {
            Regex::new(text).map_err(|error| StoreError::invalid(format!("the regular expression `{text}`"), error.to_string()))
        });
        let matching = matching.transpose()?;
        let fits = |version: &Version| {
            which.metadata.is_empty() || {
                let found = version.metadata.as_ref().and_then(|text| serde_json::from_str::<Value>(text).ok()).unwrap_or(Value::Null);
                which.metadata.iter().all(|(key, value)| found.get(key) == Some(value))
            }
        };
        self.log.read(|state| {
            let pins = match &which.snapshot {
                Some(name) => Some(&state.snapshots.get(name).ok_or_else(|| self.no_snapshot(state, name))?.pins),
                None => None,
            };
            let listed = state.symbols.iter().filter(|(name, known)| {
                let version = match pins {
                    Some(pins) => pins.get(*name).and_then(|number| known.numbered(*number)),
                    None => known.latest(),
                };
                version.is_some_and(fits) && matching.as_ref().is_none_or(|regex| regex.is_match(name))
            });
            Ok(listed.map(|(name, _)| name.clone()).collect())
        })
    }

    pub(crate) fn delete(self: &Arc<Self>, symbol: &str) -> Result<(), StoreError> {
        let (core, name) = (self.clone(), symbol.to_owned());
        self.commit_whole(move |state, _| {
            if state.symbols.get(&name).and_then(|known| known.latest()).is_none() {
                return Err(core.no_symbol(state, &name));
            }
            let mut ops = vec![Op::DropSymbol { symbol: name.clone() }];
            ops.extend(audit(&name, None, "delete", None));
            Ok((ops, ()))
        })?;
        Ok(())
    }
}
