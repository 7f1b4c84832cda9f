//! The figures of an equity curve in one place, for reports.

use serde::{Deserialize, Serialize};

use super::drawdown::{drawdowns, max_drawdown};
use super::growth::{PeriodsPerYear, annualised_return, calmar, returns, sharpe, sortino, total_return, volatility};
use super::risk::{Confidence, expected_shortfall, parametric_value_at_risk, value_at_risk};

/// What an equity curve comes to. Each field is the function of its name; `None` where that has no value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Performance {
    /// How many returns.
    pub periods: usize,
    /// [`total_return`].
    pub total_return: f64,
    /// [`annualised_return`].
    pub annualised_return: Option<f64>,
    /// [`volatility`].
    pub volatility: Option<f64>,
    /// [`sharpe`].
    pub sharpe: Option<f64>,
    /// [`sortino`], the return without risk being the target.
    pub sortino: Option<f64>,
    /// [`calmar`].
    pub calmar: Option<f64>,
    /// The depth of the deepest drawdown; 0 if there is none.
    pub max_drawdown: f64,
    /// The most periods that a drawdown lasted; 0 if there is none.
    pub longest_drawdown: usize,
    /// [`value_at_risk`].
    pub value_at_risk: Option<f64>,
    /// [`parametric_value_at_risk`].
    pub parametric_value_at_risk: Option<f64>,
    /// [`expected_shortfall`].
    pub expected_shortfall: Option<f64>,
}

impl Performance {
    /// Of an equity curve at equal distances of time; `free` is the return of one period without risk. `None` where [`returns`] has none,
    /// or the curve is empty.
    pub fn of(equity: &[f64], free: f64, year: PeriodsPerYear, confidence: Confidence) -> Option<Self> {
        let last = equity.len().checked_sub(1)?;
        let returns = returns(equity)?;
        Some(Self {
            periods: returns.len(),
            total_return: total_return(&returns),
            annualised_return: annualised_return(&returns, year),
            volatility: volatility(&returns, year),
            sharpe: sharpe(&returns, free, year),
            sortino: sortino(&returns, free, year),
            calmar: calmar(&returns, year),
            max_drawdown: max_drawdown(equity).map_or(0.0, |deepest| deepest.depth),
            longest_drawdown: drawdowns(equity).iter().map(|drawdown| drawdown.duration(last)).max().unwrap_or(0),
            value_at_risk: value_at_risk(&returns, confidence),
            parametric_value_at_risk: parametric_value_at_risk(&returns, confidence),
            expected_shortfall: expected_shortfall(&returns, confidence),
        })
    }
}
