//! A range of instants. Invariant: its start does not lie after its end; it may still contain nothing, if one of its sides is open.

use std::fmt;
use std::ops::{Bound, RangeBounds};
use std::str::FromStr;

use chrono::{NaiveDate, NaiveTime};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use stillpoint_engine::Instant;

use super::scan::{Point, Scanner};
use super::zone::instant_of;
use super::{DateError, LocalPolicy, Zone};

/// Which instants are meant: from a bound to a bound, each of them included, excluded, or not there.
///
/// # Text
///
/// `a-b` (or `a/b`, also with spaces) contains both bounds; `[a-b]`, `[a-b)`, `(a-b]` and `(a-b)` say it with brackets; without `a` or `b`
/// that side is unbounded. A bound is a day (`20200131`, `2020-01-31`), a local time (`20200131T0930`) or RFC 3339. A *day* stands for all
/// of it: as an included end it is contained to its last nanosecond, as an excluded start it is left out to its last one. A day alone is
/// a range.
///
/// | text | contains |
/// |---|---|
/// | `20200101-20200131` | all of January 2020 |
/// | `[20200101-20200201)` | the same; the two are equal |
/// | `(20200101-20200131)` | 2 to 30 January |
/// | `20200101` | that day |
/// | `20200101-` | that day and all after it |
/// | `[2020-01-01T09:30:00Z-2020-01-01T16:00:00Z)` | half past nine until four |
///
/// ```
/// use stillpoint_engine::Instant;
/// use stillpoint_store::date::DateRange;
/// let january: DateRange = "20200101-20200131".parse()?;
/// assert!(january.contains("2020-01-31T23:59:59.999999999Z".parse().unwrap()));
/// assert!(!january.contains("2020-02-01T00:00:00Z".parse().unwrap()));
/// let (from, to) = ("2020-01-31T00:00:00Z".parse().unwrap(), "2020-02-02T00:00:00Z".parse().unwrap());
/// let both = january.intersection(&DateRange::closed(from, to)?).unwrap();
/// assert_eq!(both.to_string(), "20200131-20200131");
/// assert_eq!(DateRange::new(Instant::EPOCH..)?.to_string(), "19700101-");
/// # Ok::<(), stillpoint_store::date::DateError>(())
/// ```
///
/// Two ranges are equal if their bounds are, so `[a, b)` differs from `[a, b - 1 ns]`; compare [`DateRange::ends`] to compare what is inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DateRange {
    start: Bound<Instant>,
    end: Bound<Instant>,
}

impl Default for DateRange {
    fn default() -> Self {
        Self::ALL
    }
}

impl DateRange {
    /// Every instant.
    pub const ALL: Self = Self { start: Bound::Unbounded, end: Bound::Unbounded };

    /// No instant.
    pub const NOTHING: Self = Self { start: Bound::Included(Instant::EPOCH), end: Bound::Excluded(Instant::EPOCH) };

    /// Any of Rust's ranges: `a..b`, `a..=b`, `a..`, or a pair of bounds.
    pub fn new(bounds: impl RangeBounds<Instant>) -> Result<Self, DateError> {
        let (start, end) = (bounds.start_bound().cloned(), bounds.end_bound().cloned());
        match (value(start), value(end)) {
            (Some(start), Some(end)) if start > end => Err(DateError::Backwards { start, end }),
            _ => Ok(Self { start, end }),
        }
    }

    /// From `start` to `end`, both of them contained: the default kind.
    pub fn closed(start: Instant, end: Instant) -> Result<Self, DateError> {
        Self::new(start..=end)
    }

    /// That instant alone.
    pub const fn at(at: Instant) -> Self {
        Self { start: Bound::Included(at), end: Bound::Included(at) }
    }

    /// Bounds that are known to be in order.
    pub(super) fn from_bounds(start: Bound<Instant>, end: Bound<Instant>) -> Self {
        debug_assert!(value(start).zip(value(end)).is_none_or(|(start, end)| start <= end), "{start:?} after {end:?}");
        Self { start, end }
    }

    /// Reads a range whose days and local times are those of `zone`; see the table above.
    pub fn parse_in(text: &str, zone: Zone, policy: LocalPolicy) -> Result<Self, DateError> {
        Reader { scanner: Scanner::new(text), zone, policy }.range()
    }

    /// Where it starts.
    pub const fn start(&self) -> Bound<Instant> {
        self.start
    }

