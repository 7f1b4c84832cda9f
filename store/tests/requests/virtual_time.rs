//! Requests in virtual time: starts and ends against a model that looks at every nanosecond, and results against a sequential run.

use std::num::NonZeroUsize;

use proptest::prelude::*;
use stillpoint_engine::{Duration, Instant, pool};
use stillpoint_store::request::{Claim, Completion, Kind, Operation, Scope, Stage, VirtualPool};

use crate::kit::claim;
use crate::model::Naive;
use crate::threads::{Plan, Registers, Touch, plan, sequential};

fn at(nanos: i64) -> Instant {
    Instant::from_nanos(nanos)
}

fn workers(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).expect("not zero")
}

/// (start, end) of each request in the order of submission, all times shown as plain numbers.
fn spans(mut done: Vec<Completion>) -> Vec<(i64, i64)> {
    done.sort_by_key(|done| done.id);
    done.iter().map(|done| (done.started.as_nanos(), done.ended.as_nanos())).collect()
}

#[test]
fn requests_take_their_latency_once_they_are_due_and_a_worker_is_free() {
    let mut pool = VirtualPool::new(workers(2));
    let a = |kind| claim("prices", Scope::symbol("A"), kind);
    // On two workers: both readers run, the modifier waits for them, the last reader for it, and B takes the worker that is left.
    pool.submit(at(0), a(Kind::Read), Duration::nanos(10));
    pool.submit(at(1), a(Kind::Read), Duration::nanos(20));
    pool.submit(at(2), a(Kind::Modify), Duration::nanos(5));
    pool.submit(at(3), a(Kind::Read), Duration::nanos(1));
    pool.submit(at(4), claim("prices", Scope::symbol("B"), Kind::Modify), Duration::nanos(100));
    assert_eq!((pool.next(), pool.queue().len()), (Some(at(10)), 5));
    assert_eq!(pool.completed(at(9)), []);
    assert_eq!(spans(pool.completed(at(10))), [(0, 10)]);
    assert_eq!(pool.next(), Some(at(21)));
    assert_eq!(spans(pool.completed(at(1_000))), [(1, 21), (21, 26), (26, 27), (10, 110)]);
    assert_eq!((pool.next(), pool.queue().is_empty()), (None, true));
}

#[test]
fn what_ended_is_kept_until_it_is_collected_and_the_past_is_now() {
    let mut pool = VirtualPool::new(workers(1));
    let whole = || claim("prices", Scope::Library, Kind::Modify);
    let first = pool.submit(at(5), whole(), Duration::nanos(3));
    let second = pool.submit(at(20), whole(), Duration::nanos(-4));
    assert_eq!(pool.next(), Some(at(8)));
    // Nothing begins before what the pool was told last.
    let third = pool.submit(at(0), whole(), Duration::nanos(1));
    let done = pool.completed(at(30));
    assert_eq!(done.iter().map(|done| done.id).collect::<Vec<_>>(), [first, second, third]);
    assert_eq!(spans(done), [(5, 8), (20, 20), (20, 21)]);
    assert_eq!(pool.completed(Instant::MAX), []);
}

/// A request with the time since the one before it, and its latency.
fn arrivals() -> impl Strategy<Value = Vec<(Plan, i64, i64)>> {
    prop::collection::vec((plan(), 0i64..4, 0i64..6), 1..30)
}

/// Looks at every nanosecond: first what ends, then what arrives, and after each of these what may start.
fn by_the_nanosecond(arrivals: &[(Claim, i64, i64)], workers: usize) -> Vec<(i64, i64)> {
    let mut ids = VirtualPool::new(NonZeroUsize::MIN);
    let ids: Vec<_> = arrivals.iter().map(|(claim, ..)| ids.submit(at(0), claim.clone(), Duration::ZERO)).collect();
    let place = |id| ids.iter().position(|other| *other == id).expect("one of these");
    let (mut naive, mut spans) = (Naive::default(), vec![(0, i64::MAX); arrivals.len()]);
    let mut arrived = 0;
    for now in 0.. {
        loop {
            let start = |naive: &mut Naive, spans: &mut Vec<(i64, i64)>| {
                while naive.in_stage(Stage::Running).len() < workers
                    && let Some(id) = naive.in_stage(Stage::Due).first().copied()
                {
                    naive.set(id, Some(Stage::Running));
                    spans[place(id)] = (now, now + arrivals[place(id)].2);
                }
            };
            let over = naive.in_stage(Stage::Running).into_iter().find(|id| spans[place(*id)].1 == now);
            if let Some(id) = over {
                naive.set(id, None);
            } else if arrivals.get(arrived).is_some_and(|(_, at, _)| *at == now) {
                naive.submit(ids[arrived], arrivals[arrived].0.clone());
                arrived += 1;
            } else {
                break;
            }
            start(&mut naive, &mut spans);
        }
        let unfinished = [Stage::Waiting, Stage::Due, Stage::Running].iter().any(|stage| !naive.in_stage(*stage).is_empty());
        if arrived == arrivals.len() && !unfinished {
            break;
        }
    }
    spans
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn virtual_time_is_that_of_the_naive_model_and_results_those_of_a_sequential_run(arrivals in arrivals()) {
        let plans: Vec<_> = arrivals.iter().map(|(plan, ..)| plan.clone()).collect();
        let times = arrivals.iter().scan(0, |now, (_, gap, latency)| {
            *now += gap;
            Some((*now, *latency))
        });
        let arrivals: Vec<_> = plans.iter().zip(times).map(|(plan, (now, latency))| (plan.claim.clone(), now, latency)).collect();
        let expected = sequential(&plans);
        for count in [1, 2, 8] {
            let mut virtual_pool = VirtualPool::new(workers(count));
            for (claim, now, latency) in &arrivals {
                virtual_pool.submit(at(*now), claim.clone(), Duration::nanos(*latency));
            }
            let done = virtual_pool.completed(at(10_000));
            prop_assert!(done.is_sorted_by_key(|done| done.ended));
            // Performed in the order of their ends, operations see what they would see one after the other.
            let registers = Registers::pair();
            let mut said = vec![String::new(); plans.len()];
            for done in &done {
                let number = done.id.number() as usize - 1;
                let touch = Touch { number, plan: plans[number].clone() };
                said[number] = match pool::catch(|| touch.run(&registers[&plans[number].claim.library])) {
                    Ok(Ok(seen)) => format!("ok {seen}"),
                    Ok(Err(failed)) => format!("error {failed}"),
                    Err(panic) => format!("panic {}", panic.0),
                };
            }
            prop_assert_eq!(&said, &expected);
            prop_assert_eq!(spans(done), by_the_nanosecond(&arrivals, count), "{} workers", count);
        }
    }
}
