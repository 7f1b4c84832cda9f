//! What asynchronous requests promise, A1 to A14 of the specification, each by its number.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use parking_lot::Mutex;
use std::sync::mpsc::sync_channel;
use stillpoint_engine::{Duration, Instant, JobPanic, Pool};
use stillpoint_store::request::{
    Call, Clock, DEFAULT_SIZE, Finished, Kind, Request, RequestError, RequestPool, Scope, Statistics, filter_failed, filter_finished,
    first_error,
};

use crate::kit::{Gate, Hands, LONG, Log, NONE, SHORT, SIZES, assert_held, pool, timed_out};
use crate::memory::{HasSymbol, ListSymbols, Memory, MemoryError, Read, Table, Write};

fn no_symbol(symbol: &str) -> MemoryError {
    MemoryError::NoSymbol { symbol: symbol.to_owned(), library: "prices".to_owned() }
}

#[test]
fn a01_the_operation_says_whether_it_modifies() {
    let (pool, library) = (pool(0), Memory::with("prices", &["A"]));
    let read = pool.submit(&library, Read::all("A")).expect("an open pool");
    let write = pool.submit(&library, Write::new("A", Table::flat(1, 9.0))).expect("an open pool");
    assert_eq!([read.info().kind(), write.info().kind()], [Kind::Read, Kind::Modify]);
    let peek = pool.submit(&library, Call::read("peek", Scope::Library, |_: &Memory| Ok::<_, Infallible>(1))).expect("an open pool");
    let poke = pool.submit(&library, Call::modify("poke", Scope::Library, |_: &Memory| Ok::<_, Infallible>(2))).expect("an open pool");
    assert_eq!([peek.info().kind(), poke.info().kind()], [Kind::Read, Kind::Modify]);
    let (table, version, one, two) = pool.wait_all(&(read, write, peek, poke), LONG).expect("good operations");
    assert_eq!((table.rows(), *version, *one, *two), (3, 2, 1, 2));
}

#[test]
fn a01_an_explicit_kind_goes_before_what_the_operation_says() {
    let (pool, library) = (pool(2), Memory::with("prices", &["A"]));
    let gate = Gate::read(&pool, &library, "A").began();
    let forced = pool.prepare(&library, Read::all("A")).kind(Kind::Modify).submit().expect("an open pool");
    assert_eq!(forced.info().kind(), Kind::Modify);
    // As a reader it would share the symbol with the gate.
    assert_held(&pool, &library, &[&forced]);
    gate.open();
    assert_eq!(pool.wait(&forced, LONG).expect("a symbol").rows(), 3);
}

#[test]
fn a02_wait_gives_the_result_of_a_request_that_runs_or_has_ended() {
    for size in SIZES {
        let (pool, library) = (pool(size), Memory::with("prices", &["A", "B"]));
        let request = pool.submit(&library, Read::all("B")).expect("an open pool");
        for timeout in [LONG, LONG, None, NONE] {
            assert_eq!(*pool.wait(&request, timeout).expect("a symbol"), Table(vec![(0, 2.0), (1_000_000_000, 2.0), (2_000_000_000, 2.0)]));
        }
    }
}

#[test]
fn a03_wait_all_gives_results_in_the_order_of_the_requests() {
    let (pool, library) = (pool(2), Memory::new("prices"));
    let (tell, told) = sync_channel::<()>(1);
    // The first ends only once the second one has.
    let first = Call::read("first", Scope::Library, move |_: &Memory| told.recv().map(|()| 1));
    let second = Call::read("second", Scope::Library, move |_: &Memory| Ok::<_, Infallible>(2));
    let first = pool.submit(&library, first).expect("an open pool");
    let tell = move |_: Finished<'_, i32>| tell.send(()).expect("the first waits");
    let second = pool.prepare(&library, second).callback(tell).submit().expect("an open pool");
    let results =
        |requests: [&Request<i32>; 2]| pool.wait_all(&requests, LONG).expect("good operations").iter().map(|n| **n).collect::<Vec<_>>();
    assert_eq!(results([&first, &second]), [1, 2]);
    assert_eq!(results([&second, &first]), [2, 1]);
}

