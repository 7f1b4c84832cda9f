//! Queries over what a library holds: the answer is that over all rows, and what it does not need is not read.

#[path = "place/odd.rs"]
mod odd;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow_array::types::Int64Type;
use odd::Odd;
use stillpoint_engine::Instant;
use stillpoint_store::query::{How, Query, Resample, col};
use stillpoint_store::{AsOf, Cache, DateRange, Kind, Store, StoreError, StoreOptions, Table, VersionLibrary, WriteOptions};

const ROWS: i64 = 300_000;

fn at(row: i64) -> Instant {
    Instant::from_nanos(row * 1_000)
}

/// Row n has the value n, a price that is NaN in every thousandth row, and a note; the last ten rows lie in a commit, with a column more.
fn library(place: &Arc<Odd>) -> VersionLibrary {
    let options = StoreOptions { background: None, cache: Cache::new(0), ..StoreOptions::default() };
    let library = Store::open(place.clone(), options).and_then(|store| store.create_versions("lib")).expect("made");
    let table = |rows: std::ops::Range<i64>| {
        let prices: Vec<f64> = rows.clone().map(|row| if row % 1_000 == 999 { f64::NAN } else { row as f64 / 8.0 }).collect();
        let notes: Vec<String> = rows.clone().map(|row| format!("note number {row} of many")).collect();
        Table::at(rows.clone().map(at)).column("value", rows.collect::<Vec<_>>()).column("price", prices).column("note", notes)
    };
    library.write("a", &table(0..ROWS).finish().expect("rows"), &WriteOptions::default()).expect("written");
    let more = table(ROWS..ROWS + 10).column("flag", (0..10).collect::<Vec<i64>>()).finish().expect("rows");
    library.append("a", &more, &WriteOptions::default()).expect("appended");
    library
}

fn values(table: &Table) -> Vec<i64> {
    table.values::<Int64Type>("value").expect("integers")
}

#[test]
fn what_a_query_does_not_need_is_not_read() {
    let place = Arc::new(Odd::new(|_, created| created));
    let library = library(&place);
    let ask = |query: Query| {
        let before = place.read.load(Ordering::SeqCst);
        let answer = library.query("a", &AsOf::Latest, &query).expect("an answer");
        (answer, place.read.load(Ordering::SeqCst) - before)
    };
    let (all, of_all) = ask(Query::new());
    assert_eq!(values(&all), (0..ROWS + 10).collect::<Vec<_>>());

    let (late, of_late) = ask(Query::new().filter(col("value").ge(ROWS - 5)).columns(["value"]));
    assert_eq!(values(&late), (ROWS - 5..ROWS + 10).collect::<Vec<_>>());
    let (range, of_range) = ask(Query::new().date_range(DateRange::new(at(70_000)..at(70_003)).expect("a range")));
    assert_eq!(values(&range), [70_000, 70_001, 70_002]);
    let (head, of_head) = ask(Query::new().head(2));
    assert_eq!(values(&head), [0, 1]);
    for (what, read) in [("a filter", of_late), ("a range", of_range), ("a head", of_head)] {
        assert!(read * 2 < of_all, "{what} read {read} of {of_all} bytes");
    }
    // Bounds of row groups say nothing of NaN, which is greater than every number.
    let (nan, _) = ask(Query::new().filter(col("price").gt(1e9)).columns(["value"]));
    assert_eq!(values(&nan), (0..ROWS + 10).filter(|row| row % 1_000 == 999).collect::<Vec<_>>());
    let (flagged, _) = ask(Query::new().filter(col("flag").ge(8)).columns(["value"]));
    assert_eq!(values(&flagged), [ROWS + 8, ROWS + 9]);
}

#[test]
fn groups_bars_and_versions_can_be_asked_for() {
    let library = library(&Arc::new(Odd::new(|_, created| created)));
    let none: [&str; 0] = [];
    let sums = Query::new().filter(col("value").lt(10)).group(none, [(How::Sum, "value"), (How::Count, "value")]);
    let answer = library.query("a", &AsOf::Version(1), &sums).expect("an answer");
    assert_eq!((answer.values::<Int64Type>("value_sum").expect("integers"), answer.rows()), (vec![45], 1));
    // A bar of a hundred thousand rows has 100,000 microseconds.
    let bars = Resample::every(stillpoint_engine::Duration::millis(100)).aggregate(How::Last, "value");
    let of_version = |as_of| library.query("a", &as_of, &Query::new().resample(bars.clone())).expect("an answer");
    let last = |table: &Table| table.values::<Int64Type>("value_last").expect("integers");
    assert_eq!(last(&of_version(AsOf::Version(1))), [99_999, 199_999, 299_999]);
    assert_eq!(last(&of_version(AsOf::Latest)), [99_999, 199_999, 299_999, 300_009]);
    let error = library.query("a", &AsOf::Latest, &Query::new().filter(col("valu").lt(1))).expect_err("no such column");
    assert!(matches!(error, StoreError::Query(_)) && error.to_string().contains("did you mean `value`?"), "{error}");
    assert!(matches!(library.query("b", &AsOf::Latest, &Query::new()), Err(StoreError::SymbolNotFound { .. })));
}

#[test]
fn ticks_are_asked_like_versions() {
    let store = Store::memory().expect("made");
    store.create("ticks", Kind::Tick).expect("made");
    let ticks = store.ticks("ticks").expect("opened");
    ticks.append("a", &Table::at([at(1), at(2), at(3)]).column("value", [1i64, 2, 3]).finish().expect("rows")).expect("appended");
    assert_eq!(values(&ticks.query("a", &Query::new().filter(col("value").gt(1)).tail(1)).expect("an answer")), [3]);
}
