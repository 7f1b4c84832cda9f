//! The commands of `stillpoint store`, when all is well.

use serde_json::{Value as Json, json};

use crate::place::{Place, Ran};

const PRICES: &str = "ts,price,size,note\n1577836800000,1.5,10,a\n1577836800001,-0.0,20,\n1577836800002,NaN,,\"x,y\"\n";
const AS_CSV: &str =
    "time,price,size,note\n2020-01-01T00:00:00Z,1.5,10,a\n2020-01-01T00:00:00.001Z,-0.0,20,\n2020-01-01T00:00:00.002Z,NaN,,\"x,y\"\n";

/// A command that goes well, and what it printed.
pub(crate) fn well(place: &Place, args: &[&str]) -> String {
    let ran: Ran = place.run(&[&["store"], args].concat());
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{args:?}: {}", ran.out);
    ran.out
}

pub(crate) fn object(place: &Place, args: &[&str]) -> Json {
    serde_json::from_str(&well(place, &[args, &["--json"]].concat())).expect("one JSON object")
}

/// A store with one version of three rows.
pub(crate) fn place() -> Place {
    let place = Place::new(&[("p.csv", PRICES.as_bytes()), ("later.csv", b"time,price\n2020-01-01T00:00:01Z,2.5\n")]);
    let said = well(&place, &["import", "p.csv", "fx/EURUSD", "--time", "ts", "--unit", "ms", "--metadata", "{\"from\":\"a file\"}"]);
    assert_eq!(said, "imported p.csv: fx/EURUSD has 3 rows in version 1\n");
    place
}

#[test]
fn rows_are_shown_as_a_table_as_csv_and_as_json() {
    let place = place();
    let table = "fx/EURUSD, version 1: all of 3 rows\n  time                      price  size  note\n  \
                 2020-01-01T00:00:00Z        1.5    10  a\n  2020-01-01T00:00:00.001Z   -0.0    20  null\n  \
                 2020-01-01T00:00:00.002Z    NaN  null  x,y\n";
    assert_eq!(well(&place, &["read", "fx/EURUSD"]), table);
    assert_eq!(well(&place, &["read", "fx/EURUSD", "--csv"]), AS_CSV);
    let rows = object(&place, &["read", "fx/EURUSD"]);
    let wanted = json!([
        { "time": "2020-01-01T00:00:00Z", "price": 1.5, "size": 10, "note": "a" },
        { "time": "2020-01-01T00:00:00.001Z", "price": -0.0, "size": 20, "note": null },
        { "time": "2020-01-01T00:00:00.002Z", "price": "NaN", "size": null, "note": "x,y" },
    ]);
    assert_eq!((&rows["rows"], rows["version"].as_u64()), (&wanted, Some(1)));
    let lines = |args: &[&str]| well(&place, &[&["read", "fx/EURUSD", "--csv", "--columns", "price"], args].concat()).replace('\n', " ");
    assert_eq!(lines(&["--head", "1"]), "time,price 2020-01-01T00:00:00Z,1.5 ");
    assert_eq!(lines(&["--tail", "1"]), "time,price 2020-01-01T00:00:00.002Z,NaN ");
    assert_eq!(
        lines(&["--tail", "1", "--range", "[2020-01-01T00:00:00Z-2020-01-01T00:00:00.002Z)"]),
        "time,price 2020-01-01T00:00:00.001Z,-0.0 "
    );
    assert_eq!(lines(&["--range", "2020-01-01T00:00:00.002Z-"]), "time,price 2020-01-01T00:00:00.002Z,NaN ");
    assert_eq!(lines(&["--range", "20210101"]).trim(), lines(&["--head", "0"]).trim());
}

#[test]
fn every_format_goes_out_and_comes_back() {
    let place = place();
    for file in ["a.parquet", "a.csv", "a.arrow", "a.arrows"] {
        assert!(well(&place, &["export", "fx/EURUSD", file]).starts_with(&format!("{file}: 3 rows of fx/EURUSD, version 1, ")));
        let symbol = format!("again/{file}");
        well(&place, &["import", file, &symbol]);
        assert_eq!(well(&place, &["read", &symbol, "--csv"]), AS_CSV, "{file}");
    }
    assert_eq!(std::fs::read_to_string(place.path("a.csv")).expect("the file"), AS_CSV);
    well(&place, &["export", "fx/EURUSD", "b", "--format", "ipc", "--columns", "size", "--range", "2020-01-01T00:00:00.001Z-"]);
    well(&place, &["import", "b", "again/b"]);
    assert_eq!(well(&place, &["read", "again/b", "--csv"]), "time,size\n2020-01-01T00:00:00.001Z,20\n2020-01-01T00:00:00.002Z,\n");
}

