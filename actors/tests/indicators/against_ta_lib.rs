//! Each indicator that TA-Lib has, against it.

use stillpoint_actors::indicators::{
    Adx, Atr, Bollinger, Candle, Cci, Correlation, Deviation, Ema, Indicator, Macd, MacdPeriods, Obv, Pair, Roc, RollingMax, RollingMin,
    RollingStd, Rsi, Seed, Sma, Stochastic, StochasticPeriods, Wma,
};
use ta_lib::{Core, MAType, OutRange, RetCode};

use crate::series::{adjusted_closes, bitcoin, closes, shares};
use crate::{close, period};

/// `outputs` series of TA-Lib, aligned with the input: `None` in the warm-up.
fn oracle<const N: usize>(len: usize, call: impl FnOnce([&mut [f64]; N]) -> Result<OutRange, RetCode>) -> Vec<Option<[f64; N]>> {
    let mut raw: [Vec<f64>; N] = std::array::from_fn(|_| vec![0.0; len]);
    let range = call(raw.each_mut().map(Vec::as_mut_slice)).expect("parameters that TA-Lib takes");
    let at = |index: usize| (range.beg_idx..range.beg_idx + range.count).contains(&index).then(|| index - range.beg_idx);
    (0..len).map(|index| at(index).map(|at| std::array::from_fn(|series| raw[series][at]))).collect()
}

fn check<const N: usize>(name: &str, found: Vec<Option<[f64; N]>>, wanted: Vec<Option<[f64; N]>>) {
    assert_eq!(found.len(), wanted.len(), "{name}");
    for (index, pair) in found.iter().zip(&wanted).enumerate() {
        let good = match pair {
            (Some(found), Some(wanted)) => found.iter().zip(wanted).all(|(found, wanted)| close(*found, *wanted, 1e-9)),
            (found, wanted) => found.is_none() && wanted.is_none(),
        };
        assert!(good, "{name} at {index}: {:?}, but TA-Lib says {:?}", pair.0, pair.1);
    }
}

fn one(values: Vec<Option<f64>>) -> Vec<Option<[f64; 1]>> {
    values.into_iter().map(|value| value.map(|value| [value])).collect()
}

fn check_values(name: &str, x: &[f64]) {
    let (core, last) = (Core::new(), x.len() - 1);
    for n in [2, 5, 14, 20, 50, 200] {
        let (p, n, name) = (period(n), n as i32, format!("{name}, {n}"));
        check(&format!("SMA of {name}"), one(Sma::new(p).over(x)), oracle(x.len(), |[out]| core.sma(0, last, x, n, out)));
        check(&format!("WMA of {name}"), one(Wma::new(p).over(x)), oracle(x.len(), |[out]| core.wma(0, last, x, n, out)));
        check(&format!("EMA of {name}"), one(Ema::new(p, Seed::Average).over(x)), oracle(x.len(), |[out]| core.ema(0, last, x, n, out)));
        check(&format!("RSI of {name}"), one(Rsi::new(p, Seed::Average).over(x)), oracle(x.len(), |[out]| core.rsi(0, last, x, n, out)));
        check(&format!("MIN of {name}"), one(RollingMin::new(p).over(x)), oracle(x.len(), |[out]| core.min(0, last, x, n, out)));
        check(&format!("MAX of {name}"), one(RollingMax::new(p).over(x)), oracle(x.len(), |[out]| core.max(0, last, x, n, out)));
        check(&format!("ROC of {name}"), one(Roc::new(p).over(x)), oracle(x.len(), |[out]| core.roc(0, last, x, n, out)));
        let std = RollingStd::new(p, Deviation::Population).over(x);
        check(&format!("STDDEV of {name}"), one(std), oracle(x.len(), |[out]| core.stddev(0, last, x, n, 1.0, out)));
        let bands = Bollinger::new(p, 2.0).over(x).into_iter().map(|band| band.map(|b| [b.upper, b.middle, b.lower])).collect();
        let wanted = oracle(x.len(), |[a, b, c]| core.bbands(0, last, x, n, 2.0, 2.0, MAType::SMA, a, b, c));
        check(&format!("BBANDS of {name}"), bands, wanted);
    }
    for [fast, slow, signal] in [[12, 26, 9], [5, 35, 5]] {
        let periods = MacdPeriods { fast: period(fast), slow: period(slow), signal: period(signal) };
        let macd = Macd::new(periods, Seed::Average).over(x).into_iter().map(|m| m.map(|m| [m.macd, m.signal, m.histogram])).collect();
        let wanted = oracle(x.len(), |[a, b, c]| core.macd(0, last, x, fast as i32, slow as i32, signal as i32, a, b, c));
        check(&format!("MACD of {name}, {periods:?}"), macd, wanted);
    }
}

