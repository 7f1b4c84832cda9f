//! The command `diff`: the first difference of two traces.

use std::path::Path;

use stillpoint_engine::trace;

use crate::failure::{Done, Failure, print};

/// Compares two trace files; equal ones end well.
pub(crate) fn diff(left: &Path, right: &Path) -> Result<Done, Failure> {
    let comparison = trace::diff(left, right).map_err(|error| Failure::Input(error.to_string()))?;
    print(&format!("{comparison}\n"))?;
    Ok(if comparison.is_equal() { Done::Well } else { Done::Unmet })
}
