//! Pairs and brackets against the real exchange, whose answers take time: by hand, and in random markets.

use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::strategy::Strategy as _;
use serde::{Deserialize, Serialize};
use stillpoint_actors::Side::{Buy, Sell};
use stillpoint_actors::strategy::{Bracket, Desk, Execution, Pair, PairEvent, Refusal, RiskLimits, Strategy, Trader, TraderSettings};
use stillpoint_actors::{Latencies, Latency, OrderEvent, OrderId, OrderKind, Price, Quantity, Quote, Side, TimeInForce};
use stillpoint_engine::{Addr, Duration, Simulation, Snapshot};

use crate::kit::{Limits, X, at, exchange, quotes_of, said, settings, x};

/// What is sent with the first quote.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Plan {
    Bracket(Side, i64, OrderKind, [OrderKind; 2]),
    Pair(Side, i64, [OrderKind; 2]),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Held {
    Bracket(Bracket),
    Pair(Pair),
}

/// Sends a bracket or a pair and writes down what it hears, what is told and what then is open. It counts for itself what was filled.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Braced {
    plan: Plan,
    held: Option<Held>,
    seen: String,
    first: Option<OrderId>,
    entered: i64,
    exited: i64,
    over: i64,
    faults: u64,
}

impl Braced {
    fn new(plan: Plan) -> Self {
        Self { plan, held: None, seen: String::new(), first: None, entered: 0, exited: 0, over: 0, faults: 0 }
    }

    fn note(&mut self, what: &str, told: &[PairEvent], desk: &Desk<'_>) {
        let open: Vec<String> = desk.orders().iter().map(|order| format!("{}x{}", order.id.0, order.left().0)).collect();
        write!(self.seen, "{} {what} | {}", desk.now().as_nanos(), open.join(" ")).expect("room");
        for event in told {
            write!(self.seen, " | {event:?}").expect("room");
            match event {
                PairEvent::OverFilled(quantity) => self.over += quantity.0,
                _ => self.faults += 1,
            }
        }
        self.seen.push('\n');
    }

    fn is_closed(&self) -> bool {
        match self.held.as_ref().expect("it was sent") {
            Held::Bracket(bracket) => bracket.is_closed(),
            Held::Pair(pair) => pair.is_closed(),
        }
    }
}

impl Strategy for Braced {
    fn on_quote(&mut self, _: &Quote, desk: &mut Desk<'_>) {
        if self.held.is_some() {
            return;
        }
        self.held = Some(match self.plan {
            Plan::Bracket(side, quantity, entry, exits) => {
                let bracket = Bracket::open(desk, X, side, Quantity(quantity), entry, TimeInForce::Gtc, exits).expect("no limits");
                self.first = Some(bracket.entry());
                Held::Bracket(bracket)
            }
            Plan::Pair(side, quantity, kinds) => {
                self.entered = quantity;
                Held::Pair(Pair::submit(desk, X, side, Quantity(quantity), kinds).expect("no limits"))
            }
        });
    }

    fn on_fill(&mut self, fill: &Execution, desk: &mut Desk<'_>) {
        let told = match self.held.as_mut().expect("it was sent") {
            Held::Bracket(bracket) => bracket.on_fill(fill, desk),
            Held::Pair(pair) => pair.on_fill(fill, desk),
        };
        *(if self.first == Some(fill.order) { &mut self.entered } else { &mut self.exited }) += fill.quantity.0;
        self.note(&format!("{} filled {}@{}", fill.order.0, fill.quantity.0, fill.price.0), &told, desk);
        assert!(self.exited - self.entered <= self.over, "{}", self.seen);
    }

    fn on_order(&mut self, event: &OrderEvent, desk: &mut Desk<'_>) {
        let told = match self.held.as_mut().expect("it was sent") {
            Held::Bracket(bracket) => bracket.on_order(event, desk),
            Held::Pair(pair) => pair.on_order(event, desk),
        };
        self.note(&said(event), &told, desk);
    }
}

