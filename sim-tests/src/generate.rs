//! Scenarios that are made up: the settings, and proptest's strategy for them. Invariant: what is drawn depends on the runner's seed and the
//! settings alone.

use std::marker::PhantomData;
use std::ops::RangeInclusive;

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{BoxedStrategy, Strategy, any};
use stillpoint_engine::scenario::StreamFault;
use stillpoint_engine::{Duration, Instant, Late, Rank, Timed};

use crate::case::{Case, Feed, Weather};
use crate::case_text::LinkOf;
use crate::mark::{FaultKind, Mark};
use crate::sample::{Draft, Sample};

/// The kinds of faults that a test's scenarios are to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(Vec<FaultKind>);

impl Faults {
    /// None.
    pub fn none() -> Self {
        Self::default()
    }

    /// Every kind; those of links where the world declares links.
    pub fn all() -> Self {
        use FaultKind::{Disconnect, Down, Duplicate, Fail, Gap, Jitter, Late, Loss, Skew};
        Self(vec![Gap, Duplicate, Late, Skew, Disconnect, Fail, Jitter, Loss, Down])
    }

    /// These alone.
    pub fn only(kinds: impl IntoIterator<Item = FaultKind>) -> Self {
        Self(kinds.into_iter().collect())
    }

    fn has(&self, kind: FaultKind) -> bool {
        self.0.contains(&kind)
    }
}

/// What made-up scenarios are like. [`scenarios`] makes one.
#[derive(Clone, Debug)]
pub struct Scenarios<M> {
    instruments: RangeInclusive<u32>,
    streams: RangeInclusive<usize>,
    events: RangeInclusive<usize>,
    ties: f64,
    gaps: f64,
    bursts: f64,
    late: f64,
    spacing: Duration,
    start: Instant,
    faults: Faults,
    of: PhantomData<fn() -> M>,
}

/// Scenarios of one or two instruments and one to three streams, up to 40 events, a third of them at the instant of the one before, some late.
pub fn scenarios<M: Sample>() -> Scenarios<M> {
    Scenarios {
        instruments: 1..=2,
        streams: 1..=3,
        events: 1..=40,
        ties: 0.3,
        gaps: 0.05,
        bursts: 0.1,
        late: 0.05,
        spacing: Duration::millis(100),
        start: Instant::from_nanos(946_684_800_000_000_000),
        faults: Faults::none(),
        of: PhantomData,
    }
}

/// At most this many streams.
const MOST_STREAMS: usize = 16;

impl<M: Sample> Scenarios<M> {
    /// How many instruments there are.
    #[must_use]
    pub fn instruments(self, instruments: RangeInclusive<u32>) -> Self {
        assert!(*instruments.start() > 0, "a scenario needs an instrument");
        Self { instruments, ..self }
    }

    /// How many streams, 1 to 16.
    #[must_use]
    pub fn streams(self, streams: RangeInclusive<usize>) -> Self {
        assert!(*streams.start() > 0 && *streams.end() <= MOST_STREAMS, "a scenario has 1 to {MOST_STREAMS} streams");
        Self { streams, ..self }
    }

    /// How many events, over all streams and before bursts.
    #[must_use]
    pub fn events(self, events: RangeInclusive<usize>) -> Self {
        Self { events, ..self }
    }

    /// The share of events that have the instant of the event before, whichever stream that was in.
    #[must_use]
    pub fn ties(self, ties: f64) -> Self {
        Self { ties, ..self }
    }

    /// The share of events before which nothing happens for a hundred times as long as usual.
    #[must_use]
    pub fn gaps(self, gaps: f64) -> Self {
        Self { gaps, ..self }
    }

    /// The share of events that are followed by others of the same stream and instant.
    #[must_use]
    pub fn bursts(self, bursts: f64) -> Self {
        Self { bursts, ..self }
    }

