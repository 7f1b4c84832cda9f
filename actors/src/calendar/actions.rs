//! Splits and dividends. Invariant: raw prices stay as they are; adjusted ones stand beside them, and know only actions up to the day asked.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Instant, Timed};

/// What a company does to its shares.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Action {
    /// `old` shares become `new` ones: 2 for 1, or 1 for 10 in a reverse split.
    Split {
        /// How many there are afterwards.
        new: NonZeroU32,
        /// For how many before.
        old: NonZeroU32,
    },
    /// This much is paid for each share held before, in the currency of the prices.
    Dividend(f64),
}

/// An action and when it shows in the price.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CorporateAction {
    /// The first instant at which shares trade without it: the opening of the ex-date.
    pub ex: Instant,
    /// What.
    pub action: Action,
}

/// A price as it was, and adjusted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdjustedPrice {
    /// When.
    pub at: Instant,
    /// What was paid then.
    pub raw: f64,
    /// In shares as they are now: adjusted for splits. Multiply quantities by `raw / split` for shares of now.
    pub split: f64,
    /// Adjusted for splits and dividends, so that its returns are those of who reinvests dividends.
    pub total: f64,
}

/// Why prices cannot be adjusted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AdjustError {
    /// Prices or actions are not in order of time.
    OutOfOrder {
        /// The first that comes after a later one.
        at: Instant,
    },
    /// A dividend is negative, not a number, or not below the price before it.
    BadDividend {
        /// When.
        ex: Instant,
        /// How much.
        amount: f64,
        /// The last price before.
        price: f64,
    },
}

impl fmt::Display for AdjustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfOrder { at } => write!(f, "what is at {at} comes after something later; sort prices and actions by time"),
            Self::BadDividend { ex, amount, price } => {
                write!(f, "a dividend of {amount} at {ex} is not between 0 and the price before it, {price}; correct one of the two")
            }
        }
    }
}

impl std::error::Error for AdjustError {}

/// Adjusts the prices up to `as_of` by the actions up to `as_of`, so that the latest prices stay what they are.
///
/// Prices before an action are multiplied by its factor: a split's is `old / new`; a dividend's is `1 - amount / price`, with the last raw
/// price before it (the method of the Center for Research in Security Prices). An action without a price before it does nothing. Two of one
/// instant are taken in their order: a dividend that follows a split is for each of the new shares.
///
/// # Errors
/// [`AdjustError`] if something is out of order, or a dividend takes more than the price.
///
/// ```
/// use stillpoint_actors::calendar::{Action, CorporateAction, adjust};
/// use stillpoint_engine::{Instant, Timed};
/// let at = Instant::from_nanos;
/// let prices = [(1, 100.0), (2, 98.0), (3, 49.0)].map(|(day, value)| Timed { at: at(day), value });
/// let split = Action::Split { new: 2.try_into()?, old: 1.try_into()? };
/// let actions = [CorporateAction { ex: at(2), action: Action::Dividend(2.0) }, CorporateAction { ex: at(3), action: split }];
/// let adjusted = adjust(&prices, &actions, at(3)).expect("in order");
/// assert_eq!(adjusted.iter().map(|price| (price.raw, price.split, price.total)).collect::<Vec<_>>(), [(100.0, 50.0, 49.0), (98.0, 49.0, 49.0), (49.0, 49.0, 49.0)]);
/// // On the second day nobody knew of the split.
/// assert_eq!(adjust(&prices, &actions, at(2)).expect("in order")[0].total, 98.0);
/// # Ok::<(), std::num::TryFromIntError>(())
/// ```
pub fn adjust(prices: &[Timed<f64>], actions: &[CorporateAction], as_of: Instant) -> Result<Vec<AdjustedPrice>, AdjustError> {
    in_order(prices.iter().map(|price| price.at))?;
    in_order(actions.iter().map(|action| action.ex))?;
    let known = &prices[..prices.partition_point(|price| price.at <= as_of)];
    let factors = factors(known, &actions[..actions.partition_point(|action| action.ex <= as_of)])?;
    let mut later = factors.iter().rev().peekable();
    let (mut split, mut total) = (1.0, 1.0);
    let mut adjusted: Vec<AdjustedPrice> = Vec::with_capacity(known.len());
    for price in known.iter().rev() {
        while let Some(factor) = later.next_if(|factor| factor.ex > price.at) {
            split *= factor.split;
            total *= factor.split * factor.dividend;
        }
        adjusted.push(AdjustedPrice { at: price.at, raw: price.value, split: price.value * split, total: price.value * total });
    }
    adjusted.reverse();
    Ok(adjusted)
}

struct Factor {
    ex: Instant,
    split: f64,
    dividend: f64,
}

fn factors(prices: &[Timed<f64>], actions: &[CorporateAction]) -> Result<Vec<Factor>, AdjustError> {
    let mut factors: Vec<Factor> = Vec::with_capacity(actions.len());
    for CorporateAction { ex, action } in actions.iter().copied() {
        let Some(last) = prices[..prices.partition_point(|price| price.at < ex)].last() else { continue };
        factors.push(match action {
            Action::Split { new, old } => Factor { ex, split: f64::from(old.get()) / f64::from(new.get()), dividend: 1.0 },
            Action::Dividend(amount) => {
                let same = factors.iter().filter(|before| before.ex == ex);
                let price = same.fold(last.value, |price, before| price * before.split * before.dividend);
                if !(amount >= 0.0 && amount < price) {
                    return Err(AdjustError::BadDividend { ex, amount, price });
                }
                Factor { ex, split: 1.0, dividend: 1.0 - amount / price }
            }
        });
    }
    Ok(factors)
}

fn in_order(times: impl Iterator<Item = Instant> + Clone) -> Result<(), AdjustError> {
    let late = times.clone().zip(times.skip(1)).find(|(before, after)| after < before);
    late.map_or(Ok(()), |(_, at)| Err(AdjustError::OutOfOrder { at }))
}
