//! Times in files. Invariant: a text becomes an instant exactly, or is refused.

use std::fmt;
use std::str::FromStr;

use chrono::format::{Item, Numeric, Parsed, StrftimeItems};
use chrono::{NaiveTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use stillpoint_actors::{Decimals, parse_decimal};
use stillpoint_engine::Instant;

/// How a file writes its times. As text, and so in scenarios: `rfc3339`, `s`, `ms`, `us`, `ns` (since 1970-01-01T00:00:00Z, also with
/// decimals), or a pattern of [chrono](https://docs.rs/chrono/latest/chrono/format/strftime/index.html) such as `%Y-%m-%d %H:%M:%S%.f`.
///
/// A pattern without an offset (`%z`) is taken as UTC, and one without an hour as midnight.
///
/// ```
/// use stillpoint_adapters::TimeFormat;
/// let format: TimeFormat = "%d/%m/%Y".parse()?;
/// assert_eq!(format.parse_time(b"02/01/1970"), "s".parse::<TimeFormat>()?.parse_time(b"86400"));
/// # Ok::<(), stillpoint_adapters::TimeFormatError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeFormat {
    /// RFC 3339, such as `2025-03-25T23:07:00.773684644Z`.
    Rfc3339,
    /// Seconds since the epoch.
    Seconds,
    /// Milliseconds since the epoch.
    Millis,
    /// Microseconds since the epoch.
    Micros,
    /// Nanoseconds since the epoch.
    Nanos,
    /// A pattern.
    Pattern(Pattern),
}

/// A pattern that has been read once and is used for every row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    items: Vec<Item<'static>>,
    has_hour: bool,
}

/// A text that names no way of writing times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeFormatError(String);

impl fmt::Display for TimeFormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no time format; write rfc3339, s, ms, us, ns, or a pattern such as `%Y-%m-%d %H:%M:%S%.f`", self.0)
    }
}

impl std::error::Error for TimeFormatError {}

/// The patterns that [`TimeFormat::guess`] tries.
const COMMON: [&str; 7] =
    ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f%:z", "%Y-%m-%d", "%m/%d/%Y", "%Y%m%d", "%Y%m%d %H:%M:%S%.f"];

impl TimeFormat {
    /// The instant that `text` says, `None` if it says none in this format or one out of range.
    pub fn parse_time(&self, text: &[u8]) -> Option<Instant> {
        match self {
            Self::Rfc3339 => parse_rfc3339(text),
            Self::Pattern(pattern) => pattern.parse(text),
            unit => parse_decimal(text, unit.decimals()?).ok().map(Instant::from_nanos),
        }
    }

    /// The instant in a cell of a table, which may be a number.
    #[cfg(feature = "parquet")]
    pub(crate) fn parse_cell(&self, cell: crate::row::Cell<'_>) -> Option<Instant> {
        match self.decimals() {
            Some(decimals) => cell.decimal(decimals).ok().map(Instant::from_nanos),
            None => self.parse_time(&cell.text()),
        }
    }

    /// How many decimals nanoseconds are of the unit that is counted; `None` if none is.
    fn decimals(&self) -> Option<Decimals> {
        Decimals::new(match self {
            Self::Rfc3339 | Self::Pattern(_) => return None,
            Self::Seconds => 9,
            Self::Millis => 6,
            Self::Micros => 3,
            Self::Nanos => 0,
        })
    }

    /// The format of a text that is probably a time: whole numbers by their length, then RFC 3339, then a few common patterns.
    pub fn guess(text: &[u8]) -> Option<Self> {
        let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == text.len() && digits > 8 {
            return match digits {
                9..=11 => Some(Self::Seconds),
                12..=14 => Some(Self::Millis),
                15..=17 => Some(Self::Micros),
                18..=19 => Some(Self::Nanos),
                _ => None,
            };
        }
        let patterns = COMMON.iter().filter_map(|pattern| pattern.parse().ok());
        std::iter::once(Self::Rfc3339).chain(patterns).find(|format| format.parse_time(text).is_some())
    }
}

impl Pattern {
    fn parse(&self, text: &[u8]) -> Option<Instant> {
        let mut parsed = Parsed::new();
        chrono::format::parse(&mut parsed, std::str::from_utf8(text).ok()?, self.items.iter()).ok()?;
        let nanos = if parsed.offset().is_some() || parsed.timestamp().is_some() {
            parsed.to_datetime_with_timezone(&Utc).or_else(|_| parsed.to_datetime().map(|time| time.to_utc())).ok()?.timestamp_nanos_opt()
        } else {
            let time = if self.has_hour { parsed.to_naive_time().ok()? } else { NaiveTime::MIN };
            parsed.to_naive_date().ok()?.and_time(time).and_utc().timestamp_nanos_opt()
        };
        nanos.map(Instant::from_nanos)
    }
}

impl FromStr for TimeFormat {
    type Err = TimeFormatError;

    fn from_str(text: &str) -> Result<Self, TimeFormatError> {
        let fault = || TimeFormatError(text.to_owned());
        Ok(match text {
            "rfc3339" => Self::Rfc3339,
            "s" => Self::Seconds,
            "ms" => Self::Millis,
            "us" => Self::Micros,
            "ns" => Self::Nanos,
            pattern if pattern.contains('%') => {
                let items = StrftimeItems::new(pattern).parse_to_owned().map_err(|_| fault())?;
                let has_hour = items.iter().any(|item| matches!(item, Item::Numeric(Numeric::Hour | Numeric::Hour12, _)));
                Self::Pattern(Pattern { text: pattern.to_owned(), items, has_hour })
            }
            _ => return Err(fault()),
        })
    }
}

