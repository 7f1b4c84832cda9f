//! Changes of depth by price of recorded markets through an exchange with models of queues and latency and strategies that trade there. A row is
//! one change of one level; trades and best prices, which are delivered too, are not counted.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stillpoint_actors::strategies::{MarketMaker, MarketMakerSettings};
use stillpoint_actors::strategy::{Desk, InstrumentLimits, Route, Strategy, TimerTag, Trader, TraderSettings};
use stillpoint_actors::{
    BookKind, ContractKind, Decimals, DepthUpdate, Exchange, ExchangeSettings, Instrument, InstrumentId, Latencies, Latency, Listing,
    MarketRules, OrderKind, Price, PriceBook, Quantity, QueueModel, Quote, Side, TimeInForce, Trade,
};
use stillpoint_adapters::{Fed, FeedReader, FeedSettings};
use stillpoint_engine::{Addr, Duration, Every, Message, Simulation, Source, Stream, Timed, Value, digest_of};

use crate::measure::Ready;

/// A recorded market in memory, and how a strategy quotes in it.
#[derive(Clone)]
pub(crate) struct Asset {
    instrument: Instrument,
    depth: Arc<[Timed<DepthUpdate>]>,
    quotes: Arc<[Timed<Quote>]>,
    trades: Arc<[Timed<Trade>]>,
    quantity: i64,
    /// Half the spread, in ticks.
    half_spread: i64,
}

/// File, decimals of prices and quantities, tick, contract, then quantity and half spread of a strategy.
type Row = (&'static str, u8, u8, i64, (ContractKind, i64), i64, i64);

const FILES: [Row; 4] = [
    ("usdm_btcusdt_20240808.gz", 2, 3, 10, (ContractKind::Linear, 1), 10, 20),
    ("usdm_ethusdt_20240808.gz", 2, 3, 1, (ContractKind::Linear, 1), 100, 15),
    ("cm_btcusd_perp_20240808.gz", 1, 0, 1, (ContractKind::Inverse, 100), 10, 20),
    ("cm_ethusd_perp_20240808.gz", 2, 0, 1, (ContractKind::Inverse, 10), 10, 15),
];

fn read<M: Fed + Clone>(path: &Path, instrument: &Instrument) -> Arc<[Timed<M>]> {
    let mut reader = FeedReader::<M>::open(&FeedSettings::new(path, instrument.clone())).expect("a recording");
    let mut items = Vec::new();
    while reader.read(65_536, &mut items).expect("a recording") {}
    items.into()
}

/// The first `count` markets. `None` where there is no data.
pub(crate) fn assets(data: Option<&PathBuf>, count: usize) -> Option<Vec<Asset>> {
    let data = data?;
    let asset = |(id, (file, price, quantity, tick, (contract, multiplier), order, half_spread)): (u32, Row)| {
        let decimals = |count| Decimals::new(count).expect("at most 18");
        let instrument = Instrument::new(InstrumentId(id), file)
            .with_decimals(decimals(price), decimals(quantity))
            .with_steps(Price(tick), Quantity(1))
            .with_contract(contract, multiplier);
        let path = data.join(file);
        let (depth, quotes, trades) = (read(&path, &instrument), read(&path, &instrument), read(&path, &instrument));
        Asset { instrument, depth, quotes, trades, quantity: order, half_spread }
    };
    Some((0..).zip(FILES).take(count).map(asset).collect())
}

/// What trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trading {
    /// One order a side.
    Maker,
    /// Ten orders a side, looked at every 100 ms.
    Grid,
}

/// The engine's side.
pub(crate) fn engine(assets: &[Asset], trading: Trading) -> Ready {
    let end = assets.iter().filter_map(|asset| asset.depth.last()).map(|last| last.at).max().expect("rows");
    let mut sim = Simulation::new("depth").seed(1).until(end);
    let rules = MarketRules { book: BookKind::L2, queue: QueueModel::Power { n: 3.0 }, ..MarketRules::default() };
    let latency = |micros| Latency::Uniform { least: Duration::micros(micros), most: Duration::micros(2 * micros) };
    let settings = ExchangeSettings {
        listings: assets.iter().map(|asset| Listing { instrument: asset.instrument.clone(), rules: rules.clone() }).collect(),
        latencies: Latencies { entry: latency(2_000), response: latency(1_000) },
        ..ExchangeSettings::default()
    };
    let exchange = sim.actor("exchange", Exchange::new(settings).expect("good settings")).expect("a free name");
    let mut rows = 0;
    for asset in assets {
        let Asset { instrument, depth, quotes, trades, .. } = asset;
        let name = |what: &str| format!("{what}-{}", instrument.id.0);
        rows += depth.len() as u64;
        let depth = sim.stream(&name("depth"), Stream::from_shared(depth.clone())).expect("a free name");
        sim.subscribe::<DepthUpdate, _>(exchange, depth);
        let trades = sim.stream(&name("trades"), Stream::from_shared(trades.clone())).expect("a free name");
        sim.subscribe::<Trade, _>(exchange, trades);
        let quotes = sim.stream(&name("quotes"), Stream::from_shared(quotes.clone())).expect("a free name");
        match trading {
            Trading::Maker => {
                let trader = trader(&mut sim, &name("maker"), asset, exchange, maker(asset));
                sim.subscribe::<Quote, _>(trader, quotes);
            }
            Trading::Grid => {
                let trader = trader(&mut sim, &name("grid"), asset, exchange, Grid::new(asset));
                sim.subscribe::<Quote, _>(trader, quotes);
            }
        }
    }
    let mut run = Some(sim.begin().expect("a simulation that can begin"));
    Box::new(move || {
        let outcome = run.take().expect("it is called once").finish().expect("a run without errors");
        let fills = outcome.report("exchange").and_then(|report| report.get("fills"));
        assert!(matches!(fills, Some(Value::Integer(10..))), "nothing was traded: {:?}", outcome.report("exchange"));
        rows
    })
}

