//! Dates against facts from the history of time zones, and ranges against a naive model on whole numbers.

use std::ops::Bound;

use chrono::{NaiveDate, NaiveDateTime};
use proptest::prelude::*;
use stillpoint_engine::Instant;
use stillpoint_store::date::{DateError, DateRange, LocalPolicy, Period, Unit, Zone, from_rfc3339};

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn zone(name: &str) -> Zone {
    Zone::named(name).unwrap()
}

fn range(text: &str) -> DateRange {
    text.parse().unwrap()
}

#[test]
fn units_count_down_to_the_past() {
    for (nanos, seconds, millis, micros) in [
        (1_577_836_800_123_456_789, 1_577_836_800, 1_577_836_800_123, 1_577_836_800_123_456),
        (-1, -1, -1, -1),
        (0, 0, 0, 0),
        (i64::MIN, -9_223_372_037, -9_223_372_036_855, -9_223_372_036_854_776),
    ] {
        let at = Instant::from_nanos(nanos);
        assert_eq!([Unit::Seconds, Unit::Millis, Unit::Micros, Unit::Nanos].map(|unit| unit.count(at)), [seconds, millis, micros, nanos]);
    }
    assert_eq!(Unit::Millis.instant(-1), Ok(Instant::from_nanos(-1_000_000)));
    let error = Unit::Millis.instant(9_223_372_036_855).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`9223372036855 Millis since 1970` is out of range; nanoseconds in 64 bits reach from 1677-09-21T00:12:43Z to 2262-04-11T23:47:16Z"
    );
}

