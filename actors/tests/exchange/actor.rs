//! The exchange in runs: latencies, expiries, races, phases, snapshots.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use stillpoint_actors::{
    BookKind, Exchange, ExchangeSettings, Latencies, Latency, Listing, MarketRules, OrderAction, OrderEvent, OrderId, OrderKind,
    OrderRequest, Phase, PlannedPhase, Price, Quantity, Quote, Side, Ticket, TimeInForce, Trade,
};
use stillpoint_engine::{Actor, Context, Duration, Handler, Instant, Message, Recipient, Report, Saving, Simulation, Stream, Timed, Value};

use crate::text::{instrument, shown};

/// Sends requests at their instants and writes down what comes back, and when.
#[derive(Serialize, Deserialize)]
struct Trader {
    venue: Recipient<OrderRequest>,
    plan: Vec<(Instant, OrderAction)>,
    seen: String,
}

#[derive(Clone, Copy, Debug, Hash, Serialize, Deserialize)]
struct Step(OrderAction);

impl Message for Step {
    const KIND: &'static str = "step";
}

impl Actor for Trader {
    fn started(&mut self, ctx: &mut Context<'_, Self>) {
        for (at, action) in std::mem::take(&mut self.plan) {
            ctx.notify_at(at, Step(action));
        }
    }

    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<Step>().message::<OrderEvent>().message::<Trade>().message::<Quote>())
    }

    fn report(&self, report: &mut Report) {
        report.text("seen", self.seen.clone());
    }
}

impl Handler<Step> for Trader {
    fn handle(&mut self, step: &Step, ctx: &mut Context<'_, Self>) {
        let owner = ctx.address().recipient();
        ctx.send(self.venue, OrderRequest { instrument: instrument().id, action: step.0, owner });
    }
}

impl Handler<OrderEvent> for Trader {
    fn handle(&mut self, event: &OrderEvent, ctx: &mut Context<'_, Self>) {
        let answer = stillpoint_actors::Answer {
            owner: stillpoint_actors::OwnerId(0),
            order: event.order,
            side: event.side,
            outcome: event.outcome,
        };
        writeln!(self.seen, "{} {}", ctx.now().as_nanos(), shown(&answer)).expect("a text grows");
    }
}

impl Handler<Trade> for Trader {
    fn handle(&mut self, trade: &Trade, ctx: &mut Context<'_, Self>) {
        writeln!(self.seen, "{} trade {} {}@{}", ctx.now().as_nanos(), trade.id.0, trade.quantity.0, trade.price.0).expect("a text grows");
    }
}

impl Handler<Quote> for Trader {
    fn handle(&mut self, quote: &Quote, ctx: &mut Context<'_, Self>) {
        let Quote { bid, bid_quantity, ask, ask_quantity, .. } = quote;
        let now = ctx.now().as_nanos();
        writeln!(self.seen, "{now} quote {}x{} {}x{}", bid.0, bid_quantity.0, ask.0, ask_quantity.0).expect("a text grows");
    }
}

fn at(nanos: i64) -> Instant {
    Instant::from_nanos(nanos)
}

fn order(id: u64, side: Side, quantity: i64, kind: OrderKind, time_in_force: TimeInForce) -> OrderAction {
    OrderAction::Submit(Ticket { id: OrderId(id), side, quantity: Quantity(quantity), kind, time_in_force })
}

fn limit(id: u64, side: Side, quantity: i64, price: i64) -> OrderAction {
    order(id, side, quantity, OrderKind::Limit(Price(price)), TimeInForce::Gtc)
}

fn latencies(entry: Latency, response: Latency) -> ExchangeSettings {
    ExchangeSettings { latencies: Latencies { entry, response }, ..settings() }
}

fn settings() -> ExchangeSettings {
    ExchangeSettings { listings: vec![Listing { instrument: instrument(), rules: MarketRules::default() }], ..ExchangeSettings::default() }
}

/// Quotes of (instant, bid, ask), five of each.
fn build(settings: &ExchangeSettings, plan: &[(i64, OrderAction)], quotes: &[(i64, i64, i64)]) -> Simulation {
    let five = Quantity(5);
    let quote = |bid, ask| Quote { instrument: instrument().id, bid: Price(bid), bid_quantity: five, ask: Price(ask), ask_quantity: five };
    let quotes = quotes.iter().map(|(time, bid, ask)| Timed { at: at(*time), value: quote(*bid, *ask) }).collect();
    let mut sim = Simulation::new("exchange").start(at(0));
    let quotes = sim.stream("quotes", Stream::from_vec(quotes)).expect("a name");
    let exchange = sim.actor("exchange", Exchange::new(settings.clone()).expect("settings")).expect("a name");
    sim.subscribe::<Quote, _>(exchange, quotes);
    let plan = plan.iter().map(|(time, action)| (at(*time), *action)).collect();
    let trader = sim.actor("trader", Trader { venue: exchange.recipient(), plan, seen: String::new() }).expect("a name");
    sim.subscribe_to::<Trade, _, Exchange>(trader, exchange);
    sim.subscribe_to::<Quote, _, Exchange>(trader, exchange);
    sim
}

