//! The cross of moving averages, its averages and orders worked out by hand.

use std::num::NonZeroU32;

use stillpoint_actors::strategies::{MaCross, MaCrossSettings};
use stillpoint_actors::{Bar, Latencies, Quantity};

use crate::kit::{Stage, X, at, bar, check_asked, timed};

/// Closes; the averages are of two and of three of them.
const CLOSES: [i64; 10] = [
    10, // no average
    12, // only the fast one
    11, // 11.5 and 11: above, the first sign
    9,  // 10 and 10.67: below
    9,  // 9 and 9.67: below
    9,  // 9 and 9: equal
    12, // 10.5 and 10: above
    9,  // 10.5 and 10: above
    9,  // 9 and 10: below
    12, // 10.5 and 10: above
];

fn check(long_only: bool, trade_from: Option<i64>, expected: &[&str]) {
    let count = |count| NonZeroU32::new(count).expect("not zero");
    let settings = MaCrossSettings { instrument: X, quantity: Quantity(2), fast: count(2), slow: count(3), long_only };
    let quotes: Vec<_> = (0..11).map(|nanos| timed(nanos, 99, 101)).collect();
    let bars: Vec<(i64, Bar)> = (1..).zip(CLOSES.map(|close| bar(close + 2, close - 2, close))).collect();
    let stage = Stage::new(Latencies::default(), &quotes, &bars);
    let strategy = MaCross::new(settings).expect("good settings");
    check_asked(stage.with(strategy, |settings| settings.trade_from = trade_from.map(at)), expected);
}

#[test]
fn a_change_of_sign_turns_the_position() {
    check(false, None, &["4 X Sell 2 Market", "7 X Buy 4 Market", "9 X Sell 4 Market", "10 X Buy 4 Market"]);
}

#[test]
fn without_short_positions_it_is_flat_below() {
    check(true, None, &["7 X Buy 2 Market", "9 X Sell 2 Market", "10 X Buy 2 Market"]);
}

#[test]
fn what_crossed_in_the_warm_up_is_not_followed_later() {
    check(false, Some(8), &["9 X Sell 2 Market", "10 X Buy 4 Market"]);
}
