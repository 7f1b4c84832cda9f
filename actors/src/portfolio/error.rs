//! Why a portfolio does not book something.

use std::fmt;

use super::book::{Keeping, Leg};
use super::currency::CurrencyId;
use crate::instrument::InstrumentId;

/// Why something was not booked. The portfolio is as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortfolioError {
    /// A currency has not been added.
    UnknownCurrency(CurrencyId),
    /// An instrument's contract has not been added.
    UnknownInstrument(InstrumentId),
    /// A currency or an instrument was added before.
    AddedTwice,
    /// The settlement currency has too few decimals for amounts of the contract.
    TooCoarse {
        /// How many decimals it needs at least.
        needed: u8,
        /// How many it has.
        has: u8,
    },
    /// The contract's multiplier is not above zero, or its margin rates are not 0 to 1 with the maintenance rate below the initial one.
    BadContract,
    /// A quantity that is not above zero.
    BadQuantity,
    /// A price at which an inverse contract has no value: zero or below.
    BadPrice,
    /// The leg does not go with how the portfolio keeps positions.
    WrongLeg {
        /// The leg named.
        leg: Leg,
        /// How the portfolio keeps positions.
        keeping: Keeping,
    },
    /// A fill would close more of a leg than there is.
    MoreThanHeld {
        /// How much there is.
        held: i64,
    },
    /// An amount, or a position, that is beyond what the portfolio counts with (10^34 units of a currency, 64 bits of quantity).
    TooLarge,
    /// A currency has no conversion rate.
    NoRate(CurrencyId),
}

impl fmt::Display for PortfolioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCurrency(id) => write!(f, "currency {} has not been added to the portfolio; add it first", id.0),
            Self::UnknownInstrument(id) => {
                write!(f, "the contract of instrument {} has not been added to the portfolio; add it first", id.0)
            }
            Self::AddedTwice => write!(f, "it was added to the portfolio before; give it a number of its own"),
            Self::TooCoarse { needed, has } => write!(
                f,
                "the settlement currency has {has} decimals, but amounts of the contract need {needed} to be exact; give the currency more, or the instrument fewer"
            ),
            Self::BadContract => {
                write!(f, "a contract needs a multiplier above zero, and margin rates of 0 to 1, maintenance no more than initial")
            }
            Self::BadQuantity => write!(f, "a fill has a quantity above zero"),
            Self::BadPrice => write!(f, "an inverse contract has no value at a price that is not above zero"),
            Self::WrongLeg { leg, keeping } => {
                write!(f, "a portfolio that keeps positions by {keeping:?} has no {leg:?} leg; netting has Net, hedging Long and Short")
            }
            Self::MoreThanHeld { held } => write!(f, "the fill closes more than the leg's {held}; close at most that"),
            Self::TooLarge => write!(f, "the amount is beyond 10^34 units of its currency, or the position beyond 64 bits"),
            Self::NoRate(id) => write!(f, "currency {} has no conversion rate; set one before asking for a total", id.0),
        }
    }
}

impl std::error::Error for PortfolioError {}
