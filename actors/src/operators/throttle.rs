//! At most one value a period.

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Duration, Instant};

use super::order::{Order, OutOfOrder};

/// Lets a value pass if the last one that passed is a period ago or longer; the others are dropped.
///
/// ```
/// use stillpoint_actors::operators::Throttle;
/// use stillpoint_engine::{Duration, Instant};
/// let mut throttle = Throttle::new(Duration::nanos(10));
/// let passed: Result<Vec<bool>, _> = [0, 4, 9, 10, 19, 25].map(|at| throttle.passes(Instant::from_nanos(at))).into_iter().collect();
/// assert_eq!(passed?, [true, false, false, true, false, true]);
/// # Ok::<(), stillpoint_actors::operators::OutOfOrder>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttle {
    period: Duration,
    passed: Option<Instant>,
    order: Order,
}

impl Throttle {
    /// One that has let nothing pass. With a period of zero or less everything passes.
    pub fn new(period: Duration) -> Self {
        Self { period, passed: None, order: Order::default() }
    }

    /// Whether a value at this instant passes.
    ///
    /// # Errors
    /// [`OutOfOrder`].
    pub fn passes(&mut self, at: Instant) -> Result<bool, OutOfOrder> {
        self.order.take(at)?;
        let passes = self.passed.is_none_or(|passed| passed.checked_add(self.period).is_some_and(|next| next <= at));
        if passes {
            self.passed = Some(at);
        }
        Ok(passes)
    }
}
