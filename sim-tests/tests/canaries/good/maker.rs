//! Quotes around the price, pulls the quote when it gets old, and skews it at random by its own generator.

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Actor, Addr, Context, Duration, Every, Handler, Message, Saving, Timer};
use stillpoint_sim_tests::{Claim, Determinism, Faults, Mark, World, scenarios};

use crate::events::{Price, Say, Sink};

#[derive(Clone, Copy, Debug, Hash, Serialize, Deserialize)]
struct Old;
impl Message for Old {
    const KIND: &'static str = "old";
}

#[derive(Clone, Copy, Debug, Hash, Serialize, Deserialize)]
struct Tell;
impl Message for Tell {
    const KIND: &'static str = "tell";
}

#[derive(Serialize, Deserialize)]
struct Maker {
    sink: Addr<Sink>,
    pending: Option<Timer>,
    quoted: Option<i64>,
}

impl Actor for Maker {
    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<Price>().message::<Old>().message::<Tell>())
    }

    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        let first = ctx.now() + Duration::millis(150);
        ctx.notify_every(Every::from(first, Duration::millis(700)).until(first + Duration::secs(20)), Tell);
    }
}

impl Handler<Price> for Maker {
    fn handle(&mut self, price: &Price, ctx: &mut Context<'_, Self>) {
        if let Some(timer) = self.pending.take() {
            ctx.cancel(timer);
        }
        let skew = ctx.rng().below(3) as i64 - 1;
        self.quoted = Some(price.price + skew);
        self.pending = Some(ctx.notify_after(Duration::millis(250), Old));
        ctx.send(self.sink, Say(price.price + skew));
    }
}

impl Handler<Old> for Maker {
    fn handle(&mut self, _: &Old, _: &mut Context<'_, Self>) {
        (self.quoted, self.pending) = (None, None);
    }
}

impl Handler<Tell> for Maker {
    fn handle(&mut self, _: &Tell, ctx: &mut Context<'_, Self>) {
        ctx.send_after(self.sink, Duration::millis(90), Say(self.quoted.unwrap_or(0)));
    }
}

pub(crate) fn world() -> Determinism<Price> {
    Determinism::of(|world: &mut World<Price>| {
        let sink = world.actor("sink", Sink);
        world.add("maker", Maker { sink, pending: None, quoted: None });
    })
    .scenarios(scenarios().instruments(1..=2).streams(1..=3).faults(Faults::all()))
    .claims([Claim::Causal, Claim::Saving, Claim::TimeShift, Claim::PriceScale, Claim::Rename])
    .marks([Mark::PendingTimer, Mark::DelayedMessage, Mark::Delivered("old")])
}
