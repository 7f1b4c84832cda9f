//! The examples of Arctic's page on asynchronous operations, on a library of versions in memory, with the outcomes that the page promises.

use std::sync::Arc;

use arrow_array::types::Float64Type;
use stillpoint_engine::{Duration, Instant};
use stillpoint_store::operations::{HasSymbol, ListSymbols, Read, ReadMetadata, Write};
use stillpoint_store::request::{Request, RequestError, RequestPool, Statistics, filter_finished};
use stillpoint_store::{AsOf, DateRange, Reading, SetClock, Store, StoreError, StoreOptions, Table, VersionLibrary, WriteOptions};

use crate::kit::{Gate, LONG, SHORT, SIZES, pool, timed_out};

const SYMBOLS: [&str; 5] = ["AAPL", "GOOGL", "MSFT", "AMZN", "TSLA"];

/// `rows` rows, a second apart, all at one price.
fn flat(rows: usize, price: f64) -> Table {
    let times = (0..rows).map(|row| Instant::EPOCH + Duration::secs(row as i64));
    Table::at(times).column("price", vec![price; rows]).finish().expect("rows in order")
}

fn prices(table: &Table) -> Vec<f64> {
    table.values::<Float64Type>("price").expect("a column of prices")
}

fn empty() -> Arc<VersionLibrary> {
    let options = StoreOptions { clock: Arc::new(SetClock::default()), background: None, writer: Some(1), ..StoreOptions::default() };
    let store = Store::open(Arc::new(stillpoint_store::Bucket::memory()), options).expect("a store in memory");
    Arc::new(store.create_versions("prices").expect("a new library"))
}

/// Five symbols of three rows, at the price of their place: 1, 2, ...
fn library() -> Arc<VersionLibrary> {
    let library = empty();
    for (price, symbol) in (1..).zip(SYMBOLS) {
        let options = WriteOptions::default().metadata(serde_json::json!({ "about": symbol }));
        library.write(symbol, &flat(3, f64::from(price)), &options).expect("a good table");
    }
    library
}

fn has(symbol: &str) -> HasSymbol {
    HasSymbol { symbol: symbol.to_owned(), as_of: AsOf::Latest }
}

/// What a caller that wants no errors makes of a request: its prices, or in words why there are none.
#[derive(Debug, PartialEq)]
enum SafeRead {
    Prices(Vec<f64>),
    NoSuchSymbol(String),
    TimedOut,
}

/// Reads a symbol and turns a missing one and a time-out into values; what else goes wrong stays an error.
fn safe_read(pool: &RequestPool, library: &Arc<VersionLibrary>, symbol: &str, timeout: Option<Duration>) -> Result<SafeRead, RequestError> {
    let request = pool.submit(library, Read::new(symbol))?;
    match pool.wait(&request, timeout) {
        Ok(reading) => Ok(SafeRead::Prices(prices(&reading.table))),
        Err(error) if error.is_timeout() => Ok(SafeRead::TimedOut),
        Err(error) => match error.operation() {
            Some(StoreError::SymbolNotFound { symbol, .. }) => Ok(SafeRead::NoSuchSymbol(symbol.clone())),
            _ => Err(error),
        },
    }
}

#[test]
fn five_symbols_are_read_together_with_results_in_order() -> Result<(), RequestError> {
    for size in SIZES {
        let (pool, library) = (pool(size), library());
        let requests = SYMBOLS.iter().map(|symbol| pool.submit(&library, Read::new(*symbol))).collect::<Result<Vec<_>, _>>()?;
        let readings = pool.wait_all(&requests, Some(Duration::secs(60)))?;
        assert_eq!(
            readings.iter().map(|reading| (reading.table.rows(), prices(&reading.table)[0])).collect::<Vec<_>>(),
            [(3, 1.0), (3, 2.0), (3, 3.0), (3, 4.0), (3, 5.0)]
        );
    }
    Ok(())
}

#[test]
fn a_single_request_is_waited_for_with_a_time_out() -> Result<(), RequestError> {
    let (pool, library) = (pool(1), library());
    let request = pool.submit(&library, Read::new("MSFT"))?;
    assert_eq!(pool.wait(&request, Some(Duration::secs(30)))?.table, flat(3, 3.0));

    let gate = Gate::modify(&pool, &library, "MSFT").began();
    let request = pool.submit(&library, Read::new("MSFT"))?;
    assert_eq!(timed_out(pool.wait(&request, SHORT)), 1);
    gate.open();
    assert_eq!(pool.wait(&request, LONG)?.table.rows(), 3);
    Ok(())
}

