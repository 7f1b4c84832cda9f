//! The desk against the real exchange, whose answers and requests take time.

use stillpoint_actors::Side::{Buy, Sell};
use stillpoint_actors::strategy::Trader;
use stillpoint_actors::{
    Exchange, ExchangeSettings, FeeRate, FeeSchedule, Latencies, Latency, Listing, MarketRules, OrderKind, Price, Quote, TimeInForce,
};
use stillpoint_engine::{Duration, Simulation};

use crate::kit::{Command, Limits, Scripted, at, exchange, integer, limit, market, number, quotes_of, settings, x};

fn latencies() -> Latencies {
    Latencies { entry: Latency::Constant(Duration::nanos(30)), response: Latency::Constant(Duration::nanos(7)) }
}

fn build(
    exchange: Exchange,
    plan: &[(i64, Command)],
    quotes: &[(i64, i64, i64)],
) -> (Simulation, stillpoint_engine::Addr<Trader<Scripted>>) {
    let mut sim = Simulation::new("real").start(at(0));
    let stream = sim.stream("quotes", quotes_of(quotes)).expect("a name");
    let exchange = sim.actor("exchange", exchange).expect("a name");
    sim.subscribe::<Quote, _>(exchange, stream);
    let trader = Trader::new(settings(exchange.recipient(), Limits::default()), Scripted::new(plan)).expect("good settings");
    let trader = sim.actor("trader", trader).expect("a name");
    sim.subscribe::<Quote, _>(trader, stream);
    (sim, trader)
}

fn check(plan: &[(i64, Command)], quotes: &[(i64, i64, i64)], expected: &[&str]) {
    let (sim, trader) = build(exchange(&[x()], latencies()), plan, quotes);
    let mut run = sim.begin().expect("a run");
    run.until(at(i64::MAX));
    assert_eq!(run.actor(trader).expect("it lives").strategy().seen.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_cancellation_that_crosses_the_fill() {
    check(
        &[(0, limit(Buy, 3, 100)), (100, Command::Cancel(1))],
        &[(0, 99, 101), (120, 98, 100)],
        &[
            "0 sent 1 | 0 +3 -0",
            "37 1 accepted | 0 +3 -0",
            "100 done | 0 +3 -0",
            // Filled at 120, told at 127; the cancellation arrives at 130 and is answered at 137.
            "127 1 filled 3@100 left 0 | 3 +0 -0",
            "137 1 cancel-rejected NotOpen | 3 +0 -0",
        ],
    );
}

#[test]
fn a_change_that_crosses_a_part_of_a_fill() {
    // Of seven, five are filled at 120. When the change to ten in all arrives at 130, five more are to be done, and nobody offers them at 101.
    check(
        &[(0, limit(Buy, 7, 100)), (100, Command::Modify(1, 10, Some(101))), (150, Command::CancelAll)],
        &[(0, 99, 101), (120, 98, 100), (125, 98, 102)],
        &[
            "0 sent 1 | 0 +7 -0",
            "37 1 accepted | 0 +7 -0",
            "100 done | 0 +10 -0",
            "127 1 filled 5@100 left 2 | 5 +5 -0",
            "137 1 modified 5 | 5 +5 -0",
            "150 done | 5 +5 -0",
            "187 1 cancelled 5 | 5 +0 -0",
        ],
    );
}

#[test]
fn what_may_not_rest_is_over_at_once() {
    let order = |side, quantity, kind, time_in_force| Command::Submit(side, quantity, kind, time_in_force);
    check(
        &[
            (0, market(Buy, 7)),
            (1, order(Buy, 9, OrderKind::Limit(Price(101)), TimeInForce::Fok)),
            (2, order(Buy, 1, OrderKind::Limit(Price(105)), TimeInForce::Gtx)),
            (3, order(Sell, 2, OrderKind::Limit(Price(99)), TimeInForce::Ioc)),
            (4, order(Buy, 2, OrderKind::Limit(Price(90)), TimeInForce::Gtd(at(60)))),
        ],
        &[(0, 99, 101), (31, 99, 101)],
        &[
            "0 sent 1 | 0 +7 -0",
            "1 sent 2 | 0 +16 -0",
            "2 sent 3 | 0 +17 -0",
            "3 sent 4 | 0 +17 -2",
            "4 sent 5 | 0 +19 -2",
            "37 1 accepted | 0 +19 -2",
            "37 1 filled 5@101 left 2 | 5 +14 -2",
            "37 1 cancelled 2 | 5 +12 -2",
            "38 2 rejected NotFillable | 5 +3 -2",
            "39 3 rejected WouldTake | 5 +2 -2",
            "40 4 accepted | 5 +2 -2",
            "40 4 filled 2@99 left 0 | 3 +2 -0",
            "41 5 accepted | 3 +2 -0",
            "67 5 expired 2 | 3 +0 -0",
        ],
    );
}

#[test]
fn profit_and_fees_are_those_of_the_fills() {
    // Takers pay a hundredth, makers get a tenth: 505 is bought for a fee of 5.05, which is rounded up, and 510 sold for a rebate of 51.
    let rules = MarketRules { fees: FeeSchedule::flat(FeeRate(-100_000), FeeRate(10_000)), ..MarketRules::default() };
    let settings = ExchangeSettings { listings: vec![Listing { instrument: x(), rules }], ..ExchangeSettings::default() };
    let plan = [(1, market(Buy, 5)), (2, limit(Sell, 5, 102)), (20, limit(Sell, 1, 105)), (30, market(Sell, 2))];
    let exchange = Exchange::new(settings).expect("good settings");
    let (sim, trader) = build(exchange, &plan, &[(0, 99, 101), (10, 102, 103), (25, 102, 103)]);
    let mut run = sim.begin().expect("a run");
    run.until(at(29));
    let account = run.actor(trader).expect("it lives").blotter().accounts()[0].clone();
    assert_eq!((account.fees().0, account.cash().0, account.position().realised().0, account.held().0), (-45, 50, 5, 0));
    assert_eq!(account.average_price(), None);
    run.until(at(i64::MAX));
    // Two are sold at 102, for a fee of 2.04, which is rounded up; buying them back at 103 would lose 2.
    let account = run.actor(trader).expect("it lives").blotter().accounts()[0].clone();
    assert_eq!((account.fees().0, account.cash().0, account.unrealised().0, account.average_price()), (-42, 251, -2, Some(102.0)));
    let outcome = run.finish().expect("a run");
    let reported = ["X position", "X realised", "X unrealised", "X fees", "X profit", "X mid"].map(|name| number(&outcome, "trader", name));
    // At the mid they are worth 205.
    assert_eq!(reported, [-2.0, 5.0, -1.0, -42.0, 46.0, 102.5]);
    let counted =
        ["orders", "changes", "fills", "unfilled", "unknown", "refused", "open_orders"].map(|name| integer(&outcome, "trader", name));
    assert_eq!(counted, [4, 0, 3, 0, 0, 0, 1]);
}
