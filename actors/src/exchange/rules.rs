//! What an exchange does in one instrument. Invariant: what is left out means the plainest exchange: best quotes, no fees, no impact.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::fees::FeeSchedule;
use super::impact::Impact;
use super::queue::QueueModel;

/// Which recorded events make the market that orders meet. Events of the other shapes are ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum BookKind {
    /// Quotes (level 1), and trades.
    #[default]
    L1,
    /// Depth by price (level 2), and trades.
    L2,
    /// Orders one by one (level 3). Without any recording this is a market of the run's own actors alone.
    L3,
}

/// What happens when an order would trade with one of the same owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SelfTrade {
    /// What is left of the order that comes is cancelled.
    #[default]
    CancelNewest,
    /// The order that rests is cancelled, and the other goes on.
    CancelOldest,
    /// Both are cancelled.
    CancelBoth,
    /// They trade.
    Allow,
}

/// Which price triggers a stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TriggerBy {
    /// The best price at which it could be filled: the ask for a buy, the bid for a sale.
    #[default]
    Quotes,
    /// The last trade, recorded or made here.
    Trades,
}

/// Whether orders are taken and matched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Phase {
    /// Orders are matched as they come.
    #[default]
    Open,
    /// Nothing is matched, nothing triggered; orders can only be cancelled.
    Halted,
    /// Limit orders gather without being matched; when the market opens they meet at one price.
    Auction,
    /// All orders were cancelled, and none is taken.
    Closed,
}

/// What an exchange does in one instrument.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MarketRules {
    /// What orders meet.
    pub book: BookKind,
    /// Where a resting order stands among those that the recording shows only as a sum.
    pub queue: QueueModel,
    /// What happens between orders of one owner.
    pub self_trade: SelfTrade,
    /// What fills cost.
    pub fees: FeeSchedule,
    /// How many days of an owner's trading its tier of fees is reached by, the current one among them; days are those of UTC. All since the run
    /// began unless given.
    pub fee_days: Option<NonZeroU32>,
    /// What taking costs beyond the displayed price.
    pub impact: Impact,
    /// What triggers a stop.
    pub trigger_by: TriggerBy,
    /// Whether limits and triggers of zero and below are prices, as those of spreads are.
    pub negative_prices: bool,
}

impl MarketRules {
    /// Why a market cannot have these rules.
    ///
    /// # Errors
    /// A sentence.
    pub fn check(&self) -> Result<(), String> {
        self.queue.check()?;
        self.fees.check()?;
        self.impact.check()
    }
}
