//! Random worlds: an exchange with rules, latencies and a feed, strategies with plans, and mostly a portfolio before some of them.

use proptest::prelude::*;
use stillpoint_actors::portfolio::{
    Contract, Currency, CurrencyId, Keeping, Margin, MarginMode, Parts, Portfolio, PortfolioActor, PortfolioRoute,
};
use stillpoint_actors::{
    Amendment, BookChange, BookKind, BookOrderId, BookUpdate, Decimals, DepthChange, DepthUpdate, Exchange, ExchangeSettings, FeeRate,
    FeeSchedule, FeeTier, Impact, Instrument, InstrumentId, Latencies, Latency, Listing, MarketRules, OrderAction, OrderId, OrderKind,
    Price, Quantity, QueueModel, Quote, SelfTrade, Side, Ticket, TimeInForce, Trade, TradeId, TrailBy, TriggerBy,
};
use stillpoint_engine::{BuildError, Duration, Instant, Link, Simulation, Stream, Timed};

use crate::trader::Trader;

pub(crate) const X: InstrumentId = InstrumentId(0);
const DOLLAR: CurrencyId = CurrencyId(0);
/// What is paid in, in whole dollars; amounts have four decimals more.
pub(crate) const CASH: i64 = 400;
/// Plans and feeds end about here, in nanoseconds. Instants are multiples of [`TICK`], so that many tie.
const END: i64 = 400;
const TICK: i64 = 5;
pub(crate) const NAMES: [&str; 4] = ["ann", "bob", "cid", "dot"];

/// One item of a recording.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item {
    Quote(Quote),
    Depth(DepthUpdate),
    Book(BookUpdate),
    Trade(Trade),
}

