//! Claims about a strategy, and cases changed in the ways that they are about. Invariant: a change touches what the claim names and
//! nothing else.

use stillpoint_engine::scenario::{StreamFault, spoil};
use stillpoint_engine::{Duration, Instant, Rng, RunError, Source, SourceError, Timed};

use crate::case::{Case, Feed};
use crate::check::Check;
use crate::ran::Ran;
use crate::sample::{Draft, Sample};

/// What a strategy is said to hold beyond being deterministic. Claims are checked only if they are made; [`Claim::Causal`] is made unless
/// others are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// What comes later changes nothing that happened before: no look-ahead bias. (An actor that asks the time-keeper for the next instant
    /// knows what is to come, and cannot claim this.)
    Causal,
    /// It can be saved ([`Actor::saving`](stillpoint_engine::Actor::saving)), and a restored run goes on as if nothing had been.
    Saving,
    /// At another time, the same is done.
    TimeShift,
    /// In another unit of price, the same is done. The unit is changed by a power of two, which is exact in floats and whole numbers.
    PriceScale,
    /// For instruments with other numbers in the same order, the same is done.
    Rename,
    /// An event that says nothing new changes nothing that is done.
    Heartbeat,
}

impl Claim {
    /// The checks that hold a strategy to it.
    pub const fn checks(self) -> &'static [Check] {
        match self {
            Self::Causal => &[Check::Cut, Check::Future],
            Self::Saving => &[Check::Snapshot],
            Self::TimeShift => &[Check::TimeShift],
            Self::PriceScale => &[Check::PriceScale],
            Self::Rename => &[Check::Rename],
            Self::Heartbeat => &[Check::Heartbeat],
        }
    }
}

/// A stream that takes its items from a list.
struct Listed<M>(std::vec::IntoIter<Timed<M>>);

impl<M: 'static> Source for Listed<M> {
    type Item = M;

    fn next(&mut self) -> Result<Option<Timed<M>>, SourceError> {
        Ok(self.0.next())
    }
}

impl<M: Sample> Case<M> {
    /// The items of a stream as they come out of its faults, up to where its source fails.
    fn disturbed(&self, index: usize) -> Vec<Timed<M>> {
        let faults: Vec<StreamFault> = self.faults.iter().filter(|(of, _)| *of == index).map(|(_, fault)| *fault).collect();
        let mut source = spoil(Box::new(Listed(self.streams[index].items.clone().into_iter())), faults);
        let mut items = Vec::new();
        while let Ok(Some(item)) = source.next() {
            items.push(item);
        }
        items
    }

    /// The same case with the faults of its streams as part of its items. A source that fails ends instead.
    fn settled(&self) -> Self {
        let settled = |index: usize| Feed { items: self.disturbed(index), ..self.streams[index].clone() };
        Self { streams: (0..self.streams.len()).map(settled).collect(), faults: Vec::new(), ..self.clone() }
    }

    /// Instants at which the input can be cut: those of items, from the start of the run.
    pub(crate) fn cuts(&self) -> Vec<Instant> {
        let settled = self.settled();
        let start = settled.streams.iter().filter_map(|feed| feed.items.first()).map(|item| item.at).min();
        settled.instants().into_iter().filter(|at| start.is_some_and(|start| *at >= start)).collect()
    }

    /// Every stream ends before its first item that lies after `at`. Whatever an item's lateness, what is left out would have been
    /// delivered after `at`.
    pub(crate) fn cut(&self, at: Instant) -> Self {
        let mut case = self.settled();
        for feed in &mut case.streams {
            let kept = feed.items.iter().position(|item| item.at > at).unwrap_or(feed.items.len());
            feed.items.truncate(kept);
        }
        case
    }

    /// Every stream goes on after `at` with other items than before.
    pub(crate) fn with_other_future(&self, at: Instant, seed: u64) -> Self {
        let mut case = self.cut(at);
        let mut rng = Rng::of(seed, "future", "kit");
        let span = self.instants().last().map_or(0, |last| last.since(at).as_nanos()).max(1_000_000);
        for feed in &mut case.streams {
            let mut times: Vec<i64> = (0..1 + rng.below(6)).map(|_| 1 + rng.below(span as u64) as i64).collect();
            times.sort_unstable();
            for nanos in times {
                let (instrument, price) = (rng.below(3) as u32, 60 + rng.below(80) as i64);
                let value = M::sample(Draft { instrument, price, size: 1 + rng.below(9) as i64, buys: rng.below(2) == 0 });
                feed.items.push(Timed { at: at + Duration::nanos(nanos), value });
            }
        }
        case
    }

    /// Everything later by `by`.
    pub(crate) fn shifted(&self, by: Duration) -> Self {
        let mut case = self.clone();
        case.streams.iter_mut().flat_map(|feed| &mut feed.items).for_each(|item| item.at = item.at + by);
        for (_, fault) in &mut case.faults {
            match fault {
                StreamFault::Gap { from, to }
                | StreamFault::Duplicate { from, to }
                | StreamFault::Late { from, to, .. }
                | StreamFault::Skew { from, to, .. } => (*from, *to) = (*from + by, *to + by),
                StreamFault::Disconnect { at } | StreamFault::Fail { at } => *at = *at + by,
            }
        }
        case.weather.iter_mut().filter_map(|weather| weather.down.as_mut()).for_each(|(from, to)| (*from, *to) = (*from + by, *to + by));
        case
    }

