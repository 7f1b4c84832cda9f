//! Each limit just below, at and just beyond its bound.

use std::num::NonZeroU32;

use stillpoint_actors::Side::{Buy, Sell};
use stillpoint_actors::strategy::{BasisPoints, InstrumentLimits, OrderRate, RiskLimits, Route, Trader};
use stillpoint_actors::{
    ContractKind, Decimals, Instrument, InstrumentId, Money, OrderKind, Outcome, Price, Quantity, Quote, Side, TimeInForce,
};
use stillpoint_engine::{Duration, Simulation, Stream, Timed};

use crate::kit::{Command, Limits, at, cancelled, filled, limit, market, quote, scripted, settings};

type Script<'s> = &'s [(i64, u64, Side, Outcome)];

/// What the desk said to each command.
fn check(limits: Limits, plan: &[(i64, Command)], script: Script<'_>, quotes: &[(i64, i64, i64)], expected: &[&str]) {
    let (sim, trader) = scripted(limits, plan, script, quotes);
    let mut run = sim.begin().expect("a run");
    run.until(at(i64::MAX));
    let trader = run.actor(trader).expect("it lives");
    let seen = &trader.strategy().seen;
    let commands: Vec<&str> = seen.lines().filter(|line| !line.contains("filled") && !line.contains("cancelled")).collect();
    let said: Vec<&str> = commands.iter().map(|line| line.split(" | ").next().expect("a first part")).collect();
    assert_eq!(said, expected);
}

fn of_x(max_order: Option<i64>, max_position: Option<i64>) -> Limits {
    let limits = InstrumentLimits { max_order: max_order.map(Quantity), max_position: max_position.map(Quantity) };
    Limits(RiskLimits::default(), limits)
}

#[test]
fn the_quantity_of_an_order() {
    check(
        of_x(Some(5), None),
        &[
            (1, market(Buy, 4)),
            (2, market(Buy, 5)),
            (3, market(Buy, 6)),
            (4, limit(Sell, 6, 100)),
            (5, Command::Modify(1, 5, None)),
            (6, Command::Modify(2, 6, None)),
        ],
        &[],
        &[],
        &["1 sent 1", "2 sent 2", "3 MaxOrder", "4 MaxOrder", "5 done", "6 MaxOrder"],
    );
}

#[test]
fn the_position_counts_open_orders_of_its_side_alone() {
    check(
        of_x(None, Some(10)),
        &[
            (1, limit(Buy, 6, 100)),
            (2, limit(Buy, 5, 99)), // 11
            (3, limit(Buy, 4, 99)), // 10
            (4, limit(Buy, 1, 99)),
            (5, limit(Sell, 11, 101)), // the buys do not make room for it
            (6, limit(Sell, 10, 101)),
            // Order 1 is filled: 6 held, 4 more coming, and sales of 10 would leave 4 short.
            (20, limit(Sell, 7, 101)),
            (21, limit(Sell, 6, 101)),
            (22, limit(Buy, 1, 99)),
            // Order 2 is gone: 6 held, nothing coming.
            (40, limit(Buy, 5, 99)),
            (41, limit(Buy, 4, 99)),
        ],
        &[(10, 1, Buy, filled(6, 100, 0)), (30, 2, Buy, cancelled(4))],
        &[],
        &[
            "1 sent 1",
            "2 MaxPosition",
            "3 sent 2",
            "4 MaxPosition",
            "5 MaxPosition",
            "6 sent 3",
            "20 MaxPosition",
            "21 sent 4",
            "22 MaxPosition",
            "40 MaxPosition",
            "41 sent 5",
        ],
    );
}

#[test]
fn a_cancellation_makes_room_when_the_venue_has_confirmed_it() {
    check(
        of_x(None, Some(10)),
        &[(1, limit(Buy, 10, 100)), (2, Command::Cancel(1)), (3, limit(Buy, 1, 99)), (20, limit(Buy, 7, 99)), (21, limit(Buy, 6, 99))],
        &[(10, 1, Buy, filled(4, 100, 6)), (11, 1, Buy, cancelled(6))],
        &[],
        &["1 sent 1", "2 done", "3 MaxPosition", "20 MaxPosition", "21 sent 2"],
    );
}

