//! Faults of streams: a source that spoils another one. Invariant: what it does depends on the event times of the items alone.

use std::collections::VecDeque;

use crate::source::{Source, SourceError, Timed};
use crate::time::{Duration, Instant};

/// What goes wrong with a stream; windows hold `from` and not `to`, by the event time of the undisturbed item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamFault {
    /// The items are lost.
    Gap {
        /// The first instant.
        from: Instant,
        /// The instant after the last.
        to: Instant,
    },
    /// Each item comes twice.
    Duplicate {
        /// The first instant.
        from: Instant,
        /// The instant after the last.
        to: Instant,
    },
    /// The items come behind the first one whose event time is that much later, or at the end.
    Late {
        /// The first instant.
        from: Instant,
        /// The instant after the last.
        to: Instant,
        /// By how much.
        by: Duration,
    },
    /// The items have wrong event times.
    Skew {
        /// The first instant.
        from: Instant,
        /// The instant after the last.
        to: Instant,
        /// What is added to them; may be negative.
        by: Duration,
    },
    /// Nothing comes any more.
    Disconnect {
        /// The event time of the first item that does not come.
        at: Instant,
    },
    /// The source fails, which ends the run.
    Fail {
        /// The event time of the item at which it does.
        at: Instant,
    },
}

/// Puts faults around a source, as scenarios do; see [`Stream::wrap`](crate::Stream::wrap).
///
/// ```
/// use stillpoint_engine::scenario::{StreamFault, spoil};
/// use stillpoint_engine::{Instant, Stream, Timed};
/// let items = (0..3).map(|n| Timed { at: Instant::from_nanos(n), value: n }).collect();
/// let lost = vec![StreamFault::Gap { from: Instant::from_nanos(1), to: Instant::from_nanos(2) }];
/// let stream = Stream::from_vec(items).wrap(move |source| spoil(source, lost.clone()));
/// # let _: Stream<i64> = stream;
/// ```
pub fn spoil<M: Clone + 'static>(inner: Box<dyn Source<Item = M>>, faults: Vec<StreamFault>) -> Box<dyn Source<Item = M>> {
    Box::new(Spoiled { inner, faults, ready: VecDeque::new(), held: Vec::new(), ended: false })
}

/// Ends a source before its first item that lies after `at`.
pub(super) fn cut<M: 'static>(inner: Box<dyn Source<Item = M>>, at: Instant) -> Box<dyn Source<Item = M>> {
    Box::new(Cut { inner: Some(inner), at })
}

struct Cut<M> {
    inner: Option<Box<dyn Source<Item = M>>>,
    at: Instant,
}

impl<M: 'static> Source for Cut<M> {
    type Item = M;

    fn next(&mut self) -> Result<Option<Timed<M>>, SourceError> {
        let Some(inner) = &mut self.inner else { return Ok(None) };
        match inner.next()? {
            Some(item) if item.at <= self.at => Ok(Some(item)),
            _ => {
                self.inner = None;
                Ok(None)
            }
        }
    }

    fn progress(&self) -> Option<(u64, u64)> {
        self.inner.as_ref().and_then(|inner| inner.progress())
    }
}

struct Spoiled<M> {
    inner: Box<dyn Source<Item = M>>,
    faults: Vec<StreamFault>,
    /// What comes next.
    ready: VecDeque<Timed<M>>,
    /// What is kept back, with the event time that releases it.
    held: Vec<(Instant, Timed<M>)>,
    ended: bool,
}

impl<M: Clone + 'static> Source for Spoiled<M> {
    type Item = M;

    fn next(&mut self) -> Result<Option<Timed<M>>, SourceError> {
        while self.ready.is_empty() && !self.ended {
            match self.inner.next()? {
                Some(item) => self.take(item)?,
                None => self.end(),
            }
        }
        Ok(self.ready.pop_front())
    }

    fn progress(&self) -> Option<(u64, u64)> {
        self.inner.progress()
    }
}

