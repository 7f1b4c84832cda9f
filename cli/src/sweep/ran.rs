//! What a run came to, as it is kept. Invariant: it comes back from the store as it went in, to the last bit.

use serde_json::{Value as Json, json};
use stillpoint_engine::{Outcome, Value};

/// A run that was completed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ran {
    pub(super) trace_hash: String,
    pub(super) end: String,
    pub(super) events: u64,
    pub(super) deliveries: u64,
    pub(super) late_events: u64,
    pub(super) dead_letters: u64,
    /// What each actor reported.
    pub(super) reports: Vec<(String, Vec<(String, Value)>)>,
    /// The objective at the end of each period, if returns were asked for.
    pub(super) levels: Vec<f64>,
}

impl Ran {
    pub(super) fn of(outcome: &Outcome, levels: Vec<f64>) -> Self {
        Self {
            trace_hash: outcome.trace_hash.to_string(),
            end: outcome.end.to_string(),
            events: outcome.events,
            deliveries: outcome.deliveries,
            late_events: outcome.late(),
            dead_letters: outcome.dead_letters,
            reports: outcome.reports.iter().map(|(path, report)| (path.to_string(), report.entries().to_vec())).collect(),
            levels,
        }
    }

    /// What an actor reported.
    pub(super) fn report(&self, actor: &str) -> Option<&[(String, Value)]> {
        self.reports.iter().find(|(name, _)| name == actor).map(|(_, entries)| &entries[..])
    }

    /// The changes of the objective from period to period, the first one from zero.
    pub(super) fn returns(&self) -> Vec<f64> {
        let before = std::iter::once(&0.0).chain(&self.levels);
        self.levels.iter().zip(before).map(|(level, before)| level - before).collect()
    }

    pub(super) fn to_json(&self) -> Json {
        let entries =
            |entries: &[(String, Value)]| entries.iter().map(|(name, value)| json!([name, value_to_json(value)])).collect::<Vec<_>>();
        json!({
            "trace_hash": self.trace_hash, "end": self.end, "events": self.events, "deliveries": self.deliveries,
            "late_events": self.late_events, "dead_letters": self.dead_letters,
            "reports": self.reports.iter().map(|(actor, report)| json!([actor, entries(report)])).collect::<Vec<_>>(),
            "levels": self.levels,
        })
    }

    /// `None` if this is no run as [`Ran::to_json`] writes it.
    pub(super) fn from_json(json: &Json) -> Option<Self> {
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        let count = |name: &str| json[name].as_u64();
        let entry = |json: &Json| Some((json[0].as_str()?.to_owned(), value_from_json(&json[1])?));
        let report = |json: &Json| Some((json[0].as_str()?.to_owned(), json[1].as_array()?.iter().map(entry).collect::<Option<_>>()?));
        Some(Self {
            trace_hash: text("trace_hash")?,
            end: text("end")?,
            events: count("events")?,
            deliveries: count("deliveries")?,
            late_events: count("late_events")?,
            dead_letters: count("dead_letters")?,
            reports: json["reports"].as_array()?.iter().map(report).collect::<Option<_>>()?,
            levels: json["levels"].as_array()?.iter().map(Json::as_f64).collect::<Option<_>>()?,
        })
    }
}

/// JSON has no `NaN` and no infinities: they are lists of their name.
fn value_to_json(value: &Value) -> Json {
    match value {
        Value::Number(number) if number.is_finite() => json!(number),
        Value::Number(number) => json!([number.to_string()]),
        Value::Integer(number) => json!(number),
        Value::Text(text) => json!(text),
    }
}

fn value_from_json(json: &Json) -> Option<Value> {
    match json {
        Json::String(text) => Some(Value::Text(text.clone())),
        Json::Array(list) => list.first()?.as_str()?.parse().ok().map(Value::Number),
        number if number.is_f64() => number.as_f64().map(Value::Number),
        number => number.as_i64().map(Value::Integer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_comes_back_as_it_went_in() {
        let values =
            [Value::Number(0.1 + 0.2), Value::Number(3.0), Value::Number(f64::INFINITY), Value::Integer(-3), Value::Text("3".into())];
        let entries = values.into_iter().map(|value| ("a.b $".to_owned(), value)).collect();
        let ran = Ran {
            trace_hash: "00".to_owned(),
            end: "done".to_owned(),
            events: 1,
            deliveries: 2,
            late_events: 3,
            dead_letters: 4,
            reports: vec![("desk/clerk".to_owned(), entries), ("quiet".to_owned(), vec![])],
            levels: vec![1.0, -0.5, 1.0 / 3.0],
        };
        let text = ran.to_json().to_string();
        let back = Ran::from_json(&serde_json::from_str(&text).expect("JSON"));
        assert_eq!(back.as_ref(), Some(&ran));
        assert_eq!(ran.returns(), [1.0, -1.5, 1.0 / 3.0 + 0.5]);
        assert_eq!(Ran::from_json(&json!({"end": "done"})), None);
    }
}
