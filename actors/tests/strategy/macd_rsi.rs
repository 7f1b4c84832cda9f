//! MACD and RSI, worked out by hand: averages over 1 and 3 closes (weights 1 and 1/2), a signal over 3, an RSI over 2 changes (weight 1/2).

use std::num::NonZeroU32;

use stillpoint_actors::indicators::MacdPeriods;
use stillpoint_actors::strategies::{MacdRsi, MacdRsiSettings};
use stillpoint_actors::{Latencies, Quantity};

use crate::kit::{Stage, X, check_asked, flat_bar, timed};

/// | close | slow   | macd   | signal  | above | gain | loss | RSI  |
/// |-------|--------|--------|---------|-------|------|------|------|
/// | 10    | 10     | 0      | 0       |       | 0    | 0    | 50   |
/// | 14    | 12     | 2      | 1       | yes   | 2    | 0    | 100  |
/// | 14    | 13     | 1      | 1       | equal | 1    | 0    | 100  |
/// | 8     | 10.5   | -2.5   | -0.75   | no    | 0.5  | 3    | 14.3 |
/// | 16    | 13.25  | 2.75   | 1       | yes   | 4.25 | 1.5  | 73.9 |
/// | 8     | 10.625 | -2.625 | -0.8125 | no    | 2.1  | 4.75 | 30.9 |
const CLOSES: [i64; 10] = [10, 10, 10, 10, 10, 14, 14, 8, 16, 8];

fn check(oversold: f64, overbought: f64, long_only: bool, expected: &[&str]) {
    let count = |count| NonZeroU32::new(count).expect("not zero");
    let settings = MacdRsiSettings {
        instrument: X,
        quantity: Quantity(2),
        macd: MacdPeriods { fast: count(1), slow: count(3), signal: count(3) },
        rsi: count(2),
        overbought,
        oversold,
        long_only,
    };
    let quotes: Vec<_> = (0..11).map(|nanos| timed(nanos, 99, 101)).collect();
    let bars: Vec<_> = (1..).zip(CLOSES.map(flat_bar)).collect();
    let stage = Stage::new(Latencies::default(), &quotes, &bars);
    check_asked(stage.with(MacdRsi::new(settings).expect("good settings"), |_| {}), expected);
}

#[test]
fn crosses_are_followed() {
    check(0.0, 100.0, false, &["8 X Sell 2 Market", "9 X Buy 4 Market", "10 X Sell 4 Market"]);
    check(0.0, 100.0, true, &["9 X Buy 2 Market", "10 X Sell 2 Market"]);
}

#[test]
fn but_not_where_the_index_warns() {
    check(14.2, 74.0, false, &["8 X Sell 2 Market", "9 X Buy 4 Market", "10 X Sell 4 Market"]);
    check(14.3, 74.0, false, &["9 X Buy 2 Market", "10 X Sell 4 Market"]);
    check(14.2, 73.9, false, &["8 X Sell 2 Market"]);
    check(31.0, 73.9, false, &[]);
}
