//! Events that the kit can make up. Invariant: equal drafts give equal events.

use serde::Serialize;
use serde::de::DeserializeOwned;
use stillpoint_engine::Message;

/// What an event is made of: plain numbers, drawn by the kit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The number of the instrument, from 0.
    pub instrument: u32,
    /// A price from 80 to 120, often equal to others.
    pub price: i64,
    /// A size from 1 to 9.
    pub size: i64,
    /// Which of two sides.
    pub buys: bool,
}

/// A type of event that scenarios can be made of.
///
/// By implementing this you promise that an event is made from its draft alone, and that [`SCRIPT`](Sample::SCRIPT) names a kind of
/// stream that plays a script of such events. Claims that an event knows nothing of ([`scaled`](Sample::scaled) and so on give `None`)
/// cannot be made about it.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use stillpoint_engine::Message;
/// use stillpoint_sim_tests::{Draft, Sample};
///
/// #[derive(Clone, Debug, PartialEq, Hash, Serialize, Deserialize)]
/// struct Reading {
///     sensor: u32,
///     milli_celsius: i64,
/// }
/// impl Message for Reading {
///     const KIND: &'static str = "reading";
/// }
/// impl Sample for Reading {
///     const SCRIPT: &'static str = "readings";
///     fn sample(draft: Draft) -> Self {
///         Self { sensor: draft.instrument, milli_celsius: draft.price * 250 }
///     }
///     fn simpler(&self) -> Vec<Self> {
///         [0, 20_000].map(|milli_celsius| Self { milli_celsius, ..self.clone() }).into()
///     }
/// }
/// ```
pub trait Sample: Message + Clone + PartialEq + Serialize + DeserializeOwned + Sync {
    /// The kind of stream that plays a script of these in a scenario.
    const SCRIPT: &'static str;

    /// The event of a draft.
    fn sample(draft: Draft) -> Self;

    /// Simpler events to try in its place when a failure is made smaller, the simplest first.
    fn simpler(&self) -> Vec<Self>;

    /// The same event with its prices times 2 to the power of `power`.
    fn scaled(&self, power: u32) -> Option<Self> {
        let _ = power;
        None
    }

    /// The same event of the instrument whose number is greater by `by`.
    fn renamed(&self, by: u32) -> Option<Self> {
        let _ = by;
        None
    }

    /// What can follow this event and says nothing new: a quote that repeats it, say.
    fn heartbeat(&self) -> Option<Self> {
        None
    }
}

/// A price, the same for every instrument. Its heartbeat is itself.
impl Sample for i64 {
    const SCRIPT: &'static str = "script_numbers";

    fn sample(draft: Draft) -> Self {
        draft.price
    }

    fn simpler(&self) -> Vec<Self> {
        [0, 1, 100, self / 2].into_iter().filter(|simpler| simpler.unsigned_abs() < self.unsigned_abs()).collect()
    }

    fn scaled(&self, power: u32) -> Option<Self> {
        self.checked_mul(1i64.checked_shl(power)?)
    }

    fn heartbeat(&self) -> Option<Self> {
        Some(*self)
    }
}

/// The instrument and the price, such as `2 at 104`.
impl Sample for String {
    const SCRIPT: &'static str = "script";

    fn sample(draft: Draft) -> Self {
        format!("{} at {}", draft.instrument, draft.price)
    }

    fn simpler(&self) -> Vec<Self> {
        let all = ["", "a"].map(str::to_owned);
        all.into_iter().filter(|simpler| simpler.len() < self.len()).collect()
    }

    fn heartbeat(&self) -> Option<Self> {
        Some(self.clone())
    }
}
