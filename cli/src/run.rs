//! The command `run`: a scenario from its file to its exit code.

use std::path::PathBuf;
use std::sync::Arc;

use indicatif::ProgressBar;
use stillpoint_engine::host::{Host, Launch};
use stillpoint_engine::scenario::{Override, Registry, Scenario, ScenarioError};
use stillpoint_engine::trace::{Both, Text, Writer};
use stillpoint_engine::{End, Failed, Instant, Pool, Simulation, Snapshot};

use crate::args::{HostArg, RunArgs};
use crate::failure::{Done, Failure, print};
use crate::measure::Stopwatch;
use crate::report::{About, Reporting};
use crate::summary::Summary;
use crate::{interrupt, measure, panics, progress, summary};

/// Runs a scenario, prints its summary, and tells whether it went as expected.
pub(crate) fn run(args: &RunArgs, registry: &Arc<Registry>) -> Result<Done, Failure> {
    let overrides = overrides(args);
    let scenario = Arc::new(crate::read::scenario(&args.file, &overrides)?);
    // What is wrong with it is said once, with its place, before there are hosts and threads.
    let built = scenario.build(registry)?;
    let reporting = args.report.as_ref().map(|folder| Reporting::new(folder, &built)).transpose()?;
    drop(built);
    let host = host(args, &scenario)?;
    let mut launch = launch(args, &scenario, registry).host(host);
    let flag = interrupt::flag().map_err(|error| Failure::Work(format!("Ctrl-C cannot be handled: {error}")))?;
    launch = launch.interrupt(flag);
    if let Some(file) = &args.restore {
        launch = launch.restore(Snapshot::read(file).map_err(|error| Failure::Input(error.to_string()))?);
    }
    if let Some(values) = &args.snapshot_at {
        let [at, file] = &values[..] else { unreachable!("two values were asked for") };
        let at: Instant = at.parse().map_err(|error| Failure::Input(format!("--snapshot-at: {error}")))?;
        let file = PathBuf::from(file);
        launch = launch.snapshot_at(at, move |snapshot| snapshot.write(&file));
    }
    let writer = args.trace.as_ref().map(|file| Writer::create(file, if args.trace_text { Text::Keep } else { Text::Omit }));
    let writer = writer.transpose().map_err(|error| Failure::Work(error.to_string()))?;
    launch = match (writer, reporting.as_ref().map(Reporting::observer)) {
        (Some(writer), Some(report)) => launch.observe(Box::new(Both::new(Box::new(writer), report))),
        (Some(writer), None) => launch.observe(Box::new(writer)),
        (None, Some(report)) => launch.observe(report),
        (None, None) => launch,
    };
    let bar = if args.json { None } else { progress::bar() };
    if let Some(bar) = &bar {
        launch = launch.progress(progress::show(bar.clone(), scenario.start()));
    }
    let stopwatch = Stopwatch::start();
    let ran = launch.run();
    let cost = stopwatch.stop();
    bar.as_ref().inspect(|bar| ProgressBar::finish_and_clear(bar));
    let (outcome, failure) = match ran {
        Ok(outcome) => (outcome, None),
        Err(failed) => {
            let Failed { error, outcome } = *failed;
            let place = summary::panic_text(&error).and_then(panics::place_of);
            (outcome, Some(Failure::of_run(&error, place)))
        }
    };
    // What a scenario expects, it expects of a whole run of the file as it stands, unless the expectation itself was given from outside.
    let is_whole = failure.is_none() && outcome.end != End::Interrupted;
    let is_as_written = overrides.is_empty() || overrides.iter().any(|given| given.path().starts_with("expect"));
    let unmet = if is_whole && is_as_written { scenario.unmet(&outcome) } else { Vec::new() };
    let is_checked = is_whole && is_as_written && scenario.expects();
    let summary = Summary {
        scenario: &scenario,
        outcome: &outcome,
        cost,
        host,
        pool: args.pool.unwrap_or(0),
        failure: failure.as_ref(),
        unmet: &unmet,
        is_checked,
    };
    let report = reporting.as_ref().map(|reporting| {
        let error = failure.as_ref().map(Failure::to_string);
        reporting.write(&About { scenario: &scenario, outcome: &outcome, error, restored: args.restore.is_some(), capital: args.capital })
    });
    print(&if args.json { summary.json() } else { summary.text() })?;
    if let Some(page) = report.transpose()?
        && !args.json
    {
        print(&format!("\nreport\n  {}\n", page.display()))?;
    }
    match failure {
        Some(failure) => Err(failure),
        None if outcome.end == End::Interrupted => Ok(Done::Interrupted),
        None if unmet.is_empty() => Ok(Done::Well),
        None => Err(Failure::Work(summary::unmet_text(&unmet))),
    }
}

/// The scenario, to be built as often as the host wants it.
fn launch(args: &RunArgs, scenario: &Arc<Scenario>, registry: &Arc<Registry>) -> Launch {
    let (scenario, registry, metrics) = (scenario.clone(), registry.clone(), args.metrics);
    let pool = args.pool.filter(|threads| *threads > 0).map(|threads| Arc::new(Pool::new(threads)));
    Launch::new(move || -> Result<Simulation, ScenarioError> {
        let mut simulation = scenario.build(&registry)?.simulation;
        if let Some(pool) = &pool {
            simulation = simulation.pool(pool.clone());
        }
        if metrics {
            simulation = simulation.metrics(true).handler_clock(measure::nanos());
        }
        Ok(simulation)
    })
}

/// What was asked for on the command line, else by the scenario.
fn host(args: &RunArgs, scenario: &Scenario) -> Result<Host, Failure> {
    let given = args.threads.map(usize::from);
    let threads = given.unwrap_or_else(measure::processors);
    let is_one = given.is_none_or(|threads| threads == 1);
    Ok(match (args.host, scenario.host()) {
        (Some(HostArg::Inline), _) | (None, Host::Inline) if is_one => Host::Inline,
        (Some(HostArg::Inline), _) => {
            let help = "leave `--threads` out, or give `--host actix`";
            return Err(Failure::Input(format!("--threads {threads}: the host `inline` has one thread; {help}")));
        }
        // Who asks for threads wants the host that has some.
        (None, Host::Inline) => Host::Actix { threads },
        (Some(HostArg::Actix), _) => Host::Actix { threads },
        (Some(HostArg::Auto), _) => Host::Auto { threads },
        (None, Host::Actix { threads }) => Host::Actix { threads: given.unwrap_or(threads) },
        (None, Host::Auto { threads }) => Host::Auto { threads: given.unwrap_or(threads) },
    })
}

/// The flags that change values of the scenario, `--set` first.
fn overrides(args: &RunArgs) -> Vec<Override> {
    let mut overrides = args.sets.clone();
    overrides.extend(args.seed.map(|seed| Override::new("seed", &seed.to_string(), &format!("--seed {seed}"))));
    overrides.extend(args.until.map(|until| Override::new("end", &until.to_string(), &format!("--until {until}"))));
    overrides
}
