//! The examples of Arctic's page on asynchronous operations, with the outcomes that it promises. The library and its operations come from one
//! place, so that they can be another's.

use std::sync::Arc;

use stillpoint_engine::Duration;
use stillpoint_store::request::{Request, RequestError, RequestPool, Statistics, filter_finished};

use crate::kit::{Gate, LONG, SHORT, SIZES, pool, timed_out};
use crate::memory::{HasSymbol, ListSymbols, Memory as Library, MemoryError as LibraryError, Read, ReadMetadata, Table, Write};

const SYMBOLS: [&str; 5] = ["AAPL", "GOOGL", "MSFT", "AMZN", "TSLA"];

fn library() -> Arc<Library> {
    Library::with("prices", &SYMBOLS)
}

/// What a caller that wants no errors makes of a request: its table, or in words why there is none.
#[derive(Debug, PartialEq)]
enum SafeRead {
    Table(Arc<Table>),
    NoSuchSymbol(String),
    TimedOut,
}

/// Reads a symbol and turns a missing one and a time-out into values; what else goes wrong stays an error.
fn safe_read(pool: &RequestPool, library: &Arc<Library>, symbol: &str, timeout: Option<Duration>) -> Result<SafeRead, RequestError> {
    let request = pool.submit(library, Read::all(symbol))?;
    match pool.wait(&request, timeout) {
        Ok(table) => Ok(SafeRead::Table(table)),
        Err(error) if error.is_timeout() => Ok(SafeRead::TimedOut),
        Err(error) => match error.operation() {
            Some(LibraryError::NoSymbol { symbol, .. }) => Ok(SafeRead::NoSuchSymbol(symbol.clone())),
            _ => Err(error),
        },
    }
}

#[test]
fn five_symbols_are_read_together_with_results_in_order() -> Result<(), RequestError> {
    for size in SIZES {
        let (pool, library) = (pool(size), library());
        let requests = SYMBOLS.iter().map(|symbol| pool.submit(&library, Read::all(symbol))).collect::<Result<Vec<_>, _>>()?;
        let tables = pool.wait_all(&requests, Some(Duration::secs(60)))?;
        assert_eq!(
            tables.iter().map(|table| (table.rows(), table.0[0].1)).collect::<Vec<_>>(),
            [(3, 1.0), (3, 2.0), (3, 3.0), (3, 4.0), (3, 5.0)]
        );
    }
    Ok(())
}

#[test]
fn a_single_request_is_waited_for_with_a_time_out() -> Result<(), RequestError> {
    let (pool, library) = (pool(1), library());
    let request = pool.submit(&library, Read::all("MSFT"))?;
    assert_eq!(*pool.wait(&request, Some(Duration::secs(30)))?, Table::flat(3, 3.0));

    let gate = Gate::modify(&pool, &library, "MSFT").began();
    let request = pool.submit(&library, Read::all("MSFT"))?;
    assert_eq!(timed_out(pool.wait(&request, SHORT)), 1);
    gate.open();
    assert_eq!(pool.wait(&request, LONG)?.rows(), 3);
    Ok(())
}

