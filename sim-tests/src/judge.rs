//! One case, one perturbation, one judgement. Invariant: this is the only place that says how a case is run again and what must then be the same.

use std::convert::Infallible;
use std::sync::Arc;

use stillpoint_engine::host::Launch;
use stillpoint_engine::{Duration, ReadyOrder, Rng};

use crate::bystander;
use crate::case::Case;
use crate::check::Check;
use crate::child::{self, Key};
use crate::claim::comparable;
use crate::compare::{self, Projection};
use crate::difference::Difference;
use crate::drive::Drive;
use crate::perturbation::{HostOf, Perturbation, Place};
use crate::ran::{Ran, play, play_on};
use crate::rim::heap_noise;
use crate::sample::Sample;
use crate::world::{Built, Bystander, Part, Setup, build};

/// How often a run is repeated before it is believed: one comparison misses a random order of two things every second time.
pub(crate) const REPEATS: u32 = 16;

/// A world that can be run over any case.
pub(crate) struct Subject<M> {
    pub(crate) parts: Vec<Part<M>>,
    pub(crate) projection: Option<Arc<Projection>>,
    /// How a fresh process finds this world.
    pub(crate) key: Key,
}

/// What came of running a case again.
pub(crate) enum Judgement {
    Same,
    Differs(Box<Difference>),
    /// The perturbation cannot be had, and why.
    Impossible(String),
}

impl<M: Sample> Subject<M> {
    /// The oracle: the case as it is, on this thread.
    pub(crate) fn base(&self, case: &Arc<Case<M>>) -> Ran {
        self.run(case, &Setup::default(), &Drive::Whole, "as it is")
    }

    fn run(&self, case: &Arc<Case<M>>, setup: &Setup, drive: &Drive, label: &str) -> Ran {
        play(build(&self.parts, case, setup).simulation, label, drive)
    }

    /// The actors and links of the world.
    pub(crate) fn built(&self, case: &Arc<Case<M>>) -> Built {
        build(&self.parts, case, &Setup::default())
    }

    /// Runs a case again and compares it with its base.
    pub(crate) fn judge(&self, case: &Arc<Case<M>>, base: &Ran, how: &Perturbation) -> Judgement {
        let label = how.to_string();
        let changed = |case: Case<M>| self.run(&Arc::new(case), &Setup::default(), &Drive::Whole, &label);
        let with = |setup: Setup| self.run(case, &setup, &Drive::Whole, &label);
        let driven = |drive: Drive| self.run(case, &Setup::default(), &drive, &label);
        let plain = Setup::default();
        let projection = self.projection.as_deref();
        let found = match how {
            Perturbation::Repeat { runs, seed } => (0..*runs).find_map(|run| self.repeated(case, base, seed.wrapping_add(u64::from(run)))),
            Perturbation::Process => match child::run(&self.key, &[(case, None)]) {
                Ok(answers) => answers[0].differs(base, Vec::new()),
                Err(error) => return Judgement::Impossible(error),
            },
            Perturbation::Registration(seed) => compare::whole(base, &with(Setup { registration: Some(*seed), ..plain })),
            Perturbation::BystanderActor => {
                compare::others(base, &with(Setup { bystander: Bystander::Actor, ..plain }), &[bystander::ACTOR, bystander::STREAM])
            }
            Perturbation::BystanderStream => {
                compare::others(base, &with(Setup { bystander: Bystander::Stream, ..plain }), &[bystander::ACTOR, bystander::STREAM])
            }
            Perturbation::Pool { threads, runs } => (0..*runs).find_map(|_| compare::whole(base, &with(Setup { pool: *threads, ..plain }))),
            Perturbation::ReadyOrder(order) => compare::whole(base, &with(Setup { ready_order: *order, ..plain })),
            Perturbation::Host(host) => compare::whole(base, &play_on(self.launch(case, host), &label)),
            Perturbation::Pause(at) => compare::whole(base, &driven(Drive::Pause(*at))),
            Perturbation::Steps => compare::whole(base, &driven(Drive::Steps)),
            Perturbation::Instants => compare::whole(base, &driven(Drive::Instants)),
            Perturbation::Snapshot { at, place } => return self.judge_snapshot(case, base, *at, place, &label),
            Perturbation::Cut(at) | Perturbation::Future { at, .. } if case.cuts().first().is_none_or(|first| first > at) => {
                return Judgement::Impossible("no event comes before the cut".to_owned());
            }
            Perturbation::TimeShift(_) if case.cuts().is_empty() => {
                return Judgement::Impossible("a run without events starts at the epoch, whenever that is".to_owned());
            }
            Perturbation::Cut(at) => compare::past(base, &changed(case.cut(*at)), comparable(base, *at)),
            Perturbation::Future { at, seed } => compare::past(base, &changed(case.with_other_future(*at, *seed)), comparable(base, *at)),
            Perturbation::TimeShift(by) => compare::projected(base, &changed(case.shifted(*by)), by.as_nanos(), projection),
            Perturbation::PriceScale(power) => match case.mapped(|event| event.scaled(*power)) {
                Some(case) => compare::projected(base, &changed(case), 0, projection),
                None => return Judgement::Impossible("the events have no price that can be scaled".to_owned()),
            },
            Perturbation::Rename(by) => match case.mapped(|event| event.renamed(*by)) {
                Some(case) => compare::projected(base, &changed(case), 0, projection),
                None => return Judgement::Impossible("the events name no instrument that can be renamed".to_owned()),
            },
            #[cfg(feature = "store")]
            Perturbation::Store(way) => compare::whole(base, &with(Setup { replay: Some(*way), pool: way.pool, ..plain })),
            Perturbation::Heartbeat(every) => match case.with_heartbeats(*every) {
                Some(changed_case) => {
                    let streams: Vec<String> = case.streams.iter().map(|feed| feed.name.clone()).collect();
                    compare::conversations(base, &changed(changed_case), &streams, projection)
                }
                None => return Judgement::Impossible("there is no event that says nothing new".to_owned()),
            },
        };
        found.map_or(Judgement::Same, |found| Judgement::Differs(Box::new(found)))
    }

