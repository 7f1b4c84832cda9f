//! One run of a sweep: from values to what it came to. Invariant: it depends on the scenario, the values and the data, on nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use stillpoint_engine::scenario::{Override, Place, Registry, Scenario, ScenarioError};
use stillpoint_engine::{Duration, End, Instant, JobPanic, Outcome, Run, RunError, pool};

use super::data::{self, Versions};
use super::figure::Figure;
use super::file::Sweep;
use super::ran::Ran;
use super::space::{Parameter, Set};
use super::split::Span;
use crate::{panics, summary};

/// More periods than that are a slip of the pen.
pub(super) const MOST_PERIODS: usize = 1_000_000;

/// A run that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Task {
    /// The index of its set of parameters.
    pub(super) set: usize,
    /// None: the scenario's own.
    pub(super) seed: Option<u64>,
    /// None: from the scenario's start to its end.
    pub(super) span: Option<Span>,
}

/// What a run came to, or why it failed.
pub(super) type Came = Result<Ran, String>;

/// A task that was done.
#[derive(Clone, Debug)]
pub(super) enum Done {
    /// Under this key it is to be kept, if there is one.
    Now { key: Option<String>, came: Came },
    /// It was done before.
    Before(Came),
    /// It has more than [`MOST_PERIODS`].
    TooManyPeriods,
    /// Ctrl-C came first.
    Interrupted,
}

/// All that runs have in common.
pub(super) struct Recipe {
    pub(super) registry: Arc<Registry>,
    pub(super) file: PathBuf,
    pub(super) text: String,
    pub(super) parameters: Vec<Parameter>,
    pub(super) sets: Vec<Set>,
    pub(super) objective: Figure,
    pub(super) returns_every: Option<Duration>,
    pub(super) program: String,
    pub(super) versions: Versions,
    pub(super) stored: BTreeMap<String, Came>,
    pub(super) stop: Arc<AtomicBool>,
}

impl Recipe {
    /// What the runs of a sweep have in common; nothing is stored yet.
    pub(super) fn new(sweep: &Sweep, registry: &Arc<Registry>, text: String, program: String, stop: Arc<AtomicBool>) -> Self {
        Self {
            registry: registry.clone(),
            file: sweep.scenario.clone(),
            text,
            parameters: sweep.parameters.clone(),
            sets: sweep.sets.clone(),
            objective: sweep.objective.clone(),
            returns_every: sweep.returns_every.as_ref().map(|(every, _)| *every),
            program,
            versions: Versions::default(),
            stored: BTreeMap::new(),
            stop,
        }
    }

    /// The scenario with the values of a task.
    pub(super) fn scenario(&self, task: Task) -> Result<Scenario, ScenarioError> {
        let mut overrides = Vec::new();
        for (parameter, value) in self.parameters.iter().zip(&self.sets[task.set]) {
            let flag = flag(parameter, value);
            overrides.extend(parameter.paths.iter().map(|path| Override::new(path, value, &flag)));
        }
        if let Some(seed) = task.seed {
            overrides.push(Override::new("seed", &seed.to_string(), &format!("seed {seed}")));
        }
        if let Some(span) = task.span {
            overrides.push(Override::new("start", &span.from.to_string(), &format!("span {span}")));
            overrides.push(Override::new("end", &span.last().to_string(), &format!("span {span}")));
        }
        let folder = self.file.parent().unwrap_or(std::path::Path::new(""));
        Scenario::parse(&self.file.display().to_string(), &self.text, &overrides).map(|scenario| scenario.in_folder(folder))
    }

    /// Does a task. A panic of whatever kind is its error.
    pub(super) fn run(&self, task: Task) -> Done {
        pool::catch(|| self.try_run(task)).unwrap_or_else(|JobPanic(text)| {
            let place = panics::place_of(&text).unwrap_or_default();
            Done::Now { key: None, came: Err(format!("a panic at {place}: {text}")) }
        })
    }