/// A strategy: how far away it is, whether it trades through the portfolio, and what it does.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) distance: i64,
    pub(crate) through_portfolio: bool,
    pub(crate) steps: Vec<(i64, OrderAction)>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Account {
    pub(crate) keeping: Keeping,
    pub(crate) mode: MarginMode,
    /// From its strategies, in nanoseconds: often none.
    pub(crate) distance: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct World {
    seed: u64,
    rules: MarketRules,
    latencies: Latencies,
    pub(crate) feed: Vec<(i64, Item)>,
    pub(crate) account: Option<Account>,
    pub(crate) plans: Vec<Plan>,
}

fn at(nanos: i64) -> Instant {
    Instant::from_nanos(nanos)
}

fn none() -> Decimals {
    Decimals::new(0).expect("at most 18")
}

fn side() -> impl Strategy<Value = Side> + Clone {
    prop_oneof![Just(Side::Buy), Just(Side::Sell)]
}

fn price() -> impl Strategy<Value = Price> + Clone {
    (95i64..106).prop_map(Price)
}

fn quantity() -> impl Strategy<Value = Quantity> + Clone {
    (1i64..10).prop_map(Quantity)
}

fn instant() -> impl Strategy<Value = i64> + Clone {
    (0..END / TICK).prop_map(|tick| tick * TICK)
}

fn ticket() -> impl Strategy<Value = Ticket> + Clone {
    let kind = prop_oneof![
        2 => Just(OrderKind::Market),
        5 => price().prop_map(OrderKind::Limit),
        1 => price().prop_map(|trigger| OrderKind::Stop { trigger }),
        1 => (price(), price()).prop_map(|(trigger, limit)| OrderKind::StopLimit { trigger, limit }),
        1 => (1i64..4).prop_map(|by| OrderKind::TrailingStop(TrailBy::Price(Price(by)))),
        1 => (50u32..300).prop_map(|by| OrderKind::TrailingStop(TrailBy::BasisPoints(by))),
        1 => (price(), 1i64..4).prop_map(|(limit, display)| OrderKind::Iceberg { limit, display: Quantity(display) }),
    ];
    let force = prop_oneof![
        5 => Just(TimeInForce::Gtc),
        1 => Just(TimeInForce::Ioc),
        1 => Just(TimeInForce::Fok),
        1 => Just(TimeInForce::Gtx),
        1 => instant().prop_map(|until| TimeInForce::Gtd(at(until + 100))),
    ];
    (side(), quantity(), kind, force).prop_map(|(side, quantity, kind, time_in_force)| Ticket {
        id: OrderId(0),
        side,
        quantity,
        kind,
        time_in_force,
    })
}

/// An action; numbers of new orders are given later, those of others are counted back from there.
fn action() -> impl Strategy<Value = OrderAction> + Clone {
    let number = 0u64..1_000;
    prop_oneof![
        14 => ticket().prop_map(OrderAction::Submit),
        1 => [ticket(), ticket()].prop_map(OrderAction::Oco),
        1 => (ticket(), [ticket(), ticket()]).prop_map(|(entry, exits)| OrderAction::Bracket {
            entry,
            exits: exits.map(|exit| Ticket { side: entry.side.opposite(), ..exit }),
        }),
        4 => (number.clone(), side(), quantity(), prop::option::of(price())).prop_map(|(id, side, quantity, limit)| {
            OrderAction::Modify(Amendment { id: OrderId(id), side, quantity, limit, trigger: None })
        }),
        2 => (number, side()).prop_map(|(id, side)| OrderAction::Cancel { id: OrderId(id), side }),
        1 => Just(OrderAction::CancelAll),
    ]
}

/// Changes and cancellations are of one of so many orders before.
const RECENT: usize = 6;

/// Numbers orders in their order of time, and has changes and cancellations mean orders that were sent before, with their sides.
fn numbered(mut steps: Vec<(i64, OrderAction)>) -> Vec<(i64, OrderAction)> {
    steps.sort_by_key(|(at, _)| *at);
    let mut sides: Vec<Side> = Vec::new();
    let number = |ticket: &mut Ticket, sides: &mut Vec<Side>| {
        sides.push(ticket.side);
        ticket.id = OrderId(sides.len() as u64);
    };
    for (_, action) in &mut steps {
        match action {
            OrderAction::Submit(ticket) => number(ticket, &mut sides),
            OrderAction::Oco(pair) => pair.iter_mut().for_each(|ticket| number(ticket, &mut sides)),
            OrderAction::Bracket { entry, exits } => [entry].into_iter().chain(exits).for_each(|ticket| number(ticket, &mut sides)),
            OrderAction::Modify(Amendment { id, side, .. }) | OrderAction::Cancel { id, side } if !sides.is_empty() => {
                let place = sides.len() - 1 - id.0 as usize % sides.len().min(RECENT);
                (id.0, *side) = (place as u64 + 1, sides[place]);
            }
            _ => {}
        }
    }
    steps
}

fn plan() -> impl Strategy<Value = Plan> {
    let steps = prop::collection::vec((instant(), action()), 10..40).prop_map(numbered);
    (prop::sample::select(&[3i64, 5, 5, 10][..]), prop::bool::weighted(0.6), steps).prop_map(|(distance, through_portfolio, steps)| Plan {
        distance,
        through_portfolio,
        steps,
    })
}

fn item(book: BookKind) -> BoxedStrategy<Item> {
    let trade = (side(), price(), quantity())
        .prop_map(|(side, price, quantity)| Item::Trade(Trade { instrument: X, side: Some(side), price, quantity, id: TradeId(0) }));
    let of_book = match book {
        BookKind::L1 => (96i64..104, 0i64..9, 1i64..4, 0i64..9)
            .prop_map(|(bid, bids, width, asks)| {
                let (ask, bid_quantity, ask_quantity) = (Price(bid + width), Quantity(bids), Quantity(asks));
                Item::Quote(Quote { instrument: X, bid: Price(bid), bid_quantity, ask, ask_quantity })
            })
            .boxed(),
        BookKind::L2 => (side(), 0i64..6, 0i64..9)
            .prop_map(|(side, away, quantity)| {
                let price = Price(if side == Side::Buy { 100 - away } else { 101 + away });
                let change = DepthChange::Set { side, price, quantity: Quantity(quantity) };
                Item::Depth(DepthUpdate { instrument: X, change, last: true })
            })
            .boxed(),
        BookKind::L3 => (0u8..6, 1u64..12, side(), 0i64..6, quantity())
            .prop_map(|(what, id, side, away, quantity)| {
                let (id, price) = (BookOrderId(id), Price(if side == Side::Buy { 100 - away } else { 101 + away }));
                let change = match what {
                    0 => BookChange::Modify { id, price, quantity },
                    1 => BookChange::Cancel { id, quantity },
                    2 => BookChange::Fill { id, quantity },
                    _ => BookChange::Add { id, side, price, quantity },
                };
                Item::Book(BookUpdate { instrument: X, change })
            })
            .boxed(),
    };
    prop_oneof![4 => of_book, 1 => trade].boxed()
}

fn rules() -> impl Strategy<Value = MarketRules> {
    let queue = prop_oneof![
        Just(QueueModel::RiskAverse),
        Just(QueueModel::Power { n: 2.0 }),
        Just(QueueModel::Log),
        Just(QueueModel::LogOfAll),
        Just(QueueModel::PowerOfShare { n: 1.0 }),
    ];
    let self_trade = prop::sample::select(&[SelfTrade::CancelNewest, SelfTrade::CancelOldest, SelfTrade::CancelBoth, SelfTrade::Allow][..]);
    let impact = prop_oneof![3 => Just(Impact::None), 1 => Just(Impact::Ticks(1))];
    let tier = |from, maker, taker| FeeTier { from, maker: FeeRate(maker), taker: FeeRate(taker) };
    let fees =
        prop_oneof![Just(vec![]), Just(vec![tier(0, -2_000, 10_000)]), Just(vec![tier(0, 5_000, 9_000), tier(3_000, 1_000, 4_000)]),];
    let book = prop::sample::select(&[BookKind::L1, BookKind::L2, BookKind::L3][..]);
    let trigger_by = prop::sample::select(&[TriggerBy::Quotes, TriggerBy::Trades][..]);
    (book, queue, self_trade, fees, impact, trigger_by).prop_map(|(book, queue, self_trade, fees, impact, trigger_by)| MarketRules {
        book,
        queue,
        self_trade,
        fees: FeeSchedule::new(fees).expect("tiers in order"),
        impact,
        trigger_by,
        ..MarketRules::default()
    })
}

fn latency() -> impl Strategy<Value = Latency> {
    prop_oneof![
        2 => Just(Latency::None),
        1 => Just(Latency::Constant(Duration::nanos(TICK))),
        1 => Just(Latency::Uniform { least: Duration::nanos(0), most: Duration::nanos(20) }),
    ]
}

pub(crate) fn worlds() -> impl Strategy<Value = World> {
    let account = prop::option::weighted(
        0.75,
        (
            prop::sample::select(&[Keeping::Netting, Keeping::Hedging][..]),
            prop::sample::select(&[MarginMode::Cross, MarginMode::Isolated][..]),
            prop::sample::select(&[0i64, 0, 3, 5][..]),
        )
            .prop_map(|(keeping, mode, distance)| Account { keeping, mode, distance }),
    );
    let market = (rules(), prop::bool::weighted(0.75)).prop_flat_map(|(rules, recorded)| {
        (Just(rules.clone()), prop::collection::vec((instant(), item(rules.book)), if recorded { 20..80 } else { 0..1 }))
    });
    (any::<u64>(), market, latency(), latency(), account, prop::collection::vec(plan(), 2..=4)).prop_map(
        |(seed, (rules, mut feed), entry, response, account, plans)| {
            feed.sort_by_key(|(at, _)| *at);
            World { seed, rules, latencies: Latencies { entry, response }, feed, account, plans }
        },
    )
}

/// Builds a world, which ends at an instant if it is given one.
pub(crate) fn build(world: &World, until: Option<Instant>) -> Result<Simulation, BuildError> {
    let World { seed, rules, latencies, feed, account, plans } = world;
    let sim = Simulation::new("world").start(at(0)).seed(*seed);
    let mut sim = if let Some(until) = until { sim.until(until) } else { sim };
    let instrument = Instrument::new(X, "X").with_decimals(none(), none());
    let settings = ExchangeSettings {
        listings: vec![Listing { instrument: instrument.clone(), rules: rules.clone() }],
        latencies: latencies.clone(),
        phases: Vec::new(),
        publish: true,
    };
    let exchange = sim.actor("exchange", Exchange::new(settings).expect("settings that can be"))?;
    macro_rules! stream {
        ($name:literal, $item:path, $of:ty) => {
            let items = feed
                .iter()
                .filter_map(|(nanos, item)| if let $item(value) = item { Some(Timed { at: at(*nanos), value: *value }) } else { None });
            let stream = sim.stream($name, Stream::from_vec(items.collect()))?;
            sim.subscribe::<$of, _>(exchange, stream);
        };
    }
    stream!("quotes", Item::Quote, Quote);
    stream!("depth", Item::Depth, DepthUpdate);
    stream!("books", Item::Book, BookUpdate);
    stream!("trades", Item::Trade, Trade);
    let mut account_at = None;
    if let Some(Account { keeping, mode, .. }) = account {
        let margin = Margin { mode: *mode, initial: Parts(100_000_000), maintenance: Parts(50_000_000) };
        let mut book = Portfolio::new(*keeping);
        let currency = Currency { code: "USD".to_owned(), decimals: Decimals::new(4).expect("at most 18") };
        book.add_currency(DOLLAR, currency).expect("new");
        book.add_contract(X, Contract::of(&instrument, DOLLAR, Some(margin))).expect("a contract");
        book.pay_in(DOLLAR, i128::from(CASH) * 10_000).expect("known");
        let routes = vec![PortfolioRoute { instrument, venue: exchange.recipient() }];
        let actor = PortfolioActor::new(book, DOLLAR, None).and_then(|actor| actor.trading(routes, Parts(5_000_000)));
        let address = sim.actor("account", actor.expect("routes that can be"))?;
        sim.subscribe_to::<Quote, _, Exchange>(address, exchange);
        account_at = Some(address);
    }
    let mut links = Vec::new();
    for (name, plan) in NAMES.into_iter().zip(plans) {
        let (venue, neighbour, distance) = match (account_at, account) {
            (Some(address), Some(account)) if plan.through_portfolio => (address.recipient(), "account", account.distance),
            _ => (exchange.recipient(), "exchange", plan.distance),
        };
        let steps = plan.steps.iter().map(|(nanos, action)| (at(*nanos), *action)).collect();
        sim.actor(name, Trader::new(venue, steps))?;
        links.push((name, neighbour, distance));
    }
    links.extend(account.map(|_| ("account", "exchange", TICK)));
    for (one, other, distance) in links {
        sim.link(one, other, Link::latency(Duration::nanos(distance)))?;
        sim.link(other, one, Link::latency(Duration::nanos(distance)))?;
    }
    Ok(sim)
}
