//! What is traded: its decimals, its steps, and what one unit of it is worth. Invariant: whatever is left out of an instrument makes it the
//! plainest one, whose price times quantity is its value.

use serde::{Deserialize, Serialize};

use crate::decimal::{Decimals, Price, Quantity};
use crate::position::Money;

/// The number of an instrument within a run. Quotes, trades and orders name their instrument by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstrumentId(pub u32);

/// How price and quantity make a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ContractKind {
    /// `quantity * multiplier * price`, in the quote currency: shares, spot pairs, most futures.
    #[default]
    Linear,
    /// `quantity * multiplier / price`, in the base currency: contracts of a fixed value in the quote currency that settle in the base one.
    Inverse,
}

/// An instrument: its number, its symbol, the decimals and steps of its prices and quantities, and what a unit of it is worth.
///
/// Every actor and stream of a run that speaks of an instrument must be given the same decimals for it: the numbers in messages do not
/// carry them. Scenarios in which they differ are refused ([`declare`](crate::declare)). Both are 8 unless given. Ticks and lots are in units of
/// the last decimal, and one such unit unless given.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instrument {
    /// The number that messages carry.
    pub id: InstrumentId,
    /// What people call it, such as `BTCUSDT`.
    pub symbol: String,
    /// Decimals of its prices.
    #[serde(default = "eight")]
    pub price_decimals: Decimals,
    /// Decimals of its quantities.
    #[serde(default = "eight")]
    pub quantity_decimals: Decimals,
    /// The step of its prices: the price of an order is a multiple of it.
    #[serde(default = "one_price")]
    pub tick_size: Price,
    /// The step of its quantities: the quantity of an order is a multiple of it.
    #[serde(default = "one_quantity")]
    pub lot_size: Quantity,
    /// The contract value: how much of the underlying one whole unit stands for (linear), or of the quote currency (inverse). 1 for spot.
    #[serde(default = "one")]
    pub multiplier: i64,
    /// How price and quantity make a value.
    #[serde(default)]
    pub contract: ContractKind,
    /// The currency of its prices, such as `USD`; empty where a run has only one.
    #[serde(default)]
    pub quote_currency: String,
}

/// The least decimals of the money of inverse contracts.
const LEAST_OF_INVERSE: u32 = 16;

fn eight() -> Decimals {
    Decimals::EIGHT
}

fn one() -> i64 {
    1
}

fn one_price() -> Price {
    Price(1)
}

fn one_quantity() -> Quantity {
    Quantity(1)
}

impl Instrument {
    /// An instrument with 8 decimals for prices and for quantities.
    pub fn new(id: InstrumentId, symbol: impl Into<String>) -> Self {
        Self {
            id,
            symbol: symbol.into(),
            price_decimals: Decimals::EIGHT,
            quantity_decimals: Decimals::EIGHT,
            tick_size: Price(1),
            lot_size: Quantity(1),
            multiplier: 1,
            contract: ContractKind::Linear,
            quote_currency: String::new(),
        }
    }

    /// The same instrument with other decimals.
    #[must_use]
    pub fn with_decimals(self, price: Decimals, quantity: Decimals) -> Self {
        Self { price_decimals: price, quantity_decimals: quantity, ..self }
    }

    /// The same instrument with other steps, in units of the last decimals.
    #[must_use]
    pub fn with_steps(self, tick_size: Price, lot_size: Quantity) -> Self {
        Self { tick_size, lot_size, ..self }
    }

    /// The same instrument with another contract.
    #[must_use]
    pub fn with_contract(self, contract: ContractKind, multiplier: i64) -> Self {
        Self { contract, multiplier, ..self }
    }

    /// Why this is no instrument that can be traded, to follow its name: *`X` has a tick size of 0*.
    ///
    /// # Errors
    /// A sentence, if a step or the multiplier is not above zero.
    pub fn check(&self) -> Result<(), String> {
        for (what, value) in [("tick size", self.tick_size.0), ("lot size", self.lot_size.0), ("multiplier", self.multiplier)] {
            if value <= 0 {
                return Err(format!("has a {what} of {value}; give one above zero"));
            }
        }
        Ok(())
    }

    /// Decimals of its [`Money`]. Linear: those of price and quantity together, so that a price times a quantity is exact. Inverse: as many, but
    /// at least 16, since a coin is worth many units of the quote currency and amounts of it are small.
    pub fn money_decimals(&self) -> u32 {
        let both = u32::from(self.price_decimals.count()) + u32::from(self.quantity_decimals.count());
        match self.contract {
            ContractKind::Linear => both,
            ContractKind::Inverse => both.max(LEAST_OF_INVERSE),
        }
    }

    /// Of an inverse contract: the money of one unit of quantity of a multiplier of 1, at a price of one unit.
    pub(crate) fn inverse_unit(&self) -> i128 {
        let [price, quantity] = [self.price_decimals, self.quantity_decimals].map(|all| u32::from(all.count()));
        10i128.pow(self.money_decimals() + price - quantity)
    }

