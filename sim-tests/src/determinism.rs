//! The kit's front: a world, the scenarios it is put in, and what is claimed of it. Invariant: equal settings and seeds make equal cases, in
//! every process and on every machine.

use std::collections::BTreeSet;
use std::panic::Location;
use std::path::PathBuf;
use std::sync::Arc;

use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use stillpoint_engine::trace::Record;

use crate::case::Case;
use crate::case_text;
use crate::check::Check;
use crate::child::{self, Key};
use crate::claim::Claim;
use crate::compare::Projection;
use crate::corpus;
use crate::generate::{Scenarios, scenarios};
use crate::judge::{Judgement, REPEATS, Subject, middle};
use crate::mark::{Mark, Tally};
use crate::perturbation::Perturbation;
use crate::ran::Ran;
use crate::rim::asked;
use crate::sample::Sample;
use crate::shrink::{Failing, smaller};
use crate::verdict::{Failure, Shrink, Verdict};
use crate::world::{Part, Setup, World, build};

/// The seed of cases unless another one is asked for.
const SEED: u64 = 0x5711;
/// How many cases are made unless told otherwise.
const CASES: u32 = 64;
/// Tries of each of the two passes that make a failing case small.
const TRIES: usize = 1_000;
/// Draws of each perturbation for a saved case.
const SAVED_DRAWS: u64 = 8;

/// Holds a world to its promise: whatever scenario it is put in, the run is the same, however it is run.
///
/// The type of events is that of `World<M>`; a world whose actors handle several types names it: `|world: &mut World<i64>| ..`.
///
/// ```
/// use stillpoint_engine::{Actor, Context, Handler};
/// use stillpoint_sim_tests::{Claim, Determinism, scenarios};
///
/// /// Counts new highs.
/// struct Highs(i64, u32);
/// impl Actor for Highs {}
/// impl Handler<i64> for Highs {
///     fn handle(&mut self, price: &i64, _: &mut Context<'_, Self>) {
///         if *price > self.0 {
///             (self.0, self.1) = (*price, self.1 + 1);
///         }
///     }
/// }
///
/// Determinism::of(|world| _ = world.add("highs", Highs(0, 0)))
///     .scenarios(scenarios().streams(1..=2).ties(0.4))
///     .claims([Claim::Causal, Claim::TimeShift])
///     .cases(8)
///     .check();
/// ```
pub struct Determinism<M> {
    parts: Vec<Part<M>>,
    scenarios: Scenarios<M>,
    claims: Vec<Claim>,
    checks: BTreeSet<Check>,
    marks: Option<Vec<Mark>>,
    more_marks: Vec<Mark>,
    corpus: Option<PathBuf>,
    cases: u32,
    seed: u64,
    shrinks: bool,
    projection: Option<Arc<Projection>>,
}

impl<M: Sample> Determinism<M> {
    /// A world that is built by `part`, again and again. It must add the same actors every time.
    pub fn of(part: impl Fn(&mut World<M>) + Send + Sync + 'static) -> Self {
        let claimed = [Check::Snapshot, Check::Cut, Check::Future, Check::TimeShift, Check::PriceScale, Check::Rename, Check::Heartbeat];
        Self {
            parts: vec![Arc::new(part)],
            scenarios: scenarios(),
            claims: vec![Claim::Causal],
            checks: Check::ALL.into_iter().filter(|check| !claimed.contains(check)).collect(),
            marks: None,
            more_marks: Vec::new(),
            corpus: None,
            cases: CASES,
            seed: SEED,
            shrinks: true,
            projection: None,
        }
    }

    /// Another part of the world, which refers to no actor of the others: parts are built in any order.
    #[must_use]
    pub fn and(mut self, part: impl Fn(&mut World<M>) + Send + Sync + 'static) -> Self {
        self.parts.push(Arc::new(part));
        self
    }

    /// What the made-up scenarios are like.
    #[must_use]
    pub fn scenarios(self, scenarios: Scenarios<M>) -> Self {
        Self { scenarios, ..self }
    }

    /// What is claimed of the world, in place of [`Claim::Causal`] alone.
    #[must_use]
    pub fn claims(self, claims: impl IntoIterator<Item = Claim>) -> Self {
        Self { claims: claims.into_iter().collect(), ..self }
    }

    /// What of a record the claims but [`Claim::Causal`] compare: `None` leaves it out, a text is compared beside instant, step, sender, receiver
    /// and kind. Unless given, those alone are compared, for all records: texts and digests tell times and prices, which claims change.
    #[must_use]
    pub fn projection(self, projection: impl Fn(&Record) -> Option<String> + Send + Sync + 'static) -> Self {
        Self { projection: Some(Arc::new(projection)), ..self }
    }

