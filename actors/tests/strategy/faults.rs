//! Settings that cannot be: each names its field and says what to do.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use stillpoint_actors::indicators::MacdPeriods;
use stillpoint_actors::strategies::{
    Breakout, BreakoutSettings, MacdRsi, MacdRsiSettings, MarketMaker, MarketMakerSettings, Pairs, PairsSettings, Twap, TwapSettings,
};
use stillpoint_actors::strategy::{OrderRate, Strategy, Trader, TraderSettings};
use stillpoint_actors::{ContractKind, Money, Price, Quantity, Side};
use stillpoint_engine::{Duration, Simulation};

use crate::kit::{Limits, Puppet, X, Y, at, instrument, settings, x};

#[derive(Debug, Serialize, Deserialize)]
struct Idle;
impl Strategy for Idle {}

fn trader(change: impl FnOnce(&mut TraderSettings), expected: &str) {
    let mut sim = Simulation::new("faults");
    let puppet = sim.actor("exchange", Puppet::default()).expect("a name");
    let mut given = settings(puppet.recipient(), Limits::default());
    let more = given.routes[0].clone();
    given.routes.push(stillpoint_actors::strategy::Route { instrument: instrument(Y, "Y"), ..more });
    change(&mut given);
    assert_eq!(Trader::new(given, Idle).expect_err("a fault").to_string(), expected);
}

#[test]
fn of_a_trader() {
    trader(|given| given.routes.clear(), "`instruments` names none; give the trader what it trades");
    trader(
        |given| given.routes[1].instrument = instrument(X, "Z"),
        "`instruments` has `X` and `Z` under the number 0; give each a number of its own",
    );
    trader(
        |given| given.routes[1].instrument = x().with_steps(Price(0), Quantity(1)),
        "`instruments` has `X`, which has a tick size of 0; give one above zero",
    );
    trader(
        |given| given.routes[0].limits.max_order = Some(Quantity(0)),
        "`max_order` is not above zero; leave it out to have no such limit",
    );
    trader(
        |given| given.routes[1].limits.max_position = Some(Quantity(-1)),
        "`max_position` is not above zero; leave it out to have no such limit",
    );
    trader(|given| given.limits.max_loss = Some(Money(0)), "`max_loss` is not above zero; give the loss as a positive amount");
    trader(
        |given| {
            given.limits.max_loss = Some(Money(1));
            given.routes[1].instrument.contract = ContractKind::Inverse;
        },
        "`max_loss` adds up money of `X` and `Y`, which is not in one currency; leave it out",
    );
    let rate = OrderRate { count: NonZeroU32::MIN, within: Duration::ZERO };
    trader(|given| given.limits.max_orders = Some(rate), "`max_orders` has an interval that is not above zero; give one such as 1s");
    trader(
        |given| (given.trade_from, given.trade_until) = (Some(at(5)), Some(at(5))),
        "`trade_until` is 1970-01-01T00:00:00.000000005Z, which is not after `trade_from`, 1970-01-01T00:00:00.000000005Z",
    );
}

fn fault<S>(made: Result<S, stillpoint_actors::strategy::SettingsError>, expected: &str) {
    match made {
        Ok(_) => panic!("no fault, where one was expected: {expected}"),
        Err(error) => assert_eq!(error.to_string(), expected),
    }
}

fn count(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).expect("not zero")
}

const NONE: &str = "is not above zero; give how much to trade";

#[test]
fn of_a_market_maker() {
    let good = MarketMakerSettings {
        instrument: X,
        quantity: Quantity(1),
        limit: Quantity(5),
        half_spread: Price(1),
        skew: Price(0),
        requote: Price(0),
    };
    MarketMaker::new(good).expect("good settings");
    fault(MarketMaker::new(MarketMakerSettings { quantity: Quantity(0), ..good }), &format!("`quantity` {NONE}"));
    fault(MarketMaker::new(MarketMakerSettings { limit: Quantity(-1), ..good }), &format!("`limit` {NONE}"));
    fault(MarketMaker::new(MarketMakerSettings { skew: Price(-1), ..good }), "`skew` is below zero; give a distance");
    fault(
        MarketMaker::new(MarketMakerSettings { half_spread: Price(0), ..good }),
        "`half_spread` is not above zero; both sides would meet at one price",
    );
    fault(MarketMaker::new(MarketMakerSettings { requote: Price(-1), ..good }), "`requote` is below zero; give a distance");
}

#[test]
fn of_those_that_follow_bars() {
    let good = BreakoutSettings { instrument: X, quantity: Quantity(1), entry: count(3), exit: count(3), long_only: false };
    Breakout::new(good).expect("good settings");
    fault(Breakout::new(BreakoutSettings { quantity: Quantity(0), ..good }), &format!("`quantity` {NONE}"));
    fault(Breakout::new(BreakoutSettings { exit: count(4), ..good }), "`exit` must not be above `entry`, which is 3");
    let good = MacdRsiSettings {
        instrument: X,
        quantity: Quantity(1),
        macd: MacdPeriods::USUAL,
        rsi: count(14),
        overbought: 70.0,
        oversold: 30.0,
        long_only: false,
    };
    MacdRsi::new(good).expect("good settings");
    fault(MacdRsi::new(MacdRsiSettings { quantity: Quantity(0), ..good }), &format!("`quantity` {NONE}"));
    fault(MacdRsi::new(MacdRsiSettings { oversold: 70.0, ..good }), "`oversold` must be at least 0 and below `overbought`, which is 70");
    fault(
        MacdRsi::new(MacdRsiSettings { oversold: f64::NAN, ..good }),
        "`oversold` must be at least 0 and below `overbought`, which is 70",
    );
    fault(MacdRsi::new(MacdRsiSettings { overbought: 101.0, ..good }), "`overbought` must be at most 100");
    let macd = MacdPeriods { fast: count(26), ..MacdPeriods::USUAL };
    fault(MacdRsi::new(MacdRsiSettings { macd, ..good }), "`macd` has a fast period of 26 and a slow one of 26; give a longer slow one");
}

#[test]
fn of_pairs_and_of_a_twap() {
    let every = Duration::secs(1);
    let good = PairsSettings { y: X, x: Y, quantity: Quantity(1), period: count(3), every, entry: 2.0, exit: 0.0 };
    Pairs::new(good).expect("good settings");
    fault(Pairs::new(PairsSettings { x: X, ..good }), "`x` is the same instrument as `y`; give another one");
    fault(Pairs::new(PairsSettings { quantity: Quantity(0), ..good }), &format!("`quantity` {NONE}"));
    fault(Pairs::new(PairsSettings { period: count(2), ..good }), "`period` must be at least 3: through two points there is always a line");
    fault(Pairs::new(PairsSettings { exit: 2.0, ..good }), "`exit` must be at least 0 and below `entry`, which is 2");
    fault(Pairs::new(PairsSettings { every: Duration::ZERO, ..good }), "`every` is not above zero; give a time such as 1s");
    let good = TwapSettings { instrument: X, side: Side::Buy, quantity: Quantity(1), slices: count(2), every, start: None, limit: None };
    Twap::new(good).expect("good settings");
    fault(Twap::new(TwapSettings { quantity: Quantity(0), ..good }), &format!("`quantity` {NONE}"));
    fault(Twap::new(TwapSettings { every: Duration::ZERO, ..good }), "`every` is not above zero; give a time such as 1s");
}
