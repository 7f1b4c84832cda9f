//! Good strategies of real shape, by name.

mod async_task;
mod crossover;
mod maker;
mod maps;
mod offloading;
mod pairs;

use crate::events::World;

pub(crate) const ALL: [(&str, World); 6] = [
    ("crossover", crossover::world),
    ("pairs", pairs::world),
    ("market maker", maker::world),
    ("async task", async_task::world),
    ("offloading", offloading::world),
    ("maps", maps::world),
];
