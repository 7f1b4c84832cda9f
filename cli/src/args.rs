//! The command line.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use stillpoint_adapters::TimeOf;
use stillpoint_engine::Instant;
use stillpoint_engine::scenario::Override;

/// Deterministic simulation of actors under virtual time.
#[derive(Debug, Parser)]
#[command(name = "stillpoint", version, about)]
#[command(
    after_help = "Exit codes: 0 all is well; 1 the run failed, an expectation was not met, or two runs or traces differ; 2 bad input; 130 interrupted."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs a scenario and says what happened.
    Run(RunArgs),
    /// Runs a scenario again in many ways that must not matter, and says whether they did.
    Check(CheckArgs),
    /// Reads a scenario and builds everything in it, without running it.
    Validate {
        /// The scenario.
        file: PathBuf,
        /// Replaces a value before the scenario is read, as for `run`; may be given more than once.
        #[arg(long = "set", value_name = "PATH=VALUE")]
        sets: Vec<Override>,
    },
    /// Lists the kinds of streams and actors.
    Kinds,
    /// Describes the scenario file, or one kind with its parameters.
    Schema {
        /// The kind.
        kind: Option<String>,
    },
    /// Draws the streams, actors and links of a scenario as SVG.
    Graph {
        /// The scenario.
        file: PathBuf,
        /// Where to write the drawing; stdout if not given.
        #[arg(short, long, value_name = "SVG")]
        output: Option<PathBuf>,
    },
    /// Tells the range, order, gaps and duplicates of a data file.
    Inspect {
        /// The data: a recording in JSON lines or of Binance's raw feed, or CSV with a header, perhaps packed with gzip or zstd; DBN, or Parquet, in a program with the
        /// features `dbn` and `parquet`.
        file: PathBuf,
        /// Which time of a recording or a DBN file to look at.
        #[arg(long, value_enum, default_value = "received")]
        time: TimeArg,
    },
    /// Finds the first difference of two traces.
    Diff {
        /// One trace.
        left: PathBuf,
        /// The other.
        right: PathBuf,
    },
    /// Keeps data in a store: versions of time series in Parquet, safe against crashes.
    #[cfg(feature = "store")]
    Store(crate::store::StoreArgs),
    /// Keeps data in a store: not in this program, which was built without the feature `store`.
    #[cfg(not(feature = "store"))]
    #[command(disable_help_flag = true)]
    Store {
        #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Runs a scenario many times with other parameters and seeds, and says which are best.
    #[cfg(feature = "sweep")]
    Sweep(crate::sweep::SweepArgs),
    /// Runs a scenario many times: not in this program, which was built without the feature `sweep`.
    #[cfg(not(feature = "sweep"))]
    #[command(disable_help_flag = true)]
    Sweep {
        #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Creates a crate with a strategy, a scenario and a test of your own.
    New {
        /// The folder of the new crate; its last part is the crate's name.
        folder: PathBuf,
        /// The checkout of Stillpoint that the crate is to use; by default the one this program was built from.
        #[arg(long, value_name = "FOLDER", conflicts_with = "git")]
        engine: Option<PathBuf>,
        /// Use Stillpoint from a git repository instead.
        #[arg(long, value_name = "URL")]
        git: Option<String>,
    },
}

#[derive(ClapArgs, Debug)]
pub(crate) struct RunArgs {
    /// The scenario.
    pub(crate) file: PathBuf,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write every delivery to a file, for `diff`.
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
    /// Keep the messages' text in the trace.
    #[arg(long, requires = "trace")]
    pub(crate) trace_text: bool,
    /// End at this instant, inclusive, such as 2025-03-25T23:08:00Z.
    #[arg(long, value_name = "INSTANT")]
    pub(crate) until: Option<Instant>,
    /// Use this seed instead of the scenario's.
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, value_parser = whole::<u64>(0, u64::MAX))]
    pub(crate) seed: Option<u64>,
    /// Change a value of the scenario, such as actors.fast.fast=20 or links.0.latency=1ms; may be given often. A name with dots goes into double
    /// quotes: 'actors."a.b".fast=20'. What the scenario expects is then not checked, unless it is given too: expect.events=5.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub(crate) sets: Vec<Override>,
    /// Where to run; by default where the scenario says. It changes no result.
    #[arg(long, value_enum)]
    pub(crate) host: Option<HostArg>,
    /// How many threads the host may use; by default as many as the machine runs at once. Where no other host is asked for, several threads
    /// mean `--host actix`. Only what is joined by links with a latency can be on several threads.
    #[arg(long, value_name = "THREADS", value_parser = whole::<u16>(1, u16::MAX.into()))]
    pub(crate) threads: Option<u16>,
    /// Save the run in a file when all up to this instant has been run, then go on.
    #[arg(long, num_args = 2, value_names = ["INSTANT", "FILE"], action = clap::ArgAction::Set)]
    pub(crate) snapshot_at: Option<Vec<String>>,
    /// Go on from the run that was saved in this file, of the same scenario.
    #[arg(long, value_name = "FILE")]
    pub(crate) restore: Option<PathBuf>,
    /// Write a report into this folder: a page with charts and statistics, and its tables. It changes no result. Needs a program with the
    /// feature `report`.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) report: Option<PathBuf>,
    /// What the report measures the returns of each strategy against, in the currency of prices.
    #[arg(long, value_name = "AMOUNT", default_value_t = 100_000.0, value_parser = capital, requires = "report")]
    pub(crate) capital: f64,
    /// Run offloaded jobs on this many threads; 0 runs them inline. It changes no result.
    #[arg(long, value_name = "THREADS", value_parser = whole::<usize>(0, u16::MAX.into()))]
    pub(crate) pool: Option<usize>,
    /// Measure events and steps per instant, mailbox depth and handler time. It changes no result.
    #[arg(long)]
    pub(crate) metrics: bool,
}

/// A whole number in these bounds.
pub(crate) fn whole<T: TryFrom<u64>>(least: u64, most: u64) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync {
    move |text| {
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| format!("give a whole number from {least} to {most}"))
    }
}

fn capital(text: &str) -> Result<f64, String> {
    let amount = text.parse().ok().filter(|amount: &f64| amount.is_finite() && *amount > 0.0);
    amount.ok_or_else(|| "give an amount above zero, such as 100000".to_owned())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HostArg {
    /// One thread.
    Inline,
    /// Several threads, each an actix arbiter.
    Actix,
    /// The faster of both, as a short trial of each shows.
    Auto,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct CheckArgs {
    /// The scenario.
    pub(crate) file: PathBuf,
    /// How often each check is made, each time in another way.
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = whole::<u32>(1, u32::MAX.into()))]
    pub(crate) cases: u32,
    /// Chooses the ways.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, allow_negative_numbers = true, value_parser = whole::<u64>(0, u64::MAX))]
    pub(crate) seed: u64,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// Change a value of the scenario, as for `run`; may be given often.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub(crate) sets: Vec<Override>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum TimeArg {
    Received,
    Exchange,
}

impl From<TimeArg> for TimeOf {
    fn from(time: TimeArg) -> Self {
        match time {
            TimeArg::Received => Self::Received,
            TimeArg::Exchange => Self::Exchange,
        }
    }
}
