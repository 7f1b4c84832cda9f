//! What is said of a sweep, to people and to programs. Invariant: numbers stand in the order of sets and splits, whatever came first.

use std::path::Path;

use serde_json::{Value as Json, json};
use stillpoint_engine::scenario::SharedFigures;

use super::figure::{Figure, Goal};
use super::file::Sweep;
use super::luck::Luck;
use super::name_of;
use super::score::{Judge, Part, Row, Score};
use super::space::Set;
use super::split::Split;
use super::steps::{bare, number};
use crate::measure::Cost;
use crate::numbers::{bytes, counted, grouped};
use crate::table::{Side, table};

/// So many errors are told; the CSV file has all.
const ERRORS: usize = 5;

/// A sweep that was run.
pub(super) struct Told<'a> {
    pub(super) file: &'a Path,
    /// Its name.
    pub(super) scenario: &'a str,
    /// Whether it has streams, which may have nothing in a span.
    pub(super) has_streams: bool,
    pub(super) sweep: &'a Sweep,
    pub(super) judge: &'a Judge<'a>,
    /// All sets, best first; empty if the sweep walks forward.
    pub(super) ranking: Vec<Score>,
    pub(super) rows: &'a [Row],
    pub(super) walked: &'a [Walked],
    /// How many of the rows were there before.
    pub(super) stored: usize,
    /// Runs that Ctrl-C left out.
    pub(super) missing: usize,
    pub(super) threads: usize,
    pub(super) folder: &'a Path,
    pub(super) shared: SharedFigures,
    pub(super) cost: Cost,
}

/// A split: the best set of its training, and what it came to in the test.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Walked {
    pub(super) split: Split,
    pub(super) train: Option<Score>,
    pub(super) test: Option<Score>,
    /// Of the training.
    pub(super) luck: Luck,
}

/// How many runs it would be, and the first sets.
pub(super) fn plan(sweep: &Sweep, scenario: &str, top: usize) -> String {
    let (sets, seeds, splits) = (sweep.sets.len(), sweep.seeds.len().max(1), sweep.splits.len());
    let runs = if splits == 0 { sets * seeds } else { splits * (sets + 1) * seeds };
    let mut text = format!("{} of {scenario}: {}", counted(runs, "run"), extent(sweep));
    if splits > 0 {
        text.push_str(&format!(", {}: each {} for training and 1 for the test", counted(splits, "split"), counted(sets, "set")));
    }
    text.push('\n');
    let header = std::iter::once("set").chain(sweep.parameters.iter().map(|parameter| parameter.name.as_str()));
    let mut rows: Vec<Vec<String>> = vec![header.map(str::to_owned).collect()];
    rows.extend(sweep.sets.iter().enumerate().take(top).map(|(at, set)| std::iter::once((at + 1).to_string()).chain(shown(set)).collect()));
    text.push_str(&table(2, &vec![Side::Right; sweep.parameters.len() + 1], &rows));
    if sets > top {
        text.push_str(&format!("  and {} more\n", grouped((sets - top) as u64)));
    }
    for split in &sweep.splits {
        text.push_str(&format!("  train {}, test {}\n", split.train, split.test));
    }
    text
}

fn extent(sweep: &Sweep) -> String {
    let seeds = if sweep.seeds.is_empty() { "the scenario's seed".to_owned() } else { counted(sweep.seeds.len(), "seed") };
    format!("{} of {}, {seeds}", counted(sweep.sets.len(), "set"), counted(sweep.parameters.len(), "parameter"))
}

/// Values without their quotes.
pub(super) fn shown(set: &Set) -> impl Iterator<Item = String> {
    set.iter().map(|value| bare(value).to_owned())
}

/// A figure for people.
pub(super) fn printed(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        let digits = grouped(value.abs() as u64);
        return if value < 0.0 { format!("-{digits}") } else { digits };
    }
    if value.abs() < 1e-3 { format!("{value:.3e}") } else { format!("{value:.4}") }
}

pub(super) fn printed_or_dash(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), printed)
}

