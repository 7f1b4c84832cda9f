//! Three workers add up a batch of floats in one shared sum: who adds first decides how it is rounded.

use std::sync::{Arc, Mutex};

use stillpoint_engine::{Actor, Addr, Context, Handler, Message};
use stillpoint_sim_tests::{Determinism, World};

use crate::events::{Price, Say, Sink};

#[derive(Clone, Copy, Debug, Hash)]
struct Added;
impl Message for Added {
    const KIND: &'static str = "added";
}

struct Worker {
    total: Addr<Total>,
    sum: Arc<Mutex<f64>>,
    weight: f64,
}

impl Actor for Worker {}

impl Handler<Price> for Worker {
    fn handle(&mut self, price: &Price, ctx: &mut Context<'_, Self>) {
        *self.sum.lock().expect("no worker panics") += self.weight * price.price as f64;
        ctx.send(self.total, Added);
    }
}

/// Says the sum when all three have added their part.
struct Total {
    sink: Addr<Sink>,
    sum: Arc<Mutex<f64>>,
    added: u32,
}

impl Actor for Total {}

impl Handler<Added> for Total {
    fn handle(&mut self, _: &Added, ctx: &mut Context<'_, Self>) {
        self.added += 1;
        if self.added.is_multiple_of(3) {
            ctx.send(self.sink, Say(self.sum.lock().expect("no worker panics").to_bits() as i64));
        }
    }
}

pub(crate) fn world() -> Determinism<Price> {
    Determinism::of(|world: &mut World<Price>| {
        let sum = Arc::default();
        let sink = world.actor("sink", Sink);
        let total = world.actor("total", Total { sink, sum: Arc::clone(&sum), added: 0 });
        for (name, weight) in [("a", 0.1), ("b", 0.2), ("c", 0.3)] {
            world.add(name, Worker { total, sum: Arc::clone(&sum), weight });
        }
    })
}