fn check_candles(name: &str, candles: &[Candle]) {
    let (core, last, len) = (Core::new(), candles.len() - 1, candles.len());
    let column = |of: fn(&Candle) -> f64| candles.iter().map(of).collect::<Vec<f64>>();
    let (high, low, x, volume) = (column(|c| c.high), column(|c| c.low), column(|c| c.close), column(|c| c.volume));
    for n in [2, 5, 14, 20, 50] {
        let (p, n, name) = (period(n), n as i32, format!("{name}, {n}"));
        let wanted = oracle(len, |[out]| core.atr(0, last, &high, &low, &x, n, out));
        check(&format!("ATR of {name}"), one(Atr::new(p, Seed::Average).over(candles)), wanted);
        let wanted = oracle(len, |[out]| core.cci(0, last, &high, &low, &x, n, out));
        check(&format!("CCI of {name}"), one(Cci::new(p).over(candles)), wanted);
        let found = Adx::new(p).over(candles);
        let adx = found.iter().map(|value| value.map(|value| [value.adx])).collect();
        check(&format!("ADX of {name}"), adx, oracle(len, |[out]| core.adx(0, last, &high, &low, &x, n, out)));
        let plus = oracle::<1>(len, |[out]| core.plus_di(0, last, &high, &low, &x, n, out));
        let minus = oracle::<1>(len, |[out]| core.minus_di(0, last, &high, &low, &x, n, out));
        for (index, value) in found.into_iter().enumerate().filter_map(|(index, value)| Some((index, value?))) {
            let (Some([plus]), Some([minus])) = (plus[index], minus[index]) else { panic!("TA-Lib has DI where it has ADX") };
            assert!(close(value.plus, plus, 1e-9) && close(value.minus, minus, 1e-9), "DI of {name} at {index}: {value:?}");
        }
        let pairs: Vec<Pair> = candles.iter().map(|c| Pair { x: c.open, y: c.close }).collect();
        let open = column(|c| c.open);
        let wanted = oracle(len, |[out]| core.correl(0, last, &open, &x, n, out));
        if n >= 14 {
            check(&format!("CORREL of {name}"), one(Correlation::new(p).over(&pairs)), wanted);
        }
    }
    check(&format!("OBV of {name}"), one(Obv::default().over(candles)), oracle(len, |[out]| core.obv(0, last, &x, &volume, out)));
    for [range, k, d] in [[14, 3, 3], [5, 1, 3]] {
        let periods = StochasticPeriods { range: period(range), k: period(k), d: period(d) };
        let found = Stochastic::new(periods).over(candles).into_iter().map(|s| s.map(|s| [s.k, s.d])).collect();
        let wanted =
            oracle(len, |[a, b]| core.stoch(0, last, &high, &low, &x, range as i32, k as i32, MAType::SMA, d as i32, MAType::SMA, a, b));
        check(&format!("STOCH of {name}, {periods:?}"), found, wanted);
    }
}

#[test]
fn bitcoin_by_day() {
    let candles = bitcoin();
    assert_eq!(candles.len(), 486);
    check_values("bitcoin", &closes(&candles));
    check_candles("bitcoin", &candles);
}

#[test]
fn five_shares_by_day() {
    for (symbol, candles) in shares() {
        check_values(&symbol, &closes(&candles));
        check_candles(&symbol, &candles);
    }
}

#[test]
fn adjusted_closes_of_twenty_shares() {
    for (symbol, closes) in adjusted_closes() {
        check_values(&symbol, &closes);
    }
}

/// Figures of the C library and of pandas for the closes of bitcoin.
#[test]
fn published_figures() {
    let closes = closes(&bitcoin());
    let macd = |seed| Macd::new(MacdPeriods::USUAL, seed).over(&closes);
    let is = |found: f64, wanted: f64, digits: f64| assert!((found - wanted).abs() <= digits, "{found}, not {wanted}");
    let by_average = macd(Seed::Average);
    assert_eq!(by_average[32], None);
    is(by_average[33].expect("warm").macd, -103.1673, 5e-5);
    is(by_average[485].expect("warm").macd, 297.031_480_722_2, 5e-11);
    is(macd(Seed::FirstValue)[33].expect("warm").macd, -71.6096, 5e-5);
    let rsi = Rsi::new(period(14), Seed::Average).over(&closes);
    assert_eq!(rsi[13], None);
    is(rsi[14].expect("warm"), 48.874_967, 5e-7);
    is(rsi[485].expect("warm"), 73.572_981, 5e-7);
}
