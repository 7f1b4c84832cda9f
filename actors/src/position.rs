//! A position and its profit at average cost. Invariant: what is realised plus what is still invested is, to the last digit, the money that
//! the fills moved.

use std::convert::Infallible;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::decimal::{Price, Quantity, write_decimal};
use crate::event::Side;
use crate::instrument::Instrument;

/// An amount of the currency in which an instrument is settled, in units of 10^-[`money_decimals`](Instrument::money_decimals). Of a linear
/// contract it is a price times a quantity, exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Money(pub i128);

impl Money {
    /// What `quantity` costs at `price`.
    pub const fn of(price: Price, quantity: Quantity) -> Self {
        Self(price.0 as i128 * quantity.0 as i128)
    }

    /// The amount as people write it, with all its decimals.
    pub fn display(self, instrument: &Instrument) -> impl fmt::Display {
        let decimals = instrument.money_decimals();
        fmt::from_fn(move |f| write_decimal(f, self.0, decimals))
    }

    /// The amount as a float, for reports: rounded once for each conversion and once for the division.
    pub fn to_f64(self, instrument: &Instrument) -> f64 {
        self.0 as f64 / 10i128.pow(instrument.money_decimals()) as f64
    }
}

/// A position in one instrument, kept by average cost.
///
/// A fill in the direction of the position adds its money to the cost. A fill against it realises `money - cost * closed / position` for
/// the part it closes; that share of the cost is rounded toward zero to [`Money`]'s unit, and the rest stays in the cost, so that nothing is
/// lost: once the position is flat the realised profit is exactly the money received less the money paid. What is left of a fill that
/// closes the position opens a new one.
///
/// ```
/// use stillpoint_actors::{Money, Position, Price, Quantity, Side};
/// let mut position = Position::default();
/// position.fill(Side::Buy, Quantity(2), Price(100));
/// position.fill(Side::Sell, Quantity(1), Price(130));
/// assert_eq!((position.quantity(), position.realised()), (1, Money(30)));
/// assert_eq!(position.unrealised(Price(90)), Money(-10));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Position {
    quantity: i64,
    cost: i128,
    realised: i128,
}

impl Position {
    /// How much is held: positive long, negative short, in units of the instrument's last decimal.
    pub const fn quantity(&self) -> i64 {
        self.quantity
    }

    /// What the open position cost: negative for a short one, which brought money in.
    pub const fn cost(&self) -> Money {
        Money(self.cost)
    }

    /// The profit of what has been closed.
    pub const fn realised(&self) -> Money {
        Money(self.realised)
    }

    /// The profit that closing everything at `price` would add.
    pub const fn unrealised(&self, price: Price) -> Money {
        Money(price.0 as i128 * self.quantity as i128 - self.cost)
    }

    /// Books a fill.
    ///
    /// # Panics
    /// If `quantity` is not positive, or the position leaves 64 bits.
    pub fn fill(&mut self, side: Side, quantity: Quantity, price: Price) {
        assert!(quantity.0 > 0, "a fill of {} units: a fill has a positive quantity", quantity.0);
        let money = |quantity: i64| Ok::<_, Infallible>(i128::from(price.0) * i128::from(quantity));
        let Ok(after) = self.after(side.sign() * quantity.0, money);
        *self = after.expect("a position fits 64 bits");
    }

    /// Books a fill of an instrument, by what its contract is [worth](Instrument::worth); `false`, and nothing is booked, if the quantity is not
    /// above zero or the money or the position is more than can be counted.
    pub fn book(&mut self, instrument: &Instrument, side: Side, quantity: Quantity, price: Price) -> bool {
        let money = |quantity: i64| instrument.worth(price, Quantity(quantity)).map(|worth| worth.0).ok_or(());
        let after = if quantity.0 > 0 { self.after(side.sign() * quantity.0, money) } else { Err(()) };
        let Ok(Some(position)) = after else { return false };
        *self = position;
        true
    }

    /// How much of a fill of `signed` units (negative for a sale) is against the position.
    pub(crate) fn closing(&self, signed: i64) -> i64 {
        if self.quantity.signum() == -signed.signum() { signed.abs().min(self.quantity.abs()) } else { 0 }
    }

