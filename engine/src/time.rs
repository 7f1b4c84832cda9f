//! Virtual time: instants and durations in whole nanoseconds. Invariant: arithmetic saturates or is checked; it never wraps.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Add, Neg, Sub};
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point of virtual time: nanoseconds since 1970-01-01T00:00:00Z, negative before it (from 1677 to 2262).
///
/// ```
/// use stillpoint_engine::{Duration, Instant};
/// let t: Instant = "1969-12-31T23:59:59.5Z".parse()?;
/// assert_eq!(t.as_nanos(), -500_000_000);
/// assert_eq!((t + Duration::millis(500)).to_string(), "1970-01-01T00:00:00Z");
/// # Ok::<(), stillpoint_engine::TimeError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

/// A length of virtual time in nanoseconds; may be negative (a lag, or a call for the past).
///
/// ```
/// use stillpoint_engine::Duration;
/// assert_eq!("250us".parse::<Duration>()?, Duration::micros(250));
/// assert_eq!("1m30s".parse::<Duration>()?, Duration::secs(90));
/// assert_eq!(Duration::nanos(1_500_000).to_string(), "1.5ms");
/// # Ok::<(), stillpoint_engine::TimeError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(i64);

/// A text that is no time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeError {
    /// Not an instant.
    Instant(String),
    /// Not a duration.
    Duration(String),
    /// A duration that does not fit 64 bits of nanoseconds.
    TooLong(String),
}

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instant(text) => {
                write!(f, "`{text}` is no instant; write RFC 3339 between 1677-09-21 and 2262-04-11, such as \"2025-03-25T23:07:00.5Z\"")
            }
            Self::Duration(text) => {
                write!(f, "`{text}` is no duration; write numbers with units (ns, us, ms, s, m, h, d), such as \"250us\" or \"1m30s\"")
            }
            Self::TooLong(text) => write!(f, "`{text}` is too long; a duration is at most \"106751d\", some 292 years"),
        }
    }
}

impl std::error::Error for TimeError {}

impl Instant {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// The earliest instant.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest instant. What would be due after it is never due.
    pub const MAX: Self = Self(i64::MAX);

    /// The instant `nanos` nanoseconds after the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the epoch.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// `self + by`, or `None` beyond the range.
    pub const fn checked_add(self, by: Duration) -> Option<Self> {
        match self.0.checked_add(by.0) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// The duration from `earlier` to `self`, saturating.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;
    /// Saturates at the ends of the range.
    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by.0))
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;
    /// Saturates at the ends of the range.
    fn sub(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(by.0))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = DateTime::<Utc>::from_timestamp_nanos(self.0);
        f.write_str(&time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl FromStr for Instant {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        DateTime::parse_from_rfc3339(text)
            .ok()
            .and_then(|time| time.timestamp_nanos_opt())
            .map(Self)
            .ok_or_else(|| TimeError::Instant(text.to_owned()))
    }
}

impl Duration {
    /// No time.
    pub const ZERO: Self = Self(0);
    /// The longest duration.
    pub const MAX: Self = Self(i64::MAX);

    /// `n` nanoseconds.
    pub const fn nanos(n: i64) -> Self {
        Self(n)
    }

    /// `n` microseconds, saturating.
    pub const fn micros(n: i64) -> Self {
        Self(n.saturating_mul(1_000))
    }

    /// `n` milliseconds, saturating.
    pub const fn millis(n: i64) -> Self {
        Self(n.saturating_mul(1_000_000))
    }

    /// `n` seconds, saturating.
    pub const fn secs(n: i64) -> Self {
        Self(n.saturating_mul(1_000_000_000))
    }

    /// `n` minutes, saturating.
    pub const fn minutes(n: i64) -> Self {
        Self::secs(n.saturating_mul(60))
    }

    /// `n` hours, saturating.
    pub const fn hours(n: i64) -> Self {
        Self::minutes(n.saturating_mul(60))
    }

    /// The number of nanoseconds.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Seconds as a float, for people to read.
    pub const fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Whether this is longer than no time.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }
}

