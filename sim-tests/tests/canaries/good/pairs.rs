//! Trades the spread of two instruments against its own range, through a venue behind links that lose and delay.

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Actor, Addr, Context, Duration, Handler, Link, Message, Saving};
use stillpoint_sim_tests::{Claim, Determinism, FaultKind, Faults, Mark, World, scenarios};

use crate::events::Price;

#[derive(Clone, Copy, Debug, Hash, Serialize, Deserialize)]
struct Order {
    number: u32,
    buy: u32,
    sell: u32,
}
impl Message for Order {
    const KIND: &'static str = "order";
}

#[derive(Clone, Copy, Debug, Hash, Serialize, Deserialize)]
struct Fill {
    number: u32,
    spread: i64,
}
impl Message for Fill {
    const KIND: &'static str = "fill";
}

#[derive(Serialize, Deserialize)]
struct Pairs {
    venue: Addr<Venue>,
    last: [Option<i64>; 2],
    range: Option<(i64, i64)>,
    sent: u32,
    open: i64,
}

impl Actor for Pairs {
    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<Price>().message::<Fill>())
    }
}

impl Handler<Price> for Pairs {
    fn handle(&mut self, price: &Price, ctx: &mut Context<'_, Self>) {
        let Some(last) = self.last.get_mut(price.instrument as usize) else { return };
        *last = Some(price.price);
        let [Some(first), Some(second)] = self.last else { return };
        let spread = first - second;
        let (low, high) = self.range.get_or_insert((spread, spread));
        let pair = if spread < *low {
            Some((0, 1))
        } else if spread > *high {
            Some((1, 0))
        } else {
            None
        };
        (*low, *high) = (spread.min(*low), spread.max(*high));
        if let Some((buy, sell)) = pair {
            self.sent += 1;
            ctx.send(self.venue, Order { number: self.sent, buy, sell });
        }
    }
}

impl Handler<Fill> for Pairs {
    fn handle(&mut self, fill: &Fill, _: &mut Context<'_, Self>) {
        self.open += fill.spread;
    }
}

/// Fills every order at the last prices that it knows.
#[derive(Serialize, Deserialize)]
struct Venue {
    pairs: Addr<Pairs>,
    last: [i64; 2],
}

impl Actor for Venue {
    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<Price>().message::<Order>())
    }
}

impl Handler<Price> for Venue {
    fn handle(&mut self, price: &Price, _: &mut Context<'_, Self>) {
        if let Some(last) = self.last.get_mut(price.instrument as usize) {
            *last = price.price;
        }
    }
}

impl Handler<Order> for Venue {
    fn handle(&mut self, order: &Order, ctx: &mut Context<'_, Self>) {
        let spread = self.last[order.sell as usize] - self.last[order.buy as usize];
        ctx.send(self.pairs, Fill { number: order.number, spread });
    }
}

pub(crate) fn world() -> Determinism<Price> {
    Determinism::of(|world: &mut World<Price>| {
        let pairs = world.reserve::<Pairs>("pairs", Default::default());
        let venue = world.add("venue", Venue { pairs, last: [0; 2] });
        world.place(pairs, Pairs { venue, last: [None; 2], range: None, sent: 0, open: 0 });
        world.hear(pairs);
        world.link("pairs", "venue", Link::latency(Duration::millis(30)));
        world.link("venue", "pairs", Link::latency(Duration::millis(70)));
    })
    .scenarios(scenarios().instruments(2..=3).streams(1..=3).events(5..=40).faults(Faults::only([
        FaultKind::Jitter,
        FaultKind::Loss,
        FaultKind::Down,
    ])))
    .claims([Claim::Causal, Claim::Saving, Claim::TimeShift, Claim::PriceScale, Claim::Heartbeat])
    .marks([Mark::DelayedMessage, Mark::Delivered("fill")])
}
