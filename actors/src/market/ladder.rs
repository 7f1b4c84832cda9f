//! The price levels of one side of a book. Invariant: prices are unique and sorted, the best one last, in blocks of which a change moves one at most.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::decimal::Price;
use crate::event::Side;

/// How many slots lie side by side: as many as a word has bits, few enough to be moved quickly, enough that there are few blocks to look through.
const BLOCK: usize = 64;

/// How many of these are compared at once.
const ROW: usize = 8;

/// Slots for levels, with their keys in ascending order. A slot that is not taken keeps the key it had, or has the greatest there is: so most levels
/// that come back, as they do all the time near the best price, move nothing.
#[derive(Clone, Debug)]
struct Block<L> {
    keys: [i64; BLOCK],
    levels: [L; BLOCK],
    /// Which slots are taken: the lowest bit is that of the first one.
    taken: u64,
}

impl<L: Copy + Default> Block<L> {
    fn new() -> Self {
        Self { keys: [i64::MAX; BLOCK], levels: [L::default(); BLOCK], taken: 0 }
    }

    /// How many keys are below this one: whole rows of them, then those in a row. No comparison waits for another one of its kind, nor for a branch that
    /// a processor could only guess.
    #[inline(always)]
    fn rank(&self, key: i64) -> usize {
        let rows: usize = (1..BLOCK / ROW).map(|row| usize::from(self.keys[row * ROW - 1] < key)).sum();
        let row = &self.keys[rows * ROW % BLOCK..][..ROW];
        rows * ROW + row.iter().map(|other| usize::from(*other < key)).sum::<usize>()
    }

    #[inline(always)]
    fn is_taken(&self, slot: usize) -> bool {
        self.taken >> slot & 1 == 1
    }

    /// The slot of a level.
    #[inline(always)]
    fn find(&self, key: i64) -> Option<usize> {
        let slot = self.rank(key);
        (slot < BLOCK && self.keys[slot] == key && self.is_taken(slot)).then_some(slot)
    }

    /// A slot for a key that has none, the first key of this rank; `None` if all are taken. What lies between its place and the nearest slot that is
    /// not taken moves by one.
    fn make_room(&mut self, rank: usize, key: i64) -> Option<usize> {
        if rank < BLOCK && self.keys[rank] == key {
            self.taken |= 1 << rank;
            return Some(rank);
        }
        let above = if rank < BLOCK { rank + (!self.taken >> rank).trailing_zeros() as usize } else { BLOCK };
        let slot = if above < BLOCK {
            self.keys.copy_within(rank..above, rank + 1);
            self.levels.copy_within(rank..above, rank + 1);
            self.taken |= 1 << above;
            rank
        } else {
            // All from the place on are taken: the last one before it that is not.
            let below = (BLOCK - 1).checked_sub((!self.taken).leading_zeros() as usize)?;
            self.keys.copy_within(below + 1..rank, below);
            self.levels.copy_within(below + 1..rank, below);
            self.taken |= 1 << below;
            rank - 1
        };
        self.keys[slot] = key;
        Some(slot)
    }

    /// Moves the better half, of a block of which all slots are taken, to a block of its own.
    fn split(&mut self) -> Self {
        let (mut better, half) = (Self::new(), BLOCK / 2);
        better.keys[..half].copy_from_slice(&self.keys[half..]);
        better.levels[..half].copy_from_slice(&self.levels[half..]);
        better.taken = self.taken >> half;
        self.keys[half..].fill(i64::MAX);
        self.taken &= (1 << half) - 1;
        better
    }

    /// The last slot that is taken.
    #[inline(always)]
    fn last(&self) -> Option<usize> {
        (BLOCK - 1).checked_sub(self.taken.leading_zeros() as usize)
    }

    /// The first slot that is taken.
    #[inline(always)]
    fn first(&self) -> Option<usize> {
        (self.taken != 0).then(|| self.taken.trailing_zeros() as usize)
    }

    fn levels(&self) -> impl DoubleEndedIterator<Item = (i64, &L)> {
        (0..BLOCK).filter(|slot| self.is_taken(*slot)).map(|slot| (self.keys[slot], &self.levels[slot]))
    }
}

/// Price levels of one side.
#[derive(Clone, Debug)]
pub(crate) struct Ladder<L> {
    side: Side,
    /// By [`Ladder::key`], ascending. A slot of each is taken, unless it is the only block.
    blocks: Vec<Block<L>>,
    /// From which key on each block has the levels: the first one from the least key there is.
    from: Vec<i64>,
    len: usize,
    /// The block of the last change, where the next one is looked for first: an exchange tells the changes of one update sorted by price.
    near: usize,
}

