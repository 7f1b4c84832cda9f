//! The market maker, its prices and orders worked out by hand.

use stillpoint_actors::strategies::{MarketMaker, MarketMakerSettings};
use stillpoint_actors::strategy::{InstrumentLimits, TraderSettings};
use stillpoint_actors::{Latencies, Latency, Price, Quantity};
use stillpoint_engine::Duration;

use crate::kit::{Stage, X, check_asked, number, timed};

fn maker(quantity: i64, limit: i64, half_spread: i64, skew: i64, requote: i64) -> MarketMaker {
    let settings = MarketMakerSettings {
        instrument: X,
        quantity: Quantity(quantity),
        limit: Quantity(limit),
        half_spread: Price(half_spread),
        skew: Price(skew),
        requote: Price(requote),
    };
    MarketMaker::new(settings).expect("good settings")
}

#[test]
fn quotes_follow_the_mid_and_lean_against_what_is_held() {
    let quotes = [timed(1, 99, 101), timed(10, 97, 98), timed(20, 97, 98), timed(30, 100, 101), timed(40, 100, 101)];
    let stage = Stage::new(Latencies::default(), &quotes, &[]);
    let outcome = check_asked(
        stage.with(maker(2, 4, 2, 2, 0), |_| {}),
        &[
            // Two to each side of 100.
            "1 X Buy 2@98 Gtx",
            "1 X Sell 2@102 Gtx",
            // The mid is 97.5: 95.5 is rounded down and 99.5 up. But the ask has come to the bid, which is filled.
            "10 X 1 to 2@95",
            "10 X 2 to 2@100",
            // Long 2 of 4, so half of the skew: 96.5 is the centre. The ask is being changed already.
            "10 X Buy 2@94 Gtx",
            "20 X 2 to 2@99",
            // The mid is 100.5 and the centre 99.5; prices rise, so the ask goes first. It is filled.
            "30 X 2 to 2@102",
            "30 X 3 to 2@97",
            // Flat again.
            "30 X Sell 2@103 Gtx",
            "40 X 3 to 2@98",
        ],
    );
    assert_eq!((number(&outcome, "trader", "bought"), number(&outcome, "trader", "sold")), (2.0, 2.0));
    // Bought at 98 and sold at 99.
    assert_eq!(number(&outcome, "trader", "X profit"), 2.0);
}

#[test]
fn at_its_limit_it_quotes_one_side() {
    let quotes = [timed(1, 99, 101), timed(10, 98, 99), timed(20, 98, 99), timed(30, 88, 90)];
    let stage = Stage::new(Latencies::default(), &quotes, &[]);
    check_asked(
        stage.with(maker(3, 3, 1, 0, 0), |_| {}),
        // It holds 3 after 10: no more bids.
        &["1 X Buy 3@99 Gtx", "1 X Sell 3@101 Gtx", "10 X 1 to 3@97", "10 X 2 to 3@100", "30 X 2 to 3@90"],
    );
}

#[test]
fn near_its_limit_it_quotes_what_is_left() {
    let quotes = [timed(1, 99, 101), timed(10, 98, 99), timed(20, 98, 99)];
    let stage = Stage::new(Latencies::default(), &quotes, &[]);
    check_asked(
        stage.with(maker(3, 4, 1, 0, 0), |_| {}),
        &["1 X Buy 3@99 Gtx", "1 X Sell 3@101 Gtx", "10 X 1 to 3@97", "10 X 2 to 3@100", "10 X Buy 1@97 Gtx"],
    );
}

#[test]
fn however_far_it_leans_it_does_not_take() {
    // Long by its limit, it would sell 10 below the mid.
    let quotes = [timed(1, 99, 101), timed(10, 98, 99), timed(20, 98, 100)];
    let stage = Stage::new(Latencies::default(), &quotes, &[]);
    check_asked(
        stage.with(maker(2, 2, 1, 10, 0), |_| {}),
        &["1 X Buy 2@99 Gtx", "1 X Sell 2@101 Gtx", "10 X 1 to 2@97", "10 X 2 to 2@100", "20 X 2 to 2@99"],
    );
}

