//! Reading what came in many small appends, past the cache: the rows of many commits are handed on together.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{Array, Float64Array, cast::AsArray, types::Float64Type};
use stillpoint_engine::Instant;
use stillpoint_store::{
    Bucket, Cache, DateRange, Kind, Objects, ReadOptions, Store, StoreOptions, SystemClock, Table, VersionLibrary, WriteOptions,
};

type Row = (i64, i64, Option<f64>);

fn library(objects: Arc<dyn Objects>) -> VersionLibrary {
    let options = StoreOptions { clock: Arc::new(SystemClock), cache: Cache::new(0), background: None, writer: None };
    let store = Store::open(objects, options).expect("a store");
    store.create_with_quota("lib", Kind::Version, 0).expect("a new library");
    store.versions("lib").expect("it is there")
}

fn table(rows: &[Row]) -> Table {
    let prices: Vec<Option<f64>> = rows.iter().map(|row| row.2).collect();
    let values: Vec<i64> = rows.iter().map(|row| row.1).collect();
    Table::at(rows.iter().map(|row| Instant::from_nanos(row.0))).column("value", values).column("price", prices).finish().expect("rows")
}

fn rows(table: &Table) -> Vec<Row> {
    let mut rows = Vec::new();
    for batch in table.batches() {
        let column = |name| batch.column_by_name(name).expect("a column");
        let times = column("time").as_primitive::<arrow_array::types::TimestampNanosecondType>();
        let (values, prices) =
            (column("value").as_primitive::<arrow_array::types::Int64Type>(), column("price").as_primitive::<Float64Type>());
        let price = |row| prices.is_valid(row).then(|| prices.value(row));
        rows.extend((0..batch.num_rows()).map(|row| (times.value(row), values.value(row), price(row))));
    }
    rows
}

/// Pieces of one to four rows, in runs of one length; what `has_null` says of a piece is that a price of it is missing.
fn pieces(count: i64, has_null: impl Fn(i64) -> bool) -> Vec<Vec<Row>> {
    let mut at = 0;
    let piece = |number: i64| {
        let rows = 1 + number / 5 % 4;
        let piece = (0..rows).map(|row| {
            at += 10;
            (at, at * 3, (row > 0 || !has_null(number)).then_some(at as f64 / 4.0))
        });
        piece.collect()
    };
    (0..count).map(piece).collect()
}

fn append(library: &VersionLibrary, symbol: &str, pieces: &[Vec<Row>]) {
    pieces.iter().for_each(|piece| _ = library.upsert(symbol, &table(piece), &WriteOptions::default()).expect("appended"));
}

fn everything() -> ReadOptions {
    ReadOptions::default().bypass_cache()
}

#[test]
fn rows_of_small_appends_come_in_their_order_each_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let places: [Arc<dyn Objects>; 2] = [Arc::new(Bucket::folder(folder.path(), false).expect("a folder")), Arc::new(Bucket::memory())];
    for objects in places {
        let library = library(objects);
        // More commits than a folder of commits has.
        let plain = pieces(1_050, |_| false);
        append(&library, "plain", &plain);
        let mixed = pieces(120, |number| number % 7 == 3 || number > 100);
        append(&library, "mixed", &mixed);
        for (symbol, pieces) in [("plain", &plain), ("mixed", &mixed)] {
            let all: Vec<Row> = pieces.concat();
            let read = |options: ReadOptions| rows(&library.read(symbol, &options).expect("read").table);
            assert_eq!(read(everything()), all);
            for (from, to) in [(0, 1), (1, 2), (3, 250), (37, 38), (249, 251)] {
                assert_eq!(read(everything().rows(from, to)), all[from as usize..to as usize], "rows {from} to {to}");
                let (first, end) = (all[from as usize].0, all[to as usize].0);
                let range = DateRange::new(Instant::from_nanos(first)..Instant::from_nanos(end)).expect("a range");
                assert_eq!(read(everything().range(range)), all[from as usize..to as usize], "instants {first} to {end}");
            }
            let prices = library.read(symbol, &everything().columns(["price"])).expect("read").table.whole().expect("one batch");
            assert_eq!(prices.num_columns(), 2, "the time index and what was asked for");
            let wanted: Float64Array = all.iter().map(|row| row.2).collect();
            assert_eq!(prices.column(1).as_primitive::<Float64Type>(), &wanted);
        }
        assert_eq!(library.read("plain", &everything()).expect("read").table.batches().len(), 1, "all rows are together");
    }
}