    /// Where it ends.
    pub const fn end(&self) -> Bound<Instant> {
        self.end
    }

    /// The first and the last instant inside, both contained; `None` if there is none. This form has no exception at the ends of time.
    pub fn ends(&self) -> Option<(Instant, Instant)> {
        let first = match self.start {
            Bound::Unbounded => i64::MIN,
            Bound::Included(at) => at.as_nanos(),
            Bound::Excluded(at) => at.as_nanos().checked_add(1)?,
        };
        let last = match self.end {
            Bound::Unbounded => i64::MAX,
            Bound::Included(at) => at.as_nanos(),
            Bound::Excluded(at) => at.as_nanos().checked_sub(1)?,
        };
        (first <= last).then_some((Instant::from_nanos(first), Instant::from_nanos(last)))
    }

    /// The same instants as nanoseconds `[from, to)`; `to` is `None` if the latest instant is inside, since nothing lies behind it. A range
    /// that contains nothing is `(n, Some(n))`.
    pub fn half_open(&self) -> (i64, Option<i64>) {
        match self.ends() {
            Some((first, last)) => (first.as_nanos(), last.as_nanos().checked_add(1)),
            None => {
                let at = value(self.start).or(value(self.end)).map_or(0, Instant::as_nanos);
                (at, Some(at))
            }
        }
    }

    /// Whether no instant is inside.
    pub fn is_empty(&self) -> bool {
        self.ends().is_none()
    }

    /// Whether `at` is inside.
    pub fn contains(&self, at: Instant) -> bool {
        RangeBounds::contains(&(self.start, self.end), &at)
    }

    /// The instants that are in both; `None` if there are none.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let ((first, last), (other_first, other_last)) = (self.ends()?, other.ends()?);
        let start = if other_first > first { other.start } else { self.start };
        let end = if other_last < last { other.end } else { self.end };
        (first.max(other_first) <= last.min(other_last)).then_some(Self { start, end })
    }
}

/// What a bound lies at.
fn value(bound: Bound<Instant>) -> Option<Instant> {
    match bound {
        Bound::Included(at) | Bound::Excluded(at) => Some(at),
        Bound::Unbounded => None,
    }
}

impl RangeBounds<Instant> for DateRange {
    fn start_bound(&self) -> Bound<&Instant> {
        self.start.as_ref()
    }

    fn end_bound(&self) -> Bound<&Instant> {
        self.end.as_ref()
    }
}

/// Reads a range.
struct Reader<'a> {
    scanner: Scanner<'a>,
    zone: Zone,
    policy: LocalPolicy,
}

