//! The command `sweep`: many runs of one scenario, on all cores. Invariant: what is told depends on the file, the scenario and its data; threads,
//! interruptions and what was stored before change nothing but the time that it takes.

mod args;
mod condition;
mod crew;
mod csv;
mod data;
mod figure;
mod file;
mod job;
mod luck;
mod page;
mod periods;
mod ran;
mod results;
mod score;
mod space;
mod split;
mod steps;
mod told;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use stillpoint_engine::scenario::{Place, Registry, ScenarioError, Shared};
use stillpoint_engine::suggest;

pub(crate) use args::SweepArgs;
use figure::Figure;
use file::Sweep;
use job::{Recipe, Task};
use luck::Luck;
use ran::Ran;
use results::Results;
use score::{Judge, Part, Row, Score};
use split::Span;
use told::{Told, Walked};

use crate::failure::{Done, Failure, print};
use crate::measure::Stopwatch;
use crate::{interrupt, measure, progress};

/// So many runs without a figure are believed to speak for the rest.
const WITHOUT: usize = 8;

/// Runs a sweep, or tells what it would be.
pub(crate) fn sweep(args: &SweepArgs, mut registry: Registry) -> Result<Done, Failure> {
    let stop = interrupt::flag().map_err(|error| Failure::Work(format!("Ctrl-C cannot be handled: {error}")))?;
    let mut sweep = Sweep::read(&args.file)?;
    sweep.sets.truncate(args.limit.map_or(usize::MAX, |limit| limit as usize));
    let shared = Arc::new(Shared::new(u64::from(args.share) << 20, data::stamp));
    registry.share(&shared);
    let text = std::fs::read_to_string(&sweep.scenario)
        .map_err(|error| Failure::Input(format!("{}: cannot be read: {error}", sweep.scenario.display())))?;
    let mut recipe = Recipe::new(&sweep, &Arc::new(registry), text, data::program()?, stop.clone());
    let (scenario, has_streams) = checked(&recipe, &sweep)?;
    let folder = args.store.clone().unwrap_or_else(|| args.file.with_extension("results"));
    let threads = args.threads.map(usize::from).or(sweep.threads).unwrap_or_else(measure::processors);
    let judge = Judge { goal: sweep.goal, aggregate: sweep.aggregate, objective: &sweep.objective, runs: sweep.seeds.len().max(1) };
    if args.dry_run {
        return print(&told::plan(&sweep, &scenario, args.top));
    }
    let mut results = Results::open(&folder)?;
    let before = results.all()?;
    if !args.fresh {
        recipe.stored = before;
    }
    let mut under_way = UnderWay {
        recipe: Arc::new(recipe),
        sweep: &sweep,
        results,
        threads,
        stop: &stop,
        shows: !args.json,
        rows: Vec::new(),
        stored: 0,
        missing: 0,
        seen: vec![false; 1 + sweep.keep.len()],
    };
    let stopwatch = Stopwatch::start();
    let walked = under_way.run(&judge)?;
    let UnderWay { rows, stored, missing, .. } = under_way;
    let told = Told {
        file: &args.file,
        scenario: &scenario,
        has_streams,
        sweep: &sweep,
        judge: &judge,
        ranking: if sweep.splits.is_empty() { judge.ranking(&rows, Part::Whole) } else { Vec::new() },
        rows: &rows,
        walked: &walked,
        stored,
        missing,
        threads,
        folder: &folder,
        shared: shared.figures(),
        cost: stopwatch.stop(),
    };
    if let Some(file) = &args.csv {
        write(file, &csv::text(&told))?;
    }
    if let Some(folder) = &args.report {
        std::fs::create_dir_all(folder).map_err(|error| Failure::Work(format!("{}: cannot be made: {error}", folder.display())))?;
        write(&folder.join("index.html"), &page::html(&told))?;
    }
    print(&if args.json { told.json() } else { told.text(args.top) })?;
    let failed = rows.iter().filter_map(|row| row.came.as_ref().err());
    if stop.load(Ordering::SeqCst) {
        return Ok(Done::Interrupted);
    }
    match failed.clone().next() {
        Some(first) if failed.count() == rows.len() => {
            Err(Failure::Work(format!("all {} runs failed, the first one with: {first}", rows.len())))
        }
        _ => Ok(Done::Well),
    }
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(file, text).map_err(|error| Failure::Work(format!("{}: cannot be written: {error}", file.display())))
}

