//! The second pass over a failing case, after proptest's own: smaller and smaller cases at absolute times, so that leaving out one event moves
//! no other. Invariant: what is returned fails.

use std::sync::Arc;

use stillpoint_engine::{Duration, Instant, Late, Rank};

use crate::case::Case;
use crate::perturbation::{Perturbation, Place};
use crate::sample::Sample;

/// A case, and how it is run again: together they fail.
pub(crate) type Failing<M> = (Arc<Case<M>>, Perturbation);

/// Tries smaller cases as long as one of them fails, at most `tries` times. Also tells how many were tried.
pub(crate) fn smaller<M: Sample>(
    failing: Failing<M>,
    tries: usize,
    fails: &mut dyn FnMut(&Arc<Case<M>>, &Perturbation) -> bool,
) -> (Failing<M>, usize) {
    let mut search = Search { failing, tries, tried: 0, fails };
    let mut before = None;
    while before.as_ref() != Some(&search.failing) && search.tried < tries {
        before = Some(search.failing.clone());
        search.without_faults();
        search.without_streams();
        search.without_events();
        search.plain_streams();
        search.other_instants();
        search.round_times();
        search.simple_values();
        search.simple_seed();
    }
    (search.failing, search.tried)
}

struct Search<'f, M> {
    failing: Failing<M>,
    tries: usize,
    tried: usize,
    fails: &'f mut dyn FnMut(&Arc<Case<M>>, &Perturbation) -> bool,
}

