//! A run under way, on the thread of the caller: the inline host.

use std::cell::Ref;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::actor::Actor;
use crate::address::{Addr, Occupied};
use crate::error::Site;
use crate::host::Keep;
use crate::kernel::entry::Entry;
use crate::kernel::shard::{Advance, Shard};
use crate::outcome::{End, Failed, Outcome};
use crate::path::Path;
use crate::report::Report;
use crate::simulation::{OnProgress, Prepared};
use crate::snapshot::{self, Snapshot, SnapshotError};
use crate::time::Instant;

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The instant of the last still point.
    pub at: Instant,
    /// The last instant to be run, if one was given.
    pub until: Option<Instant>,
    /// Items of streams delivered.
    pub events: u64,
    /// Deliveries.
    pub deliveries: u64,
    /// How much of the streams' data has been read, and how much there is; zero when no source knows.
    pub read: (u64, u64),
}

impl Progress {
    /// Of two parts of one run.
    pub(crate) fn and(self, other: &Self) -> Self {
        Self {
            at: self.at.max(other.at),
            until: self.until,
            events: self.events + other.events,
            deliveries: self.deliveries + other.deliveries,
            read: (self.read.0 + other.read.0, self.read.1 + other.read.1),
        }
    }
}

/// Still points between two looks at the progress.
const STRIDE: u32 = 1 << 14;

/// A run that has begun. Drop it, or [finish](Run::finish) it.
///
/// ```
/// use stillpoint_engine::{Actor, Context, Duration, Every, Handler, Instant, Simulation};
///
/// struct Clock(u32);
/// impl Actor for Clock {
///     fn started(&mut self, ctx: &mut Context<'_, Self>) {
///         ctx.notify_every(Every::from(ctx.now() + Duration::secs(1), Duration::secs(1)), ());
///     }
/// }
/// impl Handler<()> for Clock {
///     fn handle(&mut self, _: &(), _: &mut Context<'_, Self>) {
///         self.0 += 1;
///     }
/// }
///
/// let mut sim = Simulation::new("clock");
/// let clock = sim.actor("clock", Clock(0))?;
/// let mut run = sim.begin()?;
/// assert!(run.until(Instant::EPOCH + Duration::secs(10)), "a clock never ends");
/// assert_eq!(run.actor(clock).map(|clock| clock.0), Some(10));
/// run.stop();
/// assert_eq!(run.finish()?.last, Some(Instant::EPOCH + Duration::secs(10)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Run {
    name: String,
    pub(crate) shard: Shard,
    begins: Option<(Instant, Vec<Entry>)>,
    pub(crate) until: Option<Instant>,
    interrupt: Option<Arc<AtomicBool>>,
    progress: Option<OnProgress>,
    end: Option<End>,
    /// The key of the last step, if single steps were run: the shard may have moved on to the next one.
    stepped: Option<Site>,
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("name", &self.name).field("at", &self.site()).finish_non_exhaustive()
    }
}

impl Run {
    pub(crate) fn new(prepared: Prepared, start: Instant) -> Self {
        let Prepared { name, shard, roots, start: _, until, interrupt, progress } = prepared;
        Self { name, shard, begins: Some((start, roots)), until, interrupt, progress, end: None, stepped: None }
    }

    /// One that goes on from a snapshot.
    pub(crate) fn resumed(prepared: Prepared) -> Self {
        Self { begins: None, ..Self::new(prepared, Instant::EPOCH) }
    }

    /// Where the run stands: the key of the last step.
    pub fn site(&self) -> Site {
        self.stepped.unwrap_or_else(|| self.shard.site())
    }

    /// How the run ended, if it did.
    pub fn end(&self) -> Option<End> {
        self.end
    }

    /// Puts `start` into the first step. Whether there is a first step within the bound.
    fn start(&mut self, bound: Option<Instant>) -> bool {
        if let Some((at, _)) = self.begins
            && bound.is_some_and(|bound| at > bound)
        {
            return false;
        }
        if let Some((at, roots)) = self.begins.take() {
            self.shard.start(at, roots);
        }
        true
    }

    fn over(&mut self, advance: Advance) {
        if advance == Advance::Over {
            self.end = Some(if self.shard.error.is_some() { End::Failed } else { End::Stopped });
        }
    }

    /// Runs all instants up to `bound`, inclusive, and what was given to [`until`](crate::Simulation::until). Whether the run goes on.
    pub fn until(&mut self, bound: Instant) -> bool {
        let bound = self.until.map_or(bound, |until| until.min(bound));
        self.run_to(Some(bound));
        if self.end.is_none() && self.until.is_some_and(|until| until <= bound) {
            self.end = Some(End::Until);
        }
        self.end.is_none()
    }

    fn run_to(&mut self, bound: Option<Instant>) {
        self.run_to_while(bound, None);
    }

