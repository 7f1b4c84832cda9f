//! Requests on real threads, whatever their number, give what a sequential run gives; none is lost, none overtakes, readers share.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Barrier};

use parking_lot::Mutex;
use proptest::prelude::*;
use stillpoint_engine::pool;
use stillpoint_store::request::{Call, Claim, Kind, Named, Operation, Request, RequestError, RequestPool, Scope};

use crate::kit::{LONG, NONE, SIZES, pool};
use crate::model::{any_claim, conflict};

/// Symbols with the numbers of the requests that modified them.
pub(crate) struct Registers {
    name: &'static str,
    symbols: BTreeMap<&'static str, Mutex<Vec<usize>>>,
}

impl Registers {
    pub(crate) fn pair() -> BTreeMap<String, Arc<Self>> {
        let symbols = || ["a", "b", "c"].map(|symbol| (symbol, Mutex::default())).into();
        ["one", "two"].map(|name| (name.to_owned(), Arc::new(Self { name, symbols: symbols() }))).into()
    }
}

impl Named for Registers {
    fn name(&self) -> &str {
        self.name
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Good,
    Fails,
    Panics,
}

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) claim: Claim,
    fate: Fate,
    /// Whether the thread that submits also waits for it at once, and gives up at once.
    looks: bool,
}

pub(crate) fn plan() -> impl Strategy<Value = Plan> {
    let fate = prop_oneof![6 => Just(Fate::Good), 1 => Just(Fate::Fails), 1 => Just(Fate::Panics)];
    (any_claim(), fate, any::<bool>()).prop_map(|(claim, fate, looks)| Plan { claim, fate, looks })
}

/// An operation's own error: what it saw before it failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failed(String);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failed {}

/// Looks at each symbol of its scope, and adds its number to each if it modifies.
pub(crate) struct Touch {
    pub(crate) number: usize,
    pub(crate) plan: Plan,
}

impl Operation<Registers> for Touch {
    type Output = String;
    type Error = Failed;

    fn name(&self) -> &str {
        "touch"
    }

    fn kind(&self) -> Kind {
        self.plan.claim.kind
    }

    fn scope(&self) -> Scope {
        self.plan.claim.scope.clone()
    }

    fn run(self, registers: &Registers) -> Result<String, Failed> {
        let mine = |symbol: &str| match &self.plan.claim.scope {
            Scope::Library => true,
            Scope::Symbols(symbols) => symbols.contains(symbol),
        };
        let mut seen = String::new();
        for (symbol, register) in registers.symbols.iter().filter(|(symbol, _)| mine(symbol)) {
            // Read and written under two locks, so that two modifiers at a time would show.
            let mut numbers = register.lock().clone();
            std::thread::yield_now();
            seen += &format!("{symbol}{numbers:?}");
            if self.plan.claim.kind == Kind::Modify {
                numbers.push(self.number);
                *register.lock() = numbers;
            }
        }
        match self.plan.fate {
            Fate::Good => Ok(seen),
            Fate::Fails => Err(Failed(seen)),
            // A panic that prints nothing: there are tens of thousands of them.
            Fate::Panics => std::panic::resume_unwind(Box::new(seen)),
        }
    }
}

/// What an operation said, however it said it.
pub(crate) fn said(result: &Result<Arc<String>, RequestError>) -> String {
    match result {
        Ok(seen) => format!("ok {seen}"),
        Err(RequestError::Panicked { panic, .. }) => format!("panic {}", panic.0),
        Err(error) => format!("error {}", error.operation::<Failed>().expect("its own error")),
    }
}

/// What each operation says when they run one after the other.
pub(crate) fn sequential(plans: &[Plan]) -> Vec<String> {
    let registers = Registers::pair();
    let run = |(number, plan): (usize, &Plan)| {
        let touch = Touch { number, plan: plan.clone() };
        match pool::catch(|| touch.run(&registers[&plan.claim.library])) {
            Ok(Ok(seen)) => format!("ok {seen}"),
            Ok(Err(Failed(seen))) => format!("error {seen}"),
            Err(panic) => format!("panic {}", panic.0),
        }
    };
    plans.iter().enumerate().map(run).collect()
}

