//! What can be wrong with a date. Invariant: every text says what was found, where, and what is expected.

use std::fmt;

use stillpoint_engine::Instant;

/// A date, a zone or a range that cannot be used. Nothing was changed; correct the text and try again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DateError {
    /// The text is not written as it should be.
    Syntax {
        /// The whole text.
        text: String,
        /// The byte at which it goes wrong.
        at: usize,
        /// What should be there.
        expected: &'static str,
    },
    /// The calendar has no such day, or the day no such time (30 February, 25:00).
    NoSuchDate {
        /// The whole text.
        text: String,
        /// The byte at which the date begins.
        at: usize,
    },
    /// Beyond what 64 bits of nanoseconds reach: 1677-09-21 to 2262-04-11.
    OutOfRange(String),
    /// The end of a range lies before its start.
    Backwards {
        /// Where the range would start.
        start: Instant,
        /// Where it would end.
        end: Instant,
    },
    /// No time zone of that name is in the IANA database.
    UnknownZone {
        /// The name.
        name: String,
        /// What may have been meant.
        help: String,
    },
    /// Clocks went back: the local time was there twice, and [`LocalPolicy::Refuse`](super::LocalPolicy::Refuse) takes neither.
    Ambiguous {
        /// The local time.
        local: String,
        /// The zone's name.
        zone: &'static str,
        /// The first time it was so late.
        earlier: Instant,
        /// The second time.
        later: Instant,
    },
    /// Clocks went forward over the local time, and [`LocalPolicy::Refuse`](super::LocalPolicy::Refuse) takes no other.
    Missing {
        /// The local time.
        local: String,
        /// The zone's name.
        zone: &'static str,
        /// When the clocks went forward.
        change: Instant,
    },
}

impl fmt::Display for DateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { text, at, expected } => {
                let found = text.get(*at..).filter(|rest| !rest.is_empty());
                let found = found.map_or_else(|| "the end".to_owned(), |rest| format!("`{rest}`"));
                write!(f, "`{text}` is no date here: at byte {at} there is {found}; expected {expected}")
            }
            Self::NoSuchDate { text, at } => write!(f, "`{text}`: at byte {at} there is a date that no calendar has; correct its numbers"),
            Self::OutOfRange(what) => {
                write!(f, "`{what}` is out of range; nanoseconds in 64 bits reach from 1677-09-21T00:12:43Z to 2262-04-11T23:47:16Z")
            }
            Self::Backwards { start, end } => write!(f, "the range starts at {start} and would end before, at {end}; exchange its bounds"),
            Self::UnknownZone { name, help } => write!(f, "`{name}` is no time zone of the IANA database; {help}"),
            Self::Ambiguous { local, zone, earlier, later } => write!(
                f,
                "{local} was there twice in {zone}, at {earlier} and at {later}; write it with its offset, or choose the earliest or latest"
            ),
            Self::Missing { local, zone, change } => write!(
                f,
                "{local} was never there in {zone}: clocks went forward over it at {change}; write another time, or choose the earliest or latest"
            ),
        }
    }
}

impl std::error::Error for DateError {}
