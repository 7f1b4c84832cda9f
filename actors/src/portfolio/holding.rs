//! A position with what it is worth and what stands behind it.

use serde::{Deserialize, Serialize};

use super::contract::Scaled;
use super::currency::Parts;
use super::error::PortfolioError;
use super::figures::Figures;
use super::margin::MarginMode;
use crate::decimal::Price;
use crate::instrument::ContractKind;
use crate::position::{Position, share};

/// A position of a portfolio. Amounts are in units of the settlement currency's last decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Holding {
    pub(super) position: Position,
    pub(super) price: Price,
    pub(super) value: i128,
    pub(super) isolated: i128,
}

impl Holding {
    /// Nothing, at this price.
    pub(super) fn nothing(price: Price) -> Self {
        Self { position: Position::default(), price, value: 0, isolated: 0 }
    }

    /// How much is held: positive long, negative short.
    pub const fn quantity(&self) -> i64 {
        self.position.quantity()
    }

    /// What it cost.
    pub const fn cost(&self) -> i128 {
        self.position.cost().0
    }

    /// What it is worth at its last price.
    pub const fn value(&self) -> i128 {
        self.value
    }

    /// The price at which it is valued: the last one heard, or that of the last fill if that came later.
    pub const fn price(&self) -> Price {
        self.price
    }

    /// The profit of what has been closed.
    pub const fn realised(&self) -> i128 {
        self.position.realised().0
    }

    /// The profit that closing it at the last price would add.
    pub const fn unrealised(&self) -> i128 {
        self.value - self.cost()
    }

    /// What is set aside for it if its margin is isolated.
    pub const fn isolated(&self) -> i128 {
        self.isolated
    }

    /// The same at another price.
    pub(super) fn marked(self, scaled: &Scaled, price: Price) -> Result<Self, PortfolioError> {
        Ok(Self { price, value: scaled.value(self.quantity(), price)?, ..self })
    }

    /// After a fill of `signed` units. What is set aside is released with the part that is closed, and grows with the part that is opened.
    pub(super) fn filled(self, scaled: &Scaled, signed: i64, price: Price) -> Result<Self, PortfolioError> {
        let money = |quantity| scaled.value(quantity, price);
        let closing = self.position.closing(signed);
        let mut isolated = self.isolated;
        if closing > 0 {
            isolated -= share(isolated, closing, self.quantity().abs());
        }
        if let Some(margin) = scaled.contract.margin.filter(|margin| margin.mode == MarginMode::Isolated) {
            isolated += margin.initial.of_up(money(signed - closing * signed.signum())?.abs());
        }
        let position = self.position.after(signed, money)?.ok_or(PortfolioError::TooLarge)?;
        Self { position, isolated, ..self }.marked(scaled, price)
    }

    /// What it adds to the figures of its currency.
    pub(super) fn figures(&self, scaled: &Scaled) -> Figures {
        let part = |mode, rate: Parts| if scaled.contract.mode() == Some(mode) { rate.of_up(self.value.abs()) } else { 0 };
        let (initial, maintenance) = scaled.contract.margin.map_or((Parts(0), Parts(0)), |margin| (margin.initial, margin.maintenance));
        Figures {
            realised: self.realised(),
            cost: self.cost(),
            value: self.value,
            isolated: self.isolated,
            isolated_gain: if scaled.contract.mode() == Some(MarginMode::Isolated) { self.unrealised() } else { 0 },
            initial: part(MarginMode::Cross, initial),
            maintenance: part(MarginMode::Cross, maintenance),
            outright: if scaled.contract.margin.is_none() { self.value.abs() } else { 0 },
            ..Figures::default()
        }
    }

    /// Whether what stands behind it, `backing` and what it gains at `price`, does not exceed its maintenance margin there.
    ///
    /// A value too large to count with is a loss without end for what owes it, and a gain for what owns it.
    pub(super) fn falls(&self, scaled: &Scaled, backing: i128, price: Price) -> bool {
        let Some(margin) = scaled.contract.margin.filter(|_| self.quantity() != 0) else { return false };
        let owes = (self.quantity() < 0) == (scaled.contract.kind == ContractKind::Linear);
        match scaled.value(self.quantity(), price) {
            Ok(value) => backing + value - self.cost() <= margin.maintenance.of_up(value.abs()),
            Err(_) => owes,
        }
    }

    /// The first price on the way into loss at which it [falls](Self::falls): the highest for a long one, the lowest for a short one. `None`
    /// if there is none above zero. Whether it falls changes once along all prices, so that halving finds the place.
    pub(super) fn liquidation_price(&self, scaled: &Scaled, backing: i128) -> Option<Price> {
        let long = self.quantity() > 0;
        let falls = |price: i64| self.falls(scaled, backing, Price(price));
        let (mut safe, mut fallen) = if long { (i64::MAX, 1) } else { (1, i64::MAX) };
        if !falls(fallen) {
            return None;
        }
        if falls(safe) {
            return Some(Price(safe));
        }
        while safe.abs_diff(fallen) > 1 {
            let middle = safe.min(fallen) + (safe.abs_diff(fallen) / 2) as i64;
            if falls(middle) { fallen = middle } else { safe = middle }
        }
        Some(Price(fallen))
    }
}
