//! Operators on times against the same computed anew from all values, and edges worked out by hand.

use proptest::prelude::*;
use stillpoint_actors::indicators::{Aggregate, Greatest, Sum};
use stillpoint_actors::operators::{AsOf, AsOfRule, Basket, BasketError, OutOfOrder, Sample, Sliding, Throttle, Tumbling, as_of_join};
use stillpoint_engine::{Duration, Every, Instant, Timed};

fn at(nanos: i64) -> Instant {
    Instant::from_nanos(nanos)
}

/// Values in order of time, times before 1970 and equal ones among them.
fn series() -> impl Strategy<Value = Vec<Timed<u64>>> {
    prop::collection::vec(-60i64..60, 0..50).prop_map(|mut times| {
        times.sort_unstable();
        times.iter().zip(1..).map(|(time, value)| Timed { at: at(*time), value }).collect()
    })
}

/// Values in their order: an aggregate that is wrong as soon as one is missing, doubled or out of place.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Hashed {
    hash: u64,
    power: u64,
}

impl Hashed {
    fn of(value: u64) -> Self {
        Self { hash: value, power: 0x9E37_79B9_7F4A_7C15 }
    }

    fn all(values: &[u64]) -> Option<Self> {
        values.iter().map(|value| Self::of(*value)).reduce(Aggregate::merge)
    }
}

impl Aggregate for Hashed {
    fn merge(self, later: Self) -> Self {
        let hash = self.hash.wrapping_mul(later.power).wrapping_add(later.hash);
        Self { hash, power: self.power.wrapping_mul(later.power) }
    }
}

fn values(series: &[Timed<u64>], within: impl Fn(i64) -> bool) -> Vec<u64> {
    series.iter().filter(|row| within(row.at.as_nanos())).map(|row| row.value).collect()
}

