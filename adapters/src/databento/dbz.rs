//! The format before DBN, of which files are still about. Its records are those of version 1.
#![expect(deprecated, reason = "what reads it is kept for old files alone")]

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use dbn::Metadata;
use dbn::decode::{DbnMetadata, dbz};

use super::unread;
use crate::error::DataError;
use crate::input::unopened;

/// Whether a file begins so.
pub(super) fn is_start(bytes: &[u8]) -> bool {
    dbz::starts_with_prefix(bytes)
}

/// The metadata of a file.
pub(super) fn metadata(path: &Path) -> Result<Metadata, DataError> {
    let file = File::open(path).map_err(|error| unopened(path, &error))?;
    let decoder = dbz::Decoder::new(BufReader::new(file)).map_err(|error| unread(path, &error))?;
    Ok(decoder.metadata().clone())
}
