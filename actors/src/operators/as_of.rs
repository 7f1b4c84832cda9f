//! The latest value of one series at the times of another.

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Duration, Instant, Timed};

use super::order::{Order, OutOfOrder};

/// Which value counts as the latest at an instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AsOfRule {
    /// One of that instant or before.
    #[default]
    AtOrBefore,
    /// One before that instant: what was known when it began.
    Before,
}

/// Keeps a series as far as it is needed to say what its latest value is.
///
/// ```
/// use stillpoint_actors::operators::{AsOf, AsOfRule};
/// use stillpoint_engine::{Duration, Instant};
/// let at = Instant::from_nanos;
/// let mut quotes = AsOf::new(AsOfRule::AtOrBefore, Some(Duration::nanos(10)));
/// quotes.push(at(5), 'a')?;
/// assert_eq!([5, 15, 16].map(|now| quotes.at(at(now)).map(|(_, quote)| *quote)), [Some('a'), Some('a'), None]);
/// # Ok::<(), stillpoint_actors::operators::OutOfOrder>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AsOf<T> {
    rule: AsOfRule,
    oldest: Option<Duration>,
    /// The latest value, and the latest of an instant before that.
    latest: Option<(Instant, T)>,
    before: Option<(Instant, T)>,
    order: Order,
}

impl<T> AsOf<T> {
    /// A series without a value. One that is older than `oldest` does not count.
    pub fn new(rule: AsOfRule, oldest: Option<Duration>) -> Self {
        Self { rule, oldest, latest: None, before: None, order: Order::default() }
    }

    /// Takes a value.
    ///
    /// # Errors
    /// [`OutOfOrder`].
    pub fn push(&mut self, at: Instant, value: T) -> Result<(), OutOfOrder> {
        self.order.take(at)?;
        let latest = self.latest.replace((at, value));
        if latest.as_ref().is_some_and(|(before, _)| *before < at) {
            self.before = latest;
        }
        Ok(())
    }

    /// The latest value, and when it was, at an instant that is not before that of the last value; of an instant before it there may be none.
    pub fn at(&self, now: Instant) -> Option<(Instant, &T)> {
        let counts = |at: Instant| match self.rule {
            AsOfRule::AtOrBefore => at <= now,
            AsOfRule::Before => at < now,
        };
        let (at, value) = self.latest.iter().chain(&self.before).find(|(at, _)| counts(*at))?;
        let age = i128::from(now.as_nanos()) - i128::from(at.as_nanos());
        self.oldest.is_none_or(|oldest| age <= i128::from(oldest.as_nanos())).then_some((*at, value))
    }
}

/// Each value of `left` with the latest of `right` at its time, both in order of time.
///
/// # Errors
/// [`OutOfOrder`] if one of the two is not in order.
///
/// ```
/// use stillpoint_actors::operators::{AsOfRule, as_of_join};
/// use stillpoint_engine::{Instant, Timed};
/// let timed = |at, value| Timed { at: Instant::from_nanos(at), value };
/// let (trades, quotes) = ([timed(1, 'x'), timed(4, 'y'), timed(9, 'z')], [timed(3, 'a'), timed(4, 'b'), timed(9, 'c')]);
/// assert_eq!(as_of_join(&trades, &quotes, AsOfRule::AtOrBefore, None)?, [None, Some(&'b'), Some(&'c')]);
/// assert_eq!(as_of_join(&trades, &quotes, AsOfRule::Before, None)?, [None, Some(&'a'), Some(&'b')]);
/// # Ok::<(), stillpoint_actors::operators::OutOfOrder>(())
/// ```
pub fn as_of_join<'r, L, R>(
    left: &[Timed<L>],
    right: &'r [Timed<R>],
    rule: AsOfRule,
    oldest: Option<Duration>,
) -> Result<Vec<Option<&'r R>>, OutOfOrder> {
    let (mut series, mut order, mut right) = (AsOf::new(rule, oldest), Order::default(), right.iter().peekable());
    let joined = left.iter().map(|row| {
        order.take(row.at)?;
        while let Some(next) = right.next_if(|next| next.at <= row.at) {
            series.push(next.at, &next.value)?;
        }
        Ok(series.at(row.at).map(|(_, found)| *found))
    });
    let joined = joined.collect::<Result<Vec<_>, OutOfOrder>>()?;
    right.try_for_each(|next| series.push(next.at, &next.value))?;
    Ok(joined)
}
