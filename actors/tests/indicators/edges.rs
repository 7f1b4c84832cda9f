//! Input of which the formulas have no obvious value. Figures worked out by hand.

use stillpoint_actors::indicators::{
    Adx, AdxValue, Atr, Band, Bollinger, Candle, Cci, Correlation, Deviation, Donchian, Ema, Indicator, Keltner, Macd, MacdPeriods,
    MacdValue, Obv, Pair, Regression, Roc, RollingStd, Rsi, Seed, Sma, Stochastic, StochasticPeriods, StochasticValue, Vwap,
};

use crate::period;

/// A candle of one price.
fn at(price: f64, volume: f64) -> Candle {
    Candle { open: price, high: price, low: price, close: price, volume }
}

fn last<I: Indicator>(indicator: I, inputs: &[I::Input]) -> Option<I::Output> {
    indicator.over(inputs).pop().flatten()
}

/// 0.1 is no binary fraction, so that sums of it are rounded.
#[test]
fn values_that_never_move() {
    let (flat, candles) = ([0.1; 60], [at(0.1, 1.0); 60]);
    assert_eq!(last(Rsi::new(period(14), Seed::Average), &flat), Some(50.0));
    assert_eq!(last(Macd::new(MacdPeriods::USUAL, Seed::FirstValue), &flat), Some(MacdValue::default()));
    assert_eq!(last(RollingStd::new(period(7), Deviation::Sample), &flat), Some(0.0));
    assert_eq!(last(Bollinger::new(period(7), 2.0), &flat), Some(Band { lower: 0.1, middle: 0.1, upper: 0.1 }));
    assert_eq!(last(Cci::new(period(7)), &candles), Some(0.0));
    assert_eq!(last(Atr::new(period(7), Seed::Average), &candles), Some(0.0));
    assert_eq!(last(Adx::new(period(7)), &candles), Some(AdxValue::default()));
    assert_eq!(last(Roc::new(period(7)), &flat), Some(0.0));
    assert_eq!(last(Obv::default(), &candles), Some(1.0));
    assert_eq!(last(Donchian::new(period(7)), &candles), Some(Band { lower: 0.1, middle: 0.1, upper: 0.1 }));
    let periods = StochasticPeriods { range: period(5), k: period(3), d: period(3) };
    assert_eq!(last(Stochastic::new(periods), &candles), Some(StochasticValue { k: 50.0, d: 50.0 }));
    let pairs = [Pair { x: 0.1, y: 0.3 }; 60];
    assert_eq!(last(Correlation::new(period(7)), &pairs), None);
    assert_eq!(last(Regression::new(period(7)), &pairs), None);
    let pairs: Vec<Pair> = (0..60).map(|x| Pair { x: f64::from(x), y: 0.3 }).collect();
    assert_eq!(last(Correlation::new(period(7)), &pairs), None);
    assert_eq!(last(Regression::new(period(7)), &pairs).map(|line| line.slope), Some(0.0));
}

#[test]
fn values_that_only_rise_or_only_fall() {
    let up: Vec<f64> = (1..=60).map(f64::from).collect();
    let down: Vec<f64> = up.iter().rev().copied().collect();
    for seed in [Seed::Average, Seed::FirstValue] {
        assert_eq!(last(Rsi::new(period(14), seed), &up), Some(100.0));
        assert_eq!(last(Rsi::new(period(14), seed), &down), Some(0.0));
    }
    let candles = |values: &[f64]| values.iter().map(|value| at(*value, 2.0)).collect::<Vec<_>>();
    assert_eq!(last(Adx::new(period(14)), &candles(&up)), Some(AdxValue { adx: 100.0, plus: 100.0, minus: 0.0 }));
    assert_eq!(last(Adx::new(period(14)), &candles(&down)), Some(AdxValue { adx: 100.0, plus: 0.0, minus: 100.0 }));
    assert_eq!(last(Obv::default(), &candles(&up)), Some(120.0));
    assert_eq!(last(Obv::default(), &candles(&down)), Some(2.0 - 2.0 * 59.0));
    let periods = StochasticPeriods { range: period(5), k: period(3), d: period(3) };
    assert_eq!(last(Stochastic::new(periods), &candles(&up)), Some(StochasticValue { k: 100.0, d: 100.0 }));
    assert_eq!(last(Stochastic::new(periods), &candles(&down)), Some(StochasticValue::default()));
}