#[test]
fn a_small_move_leaves_the_orders_in_their_queues() {
    let quotes = [timed(1, 99, 101), timed(10, 101, 103), timed(20, 102, 104), timed(30, 104, 106)];
    let stage = Stage::new(Latencies::default(), &quotes, &[]);
    check_asked(stage.with(maker(1, 9, 5, 0, 3), |_| {}), &["1 X Buy 1@95 Gtx", "1 X Sell 1@105 Gtx", "20 X 2 to 1@108", "20 X 1 to 1@98"]);
}

#[test]
fn one_change_is_on_its_way_at_a_time() {
    let latencies = Latencies { entry: Latency::Constant(Duration::nanos(15)), response: Latency::None };
    let quotes = [timed(1, 99, 101), timed(10, 109, 111), timed(20, 119, 121), timed(30, 129, 131)];
    let stage = Stage::new(latencies, &quotes, &[]);
    check_asked(
        stage.with(maker(1, 9, 5, 0, 0), |_| {}),
        // What is sent at 1 is answered at 16: the ask of 105 would take, since 109 is bid by then. At 20 there is another ask, while the
        // change of the bid, sent at 10, is answered at 25. What is sent at 20 may be changed before it is open.
        &[
            "1 X Buy 1@95 Gtx",
            "1 X Sell 1@105 Gtx",
            "10 X 2 to 1@115",
            "10 X 1 to 1@105",
            "20 X Sell 1@125 Gtx",
            "30 X 3 to 1@135",
            "30 X 1 to 1@125",
        ],
    );
}

#[test]
fn what_may_not_be_changed_is_cancelled() {
    let quotes = [timed(1, 99, 101), timed(10, 99, 103), timed(20, 99, 103)];
    let stage = Stage::new(Latencies::default(), &quotes, &[]);
    let sim = stage.with(maker(2, 4, 2, 0, 0), |settings| {
        settings.limits.max_orders = Some(stillpoint_actors::strategy::OrderRate {
            count: std::num::NonZeroU32::new(2).expect("not zero"),
            within: Duration::nanos(15),
        });
        settings.routes[0].limits = InstrumentLimits { max_order: Some(Quantity(2)), max_position: Some(Quantity(4)) };
    });
    check_asked(sim, &["1 X Buy 2@98 Gtx", "1 X Sell 2@102 Gtx", "10 X 2 off", "10 X 1 off", "20 X Buy 2@99 Gtx", "20 X Sell 2@103 Gtx"]);
}

/// A tick of 5. The mid of 101 less 1 is rounded down to 100, which would take what is asked at 103: what is below 98 and on a tick is 95. With the
/// bid at 103, what is above 108 and on a tick is 110.
#[test]
fn prices_are_on_ticks_where_the_quote_is_not() {
    let tick = |settings: &mut TraderSettings| {
        let route = &mut settings.routes[0];
        route.instrument = route.instrument.clone().with_steps(Price(5), Quantity(1));
    };
    for (bid, ask, asked) in [(99, 103, ["1 X Buy 1@95 Gtx", "1 X Sell 1@105 Gtx"]), (103, 104, ["1 X Buy 1@95 Gtx", "1 X Sell 1@110 Gtx"])]
    {
        let stage = Stage::new(Latencies::default(), &[timed(1, bid, ask)], &[]);
        check_asked(stage.with(maker(1, 9, 1, 0, 0), tick), &asked);
    }
}

/// Its bids are below zero, where there are no prices.
#[test]
fn what_was_rejected_is_not_asked_for_again_until_something_changes() {
    let quotes = [timed(1, 1, 3), timed(10, 1, 3), timed(20, 2, 4), timed(30, 2, 4)];
    let stage = Stage::new(Latencies::default(), &quotes, &[]);
    check_asked(stage.with(maker(1, 9, 5, 0, 0), |_| {}), &["1 X Buy 1@-3 Gtx", "1 X Sell 1@7 Gtx", "20 X 2 to 1@8", "20 X Buy 1@-2 Gtx"]);
}