#[test]
fn a04_wait_raises_the_operations_own_error_and_the_request_keeps_it() {
    for size in SIZES {
        let (pool, library) = (pool(size), Memory::with("prices", &["A"]));
        let requests = ["A", "X", "Y"].map(|symbol| pool.submit(&library, Read::all(symbol)).expect("an open pool"));
        let error = pool.wait_all(&requests, LONG).expect_err("X is missing");
        assert_eq!(error.operation(), Some(&no_symbol("X")));
        assert_eq!(error.to_string(), "request #2, `read` of `X` in library `prices`: no symbol `X` in library `prices`; write it first");
        let kept = requests.each_ref().map(|request| request.error().and_then(|error| error.operation::<MemoryError>().cloned()));
        assert_eq!(kept, [None, Some(no_symbol("X")), Some(no_symbol("Y"))]);
        let single = pool.wait(&requests[2], None).expect_err("Y is missing");
        assert_eq!(single.operation(), Some(&no_symbol("Y")));
        assert_eq!(pool.wait(&requests[0], None).expect("A is there").rows(), 3);
    }
}

#[test]
fn a05_after_a_time_out_the_operation_goes_on() {
    let (pool, library) = (pool(1), Memory::new("prices"));
    let gate = Gate::modify(&pool, &library, "A").began();
    let behind = pool.submit(&library, Write::new("A", Table::flat(2, 1.0))).expect("an open pool");
    for timeout in [SHORT, NONE, Some(Duration::nanos(-5))] {
        let error = pool.wait(&gate.request, timeout).expect_err("the gate is closed");
        assert!(error.is_timeout());
        assert!(matches!(error, RequestError::RequestDuration { first, pending: 1, .. } if first == gate.request.info().id()));
    }
    assert!(gate.request.running() && gate.request.error().is_none());
    assert_eq!(timed_out(pool.wait(&behind, SHORT)), 1);
    gate.open();
    pool.wait(&gate.request, LONG).expect("it went on");
    assert_eq!(*pool.wait(&behind, LONG).expect("it was not lost"), 1);
}

#[test]
fn a05_a_pool_without_threads_keeps_time_outs_by_its_clock_and_loses_nothing() {
    let hands = Hands::default();
    let (pool, library) = (hands.pool(0), Memory::new("prices"));
    let requests: Vec<_> = (0..3)
        .map(|n| {
            let hands = hands.clone();
            let slow = move |_: &Memory| {
                hands.pass(Duration::millis(40));
                Ok::<_, Infallible>(n)
            };
            pool.submit(&library, Call::read("slow", Scope::Library, slow)).expect("an open pool")
        })
        .collect();
    assert_eq!(timed_out(pool.wait_all(&requests, NONE)), 3);
    assert_eq!(requests.iter().filter(|request| request.completed()).count(), 0);
    // 40 ms for each of two; the time-out is for the whole list, and at 80 ms it is over.
    assert_eq!(timed_out(pool.wait_all(&requests, Some(Duration::millis(70)))), 1);
    assert_eq!(requests.iter().map(|request| request.completed()).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(*pool.wait(&requests[2], Some(Duration::nanos(1))).expect("what has begun ends"), 2);
}

#[test]
fn a06_two_counters_tell_what_was_submitted_and_what_is_pending() {
    let (pool, library) = (pool(1), Memory::with("prices", &["A"]));
    let gate = Gate::read(&pool, &library, "A").began();
    let reads: Vec<_> = (0..4).map(|_| pool.submit(&library, Read::all("A")).expect("an open pool")).collect();
    assert_eq!(pool.statistics(), Statistics { submitted: 5, pending: 5 });
    gate.open();
    pool.wait_all(&reads, LONG).expect("a symbol");
    pool.wait(&gate.request, LONG).expect("an open gate");
    assert_eq!(pool.statistics(), Statistics { submitted: 5, pending: 0 });
}

#[test]
fn a07_one_modifier_at_a_time_for_a_symbol() {
    let (pool, library) = (pool(8), Memory::new("prices"));
    let (inside, count) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(0)));
    let requests: Vec<_> = (0..200)
        .map(|_| {
            let (inside, count) = (inside.clone(), count.clone());
            let add = move |_: &Memory| {
                let others = inside.fetch_add(1, Ordering::SeqCst);
                // Not under one lock: two at a time would lose an addition.
                let before = *count.lock();
                std::thread::yield_now();
                *count.lock() = before + 1;
                inside.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, Infallible>(others)
            };
            pool.submit(&library, Call::modify("add", Scope::symbol("A"), add)).expect("an open pool")
        })
        .collect();
    let others: usize = pool.wait_all(&requests, LONG).expect("good operations").iter().map(|others| **others).sum();
    assert_eq!((others, *count.lock()), (0, 200));
}

