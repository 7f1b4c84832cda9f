//! The version library, as its specification has it.

mod place;

use std::collections::BTreeMap;
use std::sync::Arc;

use place::Place;
use serde_json::json;
use stillpoint_engine::{Duration, Instant, Pool};
use stillpoint_store::{AsOf, DateRange, ReadOptions, Store, StoreError, StoreOptions, Symbols, Table, VersionLibrary, WriteOptions};

fn at(second: i64) -> Instant {
    Instant::from_nanos(second * 1_000_000_000)
}

fn rows(seconds: std::ops::Range<i64>) -> Table {
    let values: Vec<i64> = seconds.clone().collect();
    Table::at(seconds.map(at)).column("value", values).finish().expect("rows in order")
}

fn values(table: &Table) -> Vec<i64> {
    table.values::<arrow_array::types::Int64Type>("value").expect("a column of integers")
}

impl Place {
    fn library(&self) -> VersionLibrary {
        let store = self.store();
        if store.exists("lib").expect("a registry that can be read") { store.versions("lib") } else { store.create_versions("lib") }
            .expect("a library")
    }
}

#[test]
fn writes_and_appends_make_versions_that_can_all_be_read() {
    let place = Place::new();
    let library = place.library();
    place.clock.set(at(100));
    assert_eq!(library.write("a", &rows(0..5), &WriteOptions::default()).expect("written").version, 1);
    place.clock.set(at(200));
    assert_eq!(library.append("a", &rows(5..8), &WriteOptions::default()).expect("appended").version, 2);
    place.clock.set(at(300));
    assert_eq!(library.write("a", &rows(20..21), &WriteOptions::default()).expect("written").version, 3);
    for library in [library, place.library()] {
        let read = |as_of| values(&library.read("a", &ReadOptions::as_of(as_of)).expect("read").table);
        assert_eq!(read(AsOf::Latest), [20]);
        assert_eq!(read(AsOf::Version(1)), [0, 1, 2, 3, 4]);
        assert_eq!(read(AsOf::Version(2)), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(read(AsOf::At(at(299))), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(read(AsOf::At(at(200))), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(read(AsOf::At(at(199))), [0, 1, 2, 3, 4]);
        let error = library.read("a", &ReadOptions::as_of(AsOf::At(at(99)))).expect_err("nothing was there yet");
        assert_eq!(error.to_string(), "`a` has no version as of 1970-01-01T00:01:39Z; it has versions 1 to 3");
        let numbers: Vec<u64> = library.list_versions("a").expect("listed").iter().map(|info| info.number).collect();
        assert_eq!(numbers, [3, 2, 1]);
    }
}

#[test]
fn ranges_rows_and_columns_are_read_alone() {
    for many in [10, 200_000] {
        let place = Place::new();
        let library = place.library();
        let table = Table::at((0..many).map(at)).column("value", (0..many).collect::<Vec<i64>>()).column("side", vec![1u8; many as usize]);
        library.write("a", &table.finish().expect("rows"), &WriteOptions::default()).expect("written");
        library.append("a", &rows(many..many + 3), &WriteOptions::default()).expect("appended: `side` is null there");
        let range = DateRange::new(at(4)..at(8)).expect("a range");
        let read = |options: ReadOptions| library.read("a", &options).expect("read").table;
        assert_eq!(values(&read(ReadOptions::default().range(range))), [4, 5, 6, 7]);
        assert_eq!(values(&read(ReadOptions::default().rows(many as u64 - 1, many as u64 + 2))), [many - 1, many, many + 1]);
        let narrow = read(ReadOptions::default().columns(["side"]).rows(many as u64 - 1, many as u64 + 1));
        assert_eq!(stillpoint_store::TIME, narrow.schema().field(0).name());
        let sides: Vec<Option<u8>> =
            narrow.whole().expect("one batch").column(1).as_any().downcast_ref::<arrow_array::UInt8Array>().expect("u8").iter().collect();
        assert_eq!(sides, [Some(1), None]);
        let scanned: i64 =
            library.scan("a", &ReadOptions::default()).expect("begun").map(|batch| batch.expect("read").num_rows() as i64).sum();
        assert_eq!(scanned, many + 3);
        let error = library.read("a", &ReadOptions::default().columns(["vlaue"])).expect_err("no such column");
        assert_eq!(error.to_string(), "columns for `a`: there is no column `vlaue`: did you mean `value`?");
    }
}

#[test]
fn bad_rows_are_refused_and_change_nothing() {
    let place = Place::new();
    let library = place.library();
    library.write("a", &rows(5..8), &WriteOptions::default()).expect("written");
    let overlap = library.append("a", &rows(6..9), &WriteOptions::default()).expect_err("before the last row");
    assert!(matches!(overlap, StoreError::OverlappingData { last, first, .. } if last == at(7) && first == at(6)), "{overlap}");
    let unordered = Table::at([at(2), at(1)]).column("value", [1i64, 2]).finish().expect_err("it goes back");
    assert!(matches!(unordered, StoreError::UnorderedData { row: 1, .. }), "{unordered}");
    let other = Table::at([at(9)]).column("value", [1.5]).finish().expect("rows");
    let error = library.append("a", &other, &WriteOptions::default()).expect_err("another type");
    assert_eq!(
        error.to_string(),
        "columns for `a`: `value` is of type Float64, and of type Int64 before: convert it, or write a new version"
    );
    let missing = library.append("eurusd", &rows(0..1), &WriteOptions::default()).expect_err("no symbol");
    assert_eq!(missing.to_string(), "library `lib` has no symbol `eurusd`: there is only `a`");
    assert_eq!(library.upsert("b", &rows(0..1), &WriteOptions::default()).expect("made").version, 1);
    let empty = library.append("a", &rows(0..0), &WriteOptions::default()).expect("nothing to do");
    assert_eq!((empty.version, empty.rows), (1, 3));
    assert_eq!(library.list_versions("a").expect("listed").len(), 1);
    assert!(library.write("", &rows(0..1), &WriteOptions::default()).is_err());
}

#[test]
fn metadata_makes_versions_and_lists_symbols() {
    let place = Place::new();
    let library = place.library();
    library.write("fx.eur", &rows(0..2), &WriteOptions::default().metadata(json!({"venue": "x", "n": 1}))).expect("written");
    library.write("fx.usd", &rows(0..2), &WriteOptions::default()).expect("written");
    library.append("fx.eur", &rows(2..3), &WriteOptions::default()).expect("appended");
    assert_eq!(library.read_metadata("fx.eur", &AsOf::Latest).expect("read"), Some(json!({"venue": "x", "n": 1})), "an append keeps it");
    assert_eq!(library.write_metadata("fx.usd", Some(&json!({"venue": "y"}))).expect("written").version, 2);
    assert_eq!(library.read_metadata("fx.usd", &AsOf::Version(1)).expect("read"), None);
    let list = |which: Symbols| library.list_symbols(&which).expect("listed");
    assert_eq!(list(Symbols::default()), ["fx.eur", "fx.usd"]);
    assert_eq!(list(Symbols { matching: Some("us.$".to_owned()), ..Symbols::default() }), ["fx.usd"]);
    assert_eq!(list(Symbols { metadata: BTreeMap::from([("venue".to_owned(), json!("x"))]), ..Symbols::default() }), ["fx.eur"]);
    assert!(library.list_symbols(&Symbols { matching: Some("(".to_owned()), ..Symbols::default() }).is_err());
}

#[test]
fn snapshots_hold_what_is_deleted_and_numbers_are_never_used_twice() {
    let place = Place::new();
    let library = place.library();
    for (from, to) in [(0, 2), (2, 4), (4, 6)] {
        library.upsert("a", &rows(from..to), &WriteOptions::default()).expect("appended");
    }
    library.write("b", &rows(0..1), &WriteOptions::default()).expect("written");
    let chosen = BTreeMap::from([("a".to_owned(), AsOf::Version(2))]);
    let snapshot = library.snapshot("monday", &chosen, Some(&json!("first"))).expect("made");
    assert_eq!(snapshot.versions, BTreeMap::from([("a".to_owned(), 2), ("b".to_owned(), 1)]));
    assert_eq!(snapshot.metadata, Some(json!("first")));
    assert_eq!(place.library().list_snapshots().expect("listed"), [snapshot]);
    assert!(matches!(library.snapshot("monday", &BTreeMap::new(), None), Err(StoreError::SnapshotExists(_))));
    library.delete("a").expect("deleted");
    library.delete_version("b", 1).expect("deleted");
    let library = place.library();
    assert!(!library.has_symbol("a", &AsOf::Latest).expect("looked"));
    assert!(matches!(library.list_versions("a"), Err(StoreError::SymbolNotFound { .. })), "only the snapshot has it");
    let monday = ReadOptions::as_of(AsOf::Snapshot("monday".to_owned()));
    assert_eq!(values(&library.read("a", &monday).expect("the snapshot has it").table), [0, 1, 2, 3]);
    assert_eq!(library.list_symbols(&Symbols { snapshot: Some("monday".to_owned()), ..Symbols::default() }).expect("listed"), ["a", "b"]);
    library.delete_snapshot("monday").expect("deleted");
    assert!(matches!(library.read("a", &monday), Err(StoreError::SnapshotNotFound { .. })));
    assert!(matches!(library.read("a", &ReadOptions::as_of(AsOf::Version(2))), Err(StoreError::SymbolNotFound { .. })));
    assert_eq!(library.write("a", &rows(0..1), &WriteOptions::default()).expect("written").version, 4, "three versions were used");
    assert_eq!(library.write("b", &rows(0..1), &WriteOptions::default()).expect("written").version, 2);
}

#[test]
fn older_versions_come_back_and_part_from_newer_ones() {
    let place = Place::new();
    let library = place.library();
    for (from, to) in [(0, 2), (2, 4)] {
        library.upsert("a", &rows(from..to), &WriteOptions::default()).expect("appended");
    }
    assert_eq!(library.restore("a", &AsOf::Version(1)).expect("restored").version, 3);
    library.append("a", &rows(7..9), &WriteOptions::default()).expect("appended to what was restored");
    let read = |number| values(&library.read("a", &ReadOptions::as_of(AsOf::Version(number))).expect("read").table);
    assert_eq!([read(1), read(2), read(3), read(4)], [vec![0, 1], vec![0, 1, 2, 3], vec![0, 1], vec![0, 1, 7, 8]]);
}

#[test]
fn prune_keeps_the_latest_and_what_snapshots_show() {
    let place = Place::new();
    let library = place.library();
    for second in 0..5 {
        place.clock.set(at(second * 60));
        library.upsert("a", &rows(second..second + 1), &WriteOptions::default()).expect("appended");
        if second == 1 {
            library.snapshot("two", &BTreeMap::new(), None).expect("made");
        }
    }
    place.clock.set(at(300));
    assert_eq!(library.prune("a", Duration::secs(120)).expect("pruned"), 3, "those at 0, 60 and 120 s are older than two minutes");
    let numbers = |library: &VersionLibrary| library.list_versions("a").expect("listed").iter().map(|info| info.number).collect::<Vec<_>>();
    assert_eq!(numbers(&library), [5, 4]);
    assert_eq!(values(&library.read("a", &ReadOptions::as_of(AsOf::Snapshot("two".to_owned()))).expect("read").table), [0, 1]);
    assert_eq!(library.prune("a", Duration::ZERO).expect("pruned"), 1);
    assert_eq!(numbers(&place.library()), [5]);
    assert_eq!(values(&library.read("a", &ReadOptions::default()).expect("read").table), [0, 1, 2, 3, 4]);
}

#[test]
fn who_expected_another_version_is_told() {
    let place = Place::new();
    let (mine, theirs) = (place.library(), place.library());
    mine.write("a", &rows(0..1), &WriteOptions::default().expecting(None)).expect("there was none");
    let transaction = mine.transaction("a", "me", "why").expect("begun");
    assert_eq!(values(&transaction.read(&ReadOptions::default()).expect("read").table), [0]);
    theirs.append("a", &rows(1..2), &WriteOptions::default()).expect("appended");
    let error = transaction.write(&rows(5..6), &WriteOptions::default()).expect_err("somebody was faster");
    assert!(matches!(error, StoreError::ConcurrentModification { expected: Some(1), found: Some(2), .. }), "{error}");
    let transaction = mine.transaction("a", "me", "mend").expect("begun");
    assert_eq!(transaction.write(&rows(5..6), &WriteOptions::default()).expect("written").version, 3);
    let log = theirs.audit_log(Some("a")).expect("read");
    assert_eq!((log.len(), log[0].version, log[0].message.as_str()), (1, Some(3), "me: mend"));
}

#[test]
fn updates_and_deletes_of_ranges_leave_the_rest() {
    for many in [100, 150_000] {
        let place = Place::new();
        let library = place.library();
        library.write("a", &rows(0..many), &WriteOptions::default().metadata(json!(7))).expect("written");
        let range = DateRange::new(at(10)..at(20)).expect("a range");
        let patch = Table::at([at(12), at(15)]).column("value", [-1i64, -2]).finish().expect("rows");
        assert_eq!(library.update("a", range, &patch, &WriteOptions::default()).expect("updated").rows, many as u64 - 8);
        let expected: Vec<i64> = (0..10).chain([-1, -2]).chain(20..many).collect();
        assert_eq!(values(&library.read("a", &ReadOptions::default()).expect("read").table), expected);
        let cut = DateRange::new(at(15)..=at(many - 2)).expect("a range");
        library.delete_range("a", cut, &WriteOptions::default()).expect("deleted");
        let expected: Vec<i64> = (0..10).chain([-1, many - 1]).collect();
        let library = place.library();
        let reading = library.read("a", &ReadOptions::default()).expect("read");
        assert_eq!(values(&reading.table), expected);
        assert_eq!((reading.version.span, reading.version.metadata), (Some((at(0), at(many - 1))), Some(json!(7))));
        assert_eq!(library.read("a", &ReadOptions::as_of(AsOf::Version(1))).expect("read").table.rows(), many as u64);
        assert!(library.update("a", range, &rows(30..31), &WriteOptions::default()).is_err(), "outside of its range");
        let wide = ReadOptions::default().range(DateRange::new(at(11)..at(many)).expect("a range"));
        assert_eq!(values(&library.read("a", &wide).expect("read").table), [-1, many - 1]);
    }
}

#[test]
fn compaction_and_sweeping_change_no_version() {
    let place = Place::new();
    let library = place.library();
    for second in 0..50 {
        library.upsert("a", &rows(second * 1_000..(second + 1) * 1_000), &WriteOptions::default()).expect("appended");
    }
    let read =
        |library: &VersionLibrary, number| values(&library.read("a", &ReadOptions::as_of(AsOf::Version(number))).expect("read").table);
    let done = library.compact("a").expect("compacted");
    assert_eq!((done.pieces, done.segments, done.rows), (50, 1, 50_000));
    for library in [&library, &place.library()] {
        assert_eq!(read(library, 50), (0..50_000).collect::<Vec<_>>());
        assert_eq!(read(library, 7), (0..7_000).collect::<Vec<_>>());
        assert_eq!(library.files("a", &AsOf::Latest).expect("listed").len(), 1);
    }
    library.append("a", &rows(50_000..50_001), &WriteOptions::default()).expect("appended");
    library.write("a", &rows(0..100_000), &WriteOptions::default().prune()).expect("written");
    place.clock.set(at(4_000));
    assert_eq!(library.sweep(Duration::ZERO).expect("swept").segments, 1);
    assert_eq!(read(&place.library(), 52), (0..100_000).collect::<Vec<_>>());
}

/// Each item of a batch has a result of its own.
#[test]
fn one_error_in_a_batch_leaves_the_rest_alone() {
    let place = Place::new();
    let library = place.library();
    let (two, three) = (rows(0..2), rows(0..3));
    let expecting = WriteOptions::default().expecting(Some(7));
    let written =
        library.write_batch([("a", &two, WriteOptions::default()), ("b", &two, expecting), ("c", &three, WriteOptions::default())]);
    assert_eq!(
        written.iter().map(|written| written.as_ref().map(|written| written.rows).ok()).collect::<Vec<_>>(),
        [Some(2), None, Some(3)]
    );
    assert!(matches!(written[1], Err(StoreError::ConcurrentModification { .. })));
    let last = ReadOptions::default().rows(2, 3);
    let read = library.read_batch([("c", last.clone()), ("b", last.clone()), ("a", ReadOptions::as_of(AsOf::Version(9))), ("a", last)]);
    assert!(matches!(read[1], Err(StoreError::SymbolNotFound { .. })) && matches!(read[2], Err(StoreError::VersionNotFound { .. })));
    let tables: Vec<_> = read.iter().flatten().map(|reading| (reading.symbol.as_str(), values(&reading.table))).collect();
    assert_eq!(tables, [("c", vec![2]), ("a", vec![])]);
}

/// Prune and sweep with no grace at all: who has begun to read goes on, from files and from commits.
#[test]
fn readers_hold_what_they_read() {
    let place = Place::new();
    let library = place.library();
    library.write("a", &rows(0..200_000), &WriteOptions::default()).expect("written");
    library.append("a", &rows(200_000..200_003), &WriteOptions::default()).expect("appended");
    let mut scan = library.scan("a", &ReadOptions::default()).expect("begun");
    let first = scan.next().expect("rows").expect("read");
    library.write("a", &rows(0..1), &WriteOptions::default().prune()).expect("written");
    let sweep = || {
        (0..3).for_each(|_| _ = library.checkpoint().expect("written"));
        library.write_metadata("a", None).expect("written");
        (0..3).for_each(|_| _ = library.checkpoint().expect("written"));
        library.sweep(Duration::ZERO).expect("swept")
    };
    place.clock.set(at(4_000_000_000));
    assert_eq!(sweep().segments, 0, "its segment is being read");
    let rest: Vec<i64> = scan.by_ref().flat_map(|batch| values(&Table::from_batch(batch.expect("read")).expect("rows"))).collect();
    assert_eq!(first.num_rows() + rest.len(), 200_003);
    assert_eq!(rest.last(), Some(&200_002), "the last rows lay in a commit");
    drop(scan);
    assert_eq!(sweep().segments, 1, "nobody reads it any more");
}

/// What small appends leave behind is put together without anybody asking.
#[test]
fn small_appends_are_compacted_in_the_background() {
    let place = Place::new();
    let pool = Arc::new(Pool::new(1));
    let store = Store::open(place.objects.clone(), StoreOptions { background: Some(pool.clone()), ..place.options() }).expect("opened");
    let library = store.create_versions("lib").expect("made");
    const APPENDS: i64 = 192;
    const EACH: i64 = 4_000;
    for number in 0..APPENDS {
        library.upsert("a", &rows(number * EACH..(number + 1) * EACH), &WriteOptions::default()).expect("appended");
    }
    // The pool has one thread: it comes to a job of ours after those before it.
    let (done, is_done) = std::sync::mpsc::channel();
    drop(pool.submit(move || done.send(())));
    is_done.recv().expect("the pool runs");
    let usage = library.usage("a").expect("known");
    assert!(usage.pieces < APPENDS as u64 / 2, "{} pieces of {APPENDS} appends", usage.pieces);
    assert_eq!(values(&library.read("a", &ReadOptions::default()).expect("read").table), (0..APPENDS * EACH).collect::<Vec<_>>());
    assert_eq!(library.list_versions("a").expect("listed").len() as i64, APPENDS);
    assert!(store.trouble().is_empty(), "{:?}", store.trouble());
}
