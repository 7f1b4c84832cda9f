//! Coarser event times. Invariant: the order of a sorted source stays as it is.

use stillpoint_engine::{Duration, Instant, Source, SourceError, Timed};

/// A source whose event times are moved back to whole multiples of a duration since the epoch.
///
/// ```
/// use stillpoint_adapters::Floored;
/// use stillpoint_engine::{Duration, Instant};
/// assert_eq!(Floored::<()>::floor(Instant::from_nanos(-1), Duration::secs(1)), Instant::from_nanos(-1_000_000_000));
/// ```
pub struct Floored<S> {
    source: S,
    to: Option<Duration>,
}

impl<S> Floored<S> {
    /// `source` with its times floored to multiples of `to`; as it is if `to` is `None` or not positive.
    pub fn new(source: S, to: Option<Duration>) -> Self {
        Self { source, to: to.filter(|to| to.is_positive()) }
    }

    /// The latest multiple of `to`, which is positive, that is not after `at`.
    pub fn floor(at: Instant, to: Duration) -> Instant {
        at - Duration::nanos(at.as_nanos().rem_euclid(to.as_nanos()))
    }
}

impl<S: Source> Source for Floored<S> {
    type Item = S::Item;

    fn next(&mut self) -> Result<Option<Timed<S::Item>>, SourceError> {
        let item = self.source.next()?;
        Ok(match self.to {
            Some(to) => item.map(|item| Timed { at: Self::floor(item.at, to), ..item }),
            None => item,
        })
    }

    fn progress(&self) -> Option<(u64, u64)> {
        self.source.progress()
    }
}
