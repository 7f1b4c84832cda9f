//! The tick library, and partitions of it by period, as their specification has them.

mod place;

use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array as _, ArrayRef, RecordBatch};
use place::Place;
use proptest::prelude::*;
use stillpoint_engine::{Duration, Instant};
use stillpoint_store::date::{Period, Zone};
use stillpoint_store::{AsOf, DateRange, Kind, ReadOptions, SYMBOL, StoreError, Symbols, Table, TickLibrary};

fn ns(nanos: i64) -> Instant {
    Instant::from_nanos(nanos)
}

fn at(text: &str) -> Instant {
    text.parse().expect("an instant")
}

fn rows(nanos: impl IntoIterator<Item = i64>) -> Table {
    let nanos: Vec<i64> = nanos.into_iter().collect();
    Table::at(nanos.iter().copied().map(ns)).column("value", nanos).finish().expect("rows in order")
}

fn values(table: &Table) -> Vec<i64> {
    table.values::<Int64Type>("value").expect("a column of integers")
}

impl Place {
    fn library(&self) -> TickLibrary {
        let store = self.store();
        if !store.exists("lib").expect("a registry that can be read") {
            store.create("lib", Kind::Tick).expect("made");
        }
        store.ticks("lib").expect("a library")
    }
}

fn read(library: &TickLibrary, symbol: &str) -> Table {
    library.read(&[symbol], DateRange::ALL, None).expect("read")
}

/// So many rows go into a commit, and so many into a file of their own.
const SIZES: [usize; 2] = [6, 30_000];

#[test]
fn every_type_comes_back_as_it_went_in() {
    for size in SIZES {
        let place = Place::new();
        let library = place.library();
        let cycle = |values: &[i64]| values.iter().copied().cycle().take(size).collect::<Vec<_>>();
        let texts: Vec<Option<String>> =
            ["", "é€😀", "line\nbreak\0", "b"].iter().map(|text| Some((*text).to_owned())).chain([None]).cycle().take(size).collect();
        let table = Table::at((0..size as i64).map(ns))
            .column("i64", cycle(&[i64::MIN, -1, 0, 1, i64::MAX]))
            .column("i32", [i32::MIN, -1, i32::MAX].into_iter().cycle().take(size).collect::<Vec<_>>())
            .column("u8", [0, 1, u8::MAX].into_iter().cycle().take(size).collect::<Vec<_>>())
            .column("u16", [0, 1, u16::MAX].into_iter().cycle().take(size).collect::<Vec<_>>())
            .column("u32", [0, 1, u32::MAX].into_iter().cycle().take(size).collect::<Vec<_>>())
            .column("u64", [0, 1, u64::MAX, 1 << 63].into_iter().cycle().take(size).collect::<Vec<_>>())
            .column("bool", [Some(true), Some(false), None].into_iter().cycle().take(size).collect::<Vec<_>>())
            .column("text", texts.clone())
            .finish()
            .expect("rows");
        library.append("a", &table).expect("appended");
        for library in [&library, &place.library()] {
            let back = read(library, "a");
            assert_eq!(back, table);
            assert_eq!(back.texts("text").expect("texts"), texts);
            assert_eq!(back.values::<arrow_array::types::UInt64Type>("u64").expect("numbers")[..4], [0, 1, u64::MAX, 1 << 63]);
        }
        let types: Vec<String> = library.stats("a").expect("there").columns.into_iter().map(|(name, of)| format!("{name}:{of}")).collect();
        let expected = "time:Timestamp(ns, \"UTC\") i64:Int64 i32:Int32 u8:UInt8 u16:UInt16 u32:UInt32 u64:UInt64 bool:Boolean text:Utf8";
        assert_eq!(types.join(" "), expected);
    }
}

