//! Buys when a short mean of prices rises above a long one, sells when it falls below; one a instrument, and whole numbers only.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Actor, Addr, Context, Handler, Report, Saving};
use stillpoint_sim_tests::{Claim, Determinism, Faults, World, scenarios};

use crate::events::{Price, Say, Sink};

#[derive(Serialize, Deserialize)]
struct Crossover {
    sink: Addr<Sink>,
    short: usize,
    long: usize,
    prices: BTreeMap<u32, VecDeque<i64>>,
    above: BTreeMap<u32, bool>,
    trades: i64,
}

impl Actor for Crossover {
    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<Price>())
    }

    fn report(&self, report: &mut Report) {
        report.integer("trades", self.trades);
    }
}

impl Handler<Price> for Crossover {
    fn handle(&mut self, price: &Price, ctx: &mut Context<'_, Self>) {
        let prices = self.prices.entry(price.instrument).or_default();
        prices.push_front(price.price);
        prices.truncate(self.long);
        if prices.len() < self.long {
            return;
        }
        let sum = |count: usize| prices.iter().take(count).sum::<i64>();
        // The means, each times both lengths.
        let above = sum(self.short) * self.long as i64 > sum(self.long) * self.short as i64;
        if self.above.insert(price.instrument, above).is_some_and(|before| before != above) {
            self.trades += 1;
            ctx.send(self.sink, Say(if above { 1 } else { -1 }));
        }
    }
}

pub(crate) fn world() -> Determinism<Price> {
    Determinism::of(|world: &mut World<Price>| {
        let sink = world.actor("sink", Sink);
        let (prices, above) = (BTreeMap::new(), BTreeMap::new());
        world.add("crossover", Crossover { sink, short: 2, long: 4, prices, above, trades: 0 });
    })
    .scenarios(scenarios().instruments(1..=3).streams(1..=4).events(5..=40).ties(0.3).faults(Faults::all()))
    .claims([Claim::Causal, Claim::Saving, Claim::TimeShift, Claim::PriceScale, Claim::Rename])
}
