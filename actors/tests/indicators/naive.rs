//! Windows against the same figures computed anew from the values in the window, and indicators that are saved in the middle.

use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use stillpoint_actors::indicators::{
    Adx, Atr, Bollinger, Candle, Cci, Correlation, Deviation, Donchian, Ema, Indicator, Keltner, Macd, MacdPeriods, Obv, Pair, Regression,
    Roc, RollingMax, RollingMin, RollingStd, Rsi, Seed, Sma, Stochastic, StochasticPeriods, Vwap, Wma,
};

use crate::{close, period};

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn products(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(a, b)| (a - mean(x)) * (b - mean(y))).sum()
}

/// Compares each full window with what `anew` makes of its values.
fn check<I: Indicator>(indicator: I, n: usize, values: &[I::Input], anew: impl Fn(&[I::Input]) -> Option<Vec<f64>>)
where
    I::Output: Into<Flat>,
{
    for (index, found) in indicator.over(values).into_iter().enumerate() {
        let window = (index + 1 >= n).then(|| &values[index + 1 - n..=index]);
        let (found, wanted) = (found.map(|found| found.into().0), window.and_then(&anew));
        let good = match (&found, &wanted) {
            (Some(found), Some(wanted)) => found.iter().zip(wanted).all(|(a, b)| close(*a, *b, 1e-9)),
            (found, wanted) => found == wanted,
        };
        assert!(good, "at {index}: {found:?}, not {wanted:?}");
    }
}

/// What an indicator says, as a list.
struct Flat(Vec<f64>);

impl From<f64> for Flat {
    fn from(value: f64) -> Self {
        Self(vec![value])
    }
}

impl From<stillpoint_actors::indicators::Band> for Flat {
    fn from(band: stillpoint_actors::indicators::Band) -> Self {
        Self(vec![band.lower, band.middle, band.upper])
    }
}

impl From<stillpoint_actors::indicators::Line> for Flat {
    fn from(line: stillpoint_actors::indicators::Line) -> Self {
        Self(vec![line.slope, line.intercept])
    }
}

/// Prices in steps of a quarter, so that equal ones are common.
fn price() -> impl Strategy<Value = f64> {
    (0..400i32).prop_map(|quarters| f64::from(quarters) / 4.0)
}

fn candle() -> impl Strategy<Value = Candle> {
    (price(), price(), price(), price(), 0..50i32).prop_map(|(a, b, c, d, volume)| {
        let (low, high) = ([b, c, d].into_iter().fold(a, f64::min), [b, c, d].into_iter().fold(a, f64::max));
        Candle { open: a, high, low, close: b, volume: f64::from(volume) }
    })
}

