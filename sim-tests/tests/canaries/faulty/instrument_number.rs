//! Trades the instruments with even numbers.

use stillpoint_sim_tests::Determinism;

use crate::events::{Price, deciding};

pub(crate) fn world() -> Determinism<Price> {
    deciding(|_| Box::new(|price, _| (price.instrument % 2 == 0).then_some(price.price)))
}