    /// As [`Run::run_to`], as long as it is wished at a still point. Whether that was why it rests.
    pub(crate) fn run_to_while(&mut self, bound: Option<Instant>, mut goes_on: Option<&mut dyn FnMut(&Shard) -> bool>) -> bool {
        if self.end.is_some() || !self.start(bound) {
            return false;
        }
        self.stepped = None;
        let (interrupt, progress) = (self.interrupt.clone(), &mut self.progress);
        let until = self.until;
        let (mut interrupted, mut rests, mut still_points) = (false, false, 0u32);
        let advance = if interrupt.is_none() && progress.is_none() && goes_on.is_none() {
            self.shard.run(bound, None)
        } else {
            let mut pause = |shard: &mut Shard| {
                interrupted = interrupt.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed));
                rests = goes_on.as_mut().is_some_and(|goes_on| !goes_on(shard));
                still_points += 1;
                if still_points == STRIDE
                    && let Some(tell) = progress
                {
                    still_points = 0;
                    tell(&progress_of(shard, until));
                }
                interrupted || rests
            };
            self.shard.run(bound, Some(&mut pause))
        };
        match advance {
            Some(Advance::Over) => self.over(Advance::Over),
            Some(_) if interrupted => self.end = Some(End::Interrupted),
            Some(_) if rests => return true,
            _ if !self.shard.has_more() => self.end = Some(End::Done),
            _ => {}
        }
        false
    }

    /// Runs one step. Whether the run goes on.
    pub fn step(&mut self) -> bool {
        if self.end.is_some() {
            return false;
        }
        let until = self.until;
        if self.begins.is_some() {
            if !self.start(until) {
                self.end = Some(End::Until);
                return false;
            }
        } else if self.shard.is_still() && !self.begin_instant() {
            return false;
        }
        self.stepped = Some(self.shard.site());
        let advance = self.shard.advance();
        self.over(advance);
        if self.end.is_none() && self.shard.error.is_some() && self.shard.is_still() {
            self.end = Some(End::Failed);
        }
        self.end.is_none()
    }

    fn begin_instant(&mut self) -> bool {
        match self.shard.next_instant() {
            None => self.end = Some(End::Done),
            Some(at) if self.until.is_some_and(|until| at > until) => self.end = Some(End::Until),
            Some(at) => {
                self.shard.begin(at);
                return true;
            }
        }
        false
    }

    /// Runs to the next still point. Whether the run goes on.
    pub fn step_instant(&mut self) -> bool {
        while self.step() && !self.shard.is_still() {}
        self.end.is_none()
    }

    /// The instant at which something comes next: at a still point, where the run goes on.
    pub fn next_instant(&mut self) -> Option<Instant> {
        match &self.begins {
            Some((at, _)) => Some(*at),
            None => self.shard.next_instant(),
        }
    }

    /// Ends the run where it stands.
    pub fn stop(&mut self) {
        self.end.get_or_insert(End::Stopped);
    }

    /// A look at an actor between steps: a guard, to be let go before the run goes on. `None` if it has stopped or the address is of another run.
    pub fn actor<A: Actor>(&self, address: Addr<A>) -> Option<Ref<'_, A>> {
        let cell: &dyn std::any::Any = &**self.shard.cell(address.id)?;
        cell.downcast_ref::<Occupied<A>>().map(|occupied| occupied.0.borrow())
    }

    /// Saves the run as it stands, at a still point: between two instants, as [`Run::until`] and [`Run::step_instant`] leave it. The run can go
    /// on; jobs under way are waited for.
    ///
    /// # Errors
    /// [`SnapshotError`] if this is no still point, or names the actor that cannot be saved.
    pub fn snapshot(&mut self) -> Result<Snapshot, SnapshotError> {
        if self.begins.is_some() {
            return Err(SnapshotError::Unbegun);
        }
        let site = self.site();
        if self.shard.error.is_some() || self.shard.stopped {
            return Err(SnapshotError::Over(site));
        }
        if !self.shard.is_still() {
            return Err(SnapshotError::Moving(site));
        }
        snapshot::take(&mut self.shard, &self.name, &|_| true).map(Snapshot::of)
    }

    /// Takes a snapshot and gives it away; if that fails, the run ends here.
    pub(crate) fn save(&mut self, keep: Keep) {
        let kept =
            self.snapshot().map_err(|error| error.to_string()).and_then(|snapshot| keep(snapshot).map_err(|error| error.to_string()));
        if let Err(cause) = kept {
            self.shard.error = Some(crate::error::RunError::Snapshot(cause));
            self.end = Some(End::Failed);
        }
    }

    /// What the actors would report if the run ended here, in R1's order, without those that have stopped.
    pub fn reports(&self) -> Vec<(Path, Report)> {
        self.shard.living_reports().collect()
    }

    /// How far the run is.
    pub fn progress(&self) -> Progress {
        progress_of(&self.shard, self.until)
    }

    /// Runs to the end, if it has not ended, and gives the outcome.
    ///
    /// # Errors
    /// [`Failed`] holds the error and the outcome up to it.
    pub fn finish(mut self) -> Result<Outcome, Box<Failed>> {
        self.run_to(self.until);
        let end = *self.end.get_or_insert(End::Until);
        let shard = &mut self.shard;
        let trace_hash = shard.core.trace_hash();
        if let Some(observer) = &mut shard.core.observer
            && let Err(error) = observer.end(trace_hash)
        {
            shard.error.get_or_insert(crate::error::RunError::Observer(error.to_string()));
        }
        let end = if shard.error.is_some() { End::Failed } else { end };
        let outcome = Outcome::of(std::mem::take(&mut self.name), end, vec![shard.part()]);
        match shard.error.take() {
            Some(error) => Err(Box::new(Failed { error, outcome })),
            None => Ok(outcome),
        }
    }
}

pub(crate) fn progress_of(shard: &Shard, until: Option<Instant>) -> Progress {
    let counters = &shard.core.counters;
    let read = shard.streams.iter().filter_map(|stream| stream.progress()).fold((0, 0), |sum, (read, all)| (sum.0 + read, sum.1 + all));
    Progress { at: shard.site().at, until, events: counters.events, deliveries: counters.deliveries, read }
}
