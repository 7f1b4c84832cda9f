//! The desk against an exchange that says what a script says: races, and answers that no good venue would give.

use serde::{Deserialize, Serialize};
use stillpoint_actors::Side::{Buy, Sell};
use stillpoint_actors::strategy::{Desk, InstrumentLimits, Route, Strategy, TimerTag, Trader};
use stillpoint_actors::{OrderKind, Outcome, Price, Quantity, Reject, TimeInForce};
use stillpoint_engine::{Duration, Simulation};

use crate::kit::{Command, Limits, Puppet, X, Y, at, cancelled, check, filled, instrument, limit, market, settings, text};

#[test]
fn an_order_counts_until_its_last_fill() {
    check(
        Limits::default(),
        (
            &[(10, limit(Buy, 5, 100)), (11, market(Sell, 2))],
            &[
                (20, 1, Buy, Outcome::Accepted),
                (30, 1, Buy, filled(2, 100, 3)),
                (31, 2, Sell, filled(2, 101, 0)),
                (40, 1, Buy, filled(3, 99, 0)),
            ],
            &[],
        ),
        &[
            "10 sent 1 | 0 +5 -0",
            "11 sent 2 | 0 +5 -2",
            "20 1 accepted | 0 +5 -2",
            "30 1 filled 2@100 left 3 | 2 +3 -2",
            "31 2 filled 2@101 left 0 | 0 +3 -0",
            "40 1 filled 3@99 left 0 | 3 +0 -0",
        ],
        &["10 0 submit 1 Buy 5 Limit(Price(100)) Gtc", "11 0 submit 2 Sell 2 Market Gtc"],
    );
}

#[test]
fn a_fill_that_crosses_the_cancellation_is_booked() {
    check(
        Limits::default(),
        (
            &[(10, limit(Sell, 5, 100)), (20, Command::Cancel(1)), (21, Command::Cancel(1)), (50, Command::Cancel(1))],
            &[(25, 1, Sell, filled(4, 100, 1)), (30, 1, Sell, cancelled(1))],
            &[],
        ),
        &[
            "10 sent 1 | 0 +0 -5",
            "20 done | 0 +0 -5",
            "21 done | 0 +0 -5",
            "25 1 filled 4@100 left 1 | -4 +0 -1",
            "30 1 cancelled 1 | -4 +0 -0",
            "50 UnknownOrder | -4 +0 -0",
        ],
        // The second call sends nothing.
        &["10 0 submit 1 Sell 5 Limit(Price(100)) Gtc", "20 0 cancel 1 Sell"],
    );
}

#[test]
fn a_cancellation_that_comes_too_late_leaves_the_last_fill() {
    check(
        Limits::default(),
        (
            &[(10, limit(Buy, 5, 100)), (20, Command::CancelAll), (21, Command::CancelAll)],
            &[(25, 1, Buy, filled(5, 100, 0)), (30, 1, Buy, Outcome::CancelRejected { reason: Reject::NotOpen })],
            &[],
        ),
        &[
            "10 sent 1 | 0 +5 -0",
            "20 done | 0 +5 -0",
            "21 done | 0 +5 -0",
            "25 1 filled 5@100 left 0 | 5 +0 -0",
            "30 1 cancel-rejected NotOpen | 5 +0 -0",
        ],
        &["10 0 submit 1 Buy 5 Limit(Price(100)) Gtc", "20 0 CancelAll"],
    );
}

#[test]
fn a_change_on_its_way_counts_with_the_greater_quantity() {
    check(
        Limits::default(),
        (
            &[
                (10, limit(Buy, 5, 100)),
                (20, Command::Modify(1, 8, Some(99))),
                (21, Command::Modify(1, 9, None)),
                (40, Command::Modify(1, 3, None)),
                (60, Command::Modify(1, 2, None)),
                (61, Command::Modify(1, 4, Some(98))),
            ],
            &[
                (25, 1, Buy, filled(2, 100, 3)),
                (30, 1, Buy, Outcome::Modified { left: Quantity(6) }),
                (50, 1, Buy, Outcome::Modified { left: Quantity(1) }),
                (70, 1, Buy, Outcome::ModifyRejected { reason: Reject::Halted }),
                (80, 1, Buy, filled(1, 99, 0)),
            ],
            &[],
        ),
        &[
            "10 sent 1 | 0 +5 -0",
            "20 done | 0 +8 -0",
            "21 Pending | 0 +8 -0",
            "25 1 filled 2@100 left 3 | 2 +6 -0",
            "30 1 modified 6 | 2 +6 -0",
            // Until the venue has made it smaller, all of it can be filled.
            "40 done | 2 +6 -0",
            "50 1 modified 1 | 2 +1 -0",
            "60 BadQuantity | 2 +1 -0",
            "61 done | 2 +2 -0",
            "70 1 modify-rejected Halted | 2 +1 -0",
            "80 1 filled 1@99 left 0 | 3 +0 -0",
        ],
        &[
            "10 0 submit 1 Buy 5 Limit(Price(100)) Gtc",
            "20 0 modify 1 Buy 8 Some(99)",
            "40 0 modify 1 Buy 3 None",
            "61 0 modify 1 Buy 4 Some(98)",
        ],
    );
}