#[test]
fn rfc_3339_needs_its_offset() {
    assert_eq!(from_rfc3339("2025-03-25T23:07:00.5+01:00"), Ok(at("2025-03-25T22:07:00.5Z")));
    assert_eq!(from_rfc3339("1969-12-31T23:59:59.999999999Z"), Ok(Instant::from_nanos(-1)));
    assert_eq!(from_rfc3339("2016-12-31T23:59:60Z"), Ok(at("2017-01-01T00:00:00Z")));
    assert_eq!(from_rfc3339("2262-04-11T23:47:16.854775807Z"), Ok(Instant::MAX));
    assert_eq!(from_rfc3339("1677-09-21T00:12:43.145224192Z"), Ok(Instant::MIN));
    for (text, message) in [
        ("2025-03-25T23:07:00", "at byte 19 there is the end; expected `Z` or an offset such as `+01:00`"),
        ("2025-03-25", "at byte 10 there is the end; expected `T` and a time with `Z` or an offset, such as `T09:30:00Z`"),
        ("2025-03-25T23:07:00Zulu", "at byte 20 there is `ulu`; expected nothing more"),
        ("2025-3-25", "at byte 5 there is `3-25`; expected a month of two digits"),
        ("2025-02-29T00:00:00Z", "at byte 0 there is a date that no calendar has; correct its numbers"),
        ("2025-02-28T24:00:00Z", "at byte 0 there is a date that no calendar has; correct its numbers"),
        ("2262-04-11T23:47:16.854775808Z", "out of range"),
        ("2025-01-01T00:00:00.0123456789Z", "expected one to nine digits of a second's fraction"),
        ("", "at byte 0 there is the end; expected a year of four digits"),
        ("2025-01-01T00:00:00é", "at byte 19 there is `é`"),
    ] {
        let error = from_rfc3339(text).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn unknown_zones_get_a_suggestion() {
    let error = Zone::named("Europe/Londn").unwrap_err();
    assert_eq!(error.to_string(), "`Europe/Londn` is no time zone of the IANA database; did you mean `Europe/London`?");
}

/// A local time, what it means under each policy, or the error.
fn check_local(name: &str, local: &str, earliest: &str, latest: &str, refused: Option<&str>) {
    let zone = zone(name);
    assert_eq!(zone.parse(local, LocalPolicy::Earliest), Ok(at(earliest)), "{name} {local}");
    assert_eq!(zone.parse(local, LocalPolicy::Latest), Ok(at(latest)), "{name} {local}");
    match refused {
        None => assert_eq!(zone.parse(local, LocalPolicy::Refuse), Ok(at(earliest))),
        Some(word) => {
            let error = zone.parse(local, LocalPolicy::Refuse).unwrap_err().to_string();
            assert!(error.contains(word) && error.contains(name) && error.contains(earliest) && error.contains(latest), "{error}");
        }
    }
}

#[test]
fn clocks_that_go_forward_skip_local_times() {
    let missing = Some("was never there in");
    // New York: 02:00 EST became 03:00 EDT.
    check_local("America/New_York", "2024-03-10 01:59:59", "2024-03-10T06:59:59Z", "2024-03-10T06:59:59Z", None);
    check_local("America/New_York", "2024-03-10 02:00", "2024-03-10T07:00:00Z", "2024-03-10T07:00:00Z", missing);
    check_local("America/New_York", "2024-03-10 02:30", "2024-03-10T07:00:00Z", "2024-03-10T07:00:00Z", missing);
    check_local("America/New_York", "2024-03-10 03:00", "2024-03-10T07:00:00Z", "2024-03-10T07:00:00Z", None);
    check_local("Europe/London", "2024-03-31T01:30", "2024-03-31T01:00:00Z", "2024-03-31T01:00:00Z", missing);
    // Lord Howe moves by half an hour: 02:00 (+10:30) became 02:30 (+11).
    check_local("Australia/Lord_Howe", "2024-10-06 02:15", "2024-10-05T15:30:00Z", "2024-10-05T15:30:00Z", missing);
    check_local("Australia/Lord_Howe", "2024-10-06 02:30", "2024-10-05T15:30:00Z", "2024-10-05T15:30:00Z", None);
    // Two islands went over the date line, and never had a whole day.
    check_local("Pacific/Apia", "2011-12-30 12:00", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z", missing);
    check_local("Pacific/Kiritimati", "1994-12-31 23:59:59.9", "1994-12-31T10:00:00Z", "1994-12-31T10:00:00Z", missing);
    // São Paulo changed at midnight: 2018-11-04 began at 01:00.
    check_local("America/Sao_Paulo", "20181104T0000", "2018-11-04T03:00:00Z", "2018-11-04T03:00:00Z", missing);
}

#[test]
fn clocks_that_go_back_repeat_local_times() {
    let twice = Some("was there twice in");
    check_local("America/New_York", "2024-11-03 01:30", "2024-11-03T05:30:00Z", "2024-11-03T06:30:00Z", twice);
    check_local("America/New_York", "2024-11-03 00:59:59", "2024-11-03T04:59:59Z", "2024-11-03T04:59:59Z", None);
    check_local("America/New_York", "2024-11-03 02:00", "2024-11-03T07:00:00Z", "2024-11-03T07:00:00Z", None);
    check_local("Europe/London", "2024-10-27 01:00", "2024-10-27T00:00:00Z", "2024-10-27T01:00:00Z", twice);
    check_local("Australia/Lord_Howe", "2024-04-07 01:45", "2024-04-06T14:45:00Z", "2024-04-06T15:15:00Z", twice);
    // With its offset a local time has one meaning.
    check_local("America/New_York", "2024-11-03T01:30-04:00", "2024-11-03T05:30:00Z", "2024-11-03T05:30:00Z", None);
    check_local("America/New_York", "2024-11-03T01:30:00-05:00", "2024-11-03T06:30:00Z", "2024-11-03T06:30:00Z", None);
}

#[test]
fn zones_show_their_clocks() {
    let (new_york, kathmandu) = (zone("America/New_York"), zone("Asia/Kathmandu"));
    assert_eq!(new_york.rfc3339(at("2024-11-03T05:30:00Z")), "2024-11-03T01:30:00-04:00");
    assert_eq!(new_york.rfc3339(at("2024-11-03T06:30:00.25Z")), "2024-11-03T01:30:00.250-05:00");
    assert_eq!(kathmandu.rfc3339(Instant::EPOCH), "1970-01-01T05:30:00+05:30");
    assert_eq!(kathmandu.local(at("1986-01-01T00:00:00Z")).to_string(), "1986-01-01 05:45:00");
    assert_eq!(Zone::UTC.rfc3339(Instant::MIN), "1677-09-21T00:12:43.145224192Z");
}

#[test]
fn days_begin_at_their_first_midnight() {
    let midnight = |name: &str, day: &str| zone(name).midnight(day.parse().unwrap());
    assert_eq!(midnight("America/New_York", "2024-03-11"), Ok(at("2024-03-11T04:00:00Z")));
    assert_eq!(midnight("America/Sao_Paulo", "2018-11-04"), Ok(at("2018-11-04T03:00:00Z")));
    // At 00:01 the clocks of St John's went back to 23:01, so that 7 November 2010 began twice.
    assert_eq!(midnight("America/St_Johns", "2010-11-07"), Ok(at("2010-11-07T02:30:00Z")));
    assert_eq!(midnight("Pacific/Apia", "2011-12-30"), midnight("Pacific/Apia", "2011-12-31"));
    assert_eq!(midnight("UTC", "2300-01-01"), Err(DateError::OutOfRange("2300-01-01".to_owned())));
}

#[test]
fn ranges_read_and_print() {
    for (text, printed) in [
        ("20200101-20200131", "20200101-20200131"),
        ("2020-01-01-2020-01-31", "20200101-20200131"),
        ("2020-01-01/2020-01-31", "20200101-20200131"),
        ("  20200101 -  20200131", "20200101-20200131"),
        ("[20200101-20200201)", "20200101-20200131"),
        ("[20200101-20200131]", "20200101-20200131"),
        ("(20191231-20200131]", "20200101-20200131"),
        ("(20191231-20200201)", "20200101-20200131"),
        ("20200229", "20200229-20200229"),
        ("20200101-", "20200101-"),
        ("-20200131", "-20200131"),
        ("(20200101-)", "20200102-"),
        ("[-20200131)", "-20200130"),
        ("-", "-"),
        ("[ - ]", "-"),
        ("[20200101-20200101)", "[2020-01-01T00:00:00Z-2020-01-01T00:00:00Z)"),
        ("(20200101-20200101)", "[2020-01-02T00:00:00Z-2020-01-02T00:00:00Z)"),
        ("2020-01-01T09:30:00Z-2020-01-01T16:00:00+01:00", "2020-01-01T09:30:00Z-2020-01-01T15:00:00Z"),
        ("2020-01-01T09:30-05:00-2020-01-02T00:00:00Z", "2020-01-01T14:30:00Z-2020-01-02T00:00:00Z"),
        ("20200101T0930-20200101T160000", "2020-01-01T09:30:00Z-2020-01-01T16:00:00Z"),
        ("(2020-01-01 09:30 - 2020-01-01 16:00:00.5]", "(2020-01-01T09:30:00Z-2020-01-01T16:00:00.500Z]"),
        ("(2020-01-01T00:00:00Z-]", "(2020-01-01T00:00:00Z-]"),
        ("[2020-01-01T00:00:00Z-", "expected `]` or `)`"),
        ("2020-01-01T00:00:00Z-2020-01-31T00:00:00Z", "2020-01-01T00:00:00Z-2020-01-31T00:00:00Z"),
        ("22620411", "22620411-"),
        ("-16770921", "-16770921"),
        ("16770921-16770921", "-16770921"),
    ] {
        match text.parse::<DateRange>() {
            Ok(range) => {
                assert_eq!(range.to_string(), printed, "{text}");
                assert_eq!(printed.parse(), Ok(range), "{text}");
                assert_eq!(serde_json::from_str::<DateRange>(&serde_json::to_string(&range).unwrap()).unwrap(), range);
            }
            Err(error) => assert!(error.to_string().contains(printed), "{text}: {error}"),
        }
    }
}

#[test]
fn ranges_that_are_wrong_say_so() {
    for (text, message) in [
        (
            "20200131-20200101",
            "the range starts at 2020-01-31T00:00:00Z and would end before, at 2020-01-02T00:00:00Z; exchange its bounds",
        ),
        ("20200230-20200301", "at byte 0 there is a date that no calendar has"),
        ("20200101-20201301", "at byte 9 there is a date that no calendar has"),
        ("202001", "at byte 6 there is the end; expected a day of two digits"),
        ("202001011", "at byte 8 there is `1`; expected the end of the date"),
        ("20200101-20200102]", "at byte 17 there is `]`; expected nothing more"),
        ("[20200101-20200102", "at byte 18 there is the end; expected `]` or `)`"),
        ("(20200101)", "at byte 9 there is `)`; expected a range such as"),
        ("2020-01-01T00:00:00Z", "expected a range such as"),
        ("today", "at byte 0 there is `today`; expected a range such as"),
        ("", "expected a range such as"),
        ("23000101-", "`2300-01-01` is out of range"),
        ("20200101-2020-0102", "at byte 16 there is `02`; expected `-` and a day"),
    ] {
        let error = text.parse::<DateRange>().unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
}

#[test]
fn ranges_of_a_zone_have_its_days_and_policy() {
    let new_york = zone("America/New_York");
    let day = DateRange::parse_in("20240310", new_york, LocalPolicy::Refuse).unwrap();
    assert_eq!(day.half_open(), (at("2024-03-10T05:00:00Z").as_nanos(), Some(at("2024-03-11T04:00:00Z").as_nanos())));
    let text = "2024-11-03 01:00 - 2024-11-03 01:30";
    assert_eq!(DateRange::parse_in(text, new_york, LocalPolicy::Earliest).unwrap().end(), Bound::Included(at("2024-11-03T05:30:00Z")));
    assert_eq!(DateRange::parse_in(text, new_york, LocalPolicy::Latest).unwrap().end(), Bound::Included(at("2024-11-03T06:30:00Z")));
    assert!(matches!(DateRange::parse_in(text, new_york, LocalPolicy::Refuse), Err(DateError::Ambiguous { .. })));
}

#[test]
fn ranges_reach_both_ends_of_time() {
    let (min, max) = (Instant::MIN, Instant::MAX);
    assert_eq!(DateRange::ALL.ends(), Some((min, max)));
    assert_eq!(DateRange::ALL.half_open(), (i64::MIN, None));
    assert_eq!(DateRange::closed(min, max).unwrap().half_open(), (i64::MIN, None));
    assert_eq!(DateRange::new(min..max).unwrap().half_open(), (i64::MIN, Some(i64::MAX)));
    assert_eq!(DateRange::at(max).half_open(), (i64::MAX, None));
    assert!(DateRange::at(max).contains(max) && !DateRange::at(max).is_empty());
    assert!(DateRange::new((Bound::Excluded(max), Bound::Unbounded)).unwrap().is_empty());
    assert!(DateRange::new(..min).unwrap().is_empty());
    assert_eq!(DateRange::new(..min).unwrap().half_open(), (i64::MIN, Some(i64::MIN)));
    assert!(DateRange::new((Bound::Excluded(min), Bound::Excluded(Instant::from_nanos(i64::MIN + 1)))).unwrap().is_empty());
    assert_eq!(DateRange::closed(max, min), Err(DateError::Backwards { start: max, end: min }));
}

#[test]
fn cuts_follow_the_clocks_of_the_zone() {
    let hours = |text: &str, name: &str| -> Vec<i64> {
        let range = DateRange::parse_in(text, zone(name), LocalPolicy::Refuse).unwrap();
        let pieces = range.cut(Period::Day, zone(name));
        pieces.map(|day| day.half_open()).map(|(from, to)| (to.unwrap() - from) / 60_000_000_000).collect()
    };
    assert_eq!(hours("20240309-20240311", "America/New_York"), [24 * 60, 23 * 60, 24 * 60]);
    assert_eq!(hours("20241102-20241104", "America/New_York"), [24 * 60, 25 * 60, 24 * 60]);
    assert_eq!(hours("20241005-20241007", "Australia/Lord_Howe"), [24 * 60, 24 * 60 - 30, 24 * 60]);
    // The 30th was not there.
    assert_eq!(hours("20111229-20111231", "Pacific/Apia"), [24 * 60, 24 * 60]);
    assert_eq!(hours("19941230-19950101", "Pacific/Kiritimati"), [24 * 60, 24 * 60]);
    // The repeated hour before midnight belongs to the day that had begun.
    assert_eq!(hours("20101106-20101107", "America/St_Johns"), [24 * 60, 25 * 60]);
}

#[test]
fn cuts_keep_the_outer_bounds() {
    let pieces = |range: &DateRange, period| range.cut(period, Zone::UTC).map(|piece| piece.to_string()).collect::<Vec<_>>();
    let quarter = range("(2020-01-30T12:00:00Z-2020-03-01T00:00:00Z]");
    assert_eq!(
        pieces(&quarter, Period::Month),
        ["(2020-01-30T12:00:00Z-2020-02-01T00:00:00Z)", "20200201-20200229", "2020-03-01T00:00:00Z-2020-03-01T00:00:00Z"]
    );
    assert_eq!(pieces(&range("20191231-20200101"), Period::Year), ["20191231-20191231", "20200101-20200101"]);
    assert_eq!(pieces(&range("[20200101-20200101)"), Period::Day), Vec::<String>::new());
    let all: Vec<DateRange> = DateRange::ALL.cut(Period::Year, Zone::UTC).collect();
    assert_eq!((all.len(), all[0], all[585]), (586, range("-16771231"), range("22620101-")));
    assert_eq!(DateRange::ALL.cut(Period::Day, Zone::UTC).count(), 213_504);
    assert_eq!(DateRange::ALL.cut(Period::Day, zone("Asia/Tokyo")).next_back(), Some(range("2262-04-11T15:00:00Z-")));
}

fn any_bound() -> impl Strategy<Value = Bound<i64>> {
    let nanos = prop_oneof![
        -5i64..5,
        Just(i64::MIN),
        Just(i64::MIN + 1),
        Just(i64::MAX),
        Just(i64::MAX - 1),
        any::<i64>(),
        (-20_000i64..20_000).prop_map(|days| days * 86_400_000_000_000)
    ];
    (0..3, nanos).prop_map(|(kind, nanos)| match kind {
        0 => Bound::Included(nanos),
        1 => Bound::Excluded(nanos),
        _ => Bound::Unbounded,
    })
}

fn any_range() -> impl Strategy<Value = DateRange> {
    (any_bound(), any_bound()).prop_map(|(one, other)| {
        let (one, other) = (one.map(Instant::from_nanos), other.map(Instant::from_nanos));
        DateRange::new((one, other)).or_else(|_| DateRange::new((other, one))).unwrap()
    })
}

/// What a range contains, in numbers too large to overflow: `[from, to)`.
fn model(range: &DateRange) -> (i128, i128) {
    let from = match range.start() {
        Bound::Included(at) => i128::from(at.as_nanos()),
        Bound::Excluded(at) => i128::from(at.as_nanos()) + 1,
        Bound::Unbounded => i128::from(i64::MIN),
    };
    let to = match range.end() {
        Bound::Included(at) => i128::from(at.as_nanos()) + 1,
        Bound::Excluded(at) => i128::from(at.as_nanos()),
        Bound::Unbounded => i128::from(i64::MAX) + 1,
    };
    (from, to.max(from))
}

fn any_zone() -> impl Strategy<Value = Zone> {
    let names = [
        "UTC",
        "America/New_York",
        "Europe/London",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Pacific/Kiritimati",
        "America/St_Johns",
        "America/Sao_Paulo",
        "Africa/Monrovia",
        "Asia/Manila",
        "Atlantic/Azores",
        "Antarctica/Troll",
    ];
    prop::sample::select(names.to_vec()).prop_map(zone)
}

fn any_local() -> impl Strategy<Value = NaiveDateTime> {
    (1850i32..2100, 1u32..367, 0u32..1440).prop_map(|(year, day, minute)| {
        let day = NaiveDate::from_yo_opt(year, day).unwrap_or_else(|| NaiveDate::from_yo_opt(year, 1).unwrap());
        day.and_hms_opt(minute / 60, minute % 60, 0).unwrap()
    })
}

/// A local time near a change of the clocks is drawn rarely, so the instants of changes are looked for.
fn near_a_change(zone: Zone, from: Instant) -> Instant {
    let mut at = from;
    for _ in 0..400 {
        let next = at + stillpoint_engine::Duration::hours(24);
        if (zone.local(next) - zone.local(at)).num_minutes() != 1440 {
            return at;
        }
        at = next;
    }
    from
}

proptest! {
    #[test]
    fn a_range_reads_as_it_prints(range in any_range()) {
        prop_assert_eq!(range.to_string().parse::<DateRange>(), Ok(range));
    }

    #[test]
    fn ranges_contain_what_the_model_does(range in any_range(), other in any_range(), probe in any_range()) {
        let (from, to) = model(&range);
        prop_assert_eq!(range.is_empty(), from == to);
        let ends = range.ends().map(|(first, last)| (i128::from(first.as_nanos()), i128::from(last.as_nanos()) + 1));
        prop_assert_eq!(ends, (from < to).then_some((from, to)));
        let half_open = range.half_open();
        let half_open = (i128::from(half_open.0), half_open.1.map_or(1 << 63, i128::from));
        prop_assert_eq!(half_open.1 - half_open.0, to - from);

        let both = range.intersection(&other);
        let (other_from, other_to) = model(&other);
        prop_assert_eq!(both.is_some(), from.max(other_from) < to.min(other_to));
        let probes = [probe, range, other].iter().flat_map(|range| <[i128; 2]>::from(model(range))).flat_map(|n| [n - 1, n, n + 1]).collect::<Vec<_>>();
        for at in probes.into_iter().filter_map(|n| i64::try_from(n).ok()) {
            let (instant, n) = (Instant::from_nanos(at), i128::from(at));
            prop_assert_eq!(range.contains(instant), from <= n && n < to);
            prop_assert_eq!(both.is_some_and(|both| both.contains(instant)), range.contains(instant) && other.contains(instant));
        }
    }

    #[test]
    fn cuts_are_the_range_in_pieces(start in any::<i64>(), days in 0i64..900, rest in 0i64..86_400_000_000_000, zone in any_zone(),
                                    period in prop::sample::select(vec![Period::Day, Period::Month, Period::Year])) {
        let start = near_a_change(zone, Instant::from_nanos(start));
        let end = Instant::from_nanos(start.as_nanos().saturating_add(days * 86_400_000_000_000 + rest));
        let range = DateRange::closed(start, end).unwrap();
        let pieces: Vec<DateRange> = range.cut(period, zone).collect();
        let mut from = model(&range).0;
        for piece in &pieces {
            let (piece_from, piece_to) = model(piece);
            prop_assert_eq!(piece_from, from);
            prop_assert!(piece_from < piece_to);
            from = piece_to;
            let (first, last) = piece.ends().unwrap();
            prop_assert_eq!(period.first_day(first, zone), period.first_day(last, zone));
            prop_assert!(first == start || period.first_day(first, zone) != period.first_day(first - stillpoint_engine::Duration::nanos(1), zone));
        }
        prop_assert_eq!(from, model(&range).1);
        let mut backwards: Vec<DateRange> = range.cut(period, zone).rev().collect();
        backwards.reverse();
        prop_assert_eq!(backwards, pieces);
    }

    #[test]
    fn later_local_times_are_not_earlier(zone in any_zone(), start in any::<i64>(), minutes in prop::collection::vec(0i64..2880, 2..10)) {
        let base = zone.local(near_a_change(zone, Instant::from_nanos(start / 2)));
        let mut minutes = minutes;
        minutes.sort_unstable();
        for policy in [LocalPolicy::Earliest, LocalPolicy::Latest] {
            let instants: Vec<Instant> = minutes.iter().map(|m| zone.instant(base + chrono::TimeDelta::minutes(*m), policy).unwrap()).collect();
            prop_assert!(instants.is_sorted(), "{:?}", instants);
        }
    }

    #[test]
    fn a_local_time_means_an_instant_that_shows_it(zone in any_zone(), local in any_local()) {
        match zone.instant(local, LocalPolicy::Refuse) {
            Ok(at) => prop_assert_eq!(zone.local(at), local),
            Err(DateError::Ambiguous { earlier, later, .. }) => {
                prop_assert!(earlier < later && zone.local(earlier) == local && zone.local(later) == local);
            }
            Err(DateError::Missing { change, .. }) => {
                let before = zone.local(change - stillpoint_engine::Duration::nanos(1));
                prop_assert!(before < local && local < zone.local(change));
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}
