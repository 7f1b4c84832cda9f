//! A task that takes prices from an inbox, waits, asks a second actor, and gives up after a while.

use stillpoint_engine::task::{Either, select};
use stillpoint_engine::{Actor, Addr, Context, Duration, Handler, Inbox, Message, Request, Responder, Responds};
use stillpoint_sim_tests::{Determinism, Faults, Mark, World, scenarios};

use crate::events::{Price, Say, Sink};

#[derive(Clone, Copy, Debug, Hash)]
struct Limit(i64);
impl Message for Limit {
    const KIND: &'static str = "limit";
}
impl Request for Limit {
    type Reply = bool;
}

/// Allows every other order, the first one after a while.
struct Risk(u32);
impl Actor for Risk {}
impl Responds<Limit> for Risk {
    fn respond(&mut self, _: &Limit, responder: Responder<bool>, ctx: &mut Context<'_, Self>) {
        self.0 += 1;
        let allowed = self.0 % 2 == 1;
        ctx.reply(responder, allowed);
    }
}

struct Patient {
    sink: Addr<Sink>,
    risk: Addr<Risk>,
    inbox: Option<Inbox<i64>>,
}

impl Actor for Patient {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        let inbox = ctx.inbox::<i64>();
        self.inbox = Some(inbox);
        let risk = self.risk;
        ctx.task(move |cx| async move {
            loop {
                let price = match select(cx.recv(inbox), cx.sleep(Duration::secs(5))).await {
                    Either::First(price) => price,
                    Either::Second(_) => return,
                };
                cx.sleep(Duration::millis(120)).await;
                if cx.ask(risk, Limit(price), Some(Duration::millis(50))).await.unwrap_or(false) {
                    cx.with(|patient, ctx| ctx.send(patient.sink, Say(price)));
                }
            }
        });
    }
}

impl Handler<Price> for Patient {
    fn handle(&mut self, price: &Price, ctx: &mut Context<'_, Self>) {
        if let Some(inbox) = self.inbox {
            ctx.push(inbox, price.price);
        }
    }
}

pub(crate) fn world() -> Determinism<Price> {
    Determinism::of(|world: &mut World<Price>| {
        let sink = world.actor("sink", Sink);
        let risk = world.actor("risk", Risk(0));
        world.add("patient", Patient { sink, risk, inbox: None });
    })
    .scenarios(scenarios().streams(1..=3).faults(Faults::all()))
    .marks([Mark::Pending("wake"), Mark::Delivered("say")])
}
