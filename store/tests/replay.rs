//! Streams from the store: every row once and in order, however the rows are stored, cached, cut and merged.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::types::Int64Type;
use stillpoint_engine::host::{Host, Launch};
use stillpoint_engine::{Actor, Context, Duration, Handler, Instant, Message, Outcome, Report, Simulation, Source, Stream, Timed, Value};
use stillpoint_store::replay::{FromRows, Replay, RowsOf, stream};
use stillpoint_store::{
    AsOf, Bucket, Cache, DateRange, Kind, ReadOptions, SetClock, Store, StoreError, StoreOptions, Table, VersionLibrary, WriteOptions,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Tick {
    symbol: Arc<str>,
    price: i64,
}

impl Message for Tick {
    const KIND: &'static str = "tick";
}

impl FromRows for Tick {
    const COLUMNS: &'static [&'static str] = &["price"];

    fn from_rows(of: &RowsOf<'_>, rows: Range<usize>, into: &mut Vec<Timed<Self>>) -> Result<(), StoreError> {
        let (times, prices) = (of.times()?, of.values::<Int64Type>("price")?);
        into.extend(
            rows.map(|row| Timed { at: Instant::from_nanos(times[row]), value: Tick { symbol: of.symbol().clone(), price: prices[row] } }),
        );
        Ok(())
    }
}

fn at(milli: i64) -> Instant {
    Instant::EPOCH + Duration::millis(milli)
}

fn store(cache: u64) -> Store {
    let options = StoreOptions { clock: Arc::new(SetClock::default()), cache: Cache::new(cache), background: None, writer: Some(1) };
    Store::open(Arc::new(Bucket::memory()), options).expect("a store in memory")
}

/// Rows from..to: row n is at n * step milliseconds and costs n * n % 997; a column that nobody asks for is beside it.
fn rows(range: Range<i64>, step: i64) -> Table {
    let prices: Vec<i64> = range.clone().map(|row| row * row % 997).collect();
    let notes: Vec<String> = range.clone().map(|row| format!("note {row}")).collect();
    Table::at(range.map(|row| at(row * step))).column("price", prices).column("note", notes).finish().expect("rows in order")
}

const ROWS: i64 = 6_000;

/// The same rows in parts of so many rows, compacted or not. `B` has an instant for every third of `A`.
fn library(store: &Store, part: usize, compact: bool) -> VersionLibrary {
    let library = store.create_versions("ticks").expect("a new library");
    for (symbol, step) in [("A", 1), ("B", 3)] {
        for from in (0..ROWS).step_by(part) {
            let to = ROWS.min(from + part as i64);
            library.upsert(symbol, &rows(from..to, step), &WriteOptions::default()).expect("later rows");
        }
        if compact {
            library.compact(symbol).expect("compaction");
        }
    }
    library
}

fn drained<S: Source>(mut source: S, most: usize) -> Vec<Timed<S::Item>> {
    let mut items = Vec::new();
    while source.read(most, &mut items).expect("items") {}
    items
}

#[test]
fn every_row_of_a_range_comes_once_in_order_whatever_is_asked_at_a_time() {
    let store = store(1 << 20);
    let library = library(&store, 700, false);
    let range = DateRange::new(at(1_000)..at(2_000)).expect("a range");
    let expected: Vec<(Instant, i64)> = (1_000..2_000).map(|row| (at(row), row * row % 997)).collect();
    for most in [1, 7, 1_000, 10_000] {
        let replay = Replay::<Tick>::open(&library, "A", &ReadOptions::default().range(range)).expect("a symbol");
        let items: Vec<_> = drained(replay, most).into_iter().map(|item| (item.at, item.value.price)).collect();
        assert_eq!(items, expected);
    }
    let mut one_by_one = Replay::<Tick>::open(&library, "A", &ReadOptions::default().range(range)).expect("a symbol");
    assert_eq!(one_by_one.next().expect("an item").map(|item| item.value.price), Some(1_000_000 % 997));
    let (read, of) = one_by_one.progress().expect("it is known");
    assert!(read == 1 && (1_000..=ROWS as u64).contains(&of), "{read} of {of}");
    while one_by_one.next().expect("an item").is_some() {}
    assert_eq!(one_by_one.progress(), Some((1_000, 1_000)));
}

#[test]
fn what_cannot_be_replayed_is_an_error_that_says_so() {
    let library = library(&store(0), 6_000, false);
    let none: [&str; 0] = [];
    assert!(stream::<Tick, _>(&library, &none, &ReadOptions::default()).is_err());
    let error = stream::<Tick, _>(&library, &["A", "C"], &ReadOptions::default()).unwrap_err();
    assert!(error.to_string().contains("no symbol `C`"), "{error}");
    let other = Table::at([at(0)]).column("price", [1.5]).finish().expect("a table");
    library.write("floats", &other, &WriteOptions::default()).expect("written");
    let mut floats = Replay::<Tick>::open(&library, "floats", &ReadOptions::default()).expect("it is there");
    let error = floats.next().expect_err("another type");
    assert_eq!(error.0, "columns for `floats`: column `price` is of type Float64, not Int64");
}

/// Keeps all that it hears.
#[derive(Default)]
struct Ear(Vec<(Instant, Tick)>);

impl Actor for Ear {
    fn report(&self, report: &mut Report) {
        let sum: i64 = self.0.iter().zip(1..).map(|((_, tick), number)| tick.price * number % 1_009).sum();
        report.integer("sum", sum);
        report.integer("first of B", self.0.iter().position(|(_, tick)| &*tick.symbol == "B").map_or(-1, |place| place as i64));
    }
}