impl<M: Sample> Search<'_, M> {
    fn case(&self) -> Case<M> {
        (*self.failing.0).clone()
    }

    /// Takes a candidate if it fails.
    fn takes(&mut self, case: Case<M>, how: Perturbation) -> bool {
        if self.tried == self.tries || (case == *self.failing.0 && how == self.failing.1) {
            return false;
        }
        self.tried += 1;
        let case = Arc::new(case);
        let fails = (self.fails)(&case, &how);
        if fails {
            self.failing = (case, how);
        }
        fails
    }

    fn change(&mut self, change: impl FnOnce(&mut Case<M>)) -> bool {
        let mut case = self.case();
        change(&mut case);
        let how = self.failing.1.clone();
        self.takes(case, how)
    }

    fn without_faults(&mut self) {
        if self.change(|case| (case.faults, case.weather) = (Vec::new(), Vec::new())) {
            return;
        }
        for index in (0..self.failing.0.faults.len()).rev() {
            self.change(|case| _ = case.faults.remove(index));
        }
        for index in (0..self.failing.0.weather.len()).rev() {
            self.change(|case| _ = case.weather.remove(index));
        }
    }

    fn without_streams(&mut self) {
        for index in (0..self.failing.0.streams.len()).rev() {
            // A world may count on a stream's being there: an empty one is the next best.
            let gone = self.failing.0.streams.len() > 1
                && self.change(|case| {
                    case.streams.remove(index);
                    case.faults.retain(|(of, _)| *of != index);
                    case.faults.iter_mut().for_each(|(of, _)| *of -= usize::from(*of > index));
                });
            if !gone && !self.failing.0.streams[index].items.is_empty() {
                self.change(|case| case.streams[index].items.clear());
            }
        }
    }

    /// Leaves out runs of events, long ones first, in the order of time over all streams.
    fn without_events(&mut self) {
        let mut length = self.failing.0.events().div_ceil(2);
        while length > 0 {
            let mut from = 0;
            while from < self.failing.0.events() {
                let until = from + length;
                if !self.change(|case| leave_out(case, from, until)) {
                    from = until;
                }
            }
            length /= 2;
        }
    }

    fn plain_streams(&mut self) {
        for index in 0..self.failing.0.streams.len() {
            self.change(|case| case.streams[index].reorder = None);
            self.change(|case| case.streams[index].one_by_one = false);
            self.change(|case| case.streams[index].rank = Rank(0));
            self.change(|case| case.streams[index].late = Late::Error);
        }
    }

    /// A cut or a pause at another instant of the case, the earliest first; fewer threads; a simpler seed.
    fn other_instants(&mut self) {
        let (case, how) = self.failing.clone();
        let instants = case.instants();
        let candidates: Vec<Perturbation> = match how {
            Perturbation::Cut(_) => instants.into_iter().map(Perturbation::Cut).collect(),
            Perturbation::Snapshot { at, place } => {
                let here = instants.into_iter().map(|at| Perturbation::Snapshot { at, place: Place::Here });
                here.chain([Perturbation::Snapshot { at, place }]).collect()
            }
            Perturbation::Pause(_) => instants.into_iter().map(Perturbation::Pause).collect(),
            Perturbation::Future { seed, .. } => instants.into_iter().map(|at| Perturbation::Future { at, seed }).collect(),
            Perturbation::TimeShift(by) => {
                [Duration::secs(1), Duration::hours(1)].into_iter().filter(|less| *less < by).map(Perturbation::TimeShift).collect()
            }
            Perturbation::PriceScale(power) => (1..power).map(Perturbation::PriceScale).collect(),
            Perturbation::Rename(by) => [1, 2, 10].into_iter().filter(|less| *less < by).map(Perturbation::Rename).collect(),
            _ => Vec::new(),
        };
        for candidate in candidates {
            if candidate == how || self.takes((*case).clone(), candidate) {
                break;
            }
        }
    }

    /// The instants of the case as whole seconds from the first one on, or else each rounded as far as it goes.
    fn round_times(&mut self) {
        let instants = self.failing.0.instants();
        let Some(first) = instants.first().copied() else { return };
        let second = |index: usize| Instant::EPOCH + Duration::secs(index as i64);
        let ordinal = |at: Instant| second(instants.partition_point(|other| *other < at));
        if instants.iter().enumerate().all(|(index, at)| *at == second(index)) || self.retimed(&ordinal) {
            return;
        }
        let from_epoch = |at: Instant| Instant::EPOCH + at.since(first);
        self.retimed(&from_epoch);
        for unit in [60_000_000_000, 1_000_000_000, 1_000_000, 1_000] {
            for at in self.failing.0.instants() {
                let rounded = Instant::from_nanos(at.as_nanos().div_euclid(unit) * unit);
                self.retimed(&|other| if other == at { rounded } else { other });
            }
        }
    }

    /// Every instant of items, faults and of the perturbation replaced.
    fn retimed(&mut self, to: &dyn Fn(Instant) -> Instant) -> bool {
        use stillpoint_engine::scenario::StreamFault as Fault;
        let mut case = self.case();
        case.streams.iter_mut().flat_map(|feed| &mut feed.items).for_each(|item| item.at = to(item.at));
        let window = |from: &mut Instant, until: &mut Instant| {
            *from = to(*from);
            *until = to(*until).max(*from + Duration::nanos(1));
        };
        for (_, fault) in &mut case.faults {
            match fault {
                Fault::Gap { from, to } | Fault::Duplicate { from, to } | Fault::Late { from, to, .. } | Fault::Skew { from, to, .. } => {
                    window(from, to)
                }
                Fault::Disconnect { at } | Fault::Fail { at } => *at = to(*at),
            }
        }
        case.weather.iter_mut().filter_map(|weather| weather.down.as_mut()).for_each(|(from, until)| window(from, until));
        let how = match self.failing.1.clone() {
            Perturbation::Cut(at) => Perturbation::Cut(to(at)),
            Perturbation::Pause(at) => Perturbation::Pause(to(at)),
            Perturbation::Snapshot { at, place } => Perturbation::Snapshot { at: to(at), place },
            Perturbation::Future { at, seed } => Perturbation::Future { at: to(at), seed },
            other => other,
        };
        self.takes(case, how)
    }

    fn simple_values(&mut self) {
        for stream in 0..self.failing.0.streams.len() {
            for index in 0..self.failing.0.streams[stream].items.len() {
                for simpler in self.failing.0.streams[stream].items[index].value.simpler() {
                    if self.change(|case| case.streams[stream].items[index].value = simpler) {
                        break;
                    }
                }
            }
        }
    }

    fn simple_seed(&mut self) {
        self.change(|case| case.seed = 0);
    }
}

