//! Does what its number among the actors says: who was added first goes first.

use std::collections::BTreeSet;

use stillpoint_engine::{Actor, Addr, Context, Handler};
use stillpoint_sim_tests::{Determinism, World};

use crate::events::{Price, Say, Sink};

struct Numbered {
    sink: Addr<Sink>,
    index: i64,
    prices: BTreeSet<i64>,
}

impl Actor for Numbered {}

impl Handler<Price> for Numbered {
    fn handle(&mut self, price: &Price, ctx: &mut Context<'_, Self>) {
        if self.prices.insert(price.price) {
            ctx.send(self.sink, Say(self.index));
        }
    }
}

fn part(world: &mut World<Price>, sink: &str, name: &str) {
    let index = world.actors() as i64;
    let sink = world.actor(sink, Sink);
    world.add(name, Numbered { sink, index, prices: BTreeSet::new() });
}

pub(crate) fn world() -> Determinism<Price> {
    Determinism::of(|world| part(world, "sink-a", "a")).and(|world| part(world, "sink-b", "b"))
}