    /// Makes these checks and no others, claims aside.
    #[must_use]
    pub fn only(self, checks: impl IntoIterator<Item = Check>) -> Self {
        Self { checks: checks.into_iter().collect(), claims: Vec::new(), ..self }
    }

    /// Also replays the streams of every case from a store, which holds their items in a way that is drawn.
    #[cfg(feature = "store")]
    #[must_use]
    pub fn replayed(mut self) -> Self {
        self.checks.insert(Check::Store);
        self
    }

    /// Leaves a check out.
    #[must_use]
    pub fn without(mut self, check: Check) -> Self {
        self.checks.remove(&check);
        self
    }

    /// Declares what the cases must have held, beside what follows from the scenarios.
    #[must_use]
    pub fn marks(mut self, marks: impl IntoIterator<Item = Mark>) -> Self {
        self.more_marks.extend(marks);
        self
    }

    /// Declares what the cases must have held, in place of what follows from the scenarios.
    #[must_use]
    pub fn only_marks(self, marks: impl IntoIterator<Item = Mark>) -> Self {
        Self { marks: Some(marks.into_iter().collect()), ..self }
    }

    /// A folder with saved failures, relative to the package. They are run first; new ones are written there.
    #[must_use]
    pub fn corpus(self, folder: impl Into<PathBuf>) -> Self {
        Self { corpus: Some(folder.into()), ..self }
    }

    /// How many cases are made. `STILLPOINT_CASES` asks for another number.
    #[must_use]
    pub fn cases(self, cases: u32) -> Self {
        Self { cases, ..self }
    }

    /// The seed of the cases. `STILLPOINT_SEED` asks for another one; `STILLPOINT_SEED=random` for one from the system, which is printed.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Whether a failing case is made small. It is unless told otherwise.
    #[must_use]
    pub fn shrinks(self, shrinks: bool) -> Self {
        Self { shrinks, ..self }
    }

    /// The checks that will be made.
    pub fn checks(&self) -> BTreeSet<Check> {
        self.checks.iter().chain(self.claims.iter().flat_map(|claim| claim.checks())).copied().collect()
    }

    /// Makes all checks. Panics with what was found if something differs, or too little was looked at.
    #[track_caller]
    pub fn check(self) {
        let verdict = self.report();
        assert!(verdict.holds(), "{verdict}");
        println!("{verdict}");
    }

    /// Makes all checks and tells what was found.
    ///
    /// In a process that another one's check `process` has started, this tells at once that nothing was looked at, and holds, unless it is
    /// the very check that was meant: then it answers and ends the process.
    #[track_caller]
    pub fn report(mut self) -> Verdict {
        let key = Key::at(Location::caller());
        if let Some(folder) = child::parent() {
            child::answer(&folder, &key, |case| build(&self.parts, case, &Setup::default()).simulation);
            return Verdict::default();
        }
        self.seed = asked::number(asked::SEED).unwrap_or(self.seed);
        self.cases = asked::number(asked::CASES).map_or(self.cases, |cases| cases as u32);
        self.checks = self.checks();
        let subject = Subject { parts: self.parts.clone(), projection: self.projection.clone(), key };
        Hunt { settings: self, subject, verdict: Verdict::default(), tally: Tally::default() }.run()
    }
}

/// A case that failed, and where it came from.
struct Found<M> {
    case: Arc<Case<M>>,
    how: Perturbation,
    /// The number of the generated case.
    number: Option<u32>,
}

struct Hunt<M> {
    settings: Determinism<M>,
    subject: Subject<M>,
    verdict: Verdict,
    tally: Tally,
}

impl<M: Sample> Hunt<M> {
    fn run(mut self) -> Verdict {
        self.verdict.seed = self.settings.seed;
        self.verdict.checks = self.settings.checks.iter().map(|check| (*check, 0)).collect();
        let strategy = self.strategy();
        let marks = self.declared(&strategy);
        let found =
            self.saved_cases().or_else(|| if asked::path(asked::CASE).is_some() { None } else { self.made_cases(&strategy, &marks) });
        if asked::path(asked::CASE).is_none() {
            self.verdict.marks = marks.iter().map(|mark| (*mark, self.tally.get(mark))).collect();
        } else {
            self.verdict.checks.retain(|_, count| *count > 0);
        }
        if let Some(found) = found {
            self.verdict.failure = Some(self.explain(found, &strategy));
        }
        self.verdict
    }

    /// The strategy for cases of this world. Its links are those of the smallest case.
    fn strategy(&self) -> BoxedStrategy<Case<M>> {
        let bare = self.settings.scenarios.strategy(&[]);
        let links = self.subject.built(&Arc::new(made(&bare, self.settings.seed, 0).current())).links;
        if links.is_empty() { bare } else { self.settings.scenarios.strategy(&links) }
    }