fn build(plan: Plan, (entry, response): (i64, i64), quotes: &[(i64, i64, i64)]) -> (Simulation, Addr<Trader<Braced>>) {
    let latency = |nanos| Latency::Constant(Duration::nanos(nanos));
    let mut sim = Simulation::new("bracket").start(at(0));
    let stream = sim.stream("quotes", quotes_of(quotes)).expect("a name");
    let exchange =
        sim.actor("exchange", exchange(&[x()], Latencies { entry: latency(entry), response: latency(response) })).expect("a name");
    sim.subscribe::<Quote, _>(exchange, stream);
    let trader = Trader::new(settings(exchange.recipient(), Limits::default()), Braced::new(plan)).expect("good settings");
    let trader = sim.actor("trader", trader).expect("a name");
    sim.subscribe::<Quote, _>(trader, stream);
    (sim, trader)
}

fn check(plan: Plan, latencies: (i64, i64), quotes: &[(i64, i64, i64)], expected: &[&str]) {
    let (sim, trader) = build(plan, latencies, quotes);
    let mut run = sim.begin().expect("a run");
    run.until(at(i64::MAX));
    let trader = run.actor(trader).expect("it lives");
    let braced = trader.strategy();
    assert_eq!(braced.seen.lines().collect::<Vec<_>>(), expected);
    assert!(braced.is_closed());
}

fn limit(price: i64) -> OrderKind {
    OrderKind::Limit(Price(price))
}

fn stop(price: i64) -> OrderKind {
    OrderKind::Stop { trigger: Price(price) }
}

/// Quotes show five on each side. The entry over eight is filled in two parts, and so are the exits sent and made greater; then five of the first
/// one are filled, the other one is made smaller, and in the end is cancelled.
#[test]
fn exits_follow_the_parts_of_the_entry_and_each_other() {
    check(
        Plan::Bracket(Buy, 8, limit(101), [limit(105), stop(97)]),
        (0, 0),
        &[(0, 99, 101), (100, 99, 101), (200, 105, 106), (300, 105, 106)],
        &[
            "0 1 accepted | 1x8",
            "0 1 filled 5@101 | 1x3 2x5 3x5",
            "0 2 accepted | 1x3 2x5 3x5",
            "0 3 accepted | 1x3 2x5 3x5",
            "100 1 filled 3@101 | 2x5 3x5",
            "100 2 modified 8 | 2x8 3x5",
            "100 3 modified 8 | 2x8 3x8",
            "200 2 filled 5@105 | 2x3 3x8",
            "200 3 modified 3 | 2x3 3x3",
            "300 2 filled 3@105 | 3x3",
            "300 3 cancelled 3 | ",
        ],
    );
}

/// The stop triggers at 210, before the change to three that was sent at 207 arrives: five more than the three that were left are sold, of which two
/// are too many.
#[test]
fn a_race_of_both_exits_is_told() {
    check(
        Plan::Bracket(Buy, 8, limit(101), [limit(105), stop(97)]),
        (30, 7),
        &[(0, 99, 101), (100, 99, 101), (200, 105, 106), (210, 96, 98)],
        &[
            "37 1 accepted | 1x8",
            "37 1 filled 5@101 | 1x3 2x5 3x5",
            "74 2 accepted | 1x3 2x5 3x5",
            "74 3 accepted | 1x3 2x5 3x5",
            "107 1 filled 3@101 | 2x5 3x5",
            "144 2 modified 8 | 2x8 3x5",
            "144 3 modified 8 | 2x8 3x8",
            "207 2 filled 5@105 | 2x3 3x8",
            "217 3 triggered 96 | 2x3 3x8",
            "217 3 filled 5@96 | 2x3 3x3 | OverFilled(Quantity(2))",
            "217 3 cancelled 3 | 2x3",
            "244 3 modify-rejected NotOpen | 2x3",
            "254 2 cancelled 3 | ",
            "254 3 cancel-rejected NotOpen | ",
        ],
    );
}

#[test]
fn one_order_of_a_pair_cancels_the_other() {
    check(
        Plan::Pair(Sell, 4, [limit(105), stop(99)]),
        (0, 0),
        &[(0, 100, 101), (50, 99, 101)],
        &[
            "0 1 accepted | 1x4 2x4",
            "0 2 accepted | 1x4 2x4",
            "50 2 triggered 99 | 1x4 2x4",
            "50 2 filled 4@99 | 1x4",
            "50 1 cancelled 4 | ",
        ],
    );
}