#[test]
fn floats_keep_every_bit() {
    let odd = [f64::NAN, -f64::NAN, f64::from_bits(0x7ff8_0000_dead_beef), f64::from_bits(0x7ff0_0000_0000_0001), -0.0, 0.0];
    let more = [f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE, f64::from_bits(1), 0.1, f64::MAX];
    for size in SIZES {
        let place = Place::new();
        let floats: Vec<f64> = odd.into_iter().chain(more).cycle().take(size.max(12)).collect();
        let table = Table::at((0..floats.len() as i64).map(ns)).column("price", floats.clone()).finish().expect("rows");
        place.library().append("a", &table).expect("appended");
        let bits = |floats: &[f64]| floats.iter().map(|float| float.to_bits()).collect::<Vec<_>>();
        let back = read(&place.library(), "a").values::<Float64Type>("price").expect("floats");
        assert!(bits(&back) == bits(&floats), "of {size}");
        // What lies in files is also found by range, whatever their statistics say of NaN.
        let range = DateRange::closed(ns(4), ns(5)).expect("a range");
        let zeros = place.library().read(&["a"], range, None).expect("read").values::<Float64Type>("price").expect("floats");
        assert_eq!(bits(&zeros), [0x8000_0000_0000_0000, 0]);
    }
}

#[test]
fn instants_are_nanoseconds_to_the_ends_of_time() {
    let place = Place::new();
    let library = place.library();
    let ends = [i64::MIN, -1, 0, 1, 1_700_000_000_123_456_789, i64::MAX];
    library.append("a", &rows(ends)).expect("appended");
    let back = read(&place.library(), "a");
    assert_eq!(back.times().expect("an index"), ends.map(ns));
    assert_eq!((library.min_date("a").expect("there"), library.max_date("a").expect("there")), (Some(Instant::MIN), Some(Instant::MAX)));
    let one = |range: DateRange| values(&library.read(&["a"], range, None).expect("read"));
    assert_eq!(one(DateRange::at(ns(1_700_000_000_123_456_789))), [1_700_000_000_123_456_789]);
    assert_eq!(one(DateRange::new(ns(-1)..ns(1)).expect("a range")), [-1, 0]);
    assert_eq!(one(DateRange::new(ns(1)..).expect("a range")), [1, 1_700_000_000_123_456_789, i64::MAX]);
    assert_eq!(one(DateRange::NOTHING), [0i64; 0]);
}

#[test]
fn rows_that_go_back_or_overlap_are_refused() {
    let place = Place::new();
    let library = place.library();
    library.append("a", &rows([10, 20])).expect("appended");
    let error = library.append("a", &rows([19, 30])).expect_err("before the last row");
    assert!(matches!(error, StoreError::OverlappingData { last, first, .. } if (last, first) == (ns(20), ns(19))), "{error}");
    let unordered = Table::at([ns(30), ns(29)]).column("value", [1i64, 2]).finish().expect_err("it goes back");
    assert!(matches!(unordered, StoreError::UnorderedData { row: 1, at, before, .. } if (at, before) == (ns(29), ns(30))), "{unordered}");
    // Batches that are in order each, and not together.
    let batches: Vec<RecordBatch> = [5, 6].map(|at| rows([at]).whole().expect("one batch")).to_vec();
    assert!(Table::new(batches[0].schema(), batches.clone()).is_ok());
    assert!(matches!(Table::new(batches[0].schema(), batches.into_iter().rev().collect()), Err(StoreError::UnorderedData { row: 1, .. })));
    library.append("a", &rows([20, 20, 21])).expect("at the instant of the last row");
    assert_eq!(values(&read(&library, "a")), [10, 20, 20, 20, 21]);
    assert_eq!(library.stats("a").expect("there").rows, 5);
}

#[test]
fn columns_that_do_not_fit_are_refused_and_new_ones_are_null_before() {
    let place = Place::new();
    let library = place.library();
    let timeless = Table::plain().column("value", [1i64]).finish().expect("rows");
    let error = library.append("a", &timeless).expect_err("no index");
    assert_eq!(error.to_string(), "columns for `a`: ticks need a time index `time`");
    assert!(!library.has_symbol("a").expect("looked"));
    library.append("a", &rows([1])).expect("appended");
    for wrong in
        [Table::at([ns(2)]).column("value", [1.5]), Table::at([ns(2)]).column("value", ["x"]), Table::at([ns(2)]).column("value", [1u64])]
    {
        let error = library.append("a", &wrong.finish().expect("rows")).expect_err("another type");
        assert!(matches!(error, StoreError::Schema { .. }), "{error}");
    }
    library.append("a", &Table::at([ns(2)]).column("side", ["buy"]).finish().expect("rows")).expect("a column more, and one less");
    let back = read(&place.library(), "a");
    assert_eq!(back.texts("side").expect("texts"), [None, Some("buy".to_owned())]);
    assert_eq!(back.whole().expect("one batch").column(1).null_count(), 1);
    let error = library.read(&["a"], DateRange::ALL, Some(&["price"])).expect_err("no such column");
    assert!(matches!(error, StoreError::Schema { .. }), "{error}");
    assert!(matches!(library.read(&["nothing"], DateRange::ALL, None), Err(StoreError::SymbolNotFound { .. })));
}

