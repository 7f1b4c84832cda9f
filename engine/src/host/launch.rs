//! Starting a run on a host. Invariant: whatever the host, the outcome is that of the inline one.

use std::error::Error;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::plan::Deal;
use serde::{Deserialize, Deserializer};

use crate::error::{BuildError, RunError};
use crate::event::LogLine;
use crate::kernel::ready::ReadyOrder;
use crate::outcome::{End, Failed, Outcome};
use crate::run::{Progress, Run};
use crate::simulation::{Prepared, Simulation};
use crate::snapshot::{Changes, Snapshot};
use crate::time::{Duration, Instant};
use crate::trace::Observer;

/// Where a run is run. No host can be seen in its trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Host {
    /// On the thread of the caller, as one shard.
    #[default]
    Inline,
    /// On so many threads, each an actix arbiter with an actor that runs shards.
    Actix {
        /// How many; at least one.
        #[serde(deserialize_with = "at_least_one")]
        threads: usize,
    },
    /// On the faster of [`Host::Inline`] and [`Host::Actix`], as a short trial of each shows.
    Auto {
        /// How many threads there may be; at least one.
        #[serde(deserialize_with = "at_least_one")]
        threads: usize,
    },
}

/// A number of threads in a scenario.
fn at_least_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    NonZeroUsize::deserialize(deserializer).map(NonZeroUsize::get)
}

type MakeSimulation = dyn Fn() -> Result<Simulation, RunError> + Send + Sync;

/// Builds the simulation, as often as it is needed.
#[derive(Clone)]
pub(super) struct Build(Arc<MakeSimulation>);

impl Build {
    /// The simulation, as it is.
    pub(super) fn simulation(&self) -> Result<Simulation, RunError> {
        (self.0)()
    }

    /// The simulation in a shard, for a host that has several.
    pub(super) fn prepare(&self) -> Result<Prepared, RunError> {
        let simulation = self.simulation()?;
        match simulation.watched_by() {
            Some(what) => {
                let cause = format!("what builds it gives it {what}, which several threads would share; give it to the Launch instead");
                Err(RunError::Host(cause))
            }
            None => simulation.prepare(),
        }
    }
}

pub(super) type Log = Box<dyn FnMut(LogLine<'_>) + Send>;
/// Takes a snapshot away.
pub(crate) type Keep = Box<dyn FnOnce(Snapshot) -> Result<(), Box<dyn Error + Send + Sync>> + Send>;
pub(super) type Tell = Box<dyn FnMut(&Progress) + Send>;

/// A run to be started on a host.
///
/// The simulation is given as a function that builds it, because a host with several threads builds it on each of them: actors need not
/// travel, and a run that ends early can be run again. The function must build the same each time. It may be called more often than there are
/// threads, so what it does beside building is done more than once.
///
/// ```
/// use stillpoint_engine::host::{Host, Launch};
/// use stillpoint_engine::{Actor, BuildError, Context, Duration, Every, Handler, Instant, Link, Simulation};
///
/// struct Clock;
/// impl Actor for Clock {
///     fn started(&mut self, ctx: &mut Context<'_, Self>) {
///         ctx.notify_every(Every::from(ctx.now(), Duration::secs(1)).until(Instant::EPOCH + Duration::secs(60)), ());
///     }
/// }
/// impl Handler<()> for Clock {
///     fn handle(&mut self, _: &(), _: &mut Context<'_, Self>) {}
/// }
///
/// fn clocks() -> Result<Simulation, BuildError> {
///     let mut sim = Simulation::new("clocks");
///     sim.actor("here", Clock)?;
///     sim.actor("there", Clock)?;
///     // Only what is joined by links with a latency can be on two threads.
///     sim.link("here", "there", Link::latency(Duration::millis(5)))?;
///     Ok(sim)
/// }
///
/// let inline = Launch::new(clocks).run()?;
/// let threads = Launch::new(clocks).host(Host::Actix { threads: 2 }).run()?;
/// assert_eq!(threads.trace_hash, inline.trace_hash);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a launch does nothing until it is run"]
pub struct Launch {
    pub(super) build: Build,
    pub(super) host: Host,
    pub(super) shards: Option<usize>,
    pub(super) deal: Deal,
    pub(super) batch: Option<u32>,
    pub(super) window: Option<Duration>,
    pub(super) ready: Option<ReadyOrder>,
    pub(super) observer: Option<Box<dyn Observer + Send>>,
    pub(super) log: Option<Log>,
    pub(super) progress: Option<Tell>,
    pub(super) interrupt: Option<Arc<AtomicBool>>,
    pub(super) restore: Option<Arc<Snapshot>>,
    pub(super) save: Option<(Instant, Keep)>,
}

impl fmt::Debug for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Launch").field("host", &self.host).field("shards", &self.shards).finish_non_exhaustive()
    }
}

impl Launch {
    /// A run of what `build` builds, inline unless told otherwise.
    pub fn new<E: Into<Box<dyn Error + Send + Sync>>>(build: impl Fn() -> Result<Simulation, E> + Send + Sync + 'static) -> Self {
        let build = move || {
            build().map_err(|error| {
                let error: Box<dyn Error + Send + Sync> = error.into();
                match error.downcast::<BuildError>() {
                    Ok(error) => RunError::Build(*error),
                    Err(error) => RunError::Host(error.to_string()),
                }
            })
        };
        Self {
            build: Build(Arc::new(build)),
            host: Host::Inline,
            shards: None,
            deal: Deal::ByLoad,
            batch: None,
            window: None,
            ready: None,
            observer: None,
            log: None,
            progress: None,
            interrupt: None,
            restore: None,
            save: None,
        }
    }

