//! The exchange: a pure matching core for each instrument, and the actor around it.

mod amend;
mod auction;
mod core;
mod entry;
mod feed;
mod fees;
mod ids;
mod impact;
mod matching;
mod queue;
mod rules;
mod stops;

pub use self::core::{Answer, Input, Market, Outbox, OwnerId};
pub use fees::{FeeRate, FeeSchedule, FeeScheduleError, FeeTier};
pub use impact::{Impact, Scale};
pub use queue::QueueModel;
pub use rules::{BookKind, MarketRules, Phase, SelfTrade, TriggerBy};