impl Reader<'_> {
    fn range(mut self) -> Result<DateRange, DateError> {
        self.scanner.skip_spaces();
        let left = self.scanner.take(&['[', '(']);
        let from = self.bound()?;
        if self.scanner.take(&['-', '/']).is_none() {
            return self.whole_day(left, from);
        }
        let to = self.bound()?;
        let right = match left {
            Some(_) => Some(self.scanner.take(&[']', ')']).ok_or_else(|| self.scanner.expected("`]` or `)`"))?),
            None => None,
        };
        self.end_of_text()?;
        let is_day_open_to_itself = matches!((&from, &to), (Some(Point::Day(one)), Some(Point::Day(other))) if one == other);
        let (start, end) = (self.start(from, left == Some('('))?, self.end(to, right == Some(')'))?);
        match DateRange::new((start, end)) {
            // `(d-d)` starts after the day and ends before it.
            Err(DateError::Backwards { start, .. }) if is_day_open_to_itself => DateRange::new(start..start),
            range => range,
        }
    }

    /// A bound, or none before a delimiter, a bracket or the end.
    fn bound(&mut self) -> Result<Option<Point>, DateError> {
        self.scanner.skip_spaces();
        let point = if self.scanner.is_at_digit() { Some(self.scanner.point()?) } else { None };
        self.scanner.skip_spaces();
        Ok(point)
    }

    fn whole_day(&self, left: Option<char>, from: Option<Point>) -> Result<DateRange, DateError> {
        let (None, Some(Point::Day(day))) = (left, from) else {
            return Err(self.scanner.expected("a range such as `20200101-20200131`, `[20200101-20200201)`, `20200101-` or `20200101`"));
        };
        self.end_of_text()?;
        DateRange::new((self.start(Some(Point::Day(day)), false)?, self.end(Some(Point::Day(day)), false)?))
    }

    fn end_of_text(&self) -> Result<(), DateError> {
        if self.scanner.is_at_end() { Ok(()) } else { Err(self.scanner.expected("nothing more")) }
    }

    fn start(&self, point: Option<Point>, is_open: bool) -> Result<Bound<Instant>, DateError> {
        match point {
            Some(Point::Day(day)) => self.midnight(day, is_open, Bound::Included),
            other => self.exact(other, is_open),
        }
    }

    fn end(&self, point: Option<Point>, is_open: bool) -> Result<Bound<Instant>, DateError> {
        match point {
            Some(Point::Day(day)) => self.midnight(day, !is_open, Bound::Excluded),
            other => self.exact(other, is_open),
        }
    }

    /// The midnight before or after a day. What time has only a part of, the first and the last day, is unbounded on the side beyond.
    fn midnight(&self, day: NaiveDate, after: bool, bound: fn(Instant) -> Bound<Instant>) -> Result<Bound<Instant>, DateError> {
        let out_of_range = || DateError::OutOfRange(day.to_string());
        let next = day.succ_opt().ok_or_else(out_of_range)?;
        let (begins, ends) = (self.zone.midnight_nanos(day), self.zone.midnight_nanos(next));
        if begins > i128::from(i64::MAX) || ends <= i128::from(i64::MIN) {
            return Err(out_of_range());
        }
        match (instant_of(if after { ends } else { begins }), bound(Instant::EPOCH)) {
            (Some(at), _) => Ok(bound(at)),
            // Nothing lies before the first day, nor after the last one.
            (None, Bound::Included(_)) if after => Ok(Bound::Excluded(Instant::MAX)),
            (None, Bound::Excluded(_)) if !after => Ok(Bound::Excluded(Instant::MIN)),
            (None, _) => Ok(Bound::Unbounded),
        }
    }

    fn exact(&self, point: Option<Point>, is_open: bool) -> Result<Bound<Instant>, DateError> {
        let at = match point {
            None => return Ok(Bound::Unbounded),
            Some(Point::Day(day)) => self.zone.midnight(day)?,
            Some(Point::Local(local)) => self.zone.instant(local, self.policy)?,
            Some(Point::Exact(at)) => at,
        };
        Ok(if is_open { Bound::Excluded(at) } else { Bound::Included(at) })
    }
}

impl FromStr for DateRange {
    type Err = DateError;

    /// As [`DateRange::parse_in`] UTC.
    fn from_str(text: &str) -> Result<Self, DateError> {
        Self::parse_in(text, Zone::UTC, LocalPolicy::default())
    }
}

/// The UTC day that begins at `at`, if one does.
fn day_at(at: Instant) -> Option<NaiveDate> {
    let local = Zone::UTC.local(at);
    (local.time() == NaiveTime::MIN).then(|| local.date())
}

impl DateRange {
    /// The first and last day, if it is made of whole days of UTC.
    fn days(&self) -> Option<(Option<NaiveDate>, Option<NaiveDate>)> {
        let first = match self.start {
            Bound::Included(at) => Some(day_at(at)?),
            Bound::Excluded(_) => return None,
            Bound::Unbounded => None,
        };
        let last = match self.end {
            Bound::Excluded(at) => Some(day_at(at)?.pred_opt()?),
            Bound::Included(_) => return None,
            Bound::Unbounded => None,
        };
        first.zip(last).is_none_or(|(first, last)| first <= last).then_some((first, last))
    }
}

impl fmt::Display for DateRange {
    /// Text that reads as the same range: whole days of UTC as days, everything else in RFC 3339, brackets where a side is open.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((first, last)) = self.days() {
            let text = |day: Option<NaiveDate>| day.map_or_else(String::new, |day| day.format("%Y%m%d").to_string());
            return write!(f, "{}-{}", text(first), text(last));
        }
        let text = |bound| value(bound).map_or_else(String::new, |at| at.to_string());
        let (start, end) = (text(self.start), text(self.end));
        let is_open = |bound| matches!(bound, Bound::Excluded(_));
        if !is_open(self.start) && !is_open(self.end) {
            return write!(f, "{start}-{end}");
        }
        let (left, right) = (if is_open(self.start) { '(' } else { '[' }, if is_open(self.end) { ')' } else { ']' });
        write!(f, "{left}{start}-{end}{right}")
    }
}

impl Serialize for DateRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DateRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
