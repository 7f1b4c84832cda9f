"""The statistics of the run that report.rs scripts, from its equity worked out by hand, without anything of Stillpoint.

Run it by hand: `python3 report_oracle.py` prints the figures that report.rs holds `report.json` against. Only Python's own library is used."""

from math import sqrt
from statistics import fmean, stdev

STEP = 0.005
YEAR = 365 * 86400 / STEP
# (from which sample on, profit): see the table in report.rs.
PROFITS = [(0, 0.0), (640, -2.99), (800, -14.99), (840, -21.13), (1000, -9.13), (1200, -13.13)]
MIDS = [(200, 100.0), (400, 106.0), (600, 100.0), (800, 106.0), (1000, 112.0), (1200, 110.0)]


def held(steps, sample):
    return [value for since, value in steps if since <= sample][-1]


def returns(values):
    return [after / before - 1 for before, after in zip(values, values[1:])]


# The account of report.rs, likewise.
ACCOUNT = [(0, 1000.0), (830, 983.01), (1200, 984.87)]

account = [held(ACCOUNT, sample) for sample in range(1201)]
moves = returns(account)
for name, value in {
    "capital": 1000.0,
    "profit": -15.13,
    "total_return": account[-1] / 1000 - 1,
    "volatility": stdev(moves) * sqrt(YEAR),
    "sharpe": fmean(moves) / stdev(moves) * sqrt(YEAR),
    "sortino": fmean(moves) / sqrt(fmean([min(step, 0) ** 2 for step in moves])) * sqrt(YEAR),
    "max_drawdown": 16.99 / 1000,
    "max_drawdown_span": (1200 - 829) * STEP * 1e9,
    "value_at_risk": sorted(moves)[60],
}.items():
    print(f'    ("{name}", {value!r}),')

equity = [1000 + held(PROFITS, sample) for sample in range(1201)]
steps = returns(equity)
mean, root = fmean(steps), sqrt(YEAR)
downside = sqrt(fmean([min(step, 0) ** 2 for step in steps]))
ordered = sorted(steps)
place = (len(steps) - 1) * 0.05
low = ordered[int(place)]
at_risk = low + (ordered[int(place) + 1] - low) * (place - int(place))
market = [held(MIDS, sample) for sample in range(200, 1201)]
own, other = returns(equity[200:]), returns(market)
co = fmean([a * b for a, b in zip(own, other)]) - fmean(own) * fmean(other)
variance = fmean([b * b for b in other]) - fmean(other) ** 2
spread = fmean([a * a for a in own]) - fmean(own) ** 2
active = [a - b for a, b in zip(own, other)]
beta = co / variance
for name, value in {
    "total_return": equity[-1] / 1000 - 1,
    "volatility": stdev(steps) * root,
    "sharpe": mean / stdev(steps) * root,
    "sortino": mean / downside * root,
    "max_drawdown": 21.13 / 1000,
    "value_at_risk": at_risk,
    "expected_shortfall": fmean([step for step in steps if step <= at_risk]),
    "turnover": (2 * 99 + 4 * 107) / fmean(equity),
    "exposure": 2.8 / 6,
    "benchmark_return": 0.1,
    "beta": beta,
    "alpha": (fmean(own) - beta * fmean(other)) * YEAR,
    "correlation": co / sqrt(variance * spread),
    "tracking_error": stdev(active) * root,
    "information_ratio": fmean(active) * YEAR / (stdev(active) * root),
}.items():
    print(f'        ("{name}", {value!r}),')
