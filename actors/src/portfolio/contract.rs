//! What a quantity of an instrument is worth at a price. Invariant: the profit of a quantity is what it is worth later less what it was
//! worth before, for either kind of contract.

use serde::{Deserialize, Serialize};

use super::currency::{Currency, CurrencyId, Parts};
use super::error::PortfolioError;
use super::margin::{Margin, MarginMode};
use crate::decimal::{Decimals, Price};
use crate::instrument::{ContractKind, Instrument};

/// The terms of an instrument, as far as money is concerned.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// The currency in which profit is paid.
    pub settlement: CurrencyId,
    /// How a price makes a value. A long position in an inverse contract owes it, so that it counts `-quantity * multiplier / price`, rounded
    /// toward zero.
    pub kind: ContractKind,
    /// Decimals of its prices.
    pub price_decimals: Decimals,
    /// Decimals of its quantities.
    pub quantity_decimals: Decimals,
    /// The contract value: how much one of the quantity stands for. Above zero.
    pub multiplier: i64,
    /// Decimals of the multiplier.
    pub multiplier_decimals: Decimals,
    /// What it takes to hold a position; `None` if it is paid in full.
    pub margin: Option<Margin>,
}

/// Amounts up to here are counted with; sums of very many of them still fit 128 bits.
const LARGEST: i128 = 10i128.pow(34);

/// An amount that can be counted with.
pub(super) const fn countable(amount: i128) -> Result<i128, PortfolioError> {
    if amount.unsigned_abs() <= LARGEST.unsigned_abs() { Ok(amount) } else { Err(PortfolioError::TooLarge) }
}

impl Contract {
    /// What is paid in full, one of the quantity standing for itself: shares, spot.
    pub const fn spot(settlement: CurrencyId, price_decimals: Decimals, quantity_decimals: Decimals) -> Self {
        const NONE: Decimals = Decimals::new(0).unwrap();
        Self {
            settlement,
            kind: ContractKind::Linear,
            price_decimals,
            quantity_decimals,
            multiplier: 1,
            multiplier_decimals: NONE,
            margin: None,
        }
    }

    /// The terms of an instrument, its profit paid in this currency.
    pub const fn of(instrument: &Instrument, settlement: CurrencyId, margin: Option<Margin>) -> Self {
        let plain = Self::spot(settlement, instrument.price_decimals, instrument.quantity_decimals);
        Self { kind: instrument.contract, multiplier: instrument.multiplier, margin, ..plain }
    }

    pub(super) fn mode(&self) -> Option<MarginMode> {
        self.margin.map(|margin| margin.mode)
    }

    /// The contract with amounts in units of its settlement currency.
    pub(super) fn scaled(self, currency: &Currency) -> Result<Scaled, PortfolioError> {
        let bad_margin = self.margin.is_some_and(|margin| {
            let Margin { initial, maintenance, .. } = margin;
            maintenance < Parts(0) || maintenance > initial || initial > Parts::WHOLE
        });
        if self.multiplier <= 0 || bad_margin {
            return Err(PortfolioError::BadContract);
        }
        let [price, quantity, multiplier, has] =
            [self.price_decimals, self.quantity_decimals, self.multiplier_decimals, currency.decimals].map(|d| i32::from(d.count()));
        let (needed, missing) = match self.kind {
            ContractKind::Linear => (price + quantity + multiplier, has - price - quantity - multiplier),
            ContractKind::Inverse => ((quantity + multiplier - price).max(0), has + price - quantity - multiplier),
        };
        let Ok(missing) = u32::try_from(missing) else {
            return Err(PortfolioError::TooCoarse { needed: needed as u8, has: has as u8 });
        };
        let factor = 10i128.checked_pow(missing).and_then(|factor| factor.checked_mul(i128::from(self.multiplier)));
        let factor = factor.ok_or(PortfolioError::TooLarge)?;
        Ok(Scaled { contract: self, factor })
    }
}

