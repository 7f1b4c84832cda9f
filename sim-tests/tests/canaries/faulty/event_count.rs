//! Trades at every third event, whatever it says.

use stillpoint_sim_tests::Determinism;

use crate::events::{Price, deciding};

pub(crate) fn world() -> Determinism<Price> {
    deciding(|_| {
        let mut count = 0u32;
        Box::new(move |price, _| {
            count += 1;
            count.is_multiple_of(3).then_some(price.price)
        })
    })
}
