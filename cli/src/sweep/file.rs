//! The file of a sweep. Invariant: whatever is wrong with it is told with its place, before anything has run.

use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use stillpoint_engine::Duration;
use stillpoint_engine::scenario::{Piece, Place, RonFile, Scenario, ScenarioError};

use super::condition::Condition;
use super::figure::{Aggregate, COUNTS, Figure, Goal};
use super::space::{self, NoSets, Parameter, Sample, Set, Values};
use super::split::{Split, Walk};
use super::steps::{Between, range};

/// A sweep, read and checked as far as it can be without a run.
#[derive(Debug)]
pub(super) struct Sweep {
    /// The scenario's file.
    pub(super) scenario: PathBuf,
    pub(super) parameters: Vec<Parameter>,
    pub(super) sets: Vec<Set>,
    /// None: the scenario's own.
    pub(super) seeds: Vec<u64>,
    pub(super) goal: Goal,
    pub(super) objective: Figure,
    /// Where the objective stands.
    pub(super) objective_place: Place,
    pub(super) keep: Vec<(Figure, Place)>,
    pub(super) aggregate: Aggregate,
    /// With its place.
    pub(super) returns_every: Option<(Duration, Place)>,
    pub(super) splits: Vec<Split>,
    pub(super) threads: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "Sweep")]
struct FileSweep<'t> {
    #[serde(borrow)]
    scenario: Piece<'t>,
    #[serde(borrow)]
    parameters: Piece<'t>,
    #[serde(borrow, default)]
    sample: Option<Piece<'t>>,
    #[serde(borrow, default, rename = "where")]
    conditions: Vec<Piece<'t>>,
    #[serde(borrow, default)]
    seeds: Option<Piece<'t>>,
    #[serde(borrow)]
    objective: Piece<'t>,
    #[serde(default)]
    aggregate: Aggregate,
    #[serde(borrow, default)]
    keep: Vec<Piece<'t>>,
    #[serde(borrow, default)]
    returns_every: Option<Piece<'t>>,
    #[serde(borrow, default)]
    walk_forward: Option<Piece<'t>>,
    #[serde(default)]
    threads: Option<NonZeroU16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "Parameter")]
struct FileParameter<'t> {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    paths: Vec<String>,
    #[serde(borrow, default)]
    values: Option<Vec<Piece<'t>>>,
    #[serde(borrow, default)]
    range: Option<(Piece<'t>, Piece<'t>, Piece<'t>)>,
    #[serde(borrow, default)]
    uniform: Option<(Piece<'t>, Piece<'t>)>,
    #[serde(borrow, default)]
    log_uniform: Option<(Piece<'t>, Piece<'t>)>,
    #[serde(borrow, default)]
    integer: Option<(Piece<'t>, Piece<'t>)>,
    #[serde(default)]
    decimals: Option<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
enum FileObjective {
    Maximise {
        #[serde(default)]
        actor: Option<String>,
        #[serde(default)]
        actors: Vec<String>,
        name: String,
    },
    Minimise {
        #[serde(default)]
        actor: Option<String>,
        #[serde(default)]
        actors: Vec<String>,
        name: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "Figure")]
struct FileFigure {
    #[serde(default)]
    actor: Option<String>,
    #[serde(default)]
    actors: Vec<String>,
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "Sample")]
struct FileSample {
    count: usize,
    #[serde(default)]
    seed: u64,
}

impl Sweep {
    /// The figures with their places, the objective first.
    pub(super) fn figures(&self) -> impl Iterator<Item = (&Figure, &Place)> {
        std::iter::once((&self.objective, &self.objective_place)).chain(self.keep.iter().map(|(figure, place)| (figure, place)))
    }

    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Self, ScenarioError> {
        let file = RonFile::read(path)?;
        Self::of(&file, path.parent().unwrap_or(Path::new(""))).map_err(|error| match Scenario::read(path, &[]) {
            Ok(_) => file.whole_error("this is a scenario, not a sweep", Some(format!("run it with `stillpoint run {}`", path.display()))),
            Err(_) => error,
        })
    }