#[test]
fn several_symbols_merge_stably_with_a_symbol_column() {
    let place = Place::new();
    let library = place.library();
    library.append("b", &rows([1, 3, 3, 5])).expect("appended");
    library
        .append(
            "a",
            &Table::at([2, 3, 5].map(ns)).column("value", [20i64, 30, 50]).column("side", [true, true, false]).finish().expect("rows"),
        )
        .expect("appended");
    library.append("c", &rows([])).expect("nothing in it");
    let symbols = |table: &Table| table.texts(SYMBOL).expect("texts").into_iter().map(|text| text.expect("no null")).collect::<String>();
    let merged = library.read(&["b", "a", "c"], DateRange::ALL, None).expect("read");
    assert_eq!((values(&merged), symbols(&merged).as_str()), (vec![1, 20, 3, 3, 30, 5, 50], "babbaba"));
    assert_eq!(merged.times().expect("an index"), [1, 2, 3, 3, 3, 5, 5].map(ns));
    let side: Vec<Option<bool>> = arrow_array::cast::AsArray::as_boolean(merged.whole().expect("one batch").column(2)).iter().collect();
    assert_eq!(side, [None, Some(true), None, None, Some(true), None, Some(false)]);
    let merged = library.read(&["a", "b"], DateRange::closed(ns(3), ns(5)).expect("a range"), Some(&["value"])).expect("read");
    assert_eq!((values(&merged), symbols(&merged).as_str()), (vec![30, 3, 3, 50, 5], "abbab"));
    assert!(read(&library, "a").texts(SYMBOL).is_err(), "one symbol needs no such column");
    assert!(matches!(library.read(&[], DateRange::ALL, None), Err(StoreError::Invalid { .. })));
    assert!(matches!(library.read(&["a", "nothing"], DateRange::ALL, None), Err(StoreError::SymbolNotFound { .. })));
    let own = Table::at([ns(1)]).column(SYMBOL, ["x"]).finish().expect("rows");
    library.append("own", &own).expect("appended");
    assert!(matches!(library.read(&["own", "c"], DateRange::ALL, None), Err(StoreError::Schema { .. })));
}

#[test]
fn everything_is_read_unless_a_range_is_given() {
    let place = Place::new();
    let library = place.library();
    let day = 86_400_000_000_000;
    library.append("a", &rows((0..1_000).map(|n| n * day))).expect("appended");
    assert_eq!(read(&library, "a").rows(), 1_000, "a thousand days");
}

#[test]
fn exactly_the_rows_of_a_range_are_deleted() {
    for many in [100, 40_000] {
        let place = Place::new();
        let library = place.library();
        library.append("a", &rows(0..many)).expect("appended");
        let delete = |range: DateRange| library.delete_range("a", range).expect("deleted");
        assert_eq!(delete(DateRange::new(ns(10)..ns(20)).expect("a range")), many as u64 - 10);
        assert_eq!(delete(DateRange::closed(ns(20), ns(21)).expect("a range")), many as u64 - 12);
        assert_eq!(
            delete(DateRange::new((std::ops::Bound::Excluded(ns(30)), std::ops::Bound::Excluded(ns(40)))).expect("a range")),
            many as u64 - 21
        );
        assert_eq!(delete(DateRange::at(ns(-5))), many as u64 - 21, "nothing there");
        let left: Vec<i64> = (0..10).chain(22..=30).chain(40..many).collect();
        for library in [&library, &place.library()] {
            assert_eq!(values(&read(library, "a")), left);
        }
        assert_eq!(delete(DateRange::new(..ns(50)).expect("a range")), many as u64 - 50);
        assert_eq!((library.min_date("a").expect("there"), library.max_date("a").expect("there")), (Some(ns(50)), Some(ns(many - 1))));
        assert_eq!(delete(DateRange::ALL), 0);
        assert_eq!((library.min_date("a").expect("there"), library.max_date("a").expect("there")), (None, None));
        library.append("a", &rows([3])).expect("it is empty, so any instant may follow");
        assert_eq!(values(&read(&place.library(), "a")), [3]);
    }
}

