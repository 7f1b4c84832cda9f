//! Operations of libraries as requests: what each says of itself, and that each does what the library's method does.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::types::Int64Type;
use serde_json::json;
use stillpoint_engine::{Duration, Instant};
use stillpoint_store::operations::{
    Append, DeleteRange, DeleteSnapshot, DeleteSymbol, DeleteVersion, HasSymbol, ListSnapshots, ListSymbols, ListVersions, Prune, Read,
    ReadMetadata, ReadTicks, Restore, Snapshot, Update, Write, WriteMetadata,
};
use stillpoint_store::request::{Kind as Does, Operation, RequestError, RequestPool, Scope};
use stillpoint_store::{
    AsOf, Bucket, DateRange, Kind, ReadOptions, Store, StoreError, StoreOptions, Symbols, Table, VersionLibrary, WriteOptions,
};

const LONG: Option<Duration> = Some(Duration::secs(300));

fn at(second: i64) -> Instant {
    Instant::EPOCH + Duration::secs(second)
}

/// Row n is at second n and has the value n times ten.
fn rows(seconds: std::ops::Range<i64>) -> Table {
    let values: Vec<i64> = seconds.clone().map(|second| second * 10).collect();
    Table::at(seconds.map(at)).column("value", values).finish().expect("rows in order")
}

/// A store whose clock is a closure, as those of pools may be.
fn store() -> Store {
    let options = StoreOptions { clock: Arc::new(|| at(1_000)), background: None, writer: Some(1), ..StoreOptions::default() };
    Store::open(Arc::new(Bucket::memory()), options).expect("a store in memory")
}

fn a() -> String {
    "A".to_owned()
}

fn about<O: Operation<VersionLibrary>>(operation: &O) -> (String, Does, Scope) {
    (operation.name().to_owned(), operation.kind(), operation.scope())
}

#[test]
fn every_operation_knows_whether_it_modifies_and_what_it_concerns() {
    let (range, options) = (DateRange::ALL, WriteOptions::default());
    let latest = || AsOf::Latest;
    let said = [
        about(&Read::new("A")),
        about(&ReadMetadata { symbol: a(), as_of: latest() }),
        about(&HasSymbol { symbol: a(), as_of: latest() }),
        about(&ListVersions { symbol: a() }),
        about(&ListSymbols::default()),
        about(&ListSnapshots),
        about(&Write::new("A", rows(0..1))),
        about(&Append::new("A", rows(0..1))),
        about(&Update { symbol: a(), range, table: rows(0..1), options }),
        about(&DeleteRange { symbol: a(), range }),
        about(&WriteMetadata { symbol: a(), metadata: None }),
        about(&DeleteSymbol { symbol: a() }),
        about(&DeleteVersion { symbol: a(), number: 1 }),
        about(&Restore { symbol: a(), as_of: latest() }),
        about(&Prune { symbol: a(), keep: Duration::ZERO }),
        about(&Snapshot::new("S")),
        about(&DeleteSnapshot { name: "S".to_owned() }),
    ];
    let (symbol, library) = (|| Scope::symbol("A"), || Scope::Library);
    let expected = [
        ("read", Does::Read, symbol()),
        ("read_metadata", Does::Read, symbol()),
        ("has_symbol", Does::Read, symbol()),
        ("list_versions", Does::Read, symbol()),
        ("list_symbols", Does::Read, library()),
        ("list_snapshots", Does::Read, library()),
        ("write", Does::Modify, symbol()),
        ("append", Does::Modify, symbol()),
        ("update", Does::Modify, symbol()),
        ("delete_range", Does::Modify, symbol()),
        ("write_metadata", Does::Modify, symbol()),
        ("delete", Does::Modify, symbol()),
        ("delete_version", Does::Modify, symbol()),
        ("restore", Does::Modify, symbol()),
        ("prune", Does::Modify, symbol()),
        ("snapshot", Does::Modify, library()),
        ("delete_snapshot", Does::Modify, library()),
    ];
    assert_eq!(said.to_vec(), expected.map(|(name, kind, scope)| (name.to_owned(), kind, scope)).to_vec());
}

