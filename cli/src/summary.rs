//! What a run came to, for people and for programs.

use serde_json::{Map, Value as Json, json};
use stillpoint_engine::host::Host;
use stillpoint_engine::scenario::{Scenario, Unmet};
use stillpoint_engine::{End, Instant, Outcome, Report, RunError, Value};

use crate::failure::Failure;
use crate::measure::Cost;
use crate::numbers::{amount, bytes, grouped};
use crate::table::{Side, table};

/// A run and all that is said about it.
pub(crate) struct Summary<'r> {
    pub(crate) scenario: &'r Scenario,
    pub(crate) outcome: &'r Outcome,
    pub(crate) cost: Cost,
    pub(crate) host: Host,
    /// Threads for offloaded jobs.
    pub(crate) pool: usize,
    pub(crate) failure: Option<&'r Failure>,
    pub(crate) unmet: &'r [Unmet],
    /// Whether the run was held to what the scenario expects.
    pub(crate) is_checked: bool,
}

impl Summary<'_> {
    /// Tables for people.
    pub(crate) fn text(&self) -> String {
        let outcome = self.outcome;
        let instant = |at: Option<Instant>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
        let span = match (outcome.first, outcome.last) {
            (Some(first), Some(last)) => format!(" ({})", last.since(first)),
            _ => String::new(),
        };
        let mut rows = vec![
            ("virtual time", format!("{} to {}{span}", instant(outcome.first), instant(outcome.last))),
            ("events", grouped(outcome.events)),
            ("deliveries", grouped(outcome.deliveries)),
            ("late events", grouped(outcome.late())),
            ("dead letters", grouped(outcome.dead_letters)),
            ("wall time", format!("{:.3} s ({:.0} ns an event)", self.cost.wall_seconds, self.ns_per_event())),
            ("peak memory", bytes(self.cost.peak_rss_bytes)),
            ("trace hash", outcome.trace_hash.to_string()),
        ];
        rows.extend(
            [("lost on links", outcome.lost), ("never due", outcome.never)]
                .into_iter()
                .filter(|(_, count)| *count > 0)
                .map(|(what, count)| (what, grouped(count))),
        );
        if self.scenario.expects() {
            let told = match (self.is_checked, self.unmet) {
                (true, []) => "met",
                (true, _) => "not met",
                (false, _) => "not checked: they are about a whole run of the scenario as it is written",
            };
            rows.push(("expectations", told.to_owned()));
        }
        let rows: Vec<Vec<String>> = rows.into_iter().map(|(what, value)| vec![what.to_owned(), value]).collect();
        let mut text = format!("{}: {}\n{}", self.scenario.name(), self.end(), table(2, &[Side::Left, Side::Left], &rows));
        text.push_str(&streams(outcome));
        for (path, report) in outcome.reports.iter().filter(|(_, report)| !report.is_empty()) {
            let rows: Vec<Vec<String>> = report.entries().iter().map(|(name, value)| vec![name.clone(), printed(value)]).collect();
            let is_numeric = report.entries().iter().all(|(_, value)| !matches!(value, Value::Text(_)));
            let side = if is_numeric { Side::Right } else { Side::Left };
            text.push_str(&format!("\n{path}\n{}", table(2, &[Side::Left, side], &rows)));
        }
        if let Some(metrics) = &outcome.metrics {
            text.push_str(&format!("\nmetrics\n{metrics}\n"));
        }
        text
    }

    /// The host's name and how many threads it has for actors.
    fn host(&self) -> (&'static str, usize) {
        match self.host {
            Host::Inline => ("inline", 1),
            Host::Actix { threads } => ("actix", threads),
            Host::Auto { threads } => ("auto", threads),
        }
    }

    /// One object for programs.
    pub(crate) fn json(&self) -> String {
        let outcome = self.outcome;
        let more = [
            ("scenario", json!(self.scenario.name())),
            ("seed", json!(self.scenario.seed())),
            ("wall_seconds", json!(self.cost.wall_seconds)),
            ("cpu_seconds", json!(self.cost.cpu_seconds)),
            ("ns_per_event", json!(self.ns_per_event())),
            ("peak_rss_bytes", json!(self.cost.peak_rss_bytes)),
            ("host", json!(self.host().0)),
            ("threads", json!(self.host().1 + self.pool)),
        ];
        let mut object = facts(outcome);
        object.extend(more.map(|(name, value)| (name.to_owned(), value)));
        if let Some(failure) = self.failure {
            object.insert("error".to_owned(), json!(failure.to_string()));
        }
        if !self.unmet.is_empty() {
            object.insert("unmet".to_owned(), self.unmet.iter().map(|unmet| json!(unmet.to_string())).collect());
        }
        format!("{:#}\n", Json::Object(object))
    }

    /// Wall nanoseconds an event; a delivery where no stream had any event; 0 if nothing happened.
    fn ns_per_event(&self) -> f64 {
        let count = if self.outcome.events > 0 { self.outcome.events } else { self.outcome.deliveries };
        if count == 0 { 0.0 } else { self.cost.wall_seconds * 1e9 / count as f64 }
    }

    fn end(&self) -> &'static str {
        match self.outcome.end {
            End::Done => "done, nothing was left to do",
            End::Until => "reached its end",
            End::Stopped => "stopped by an actor",
            End::Interrupted => "interrupted, this is what was run so far",
            End::Failed => "failed, this is what was run before",
        }
    }
}

