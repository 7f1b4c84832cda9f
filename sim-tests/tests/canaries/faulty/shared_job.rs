//! Jobs write what they share: what each finds there depends on which thread comes to it first.

use std::sync::{Arc, Mutex};

use stillpoint_engine::{Actor, Addr, Context, Duration, Handler, JobDone};
use stillpoint_sim_tests::{Determinism, World};

use crate::events::{Price, Say, Sink};

struct Adding {
    sink: Addr<Sink>,
    sum: Arc<Mutex<f64>>,
    count: i64,
}

impl Actor for Adding {}

impl Handler<Price> for Adding {
    fn handle(&mut self, price: &Price, ctx: &mut Context<'_, Self>) {
        self.count += 1;
        let (sum, part) = (self.sum.clone(), price.price as f64 * 0.1 + self.count as f64 * 1e-3);
        // Later jobs are wanted sooner.
        ctx.submit(Duration::secs(100) - Duration::secs(self.count), move || {
            let mut sum = sum.lock().expect("no job panics");
            *sum += part;
            sum.to_bits()
        });
    }
}

impl Handler<JobDone<u64>> for Adding {
    fn handle(&mut self, done: &JobDone<u64>, ctx: &mut Context<'_, Self>) {
        ctx.send(self.sink, Say(done.result.clone().expect("no job panics") as i64));
    }
}

pub(crate) fn world() -> Determinism<Price> {
    Determinism::of(|world: &mut World<Price>| {
        let sink = world.actor("sink", Sink);
        world.add("strategy", Adding { sink, sum: Arc::default(), count: 0 });
    })
}
