//! Knows the price after this one.

use stillpoint_sim_tests::Determinism;

use crate::events::{Price, deciding};

pub(crate) fn world() -> Determinism<Price> {
    deciding(|world| {
        let input = world.input().clone();
        Box::new(move |price, now| {
            let later = input.streams.iter().flat_map(|feed| &feed.items).filter(|item| item.at > now);
            let next = later.min_by_key(|item| item.at)?;
            Some((next.value.price - price.price).signum())
        })
    })
}
