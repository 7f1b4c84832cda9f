//! The program `stillpoint`, as a library: a crate with kinds of its own gets every command from one call.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! fn main() -> ExitCode {
//!     stillpoint_cli::program(|registry| {
//!         // registry.actor::<Params, MyStrategy>("my_strategy", "Buys low, sells high.", ..)
//!     })
//! }
//! ```
//!
//! Exit codes: 0, all is well; 1, the run failed, an expectation was not met, or two runs or traces differ; 2, the input is bad: arguments, a
//! scenario, or data; 130, a run was interrupted by Ctrl-C and its summary covers what was run.

mod args;
#[cfg(feature = "report")]
mod chart;
mod check;
mod failure;
mod graph;
mod interrupt;
mod kinds;
mod layout;
mod measure;
mod new;
mod numbers;
mod panics;
mod progress;
mod read;
#[cfg(feature = "report")]
mod report;
#[cfg(not(feature = "report"))]
#[path = "no_report.rs"]
mod report;
mod run;
#[cfg(feature = "store")]
mod store;
mod summary;
#[cfg(feature = "sweep")]
mod sweep;
mod table;
mod traces;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use stillpoint_engine::scenario::Registry;

use args::{Args, Command};
use failure::{Done, Failure};

/// The kinds of the engine, the market crates, and those that `register` adds: what a test of a scenario needs too.
pub fn registry(register: impl FnOnce(&mut Registry)) -> Registry {
    let mut registry = Registry::new();
    stillpoint_actors::register(&mut registry);
    stillpoint_adapters::register(&mut registry);
    register(&mut registry);
    registry
}

/// Runs the program with its command line, with the kinds of [`registry`].
pub fn program(register: impl FnOnce(&mut Registry)) -> ExitCode {
    let registry = registry(register);
    let args: Vec<OsString> = std::env::args_os().collect();
    ExitCode::from(match Args::try_parse_from(args) {
        Ok(args) => finished(panics::quietly(|| command(&args.command, registry)).unwrap_or_else(|defect| Err(Failure::Work(defect)))),
        Err(error) => {
            // Help and version go to stdout and are no failure. A closed pipe is nothing to complain about.
            let _ = error.print();
            if error.use_stderr() { failure::BAD_INPUT } else { 0 }
        }
    })
}

/// Says what went wrong, and with which code to exit.
fn finished(done: Result<Done, Failure>) -> u8 {
    match done {
        Ok(done) => done.code(),
        Err(Failure::Closed) => 0,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "error: {failure}");
            failure.code()
        }
    }
}

fn command(command: &Command, registry: Registry) -> Result<Done, Failure> {
    match command {
        Command::Run(args) => run::run(args, &Arc::new(registry)),
        Command::Check(args) => check::check(args, &Arc::new(registry)),
        Command::Validate { file, sets } => {
            let scenario = read::scenario(file, sets)?;
            let built = scenario.build(&registry)?;
            let (streams, actors, links) = (built.graph.streams.len(), built.graph.actors.len(), built.graph.links.len());
            let counted = [numbers::counted(streams, "stream"), numbers::counted(actors, "actor"), numbers::counted(links, "link")];
            failure::print(&format!("{}: a valid scenario of {}\n", file.display(), counted.join(", ")))
        }
        Command::Kinds => failure::print(&kinds::list(&registry)),
        Command::Schema { kind } => kinds::schema(&registry, kind.as_deref()),
        Command::Graph { file, output } => graph::graph(file, output.as_deref(), &registry),
        Command::Inspect { file, time } => {
            let found = stillpoint_adapters::inspect(file, (*time).into()).map_err(|error| Failure::Input(error.to_string()))?;
            failure::print(&found.to_string())
        }
        Command::Diff { left, right } => traces::diff(left, right),
        #[cfg(feature = "store")]
        Command::Store(args) => store::command(args),
        #[cfg(not(feature = "store"))]
        Command::Store { .. } => Err(Failure::lacking("the store", "store")),
        #[cfg(feature = "sweep")]
        Command::Sweep(args) => sweep::sweep(args, registry),
        #[cfg(not(feature = "sweep"))]
        Command::Sweep { .. } => Err(Failure::lacking("sweeps", "sweep")),
        Command::New { folder, engine, git } => new::new(folder, engine.as_deref(), git.as_deref()),
    }
}