/// Ticks have one version at a time; what a snapshot of their rows shows stays all the same.
#[test]
fn a_snapshot_of_ticks_stays_when_more_come() {
    let place = Place::new();
    let library = place.library();
    library.append("a", &rows([1, 2])).expect("appended");
    let versions = place.store().rows("lib").expect("opened");
    versions.snapshot("two", &Default::default(), None).expect("made");
    let two = ReadOptions::as_of(AsOf::Snapshot("two".to_owned()));
    let of_two = || values(&place.store().rows("lib").and_then(|library| library.read("a", &two)).expect("read").table);
    for last in 3..=5 {
        library.append("a", &rows([last])).expect("appended");
        assert_eq!((values(&read(&library, "a")), of_two()), ((1..=last).collect(), vec![1, 2]));
    }
    assert_eq!(versions.list_versions("a").expect("listed").len(), 1);
    library.delete("a").expect("deleted");
    assert_eq!(of_two(), [1, 2]);
    versions.delete_snapshot("two").expect("deleted");
    assert!(matches!(versions.read("a", &two), Err(StoreError::SnapshotNotFound { .. })));
    assert_eq!(versions.stored_bytes().expect("known"), 0, "nothing shows any row");
}

#[test]
fn empty_tables_make_a_symbol_and_add_nothing_to_it() {
    let place = Place::new();
    let library = place.library();
    assert_eq!(library.append("a", &rows([])).expect("made").rows, 0);
    assert!(library.has_symbol("a").expect("looked"));
    assert_eq!((read(&library, "a").rows(), read(&library, "a").schema().fields().len()), (0, 2));
    library.append("a", &rows([1])).expect("appended");
    let before = library.stats("a").expect("there");
    assert_eq!(library.append("a", &rows([])).expect("nothing to do").rows, 1);
    assert_eq!(library.stats("a").expect("there"), before);
    let scanned: usize = library.scan("a", &ReadOptions::default()).expect("begun").map(|batch| batch.expect("read").num_rows()).sum();
    assert_eq!(scanned, 1);
    assert_eq!(library.list_symbols(&Symbols::default()).expect("listed"), ["a"]);
    library.delete("a").expect("deleted");
    assert!(!place.library().has_symbol("a").expect("looked"));
    assert!(matches!(library.delete("a"), Err(StoreError::SymbolNotFound { .. })));
}

#[test]
fn a_text_of_ten_megabytes_comes_back() {
    let place = Place::new();
    let library = place.library();
    // Not the same letter over and over, which would compress to nothing.
    let mut state = 1u32;
    let huge: String = (0..10 << 20)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b'a' + (state >> 24) as u8 % 26)
        })
        .collect();
    let texts = vec!["small".to_owned(), huge, String::new()];
    library.append("a", &Table::at([1, 2, 3].map(ns)).column("text", texts.clone()).finish().expect("rows")).expect("appended");
    let back = read(&place.library(), "a").texts("text").expect("texts");
    assert!(back.into_iter().map(|text| text.expect("no null")).eq(texts));
}

