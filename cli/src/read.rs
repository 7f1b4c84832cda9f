//! Scenarios from their files. Invariant: an error of a file that looks like a sweep says which command runs sweeps.

use std::path::Path;

use stillpoint_engine::scenario::{Override, Scenario, ScenarioError};

/// What a sweep says and a scenario does not.
const OF_SWEEPS: [&str; 3] = ["scenario", "parameters", "objective"];

/// Reads a scenario.
pub(crate) fn scenario(file: &Path, sets: &[Override]) -> Result<Scenario, ScenarioError> {
    Scenario::read(file, sets).map_err(|mut error| {
        if OF_SWEEPS.iter().any(|field| error.cause == format!("unknown field `{field}`")) {
            error.help = Some(format!("if this is a sweep, run it with `stillpoint sweep {}`", file.display()));
        }
        error
    })
}
