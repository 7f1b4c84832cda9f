//! Small curves of which every figure can be worked out by hand, and those of which some have none.

use stillpoint_actors::indicators::Deviation;
use stillpoint_actors::statistics::{
    Confidence, Drawdown, Performance, PeriodsPerYear, Relative, SharpeSample, TripFigures, annualised_return, calmar, drawdowns,
    expected_best_sharpe, max_drawdown, mean, percentile, probabilistic_sharpe, returns, sharpe, sortino, standard_deviation, total_return,
    turnover, value_at_risk, volatility,
};

const FOUR: f64 = 4.0;

fn quarters() -> PeriodsPerYear {
    PeriodsPerYear::new(FOUR).expect("above zero")
}

fn confidence(of: f64) -> Confidence {
    Confidence::new(of).expect("between 0 and 1")
}

#[test]
fn a_year_of_quarters() {
    // 0.5, -0.5, 1, 0.5: growth 1.5 * 0.5 * 2 * 1.5 = 2.25.
    let curve = [16.0, 24.0, 12.0, 24.0, 36.0];
    let steps = returns(&curve).expect("above zero");
    assert_eq!(steps, [0.5, -0.5, 1.0, 0.5]);
    assert_eq!((total_return(&steps), annualised_return(&steps, quarters())), (1.25, Some(1.25)));
    // Mean 0.375; deviations 0.125, -0.875, 0.625, 0.125: squares sum to 1.1875.
    assert_eq!(mean(&steps), Some(0.375));
    let deviation = (1.1875f64 / 3.0).sqrt();
    assert_eq!(volatility(&steps, quarters()), Some(deviation * 2.0));
    assert!((sharpe(&steps, 0.125, quarters()).expect("it moves") - 0.25 / deviation * 2.0).abs() < 1e-15);
    // Below zero only -0.5: the root of 0.25 / 4 is 0.25.
    assert_eq!(sortino(&steps, 0.0, quarters()), Some(0.375 / 0.25 * 2.0));
    assert_eq!(calmar(&steps, quarters()), Some(1.25 / 0.5));
    assert_eq!(drawdowns(&curve), [Drawdown { depth: 0.5, peak: 1, trough: 2, recovery: Some(3) }]);
    // Sorted -0.5, 0.5, 0.5, 1: a quarter of the way lies at place 0.75.
    assert_eq!(value_at_risk(&steps, confidence(0.75)), Some(0.25));
}

#[test]
fn drawdowns_one_after_the_other() {
    let curve = [5.0, 5.0, 4.0, 3.0, 3.0, 4.5, 5.0, 4.0, 8.0, 6.0, 2.0, 7.0];
    let found = drawdowns(&curve);
    assert_eq!(
        found,
        [
            Drawdown { depth: 0.4, peak: 1, trough: 3, recovery: Some(6) },
            Drawdown { depth: 0.2, peak: 6, trough: 7, recovery: Some(8) },
            Drawdown { depth: 0.75, peak: 8, trough: 10, recovery: None },
        ]
    );
    assert_eq!(found.iter().map(|drawdown| drawdown.duration(11)).collect::<Vec<_>>(), [5, 2, 3]);
    assert_eq!(max_drawdown(&curve), Some(found[2]));
    // Debts after a peak are more than all of it; from nothing nothing is lost.
    assert_eq!(max_drawdown(&[2.0, -1.0]).map(|deepest| deepest.depth), Some(1.5));
    assert_eq!(drawdowns(&[0.0, -1.0, -2.0, 3.0]), []);
}

