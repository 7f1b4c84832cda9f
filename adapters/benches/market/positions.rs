//! Many open positions while quotes come for one of them: at an exchange, at a trader whose loss is limited, and in a portfolio.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stillpoint_actors::portfolio::{Contract, Currency, CurrencyId, Fill, Keeping, Leg, Portfolio, PortfolioActor};
use stillpoint_actors::strategy::{Desk, InstrumentLimits, RiskLimits, Route, Strategy, TimerTag, Trader, TraderSettings};
use stillpoint_actors::{
    Decimals, Exchange, ExchangeSettings, Instrument, InstrumentId, Listing, MarketRules, Money, Price, Quantity, Quote, Side, Venue,
};
use stillpoint_engine::{Duration, Instant, Simulation, Stream, Timed};

use crate::measure::Ready;

const DOLLAR: CurrencyId = CurrencyId(0);

/// Buys one of everything a second after the start, and keeps it.
#[derive(Serialize, Deserialize)]
struct Holder(u32);

impl Strategy for Holder {
    fn on_start(&mut self, desk: &mut Desk<'_>) {
        desk.notify_after(Duration::secs(1), TimerTag(0));
    }

    fn on_timer(&mut self, _: TimerTag, desk: &mut Desk<'_>) {
        for instrument in 0..self.0 {
            desk.buy(InstrumentId(instrument), Quantity(1)).expect("no limit is near");
        }
    }
}

fn decimals(count: u8) -> Decimals {
    Decimals::new(count).expect("at most 18")
}

fn portfolio(positions: u32) -> Portfolio {
    let mut portfolio = Portfolio::new(Keeping::Netting);
    portfolio.add_currency(DOLLAR, Currency { code: "USD".into(), decimals: decimals(8) }).expect("a new currency");
    for instrument in 0..positions {
        let instrument = InstrumentId(instrument);
        portfolio.add_contract(instrument, Contract::spot(DOLLAR, decimals(2), decimals(0))).expect("a new contract");
        let (leg, side, quantity, price) = (Leg::Net, Side::Buy, Quantity(1), Price(10_000));
        portfolio.fill(&Fill { instrument, leg, side, quantity, price, fee: (DOLLAR, 0) }).expect("a fill");
    }
    portfolio
}

/// A quote of every instrument at the start, then `count` of one.
fn quotes(positions: u32, count: u64) -> Arc<[Timed<Quote>]> {
    let quote = |at: i64, instrument: u32, bid: i64| {
        let (instrument, quantity) = (InstrumentId(instrument), Quantity(100));
        let value = Quote { instrument, bid: Price(bid), bid_quantity: quantity, ask: Price(bid + 2), ask_quantity: quantity };
        Timed { at: Instant::from_nanos(at), value }
    };
    let all = (0..positions).map(|instrument| quote(1, instrument, 10_000));
    let one = (0..count as i64).map(|index| quote(2_000_000_000 + index * 1_000, positions / 2, 10_000 + index % 7));
    all.chain(one).collect()
}

/// `count` quotes with so many open positions.
pub(crate) fn engine(positions: u32, count: u64) -> Ready {
    let mut sim = Simulation::new("positions").start(Instant::EPOCH);
    let instrument = |id| Instrument::new(InstrumentId(id), format!("X{id}")).with_decimals(decimals(2), decimals(0));
    let instruments: Vec<Instrument> = (0..positions).map(instrument).collect();
    let listings = instruments.iter().map(|instrument| Listing { instrument: instrument.clone(), rules: MarketRules::default() });
    let exchange = Exchange::new(ExchangeSettings { listings: listings.collect(), ..ExchangeSettings::default() }).expect("good settings");
    let exchange = sim.actor("exchange", exchange).expect("a free name");
    let venue = sim.actor("venue", Venue::new(instruments.iter().cloned())).expect("a free name");
    let (venue_of, limits) = (exchange.recipient(), InstrumentLimits::default());
    let routes = instruments.into_iter().map(|instrument| Route { instrument, venue: venue_of, limits }).collect();
    let limits = RiskLimits { max_loss: Some(Money(i128::MAX / 4)), ..RiskLimits::default() };
    let settings = TraderSettings { routes, limits, ..TraderSettings::default() };
    let trader = sim.actor("trader", Trader::new(settings, Holder(positions)).expect("good settings")).expect("a free name");
    let portfolio = PortfolioActor::new(portfolio(positions), DOLLAR, None).expect("a known currency");
    let portfolio = sim.actor("portfolio", portfolio).expect("a free name");
    let stream = sim.stream("quotes", Stream::from_shared(quotes(positions, count))).expect("a free name");
    sim.subscribe::<Quote, _>(exchange, stream);
    sim.subscribe::<Quote, _>(venue, stream);
    sim.subscribe::<Quote, _>(trader, stream);
    sim.subscribe::<Quote, _>(portfolio, stream);
    let mut run = sim.begin().expect("a simulation that can begin");
    run.until(Instant::from_nanos(1_999_999_999));
    let held = run.actor(trader).expect("a trader that lives").blotter().accounts().iter().filter(|account| account.held().0 == 1).count();
    assert_eq!(held, positions as usize, "positions that are open");
    let last = Instant::from_nanos(2_000_000_000 + count as i64 * 1_000);
    // Without its end, when everybody reports each position.
    Box::new(move || {
        run.until(last);
        run.progress().events - u64::from(positions)
    })
}
