//! How much of the best result is the luck of many trials. Invariant: every set that was tried counts as a trial, also those that failed.

use std::num::NonZeroU64;

use stillpoint_actors::statistics::{SharpeSample, deflated_sharpe, expected_best_sharpe};

/// What is known of luck.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Luck {
    pub(super) trials: u64,
    /// Where there are returns.
    pub(super) sharpe: Option<SharpeLuck>,
}

/// Sharpe ratios of one period: that of the best set, that which the best of as many without skill would show, and the probability that the
/// former is more than luck.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SharpeLuck {
    pub(super) best: f64,
    pub(super) periods: u64,
    pub(super) expected: f64,
    pub(super) deflated: Option<f64>,
}

impl Luck {
    /// Of the returns of all trials, the first of which is the best.
    pub(super) fn of<'r>(trials: usize, returns: impl IntoIterator<Item = &'r [f64]>) -> Self {
        let samples: Vec<Option<SharpeSample>> = returns.into_iter().map(SharpeSample::of).collect();
        let sharpes: Vec<f64> = samples.iter().flatten().map(|sample| sample.sharpe).collect();
        let sharpe = || {
            let count = NonZeroU64::new(trials as u64)?;
            let best = (*samples.first()?)?;
            let variance = variance(&sharpes)?;
            let expected = expected_best_sharpe(count, variance)?;
            let deflated = deflated_sharpe(best, count, variance);
            Some(SharpeLuck { best: best.sharpe, periods: best.count, expected, deflated })
        };
        Self { trials: trials as u64, sharpe: sharpe() }
    }

    /// A warning for people, in lines.
    pub(super) fn lines(&self, best: &str) -> Vec<String> {
        let trials = self.trials;
        if trials < 2 {
            return Vec::new();
        }
        let Some(SharpeLuck { best: sharpe, periods, expected, deflated }) = self.sharpe else {
            return vec![format!(
                "{best} is the best of {trials} trials: of so many, one looks good by luck alone; try it on data that the sweep has not seen"
            )];
        };
        let mut lines = vec![format!(
            "{best} is the best of {trials} trials: its Sharpe ratio is {sharpe:.4} a period ({periods} periods); the best of {trials} without any skill would show {expected:.4}"
        )];
        if let Some(deflated) = deflated {
            let verdict = if deflated < 0.95 { "too little to call it skill" } else { "rarely luck alone" };
            lines.push(format!("the probability that it is more than luck (deflated Sharpe ratio) is {deflated:.3}: {verdict}"));
        }
        lines
    }
}

/// The sample variance; `None` of fewer than two.
fn variance(values: &[f64]) -> Option<f64> {
    let mean = stillpoint_actors::statistics::mean(values)?;
    let sum: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (values.len() > 1).then(|| sum / (values.len() - 1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luck_by_hand() {
        // Sharpe ratios: (2, 4) has mean 3 and deviation sqrt(2); (1, 3) has 2 and sqrt(2). Their variance is 1/4, since they differ by 1/sqrt(2).
        let luck = Luck::of(2, [&[2.0, 4.0][..], &[1.0, 3.0]]);
        let sharpe = luck.sharpe.expect("returns");
        assert!((sharpe.best - 3.0 / 2f64.sqrt()).abs() < 1e-12);
        // z(1/2) = 0 and z(1 - 1/2e) = 0.900453: sqrt(1/4) * 0.577216 * 0.900453.
        assert!((sharpe.expected - 0.5 * 0.577_215_66 * 0.900_452_6).abs() < 1e-6, "{}", sharpe.expected);
        assert_eq!(luck.lines("set 1").len(), 2);
        let unknown = Luck::of(30, [&[][..]]);
        assert_eq!(unknown, Luck { trials: 30, sharpe: None });
        assert!(unknown.lines("set 1")[0].contains("the best of 30 trials: of so many, one looks good by luck alone"));
        assert!(Luck::of(1, [&[2.0, 4.0][..]]).lines("set 1").is_empty());
    }
}
