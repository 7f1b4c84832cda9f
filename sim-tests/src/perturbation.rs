//! One concrete way to run a case again. Invariant: a value of this and a case say all there is to say; nothing is drawn later.

use std::fmt;

use stillpoint_engine::{Duration, Instant, ReadyOrder};

use crate::check::Check;

/// One concrete way to run a case again.
#[derive(Clone, Debug, PartialEq)]
pub enum Perturbation {
    /// So many runs, each with other memory addresses, every other one on a thread of its own.
    Repeat {
        /// How many.
        runs: u32,
        /// Of the addresses.
        seed: u64,
    },
    /// A fresh process.
    Process,
    /// Another order of registration.
    Registration(u64),
    /// One more actor, with timers, messages, random numbers and a child.
    BystanderActor,
    /// One more stream with events at the instants of the others, and an actor that hears it.
    BystanderStream,
    /// So many threads for jobs.
    Pool {
        /// The number of threads.
        threads: usize,
        /// How many runs: threads are not always as fast.
        runs: u32,
    },
    /// The actors of a step in another order.
    ReadyOrder(ReadyOrder),
    /// On several threads.
    Host(HostOf),
    /// A pause after this instant.
    Pause(Instant),
    /// One step at a time.
    Steps,
    /// One instant at a time.
    Instants,
    /// Saved after this instant, restored somewhere.
    Snapshot {
        /// The last instant before the snapshot.
        at: Instant,
        /// Where the run goes on.
        place: Place,
    },
    /// Nothing comes after this instant.
    Cut(Instant),
    /// Something else comes after this instant.
    Future {
        /// The last instant that stays.
        at: Instant,
        /// Of what comes.
        seed: u64,
    },
    /// Everything later by this much.
    TimeShift(Duration),
    /// Prices times 2 to this power.
    PriceScale(u32),
    /// Instrument numbers greater by this much.
    Rename(u32),
    /// One event that says nothing new after every so many.
    Heartbeat(usize),
    /// Streams replayed from a store.
    #[cfg(feature = "store")]
    Store(crate::store::Holding),
}

/// Where a saved run goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// On this thread.
    Here,
    /// On several threads, where it also began.
    Host(HostOf),
    /// In a fresh process.
    Process,
}

/// How several threads share a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HostOf {
    /// Threads.
    pub threads: usize,
    /// Parts of the run.
    pub shards: usize,
    /// Windows in a batch.
    pub batch: u32,
    /// The longest window, if it is less than what links allow.
    pub window: Option<Duration>,
    /// Of who comes into which shard.
    pub deal: u64,
    /// In which order the actors of a step run.
    pub order: ReadyOrder,
}

impl Perturbation {
    /// Which check this is.
    pub const fn check(&self) -> Check {
        match self {
            Self::Repeat { .. } => Check::Repeat,
            Self::Process => Check::Process,
            Self::Registration(_) => Check::Registration,
            Self::BystanderActor | Self::BystanderStream => Check::Bystander,
            Self::Pool { .. } => Check::Pool,
            Self::ReadyOrder(_) => Check::ReadyOrder,
            Self::Host(_) => Check::Host,
            Self::Pause(_) | Self::Steps | Self::Instants => Check::Pause,
            Self::Snapshot { .. } => Check::Snapshot,
            Self::Cut(_) => Check::Cut,
            Self::Future { .. } => Check::Future,
            Self::TimeShift(_) => Check::TimeShift,
            Self::PriceScale(_) => Check::PriceScale,
            Self::Rename(_) => Check::Rename,
            Self::Heartbeat(_) => Check::Heartbeat,
            #[cfg(feature = "store")]
            Self::Store(_) => Check::Store,
        }
    }
}

impl fmt::Display for Perturbation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repeat { runs, .. } => write!(f, "run again, up to {runs} times"),
            Self::Process => write!(f, "run in a fresh process"),
            Self::Registration(seed) => write!(f, "registered in another order (seed {seed})"),
            Self::BystanderActor => write!(f, "with an unrelated actor"),
            Self::BystanderStream => write!(f, "with an unrelated stream"),
            Self::Pool { threads, runs } => write!(f, "with {threads} threads for jobs, up to {runs} times"),
            Self::ReadyOrder(order) => write!(f, "with the actors of a step in another order ({order:?})"),
            Self::Host(host) => host.fmt(f),
            Self::Pause(at) => write!(f, "paused after {at}"),
            Self::Steps => write!(f, "run step by step"),
            Self::Instants => write!(f, "run instant by instant"),
            Self::Snapshot { at, place: Place::Here } => write!(f, "saved after {at} and restored"),
            Self::Snapshot { at, place: Place::Host(host) } => write!(f, "saved after {at} and restored, {host}"),
            Self::Snapshot { at, place: Place::Process } => write!(f, "saved after {at} and restored in a fresh process"),
            Self::Cut(at) => write!(f, "with nothing after {at}"),
            Self::Future { at, seed } => write!(f, "with something else after {at} (seed {seed})"),
            Self::TimeShift(by) => write!(f, "shifted by {by}"),
            Self::PriceScale(power) => write!(f, "with prices times 2^{power}"),
            Self::Rename(by) => write!(f, "with instruments numbered higher by {by}"),
            Self::Heartbeat(every) => write!(f, "with an event that says nothing new after every {every}"),
            #[cfg(feature = "store")]
            Self::Store(way) => write!(f, "with its streams replayed from a store: {way}"),
        }
    }
}

impl fmt::Display for HostOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { threads, shards, batch, window, deal, order } = self;
        write!(f, "on {threads} threads, in {shards} shards (dealt with seed {deal}), batches of {batch} windows")?;
        window.map_or(Ok(()), |window| write!(f, " of at most {window}"))?;
        write!(f, ", actors of a step {order:?}")
    }
}
