//! Keeps state with the thread in place of the actor.

use std::cell::Cell;

use stillpoint_sim_tests::Determinism;

use crate::events::{Price, deciding};

thread_local! {
    static HIGHEST: Cell<i64> = const { Cell::new(0) };
}

pub(crate) fn world() -> Determinism<Price> {
    deciding(|_| Box::new(|price, _| (price.price > HIGHEST.replace(HIGHEST.get().max(price.price))).then_some(price.price)))
}
