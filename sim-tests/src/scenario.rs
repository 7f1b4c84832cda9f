//! Checking a scenario file: its own data, run again in every way that must not matter, without a line of Rust. Invariant: memory does not
//! grow with the length of a run; traces are kept, in files, only of runs that differ.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use stillpoint_engine::host::Launch;
use stillpoint_engine::scenario::{Registry, Scenario, ScenarioError};
use stillpoint_engine::snapshot::Snapshot;
use stillpoint_engine::trace::{Text, Writer, diff};
use stillpoint_engine::{Duration, End, Failed, Instant, Outcome, Pool, ReadyOrder, Rng, RunError, Simulation};

use crate::bystander;
use crate::check::Check;
use crate::difference::{Difference, of_facts};
use crate::drive::{Drive, driven, quietly};
use crate::facts::{Facts, facts, facts_without};
use crate::perturbation::{HostOf, Perturbation, Place};
use crate::prefix::Prefixes;
use crate::rim::{Scratch, heap_noise};

/// The checks of a scenario, in the order in which they are made. Those that need other data than the scenario's own are left out.
pub const SCENARIO_CHECKS: [Check; 10] = [
    Check::Repeat,
    Check::Process,
    Check::Registration,
    Check::Bystander,
    Check::Pool,
    Check::ReadyOrder,
    Check::Host,
    Check::Pause,
    Check::Snapshot,
    Check::Cut,
];

/// What is asked of a check of a scenario.
#[derive(Clone, Debug)]
pub struct Request {
    /// How often each check is made, each time in another way.
    pub cases: u32,
    /// Of the ways.
    pub seed: u64,
    /// Ends the check soon after it is set.
    pub interrupt: Arc<AtomicBool>,
}

/// What came of checking a scenario.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The run as it is.
    pub outcome: Outcome,
    /// Why it failed, if it did. A run that fails is compared like any other.
    pub error: Option<RunError>,
    /// What each check found.
    pub rows: Vec<Row>,
    /// Whether it was interrupted; what was checked until then stands.
    pub interrupted: bool,
}

/// What one check found.
#[derive(Clone, Debug)]
pub struct Row {
    /// The check.
    pub check: Check,
    /// How many runs were compared.
    pub runs: u32,
    /// How the first run was made that differs, and where it does.
    pub found: Option<(String, Difference)>,
    /// Why it was not made, if it was not.
    pub unmade: Option<String>,
}

impl Checked {
    /// Whether all checks were made and no run differs. Actors need not be able to be saved: a refused snapshot was not checked, and is told
    /// as such, but is no fault.
    pub fn holds(&self) -> bool {
        let is_well = |row: &Row| row.found.is_none() && (row.unmade.is_none() || row.check == Check::Snapshot);
        !self.interrupted && self.rows.iter().all(is_well)
    }
}

/// How far a check is: what is being done, and how many runs of all are done.
pub type Tell<'t> = dyn FnMut(Check, u32, u32) + 't;

/// Runs the scenario in a fresh process, from a snapshot if there is one, and tells where it differs from the run that is given, if it does.
pub type InFreshProcess<'f> = dyn FnMut(&Outcome, Option<&Snapshot>) -> Result<Option<Difference>, String> + 'f;

/// Checks a scenario.
///
/// # Errors
/// [`ScenarioError`] if it cannot be built.
pub fn check_scenario(
    scenario: &Scenario,
    registry: &Arc<Registry>,
    request: &Request,
    fresh: &mut InFreshProcess<'_>,
    tell: &mut Tell<'_>,
) -> Result<Checked, ScenarioError> {
    tell(Check::Repeat, 0, 1);
    let plain = scenario.build(registry)?.simulation.interrupt(request.interrupt.clone());
    let base = Come::of(driven(plain, &Drive::Whole));
    let mut checked = Checked { outcome: base.outcome.clone(), error: base.error.clone(), rows: Vec::new(), interrupted: false };
    let scenario = Arc::new(scenario.clone());
    let mut hunt = Hunt { scenario, registry: registry.clone(), request, base, prefixes: BTreeMap::new() };
    let all = SCENARIO_CHECKS.len() as u32 * request.cases;
    let mut done = 0;
    for check in SCENARIO_CHECKS {
        let mut row = Row { check, runs: 0, found: None, unmade: None };
        for case in 0..request.cases {
            if request.interrupt.load(Ordering::Relaxed) {
                checked.interrupted = true;
                break;
            }
            tell(check, done, all);
            done += 1;
            if row.found.is_some() || row.unmade.is_some() {
                continue;
            }
            // One fresh process is as good as many.
            if check == Check::Process && case > 0 {
                continue;
            }
            let how = hunt.draw(check, case);
            match hunt.judge(&how, fresh)? {
                Found::Same => row.runs += 1,
                Found::Differs(difference) => {
                    row.runs += 1;
                    row.found = Some((how.to_string(), *difference));
                }
                Found::Unmade(why) => row.unmade = Some(why),
            }
        }
        let over = checked.interrupted;
        let unrepeatable = check == Check::Repeat && row.found.is_some();
        checked.rows.push(row);
        // A run that does not repeat itself says nothing about other ways to run it.
        if over || unrepeatable {
            break;
        }
    }
    Ok(checked)
}

