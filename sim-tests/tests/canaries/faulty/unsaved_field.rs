//! Leaves a field out of what is saved: a restored run begins it anew.

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Actor, Addr, Context, Handler, Saving};
use stillpoint_sim_tests::{Determinism, World};

use crate::events::{Price, Say, Sink};

#[derive(Serialize, Deserialize)]
struct Highest {
    sink: Addr<Sink>,
    #[serde(skip)]
    price: i64,
}

impl Actor for Highest {
    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<Price>())
    }
}

impl Handler<Price> for Highest {
    fn handle(&mut self, price: &Price, ctx: &mut Context<'_, Self>) {
        if price.price > self.price {
            self.price = price.price;
            ctx.send(self.sink, Say(price.price));
        }
    }
}

pub(crate) fn world() -> Determinism<Price> {
    Determinism::of(|world: &mut World<Price>| {
        let sink = world.actor("sink", Sink);
        world.add("strategy", Highest { sink, price: 0 });
    })
}
