//! Files of other programs: what goes out comes back, and what cannot be read is named.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, TimestampMicrosecondArray};
use proptest::prelude::*;
use stillpoint_engine::Instant;
use stillpoint_store::date::Unit;
use stillpoint_store::files::{FileError, FileFormat, FileOptions, FileReader, FileWriter};
use stillpoint_store::{ReadOptions, Store, StoreError, Table, WriteOptions};

fn write(path: &Path, format: Option<FileFormat>, table: &Table) -> Result<u64, FileError> {
    let mut writer = FileWriter::create(path, format, table.schema())?;
    table.batches().iter().try_for_each(|batch| writer.write(batch))?;
    writer.finish()
}

fn read(path: &Path, options: &FileOptions) -> Result<Table, StoreError> {
    let reader = FileReader::open(path, options)?;
    let schema = reader.schema().clone();
    Table::new(schema, reader.collect::<Result<_, _>>()?)
}

fn at(nanos: i64) -> Instant {
    Instant::from_nanos(nanos)
}

/// Values that formats like to spoil.
fn awkward() -> Table {
    Table::at([at(i64::MIN), at(-1), at(0), at(0), at(i64::MAX)])
        .column("f", vec![Some(f64::NAN), Some(-0.0), None, Some(f64::NEG_INFINITY), Some(5e-324)])
        .column("i", vec![Some(i64::MIN), None, Some(0), Some(i64::MAX), Some(-1)])
        .column("u", [u64::MAX, 0, 1, 2, 3])
        .column("b", vec![Some(true), None, Some(false), Some(true), None])
        .column("s", ["a,b", "\"quoted\"", "two\nlines", "ünïcode", " blank "].map(|text| Some(text.to_owned())).to_vec())
        .finish()
        .expect("a table")
}

#[test]
fn every_format_gives_back_what_it_was_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = awkward();
    for name in ["a.parquet", "a.arrow", "a.feather", "a.arrows"] {
        let path = folder.path().join(name);
        let bytes = write(&path, None, &table).expect("it is written");
        assert_eq!(path.metadata().expect("the file").len(), bytes);
        let back = read(&path, &FileOptions::default()).expect("it is read");
        assert_eq!(back, table, "{name}");
        let bits = |table: &Table| {
            table.values::<arrow_array::types::Float64Type>("f").expect("floats").iter().map(|f| f.to_bits()).collect::<Vec<_>>()
        };
        assert_eq!(bits(&back)[1], (-0.0_f64).to_bits(), "{name}");
    }
}

