//! Draws random numbers that the system seeds.

use std::hash::{BuildHasher, RandomState};

use stillpoint_sim_tests::Determinism;

use crate::events::{Price, deciding};

pub(crate) fn world() -> Determinism<Price> {
    deciding(|_| Box::new(|_, _| (RandomState::new().hash_one(0).is_multiple_of(2)).then_some(1)))
}