impl Told<'_> {
    /// The rows that came to nothing, with their errors.
    pub(super) fn failed(&self) -> impl Iterator<Item = (&Row, &str)> {
        self.rows.iter().filter_map(|row| Some((row, row.came.as_ref().err()?.as_str())))
    }

    /// `fast 10, slow 50`.
    pub(super) fn set(&self, set: usize) -> String {
        let named = self.sweep.parameters.iter().zip(shown(&self.sweep.sets[set]));
        named.map(|(parameter, value)| format!("{} {value}", parameter.name)).collect::<Vec<_>>().join(", ")
    }

    /// Whether a set has more than one run.
    pub(super) fn has_seeds(&self) -> bool {
        self.sweep.seeds.len() > 1
    }

    /// What the best set of the ranking owes to luck.
    pub(super) fn luck(&self) -> Luck {
        Luck::of(self.ranking.len(), self.ranking.iter().map(|score| &score.returns[..]))
    }

    /// Tables for people.
    pub(super) fn text(&self, top: usize) -> String {
        let mut text =
            format!("{}: {} of {}: {}\n", name_of(self.file), counted(self.rows.len(), "run"), self.scenario, extent(self.sweep));
        let facts: Vec<Vec<String>> = self.facts().into_iter().map(|(what, value)| vec![what.to_owned(), value]).collect();
        text.push_str(&table(2, &[Side::Left, Side::Left], &facts));
        if !self.ranking.is_empty() && top > 0 {
            text.push_str(&format!("\n{}\n", self.title()));
            let mut rows = vec![self.columns()];
            rows.extend(self.ranking.iter().enumerate().take(top).map(|(at, score)| self.cells(at, score)));
            text.push_str(&table(2, &vec![Side::Right; rows[0].len()], &rows));
            if self.ranking.len() > top {
                text.push_str(&format!("  and {} more\n", grouped((self.ranking.len() - top) as u64)));
            }
        }
        if !self.walked.is_empty() {
            text.push_str(&self.walk());
        }
        let warnings = self.warnings();
        if !warnings.is_empty() {
            text.push_str(&format!("\nnote: {}\n", warnings.join("\n      ")));
        }
        text.push_str(&self.errors());
        text
    }

    /// What was done and what it took.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let SharedFigures { streams, items, bytes: size, streamed, .. } = self.shared;
        let mut data =
            format!("{} decoded once for all runs: {} items, {}", counted(streams as usize, "stream"), grouped(items), bytes(size));
        if streamed > 0 {
            data.push_str(&format!("; {} beyond --share, read by each run", counted(streamed as usize, "stream")));
        }
        let new = self.rows.len() - self.stored;
        let kept = match (self.stored, new) {
            (0, _) => format!("all new, kept in {}", self.folder.display()),
            (stored, 0) => format!("all {} were in {}", grouped(stored as u64), self.folder.display()),
            (stored, new) => format!("{} were in {}, {} are new", grouped(stored as u64), self.folder.display(), grouped(new as u64)),
        };
        let rate = new as f64 / self.cost.wall_seconds.max(1e-9);
        let mut facts = vec![("results", kept)];
        if streams + streamed > 0 {
            facts.push(("data", data));
        }
        if new > 0 {
            facts.push(("wall time", format!("{:.2} s on {}, {rate:.1} runs/s", self.cost.wall_seconds, counted(self.threads, "thread"))));
        }
        if self.missing > 0 {
            facts.push(("interrupted", format!("{} not done; the same command does them", counted(self.missing, "run"))));
        }
        let failed = self.failed().count();
        if failed > 0 {
            facts.push(("failed", grouped(failed as u64)));
        }
        facts
    }

    /// What the ranking is by.
    pub(super) fn title(&self) -> String {
        let of = if self.has_seeds() { format!("{} of ", self.judge.aggregate.word()) } else { String::new() };
        format!("{} {of}{}", self.judge.goal.word(), self.judge.objective.label())
    }

    pub(super) fn columns(&self) -> Vec<String> {
        let mut names = vec!["rank".to_owned()];
        names.extend(self.sweep.parameters.iter().map(|parameter| parameter.name.clone()));
        names.push(self.judge.objective.label());
        if self.has_seeds() {
            names.extend(["least", "greatest"].map(str::to_owned));
        }
        names.extend(self.sweep.keep.iter().map(|(figure, _)| figure.label()));
        if self.failed().next().is_some() {
            names.push("failed".to_owned());
        }
        names
    }

    pub(super) fn cells(&self, at: usize, score: &Score) -> Vec<String> {
        // A set of which a run failed stands last, and has no rank.
        let mut cells = vec![score.objective.map_or_else(|| "-".to_owned(), |_| (at + 1).to_string())];
        cells.extend(shown(&self.sweep.sets[score.set]));
        cells.push(printed_or_dash(score.objective));
        if self.has_seeds() {
            cells.extend([printed_or_dash(score.spread.map(|spread| spread.0)), printed_or_dash(score.spread.map(|spread| spread.1))]);
        }
        let kept = |figure: &Figure| self.judge.kept(figure, self.rows, Part::Whole, score.set);
        cells.extend(self.sweep.keep.iter().map(|(figure, _)| printed_or_dash(kept(figure))));
        if self.failed().next().is_some() {
            cells.push(score.failed.to_string());
        }
        cells
    }

    /// What a walk forward came to: a row for each split, and their sums.
    pub(super) fn walk_rows(&self) -> Vec<Vec<String>> {
        let has_luck = self.walked.iter().any(|walked| walked.luck.sharpe.is_some());
        let names = ["split", "train from", "train to", "test to"].into_iter().map(str::to_owned);
        let mut header: Vec<String> = names.chain(self.sweep.parameters.iter().map(|parameter| parameter.name.clone())).collect();
        header.extend(["in sample", "out of sample"].map(str::to_owned));
        if has_luck {
            header.push("deflated".to_owned());
        }
        let mut rows = vec![header];
        for (at, walked) in self.walked.iter().enumerate() {
            let Split { train, test } = walked.split;
            let mut cells = vec![(at + 1).to_string(), train.from.to_string(), train.to.to_string(), test.to.to_string()];
            match &walked.train {
                Some(score) => cells.extend(shown(&self.sweep.sets[score.set])),
                None => cells.extend(self.sweep.parameters.iter().map(|_| "-".to_owned())),
            }
            cells.push(printed_or_dash(walked.train.as_ref().and_then(|score| score.objective)));
            cells.push(printed_or_dash(walked.test.as_ref().and_then(|score| score.objective)));
            if has_luck {
                let deflated = walked.luck.sharpe.and_then(|sharpe| sharpe.deflated);
                cells.push(deflated.map_or_else(|| "-".to_owned(), |deflated| format!("{deflated:.3}")));
            }
            rows.push(cells);
        }
        rows
    }

    /// The sum over the splits in the training and in the test spans, and the number of splits that have both.
    pub(super) fn stitched(&self) -> (f64, f64, usize) {
        let both = self.walked.iter().filter_map(|walked| walked.train.as_ref()?.objective.zip(walked.test.as_ref()?.objective));
        both.fold((0.0, 0.0, 0), |(train, test, count), both| (train + both.0, test + both.1, count + 1))
    }

    fn walk(&self) -> String {
        let rows = self.walk_rows();
        let title = format!("walking forward: the set with the {} of each train, tried on the test that follows", self.title());
        let (train, test, count) = self.stitched();
        let of = counted(count, "split");
        format!(
            "\n{title}\n{}  sum over {of}: {} in sample, {} out of sample\n",
            table(2, &vec![Side::Right; rows[0].len()], &rows),
            printed(train),
            printed(test)
        )
    }

    /// What to keep in mind.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = self.warnings_of_choice();
        if self.are_seeds_idle() {
            let seeds = self.sweep.seeds.len();
            warnings.push(format!("the {seeds} seeds of each set gave one and the same run: nothing in the scenario is random"));
        }
        warnings
    }

    /// Whether the runs of each set are the same whatever the seed.
    fn are_seeds_idle(&self) -> bool {
        let trace = |row: &Row| row.came.as_ref().map(|ran| ran.trace_hash.clone()).ok();
        let is_of_set = |a: &Row, b: &Row| (a.part, a.task.set) == (b.part, b.task.set);
        let is_same = |pair: &[Row]| !is_of_set(&pair[0], &pair[1]) || (trace(&pair[0]).is_some() && trace(&pair[0]) == trace(&pair[1]));
        self.has_seeds() && self.missing == 0 && self.rows.windows(2).all(is_same)
    }

    fn warnings_of_choice(&self) -> Vec<String> {
        if !self.walked.is_empty() {
            let trials = self.sweep.sets.len();
            let chosen = format!(
                "each set was chosen among {trials} by its figure in sample, which owes much to luck; nothing was chosen by those out of sample"
            );
            let empty = self.walked.iter().enumerate().flat_map(|(at, walked)| {
                let Split { train, test } = walked.split;
                [("train", Part::Train(at), train), ("test", Part::Test(at), test)].into_iter().filter_map(move |(what, part, span)| {
                    let mut events =
                        self.rows.iter().filter(|row| row.part == part).filter_map(|row| Some(row.came.as_ref().ok()?.events)).peekable();
                    let is_empty = events.peek().is_some() && events.all(|events| events == 0);
                    (is_empty && self.has_streams).then(|| format!("no stream has an item in the {what} of split {}, {span}", at + 1))
                })
            });
            return empty.chain((trials > 1).then_some(chosen)).collect();
        }
        match self.ranking.first().filter(|score| score.objective.is_some()) {
            Some(best) => self.luck().lines(&self.set(best.set)),
            None => Vec::new(),
        }
    }

    fn errors(&self) -> String {
        let mut text = String::new();
        for (row, error) in self.failed().take(ERRORS) {
            let seed = row.task.seed.map(|seed| format!(", seed {seed}")).unwrap_or_default();
            let first = error.lines().next().unwrap_or_default();
            text.push_str(&format!("\nfailed: {}{seed}: {first}", self.set(row.task.set)));
        }
        let count = self.failed().count();
        if count > ERRORS {
            text.push_str(&format!("\nand {} more; --csv writes them all", counted(count - ERRORS, "failed run")));
        }
        if count > 0 { text + "\n" } else { text }
    }

    /// One object for programs.
    pub(super) fn json(&self) -> String {
        let kept = |score: &Score| -> Json {
            let value = |figure: &Figure| json!(self.judge.kept(figure, self.rows, Part::Whole, score.set));
            self.sweep.keep.iter().map(|(figure, _)| (figure.label(), value(figure))).collect::<serde_json::Map<_, _>>().into()
        };
        let score = |score: &Score| {
            json!({
                "parameters": self.parameters(score.set), "objective": score.objective,
                "least": score.spread.map(|spread| spread.0), "greatest": score.spread.map(|spread| spread.1), "failed": score.failed,
            })
        };
        let ranked = self.ranking.iter().map(|of| {
            let mut object = score(of);
            object["kept"] = kept(of);
            object
        });
        let mut object = json!({
            "sweep": name_of(self.file), "scenario": self.scenario, "objective": self.judge.objective.label(),
            "goal": if self.judge.goal == Goal::Maximise { "maximise" } else { "minimise" }, "aggregate": self.judge.aggregate.word(),
            "sets": self.sweep.sets.len(), "runs": self.rows.len(), "stored": self.stored, "missing": self.missing,
            "failed": self.failed().count(), "threads": self.threads, "wall_seconds": self.cost.wall_seconds,
            "shared": { "streams": self.shared.streams, "items": self.shared.items, "bytes": self.shared.bytes, "streamed": self.shared.streamed },
            "ranking": ranked.collect::<Vec<_>>(),
        });
        if !self.walked.is_empty() {
            let split = |walked: &Walked| {
                let Split { train, test } = walked.split;
                json!({
                    "train": [train.from.to_string(), train.to.to_string()], "test": [test.from.to_string(), test.to.to_string()],
                    "in_sample": walked.train.as_ref().map(score), "out_of_sample": walked.test.as_ref().map(score),
                    "deflated_sharpe": walked.luck.sharpe.and_then(|sharpe| sharpe.deflated),
                })
            };
            let (train, test, count) = self.stitched();
            object["walk_forward"] = json!({
                "splits": self.walked.iter().map(split).collect::<Vec<_>>(),
                "sum": { "splits": count, "in_sample": train, "out_of_sample": test },
            });
        } else if let Some(sharpe) = self.luck().sharpe {
            object["luck"] = json!({
                "sharpe": sharpe.best, "periods": sharpe.periods, "expected_best_sharpe": sharpe.expected, "deflated_sharpe": sharpe.deflated,
            });
        }
        format!("{object:#}\n")
    }

    fn parameters(&self, set: usize) -> Json {
        let value = |text: &str| match number(text) {
            Some(number) if bare(text).parse::<f64>().is_ok() => json!(number),
            _ => json!(bare(text)),
        };
        let named = self.sweep.parameters.iter().zip(&self.sweep.sets[set]);
        named.map(|(parameter, text)| (parameter.name.clone(), value(text))).collect::<serde_json::Map<_, _>>().into()
    }
}
