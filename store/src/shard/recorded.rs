//! What was recorded before a run. Invariant: it is the same in every run that begins with it, whoever writes to the library meanwhile.

use std::collections::BTreeMap;

use crate::error::StoreError;
use crate::library::{AsOf, ReadOptions, Scan, Symbols, TickLibrary, VersionLibrary};

/// The symbols of a library, each at the version that was the latest when this was made. Clones are the same.
///
/// Versions must stay as long as runs need them: if others prune them meanwhile, take a snapshot first, and make this of it.
#[derive(Clone, Debug)]
pub struct Recorded {
    name: String,
    library: Option<VersionLibrary>,
    pins: BTreeMap<String, u64>,
    snapshot: Option<String>,
}

impl Recorded {
    /// Nothing; what a run writes is in a library of this name.
    pub fn nothing(library: impl Into<String>) -> Self {
        Self { name: library.into(), library: None, pins: BTreeMap::new(), snapshot: None }
    }

    /// The latest versions of a library.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn of(library: &VersionLibrary) -> Result<Self, StoreError> {
        let latest = |symbol: String| Ok((symbol.clone(), library.info(&symbol, &AsOf::Latest)?.number));
        let pins = library.list_symbols(&Symbols::default())?.into_iter().map(latest).collect::<Result<_, StoreError>>()?;
        Ok(Self { name: library.name().to_owned(), library: Some(library.clone()), pins, snapshot: None })
    }

    /// The versions that a snapshot shows. They are there as long as it is, also when they are deleted.
    ///
    /// # Errors
    /// [`StoreError::SnapshotNotFound`]; those of [`Recorded::of`].
    pub fn of_snapshot(library: &VersionLibrary, snapshot: &str) -> Result<Self, StoreError> {
        let found = library.list_snapshots()?.into_iter().find(|found| found.name == snapshot);
        let pins = found.ok_or_else(|| library.0.log.read(|state| library.0.no_snapshot(state, snapshot)))?.versions;
        Ok(Self { name: library.name().to_owned(), library: Some(library.clone()), pins, snapshot: Some(snapshot.to_owned()) })
    }

    /// The ticks of a library.
    ///
    /// # Errors
    /// As [`Recorded::of`].
    pub fn of_ticks(library: &TickLibrary) -> Result<Self, StoreError> {
        Self::of(&VersionLibrary(library.0.clone()))
    }

    /// The name of the library.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it has a symbol.
    pub(super) fn has(&self, symbol: &str) -> bool {
        self.pins.contains_key(symbol)
    }

    /// Opens a symbol; `None` if it has none of this name.
    pub(super) fn scan(&self, symbol: &str, version: Option<u64>, options: &ReadOptions) -> Option<Result<Scan, StoreError>> {
        let (library, pin) = (self.library.as_ref()?, *self.pins.get(symbol)?);
        let number = version.unwrap_or(pin);
        if number > pin {
            let (wanted, has) = (AsOf::Version(number).to_string(), format!("versions up to {pin} from before the run"));
            return Some(Err(StoreError::VersionNotFound { symbol: symbol.to_owned(), wanted, has }));
        }
        let as_of = match &self.snapshot {
            Some(snapshot) if number == pin => AsOf::Snapshot(snapshot.clone()),
            _ => AsOf::Version(number),
        };
        Some(library.scan(symbol, &ReadOptions { as_of, ..options.clone() }))
    }
}
