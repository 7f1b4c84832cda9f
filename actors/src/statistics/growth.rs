//! Returns, and what they are worth for the risk taken.

use serde::{Deserialize, Serialize};

use super::drawdown::max_drawdown;
use super::sample::{mean, standard_deviation};
use crate::indicators::Deviation;

/// How many periods make a year: 252 trading days, 365 days of a market that never closes, 12 months. Above zero and finite.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct PeriodsPerYear(f64);

impl PeriodsPerYear {
    /// 252 trading days.
    pub const TRADING_DAYS: Self = Self(252.0);
    /// 365 days.
    pub const DAYS: Self = Self(365.0);

    /// `None` unless above zero and finite.
    pub fn new(count: f64) -> Option<Self> {
        (count > 0.0 && count.is_finite()).then_some(Self(count))
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for PeriodsPerYear {
    type Error = String;

    fn try_from(count: f64) -> Result<Self, String> {
        Self::new(count).ok_or_else(|| format!("{count} periods do not make a year; give a number above zero, such as 252"))
    }
}

impl From<PeriodsPerYear> for f64 {
    fn from(periods: PeriodsPerYear) -> Self {
        periods.0
    }
}

/// The simple return of each period, `after / before - 1`, of an equity curve or of prices: one less than there are values.
///
/// `None` if a value before the last is not above zero: from nothing, or from debts, there is no return.
///
/// ```
/// use stillpoint_actors::statistics::returns;
/// assert_eq!(returns(&[100.0, 125.0, 100.0]), Some(vec![0.25, -0.2]));
/// assert_eq!(returns(&[100.0, 0.0, 100.0]), None);
/// ```
pub fn returns(equity: &[f64]) -> Option<Vec<f64>> {
    equity.windows(2).map(|pair| (pair[0] > 0.0).then(|| (pair[1] - pair[0]) / pair[0])).collect()
}

/// What the returns come to one after the other: the product of `1 + return`, less 1.
pub fn total_return(returns: &[f64]) -> f64 {
    returns.iter().fold(1.0, |growth, step| growth * (1.0 + step)) - 1.0
}

/// The constant yearly return that comes to the same: `(1 + total)^(periods per year / periods) - 1`. `None` without a return; -1, a total
/// loss, where the total is -1 or below.
pub fn annualised_return(returns: &[f64], year: PeriodsPerYear) -> Option<f64> {
    let growth = 1.0 + total_return(returns);
    (!returns.is_empty()).then(|| if growth > 0.0 { libm::pow(growth, year.0 / returns.len() as f64) - 1.0 } else { -1.0 })
}

/// The standard deviation of the returns as a sample, times the root of the periods in a year. `None` of less than two.
pub fn volatility(returns: &[f64], year: PeriodsPerYear) -> Option<f64> {
    Some(standard_deviation(returns, Deviation::Sample)? * year.0.sqrt())
}

fn above(returns: &[f64], rate: f64) -> Vec<f64> {
    returns.iter().map(|step| step - rate).collect()
}

/// The Sharpe ratio, yearly: mean over sample deviation of what the returns exceed `free` by, the return of one period without risk, times
/// the root of the periods in a year. `None` of less than two returns or of returns that do not move. (W. F. Sharpe, "The Sharpe Ratio",
/// Journal of Portfolio Management, 1994.)
pub fn sharpe(returns: &[f64], free: f64, year: PeriodsPerYear) -> Option<f64> {
    let deviation = standard_deviation(returns, Deviation::Sample).filter(|deviation| *deviation > 0.0)?;
    Some(mean(&above(returns, free))? / deviation * year.0.sqrt())
}

/// The Sortino ratio, yearly: mean of what the returns exceed `target` by, the return of one period that is wanted, over the root of the
/// mean square of what they fall short by (over all returns, those above the target counting 0), times the root of the periods in a year.
/// `None` without a return below the target. (F. Sortino, L. Price, "Performance Measurement in a Downside Risk Framework", 1994.)
pub fn sortino(returns: &[f64], target: f64, year: PeriodsPerYear) -> Option<f64> {
    let excess = above(returns, target);
    let short: Vec<f64> = excess.iter().map(|step| step.min(0.0) * step.min(0.0)).collect();
    let downside = mean(&short)?.sqrt();
    (downside > 0.0).then_some(mean(&excess)? / downside * year.0.sqrt())
}

/// The Calmar ratio: the yearly return over the depth of the deepest drawdown. `None` without a drawdown. (T. W. Young, 1991, there over
/// three years; here over whatever is given.)
pub fn calmar(returns: &[f64], year: PeriodsPerYear) -> Option<f64> {
    let mut growth = 1.0;
    let curve: Vec<f64> = std::iter::once(1.0)
        .chain(returns.iter().map(|step| {
            growth *= 1.0 + step;
            growth
        }))
        .collect();
    let depth = max_drawdown(&curve)?.depth;
    Some(annualised_return(returns, year)? / depth)
}
