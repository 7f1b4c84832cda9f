//! Hosts: where a run is run. Invariant: no host, number of threads or shards, and no size of a batch or window can be seen in a trace.
//!
//! A [`Launch`] starts a run on a [`Host`]. On several threads the parts of a simulation that are joined by links without latency stay
//! together, in shards; all shards run through one window of virtual time after another, as long as the least latency of a link between two
//! shards, meet, and exchange what crosses. Without links there is one part only, and threads are of no use.
mod auto;
mod barrier;
mod crew;
mod crew_actor;
mod keeper;
mod launch;
mod merge;
mod pace;
mod plan;
mod survey;
pub use keeper::{Finish, GetStatus, Pace, Pause, Start, Status, Step, Stop, TakeSnapshot, TimeKeeper};
pub(crate) use launch::Keep;
pub use launch::{Host, Launch};
