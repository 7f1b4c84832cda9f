//! Currencies, and fractions as whole numbers.

use serde::{Deserialize, Serialize};

use crate::decimal::{DecimalError, Decimals, parse_decimal};

/// The number of a currency within a portfolio.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CurrencyId(pub u16);

/// A currency: what people call it, and the decimals of its amounts. An amount is an `i128` in units of the last decimal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Currency {
    /// Such as `USD` or `BTC`.
    pub code: String,
    /// Decimals of its amounts: for a linear contract at least those of price, quantity and multiplier together, so that a price times a
    /// quantity is exact.
    pub decimals: Decimals,
}

/// A fraction in billionths: a margin rate, a funding rate.
///
/// ```
/// use stillpoint_actors::portfolio::Parts;
/// assert_eq!(Parts::parse("0.005"), Ok(Parts(5_000_000)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Parts(pub i64);

impl Parts {
    /// The whole: 1.
    pub const WHOLE: Self = Self(1_000_000_000);

    /// Reads a fraction such as `0.005` exactly.
    ///
    /// # Errors
    /// [`DecimalError`] if the text is no finite number, is finer than a billionth, or does not fit.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        const NINE: Decimals = Decimals::new(9).unwrap();
        parse_decimal(text.as_bytes(), NINE).map(Self)
    }

    /// This part of an amount, toward zero. The amount is one that a contract gives, so that nothing overflows.
    pub(super) const fn of(self, amount: i128) -> i128 {
        let whole = Self::WHOLE.0 as i128;
        amount / whole * self.0 as i128 + amount % whole * self.0 as i128 / whole
    }

    /// This part of an amount that is not negative, rounded up.
    pub(super) const fn of_up(self, amount: i128) -> i128 {
        let down = self.of(amount);
        let whole = Self::WHOLE.0 as i128;
        if (amount % whole * self.0 as i128) % whole > 0 { down + 1 } else { down }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_amounts() {
        let third = Parts(333_333_333);
        assert_eq!((third.of(10), third.of(-10), third.of_up(10), third.of_up(0)), (3, -3, 4, 0));
        assert_eq!((Parts::WHOLE.of(7), Parts::WHOLE.of_up(7), Parts(0).of_up(7)), (7, 7, 0));
        let huge = 10i128.pow(34);
        assert_eq!((third.of(huge), Parts(500_000_000).of_up(huge + 1)), (333_333_333 * 10i128.pow(25), huge / 2 + 1));
    }
}
