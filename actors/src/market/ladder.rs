//! The price levels of one side of a book. Invariant: prices are unique and sorted, the best one last, so that what changes most moves least.

use serde::{Deserialize, Serialize};

use crate::decimal::Price;
use crate::event::Side;

/// Price levels of one side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ladder<L> {
    side: Side,
    /// By [`Ladder::key`], ascending.
    levels: Vec<(i64, L)>,
}

impl<L> Ladder<L> {
    pub(crate) const fn new(side: Side) -> Self {
        Self { side, levels: Vec::new() }
    }

    /// A number that is greater for a better price: the price itself, or its bitwise complement, which reverses the order and cannot overflow.
    const fn key(&self, price: Price) -> i64 {
        match self.side {
            Side::Buy => price.0,
            Side::Sell => !price.0,
        }
    }

    const fn price(&self, key: i64) -> Price {
        match self.side {
            Side::Buy => Price(key),
            Side::Sell => Price(!key),
        }
    }

    /// Where a key is, or would be: a few steps from the best level on, since most changes are near it, then by halves.
    fn find(&self, key: i64) -> Result<usize, usize> {
        let mut step = 4;
        let mut low = self.levels.len();
        while low > 0 && self.levels[low - 1].0 >= key {
            low = low.saturating_sub(step);
            step *= 4;
        }
        let found = self.levels[low..].binary_search_by_key(&key, |level| level.0);
        found.map(|at| at + low).map_err(|at| at + low)
    }

    pub(crate) fn get(&self, price: Price) -> Option<&L> {
        self.find(self.key(price)).ok().map(|at| &self.levels[at].1)
    }

    pub(crate) fn get_mut(&mut self, price: Price) -> Option<&mut L> {
        self.find(self.key(price)).ok().map(|at| &mut self.levels[at].1)
    }

    /// The level of this price, made if there is none.
    pub(crate) fn or_insert_with(&mut self, price: Price, level: impl FnOnce() -> L) -> &mut L {
        let key = self.key(price);
        let at = self.find(key).unwrap_or_else(|at| {
            self.levels.insert(at, (key, level()));
            at
        });
        &mut self.levels[at].1
    }

    pub(crate) fn remove(&mut self, price: Price) -> Option<L> {
        self.find(self.key(price)).ok().map(|at| self.levels.remove(at).1)
    }

    pub(crate) fn best(&self) -> Option<(Price, &L)> {
        self.levels.last().map(|(key, level)| (self.price(*key), level))
    }

    /// All levels, the best one first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Price, &L)> {
        self.levels.iter().rev().map(|(key, level)| (self.price(*key), level))
    }

    pub(crate) fn clear(&mut self) {
        self.levels.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.levels.len()
    }
}

impl Side {
    /// Whether `price` is better than `other` for an order of this side that rests: higher for a buy, lower for a sale.
    pub const fn is_better(self, price: Price, other: Price) -> bool {
        match self {
            Self::Buy => price.0 > other.0,
            Self::Sell => price.0 < other.0,
        }
    }

    /// Whether an order of this side with this limit may trade at `price`.
    pub const fn accepts(self, limit: Price, price: Price) -> bool {
        !self.is_better(price, limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A sorted map is the oracle.
        #[test]
        fn a_ladder_is_a_sorted_map(steps in prop::collection::vec((-300i64..300, any::<bool>()), 1..600), sell in any::<bool>()) {
            let mut ladder = Ladder::new(if sell { Side::Sell } else { Side::Buy });
            let mut map = std::collections::BTreeMap::new();
            for (value, (price, insert)) in steps.into_iter().enumerate() {
                if insert {
                    *ladder.or_insert_with(Price(price), || 0) = value;
                    map.insert(price, value);
                } else {
                    prop_assert_eq!(ladder.remove(Price(price)), map.remove(&price));
                }
                prop_assert_eq!(ladder.get(Price(price)), map.get(&price));
                let expected: Vec<_> = if sell { map.iter().collect() } else { map.iter().rev().collect() };
                let found: Vec<_> = ladder.iter().collect();
                prop_assert!(found.iter().zip(&expected).all(|(a, b)| (a.0.0, a.1) == (*b.0, b.1)) && found.len() == expected.len());
            }
        }
    }

    #[test]
    fn better_is_higher_for_bids_and_lower_for_asks() {
        let mut asks = Ladder::new(Side::Sell);
        for price in [i64::MAX, 3, i64::MIN, 5] {
            asks.or_insert_with(Price(price), || ());
        }
        assert_eq!(asks.best().map(|(price, ())| price), Some(Price(i64::MIN)));
        assert_eq!(asks.iter().map(|(price, ())| price.0).collect::<Vec<_>>(), [i64::MIN, 3, 5, i64::MAX]);
        assert!(Side::Buy.accepts(Price(5), Price(5)) && !Side::Buy.accepts(Price(5), Price(6)) && Side::Sell.accepts(Price(5), Price(6)));
    }
}
