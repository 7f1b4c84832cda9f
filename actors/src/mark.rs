//! The price at which what is held is valued. Invariant: a price that tells less of what something is worth never replaces one that tells more.

use serde::{Deserialize, Serialize};

use crate::decimal::{Price, Quantity};
use crate::event::{Quote, Trade};
use crate::instrument::{ContractKind, Instrument, rounded_quotient};
use crate::position::Money;

/// Where a price is from; of two the later is preferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum MarkOf {
    /// A fill of one's own.
    Fill,
    /// The close of a bar.
    Bar,
    /// A trade of others.
    Trade,
    /// The mid of a quote.
    Quote,
}

/// The price at which an open position is valued: the last mid, else the last trade, the close of the last bar, or the price of the last fill.
///
/// The mid lies between what buying and what selling costs, so that a position is worth the same long and short, and opening one at the mid
/// neither gains nor loses. Summaries of strategies and reports of runs value by it; margin is held against prices at which positions close.
///
/// ```
/// use stillpoint_actors::{Instrument, InstrumentId, Mark, MarkOf, Money, Price, Quantity, Quote};
/// let mut mark = None;
/// Mark::set(&mut mark, MarkOf::Trade, 2 * 99);
/// let quote = Quote { bid: Price(100), bid_quantity: Quantity(1), ask: Price(103), ask_quantity: Quantity(1), ..Quote::default() };
/// Mark::quoted(&mut mark, &quote);
/// // A trade says less than a mid, and an empty side nothing.
/// Mark::set(&mut mark, MarkOf::Trade, 2 * 90);
/// Mark::quoted(&mut mark, &Quote { ask_quantity: Quantity(0), ..quote });
/// let mark = mark.expect("it has heard a price");
/// assert_eq!((mark.of(), mark.twice()), (MarkOf::Quote, 203));
/// let whole = stillpoint_actors::Decimals::new(0).expect("at most 18");
/// let instrument = Instrument::new(InstrumentId(0), "X").with_decimals(whole, whole);
/// // 3 at 101.5, for which 300 were paid.
/// assert_eq!(mark.value(&instrument, Quantity(3), Money(-300)), 4.5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mark {
    of: MarkOf,
    twice: i128,
}

impl Mark {
    /// Takes a price, of which `twice` is given in units of the last decimal, so that a mid has no half. Whether it was taken.
    #[inline]
    pub fn set(mark: &mut Option<Self>, of: MarkOf, twice: i128) -> bool {
        let is_better = mark.is_none_or(|known| known.of <= of);
        if is_better {
            *mark = Some(Self { of, twice });
        }
        is_better
    }

    /// Takes the mid of a quote that has both sides.
    #[inline]
    pub fn quoted(mark: &mut Option<Self>, quote: &Quote) {
        if quote.bid_quantity.0 > 0 && quote.ask_quantity.0 > 0 {
            *mark = Some(Self { of: MarkOf::Quote, twice: i128::from(quote.bid.0) + i128::from(quote.ask.0) });
        }
    }

    /// Takes the price of a trade of others.
    #[inline]
    pub fn traded(mark: &mut Option<Self>, trade: &Trade) {
        Self::at(mark, MarkOf::Trade, trade.price);
    }

    /// Takes a price.
    #[inline]
    pub fn at(mark: &mut Option<Self>, of: MarkOf, price: Price) {
        Self::set(mark, of, 2 * i128::from(price.0));
    }

    /// Where it is from.
    pub const fn of(&self) -> MarkOf {
        self.of
    }

    /// Twice the price, in units of the last decimal.
    pub const fn twice(&self) -> i128 {
        self.twice
    }

    /// The price, as a float.
    pub fn to_f64(&self, instrument: &Instrument) -> f64 {
        self.twice as f64 / (2 * i128::from(instrument.price_decimals.one())) as f64
    }

    /// [`value`](Self::value) at a price that may not be known: without one, what is held counts nothing.
    pub(crate) fn value_or_cash(mark: Option<Self>, instrument: &Instrument, held: Quantity, cash: Money) -> f64 {
        mark.map_or_else(|| cash.to_f64(instrument), |mark| mark.value(instrument, held, cash))
    }

    /// What `held` is worth at this price and `cash` besides, as a float of the instrument's money: the quote currency, or the base currency of an
    /// inverse contract. With what a position cost taken off as cash it is what is unrealised.
    pub fn value(&self, instrument: &Instrument, held: Quantity, cash: Money) -> f64 {
        let contracts = i128::from(held.0) * i128::from(instrument.multiplier);
        match instrument.contract {
            ContractKind::Linear => {
                let twice = contracts.saturating_mul(self.twice).saturating_add(cash.0.saturating_mul(2));
                Money(twice).to_f64(instrument) / 2.0
            }
            // At a price that is not above zero it has no value.
            ContractKind::Inverse if self.twice <= 0 => cash.to_f64(instrument),
            ContractKind::Inverse => {
                let owed = rounded_quotient(contracts.saturating_mul(2 * instrument.inverse_unit()), self.twice);
                Money(cash.0.saturating_sub(owed)).to_f64(instrument)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decimal::Decimals;
    use crate::instrument::InstrumentId;

    #[test]
    fn what_tells_more_is_preferred_and_what_tells_as_much_replaces() {
        let mut mark = None;
        let mut told = |of, price| {
            Mark::at(&mut mark, of, Price(price));
            mark.map(|mark: Mark| (mark.of(), mark.twice()))
        };
        assert_eq!(told(MarkOf::Fill, 5), Some((MarkOf::Fill, 10)));
        assert_eq!(told(MarkOf::Bar, 6), Some((MarkOf::Bar, 12)));
        assert_eq!(told(MarkOf::Fill, 7), Some((MarkOf::Bar, 12)));
        assert_eq!(told(MarkOf::Trade, 8), Some((MarkOf::Trade, 16)));
        assert_eq!(told(MarkOf::Trade, 9), Some((MarkOf::Trade, 18)));
        assert_eq!(told(MarkOf::Bar, 4), Some((MarkOf::Trade, 18)));
    }

    /// 8 contracts of 10 dollars at 40.0 are 2 coins owed; bought at 32.0 they were 2.5.
    #[test]
    fn an_inverse_contract_is_valued_in_its_coin() {
        let decimals = |count| Decimals::new(count).expect("at most 18");
        let inverse =
            Instrument::new(InstrumentId(0), "X").with_decimals(decimals(1), decimals(3)).with_contract(ContractKind::Inverse, 10);
        let mark = Mark { of: MarkOf::Trade, twice: 800 };
        assert_eq!(mark.value(&inverse, Quantity(8_000), Money(25_000_000_000_000_000)), 0.5);
        assert_eq!(mark.value(&inverse, Quantity(-8_000), Money(-25_000_000_000_000_000)), -0.5);
        assert_eq!(mark.value(&inverse, Quantity(0), Money(25_000_000_000_000_000)), 2.5);
        let known = |mark| Mark::value_or_cash(mark, &inverse, Quantity(8_000), Money(25_000_000_000_000_000));
        assert_eq!((known(Some(mark)), known(None)), (0.5, 2.5));
    }
}