/// Operations that end only when all of them run at the same time.
fn meet(pool: &RequestPool, parties: &[(&Arc<Memory>, Kind, Scope)]) {
    let barrier = Arc::new(Barrier::new(parties.len()));
    let submit = |(library, kind, scope): &(&Arc<Memory>, Kind, Scope)| {
        let barrier = barrier.clone();
        let operation = move |_: &Memory| Ok::<_, Infallible>(_ = barrier.wait());
        pool.submit(library, Call::new("meet", *kind, scope.clone(), operation)).expect("an open pool")
    };
    let requests: Vec<_> = parties.iter().map(submit).collect();
    pool.wait_all(&requests, LONG).expect("they meet");
}

#[test]
fn a07_readers_share_and_so_do_modifiers_of_other_symbols_and_libraries() {
    let (pool, library, other) = (pool(4), Memory::new("prices"), Memory::new("volumes"));
    let a = || Scope::symbol("A");
    meet(&pool, &[(&library, Kind::Read, a()), (&library, Kind::Read, a()), (&library, Kind::Read, Scope::Library)]);
    meet(&pool, &[(&library, Kind::Modify, a()), (&library, Kind::Modify, Scope::symbol("B")), (&other, Kind::Modify, a())]);
    meet(&pool, &[(&library, Kind::Modify, Scope::Library), (&other, Kind::Modify, Scope::Library)]);
    let several = Scope::symbols(["A", "B"]);
    meet(&pool, &[(&library, Kind::Modify, several), (&library, Kind::Modify, Scope::symbols(["C", "D"]))]);
}

#[test]
fn a08_a_late_reader_does_not_overtake_a_waiting_modifier() {
    let (pool, library, log) = (pool(4), Memory::new("prices"), Log::default());
    let gate = Gate::read(&pool, &library, "A").began();
    let write = log.note(&pool, &library, "write", Kind::Modify, Scope::symbol("A"));
    let late = log.note(&pool, &library, "late", Kind::Read, Scope::symbol("A"));
    assert_held(&pool, &library, &[&write, &late]);
    gate.open();
    pool.wait_all(&[&write, &late], LONG).expect("good operations");
    assert_eq!(log.lines(), ["write", "late"]);
}

#[test]
fn a08_a_whole_library_operation_waits_for_all_symbols_and_all_symbols_for_it() {
    let (pool, library, log) = (pool(4), Memory::new("prices"), Log::default());
    let gates = [Gate::modify(&pool, &library, "A").began(), Gate::modify(&pool, &library, "B").began()];
    let list = log.note(&pool, &library, "list", Kind::Read, Scope::Library);
    let write = log.note(&pool, &library, "write", Kind::Modify, Scope::symbol("C"));
    let both = log.note(&pool, &library, "both", Kind::Read, Scope::symbols(["A", "C"]));
    gates[0].open();
    assert_held(&pool, &library, &[&list, &write, &both]);
    gates[1].open();
    pool.wait_all(&[&both, &write, &list], LONG).expect("good operations");
    assert_eq!(log.lines(), ["list", "write", "both"]);
}

