//! The command `run`: a scenario from its file to its exit code.

use std::sync::Arc;

use indicatif::ProgressBar;
use stillpoint_engine::scenario::{Override, Registry, Scenario};
use stillpoint_engine::trace::{Text, Writer};
use stillpoint_engine::{End, Failed, Pool};

use crate::args::RunArgs;
use crate::failure::{Done, Failure, print};
use crate::measure::Stopwatch;
use crate::summary::Summary;
use crate::{interrupt, measure, panics, progress, summary};

/// Runs a scenario, prints its summary, and tells whether it went as expected.
pub(crate) fn run(args: &RunArgs, registry: &Registry) -> Result<Done, Failure> {
    let overrides = overrides(args);
    let scenario = Scenario::read(&args.file, &overrides)?;
    let mut simulation = scenario.build(registry)?.simulation;
    let threads = args.pool.unwrap_or(0);
    if threads > 0 {
        simulation = simulation.pool(Arc::new(Pool::new(threads)));
    }
    if args.metrics {
        simulation = simulation.metrics(true).handler_clock(measure::nanos());
    }
    let flag = interrupt::flag().map_err(|error| Failure::Work(format!("Ctrl-C cannot be handled: {error}")))?;
    simulation = simulation.interrupt(flag);
    if let Some(file) = &args.trace {
        let text = if args.trace_text { Text::Keep } else { Text::Omit };
        let writer = Writer::create(file, text).map_err(|error| Failure::Work(error.to_string()))?;
        simulation = simulation.observe(Box::new(writer));
    }
    let bar = if args.json { None } else { progress::bar() };
    if let Some(bar) = &bar {
        simulation = simulation.progress(progress::show(bar.clone(), scenario.start()));
    }
    let stopwatch = Stopwatch::start();
    let ran = simulation.run();
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
    let summary = Summary { scenario: &scenario, outcome: &outcome, cost, threads, failure: failure.as_ref(), unmet: &unmet, is_checked };
    print(&if args.json { summary.json() } else { summary.text() })?;
    match failure {
        Some(failure) => Err(failure),
        None if outcome.end == End::Interrupted => Ok(Done::Interrupted),
        None if unmet.is_empty() => Ok(Done::Well),
        None => Err(Failure::Work(summary::unmet_text(&unmet))),
    }
}

/// The flags that change values of the scenario, `--set` first.
fn overrides(args: &RunArgs) -> Vec<Override> {
    let mut overrides = args.sets.clone();
    overrides.extend(args.seed.map(|seed| Override::new("seed", &seed.to_string(), &format!("--seed {seed}"))));
    overrides.extend(args.until.map(|until| Override::new("end", &until.to_string(), &format!("--until {until}"))));
    overrides
}