    /// The sweep that a file in `folder` describes.
    fn of(file: &RonFile, folder: &Path) -> Result<Self, ScenarioError> {
        let said: FileSweep<'_> = file.whole()?;
        let scenario_name: String = file.get(said.scenario)?;
        let scenario = folder.join(&scenario_name);
        if !scenario.is_file() {
            let help = "paths are relative to the folder of the sweep's file".to_owned();
            return Err(file.error(said.scenario, format!("there is no file `{}`", scenario.display()), Some(help)));
        }
        let sample = sample(file, said.sample)?;
        let parameters = parameters(file, said.parameters, sample.is_some())?;
        let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let mut conditions = Vec::new();
        for piece in &said.conditions {
            let text: String = file.get(*piece)?;
            conditions.push(Condition::parse(&text, &names).map_err(|(cause, help)| file.error(*piece, cause, help))?);
        }
        let (sets, about) = match sample {
            Some((sample, piece)) => (space::sample(&parameters, &conditions, sample), piece),
            None => (space::grid(&parameters, &conditions), said.conditions.first().copied().unwrap_or(said.parameters)),
        };
        let sets =
            sets.map_err(|NoSets { condition, cause }| file.error(condition.map_or(about, |index| said.conditions[index]), cause, None))?;
        let (goal, objective) = objective(file, said.objective)?;
        let keep = said.keep.iter().map(|piece| {
            let FileFigure { actor, actors, name } = file.get(*piece)?;
            Ok((figure(file, *piece, actor, actors, name)?, place(file, *piece)))
        });
        Ok(Self {
            keep: keep.collect::<Result<_, ScenarioError>>()?,
            objective_place: place(file, said.objective),
            seeds: said.seeds.map_or(Ok(Vec::new()), |piece| seeds(file, piece))?,
            returns_every: said.returns_every.map(|piece| returns_every(file, piece, &objective)).transpose()?,
            splits: said.walk_forward.map_or(Ok(Vec::new()), |piece| splits(file, piece, &scenario))?,
            aggregate: said.aggregate,
            threads: said.threads.map(|threads| usize::from(threads.get())),
            scenario,
            parameters,
            sets,
            goal,
            objective,
        })
    }
}

/// Where a piece stands.
fn place(file: &RonFile, piece: Piece<'_>) -> Place {
    file.error(piece, "", None).place
}

fn sample<'t>(file: &'t RonFile, piece: Option<Piece<'t>>) -> Result<Option<(Sample, Piece<'t>)>, ScenarioError> {
    let Some(piece) = piece else { return Ok(None) };
    let FileSample { count, seed } = file.get(piece)?;
    if count == 0 || count > 1_000_000 {
        return Err(file.error(piece, format!("a sample of {count} sets"), Some("ask for 1 to 1000000".to_owned())));
    }
    Ok(Some((Sample { count, seed }, piece)))
}

fn parameters(file: &RonFile, list: Piece<'_>, is_sample: bool) -> Result<Vec<Parameter>, ScenarioError> {
    let mut parameters: Vec<Parameter> = Vec::new();
    let pieces: Vec<Piece<'_>> = file.get(list)?;
    for piece in pieces {
        let parameter = parameter(file, piece, is_sample)?;
        if parameters.iter().any(|other| other.name == parameter.name) {
            let help = "give it a `name` of its own".to_owned();
            return Err(file.error(piece, format!("there are two parameters `{}`", parameter.name), Some(help)));
        }
        if let Some(path) = parameter.paths.iter().find(|path| parameters.iter().any(|other| other.paths.contains(path))) {
            return Err(file.error(piece, format!("two parameters set `{path}`"), Some("the later one would win; drop one".to_owned())));
        }
        parameters.push(parameter);
    }
    if parameters.is_empty() {
        let help = "a sweep needs one at least, such as (path: \"actors.btc.fast\", values: [10, 20])".to_owned();
        return Err(file.error(list, "there is no parameter", Some(help)));
    }
    Ok(parameters)
}

