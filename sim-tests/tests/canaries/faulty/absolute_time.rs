//! Trades in every other second since the epoch.

use stillpoint_sim_tests::Determinism;

use crate::events::{Price, deciding};

pub(crate) fn world() -> Determinism<Price> {
    deciding(|_| Box::new(|price, now| (now.as_nanos() / 1_000_000_000 % 2 == 0).then_some(price.price)))
}