/// Looks for what would make every run fail, and gives the scenario's name, and whether it has streams.
fn checked(recipe: &Recipe, sweep: &Sweep) -> Result<(String, bool), Failure> {
    let span = sweep.splits.first().map(|split| split.train);
    let mut first_error = None;
    for set in 0..sweep.sets.len() {
        let task = Task { set, seed: sweep.seeds.first().copied(), span };
        match recipe.scenario(task).and_then(|scenario| Ok((scenario.build(&recipe.registry)?, scenario))) {
            Ok((built, scenario)) => {
                let actors: Vec<&str> = built.graph.actors.iter().map(|actor| actor.name.as_str()).collect();
                sweep.figures().try_for_each(|(figure, place)| known(figure, place, &actors))?;
                periods::check(sweep, &scenario)?;
                whole_numbers(recipe, sweep)?;
                return Ok((scenario.name().to_owned(), !built.graph.streams.is_empty()));
            }
            Err(error) => _ = first_error.get_or_insert((error, set)),
        }
    }
    let (error, set) = first_error.expect("there is one set at least");
    Err(job::placed(error, &sweep.parameters, &sweep.sets[set]).into())
}

/// Looks for numbers with a point where whole ones are wanted: of each parameter its first such value speaks for the others.
fn whole_numbers(recipe: &Recipe, sweep: &Sweep) -> Result<(), ScenarioError> {
    let span = sweep.splits.first().map(|split| split.train);
    for parameter in 0..sweep.parameters.len() {
        let has_point = |set: &usize| {
            let value = &sweep.sets[*set][parameter];
            value.contains('.') && value.parse::<f64>().is_ok()
        };
        let Some(set) = (0..sweep.sets.len()).find(has_point) else { continue };
        let task = Task { set, seed: sweep.seeds.first().copied(), span };
        let built = recipe.scenario(task).and_then(|scenario| scenario.build(&recipe.registry));
        if let Some(error) = built.err().filter(ScenarioError::wants_whole_number) {
            return Err(job::placed(error, &sweep.parameters, &sweep.sets[set]));
        }
    }
    Ok(())
}

/// Whether there are such actors. Children of an actor are not known yet.
fn known(figure: &Figure, place: &Place, actors: &[&str]) -> Result<(), ScenarioError> {
    let unknown = figure.actors.iter().find(|actor| !actors.contains(&actor.split('/').next().unwrap_or_default()));
    match unknown {
        None => Ok(()),
        Some(actor) => Err(ScenarioError {
            place: place.clone(),
            cause: format!("the scenario has no actor `{actor}`"),
            help: suggest::help(actor, actors.iter().copied()),
        }),
    }
}

/// A sweep that has begun.
struct UnderWay<'s> {
    recipe: Arc<Recipe>,
    sweep: &'s Sweep,
    results: Results,
    threads: usize,
    stop: &'s AtomicBool,
    shows: bool,
    rows: Vec<Row>,
    /// Runs that were there before.
    stored: usize,
    /// Runs that were not done.
    missing: usize,
    /// Of the figures, the objective first, whether some run had it.
    seen: Vec<bool>,
}