#[test]
fn csv_gives_back_what_it_was_given_when_it_is_told_the_types() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.csv");
    let table = awkward();
    write(&path, None, &table).expect("it is written");
    let text = std::fs::read_to_string(&path).expect("text");
    assert!(
        text.starts_with("time,f,i,u,b,s\n1677-09-21T00:12:43.145224192Z,NaN,-9223372036854775808,18446744073709551615,true,\"a,b\"\n"),
        "{text}"
    );
    let types = BTreeMap::from([("u".to_owned(), "u64".parse().expect("a type"))]);
    let back = read(&path, &FileOptions { types, ..FileOptions::default() }).expect("it is read");
    assert_eq!(back.times().expect("times"), table.times().expect("times"));
    for column in ["f", "i", "u", "b", "s"] {
        let of = |table: &Table| table.whole().expect("one batch").column_by_name(column).expect("the column").to_data();
        assert_eq!(of(&back), of(&table), "{column}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Any float and any text but the empty one, which CSV takes for none.
    #[test]
    fn csv_keeps_the_bits_of_floats(rows in proptest::collection::vec((any::<u64>(), "[^\r]{1,9}"), 1..50)) {
        let floats: Vec<f64> = rows.iter().map(|(bits, _)| f64::from_bits(*bits)).collect();
        let texts: Vec<String> = rows.iter().map(|(_, text)| text.clone()).collect();
        let table = Table::at((0..rows.len() as i64).map(at)).column("f", floats.clone()).column("s", texts.clone()).finish().expect("a table");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.csv");
        write(&path, None, &table).expect("it is written");
        let types = BTreeMap::from([("f".to_owned(), "f64".parse().expect("a type")), ("s".to_owned(), "text".parse().expect("a type"))]);
        let back = read(&path, &FileOptions { types, ..FileOptions::default() }).expect("it is read");
        let found = back.values::<arrow_array::types::Float64Type>("f").expect("floats");
        for (found, wanted) in found.iter().zip(&floats) {
            prop_assert!(found.to_bits() == wanted.to_bits() || found.is_nan() && wanted.is_nan(), "{} {}", found, wanted);
        }
        prop_assert_eq!(back.texts("s").expect("texts"), texts.into_iter().map(Some).collect::<Vec<_>>());
    }
}

#[test]
fn times_come_in_many_shapes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.csv");
    let first = |text: &str, options: FileOptions| {
        std::fs::write(&path, format!("ts,x\n{text},1\n")).expect("a file");
        let options = FileOptions { time: Some("ts".to_owned()), ..options };
        read(&path, &options).map(|table| table.times().expect("times")[0].to_string()).map_err(|error| error.to_string())
    };
    let unit = |unit| FileOptions { unit: Some(unit), ..FileOptions::default() };
    let plain = FileOptions::default;
    assert_eq!(first("1577836800", unit(Unit::Seconds)).expect("seconds"), "2020-01-01T00:00:00Z");
    assert_eq!(first("-1", unit(Unit::Micros)).expect("microseconds"), "1969-12-31T23:59:59.999999Z");
    assert_eq!(first("2020-01-01T01:00:00.5+01:00", plain()).expect("an offset"), "2020-01-01T00:00:00.500Z");
    assert_eq!(first("2020-01-01 00:00:00", plain()).expect("a local time"), "2020-01-01T00:00:00Z");
    assert_eq!(first("2020-01-01", plain()).expect("a day"), "2020-01-01T00:00:00Z");
    let new_york = || FileOptions { zone: "America/New_York".parse().expect("a zone"), ..FileOptions::default() };
    assert_eq!(first("2024-07-01 09:30:00", new_york()).expect("a local time"), "2024-07-01T13:30:00Z");
    assert_eq!(first("2024-07-01T09:30:00Z", new_york()).expect("an instant"), "2024-07-01T09:30:00Z");
    let ambiguous = first("2024-11-03 01:30:00", new_york()).unwrap_err();
    assert!(ambiguous.contains("a.csv: row 1: ") && ambiguous.contains("01:30"), "{ambiguous}");
    let without = first("1577836800", plain()).unwrap_err();
    assert!(without.ends_with("the times in `ts` are whole numbers: give the option `unit`, one of s, ms, us, ns"), "{without}");
    let far = first("9223372036854775807", unit(Unit::Seconds)).unwrap_err();
    assert!(far.contains("row 1") && far.contains("is the unit right?"), "{far}");
    assert!(first("yesterday", plain()).unwrap_err().contains("row 1"));
    assert!(first("", plain()).unwrap_err().contains("it has no time"));
}

/// pandas writes local times without a zone.
#[test]
fn times_without_a_zone_are_taken_for_utc() {
    let local: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![1_577_836_800_000_000]));
    let batch = RecordBatch::try_from_iter([("time", local), ("x", Arc::new(Float64Array::from(vec![1.0])) as ArrayRef)]).expect("a batch");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.parquet");
    let mut writer = FileWriter::create(&path, None, &batch.schema()).expect("a file");
    writer.write(&batch).expect("it is written");
    writer.finish().expect("it is whole");
    let table = read(&path, &FileOptions::default()).expect("it is read");
    assert_eq!(table.times().expect("times")[0].to_string(), "2020-01-01T00:00:00Z");
    assert_eq!(Table::from_batch(batch).expect("a table").times().expect("times")[0].to_string(), "2020-01-01T00:00:00Z");
}

