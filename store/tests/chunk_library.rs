//! The chunk library, as its specification has it.

mod place;

use std::collections::BTreeMap;

use arrow_array::types::Int64Type;
use place::Place;
use proptest::prelude::*;
use serde_json::json;
use stillpoint_engine::{Duration, Instant, Pool};
use stillpoint_store::chunk::{Chunker, Span};
use stillpoint_store::{ChunkLibrary, DateRange, Kind, ReadOptions, StoreError, Table, WriteOptions};

fn at(text: &str) -> Instant {
    text.parse().expect("an instant")
}

fn day(n: i64) -> Instant {
    Instant::EPOCH + Duration::hours(24 * n)
}

/// Rows at noon of some days of the epoch's calendar, with these values.
fn rows(days: &[i64], values: &[i64]) -> Table {
    Table::at(days.iter().map(|n| day(*n) + Duration::hours(12))).column("value", values.to_vec()).finish().expect("rows in order")
}

fn values(table: &Table) -> Vec<i64> {
    table.values::<Int64Type>("value").expect("a column of integers")
}

impl Place {
    fn library(&self) -> ChunkLibrary {
        let store = self.store();
        if !store.exists("lib").expect("a registry that can be read") {
            store.create("lib", Kind::Chunk).expect("made");
        }
        store.chunks("lib").expect("a library")
    }
}

fn plain() -> WriteOptions {
    WriteOptions::default()
}

fn read(library: &ChunkLibrary) -> Vec<i64> {
    values(&library.read("a", DateRange::ALL, None).expect("read"))
}

#[test]
fn an_update_replaces_the_chunks_it_touches_and_no_other() {
    let place = Place::new();
    let library = place.library();
    // 1970: January has days 0 to 30, February 31 to 58, March 59 to 89, April from 90.
    library.write("a", &rows(&[0, 10, 31, 40, 59, 70, 90], &[1, 2, 3, 4, 5, 6, 7]), "month", &plain()).expect("written");
    let written = library.update("a", &rows(&[5, 60, 61], &[-1, -2, -3]), &plain()).expect("updated");
    assert_eq!(written.rows, 6);
    for library in [&library, &place.library()] {
        assert_eq!(read(library), [-1, 3, 4, -2, -3, 7], "January and March are new, February and April as they were");
    }
    library.update("a", &rows(&[5, 60, 61], &[-1, -2, -3]), &plain()).expect("once more");
    assert_eq!(read(&library), [-1, 3, 4, -2, -3, 7]);
    library.update("a", &rows(&[400], &[9]), &plain()).expect("a chunk that was not there");
    assert_eq!(read(&library), [-1, 3, 4, -2, -3, 7, 9]);
    library.update_range("a", DateRange::new(day(31)..day(40)).expect("a range"), &rows(&[32, 33], &[8, 8]), &plain()).expect("updated");
    assert_eq!(read(&library), [-1, 8, 8, 4, -2, -3, 7, 9], "exactly the range");
    assert!(library.update_range("a", DateRange::at(day(1)), &rows(&[32], &[8]), &plain()).is_err(), "rows outside of the range");
    assert_eq!(library.update("a", &rows(&[], &[]), &plain()).expect("nothing to do").rows, 8);
    assert!(matches!(library.update("b", &rows(&[1], &[1]), &plain()), Err(StoreError::SymbolNotFound { .. })));
}

#[test]
fn appended_rows_go_where_they_belong() {
    let place = Place::new();
    let library = place.library();
    library.write("a", &rows(&[10, 20], &[1, 2]), "month", &plain()).expect("written");
    library.append("a", &rows(&[20, 30], &[3, 4]), &plain()).expect("at the end, at the same instant");
    assert_eq!(read(&library), [1, 2, 3, 4]);
    library.append("a", &rows(&[5, 10, 15, 20, 30], &[5, 6, 7, 8, 9]), &plain()).expect("between");
    assert_eq!(read(&library), [5, 1, 6, 7, 2, 3, 8, 4, 9], "behind what has the same instant");
    library.append("a", &rows(&[-400], &[0]), &plain()).expect("before everything");
    assert_eq!(read(&place.library()), [0, 5, 1, 6, 7, 2, 3, 8, 4, 9]);
    let wider = Table::at([day(15)]).column("value", [1i64]).column("side", [true]).finish().expect("rows");
    library.append("a", &wider, &plain()).expect("a column more");
    let sides = library.read("a", DateRange::closed(day(15), day(16)).expect("a range"), Some(&["side"])).expect("read");
    let sides = arrow_array::cast::AsArray::as_boolean(sides.whole().expect("one batch").column(1)).iter().collect::<Vec<_>>();
    assert_eq!(sides, [Some(true), None]);
    let other = Table::at([day(16)]).column("value", [1.5]).finish().expect("rows");
    assert!(matches!(library.append("a", &other, &plain()), Err(StoreError::Schema { .. })));
    assert!(matches!(library.append("b", &rows(&[1], &[1]), &plain()), Err(StoreError::SymbolNotFound { .. })));
    assert!(matches!(library.append("b", &rows(&[], &[]), &plain()), Err(StoreError::SymbolNotFound { .. })));
}