    /// The position after a fill of `signed` units, `money` saying what a quantity is worth at the fill's price; `None` if the quantity leaves
    /// 64 bits.
    pub(crate) fn after<E>(mut self, signed: i64, money: impl Fn(i64) -> Result<i128, E>) -> Result<Option<Self>, E> {
        let closing = self.closing(signed);
        if closing > 0 {
            let closed = closing * self.quantity.signum();
            let share = share(self.cost, closing, self.quantity.abs());
            self.realised += money(closed)? - share;
            self.cost -= share;
            self.quantity -= closed;
        }
        let opening = signed - closing * signed.signum();
        self.cost += money(opening)?;
        let quantity = self.quantity.checked_add(opening).filter(|quantity| *quantity != i64::MIN);
        Ok(quantity.map(|quantity| Self { quantity, ..self }))
    }
}

/// `amount * part / whole` toward zero, in two steps that cannot overflow for a part of the whole: what one unit has, then what that leaves.
pub(crate) fn share(amount: i128, part: i64, whole: i64) -> i128 {
    let (whole, part) = (i128::from(whole), i128::from(part));
    amount / whole * part + amount % whole * part / whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use Side::{Buy, Sell};

    /// (side, quantity, price) -> (quantity, cost, realised), each worked out by hand.
    #[test]
    fn profit_by_average_cost() {
        let mut position = Position::default();
        for (side, quantity, price, expected) in [
            (Buy, 10, 100, (10, 1000, 0)),
            (Buy, 5, 130, (15, 1650, 0)),
            // Average 110: closes 6 of 15, realises 6 * (120 - 110).
            (Sell, 6, 120, (9, 990, 60)),
            // Closes 9 at a loss of 10 each and opens a short of 11 at 100.
            (Sell, 20, 100, (-11, -1100, -30)),
            (Sell, 1, 88, (-12, -1188, -30)),
            // Average 99: buys back 4 at 90, realises 4 * 9.
            (Buy, 4, 90, (-8, -792, 6)),
            (Buy, 8, 99, (0, 0, 6)),
        ] {
            position.fill(side, Quantity(quantity), Price(price));
            assert_eq!((position.quantity, position.cost, position.realised), expected, "after {side:?} {quantity} at {price}");
        }
    }

    #[test]
    fn a_share_of_the_cost_is_rounded_toward_zero_and_nothing_is_lost() {
        for sign in [1, -1] {
            let (open, close) = if sign > 0 { (Buy, Sell) } else { (Sell, Buy) };
            let mut position = Position::default();
            position.fill(open, Quantity(2), Price(10));
            position.fill(open, Quantity(1), Price(11));
            // Cost 31 over 3 units: a third is 10.33, taken as 10; then half of 21 is 10.5, taken as 10; then all of 11.
            for (cost, realised) in [(21, 0), (11, 0), (0, -1)] {
                position.fill(close, Quantity(1), Price(10));
                assert_eq!((position.cost, position.realised), (sign * cost, sign * realised));
            }
        }
    }

    #[test]
    fn a_share_is_rounded_once() {
        let mut position = Position::default();
        position.fill(Buy, Quantity(3), Price(10));
        position.cost += 2;
        // Cost 32 over 3 units: two thirds are 21.33, taken as 21, not as twice the 10 that one third would be.
        position.fill(Sell, Quantity(2), Price(10));
        assert_eq!((position.cost, position.realised), (11, -1));
    }

    #[test]
    fn large_numbers_do_not_overflow() {
        let mut position = Position::default();
        position.fill(Buy, Quantity(i64::MAX), Price(i64::MAX));
        position.fill(Sell, Quantity(i64::MAX - 1), Price(i64::MAX));
        assert_eq!((position.quantity, position.cost, position.realised), (1, i128::from(i64::MAX), 0));
        assert_eq!(position.unrealised(Price(0)), Money(-i128::from(i64::MAX)));
    }

    #[test]
    fn money_prints_with_the_decimals_of_both() {
        let decimals = |count| crate::Decimals::new(count).expect("at most 18");
        let instrument = Instrument::new(crate::InstrumentId(0), "BTCUSDT").with_decimals(decimals(2), decimals(5));
        let money = Money::of(Price(8_723_201), Quantity(-12));
        assert_eq!(money.display(&instrument).to_string(), "-10.4678412");
        assert_eq!(money.to_f64(&instrument), -10.4678412);
    }
}
