//! The state of one currency. Invariant: the sums over its positions are kept up to date, so that asking costs the same for any number.

use serde::{Deserialize, Serialize};

/// What there is of one currency, in units of its last decimal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Figures {
    /// Paid in, less paid out.
    pub paid_in: i128,
    /// The profit of what has been closed, without fees.
    pub realised: i128,
    /// Fees paid; a rebate is negative.
    pub fees: i128,
    /// Funding received, less funding paid.
    pub funding: i128,
    /// Losses beyond the margin of liquidated isolated positions, which others bear.
    pub covered: i128,
    /// What open positions cost; a short one brought money in and counts negative.
    pub cost: i128,
    /// What open positions are worth at their last prices.
    pub value: i128,
    /// What is set aside for isolated positions; a part of the balance.
    pub isolated: i128,
    /// What isolated positions have gained: a part of value less cost.
    pub isolated_gain: i128,
    /// The initial margin of the cross positions at their last prices.
    pub initial: i128,
    /// The maintenance margin of the cross positions at their last prices.
    pub maintenance: i128,
    /// What positions that are paid in full are worth, short ones counted positive too: they stand for themselves alone.
    pub outright: i128,
}

impl Figures {
    /// What has been paid in and earned: `paid_in + realised - fees + funding + covered`.
    pub const fn balance(&self) -> i128 {
        self.paid_in + self.realised - self.fees + self.funding + self.covered
    }

    /// The profit that closing everything at the last prices would add.
    pub const fn unrealised(&self) -> i128 {
        self.value - self.cost
    }

    /// What everything comes to: the balance and what is unrealised.
    pub const fn equity(&self) -> i128 {
        self.balance() + self.unrealised()
    }

    /// The balance if positions are thought of as paid for: equity is `cash + value`.
    pub const fn cash(&self) -> i128 {
        self.balance() - self.cost
    }

    /// What stands behind cross positions: equity without what isolated positions have and have gained.
    pub const fn cross_equity(&self) -> i128 {
        self.equity() - self.isolated - self.isolated_gain
    }

    /// What is free for new positions: the cross equity less the initial margin of cross positions.
    pub const fn available(&self) -> i128 {
        self.cross_equity() - self.initial
    }

    /// What new positions can be opened with: what is [available](Self::available), without the worth of what is paid in full.
    pub const fn free(&self) -> i128 {
        self.available() - self.outright
    }

    /// What is set aside for positions on margin, cross and isolated.
    pub const fn margin_used(&self) -> i128 {
        self.initial + self.isolated
    }

    /// Whether the cross positions are to be liquidated: there are some that take margin, and their equity does not exceed the
    /// maintenance margin.
    pub const fn must_liquidate(&self) -> bool {
        self.initial > 0 && self.cross_equity() <= self.maintenance
    }

    /// Takes out what one position added and puts in what it adds now.
    pub(super) fn replace(&mut self, before: &Self, after: &Self) {
        self.realised += after.realised - before.realised;
        self.cost += after.cost - before.cost;
        self.value += after.value - before.value;
        self.isolated += after.isolated - before.isolated;
        self.isolated_gain += after.isolated_gain - before.isolated_gain;
        self.initial += after.initial - before.initial;
        self.maintenance += after.maintenance - before.maintenance;
        self.outright += after.outright - before.outright;
    }
}