#[test]
fn a_value_that_is_not_finite_is_a_gap() {
    let values = [1.0, f64::NAN, 2.0, f64::INFINITY, 6.0, f64::NEG_INFINITY];
    assert_eq!(Sma::new(period(3)).over(&values), [None, None, None, None, Some(3.0), None]);
    assert_eq!(Ema::new(period(2), Seed::Average).over(&values), [None, None, Some(1.5), None, Some(4.5), None]);
    let candle = Candle { low: f64::NAN, ..at(1.0, 1.0) };
    assert_eq!(Vwap::default().over(&[at(3.0, 1.0), candle, at(5.0, 1.0)]), [Some(3.0), None, Some(4.0)]);
    let pairs = [Pair { x: 1.0, y: 2.0 }, Pair { x: f64::NAN, y: 0.0 }, Pair { x: 2.0, y: 4.0 }];
    assert_eq!(last(Regression::new(period(2)), &pairs).map(|line| line.slope), Some(2.0));
}

#[test]
fn a_huge_value_is_forgotten_once_it_has_left() {
    let mut values = vec![1.0; 100];
    values[10] = 1e16;
    values[11] = 1e150;
    assert_eq!(Sma::new(period(20)).over(&values)[31..], [Some(1.0); 69]);
    assert_eq!(RollingStd::new(period(20), Deviation::Population).over(&values)[31..], [Some(0.0); 69]);
}

/// 20,000 values, then a window of which the mean is known: nothing has added up meanwhile.
#[test]
fn nothing_drifts() {
    let values: Vec<f64> = (0..20_000u32).map(|at| f64::from(at.wrapping_mul(2_654_435_761) >> 8) / 7.0 * 1e6).collect();
    let mut sma = Sma::new(period(30));
    values.iter().for_each(|value| sma.advance(*value));
    assert_eq!(last(sma, &[0.25; 30]), Some(0.25));
}

#[test]
fn warm_up_ends_where_it_says() {
    let candles: Vec<Candle> = (0..100).map(|at_index| at(f64::from(at_index % 7), 1.0)).collect();
    let closes: Vec<f64> = candles.iter().map(|candle| candle.close).collect();
    fn first<T>(values: Vec<Option<T>>) -> Option<usize> {
        values.iter().position(Option::is_some)
    }
    for seed in [Seed::Average, Seed::FirstValue] {
        assert_eq!(first(Ema::new(period(10), seed).over(&closes)), Some(9));
        assert_eq!(first(Rsi::new(period(14), seed).over(&closes)), Some(14));
        assert_eq!(first(Macd::new(MacdPeriods::USUAL, seed).over(&closes)), Some(33));
        assert_eq!(first(Atr::new(period(14), seed).over(&candles)), Some(14));
        assert_eq!(first(Keltner::usual(seed).over(&candles)), Some(19));
    }
    assert_eq!(first(Adx::new(period(14)).over(&candles)), Some(27));
    assert_eq!(first(Cci::new(period(20)).over(&candles)), Some(19));
    let periods = StochasticPeriods { range: period(14), k: period(3), d: period(3) };
    assert_eq!(first(Stochastic::new(periods).over(&candles)), Some(17));
}

/// EMA over 3 (alpha 1/2) of closes 10, 12, 14, 12: mean 12, then 12. Ranges against the close before: 3, 2, 4; Wilder over 2: 2.5, 3.25.
#[test]
fn a_keltner_channel_by_hand() {
    let bar = |high: f64, low: f64, close: f64| Candle { open: close, high, low, close, volume: 0.0 };
    let candles = [bar(10.0, 9.0, 10.0), bar(12.0, 9.0, 12.0), bar(14.0, 13.0, 14.0), bar(15.0, 11.0, 12.0)];
    let channel = Keltner::new(Ema::new(period(3), Seed::Average), Atr::new(period(2), Seed::Average), 2.0).over(&candles);
    let expected = [None, None, Some(Band { lower: 7.0, middle: 12.0, upper: 17.0 }), Some(Band { lower: 5.5, middle: 12.0, upper: 18.5 })];
    assert_eq!(channel, expected);
}

/// Volumes 3, 1 and 4 at 10, 14 and 12: (30 + 14 + 48) / 8; after a reset the last alone.
#[test]
fn a_volume_weighted_price_by_hand() {
    let mut vwap = Vwap::default();
    assert_eq!([at(10.0, 3.0), at(14.0, 1.0), at(12.0, 4.0)].map(|candle| vwap.update(candle)), [Some(10.0), Some(11.0), Some(11.5)]);
    vwap.reset();
    assert_eq!(vwap.value(), None);
    assert_eq!(vwap.update(at(7.0, 2.0)), Some(7.0));
}