    /// The share of events that lie before an earlier one of their stream. Streams take them in one of three ways: two that go on, and
    /// rarely the error that ends the run.
    #[must_use]
    pub fn late(self, late: f64) -> Self {
        Self { late, ..self }
    }

    /// A tenth of the most time between two events, but for gaps.
    #[must_use]
    pub fn spacing(self, spacing: Duration) -> Self {
        Self { spacing, ..self }
    }

    /// The instant of the first event; 2000-01-01T00:00:00Z unless given.
    #[must_use]
    pub fn start(self, start: Instant) -> Self {
        Self { start, ..self }
    }

    /// What goes wrong.
    #[must_use]
    pub fn faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// What cases of these settings must have held, in a world with so many actors.
    pub(crate) fn marks(&self, actors: usize, has_links: bool) -> Vec<Mark> {
        let mut marks = vec![Mark::HalfReadStream];
        marks.extend((self.ties > 0.0).then_some(Mark::Tie));
        marks.extend((actors > 1).then_some(Mark::Crowd));
        marks.extend((self.late > 0.0 || self.faults.has(FaultKind::Late)).then_some(Mark::LateItem));
        let of_links = [FaultKind::Jitter, FaultKind::Loss, FaultKind::Down];
        marks.extend(self.faults.0.iter().filter(|kind| has_links || !of_links.contains(kind)).map(|kind| Mark::Fault(*kind)));
        marks
    }

    /// Proptest's strategy for cases of a world with these links.
    pub(crate) fn strategy(&self, links: &[LinkOf]) -> BoxedStrategy<Case<M>> {
        let settings = self.clone();
        let links: Vec<(String, String)> = links.iter().map(|(from, to, _)| (from.clone(), to.clone())).collect();
        let [ties, gaps, bursts, late] = [self.ties, self.gaps, self.bursts, self.late].map(|share| (share * 1_000.0) as u32);
        let chance = |per_mille: u32| (0u32..1_000).prop_map(move |drawn| drawn >= 1_000 - per_mille.min(1_000));
        let event = (
            (chance(ties), 1i64..=10, chance(gaps)),
            (0usize..MOST_STREAMS, 0u32..1_000, 80i64..=120, 1i64..=9, any::<bool>()),
            (chance(bursts), 1usize..=3),
            (chance(late), 1i64..=15),
        );
        let feed = (0u8..8, 0u8..8, 0u8..4, 0u8..6);
        let window = || (0usize..MOST_STREAMS, 0i64..100, 1i64..60, 1i64..=20);
        let maybe = |kind: FaultKind| weighted(if self.faults.has(kind) { 0.2 } else { f64::MIN_POSITIVE }, window());
        let faults =
            [FaultKind::Gap, FaultKind::Duplicate, FaultKind::Late, FaultKind::Skew, FaultKind::Disconnect, FaultKind::Fail].map(maybe);
        let weather = (weighted(0.3, 1i64..20), weighted(0.3, 1u32..50), weighted(0.3, (0i64..100, 1i64..60)));
        let parts = (
            0u64..1_000,
            self.streams.clone(),
            self.instruments.clone(),
            vec(event, self.events.clone()),
            vec(feed, MOST_STREAMS),
            faults.to_vec(),
            vec(weather, links.len()),
        );
        let made = parts.prop_map(move |(seed, streams, instruments, events, feeds, faults, weather)| {
            let mut case = settings.feeds(streams, &feeds);
            case.seed = seed;
            let mut clock = settings.start;
            let mut first = true;
            for ((is_tie, pause, is_gap), (stream, instrument, price, size, buys), (is_burst, copies), (is_late, back)) in events {
                let units = if is_tie || first { 0 } else { pause * if is_gap { 100 } else { 1 } };
                let back = if is_late && !first { back } else { 0 };
                first = false;
                clock = clock + Duration::nanos(units * settings.spacing.as_nanos());
                let at = clock - Duration::nanos(back * settings.spacing.as_nanos());
                for copy in 0..if is_burst { 1 + copies } else { 1 } {
                    let draft = Draft { instrument: instrument % instruments, price: price + copy as i64, size, buys };
                    case.streams[stream % streams].items.push(Timed { at, value: M::sample(draft) });
                }
            }
            settings.spoil(&mut case, &faults);
            settings.weather(&mut case, &links, &weather);
            case
        });
        made.boxed()
    }

