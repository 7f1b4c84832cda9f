//! Goes through a hash map: which price comes first is random.

use std::collections::HashMap;

use stillpoint_sim_tests::Determinism;

use crate::events::{Price, deciding};

pub(crate) fn world() -> Determinism<Price> {
    deciding(|_| {
        let mut seen: HashMap<i64, u32> = HashMap::new();
        Box::new(move |price, _| {
            *seen.entry(price.price).or_default() += 1;
            seen.keys().next().copied()
        })
    })
}
