//! Indicators, one value at a time. Invariant: what an array gives is what its values give one by one; there is one implementation of each.
//!
//! All of them are [`Indicator`]s: [`update`](Indicator::update) takes a value and returns the indicator's, or `None` as long as it has
//! not seen enough; [`over`](Indicator::over) does it for an array. An update costs the same however long the period is, on average over a
//! period ([`Cci`] says why it is the exception). All can be saved in the middle and go on as if nothing had happened.
//!
//! Sums over a window are never kept by taking out what leaves it, so that nothing drifts and a huge value is forgotten once it has left:
//! see [`Window`]. Arithmetic is `+ - * /` and the square root alone, which IEEE 754 fixes to the last bit on every machine. It does not
//! look for overflow: keep values below 1e150.
//!
//! | | what |
//! |---|---|
//! | averages | [`Sma`], [`Ema`] (Wilder's too), [`Wma`] |
//! | windows | [`RollingStd`], [`RollingMin`], [`RollingMax`], [`Window`] over any [`Aggregate`] |
//! | momentum | [`Rsi`], [`Macd`], [`Stochastic`], [`Cci`], [`Roc`], [`Adx`] |
//! | bands | [`Bollinger`], [`Donchian`], [`Keltner`], [`Atr`] |
//! | volume | [`Vwap`], [`Obv`] |
//! | two series | [`Correlation`], [`Regression`] |
//!
//! ```
//! use stillpoint_actors::indicators::{Indicator, Sma};
//! let mut sma = Sma::new(3.try_into()?);
//! assert_eq!([1.0, 2.0, 6.0, 4.0].map(|value| sma.update(value)), [None, None, Some(3.0), Some(4.0)]);
//! assert_eq!(Sma::new(2.try_into()?).over(&[1.0, 2.0, 6.0]), [None, Some(1.5), Some(4.0)]);
//! # Ok::<(), std::num::TryFromIntError>(())
//! ```

mod adx;
mod aggregates;
mod atr;
mod averages;
mod bands;
mod candle;
mod cci;
mod ema;
mod macd;
mod pairs;
mod roc;
mod rolling;
mod rsi;
mod stochastic;
mod volume;
mod window;

pub use adx::{Adx, AdxValue};
pub use aggregates::{CoMoments, Greatest, Least, Linear, Moments, Sum};
pub use atr::Atr;
pub use averages::{Sma, Wma};
pub use bands::{Band, Bollinger, Donchian, Keltner};
pub use candle::Candle;
pub use cci::Cci;
pub use ema::{Ema, Seed};
pub use macd::{Macd, MacdPeriods, MacdValue};
pub use pairs::{Correlation, Line, Pair, Regression};
pub use roc::Roc;
pub use rolling::{Deviation, RollingMax, RollingMin, RollingStd};
pub use rsi::Rsi;
pub use stochastic::{Stochastic, StochasticPeriods, StochasticValue};
pub use volume::{Obv, Vwap};
pub use window::{Aggregate, Window};

/// What an indicator takes, one at a time.
pub trait Sample: Copy {
    /// Whether every number in it is finite.
    fn is_finite(self) -> bool;
}

impl Sample for f64 {
    fn is_finite(self) -> bool {
        self.is_finite()
    }
}

/// A figure that follows a series.
///
/// By implementing this you promise that what [`value`](Self::value) says depends on the values taken so far and on nothing else.
pub trait Indicator {
    /// What it takes.
    type Input: Sample;
    /// What it says.
    type Output;

    /// Takes the next value, which must be finite.
    fn advance(&mut self, input: Self::Input);

    /// What it says after the values taken so far; `None` in its warm-up, and where its formula has no value (each indicator says where).
    fn value(&self) -> Option<Self::Output>;

    /// Takes the next value and says what follows from it.
    ///
    /// A value that is not finite is a gap: it gives `None` and changes nothing, so that the next value follows the one before the gap.
    fn update(&mut self, input: Self::Input) -> Option<Self::Output> {
        if !input.is_finite() {
            return None;
        }
        self.advance(input);
        self.value()
    }

    /// Takes the values of an array one after the other: one result for each.
    fn over(mut self, inputs: &[Self::Input]) -> Vec<Option<Self::Output>>
    where
        Self: Sized,
    {
        inputs.iter().map(|input| self.update(*input)).collect()
    }
}
