//! Reads dates and times from text. Invariant: an error carries the whole text and the byte at which it stopped making sense.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use stillpoint_engine::Instant;

use super::DateError;
use super::zone::{instant_of, nanos_of};

/// What a text says about when.
pub(super) enum Point {
    /// A whole day, of whichever zone.
    Day(NaiveDate),
    /// A time on the clocks of whichever zone.
    Local(NaiveDateTime),
    /// An instant.
    Exact(Instant),
}

/// A place in a text.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    pub(super) fn expected(&self, expected: &'static str) -> DateError {
        DateError::Syntax { text: self.text.to_owned(), at: self.at, expected }
    }

    /// Takes the next character if `wanted` has it.
    pub(super) fn take(&mut self, wanted: &[char]) -> Option<char> {
        let next = self.rest().chars().next().filter(|c| wanted.contains(c))?;
        self.at += next.len_utf8();
        Some(next)
    }

    pub(super) fn skip_spaces(&mut self) {
        while self.take(&[' ']).is_some() {}
    }

    /// Whether a date can begin here.
    pub(super) fn is_at_digit(&self) -> bool {
        self.rest().starts_with(|c: char| c.is_ascii_digit())
    }

    /// `20200131` or `2020-01-31`, then perhaps a time `T09:30`, `T0930`, ` 09:30:00.5`, then perhaps `Z` or `+01:00`.
    pub(super) fn point(&mut self) -> Result<Point, DateError> {
        let began = self.at;
        let day = self.day()?;
        if !self.take_time_mark() {
            return Ok(Point::Day(day));
        }
        let local = day.and_time(self.time(began)?);
        let Some(offset) = self.offset()? else { return Ok(Point::Local(local)) };
        let nanos = nanos_of(local) - i128::from(offset) * 1_000_000_000;
        instant_of(nanos).map(Point::Exact).ok_or_else(|| DateError::OutOfRange(self.text[began..self.at].to_owned()))
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn day(&mut self) -> Result<NaiveDate, DateError> {
        let began = self.at;
        let year = self.digits(4, "a year of four digits, as in `20200131` or `2020-01-31`")?;
        let dashed = self.take(&['-']).is_some();
        let month = self.digits(2, "a month of two digits")?;
        if dashed && self.take(&['-']).is_none() {
            return Err(self.expected("`-` and a day"));
        }
        let day = self.digits(2, "a day of two digits")?;
        if self.is_at_digit() {
            return Err(self.expected("the end of the date, `-`, or `T` and a time"));
        }
        NaiveDate::from_ymd_opt(year as i32, month, day).ok_or_else(|| self.no_such_date(began))
    }

    fn time(&mut self, began: usize) -> Result<NaiveTime, DateError> {
        let hour = self.digits(2, "an hour of two digits")?;
        let colons = self.take(&[':']).is_some();
        let minute = self.digits(2, "minutes of two digits")?;
        let has_seconds = if colons { self.take(&[':']).is_some() } else { self.is_at_digit() };
        let (mut second, mut nanos) = (0, 0);
        if has_seconds {
            second = self.digits(2, "seconds of two digits")?;
            nanos = if self.take(&['.']).is_some() { self.fraction()? } else { 0 };
        }
        // A leap second is the first one of the next minute: no count since 1970 has it.
        let (second, nanos) = if second == 60 { (59, nanos + 1_000_000_000) } else { (second, nanos) };
        NaiveTime::from_hms_nano_opt(hour, minute, second, nanos).ok_or_else(|| self.no_such_date(began))
    }

    /// Seconds east of Greenwich. A `-` that no `00:00` follows belongs to what comes next.
    fn offset(&mut self) -> Result<Option<i32>, DateError> {
        if self.take(&['Z', 'z']).is_some() {
            return Ok(Some(0));
        }
        let digits = |at: usize| self.rest().as_bytes().get(at).is_some_and(u8::is_ascii_digit);
        let is_offset = self.rest().starts_with(['+', '-']) && digits(1) && digits(2) && self.rest().as_bytes().get(3) == Some(&b':');
        if !is_offset {
            return Ok(None);
        }
        let sign = if self.take(&['-']).is_some() { -1 } else { 1 };
        self.take(&['+']);
        let hours = self.digits(2, "hours of two digits")?;
        self.take(&[':']);
        let minutes = self.digits(2, "minutes of two digits")?;
        if hours > 23 || minutes > 59 {
            return Err(self.expected("an offset of less than a day before this"));
        }
        Ok(Some(sign * (hours * 3600 + minutes * 60) as i32))
    }

    /// `T`, or a space with a time behind it.
    fn take_time_mark(&mut self) -> bool {
        let spaced = self.rest().strip_prefix(' ').is_some_and(|rest| {
            let bytes = rest.as_bytes();
            bytes.len() > 2 && bytes[0].is_ascii_digit() && bytes[1].is_ascii_digit() && bytes[2] == b':'
        });
        self.take(&['T', 't']).is_some() || (spaced && self.take(&[' ']).is_some())
    }

    fn digits(&mut self, count: usize, expected: &'static str) -> Result<u32, DateError> {
        let digits = self.rest().get(..count).filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
        let number = digits.and_then(|text| text.parse().ok()).ok_or_else(|| self.expected(expected))?;
        self.at += count;
        Ok(number)
    }

    /// One to nine digits, as nanoseconds.
    fn fraction(&mut self) -> Result<u32, DateError> {
        let count = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        if !(1..=9).contains(&count) {
            return Err(self.expected("one to nine digits of a second's fraction"));
        }
        Ok(self.digits(count, "digits")? * 10u32.pow(9 - count as u32))
    }

    fn no_such_date(&self, began: usize) -> DateError {
        DateError::NoSuchDate { text: self.text.to_owned(), at: began }
    }
}