/// Texts have no width: such pieces are decoded each alone.
#[test]
fn pieces_with_texts_come_as_they_are() {
    let library = library(Arc::new(Bucket::memory()));
    let piece = |number: i64| {
        let texts = vec![format!("order {number}"), "x".repeat(number as usize)];
        let times = [2 * number, 2 * number + 1].map(Instant::from_nanos);
        Table::at(times).column("text", texts).column("value", [number, -number]).finish().expect("rows")
    };
    (0..40).for_each(|number| _ = library.upsert("a", &piece(number), &WriteOptions::default()).expect("appended"));
    let table = library.read("a", &everything()).expect("read").table;
    let wanted: Vec<Option<String>> = (0..40).flat_map(|number| [Some(format!("order {number}")), Some("x".repeat(number))]).collect();
    assert_eq!(table.texts("text").expect("texts"), wanted);
    let values = library.read("a", &everything().columns(["value"])).expect("read").table;
    let wanted: Vec<i64> = (0..40).flat_map(|number| [number, -number]).collect();
    assert_eq!(values.values::<arrow_array::types::Int64Type>("value").expect("integers"), wanted);
}

#[test]
fn batches_have_no_more_rows_than_a_row_group() {
    let library = library(Arc::new(Bucket::memory()));
    let all: Vec<Row> = (0..70_000).map(|row| (row, -row, Some(row as f64))).collect();
    all.chunks(1_000).for_each(|piece| append(&library, "a", &[piece.to_vec()]));
    let table = library.read("a", &everything()).expect("read").table;
    assert_eq!(table.batches().iter().map(|batch| batch.num_rows()).collect::<Vec<_>>(), [65_000, 5_000]);
    assert_eq!(rows(&table), all);
}

/// The file of the commit that is the last but one.
fn victim(folder: &Path) -> std::path::PathBuf {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() { folders.push(entry) } else { files.push(entry) }
        }
    }
    files.retain(|file| {
        file.parent().is_some_and(|folder| folder.ends_with("commit/00000000"))
            && std::fs::metadata(file).is_ok_and(|data| data.len() > 600)
    });
    files.sort();
    files.remove(files.len() - 2)
}

#[test]
fn a_piece_that_is_damaged_cut_or_gone_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let library = library(Arc::new(Bucket::folder(folder.path(), false).expect("a folder")));
    append(&library, "a", &pieces(30, |_| false));
    let file = victim(folder.path());
    let whole = std::fs::read(&file).expect("a file");
    let fails = |what: &str| {
        let error = library.read("a", &everything()).expect_err(what).to_string();
        assert!(error.contains(file.file_name().and_then(|name| name.to_str()).expect("a name")), "{error}");
        error
    };
    let mut flipped = whole.clone();
    let middle = flipped.len() - 100;
    flipped[middle] ^= 1;
    std::fs::write(&file, &flipped).expect("written");
    assert!(fails("a bit is flipped").contains("do not fit their checksum"));
    std::fs::write(&file, &whole[..middle]).expect("written");
    assert!(fails("it is cut").contains("bytes were written"));
    std::fs::remove_file(&file).expect("removed");
    assert!(fails("it is gone").contains("it is missing"));
    std::fs::write(&file, &whole).expect("written");
    assert!(library.read("a", &everything()).is_ok(), "nothing of it is kept");
}
