"""Figures that the tests of this folder expect, by numpy, pandas and scipy and without this project.

Run it as `python3 actors/tests/statistics/oracle.py`. The equity curve is the closes of bitcoin in ../data; the benchmark's return of day i
is half the curve's return of day i plus (i * 37 % 101 - 50) / 10000. Written with numpy 2.4.6, pandas 3.1.1 and scipy 1.17.1.
"""

import pathlib

import numpy as np
import pandas as pd
from scipy import stats

YEAR = 365.0
FREE = 0.0001


def main():
    path = pathlib.Path(__file__).parent.parent / "data" / "bitstamp-btc-daily" / "btc.csv"
    equity = pd.read_csv(path)["ClosePrice"]
    returns = equity.pct_change().dropna().reset_index(drop=True)
    benchmark = returns / 2 + (np.arange(len(returns)) * 37 % 101 - 50) / 10000
    excess = returns - FREE
    show = lambda name, value: print(f"{name:28} {float(value)!r}")
    total = (1 + returns).prod() - 1
    yearly = (1 + total) ** (YEAR / len(returns)) - 1
    show("total_return", total)
    show("annualised_return", yearly)
    show("volatility", returns.std() * YEAR**0.5)
    show("sharpe", excess.mean() / returns.std() * YEAR**0.5)
    show("sortino", excess.mean() / np.sqrt((np.minimum(excess, 0) ** 2).mean()) * YEAR**0.5)
    below = 1 - equity / equity.cummax()
    trough = below.idxmax()
    peak = equity[: trough + 1].idxmax()
    show("max_drawdown", below.max())
    print("peak, trough", peak, trough, "recovers", list(equity.index[(equity.index > trough) & (equity >= equity[peak])])[:1])
    show("calmar", yearly / below.max())
    at_peak = np.flatnonzero(below == 0)
    last = len(equity) - 1
    print("longest drawdown", max([b - a for a, b in zip(at_peak, at_peak[1:]) if b - a > 1] + [last - at_peak[-1]]))
    for confidence in (0.90, 0.95, 0.99):
        var = np.percentile(returns, 100 * (1 - confidence))
        show(f"var {confidence}", var)
        show(f"parametric {confidence}", stats.norm.ppf(1 - confidence, returns.mean(), returns.std()))
        show(f"shortfall {confidence}", returns[returns <= var].mean())
    line = stats.linregress(benchmark, returns)
    active = returns - benchmark
    show("beta", line.slope)
    show("alpha", (excess.mean() - line.slope * (benchmark.mean() - FREE)) * YEAR)
    show("correlation", line.rvalue)
    show("tracking_error", active.std() * YEAR**0.5)
    show("information_ratio", active.mean() * YEAR / (active.std() * YEAR**0.5))
    show("skewness", stats.skew(returns))
    show("kurtosis", stats.kurtosis(returns, fisher=False))
    daily = returns.mean() / returns.std()
    root = np.sqrt(1 - stats.skew(returns) * daily + (stats.kurtosis(returns, fisher=False) - 1) / 4 * daily**2)
    show("daily sharpe", daily)
    show("probabilistic_sharpe", stats.norm.cdf((daily - 0.02) * np.sqrt(len(returns) - 1) / root))
    best = lambda n, v: v**0.5 * ((1 - np.euler_gamma) * stats.norm.isf(1 / n) + np.euler_gamma * stats.norm.isf(1 / (n * np.e)))
    for trials, variance in ((2, 0.001), (100, 0.5 / 250), (990, 0.0009)):
        show(f"best of {trials}", best(trials, variance))
    show("deflated, best of 990", stats.norm.cdf((daily - best(990, 0.0009)) * np.sqrt(len(returns) - 1) / root))
    for p in (1e-300, 1e-12, 0.001, 0.025, 0.3, 0.5, 0.9, 0.999999):
        show(f"quantile {p}", stats.norm.ppf(p))
    for x in (-38.0, -8.0, -1.0, 0.0, 0.5, 3.0):
        show(f"cdf {x}", stats.norm.cdf(x))


if __name__ == "__main__":
    main()