proptest! {
    #[test]
    fn samples_are_the_latest_values(series in series(), first in -70i64..70, period in 1i64..20, end in -80i64..90) {
        let mut sample = Sample::new(Every::from(at(first), Duration::nanos(period)));
        let mut found = Vec::new();
        for row in &series {
            found.extend(sample.push(row.at, row.value).expect("in order"));
        }
        found.extend(sample.finish(at(end)));
        let last = series.last().map_or(i64::MIN, |row| row.at.as_nanos());
        let wanted: Vec<_> = (0..200)
            .map(|tick| first + tick * period)
            .filter(|tick| *tick <= end || *tick < last)
            .filter_map(|tick| values(&series, |time| time <= tick).pop().map(|value| (tick, value)))
            .collect();
        prop_assert_eq!(found.iter().map(|tick| (tick.at.as_nanos(), tick.value)).collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn a_throttle_leaves_a_period_between(series in series(), period in 0i64..20) {
        let mut throttle = Throttle::new(Duration::nanos(period));
        let mut passed: Vec<i64> = Vec::new();
        for row in &series {
            let time = row.at.as_nanos();
            let wanted = passed.last().is_none_or(|last| time - last >= period);
            prop_assert_eq!(throttle.passes(row.at).expect("in order"), wanted);
            if wanted {
                passed.push(time);
            }
        }
    }

    #[test]
    fn stretches_have_exactly_their_values(series in series(), origin in -30i64..30, width in 1i64..25) {
        let mut windows = Tumbling::new(at(origin), Duration::nanos(width)).expect("above zero");
        let mut found = Vec::new();
        for row in &series {
            found.extend(windows.push(row.at, Hashed::of(row.value)).expect("in order"));
        }
        found.extend(windows.finish());
        prop_assert!(windows.finish().is_none());
        let mut stretch = found.iter();
        for number in -100..100 {
            let (start, end) = (origin + number * width, origin + (number + 1) * width);
            let inside = values(&series, |time| start <= time && time < end);
            if !inside.is_empty() {
                let next = stretch.next().expect("a stretch with values");
                prop_assert_eq!((next.start, next.end, next.count), (at(start), at(end), inside.len() as u64));
                prop_assert_eq!(Some(next.value), Hashed::all(&inside));
            }
        }
        prop_assert!(stretch.next().is_none());
    }

    #[test]
    fn the_time_just_past_has_exactly_its_values(series in series(), width in 0i64..40, pause in 0i64..10) {
        let mut window = Sliding::new(Duration::nanos(width));
        for (number, row) in series.iter().enumerate() {
            window.push(row.at, Hashed::of(row.value)).expect("in order");
            let mut now = row.at.as_nanos();
            let before = &series[..=number];
            prop_assert_eq!(window.value(), Hashed::all(&values(before, |time| now - width < time)));
            if series.get(number + 1).is_none_or(|next| next.at.as_nanos() >= now + pause) {
                now += pause;
                window.advance(at(now)).expect("in order");
                let inside = values(before, |time| now - width < time);
                prop_assert_eq!(window.count(), inside.len());
                prop_assert_eq!(window.value(), Hashed::all(&inside));
            }
        }
    }

    #[test]
    fn a_join_finds_the_latest(left in series(), right in series(), before in any::<bool>(), oldest in prop::option::of(0i64..30)) {
        let rule = if before { AsOfRule::Before } else { AsOfRule::AtOrBefore };
        let found = as_of_join(&left, &right, rule, oldest.map(Duration::nanos)).expect("in order");
        for (row, found) in left.iter().zip(found) {
            let now = row.at.as_nanos();
            let counts = |time: i64| if before { time < now } else { time <= now };
            let wanted = right.iter().rfind(|other| counts(other.at.as_nanos()));
            let wanted = wanted.filter(|other| oldest.is_none_or(|oldest| now - other.at.as_nanos() <= oldest));
            prop_assert_eq!(found, wanted.map(|other| &other.value));
        }
    }
}

#[test]
fn what_is_out_of_order_is_refused_and_changes_nothing() {
    let error = OutOfOrder { at: at(4), after: at(5) };
    let mut sample = Sample::new(Every::from(at(0), Duration::nanos(1)));
    sample.push(at(5), 1).expect("the first");
    let copy = sample.clone();
    assert_eq!((sample.push(at(4), 2), &sample), (Err(error), &copy));
    let mut throttle = Throttle::new(Duration::nanos(1));
    assert_eq!((throttle.passes(at(5)), throttle.passes(at(4))), (Ok(true), Err(error)));
    let mut windows = Tumbling::new(at(0), Duration::nanos(10)).expect("above zero");
    windows.push(at(5), Sum(1.0)).expect("the first");
    assert_eq!((windows.push(at(4), Sum(1.0)), windows.finish().map(|last| last.count)), (Err(error), Some(1)));
    let mut window = Sliding::new(Duration::nanos(10));
    window.push(at(5), Greatest(1.0)).expect("the first");
    assert_eq!((window.push(at(4), Greatest(2.0)), window.value()), (Err(error), Some(Greatest(1.0))));
    let mut series = AsOf::new(AsOfRule::AtOrBefore, None);
    series.push(at(5), 'a').expect("the first");
    assert_eq!((series.push(at(4), 'b'), series.at(at(9))), (Err(error), Some((at(5), &'a'))));
    let [good, bad] = [[4, 5], [5, 4]].map(|times| times.map(|time| Timed { at: at(time), value: () }));
    assert_eq!(as_of_join(&bad, &good, AsOfRule::Before, None), Err(error));
    assert_eq!(as_of_join(&good, &bad, AsOfRule::Before, None), Err(error));
    assert_eq!(as_of_join(&good[..1], &bad, AsOfRule::Before, None), Err(error));
    assert!(error.to_string().contains("sort the values by time"), "{error}");
}

#[test]
fn the_ends_of_time() {
    assert!(Tumbling::<Sum>::new(at(0), Duration::nanos(0)).is_none());
    let mut windows = Tumbling::new(at(0), Duration::nanos(i64::MAX)).expect("above zero");
    windows.push(at(i64::MIN), Sum(1.0)).expect("in order");
    let first = windows.push(at(0), Sum(2.0)).expect("in order").expect("the next stretch");
    assert_eq!((first.start, first.end), (at(i64::MIN), at(i64::MIN + 1)).min((at(i64::MIN), at(0))));
    let mut throttle = Throttle::new(Duration::nanos(i64::MAX));
    assert_eq!((throttle.passes(at(1)), throttle.passes(at(i64::MAX))), (Ok(true), Ok(false)));
    let mut sample = Sample::new(Every::from(at(i64::MAX - 1), Duration::nanos(1)));
    sample.push(at(0), 'a').expect("in order");
    assert_eq!(sample.finish(at(i64::MAX)).len(), 2);
    assert_eq!(sample.finish(at(i64::MAX)).len(), 0);
    let mut once = Sample::new(Every::from(at(0), Duration::nanos(1)).until(at(1)));
    once.push(at(0), 'a').expect("in order");
    assert_eq!(once.finish(at(9)).len(), 2);
}

#[test]
fn a_basket_goes_on_where_it_was() {
    let mut basket = Basket::new(1000.0);
    assert_eq!((basket.level(), basket.set_weights([("A", 1.0)])), (None, Err(BasketError::NoPrice("\"A\"".to_owned()))));
    basket.price("A", 50.0);
    basket.price("B", 20.0);
    basket.set_weights([("A", 2.0), ("B", 5.0)]).expect("both have prices");
    // 200 are 1,000; with A at 60 and B at 16 it is again 200, with B at 26 it is 250.
    basket.price("A", 60.0);
    basket.price("B", 16.0);
    assert_eq!(basket.level(), Some(1000.0));
    basket.price("B", 26.0);
    basket.price("B", f64::NAN);
    assert_eq!(basket.level(), Some(1250.0));
    // B alone, three of it: 78 are 1,250; a change that is refused changes nothing.
    basket.set_weights([("B", 3.0)]).expect("it has a price");
    assert_eq!(basket.set_weights([("B", -1.0)]), Err(BasketError::NotAboveZero));
    assert_eq!(basket.weights().collect::<Vec<_>>(), [(&"B", 3.0)]);
    basket.price("A", 1.0);
    assert_eq!(basket.level(), Some(1250.0));
    basket.price("B", 13.0);
    assert_eq!(basket.level(), Some(625.0));
}