#[test]
fn appends_deletions_and_compaction_come_to_one_run_of_rows() {
    let place = Place::new();
    let library = place.library();
    for n in 0..20 {
        library.append("a", &rows([n])).expect("appended");
    }
    library.delete_range("a", DateRange::at(ns(3))).expect("deleted");
    library.compact("a").expect("compacted");
    library.append("a", &rows([20])).expect("appended");
    assert_eq!(library.stats("a").expect("there").rows, 20);
    assert_eq!(values(&read(&place.library(), "a")), (0..=20).filter(|n| *n != 3).collect::<Vec<_>>());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    /// Pieces of any sizes, read by any range, are what a filter of all of them gives.
    #[test]
    fn any_appends_and_any_range(pieces in prop::collection::vec(prop::collection::vec(0..4i64, 0..30), 1..8), from in 0..200i64, len in 0..200i64) {
        let place = Place::new();
        let library = place.library();
        let (mut now, mut all) = (0, Vec::new());
        for steps in pieces {
            let piece: Vec<i64> = steps.into_iter().map(|step| { now += step; now }).collect();
            library.append("a", &rows(piece.clone())).expect("appended");
            all.extend(piece);
        }
        let range = DateRange::new(ns(from)..ns(from + len)).expect("a range");
        let expected: Vec<i64> = all.iter().copied().filter(|at| (from..from + len).contains(at)).collect();
        prop_assert_eq!(values(&place.library().read(&["a"], range, None).expect("read")), expected);
        prop_assert_eq!(values(&read(&library, "a")), all);
    }
}

#[test]
fn partitions_are_made_as_rows_come_and_read_as_one() {
    let place = Place::new();
    let store = place.store();
    let trades = store.tick_partitions("trades").expect("a base");
    let table = |times: &[&str]| {
        let times: Vec<Instant> = times.iter().map(|text| at(text)).collect();
        Table::at(times.clone()).column("value", times.iter().map(|at| at.as_nanos()).collect::<Vec<_>>()).finish().expect("rows")
    };
    let all = ["2021-06-01T00:00:00Z", "2021-12-31T23:59:59.999999999Z", "2022-01-01T00:00:00Z", "2024-02-29T12:00:00Z"];
    let written = trades.append("a", &table(&all)).expect("appended");
    assert_eq!(written.iter().map(|written| written.rows).collect::<Vec<_>>(), [2, 1, 1]);
    assert_eq!(trades.libraries().expect("listed"), ["trades_2021", "trades_2022", "trades_2024"], "none for a year without rows");
    trades.append("b", &table(&["2022-01-01T00:00:00Z", "2023-01-01T00:00:00Z"])).expect("appended");
    store.create("trades_old", Kind::Tick).expect("made");
    store.create("trades_2020", Kind::Version).expect("made");
    assert_eq!(store.ticks("trades_2022").expect("opened").list_symbols(&Symbols::default()).expect("listed"), ["a", "b"]);
    for trades in [&trades, &place.store().tick_partitions("trades").expect("a base")] {
        assert_eq!(trades.libraries().expect("listed"), ["trades_2021", "trades_2022", "trades_2023", "trades_2024"]);
        assert_eq!(trades.read(&["a"], DateRange::ALL, None).expect("read"), table(&all));
        let range: DateRange = "20211231-20220101".parse().expect("a range");
        assert_eq!(trades.read(&["a"], range, None).expect("read").times().expect("an index"), [at(all[1]), at(all[2])]);
        let both = trades.read(&["b", "a"], range, Some(&["value"])).expect("read");
        let symbols: Vec<String> = both.texts(SYMBOL).expect("texts").into_iter().flatten().collect();
        assert_eq!((both.times().expect("an index"), symbols.concat().as_str()), (vec![at(all[1]), at(all[2]), at(all[2])], "aba"));
        assert_eq!((trades.min_date("a").expect("there"), trades.max_date("a").expect("there")), (Some(at(all[0])), Some(at(all[3]))));
        assert_eq!(trades.list_symbols(&Symbols::default()).expect("listed"), ["a", "b"]);
        let scanned: usize = trades.scan("a", DateRange::ALL).expect("begun").map(|batch| batch.expect("read").num_rows()).sum();
        assert_eq!(scanned, 4);
    }
    assert!(matches!(trades.append("a", &table(&["2020-05-05T00:00:00Z"])), Err(StoreError::WrongKind { .. })));
    assert_eq!(trades.delete_range("a", DateRange::new(at(all[1])..at(all[3])).expect("a range")).expect("deleted"), 2);
    assert_eq!(trades.read(&["a"], DateRange::ALL, None).expect("read").times().expect("an index"), [at(all[0]), at(all[3])]);
    trades.delete("a").expect("deleted");
    assert!(!trades.has_symbol("a").expect("looked") && trades.has_symbol("b").expect("looked"));
    let error = trades.read(&["a"], DateRange::ALL, None).expect_err("gone");
    assert_eq!(error.to_string(), "library `trades_*` has no symbol `a`: did you mean `b`?");
    store.delete("trades_2022").expect("a library as any");
    assert_eq!(trades.read(&["b"], DateRange::ALL, None).expect("read").rows(), 1);
}