/// Submits everything, waits for it in one of several ways, and gives what each operation said.
fn on_threads(pool: &RequestPool, plans: &[Plan], waiters: usize) -> Vec<String> {
    let registers = Registers::pair();
    let submit = |(number, plan): (usize, &Plan)| {
        let request = pool.submit(&registers[&plan.claim.library], Touch { number, plan: plan.clone() }).expect("an open pool");
        if plan.looks
            && let Err(RequestError::RequestDuration { pending, .. }) = pool.wait(&request, NONE)
        {
            // The operation goes on: it is looked for below.
            assert_eq!(pending, 1);
        }
        request
    };
    let requests: Vec<_> = plans.iter().enumerate().map(submit).collect();
    std::thread::scope(|scope| {
        for waiter in 0..waiters {
            let share: Vec<_> = requests.iter().skip(waiter).step_by(waiters).rev().collect();
            scope.spawn(move || pool.wait_finished(&share, if waiter % 2 == 0 { None } else { LONG }).expect("no time-out"));
        }
    });
    pool.shutdown(LONG).expect("no time-out");
    assert_eq!((pool.statistics().submitted, pool.statistics().pending), (plans.len() as u64, 0));
    requests.iter().map(|request: &Request<String>| said(&request.result().expect("no request is lost"))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn every_pool_gives_what_a_sequential_run_gives(plans in prop::collection::vec(plan(), 1..40), waiters in 0usize..4) {
        let expected = sequential(&plans);
        for size in SIZES {
            prop_assert_eq!(&on_threads(&pool(size), &plans, waiters), &expected, "{} threads", size);
        }
    }

    /// Groups of readers who all must run at once to end, with modifiers between the groups.
    #[test]
    fn readers_between_two_modifiers_share(groups in prop::collection::vec((1usize..=8, "[ab]"), 1..8)) {
        let (pool, registers) = (pool(8), Registers::pair());
        let library = &registers["one"];
        let mut requests = Vec::new();
        for (readers, symbol) in groups {
            let barrier = Arc::new(Barrier::new(readers));
            for _ in 0..readers {
                let barrier = barrier.clone();
                let meet = move |_: &Registers| Ok::<_, Failed>(_ = barrier.wait());
                requests.push(pool.submit(library, Call::read("meet", Scope::symbol(&symbol), meet)).expect("an open pool"));
            }
            let modify = Call::modify("modify", Scope::Library, |_: &Registers| Ok::<_, Failed>(()));
            requests.push(pool.submit(library, modify).expect("an open pool"));
        }
        pool.wait_all(&requests, LONG).expect("they meet");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    /// Told by the operations themselves: those that conflict neither overlap nor overtake.
    #[test]
    fn what_conflicts_runs_one_after_the_other_in_order(claims in prop::collection::vec(any_claim(), 1..40)) {
        for size in SIZES {
            let (pool, registers) = (pool(size), Registers::pair());
            let log = Arc::new(Mutex::new(Vec::new()));
            for (number, claim) in claims.iter().enumerate() {
                let log = log.clone();
                let tell = move |_: &Registers| {
                    log.lock().push((number, true));
                    std::thread::yield_now();
                    log.lock().push((number, false));
                    Ok::<_, Failed>(())
                };
                let call = Call::new("tell", claim.kind, claim.scope.clone(), tell);
                pool.submit(&registers[&claim.library], call).expect("an open pool");
            }
            pool.shutdown(LONG).expect("no time-out");
            let log = log.lock();
            prop_assert_eq!(log.len(), 2 * claims.len());
            let at = |what| log.iter().position(|line| *line == what).expect("each begins and ends");
            for later in 0..claims.len() {
                for earlier in (0..later).filter(|earlier| conflict(&claims[*earlier], &claims[later])) {
                    prop_assert!(at((earlier, false)) < at((later, true)), "{} and {} on {} threads", earlier, later, size);
                }
            }
        }
    }
}
