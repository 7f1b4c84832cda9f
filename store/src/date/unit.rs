//! Instants as counts of a unit, and as RFC 3339 text. Invariant: from a count and back gives the same count.

use serde::{Deserialize, Serialize};
use stillpoint_engine::Instant;

use super::DateError;
use super::scan::{Point, Scanner};

/// What a number of time units since 1970-01-01T00:00:00Z counts.
///
/// ```
/// use stillpoint_store::date::Unit;
/// let t = Unit::Millis.instant(1_577_836_800_123)?;
/// assert_eq!(t.to_string(), "2020-01-01T00:00:00.123Z");
/// assert_eq!(Unit::Seconds.count(t), 1_577_836_800);
/// # Ok::<(), stillpoint_store::date::DateError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
    /// Nanoseconds.
    Nanos,
}

impl Unit {
    /// Nanoseconds in one unit.
    pub const fn nanos(self) -> i64 {
        match self {
            Self::Seconds => 1_000_000_000,
            Self::Millis => 1_000_000,
            Self::Micros => 1_000,
            Self::Nanos => 1,
        }
    }

    /// The instant `count` units after the epoch; negative counts lie before it.
    pub fn instant(self, count: i64) -> Result<Instant, DateError> {
        let nanos = count.checked_mul(self.nanos()).ok_or_else(|| DateError::OutOfRange(format!("{count} {self:?} since 1970")))?;
        Ok(Instant::from_nanos(nanos))
    }

    /// The whole units from the epoch to `at`, rounded down (towards the past, also before 1970).
    pub const fn count(self, at: Instant) -> i64 {
        at.as_nanos().div_euclid(self.nanos())
    }
}

/// Reads RFC 3339 with its offset, such as `2025-03-25T23:07:00.5+01:00`. Up to nine digits of a second's fraction are read.
///
/// The other way is `Instant`'s `Display`, in UTC, and [`Zone::rfc3339`](super::Zone::rfc3339).
pub fn from_rfc3339(text: &str) -> Result<Instant, DateError> {
    let mut scanner = Scanner::new(text);
    let point = scanner.point()?;
    let zone_expected = "`Z` or an offset such as `+01:00`";
    match point {
        Point::Exact(at) if scanner.is_at_end() => Ok(at),
        Point::Exact(_) => Err(scanner.expected("nothing more")),
        Point::Day(_) => Err(scanner.expected("`T` and a time with `Z` or an offset, such as `T09:30:00Z`")),
        Point::Local(_) => Err(scanner.expected(zone_expected)),
    }
}