#[test]
fn an_append_that_does_not_fit_some_partition_changes_none() {
    let place = Place::new();
    let store = place.store();
    let trades = store.tick_partitions_by("t", Period::Month, Zone::UTC).expect("a base");
    let table =
        |times: &[&str]| Table::at(times.iter().map(|text| at(text))).column("value", vec![1i64; times.len()]).finish().expect("rows");
    trades.append("a", &table(&["2024-02-15T00:00:00Z"])).expect("appended");
    let error = trades.append("a", &table(&["2024-01-01T00:00:00Z", "2024-02-14T00:00:00Z"])).expect_err("it overlaps February");
    assert!(matches!(error, StoreError::OverlappingData { .. }), "{error}");
    assert_eq!(trades.libraries().expect("listed"), ["t_2024-02"]);
    let other = Table::at([at("2024-01-01T00:00:00Z")]).column("value", [1.5]).finish().expect("rows");
    assert!(matches!(trades.append("a", &other), Err(StoreError::Schema { .. })), "February has integers");
    trades.append("a", &table(&["2024-01-01T00:00:00Z"])).expect("an earlier month is filled");
    assert_eq!(trades.read(&["a"], DateRange::ALL, None).expect("read").rows(), 2);
    let wider = Table::at([at("2024-03-01T00:00:00Z")]).column("side", [true]).column("value", [3i64]).finish().expect("rows");
    trades.append("a", &wider).expect("a column more");
    let sides = trades.read(&["a"], DateRange::ALL, Some(&["side"])).expect("null where there is none");
    let column: ArrayRef = sides.whole().expect("one batch").column(1).clone();
    assert_eq!((column.null_count(), sides.schema().fields().len()), (2, 2));
    assert!(matches!(trades.read(&["a"], DateRange::ALL, Some(&["sied"])), Err(StoreError::Schema { .. })));
    assert!(trades.append("a", &table(&[])).expect("nothing to do").is_empty());
    let timeless = Table::plain().column("value", [1i64]).finish().expect("rows");
    assert!(matches!(trades.append("a", &timeless), Err(StoreError::Schema { .. })));
    assert!(store.tick_partitions("").is_err());
}

#[test]
fn partitions_follow_the_days_of_a_zone() {
    let place = Place::new();
    let zone = Zone::named("America/New_York").expect("a zone");
    let store = place.store();
    let days = store.tick_partitions_by("d", Period::Day, zone).expect("a base").quota(0);
    // On 10 March 2024 the clocks of New York went forward: that day has 23 hours.
    let hours = (0..72).map(|hour| at("2024-03-09T05:00:00Z") + Duration::hours(hour));
    let table = Table::at(hours).column("value", (0..72i64).collect::<Vec<_>>()).finish().expect("rows");
    let written: Vec<u64> = days.append("a", &table).expect("appended").iter().map(|written| written.rows).collect();
    assert_eq!(written, [24, 23, 24, 1]);
    assert_eq!(days.libraries().expect("listed"), ["d_2024-03-09", "d_2024-03-10", "d_2024-03-11", "d_2024-03-12"]);
    assert_eq!(days.library_for(at("2024-03-10T04:59:59Z")), "d_2024-03-09");
    assert_eq!(store.info("d_2024-03-10").expect("there").quota, 0);
    assert_eq!(values(&days.read(&["a"], DateRange::ALL, None).expect("read")), (0..72).collect::<Vec<_>>());
}
