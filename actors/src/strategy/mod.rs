//! Strategies in a few lines: what happens comes to callbacks, and orders, positions and limits are kept around them. Invariant: whatever a
//! strategy asks for, and in whatever order answers come, no limit is exceeded and no fill is missed.
//!
//! A [`Strategy`] says what to do; a [`Trader`] is the actor around it; the [`Desk`] is what it acts through, and [`Blotter`] what it can read
//! there. [`RiskLimits`] and [`InstrumentLimits`] hold before an order is sent. [`Strategy`] has an example of all of it.
//!
//! * **Races.** An order counts from when it is sent until the venue says that it ended. A fill that crosses a cancellation, a change that is
//!   rejected, a part that is filled meanwhile: all of it is what the answers say, in their order.
//! * **Warm-up.** What comes before `trade_from`, and the bars of `history`, reach the callbacks, while orders are refused.
//! * **Time.** `desk.now()`, timers and random numbers are those of the run; there are no others. What goes on for long is written with timers
//!   rather than as an async task: an actor with tasks under way cannot be saved, one with timers can.

mod account;
mod blotter;
mod bracket;
mod callbacks;
mod desk;
mod limits;
mod refusal;
mod settings;
mod trader;
mod wire;
mod working;

pub use account::{Account, Route};
pub use blotter::{Blotter, Counts};
pub use bracket::{Bracket, Pair, PairEvent};
pub use callbacks::{Execution, Strategy};
pub use desk::Desk;
pub use limits::{BasisPoints, InstrumentLimits, OrderRate, RiskLimits};
pub use refusal::Refusal;
pub use settings::{SettingsError, TraderSettings};
pub use trader::Trader;
pub use wire::TimerTag;
pub use working::WorkingOrder;
pub(crate) use working::amended;
