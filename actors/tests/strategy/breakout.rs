//! The breakout, its channels and orders worked out by hand.

use std::num::NonZeroU32;

use stillpoint_actors::strategies::{Breakout, BreakoutSettings};
use stillpoint_actors::{Bar, Latencies, Quantity};

use crate::kit::{Stage, X, at, bar, check_asked, timed};

/// (high, low, close); channels are of three bars to get in and of two to get out.
const BARS: [(i64, i64, i64); 9] = [
    (12, 8, 10),
    (13, 9, 11),
    (11, 9, 10),  // the first three: 8 to 13
    (15, 10, 14), // above 13
    (15, 12, 13), // 9 to 15, out below 9
    (14, 11, 11), // 9 to 15, out below 10
    (11, 9, 10),  // 10 to 15, out below 11
    (10, 5, 6),   // 9 to 15: below
    (20, 6, 19),  // 5 to 14: above
];

fn check(long_only: bool, trade_from: Option<i64>, expected: &[&str]) {
    let count = |count| NonZeroU32::new(count).expect("not zero");
    let settings = BreakoutSettings { instrument: X, quantity: Quantity(2), entry: count(3), exit: count(2), long_only };
    let quotes: Vec<_> = (0..10).map(|nanos| timed(nanos, 99, 101)).collect();
    let bars: Vec<(i64, Bar)> = (1..).zip(BARS.map(|(high, low, close)| bar(high, low, close))).collect();
    let stage = Stage::new(Latencies::default(), &quotes, &bars);
    let strategy = Breakout::new(settings).expect("good settings");
    check_asked(stage.with(strategy, |settings| settings.trade_from = trade_from.map(at)), expected);
}

#[test]
fn closes_beyond_the_channel_of_the_bars_before_are_followed() {
    check(false, None, &["4 X Buy 2 Market", "7 X Sell 2 Market", "8 X Sell 2 Market", "9 X Buy 4 Market"]);
}

#[test]
fn without_short_positions_a_fall_is_waited_out() {
    check(true, None, &["4 X Buy 2 Market", "7 X Sell 2 Market", "9 X Buy 2 Market"]);
}

#[test]
fn what_broke_out_in_the_warm_up_is_not_followed_later() {
    check(false, Some(5), &["8 X Sell 2 Market", "9 X Buy 4 Market"]);
}

#[test]
fn bars_of_the_past_fill_the_channel() {
    let count = |count| NonZeroU32::new(count).expect("not zero");
    let settings = BreakoutSettings { instrument: X, quantity: Quantity(2), entry: count(3), exit: count(2), long_only: false };
    let all = BARS.map(|(high, low, close)| bar(high, low, close));
    let stage = Stage::new(Latencies::default(), &[timed(0, 99, 101)], &[(4, all[3])]);
    let strategy = Breakout::new(settings).expect("good settings");
    check_asked(stage.with(strategy, |settings| settings.history = all[..3].to_vec()), &["4 X Buy 2 Market"]);
}
