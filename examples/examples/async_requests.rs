//! Asynchronous requests to a library of versions: reading together, writing in batches, waiting with time-outs, counting what came of it.

use std::error::Error;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use stillpoint_engine::{Duration, Instant};
use stillpoint_store::operations::{HasSymbol, ListSymbols, Read, ReadMetadata, Write};
use stillpoint_store::request::{Call, Request, RequestError, RequestPool, Scope};
use stillpoint_store::{AsOf, DateRange, Store, StoreError, SystemClock, Table, VersionLibrary, WriteOptions};

type Done<T = ()> = Result<T, Box<dyn Error>>;

const SYMBOLS: [&str; 5] = ["AAPL", "GOOGL", "MSFT", "AMZN", "TSLA"];
const MINUTE: Option<Duration> = Some(Duration::minutes(1));

/// What the examples share, and what they have to say.
struct Tour {
    pool: RequestPool,
    prices: Arc<VersionLibrary>,
    said: Vec<String>,
}

/// So many rows, a second apart, at one price.
fn flat(rows: usize, price: f64) -> Result<Table, StoreError> {
    let times = (0..rows).map(|row| Instant::EPOCH + Duration::secs(row as i64));
    Table::at(times).column("price", vec![price; rows]).finish()
}

/// Five symbols are read together; the results come in their order.
fn read_together(tour: &mut Tour) -> Done {
    let requests = SYMBOLS.iter().map(|symbol| tour.pool.submit(&tour.prices, Read::new(*symbol))).collect::<Result<Vec<_>, _>>()?;
    for reading in tour.pool.wait_all(&requests, MINUTE)? {
        tour.said.push(format!("{} has {} rows", reading.symbol, reading.table.rows()));
    }
    Ok(())
}

/// One request is waited for, no longer than a minute.
fn wait_for_one(tour: &mut Tour) -> Done {
    let request = tour.pool.submit(&tour.prices, Read::new("MSFT"))?;
    let reading = tour.pool.wait(&request, MINUTE)?;
    tour.said.push(format!("{} is at version {}", reading.symbol, reading.version.number));
    Ok(())
}

/// A batch of writes; each waits for what was asked of its symbol before.
fn write_a_batch(tour: &mut Tour) -> Done {
    let write = |symbol: &str| Ok::<_, Box<dyn Error>>(tour.pool.submit(&tour.prices, Write::new(symbol, flat(100, 2.0)?))?);
    let requests = SYMBOLS.iter().map(|symbol| write(symbol)).collect::<Result<Vec<_>, _>>()?;
    let written = tour.pool.wait_all(&requests, MINUTE)?;
    tour.said.push(format!("wrote versions {:?}", written.iter().map(|written| written.version).collect::<Vec<_>>()));
    Ok(())
}

/// Requests of several kinds are waited for together.
fn mix(tour: &mut Tour) -> Done {
    let range = DateRange::closed(Instant::EPOCH + Duration::secs(10), Instant::EPOCH + Duration::secs(19))?;
    let rows = tour.pool.submit(&tour.prices, Read::new("AAPL").range(range))?;
    let about = tour.pool.submit(&tour.prices, ReadMetadata { symbol: "GOOGL".to_owned(), as_of: AsOf::Version(1) })?;
    let list = tour.pool.submit(&tour.prices, ListSymbols::default())?;
    let (rows, about, list) = tour.pool.wait_all(&(rows, about, list), MINUTE)?;
    let about = about.as_ref().as_ref().map_or_else(String::new, ToString::to_string);
    tour.said.push(format!("{} rows in range; {about}; {}", rows.table.rows(), list.join(", ")));
    Ok(())
}

fn has(symbol: impl Into<String>) -> HasSymbol {
    HasSymbol { symbol: symbol.into(), as_of: AsOf::Latest }
}

/// A pool is reset to another size, used, shut down and awaited.
fn reset_and_shut_down(tour: &mut Tour) -> Done {
    tour.pool.reset_pool(Some(8), MINUTE)?;
    let ask = |number: usize| tour.pool.submit(&tour.prices, has(SYMBOLS[number % 5]));
    let requests = (0..50).map(ask).collect::<Result<Vec<_>, _>>()?;
    tour.pool.shutdown(MINUTE)?;
    tour.pool.await_termination(MINUTE)?;
    let found = requests.iter().filter(|request| matches!(request.result(), Some(Ok(found)) if *found)).count();
    let refused = tour.pool.submit(&tour.prices, has("AAPL")).is_err();
    tour.said.push(format!("{found} of 50 found; pending: {}; closed: {refused}", tour.pool.statistics().pending));
    // No size gives the default one; the pool takes requests again.
    tour.pool.reset_pool(None, MINUTE)?;
    Ok(())
}