/// Nothing is left of a pair whose second order the desk refuses.
#[derive(Serialize, Deserialize)]
struct Half(Option<Refusal>);

impl Strategy for Half {
    fn on_quote(&mut self, _: &Quote, desk: &mut Desk<'_>) {
        if self.0.is_none() {
            let kinds = [limit(105), stop(97)];
            self.0 = Pair::submit(desk, X, Sell, Quantity(4), kinds).err();
            assert!(desk.orders().iter().all(|order| order.cancelling));
        }
    }
}

#[test]
fn half_a_pair_is_taken_back() {
    let mut sim = Simulation::new("half").start(at(0));
    let stream = sim.stream("quotes", quotes_of(&[(0, 99, 101)])).expect("a name");
    let exchange = sim.actor("exchange", exchange(&[x()], Latencies::default())).expect("a name");
    let limits = RiskLimits { max_open_orders: Some(1), ..RiskLimits::default() };
    let settings = TraderSettings { limits, ..settings(exchange.recipient(), Limits::default()) };
    let trader = sim.actor("trader", Trader::new(settings, Half(None)).expect("good settings")).expect("a name");
    sim.subscribe::<Quote, _>(trader, stream);
    let mut run = sim.begin().expect("a run");
    run.until(at(i64::MAX));
    assert_eq!(run.actor(trader).expect("it lives").strategy().0, Some(Refusal::MaxOpenOrders));
}

fn plans() -> impl proptest::strategy::Strategy<Value = Plan> {
    let exits = (1i64..4, 1i64..4);
    let entry = prop_oneof![Just(OrderKind::Market), (99i64..104).prop_map(limit)];
    (any::<bool>(), any::<bool>(), 1i64..14, entry, exits).prop_map(|(is_pair, buys, quantity, entry, (profit, loss))| {
        let exits = if buys { [limit(100 + profit), stop(100 - loss)] } else { [limit(100 - profit), stop(100 + loss)] };
        let side = if buys { Buy } else { Sell };
        if is_pair { Plan::Pair(side.opposite(), quantity, exits) } else { Plan::Bracket(side, quantity, entry, exits) }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever the market does and however long answers take: no more goes out than came in, unless it is told, at each fill; all goes out if
    /// nothing was told; and a run that is saved anywhere goes on as it would have.
    #[test]
    fn no_exit_is_too_much_without_being_told(
        plan in plans(),
        latencies in (0i64..40, 0i64..40),
        steps in prop::collection::vec((1i64..30, -5i64..6, 1i64..3), 2..40),
        cut in 0i64..700,
    ) {
        let (mut now, mut bid) = (0, 100);
        let mut quotes = vec![(0, 99, 101)];
        for (wait, step, spread) in steps {
            (now, bid) = (now + wait, (bid + step).clamp(80, 120));
            quotes.push((now, bid, bid + spread));
        }
        let (sim, trader) = build(plan, latencies, &quotes);
        let mut run = sim.begin().expect("a run");
        run.until(at(cut));
        let saved = run.snapshot().expect("a still point").to_text();
        run.until(at(i64::MAX));
        let braced = run.actor(trader).expect("it lives").strategy().clone();
        prop_assert!(braced.exited - braced.entered <= braced.over, "{}", braced.seen);
        if braced.is_closed() && braced.faults == 0 && braced.over == 0 {
            prop_assert_eq!(braced.exited, braced.entered, "{}", braced.seen);
        }
        let saved = Snapshot::from_bytes(saved.as_bytes(), std::path::Path::new("bracket.snap")).expect("what was just written");
        let (again, trader) = build(plan, latencies, &quotes);
        let mut rest = again.restore(&saved).expect("the same simulation");
        rest.until(at(i64::MAX));
        let trader = rest.actor(trader).expect("it lives");
        prop_assert_eq!(&trader.strategy().seen, &braced.seen);
    }
}