#[test]
fn versions_are_kept_listed_and_pruned() {
    let place = place();
    well(&place, &["import", "later.csv", "fx/EURUSD", "--append"]);
    well(&place, &["import", "later.csv", "fx/EURUSD"]);
    let listed = object(&place, &["versions", "fx/EURUSD"]);
    let figures: Vec<_> = listed["versions"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|version| (version["version"].as_u64(), version["rows"].as_u64()))
        .collect();
    assert_eq!(figures, [(Some(3), Some(1)), (Some(2), Some(4)), (Some(1), Some(3))]);
    assert_eq!(
        (&listed["versions"][2]["metadata"], &listed["versions"][2]["first"]),
        (&json!({ "from": "a file" }), &json!("2020-01-01T00:00:00Z"))
    );
    assert!(well(&place, &["versions", "fx/EURUSD"]).starts_with("fx/EURUSD: 3 versions\n  version  made "));
    assert_eq!(well(&place, &["read", "fx/EURUSD@1", "--csv"]), AS_CSV);
    assert_eq!(well(&place, &["snapshot", "fx", "before", "EURUSD@1"]), "snapshot before of fx shows 1 symbol\n");
    assert_eq!(well(&place, &["read", "fx/EURUSD@before", "--csv"]), AS_CSV);
    assert_eq!(object(&place, &["snapshot", "fx"])["snapshots"][0]["versions"], json!({ "EURUSD": 1 }));
    assert_eq!(
        well(&place, &["prune", "fx/EURUSD", "--keep", "1h"]),
        "0 versions deleted, 0 files removed that nothing has shown for 3600s\n"
    );
    let pruned = object(&place, &["prune", "fx", "--keep", "0s", "--grace", "0s"]);
    assert_eq!((&pruned["versions"], &pruned["segments"]), (&json!(2), &json!(1)));
    assert_eq!(well(&place, &["read", "fx/EURUSD@before", "--csv"]), AS_CSV);
    assert_eq!(well(&place, &["snapshot", "fx", "before", "--delete"]), "snapshot before of fx is deleted\n");
    assert_eq!(well(&place, &["snapshot", "fx"]), "fx: 0 snapshots\n");
    assert_eq!(place.run(&["store", "read", "fx/EURUSD@1"]).code, Some(2));
    assert_eq!(well(&place, &["fsck"]).lines().last().map(|line| line.ends_with("all is well")), Some(true));
}