/// A life of a symbol: each request finds what the one before it left, though nobody waits in between.
#[test]
fn requests_do_what_the_library_does_in_their_order() -> Result<(), RequestError> {
    for size in [0, 1, 4] {
        let library = Arc::new(store().create_versions("prices").expect("a new library"));
        let pool = RequestPool::new(size, Arc::new(|| at(0)));
        let read = Read::new("A");
        let middle = DateRange::closed(at(1), at(2)).expect("a range");

        let first = pool.submit(&library, Append::new("A", rows(0..3)))?;
        let upserted = pool.submit(&library, Append::new("A", rows(0..3)).upsert())?;
        let two = pool.submit(&library, Append::new("A", rows(3..5)))?;
        let three = pool.submit(&library, Update { symbol: a(), range: middle, table: rows(1..2), options: WriteOptions::default() })?;
        let updated = pool.submit(&library, read.clone())?;
        let four = pool.submit(&library, DeleteRange { symbol: a(), range: DateRange::closed(at(3), at(9)).expect("a range") })?;
        let snapshot = pool.submit(&library, Snapshot::new("S"))?;
        let five = pool.submit(&library, WriteMetadata { symbol: a(), metadata: Some(json!("five")) })?;
        let six = pool.submit(&library, Restore { symbol: a(), as_of: AsOf::Version(1) })?;
        let restored = pool.submit(&library, read.clone())?;
        let metadata = pool.submit(&library, ReadMetadata { symbol: a(), as_of: AsOf::Version(5) })?;
        let dropped = pool.submit(&library, DeleteVersion { symbol: a(), number: 2 })?;
        let versions = pool.submit(&library, ListVersions { symbol: a() })?;
        let deleted = pool.submit(&library, DeleteSymbol { symbol: a() })?;
        let has = pool.submit(&library, HasSymbol { symbol: a(), as_of: AsOf::Latest })?;
        let pinned = pool.submit(&library, Read::new("A").options(ReadOptions::as_of(AsOf::Snapshot("S".to_owned()))))?;
        let snapshots = pool.submit(&library, ListSnapshots)?;
        let gone = pool.submit(&library, DeleteSnapshot { name: "S".to_owned() })?;
        let list = pool.submit(&library, ListSymbols { which: Symbols::default() })?;

        let error = pool.wait(&first, LONG).expect_err("there is no symbol yet");
        assert!(matches!(error.operation::<StoreError>(), Some(StoreError::SymbolNotFound { .. })), "{error}");
        let written = pool.wait_all(&[&upserted, &two, &three, &four, &five, &six], LONG)?;
        let expected = [(1, 3), (2, 5), (3, 4), (4, 2), (5, 2), (6, 3)];
        assert_eq!(written.iter().map(|written| (written.version, written.rows)).collect::<Vec<_>>(), expected);
        let values = |table: &Table| table.values::<Int64Type>("value").expect("values");
        assert_eq!(values(&pool.wait(&updated, LONG)?.table), [0, 10, 30, 40]);
        assert_eq!(values(&pool.wait(&restored, LONG)?.table), [0, 10, 20]);
        assert_eq!(pool.wait(&snapshot, LONG)?.versions, BTreeMap::from([(a(), 4)]));
        assert_eq!(*pool.wait(&metadata, LONG)?, Some(json!("five")));
        pool.wait_all(&[&dropped, &deleted, &gone], LONG)?;
        let numbers: Vec<u64> = pool.wait(&versions, LONG)?.iter().map(|version| version.number).collect();
        assert_eq!(numbers, [6, 5, 4, 3, 1]);
        assert!(!*pool.wait(&has, LONG)?);
        assert_eq!(values(&pool.wait(&pinned, LONG)?.table), [0, 10]);
        assert_eq!(pool.wait(&snapshots, LONG)?.len(), 1);
        assert!(pool.wait(&list, LONG)?.is_empty());
    }
    Ok(())
}

#[test]
fn ticks_are_appended_and_read_by_requests_too() -> Result<(), RequestError> {
    let store = store();
    store.create("ticks", Kind::Tick).expect("a new library");
    let ticks = Arc::new(store.ticks("ticks").expect("it is there"));
    let pool = RequestPool::new(2, Arc::new(|| at(0)));
    for symbol in ["A", "B"] {
        pool.submit(&ticks, Append::new(symbol, rows(0..2)))?;
        pool.submit(&ticks, Append::new(symbol, rows(2..4)))?;
    }
    let late = pool.submit(&ticks, Append::new("A", rows(0..1)))?;
    let cut = pool.submit(&ticks, DeleteRange { symbol: a(), range: DateRange::at(at(1)) })?;
    let both = pool.submit(&ticks, ReadTicks::new(["A", "B"]))?;
    let list = pool.submit(&ticks, ListSymbols::default())?;
    let error = pool.wait(&late, LONG).expect_err("it overlaps");
    assert!(matches!(error.operation::<StoreError>(), Some(StoreError::OverlappingData { .. })), "{error}");
    assert_eq!(*pool.wait(&cut, LONG)?, 3);
    assert_eq!(pool.wait(&both, LONG)?.values::<Int64Type>("value").expect("values"), [0, 0, 10, 20, 20, 30, 30]);
    assert_eq!(*pool.wait(&list, LONG)?, ["A", "B"]);
    let gone = pool.submit(&ticks, DeleteSymbol { symbol: a() })?;
    let has = pool.submit(&ticks, HasSymbol { symbol: a(), as_of: AsOf::Latest })?;
    pool.wait(&gone, LONG)?;
    assert!(!*pool.wait(&has, LONG)?);
    Ok(())
}