impl<M: Clone + 'static> Spoiled<M> {
    /// Passes one item on, as the faults at its event time have it.
    fn take(&mut self, mut item: Timed<M>) -> Result<(), SourceError> {
        let at = item.at;
        let mut copies = 1;
        let mut release = None;
        for fault in &self.faults {
            match *fault {
                StreamFault::Disconnect { at: when } if at >= when => {
                    self.end();
                    return Ok(());
                }
                StreamFault::Fail { at: when } if at >= when => {
                    return Err(SourceError(format!("the scenario lets the source fail at {when}")));
                }
                StreamFault::Gap { from, to } if from <= at && at < to => copies = 0,
                StreamFault::Duplicate { from, to } if from <= at && at < to => copies *= 2,
                StreamFault::Skew { from, to, by } if from <= at && at < to => item.at = item.at + by,
                StreamFault::Late { from, to, by } if from <= at && at < to => release = Some(at + by),
                _ => {}
            }
        }
        for _ in 0..copies {
            match release {
                Some(release) => self.held.push((release, item.clone())),
                None => self.ready.push_back(item.clone()),
            }
        }
        let ready = &mut self.ready;
        self.held.retain(|(release, held)| {
            let due = *release <= at;
            if due {
                ready.push_back(held.clone());
            }
            !due
        });
        Ok(())
    }

    /// Nothing more comes: what is kept back comes now.
    fn end(&mut self) {
        self.ended = true;
        self.ready.extend(self.held.drain(..).map(|(_, item)| item));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Duration;

    struct Numbers(i64);

    impl Source for Numbers {
        type Item = i64;

        fn next(&mut self) -> Result<Option<Timed<i64>>, SourceError> {
            self.0 += 1;
            Ok((self.0 <= 5).then(|| Timed { at: Instant::from_nanos(self.0 * 10), value: self.0 }))
        }
    }

    /// Items 1 to 5 at 10, 20, .. 50, spoiled: (time, value) until the end or the failure.
    fn check(faults: &[StreamFault], expected: &[(i64, i64)], fails: bool) {
        let mut source = spoil(Box::new(Numbers(0)), faults.to_vec());
        let mut found = Vec::new();
        let failed = loop {
            match source.next() {
                Ok(Some(item)) => found.push((item.at.as_nanos(), item.value)),
                Ok(None) => break false,
                Err(_) => break true,
            }
        };
        assert_eq!((found.as_slice(), failed), (expected, fails), "{faults:?}");
    }

    /// Behind the first item that lies after the cut nothing comes, though it lies before.
    #[test]
    fn a_cut_ends_a_source() {
        let late = StreamFault::Late { from: Instant::from_nanos(20), to: Instant::from_nanos(21), by: Duration::nanos(20) };
        // The items: 10, 30, 40, 20, 50.
        let times = |at: i64| {
            let mut source = cut(spoil(Box::new(Numbers(0)), vec![late]), Instant::from_nanos(at));
            std::iter::from_fn(|| source.next().expect("nothing fails")).map(|item| item.at.as_nanos()).collect::<Vec<_>>()
        };
        assert_eq!(times(9), []);
        assert_eq!(times(30), [10, 30]);
        assert_eq!(times(45), [10, 30, 40, 20]);
        assert_eq!(times(50), [10, 30, 40, 20, 50]);
    }

    #[test]
    fn each_fault_does_what_it_says() {
        let at = Instant::from_nanos;
        let (from, to) = (at(20), at(40));
        check(&[], &[(10, 1), (20, 2), (30, 3), (40, 4), (50, 5)], false);
        check(&[StreamFault::Gap { from, to }], &[(10, 1), (40, 4), (50, 5)], false);
        check(&[StreamFault::Duplicate { from, to }], &[(10, 1), (20, 2), (20, 2), (30, 3), (30, 3), (40, 4), (50, 5)], false);
        check(&[StreamFault::Skew { from, to, by: Duration::nanos(-15) }], &[(10, 1), (5, 2), (15, 3), (40, 4), (50, 5)], false);
        check(&[StreamFault::Late { from, to, by: Duration::nanos(20) }], &[(10, 1), (40, 4), (20, 2), (50, 5), (30, 3)], false);
        check(&[StreamFault::Late { from, to, by: Duration::nanos(99) }], &[(10, 1), (40, 4), (50, 5), (20, 2), (30, 3)], false);
        check(&[StreamFault::Disconnect { at: at(30) }], &[(10, 1), (20, 2)], false);
        check(&[StreamFault::Fail { at: at(30) }], &[(10, 1), (20, 2)], true);
        check(
            &[StreamFault::Duplicate { from, to }, StreamFault::Gap { from: at(30), to }],
            &[(10, 1), (20, 2), (20, 2), (40, 4), (50, 5)],
            false,
        );
    }
}
