//! The determinism kit: random programs and a naive reference model that hold the engine to its rules of time.
//!
//! [`chaos`] makes random programs of actors that send, ask, publish, sleep, spawn, stop, cancel and panic with many ties, plays each in the
//! engine and in a model that is a sorted map written from the text of the rules, and compares the two accounts record by record.
//!
//! ```
//! use proptest::strategy::{Strategy, ValueTree};
//! use proptest::test_runner::TestRunner;
//! use stillpoint_sim_tests::chaos::engine::{self, Setup};
//! use stillpoint_sim_tests::chaos::model::{self, Tally};
//! use stillpoint_sim_tests::chaos::strategy::programs;
//!
//! let program = programs().new_tree(&mut TestRunner::deterministic())?.current();
//! let played = engine::run(&program, &Setup::default()).account;
//! let expected = model::run(&program, &mut Tally::new());
//! assert_eq!(expected.first_difference(&played), None);
//! # Ok::<(), proptest::test_runner::Reason>(())
//! ```

pub mod chaos;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