    /// What holding `quantity` is worth at `price`: its [notional](Self::notional), which an inverse contract owes, as it gains base currency
    /// when the price rises. `None` where that has no value.
    pub fn worth(&self, price: Price, quantity: Quantity) -> Option<Money> {
        let Money(notional) = self.notional(price, quantity)?;
        match self.contract {
            ContractKind::Linear => Some(Money(notional)),
            ContractKind::Inverse => notional.checked_neg().map(Money),
        }
    }

    /// What `quantity` is worth at `price`, in units of 10^-[`money_decimals`](Self::money_decimals) of the quote currency (linear, exact) or
    /// the base currency (inverse, rounded to the nearest, halves away from zero). `None` if it does not fit 128 bits, or for an inverse contract
    /// at a price that is not above zero.
    ///
    /// ```
    /// use stillpoint_actors::{ContractKind, Decimals, Instrument, InstrumentId, Money, Price, Quantity};
    /// let (one, none) = (Decimals::new(1).expect("at most 18"), Decimals::new(0).expect("at most 18"));
    /// let future = Instrument::new(InstrumentId(0), "F").with_decimals(one, none).with_contract(ContractKind::Linear, 50);
    /// assert_eq!(future.notional(Price(40_005), Quantity(2)), Some(Money(4_000_500))); // 2 * 50 * 4000.5
    /// // 300 contracts of 100 dollars at 60,000.0 dollars a coin: half a coin.
    /// let perpetual = future.with_contract(ContractKind::Inverse, 100);
    /// assert_eq!(perpetual.notional(Price(600_000), Quantity(300)), Some(Money(5_000_000_000_000_000)));
    /// ```
    pub fn notional(&self, price: Price, quantity: Quantity) -> Option<Money> {
        let contracts = i128::from(quantity.0).checked_mul(i128::from(self.multiplier))?;
        match self.contract {
            ContractKind::Linear => contracts.checked_mul(i128::from(price.0)).map(Money),
            ContractKind::Inverse if price.0 <= 0 => None,
            ContractKind::Inverse => {
                let value = contracts.checked_mul(self.inverse_unit())?;
                Some(Money(rounded_quotient(value, i128::from(price.0))))
            }
        }
    }
}

/// `value / by` rounded to the nearest, halves away from zero; `by` is above zero.
pub(crate) fn rounded_quotient(value: i128, by: i128) -> i128 {
    let (quotient, rest) = (value / by, value % by);
    if rest.abs() >= by - rest.abs() { quotient + value.signum() } else { quotient }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inverse() -> Instrument {
        let decimals = |count| Decimals::new(count).expect("at most 18");
        Instrument::new(InstrumentId(0), "X").with_decimals(decimals(1), decimals(3)).with_contract(ContractKind::Inverse, 10)
    }

    /// 10 dollars a contract, prices with one decimal, quantities with three: money in 10^-16 coin.
    #[test]
    fn an_inverse_contract_is_worth_less_at_a_higher_price() {
        for (price, quantity, money) in [
            (400, 1000, Some(2_500_000_000_000_000)),   // 1 contract at 40.0: 10 / 40 = 0.25 coins
            (300, 1000, Some(3_333_333_333_333_333)),   // a third of a coin
            (150, 1000, Some(6_666_666_666_666_667)),   // two thirds, rounded up
            (150, -1000, Some(-6_666_666_666_666_667)), // and away from zero
            (320, 3, Some(9_375_000_000_000)),          // 0.03 / 32 = 0.0009375
            (1_310_720, 1, Some(762_939_453)),          // 0.01 / 131,072 = 762,939,453.125 of them
            (2_621_440, 1, Some(381_469_727)),          // half as much: 381,469,726.5625
            (10_240_000_000, 1, Some(97_656)),          // 0.01 / 1.024e9: 97,656.25
            (40_960_000_000, 2, Some(48_828)),          // 0.02 / 4.096e9: 48,828.125
            (81_920_000_000, 2, Some(24_414)),          // 24,414.0625
            (655_360_000_000, 64, Some(97_656)),        // 0.64 / 6.5536e10: 97,656.25
            (655_360_000_000, 128, Some(195_313)),      // 195,312.5: a half goes away from zero
            (655_360_000_000, -128, Some(-195_313)),
            (0, 1000, None),
            (-10, 1000, None),
        ] {
            assert_eq!(inverse().notional(Price(price), Quantity(quantity)), money.map(Money), "{quantity} at {price}");
        }
    }

    #[test]
    fn what_does_not_fit_is_none() {
        let plain = Instrument::new(InstrumentId(0), "X");
        let most = i128::from(i64::MAX);
        assert_eq!(plain.notional(Price(i64::MAX), Quantity(i64::MAX)), Some(Money(most * most)));
        assert_eq!(plain.with_contract(ContractKind::Linear, 4).notional(Price(i64::MAX), Quantity(i64::MAX)), None);
        let fine = inverse().with_decimals(Decimals::MAX, Decimals::MAX);
        assert_eq!(fine.notional(Price(1), Quantity(i64::MAX)), None);
    }

    #[test]
    fn steps_must_be_above_zero() {
        assert_eq!(inverse().check(), Ok(()));
        let fault = inverse().with_steps(Price(0), Quantity(1)).check().expect_err("a tick of nothing");
        assert_eq!(fault, "has a tick size of 0; give one above zero");
    }
}
