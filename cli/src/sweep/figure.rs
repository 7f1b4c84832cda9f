//! Figures of a run: what is looked for, and what is kept. Invariant: none depends on the trace, the host or the clock.

use serde::Deserialize;
use stillpoint_engine::Value;

use super::ran::Ran;

/// A number that a run comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Figure {
    /// The entry's name in the reports of all these actors, whose sum it is. None: a count of the run.
    pub(super) actors: Vec<String>,
    pub(super) name: String,
}

/// The counts of a run that are figures.
pub(super) const COUNTS: [&str; 4] = ["events", "deliveries", "late_events", "dead_letters"];

impl Figure {
    /// `profit of btc`, `dead_letters`.
    pub(super) fn label(&self) -> String {
        match &self.actors[..] {
            [] => self.name.clone(),
            [actor] => format!("{actor}.{}", self.name),
            actors => format!("{}.{}", actors.join("+"), self.name),
        }
    }

    /// Its value in reports; `None` if an actor did not report it as a finite number.
    pub(super) fn in_reports<'r>(&self, reports: impl Fn(&str) -> Option<&'r [(String, Value)]>) -> Option<f64> {
        let mut sum = 0.0;
        for actor in &self.actors {
            let (_, value) = reports(actor)?.iter().find(|(name, _)| *name == self.name)?;
            sum += number(value)?;
        }
        Some(sum).filter(|sum: &f64| sum.is_finite())
    }

    /// Its value in a run.
    pub(super) fn of(&self, ran: &Ran) -> Option<f64> {
        if self.actors.is_empty() {
            let counts = [ran.events, ran.deliveries, ran.late_events, ran.dead_letters];
            return COUNTS.iter().zip(counts).find(|(name, _)| **name == self.name).map(|(_, count)| count as f64);
        }
        self.in_reports(|actor| ran.report(actor))
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Integer(number) => Some(*number as f64),
        Value::Text(_) => None,
    }
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    Maximise,
    Minimise,
}

impl Goal {
    /// Whether `a` is better than `b`.
    pub(super) fn is_better(self, a: f64, b: f64) -> bool {
        match self {
            Self::Maximise => a > b,
            Self::Minimise => a < b,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Maximise => "highest",
            Self::Minimise => "lowest",
        }
    }
}

/// What the seeds of a set come to together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) enum Aggregate {
    #[default]
    Median,
    Mean,
    Worst,
}

impl Aggregate {
    /// `None` of nothing.
    pub(super) fn of(self, values: &[f64], goal: Goal) -> Option<f64> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (first, last) = (*sorted.first()?, *sorted.last()?);
        let count = sorted.len();
        Some(match self {
            Self::Median => (sorted[(count - 1) / 2] + sorted[count / 2]) / 2.0,
            Self::Mean => sorted.iter().sum::<f64>() / count as f64,
            Self::Worst if goal == Goal::Maximise => first,
            Self::Worst => last,
        })
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Median => "median",
            Self::Mean => "mean",
            Self::Worst => "worst",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aggregates_by_hand() {
        let values = [4.0, 1.0, 10.0, 2.0];
        for (aggregate, goal, expected) in [
            (Aggregate::Median, Goal::Maximise, 3.0),
            (Aggregate::Mean, Goal::Maximise, 4.25),
            (Aggregate::Worst, Goal::Maximise, 1.0),
            (Aggregate::Worst, Goal::Minimise, 10.0),
        ] {
            assert_eq!(aggregate.of(&values, goal), Some(expected), "{aggregate:?} {goal:?}");
        }
        assert_eq!(Aggregate::Median.of(&[3.0, 1.0, 2.0], Goal::Maximise), Some(2.0));
        assert_eq!(Aggregate::Mean.of(&[], Goal::Maximise), None);
    }
}
