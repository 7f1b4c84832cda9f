//! Random programs give the same account in the engine and in the naive reference model, however the engine is set up.
//!
//! `CHAOS_CASES` and `CHAOS_SEED` choose how many programs and which; a failure names the seed and the case, and shrinks the program.

mod cases;

use std::collections::BTreeSet;
use std::sync::Arc;

use cases::{check_all, number};
use stillpoint_engine::Pool;
use stillpoint_sim_tests::chaos::engine::{self, Play, Setup};
use stillpoint_sim_tests::chaos::model::{self, Tally};
use stillpoint_sim_tests::chaos::program::Program;
use stillpoint_sim_tests::chaos::strategy::programs;

fn agrees(program: &Program, setup: &Setup, tally: &mut Tally) -> Result<Play, String> {
    let expected = model::run(program, tally);
    let play = engine::run(program, setup);
    match expected.first_difference(&play.account) {
        None => Ok(play),
        Some(difference) => Err(difference),
    }
}

/// What must have happened at least this often in the programs of the fixed seed, for every 1,000 of them: else agreement shows little.
const OFTEN: [(&str, u64); 83] = [
    ("a cancelled delivery in a mailbox", 200),
    ("a dead letter after a panic", 10),
    ("a question lost in a stop", 70),
    ("a reply to an ask that was closed in its step", 1),
    ("an actor ends", 600),
    ("an ask whose task left it", 600),
    ("an undeclared send", 3),
    ("answer", 6000),
    ("answer later", 200),
    ("ask", 3000),
    ("ask astray", 80),
    ("ask in a task", 2000),
    ("ask with a timeout", 5000),
    ("cancel a child task", 20),
    ("cancel a job", 90),
    ("cancel a job in vain", 200),
    ("cancel a pending timer", 900),
    ("cancel a task", 100),
    ("cancel a task in vain", 300),
    ("cancel a timer in vain", 2000),
    ("cancel what is due in this mailbox", 200),
    ("dead letter", 7000),
    ("dead letter to the unborn", 10),
    ("draw", 2000),
    ("drop a kept question", 80),
    ("drop a question", 1000),
    ("end", 100),
    ("flagged item", 2000),
    ("gone", 1000),
    ("item", 10000),
    ("job done", 2000),
    ("job panicked", 600),
    ("join", 100),
    ("keep a question", 2000),
    ("later round", 1000),
    ("leave the other wait", 3000),
    ("mention", 2000),
    ("never", 300),
    ("never born", 90),
    ("next instant", 1000),
    ("notify after", 6000),
    ("notify at", 2000),
    ("notify every", 3000),
    ("notify soon", 2000),
    ("panic", 40),
    ("pause", 800),
    ("poll", 10000),
    ("publication", 6000),
    ("publish", 10000),
    ("push", 1000),
    ("recv", 2000),
    ("resume", 800),
    ("send", 10000),
    ("send after", 5000),
    ("send astray", 100),
    ("send for the past", 2000),
    ("sleep", 2000),
    ("sleep until", 600),
    ("spawn", 3000),
    ("spawn a task", 900),
    ("spawn ranked", 1000),
    ("stop", 200),
    ("stop another", 1000),
    ("stop the run", 6),
    ("submit", 2000),
    ("submit a job that panics", 600),
    ("submit in a task", 1000),
    ("subscribe", 6000),
    ("subscribe to a stream", 3000),
    ("task", 5000),
    ("tick of an interval", 8000),
    ("timeout", 3000),
    ("unsubscribe", 3000),
    ("unsubscribe from a stream", 800),
    ("yield", 3000),
    ("end: done", 200),
    ("end: until", 40),
    ("end: stopped", 2),
    ("end: mailbox", 6),
    ("end: livelock", 6),
    ("end: late item", 4),
    ("end: panic", 5),
    ("end: undeclared send", 1),
];

#[test]
fn the_engine_agrees_with_the_model() {
    let (first, cases) = (number("CHAOS_FIRST", 0), number("CHAOS_CASES", 10_000));
    let mut tally = Tally::new();
    let mut sizes = Vec::new();
    check_all(programs(), first, cases, |program| {
        let play = agrees(program, &Setup::default(), &mut tally)?;
        sizes.push(play.account.records.len());
        Ok(())
    });
    sizes.sort_unstable();
    let median = sizes[sizes.len() / 2];
    println!("{cases} cases, median {median} deliveries, most {}", sizes[sizes.len() - 1]);
    assert!(median >= 200, "the median program has {median} deliveries");
    for (what, least) in OFTEN {
        let count = tally.get(what).copied().unwrap_or(0);
        assert!(count * 1_000 >= least * cases, "`{what}` happened {count} times in {cases} cases");
    }
}

fn same(what: &str, a: &Play, b: &Play) -> Result<(), String> {
    if let Some(difference) = a.account.first_difference(&b.account) {
        return Err(format!("{what} changes the run: {difference}"));
    }
    if a.hash != b.hash || a.chains != b.chains {
        return Err(format!("{what} changes the hash {} to {}, or chains", a.hash, b.hash));
    }
    Ok(())
}

#[test]
fn the_order_of_registration_changes_nothing() {
    check_all(programs(), 100_000, number("CHAOS_CASES", 10_000) / 10, |program| {
        let backwards = Setup { backwards: true, ..Setup::default() };
        same("registering backwards", &engine::run(program, &Setup::default()), &engine::run(program, &backwards))
    });
}

#[test]
fn the_size_of_the_pool_changes_nothing() {
    let pools = [1, 2].map(|size| Arc::new(Pool::new(size)));
    let none = Some(Arc::new(Pool::new(0)));
    check_all(programs(), 200_000, number("CHAOS_CASES", 10_000) / 10, |program| {
        let expected = engine::run(program, &Setup { pool: none.clone(), ..Setup::default() });
        pools.iter().try_for_each(|pool| {
            let setup = Setup { pool: Some(pool.clone()), ..Setup::default() };
            same("a pool", &expected, &engine::run(program, &setup))
        })
    });
}

#[test]
fn metrics_change_nothing() {
    check_all(programs(), 300_000, number("CHAOS_CASES", 10_000) / 10, |program| {
        let metrics = Setup { metrics: true, ..Setup::default() };
        same("measuring", &engine::run(program, &Setup::default()), &engine::run(program, &metrics))
    });
}

#[test]
fn an_unrelated_actor_changes_no_chain_of_others() {
    let mut ends = BTreeSet::new();
    check_all(programs(), 400_000, number("CHAOS_CASES", 10_000) / 10, |program| {
        let alone = engine::run(program, &Setup::default());
        let with = engine::run(program, &Setup { stranger: true, ..Setup::default() });
        ends.insert(format!("{:?}", with.account.ending).chars().take(4).collect::<String>());
        if alone.chains != with.chains {
            let changed: Vec<_> = with.chains.iter().filter(|chain| !alone.chains.contains(chain)).collect();
            return Err(format!("a stranger changes the chains of others to {changed:?}"));
        }
        Ok(())
    });
    assert!(ends.len() >= 5, "programs end in too few ways: {ends:?}");
}