    fn declared(&self, strategy: &BoxedStrategy<Case<M>>) -> Vec<Mark> {
        let built = self.subject.built(&Arc::new(made(strategy, self.settings.seed, 0).current()));
        let marks = self.settings.marks.clone();
        let mut marks = marks.unwrap_or_else(|| self.settings.scenarios.marks(built.actors.len(), !built.links.is_empty()));
        marks.extend(&self.settings.more_marks);
        marks
    }

    /// Saved failures, or the one file that was asked for, with many draws of each perturbation.
    fn saved_cases(&mut self) -> Option<Found<M>> {
        let cases = match (asked::path(asked::CASE), &self.settings.corpus) {
            (Some(file), _) => vec![(file.clone(), corpus::case(&file))],
            (None, Some(folder)) => corpus::cases(folder),
            (None, None) => return None,
        };
        let checks: Vec<Check> = self.settings.checks.iter().copied().collect();
        for (_, case) in cases {
            self.verdict.saved += 1;
            let base = self.base(&case);
            let mut tried = Vec::new();
            for check in &checks {
                for draw in 0..SAVED_DRAWS {
                    let how = check.draw(draw, &case, &base);
                    if tried.contains(&how) {
                        continue;
                    }
                    if self.differs(&case, &base, &how) {
                        return Some(Found { case, how, number: None });
                    }
                    tried.push(how);
                }
            }
        }
        None
    }

    fn made_cases(&mut self, strategy: &BoxedStrategy<Case<M>>, marks: &[Mark]) -> Option<Found<M>> {
        let checks: Vec<Check> = self.settings.checks.iter().copied().filter(|check| *check != Check::Process).collect();
        let mut bases = Vec::new();
        for number in 0..self.settings.cases {
            let case = Arc::new(made(strategy, self.settings.seed, number).current());
            self.verdict.cases += 1;
            let base = self.base(&case);
            let seed = draw_seed(self.settings.seed, number);
            let pause = middle(&base, &mut stillpoint_engine::Rng::of(seed, "pause", "marks"));
            let snapshots = self.verdict.checks.get(&Check::Snapshot).copied();
            for check in &checks {
                let how = match (check, check.draw(seed, &case, &base)) {
                    // Marks at a pause are of this one.
                    (Check::Pause, _) if number % 2 == 0 => Perturbation::Pause(pause),
                    (_, Perturbation::Snapshot { place, .. }) => Perturbation::Snapshot { at: pause, place },
                    (_, how) => how,
                };
                if self.differs(&case, &base, &how) {
                    return Some(Found { case, how, number: Some(number) });
                }
            }
            // What a refused snapshot would have held was not covered.
            let refused = snapshots.is_some() && snapshots == self.verdict.checks.get(&Check::Snapshot).copied();
            self.tally.look(marks, &case, &base, (!refused).then_some(pause));
            if self.settings.checks.contains(&Check::Process) {
                bases.push((case, base));
            }
        }
        self.in_a_fresh_process(&bases)
    }

    /// All cases in one fresh process.
    fn in_a_fresh_process(&mut self, bases: &[(Arc<Case<M>>, Ran)]) -> Option<Found<M>> {
        if bases.is_empty() {
            return None;
        }
        let cases: Vec<_> = bases.iter().map(|(case, _)| (case, None)).collect();
        match child::run(&self.subject.key, &cases) {
            Ok(answers) => {
                *self.verdict.checks.entry(Check::Process).or_default() += answers.len() as u64;
                let differs = answers.iter().zip(bases).position(|(answer, (_, base))| answer.differs(base, Vec::new()).is_some());
                let number = differs?;
                Some(Found { case: bases[number].0.clone(), how: Perturbation::Process, number: Some(number as u32) })
            }
            Err(error) => {
                self.verdict.impossible.insert(Check::Process, error);
                None
            }
        }
    }

    fn base(&mut self, case: &Arc<Case<M>>) -> Ran {
        let base = self.subject.base(case);
        self.verdict.records += base.outcome.deliveries + base.outcome.dead_letters;
        self.verdict.failed_runs += u32::from(base.error.is_some());
        base
    }

    fn differs(&mut self, case: &Arc<Case<M>>, base: &Ran, how: &Perturbation) -> bool {
        match self.subject.judge(case, base, how) {
            Judgement::Impossible(why) => {
                self.verdict.impossible.insert(how.check(), why);
                false
            }
            judgement => {
                *self.verdict.checks.entry(how.check()).or_default() += 1;
                matches!(judgement, Judgement::Differs(_))
            }
        }
    }