/// Two are equal if they have the same levels, however these are divided.
impl<L: Copy + Default + PartialEq> PartialEq for Ladder<L> {
    fn eq(&self, other: &Self) -> bool {
        (self.side, self.len) == (other.side, other.len) && self.iter().eq(other.iter())
    }
}

impl<L: Copy + Default + Eq> Eq for Ladder<L> {}

/// As its side and its levels, the best one first.
impl<L: Copy + Default + Serialize> Serialize for Ladder<L> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.side, self.iter().collect::<Vec<_>>()).serialize(serializer)
    }
}

impl<'de, L: Copy + Default + Deserialize<'de>> Deserialize<'de> for Ladder<L> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (side, levels) = <(Side, Vec<(Price, L)>)>::deserialize(deserializer)?;
        let mut ladder = Self::new(side);
        levels.into_iter().for_each(|(price, level)| *ladder.or_default(price) = level);
        Ok(ladder)
    }
}

impl<L> Ladder<L> {
    pub(crate) const fn new(side: Side) -> Self {
        Self { side, blocks: Vec::new(), from: Vec::new(), len: 0, near: 0 }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
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
}

impl<L: Copy + Default> Ladder<L> {
    /// The block in which a key is, or would be. Most are near the best level, so the last block is looked at first.
    fn block(&self, key: i64) -> usize {
        match self.from.last() {
            Some(from) if *from > key => self.from.partition_point(|from| *from <= key) - 1,
            _ => self.from.len().saturating_sub(1),
        }
    }

    /// The block in which a key that is to be changed is, or would be, which may be none yet.
    #[inline]
    fn seek(&mut self, key: i64) -> usize {
        let is_near = match self.from.get(self.near..) {
            Some([from, next, ..]) => (*from..*next).contains(&key),
            Some([from]) => *from <= key,
            _ => false,
        };
        if !is_near {
            self.near = self.block(key);
        }
        self.near
    }

    /// The level of this price. Where there are few, as where an owner has orders, most prices that are asked for are beyond the best or the worst.
    #[inline]
    pub(crate) fn get(&self, price: Price) -> Option<&L> {
        let key = self.key(price);
        if self.best_key().is_none_or(|best| key > best) || self.worst_key().is_none_or(|worst| key < worst) {
            return None;
        }
        let block = self.blocks.get(self.block(key))?;
        block.find(key).map(|slot| &block.levels[slot])
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, price: Price) -> Option<&mut L> {
        let key = self.key(price);
        let at = self.seek(key);
        let block = self.blocks.get_mut(at)?;
        block.find(key).map(|slot| &mut block.levels[slot])
    }

    /// The level of this price, made if there is none.
    #[inline]
    pub(crate) fn or_default(&mut self, price: Price) -> &mut L {
        let key = self.key(price);
        let at = self.seek(key);
        let found = self.blocks.get(at).and_then(|block| block.find(key));
        let (at, slot) = match found {
            Some(slot) => (at, slot),
            None => self.insert(at, key),
        };
        &mut self.blocks[at].levels[slot]
    }

    /// Makes a level in the block where its key belongs, and gives where it is then.
    fn insert(&mut self, mut at: usize, key: i64) -> (usize, usize) {
        if self.blocks.is_empty() {
            self.blocks.push(Block::new());
            self.from.push(i64::MIN);
        }
        if self.blocks[at].taken == u64::MAX {
            let better = self.blocks[at].split();
            let from = better.keys[0];
            self.blocks.insert(at + 1, better);
            self.from.insert(at + 1, from);
            at += usize::from(key >= from);
        }
        let block = &mut self.blocks[at];
        let slot = block.make_room(block.rank(key), key).expect("a slot of a block that is not full");
        block.levels[slot] = L::default();
        self.len += 1;
        (at, slot)
    }

    #[inline]
    pub(crate) fn remove(&mut self, price: Price) -> Option<L> {
        let key = self.key(price);
        let at = self.seek(key);
        let block = self.blocks.get_mut(at)?;
        let slot = block.find(key)?;
        let level = block.levels[slot];
        block.taken &= !(1 << slot);
        self.len -= 1;
        if block.taken == 0 && self.len > 0 {
            self.drop_block(at);
        }
        Some(level)
    }

    /// Drops a block without levels, which is not the only one.
    #[cold]
    fn drop_block(&mut self, at: usize) {
        self.blocks.remove(at);
        self.from.remove(at);
        self.from[0] = i64::MIN;
    }