#[test]
fn a_change_is_held_against_the_position_by_what_it_adds() {
    check(
        of_x(None, Some(10)),
        &[
            (1, limit(Buy, 6, 100)),
            (2, Command::Modify(1, 11, None)),
            (3, Command::Modify(1, 10, None)),
            (20, Command::Modify(1, 10, Some(99))), // nothing is added
            (40, Command::Modify(1, 3, None)),
        ],
        &[(10, 1, Buy, Outcome::Modified { left: Quantity(10) }), (30, 1, Buy, Outcome::Modified { left: Quantity(10) })],
        &[],
        &["1 sent 1", "2 MaxPosition", "3 done", "10 1 modified 10", "20 done", "30 1 modified 10", "40 done"],
    );
}

#[test]
fn the_number_of_open_orders() {
    let limits = Limits(RiskLimits { max_open_orders: Some(2), ..RiskLimits::default() }, InstrumentLimits::default());
    check(
        limits,
        &[
            (1, limit(Buy, 1, 100)),
            (2, limit(Sell, 1, 101)),
            (3, limit(Buy, 1, 99)),
            (4, Command::Modify(1, 2, None)),
            (5, Command::Cancel(1)),
            (6, limit(Buy, 1, 99)),
            (20, limit(Buy, 1, 99)),
        ],
        &[(10, 1, Buy, cancelled(1))],
        &[],
        &["1 sent 1", "2 sent 2", "3 MaxOpenOrders", "4 done", "5 done", "6 MaxOpenOrders", "20 sent 3"],
    );
}

#[test]
fn the_number_of_orders_in_an_interval() {
    let max_orders = Some(OrderRate { count: NonZeroU32::new(3).expect("not zero"), within: Duration::nanos(10) });
    let limits = Limits(RiskLimits { max_orders, ..RiskLimits::default() }, InstrumentLimits::default());
    check(
        limits,
        &[
            (1, limit(Buy, 1, 100)),
            (4, Command::Modify(1, 2, None)), // a change counts
            (4, limit(Buy, 0, 100)),          // what was refused does not
            (5, limit(Buy, 1, 100)),
            (6, Command::Cancel(1)), // nor does a cancellation, which is never refused
            (10, limit(Buy, 1, 100)),
            (11, limit(Buy, 1, 100)), // the one at 1 is 10 ago
            (13, limit(Buy, 1, 100)),
            (14, Command::Modify(2, 2, None)), // the one at 4 is
            (14, Command::Modify(3, 2, None)),
        ],
        &[],
        &[],
        &[
            "1 sent 1",
            "4 done",
            "4 BadQuantity",
            "5 sent 2",
            "6 done",
            "10 MaxOrders",
            "11 sent 3",
            "13 MaxOrders",
            "14 done",
            "14 MaxOrders",
        ],
    );
}

#[test]
fn the_distance_of_a_price_from_the_mid() {
    let limits = Limits(RiskLimits { collar: Some(BasisPoints(50)), ..RiskLimits::default() }, InstrumentLimits::default());
    let stop_limit =
        |trigger, limit| Command::Submit(Buy, 1, OrderKind::StopLimit { trigger: Price(trigger), limit: Price(limit) }, TimeInForce::Gtc);
    // The mid is 1000.5, half a percent of it 5.0025: from 995.4975 to 1005.5025.
    check(
        limits,
        &[
            (1, limit(Buy, 1, 1000)), // no quote yet
            (2, market(Buy, 1)),
            (20, limit(Buy, 1, 995)),
            (21, limit(Buy, 1, 996)),
            (22, limit(Sell, 1, 1005)),
            (23, limit(Sell, 1, 1006)),
            (24, stop_limit(2000, 2010)), // 10 is half a percent of 2000
            (25, stop_limit(2000, 2011)),
            (26, stop_limit(2000, 1989)),
            (27, Command::Modify(2, 1, Some(995))),
            (28, Command::Modify(2, 1, Some(1005))),
            (40, limit(Buy, 1, 1000)), // the mid is now 994.5
            (41, limit(Buy, 1, 999)),
        ],
        &[],
        &[(10, 1000, 1001), (30, 994, 995)],
        &[
            "1 NoReference",
            "2 sent 1",
            "20 Collar",
            "21 sent 2",
            "22 sent 3",
            "23 Collar",
            "24 sent 4",
            "25 Collar",
            "26 Collar",
            "27 Collar",
            "28 done",
            "40 Collar",
            "41 sent 5",
        ],
    );
}