#[test]
fn chunks_come_forward_and_backward_of_one_version() {
    let place = Place::new();
    let library = place.library();
    library.write("a", &rows(&[0, 10, 31, 40, 59, 400], &[1, 2, 3, 4, 5, 6]), "month", &plain()).expect("written");
    let forward = library.chunks("a", DateRange::ALL, None).expect("begun");
    let mut both = library.chunks("a", DateRange::ALL, None).expect("begun");
    assert_eq!(forward.len(), 4);
    // What is written meanwhile is not seen.
    library.write("a", &rows(&[0], &[100]), "year", &plain()).expect("written");
    let read = |chunk: Option<Result<_, StoreError>>| {
        let (info, table): (stillpoint_store::ChunkInfo, Table) = chunk.expect("a chunk").expect("read");
        assert_eq!((info.rows, Some((info.first, info.last))), (table.rows(), table.span()));
        (info.key, values(&table))
    };
    let expected = [("1970-01", vec![1, 2]), ("1970-02", vec![3, 4]), ("1970-03", vec![5]), ("1971-02", vec![6])]
        .map(|(key, rows)| (key.to_owned(), rows));
    assert_eq!(forward.map(|chunk| read(Some(chunk))).collect::<Vec<_>>(), expected);
    let (last, first, third, second) = (read(both.next_back()), read(both.next()), read(both.next_back()), read(both.next()));
    assert_eq!([first, second, third, last], expected);
    assert!(both.next().is_none() && both.next_back().is_none());
    assert_eq!(values(&library.read("a", DateRange::ALL, None).expect("read")), [100]);
}

#[test]
fn the_chunks_of_a_range_are_whole_and_rows_are_exact() {
    let place = Place::new();
    let library = place.library();
    library.write("a", &rows(&[0, 10, 31, 40, 59, 400], &[1, 2, 3, 4, 5, 6]), "month", &plain()).expect("written");
    let range = DateRange::new(day(10)..day(32)).expect("a range");
    let chunks = library.chunk_ranges("a", range).expect("listed");
    assert_eq!(chunks.iter().map(|chunk| (chunk.key.as_str(), chunk.rows)).collect::<Vec<_>>(), [("1970-01", 2), ("1970-02", 2)]);
    assert_eq!(chunks[1].span, Span { first: at("1970-02-01T00:00:00Z"), last: at("1970-02-28T23:59:59.999999999Z") });
    assert_eq!((chunks[0].first, chunks[0].last), (at("1970-01-01T12:00:00Z"), at("1970-01-11T12:00:00Z")));
    assert_eq!(values(&library.read("a", range, None).expect("read")), [2, 3]);
    let february = library.chunks("a", DateRange::at(day(33)), Some(&["value"])).expect("begun").next().expect("one").expect("read");
    assert_eq!(values(&february.1), [3, 4], "a part of the range is in it, though no row is");
    assert!(library.chunk_ranges("a", DateRange::new(day(401)..).expect("a range")).expect("listed").is_empty());
    assert!(library.chunk_ranges("a", DateRange::NOTHING).expect("listed").is_empty());
    let scanned =
        library.scan("a", &ReadOptions::default().range(range)).expect("begun").map(|batch| batch.expect("read").num_rows()).sum::<usize>();
    assert_eq!(scanned, 2);
    assert_eq!(library.delete_range("a", range).expect("deleted"), 4);
    assert_eq!(read(&library), [1, 4, 5, 6]);
    assert_eq!(library.delete_range("a", DateRange::ALL).expect("deleted"), 0);
    assert!(library.chunk_ranges("a", DateRange::ALL).expect("listed").is_empty());
    library.append("a", &rows(&[3], &[7]), &plain()).expect("the symbol is still there");
    assert_eq!(read(&library), [7]);
}