    /// Where to run.
    pub fn host(mut self, host: Host) -> Self {
        self.host = host;
        self
    }

    /// How many shards there are at most; as many as threads unless given. Each thread runs its share of them.
    pub fn shards(mut self, shards: usize) -> Self {
        self.shards = Some(shards);
        self
    }

    /// Deals components to shards at random, instead of by what each does in a short trial: for tests.
    pub fn deal(mut self, seed: u64) -> Self {
        self.deal = Deal::Random(seed);
        self
    }

    /// How many windows are run between two reports to the time-keeper: as many as take some tens of milliseconds, unless given. Run control
    /// acts in between.
    pub fn batch(mut self, windows: u32) -> Self {
        self.batch = Some(windows);
        self
    }

    /// Windows no longer than this, though the lookahead may allow it: for tests. Panics if it is not positive.
    pub fn window(mut self, longest: Duration) -> Self {
        assert!(longest.is_positive(), "a window of {longest} holds nothing");
        self.window = Some(longest);
        self
    }

    /// In which order the actors of a step run; overrides that of the simulation.
    pub fn ready_order(mut self, order: ReadyOrder) -> Self {
        self.ready = Some(order);
        self
    }

    /// Shows every record of the trace to an observer, in the order of trace files on every host.
    pub fn observe(mut self, observer: Box<dyn Observer + Send>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Takes the actors' log lines, in the same order on every host.
    pub fn log(mut self, sink: impl FnMut(LogLine<'_>) + Send + 'static) -> Self {
        self.log = Some(Box::new(sink));
        self
    }

    /// Tells how far the run is, now and then.
    pub fn progress(mut self, tell: impl FnMut(&Progress) + Send + 'static) -> Self {
        self.progress = Some(Box::new(tell));
        self
    }

    /// Ends the run soon after the flag was set, at a still point.
    pub fn interrupt(mut self, flag: Arc<AtomicBool>) -> Self {
        self.interrupt = Some(flag);
        self
    }

    /// Goes on from a snapshot, whatever the host and the number of shards that it was taken on.
    pub fn restore(mut self, snapshot: Snapshot) -> Self {
        self.restore = Some(Arc::new(snapshot));
        self
    }

    /// Takes a snapshot when all instants up to `at` have been run, and gives it to `keep`; then the run goes on. If no snapshot can be taken, or
    /// `keep` fails, the run ends there with [`RunError::Snapshot`].
    pub fn snapshot_at<E: Into<Box<dyn Error + Send + Sync>>>(
        mut self,
        at: Instant,
        keep: impl FnOnce(Snapshot) -> Result<(), E> + Send + 'static,
    ) -> Self {
        self.save = Some((at, Box::new(move |snapshot| keep(snapshot).map_err(Into::into))));
        self
    }

    /// Runs to the end. Blocks the calling thread, on every host.
    ///
    /// # Errors
    /// [`Failed`] holds the error and the outcome up to it.
    pub fn run(self) -> Result<Outcome, Box<Failed>> {
        match self.host {
            Host::Inline => self.run_inline(),
            Host::Actix { threads } => super::keeper::run(self, threads),
            Host::Auto { threads } => super::auto::run(self, threads),
        }
    }

    /// Another launch of the same, which nobody watches.
    pub(super) fn like(&self) -> Self {
        Self {
            build: self.build.clone(),
            host: self.host,
            shards: self.shards,
            deal: self.deal,
            batch: self.batch,
            window: self.window,
            ready: self.ready,
            observer: None,
            log: None,
            progress: None,
            interrupt: self.interrupt.clone(),
            restore: self.restore.clone(),
            save: None,
        }
    }

    /// Begins a run, or goes on from the snapshot that was given.
    pub(super) fn begin(prepared: Prepared, restore: Option<&Snapshot>) -> Result<Run, RunError> {
        match restore {
            None => prepared.begin(),
            Some(snapshot) => prepared.resume(snapshot, &Changes::default()).map_err(|error| RunError::Restore(error.to_string())),
        }
    }

    pub(super) fn run_inline(self) -> Result<Outcome, Box<Failed>> {
        let mut simulation = self.build.simulation().map_err(failed)?;
        if let Some(order) = self.ready {
            simulation = simulation.ready_order(order);
        }
        if let Some(observer) = self.observer {
            simulation = simulation.observe(observer);
        }
        if let Some(log) = self.log {
            simulation = simulation.log(log);
        }
        if let Some(progress) = self.progress {
            simulation = simulation.progress(progress);
        }
        if let Some(flag) = self.interrupt {
            simulation = simulation.interrupt(flag);
        }
        let name = simulation.name.clone();
        let run = simulation.prepare().and_then(|prepared| Self::begin(prepared, self.restore.as_deref()));
        let mut run = run.map_err(|error| Box::new(Failed { error, outcome: Outcome::unbegun(name) }))?;
        if let Some((at, keep)) = self.save {
            run.until(at);
            if !matches!(run.end(), Some(End::Failed | End::Stopped | End::Interrupted)) {
                run.save(keep);
            }
        }
        run.finish()
    }
}

/// A run that has not begun.
pub(super) fn failed(error: RunError) -> Box<Failed> {
    Box::new(Failed { error, outcome: Outcome::unbegun(String::new()) })
}