#[test]
fn a_price_at_the_collar_is_within_it() {
    let limits = Limits(RiskLimits { collar: Some(BasisPoints(50)), ..RiskLimits::default() }, InstrumentLimits::default());
    // The mid is 1000, half a percent of it 5.
    let plan = [(1, limit(Buy, 1, 994)), (2, limit(Buy, 1, 995)), (3, limit(Sell, 1, 1005)), (4, limit(Sell, 1, 1006))];
    check(limits, &plan, &[], &[(0, 999, 1001)], &["1 Collar", "2 sent 1", "3 sent 2", "4 Collar"]);
}

fn losing(max_loss: i128) -> Limits {
    Limits(RiskLimits { max_loss: Some(Money(max_loss)), ..RiskLimits::default() }, InstrumentLimits::default())
}

#[test]
fn a_loss_short_of_the_limit_ends_nothing() {
    // Bought 5 at 100: at a bid of 98 the loss is 10.
    let plan = [(1, limit(Buy, 5, 100)), (2, limit(Buy, 3, 90)), (30, limit(Buy, 1, 90))];
    let script = [(10, 1, Buy, filled(5, 100, 0))];
    check(losing(11), &plan, &script, &[(20, 98, 99)], &["1 sent 1", "2 sent 2", "30 sent 3"]);
}

#[test]
fn a_loss_at_the_limit_cancels_everything_and_ends_trading() {
    let plan = [
        (1, limit(Buy, 5, 100)),
        (2, limit(Buy, 3, 90)),
        (30, limit(Buy, 1, 90)),
        (31, market(Sell, 5)),
        (32, Command::Modify(2, 1, None)),
        (33, Command::Cancel(2)),
        // That the price comes back changes nothing.
        (50, market(Sell, 5)),
    ];
    let script = [(10, 1, Buy, filled(5, 100, 0))];
    let quotes = [(20, 98, 99), (40, 120, 121)];
    let expected = ["1 sent 1", "2 sent 2", "30 MaxLoss", "31 MaxLoss", "32 MaxLoss", "33 done", "50 MaxLoss"];
    check(losing(10), &plan, &script, &quotes, &expected);
    let (sim, _) = scripted(losing(10), &plan, &script, &quotes);
    let asked = crate::kit::text(&sim.run().expect("a run"), "exchange", "asked");
    // The cancellation of order 2 at 33 is on its way already.
    assert_eq!(asked.lines().skip(2).collect::<Vec<_>>(), ["20 0 CancelAll"]);
}

#[test]
fn what_is_realised_and_paid_in_fees_counts_as_a_loss() {
    // Sold 5 at 100 and bought back at 101: 5 lost, and a fee of 2 at the second fill.
    let fill = |price, fee| match filled(5, price, 0) {
        Outcome::Filled { quantity, price, left, liquidity, .. } => Outcome::Filled { quantity, price, left, liquidity, fee: Money(fee) },
        other => other,
    };
    let plan = [(1, market(Sell, 5)), (2, market(Buy, 5)), (30, market(Buy, 1))];
    let script = [(10, 1, Sell, fill(100, 0)), (20, 2, Buy, fill(101, 2))];
    check(losing(8), &plan, &script, &[], &["1 sent 1", "2 sent 2", "30 sent 3"]);
    check(losing(7), &plan, &script, &[], &["1 sent 1", "2 sent 2", "30 MaxLoss"]);
}

#[test]
fn a_short_position_is_valued_at_the_ask() {
    let plan = [(1, market(Sell, 5)), (30, market(Buy, 1))];
    let script = [(10, 1, Sell, filled(5, 100, 0))];
    check(losing(10), &plan, &script, &[(20, 90, 101)], &["1 sent 1", "30 sent 2"]);
    check(losing(10), &plan, &script, &[(20, 90, 102)], &["1 sent 1", "30 MaxLoss"]);
}

/// Buys one of each of its instruments at the start.
#[derive(Default, serde::Serialize, serde::Deserialize)]
struct OneOfEach;

impl stillpoint_actors::strategy::Strategy for OneOfEach {
    fn on_start(&mut self, desk: &mut stillpoint_actors::strategy::Desk<'_>) {
        let all: Vec<_> = desk.accounts().iter().map(|account| account.instrument().id).collect();
        all.into_iter().for_each(|instrument| _ = desk.buy(instrument, Quantity(1)));
    }
}

