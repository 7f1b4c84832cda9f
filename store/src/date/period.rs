//! Days, months and years of a zone, and ranges cut by them. Invariant: the periods of one kind and zone cover all time, without overlap.

use std::iter::FusedIterator;
use std::ops::Bound;

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};
use stillpoint_engine::Instant;

use super::zone::instant_of;
use super::{DateRange, Zone};

/// A part of the calendar.
///
/// A period lasts from the first instant of its first day to that of the next period's. Where clocks go back over midnight, a day's second
/// midnight belongs to the day that began with the first one, so that every period is one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Period {
    /// From midnight to midnight: 23 to 25 hours, where clocks change.
    Day,
    /// A calendar month.
    Month,
    /// A calendar year.
    Year,
}

impl Period {
    /// The first day of the period that contains `at`.
    ///
    /// ```
    /// use stillpoint_store::date::{Period, Zone};
    /// let zone = Zone::named("Asia/Tokyo")?;
    /// assert_eq!(Period::Month.first_day("2024-01-31T20:00:00Z".parse().unwrap(), zone).to_string(), "2024-02-01");
    /// # Ok::<(), stillpoint_store::date::DateError>(())
    /// ```
    pub fn first_day(self, at: Instant, zone: Zone) -> NaiveDate {
        let nanos = i128::from(at.as_nanos());
        let mut day = self.floor(zone.local(at).date());
        while nanos >= zone.midnight_nanos(self.next(day)) {
            day = self.next(day);
        }
        while nanos < zone.midnight_nanos(day) {
            day = self.floor(day.pred_opt().unwrap_or(NaiveDate::MIN));
        }
        day
    }

    /// The period that contains `at`, half-open; unbounded where it goes beyond the earliest or the latest instant.
    pub fn containing(self, at: Instant, zone: Zone) -> DateRange {
        let day = self.first_day(at, zone);
        let start = instant_of(zone.midnight_nanos(day)).map_or(Bound::Unbounded, Bound::Included);
        let end = instant_of(zone.midnight_nanos(self.next(day))).map_or(Bound::Unbounded, Bound::Excluded);
        DateRange::from_bounds(start, end)
    }

    fn floor(self, day: NaiveDate) -> NaiveDate {
        let floored = match self {
            Self::Day => Some(day),
            Self::Month => day.with_day(1),
            Self::Year => day.with_ordinal(1),
        };
        floored.unwrap_or(day)
    }

    /// The first day of the next period. Instants end long before the calendar does.
    fn next(self, first: NaiveDate) -> NaiveDate {
        let next = match self {
            Self::Day => first.checked_add_days(Days::new(1)),
            Self::Month => first.checked_add_months(Months::new(1)),
            Self::Year => first.checked_add_months(Months::new(12)),
        };
        next.unwrap_or(NaiveDate::MAX)
    }
}

/// The pieces of a range, in order of time or, from the back, against it. None of them is empty.
#[derive(Clone, Debug)]
pub struct Cuts {
    /// What is still to be cut; `None` at the end.
    rest: Option<DateRange>,
    period: Period,
    zone: Zone,
}

impl DateRange {
    /// Cuts the range at the beginnings of a zone's days, months or years. An unbounded range goes to the ends of time: 213,504 days.
    ///
    /// ```
    /// use stillpoint_store::date::{DateRange, Period, Zone};
    /// let range: DateRange = "20231215-20240110".parse()?;
    /// let pieces: Vec<String> = range.cut(Period::Month, Zone::UTC).map(|piece| piece.to_string()).collect();
    /// assert_eq!(pieces, ["20231215-20231231", "20240101-20240110"]);
    /// # Ok::<(), stillpoint_store::date::DateError>(())
    /// ```
    pub fn cut(&self, period: Period, zone: Zone) -> Cuts {
        Cuts { rest: Some(*self).filter(|range| !range.is_empty()), period, zone }
    }
}

impl Iterator for Cuts {
    type Item = DateRange;

    fn next(&mut self) -> Option<DateRange> {
        let rest = self.rest?;
        let (first, _) = rest.ends()?;
        let period = self.period.containing(first, self.zone);
        self.rest = match period.end() {
            Bound::Excluded(end) => rest.intersection(&DateRange::from_bounds(Bound::Included(end), Bound::Unbounded)),
            _ => None,
        };
        rest.intersection(&period)
    }
}

impl DoubleEndedIterator for Cuts {
    fn next_back(&mut self) -> Option<DateRange> {
        let rest = self.rest?;
        let (_, last) = rest.ends()?;
        let period = self.period.containing(last, self.zone);
        self.rest = match period.start() {
            Bound::Included(start) => rest.intersection(&DateRange::from_bounds(Bound::Unbounded, Bound::Excluded(start))),
            _ => None,
        };
        rest.intersection(&period)
    }
}

impl FusedIterator for Cuts {}