#[test]
fn a_batch_is_written() -> Result<(), RequestError> {
    for size in SIZES {
        let (pool, library) = (pool(size), empty());
        let batch = |rows: usize| SYMBOLS.map(|symbol| pool.submit(&library, Write::new(symbol, flat(rows, 1.0))));
        let writes = batch(100).into_iter().chain(batch(200)).collect::<Result<Vec<_>, _>>()?;
        let written = pool.wait_all(&writes, LONG)?;
        assert_eq!(written.iter().map(|written| written.version).collect::<Vec<_>>(), [1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
        let read = pool.submit(&library, Read::new("TSLA"))?;
        assert_eq!(pool.wait(&read, LONG)?.table.rows(), 200);
    }
    Ok(())
}

#[test]
fn operations_of_several_kinds_are_waited_for_together() -> Result<(), RequestError> {
    for size in SIZES {
        let (pool, library) = (pool(size), library());
        let seconds = DateRange::closed(Instant::EPOCH + Duration::secs(1), Instant::EPOCH + Duration::secs(2)).expect("a range");
        let range = pool.submit(&library, Read::new("AAPL").range(seconds))?;
        let metadata = pool.submit(&library, ReadMetadata { symbol: "GOOGL".to_owned(), as_of: AsOf::Latest })?;
        let symbols = pool.submit(&library, ListSymbols::default())?;
        let (reading, metadata, symbols) = pool.wait_all(&(range, metadata, symbols), LONG)?;
        let times = reading.table.times().expect("a time index");
        assert_eq!(times.iter().map(|at| at.as_nanos()).collect::<Vec<_>>(), [1_000_000_000, 2_000_000_000]);
        assert_eq!(*metadata, Some(serde_json::json!({ "about": "GOOGL" })));
        assert_eq!(*symbols, ["AAPL", "AMZN", "GOOGL", "MSFT", "TSLA"]);
    }
    Ok(())
}

#[test]
fn a_pool_is_reset_used_shut_down_and_awaited() -> Result<(), RequestError> {
    let (pool, library) = (pool(1), library());
    pool.reset_pool(Some(8), Some(Duration::secs(30)))?;
    assert_eq!(pool.size(), 8);
    let requests: Vec<Request<bool>> = (0..50).map(|n| pool.submit(&library, has(SYMBOLS[n % 5]))).collect::<Result<_, _>>()?;
    pool.shutdown(Some(Duration::secs(30)))?;
    pool.await_termination(Some(Duration::secs(60)))?;
    assert!(requests.iter().all(|request| matches!(request.result(), Some(Ok(found)) if *found)));
    assert_eq!(pool.statistics(), Statistics { submitted: 50, pending: 0 });
    assert!(matches!(pool.submit(&library, ListSymbols::default()), Err(RequestError::Rejected { .. })));
    Ok(())
}

#[test]
fn a_safe_wrapper_turns_a_missing_symbol_and_a_time_out_into_values() -> Result<(), RequestError> {
    let (pool, library) = (pool(2), library());
    assert_eq!(safe_read(&pool, &library, "AMZN", LONG)?, SafeRead::Prices(vec![4.0; 3]));
    assert_eq!(safe_read(&pool, &library, "MISSING", LONG)?, SafeRead::NoSuchSymbol("MISSING".to_owned()));
    let gate = Gate::modify(&pool, &library, "AMZN").began();
    assert_eq!(safe_read(&pool, &library, "AMZN", SHORT)?, SafeRead::TimedOut);
    gate.open();
    assert_eq!(safe_read(&pool, &library, "AMZN", LONG)?, SafeRead::Prices(vec![4.0; 3]));
    Ok(())
}

#[test]
fn a_hundred_questions_are_asked_in_batches_of_twenty() -> Result<(), RequestError> {
    for size in SIZES {
        let (pool, library) = (pool(size), empty());
        let names: Vec<String> = (0..100).map(|n| format!("SYM_{n:03}")).collect();
        let writes: Vec<_> =
            names.iter().step_by(3).map(|name| pool.submit(&library, Write::new(name, flat(1, 1.0)))).collect::<Result<_, _>>()?;
        pool.wait_all(&writes, LONG)?;
        let mut found = Vec::new();
        for batch in names.chunks(20) {
            let requests = batch.iter().map(|name| pool.submit(&library, has(name))).collect::<Result<Vec<_>, _>>()?;
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
        let (pool, library) = (pool(size), empty());
        for (rows, symbol) in [10_000, 20_000, 30_000].into_iter().zip(SYMBOLS) {
            let write = pool.submit(&library, Write::new(symbol, flat(rows, 1.0)))?;
            pool.wait(&write, LONG)?;
        }
        let mut reported = Vec::new();
        let mut freed = Vec::new();
        for symbol in &SYMBOLS[..3] {
            // Nothing of the one before is left when the next is read.
            assert!(freed.iter().all(|reading: &std::sync::Weak<Reading>| reading.strong_count() == 0));
            let request = pool.submit(&library, Read::new(*symbol))?;
            let reading = pool.wait(&request, LONG)?;
            reported.push((reading.table.rows(), reading.table.bytes()));
            freed.push(Arc::downgrade(&reading));
        }
        // Sixteen bytes a row are its instant and its price; what holds them may have some room to spare.
        for ((rows, bytes), wanted) in reported.into_iter().zip([10_000, 20_000, 30_000]) {
            assert_eq!(rows, wanted);
            assert!((wanted * 16..wanted * 32).contains(&bytes), "{rows} rows are said to take {bytes} bytes");
        }
        pool.shutdown(LONG)?;
        assert!(freed.iter().all(|reading| reading.strong_count() == 0));
    }
    Ok(())
}

#[test]
fn a_batch_counts_successes_time_outs_and_errors() -> Result<(), RequestError> {
    let (pool, library) = (pool(2), library());
    let gate = Gate::modify(&pool, &library, "TSLA").began();
    let wanted = ["AAPL", "MISSING", "TSLA", "GOOGL", "", "MSFT"];
    let requests = wanted.iter().map(|symbol| pool.submit(&library, Read::new(*symbol))).collect::<Result<Vec<_>, _>>()?;
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
    assert_eq!(pool.wait(&requests[2], LONG)?.table.rows(), 3);
    Ok(())
}
