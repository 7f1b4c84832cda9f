//! Dates at the borders: text, units and time zones to and from instants, and ranges of instants. Invariant: nothing here reads a clock.
//!
//! Inside the store time is an [`Instant`](stillpoint_engine::Instant): nanoseconds in UTC. People write dates, exchanges write local times.
//! [`Unit`] converts counts, [`Zone`] local times, [`DateRange`] says which rows are meant, and [`Period`] cuts a range by day, month or year.
//!
//! ```
//! use stillpoint_store::date::{DateRange, Period, Zone};
//! let range: DateRange = "20240309-20240311".parse()?;
//! let new_york = Zone::named("America/New_York")?;
//! let days: Vec<String> = range.cut(Period::Day, new_york).map(|day| day.to_string()).collect();
//! // The days of New York begin at 05:00 UTC, and at 04:00 after the clocks went forward on the 10th.
//! assert_eq!(days[1], "[2024-03-09T05:00:00Z-2024-03-10T05:00:00Z)");
//! assert_eq!(days[2], "[2024-03-10T05:00:00Z-2024-03-11T04:00:00Z)");
//! # Ok::<(), stillpoint_store::date::DateError>(())
//! ```

mod error;
mod period;
mod range;
mod scan;
mod unit;
mod zone;

pub use error::DateError;
pub use period::{Cuts, Period};
pub use range::DateRange;
pub use unit::{Unit, from_rfc3339};
pub use zone::{LocalPolicy, Zone};
