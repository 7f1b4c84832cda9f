//! Keeps a book per instrument in maps of fixed order, with children that live for a while, and tells all of it in its report.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Actor, Addr, Context, Duration, Handler, Report, Saving};
use stillpoint_sim_tests::{Claim, Determinism, Faults, Mark, World, scenarios};

use crate::events::{Price, Say, Sink};

#[derive(Serialize, Deserialize)]
struct Books {
    sink: Addr<Sink>,
    books: BTreeMap<u32, BTreeMap<i64, u32>>,
    watched: BTreeSet<u32>,
}

impl Actor for Books {
    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<Price>().child::<Watcher>())
    }

    fn report(&self, report: &mut Report) {
        for (instrument, book) in &self.books {
            let busiest = book.iter().max_by_key(|(_, count)| **count).map_or(0, |(price, _)| *price);
            report.integer(&format!("busiest of {instrument}"), busiest);
        }
        report.number("mean levels", self.books.values().map(BTreeMap::len).sum::<usize>() as f64 / self.books.len().max(1) as f64);
    }
}

impl Handler<Price> for Books {
    fn handle(&mut self, price: &Price, ctx: &mut Context<'_, Self>) {
        *self.books.entry(price.instrument).or_default().entry(price.price).or_default() += 1;
        for (instrument, book) in &self.books {
            if let Some((best, _)) = book.last_key_value()
                && *instrument != price.instrument
            {
                ctx.send(self.sink, Say(*best));
            }
        }
        if self.watched.insert(price.instrument) {
            let watcher = ctx.spawn(Watcher { sink: self.sink });
            ctx.send_after(watcher, Duration::millis(400), Say(price.price));
        }
    }
}

/// Says one thing and is gone.
#[derive(Serialize, Deserialize)]
struct Watcher {
    sink: Addr<Sink>,
}

impl Actor for Watcher {
    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<Say>())
    }
}

impl Handler<Say> for Watcher {
    fn handle(&mut self, said: &Say, ctx: &mut Context<'_, Self>) {
        ctx.send(self.sink, *said);
        ctx.stop();
    }
}

pub(crate) fn world() -> Determinism<Price> {
    Determinism::of(|world: &mut World<Price>| {
        let sink = world.actor("sink", Sink);
        world.add("books", Books { sink, books: BTreeMap::new(), watched: BTreeSet::new() });
    })
    .scenarios(scenarios().instruments(1..=4).streams(1..=4).faults(Faults::all()))
    .claims([Claim::Causal, Claim::Saving, Claim::TimeShift, Claim::PriceScale])
    .marks([Mark::DelayedMessage])
}