    /// Streams without items.
    fn feeds(&self, streams: usize, drawn: &[(u8, u8, u8, u8)]) -> Case<M> {
        let feed = |(index, &(late, reorder, ties, rank)): (usize, &(u8, u8, u8, u8))| Feed {
            name: format!("s{index}"),
            rank: Rank(match rank {
                4 => -1,
                5 => 1,
                _ => 0,
            }),
            late: match late {
                0 => Late::Error,
                1..=4 => Late::DeliverFlagged,
                _ => Late::DropAndCount,
            },
            reorder: (reorder >= 6).then(|| Duration::nanos(i64::from(reorder - 5) * 3 * self.spacing.as_nanos())),
            one_by_one: ties == 3,
            items: Vec::new(),
        };
        Case { seed: 0, streams: drawn[..streams].iter().enumerate().map(feed).collect(), faults: Vec::new(), weather: Vec::new() }
    }

    /// A part of the time that the case takes: from so many percent, for so many.
    fn window(case: &Case<M>, from: i64, len: i64) -> (Instant, Instant) {
        let instants = case.instants();
        let (Some(first), Some(last)) = (instants.first(), instants.last()) else { return (Instant::EPOCH, Instant::from_nanos(1)) };
        let span = last.since(*first).as_nanos();
        let from = *first + Duration::nanos(span / 100 * from);
        (from, from + Duration::nanos((span / 100 * len).max(1)))
    }

    fn spoil(&self, case: &mut Case<M>, drawn: &[Option<(usize, i64, i64, i64)>]) {
        let kinds = [FaultKind::Gap, FaultKind::Duplicate, FaultKind::Late, FaultKind::Skew, FaultKind::Disconnect, FaultKind::Fail];
        for (kind, drawn) in kinds.into_iter().zip(drawn) {
            let Some((stream, from, len, by)) = *drawn else { continue };
            if !self.faults.has(kind) {
                continue;
            }
            let (from, to) = Self::window(case, from, len);
            let by = Duration::nanos(by * self.spacing.as_nanos());
            let fault = match kind {
                FaultKind::Gap => StreamFault::Gap { from, to },
                FaultKind::Duplicate => StreamFault::Duplicate { from, to },
                FaultKind::Late => StreamFault::Late { from, to, by },
                FaultKind::Skew => StreamFault::Skew { from, to, by: -by },
                FaultKind::Disconnect => StreamFault::Disconnect { at: from },
                _ => StreamFault::Fail { at: from },
            };
            case.faults.push((stream % case.streams.len(), fault));
        }
    }

    #[expect(clippy::type_complexity, reason = "drawn in one place, read in one place")]
    fn weather(&self, case: &mut Case<M>, links: &[(String, String)], drawn: &[(Option<i64>, Option<u32>, Option<(i64, i64)>)]) {
        for ((from, to), (jitter, loss, down)) in links.iter().zip(drawn) {
            let jitter = jitter.filter(|_| self.faults.has(FaultKind::Jitter));
            let loss = loss.filter(|_| self.faults.has(FaultKind::Loss));
            let down = down.filter(|_| self.faults.has(FaultKind::Down));
            if jitter.is_none() && loss.is_none() && down.is_none() {
                continue;
            }
            let jitter = Duration::nanos(jitter.unwrap_or(0) * self.spacing.as_nanos() / 10);
            let down = down.map(|(from, len)| Self::window(case, from, len));
            let loss = f64::from(loss.unwrap_or(0)) / 100.0;
            case.weather.push(Weather { from: from.clone(), to: to.clone(), jitter, loss, down });
        }
    }
}
