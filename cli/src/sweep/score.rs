//! What the sets come to over their seeds, and which is the best. Invariant: only sets of which every run was completed are ranked.

use super::figure::{Aggregate, Figure, Goal};
use super::job::{Came, Task};
use super::ran::Ran;

/// Where a run stands in a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The sweep does not walk forward.
    Whole,
    /// In the training span of the split of this index.
    Train(usize),
    /// In its test span.
    Test(usize),
}

/// A run that came to an end, well or not.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) task: Task,
    pub(super) part: Part,
    pub(super) came: Came,
}

/// How a sweep judges.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judge<'s> {
    pub(super) goal: Goal,
    pub(super) aggregate: Aggregate,
    pub(super) objective: &'s Figure,
    /// How many runs a set has in one part.
    pub(super) runs: usize,
}

/// What the runs of one set in one part come to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Score {
    pub(super) set: usize,
    /// The aggregate of the objective; `None` unless all runs have it.
    pub(super) objective: Option<f64>,
    /// The least and the greatest objective.
    pub(super) spread: Option<(f64, f64)>,
    /// Runs that failed, or have no objective.
    pub(super) failed: usize,
    /// The mean over the seeds of what each period gained.
    pub(super) returns: Vec<f64>,
}

impl Judge<'_> {
    /// The scores of all sets that have rows in this part, best first; of equals, the earlier set.
    pub(super) fn ranking(&self, rows: &[Row], part: Part) -> Vec<Score> {
        let mut of_part: Vec<&Row> = rows.iter().filter(|row| row.part == part).collect();
        of_part.sort_by_key(|row| row.task);
        let mut scores: Vec<Score> = of_part.chunk_by(|a, b| a.task.set == b.task.set).map(|rows| self.score(rows)).collect();
        scores.sort_by(|a, b| match (a.objective, b.objective) {
            (Some(a), Some(b)) if self.goal.is_better(a, b) => std::cmp::Ordering::Less,
            (Some(a), Some(b)) if self.goal.is_better(b, a) => std::cmp::Ordering::Greater,
            (a, b) => b.is_some().cmp(&a.is_some()),
        });
        scores
    }

    fn score(&self, rows: &[&Row]) -> Score {
        let runs: Vec<&Ran> = rows.iter().filter_map(|row| row.came.as_ref().ok()).collect();
        let values: Vec<f64> = runs.iter().filter_map(|ran| self.objective.of(ran)).collect();
        let is_complete = values.len() == self.runs;
        let least = values.iter().copied().reduce(f64::min);
        Score {
            set: rows[0].task.set,
            objective: if is_complete { self.aggregate.of(&values, self.goal) } else { None },
            spread: least.zip(values.iter().copied().reduce(f64::max)),
            failed: rows.len() - values.len(),
            returns: mean_returns(&runs),
        }
    }

    /// A figure of a set in a part, over its seeds.
    pub(super) fn kept(&self, figure: &Figure, rows: &[Row], part: Part, set: usize) -> Option<f64> {
        let of_set = rows.iter().filter(|row| row.part == part && row.task.set == set);
        let values: Vec<f64> = of_set.filter_map(|row| figure.of(row.came.as_ref().ok()?)).collect();
        // What is best of a figure that is only looked at is nobody's choice: the median stands for the worst too.
        let aggregate = if self.aggregate == Aggregate::Worst { Aggregate::Median } else { self.aggregate };
        aggregate.of(&values, self.goal)
    }
}

/// Seeds see the same market, so their returns are no independent ones: what counts is their mean in each period.
fn mean_returns(runs: &[&Ran]) -> Vec<f64> {
    let returns: Vec<Vec<f64>> = runs.iter().map(|ran| ran.returns()).collect();
    let periods = returns.iter().map(Vec::len).max().unwrap_or(0);
    let mean = |period: usize| returns.iter().map(|run| run.get(period).copied().unwrap_or(0.0)).sum::<f64>() / returns.len() as f64;
    (0..periods).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use stillpoint_engine::Value;

    fn row(set: usize, seed: u64, profit: Option<f64>, levels: &[f64]) -> Row {
        let ran = |profit| Ran {
            trace_hash: String::new(),
            end: "done".to_owned(),
            events: 0,
            deliveries: 0,
            late_events: 0,
            dead_letters: 0,
            reports: vec![("desk".to_owned(), vec![("profit".to_owned(), Value::Number(profit))])],
            levels: levels.to_vec(),
        };
        let came = profit.map(ran).ok_or_else(|| "it panicked".to_owned());
        Row { task: Task { set, seed: Some(seed), span: None }, part: Part::Whole, came }
    }

    #[test]
    fn the_best_by_hand() {
        let profit = Figure { actors: vec!["desk".to_owned()], name: "profit".to_owned() };
        let mut rows = vec![
            row(2, 1, Some(9.0), &[]),
            row(2, 2, None, &[]),
            row(0, 1, Some(1.0), &[1.0, 3.0]),
            row(0, 2, Some(3.0), &[3.0, 3.0, 4.0]),
            row(1, 2, Some(5.0), &[]),
            row(1, 1, Some(1.0), &[]),
            row(3, 1, Some(2.0), &[]),
            row(3, 2, Some(2.0), &[]),
        ];
        let judge = Judge { goal: Goal::Maximise, aggregate: Aggregate::Mean, objective: &profit, runs: 2 };
        let told = |scores: &[Score]| scores.iter().map(|score| (score.set, score.objective, score.failed)).collect::<Vec<_>>();
        let scores = judge.ranking(&rows, Part::Whole);
        assert_eq!(told(&scores), [(1, Some(3.0), 0), (0, Some(2.0), 0), (3, Some(2.0), 0), (2, None, 1)]);
        assert_eq!(scores[1].returns, [2.0, 1.0, 0.5]);
        assert_eq!(scores[0].spread, Some((1.0, 5.0)));
        rows.reverse();
        assert_eq!(judge.ranking(&rows, Part::Whole), scores, "the order of the rows means nothing");
        let least = Judge { goal: Goal::Minimise, aggregate: Aggregate::Worst, ..judge };
        assert_eq!(told(&least.ranking(&rows, Part::Whole)), [(3, Some(2.0), 0), (0, Some(3.0), 0), (1, Some(5.0), 0), (2, None, 1)]);
        assert_eq!(judge.kept(&profit, &rows, Part::Whole, 2), Some(9.0));
        assert!(judge.ranking(&rows, Part::Train(0)).is_empty());
    }
}
