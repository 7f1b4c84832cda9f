//! Opening hours of real markets, splits and dividends, and universes, by figures that their operators publish or that are worked out by hand.

use stillpoint_actors::calendar::{
    Action, AdjustError, Calendar, CalendarError, CalendarTerms, CorporateAction, Date, Day, Hours, Membership, SpecialDay, Universe,
    UniverseError, adjust,
};
use stillpoint_engine::{Duration, Instant, Timed};

use Day::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};

const WORKDAYS: [Day; 5] = [Monday, Tuesday, Wednesday, Thursday, Friday];

fn at(text: &str) -> Instant {
    text.parse().expect("an instant")
}

fn date(text: &str) -> Date {
    text.parse().expect("a day")
}

fn hours(days: &[Day], open: &str, close: &str) -> Hours {
    Hours { days: days.to_vec(), open: open.parse().expect("a time"), close: close.parse().expect("a time") }
}

fn special(day: &str, open: &str, close: &str) -> SpecialDay {
    SpecialDay { date: date(day), open: open.parse().expect("a time"), close: close.parse().expect("a time") }
}

fn terms(zone: &str, hours: Vec<Hours>) -> CalendarTerms {
    CalendarTerms { zone: zone.to_owned(), hours, closed: Vec::new(), special: Vec::new() }
}

/// The New York Stock Exchange, with the days around Independence Day 2024.
fn new_york() -> Calendar {
    let terms = CalendarTerms {
        closed: vec![date("2024-07-04")],
        special: vec![special("2024-07-03", "09:30", "13:00")],
        ..terms("America/New_York", vec![hours(&WORKDAYS, "09:30", "16:00")])
    };
    Calendar::new(terms).expect("good terms")
}

fn sessions(calendar: &Calendar, day: &str) -> Vec<(Instant, Instant)> {
    calendar.sessions_on(date(day)).iter().map(|session| (session.open, session.close)).collect()
}

#[test]
fn daylight_saving_moves_the_opening() {
    let calendar = new_york();
    for (day, open, close) in [
        ("2024-03-08", "2024-03-08T14:30:00Z", "2024-03-08T21:00:00Z"),
        ("2024-03-11", "2024-03-11T13:30:00Z", "2024-03-11T20:00:00Z"),
        ("2024-11-01", "2024-11-01T13:30:00Z", "2024-11-01T20:00:00Z"),
        ("2024-11-04", "2024-11-04T14:30:00Z", "2024-11-04T21:00:00Z"),
    ] {
        assert_eq!(sessions(&calendar, day), [(at(open), at(close))], "{day}");
    }
    assert_eq!(sessions(&calendar, "2024-03-10"), []);
    assert_eq!(calendar.date_at(at("2024-03-08T03:00:00Z")), date("2024-03-07"));
}

#[test]
fn holidays_and_early_closes() {
    let calendar = new_york();
    assert_eq!(calendar.next_close(at("2024-07-03T13:30:00Z")), Some(at("2024-07-03T17:00:00Z")));
    assert_eq!(calendar.next_open(at("2024-07-03T13:30:00Z")), Some(at("2024-07-05T13:30:00Z")));
    assert_eq!(calendar.next_open(at("2024-07-05T13:30:00Z")), Some(at("2024-07-08T13:30:00Z")));
    assert_eq!(calendar.next_close(at("2024-07-05T20:00:00Z")), Some(at("2024-07-08T20:00:00Z")));
    // The opening is part of a session, the close is not.
    for (when, open) in [
        ("2024-07-05T13:29:59.999999999Z", false),
        ("2024-07-05T13:30:00Z", true),
        ("2024-07-05T19:59:59.999999999Z", true),
        ("2024-07-05T20:00:00Z", false),
        ("2024-07-04T15:00:00Z", false),
        ("2024-07-06T15:00:00Z", false),
    ] {
        assert_eq!(calendar.is_open(at(when)), open, "{when}");
    }
    assert_eq!(calendar.session_at(at("2024-07-05T14:00:00Z")).map(|session| session.date), Some(date("2024-07-05")));
}

#[test]
fn a_lunch_break_makes_two_sessions() {
    let calendar = Calendar::new(terms("Asia/Tokyo", vec![hours(&WORKDAYS, "12:30", "15:30"), hours(&WORKDAYS, "09:00", "11:30")]))
        .expect("good terms");
    let (morning, noon) = (at("2024-11-06T00:00:00Z"), at("2024-11-06T03:30:00Z"));
    assert_eq!(sessions(&calendar, "2024-11-06"), [(morning, at("2024-11-06T02:30:00Z")), (noon, at("2024-11-06T06:30:00Z"))]);
    assert_eq!((calendar.next_open(morning), calendar.is_open(at("2024-11-06T03:00:00Z"))), (Some(noon), false));
}