/// A contract whose multiplier is in units of the settlement currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Scaled {
    pub(super) contract: Contract,
    /// What one unit of quantity times one unit of price is worth; for an inverse one, what one over the other is.
    factor: i128,
}

impl Scaled {
    /// What a quantity (negative if short) is worth at a price.
    pub(super) fn value(&self, quantity: i64, price: Price) -> Result<i128, PortfolioError> {
        let stands_for = self.factor.checked_mul(i128::from(quantity)).ok_or(PortfolioError::TooLarge)?;
        let value = match self.contract.kind {
            ContractKind::Linear => stands_for.checked_mul(i128::from(price.0)).ok_or(PortfolioError::TooLarge)?,
            ContractKind::Inverse if price.0 <= 0 => return Err(PortfolioError::BadPrice),
            ContractKind::Inverse => -(stands_for / i128::from(price.0)),
        };
        countable(value)
    }

    /// Whether a long position gains as the value moves up with it: +1, or -1 for what a long position owes.
    pub(super) const fn sign(&self) -> i128 {
        match self.contract.kind {
            ContractKind::Linear => 1,
            ContractKind::Inverse => -1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimals(count: u8) -> Decimals {
        Decimals::new(count).expect("at most 18")
    }

    fn currency(count: u8) -> Currency {
        Currency { code: "X".to_owned(), decimals: decimals(count) }
    }

    #[test]
    fn values_worked_out_by_hand() {
        // 0.5 at 100.25 with a multiplier of 0.1: 5.0125.
        let linear =
            Contract { multiplier: 1, multiplier_decimals: decimals(1), ..Contract::spot(CurrencyId(0), decimals(2), decimals(1)) };
        let scaled = linear.clone().scaled(&currency(6)).expect("enough decimals");
        assert_eq!(scaled.value(5, Price(10_025)), Ok(5_012_500));
        assert_eq!(scaled.value(-5, Price(-10_025)), Ok(5_012_500));
        assert_eq!(linear.scaled(&currency(3)), Err(PortfolioError::TooCoarse { needed: 4, has: 3 }));
        // 7 contracts of 100 dollars at 30,000.0 are 0.02333333 of a coin, which a long position owes.
        let inverse = Contract { kind: ContractKind::Inverse, multiplier: 100, ..Contract::spot(CurrencyId(0), decimals(1), decimals(0)) };
        let scaled = inverse.scaled(&currency(8)).expect("enough decimals");
        assert_eq!((scaled.value(7, Price(300_000)), scaled.value(-7, Price(300_000))), (Ok(-2_333_333), Ok(2_333_333)));
        assert_eq!(scaled.value(7, Price(0)), Err(PortfolioError::BadPrice));
        assert_eq!(scaled.value(i64::MAX, Price(1)), Ok(-i128::from(i64::MAX) * 100_000_000_000));
    }

    #[test]
    fn terms_that_make_no_contract() {
        let spot = Contract::spot(CurrencyId(0), decimals(0), decimals(0));
        let with = |multiplier, initial, maintenance| Contract {
            multiplier,
            margin: Some(Margin { mode: MarginMode::Cross, initial: Parts(initial), maintenance: Parts(maintenance) }),
            ..spot.clone()
        };
        for contract in [with(0, 2, 1), with(-1, 2, 1), with(1, 1, 2), with(1, 1_000_000_001, 1), with(1, 1, -1)] {
            assert_eq!(contract.scaled(&currency(2)), Err(PortfolioError::BadContract));
        }
        let scaled = spot.scaled(&currency(18)).expect("enough decimals");
        assert_eq!(scaled.value(i64::MAX, Price(i64::MAX)), Err(PortfolioError::TooLarge));
        assert_eq!(scaled.value(1, Price(10_000_000_000_000_000)), Ok(LARGEST));
        assert_eq!(scaled.value(1, Price(10_000_000_000_000_001)), Err(PortfolioError::TooLarge));
    }
}
