//! Which stretch of time makes one chunk. Invariant: the spans of a chunker cover all of time and do not overlap.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveTime, Utc};
use stillpoint_engine::{Duration, Instant};

use super::ChunkError;

/// A stretch of time, both ends included: so the last instant there is belongs to a span too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first instant of it.
    pub first: Instant,
    /// The last instant of it.
    pub last: Instant,
}

impl Span {
    /// All of time.
    pub const EVER: Self = Self { first: Instant::MIN, last: Instant::MAX };

    /// Whether `at` is in it.
    pub fn contains(self, at: Instant) -> bool {
        self.first <= at && at <= self.last
    }

    /// Whether some instant is in both.
    pub fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// Cuts time into chunks. By implementing this you promise that
///
/// * `span(at)` contains `at`, and is the same for each instant in it, on every machine and for ever;
/// * `key` is the same for each instant of a span, different for different spans, and sorts as they do.
///
/// A library writes down the name under which its chunker is registered.
pub trait Chunker: Send + Sync {
    /// The span of the chunk to which `at` belongs.
    fn span(&self, at: Instant) -> Span;

    /// The name of the chunk to which `at` belongs.
    fn key(&self, at: Instant) -> String;
}

/// Chunks by the calendar, in UTC.
///
/// ```
/// use stillpoint_engine::Instant;
/// use stillpoint_store::chunk::{Calendar, Chunker};
/// let at: Instant = "2024-02-29T12:00:00Z".parse()?;
/// assert_eq!(Calendar::Month.key(at), "2024-02");
/// assert_eq!(Calendar::Month.span(at).last, "2024-02-29T23:59:59.999999999Z".parse()?);
/// # Ok::<(), stillpoint_engine::TimeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calendar {
    /// From midnight to midnight; keys such as `2024-02-29`.
    Day,
    /// From the first day; keys such as `2024-02`.
    Month,
    /// From the first of January; keys such as `2024`.
    Year,
}

impl Calendar {
    fn first_day(self, at: Instant) -> NaiveDate {
        let date = DateTime::<Utc>::from_timestamp_nanos(at.as_nanos()).date_naive();
        let day = match self {
            Self::Day => Some(date),
            Self::Month => date.with_day(1),
            Self::Year => date.with_ordinal(1),
        };
        // Every month and year has a first day.
        day.unwrap_or(date)
    }
}

impl Chunker for Calendar {
    fn span(&self, at: Instant) -> Span {
        let first_day = self.first_day(at);
        let next = match self {
            Self::Day => first_day.succ_opt(),
            Self::Month => first_day.checked_add_months(Months::new(1)),
            Self::Year => first_day.checked_add_months(Months::new(12)),
        };
        // The ends of time are within a day; what is beyond them is cut off.
        let first = midnight(first_day).unwrap_or(Instant::MIN);
        let last = next.and_then(midnight).map_or(Instant::MAX, |next| next - Duration::nanos(1));
        Span { first, last }
    }

    fn key(&self, at: Instant) -> String {
        let form = match self {
            Self::Day => "%Y-%m-%d",
            Self::Month => "%Y-%m",
            Self::Year => "%Y",
        };
        self.first_day(at).format(form).to_string()
    }
}

/// When `day` begins in UTC, if instants reach so far.
fn midnight(day: NaiveDate) -> Option<Instant> {
    day.and_time(NaiveTime::MIN).and_utc().timestamp_nanos_opt().map(Instant::from_nanos)
}

/// The chunkers that there are, by name.
#[derive(Clone)]
pub struct Chunkers(BTreeMap<String, Arc<dyn Chunker>>);

impl std::fmt::Debug for Chunkers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Default for Chunkers {
    /// `day`, `month` and `year`.
    fn default() -> Self {
        let calendar = [("day", Calendar::Day), ("month", Calendar::Month), ("year", Calendar::Year)];
        Self(calendar.into_iter().map(|(name, calendar)| (name.to_owned(), Arc::new(calendar) as Arc<dyn Chunker>)).collect())
    }
}

impl Chunkers {
    /// Adds a chunker.
    ///
    /// # Errors
    /// The name is taken.
    pub fn register(&mut self, name: impl Into<String>, chunker: impl Chunker + 'static) -> Result<(), ChunkError> {
        let name = name.into();
        if self.0.contains_key(&name) {
            return Err(ChunkError::ChunkerExists { name });
        }
        self.0.insert(name, Arc::new(chunker));
        Ok(())
    }

    /// The chunker `name`.
    ///
    /// # Errors
    /// There is none.
    pub fn get(&self, name: &str) -> Result<Named, ChunkError> {
        match self.0.get_key_value(name) {
            Some((name, chunker)) => Ok(Named { name: name.clone(), chunker: chunker.clone() }),
            None => Err(ChunkError::UnknownChunker { name: name.to_owned(), known: self.0.keys().cloned().collect() }),
        }
    }
}

/// A chunker and its name; it looks whether the chunker keeps its promise.
#[derive(Clone)]
pub struct Named {
    name: String,
    chunker: Arc<dyn Chunker>,
}

impl std::fmt::Debug for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Named").field(&self.name).finish()
    }
}

impl Named {
    /// The name under which it is registered.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the chunk to which `at` belongs.
    pub fn key(&self, at: Instant) -> String {
        self.chunker.key(at)
    }

    /// The span of the chunk to which `at` belongs.
    ///
    /// # Errors
    /// The chunker gives a span that does not contain it.
    pub fn span(&self, at: Instant) -> Result<Span, ChunkError> {
        let span = self.chunker.span(at);
        if span.contains(at) { Ok(span) } else { Err(self.broken(at, span)) }
    }