impl UnderWay<'_> {
    /// Does all runs: one for each set and seed, and in each split first those of the training, then those of the test of the best set.
    fn run(&mut self, judge: &Judge<'_>) -> Result<Vec<Walked>, Failure> {
        let all: Vec<usize> = (0..self.sweep.sets.len()).collect();
        if self.sweep.splits.is_empty() {
            self.phase(&self.tasks(&all, None, Part::Whole))?;
            return Ok(Vec::new());
        }
        let splits = || self.sweep.splits.iter().enumerate();
        let trains: Vec<_> = splits().flat_map(|(at, split)| self.tasks(&all, Some(split.train), Part::Train(at))).collect();
        self.phase(&trains)?;
        if self.missing > 0 {
            return Ok(Vec::new());
        }
        let trained: Vec<Vec<Score>> = splits().map(|(at, _)| judge.ranking(&self.rows, Part::Train(at))).collect();
        let best = |at: usize| trained[at].first().filter(|score| score.objective.is_some()).map(|score| score.set);
        let tests: Vec<_> = splits()
            .flat_map(|(at, split)| best(at).map(|set| self.tasks(&[set], Some(split.test), Part::Test(at))).unwrap_or_default())
            .collect();
        self.phase(&tests)?;
        let walked = splits().map(|(at, split)| Walked {
            split: *split,
            train: trained[at].first().filter(|score| score.objective.is_some()).cloned(),
            test: judge.ranking(&self.rows, Part::Test(at)).into_iter().next(),
            luck: Luck::of(self.sweep.sets.len(), trained[at].iter().map(|score| &score.returns[..])),
        });
        Ok(walked.collect())
    }

    fn tasks(&self, sets: &[usize], span: Option<Span>, part: Part) -> Vec<(Task, Part)> {
        let seeds: Vec<Option<u64>> =
            if self.sweep.seeds.is_empty() { vec![None] } else { self.sweep.seeds.iter().copied().map(Some).collect() };
        sets.iter().flat_map(|set| seeds.iter().map(move |seed| (Task { set: *set, seed: *seed, span }, part))).collect()
    }

    /// Does tasks, keeps what they come to as it comes, and adds their rows in order.
    fn phase(&mut self, tasks: &[(Task, Part)]) -> Result<(), Failure> {
        let bar = if self.shows { progress::bar() } else { None };
        let mut show = bar.clone().map(|bar| progress::runs(bar, tasks.len()));
        let list: Arc<[Task]> = tasks.iter().map(|(task, _)| *task).collect();
        let (results, sweep) = (&mut self.results, self.sweep);
        let (seen, mut heard) = (&mut self.seen, 0);
        let (mut first, mut completed, mut periods, mut lived) = (None, 0, 0, false);
        let done = crew::run_all(&self.recipe, &list, self.threads, |batch| {
            let mut new = Vec::new();
            for (index, done) in batch {
                let task = list[*index];
                let came = match done {
                    job::Done::Now { key, came } => {
                        let document =
                            |key: &String| (key.clone(), results::document(key, task, &sweep.parameters, &sweep.sets[task.set], came));
                        new.extend(key.as_ref().map(document));
                        came
                    }
                    job::Done::Before(came) => came,
                    job::Done::TooManyPeriods => return Err(periods::too_many(sweep).into()),
                    job::Done::Interrupted => continue,
                };
                if let Ok(ran) = came {
                    completed += 1;
                    periods = periods.max(ran.levels.len());
                    lived |= ran.deliveries > 0;
                    sweep.figures().zip(&mut *seen).for_each(|((figure, _), seen)| *seen |= figure.of(ran).is_some());
                    first.get_or_insert_with(|| ran.clone());
                }
            }
            results.keep(&new)?;
            heard += batch.len();
            if let Some(show) = &mut show {
                show(heard);
            }
            let is_enough = completed >= WITHOUT || heard == list.len();
            if is_enough && lived && sweep.returns_every.is_some() && periods < 2 {
                return Err(periods::too_few(sweep).into());
            }
            let unseen = sweep.figures().zip(&*seen).find(|(_, seen)| !**seen).map(|(figure, _)| figure);
            match (&first, unseen) {
                (Some(ran), Some((figure, place))) if is_enough => Err(no_figure(figure, place, ran).into()),
                _ => Ok(()),
            }
        });
        if let Some(bar) = &bar {
            bar.finish_and_clear();
        }
        for ((task, part), done) in tasks.iter().zip(done?) {
            let came = match done {
                job::Done::Now { came, .. } => came,
                job::Done::Before(came) => {
                    self.stored += 1;
                    came
                }
                job::Done::TooManyPeriods | job::Done::Interrupted => {
                    self.missing += 1;
                    continue;
                }
            };
            self.rows.push(Row { task: *task, part: *part, came });
        }
        debug_assert!(self.missing == 0 || self.stop.load(Ordering::SeqCst), "only an interruption leaves runs out");
        Ok(())
    }
}

/// No run has a figure: it is wrong in the file.
fn no_figure(figure: &Figure, place: &Place, ran: &Ran) -> ScenarioError {
    let name = &figure.name;
    let lacks = |actor: &&String| {
        let entry = ran.report(actor).and_then(|entries| entries.iter().find(|(entry, _)| entry == name));
        !matches!(entry, Some((_, stillpoint_engine::Value::Number(number))) if number.is_finite())
            && !matches!(entry, Some((_, stillpoint_engine::Value::Integer(_))))
    };
    let actor = figure.actors.iter().find(lacks).cloned().unwrap_or_default();
    let entries: Vec<&str> = ran.report(&actor).unwrap_or_default().iter().map(|(entry, _)| entry.as_str()).collect();
    let (cause, help) = if entries.contains(&name.as_str()) {
        (format!("`{name}` of the actor `{actor}` is no number"), Some("choose an entry that is one".to_owned()))
    } else if entries.is_empty() {
        (
            format!("the actor `{actor}` reports nothing"),
            Some("choose an actor that does: `stillpoint run` shows what each reports".to_owned()),
        )
    } else {
        (format!("the actor `{actor}` does not report `{name}`"), suggest::help(name, entries))
    };
    ScenarioError { place: place.clone(), cause, help }
}

/// The name of a sweep: that of its file.
fn name_of(file: &Path) -> String {
    file.file_stem().map_or_else(|| PathBuf::from(file).display().to_string(), |stem| stem.to_string_lossy().into_owned())
}
