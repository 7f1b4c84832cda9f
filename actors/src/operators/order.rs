//! Values in order of time.

use std::fmt;

use serde::{Deserialize, Serialize};
use stillpoint_engine::Instant;

/// A value that comes after a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OutOfOrder {
    /// When the value is.
    pub at: Instant,
    /// When the one before it was.
    pub after: Instant,
}

impl fmt::Display for OutOfOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value at {} comes after one at {}; sort the values by time, or merge their streams", self.at, self.after)
    }
}

impl std::error::Error for OutOfOrder {}

/// The time of the latest value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Order(Option<Instant>);

impl Order {
    pub(super) fn take(&mut self, at: Instant) -> Result<(), OutOfOrder> {
        match self.0 {
            Some(after) if at < after => Err(OutOfOrder { at, after }),
            _ => {
                self.0 = Some(at);
                Ok(())
            }
        }
    }
}
