//! What each figure of a report is: its name, unit and formula. Invariant: tables show what stands here, in this order, and nothing else.

/// How a figure is counted, and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// An amount of the quote currency.
    Money,
    /// An amount of an account's currency.
    Amount,
    /// A fraction, written in percent.
    Fraction,
    /// A number without a unit.
    Ratio,
    /// A whole number.
    Count,
    /// Nanoseconds of virtual time.
    Span,
}

impl Unit {
    /// As `report.json` and the glossary call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Money => "quote currency",
            Self::Amount => "the account's currency",
            Self::Fraction => "fraction, shown in %",
            Self::Ratio => "none",
            Self::Count => "count",
            Self::Span => "ns of virtual time",
        }
    }

    /// As the page's cells call it.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::Money | Self::Amount => "money",
            Self::Fraction => "fraction",
            Self::Ratio => "ratio",
            Self::Count => "count",
            Self::Span => "span",
        }
    }
}

/// One figure.
pub(super) struct Entry {
    /// Its name in `report.json`.
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    pub(super) unit: Unit,
    pub(super) formula: &'static str,
}

/// Figures of one kind.
pub(super) struct Group {
    pub(super) name: &'static str,
    pub(super) entries: &'static [Entry],
}

const fn entry(key: &'static str, name: &'static str, unit: Unit, formula: &'static str) -> Entry {
    Entry { key, name, unit, formula }
}

use Unit::{Amount, Count, Fraction, Money, Ratio, Span};

/// All figures of a strategy, and of all together.
pub(super) const GROUPS: [Group; 5] = [
    Group {
        name: "Result",
        entries: &[
            entry(
                "capital",
                "Capital",
                Money,
                "What returns are measured against: `--capital` for each strategy; of an account what it had at first.",
            ),
            entry(
                "profit",
                "Net profit",
                Money,
                "Realised and unrealised profit less fees; what is held is valued at the last mid, or the last trade, bar or fill where no quotes came, as in the results of actors; that of an account as its equity is.",
            ),
            entry("fees", "Fees", Money, "The sum of the fees of all fills; rebates are negative."),
            entry("total_return", "Return", Fraction, "equity at the end / capital - 1."),
            entry(
                "annualised_return",
                "Annualised return",
                Fraction,
                "(1 + return)^(samples a year / samples) - 1; a year has 365 days of 24 hours.",
            ),
            entry(
                "volatility",
                "Volatility",
                Fraction,
                "Sample standard deviation of the returns between samples, times the root of the samples a year.",
            ),
        ],
    },
    Group {
        name: "Risk",
        entries: &[
            entry(
                "sharpe",
                "Sharpe ratio",
                Ratio,
                "Mean return between samples / their sample standard deviation, times the root of the samples a year; the rate without risk is 0.",
            ),
            entry(
                "sortino",
                "Sortino ratio",
                Ratio,
                "Mean return / root of the mean square of the returns below 0 (those above count 0), times the root of the samples a year.",
            ),
            entry("calmar", "Calmar ratio", Ratio, "Annualised return / maximum drawdown."),
            entry(
                "max_drawdown",
                "Maximum drawdown",
                Fraction,
                "The greatest loss from a peak of the equity to a later low, over the peak.",
            ),
            entry(
                "max_drawdown_span",
                "its duration",
                Span,
                "From the last sample at the peak of the maximum drawdown to the first that is not below it, or to the end.",
            ),
            entry(
                "longest_drawdown_span",
                "Longest drawdown",
                Span,
                "The most time from a peak to the first sample that is not below it, or to the end.",
            ),
            entry(
                "value_at_risk",
                "Value at risk, 95 %",
                Fraction,
                "The 5 % quantile of the returns between samples, interpolated (type 7 of Hyndman and Fan); a loss is negative.",
            ),
            entry("expected_shortfall", "Expected shortfall, 95 %", Fraction, "The mean of the returns at or below the value at risk."),
        ],
    },
    Group {
        name: "Trading",
        entries: &[
            entry("orders", "Orders", Count, "Orders sent, whatever came of them."),
            entry("fills", "Fills", Count, "Fills heard of by the strategy."),
            entry("turnover", "Turnover", Ratio, "The value of all fills, bought and sold, over the mean equity."),
            entry("exposure", "Exposure", Fraction, "The share of the time of the run in which something was held."),
        ],
    },
    Group {
        name: "Round trips",
        entries: &[
            entry(
                "round_trips",
                "Round trips",
                Count,
                "Entries paired with exits, first in, first out; a fill that closes several entries makes a trip with each.",
            ),
            entry("hit_rate", "Hit rate", Fraction, "Trips with a profit after fees / all trips."),
            entry("profit_factor", "Profit factor", Ratio, "Sum of the profits / sum of the losses of trips."),
            entry("expectancy", "Expectancy", Money, "The mean profit of a trip after fees."),
            entry("average_gain", "Average gain", Money, "The mean profit of the trips with a profit."),
            entry("average_loss", "Average loss", Money, "The mean loss of the trips with a loss, as a positive number."),
        ],
    },
    Group {
        name: "Against buy and hold",
        entries: &[
            entry(
                "benchmark_return",
                "Buy and hold",
                Fraction,
                "The return of the instrument from its first price to its last; of several, of equal parts of each.",
            ),
            entry("beta", "Beta", Ratio, "Covariance of the returns with those of buy and hold / variance of the latter."),
            entry("alpha", "Alpha", Fraction, "(mean return - beta * mean return of buy and hold) * samples a year."),
            entry("correlation", "Correlation", Ratio, "Pearson's correlation of the returns with those of buy and hold."),
            entry(
                "tracking_error",
                "Tracking error",
                Fraction,
                "Sample standard deviation of the difference of the returns, times the root of the samples a year.",
            ),
            entry("information_ratio", "Information ratio", Ratio, "Mean difference of the returns * samples a year / tracking error."),
        ],
    },
];

