//! What it takes to hold a position that is not paid in full, and when it is taken away.

use serde::{Deserialize, Serialize};

use super::book::Leg;
use super::currency::{CurrencyId, Parts};
use crate::instrument::InstrumentId;

/// What stands behind a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MarginMode {
    /// All there is in the settlement currency, together with the other cross positions.
    Cross,
    /// What was set aside for it when it was opened, and no more.
    Isolated,
}

/// The margin terms of a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Margin {
    /// What stands behind a position.
    pub mode: MarginMode,
    /// Which part of its value it takes to open a position: 1 over the leverage.
    pub initial: Parts,
    /// Which part of its value it takes to keep it: 0 to `initial`.
    pub maintenance: Parts,
}

/// What is to be liquidated, as equity does not exceed the maintenance margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Liquidation {
    /// One isolated position.
    Position(InstrumentId, Leg),
    /// All cross positions of a currency.
    Account(CurrencyId),
}
