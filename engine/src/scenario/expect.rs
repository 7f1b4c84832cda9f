//! What a scenario expects of its run. Invariant: only what no host can change may be expected, so instants and steps are not here.

use std::fmt;

use serde::Deserialize;

use super::schema::Scenario;
use crate::outcome::Outcome;
use crate::path::Path;
use crate::report::Value;
use crate::trace::TraceHash;

/// What must hold when the run has ended.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename = "Expect")]
pub(crate) struct Expectations {
    pub(crate) trace_hash: Option<TraceHash>,
    pub(crate) events: Option<u64>,
    pub(crate) deliveries: Option<u64>,
    pub(crate) late_events: Option<u64>,
    pub(crate) dead_letters: Option<u64>,
    pub(crate) results: Vec<ResultBounds>,
}

/// Bounds of one named result, both inclusive.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename = "Result")]
pub(crate) struct ResultBounds {
    pub(crate) actor: String,
    pub(crate) name: String,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    pub(crate) text: Option<String>,
}

/// An expectation that a run did not meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// What was looked at, such as `events` or `fast.profit`.
    pub what: String,
    /// What was expected of it.
    pub expected: String,
    /// What it was.
    pub found: String,
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.what, self.expected, self.found)
    }
}

impl Scenario {
    /// Whether the scenario expects anything.
    pub fn expects(&self) -> bool {
        let Expectations { trace_hash, events, deliveries, late_events, dead_letters, results } = &self.expect;
        let counts = [events, deliveries, late_events, dead_letters];
        trace_hash.is_some() || counts.iter().any(|count| count.is_some()) || !results.is_empty()
    }

    /// What the scenario expects and the run did not meet.
    pub fn unmet(&self, outcome: &Outcome) -> Vec<Unmet> {
        let expect = &self.expect;
        let mut unmet = Vec::new();
        let hash = expect.trace_hash.map(|hash| hash.to_string());
        compare(&mut unmet, "trace_hash", hash, &outcome.trace_hash.to_string());
        for (what, expected, found) in [
            ("events", expect.events, outcome.events),
            ("deliveries", expect.deliveries, outcome.deliveries),
            ("late_events", expect.late_events, outcome.late()),
            ("dead_letters", expect.dead_letters, outcome.dead_letters),
        ] {
            compare(&mut unmet, what, expected.map(|count| count.to_string()), &found.to_string());
        }
        for bounds in &expect.results {
            let report = Path::parse(&bounds.actor).and_then(|path| outcome.reports.iter().find(|(actor, _)| *actor == path));
            unmet.extend(bounds.unmet_by(report.and_then(|(_, report)| report.get(&bounds.name))));
        }
        unmet
    }
}

fn compare(unmet: &mut Vec<Unmet>, what: &str, expected: Option<String>, found: &str) {
    if let Some(expected) = expected.filter(|expected| expected != found) {
        unmet.push(Unmet { what: what.to_owned(), expected, found: found.to_owned() });
    }
}

impl ResultBounds {
    fn unmet_by(&self, found: Option<&Value>) -> Option<Unmet> {
        let number = match found {
            Some(Value::Number(number)) => Some(*number),
            Some(Value::Integer(number)) => Some(*number as f64),
            Some(Value::Text(_)) | None => None,
        };
        let is_text = |expected: &String| matches!(found, Some(Value::Text(text)) if text == expected);
        // Comparisons with NaN are false: a result that is no number meets no bound.
        let met = found.is_some()
            && self.min.is_none_or(|min| number.is_some_and(|number| number >= min))
            && self.max.is_none_or(|max| number.is_some_and(|number| number <= max))
            && self.text.as_ref().is_none_or(is_text);
        let found = match found {
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Integer(number)) => number.to_string(),
            Some(Value::Text(text)) => format!("{text:?}"),
            None => "no such result".to_owned(),
        };
        (!met).then(|| Unmet { what: format!("{}.{}", self.actor, self.name), expected: self.to_string(), found })
    }
}

impl fmt::Display for ResultBounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max, &self.text) {
            (Some(min), Some(max), _) if min == max => write!(f, "{min}"),
            (Some(min), Some(max), _) => write!(f, "{min} to {max}"),
            (Some(min), None, _) => write!(f, "at least {min}"),
            (None, Some(max), _) => write!(f, "at most {max}"),
            (None, None, Some(text)) => write!(f, "{text:?}"),
            (None, None, None) => write!(f, "a result"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_inclusive_and_refuse_what_is_no_number() {
        let bounds = |min, max| ResultBounds { actor: "a".to_owned(), name: "b".to_owned(), min, max, text: None };
        let between = bounds(Some(1.0), Some(2.0));
        assert_eq!(between.unmet_by(Some(&Value::Integer(1))), None);
        assert_eq!(between.unmet_by(Some(&Value::Number(2.0))), None);
        for (found, text) in [
            (Some(Value::Integer(3)), "a.b: expected 1 to 2, found 3"),
            (Some(Value::Number(f64::NAN)), "a.b: expected 1 to 2, found NaN"),
            (Some(Value::Text("1".to_owned())), "a.b: expected 1 to 2, found \"1\""),
            (None, "a.b: expected 1 to 2, found no such result"),
        ] {
            assert_eq!(between.unmet_by(found.as_ref()).map(|unmet| unmet.to_string()).as_deref(), Some(text));
        }
        assert!(bounds(None, None).unmet_by(None).is_some());
    }
}
