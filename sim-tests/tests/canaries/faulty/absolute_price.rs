//! Buys below a price that is written into the code.

use stillpoint_sim_tests::Determinism;

use crate::events::{Price, deciding};

pub(crate) fn world() -> Determinism<Price> {
    deciding(|_| Box::new(|price, _| (price.price < 100).then_some(1)))
}
