//! Statistics of results, with their definitions. Invariant: each is a function of the numbers it is given; where its definition has no
//! value it says `None`, never a number that stands for nothing.
//!
//! Returns are fractions (0.01 is one percent) of equal periods; how many of these make a year is a [`PeriodsPerYear`]. Means and
//! deviations of equal values are exact, so that a series that never moves has no deviation and no ratio, not a huge one. All values must
//! be finite.
//!
//! | | what |
//! |---|---|
//! | growth | [`returns`], [`total_return`], [`annualised_return`], [`volatility`] |
//! | ratios | [`sharpe`], [`sortino`], [`calmar`] |
//! | losses | [`drawdowns`], [`Drawdown`], [`value_at_risk`], [`parametric_value_at_risk`], [`expected_shortfall`] |
//! | against a benchmark | [`Relative`] |
//! | trades | [`RoundTrips`], [`TripFigures`], [`turnover`], [`time_weighted_mean`] |
//! | how much of it is luck | [`probabilistic_sharpe`], [`expected_best_sharpe`], [`deflated_sharpe`] |
//! | all of an equity curve | [`Performance`] |

mod drawdown;
mod growth;
mod luck;
mod performance;
mod relative;
mod risk;
mod sample;
mod time_weighted;
mod trips;

pub use drawdown::{Drawdown, drawdowns, max_drawdown};
pub use growth::{PeriodsPerYear, annualised_return, calmar, returns, sharpe, sortino, total_return, volatility};
pub use luck::{SharpeSample, deflated_sharpe, expected_best_sharpe, normal_cdf, normal_quantile, probabilistic_sharpe};
pub use performance::Performance;
pub use relative::Relative;
pub use risk::{Confidence, expected_shortfall, parametric_value_at_risk, percentile, value_at_risk};
pub use sample::{kurtosis, mean, skewness, standard_deviation};
pub use time_weighted::{Since, time_weighted_mean, turnover};
pub use trips::{RoundTrip, RoundTrips, TripFigures, TripFill};