impl fmt::Display for TimeFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rfc3339 => "rfc3339",
            Self::Seconds => "s",
            Self::Millis => "ms",
            Self::Micros => "us",
            Self::Nanos => "ns",
            Self::Pattern(pattern) => &pattern.text,
        })
    }
}

impl Serialize for TimeFormat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeFormat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// An RFC 3339 text: by hand for `YYYY-MM-DDTHH:MM:SS[.f]Z`, which recordings are full of, and through chrono for the rest.
pub(crate) fn parse_rfc3339(text: &[u8]) -> Option<Instant> {
    parse_plain_utc(text).or_else(|| std::str::from_utf8(text).ok()?.parse().ok())
}

fn parse_plain_utc(text: &[u8]) -> Option<Instant> {
    let (head, tail) = text.split_at_checked(19)?;
    let number = |at: usize, count: usize| {
        head[at..at + count].iter().try_fold(0i64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
    };
    if [head[4], head[7], head[10], head[13], head[16]] != *b"--T::" {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_of_month = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if !(1678..2262).contains(&year) || !(1..=days_of_month).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let nanos = match tail {
        b"Z" => 0,
        [b'.', digits @ .., b'Z'] if (1..=9).contains(&digits.len()) => {
            let value = digits.iter().try_fold(0i64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))?;
            value * 10i64.pow(9 - digits.len() as u32)
        }
        _ => return None,
    };
    let seconds = ((days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    Some(Instant::from_nanos(seconds * 1_000_000_000 + nanos))
}

/// Days since 1970-01-01 in the Gregorian calendar: Howard Hinnant, "chrono-compatible low-level date algorithms", `days_from_civil`.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: &str, text: &str, expected: Option<&str>) {
        let format: TimeFormat = format.parse().expect("a format");
        let expected = expected.map(|text| text.parse::<Instant>().expect("an instant"));
        assert_eq!(format.parse_time(text.as_bytes()), expected, "{format}: {text}");
    }

    #[test]
    fn formats() {
        check("s", "1", Some("1970-01-01T00:00:01Z"));
        check("s", "-1.5", Some("1969-12-31T23:59:58.5Z"));
        check("ms", "1742944020773", Some("2025-03-25T23:07:00.773Z"));
        check("us", "1742944020773684", Some("2025-03-25T23:07:00.773684Z"));
        check("ns", "1742944020773684644", Some("2025-03-25T23:07:00.773684644Z"));
        check("ns", "0.5", None);
        check("ns", "9223372036854775808", None);
        check("s", "", None);
        check("rfc3339", "2025-03-25T23:07:00.773684644Z", Some("2025-03-25T23:07:00.773684644Z"));
        check("rfc3339", "2025-03-25T23:07:00+01:00", Some("2025-03-25T22:07:00Z"));
        check("rfc3339", "2025-02-29T00:00:00Z", None);
        check("rfc3339", "2025-03-25T23:07:00.Z", None);
        check("rfc3339", "2025-03-25", None);
        check("%Y-%m-%d", "2000-03-01", Some("2000-03-01T00:00:00Z"));
        check("%m/%d/%Y", "1/4/1999", Some("1999-01-04T00:00:00Z"));
        check("%Y-%m-%d %H:%M:%S%.f", "2024-08-08 23:54:14.5", Some("2024-08-08T23:54:14.5Z"));
        check("%Y-%m-%dT%H:%M:%S%z", "2024-08-08T23:54:14+0200", Some("2024-08-08T21:54:14Z"));
        check("%Y-%m-%d %I:%M %p", "2024-08-08 11:54 PM", Some("2024-08-08T23:54:00Z"));
        check("%Y-%m-%d %H:%M", "2024-08-08", None);
        check("%s", "1723161254", Some("2024-08-08T23:54:14Z"));
        for bad in ["", "sec", "%Q", "iso"] {
            assert!(bad.parse::<TimeFormat>().is_err(), "{bad}");
        }
    }

    #[test]
    fn guesses() {
        for (text, format) in [
            ("1742944020", "s"),
            ("1742944020773", "ms"),
            ("1742944020773684", "us"),
            ("1742944020773684644", "ns"),
            ("2025-03-25T23:07:00Z", "rfc3339"),
            ("2000-03-01", "%Y-%m-%d"),
            ("1/4/1999", "%m/%d/%Y"),
            ("2024-08-08 23:54:14.5", "%Y-%m-%d %H:%M:%S%.f"),
        ] {
            assert_eq!(TimeFormat::guess(text.as_bytes()).map(|format| format.to_string()).as_deref(), Some(format), "{text}");
        }
        assert_eq!(TimeFormat::guess(b"87232.01"), None);
    }

    proptest::proptest! {
        /// chrono is the oracle: any nanosecond from 1678 to 2261, printed with any number of decimals.
        #[test]
        fn the_quick_way_agrees_with_chrono(nanos in -9_200_000_000_000_000_000i64..9_200_000_000_000_000_000, decimals in 0usize..10) {
            let nanos = if decimals == 0 { nanos - nanos.rem_euclid(1_000_000_000) } else { nanos - nanos.rem_euclid(10i64.pow(9 - decimals as u32)) };
            let time = chrono::DateTime::from_timestamp_nanos(nanos);
            let fraction = format!("{:09}", nanos.rem_euclid(1_000_000_000));
            let point = if decimals == 0 { String::new() } else { format!(".{}", &fraction[..decimals]) };
            let text = format!("{}{point}Z", time.format("%Y-%m-%dT%H:%M:%S"));
            proptest::prop_assert_eq!(parse_plain_utc(text.as_bytes()), Some(Instant::from_nanos(nanos)), "{}", text);
        }
    }
}
