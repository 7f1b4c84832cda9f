//! Pairs, worked out by hand: four samples at two values of `x`, so that the line goes through the mean of each.

use std::num::NonZeroU32;

use stillpoint_actors::strategies::{Pairs, PairsSettings};
use stillpoint_actors::{Latencies, Price, Quantity, Quote};
use stillpoint_engine::{Duration, Timed};

use crate::kit::{Stage, X, Y, at, check_asked, integer, number};

/// Samples of (x, y), one every 10: `x` a little before, `y` at the instant.
///
/// With the fourth, y is 30 and 30 at 10, 50 and 70 at 20: slope 3, residuals 0, 0, -10 and 10, of which the root of the mean square is 7.07.
/// So the last one is 1.414 of it. With the fifth, 30 at 10, there is none; with the sixth, 50 at 20, it is -1.414.
const SAMPLES: [(i64, i64); 6] = [(10, 30), (20, 50), (10, 30), (20, 70), (10, 30), (20, 50)];

fn quotes() -> Vec<Timed<Quote>> {
    let five = Quantity(5);
    let mid = |instrument, mid| Quote { instrument, bid: Price(mid - 1), bid_quantity: five, ask: Price(mid + 1), ask_quantity: five };
    let samples = (0..).zip(SAMPLES);
    samples
        .flat_map(|(number, (of_x, of_y))| {
            let early = Timed { at: at((number * 10 - 1).max(0)), value: mid(Y, of_x) };
            [early, Timed { at: at(number * 10), value: mid(X, of_y) }]
        })
        .collect()
}

fn settings(entry: f64) -> PairsSettings {
    let period = NonZeroU32::new(4).expect("not zero");
    PairsSettings { y: X, x: Y, quantity: Quantity(1), period, every: Duration::nanos(10), entry, exit: 0.5 }
}

#[test]
fn a_residual_is_traded_back_to_zero_with_its_hedge() {
    let stage = Stage::new(Latencies::default(), &quotes(), &[]);
    let outcome = check_asked(
        stage.with(Pairs::new(settings(1.41)).expect("good settings"), |_| {}),
        &["30 X Sell 1 Market", "30 Y Buy 3 Market", "40 X Buy 1 Market", "40 Y Sell 3 Market", "50 X Buy 1 Market", "50 Y Sell 3 Market"],
    );
    assert_eq!(integer(&outcome, "trader", "samples"), 6);
    assert!((number(&outcome, "trader", "z") + 2f64.sqrt()).abs() < 1e-12);
    // Sold at 69 and bought at 31; bought 3 at 21 and sold them at 9.
    assert_eq!((number(&outcome, "trader", "X realised"), number(&outcome, "trader", "Y realised")), (38.0, -36.0));
}

#[test]
fn a_score_at_the_bound_is_not_beyond_it() {
    let stage = Stage::new(Latencies::default(), &quotes(), &[]);
    check_asked(stage.with(Pairs::new(settings(1.42)).expect("good settings"), |_| {}), &[]);
}

#[test]
fn a_leg_that_would_be_alone_is_closed_again() {
    let stage = Stage::new(Latencies::default(), &quotes(), &[]);
    let sim = stage.with(Pairs::new(settings(1.41)).expect("good settings"), |settings| {
        settings.routes[1].limits.max_order = Some(Quantity(2));
    });
    check_asked(sim, &["30 X Sell 1 Market", "30 X Buy 1 Market", "50 X Buy 1 Market", "50 X Sell 1 Market"]);
}
