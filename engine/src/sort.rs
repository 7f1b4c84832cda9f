//! One sort for whatever is sorted now and then. Invariant: stable, as the standard library's, of which this is one instance: each further one is
//! 7 kB of code that every build pays for.

use std::cmp::Ordering;

/// Sorts by an order.
pub(crate) fn by<T>(items: &mut [T], mut order: impl FnMut(&T, &T) -> Ordering) {
    let swaps = swaps(items.len(), &mut |a, b| order(&items[a], &items[b]));
    for (a, b) in swaps {
        items.swap(a, b);
    }
}

/// Sorts by keys.
pub(crate) fn by_key<T, K: Ord>(items: &mut [T], mut key: impl FnMut(&T) -> K) {
    by(items, |a, b| key(a).cmp(&key(b)));
}

/// What must change places, one after the other, so that so many items are in order.
fn swaps(count: usize, order: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<(usize, usize)> {
    let mut sorted: Vec<usize> = (0..count).collect();
    sorted.sort_by(|a, b| order(*a, *b));
    let mut swaps = Vec::new();
    for first in 0..count {
        // Around a circle of places, each of which gets what is at the next one.
        let mut place = first;
        while sorted[place] != first {
            let next = sorted[place];
            swaps.push((place, next));
            sorted[place] = place;
            place = next;
        }
        sorted[place] = place;
    }
    swaps
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_stable_sort(keys in prop::collection::vec(0..20u8, 0..200)) {
            let mut items: Vec<(u8, usize)> = keys.into_iter().zip(0..).collect();
            let mut expected = items.clone();
            expected.sort_by_key(|(key, _)| *key);
            by_key(&mut items, |(key, _)| *key);
            prop_assert_eq!(items, expected);
        }
    }
}