/// The figures of latencies.
pub(super) const LATENCIES: [Entry; 6] = [
    entry("count", "Count", Count, "Orders with both instants known."),
    entry("min", "Least", Span, "The least time."),
    entry("median", "Median", Span, "The 50 % quantile, interpolated."),
    entry("p95", "95 %", Span, "The 95 % quantile, interpolated."),
    entry("p99", "99 %", Span, "The 99 % quantile, interpolated."),
    entry("max", "Most", Span, "The greatest time."),
];

/// The figures of a portfolio's account in one currency, at the end of the run.
pub(super) const ACCOUNTS: [Entry; 8] = [
    entry(
        "equity",
        "Equity",
        Amount,
        "The balance of the account and what is unrealised, by prices at which positions could be closed: the bid of a long one, the ask of a short one.",
    ),
    entry("balance", "Balance", Amount, "Paid in + realised - fees + funding, and losses that others bear."),
    entry("realised", "Realised", Amount, "The profit of what has been closed, without fees."),
    entry("unrealised", "Unrealised", Amount, "The value of open positions less what they cost."),
    entry("fees", "Fees paid", Amount, "The fees of all fills, and of liquidations; rebates are negative."),
    entry("funding", "Funding", Amount, "Funding received less funding paid."),
    entry("margin", "Margin used", Amount, "The initial margin of cross positions, and what is set aside for isolated ones."),
    entry("free", "Free", Amount, "What new positions can be opened with: equity less margin, and less the worth of what is paid in full."),
];

/// The figures of what an account has brought: results and risks, as of a strategy. Its fees are among [`ACCOUNTS`].
pub(super) fn of_accounts() -> impl Iterator<Item = &'static Entry> {
    GROUPS[..2].iter().flat_map(|group| group.entries).filter(|entry| entry.key != "fees")
}
