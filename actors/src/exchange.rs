//! The exchange: a pure matching core for each instrument, and the actor around it.

mod actor;
mod amend;
mod auction;
mod core;
mod entry;
mod feed;
mod fees;
mod ids;
mod impact;
mod kind;
mod latency;
mod matching;
mod owners;
mod queue;
mod rules;
mod stops;

pub use self::core::{Answer, Input, Market, Outbox, OwnerId};
pub use actor::{Exchange, ExchangeError, ExchangeSettings, Listing, PhaseChange, PlannedPhase};
pub use fees::{FeeRate, FeeSchedule, FeeScheduleError, FeeTier};
pub use impact::{Impact, Scale};
pub(crate) use kind::register;
pub use latency::{Latencies, Latency, LatencyPoint};
pub use queue::QueueModel;
pub use rules::{BookKind, MarketRules, Phase, SelfTrade, TriggerBy};
