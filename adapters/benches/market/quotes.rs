//! Quotes through crossovers and a venue that is 250 us away. An event is a quote, which the venue and every strategy gets.

use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::Arc;

use stillpoint_actors::indicators::{Indicator, Seed};
use stillpoint_actors::{Ema, EmaCross, EmaCrossSettings, Instrument, InstrumentId, Price, PriceOf, Quantity, Quote, Venue};
use stillpoint_engine::{Duration, Instant, Link, Simulation, Stream, Timed, digest_of};

use crate::measure::Ready;

/// Periods of a crossover.
pub(crate) type Periods = (u32, u32);

pub(crate) const ONE: [Periods; 1] = [(50, 200)];
pub(crate) const THREE: [Periods; 3] = [(20, 80), (50, 200), (200, 800)];

/// A random walk of an instrument's quotes, in the time and steps of a busy market, as one piece of memory.
pub(crate) fn walk(count: u64) -> Arc<[Timed<Quote>]> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut below = move |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % bound
    };
    let (mut at, mut bid) = (0, 8_700_000);
    let quote = |_| {
        at += 1 + below(10_000_000) as i64;
        bid += below(21) as i64 - 10;
        let [bid_quantity, ask_quantity] = [1 + below(100), 1 + below(100)].map(|units| Quantity(units as i64 * 100));
        let value = Quote { instrument: InstrumentId(0), bid: Price(bid), bid_quantity, ask: Price(bid + 1), ask_quantity };
        Timed { at: Instant::from_nanos(at), value }
    };
    (0..count as usize).map(quote).collect()
}

fn periods(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).expect("not zero")
}

/// The engine's side.
pub(crate) fn engine(quotes: Arc<[Timed<Quote>]>, strategies: &[Periods]) -> Ready {
    let count = quotes.len() as u64;
    let mut sim = Simulation::new("quotes").start(Instant::EPOCH);
    let instrument = Instrument::new(InstrumentId(0), "X");
    let venue = sim.actor("venue", Venue::new([instrument.clone()])).expect("a free name");
    let stream = sim.stream("quotes", Stream::from_shared(quotes)).expect("a free name");
    sim.subscribe::<Quote, _>(venue, stream);
    for (number, (fast, slow)) in strategies.iter().enumerate() {
        let (fast, slow, quantity) = (periods(*fast), periods(*slow), Quantity(200));
        let instrument = instrument.clone();
        let settings = EmaCrossSettings { instrument, fast, slow, price_of: PriceOf::Quotes, quantity, limit: Quantity(100) };
        let strategy = EmaCross::new(settings, venue.recipient()).expect("good settings");
        let name = format!("cross-{number}");
        let strategy = sim.actor(&name, strategy).expect("a free name");
        sim.subscribe::<Quote, _>(strategy, stream);
        for (from, to) in [(name.as_str(), "venue"), ("venue", name.as_str())] {
            sim.link(from, to, Link::latency(Duration::micros(250))).expect("a link");
        }
    }
    let deliveries = count * (1 + strategies.len() as u64);
    let mut run = sim.begin().expect("a simulation that can begin");
    run.until(Instant::EPOCH);
    let mut run = Some(run);
    Box::new(move || {
        let outcome = run.take().expect("it is called once").finish().expect("a run without errors");
        let orders = outcome.deliveries - deliveries;
        assert!(count < 10_000 || orders > count / 2_000, "{orders} orders and answers for {count} quotes: nothing was traded");
        outcome.events
    })
}

/// The same averages in a loop, with the engine's own digest of each delivery.
pub(crate) fn floor(quotes: Arc<[Timed<Quote>]>, strategies: &[Periods]) -> Ready {
    let average = |count: u32| Ema::new(periods(count), Seed::FirstValue);
    let mut averages: Vec<_> = strategies.iter().map(|(fast, slow)| (average(*fast), average(*slow))).collect();
    Box::new(move || {
        let mut chain = 0u64;
        for Timed { at, value } in quotes.iter() {
            chain = digest_of(&(chain, at.as_nanos(), value));
            let Some(mid) = value.mid() else { continue };
            for (fast, slow) in &mut averages {
                fast.advance(mid);
                slow.advance(mid);
                chain = digest_of(&(chain, at.as_nanos(), value));
            }
        }
        black_box((chain, &averages));
        quotes.len() as u64
    })
}