/// What a caller that wants no errors gets of a read.
fn safely(tour: &Tour, symbol: &str, timeout: Option<Duration>) -> Done<String> {
    let request = tour.pool.submit(&tour.prices, Read::new(symbol))?;
    match tour.pool.wait(&request, timeout) {
        Ok(reading) => Ok(format!("{} rows", reading.table.rows())),
        Err(error) if error.is_timeout() => Ok("timed out".to_owned()),
        Err(error) => match error.operation::<StoreError>() {
            Some(StoreError::SymbolNotFound { .. }) => Ok("no such symbol".to_owned()),
            _ => Err(error.into()),
        },
    }
}

/// Something modifies a symbol until the sender that is returned sends, or is dropped.
fn hold(tour: &Tour, symbol: &str) -> Result<(Request<()>, std::sync::mpsc::SyncSender<()>), RequestError> {
    let (open, opened) = sync_channel::<()>(1);
    let wait = move |_: &VersionLibrary| {
        let _ = opened.recv();
        Ok::<_, StoreError>(())
    };
    Ok((tour.pool.submit(&tour.prices, Call::modify("hold", Scope::symbol(symbol), wait))?, open))
}

/// A missing symbol and a time-out become values. What timed out goes on.
fn turn_errors_into_values(tour: &mut Tour) -> Done {
    let (fine, missing) = (safely(tour, "AMZN", MINUTE)?, safely(tour, "MISSING", MINUTE)?);
    let (held, open) = hold(tour, "AMZN")?;
    let slow = safely(tour, "AMZN", Some(Duration::millis(5)))?;
    drop(open);
    tour.pool.wait(&held, MINUTE)?;
    tour.said.push(format!("{fine}; {missing}; {slow}; then {}", safely(tour, "AMZN", MINUTE)?));
    Ok(())
}

/// A hundred questions in batches of twenty.
fn ask_in_batches(tour: &mut Tour) -> Done {
    let names: Vec<String> = (0..95).map(|number| format!("SYM{number}")).chain(SYMBOLS.map(str::to_owned)).collect();
    let mut found = 0;
    for batch in names.chunks(20) {
        let requests = batch.iter().map(|name| tour.pool.submit(&tour.prices, has(name))).collect::<Result<Vec<_>, _>>()?;
        found += tour.pool.wait_all(&requests, MINUTE)?.iter().filter(|found| ***found).count();
    }
    tour.said.push(format!("{found} of {} found in batches", names.len()));
    Ok(())
}

/// Large reads one by one: what one has read is freed before the next begins.
fn read_large_ones(tour: &mut Tour) -> Done {
    for (symbol, rows) in [("LARGE", 200_000), ("LARGER", 300_000)] {
        tour.prices.write(symbol, &flat(rows, 1.0)?, &WriteOptions::default())?;
    }
    for symbol in ["LARGE", "LARGER"] {
        let request = tour.pool.submit(&tour.prices, Read::new(symbol))?;
        let reading = tour.pool.wait(&request, MINUTE)?;
        let (rows, bytes) = (reading.table.rows(), reading.table.bytes());
        tour.said.push(format!("{symbol}: {rows} rows, {bytes} bytes"));
    }
    Ok(())
}

/// A batch that counts successes, time-outs and errors.
fn count_what_came_of_it(tour: &mut Tour) -> Done {
    let (held, open) = hold(tour, "TSLA")?;
    let wanted = ["AAPL", "MISSING", "TSLA", "GOOGL", "MSFT"];
    let requests = wanted.iter().map(|symbol| tour.pool.submit(&tour.prices, Read::new(*symbol))).collect::<Result<Vec<_>, _>>()?;
    let (mut successes, mut timeouts, mut errors) = (0, 0, 0);
    for (request, symbol) in requests.iter().zip(wanted) {
        match tour.pool.wait(request, if symbol == "TSLA" { Some(Duration::millis(5)) } else { MINUTE }) {
            Ok(_) => successes += 1,
            Err(error) if error.is_timeout() => timeouts += 1,
            Err(_) => errors += 1,
        }
    }
    drop(open);
    tour.pool.wait(&held, MINUTE)?;
    tour.said.push(format!("{successes} successes, {timeouts} time-out, {errors} error"));
    Ok(())
}

/// All of them, and what they say.
pub(crate) fn run() -> Result<Vec<String>, Box<dyn Error>> {
    let prices = Arc::new(Store::memory()?.create_versions("prices")?);
    for (rows, symbol) in (1..).zip(SYMBOLS) {
        let options = WriteOptions::default().metadata(format!("about {symbol}").into());
        prices.write(symbol, &flat(rows, 1.0)?, &options)?;
    }
    let mut tour = Tour { pool: RequestPool::new(4, Arc::new(SystemClock)), prices, said: Vec::new() };
    let examples = [
        read_together,
        wait_for_one,
        write_a_batch,
        mix,
        reset_and_shut_down,
        turn_errors_into_values,
        ask_in_batches,
        read_large_ones,
        count_what_came_of_it,
    ];
    for example in examples {
        example(&mut tour)?;
    }
    tour.pool.shutdown(MINUTE)?;
    Ok(tour.said)
}

fn main() -> Result<(), Box<dyn Error>> {
    for line in run()? {
        println!("{line}");
    }
    Ok(())
}