/// Leaves out the events with these numbers, counted over all streams in the order of time.
fn leave_out<M>(case: &mut Case<M>, from: usize, until: usize) {
    let mut order: Vec<(Instant, usize, usize)> = Vec::new();
    for (stream, feed) in case.streams.iter().enumerate() {
        order.extend(feed.items.iter().enumerate().map(|(index, item)| (item.at, stream, index)));
    }
    order.sort_unstable();
    let mut gone: Vec<(usize, usize)> = order[from..until.min(order.len())].iter().map(|(_, stream, index)| (*stream, *index)).collect();
    gone.sort_unstable();
    for (stream, index) in gone.into_iter().rev() {
        case.streams[stream].items.remove(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Feed;
    use stillpoint_engine::Timed;
    use stillpoint_engine::scenario::StreamFault;

    fn case(streams: &[&[(i64, i64)]]) -> Case<i64> {
        let feed = |(index, items): (usize, &&[(i64, i64)])| Feed {
            name: format!("s{index}"),
            rank: Rank(1),
            late: Late::DropAndCount,
            reorder: Some(Duration::nanos(5)),
            one_by_one: true,
            items: items.iter().map(|(at, value)| Timed { at: Instant::from_nanos(*at), value: *value }).collect(),
        };
        let fault = StreamFault::Fail { at: Instant::from_nanos(1_000) };
        Case { seed: 9, streams: streams.iter().enumerate().map(feed).collect(), faults: vec![(1, fault)], weather: vec![] }
    }

    /// Fails if two streams have an event at one instant and one of the values is above 50.
    #[test]
    fn what_does_not_matter_is_left_out_and_ties_stay_ties() {
        let one: Vec<(i64, i64)> = (0..20).map(|n| (n * 7 + 3, n * 10)).collect();
        let other: Vec<(i64, i64)> = (0..20).map(|n| (n * 11 + 3, n)).collect();
        let start = (Arc::new(case(&[&one, &other, &one])), Perturbation::Process);
        let mut fails = |case: &Arc<Case<i64>>, _: &Perturbation| {
            let items = |stream: usize| case.streams.get(stream).map(|feed| feed.items.as_slice()).unwrap_or_default();
            items(0).iter().any(|a| a.value > 50 && items(1).iter().any(|b| a.at == b.at))
        };
        let ((small, _), tried) = smaller(start, 2_000, &mut fails);
        assert_eq!((small.streams.len(), small.events()), (2, 2));
        let items = [small.streams[0].items[0], small.streams[1].items[0]];
        assert_eq!(items.map(|item| item.at), [Instant::EPOCH; 2]);
        // 100 is the only simpler value that is tried and is above 50; halving leads on from values above it.
        assert!(items[0].value > 50 && items[0].value <= 100 && items[1].value == 0, "{items:?}");
        assert!(small.faults.is_empty() && small.seed == 0);
        assert!(
            small.streams.iter().all(|feed| feed.reorder.is_none() && !feed.one_by_one && feed.rank == Rank(0) && feed.late == Late::Error)
        );
        assert!(tried < 200, "{tried} tries");
    }

    #[test]
    fn a_cut_moves_with_its_events() {
        let items: Vec<(i64, i64)> = (0..10).map(|n| (1_000 + n * 13, 0)).collect();
        let at = Instant::from_nanos(1_000 + 5 * 13);
        // Fails as long as something lies at the cut or before, and something after it.
        let mut fails = |case: &Arc<Case<i64>>, how: &Perturbation| {
            let Perturbation::Cut(at) = how else { return false };
            case.instants().first().is_some_and(|first| first <= at) && case.instants().last().is_some_and(|last| last > at)
        };
        let ((small, how), _) = smaller((Arc::new(case(&[&items, &[]])), Perturbation::Cut(at)), 2_000, &mut fails);
        assert_eq!(small.instants(), [Instant::EPOCH, Instant::EPOCH + Duration::secs(1)]);
        assert_eq!(how, Perturbation::Cut(Instant::EPOCH));
    }
}