#[test]
fn a09_nothing_is_lost_whatever_operations_callbacks_and_results_do() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    for size in SIZES {
        let (pool, library, log) = (pool(size), Memory::with("prices", &["A"]), Log::default());
        let a = || Scope::symbol("A");
        let panics = pool.submit(&library, Call::modify("panics", a(), |_: &Memory| -> Result<(), Infallible> { panic!("no {}", 7) }));
        let panics = panics.expect("an open pool");
        // Nobody keeps the handle, so the result goes off where the request is run.
        drop(pool.submit(&library, Call::modify("bomb", a(), |_: &Memory| Ok::<_, Infallible>(Bomb))).expect("an open pool"));
        let fails = pool.submit(&library, Read::all("missing")).expect("an open pool");
        let rude = |_: Finished<'_, Table>| panic!("rude");
        let rude = pool.prepare(&library, Read::all("A")).callback(rude).submit().expect("an open pool");
        let last = log.note(&pool, &library, "last", Kind::Modify, Scope::Library);
        pool.wait(&last, LONG).expect("nobody is stranded");
        pool.wait_finished(&(&panics, &fails, &rude), LONG).expect("they ended");
        let panic = panics.error().expect("it panicked");
        assert!(matches!(&panic, RequestError::Panicked { panic, .. } if *panic == JobPanic("no 7".to_owned())), "{panic}");
        assert!(rude.result().expect("it ended").is_ok());
        assert_eq!(rude.callback_panic(), Some(JobPanic("rude".to_owned())));
        pool.shutdown(LONG).expect("nothing is left spinning");
        assert_eq!(pool.statistics(), Statistics { submitted: 5, pending: 0 });
    }
}

#[test]
fn a09_a_clock_that_panics_strands_nobody() {
    let calls = AtomicUsize::new(0);
    let clock = move || match calls.fetch_add(1, Ordering::SeqCst) {
        // Two submissions, then the start of the first operation.
        2 => panic!("no time"),
        _ => Instant::EPOCH,
    };
    let (pool, library) = (RequestPool::new(0, Arc::new(clock)), Memory::with("prices", &["A"]));
    let requests = [(); 2].map(|()| pool.submit(&library, Read::all("A")).expect("an open pool"));
    assert!(matches!(pool.wait(&requests[0], None), Err(RequestError::Panicked { .. })));
    assert_eq!(pool.wait(&requests[1], None).expect("a symbol").rows(), 3);
}

#[test]
fn a09_an_operation_may_submit_and_wait_for_others_in_a_full_pool() {
    for size in SIZES {
        let (pool, library) = (pool(size), Memory::with("prices", &["A"]));
        let (inner, target) = (pool.clone(), library.clone());
        let outer = Call::modify("outer", Scope::symbol("B"), move |_: &Memory| {
            let write = inner.submit(&target, Write::new("A", Table::flat(7, 1.0)))?;
            let read = inner.submit(&target, Read::all("A"))?;
            inner.wait_all(&(read, write), None).map(|(table, version)| (table.rows(), *version))
        });
        let outer = pool.submit(&library, outer).expect("an open pool");
        assert_eq!(*pool.wait(&outer, None).expect("progress"), (7, 2));
    }
}

#[test]
fn a09_what_no_thread_has_run_is_run_when_the_last_handle_is_dropped() {
    let (library, log) = (Memory::new("prices"), Log::default());
    let empty = pool(0);
    for name in ["one", "two"] {
        drop(log.note(&empty, &library, name, Kind::Modify, Scope::Library));
    }
    assert_eq!(log.lines(), [""; 0]);
    drop(empty);
    assert_eq!(log.lines(), ["one", "two"]);
}