/// Futures in Chicago: a day of trading begins at 17:00 on the day before, and Monday's on Sunday.
#[test]
fn a_session_may_open_on_the_day_before() {
    let calendar = Calendar::new(terms("America/Chicago", vec![hours(&WORKDAYS, "17:00", "16:00")])).expect("good terms");
    let opened = at("2024-01-07T23:00:00Z");
    assert_eq!(sessions(&calendar, "2024-01-08"), [(opened, at("2024-01-08T22:00:00Z"))]);
    assert_eq!(calendar.next_open(at("2024-01-06T12:00:00Z")), Some(opened));
    assert_eq!(calendar.session_at(opened).map(|session| session.date), Some(date("2024-01-08")));
    assert!(calendar.is_open(at("2024-01-09T00:30:00Z")) && !calendar.is_open(at("2024-01-08T22:30:00Z")));
}

#[test]
fn times_that_clocks_leave_out_or_show_twice() {
    let calendar = Calendar::new(terms("America/New_York", vec![hours(&[Sunday], "01:30", "02:30")])).expect("good terms");
    // Forward from 02:00 to 03:00 on 10 March: 02:30 counts as 03:00 EDT.
    assert_eq!(sessions(&calendar, "2024-03-10"), [(at("2024-03-10T06:30:00Z"), at("2024-03-10T07:00:00Z"))]);
    // Back from 02:00 to 01:00 on 3 November: 01:30 is the first of the two.
    assert_eq!(sessions(&calendar, "2024-11-03"), [(at("2024-11-03T05:30:00Z"), at("2024-11-03T07:30:00Z"))]);
    let never = Calendar::new(terms("America/New_York", vec![hours(&[Sunday], "02:00", "02:59")])).expect("good terms");
    assert_eq!((sessions(&never, "2024-03-10").len(), sessions(&never, "2024-03-17").len()), (0, 1));
}

#[test]
fn a_market_that_never_closes_and_one_that_never_opens() {
    let week = [Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday];
    let always = Calendar::new(terms("UTC", vec![hours(&week, "00:00", "24:00")])).expect("good terms");
    assert!(always.is_open(at("2024-02-29T23:59:59.999Z")) && always.is_open(at("1969-12-31T00:00:00Z")));
    assert_eq!(always.next_open(at("2024-02-29T00:00:00Z")), Some(at("2024-03-01T00:00:00Z")));
    let never = Calendar::new(terms("UTC", vec![])).expect("good terms");
    let now = at("2024-02-29T00:00:00Z");
    assert_eq!((never.next_open(now), never.next_close(now), never.is_open(now)), (None, None, false));
    // Closed for as long as the list goes, and open on the day after.
    let mut long = terms("UTC", vec![hours(&[Friday], "10:00", "11:00")]);
    let day = Duration::hours(24);
    let mut morning = at("2024-01-01T00:00:00Z");
    long.closed = std::iter::repeat_with(|| {
        let next = always.date_at(morning);
        morning = morning + day;
        next
    })
    .take(100)
    .collect();
    let long = Calendar::new(long).expect("good terms");
    assert_eq!(long.next_open(at("2024-01-01T00:00:00Z")), Some(at("2024-04-12T10:00:00Z")));
}

#[test]
fn terms_that_make_no_calendar() {
    let good = terms("UTC", vec![hours(&WORKDAYS, "09:00", "17:00")]);
    let error = |terms: CalendarTerms| Calendar::new(terms).expect_err("no calendar");
    assert_eq!(error(CalendarTerms { zone: "Mars".to_owned(), ..good.clone() }), CalendarError::UnknownZone("Mars".to_owned()));
    let overlapping = [
        (vec![hours(&[Monday], "09:00", "12:00"), hours(&[Monday], "11:59", "13:00")], Monday),
        (vec![hours(&[Monday], "09:00", "20:00"), hours(&[Tuesday], "19:00", "18:00")], Tuesday),
        (vec![hours(&[Monday], "19:00", "18:00"), hours(&[Sunday], "09:00", "20:00")], Monday),
    ];
    for (hours, day) in overlapping {
        assert_eq!(error(terms("UTC", hours)), CalendarError::Overlap(day));
    }
    let wednesday = "2024-07-03";
    let with = |closed: Vec<Date>, special| error(CalendarTerms { closed, special, ..good.clone() });
    let contradiction = CalendarError::Contradiction(date(wednesday));
    assert_eq!(with(vec![date(wednesday)], vec![special(wednesday, "09:00", "10:00")]), contradiction);
    assert_eq!(with(vec![], vec![special(wednesday, "09:00", "10:00"); 2]), contradiction);
    assert_eq!(with(vec![], vec![special(wednesday, "16:00", "15:00")]), CalendarError::Overlap(Wednesday));
    for error in [contradiction, CalendarError::Overlap(Monday), CalendarError::UnknownZone("Mars".to_owned())] {
        assert!(error.to_string().contains("name") || error.to_string().contains("let"), "{error}");
    }
}

