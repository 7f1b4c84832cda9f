//! The market pieces under made-up quotes and trades: a crossover strategy and its venue, with every fault, hold their promise.

use std::num::NonZeroU32;

use stillpoint_actors::{EmaCross, EmaCrossSettings, Instrument, InstrumentId, MarketEvent, PriceOf, Quantity, Quote, Venue};
use stillpoint_engine::{Duration, Link};
use stillpoint_sim_tests::{Claim, Determinism, Faults, Mark, Sample, World, scenarios};

fn crossover(world: &mut World<impl Sample>, price_of: PriceOf) -> (stillpoint_engine::Addr<Venue>, stillpoint_engine::Addr<EmaCross>) {
    let instrument = Instrument::new(InstrumentId(0), "MADE-UP");
    let venue = world.actor("venue", Venue::new(vec![instrument.clone()]));
    let [fast, slow] = [2, 4].map(|count| NonZeroU32::new(count).expect("above zero"));
    let settings = EmaCrossSettings { instrument, fast, slow, price_of, quantity: Quantity(200_000_000), limit: Quantity(100_000_000) };
    let strategy = EmaCross::new(settings, venue.recipient()).expect("a slow average that is slower");
    let strategy = world.actor("strategy", strategy);
    world.link("strategy", "venue", Link::latency(Duration::millis(30)));
    world.link("venue", "strategy", Link::latency(Duration::millis(50)));
    (venue, strategy)
}

#[test]
fn a_crossover_on_quotes_is_deterministic_and_causal() {
    Determinism::of(|world: &mut World<Quote>| {
        let (venue, strategy) = crossover(world, PriceOf::Quotes);
        world.hear(venue);
        world.hear(strategy);
    })
    .scenarios(scenarios().instruments(1..=2).streams(1..=3).events(10..=60).ties(0.3).faults(Faults::all()))
    .claims([Claim::Causal, Claim::TimeShift, Claim::PriceScale])
    .marks([Mark::DelayedMessage, Mark::Delivered("order"), Mark::Delivered("order-event")])
    .check();
}

#[test]
fn a_crossover_on_quotes_and_trades_in_one_stream_is_deterministic_and_causal() {
    Determinism::of(|world: &mut World<MarketEvent>| {
        let (venue, strategy) = crossover(world, PriceOf::Trades);
        world.hear(venue);
        world.hear(strategy);
    })
    .scenarios(scenarios().instruments(1..=1).streams(1..=2).events(10..=60).late(0.1).faults(Faults::all()))
    .claims([Claim::Causal, Claim::TimeShift, Claim::PriceScale])
    .marks([Mark::Delivered("order")])
    .check();
}