#[test]
fn a10_await_termination_waits_until_nothing_is_pending() {
    let (pool, library) = (pool(1), Memory::new("prices"));
    assert!(matches!(pool.await_termination(LONG), Err(RequestError::NotShutDown)));
    let gate = Gate::read(&pool, &library, "A").began();
    assert_eq!(timed_out(pool.shutdown(NONE)), 1);
    assert_eq!(timed_out(pool.await_termination(SHORT)), 1);
    gate.open();
    for timeout in [LONG, NONE, None] {
        pool.await_termination(timeout).expect("nothing is pending");
        assert!(gate.request.completed());
    }
}

#[test]
fn a11_shutdown_rejects_new_requests_at_once_then_drains() {
    for size in SIZES {
        let (pool, library, log) = (pool(size), Memory::new("prices"), Log::default());
        // The first tells whether the pool still takes requests while it drains.
        let (inner, target) = (pool.clone(), library.clone());
        let (tell, told) = sync_channel::<()>(1);
        let asks = move |_: &Memory| {
            told.recv().expect("the test tells");
            Ok::<_, Infallible>(matches!(inner.submit(&target, ListSymbols), Err(RequestError::Rejected { .. })))
        };
        let asks = pool.submit(&library, Call::modify("asks", Scope::symbol("A"), asks)).expect("an open pool");
        let behind = log.note(&pool, &library, "behind", Kind::Read, Scope::symbol("A"));
        assert_eq!(timed_out(pool.shutdown(NONE)), 2);
        let rejected = pool.submit(&library, HasSymbol("A".to_owned())).expect_err("it is shut down");
        assert_eq!(
            rejected.to_string(),
            "`has_symbol` of `A` in library `prices` was not submitted: the pool is shut down or being reset; reset it to open it again"
        );
        tell.send(()).expect("it waits");
        pool.shutdown(LONG).expect("it drains");
        assert!(*pool.wait(&asks, NONE).expect("it has ended"));
        assert_eq!((log.lines(), behind.completed()), (vec!["behind".to_owned()], true));
        assert_eq!(pool.statistics(), Statistics { submitted: 2, pending: 0 });
    }
}

#[test]
fn a12_reset_pool_opens_it_again_with_another_size() {
    let (pool, library) = (pool(2), Memory::with("prices", &["A"]));
    let works = |size| {
        assert_eq!(pool.size(), size);
        let request = pool.submit(&library, Read::all("A")).expect("an open pool");
        pool.wait(&request, LONG).expect("a symbol").rows()
    };
    assert_eq!(works(2), 3);
    pool.shutdown(LONG).expect("nothing is pending");
    pool.reset_pool(Some(3), LONG).expect("nothing is pending");
    assert_eq!(works(3), 3);
    pool.reset_pool(None, LONG).expect("nothing is pending");
    assert_eq!((DEFAULT_SIZE, works(4)), (4, 3));
    pool.reset_pool(Some(0), None).expect("nothing is pending");
    assert_eq!(works(0), 3);
    assert_eq!(pool.statistics(), Statistics { submitted: 4, pending: 0 });
}

#[test]
fn a12_a_reset_that_times_out_leaves_the_pool_as_it_was() {
    let (pool, library) = (pool(1), Memory::new("prices"));
    let gate = Gate::read(&pool, &library, "A").began();
    assert_eq!(timed_out(pool.reset_pool(Some(5), SHORT)), 1);
    let list = pool.submit(&library, ListSymbols).expect("it was open");
    assert_eq!(timed_out(pool.shutdown(NONE)), 2);
    assert_eq!(timed_out(pool.reset_pool(Some(5), SHORT)), 2);
    assert!(matches!(pool.submit(&library, ListSymbols), Err(RequestError::Rejected { .. })), "it was shut down");
    assert_eq!(pool.size(), 1);
    gate.open();
    assert_eq!(*pool.wait(&list, LONG).expect("it goes on"), Vec::<String>::new());
}

