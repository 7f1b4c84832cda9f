//! Reports in a program that was built without them. Invariant: there is none, so that nothing can be asked of it.

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use stillpoint_engine::Outcome;
use stillpoint_engine::scenario::{Built, Scenario};
use stillpoint_engine::trace::Observer;

use crate::failure::Failure;

/// What a report would say that was not observed.
pub(crate) struct About<'r> {
    pub(crate) scenario: &'r Scenario,
    pub(crate) outcome: &'r Outcome,
    pub(crate) error: Option<String>,
    pub(crate) restored: bool,
    pub(crate) capital: f64,
}

/// No report.
pub(crate) struct Reporting(Infallible);

impl Reporting {
    /// Says how to get a program that has reports.
    pub(crate) fn new(_: &Path, _: &Built) -> Result<Self, Failure> {
        Err(Failure::lacking("reports", "report"))
    }

    pub(crate) fn observer(&self) -> Box<dyn Observer + Send> {
        match self.0 {}
    }

    pub(crate) fn write(&self, about: &About<'_>) -> Result<PathBuf, Failure> {
        let About { scenario, outcome, error, restored, capital } = about;
        let _ = (scenario, outcome, error, restored, capital);
        match self.0 {}
    }
}