    #[inline(always)]
    fn best_key(&self) -> Option<i64> {
        let block = self.blocks.last()?;
        block.last().map(|slot| block.keys[slot])
    }

    #[inline(always)]
    fn worst_key(&self) -> Option<i64> {
        let block = self.blocks.first()?;
        block.first().map(|slot| block.keys[slot])
    }

    #[inline]
    pub(crate) fn best(&self) -> Option<(Price, &L)> {
        let block = self.blocks.last()?;
        block.last().map(|slot| (self.price(block.keys[slot]), &block.levels[slot]))
    }

    /// All levels, the best one first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Price, &L)> {
        self.blocks.iter().rev().flat_map(|block| block.levels().rev()).map(|(key, level)| (self.price(key), level))
    }

    /// Takes all levels away; a block stays to be filled again.
    pub(crate) fn clear(&mut self) {
        self.blocks.truncate(1);
        self.from.truncate(1);
        self.blocks.iter_mut().for_each(|block| block.taken = 0);
        self.len = 0;
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
        fn a_ladder_is_a_sorted_map(steps in prop::collection::vec((prop_oneof![-300i64..300, Just(i64::MIN), Just(i64::MAX)], 0..3u8), 1..900), sell in any::<bool>()) {
            let mut ladder = Ladder::new(if sell { Side::Sell } else { Side::Buy });
            let mut map = std::collections::BTreeMap::new();
            for (value, (price, insert)) in steps.into_iter().enumerate() {
                if insert > 0 {
                    *ladder.or_default(Price(price)) = value;
                    map.insert(price, value);
                } else {
                    prop_assert_eq!(ladder.remove(Price(price)), map.remove(&price));
                }
                prop_assert_eq!(ladder.get(Price(price)), map.get(&price));
                let expected: Vec<_> = if sell { map.iter().collect() } else { map.iter().rev().collect() };
                let found: Vec<_> = ladder.iter().collect();
                prop_assert!(found.iter().zip(&expected).all(|(a, b)| (a.0.0, a.1) == (*b.0, b.1)) && found.len() == expected.len());
                prop_assert_eq!((ladder.len(), ladder.best().map(|(price, value)| (price.0, value))), (map.len(), expected.first().map(|(price, value)| (**price, *value))));
                prop_assert!(ladder.blocks.iter().all(|block| block.taken != 0 || map.is_empty() && ladder.blocks.len() == 1));
                prop_assert!(ladder.blocks.iter().all(|block| block.keys.is_sorted()));
                prop_assert!(ladder.blocks.iter().zip(&ladder.from).all(|(block, from)| block.levels().all(|(key, _)| key >= *from)));
            }
        }
    }

    #[test]
    fn how_the_levels_are_divided_tells_nothing() {
        let filled = |prices: &mut dyn Iterator<Item = i64>| {
            let mut ladder = Ladder::new(Side::Buy);
            prices.for_each(|price| *ladder.or_default(Price(price)) = price);
            ladder
        };
        let (up, down) = (filled(&mut (0..500)), filled(&mut (0..500).rev()));
        assert_ne!(up.from, down.from);
        assert_eq!(up, down);
        let read: Ladder<i64> = ron::from_str(&ron::to_string(&up).expect("a text")).expect("a ladder");
        assert!(read == up && read.best() == Some((Price(499), &499)));
        let mut other = down.clone();
        other.remove(Price(499));
        assert_ne!(up, other);
        other.clear();
        assert!(other.len() == 0 && other.best().is_none() && other.get(Price(3)).is_none() && other == Ladder::new(Side::Buy));
        *other.or_default(Price(7)) = 7;
        assert_eq!(other.best(), Some((Price(7), &7)));
    }

    #[test]
    fn better_is_higher_for_bids_and_lower_for_asks() {
        let mut asks = Ladder::new(Side::Sell);
        for price in [i64::MAX, 3, i64::MIN, 5] {
            asks.or_default(Price(price));
        }
        assert_eq!(asks.best().map(|(price, ())| price), Some(Price(i64::MIN)));
        assert_eq!(asks.iter().map(|(price, ())| price.0).collect::<Vec<_>>(), [i64::MIN, 3, 5, i64::MAX]);
        assert!(Side::Buy.accepts(Price(5), Price(5)) && !Side::Buy.accepts(Price(5), Price(6)) && Side::Sell.accepts(Price(5), Price(6)));
    }
}