impl Add for Duration {
    type Output = Self;
    /// Saturates at the ends of the range.
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Duration {
    type Output = Self;
    /// Saturates at the ends of the range.
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Duration {
    type Output = Self;
    /// Saturates: the most negative duration becomes the longest one.
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

const UNITS: [(&str, i64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

impl fmt::Display for Duration {
    /// One number in the largest unit up to seconds in which it is at least 1, such as `250us` or `1.5s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let (unit, size) = UNITS[..4].iter().rev().find(|(_, size)| magnitude >= *size as u64).unwrap_or(&UNITS[3]);
        let size = *size as u64;
        let sign = if self.0 < 0 { "-" } else { "" };
        let fraction = format!("{:0width$}", magnitude % size, width = size.ilog10() as usize);
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        write!(f, "{sign}{}{point}{fraction}{unit}", magnitude / size)
    }
}

impl FromStr for Duration {
    type Err = TimeError;

    /// Reads numbers with units, largest first or not: `1m30s`, `-2.5ms`, `0s`. Fractions finer than a nanosecond are refused.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let (fault, too_long) = (|| TimeError::Duration(text.to_owned()), || TimeError::TooLong(text.to_owned()));
        let (negative, mut rest) = match text.trim().strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.trim()),
        };
        if rest.is_empty() {
            return Err(fault());
        }
        let mut total: i128 = 0;
        while !rest.is_empty() {
            let number_len = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(fault)?;
            let (number, tail) = rest.split_at(number_len);
            let unit_len = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(unit_len);
            let (_, size) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(fault)?;
            total = total.checked_add(scaled(number, i128::from(*size)).ok_or_else(fault)?).ok_or_else(too_long)?;
            rest = tail;
        }
        let total = if negative { -total } else { total };
        i64::try_from(total).map(Self).map_err(|_| too_long())
    }
}

/// A decimal number times `size`, if that is a whole number.
fn scaled(number: &str, size: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.len() > 18 || fraction.contains('.') {
        return None;
    }
    let divisor = 10i128.pow(fraction.len() as u32);
    let fraction = if fraction.is_empty() { 0 } else { fraction.parse::<i128>().ok()? * size };
    if fraction % divisor != 0 {
        return None;
    }
    whole.parse::<i128>().ok()?.checked_mul(size)?.checked_add(fraction / divisor)
}

/// Reads a text as `T`, and says what it expects by a name that people know.
struct Named<T>(&'static str, PhantomData<T>);

impl<T: FromStr<Err = TimeError>> de::Visitor<'_> for Named<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

macro_rules! text_serde {
    ($type:ty, $name:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Named($name, PhantomData))
            }
        }
    };
}

text_serde!(Instant, "instant");
text_serde!(Duration, "duration");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_print_and_parse() {
        for (text, nanos) in [
            ("0s", 0),
            ("1ns", 1),
            ("999ns", 999),
            ("1us", 1_000),
            ("1.001us", 1_001),
            ("250us", 250_000),
            ("-2.5ms", -2_500_000),
            ("90s", 90_000_000_000),
            ("-9223372036.854775808s", i64::MIN),
            ("9223372036.854775807s", i64::MAX),
        ] {
            assert_eq!(text.parse(), Ok(Duration(nanos)), "{text}");
            assert_eq!(Duration(nanos).to_string(), text);
        }
        assert_eq!("1h1m1s".parse(), Ok(Duration::secs(3661)));
        assert_eq!("1d".parse(), Ok(Duration::hours(24)));
        for bad in ["", "-", "5", "5 s", "s", "1.5ns", "1..5s", "3y", "9223372037s", ".5s", "5.s5"] {
            assert!(bad.parse::<Duration>().is_err(), "{bad}");
        }
    }

    #[test]
    fn instants_print_and_parse_over_the_whole_range() {
        for (text, nanos) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59.999999999Z", -1),
            ("1677-09-21T00:12:43.145224192Z", i64::MIN),
            ("2262-04-11T23:47:16.854775807Z", i64::MAX),
        ] {
            assert_eq!(text.parse(), Ok(Instant(nanos)), "{text}");
            assert_eq!(Instant(nanos).to_string(), text);
        }
        assert_eq!("2025-03-25T23:07:00+01:00".parse::<Instant>(), "2025-03-25T22:07:00Z".parse());
        for bad in ["", "2025", "2025-03-25", "2025-13-01T00:00:00Z", "2262-04-11T23:47:16.854775808Z"] {
            assert!(bad.parse::<Instant>().is_err(), "{bad}");
        }
    }
}
