//! When markets are open, what splits and dividends do to prices, and what there was to trade. Invariant: what is said for an instant uses
//! nothing that became known after it.
//!
//! A [`Calendar`] turns opening hours on the clocks of a time zone into instants; an actor sets its timers by
//! [`next_open`](Calendar::next_open) and [`next_close`](Calendar::next_close). [`adjust`] puts adjusted prices beside raw ones. A
//! [`Universe`] says what was a member at an instant, so that what was dropped later is not forgotten.

mod actions;
mod date;
mod hours;
mod universe;

pub use actions::{Action, AdjustError, AdjustedPrice, CorporateAction, adjust};
pub use date::{Date, Day, TimeOfDay};
pub use hours::{Calendar, CalendarError, CalendarTerms, Hours, Session, SpecialDay};
pub use universe::{Membership, Universe, UniverseError};