impl Handler<Tick> for Ear {
    fn handle(&mut self, tick: &Tick, ctx: &mut Context<'_, Self>) {
        self.0.push((ctx.now(), tick.clone()));
    }
}

/// One merged stream and one of a single symbol.
fn build(library: &VersionLibrary) -> Result<Simulation, Box<dyn std::error::Error + Send + Sync>> {
    let mut sim = Simulation::new("replay");
    let both = sim.stream("both", stream::<Tick, _>(library, &["B", "A"], &ReadOptions::default())?)?;
    let single =
        sim.stream("single", stream::<Tick, _>(library, &["A"], &ReadOptions::default().range(DateRange::new(at(100)..at(300))?))?)?;
    for (name, stream) in [("ear", both), ("other", single)] {
        let ear = sim.actor(name, Ear::default())?;
        sim.subscribe::<Tick, _>(ear, stream);
    }
    Ok(sim)
}

fn run(library: &VersionLibrary, host: Host) -> Outcome {
    let library = library.clone();
    Launch::new(move || build(&library)).host(host).run().expect("a run")
}

#[test]
fn a_replay_has_one_trace_whatever_holds_the_rows_and_whoever_runs_it() {
    let plain = store(0);
    let library_of_one_part = library(&plain, ROWS as usize, false);
    let base = run(&library_of_one_part, Host::Inline);
    // Of one instant, the first symbol comes first: B begins.
    assert_eq!(base.report("ear").and_then(|report| report.get("first of B")), Some(&Value::Integer(0)));
    assert_eq!(base.events, 2 * ROWS as u64 + 200);
    // The naive model: sort all rows by instant, B before A.
    let mut all: Vec<(i64, i64, i64)> = Vec::new();
    for (place, step) in [(0, 3), (1, 1)] {
        all.extend((0..ROWS).map(|row| (row * step, place, row * row % 997)));
    }
    all.sort();
    let sum: i64 = all.iter().zip(1..).map(|((_, _, price), number)| price * number % 1_009).sum();
    assert_eq!(base.report("ear").and_then(|report| report.get("sum")), Some(&Value::Integer(sum)));

    for cache in [0, 3_000, 64 << 20] {
        for (part, compact) in [(11, true), (97, false), (97, true), (4_000, false), (ROWS as usize, true)] {
            let store = store(cache);
            let library = library(&store, part, compact);
            // The second time, the cache is warm.
            for time in ["cold", "warm"] {
                let outcome = run(&library, Host::Inline);
                assert_eq!(outcome.trace_hash, base.trace_hash, "{time} cache of {cache}, parts of {part}, compacted: {compact}");
            }
        }
    }
    for threads in [1, 2, 4, 8] {
        assert_eq!(run(&library_of_one_part, Host::Actix { threads }).trace_hash, base.trace_hash, "{threads} threads");
    }
}

#[test]
fn a_stream_stays_with_its_version_and_ticks_can_be_replayed_too() {
    let store = store(0);
    let library = library(&store, ROWS as usize, false);
    let mut sim = Simulation::new("fixed");
    let ticks = sim.stream("a", stream::<Tick, _>(&library, &["A"], &ReadOptions::default()).expect("a stream")).expect("a name");
    let ear = sim.actor("ear", Ear::default()).expect("a name");
    sim.subscribe::<Tick, _>(ear, ticks);
    library.append("A", &rows(ROWS..ROWS + 5, 1), &WriteOptions::default()).expect("more rows");
    assert_eq!(sim.run().expect("a run").events, ROWS as u64);

    store.create("raw", Kind::Tick).expect("a new library");
    let raw = store.ticks("raw").expect("it is there");
    raw.append("A", &rows(0..10, 1)).expect("rows");
    let replay = Replay::<Tick>::open(&raw, "A", &ReadOptions::default()).expect("a symbol");
    assert_eq!(drained(replay, 4).len(), 10);
}

/// A snapshot is what keeps rows for runs: what it shows stays, whatever happens to the versions.
#[test]
fn a_stream_of_a_snapshot_stays_when_its_version_goes() {
    let store = store(0);
    let library = library(&store, ROWS as usize, false);
    library.snapshot("kept", &BTreeMap::new(), None).expect("made");
    let kept = ReadOptions::as_of(AsOf::Snapshot("kept".to_owned()));
    let run = |stream: Stream<Tick>| {
        let mut sim = Simulation::new("kept");
        let ticks = sim.stream("a", stream)?;
        let ear = sim.actor("ear", Ear::default())?;
        sim.subscribe::<Tick, _>(ear, ticks);
        Ok::<_, stillpoint_engine::BuildError>(sim.run().map(|outcome| outcome.events).map_err(|failed| failed.error.to_string()))
    };
    let streams =
        || [stream(&library, &["A"], &kept).expect("a stream"), stream(&library, &["A"], &ReadOptions::default()).expect("a stream")];
    let [of_snapshot, of_version] = streams();
    library.write("A", &rows(0..5, 1), &WriteOptions::default().prune()).expect("written");
    assert_eq!(run(of_snapshot).expect("built"), Ok(ROWS as u64));
    assert!(run(of_version).expect("built").expect_err("it is gone").contains("has no version"));

    let [of_snapshot, _] = streams();
    library.delete_snapshot("kept").expect("deleted");
    library.snapshot("kept", &BTreeMap::new(), None).expect("made");
    let error = run(of_snapshot).expect("built").expect_err("it is another snapshot");
    assert!(error.contains("when the stream was made"), "{error}");
}