#[test]
fn a_calendar_is_saved_as_its_terms() {
    let calendar = new_york();
    let text = ron::to_string(&calendar).expect("it can be saved");
    assert_eq!(ron::from_str::<Calendar>(&text).expect("and restored"), calendar);
    let error = ron::from_str::<Calendar>(&text.replace("New_York", "Old_York")).expect_err("no such zone").to_string();
    assert!(error.contains("`America/Old_York` is no time zone"), "{error}");
}

fn day(number: i64) -> Instant {
    Instant::EPOCH + Duration::hours(24 * number)
}

fn action(ex: i64, action: Action) -> CorporateAction {
    CorporateAction { ex: day(ex), action }
}

fn split(new: u32, old: u32) -> Action {
    Action::Split { new: new.try_into().expect("not zero"), old: old.try_into().expect("not zero") }
}

/// 80 for 3 days; a dividend of 20 (factor 0.75), then 4 for 1 (0.25), then 1 for 2 (2). Everything is a binary fraction.
#[test]
fn prices_worked_out_by_hand() {
    let prices: Vec<Timed<f64>> =
        [80.0, 80.0, 80.0, 60.0, 16.0, 15.0, 32.0].iter().zip(0..).map(|(value, at)| Timed { at: day(at), value: *value }).collect();
    let actions = [action(0, Action::Dividend(5.0)), action(3, Action::Dividend(20.0)), action(4, split(4, 1)), action(6, split(1, 2))];
    let adjusted = |as_of| {
        let rows = adjust(&prices, &actions, day(as_of)).expect("in order");
        assert!(rows.iter().zip(&prices).all(|(row, price)| (row.at, row.raw) == (price.at, price.value)));
        (rows.iter().map(|row| row.split).collect::<Vec<_>>(), rows.iter().map(|row| row.total).collect::<Vec<_>>())
    };
    assert_eq!(adjusted(2), (vec![80.0; 3], vec![80.0; 3]));
    assert_eq!(adjusted(3), (vec![80.0, 80.0, 80.0, 60.0], vec![60.0; 4]));
    assert_eq!(adjusted(5), (vec![20.0, 20.0, 20.0, 15.0, 16.0, 15.0], vec![15.0, 15.0, 15.0, 15.0, 16.0, 15.0]));
    assert_eq!(adjusted(9), (vec![40.0, 40.0, 40.0, 30.0, 32.0, 30.0, 32.0], vec![30.0, 30.0, 30.0, 30.0, 32.0, 30.0, 32.0]));
    // Two for one and a dividend of 10 for each of the new shares at once: of 80 becomes 40, of which a quarter is paid.
    let both = [action(3, split(2, 1)), action(3, Action::Dividend(10.0))];
    let rows = adjust(&prices[..3], &both, day(9)).expect("in order");
    assert_eq!((rows[0].split, rows[0].total), (40.0, 30.0));
}

#[test]
fn actions_that_cannot_be() {
    let prices = [(0, 10.0), (1, 11.0)].map(|(at, value)| Timed { at: day(at), value });
    let error = |prices: &[Timed<f64>], actions: &[CorporateAction]| adjust(prices, actions, day(9)).expect_err("it cannot be");
    for amount in [-1.0, 10.0, f64::INFINITY] {
        let found = error(&prices, &[action(1, Action::Dividend(amount))]);
        assert_eq!(found, AdjustError::BadDividend { ex: day(1), amount, price: 10.0 });
    }
    assert!(matches!(error(&prices, &[action(1, Action::Dividend(f64::NAN))]), AdjustError::BadDividend { .. }));
    let backward: Vec<_> = prices.iter().rev().copied().collect();
    assert_eq!(error(&backward, &[]), AdjustError::OutOfOrder { at: day(0) });
    assert_eq!(error(&prices, &[action(2, split(2, 1)), action(1, split(2, 1))]), AdjustError::OutOfOrder { at: day(1) });
    assert!(adjust(&[], &[action(1, Action::Dividend(5.0))], day(9)).expect("in order").is_empty());
}

#[test]
fn a_member_may_leave_and_come_back() {
    let mut universe = Universe::default();
    let stretch = |from, until: Option<i64>| Membership { from: day(from), until: until.map(day) };
    universe.add("B", stretch(1, Some(3))).expect("good");
    universe.add("B", stretch(5, None)).expect("good");
    universe.add("A", stretch(2, Some(5))).expect("good");
    let members = |at| universe.members(day(at)).copied().collect::<Vec<_>>();
    assert_eq!([0, 1, 2, 3, 4, 5].map(members), [vec![], vec!["B"], vec!["A", "B"], vec!["A"], vec!["A"], vec!["B"]]);
    assert!(universe.contains(&"B", day(99)) && !universe.contains(&"C", day(99)));
    for (from, until) in [(0, Some(2)), (2, None), (7, Some(8)), (0, None)] {
        assert!(matches!(universe.add("B", stretch(from, until)), Err(UniverseError::Overlap(_))), "{from} {until:?}");
    }
    assert_eq!(universe.add("C", stretch(3, Some(3))), Err(UniverseError::Empty));
    universe.add("B", stretch(3, Some(5))).expect("it fits between");
}
