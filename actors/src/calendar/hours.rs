//! Opening hours. Invariant: sessions do not overlap, and come in order of time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::{DateTime, Days, MappedLocalTime, NaiveDateTime, TimeDelta, TimeZone};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use stillpoint_engine::Instant;

use super::date::{Date, Day, TimeOfDay};

/// Hours on some days of the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// On which days.
    pub days: Vec<Day>,
    /// When it opens: if not before `close`, then on the day before, as futures do.
    pub open: TimeOfDay,
    /// When it closes.
    pub close: TimeOfDay,
}

/// A day with hours of its own, such as an early close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecialDay {
    /// Which day.
    pub date: Date,
    /// When it opens: if not before `close`, then on the day before.
    pub open: TimeOfDay,
    /// When it closes.
    pub close: TimeOfDay,
}

/// What a [`Calendar`] is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarTerms {
    /// The zone of all times, by its name in the time zone database: `America/New_York`.
    pub zone: String,
    /// The hours of an ordinary week; a day may have several.
    pub hours: Vec<Hours>,
    /// Days without a session.
    #[serde(default)]
    pub closed: Vec<Date>,
    /// Days whose hours replace those of the week.
    #[serde(default)]
    pub special: Vec<SpecialDay>,
}

/// Terms that make no calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CalendarError {
    /// No zone has this name.
    UnknownZone(String),
    /// Two sessions of one day overlap, or one overlaps those of the day before.
    Overlap(Day),
    /// A day is closed and has hours of its own, or has them twice.
    Contradiction(Date),
}

impl fmt::Display for CalendarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownZone(name) => write!(f, "`{name}` is no time zone; name one of the time zone database, such as America/New_York"),
            Self::Overlap(day) => {
                write!(f, "the hours of {day:?} overlap one another, or those of the day before; let one end where the next begins")
            }
            Self::Contradiction(date) => write!(f, "{date} is closed and has hours of its own, or has them twice; name it once"),
        }
    }
}

impl std::error::Error for CalendarError {}

/// A session: from `open`, which is part of it, to `close`, which is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Session {
    /// The day it belongs to.
    pub date: Date,
    /// When it opens.
    pub open: Instant,
    /// When it closes.
    pub close: Instant,
}

/// The opening hours of a market as instants, daylight saving and holidays considered.
///
/// A time that the clocks leave out counts as the moment in which they go forward, and one that they show twice as the first of the two.
///
/// ```
/// use stillpoint_actors::calendar::{Calendar, CalendarTerms, Day, Hours};
/// use Day::*;
/// let hours = Hours { days: vec![Monday, Tuesday, Wednesday, Thursday, Friday], open: "09:30".parse()?, close: "16:00".parse()? };
/// let terms = CalendarTerms {
///     zone: "America/New_York".into(), hours: vec![hours], closed: vec!["2024-07-04".parse()?], special: vec![],
/// };
/// let calendar = Calendar::new(terms).map_err(|error| error.to_string())?;
/// let evening = "2024-07-03T22:00:00Z".parse().expect("an instant");
/// assert_eq!(calendar.next_open(evening), "2024-07-05T13:30:00Z".parse().ok());
/// assert!(!calendar.is_open(evening));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "CalendarTerms", into = "CalendarTerms")]
pub struct Calendar {
    terms: CalendarTerms,
    zone: Tz,
    /// (open, close) in minutes from the beginning of the day, in order; negative on the day before.
    week: BTreeMap<Day, Vec<(i32, i32)>>,
    closed: BTreeSet<Date>,
    special: BTreeMap<Date, (i32, i32)>,
}

fn minutes(open: TimeOfDay, close: TimeOfDay) -> (i32, i32) {
    let (open, close) = (i32::from(open.minutes()), i32::from(close.minutes()));
    (if open < close { open } else { open - 24 * 60 }, close)
}

impl Calendar {
    /// A calendar of these terms.
    ///
    /// # Errors
    /// [`CalendarError`] if there is no such zone, or the hours contradict each other.
    pub fn new(terms: CalendarTerms) -> Result<Self, CalendarError> {
        let zone: Tz = terms.zone.parse().map_err(|_| CalendarError::UnknownZone(terms.zone.clone()))?;
        let mut week: BTreeMap<Day, Vec<(i32, i32)>> = BTreeMap::new();
        for hours in &terms.hours {
            for day in &hours.days {
                week.entry(*day).or_default().push(minutes(hours.open, hours.close));
            }
        }
        week.values_mut().for_each(|sessions| sessions.sort_unstable());
        check_week(&week)?;
        let closed: BTreeSet<Date> = terms.closed.iter().copied().collect();
        let mut special = BTreeMap::new();
        for SpecialDay { date, open, close } in &terms.special {
            if closed.contains(date) || special.insert(*date, minutes(*open, *close)).is_some() {
                return Err(CalendarError::Contradiction(*date));
            }
        }
        let calendar = Self { terms, zone, week, closed, special };
        let special = calendar.special.keys().flat_map(|date| [Some(date.0), date.0.succ_opt()]);
        let overlap = special.flatten().map(Date).find(|date| calendar.overlaps(*date));
        match overlap {
            Some(date) => Err(CalendarError::Overlap(date.day())),
            None => Ok(calendar),
        }
    }