#[test]
fn libraries_and_symbols_are_listed_and_counted() {
    let place = place();
    assert_eq!(
        well(&place, &["import", "later.csv", "ticks/EURUSD", "--kind", "tick"]),
        "imported later.csv: ticks/EURUSD has 1 rows in version 1\n"
    );
    let libraries = object(&place, &["ls"]);
    let names: Vec<_> =
        libraries["libraries"].as_array().expect("a list").iter().map(|library| (&library["library"], &library["kind"])).collect();
    assert_eq!(names, [(&json!("fx"), &json!("version")), (&json!("ticks"), &json!("tick"))]);
    assert!(well(&place, &["ls"]).starts_with("store: 2 libraries\n  library  kind "));
    let symbols = well(&place, &["ls", "fx"]);
    let cells: Vec<&str> = symbols.lines().last().expect("a line").split_whitespace().collect();
    assert_eq!(cells, ["EURUSD", "1", "3", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00.002Z"]);
    let stats = object(&place, &["stats", "fx/EURUSD"]);
    let symbol = &stats["symbols"][0];
    let file = object(&place, &["path", "fx/EURUSD"])["files"][0].as_str().expect("a path").to_owned();
    let size = place.path(&file).metadata().expect("the Parquet file").len();
    assert_eq!((symbol["rows"].as_u64(), symbol["bytes"].as_u64(), symbol["pieces"].as_u64()), (Some(3), Some(size), Some(1)));
    assert_eq!(symbol["bytes_a_row"].as_f64(), Some(size as f64 / 3.0));
    assert!(stats["cache"]["room"].as_u64().is_some_and(|room| room > 0));
    assert!(well(&place, &["stats"]).contains("  all "));
}

#[test]
fn copies_go_to_other_symbols_libraries_and_stores() {
    let place = place();
    well(&place, &["import", "later.csv", "fx/EURUSD"]);
    assert_eq!(well(&place, &["copy", "fx/EURUSD@1", "fx/B"]), "copied fx/EURUSD: fx/B has 3 rows in version 1\n");
    well(&place, &["copy", "fx/B", "other/C"]);
    well(&place, &["copy", "other/C", "there/D", "--to-store", "elsewhere"]);
    assert_eq!(well(&place, &["read", "there/D", "--csv", "--store", "elsewhere"]), AS_CSV);
    assert_eq!(object(&place, &["versions", "there/D", "--store", "elsewhere"])["versions"][0]["metadata"], json!({ "from": "a file" }));
}

#[test]
fn compaction_makes_one_piece_of_many() {
    let place = place();
    for second in 1..4 {
        std::fs::write(place.path("more.csv"), format!("time,price\n2020-01-01T00:00:0{second}Z,{second}.5\n")).expect("a file");
        well(&place, &["import", "more.csv", "fx/EURUSD", "--append"]);
    }
    let before = well(&place, &["read", "fx/EURUSD", "--csv"]);
    assert_eq!(object(&place, &["path", "fx/EURUSD"])["files"].as_array().map(Vec::len), Some(4));
    assert_eq!(well(&place, &["compact", "fx/EURUSD"]), "1 symbol: 4 pieces became 1 segment\n");
    assert_eq!(object(&place, &["path", "fx/EURUSD"])["files"].as_array().map(Vec::len), Some(1));
    assert_eq!(well(&place, &["read", "fx/EURUSD", "--csv"]), before);
    assert_eq!(object(&place, &["compact"]), json!({ "symbols": 1, "pieces": 0, "segments": 0 }));
}

#[test]
fn fsck_names_the_file_of_a_flipped_bit() {
    let place = place();
    well(&place, &["import", "later.csv", "fx/B"]);
    let file = object(&place, &["path", "fx/EURUSD"])["files"][0].as_str().expect("a path").to_owned();
    let mut bytes = std::fs::read(place.path(&file)).expect("the file");
    bytes[20] ^= 1;
    std::fs::write(place.path(&file), bytes).expect("the file");
    let ran = place.run(&["store", "fsck"]);
    let name = file.rsplit('/').next().expect("a name");
    assert!(ran.code == Some(1) && ran.out.contains(name) && ran.out.ends_with("1 finding\n"), "{}{}", ran.out, ran.err);
    let ran = place.run(&["store", "read", "fx/EURUSD"]);
    assert!(ran.code == Some(1) && ran.err.contains(name) && ran.err.contains("is damaged"), "{}", ran.err);
    let ran = place.run(&["store", "fsck", "--repair"]);
    assert!(
        ran.code == Some(1) && ran.out.contains(name) && ran.err.contains("put these files back from a copy"),
        "{}{}",
        ran.out,
        ran.err
    );
    well(&place, &["read", "fx/B"]);
}

#[test]
fn a_symbol_and_a_library_are_deleted_when_that_is_meant() {
    let place = place();
    well(&place, &["import", "p.csv", "fx/GBPUSD", "--time", "ts", "--unit", "ms"]);
    well(&place, &["snapshot", "fx", "paper"]);
    assert_eq!(well(&place, &["delete", "fx/GBPUSD"]), "fx/GBPUSD is deleted\n");
    assert_eq!(object(&place, &["ls", "fx"])["symbols"].as_array().map(Vec::len), Some(1));
    assert!(well(&place, &["read", "fx/GBPUSD@paper"]).contains("all of 3 rows"), "the snapshot goes on showing it");
    for (args, says) in [
        (&["delete", "fx"][..], "write fx/SYMBOL, or add --whole-library"),
        (&["delete", "fx/EURUSD", "--whole-library"], "write fx to delete the whole library"),
        (&["delete", "fx/GBPUSD"], "library `fx` has no symbol `GBPUSD`"),
        (&["read", "fx/EURUSD@papr"], "library `fx` has no snapshot `papr`: did you mean `paper`?"),
        (&["read", "fx/EURUSD@2026-11-21"], "write the whole instant, such as 2026-11-21T00:00:00Z"),
    ] {
        let ran = place.run(&[&["store"], args].concat());
        assert!(ran.code == Some(2) && ran.err.contains(says), "{args:?}: {}", ran.err);
    }
    assert_eq!(well(&place, &["delete", "fx", "--whole-library"]), "fx is deleted\n");
    assert_eq!(well(&place, &["ls"]), "store: 0 libraries\n");
    assert!(well(&place, &["fsck"]).ends_with("all is well\n"));
}
