//! What a symbol and a library take. Invariant: nothing is read for it but the log.

use super::info::AsOf;
use super::state::{Part, Place};
use super::version::VersionLibrary;
use crate::error::StoreError;

/// What a symbol takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Its versions that are not deleted.
    pub versions: u64,
    /// The rows of its latest version.
    pub rows: u64,
    /// The bytes of these rows, as they are stored.
    pub bytes: u64,
    /// The pieces that these rows lie in: segments, and rows in commits.
    pub pieces: u64,
    /// The bytes of all its versions and of those that snapshots show.
    pub stored_bytes: u64,
}

impl VersionLibrary {
    /// What a symbol takes.
    ///
    /// # Errors
    /// [`StoreError::SymbolNotFound`].
    pub fn usage(&self, symbol: &str) -> Result<Usage, StoreError> {
        self.0.refresh()?;
        self.0.log.read(|state| {
            let (known, latest) = self.0.version(state, symbol, &AsOf::Latest)?;
            let parts = known.chain_of(latest).prefix(latest.rows);
            let all = known.chains.values().flat_map(|chain| &chain.parts);
            // Chains that came of one another share segments.
            let mut places: Vec<(&str, u64, u64)> = all.map(place).collect();
            places.sort_unstable();
            places.dedup();
            Ok(Usage {
                versions: known.visible().count() as u64,
                rows: latest.rows,
                bytes: parts.iter().map(bytes_of).sum(),
                pieces: parts.len() as u64,
                stored_bytes: places.iter().map(|(_, _, bytes)| bytes).sum(),
            })
        })
    }

    /// The bytes of all rows that the library holds, as they are stored: what its quota limits.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Damaged`].
    pub fn stored_bytes(&self) -> Result<u64, StoreError> {
        self.0.refresh()?;
        Ok(self.0.log.read(|state| state.bytes))
    }
}

/// Where a part lies, and the bytes that are there.
fn place(part: &Part) -> (&str, u64, u64) {
    match &part.place {
        Place::Segment(segment) => (&segment.name, 0, segment.bytes),
        Place::Inline(blob) => ("", blob.commit, blob.len),
    }
}

/// The bytes of a part: of what it shows a part of, its share by rows.
fn bytes_of(part: &Part) -> u64 {
    match &part.place {
        Place::Segment(segment) => (u128::from(segment.bytes) * u128::from(part.rows)).div_ceil(u128::from(segment.rows().max(1))) as u64,
        Place::Inline(blob) => blob.len,
    }
}