fn parameter(file: &RonFile, piece: Piece<'_>, is_sample: bool) -> Result<Parameter, ScenarioError> {
    let FileParameter { name, path, mut paths, values, range: steps, uniform, log_uniform, integer, decimals } = file.get(piece)?;
    paths.splice(0..0, path);
    let fail = |cause: String, help: &str| Err(file.error(piece, cause, Some(help.to_owned())));
    let Some(first) = paths.first() else {
        return fail("the parameter has no path".to_owned(), "give a `path` such as \"actors.btc.fast\", as for `run --set`");
    };
    let name = name.unwrap_or_else(|| first.rsplit('.').next().unwrap_or(first).to_owned());
    let about = |cause: String| format!("parameter `{name}` {cause}");
    let given = [values.is_some(), steps.is_some(), uniform.is_some(), log_uniform.is_some(), integer.is_some()];
    if given.iter().filter(|given| **given).count() != 1 {
        let cause = about("needs exactly one of `values`, `range`, `uniform`, `log_uniform` and `integer`".to_owned());
        return fail(cause, "such as values: [10, 20] or range: (10, 50, 10)");
    }
    if decimals.is_some() && uniform.is_none() && log_uniform.is_none() {
        return fail(about("has `decimals`".to_owned()), "they are for `uniform` and `log_uniform`");
    }
    let drawn = |(low, high): (Piece<'_>, Piece<'_>), decimals, is_log| {
        if !is_sample {
            let help = "add `sample: (count: 100, seed: 1)`, or give `values` or a `range`".to_owned();
            return Err(file.error(low, about("is random, and there is no `sample`".to_owned()), Some(help)));
        }
        let between = Between::new(low.text(), high.text(), decimals, is_log);
        between.map(Values::Drawn).map_err(|cause| file.error(low, about(cause), None))
    };
    let values = if let Some(list) = values {
        listed(&list).map_err(|(piece_at, cause)| file.error(piece_at.unwrap_or(piece), about(cause), None))?
    } else if let Some((from, to, step)) = steps {
        let values = range(from.text(), to.text(), step.text());
        Values::Listed(values.map_err(|cause| file.error(from, about(cause), None))?)
    } else if let Some(bounds) = uniform {
        drawn(bounds, decimals.unwrap_or(6), false)?
    } else if let Some(bounds) = log_uniform {
        drawn(bounds, decimals.unwrap_or(6), true)?
    } else {
        let bounds = integer.expect("one of them is given");
        if let Some(bound) = [bounds.0, bounds.1].into_iter().find(|bound| bound.text().parse::<i64>().is_err()) {
            return Err(file.error(bound, about(format!("has the bound {}, which is no whole number", bound.text())), None));
        }
        drawn(bounds, 0, false)?
    };
    Ok(Parameter { place: place(file, piece), name, paths, values })
}

/// Values that are all different, and at least one.
fn listed<'t>(list: &[Piece<'t>]) -> Result<Values, (Option<Piece<'t>>, String)> {
    let mut values: Vec<String> = Vec::new();
    for piece in list {
        if values.iter().any(|value| value == piece.text()) {
            return Err((Some(*piece), format!("has the value {} twice", piece.text())));
        }
        values.push(piece.text().to_owned());
    }
    if values.is_empty() { Err((None, "has an empty list of values".to_owned())) } else { Ok(Values::Listed(values)) }
}

fn seeds(file: &RonFile, piece: Piece<'_>) -> Result<Vec<u64>, ScenarioError> {
    let seeds: Vec<u64> = if piece.text().starts_with('[') {
        file.get(piece)?
    } else {
        let (from, to): (u64, u64) = file.get(piece)?;
        if to.saturating_sub(from) >= 1_000_000 {
            return Err(file.error(piece, "more than a million seeds", None));
        }
        (from..=to).collect()
    };
    let twice = seeds.iter().enumerate().find(|(at, seed)| seeds[..*at].contains(seed));
    match twice {
        _ if seeds.is_empty() => {
            Err(file.error(piece, "there is no seed in it", Some("leave `seeds` out for the scenario's own".to_owned())))
        }
        Some((_, seed)) => Err(file.error(piece, format!("the seed {seed} is given twice"), None)),
        None => Ok(seeds),
    }
}

fn objective(file: &RonFile, piece: Piece<'_>) -> Result<(Goal, Figure), ScenarioError> {
    Ok(match file.get(piece)? {
        FileObjective::Maximise { actor, actors, name } => (Goal::Maximise, figure(file, piece, actor, actors, name)?),
        FileObjective::Minimise { actor, actors, name } => (Goal::Minimise, figure(file, piece, actor, actors, name)?),
    })
}

fn figure(file: &RonFile, piece: Piece<'_>, actor: Option<String>, mut actors: Vec<String>, name: String) -> Result<Figure, ScenarioError> {
    actors.splice(0..0, actor);
    if actors.is_empty() && !COUNTS.contains(&name.as_str()) {
        let help = format!("name an actor, or one of the run's own: {}", COUNTS.join(", "));
        return Err(file.error(piece, format!("`{name}` is no count of a run"), Some(help)));
    }
    Ok(Figure { actors, name })
}

fn returns_every(file: &RonFile, piece: Piece<'_>, objective: &Figure) -> Result<(Duration, Place), ScenarioError> {
    let every: Duration = file.get(piece)?;
    if !every.is_positive() {
        return Err(file.error(piece, "the period of returns must be longer than \"0s\"", None));
    }
    if objective.actors.is_empty() {
        let help = "leave `returns_every` out, or name an actor in the objective".to_owned();
        return Err(file.error(piece, format!("`{}` is a count of a run, which has no returns", objective.name), Some(help)));
    }
    Ok((every, place(file, piece)))
}

fn splits(file: &RonFile, piece: Piece<'_>, scenario: &Path) -> Result<Vec<Split>, ScenarioError> {
    let walk: Walk = file.get(piece)?;
    let scenario = Scenario::read(scenario, &[])?;
    walk.splits(scenario.start(), scenario.end()).map_err(|cause| file.error(piece, cause, None))
}
