//! Statistics against figures of numpy, pandas and scipy (oracle.py), and against figures worked out by hand.

mod by_hand;
mod round_trips;

use std::path::Path;

use stillpoint_actors::statistics::{
    Confidence, Performance, PeriodsPerYear, Relative, SharpeSample, deflated_sharpe, drawdowns, expected_best_sharpe, expected_shortfall,
    kurtosis, max_drawdown, normal_cdf, normal_quantile, parametric_value_at_risk, probabilistic_sharpe, returns, skewness, value_at_risk,
};

fn equity() -> Vec<f64> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/bitstamp-btc-daily/btc.csv");
    let text = std::fs::read_to_string(path).expect("a file of this repository");
    text.lines().skip(1).map(|line| line.split(',').nth(4).expect("a close").parse().expect("a number")).collect()
}

fn is(name: &str, found: impl Into<Option<f64>>, wanted: f64) {
    let found = found.into().unwrap_or_else(|| panic!("{name} has no value"));
    assert!((found - wanted).abs() <= 1e-11 * wanted.abs().max(1e-4), "{name} is {found}, not {wanted}");
}

#[test]
fn an_equity_curve() {
    let equity = equity();
    let confidence = Confidence::new(0.95).expect("between 0 and 1");
    let found = Performance::of(&equity, 0.0001, PeriodsPerYear::DAYS, confidence).expect("a curve above zero");
    assert_eq!(found.periods, 485);
    is("total return", found.total_return, 1.346668291230074);
    is("annualised return", found.annualised_return, 0.900174787036069);
    is("volatility", found.volatility, 0.8033665601781564);
    is("Sharpe", found.sharpe, 1.176136292924267);
    is("Sortino", found.sortino, 1.69875310097113);
    is("Calmar", found.calmar, 1.4396498944643261);
    is("drawdown", found.max_drawdown, 0.6252734018856797);
    assert_eq!(found.longest_drawdown, 308);
    is("value at risk", found.value_at_risk, -0.05665114579474337);
    is("parametric value at risk", found.parametric_value_at_risk, -0.0664776239224839);
    is("expected shortfall", found.expected_shortfall, -0.09123031543558419);
    let deepest = max_drawdown(&equity).expect("it fell");
    assert_eq!((deepest.peak, deepest.trough, deepest.recovery), (177, 437, None));
    assert_eq!(drawdowns(&equity).iter().map(|drawdown| drawdown.duration(485)).max(), Some(308));
}

#[test]
fn losses_at_each_confidence() {
    let returns = returns(&equity()).expect("a curve above zero");
    for (confidence, historical, parametric, shortfall) in [
        (0.90, -0.03702955688568186, -0.05120072587548851, -0.06816838447901646),
        (0.95, -0.05665114579474337, -0.0664776239224839, -0.09123031543558419),
        (0.99, -0.09793523627021788, -0.09513454398531411, -0.17632208890044312),
    ] {
        let confidence = Confidence::new(confidence).expect("between 0 and 1");
        is("historical", value_at_risk(&returns, confidence), historical);
        is("parametric", parametric_value_at_risk(&returns, confidence), parametric);
        is("shortfall", expected_shortfall(&returns, confidence), shortfall);
    }
}

#[test]
fn against_a_benchmark() {
    let returns = returns(&equity()).expect("a curve above zero");
    let benchmark: Vec<f64> =
        returns.iter().enumerate().map(|(day, step)| step / 2.0 + ((day * 37 % 101) as f64 - 50.0) / 10000.0).collect();
    let found = Relative::of(&returns, &benchmark, 0.0001, PeriodsPerYear::DAYS).expect("equally many");
    is("beta", found.beta, 1.9860514016203072);
    is("alpha", found.alpha, 0.04537615147618779);
    is("correlation", found.correlation, 0.99032463444499);
    is("tracking error", found.tracking_error, 0.4104337692410117);
    is("information ratio", found.information_ratio, 1.1986432459655632);
    assert_eq!(Relative::of(&returns, &benchmark[1..], 0.0, PeriodsPerYear::DAYS), None);
}

#[test]
fn what_luck_would_show() {
    let returns = returns(&equity()).expect("a curve above zero");
    is("skewness", skewness(&returns), -1.1267518468858568);
    is("kurtosis", kurtosis(&returns), 20.313621554672448);
    let sample = SharpeSample::of(&returns).expect("returns that move");
    is("daily Sharpe", sample.sharpe, 0.06393990126098612);
    is("probabilistic Sharpe", probabilistic_sharpe(sample, 0.02), 0.822556697172438);
    let trials = |count: u64| count.try_into().expect("not zero");
    for (count, variance, best) in
        [(2, 0.001, 0.01643610713971647), (100, 0.5 / 250.0, 0.11317200186513203), (990, 0.0009, 0.09756786985565263)]
    {
        is("best of luck", expected_best_sharpe(trials(count), variance), best);
    }
    is("deflated Sharpe", deflated_sharpe(sample, trials(990), 0.0009), 0.2394616903552897);
    // One trial is no choice: the probability that the true ratio is above zero.
    assert_eq!(deflated_sharpe(sample, trials(1), 0.0009), probabilistic_sharpe(sample, 0.0));
    // The paper's own example: 0.9004 with 100 trials, 0.9505 with 46.
    let sample = SharpeSample { sharpe: 2.5 / 250f64.sqrt(), count: 1250, skewness: -3.0, kurtosis: 10.0 };
    for (count, probability) in [(100, 0.9004), (46, 0.9505)] {
        let found = deflated_sharpe(sample, trials(count), 0.5 / 250.0).expect("it has a value");
        assert!((found - probability).abs() < 5e-5, "{count}: {found}");
    }
}

#[test]
fn the_normal_distribution() {
    for (probability, z) in [
        (1e-300, -37.0470962993612),
        (1e-12, -7.034483825301131),
        (0.001, -3.090232306167813),
        (0.025, -1.9599639845400545),
        (0.3, -0.5244005127080409),
        (0.5, 0.0),
        (0.9, 1.2815515655446004),
        (0.999999, 4.753424308817087),
    ] {
        is("quantile", normal_quantile(probability), z);
    }
    for (x, probability) in [(-8.0, 6.22096057427174e-16), (-1.0, 0.15865525393145707), (0.0, 0.5), (0.5, 0.6914624612740131)] {
        let found = normal_cdf(x);
        assert!((found / probability - 1.0).abs() < 1e-13, "{x}: {found}");
    }
    assert_eq!([0.0, 1.0, -0.1, f64::NAN].map(normal_quantile), [None; 4]);
}