    /// The hours of a day, as in `week`.
    fn hours_on(&self, date: Date) -> &[(i32, i32)] {
        let ordinary = || self.week.get(&date.day()).map_or(&[][..], Vec::as_slice);
        if self.closed.contains(&date) { &[] } else { self.special.get(&date).map_or_else(ordinary, std::slice::from_ref) }
    }

    /// Whether a day begins before the day before it has ended.
    fn overlaps(&self, date: Date) -> bool {
        let before = date.0.pred_opt().and_then(|before| self.hours_on(Date(before)).last());
        before.zip(self.hours_on(date).first()).is_some_and(|((_, close), (open, _))| *open < close - 24 * 60)
    }

    /// The sessions of a day, in order.
    pub fn sessions_on(&self, date: Date) -> Vec<Session> {
        let session = |(open, close): &(i32, i32)| {
            let (open, close) = (self.instant(date, *open)?, self.instant(date, *close)?);
            (open < close).then_some(Session { date, open, close })
        };
        self.hours_on(date).iter().filter_map(session).collect()
    }

    /// The session that an instant lies in.
    pub fn session_at(&self, at: Instant) -> Option<Session> {
        self.sessions_from(at).find(|session| at < session.close).filter(|session| session.open <= at)
    }

    /// Whether the market is open.
    pub fn is_open(&self, at: Instant) -> bool {
        self.session_at(at).is_some()
    }

    /// The first opening after an instant; `None` if there is none any more.
    pub fn next_open(&self, after: Instant) -> Option<Instant> {
        self.sessions_from(after).map(|session| session.open).find(|open| *open > after)
    }

    /// The first close after an instant; `None` if there is none any more.
    pub fn next_close(&self, after: Instant) -> Option<Instant> {
        self.sessions_from(after).map(|session| session.close).find(|close| *close > after)
    }

    /// The day on the clocks of the calendar's zone at an instant.
    pub fn date_at(&self, at: Instant) -> Date {
        Date(DateTime::from_timestamp_nanos(at.as_nanos()).with_timezone(&self.zone).date_naive())
    }

    /// Sessions from the day before an instant on. With as many days as this looks at, one is an ordinary one if there is any.
    fn sessions_from(&self, at: Instant) -> impl Iterator<Item = Session> {
        let days = 10 + self.closed.len() as u64 + self.special.len() as u64;
        let first = self.date_at(at).0.checked_sub_days(Days::new(1));
        let dates = (0..days).filter_map(move |day| first?.checked_add_days(Days::new(day)).map(Date));
        dates.flat_map(|date| self.sessions_on(date))
    }

    fn instant(&self, date: Date, minutes: i32) -> Option<Instant> {
        let midnight: NaiveDateTime = date.0.and_hms_opt(0, 0, 0)?;
        // No zone has ever left out more than a day.
        let instant = (0..=24 * 60).find_map(|left_out| {
            let local = midnight.checked_add_signed(TimeDelta::minutes(i64::from(minutes + left_out)))?;
            match self.zone.from_local_datetime(&local) {
                MappedLocalTime::Single(time) | MappedLocalTime::Ambiguous(time, _) => Some(time),
                MappedLocalTime::None => None,
            }
        })?;
        instant.timestamp_nanos_opt().map(Instant::from_nanos)
    }
}

/// A week in which no session begins before the one before it has ended, over the turn of the week too.
fn check_week(week: &BTreeMap<Day, Vec<(i32, i32)>>) -> Result<(), CalendarError> {
    let of_week = |turn: i32| {
        week.iter().flat_map(move |(day, sessions)| {
            let midnight = (*day as i32 + 7 * turn) * 24 * 60;
            sessions.iter().map(move |(open, close)| (*day, midnight + open, midnight + close))
        })
    };
    let all: Vec<_> = of_week(0).chain(of_week(1)).collect();
    let overlap = all.windows(2).find(|pair| pair[1].1 < pair[0].2);
    overlap.map_or(Ok(()), |pair| Err(CalendarError::Overlap(pair[1].0)))
}

impl TryFrom<CalendarTerms> for Calendar {
    type Error = CalendarError;

    fn try_from(terms: CalendarTerms) -> Result<Self, CalendarError> {
        Self::new(terms)
    }
}

impl From<Calendar> for CalendarTerms {
    fn from(calendar: Calendar) -> Self {
        calendar.terms
    }
}