#[test]
fn a_batch_is_written() -> Result<(), RequestError> {
    for size in SIZES {
        let (pool, library) = (pool(size), Library::new("prices"));
        let batch = |rows: usize| SYMBOLS.map(|symbol| pool.submit(&library, Write::new(symbol, Table::flat(rows, 1.0))));
        let writes = batch(100).into_iter().chain(batch(200)).collect::<Result<Vec<_>, _>>()?;
        let versions = pool.wait_all(&writes, LONG)?;
        assert_eq!(versions.iter().map(|version| **version).collect::<Vec<_>>(), [1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
        let read = pool.submit(&library, Read::all("TSLA"))?;
        assert_eq!(pool.wait(&read, LONG)?.rows(), 200);
    }
    Ok(())
}

#[test]
fn operations_of_several_kinds_are_waited_for_together() -> Result<(), RequestError> {
    for size in SIZES {
        let (pool, library) = (pool(size), library());
        let range = pool.submit(&library, Read::range("AAPL", 1_000_000_000, 2_000_000_000))?;
        let metadata = pool.submit(&library, ReadMetadata("GOOGL".to_owned()))?;
        let symbols = pool.submit(&library, ListSymbols)?;
        let (table, metadata, symbols) = pool.wait_all(&(range, metadata, symbols), LONG)?;
        assert_eq!(*table, Table(vec![(1_000_000_000, 1.0), (2_000_000_000, 1.0)]));
        assert_eq!(*metadata, "about GOOGL");
        assert_eq!(*symbols, ["AAPL", "AMZN", "GOOGL", "MSFT", "TSLA"]);
    }
    Ok(())
}

#[test]
fn a_pool_is_reset_used_shut_down_and_awaited() -> Result<(), RequestError> {
    let (pool, library) = (pool(1), library());
    pool.reset_pool(Some(8), Some(Duration::secs(30)))?;
    assert_eq!(pool.size(), 8);
    let requests: Vec<Request<bool>> =
        (0..50).map(|n| pool.submit(&library, HasSymbol(SYMBOLS[n % 5].to_owned()))).collect::<Result<_, _>>()?;
    pool.shutdown(Some(Duration::secs(30)))?;
    pool.await_termination(Some(Duration::secs(60)))?;
    assert!(requests.iter().all(|request| matches!(request.result(), Some(Ok(found)) if *found)));
    assert_eq!(pool.statistics(), Statistics { submitted: 50, pending: 0 });
    assert!(matches!(pool.submit(&library, ListSymbols), Err(RequestError::Rejected { .. })));
    Ok(())
}

#[test]
fn a_safe_wrapper_turns_a_missing_symbol_and_a_time_out_into_values() -> Result<(), RequestError> {
    let (pool, library) = (pool(2), library());
    assert_eq!(safe_read(&pool, &library, "AMZN", LONG)?, SafeRead::Table(Arc::new(Table::flat(3, 4.0))));
    assert_eq!(safe_read(&pool, &library, "MISSING", LONG)?, SafeRead::NoSuchSymbol("MISSING".to_owned()));
    let gate = Gate::modify(&pool, &library, "AMZN").began();
    assert_eq!(safe_read(&pool, &library, "AMZN", SHORT)?, SafeRead::TimedOut);
    gate.open();
    assert_eq!(safe_read(&pool, &library, "AMZN", LONG)?, SafeRead::Table(Arc::new(Table::flat(3, 4.0))));
    Ok(())
}

#[test]
fn a_hundred_questions_are_asked_in_batches_of_twenty() -> Result<(), RequestError> {
    for size in SIZES {
        let (pool, library) = (pool(size), Library::new("prices"));
        let names: Vec<String> = (0..100).map(|n| format!("SYM_{n:03}")).collect();
        let writes: Vec<_> =
            names.iter().step_by(3).map(|name| pool.submit(&library, Write::new(name, Table::flat(1, 1.0)))).collect::<Result<_, _>>()?;
        pool.wait_all(&writes, LONG)?;
        let mut found = Vec::new();
        for batch in names.chunks(20) {
            let requests = batch.iter().map(|name| pool.submit(&library, HasSymbol(name.clone()))).collect::<Result<Vec<_>, _>>()?;
            assert!(pool.statistics().pending <= 20);
            found.extend(pool.wait_all(&requests, LONG)?.iter().map(|found| **found));
        }
        // Every third of a hundred, from the first.
        assert_eq!(found.len(), 100);
        assert_eq!(found.iter().filter(|found| **found).count(), 34);
        assert!(found[0] && !found[1] && !found[2] && found[3] && found[99]);
    }
    Ok(())
}

#[test]
fn large_reads_one_by_one_free_their_memory_in_between() -> Result<(), RequestError> {
    for size in SIZES {
        let (pool, library) = (pool(size), Library::new("prices"));
        for (rows, symbol) in [10_000, 20_000, 30_000].into_iter().zip(SYMBOLS) {
            let write = pool.submit(&library, Write::new(symbol, Table::flat(rows, 1.0)))?;
            pool.wait(&write, LONG)?;
        }
        let mut reported = Vec::new();
        let mut freed = Vec::new();
        for symbol in &SYMBOLS[..3] {
            // Nothing of the one before is left when the next is read.
            assert!(freed.iter().all(|table: &std::sync::Weak<Table>| table.strong_count() == 0));
            let request = pool.submit(&library, Read::all(symbol))?;
            let table = pool.wait(&request, LONG)?;
            reported.push((table.rows(), table.bytes()));
            freed.push(Arc::downgrade(&table));
        }
        assert_eq!(reported, [(10_000, 160_000), (20_000, 320_000), (30_000, 480_000)]);
        pool.shutdown(LONG)?;
        assert!(freed.iter().all(|table| table.strong_count() == 0));
    }
    Ok(())
}

#[test]
fn a_batch_counts_successes_time_outs_and_errors() -> Result<(), RequestError> {
    let (pool, library) = (pool(2), library());
    let gate = Gate::modify(&pool, &library, "TSLA").began();
    let wanted = ["AAPL", "MISSING", "TSLA", "GOOGL", "", "MSFT"];
    let requests = wanted.iter().map(|symbol| pool.submit(&library, Read::all(symbol))).collect::<Result<Vec<_>, _>>()?;
    let (mut successes, mut timeouts, mut errors) = (0, 0, 0);
    for (request, symbol) in requests.iter().zip(wanted) {
        match pool.wait(request, if symbol == "TSLA" { SHORT } else { LONG }) {
            Ok(_) => successes += 1,
            Err(error) if error.is_timeout() => timeouts += 1,
            Err(_) => errors += 1,
        }
    }
    assert_eq!((successes, timeouts, errors), (3, 1, 2));
    let (pending, finished) = filter_finished(&requests);
    assert_eq!((pending.len(), finished.len()), (1, 5));
    gate.open();
    // What timed out went on.
    assert_eq!(pool.wait(&requests[2], LONG)?.rows(), 3);
    Ok(())
}