/// Whether trading has ended after one X, without decimals, and one Z, with two for its prices, lost 3 and 0.45: 345 hundredths.
fn ends_at(max_loss: i128) -> bool {
    let money = Decimals::new(2).expect("at most 18");
    let z = Instrument::new(InstrumentId(1), "Z").with_decimals(money, Decimals::new(0).expect("at most 18"));
    let of = |id, bid, ask| Quote { instrument: InstrumentId(id), ..quote(bid, ask) };
    let quotes = [(1, of(0, 100, 103)), (1, of(1, 1000, 1045)), (2, of(0, 100, 103))];
    let mut sim = Simulation::new("losses").start(at(0));
    let events = quotes.map(|(nanos, value)| Timed { at: at(nanos), value }).to_vec();
    let stream = sim.stream("quotes", Stream::from_vec(events)).expect("a name");
    let puppet = sim.actor("exchange", crate::kit::Puppet::default()).expect("a name");
    let script = [(0, 1, 103), (1, 2, 1045)].map(|(id, order, price)| {
        let event = stillpoint_actors::OrderEvent {
            order: stillpoint_actors::OrderId(order),
            instrument: InstrumentId(id),
            side: Buy,
            outcome: filled(1, price, 0),
        };
        Timed { at: at(0), value: event }
    });
    let answers = sim.stream("answers", Stream::from_vec(script.to_vec())).expect("a name");
    let mut given = settings(puppet.recipient(), losing(max_loss));
    given.routes.push(Route { instrument: z, ..given.routes[0].clone() });
    let trader = sim.actor("trader", Trader::new(given, OneOfEach).expect("good settings")).expect("a name");
    sim.subscribe::<Quote, _>(trader, stream);
    sim.subscribe::<stillpoint_actors::OrderEvent, _>(trader, answers);
    let mut run = sim.begin().expect("a run");
    run.until(at(5));
    run.actor(trader).expect("it lives").blotter().closed().is_some()
}

#[test]
fn losses_of_all_instruments_add_up_in_the_finest_unit() {
    assert!(!ends_at(346));
    assert!(ends_at(345));
}

#[test]
fn an_inverse_contract_gains_in_its_base_currency() {
    // 100 dollars a contract, bought at 20,000 and worth 25,000: 10 of them gain 1000 / 20000 - 1000 / 25000 = 0.01 of a coin, and lose
    // 1000 / 20000 - 1000 / 16000 = -0.0125 at 16,000. In units of 10^-16, as the money of all inverse
    // contracts with few decimals.
    let inverse = |price_now| {
        let two = Decimals::new(2).expect("at most 18");
        let x = crate::kit::x().with_decimals(two, two).with_contract(ContractKind::Inverse, 100);
        let mut sim = Simulation::new("inverse").start(at(0));
        let now = Quote { bid: Price(price_now), ask: Price(price_now + 100), ..quote(1, 2) };
        let stream = sim.stream("quotes", Stream::from_vec(vec![Timed { at: at(20), value: now }])).expect("a name");
        let puppet = crate::kit::Puppet { script: vec![(10, 1, Buy, filled(1000, 2_000_000, 0))], ..crate::kit::Puppet::default() };
        let puppet = sim.actor("exchange", puppet).expect("a name");
        let mut given = settings(puppet.recipient(), Limits::default());
        given.routes[0].instrument = x;
        let trader = Trader::new(given, crate::kit::Scripted::new(&[(1, market(Buy, 1000))])).expect("good settings");
        let trader = sim.actor("trader", trader).expect("a name");
        sim.subscribe::<Quote, _>(trader, stream);
        let mut run = sim.begin().expect("a run");
        run.until(at(30));
        let trader = run.actor(trader).expect("it lives");
        let account = &trader.blotter().accounts()[0];
        (account.unrealised().0, account.profit().0, account.average_price())
    };
    assert_eq!(inverse(2_500_000), (100_000_000_000_000, 100_000_000_000_000, Some(2_000_000.0)));
    assert_eq!(inverse(1_600_000), (-125_000_000_000_000, -125_000_000_000_000, Some(2_000_000.0)));
}
