//! Hosts: where a run is run. Invariant: no host, number of threads or shards, and no size of a batch or window can be seen in a trace.
//!
//! A [`Launch`] starts a run on a [`Host`]. On several threads the parts of a simulation that are joined by links without latency stay
//! together, in shards; all shards run through one window of virtual time after another, as long as the least latency of a link between two
//! shards, meet, and exchange what crosses. Without links there is one part only, and threads are of no use.

#[cfg(feature = "actix")]
mod auto;
#[cfg(feature = "actix")]
mod barrier;
#[cfg(feature = "actix")]
mod crew;
#[cfg(feature = "actix")]
mod crew_actor;
#[cfg(feature = "actix")]
mod keeper;
mod launch;
#[cfg(feature = "actix")]
mod merge;
#[cfg(feature = "actix")]
mod pace;
#[cfg(feature = "actix")]
mod plan;
#[cfg(feature = "actix")]
mod survey;

#[cfg(feature = "actix")]
pub use keeper::{Finish, GetStatus, Pace, Pause, Start, Status, Step, Stop, TimeKeeper};
pub use launch::{Host, Launch};
