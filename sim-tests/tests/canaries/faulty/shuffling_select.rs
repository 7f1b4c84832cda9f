//! Waits for two things at once and looks at them in a random order, as `select!` does unless it is told to be biased.

use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::task::Poll;

use stillpoint_engine::{Actor, Addr, Context, Duration, Handler};
use stillpoint_sim_tests::{Determinism, World};

use crate::events::{Price, Say, Sink};

struct Waiting {
    sink: Addr<Sink>,
}

impl Actor for Waiting {}

impl Handler<Price> for Waiting {
    fn handle(&mut self, _: &Price, ctx: &mut Context<'_, Self>) {
        ctx.task(|cx| async move {
            let mut both: [Pin<Box<dyn Future<Output = ()>>>; 2] =
                [Box::pin(cx.sleep(Duration::millis(5))), Box::pin(cx.sleep(Duration::millis(5)))];
            let first = poll_fn(|waker| {
                let one = usize::from(RandomState::new().hash_one(0).is_multiple_of(2));
                let ready = [one, 1 - one].into_iter().find(|index| both[*index].as_mut().poll(waker).is_ready());
                ready.map_or(Poll::Pending, Poll::Ready)
            });
            let first = first.await;
            cx.with(|actor, ctx| ctx.send(actor.sink, Say(first as i64)));
        });
    }
}

pub(crate) fn world() -> Determinism<Price> {
    Determinism::of(|world: &mut World<Price>| {
        let sink = world.actor("sink", Sink);
        world.add("strategy", Waiting { sink });
    })
}