/// What a run came to.
struct Come {
    outcome: Outcome,
    error: Option<RunError>,
}

impl Come {
    fn of(ran: Result<Outcome, Box<Failed>>) -> Self {
        match ran {
            Ok(outcome) => Self { outcome, error: None },
            Err(failed) => {
                let Failed { error, outcome } = *failed;
                Self { outcome, error: Some(error) }
            }
        }
    }

    fn facts(&self) -> Facts {
        facts(&self.outcome, self.error.as_ref())
    }
}

fn unrestored(why: &str) -> Found {
    let text = format!("the snapshot was taken, but it cannot be restored: {why}");
    Found::Differs(Box::new(Difference { at: None, actors: Vec::new(), text }))
}

enum Found {
    Same,
    Differs(Box<Difference>),
    Unmade(String),
}

struct Hunt<'s> {
    scenario: Arc<Scenario>,
    registry: Arc<Registry>,
    request: &'s Request,
    base: Come,
    /// The digests of the run as it is up to the instants of cuts.
    prefixes: BTreeMap<Instant, u64>,
}

impl Hunt<'_> {
    fn draw(&self, check: Check, case: u32) -> Perturbation {
        let mut rng = Rng::of(self.request.seed, check.name(), &case.to_string());
        let order = |rng: &mut Rng| if case == 0 { ReadyOrder::Reversed } else { ReadyOrder::Shuffled(rng.bits()) };
        match check {
            Check::Repeat => Perturbation::Repeat { runs: 1, seed: u64::from(case) },
            Check::Registration => Perturbation::Registration(rng.below(1 << 32)),
            Check::Bystander if case.is_multiple_of(2) => Perturbation::BystanderActor,
            Check::Bystander => Perturbation::BystanderStream,
            Check::Pool => Perturbation::Pool { threads: 1 + case as usize % 3, runs: 1 },
            Check::ReadyOrder => Perturbation::ReadyOrder(order(&mut rng)),
            Check::Host => Perturbation::Host(self.host(case, &mut rng)),
            Check::Snapshot => {
                let place = match case % 3 {
                    0 => Place::Here,
                    1 => Place::Host(self.host(case, &mut rng)),
                    _ => Place::Process,
                };
                Perturbation::Snapshot { at: self.instant(&mut rng), place }
            }
            Check::Pause if case == 0 => Perturbation::Instants,
            Check::Pause if case == 1 => Perturbation::Steps,
            Check::Pause => Perturbation::Pause(self.instant(&mut rng)),
            Check::Cut => Perturbation::Cut(self.instant(&mut rng)),
            _ => Perturbation::Process,
        }
    }

    /// One thread, two, three, with batches and windows of many sizes.
    fn host(&self, case: u32, rng: &mut Rng) -> HostOf {
        let threads = 1 + case as usize % 3;
        let window = (case % 2 == 1).then(|| Duration::micros(1 + rng.below(1_000) as i64));
        let batch = [64, 1, 7][case as usize % 3];
        HostOf { threads, shards: threads + rng.below(2) as usize, batch, window, deal: rng.below(1 << 16), order: ReadyOrder::Sorted }
    }

    /// An instant of the run, the last one left out.
    fn instant(&self, rng: &mut Rng) -> Instant {
        let (first, last) = (self.base.outcome.first.unwrap_or_default(), self.base.outcome.last.unwrap_or_default());
        first + Duration::nanos(rng.below(last.since(first).as_nanos().max(1) as u64) as i64)
    }

    /// The scenario, put up and driven as the perturbation has it. `Process` and `Cut` are put up as it is.
    fn simulation(&self, how: &Perturbation) -> Result<(Simulation, Drive), ScenarioError> {
        let built = match how {
            Perturbation::Registration(seed) => self.scenario.build_shuffled(&self.registry, *seed)?,
            Perturbation::Cut(at) => (*self.scenario).clone().cut(*at).build(&self.registry)?,
            _ => self.scenario.build(&self.registry)?,
        };
        let mut simulation = built.simulation.interrupt(self.request.interrupt.clone());
        let mut drive = Drive::Whole;
        match how {
            Perturbation::Pool { threads, .. } => simulation = simulation.pool(Arc::new(Pool::new(*threads))),
            Perturbation::ReadyOrder(order) => simulation = simulation.ready_order(*order),
            Perturbation::Pause(at) => drive = Drive::Pause(*at),
            Perturbation::Steps => drive = Drive::Steps,
            Perturbation::Instants => drive = Drive::Instants,
            _ => {}
        }
        Ok((simulation, drive))
    }

    fn judge(&mut self, how: &Perturbation, fresh: &mut InFreshProcess<'_>) -> Result<Found, ScenarioError> {
        match how {
            Perturbation::Process => {
                return Ok(self.elsewhere(None, fresh));
            }
            Perturbation::Cut(at) => return self.judge_cut(how, *at),
            Perturbation::BystanderActor | Perturbation::BystanderStream => return self.judge_bystander(how),
            Perturbation::Host(host) => return self.judge_host(how, host),
            Perturbation::Snapshot { at, place } => return self.judge_snapshot(*at, place, fresh),
            _ => {}
        }
        let noise = if let Perturbation::Repeat { seed, .. } = how { heap_noise(*seed) } else { Vec::new() };
        let (simulation, drive) = self.simulation(how)?;
        let come = Come::of(driven(simulation, &drive));
        drop(noise);
        let (in_base, in_come) = (self.base.facts(), come.facts());
        if in_base == in_come || come.outcome.end == End::Interrupted {
            return Ok(Found::Same);
        }
        Ok(Found::Differs(Box::new(self.explained(how, None, &in_base, &in_come)?)))
    }

    /// A launch of the scenario on several threads.
    fn launch(&self, host: &HostOf) -> Launch {
        let (scenario, registry) = (self.scenario.clone(), self.registry.clone());
        let build = move || scenario.build(&registry).map(|built| built.simulation);
        host.launch(build).interrupt(self.request.interrupt.clone())
    }

    fn judge_host(&self, how: &Perturbation, host: &HostOf) -> Result<Found, ScenarioError> {
        let come = Come::of(quietly(|| self.launch(host).run()));
        let (in_base, in_come) = (self.base.facts(), come.facts());
        if in_base == in_come || come.outcome.end == End::Interrupted {
            return Ok(Found::Same);
        }
        Ok(Found::Differs(Box::new(self.explained(how, None, &in_base, &in_come)?)))
    }

    fn elsewhere(&self, snapshot: Option<&Snapshot>, fresh: &mut InFreshProcess<'_>) -> Found {
        match fresh(&self.base.outcome, snapshot) {
            Ok(None) => Found::Same,
            // Ctrl-C reaches the other process too.
            _ if self.request.interrupt.load(Ordering::Relaxed) => Found::Same,
            Ok(Some(difference)) => Found::Differs(Box::new(difference)),
            Err(why) => Found::Unmade(why),
        }
    }

    /// Saved on one thread, restored there, on several, or in a fresh process.
    fn judge_snapshot(&self, at: Instant, place: &Place, fresh: &mut InFreshProcess<'_>) -> Result<Found, ScenarioError> {
        let (simulation, _) = self.simulation(&Perturbation::Process)?;
        let saved = quietly(|| {
            let mut run = simulation.begin().map_err(|error| error.to_string())?;
            run.until(at);
            run.snapshot().map_err(|error| error.to_string())
        });
        let snapshot = match saved {
            Ok(snapshot) => snapshot,
            Err(why) => return Ok(Found::Unmade(why)),
        };
        let ran = match place {
            Place::Host(host) => quietly(|| self.launch(host).restore(snapshot).run()),
            Place::Process => return Ok(self.elsewhere(Some(&snapshot), fresh)),
            Place::Here => {
                let (simulation, _) = self.simulation(&Perturbation::Process)?;
                let text = snapshot.to_text();
                let read = Snapshot::from_bytes(text.as_bytes(), Path::new("snapshot")).map_err(|error| error.to_string());
                match read.and_then(|snapshot| simulation.restore(&snapshot).map_err(|error| error.to_string())) {
                    Ok(run) => quietly(|| run.finish()),
                    Err(why) => return Ok(unrestored(&why)),
                }
            }
        };
        let come = Come::of(ran);
        if let Some(RunError::Restore(why)) = &come.error {
            return Ok(unrestored(why));
        }
        let (in_base, in_come) = (self.base.facts(), come.facts());
        if in_base == in_come || come.outcome.end == End::Interrupted {
            return Ok(Found::Same);
        }
        Ok(Found::Differs(Box::new(of_facts(&in_base, &in_come))))
    }

    fn judge_bystander(&self, how: &Perturbation) -> Result<Found, ScenarioError> {
        let (mut simulation, drive) = self.simulation(how)?;
        if let Err(error) = self.add_bystander(&mut simulation, how) {
            return Ok(Found::Unmade(error));
        }
        let come = Come::of(driven(simulation, &drive));
        let strangers = [bystander::ACTOR, bystander::STREAM];
        let facts = |come: &Come| facts_without(&come.outcome, come.error.as_ref(), &strangers);
        let (in_base, in_come) = (facts(&self.base), facts(&come));
        if in_base == in_come || come.outcome.end == End::Interrupted {
            return Ok(Found::Same);
        }
        Ok(Found::Differs(Box::new(of_facts(&in_base, &in_come))))
    }

    fn add_bystander(&self, simulation: &mut Simulation, how: &Perturbation) -> Result<(), String> {
        let mut rng = Rng::of(self.request.seed, "bystander", "instants");
        // The first is that of the run, which begins with the first item of all.
        let mut instants: Vec<Instant> = (0..50).map(|_| self.instant(&mut rng)).chain(self.base.outcome.first).collect();
        instants.sort_unstable();
        let instants = (*how == Perturbation::BystanderStream).then_some(instants);
        bystander::add(simulation, instants).map_err(|error| error.to_string())
    }

    /// The past must be the same with the future cut off. The run as it is is watched once, for all cuts.
    fn judge_cut(&mut self, how: &Perturbation, at: Instant) -> Result<Found, ScenarioError> {
        if self.base.outcome.first.is_none() {
            return Ok(Found::Unmade("nothing happens in it".to_owned()));
        }
        if matches!(self.base.error, Some(RunError::Source { .. })) {
            return Ok(Found::Unmade("a source fails, which ends the run before other streams have had their say".to_owned()));
        }
        if !self.prefixes.contains_key(&at) {
            let cuts = (0..self.request.cases).filter_map(|case| match self.draw(Check::Cut, case) {
                Perturbation::Cut(at) => Some(at),
                _ => None,
            });
            let digests = self.watched(&Perturbation::Process, cuts.collect())?;
            self.prefixes.extend(digests);
        }
        let digests = self.watched(how, vec![at])?;
        if self.request.interrupt.load(Ordering::Relaxed) || digests.first().map(|(_, digest)| digest) == self.prefixes.get(&at) {
            return Ok(Found::Same);
        }
        let facts = |text: &str| vec![("what was received until then".to_owned(), text.to_owned())];
        Ok(Found::Differs(Box::new(self.explained(how, Some(at), &facts("as it is"), &facts("with nothing after"))?)))
    }

    fn watched(&self, how: &Perturbation, until: Vec<Instant>) -> Result<Vec<(Instant, u64)>, ScenarioError> {
        let prefixes = Prefixes::new(until);
        let (simulation, drive) = self.simulation(how)?;
        let _ = driven(simulation.observe(Box::new(prefixes.clone())), &drive);
        Ok(prefixes.digests())
    }

    /// Both runs once more, with their traces in files. Of runs up to `until`, if that is given.
    fn explained(&self, how: &Perturbation, until: Option<Instant>, a: &Facts, b: &Facts) -> Result<Difference, ScenarioError> {
        let Ok(folder) = Scratch::new() else { return Ok(of_facts(a, b)) };
        let mut found = of_facts(a, b);
        for _ in 0..8 {
            let write = |how: &Perturbation, name: &str| -> Result<Option<()>, ScenarioError> {
                let Ok(writer) = Writer::create(folder.path().join(name), Text::Keep) else { return Ok(None) };
                if let Perturbation::Host(host) = how {
                    let _ = quietly(|| self.launch(host).observe(Box::new(writer)).run());
                    return Ok(Some(()));
                }
                let (simulation, drive) = self.simulation(how)?;
                let simulation = simulation.observe(Box::new(writer));
                let simulation = if let Some(until) = until { simulation.until(until) } else { simulation };
                let _ = driven(simulation, &drive);
                Ok(Some(()))
            };
            write(&Perturbation::Process, "a.trace")?;
            write(how, "b.trace")?;
            if let Ok(comparison) = diff(folder.path().join("a.trace"), folder.path().join("b.trace"))
                && let Some(difference) = comparison.difference
            {
                found = Difference::of(&difference, "A  as it is\nB  run again");
                break;
            }
        }
        Ok(found)
    }
}