#[test]
fn metadata_survives_appends_updates_renames_and_compaction() {
    let place = Place::new();
    let library = place.library();
    library.write("a", &rows(&[0, 40], &[1, 2]), "month", &plain().metadata(json!({"venue": "x"}))).expect("written");
    library.append("a", &rows(&[41], &[3]), &plain()).expect("appended");
    library.append("a", &rows(&[39], &[4]), &plain()).expect("appended between");
    library.update("a", &rows(&[1], &[5]), &plain()).expect("updated");
    library.delete_range("a", DateRange::at(day(500))).expect("nothing there to delete");
    library.compact("a").expect("compacted");
    library.rename("a", "b").expect("renamed");
    for library in [&library, &place.library()] {
        let info = library.info("b").expect("it is there");
        assert_eq!((info.chunker.as_str(), &info.version.metadata, info.version.rows), ("month", &Some(json!({"venue": "x"})), 4));
        assert!(!library.has_symbol("a").expect("looked"));
        assert_eq!(library.list_symbols(None).expect("listed"), ["b"]);
        assert!(library.list_symbols(Some("^a")).expect("listed").is_empty());
    }
    library.append("b", &rows(&[50], &[6]), &plain().metadata(json!(1))).expect("with other metadata");
    assert_eq!(library.read_metadata("b").expect("read"), Some(json!(1)));
    library.append("b", &rows(&[49], &[6]), &plain().metadata(json!(2))).expect("with other metadata, between");
    assert_eq!(library.read_metadata("b").expect("read"), Some(json!(2)));
    library.update("b", &rows(&[49], &[6]), &plain().metadata(json!(3))).expect("with other metadata");
    assert_eq!(library.read_metadata("b").expect("read"), Some(json!(3)));
    library.write_metadata("b", None).expect("written");
    let info = place.library().info("b").expect("it is there");
    assert_eq!((info.chunker.as_str(), info.version.metadata), ("month", None));
    library.write("c", &rows(&[1], &[1]), "day", &plain()).expect("written");
    assert!(matches!(library.rename("b", "c"), Err(StoreError::SymbolExists(_))));
    assert!(matches!(library.rename("nothing", "d"), Err(StoreError::SymbolNotFound { .. })));
    library.delete("c").expect("deleted");
    library.rename("b", "c").expect("the name is free");
    assert!(matches!(library.read_metadata("b"), Err(StoreError::SymbolNotFound { .. })));
    assert_eq!(values(&library.read("c", DateRange::ALL, None).expect("read")), [5, 6]);
}

/// Weeks of seven days from the epoch on.
struct Week;

impl Chunker for Week {
    fn span(&self, at: Instant) -> Span {
        let week = 7 * 24 * 3_600_000_000_000;
        let first = at.as_nanos().div_euclid(week) * week;
        Span { first: Instant::from_nanos(first), last: Instant::from_nanos(first + week - 1) }
    }

    fn key(&self, at: Instant) -> String {
        format!("{:06}", 100_000 + at.as_nanos().div_euclid(7 * 24 * 3_600_000_000_000))
    }
}

#[test]
fn own_chunkers_are_registered_before_a_library_is_opened() {
    let place = Place::new();
    let store = place.store();
    store.create("lib", Kind::Chunk).expect("made");
    let error = store.chunks("lib").expect("opened").write("a", &rows(&[1], &[1]), "week", &plain()).expect_err("nobody knows it");
    assert_eq!(error.to_string(), "there is no chunker `week`; register it before the library is opened, or use one of: day, month, year");
    store.register_chunker("week", Week).expect("registered");
    assert!(store.register_chunker("week", Week).is_err() && store.register_chunker("day", Week).is_err(), "names are taken once");
    let library = store.chunks("lib").expect("opened");
    library.write("a", &rows(&[0, 6, 7, 13, 14], &[1, 2, 3, 4, 5]), "week", &plain()).expect("written");
    library.update("a", &rows(&[8], &[0]), &plain()).expect("updated");
    assert_eq!(read(&library), [1, 2, 0, 5]);
    // Who does not know the chunker can read rows, and cannot cut them.
    let other = place.library();
    assert_eq!(read(&other), [1, 2, 0, 5]);
    assert!(matches!(other.update("a", &rows(&[8], &[0]), &plain()), Err(StoreError::Chunk(_))));
    assert!(matches!(other.chunk_ranges("a", DateRange::ALL), Err(StoreError::Chunk(_))));
    let timeless = Table::plain().column("value", [1i64]).finish().expect("rows");
    assert!(matches!(library.write("a", &timeless, "week", &plain()), Err(StoreError::Schema { .. })));
    assert!(matches!(library.append("a", &timeless, &plain()), Err(StoreError::Schema { .. })));
}

