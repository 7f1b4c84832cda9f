//! The engine in a program of its own: a strategy, a venue 250 us away, four quotes.

use std::error::Error;

use stillpoint_actors::{EmaCross, EmaCrossSettings, Instrument, InstrumentId, Order, Price, PriceOf, Quantity, Quote, Venue};
use stillpoint_engine::{Duration, Instant, Link, Outcome, Rank, Simulation, Stream, Timed};

/// Replays the quotes and says what came of it.
pub(crate) fn run() -> Result<Outcome, Box<dyn Error>> {
    let instrument = Instrument::new(InstrumentId(0), "X");
    let one = Quantity(instrument.quantity_decimals.one());
    let quote = |(second, bid): (i64, i64)| {
        let (bid, ask) = (Price(bid * 100_000_000), Price((bid + 2) * 100_000_000));
        let value = Quote { instrument: InstrumentId(0), bid, ask, bid_quantity: one, ask_quantity: one };
        Timed { at: Instant::EPOCH + Duration::secs(second), value }
    };
    let quotes = [(0, 100), (1, 90), (2, 120), (3, 60)].map(quote).to_vec();

    let mut sim = Simulation::new("embedded");
    let quotes = sim.stream("quotes", Stream::from_vec(quotes))?;
    let venue = sim.actor("venue", Venue::new([instrument.clone()]))?;
    let strategy = sim.reserve::<EmaCross>("strategy", Rank::default())?;
    let (fast, slow) = (1.try_into()?, 2.try_into()?);
    let settings = EmaCrossSettings { instrument, fast, slow, price_of: PriceOf::Quotes, quantity: one, limit: one };
    sim.place(strategy, EmaCross::new(settings, venue.recipient::<Order>())?);
    sim.subscribe::<Quote, _>(venue, quotes);
    sim.subscribe::<Quote, _>(strategy, quotes);
    sim.link("strategy", "venue", Link::latency(Duration::micros(250)))?;
    sim.link("venue", "strategy", Link::latency(Duration::micros(250)))?;
    Ok(sim.run()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let outcome = run()?;
    println!("{} events, trace {}", outcome.events, outcome.trace_hash);
    println!("{:?}", outcome.report("strategy"));
    Ok(())
}
