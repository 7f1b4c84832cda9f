//! Stillpoint's engine: actors with mailboxes under a virtual clock that moves only when every actor is at rest.
//!
//! An [`Actor`] is a state with a [`Handler`] for each type of [`Message`] that it takes. What it can do, it does through its [`Context`]:
//! send, publish, ask, arm timers, spawn, start tasks, submit jobs. A [`Stream`] is a source of timed items that actors subscribe to. A
//! [`Simulation`] puts them together; its run gives an [`Outcome`] with the results that actors report and a hash of every delivery.
//!
//! ```
//! use stillpoint_engine::{Actor, Context, Duration, Handler, Instant, Message, Report, Simulation, Stream, Timed, Value};
//!
//! /// Buys after every fall of the price, and sells a second and a half later.
//! struct Dips {
//!     last: i64,
//!     profit: i64,
//! }
//!
//! #[derive(Debug, Hash)]
//! struct Sell;
//! impl Message for Sell {
//!     const KIND: &'static str = "sell";
//! }
//!
//! impl Actor for Dips {
//!     fn report(&self, report: &mut Report) {
//!         report.integer("profit", self.profit);
//!     }
//! }
//! impl Handler<i64> for Dips {
//!     fn handle(&mut self, price: &i64, ctx: &mut Context<'_, Self>) {
//!         if *price < self.last {
//!             self.profit -= price;
//!             ctx.notify_after(Duration::millis(1500), Sell);
//!         }
//!         self.last = *price;
//!     }
//! }
//! impl Handler<Sell> for Dips {
//!     fn handle(&mut self, _: &Sell, _: &mut Context<'_, Self>) {
//!         self.profit += self.last;
//!     }
//! }
//!
//! let prices = (0..).zip([100, 104, 96, 109]).map(|(second, value)| Timed { at: Instant::EPOCH + Duration::secs(second), value });
//! let mut sim = Simulation::new("dips");
//! let prices = sim.stream("prices", Stream::from_vec(prices.collect()))?;
//! let dips = sim.actor("dips", Dips { last: 0, profit: 0 })?;
//! sim.subscribe::<i64, _>(dips, prices);
//!
//! let outcome = sim.run()?;
//! // Bought at 96 after two seconds, sold at 109 after three and a half.
//! assert_eq!(outcome.report("dips").and_then(|report| report.get("profit")), Some(&Value::Integer(13)));
//! assert_eq!(outcome.last, Some(Instant::EPOCH + Duration::millis(3500)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Time
//!
//! What is sent now arrives in the next *step*; what is delayed, at its *instant*. Within a step no actor sees what another one does. When
//! no step is left, the instant is over: that is its *still point*, and only there does the clock move. [`rules`] has all of it.
//!
//! # Runs that can be repeated
//!
//! The order of deliveries depends on names, ranks and each sender's own count, never on the order of registration, threads or the speed of
//! the machine. Random numbers come from [`Context::rng`], seeded by the run's seed and the actor's path. The hash of two runs is the same
//! if they did the same; [`trace`] finds the first difference where it is not. No clock exists here, and the engine knows no price.
//!
//! # Where to look
//!
//! [`Simulation`] builds, [`Run`] steps, [`Outcome`] tells · [`Context`] for handlers, [`task`] for async code under virtual time ·
//! [`Late`] for data out of order · [`Link`] for latency, jitter and loss · [`pool`] for work on other threads · [`scenario`] for runs from
//! files · [`Snapshot`] and [`Saving`] to go on later · [`Metrics`].

// The lint sees macros of the whole crate or of none of it; a test of the project's tidiness holds the rest of the crate to it.
#![expect(
    clippy::disallowed_macros,
    reason = "serde hands nothing down to a handle: what `snapshot::scope` sets, it unsets within one call"
)]

mod actor;
mod address;
mod ask;
mod context;
mod digest;
mod erased;
mod error;
mod event;
pub mod host;
mod job;
mod kernel;
mod limits;
mod link;
mod message;
mod metrics;
mod outcome;
mod path;
pub mod pool;
mod report;
mod rng;
#[doc = include_str!("../RULES.md")]
pub mod rules {}
mod run;
pub mod scenario;
mod simulation;
pub mod snapshot;
mod sort;
mod source;
mod stream;
pub mod suggest;
pub mod task;
mod time;
mod time_keeper;
pub mod trace;

pub use actor::{Actor, Handler, Responds};
pub use address::{Addr, Recipient, StreamRef, Target};
pub use ask::{Answer, AskError, AskId, Responder};
pub use context::{Context, Control, Every, Timer};
pub use digest::{Digest, digest_of};
pub use error::{BuildError, RunError, Site};
pub use event::{Event, LogLine};
pub use job::{JobDone, JobId};
pub use kernel::ready::ReadyOrder;
pub use limits::{Limits, OnPanic};
pub use link::Link;
pub use message::{Message, Request, canonical_bits};
pub use metrics::Metrics;
pub use outcome::{End, Failed, Outcome};
pub use path::{Name, NameError, Path, Rank};
pub use pool::{JobPanic, Pool};
pub use report::{Report, Value};
pub use rng::Rng;
pub use run::{Progress, Run};
pub use simulation::Simulation;
pub use snapshot::{Saving, Snapshot};
pub use source::{Lent, Source, SourceError, Timed};
pub use stream::{Late, LateCounts, Stream};
pub use task::{Inbox, TaskContext};
pub use time::{Duration, Instant, TimeError};
pub use time_keeper::{NextInstant, NextInstantIs, StopRun, TimeKeeper};