/// What of a run is the same wherever and whenever it runs.
pub(crate) fn facts(outcome: &Outcome) -> Map<String, Json> {
    let results = outcome.reports.iter().filter(|(_, report)| !report.is_empty());
    let results: Map<String, Json> = results.map(|(path, report)| (path.to_string(), results_of(report))).collect();
    let facts = [
        ("end", json!(end_name(outcome.end))),
        ("trace_hash", json!(outcome.trace_hash.to_string())),
        ("events", json!(outcome.events)),
        ("deliveries", json!(outcome.deliveries)),
        ("instants", json!(outcome.instants)),
        ("steps", json!(outcome.steps)),
        ("virtual_start", json!(outcome.first.map(|at| at.to_string()))),
        ("virtual_end", json!(outcome.last.map(|at| at.to_string()))),
        ("late_events", json!(outcome.late())),
        ("dead_letters", json!(outcome.dead_letters)),
        ("result", Json::Object(results)),
    ];
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What the streams left out or were late with; nothing if all went through.
fn streams(outcome: &Outcome) -> String {
    let heads = ["", "late", "of these dropped", "before the start", "while paused"].map(str::to_owned).to_vec();
    let counted = outcome.streams.iter().map(|(path, counts)| (path, [counts.late(), counts.dropped, counts.skipped, counts.paused]));
    let counted = counted.filter(|(_, counts)| counts.iter().any(|count| *count > 0));
    let rows = counted.map(|(path, counts)| std::iter::once(path.to_string()).chain(counts.map(grouped)).collect());
    let rows: Vec<Vec<String>> = std::iter::once(heads).chain(rows).collect();
    let sides = [Side::Left, Side::Right, Side::Right, Side::Right, Side::Right];
    if rows.len() > 1 { format!("\nstreams\n{}", table(2, &sides, &rows)) } else { String::new() }
}

fn end_name(end: End) -> &'static str {
    match end {
        End::Done => "done",
        End::Until => "until",
        End::Stopped => "stopped",
        End::Interrupted => "interrupted",
        End::Failed => "failed",
    }
}

fn results_of(report: &Report) -> Json {
    let value = |value: &Value| match value {
        Value::Number(number) => json!(number),
        Value::Integer(number) => json!(number),
        Value::Text(text) => json!(text),
    };
    Json::Object(report.entries().iter().map(|(name, found)| (name.clone(), value(found))).collect())
}

fn printed(value: &Value) -> String {
    match value {
        Value::Number(number) => amount(*number),
        Value::Integer(number) if *number < 0 => format!("-{}", grouped(number.unsigned_abs())),
        Value::Integer(number) => grouped(number.unsigned_abs()),
        Value::Text(text) => text.clone(),
    }
}

/// What a panicking handler said, if that is why a run failed.
pub(crate) fn panic_text(error: &RunError) -> Option<&str> {
    match error {
        RunError::Panic { message, .. } => Some(message),
        _ => None,
    }
}

/// The expectations that were not met, one a line.
pub(crate) fn unmet_text(unmet: &[Unmet]) -> String {
    let lines: Vec<String> = unmet.iter().map(|unmet| format!("\n  {unmet}")).collect();
    format!("the run did not meet what the scenario expects{}", lines.concat())
}