#[test]
fn a12_the_time_out_of_wait_all_is_for_the_whole_list() {
    let (pool, library) = (pool(3), Memory::new("prices"));
    let gates = ["A", "B", "C"].map(|symbol| Gate::read(&pool, &library, symbol).began());
    gates[1].open();
    pool.wait(&gates[1].request, LONG).expect("an open gate");
    let requests = gates.each_ref().map(|gate| &gate.request);
    let error = pool.wait_all(&requests, SHORT).expect_err("two gates are closed");
    assert!(matches!(error, RequestError::RequestDuration { pending: 2, timeout, .. } if Some(timeout) == SHORT));
    assert_eq!(
        error.to_string(),
        "2 requests had not ended after 2ms, the first of them #1; their operations go on: wait again, or longer"
    );
}

#[test]
fn a13_a_request_tells_what_it_is_and_when_what_happened() {
    let hands = Hands::default();
    let (pool, library) = (hands.pool(0), Memory::new("prices"));
    let at = Instant::from_nanos;
    hands.set(10);
    let slow = hands.clone();
    let slow = move |_: &Memory| {
        slow.set(32);
        Ok::<_, Infallible>(())
    };
    let request = pool.submit(&library, Call::modify("slow", Scope::symbol("A"), slow)).expect("an open pool");
    let info = request.info();
    assert_eq!((info.id().number(), info.kind(), info.library(), info.symbol()), (1, Kind::Modify, "prices", Some("A")));
    assert_eq!(
        (info.operation(), info.scope(), info.to_string().as_str()),
        ("slow", &Scope::symbol("A"), "`slow` of `A` in library `prices`")
    );

    let times = request.times();
    assert_eq!((times.created, times.started, times.ended), (at(10), None, None));
    assert_eq!((times.schedule_delay(), times.execution_duration(), times.total_duration()), (None, None, None));
    assert!(!request.running() && !request.completed() && request.result().is_none() && request.error().is_none());

    hands.set(25);
    pool.wait(&request, None).expect("a good operation");
    let times = request.times();
    assert_eq!((times.started, times.ended), (Some(at(25)), Some(at(32))));
    assert_eq!(times.schedule_delay(), Some(Duration::nanos(15)));
    assert_eq!((times.execution_duration(), times.total_duration()), (Some(Duration::nanos(7)), Some(Duration::nanos(22))));
    assert!(
        !request.running() && request.completed() && request.result().is_some_and(|result| result.is_ok()) && request.error().is_none()
    );

    let list = pool.submit(&library, ListSymbols).expect("an open pool");
    assert_eq!((list.info().id().number(), list.info().symbol()), (2, None));
    assert_eq!(list.info().to_string(), "`list_symbols` of all symbols in library `prices`");
}

#[test]
fn a13_a_request_that_runs_says_so() {
    let (pool, library) = (pool(1), Memory::new("prices"));
    let gate = Gate::read(&pool, &library, "A").began();
    assert!(gate.request.running() && !gate.request.completed());
    gate.open();
    pool.wait(&gate.request, LONG).expect("an open gate");
    assert!(!gate.request.running() && gate.request.completed());
}

#[test]
fn a14_a_callback_has_run_when_the_wait_returns() {
    for size in SIZES {
        let (pool, library, log) = (pool(size), Memory::with("prices", &["A"]), Log::default());
        let requests = ["A", "X"].map(|symbol| {
            let log = log.clone();
            let told = move |finished: Finished<'_, Table>| {
                assert!(finished.times.ended.is_some());
                log.add(format!("{}: {:?}", finished.info, finished.result.as_ref().map(|table| table.rows()).map_err(|_| ())));
            };
            pool.prepare(&library, Read::all(symbol)).callback(told).submit().expect("an open pool")
        });
        pool.wait_finished(&requests, LONG).expect("they end");
        let mut lines = log.lines();
        lines.sort();
        assert_eq!(lines, ["`read` of `A` in library `prices`: Ok(3)", "`read` of `X` in library `prices`: Err(())"]);
    }
}

