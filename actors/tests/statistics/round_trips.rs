//! Round trips against unit after unit of a naive ledger.

use std::collections::VecDeque;

use proptest::prelude::*;
use stillpoint_actors::statistics::{RoundTrip, RoundTrips, TripFill};
use stillpoint_actors::{Money, Position, Price, Quantity, Side};
use stillpoint_engine::{Duration, Instant};

fn fill(at: i64, side: Side, quantity: i64, price: i64, fee: i128) -> TripFill {
    TripFill { at: Instant::from_nanos(at), side, quantity: Quantity(quantity), price: Price(price), fee: Money(fee) }
}

/// Side, quantity, entered, entry, left, exit, fees, profit.
type Row = (Side, i64, i64, i64, i64, i64, i128, i128);

fn row(trip: &RoundTrip) -> Row {
    (trip.side, trip.quantity.0, trip.entered.as_nanos(), trip.entry.0, trip.left.as_nanos(), trip.exit.0, trip.fees.0, trip.profit.0)
}

#[test]
fn trips_worked_out_by_hand() {
    use Side::{Buy, Sell};
    let mut trips = RoundTrips::default();
    let steps: [(TripFill, &[Row]); 6] = [
        (fill(1, Buy, 10, 100, 20), &[]),
        (fill(2, Buy, 5, 110, 5), &[]),
        // 12 at 120: ten of the first, fees 20 + 5 of 6 (10/12); two of the second, fees 2 + what is left, 1.
        (fill(4, Sell, 12, 120, 6), &[(Buy, 10, 1, 100, 4, 120, 25, 175), (Buy, 2, 2, 110, 4, 120, 3, 17)]),
        // 7 at 100: three of the second, with a loss; four are a new entry, short. Of a fee of 7 three go to the trip.
        (fill(5, Sell, 7, 100, 7), &[(Buy, 3, 2, 110, 5, 100, 6, -36)]),
        (fill(7, Buy, 1, 90, 0), &[(Sell, 1, 5, 100, 7, 90, 1, 9)]),
        // A rebate of 3.
        (fill(9, Buy, 3, 101, -3), &[(Sell, 3, 5, 100, 9, 101, 0, -3)]),
    ];
    for (fill, expected) in steps {
        let found = trips.fill(fill);
        assert_eq!(found.iter().map(row).collect::<Vec<_>>(), expected, "after {fill:?}");
        assert!(found.iter().all(|trip| trip.held() == Duration::nanos(trip.left.as_nanos() - trip.entered.as_nanos())));
    }
    assert_eq!(trips.open().count(), 0);
}

proptest! {
    /// Every unit is queued by itself and leaves by itself; fees and, once flat, profits add up to what the position says.
    #[test]
    fn units_leave_in_the_order_in_which_they_came(
        fills in prop::collection::vec((any::<bool>(), 1i64..9, -20i64..20, -5i128..9), 1..40),
    ) {
        let (mut trips, mut position, mut units) = (RoundTrips::default(), Position::default(), VecDeque::new());
        let (mut fees, mut profit) = (0, 0);
        for (at, (buy, quantity, price, fee)) in fills.iter().enumerate() {
            let side = if *buy { Side::Buy } else { Side::Sell };
            let at = at as i64;
            let mut naive = Vec::new();
            for _ in 0..*quantity {
                match units.front() {
                    Some((other, entered, entry)) if *other != side => {
                        naive.push((*other, *entered, *entry));
                        units.pop_front();
                    }
                    _ => units.push_back((side, at, *price)),
                }
            }
            let found = trips.fill(fill(at, side, *quantity, *price, *fee));
            position.fill(side, Quantity(*quantity), Price(*price));
            let single = found.iter().flat_map(|trip| {
                std::iter::repeat_n((trip.side, trip.entered.as_nanos(), trip.entry.0), trip.quantity.0 as usize)
            });
            prop_assert_eq!(single.collect::<Vec<_>>(), naive);
            for trip in &found {
                let gained = i128::from(trip.exit.0 - trip.entry.0) * i128::from(trip.quantity.0) * i128::from(trip.side.sign());
                prop_assert_eq!(trip.profit.0, gained - trip.fees.0);
                fees += trip.fees.0;
                profit += trip.profit.0;
            }
            let open: i128 = trips.open().map(|entry| entry.fee.0).sum();
            let paid: i128 = fills[..=at as usize].iter().map(|fill| fill.3).sum();
            prop_assert_eq!(fees + open, paid);
            let signed: i64 = trips.open().map(|entry| entry.side.sign() * entry.quantity.0).sum();
            prop_assert_eq!(signed, position.quantity());
            if signed == 0 {
                prop_assert_eq!(profit, position.realised().0 - paid);
            }
        }
    }
}
