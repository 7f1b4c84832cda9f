//! How long requests take to the exchange and answers back, in virtual time. Invariant: what one owner sent first arrives first.

use serde::{Deserialize, Serialize};
use stillpoint_engine::{Duration, Instant, Rng};

/// A time that a message takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Latency {
    /// None beyond that of links.
    #[default]
    None,
    /// Always the same.
    Constant(Duration),
    /// Anything from the least to the most, each equally likely.
    Uniform {
        /// The least.
        least: Duration,
        /// The most.
        most: Duration,
    },
    /// At least so much, and exponentially distributed beyond it.
    Exponential {
        /// The least.
        least: Duration,
        /// The mean of what comes on top.
        mean: Duration,
    },
    /// Its logarithm is normally distributed.
    LogNormal {
        /// What half of the messages take at most.
        median: Duration,
        /// The standard deviation of the natural logarithm.
        sigma: f64,
    },
    /// As recorded: between two instants on the line between their latencies, before the first and after the last as there.
    Recorded(Vec<LatencyPoint>),
}

/// A latency at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatencyPoint {
    /// When it was measured.
    pub at: Instant,
    /// How long it was.
    pub latency: Duration,
}

impl Latency {
    /// Why this is no latency.
    ///
    /// # Errors
    /// A sentence: about a negative duration, a most below the least, a deviation that is negative or not finite, or a table that is empty or
    /// not in the order of its instants.
    pub fn check(&self) -> Result<(), String> {
        let durations = match self {
            Self::None => Vec::new(),
            Self::Constant(latency) => vec![*latency],
            Self::Uniform { least, most } if most < least => return Err(format!("a latency of at least {least} cannot be at most {most}")),
            Self::Uniform { least, most } => vec![*least, *most],
            Self::Exponential { least, mean } => vec![*least, *mean],
            Self::LogNormal { sigma, .. } if !(sigma.is_finite() && *sigma >= 0.0) => {
                return Err(format!("the deviation of a latency is {sigma}; give one that is not negative"));
            }
            Self::LogNormal { median, .. } => vec![*median],
            Self::Recorded(table) if table.is_empty() || !table.is_sorted_by(|a, b| a.at < b.at) => {
                return Err("recorded latencies need one instant or more, each after the one before".to_owned());
            }
            Self::Recorded(table) => table.iter().map(|point| point.latency).collect(),
        };
        match durations.into_iter().find(|duration| *duration < Duration::ZERO) {
            Some(negative) => Err(format!("a latency cannot be {negative}")),
            None => Ok(()),
        }
    }

    /// The latency of a message that leaves at an instant.
    ///
    /// ```
    /// use stillpoint_actors::{Latency, LatencyPoint};
    /// use stillpoint_engine::{Duration, Instant, Rng};
    /// let point = |second, millis| LatencyPoint { at: Instant::EPOCH + Duration::secs(second), latency: Duration::millis(millis) };
    /// let recorded = Latency::Recorded(vec![point(10, 4), point(20, 9)]);
    /// let mut rng = Rng::of(0, "exchange", "example");
    /// let at = |second| Instant::EPOCH + Duration::secs(second);
    /// assert_eq!([5, 12, 20, 30].map(|second| recorded.draw(at(second), &mut rng)), [4, 5, 9, 9].map(Duration::millis));
    /// ```
    pub fn draw(&self, now: Instant, rng: &mut Rng) -> Duration {
        match self {
            Self::None => Duration::ZERO,
            Self::Constant(latency) => *latency,
            Self::Uniform { least, most } => {
                let width = most.as_nanos().saturating_sub(least.as_nanos()).max(0) as u64;
                Duration::nanos(least.as_nanos().saturating_add(rng.below(width + 1) as i64))
            }
            Self::Exponential { least, mean } => {
                Duration::nanos(least.as_nanos().saturating_add(rng.exponential(mean.as_nanos() as f64) as i64))
            }
            Self::LogNormal { median, sigma } => Duration::nanos((median.as_nanos() as f64 * libm::exp(rng.normal(0.0, *sigma))) as i64),
            Self::Recorded(table) => between(table, now),
        }
    }

    /// Whether messages take no time at all.
    pub const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

/// On the line between the points around an instant; toward the earlier one in fractions of a nanosecond.
fn between(table: &[LatencyPoint], now: Instant) -> Duration {
    let after = table.partition_point(|point| point.at <= now);
    let (before, after) = (after.checked_sub(1).and_then(|at| table.get(at)), table.get(after));
    match (before, after) {
        (Some(a), Some(b)) => {
            let nanos = |point: &LatencyPoint| i128::from(point.latency.as_nanos());
            let at = |instant: Instant| i128::from(instant.as_nanos());
            let part = (nanos(b) - nanos(a)) * (at(now) - at(a.at)) / (at(b.at) - at(a.at));
            Duration::nanos((nanos(a) + part) as i64)
        }
        (Some(only), None) | (None, Some(only)) => only.latency,
        (None, None) => Duration::ZERO,
    }
}

/// The latencies of an exchange.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Latencies {
    /// From the owner to the matching.
    pub entry: Latency,
    /// From the matching to the owner.
    pub response: Latency,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Instant {
        Instant::EPOCH + Duration::secs(second)
    }

    #[test]
    fn recorded_latencies_lie_on_lines() {
        let point = |second, nanos| LatencyPoint { at: at(second), latency: Duration::nanos(nanos) };
        let table = [point(-10, 100), point(0, 200), point(3, 100)];
        for (second, nanos) in [(-99, 100), (-10, 100), (-5, 150), (0, 200), (1, 167), (2, 134), (3, 100), (9, 100)] {
            assert_eq!(between(&table, at(second)), Duration::nanos(nanos), "at {second}");
        }
    }

    #[test]
    fn draws_have_their_bounds_and_means() {
        let mut rng = Rng::of(5, "exchange", "test");
        let (least, most) = (Duration::nanos(10), Duration::nanos(13));
        let mut draws = |latency: Latency| -> Vec<i64> { (0..20_000).map(|_| latency.draw(at(0), &mut rng).as_nanos()).collect() };
        let uniform = draws(Latency::Uniform { least, most });
        assert!((10..=13).all(|value| uniform.iter().filter(|drawn| **drawn == value).count() > 4_500) && uniform.iter().all(|v| *v <= 13));
        let exponential = draws(Latency::Exponential { least, mean: Duration::micros(1) });
        let mean = exponential.iter().sum::<i64>() / 20_000;
        assert!(exponential.iter().all(|drawn| *drawn >= 10) && (980..1040).contains(&mean), "{mean}");
        let mut normal = draws(Latency::LogNormal { median: Duration::micros(1), sigma: 0.5 });
        normal.sort_unstable();
        // The quartiles of a lognormal: 1000 exp(-+ 0.5 * 0.6745) = 714 and 1401.
        for (at, expected) in [(5_000, 714), (10_000, 1000), (15_000, 1401)] {
            assert!((normal[at] - expected).abs() < expected / 30, "{at}: {}", normal[at]);
        }
    }

    #[test]
    fn what_is_no_latency_is_told() {
        let (one, two) = (Duration::nanos(1), Duration::nanos(2));
        for (latency, fault) in [
            (Latency::Constant(Duration::nanos(-1)), "a latency cannot be"),
            (Latency::Uniform { least: two, most: one }, "cannot be at most"),
            (Latency::LogNormal { median: one, sigma: f64::NAN }, "the deviation"),
            (Latency::Recorded(Vec::new()), "one instant or more"),
        ] {
            let found = latency.check().expect_err("a fault");
            assert!(found.contains(fault), "{found}");
        }
    }
}
