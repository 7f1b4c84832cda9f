//! Numbers its orders by a counter that outlives the run.

use std::sync::atomic::{AtomicI64, Ordering};

use stillpoint_sim_tests::Determinism;

use crate::events::{Price, deciding};

static NEXT: AtomicI64 = AtomicI64::new(0);

pub(crate) fn world() -> Determinism<Price> {
    deciding(|_| Box::new(|_, _| Some(NEXT.fetch_add(1, Ordering::Relaxed))))
}
