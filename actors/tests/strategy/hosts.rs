//! Each strategy in a run with latencies and links: the same trace on every host, and after an interruption.

use std::num::NonZeroU32;

use stillpoint_actors::indicators::MacdPeriods;
use stillpoint_actors::strategies::{
    Breakout, BreakoutSettings, MaCross, MaCrossSettings, MacdRsi, MacdRsiSettings, MarketMaker, MarketMakerSettings, Pairs, PairsSettings,
    Twap, TwapSettings,
};
use stillpoint_actors::strategy::{
    BasisPoints, InstrumentLimits, OrderRate, RiskLimits, Route, SettingsError, Strategy, Trader, TraderSettings,
};
use stillpoint_actors::{Bar, BarMaker, BarPrice, BarSpan, Exchange, Latencies, Latency, Money, Price, Quantity, Quote, Side};
use stillpoint_engine::host::{Host, Launch};
use stillpoint_engine::{Duration, Link, Simulation, Stream, Timed};

use crate::kit::{X, Y, at, exchange, instrument, integer, x};

/// Two random walks: quotes of X and Y every 100 ns or so.
fn walks() -> Vec<Timed<Quote>> {
    let mut state = 7u64;
    let mut dice = move |sides: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % sides
    };
    let (mut now, mut mids) = (0, [1000i64, 2000]);
    let one = |_| {
        now += 50 + dice(100) as i64;
        let which = dice(2) as usize;
        mids[which] += dice(7) as i64 - 3;
        let (mid, bid_quantity, ask_quantity) = (mids[which], Quantity(1 + dice(9) as i64), Quantity(1 + dice(9) as i64));
        let instrument = [X, Y][which];
        Timed { at: at(now), value: Quote { instrument, bid: Price(mid - 1), bid_quantity, ask: Price(mid + 1), ask_quantity } }
    };
    (0..4000).map(one).collect()
}

fn build<S: Strategy>(make: impl Fn() -> Result<S, SettingsError>) -> Result<Simulation, Box<dyn std::error::Error + Send + Sync>> {
    let mut sim = Simulation::new("walks").start(at(0)).seed(5);
    let quotes = sim.stream("quotes", Stream::from_vec(walks()))?;
    let noisy = Latency::Uniform { least: Duration::nanos(10), most: Duration::nanos(150) };
    let latencies = Latencies { entry: noisy.clone(), response: noisy };
    let venue = sim.actor("exchange", exchange(&[x(), instrument(Y, "Y")], latencies))?;
    sim.subscribe::<Quote, Exchange>(venue, quotes);
    let bars = sim.actor("bars", BarMaker::new(X, BarSpan::Time(Duration::nanos(700)), BarPrice::Mid)?)?;
    sim.subscribe::<Quote, BarMaker>(bars, quotes);
    let limits = InstrumentLimits { max_order: Some(Quantity(50)), max_position: Some(Quantity(60)) };
    let routes = [x(), instrument(Y, "Y")].map(|instrument| Route { instrument, venue: venue.recipient(), limits }).to_vec();
    let limits = RiskLimits {
        max_open_orders: Some(10),
        max_orders: Some(OrderRate { count: NonZeroU32::new(20).ok_or("zero")?, within: Duration::micros(1) }),
        collar: Some(BasisPoints(500)),
        max_loss: Some(Money(100_000)),
    };
    let settings = TraderSettings { routes, limits, trade_from: Some(at(5_000)), trade_until: Some(at(390_000)), history: Vec::new() };
    let trader = sim.actor("trader", Trader::new(settings, make()?)?)?;
    sim.subscribe::<Quote, Trader<S>>(trader, quotes);
    sim.subscribe_to::<Bar, _, BarMaker>(trader, bars);
    for (one, other, nanos) in [("trader", "exchange", 40), ("trader", "bars", 20)] {
        let link = Link::latency(Duration::nanos(nanos)).jitter(Duration::nanos(30));
        sim.link(one, other, link.clone())?;
        sim.link(other, one, link)?;
    }
    Ok(sim)
}

/// At least so many orders, and the same run in every way.
fn check<S: Strategy>(least: i64, make: fn() -> Result<S, SettingsError>) {
    let build = move || build(make);
    let whole = build().expect("a simulation").run().expect("a run");
    let orders = integer(&whole, "trader", "orders");
    assert!(orders >= least, "only {orders} orders");
    assert_eq!(integer(&whole, "trader", "unknown") + integer(&whole, "trader", "open_orders"), 0);
    for host in [Host::Inline, Host::Actix { threads: 1 }, Host::Actix { threads: 2 }] {
        let ran = Launch::new(build).host(host).shards(3).run().expect("a run");
        assert_eq!((ran.trace_hash, ran.deliveries), (whole.trace_hash, whole.deliveries), "{host:?}");
        assert_eq!(ran.report("trader"), whole.report("trader"));
    }
    for stop in [0, 4_999, 5_000, 50_050, 123_456, 250_000, 389_999, 400_000] {
        let mut run = build().expect("a simulation").begin().expect("a run");
        run.until(at(stop));
        let snapshot = run.snapshot().expect("a snapshot");
        let rest = build().expect("a simulation").restore(&snapshot).expect("restored").finish().expect("a run");
        assert_eq!((rest.trace_hash, rest.deliveries), (whole.trace_hash, whole.deliveries), "interrupted at {stop}");
        assert_eq!(rest.report("trader"), whole.report("trader"));
    }
}

fn count(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).expect("not zero")
}

#[test]
fn market_maker() {
    check(30, || {
        let (quantity, limit) = (Quantity(4), Quantity(20));
        MarketMaker::new(MarketMakerSettings { instrument: X, quantity, limit, half_spread: Price(2), skew: Price(3), requote: Price(0) })
    });
}

#[test]
fn breakout() {
    check(10, || {
        Breakout::new(BreakoutSettings { instrument: X, quantity: Quantity(5), entry: count(6), exit: count(3), long_only: false })
    });
}

#[test]
fn macd_rsi() {
    check(10, || {
        let macd = MacdPeriods { fast: count(4), slow: count(9), signal: count(3) };
        let (quantity, rsi) = (Quantity(5), count(5));
        MacdRsi::new(MacdRsiSettings { instrument: X, quantity, macd, rsi, overbought: 80.0, oversold: 20.0, long_only: false })
    });
}

#[test]
fn ma_cross() {
    check(10, || MaCross::new(MaCrossSettings { instrument: X, quantity: Quantity(5), fast: count(3), slow: count(8), long_only: false }));
}

#[test]
fn pairs() {
    check(4, || {
        let every = Duration::nanos(500);
        Pairs::new(PairsSettings { y: X, x: Y, quantity: Quantity(6), period: count(40), every, entry: 1.5, exit: 0.5 })
    });
}

#[test]
fn twap() {
    check(20, || {
        let (side, quantity, every) = (Side::Sell, Quantity(50), Duration::micros(10));
        Twap::new(TwapSettings { instrument: X, side, quantity, slices: count(25), every, start: None, limit: None })
    });
}
