//! R5: offloaded jobs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use stillpoint_engine::{Pool, Simulation};

use crate::kit::*;

/// Jobs of several latencies, among timers and messages.
fn jobs(pool: usize) -> Simulation {
    let mut sim = world().pool(Arc::new(Pool::new(pool)));
    let m = sim.promise("m");
    sim.place(
        m,
        probe(move |what, ctx| match what {
            In::Start => {
                ctx.submit(ns(7), || Sum((1..=1000u64).sum()));
                ctx.submit(ns(0), || Sum(2));
                ctx.submit(ns(-3), || Sum(3));
                ctx.send(m, Note(4));
                ctx.notify_after(ns(7), Note(5));
                ctx.submit(ns(3), || panic!("no sum of {}", 6));
            }
            In::Done(_, Ok(2)) => _ = ctx.submit(ns(0), || Sum(20)),
            _ => {}
        }),
    );
    sim
}

#[test]
fn r05_jobs_arrive_after_their_latency_whatever_the_size_of_the_pool() {
    let mut hashes = Vec::new();
    for size in [0, 1, 2] {
        let outcome = check_after_start(
            jobs(size),
            "0.0.1 m#2 <- m#1 note 4
             0.0.1 m#3 <- m#1 sum 2
             0.0.1 m#4 <- m#1 sum 3
             0.0.2 m#5 <- m#3 sum 20
             3.0.0 m#6 <- m#1 job-panic
             7.0.0 m#7 <- m#1 note 5
             7.0.0 m#8 <- m#1 sum 500500",
        );
        hashes.push(outcome.trace_hash);
    }
    assert!(hashes[0] == hashes[1] && hashes[1] == hashes[2]);
}

#[test]
fn r05_jobs_keep_their_order_however_long_they_really_take() {
    // The first job cannot end before the second one has: with two threads it waits for it.
    let (sender, receiver) = crossbeam_channel::bounded(1);
    let mut sim = world().pool(Arc::new(Pool::new(2)));
    sim.put(
        "m",
        starter(move |ctx| {
            ctx.submit(ns(5), move || Sum(receiver.recv().expect("the other job")));
            ctx.submit(ns(5), move || {
                sender.send(1).expect("the other job");
                Sum(2)
            });
        }),
    );
    check_after_start(sim, "5.0.0 m#2 <- m#1 sum 1\n5.0.0 m#3 <- m#1 sum 2");
}

#[test]
fn r05_jobs_that_panic_deliver_their_panic() {
    let log = Log::default();
    let mut sim = world();
    let seen = log.clone();
    let mut ids = Vec::new();
    sim.put(
        "m",
        probe(move |what, ctx| match what {
            In::Start => {
                ids.push(ctx.submit(ns(1), || panic!("no sum of {}", 6)));
                ids.push(ctx.submit(ns(1), || std::panic::panic_any(7u64)));
                ids.push(ctx.submit(ns(1), || Sum(8)));
            }
            In::Done(id, result) => {
                let which = ids.iter().position(|other| *other == id).expect("a job of this actor");
                seen.add(format!("{which} {result:?}, due {}", moment(ctx.event().due)));
            }
            _ => {}
        }),
    );
    check_after_start(sim, "1.0.0 m#2 <- m#1 job-panic\n1.0.0 m#3 <- m#1 job-panic\n1.0.0 m#4 <- m#1 sum 8");
    log.check("0 Err(\"no sum of 6\"), due 1\n1 Err(\"a value that is no text\"), due 1\n2 Ok(8), due 1");
}

#[test]
fn r05_jobs_report_the_instant_as_their_due_time_for_every_latency() {
    let log = Log::default();
    let mut sim = world().start(at(50));
    let seen = log.clone();
    sim.put(
        "m",
        probe(move |what, ctx| match what {
            In::Start => [-2, 0, 2].into_iter().for_each(|latency| _ = ctx.submit(ns(latency), move || Sum(1))),
            In::Done(..) => seen.add(format!("now {}, due {}", moment(ctx.now()), moment(ctx.event().due))),
            _ => {}
        }),
    );
    run(sim);
    log.check("now 50, due 50\nnow 50, due 50\nnow 52, due 52");
}

#[test]
fn r05_jobs_that_are_cancelled_leave_no_record_and_need_not_run() {
    let ran = Arc::new(AtomicU64::new(0));
    let mut sim = world();
    let (counter, mut cancelled) = (ran.clone(), None);
    sim.put(
        "m",
        probe(move |what, ctx| match what {
            In::Start => {
                let (first, second) = (counter.clone(), counter.clone());
                cancelled = Some(ctx.submit(ns(5), move || Sum(first.fetch_add(1, Ordering::Relaxed))));
                ctx.submit(ns(5), move || Sum(second.fetch_add(100, Ordering::Relaxed)));
                ctx.notify_after(ns(1), Note(0));
            }
            In::Note(_) => {
                let job = cancelled.take().expect("a job");
                assert!(ctx.cancel_job(job));
                assert!(!ctx.cancel_job(job), "it was cancelled before");
            }
            _ => {}
        }),
    );
    // Without threads a job runs when its result is waited for: the cancelled one never did.
    check_after_start(sim, "1.0.0 m#2 <- m#1 note 0\n5.0.0 m#3 <- m#1 sum 0");
    assert_eq!(ran.load(Ordering::Relaxed), 100);
}
