//! Pairs of moving averages on the daily bars of GOOG, each a trader in a run of the kernel. Invariant: what a pair comes to does not depend on
//! which others are in its run.
//!
//! A stream tells the bars to the traders, another one, a nanosecond before, the closes to an exchange. So an order that is sent at a close is
//! filled at it, whole: what is displayed is more than all traders together can take.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use stillpoint_actors::strategies::{MaCross, MaCrossSettings};
use stillpoint_actors::strategy::{InstrumentLimits, Route, Trader, TraderSettings};
use stillpoint_actors::{Bar, Exchange, ExchangeSettings, Instrument, InstrumentId, Listing, MarketRules, Money, Price, Quantity, Quote};
use stillpoint_adapters::{CsvReader, CsvSettings, TimeFormat};
use stillpoint_engine::{Addr, Instant, Simulation, Source, Stream, Timed};

/// Periods of a fast and a slow average.
pub(crate) type Pair = (u32, u32);

/// What each pair holds when it holds something: one share.
pub(crate) const QUANTITY: Quantity = Quantity(100_000_000);

/// All pairs of 45 periods.
pub(crate) fn pairs() -> Vec<Pair> {
    (10..55).flat_map(|fast| (fast + 1..55).map(move |slow| (fast, slow))).collect()
}

fn instrument() -> Instrument {
    Instrument::new(InstrumentId(0), "GOOG")
}

/// The bars, and their closes as quotes.
#[derive(Clone)]
pub(crate) struct Daily {
    pub(crate) bars: Arc<[Timed<Bar>]>,
    pub(crate) closes: Arc<[Timed<Quote>]>,
}

pub(crate) fn daily() -> Daily {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/data/daily/goog.csv.gz");
    let format: TimeFormat = "%Y-%m-%d".parse().expect("a pattern");
    let mut settings = CsvSettings::new(path, instrument(), "Date", format);
    for (field, column) in [("open", "Open"), ("high", "High"), ("low", "Low"), ("close", "Close"), ("volume", "Volume")] {
        settings.columns.insert(field.into(), column.into());
    }
    let mut reader = CsvReader::<Bar>::open(&settings).expect("the shipped bars");
    let mut bars = Vec::new();
    while reader.read(4096, &mut bars).expect("the shipped bars") {}
    let close = |Timed { at, value }: &Timed<Bar>| {
        let Bar { instrument, close, .. } = *value;
        let plenty = Quantity(1 << 60);
        let before = Instant::from_nanos(at.as_nanos() - 1);
        Timed { at: before, value: Quote { instrument, bid: close, bid_quantity: plenty, ask: close, ask_quantity: plenty } }
    };
    Daily { closes: bars.iter().map(close).collect(), bars: bars.into() }
}

/// Runs these pairs together: the equity of each at the last close, in units of the 16th decimal, and how many fills there were.
pub(crate) fn run(daily: &Daily, pairs: &[Pair]) -> (Vec<i128>, u64) {
    let mut sim = Simulation::new("pairs");
    let exchange = Exchange::new(ExchangeSettings {
        listings: vec![Listing { instrument: instrument(), rules: MarketRules::default() }],
        ..ExchangeSettings::default()
    });
    let exchange = sim.actor("exchange", exchange.expect("good settings")).expect("a free name");
    let closes = sim.stream("closes", Stream::from_shared(daily.closes.clone())).expect("a free name");
    sim.subscribe::<Quote, _>(exchange, closes);
    let bars = sim.stream("bars", Stream::from_shared(daily.bars.clone())).expect("a free name");
    let traders: Vec<Addr<Trader<MaCross>>> = pairs
        .iter()
        .map(|(fast, slow)| {
            let [fast, slow] = [*fast, *slow].map(|count| NonZeroU32::new(count).expect("not zero"));
            let (instrument, quantity) = (InstrumentId(0), QUANTITY);
            let strategy = MaCross::new(MaCrossSettings { instrument, quantity, fast, slow, long_only: true }).expect("good settings");
            let route = Route { instrument: self::instrument(), venue: exchange.recipient(), limits: InstrumentLimits::default() };
            let trader = Trader::new(TraderSettings { routes: vec![route], ..TraderSettings::default() }, strategy);
            let trader = sim.actor(&format!("{fast}-{slow}"), trader.expect("good settings")).expect("a free name");
            sim.subscribe::<Bar, _>(trader, bars);
            trader
        })
        .collect();
    let mut run = sim.begin().expect("a simulation that can begin");
    let last = daily.bars.last().expect("bars");
    run.until(last.at);
    let mut fills = 0;
    let equities = traders.iter().map(|trader| {
        let trader = run.actor(*trader).expect("a trader that lives");
        let blotter = trader.blotter();
        fills += blotter.counts().fills;
        let account = &blotter.accounts()[0];
        account.cash().0 + Money::of(last.value.close, account.held()).0
    });
    let equities = equities.collect();
    let outcome = run.finish().expect("a run without errors");
    assert_eq!(outcome.events, 2 * daily.bars.len() as u64);
    (equities, fills)
}

/// What a pair comes to, in whole numbers, without an engine, an exchange or an average: sums of closes from the first one on.
pub(crate) fn naive(closes: &[i64], (fast, slow): Pair) -> i128 {
    let mut sums = vec![0i128];
    for close in closes {
        sums.push(sums[sums.len() - 1] + i128::from(*close));
    }
    let (mut cash, mut held, mut above) = (0i128, 0i128, None);
    for day in slow as usize..=closes.len() {
        let sum = |count: u32| sums[day] - sums[day - count as usize];
        let (fast, slow) = (sum(fast) * i128::from(slow), sum(slow) * i128::from(fast));
        if fast == slow {
            continue;
        }
        let target = if fast > slow { i128::from(QUANTITY.0) } else { 0 };
        if above.replace(fast > slow) == Some(fast < slow) {
            cash -= (target - held) * i128::from(closes[day - 1]);
            held = target;
        }
    }
    cash + held * i128::from(closes[closes.len() - 1])
}

/// The closes of the bars.
pub(crate) fn closes(daily: &Daily) -> Vec<i64> {
    daily.bars.iter().map(|bar| bar.value.close).map(|Price(close)| close).collect()
}
