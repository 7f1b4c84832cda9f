//! Named time zones: instants to local times, always possible, and local times to instants, under a stated policy.
//! Invariant: under `Earliest` and under `Latest` a later local time never gives an earlier instant.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, SecondsFormat, TimeZone};
use chrono_tz::{GapInfo, TZ_VARIANTS, Tz};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use stillpoint_engine::Instant;

use super::DateError;
use super::scan::{Point, Scanner};
use crate::error::help;

/// A time zone of the IANA database, such as `Europe/London`.
///
/// The rules are those compiled in (`chrono-tz`), not the machine's; known changes end in 2099, after which a zone keeps its last offset.
///
/// ```
/// use stillpoint_store::date::{LocalPolicy, Zone};
/// let zone = Zone::named("Europe/London")?;
/// let open = zone.parse("2024-07-01 08:00", LocalPolicy::Refuse)?;
/// assert_eq!(open.to_string(), "2024-07-01T07:00:00Z");
/// assert_eq!(zone.rfc3339(open), "2024-07-01T08:00:00+01:00");
/// # Ok::<(), stillpoint_store::date::DateError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Zone(Tz);

/// Which instant a local time means where clocks change.
///
/// A local time that was there twice (clocks went back) means the first or the second. One that was never there (clocks went forward over
/// it) means the instant of the change: it is the only choice that keeps the order of local times, so that a range from 02:10 to 02:40 of
/// the missing hour is empty and not backwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LocalPolicy {
    /// The first of two; of a missing one, the change. The default: a day begins when its first midnight strikes.
    #[default]
    Earliest,
    /// The second of two; of a missing one, the change.
    Latest,
    /// An error in both cases.
    Refuse,
}

/// The instants that a local time can mean, in nanoseconds, which may lie beyond 64 bits.
enum Meaning {
    One(i128),
    Two(i128, i128),
    Change(i128),
}

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(Tz::UTC);

    /// The zone of that name. Names are written exactly as in the IANA database.
    pub fn named(name: &str) -> Result<Self, DateError> {
        let unknown = || DateError::UnknownZone { name: name.to_owned(), help: help(name, TZ_VARIANTS.iter().map(|tz| tz.name())) };
        name.parse().map(Self).map_err(|_| unknown())
    }

    /// The name, as in the IANA database.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// What the clocks of the zone show at an instant.
    pub fn local(self, at: Instant) -> NaiveDateTime {
        self.clock(at).naive_local()
    }

    /// RFC 3339 with the zone's offset, such as `2024-07-01T08:00:00+01:00`. Offsets with seconds (before about 1930) are rounded by the
    /// format, which knows minutes only.
    pub fn rfc3339(self, at: Instant) -> String {
        self.clock(at).to_rfc3339_opts(SecondsFormat::AutoSi, true)
    }

    /// The instant at which the zone's clocks show `local`.
    pub fn instant(self, local: NaiveDateTime, policy: LocalPolicy) -> Result<Instant, DateError> {
        let in_range = |nanos: i128| instant_of(nanos).ok_or_else(|| DateError::OutOfRange(local.to_string()));
        let (local_text, zone) = (|| local.to_string(), self.name());
        match (self.meaning(local), policy) {
            (Meaning::One(nanos), _) => in_range(nanos),
            (Meaning::Two(earlier, _), LocalPolicy::Earliest) => in_range(earlier),
            (Meaning::Two(_, later), LocalPolicy::Latest) => in_range(later),
            (Meaning::Two(earlier, later), LocalPolicy::Refuse) => {
                Err(DateError::Ambiguous { local: local_text(), zone, earlier: in_range(earlier)?, later: in_range(later)? })
            }
            (Meaning::Change(nanos), LocalPolicy::Refuse) => {
                Err(DateError::Missing { local: local_text(), zone, change: in_range(nanos)? })
            }
            (Meaning::Change(nanos), _) => in_range(nanos),
        }
    }

    /// The first instant of a day. A day that the zone never had (2011-12-30 in Apia) begins where the next one does.
    pub fn midnight(self, day: NaiveDate) -> Result<Instant, DateError> {
        instant_of(self.midnight_nanos(day)).ok_or_else(|| DateError::OutOfRange(day.to_string()))
    }

    /// Reads a local time such as `2024-03-10 02:30`, `20240310T0230`, or a day, which means its beginning; a text with an offset means
    /// what it says.
    pub fn parse(self, text: &str, policy: LocalPolicy) -> Result<Instant, DateError> {
        let mut scanner = Scanner::new(text);
        let point = scanner.point()?;
        if !scanner.is_at_end() {
            return Err(scanner.expected("nothing more"));
        }
        match point {
            Point::Day(day) => self.midnight(day),
            Point::Local(local) => self.instant(local, policy),
            Point::Exact(at) => Ok(at),
        }
    }

    /// As [`Zone::midnight`], in nanoseconds that may lie beyond 64 bits.
    pub(super) fn midnight_nanos(self, day: NaiveDate) -> i128 {
        match self.meaning(day.and_time(NaiveTime::MIN)) {
            Meaning::One(nanos) | Meaning::Two(nanos, _) | Meaning::Change(nanos) => nanos,
        }
    }

    fn clock(self, at: Instant) -> DateTime<Tz> {
        DateTime::from_timestamp_nanos(at.as_nanos()).with_timezone(&self.0)
    }

    fn meaning(self, local: NaiveDateTime) -> Meaning {
        let nanos = |offset: chrono_tz::TzOffset| nanos_of(local) - offset_nanos(&offset);
        match self.0.offset_from_local_datetime(&local) {
            chrono::LocalResult::Single(offset) => Meaning::One(nanos(offset)),
            chrono::LocalResult::Ambiguous(one, other) => {
                let (one, other) = (nanos(one), nanos(other));
                Meaning::Two(one.min(other), one.max(other))
            }
            chrono::LocalResult::None => {
                let change = GapInfo::new(&local, &self.0).and_then(|gap| gap.begin);
                // Every gap has a beginning, since before its first change a zone has one offset from all eternity.
                Meaning::Change(change.map_or_else(|| nanos_of(local), |(begin, offset)| nanos_of(begin) - offset_nanos(&offset)))
            }
        }
    }
}

/// Nanoseconds from 1970-01-01T00:00:00 to `local`, both on the same clock.
pub(super) fn nanos_of(local: NaiveDateTime) -> i128 {
    let utc = local.and_utc();
    i128::from(utc.timestamp()) * 1_000_000_000 + i128::from(utc.timestamp_subsec_nanos())
}

/// The instant, if 64 bits reach it.
pub(super) fn instant_of(nanos: i128) -> Option<Instant> {
    i64::try_from(nanos).ok().map(Instant::from_nanos)
}

fn offset_nanos(offset: &chrono_tz::TzOffset) -> i128 {
    i128::from(offset.fix().local_minus_utc()) * 1_000_000_000
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Zone {
    type Err = DateError;

    fn from_str(name: &str) -> Result<Self, DateError> {
        Self::named(name)
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::named(&name).map_err(de::Error::custom)
    }
}