fn trader<S: Strategy>(sim: &mut Simulation, name: &str, asset: &Asset, exchange: Addr<Exchange>, strategy: S) -> Addr<Trader<S>> {
    let limits = InstrumentLimits { max_position: Some(Quantity(20 * asset.quantity)), max_order: None };
    let route = Route { instrument: asset.instrument.clone(), venue: exchange.recipient(), limits };
    let trader = Trader::new(TraderSettings { routes: vec![route], ..TraderSettings::default() }, strategy);
    sim.actor(name, trader.expect("good settings")).expect("a free name")
}

fn maker(asset: &Asset) -> MarketMaker {
    let Asset { instrument, quantity, half_spread, .. } = asset;
    let half_spread = Price(half_spread * instrument.tick_size.0);
    let settings = MarketMakerSettings {
        instrument: instrument.id,
        quantity: Quantity(*quantity),
        limit: Quantity(5 * quantity),
        half_spread,
        skew: half_spread,
        requote: instrument.tick_size,
    };
    MarketMaker::new(settings).expect("good settings")
}

/// Keeps post-only orders at ten prices of a grid on each side of the mid, shifted against what it holds.
#[derive(Serialize, Deserialize)]
struct Grid {
    instrument: InstrumentId,
    quantity: Quantity,
    /// From order to order, and half of what is between the sides.
    step: i64,
}

impl Grid {
    fn new(asset: &Asset) -> Self {
        let step = asset.half_spread * asset.instrument.tick_size.0;
        Self { instrument: asset.instrument.id, quantity: Quantity(asset.quantity), step }
    }

    /// The prices to quote on a side, the best one first: none beyond the most it holds.
    fn wanted(&self, side: Side, quote: &Quote, held: i64) -> BTreeSet<Price> {
        let centre = (quote.bid.0 + quote.ask.0) / 2 - held * self.step / (10 * self.quantity.0);
        let (best, away, room) = match side {
            Side::Buy => ((centre - self.step).min(quote.bid.0).div_euclid(self.step) * self.step, -self.step, 10 * self.quantity.0 - held),
            Side::Sell => {
                (-(-(centre + self.step).max(quote.ask.0)).div_euclid(self.step) * self.step, self.step, 10 * self.quantity.0 + held)
            }
        };
        let orders = (room / self.quantity.0).clamp(0, 10);
        (0..orders).map(|order| Price(best + order * away)).collect()
    }

    fn place(&self, side: Side, mut wanted: BTreeSet<Price>, desk: &mut Desk<'_>) {
        let mut stale = Vec::new();
        for order in desk.orders().iter().filter(|order| order.side == side) {
            let is_wanted = order.limit().is_some_and(|limit| wanted.remove(&limit));
            if !is_wanted && !order.cancelling {
                stale.push(order.id);
            }
        }
        stale.into_iter().for_each(|id| _ = desk.cancel(id));
        for price in wanted {
            _ = desk.submit(self.instrument, side, self.quantity, OrderKind::Limit(price), TimeInForce::Gtx);
        }
    }
}

impl Strategy for Grid {
    fn on_start(&mut self, desk: &mut Desk<'_>) {
        let interval = Duration::millis(100);
        desk.notify_every(Every::from(desk.now() + interval, interval), TimerTag(0));
    }

    fn on_timer(&mut self, _: TimerTag, desk: &mut Desk<'_>) {
        let Some(quote) = desk.quote(self.instrument).filter(|quote| quote.mid().is_some()).copied() else { return };
        let held = desk.held(self.instrument).0;
        for side in [Side::Buy, Side::Sell] {
            let wanted = self.wanted(side, &quote, held);
            self.place(side, wanted, desk);
        }
    }
}

/// A book by price for each market, one market after the other, and the engine's own digest of each delivery.
pub(crate) fn floor(assets: &[Asset]) -> Ready {
    let assets = assets.to_vec();
    Box::new(move || {
        let (mut chain, mut rows) = (0u64, 0);
        for Asset { depth, quotes, trades, .. } in &assets {
            let mut book = PriceBook::default();
            for Timed { at, value } in depth.iter() {
                chain = digest_of(&(chain, at.as_nanos(), value));
                book.apply(value.change);
            }
            black_box(book.best(Side::Buy));
            chain = digests(chain, quotes);
            chain = digests(chain, trades);
            rows += depth.len() as u64;
        }
        black_box(chain);
        rows
    })
}

fn digests<M: Message + std::hash::Hash>(chain: u64, items: &[Timed<M>]) -> u64 {
    items.iter().fold(chain, |chain, Timed { at, value }| digest_of(&(chain, at.as_nanos(), value)))
}