#[test]
fn what_has_no_value() {
    let year = PeriodsPerYear::TRADING_DAYS;
    // 0.1 is no binary fraction, so that its mean could be rounded and leave a deviation of next to nothing.
    let flat = [0.1; 30];
    assert_eq!((sharpe(&flat, 0.0, year), sortino(&flat, 0.0, year), calmar(&flat, year)), (None, None, None));
    assert_eq!((volatility(&flat, year), mean(&flat)), (Some(0.0), Some(0.1)));
    assert_eq!(SharpeSample::of(&flat), None);
    assert_eq!((volatility(&[0.1], year), sharpe(&[0.1], 0.0, year)), (None, None));
    assert_eq!((mean(&[]), percentile(&[], 0.5), annualised_return(&[], year)), (None, None, None));
    assert_eq!((standard_deviation(&[1.0], Deviation::Population), standard_deviation(&[1.0], Deviation::Sample)), (Some(0.0), None));
    assert_eq!((returns(&[1.0, 0.0, 1.0]), returns(&[1.0, 0.0]), returns(&[-1.0, 2.0])), (None, Some(vec![-1.0]), None));
    assert_eq!(annualised_return(&[-1.0, 5.0], year), Some(-1.0));
    assert_eq!((percentile(&[1.0], 1.1), percentile(&[1.0], f64::NAN), percentile(&[1.0], 1.0)), (None, None, Some(1.0)));
    assert_eq!((turnover(&[1.0], &[]), turnover(&[1.0], &[-1.0])), (None, None));
    let flat_benchmark = Relative::of(&[0.1, 0.2], &[0.1, 0.1], 0.0, year).expect("equally many");
    assert_eq!((flat_benchmark.beta, flat_benchmark.alpha, flat_benchmark.correlation), (None, None, None));
    assert_eq!(Relative::of(&[0.1, 0.2], &[0.1, 0.2], 0.0, year).map(|same| same.information_ratio), Some(None));
    let sample = SharpeSample { sharpe: 1.0, count: 1, skewness: 0.0, kurtosis: 3.0 };
    assert_eq!(probabilistic_sharpe(sample, 0.0), None);
    assert_eq!(probabilistic_sharpe(SharpeSample { count: 9, skewness: 3.0, ..sample }, 0.0), None);
    assert_eq!(expected_best_sharpe(9.try_into().expect("not zero"), -1.0), None);
    assert_eq!(Performance::of(&[], 0.0, year, confidence(0.5)), None);
    let one = Performance::of(&[1.0], 0.0, year, confidence(0.5)).expect("a point is a curve");
    assert_eq!((one.periods, one.total_return, one.max_drawdown, one.sharpe, one.value_at_risk), (0, 0.0, 0.0, None, None));
}

#[test]
fn parameters_out_of_range() {
    assert_eq!([0.0, -1.0, f64::NAN, f64::INFINITY].map(PeriodsPerYear::new), [None; 4]);
    assert_eq!([0.0, 1.0, f64::NAN, 95.0].map(Confidence::new), [None; 4]);
    let error = ron::from_str::<Confidence>("95").expect_err("not between 0 and 1").to_string();
    assert!(error.contains("a confidence of 95 is not between 0 and 1; 0.95 is usual"), "{error}");
    assert!(ron::from_str::<PeriodsPerYear>("0").is_err());
    assert_eq!(ron::from_str::<PeriodsPerYear>("252").ok(), Some(PeriodsPerYear::TRADING_DAYS));
}

#[test]
fn trades_by_their_profits() {
    let found = TripFigures::of(&[3.0, -1.0, 0.0, 5.0, -3.0]);
    assert_eq!((found.count, found.won, found.lost, found.gains, found.losses), (5, 2, 2, 8.0, 4.0));
    assert_eq!((found.hit_rate(), found.profit_factor(), found.expectancy()), (Some(0.4), Some(2.0), Some(0.8)));
    assert_eq!((found.average_gain(), found.average_loss()), (Some(4.0), Some(2.0)));
    let none = TripFigures::of(&[]);
    assert_eq!(
        (none.hit_rate(), none.profit_factor(), none.expectancy(), none.average_gain(), none.average_loss()),
        (None, None, None, None, None)
    );
}