#[test]
fn no_update_is_lost_between_threads_and_handles() {
    let place = Place::new();
    let libraries: Vec<ChunkLibrary> = (0..2).map(|_| place.library()).collect();
    libraries[0].write("a", &rows(&[0], &[-1]), "day", &plain()).expect("written");
    let pool = Pool::new(4);
    let tickets: Vec<_> = (0..4)
        .map(|who| {
            let library = libraries[who as usize % 2].clone();
            // Each has days of its own; half of them are put between those of others, the rest replaces what it put there.
            pool.submit(move || {
                (1..10).try_for_each(|round| {
                    library.append("a", &rows(&[round * 4 + who], &[0]), &plain())?;
                    library.update("a", &rows(&[round * 4 + who], &[round]), &plain()).map(|_| ())
                })
            })
        })
        .collect();
    tickets.iter().for_each(|ticket| ticket.wait().expect("no panic").expect("changed"));
    let expected: Vec<i64> = std::iter::once(-1).chain((1..10).flat_map(|round| [round; 4])).collect();
    assert_eq!([read(&libraries[0]), read(&place.library())], [expected.clone(), expected]);
    let stale = plain().expecting(Some(1));
    assert!(matches!(libraries[0].append("a", &rows(&[3], &[0]), &stale), Err(StoreError::ConcurrentModification { .. })));
    assert!(matches!(libraries[0].update("a", &rows(&[3], &[0]), &stale), Err(StoreError::ConcurrentModification { .. })));
}

#[derive(Clone, Debug)]
enum Step {
    Write(Vec<i64>),
    Append(Vec<i64>),
    Update(Vec<i64>),
    Delete(i64, i64),
    Compact,
}

fn step() -> impl Strategy<Value = Step> {
    let days = prop::collection::vec(0..120i64, 1..6).prop_map(|mut days| {
        days.sort_unstable();
        days
    });
    prop_oneof![
        1 => days.clone().prop_map(Step::Write),
        4 => days.clone().prop_map(Step::Append),
        4 => days.prop_map(Step::Update),
        2 => (0..120i64, 0..40i64).prop_map(|(from, days)| Step::Delete(from, from + days)),
        1 => Just(Step::Compact),
    ]
}

/// The month of a day of early 1970, counted from 0.
fn month(day: i64) -> usize {
    [31, 59, 90, 120].iter().position(|end| day < *end).expect("the first 120 days")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    /// A list of rows for each day, changed in the simplest way.
    #[test]
    fn any_steps_come_to_what_a_naive_model_comes_to(steps in prop::collection::vec(step(), 1..12)) {
        let place = Place::new();
        let library = place.library();
        library.write("a", &rows(&[], &[]), "month", &plain()).expect("written");
        let mut model: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        let mut next = 0;
        for step in steps {
            let mut fresh = |days: &[i64]| {
                let values: Vec<i64> = days.iter().map(|_| { next += 1; next }).collect();
                (rows(days, &values), days.iter().copied().zip(values).collect::<Vec<_>>())
            };
            let added = match step {
                Step::Write(days) => {
                    let (table, added) = fresh(&days);
                    library.write("a", &table, "month", &plain()).expect("written");
                    model.clear();
                    added
                }
                Step::Append(days) => {
                    let (table, added) = fresh(&days);
                    library.append("a", &table, &plain()).expect("appended");
                    added
                }
                Step::Update(days) => {
                    let (table, added) = fresh(&days);
                    library.update("a", &table, &plain()).expect("updated");
                    model.retain(|day, _| days.iter().all(|other| month(*other) != month(*day)));
                    added
                }
                Step::Delete(from, to) => {
                    library.delete_range("a", DateRange::new(day(from)..day(to)).expect("a range")).expect("deleted");
                    model.retain(|day, _| !(from..to).contains(day));
                    Vec::new()
                }
                Step::Compact => {
                    library.compact("a").expect("compacted");
                    Vec::new()
                }
            };
            for (day, value) in added {
                model.entry(day).or_default().push(value);
            }
            let expected: Vec<i64> = model.values().flatten().copied().collect();
            prop_assert_eq!(read(&library), expected);
        }
        prop_assert_eq!(read(&place.library()), read(&library));
        let mut counts = BTreeMap::new();
        for (day, values) in &model {
            *counts.entry(month(*day)).or_insert(0) += values.len() as u64;
        }
        let chunks = library.chunk_ranges("a", DateRange::ALL).expect("listed");
        prop_assert_eq!(chunks.iter().map(|chunk| chunk.rows).collect::<Vec<_>>(), counts.into_values().collect::<Vec<_>>());
    }
}
