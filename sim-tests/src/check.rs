//! What the kit checks: each check is one way to run a world again that must not matter. Invariant: names are part of goldens and saved
//! text and do not change.

use std::fmt;

/// One way to run a world again, and what must then be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// The same run again, many times: with other memory addresses, on this thread and on others.
    Repeat,
    /// The same run in a fresh process with another environment, time zone, language and working directory.
    Process,
    /// Actors, streams, subscriptions and links are registered in another order.
    Registration,
    /// An unrelated actor, or an unrelated stream, is there too: everybody else's deliveries are the same.
    Bystander,
    /// Offloaded jobs run on another number of threads.
    Pool,
    /// The actors of a step run in another order.
    ReadyOrder,
    /// The run is on several threads, in shards, batches and windows of any size. Only worlds that declare links are ever divided.
    Host,
    /// The run is paused, or goes step by step.
    Pause,
    /// The run is saved, and a run restored from the snapshot goes on: here, on several threads, or in a fresh process.
    Snapshot,
    /// The input is cut off: what happened before is the same. Finds look-ahead bias.
    Cut,
    /// What comes later is replaced: what happened before is the same. Finds look-ahead bias.
    Future,
    /// Everything happens at another time: the same deliveries, shifted.
    TimeShift,
    /// All prices are multiplied by a power of two: the same deliveries.
    PriceScale,
    /// Instruments have other numbers in the same order: the same deliveries.
    Rename,
    /// Events that say nothing new are added: actors say the same to each other.
    Heartbeat,
    /// Streams are replayed from a store, which holds their items in any way.
    #[cfg(feature = "store")]
    Store,
}

impl Check {
    /// All of them that need no other crate, in the order in which they are made.
    pub const ALL: [Self; 15] = [
        Self::Repeat,
        Self::Process,
        Self::Registration,
        Self::Bystander,
        Self::Pool,
        Self::ReadyOrder,
        Self::Host,
        Self::Pause,
        Self::Snapshot,
        Self::Cut,
        Self::Future,
        Self::TimeShift,
        Self::PriceScale,
        Self::Rename,
        Self::Heartbeat,
    ];

    /// Its name in tables and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Repeat => "repeat",
            Self::Process => "process",
            Self::Registration => "registration",
            Self::Bystander => "bystander",
            Self::Pool => "pool",
            Self::ReadyOrder => "ready-order",
            Self::Host => "host",
            Self::Pause => "pause",
            Self::Snapshot => "snapshot",
            Self::Cut => "cut",
            Self::Future => "future",
            Self::TimeShift => "time-shift",
            Self::PriceScale => "price-scale",
            Self::Rename => "rename",
            Self::Heartbeat => "heartbeat",
            #[cfg(feature = "store")]
            Self::Store => "store",
        }
    }

    /// What a difference means, to be read by whoever wrote the strategy.
    pub const fn means(self) -> &'static str {
        match self {
            Self::Repeat => {
                "the run does not repeat itself: a clock, a map in random order, random numbers of the system, an address, or a static or \
                 thread-local variable reaches it"
            }
            Self::Process => "a fresh process gives another run: the environment, a path or a static variable reaches it",
            Self::Registration => "the order in which actors and streams were added reaches the run",
            Self::Bystander => "an unrelated actor or stream reaches the run",
            Self::Pool => "the number of threads for jobs reaches the run: a job reads or writes what it shares with others",
            Self::ReadyOrder => "the order in which actors of one step run reaches the run: they share something beside messages",
            Self::Host => "several threads give another run: actors share something beside messages",
            Self::Pause => "pausing the run changes it",
            Self::Snapshot => "a restored run goes on otherwise: an actor has state that is not saved",
            Self::Cut | Self::Future => "what comes later reaches what happens before: look-ahead bias",
            Self::TimeShift => "what is done depends on the absolute time",
            Self::PriceScale => "what is done depends on the unit of prices",
            Self::Rename => "what is done depends on the numbers of instruments",
            Self::Heartbeat => "an event that says nothing new changes what is done",
            #[cfg(feature = "store")]
            Self::Store => "how a store holds the items of a stream reaches the run",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