#[test]
fn an_order_that_the_venue_does_not_know_is_gone() {
    for (id, reason) in [(1, Reject::UnknownOrder), (2, Reject::NotOpen)] {
        check(
            Limits::default(),
            (
                &[(10, limit(Buy, 5, 100)), (11, limit(Buy, 3, 100)), (20, Command::Cancel(1)), (21, Command::Modify(2, 4, None))],
                &[(30, id, Buy, if id == 1 { Outcome::CancelRejected { reason } } else { Outcome::ModifyRejected { reason } })],
                &[],
            ),
            &[
                "10 sent 1 | 0 +5 -0",
                "11 sent 2 | 0 +8 -0",
                "20 done | 0 +8 -0",
                "21 done | 0 +9 -0",
                &format!(
                    "30 {id} {}-rejected {reason:?} | 0 +{} -0",
                    if id == 1 { "cancel" } else { "modify" },
                    if id == 1 { 4 } else { 5 }
                ),
            ],
            &[
                "10 0 submit 1 Buy 5 Limit(Price(100)) Gtc",
                "11 0 submit 2 Buy 3 Limit(Price(100)) Gtc",
                "20 0 cancel 1 Buy",
                "21 0 modify 2 Buy 4 None",
            ],
        );
    }
}

#[test]
fn a_fill_of_an_order_that_is_not_open_moves_the_position() {
    check(
        Limits::default(),
        (
            &[(10, limit(Buy, 5, 100))],
            &[
                (20, 9, Buy, filled(2, 100, 0)),
                // The number is known, the side is not.
                (21, 1, Sell, filled(1, 100, 4)),
                (22, 9, Buy, cancelled(3)),
                (30, 1, Buy, Outcome::Rejected { quantity: Quantity(5), reason: Reject::NotFillable }),
            ],
            &[],
        ),
        &[
            "10 sent 1 | 0 +5 -0",
            "20 9 filled 2@100 left 0 | 2 +5 -0",
            "21 1 filled 1@100 left 4 | 1 +5 -0",
            "22 9 cancelled 3 | 1 +5 -0",
            "30 1 rejected NotFillable | 1 +0 -0",
        ],
        &["10 0 submit 1 Buy 5 Limit(Price(100)) Gtc"],
    );
}

#[test]
fn a_stop_is_open_until_what_it_became_has_ended() {
    let stop = Command::Submit(Sell, 5, OrderKind::StopLimit { trigger: Price(95), limit: Price(94) }, TimeInForce::Gtc);
    check(
        Limits::default(),
        (
            &[(10, stop), (40, Command::Modify(1, 5, Some(93)))],
            &[
                (20, 1, Sell, Outcome::Accepted),
                (30, 1, Sell, Outcome::Triggered { price: Price(95) }),
                (50, 1, Sell, Outcome::Modified { left: Quantity(5) }),
                (60, 1, Sell, Outcome::Expired { quantity: Quantity(5) }),
            ],
            &[],
        ),
        &[
            "10 sent 1 | 0 +0 -5",
            "20 1 accepted | 0 +0 -5",
            "30 1 triggered 95 | 0 +0 -5",
            "40 done | 0 +0 -5",
            "50 1 modified 5 | 0 +0 -5",
            "60 1 expired 5 | 0 +0 -0",
        ],
        &["10 0 submit 1 Sell 5 StopLimit { trigger: Price(95), limit: Price(94) } Gtc", "40 0 modify 1 Sell 5 Some(93)"],
    );
}

/// Sends one order in each of its instruments, takes a number, and cancels everything.
#[derive(Default, Serialize, Deserialize)]
struct Both {
    drawn: u64,
}

impl Strategy for Both {
    fn on_start(&mut self, desk: &mut Desk<'_>) {
        self.drawn = desk.rng().below(1_000_000);
        for instrument in [Y, X] {
            desk.buy_limit(instrument, Quantity(1), Price(10), TimeInForce::Gtc).expect("no limits");
        }
        desk.notify_after(Duration::nanos(5), TimerTag(0));
    }

    fn on_timer(&mut self, _: TimerTag, desk: &mut Desk<'_>) {
        desk.cancel_all();
    }
}

#[test]
fn each_instrument_has_its_venue() {
    let run = |seed| {
        let mut sim = Simulation::new("two venues").start(at(0)).seed(seed);
        let venues = ["one", "two"].map(|name| sim.actor(name, Puppet::default()).expect("a name"));
        let mut given = settings(venues[0].recipient(), Limits::default());
        given.routes.insert(0, Route { instrument: instrument(Y, "Y"), venue: venues[1].recipient(), limits: InstrumentLimits::default() });
        let trader = sim.actor("trader", Trader::new(given, Both::default()).expect("good settings")).expect("a name");
        let mut run = sim.begin().expect("a run");
        run.until(at(10));
        let drawn = run.actor(trader).expect("it lives").strategy().drawn;
        let outcome = run.finish().expect("a run");
        (drawn, ["one", "two"].map(|venue| text(&outcome, venue, "asked")))
    };
    let (drawn, asked) = run(1);
    assert_eq!(asked[0], "0 0 submit 2 Buy 1 Limit(Price(10)) Gtc\n5 0 CancelAll\n");
    assert_eq!(asked[1], "0 7 submit 1 Buy 1 Limit(Price(10)) Gtc\n5 7 CancelAll\n");
    assert_eq!(run(1).0, drawn);
    assert_ne!(run(2).0, drawn);
}
