//! Reports of runs: `stillpoint run SCENARIO --report FOLDER`. Invariant: a report is a function of the run that it is of, to the byte: no
//! wall time, host or place stands in it.
//!
//! [`Reporting`] observes the run through [`capture`], which keeps what [`words`] tells of messages; [`figures`] makes all numbers, as the value
//! that becomes `report.json`; [`page`] draws that value; [`files`] writes the folder.

mod accounts;
mod books;
mod capture;
mod figures;
mod files;
mod glossary;
mod grid;
mod orders;
mod page;
mod statements;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use stillpoint_actors::portfolio::Accounts;
use stillpoint_actors::{Instrument, InstrumentId, Order, OrderRequest};
use stillpoint_engine::scenario::{Built, Scenario};
use stillpoint_engine::trace::Observer;
use stillpoint_engine::{Message, Outcome};

use crate::failure::Failure;
use capture::Capture;
use statements::Portfolio;

/// What a report says that was not observed.
pub(crate) struct About<'r> {
    pub(crate) scenario: &'r Scenario,
    pub(crate) outcome: &'r Outcome,
    /// Why the run failed.
    pub(crate) error: Option<String>,
    /// Whether it went on from a saved state.
    pub(crate) restored: bool,
    /// What each strategy is measured against.
    pub(crate) capital: f64,
}

/// A report in the making.
pub(crate) struct Reporting {
    folder: PathBuf,
    capture: Capture,
}

impl Reporting {
    /// A report in a folder, which is made if need be, on a scenario that was built.
    ///
    /// # Errors
    /// [`Failure::Input`] if the report cannot be there.
    pub(crate) fn new(folder: &Path, built: &Built) -> Result<Self, Failure> {
        files::prepare(folder)?;
        // Streams come before actors in the notes: what an actor says of an instrument counts more.
        let instruments: BTreeMap<InstrumentId, &Instrument> =
            built.notes.of::<Instrument>().map(|(_, instrument)| (instrument.id, instrument)).collect();
        let orders = |message: &str| message == Order::KIND || message == OrderRequest::KIND;
        let sends = |message: &str| orders(message) || message.is_empty();
        let traders: BTreeSet<String> =
            built.graph.edges.iter().filter(|edge| !edge.is_stream && sends(&edge.message)).map(|edge| edge.from.clone()).collect();
        // A portfolio takes the orders of strategies and sends them on: what comes of them is told of the strategies.
        let takes = |name: &String| built.graph.edges.iter().any(|edge| !edge.is_stream && edge.to == *name && orders(&edge.message));
        let between: BTreeSet<String> = traders.iter().filter(|name| takes(name)).cloned().collect();
        let portfolios = built.notes.of::<Accounts>().map(|(name, accounts)| Portfolio::new(name, accounts)).collect();
        Ok(Self { folder: folder.to_owned(), capture: Capture::new(instruments.into_values().cloned(), traders, between, portfolios) })
    }

    /// Who is to be told of every record of the run.
    pub(crate) fn observer(&self) -> Box<dyn Observer + Send> {
        Box::new(self.capture.clone())
    }

    /// Writes the report when the run has ended, however it has. Returns the page's place.
    ///
    /// # Errors
    /// [`Failure::Work`] if a file cannot be written.
    pub(crate) fn write(&self, about: &About<'_>) -> Result<PathBuf, Failure> {
        let mut kept = self.capture.kept();
        kept.finish();
        let figures = figures::figures(&kept, about);
        let html = page::page(&figures, &kept).html();
        files::write(&self.folder, &html, &format!("{figures:#}\n"), &files::tables(&kept, about.capital))?;
        Ok(self.folder.join("report.html"))
    }
}