    /// Every event changed in this way; `None` if some cannot be.
    pub(crate) fn mapped(&self, change: impl Fn(&M) -> Option<M>) -> Option<Self> {
        let mut case = self.clone();
        for item in case.streams.iter_mut().flat_map(|feed| &mut feed.items) {
            item.value = change(&item.value)?;
        }
        Some(case)
    }

    /// After every so many of the items that can be followed by one that says nothing new, such a one, halfway to the stream's next.
    ///
    /// It says nothing new only if the item was the last news of all: not late, and nothing came from another stream at its instant or
    /// until then. `None` if no place is found, as where streams hold items back.
    pub(crate) fn with_heartbeats(&self, every: usize) -> Option<Self> {
        let settled = self.settled();
        let mut case = settled.clone();
        let mut places = 0;
        for (number, feed) in case.streams.iter_mut().enumerate() {
            let mut items: Vec<Timed<M>> = Vec::with_capacity(feed.items.len() * 2);
            let mut greatest = Instant::MIN;
            for (index, item) in feed.items.iter().enumerate() {
                let is_news = item.at >= greatest;
                greatest = greatest.max(item.at);
                items.push(item.clone());
                let pause = feed.items.get(index + 1).map_or(0, |next| next.at.since(item.at).as_nanos());
                let at = item.at + Duration::nanos(pause / 2);
                let others = settled.streams.iter().enumerate().filter(|(other, _)| *other != number);
                let is_last = others.flat_map(|(_, feed)| &feed.items).all(|other| other.at < item.at || other.at > at);
                if !is_news || pause < 2 || !is_last || settled.streams.iter().any(|feed| feed.reorder.is_some()) {
                    continue;
                }
                places += 1;
                if places % every == 0 {
                    items.push(Timed { at, value: item.value.heartbeat()? });
                }
            }
            feed.items = items;
        }
        (places >= every).then_some(case)
    }
}

/// Up to where the past of a run that was cut at `at` can be compared. A run that a failing source ended has stopped before other streams
/// had their say.
pub(crate) fn comparable(base: &Ran, at: Instant) -> Instant {
    match (&base.error, base.outcome.last) {
        (Some(RunError::Source { .. }), Some(last)) => at.min(last),
        (Some(RunError::Source { .. }), None) => Instant::MIN,
        _ => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stillpoint_engine::{Late, Rank};

    fn case(times: &[i64], faults: Vec<StreamFault>) -> Case<i64> {
        let items = times.iter().map(|at| Timed { at: Instant::from_nanos(*at), value: *at }).collect();
        let feed = Feed { name: "s0".to_owned(), rank: Rank(0), late: Late::DeliverFlagged, reorder: None, one_by_one: false, items };
        Case { seed: 0, streams: vec![feed], faults: faults.into_iter().map(|fault| (0, fault)).collect(), weather: vec![] }
    }

    fn times(case: &Case<i64>) -> Vec<i64> {
        case.streams[0].items.iter().map(|item| item.at.as_nanos()).collect()
    }

    #[test]
    fn a_cut_leaves_out_what_comes_after_the_first_later_item_even_if_it_is_late() {
        let at = Instant::from_nanos;
        assert_eq!(times(&case(&[10, 20, 40, 30, 50], vec![]).cut(at(30))), [10, 20]);
        assert_eq!(times(&case(&[10, 20, 40, 30, 50], vec![]).cut(at(40))), [10, 20, 40, 30]);
        // What a fault holds back is not delivered earlier because what would release it is cut off.
        let late = StreamFault::Late { from: at(20), to: at(21), by: Duration::nanos(15) };
        assert_eq!(times(&case(&[10, 20, 30, 40], vec![late]).cut(at(30))), [10, 30]);
        assert_eq!(case(&[10, 5, 20, 30], vec![]).cuts(), [at(10), at(20), at(30)]);
    }

    #[test]
    fn another_future_keeps_the_past_and_lies_after_the_cut() {
        let changed = case(&[10, 20, 30, 40], vec![]).with_other_future(Instant::from_nanos(20), 7);
        assert_eq!(times(&changed)[..2], [10, 20]);
        assert!(times(&changed).len() > 2 && times(&changed)[2..].iter().all(|at| *at > 20));
    }

    #[test]
    fn changes_change_what_they_name() {
        let gap = StreamFault::Gap { from: Instant::from_nanos(5), to: Instant::from_nanos(6) };
        let shifted = case(&[10, 20], vec![gap]).shifted(Duration::nanos(100));
        assert_eq!(times(&shifted), [110, 120]);
        assert_eq!(shifted.faults, [(0, StreamFault::Gap { from: Instant::from_nanos(105), to: Instant::from_nanos(106) })]);
        let scaled = case(&[10, 20], vec![]).mapped(|event| event.scaled(3)).expect("prices");
        assert_eq!(scaled.streams[0].items.iter().map(|item| item.value).collect::<Vec<_>>(), [80, 160]);
        assert_eq!(case(&[10], vec![]).mapped(|event| event.renamed(1)), None);
        let beats = case(&[10, 20, 20, 21, 30], vec![]).with_heartbeats(1).expect("prices repeat");
        assert_eq!(times(&beats), [10, 15, 20, 20, 21, 25, 30]);
        assert_eq!(beats.streams[0].items[1].value, 10);
        let every_other = case(&[10, 20, 20, 25, 30], vec![]).with_heartbeats(2).expect("prices repeat");
        assert_eq!(times(&every_other), [10, 20, 20, 22, 25, 30]);
    }
}