proptest! {
    #[test]
    fn windows_of_values(values in prop::collection::vec(price(), 1..120), n in 1usize..30) {
        let p = period(n);
        check(Sma::new(p), n, &values, |w| Some(vec![mean(w)]));
        check(RollingMin::new(p), n, &values, |w| Some(vec![w.iter().copied().fold(f64::INFINITY, f64::min)]));
        check(RollingMax::new(p), n, &values, |w| Some(vec![w.iter().copied().fold(f64::NEG_INFINITY, f64::max)]));
        check(Wma::new(p), n, &values, |w| {
            let weights: f64 = (1..=n).map(|weight| weight as f64).sum();
            Some(vec![w.iter().enumerate().map(|(at, value)| (at + 1) as f64 * value).sum::<f64>() / weights])
        });
        check(RollingStd::new(p, Deviation::Population), n, &values, |w| Some(vec![(products(w, w) / n as f64).sqrt()]));
        check(RollingStd::new(p, Deviation::Sample), n, &values, |w| (n > 1).then(|| vec![(products(w, w) / (n - 1) as f64).sqrt()]));
        check(Bollinger::new(p, 1.5), n, &values, |w| {
            let half = 1.5 * (products(w, w) / n as f64).sqrt();
            Some(vec![mean(w) - half, mean(w), mean(w) + half])
        });
        check(Roc::new(p), n + 1, &values, |w| (w[0] != 0.0).then(|| vec![(w[n] - w[0]) / w[0] * 100.0]));
    }

    #[test]
    fn windows_of_candles(candles in prop::collection::vec(candle(), 1..120), n in 1usize..30) {
        let p = period(n);
        check(Donchian::new(p), n, &candles, |w| {
            let low = w.iter().map(|c| c.low).fold(f64::INFINITY, f64::min);
            let high = w.iter().map(|c| c.high).fold(f64::NEG_INFINITY, f64::max);
            Some(vec![low, (low + high) / 2.0, high])
        });
        check(Cci::new(p), n, &candles, |w| {
            let prices: Vec<f64> = w.iter().map(|c| (c.high + c.low + c.close) / 3.0).collect();
            let flat = prices.iter().all(|price| *price == prices[0]);
            let deviation = mean(&prices.iter().map(|price| (price - mean(&prices)).abs()).collect::<Vec<_>>());
            Some(vec![if flat { 0.0 } else { (prices[n - 1] - mean(&prices)) / (0.015 * deviation) }])
        });
        check(Vwap::default(), 1, &candles[..1], |w| (w[0].volume > 0.0).then(|| vec![w[0].typical()]));
    }

    #[test]
    fn windows_of_pairs(values in prop::collection::vec((price(), price()), 1..120), n in 1usize..30) {
        let pairs: Vec<Pair> = values.iter().map(|(x, y)| Pair { x: *x, y: *y }).collect();
        let columns = |w: &[Pair]| (w.iter().map(|p| p.x).collect::<Vec<_>>(), w.iter().map(|p| p.y).collect::<Vec<_>>());
        let moves = |column: &[f64]| column.iter().any(|value| *value != column[0]);
        check(Correlation::new(period(n)), n, &pairs, |w| {
            let (x, y) = columns(w);
            (moves(&x) && moves(&y)).then(|| vec![products(&x, &y) / (products(&x, &x) * products(&y, &y)).sqrt()])
        });
        check(Regression::new(period(n)), n, &pairs, |w| {
            let (x, y) = columns(w);
            let slope = products(&x, &y) / products(&x, &x);
            moves(&x).then(|| vec![slope, mean(&y) - slope * mean(&x)])
        });
    }

    #[test]
    fn what_is_saved_goes_on_as_if_nothing_had_happened(
        candles in prop::collection::vec(candle(), 1..90), at in 0usize..90, n in 1usize..12, seed in prop::bool::ANY,
    ) {
        let (p, seed) = (period(n), if seed { Seed::Average } else { Seed::FirstValue });
        let at = at.min(candles.len());
        let closes: Vec<f64> = candles.iter().map(|c| c.close).collect();
        let pairs: Vec<Pair> = candles.iter().map(|c| Pair { x: c.open, y: c.close }).collect();
        let macd = MacdPeriods { fast: p, slow: period(n + 3), signal: period(4) };
        go_on(Sma::new(p), &closes, at);
        go_on(Wma::new(p), &closes, at);
        go_on(Ema::new(p, seed), &closes, at);
        go_on(Ema::wilder(p, seed), &closes, at);
        go_on(Rsi::new(p, seed), &closes, at);
        go_on(Macd::new(macd, seed), &closes, at);
        go_on(Bollinger::new(p, 2.0), &closes, at);
        go_on(RollingStd::new(p, Deviation::Sample), &closes, at);
        go_on(RollingMin::new(p), &closes, at);
        go_on(RollingMax::new(p), &closes, at);
        go_on(Roc::new(p), &closes, at);
        go_on(Atr::new(p, seed), &candles, at);
        go_on(Adx::new(p), &candles, at);
        go_on(Cci::new(p), &candles, at);
        go_on(Donchian::new(p), &candles, at);
        go_on(Keltner::new(Ema::new(p, seed), Atr::new(p, seed), 2.0), &candles, at);
        go_on(Stochastic::new(StochasticPeriods { range: p, k: period(3), d: period(2) }), &candles, at);
        go_on(Vwap::default(), &candles, at);
        go_on(Obv::default(), &candles, at);
        go_on(Correlation::new(p), &pairs, at);
        go_on(Regression::new(p), &pairs, at);
    }
}

fn go_on<I>(indicator: I, inputs: &[I::Input], at: usize)
where
    I: Indicator + Clone + Serialize + DeserializeOwned,
    I::Output: PartialEq + std::fmt::Debug,
{
    let mut saved = indicator.clone();
    inputs[..at].iter().for_each(|input| saved.advance(*input));
    let text = ron::to_string(&saved).expect("an indicator can be saved");
    let restored: I = ron::from_str(&text).expect("and restored");
    assert_eq!(restored.over(&inputs[at..]), indicator.over(inputs)[at..]);
}
