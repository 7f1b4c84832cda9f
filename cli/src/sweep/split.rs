//! Spans of time for walking forward. Invariant: a test span begins at or after the end of its training span, and no two test spans overlap.

use std::fmt;

use serde::Deserialize;
use stillpoint_engine::{Duration, Instant};

/// Instants from `from` to before `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    pub(super) from: Instant,
    pub(super) to: Instant,
}

impl Span {
    /// The last instant in it, as a scenario's `end` says it.
    pub(super) fn last(self) -> Instant {
        self.to - Duration::nanos(1)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.from, self.to)
    }
}

/// Where the best parameters are chosen, and where they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) train: Span,
    pub(super) test: Span,
}

/// How a sweep walks forward.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) enum Walk {
    /// Training spans of one length.
    Rolling {
        from: Option<Instant>,
        to: Option<Instant>,
        train: Duration,
        test: Duration,
        step: Option<Duration>,
    },
    /// Training spans that all start at `from`; `train` is the length of the first.
    Anchored {
        from: Option<Instant>,
        to: Option<Instant>,
        train: Duration,
        test: Duration,
        step: Option<Duration>,
    },
    Splits(Vec<Ends>),
}

/// The ends of both spans of a split.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ends {
    train: (Instant, Instant),
    test: (Instant, Instant),
}

impl Walk {
    /// The splits; `start` and `end` (inclusive) are those of the scenario, for what is not said.
    pub(super) fn splits(&self, start: Option<Instant>, end: Option<Instant>) -> Result<Vec<Split>, String> {
        let (is_anchored, from, to, train, test, step) = match self {
            Self::Rolling { from, to, train, test, step } => (false, from, to, *train, *test, step.unwrap_or(*test)),
            Self::Anchored { from, to, train, test, step } => (true, from, to, *train, *test, step.unwrap_or(*test)),
            Self::Splits(list) => return listed(list),
        };
        for (name, length) in [("train", train), ("test", test), ("step", step)] {
            if !length.is_positive() {
                return Err(format!("`{name}` is {length}; it must be longer than \"0s\""));
            }
        }
        if step < test {
            return Err(format!("a step of {step} is shorter than a test of {test}, so the tests would overlap and count twice"));
        }
        let from = from.or(start).ok_or("`from` is missing, and the scenario has no `start` to take instead")?;
        let to = to.or(end.map(|end| end + Duration::nanos(1))).ok_or("`to` is missing, and the scenario has no `end` to take instead")?;
        let mut splits = Vec::new();
        let mut cut = from + train;
        while cut + test <= to && cut < Instant::MAX {
            let train = Span { from: if is_anchored { from } else { cut - train }, to: cut };
            splits.push(Split { train, test: Span { from: cut, to: cut + test } });
            cut = cut + step;
        }
        if splits.is_empty() {
            return Err(format!("a train of {train} and a test of {test} do not fit between {from} and {to}"));
        }
        Ok(splits)
    }
}

fn listed(list: &[Ends]) -> Result<Vec<Split>, String> {
    let mut splits: Vec<Split> = Vec::new();
    for (index, ends) in list.iter().enumerate() {
        let span = |(from, to): (Instant, Instant)| Span { from, to };
        let split = Split { train: span(ends.train), test: span(ends.test) };
        for (name, span) in [("train", split.train), ("test", split.test)] {
            if span.from >= span.to {
                return Err(format!("`{name}` of split {} ends at {}, not after its start at {}", index + 1, span.to, span.from));
            }
        }
        if split.test.from < split.train.to {
            return Err(format!(
                "the test of split {} starts at {}, before its train ends at {}",
                index + 1,
                split.test.from,
                split.train.to
            ));
        }
        if let Some(before) = splits.last()
            && split.test.from < before.test.to
        {
            let cause = format!(
                "the test of split {} starts at {}, before that of split {index} ends at {}",
                index + 1,
                split.test.from,
                before.test.to
            );
            return Err(cause);
        }
        splits.push(split);
    }
    if splits.is_empty() { Err("there is no split in it".to_owned()) } else { Ok(splits) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        Instant::EPOCH + Duration::secs(seconds)
    }

    fn spans(walk: &Walk) -> Vec<[i64; 4]> {
        let seconds = |instant: Instant| instant.since(Instant::EPOCH).as_nanos() / 1_000_000_000;
        let splits = walk.splits(Some(at(0)), Some(at(100) - Duration::nanos(1))).expect("splits");
        splits.iter().map(|Split { train, test }| [train.from, train.to, test.from, test.to].map(seconds)).collect()
    }

    #[test]
    fn splits_by_hand() {
        let (train, test) = (Duration::secs(40), Duration::secs(20));
        let rolling = |step| Walk::Rolling { from: None, to: None, train, test, step };
        assert_eq!(spans(&rolling(None)), [[0, 40, 40, 60], [20, 60, 60, 80], [40, 80, 80, 100]]);
        assert_eq!(spans(&rolling(Some(Duration::secs(30)))), [[0, 40, 40, 60], [30, 70, 70, 90]]);
        let anchored = Walk::Anchored { from: Some(at(10)), to: Some(at(90)), train, test, step: None };
        assert_eq!(spans(&anchored), [[10, 50, 50, 70], [10, 70, 70, 90]]);
        let listed = Walk::Splits(vec![
            Ends { train: (at(0), at(10)), test: (at(10), at(20)) },
            Ends { train: (at(5), at(15)), test: (at(20), at(30)) },
        ]);
        assert_eq!(spans(&listed), [[0, 10, 10, 20], [5, 15, 20, 30]]);
        assert_eq!(Span { from: at(0), to: at(1) }.last(), Instant::from_nanos(999_999_999));
    }

    #[test]
    fn splits_that_cannot_be() {
        let rolling = |train, test, step| Walk::Rolling {
            from: Some(at(0)),
            to: Some(at(100)),
            train: Duration::secs(train),
            test: Duration::secs(test),
            step: Some(Duration::secs(step)),
        };
        let ends = |train: (i64, i64), test: (i64, i64)| Ends { train: (at(train.0), at(train.1)), test: (at(test.0), at(test.1)) };
        for (walk, cause) in [
            (rolling(0, 1, 1), "`train` is 0s"),
            (rolling(1, 0, 1), "`test` is 0s"),
            (rolling(1, 1, 0), "`step` is 0s"),
            (rolling(10, 10, 5), "the tests would overlap"),
            (rolling(90, 20, 20), "do not fit between"),
            (Walk::Splits(vec![]), "no split"),
            (Walk::Splits(vec![ends((5, 5), (5, 6))]), "`train` of split 1 ends at"),
            (Walk::Splits(vec![ends((0, 5), (4, 6))]), "the test of split 1 starts at"),
            (
                Walk::Splits(vec![ends((0, 5), (5, 9)), ends((0, 5), (8, 12))]),
                "the test of split 2 starts at 1970-01-01T00:00:08Z, before that of split 1",
            ),
        ] {
            let error = walk.splits(None, None).expect_err(cause);
            assert!(error.contains(cause), "{error}");
        }
        let open = Walk::Anchored { from: None, to: None, train: Duration::secs(1), test: Duration::secs(1), step: None };
        assert!(open.splits(None, None).expect_err("no start").contains("`from` is missing"));
        assert!(open.splits(Some(at(0)), None).expect_err("no end").contains("`to` is missing"));
    }
}
