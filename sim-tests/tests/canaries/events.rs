//! What the strategies of these tests hear, and whom they tell what they decide.

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Actor, Addr, Context, Handler, Instant, Message, Saving};
use stillpoint_sim_tests::{Determinism, Draft, Sample};

/// A price of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Price {
    pub(crate) instrument: u32,
    pub(crate) price: i64,
}

impl Message for Price {
    const KIND: &'static str = "price";
}

impl Sample for Price {
    const SCRIPT: &'static str = "script_prices";

    fn sample(draft: Draft) -> Self {
        Self { instrument: draft.instrument, price: draft.price }
    }

    fn simpler(&self) -> Vec<Self> {
        let simpler = [Self { instrument: 0, price: 1 }, Self { instrument: 0, ..*self }, Self { price: 100, ..*self }];
        simpler.into_iter().take_while(|simpler| simpler != self).collect()
    }

    fn scaled(&self, power: u32) -> Option<Self> {
        Some(Self { price: self.price << power, ..*self })
    }

    fn renamed(&self, by: u32) -> Option<Self> {
        Some(Self { instrument: self.instrument + by, ..*self })
    }

    fn heartbeat(&self) -> Option<Self> {
        Some(*self)
    }
}

/// Makes the test of a strategy.
pub(crate) type World = fn() -> Determinism<Price>;

/// What was decided.
#[derive(Clone, Copy, Debug, Hash, Serialize, Deserialize)]
pub(crate) struct Say(pub(crate) i64);

impl Message for Say {
    const KIND: &'static str = "say";
}

/// Hears what was decided.
#[derive(Serialize, Deserialize)]
pub(crate) struct Sink;

impl Actor for Sink {
    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<Say>())
    }
}

impl Handler<Say> for Sink {
    fn handle(&mut self, _: &Say, _: &mut Context<'_, Self>) {}
}

/// What to say about a price that comes at an instant.
pub(crate) type Decide = Box<dyn FnMut(&Price, Instant) -> Option<i64> + Send>;

/// A strategy that is one function, and does not say the same twice in a row.
struct Strategy {
    sink: Addr<Sink>,
    decide: Decide,
    said: Option<i64>,
}

impl Actor for Strategy {}

impl Handler<Price> for Strategy {
    fn handle(&mut self, price: &Price, ctx: &mut Context<'_, Self>) {
        if let Some(said) = (self.decide)(price, ctx.now())
            && self.said.replace(said) != Some(said)
        {
            ctx.send(self.sink, Say(said));
        }
    }
}

/// A world of one such strategy, which `make` makes anew for each run.
pub(crate) fn deciding(make: impl Fn(&stillpoint_sim_tests::World<Price>) -> Decide + Send + Sync + 'static) -> Determinism<Price> {
    Determinism::of(move |world: &mut stillpoint_sim_tests::World<Price>| {
        let decide = make(world);
        let sink = world.actor("sink", Sink);
        world.add("strategy", Strategy { sink, decide, said: None });
    })
}