    /// The spans that have an instant in `range`, in order, whole.
    pub fn spans(&self, range: Span) -> Spans<'_> {
        Spans { chunker: self, next: (range.first <= range.last).then_some(range.first), end: range.last, before: None }
    }

    pub(super) fn broken(&self, at: Instant, span: Span) -> ChunkError {
        ChunkError::BrokenPromise { chunker: self.name.clone(), at, span }
    }
}

/// The spans of a range in order; see [`Named::spans`].
#[derive(Debug)]
pub struct Spans<'a> {
    chunker: &'a Named,
    next: Option<Instant>,
    end: Instant,
    before: Option<Span>,
}

impl Iterator for Spans<'_> {
    type Item = Result<Span, ChunkError>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.next.take()?;
        let span = match self.chunker.span(at) {
            Ok(span) if self.before.is_some_and(|before| before.overlaps(span)) => return Some(Err(self.chunker.broken(at, span))),
            Ok(span) => span,
            Err(error) => return Some(Err(error)),
        };
        self.before = Some(span);
        self.next = span.last.checked_add(Duration::nanos(1)).filter(|next| *next <= self.end);
        Some(Ok(span))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn spans_by_hand() {
        let span = |calendar: Calendar, text: &str| {
            let span = calendar.span(at(text));
            (calendar.key(at(text)), span.first.to_string(), span.last.to_string())
        };
        let parts =
            |key: &str, first: &str, last: &str| (key.to_owned(), format!("{first}T00:00:00Z"), format!("{last}T23:59:59.999999999Z"));
        assert_eq!(span(Calendar::Day, "1969-12-31T23:59:59.999999999Z"), parts("1969-12-31", "1969-12-31", "1969-12-31"));
        assert_eq!(span(Calendar::Day, "1970-01-01T00:00:00Z"), parts("1970-01-01", "1970-01-01", "1970-01-01"));
        assert_eq!(span(Calendar::Month, "2023-02-01T00:00:00Z"), parts("2023-02", "2023-02-01", "2023-02-28"));
        assert_eq!(span(Calendar::Month, "2023-12-31T12:00:00Z"), parts("2023-12", "2023-12-01", "2023-12-31"));
        assert_eq!(span(Calendar::Year, "2024-02-29T12:00:00Z"), parts("2024", "2024-01-01", "2024-12-31"));
    }

    #[test]
    fn the_ends_of_time_are_in_chunks() {
        for calendar in [Calendar::Day, Calendar::Month, Calendar::Year] {
            assert_eq!(calendar.span(Instant::MIN).first, Instant::MIN);
            assert_eq!(calendar.span(Instant::MAX).last, Instant::MAX);
        }
        assert_eq!((Calendar::Day.key(Instant::MIN), Calendar::Day.key(Instant::MAX)), ("1677-09-21".into(), "2262-04-11".into()));
    }

    #[test]
    fn spans_of_a_range_are_whole() {
        let chunkers = Chunkers::default();
        let month = chunkers.get("month").unwrap();
        let range = Span { first: at("2023-12-31T00:00:00Z"), last: at("2024-03-01T00:00:00Z") };
        let firsts: Vec<String> = month.spans(range).map(|span| span.unwrap().first.to_string()).collect();
        assert_eq!(firsts, ["2023-12-01T00:00:00Z", "2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"]);
        assert_eq!(month.spans(Span { first: range.last, last: range.first }).count(), 0);
        assert_eq!(chunkers.get("year").unwrap().spans(Span::EVER).count(), 2262 - 1677 + 1);
        let error = chunkers.get("week").unwrap_err().to_string();
        assert_eq!(error, "there is no chunker `week`; register it before the library is opened, or use one of: day, month, year");
    }

    /// Says that everything is in the chunk of the epoch.
    struct Liar;
    impl Chunker for Liar {
        fn span(&self, _: Instant) -> Span {
            Calendar::Day.span(Instant::EPOCH)
        }
        fn key(&self, _: Instant) -> String {
            "epoch".into()
        }
    }

    #[test]
    fn own_chunkers_are_registered_once_and_looked_after() {
        let mut chunkers = Chunkers::default();
        chunkers.register("liar", Liar).unwrap();
        assert_eq!(chunkers.register("liar", Liar), Err(ChunkError::ChunkerExists { name: "liar".into() }));
        let liar = chunkers.get("liar").unwrap();
        assert!(liar.span(Instant::EPOCH).is_ok());
        let range = Span { first: Instant::EPOCH, last: Instant::EPOCH + Duration::hours(48) };
        let spans: Vec<bool> = liar.spans(range).map(|span| span.is_ok()).collect();
        assert_eq!(spans, [true, false]);
    }

    proptest! {
        #[test]
        fn an_instant_is_in_its_span_and_so_are_its_ends(nanos in any::<i64>()) {
            let at = Instant::from_nanos(nanos);
            for calendar in [Calendar::Day, Calendar::Month, Calendar::Year] {
                let span = calendar.span(at);
                prop_assert!(span.contains(at));
                for end in [span.first, span.last] {
                    prop_assert_eq!(calendar.span(end), span);
                    prop_assert_eq!(calendar.key(end), calendar.key(at));
                }
                if let Some(next) = span.last.checked_add(Duration::nanos(1)) {
                    prop_assert!(calendar.key(next) > calendar.key(at));
                }
            }
        }
    }
}
