//! The canaries, by name.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "each of these strategies commits the fault that it is named after"
)]

mod absolute_price;
mod absolute_time;
mod actor_index;
mod environment;
mod event_count;
mod float_batch;
mod global_counter;
mod hash_order;
mod instrument_number;
mod look_ahead;
mod pointer_order;
mod shared_job;
mod shuffling_select;
mod thread_local;
mod thread_rng;
mod unsaved_field;
mod wall_clock;

use crate::events::World;

pub(crate) const ALL: [(&str, World); 17] = [
    ("hash-map order", hash_order::world),
    ("wall clock", wall_clock::world),
    ("thread rng", thread_rng::world),
    ("global counter", global_counter::world),
    ("pointer order", pointer_order::world),
    ("thread-local", thread_local::world),
    ("shuffling select", shuffling_select::world),
    ("float batch", float_batch::world),
    ("actor index", actor_index::world),
    ("unsaved field", unsaved_field::world),
    ("look-ahead", look_ahead::world),
    ("absolute time", absolute_time::world),
    ("environment", environment::world),
    ("absolute price", absolute_price::world),
    ("instrument number", instrument_number::world),
    ("shared job", shared_job::world),
    ("event count", event_count::world),
];
