//! Reads a wall clock.

use std::time::SystemTime;

use stillpoint_sim_tests::Determinism;

use crate::events::{Price, deciding};

pub(crate) fn world() -> Determinism<Price> {
    deciding(|_| Box::new(|_, _| SystemTime::UNIX_EPOCH.elapsed().ok().map(|since| since.as_nanos() as i64)))
}