    fn try_run(&self, task: Task) -> Done {
        let failed = |error: String| Done::Now { key: None, came: Err(error) };
        let built = match self.scenario(task).and_then(|scenario| Ok((scenario.build(&self.registry)?, scenario))) {
            Ok((built, scenario)) => self.key(&scenario, &built.files).map(|key| (built.simulation, key, scenario.end())),
            Err(error) => Err(error.to_string()),
        };
        let (simulation, key, end) = match built {
            Ok(built) => built,
            Err(error) => return failed(error),
        };
        if let Some(came) = self.stored.get(&key) {
            return Done::Before(came.clone());
        }
        let mut run = match simulation.interrupt(self.stop.clone()).begin() {
            Ok(run) => run,
            Err(error) => return failed(error.to_string()),
        };
        let Some(levels) = self.returns_every.map_or(Some(Vec::new()), |every| self.levels(&mut run, every, end)) else {
            return Done::TooManyPeriods;
        };
        match run.finish() {
            Ok(Outcome { end: End::Interrupted, .. }) => Done::Interrupted,
            Ok(outcome) => Done::Now { key: Some(key), came: Ok(Ran::of(&outcome, levels)) },
            Err(failed) => {
                let place = summary::panic_text(&failed.error).and_then(panics::place_of).map(|place| format!(", at {place}"));
                let error = format!("{}{}", failed.error, place.unwrap_or_default());
                // A source may be read another time.
                let key = Some(key).filter(|_| !matches!(failed.error, RunError::Source { .. }));
                Done::Now { key, came: Err(error) }
            }
        }
    }

    /// The objective at the end of each whole period of a run that ends at `end`, if it is known; `None` if there are too many. What is left after
    /// the last of them is no period: its gain would count as that of a whole one.
    fn levels(&self, run: &mut Run, every: Duration, end: Option<Instant>) -> Option<Vec<f64>> {
        let mut levels = Vec::new();
        let Some(begin) = run.next_instant() else { return Some(levels) };
        let mut bound = begin;
        loop {
            bound = bound + every;
            let last = bound - Duration::nanos(1);
            let goes_on = run.until(last);
            if !goes_on && end.is_none_or(|end| end < last) {
                return Some(levels);
            }
            let reports = run.reports();
            let report = |actor: &str| reports.iter().find(|(path, _)| path.to_string() == actor).map(|(_, report)| report.entries());
            // Before there is a figure, nothing was gained.
            let before = levels.last().copied().unwrap_or(0.0);
            levels.push(self.objective.in_reports(report).unwrap_or(before));
            if !goes_on {
                return Some(levels);
            }
            if levels.len() == MOST_PERIODS {
                return None;
            }
        }
    }

    /// What a result is known by: everything that it depends on.
    fn key(&self, scenario: &Scenario, files: &BTreeSet<PathBuf>) -> Result<String, String> {
        let mut parts = vec![self.program.clone(), scenario.text().to_owned()];
        if let Some(every) = self.returns_every {
            parts.push(format!("{every} {:?}", self.objective));
        }
        for file in files {
            parts.push(self.versions.of(file)?);
        }
        Ok(data::digest(parts.iter().map(String::as_str)))
    }
}

/// How errors call a value of a parameter.
fn flag(parameter: &Parameter, value: &str) -> String {
    match &parameter.place {
        Place::File { file, line, column, .. } => format!("{file}:{line}:{column}: {} = {value}", parameter.name),
        _ => format!("{} = {value}", parameter.name),
    }
}

/// The error with its place in the sweep's file, if it is about a parameter.
pub(super) fn placed(error: ScenarioError, parameters: &[Parameter], set: &Set) -> ScenarioError {
    let Place::Override { flag: given } = &error.place else { return error };
    match parameters.iter().zip(set).find(|(parameter, value)| flag(parameter, value) == *given) {
        Some((parameter, value)) => {
            let cause = format!("`{}` with the value {value}: {}", parameter.paths.join("`, `"), error.cause);
            ScenarioError { place: parameter.place.clone(), cause, help: error.help }
        }
        None => error,
    }
}
