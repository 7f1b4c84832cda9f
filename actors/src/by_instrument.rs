//! What is kept for each instrument. Invariant: sorted by number, each number once. Instruments are mostly numbered from 0 on, so the place is mostly
//! the number: finding one costs the same for ten and for ten thousand.

use serde::{Deserialize, Serialize, Serializer};

use crate::instrument::InstrumentId;

/// Where an instrument is among items that are sorted by number, or would be.
#[inline]
pub(crate) fn find<T>(items: &[T], instrument: InstrumentId, number: impl Fn(&T) -> InstrumentId) -> Result<usize, usize> {
    let guess = instrument.0 as usize;
    if items.get(guess).is_some_and(|item| number(item) == instrument) {
        return Ok(guess);
    }
    items.binary_search_by_key(&instrument, number)
}

/// A value for each instrument.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Vec<(InstrumentId, T)>")]
pub(crate) struct ByInstrument<T>(Vec<(InstrumentId, T)>);

impl<T: Serialize> Serialize for ByInstrument<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<T> Default for ByInstrument<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> From<Vec<(InstrumentId, T)>> for ByInstrument<T> {
    fn from(items: Vec<(InstrumentId, T)>) -> Self {
        items.into_iter().collect()
    }
}

/// Of two values of one instrument the later counts.
impl<T> FromIterator<(InstrumentId, T)> for ByInstrument<T> {
    fn from_iter<I: IntoIterator<Item = (InstrumentId, T)>>(items: I) -> Self {
        let mut all = Self::default();
        items.into_iter().for_each(|(instrument, value)| _ = all.insert(instrument, value));
        all
    }
}

impl<T> ByInstrument<T> {
    #[inline]
    fn find(&self, instrument: InstrumentId) -> Result<usize, usize> {
        find(&self.0, instrument, |(number, _)| *number)
    }

    #[cfg(any(feature = "exchange", test))]
    #[inline]
    pub(crate) fn get(&self, instrument: InstrumentId) -> Option<&T> {
        self.find(instrument).ok().map(|at| &self.0[at].1)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, instrument: InstrumentId) -> Option<&mut T> {
        self.find(instrument).ok().map(|at| &mut self.0[at].1)
    }

    /// Sets a value, and gives the one before.
    #[inline]
    pub(crate) fn insert(&mut self, instrument: InstrumentId, value: T) -> Option<T> {
        match self.find(instrument) {
            Ok(at) => Some(std::mem::replace(&mut self.0[at].1, value)),
            Err(at) => {
                self.0.insert(at, (instrument, value));
                None
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (InstrumentId, &T)> {
        self.0.iter().map(|(instrument, value)| (*instrument, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// A sorted map is the oracle, for numbers from 0 on and for others.
    #[test]
    fn it_is_a_sorted_map() {
        for numbers in [vec![0, 1, 2, 3], vec![3, 1, 0, 2, 1], vec![9, 4, u32::MAX, 4, 0, 7, 9]] {
            let (mut ours, mut map) = (ByInstrument::default(), BTreeMap::new());
            for (value, number) in numbers.into_iter().enumerate() {
                let instrument = InstrumentId(number);
                assert_eq!(ours.insert(instrument, value), map.insert(instrument, value));
                for looked_for in [0, 1, 2, 3, 4, 5, 7, 9, u32::MAX].map(InstrumentId) {
                    assert_eq!(ours.get(looked_for), map.get(&looked_for));
                    assert_eq!(ours.get_mut(looked_for).copied(), map.get(&looked_for).copied());
                }
                assert!(ours.iter().eq(map.iter().map(|(instrument, value)| (*instrument, value))));
            }
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let all: ByInstrument<char> = [(InstrumentId(7), 'a'), (InstrumentId(0), 'b')].into_iter().collect();
        assert_eq!(ron::from_str(&ron::to_string(&all).expect("a text")), Ok(all));
    }

    #[test]
    fn what_is_read_is_sorted() {
        let read: ByInstrument<char> = ron::from_str("[(7, 'a'), (0, 'b'), (7, 'c')]").expect("pairs");
        assert_eq!(read.iter().collect::<Vec<_>>(), [(InstrumentId(0), &'b'), (InstrumentId(7), &'c')]);
    }
}
