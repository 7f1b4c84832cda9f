//! A TWAP, its slices worked out by hand: 10 in 4 parts are 2, 5, 7 and 10 (2.5 and 7.5 rounded down), one every 10.

use std::num::NonZeroU32;

use stillpoint_actors::strategies::{Twap, TwapSettings};
use stillpoint_actors::strategy::TraderSettings;
use stillpoint_actors::{Latencies, Latency, Price, Quantity, Side};
use stillpoint_engine::Duration;

use crate::kit::{Stage, X, at, check_asked, number, timed};

fn settings() -> TwapSettings {
    TwapSettings {
        instrument: X,
        side: Side::Buy,
        quantity: Quantity(10),
        slices: NonZeroU32::new(4).expect("not zero"),
        every: Duration::nanos(10),
        start: None,
        limit: None,
    }
}

fn check(settings: TwapSettings, latencies: Latencies, change: impl FnOnce(&mut TraderSettings), expected: &[&str]) -> f64 {
    // Five are offered at 5 and at 30.
    let stage = Stage::new(latencies, &[timed(5, 99, 101), timed(30, 99, 101)], &[]);
    let outcome = check_asked(stage.with(Twap::new(settings).expect("good settings"), change), expected);
    number(&outcome, "trader", "done")
}

#[test]
fn what_a_slice_could_not_fill_comes_with_the_next() {
    // At 25 nothing is left of the five.
    let expected = ["5 X Buy 2 Market", "15 X Buy 3 Market", "25 X Buy 2 Market", "35 X Buy 5 Market"];
    assert_eq!(check(settings(), Latencies::default(), |_| {}, &expected), 1.0);
}

#[test]
fn what_is_on_its_way_is_left_out() {
    let slow = Latencies { entry: Latency::Constant(Duration::nanos(12)), response: Latency::None };
    // Each order arrives after the next one is sent: the one of 25 at 37, where five are offered again.
    let expected = ["5 X Buy 2 Market", "15 X Buy 3 Market", "25 X Buy 2 Market", "35 X Buy 3 Market"];
    assert_eq!(check(settings(), slow, |_| {}, &expected), 1.0);
}

#[test]
fn slices_are_whole_lots() {
    let lots = |settings: &mut TraderSettings| settings.routes[0].instrument.lot_size = Quantity(2);
    // 2, 4, 6 and 10; at 25 one of two is filled, and the five that are missing at 35 are no whole lots.
    let expected = ["5 X Buy 2 Market", "15 X Buy 2 Market", "25 X Buy 2 Market"];
    assert_eq!(check(settings(), Latencies::default(), lots, &expected), 0.5);
}

#[test]
fn nothing_is_paid_beyond_the_limit() {
    let sale = TwapSettings { side: Side::Sell, limit: Some(Price(100)), ..settings() };
    let expected = ["5 X Sell 2@100 Ioc", "15 X Sell 5@100 Ioc", "25 X Sell 7@100 Ioc", "35 X Sell 10@100 Ioc"];
    assert_eq!(check(sale, Latencies::default(), |_| {}, &expected), 0.0);
}

#[test]
fn it_begins_when_it_is_told_or_when_trading_does() {
    let at_eight = TwapSettings { start: Some(at(8)), ..settings() };
    let expected = ["8 X Buy 2 Market", "18 X Buy 3 Market", "28 X Buy 2 Market", "38 X Buy 5 Market"];
    assert_eq!(check(at_eight, Latencies::default(), |_| {}, &expected), 1.0);
    let from = |settings: &mut TraderSettings| settings.trade_from = Some(at(6));
    let expected = ["30 X Buy 2 Market", "40 X Buy 3 Market", "50 X Buy 2 Market", "60 X Buy 5 Market"];
    assert_eq!(check(settings(), Latencies::default(), from, &expected), 0.5);
}