    /// Whether a case fails, from nothing.
    fn fails(subject: &Subject<M>, case: &Arc<Case<M>>, how: &Perturbation) -> bool {
        let base = subject.base(case);
        matches!(subject.judge(case, &base, how), Judgement::Differs(_))
    }

    /// Finds out whose fault it is, makes the case small, saves it and says all there is to say.
    fn explain(&mut self, found: Found<M>, strategy: &BoxedStrategy<Case<M>>) -> Failure {
        let Found { case, mut how, number } = found;
        // A run that does not even repeat itself says nothing about other ways to run it.
        if how.check() != Check::Repeat {
            let repeat = Perturbation::Repeat { runs: 4 * REPEATS, seed: 1 };
            if Self::fails(&self.subject, &case, &repeat) {
                how = repeat;
            }
        }
        let mut shrink = Shrink { found: case.events(), first: case.events(), second: case.events(), tried: 0 };
        let (case, how) = if self.settings.shrinks { self.shrunk((case, how), number, strategy, &mut shrink) } else { (case, how) };
        let base = self.subject.base(&case);
        // A flaky difference may need some more looks.
        let looks = (0..REPEATS).find_map(|_| match self.subject.judge(&case, &base, &how) {
            Judgement::Differs(difference) => Some(*difference),
            _ => None,
        });
        let difference = looks.unwrap_or_else(|| crate::difference::Difference {
            at: None,
            actors: Vec::new(),
            text: "the difference did not show again in this smallest case: it is a rare one".to_owned(),
        });
        let built = self.subject.built(&case);
        let about = format!(
            "A failure of the check `{}`: {how}.\nActors of the kind `world` are those of the test's code; put kinds in their place to run this file by itself.",
            how.check()
        );
        let name = self.subject.key.test().unwrap_or("world").to_owned();
        let text = case_text::write(&case, &name, &about, &built.actors, &built.links);
        let saved = self.settings.corpus.as_ref().and_then(|folder| match corpus::save(folder, how.check().name(), &text) {
            Ok(file) => Some(file),
            Err(error) => {
                println!("the case could not be saved: {error}");
                None
            }
        });
        let test = self.subject.key.test().unwrap_or_default();
        let command = match &saved {
            Some(file) => format!("{}={} cargo test {test}", asked::CASE, file.display()),
            None => {
                format!(
                    "{}={} {}={} cargo test {test}",
                    asked::SEED,
                    self.settings.seed,
                    asked::CASES,
                    number.map_or(0, |number| number + 1)
                )
            }
        };
        Failure { check: how.check(), how, difference, shrink, case: text, saved, command: command.trim_end().to_owned() }
    }

    /// Both passes: proptest's, where the case was generated, then the kit's own.
    fn shrunk(&self, failing: Failing<M>, number: Option<u32>, strategy: &BoxedStrategy<Case<M>>, shrink: &mut Shrink) -> Failing<M> {
        let (mut case, mut how) = failing;
        if let Some(number) = number {
            let mut tree = made(strategy, self.settings.seed, number);
            let seed = draw_seed(self.settings.seed, number);
            let mut going = tree.simplify();
            while going && shrink.tried < TRIES {
                shrink.tried += 1;
                let candidate = Arc::new(tree.current());
                let base = self.subject.base(&candidate);
                // What was drawn for the case is drawn again for the smaller one: a cut, say, lies at one of its own instants.
                let again = match &how {
                    Perturbation::Cut(_) | Perturbation::Future { .. } | Perturbation::Pause(_) => {
                        how.check().draw(seed, &candidate, &base)
                    }
                    other => other.clone(),
                };
                if matches!(self.subject.judge(&candidate, &base, &again), Judgement::Differs(_)) {
                    (case, how) = (candidate, again);
                    going = tree.simplify();
                } else {
                    going = tree.complicate();
                }
            }
        }
        shrink.first = case.events();
        let mut fails = |case: &Arc<Case<M>>, how: &Perturbation| Self::fails(&self.subject, case, how);
        let (smallest, tried) = smaller((case, how), TRIES, &mut fails);
        shrink.second = smallest.0.events();
        shrink.tried += tried;
        smallest
    }
}

/// The seed of what is drawn beside a case.
fn draw_seed(seed: u64, number: u32) -> u64 {
    stillpoint_engine::digest_of(&(seed, number))
}

/// The case of this number: each has a seed of its own, so that it can be made alone.
fn made<M: Sample>(strategy: &BoxedStrategy<Case<M>>, seed: u64, number: u32) -> Box<dyn ValueTree<Value = Case<M>>> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..12].copy_from_slice(&number.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    strategy.new_tree(&mut runner).expect("a case can always be made")
}
