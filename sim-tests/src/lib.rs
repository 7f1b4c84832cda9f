//! The determinism kit: holds strategies to one trace, and the engine to its rules of time.
//!
//! [`Determinism`] takes a world, which is code that adds actors, and puts it in made-up scenarios. It runs each in many ways that must not
//! matter: again, in a fresh process, registered in another order, beside a bystander, with other threads, paused, with the future cut off. When two
//! runs differ it makes the scenario small, explains the first delivery that differs, and saves a scenario in RON that is run first from then on.
//!
//! ```
//! use stillpoint_engine::{Actor, Context, Handler};
//! use stillpoint_sim_tests::{Determinism, Faults, scenarios};
//!
//! /// Remembers the last price.
//! struct Last(i64);
//! impl Actor for Last {}
//! impl Handler<i64> for Last {
//!     fn handle(&mut self, price: &i64, _: &mut Context<'_, Self>) {
//!         self.0 = *price;
//!     }
//! }
//!
//! Determinism::of(|world| _ = world.add("last", Last(0)))
//!     .scenarios(scenarios().instruments(1..=3).streams(1..=4).ties(0.3).faults(Faults::all()))
//!     .check();
//! ```
//!
//! What a run must not depend on is in [`Check`]; what more a strategy may promise in [`Claim`]; what the cases must have held, so that agreement
//! means something, in [`Mark`]. Without the feature `proptest` only what checks a scenario's own data is left: [`check_scenario`].
//!
//! With the feature `store`, `StoreReplay` holds a simulation that replays from a store to one trace, however the store holds the rows.
//!
//! `chaos` makes random programs of actors that send, ask, publish, sleep, spawn, stop, cancel and panic with many ties, plays each in the
//! engine and in a model that is a sorted map written from the text of the rules, and compares the two accounts record by record.

mod bystander;
#[cfg(feature = "proptest")]
mod case;
#[cfg(feature = "proptest")]
mod case_text;
#[cfg(feature = "proptest")]
pub mod chaos;
mod check;
#[cfg(feature = "proptest")]
mod child;
#[cfg(feature = "proptest")]
mod claim;
#[cfg(feature = "proptest")]
mod compare;
#[cfg(feature = "proptest")]
mod corpus;
#[cfg(feature = "proptest")]
mod determinism;
mod difference;
mod drive;
mod facts;
#[cfg(feature = "proptest")]
mod generate;
#[cfg(feature = "proptest")]
mod judge;
#[cfg(feature = "proptest")]
mod mark;
#[cfg(feature = "market")]
mod market;
mod perturbation;
mod prefix;
#[cfg(feature = "proptest")]
mod ran;
mod rim;
#[cfg(feature = "proptest")]
mod sample;
#[cfg(feature = "proptest")]
mod saved;
mod scenario;
#[cfg(feature = "proptest")]
mod shrink;
#[cfg(feature = "store")]
mod store;
#[cfg(feature = "proptest")]
mod verdict;
#[cfg(feature = "proptest")]
mod world;

#[cfg(feature = "proptest")]
pub use case::{Case, Feed, Weather};
pub use check::Check;
#[cfg(feature = "proptest")]
pub use claim::Claim;
#[cfg(feature = "proptest")]
pub use compare::Projection;
#[cfg(feature = "proptest")]
pub use determinism::Determinism;
pub use difference::Difference;
#[cfg(feature = "proptest")]
pub use generate::{Faults, Scenarios, scenarios};
#[cfg(feature = "proptest")]
pub use mark::{FaultKind, Mark};
pub use perturbation::{HostOf, Perturbation, Place};
pub use rim::{Scratch, disturb};
#[cfg(feature = "proptest")]
pub use sample::{Draft, Sample};
pub use scenario::{Checked, InFreshProcess, Request, Row, SCENARIO_CHECKS, Tell, check_scenario};
#[cfg(feature = "store")]
pub use store::{Held, Holding, StoreReplay};
#[cfg(feature = "proptest")]
pub use verdict::{Failure, Shrink, Verdict};
#[cfg(feature = "proptest")]
pub use world::World;

// It shows market pieces too.
#[cfg(all(doctest, feature = "market"))]
#[doc = include_str!("../../README.md")]
mod readme {}
