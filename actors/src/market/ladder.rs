//! The price levels of one side of a book. Invariant: prices are unique and sorted, the best one last, in blocks of which a change moves one at most.

use serde::{Deserialize, Serialize};

use crate::decimal::Price;
use crate::event::Side;

/// How many levels lie side by side: few enough to be moved quickly, enough that there are few blocks to look through.
const BLOCK: usize = 64;

/// Price levels of one side.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ladder<L> {
    side: Side,
    /// By [`Ladder::key`], ascending, in blocks of at most [`BLOCK`]. None of them is empty unless it is the only one.
    blocks: Vec<Vec<(i64, L)>>,
    /// The least key of each block.
    firsts: Vec<i64>,
    len: usize,
}

/// Two are equal if they have the same levels, however these are divided.
impl<L: PartialEq> PartialEq for Ladder<L> {
    fn eq(&self, other: &Self) -> bool {
        (self.side, self.len) == (other.side, other.len) && self.blocks.iter().flatten().eq(other.blocks.iter().flatten())
    }
}

impl<L: Eq> Eq for Ladder<L> {}

impl<L> Ladder<L> {
    pub(crate) const fn new(side: Side) -> Self {
        Self { side, blocks: Vec::new(), firsts: Vec::new(), len: 0 }
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

    /// The block in which a key is, or would be. Most changes are near the best level, so the last block is looked at first.
    fn block(&self, key: i64) -> usize {
        match self.firsts.last() {
            Some(first) if *first > key => self.firsts.partition_point(|first| *first <= key).saturating_sub(1),
            _ => self.firsts.len().saturating_sub(1),
        }
    }

    /// Where a key is, or would be: its block, and its place there.
    fn find(&self, key: i64) -> (usize, Result<usize, usize>) {
        let block = self.block(key);
        let place = self.blocks.get(block).map_or(Err(0), |levels| levels.binary_search_by_key(&key, |level| level.0));
        (block, place)
    }

    pub(crate) fn get(&self, price: Price) -> Option<&L> {
        let (block, place) = self.find(self.key(price));
        place.ok().map(|at| &self.blocks[block][at].1)
    }

    pub(crate) fn get_mut(&mut self, price: Price) -> Option<&mut L> {
        let (block, place) = self.find(self.key(price));
        place.ok().map(|at| &mut self.blocks[block][at].1)
    }

    /// The level of this price, made if there is none.
    pub(crate) fn or_insert_with(&mut self, price: Price, level: impl FnOnce() -> L) -> &mut L {
        let key = self.key(price);
        let (block, at) = match self.find(key) {
            (block, Ok(at)) => (block, at),
            (block, Err(at)) => self.insert((block, at), (key, level())),
        };
        &mut self.blocks[block][at].1
    }

    /// Puts a level where its key belongs, and gives where it is then.
    fn insert(&mut self, (mut block, mut at): (usize, usize), level: (i64, L)) -> (usize, usize) {
        if self.blocks.is_empty() {
            self.blocks.push(Vec::with_capacity(BLOCK));
            self.firsts.push(level.0);
        } else if self.blocks[block].len() == BLOCK {
            // The better half goes on growing at its end.
            let mut better = Vec::with_capacity(BLOCK);
            better.extend(self.blocks[block].drain(BLOCK / 2..));
            self.firsts.insert(block + 1, better[0].0);
            self.blocks.insert(block + 1, better);
            if at > BLOCK / 2 {
                (block, at) = (block + 1, at - BLOCK / 2);
            }
        }
        if at == 0 {
            self.firsts[block] = level.0;
        }
        self.blocks[block].insert(at, level);
        self.len += 1;
        (block, at)
    }

    pub(crate) fn remove(&mut self, price: Price) -> Option<L> {
        let (block, Ok(at)) = self.find(self.key(price)) else { return None };
        let levels = &mut self.blocks[block];
        let (_, level) = levels.remove(at);
        self.len -= 1;
        match levels.first() {
            Some(first) => self.firsts[block] = first.0,
            None if self.len > 0 => {
                self.blocks.remove(block);
                self.firsts.remove(block);
            }
            None => {}
        }
        Some(level)
    }

    pub(crate) fn best(&self) -> Option<(Price, &L)> {
        self.blocks.last()?.last().map(|(key, level)| (self.price(*key), level))
    }

    /// All levels, the best one first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Price, &L)> {
        self.blocks.iter().rev().flat_map(|levels| levels.iter().rev()).map(|(key, level)| (self.price(*key), level))
    }

    /// Takes all levels away; a block stays to be filled again.
    pub(crate) fn clear(&mut self) {
        self.blocks.truncate(1);
        self.firsts.truncate(1);
        self.blocks.iter_mut().for_each(Vec::clear);
        self.len = 0;
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
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
        fn a_ladder_is_a_sorted_map(steps in prop::collection::vec((-300i64..300, 0..3u8), 1..900), sell in any::<bool>()) {
            let mut ladder = Ladder::new(if sell { Side::Sell } else { Side::Buy });
            let mut map = std::collections::BTreeMap::new();
            for (value, (price, insert)) in steps.into_iter().enumerate() {
                if insert > 0 {
                    *ladder.or_insert_with(Price(price), || 0) = value;
                    map.insert(price, value);
                } else {
                    prop_assert_eq!(ladder.remove(Price(price)), map.remove(&price));
                }
                prop_assert_eq!(ladder.get(Price(price)), map.get(&price));
                let expected: Vec<_> = if sell { map.iter().collect() } else { map.iter().rev().collect() };
                let found: Vec<_> = ladder.iter().collect();
                prop_assert!(found.iter().zip(&expected).all(|(a, b)| (a.0.0, a.1) == (*b.0, b.1)) && found.len() == expected.len());
                prop_assert_eq!((ladder.len(), ladder.best().map(|(price, value)| (price.0, value))), (map.len(), expected.first().map(|(price, value)| (**price, *value))));
                prop_assert!(ladder.blocks.iter().all(|block| (1..=BLOCK).contains(&block.len()) || map.is_empty()));
                prop_assert!(map.is_empty() || ladder.blocks.iter().zip(&ladder.firsts).all(|(block, first)| block[0].0 == *first));
            }
        }
    }

    #[test]
    fn how_the_levels_are_divided_tells_nothing() {
        let filled = |prices: &mut dyn Iterator<Item = i64>| {
            let mut ladder = Ladder::new(Side::Buy);
            prices.for_each(|price| *ladder.or_insert_with(Price(price), || 0) = price);
            ladder
        };
        let (up, down) = (filled(&mut (0..500)), filled(&mut (0..500).rev()));
        assert_ne!(up.firsts, down.firsts);
        assert_eq!(up, down);
        let mut other = down.clone();
        other.remove(Price(499));
        assert_ne!(up, other);
        other.clear();
        assert!(other.len() == 0 && other.best().is_none() && other.get(Price(3)).is_none() && other == Ladder::new(Side::Buy));
        *other.or_insert_with(Price(7), || 0) = 7;
        assert_eq!(other.best(), Some((Price(7), &7)));
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
