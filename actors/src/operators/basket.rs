//! An index of members that come and go. Invariant: a change of members or weights never moves the level; only prices do.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::sum::CompensatedSum;

/// Why members cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BasketError {
    /// A member has no price yet.
    NoPrice(String),
    /// The new members together, or the level before, are worth nothing, or less, or what is not a number.
    NotAboveZero,
}

impl fmt::Display for BasketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPrice(member) => write!(f, "{member} has no price yet, so that its share is unknown; change members once all have one"),
            Self::NotAboveZero => write!(
                f,
                "the members, or those before them, are not worth more than zero together; start above zero and give weights above zero"
            ),
        }
    }
}

impl std::error::Error for BasketError {}

/// A weighted sum of prices over a divisor, which takes up every change of members so that the level goes on where it was: how the large
/// share indices are kept (S&P Dow Jones Indices, "Index Mathematics Methodology").
///
/// ```
/// use stillpoint_actors::operators::Basket;
/// let mut basket = Basket::new(100.0);
/// basket.price("A", 10.0);
/// basket.price("B", 30.0);
/// basket.set_weights([("A", 1.0), ("B", 1.0)])?;
/// basket.price("A", 14.0);
/// assert_eq!(basket.level(), Some(110.0));
/// basket.price("C", 5.0);
/// basket.set_weights([("A", 1.0), ("C", 2.0)])?;
/// assert_eq!(basket.level(), Some(110.0));
/// basket.price("B", 99.0); // no member any more
/// basket.price("C", 11.0);
/// assert_eq!(basket.level(), Some(165.0));
/// # Ok::<(), stillpoint_actors::operators::BasketError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Basket<K: Ord> {
    /// The level before there were members, then what the next change starts from.
    start: f64,
    divisor: Option<f64>,
    weights: BTreeMap<K, f64>,
    prices: BTreeMap<K, f64>,
}

impl<K: Ord + Clone + fmt::Debug> Basket<K> {
    /// A basket without members, of which the level starts at `start`.
    pub fn new(start: f64) -> Self {
        Self { start, divisor: None, weights: BTreeMap::new(), prices: BTreeMap::new() }
    }

    /// Takes a price, of a member or of what may become one. One that is not finite is a gap and changes nothing.
    pub fn price(&mut self, of: K, price: f64) {
        if price.is_finite() {
            self.prices.insert(of, price);
        }
    }

    /// Puts these members in the place of all there were. The level stays what it is.
    ///
    /// # Errors
    /// [`BasketError`] if a member has no price, or they, or those before them, are not worth more than zero together; nothing has changed then.
    pub fn set_weights(&mut self, weights: impl IntoIterator<Item = (K, f64)>) -> Result<(), BasketError> {
        let weights: BTreeMap<K, f64> = weights.into_iter().collect();
        if let Some(member) = weights.keys().find(|member| !self.prices.contains_key(member)) {
            return Err(BasketError::NoPrice(format!("{member:?}")));
        }
        let worth = self.worth(&weights);
        let level = self.level().unwrap_or(self.start);
        if ![worth, level].into_iter().all(|worth| worth > 0.0 && worth.is_finite()) {
            return Err(BasketError::NotAboveZero);
        }
        self.divisor = Some(worth / level);
        self.weights = weights;
        Ok(())
    }

    /// The level; `None` before there were members. It looks at each member.
    pub fn level(&self) -> Option<f64> {
        self.divisor.map(|divisor| self.worth(&self.weights) / divisor)
    }

    /// The members and their weights.
    pub fn weights(&self) -> impl Iterator<Item = (&K, f64)> {
        self.weights.iter().map(|(member, weight)| (member, *weight))
    }

    fn worth(&self, weights: &BTreeMap<K, f64>) -> f64 {
        let worth = |(member, weight): (&K, &f64)| self.prices.get(member).map_or(0.0, |price| price * weight);
        weights.iter().map(worth).collect::<CompensatedSum>().value()
    }
}