#[test]
fn a14_a_callback_runs_when_others_may_have_the_symbol() {
    let (pool, library) = (pool(2), Memory::with("prices", &["A"]));
    let (tell, told) = sync_channel::<usize>(1);
    let waits = move |_: Finished<'_, u64>| assert_eq!(told.recv(), Ok(5));
    let write = pool.prepare(&library, Write::new("A", Table::flat(5, 1.0))).callback(waits).submit().expect("an open pool");
    let read = pool.submit(&library, Read::all("A")).expect("an open pool");
    tell.send(pool.wait(&read, LONG).expect("a symbol").rows()).expect("the callback waits");
    pool.wait(&write, LONG).expect("a good operation");
    assert_eq!(write.callback_panic(), None);
}

#[test]
fn a14_wait_any_gives_the_first_of_the_list_that_has_ended() {
    let (pool, library) = (pool(3), Memory::new("prices"));
    let gates = ["A", "B", "C"].map(|symbol| Gate::read(&pool, &library, symbol).began());
    let requests = gates.each_ref().map(|gate| &gate.request);
    assert_eq!(timed_out(pool.wait_any(&requests, SHORT)), 3);
    gates[2].open();
    assert_eq!(pool.wait_any(&requests, LONG).expect("one has ended"), Some(2));
    gates[0].open();
    pool.wait(requests[0], LONG).expect("an open gate");
    assert_eq!(pool.wait_any(&requests, None).expect("two have ended"), Some(0));
    assert_eq!(pool.wait_any::<[&Request<()>]>(&[], None).expect("no wait"), None);
}

#[test]
fn a14_requests_are_sorted_into_those_that_have_ended_failed_or_neither() {
    let (pool, library) = (pool(1), Memory::with("prices", &["A"]));
    let requests = ["A", "X", "Y"].map(|symbol| pool.submit(&library, Read::all(symbol)).expect("an open pool"));
    pool.wait_finished(&requests, LONG).expect("they end");
    let gate = Gate::read(&pool, &library, "A").began();
    let late = pool.submit(&library, Read::all("A")).expect("an open pool");
    let [a, x, y] = &requests;
    let list = [&late, x, a, y];
    let ids = |requests: Vec<&&Request<Table>>| -> Vec<u64> { requests.iter().map(|request| request.info().id().number()).collect() };
    let (pending, finished) = filter_finished(&list);
    assert_eq!((ids(pending), ids(finished), ids(filter_failed(&list))), (vec![5], vec![2, 1, 3], vec![2, 3]));
    let first = first_error(&list).expect_err("two have failed");
    assert_eq!(first.operation(), Some(&no_symbol("X")));
    first_error(&[&late, a]).expect("neither has failed");
    first_error(&(&gate.request, a)).expect("neither has failed");
    gate.open();
}

#[test]
fn a14_one_default_pool_is_made_by_its_first_use_beside_any_others() {
    let clock = || -> Arc<dyn Clock> { Arc::new(|| Instant::EPOCH + Duration::secs(7)) };
    let default = RequestPool::default_pool(clock);
    assert!(std::ptr::eq(default, RequestPool::default_pool(|| panic!("it was made already"))));
    assert_eq!(default.size(), DEFAULT_SIZE);
    let library = Memory::with("prices", &["A"]);
    let request = default.submit(&library, Read::all("A")).expect("an open pool");
    assert_eq!(default.wait(&request, LONG).expect("a symbol").rows(), 3);
    assert_eq!(request.times().created, Instant::EPOCH + Duration::secs(7));

    // Two pools may share threads, and each has its own order, counters and end.
    let threads = Arc::new(Pool::new(1));
    let [one, two] = [(); 2].map(|()| RequestPool::on(threads.clone(), Arc::new(|| Instant::EPOCH)));
    one.shutdown(LONG).expect("nothing is pending");
    let request = two.submit(&library, Read::all("A")).expect("an open pool");
    assert_eq!((two.wait(&request, LONG).expect("a symbol").rows(), threads.threads()), (3, 1));
    assert_eq!((one.statistics().submitted, two.statistics().submitted), (0, 1));
}
