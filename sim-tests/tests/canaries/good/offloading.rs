//! Fits a model in a job on another thread, from a copy of its data, and acts on the result when it is due.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Actor, Addr, Context, Duration, Handler, JobDone, JobId, Message, Saving};
use stillpoint_sim_tests::{Claim, Determinism, Faults, Mark, World, scenarios};

use crate::events::{Price, Say, Sink};

/// A line through the last prices: slope and offset, times the count.
#[derive(Clone, Copy, Debug, Hash, Serialize, Deserialize)]
struct Fitted {
    slope: i64,
    offset: i64,
}
impl Message for Fitted {
    const KIND: &'static str = "fitted";
}

#[derive(Serialize, Deserialize)]
struct Fitter {
    sink: Addr<Sink>,
    prices: VecDeque<i64>,
    job: Option<JobId>,
}

impl Actor for Fitter {
    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<Price>().job::<Fitted>())
    }
}

impl Handler<Price> for Fitter {
    fn handle(&mut self, price: &Price, ctx: &mut Context<'_, Self>) {
        self.prices.push_back(price.price);
        if self.prices.len() > 8 {
            self.prices.pop_front();
        }
        if self.job.is_some() {
            return;
        }
        let prices = self.prices.clone();
        self.job = Some(ctx.submit(Duration::millis(350), move || {
            let count = prices.len() as i64;
            let weighted = (0..).zip(&prices).map(|(index, price)| (2 * index + 1 - count) * price).sum::<i64>();
            Fitted { slope: weighted, offset: prices.iter().sum() }
        }));
    }
}

impl Handler<JobDone<Fitted>> for Fitter {
    fn handle(&mut self, done: &JobDone<Fitted>, ctx: &mut Context<'_, Self>) {
        self.job = None;
        let fitted = done.result.as_ref().expect("the fit divides by nothing");
        ctx.send(self.sink, Say(fitted.slope.signum() * fitted.offset));
    }
}

pub(crate) fn world() -> Determinism<Price> {
    Determinism::of(|world: &mut World<Price>| {
        let sink = world.actor("sink", Sink);
        world.add("fitter", Fitter { sink, prices: VecDeque::new(), job: None });
    })
    .scenarios(scenarios().streams(1..=2).faults(Faults::all()))
    .claims([Claim::Causal, Claim::Saving, Claim::TimeShift, Claim::PriceScale, Claim::Rename])
    .marks([Mark::Pending("fitted"), Mark::Delivered("say")])
}