#[test]
fn a_folder_of_parquet_files_is_read_in_order_of_time() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("deep")).expect("a folder");
    std::fs::write(folder.path().join("_SUCCESS"), "").expect("a file");
    let rows = |from: i64| Table::at([at(from), at(from + 1)]).column("x", [from, from + 1]).finish().expect("a table");
    for (name, from) in [("data_10.parquet", 20), ("data_2.parquet", 0), ("deep/a.parquet", 10)] {
        write(&folder.path().join(name), None, &rows(from)).expect("it is written");
    }
    let table = read(folder.path(), &FileOptions::default()).expect("it is read");
    assert_eq!(table.values::<arrow_array::types::Int64Type>("x").expect("numbers"), [0, 1, 10, 11, 20, 21]);
    let other = Table::at([at(50)]).column("x", [1.5]).finish().expect("a table");
    write(&folder.path().join("data_3.parquet"), None, &other).expect("it is written");
    let error = read(folder.path(), &FileOptions::default()).unwrap_err().to_string();
    assert!(error.contains("data_3.parquet: its columns are") && error.contains("Float64") && error.contains("Int64"), "{error}");
    let empty = tempfile::tempdir().expect("a folder");
    assert!(read(empty.path(), &FileOptions::default()).unwrap_err().to_string().contains("no file in this folder ends in .parquet"));
    std::fs::create_dir(empty.path().join("year=2024")).expect("a folder");
    assert!(read(empty.path(), &FileOptions::default()).unwrap_err().to_string().contains("holds values of a column in its name"));
}

/// Programs write texts in layouts of their own, and one folder may be of several programs.
#[test]
fn texts_of_any_layout_are_texts() {
    let folder = tempfile::tempdir().expect("a folder");
    let time: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![1]));
    let large: ArrayRef = Arc::new(arrow_array::LargeStringArray::from(vec!["a"]));
    let view: ArrayRef = Arc::new(arrow_array::StringViewArray::from(vec!["b"]));
    for (name, texts) in [("0.parquet", large), ("1.parquet", view)] {
        let batch = RecordBatch::try_from_iter([("time", time.clone()), ("s", texts)]).expect("a batch");
        let mut writer = FileWriter::create(&folder.path().join(name), None, &batch.schema()).expect("a file");
        writer.write(&batch).expect("it is written");
        writer.finish().expect("it is whole");
    }
    let table = read(folder.path(), &FileOptions::default()).expect("it is read");
    assert_eq!(table.texts("s").expect("texts"), [Some("a".to_owned()), Some("b".to_owned())]);
}

/// Each batch has a dictionary of its own, which the file format of Arrow does not take.
#[test]
fn categories_can_be_written_in_every_format() {
    let folder = tempfile::tempdir().expect("a folder");
    let batch = |text: &str| {
        let values: arrow_array::DictionaryArray<arrow_array::types::Int8Type> = [text].into_iter().collect();
        let time: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![1]));
        RecordBatch::try_from_iter([("time", time), ("s", Arc::new(values) as ArrayRef)]).expect("a batch")
    };
    for name in ["a.parquet", "a.csv", "a.arrow", "a.arrows"] {
        let path = folder.path().join(name);
        let mut writer = FileWriter::create(&path, None, &batch("a").schema()).expect("a file");
        writer.write(&batch("a")).expect("it is written");
        writer.write(&batch("b")).expect("it is written");
        writer.finish().expect("it is whole");
        let whole = read(&path, &FileOptions::default()).expect("it is read").whole().expect("one batch");
        let rows = stillpoint_store::files::cells(&whole).expect("text");
        let texts: Vec<String> = rows.iter().map(|row| format!("{:?}", row[1])).collect();
        assert_eq!(texts, ["Text(\"a\")", "Text(\"b\")"], "{name}");
    }
}

