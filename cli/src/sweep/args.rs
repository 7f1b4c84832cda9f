//! The command line of `sweep`.

use std::path::PathBuf;

use clap::Args;

use crate::args::whole;

/// What `sweep --help` says about the file.
const FILE: &str = r#"The file is RON:

(
    scenario: "../scenarios/quickstart.ron",       // relative to this file
    parameters: [                                  // paths as for `run --set`; several paths get the same value
        (name: "fast", paths: ["actors.btc.fast", "actors.eth.fast"], values: [10, 20, 50]),
        (path: "actors.btc.slow", range: (100, 400, 100)),          // from, to, step; also "1ms", "0.01"
        (name: "latency", path: "links.0.latency", values: ["1ms", "5ms"]),
        // only with `sample`, instead of a list:
        //   uniform: (0.1, 0.9), log_uniform: (0.001, 1), both with decimals: 3; integer: (1, 100)
    ],
    sample: (count: 200, seed: 7),                 // so many random sets; default: all of the grid
    where: ["fast < slow"],                        // < <= > >= == != between parameters and numbers
    seeds: [1, 2, 3],                              // or (1, 100): from, to; default: the scenario's own
    objective: Maximise(actors: ["btc", "eth"], name: "profit"),    // or Minimise; the sum over the actors
    aggregate: Median,                             // of a set's seeds: Median, Mean or Worst
    keep: [(actor: "btc", name: "fills"), (name: "dead_letters")],  // without an actor: a count of the run
    returns_every: "10s",                          // the objective's changes in each such time are returns: for Sharpe ratios
    walk_forward: Rolling(from: "2025-03-25T23:07:00Z", to: "2025-03-25T23:10:00Z", train: "60s", test: "30s", step: "30s"),
        // or Anchored(..): all trains start at `from`; or Splits([(train: ("..", ".."), test: ("..", ".."))])
    threads: 2,                                    // default: as many as the machine runs at once
)

With `walk_forward` the best set of each training span is run on the test span that follows it. A span holds its first instant and not its
last; each run of a span starts cold, without what a strategy would have learnt before.

Results are kept in a store as they come, under a digest of the scenario with all values written into it, its data, and this program: after
Ctrl-C, or anything worse, the same command does the rest. Data files are told apart by their content, those above 1 GiB by length and time of
change. The store has one library of documents, `sweep`; `stillpoint store --store FOLDER fsck` checks it.

Exit codes are those of `run`; a run that fails is a row with its error, and no failure of the sweep unless all fail."#;

#[derive(Args, Debug)]
#[command(after_long_help = FILE)]
pub(crate) struct SweepArgs {
    /// The sweep: a scenario, parameters, seeds and an objective; `--help` describes it.
    pub(crate) file: PathBuf,
    /// Run on this many threads; it changes no result.
    #[arg(long, value_name = "THREADS", value_parser = whole::<u16>(1, u16::MAX.into()))]
    pub(crate) threads: Option<u16>,
    /// Take the first sets of parameters only.
    #[arg(long, value_name = "SETS", value_parser = whole::<u32>(1, u32::MAX.into()))]
    pub(crate) limit: Option<u32>,
    /// Print how many runs it would be, and the first sets, and run nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How many of the best sets to print.
    #[arg(long, value_name = "SETS", default_value_t = 10, value_parser = whole::<usize>(0, u32::MAX.into()))]
    pub(crate) top: usize,
    /// Write every run into a CSV file.
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
    /// Write a page with a table and heat maps into this folder.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) report: Option<PathBuf>,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    pub(crate) json: bool,
    /// Where results are kept; by default in the folder `NAME.results` beside `NAME.ron`.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) store: Option<PathBuf>,
    /// Run everything anew, whatever is stored.
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Memory for decoded data that all runs share, in MiB; streams beyond it are read by each run anew.
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = whole::<u32>(0, u32::MAX.into()))]
    pub(crate) share: u32,
}