    /// The case on several threads.
    pub(crate) fn launch(&self, case: &Arc<Case<M>>, host: &HostOf) -> Launch {
        let (parts, case) = (self.parts.clone(), case.clone());
        host.launch(move || Ok::<_, Infallible>(build(&parts, &case, &Setup::default()).simulation))
    }

    /// One more run among other addresses; for odd seeds on a thread of its own.
    fn repeated(&self, case: &Arc<Case<M>>, base: &Ran, seed: u64) -> Option<Difference> {
        let noise = heap_noise(seed);
        let again = || self.run(case, &Setup::default(), &Drive::Whole, "run again");
        let ran = if seed % 2 == 1 {
            std::thread::scope(|scope| scope.spawn(again).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        } else {
            again()
        };
        drop(noise);
        compare::whole(base, &ran)
    }
}

impl Check {
    /// A concrete perturbation of this kind, drawn from a seed.
    pub(crate) fn draw<M: Sample>(self, seed: u64, case: &Case<M>, base: &Ran) -> Perturbation {
        let mut rng = Rng::of(seed, self.name(), "perturbation");
        match self {
            Self::Repeat => Perturbation::Repeat { runs: REPEATS, seed: rng.bits() },
            Self::Process => Perturbation::Process,
            Self::Registration => Perturbation::Registration(rng.bits()),
            Self::Bystander => {
                if rng.below(2) == 0 {
                    Perturbation::BystanderActor
                } else {
                    Perturbation::BystanderStream
                }
            }
            Self::Pool => Perturbation::Pool { threads: 1 + rng.below(2) as usize, runs: REPEATS },
            Self::ReadyOrder => Perturbation::ReadyOrder(ready_order(&mut rng)),
            Self::Host => Perturbation::Host(host(&mut rng)),
            Self::Snapshot => {
                let at = middle(base, &mut rng);
                let place = match rng.below(8) {
                    0 => Place::Process,
                    1..=3 => Place::Host(host(&mut rng)),
                    _ => Place::Here,
                };
                Perturbation::Snapshot { at, place }
            }
            Self::Pause => match rng.below(4) {
                0 => Perturbation::Steps,
                1 => Perturbation::Instants,
                _ => Perturbation::Pause(middle(base, &mut rng)),
            },
            Self::Cut | Self::Future => {
                let cuts = case.cuts();
                let at = if cuts.is_empty() { middle(base, &mut rng) } else { cuts[rng.below(cuts.len() as u64) as usize] };
                if self == Self::Cut { Perturbation::Cut(at) } else { Perturbation::Future { at, seed: rng.below(1 << 16) } }
            }
            // Odd in every unit up to the day, so that no grid maps onto itself.
            Self::TimeShift => Perturbation::TimeShift(Duration::nanos(((1 + rng.below(3_000)) as i64) * 86_399_123_456_789)),
            Self::PriceScale => Perturbation::PriceScale(1 + rng.below(4) as u32),
            Self::Rename => Perturbation::Rename(1 + rng.below(1_000) as u32),
            Self::Heartbeat => Perturbation::Heartbeat(1 + rng.below(3) as usize),
            #[cfg(feature = "store")]
            Self::Store => Perturbation::Store(crate::store::Holding::drawn(&mut rng)),
        }
    }
}

fn host(rng: &mut Rng) -> HostOf {
    HostOf {
        threads: 1 + rng.below(3) as usize,
        shards: 1 + rng.below(4) as usize,
        batch: [1, 7, 64][rng.below(3) as usize],
        window: (rng.below(2) == 0).then(|| Duration::micros(1 + rng.below(50_000) as i64)),
        deal: rng.below(1 << 16),
        order: ready_order(rng),
    }
}

/// Half of the orders are the one that is furthest from the usual.
fn ready_order(rng: &mut Rng) -> ReadyOrder {
    if rng.below(2) == 0 { ReadyOrder::Reversed } else { ReadyOrder::Shuffled(rng.below(1 << 16)) }
}

/// An instant between the first and the last of a run.
pub(crate) fn middle(base: &Ran, rng: &mut Rng) -> stillpoint_engine::Instant {
    let (first, last) = (base.outcome.first.unwrap_or_default(), base.outcome.last.unwrap_or_default());
    first + Duration::nanos(rng.below(last.since(first).as_nanos().max(1) as u64) as i64)
}