fn check(settings: &ExchangeSettings, plan: &[(i64, OrderAction)], quotes: &[(i64, i64, i64)], expected: &[&str]) {
    let outcome = build(settings, plan, quotes).run().expect("a run");
    let seen = outcome.report("trader").and_then(|report| report.get("seen")).cloned();
    let Some(Value::Text(seen)) = seen else { panic!("no text: {seen:?}") };
    assert_eq!(seen.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn an_order_meets_the_market_of_its_arrival() {
    let slow = latencies(Latency::Constant(Duration::nanos(30)), Latency::Constant(Duration::nanos(7)));
    // Sent at 10, it arrives at 40, where the quote of that instant is there before it.
    let expected = ["47 a1 accepted", "47 a1 filled 3@105 left 0"];
    check(
        &slow,
        &[(10, order(1, Side::Buy, 3, OrderKind::Market, TimeInForce::Gtc))],
        &[(0, 99, 101), (40, 103, 105), (41, 99, 101)],
        &expected,
    );
}

#[test]
fn a_cancellation_that_crosses_the_fill_is_rejected() {
    let slow = latencies(Latency::Constant(Duration::nanos(30)), Latency::Constant(Duration::nanos(7)));
    let plan = [(0, limit(1, Side::Buy, 3, 100)), (100, OrderAction::Cancel { id: OrderId(1), side: Side::Buy })];
    // The fill at 120 is told at 127; the cancellation, sent at 100, arrives at 130.
    check(
        &slow,
        &plan,
        &[(0, 99, 101), (120, 98, 100)],
        &["37 a1 accepted", "127 a1 filled 3@100 left 0 maker", "137 a1 cancel-rejected NotOpen"],
    );
}

#[test]
fn recorded_latencies_do_not_let_later_requests_overtake() {
    let point = |time, nanos| stillpoint_actors::LatencyPoint { at: at(time), latency: Duration::nanos(nanos) };
    let recorded = latencies(Latency::Recorded(vec![point(0, 100), point(50, 0)]), Latency::None);
    // Sent at 10 with 80, arrives at 90; sent at 40 with 20 would arrive at 60, and waits for the one before it.
    let plan = [(10, limit(1, Side::Buy, 3, 90)), (40, OrderAction::Cancel { id: OrderId(1), side: Side::Buy })];
    check(&recorded, &plan, &[(0, 99, 101)], &["90 a1 accepted", "90 a1 cancelled 3 requested"]);
}

#[test]
fn orders_expire_at_their_instant_after_its_quotes() {
    let good_till = |id, price, time| order(id, Side::Buy, 3, OrderKind::Limit(Price(price)), TimeInForce::Gtd(at(time)));
    let plan = [(0, good_till(1, 100, 50)), (1, good_till(2, 90, 20)), (2, good_till(3, 90, 50))];
    let expected =
        ["0 a1 accepted", "1 a2 accepted", "2 a3 accepted", "20 a2 expired 3", "50 a1 filled 3@100 left 0 maker", "50 a3 expired 3"];
    check(&settings(), &plan, &[(0, 99, 101), (50, 98, 100)], &expected);
}

#[test]
fn what_is_not_traded_is_rejected() {
    let none = ExchangeSettings::default();
    let plan = [
        (0, limit(1, Side::Buy, 3, 90)),
        (1, OrderAction::Cancel { id: OrderId(1), side: Side::Buy }),
        (2, OrderAction::CancelAll),
        (
            3,
            OrderAction::Oco([2, 3].map(|id| Ticket {
                id: OrderId(id),
                side: Side::Buy,
                quantity: Quantity(1),
                kind: OrderKind::Market,
                time_in_force: TimeInForce::Gtc,
            })),
        ),
    ];
    let expected = [
        "0 a1 rejected 3 UnknownInstrument",
        "1 a1 cancel-rejected UnknownInstrument",
        "3 a2 rejected 1 UnknownInstrument",
        "3 a3 rejected 1 UnknownInstrument",
    ];
    check(&none, &plan, &[], &expected);
}

#[test]
fn phases_change_when_planned() {
    let phase = |time, phase| PlannedPhase { at: at(time), instrument: None, phase };
    let planned =
        ExchangeSettings { phases: vec![phase(10, Phase::Halted), phase(20, Phase::Open), phase(40, Phase::Closed)], ..settings() };
    let plan = [
        (5, limit(1, Side::Buy, 3, 90)),
        (15, limit(2, Side::Buy, 3, 90)),
        (30, limit(3, Side::Buy, 3, 90)),
        (50, limit(4, Side::Buy, 3, 90)),
    ];
    let expected = [
        "5 a1 accepted",
        "15 a2 rejected 3 Halted",
        "30 a3 accepted",
        "40 a1 cancelled 3 closed",
        "40 a3 cancelled 3 closed",
        "50 a4 rejected 3 Closed",
    ];
    check(&planned, &plan, &[(0, 99, 101)], &expected);
}

#[test]
fn a_market_of_actors_tells_its_trades_and_prices() {
    let rules = MarketRules { book: BookKind::L3, self_trade: stillpoint_actors::SelfTrade::Allow, ..MarketRules::default() };
    let listings = vec![Listing { instrument: instrument(), rules }];
    let public = ExchangeSettings { listings, publish: true, ..ExchangeSettings::default() };
    let plan = [(1, limit(1, Side::Sell, 3, 101)), (2, limit(2, Side::Buy, 5, 102)), (3, limit(3, Side::Buy, 1, 90))];
    let expected = [
        "1 a1 accepted",
        "1 quote 0x0 101x3",
        "2 a2 accepted",
        "2 a2 filled 3@101 left 2",
        "2 a1 filled 3@101 left 0 maker",
        "2 trade 1 3@101",
        "2 quote 102x2 0x0",
        "3 a3 accepted",
    ];
    check(&public, &plan, &[], &expected);
}

/// A plan with everything that lasts: resting, waiting, held, expiring orders, requests and answers on their way.
fn long_plan() -> Vec<(i64, OrderAction)> {
    let exit = |id, kind| Ticket { id: OrderId(id), side: Side::Sell, quantity: Quantity(1), kind, time_in_force: TimeInForce::Gtc };
    let entry = Ticket {
        id: OrderId(10),
        side: Side::Buy,
        quantity: Quantity(2),
        kind: OrderKind::Limit(Price(100)),
        time_in_force: TimeInForce::Gtd(at(900)),
    };
    let exits = [exit(11, OrderKind::Limit(Price(104))), exit(12, OrderKind::Stop { trigger: Price(97) })];
    let mut plan = vec![
        (1, OrderAction::Bracket { entry, exits }),
        (2, order(13, Side::Sell, 4, OrderKind::TrailingStop(stillpoint_actors::TrailBy::Price(Price(3))), TimeInForce::Gtc)),
        (3, order(14, Side::Buy, 9, OrderKind::Iceberg { limit: Price(99), display: Quantity(2) }, TimeInForce::Gtd(at(700)))),
    ];
    plan.extend((20..60).map(|id| {
        let side = if id % 2 == 0 { Side::Buy } else { Side::Sell };
        (id as i64 * 15, limit(id, side, 1 + id as i64 % 4, 97 + id as i64 % 7))
    }));
    plan
}

fn walk() -> Vec<(i64, i64, i64)> {
    let steps = [99, 100, 101, 99, 98, 97, 99, 101, 103, 104, 102, 99, 96, 98, 100];
    (0..60).map(|step| (step * 17, steps[step as usize % steps.len()], steps[step as usize % steps.len()] + 2)).collect()
}

#[test]
fn seeded_latencies_are_the_same_in_every_run_and_keep_the_order() {
    let noisy = latencies(
        Latency::Exponential { least: Duration::nanos(5), mean: Duration::nanos(40) },
        Latency::Uniform { least: Duration::ZERO, most: Duration::nanos(90) },
    );
    let run = |seed| build(&noisy, &long_plan(), &walk()).seed(seed).run().expect("a run");
    let (first, again, other) = (run(1), run(1), run(2));
    assert_eq!(first.trace_hash, again.trace_hash);
    assert_ne!(first.trace_hash, other.trace_hash);
    let Some(Value::Text(seen)) = first.report("trader").and_then(|report| report.get("seen")) else { panic!("no text") };
    let accepted: Vec<u64> = seen.lines().filter_map(|line| line.strip_suffix(" accepted")?.split(" a").nth(1)?.parse().ok()).collect();
    assert!(accepted.len() > 30 && accepted.is_sorted(), "{accepted:?}");
}

#[test]
fn a_run_that_was_interrupted_goes_on_alike() {
    let noisy = latencies(Latency::Uniform { least: Duration::nanos(1), most: Duration::nanos(60) }, Latency::Constant(Duration::nanos(9)));
    let whole = build(&noisy, &long_plan(), &walk()).run().expect("a run");
    for stop in [0, 10, 100, 333, 600, 750, 1000] {
        let mut run = build(&noisy, &long_plan(), &walk()).begin().expect("a run");
        run.until(at(stop));
        let snapshot = run.snapshot().expect("a snapshot");
        let rest = build(&noisy, &long_plan(), &walk()).restore(&snapshot).expect("restored").finish().expect("a run");
        assert_eq!((rest.trace_hash, rest.deliveries), (whole.trace_hash, whole.deliveries), "interrupted at {stop}");
    }
}

#[test]
fn settings_that_cannot_be_are_named() {
    let fault = |settings: ExchangeSettings| Exchange::new(settings).expect_err("a fault").to_string();
    let negative = latencies(Latency::None, Latency::Constant(Duration::nanos(-5)));
    assert!(fault(negative).starts_with("the response latency: a latency cannot be"));
    let listing = Listing { instrument: instrument().with_steps(Price(0), Quantity(1)), rules: MarketRules::default() };
    let none = ExchangeSettings { listings: vec![listing], ..ExchangeSettings::default() };
    assert_eq!(fault(none), "`X` has a tick size of 0; give one above zero");
}
