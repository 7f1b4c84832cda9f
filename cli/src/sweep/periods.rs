//! Whether `returns_every` can be. Invariant: where the length of the runs is known, it is decided before the first of them.

use stillpoint_engine::Duration;
use stillpoint_engine::scenario::{Place, Scenario, ScenarioError};

use super::file::Sweep;
use super::job::MOST_PERIODS;
use super::split::Span;

/// Holds the period against the spans of training, or that of the scenario if both of its ends are known and none of them is swept.
pub(super) fn check(sweep: &Sweep, scenario: &Scenario) -> Result<(), ScenarioError> {
    let Some((every, _)) = sweep.returns_every else { return Ok(()) };
    let is_swept = sweep.parameters.iter().flat_map(|parameter| &parameter.paths).any(|path| path == "start" || path == "end");
    let whole = scenario.start().zip(scenario.end()).filter(|_| !is_swept && sweep.splits.is_empty());
    let whole = whole.map(|(from, last)| Span { from, to: last + Duration::nanos(1) });
    for span in sweep.splits.iter().map(|split| split.train).chain(whole) {
        let length = span.to.since(span.from);
        if every >= length {
            return Err(error(sweep, &format!("{every} is not shorter than the span {span}"), "give a period of which it has many"));
        }
        if length.as_nanos() / every.as_nanos() > MOST_PERIODS as i64 {
            return Err(too_many(sweep));
        }
    }
    Ok(())
}

/// No run has two periods.
pub(super) fn too_few(sweep: &Sweep) -> ScenarioError {
    error(sweep, "the runs are over within one period, so that there are no returns", "give a shorter one")
}

/// A run has too many.
pub(super) fn too_many(sweep: &Sweep) -> ScenarioError {
    error(sweep, &format!("a run has more than {MOST_PERIODS} such periods"), "give a longer one")
}

fn error(sweep: &Sweep, cause: &str, help: &str) -> ScenarioError {
    let place = sweep.returns_every.as_ref().map(|(_, place)| place.clone());
    let place = place.unwrap_or(Place::Whole { file: sweep.scenario.display().to_string() });
    ScenarioError { place, cause: format!("`returns_every`: {cause}"), help: Some(help.to_owned()) }
}