#[test]
fn a_file_that_is_not_finished_does_not_stay() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = awkward();
    for name in ["a.parquet", "a.csv", "a.arrow"] {
        let path = folder.path().join(name);
        std::fs::write(&path, "older").expect("a file");
        let mut writer = FileWriter::create(&path, None, table.schema()).expect("a file");
        writer.write(&table.batches()[0]).expect("it is written");
        drop(writer);
        assert_eq!(std::fs::read_to_string(&path).expect("the file that was there"), "older");
    }
    assert_eq!(folder.path().read_dir().expect("the folder").count(), 3);
}

fn segments(folder: &Path) -> usize {
    let Ok(entries) = folder.read_dir() else { return 0 };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .map(|path| if path.is_dir() { segments(&path) } else { usize::from(path.extension().is_some_and(|ending| ending == "parquet")) })
        .sum()
}

fn numbers(from: i64, rows: i64) -> Table {
    Table::at((from..from + rows).map(at)).column("x", (from..from + rows).collect::<Vec<_>>()).finish().expect("a table")
}

#[test]
fn pieces_staged_by_several_threads_become_one_version() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::folder(folder.path()).expect("a store");
    let library = store.create_versions("numbers").expect("a library");
    let staged = library.stage("n").expect("a name");
    std::thread::scope(|scope| {
        for piece in 0..8 {
            let staged = &staged;
            scope.spawn(move || staged.stage(piece, &numbers(piece as i64 * 100, 100)).expect("it is staged"));
        }
    });
    assert_eq!((staged.rows(), library.list_symbols(&Default::default()).expect("a list").len()), (800, 0));
    let written = staged.write(&WriteOptions::default()).expect("it is committed");
    assert_eq!((written.version, written.rows), (1, 800));
    let reading = library.read("n", &ReadOptions::default()).expect("rows");
    assert_eq!(reading.table.values::<arrow_array::types::Int64Type>("x").expect("numbers"), (0..800).collect::<Vec<i64>>());
    let more = library.stage("n").expect("a name");
    more.stage(7, &numbers(800, 10)).expect("it is staged");
    let written = more.append(&WriteOptions::default()).expect("it is committed");
    assert_eq!((written.version, written.rows, library.usage("n").expect("usage").pieces), (2, 810, 9));
}

#[test]
fn pieces_that_are_not_committed_leave_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::folder(folder.path()).expect("a store");
    let library = store.create_versions("numbers").expect("a library");
    let staged = library.stage("n").expect("a name");
    staged.stage(0, &numbers(0, 10)).expect("it is staged");
    assert!(staged.stage(0, &numbers(10, 10)).unwrap_err().to_string().contains("place 0 of the staged rows of `n`: it is taken"));
    assert_eq!((staged.rows(), segments(folder.path())), (10, 1));
    drop(staged);
    assert_eq!(segments(folder.path()), 0);
    let staged = library.stage("n").expect("a name");
    staged.stage(1, &numbers(0, 10)).expect("it is staged");
    staged.stage(0, &numbers(5, 10)).expect("it is staged");
    assert!(matches!(staged.write(&WriteOptions::default()), Err(StoreError::UnorderedData { row: 10, .. })));
    assert_eq!((segments(folder.path()), library.list_symbols(&Default::default()).expect("a list").len()), (0, 0));
    store.create("ticks", stillpoint_store::Kind::Tick).expect("a library");
    let ticks = store.ticks("ticks").expect("a library");
    for from in [0, 10] {
        let staged = ticks.stage("n").expect("a name");
        staged.stage(0, &numbers(from, 10)).expect("it is staged");
        staged.write(&WriteOptions::default()).expect("ticks are added");
    }
    assert_eq!(ticks.stats("n").expect("statistics").rows, 20);
    let staged = ticks.stage("n").expect("a name");
    staged.stage(0, &numbers(0, 10)).expect("it is staged");
    assert!(matches!(staged.append(&WriteOptions::default()), Err(StoreError::OverlappingData { .. })));
    assert!(store.fsck(false).expect("a report").findings.is_empty());
}
