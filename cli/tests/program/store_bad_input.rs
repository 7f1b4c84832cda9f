//! What `stillpoint store` says of bad input: where, what, and what to do; the store stays as it was.

use crate::place::Place;
use crate::store::{place, well};

/// Files, arguments, and what is said.
type Case = (&'static [(&'static str, &'static [u8])], &'static [&'static str], &'static [&'static str]);

const CASES: &[Case] = &[
    (&[], &["ls", "fy"], &["there is no library `fy`", "did you mean `fx`?"]),
    (&[], &["read", "fx/EURUS"], &["library `fx` has no symbol `EURUS`", "did you mean `EURUSD`?"]),
    (&[], &["read", "fx/EURUSD@7"], &["`EURUSD` has no version 7; it has version 1"]),
    (&[], &["read", "fx/EURUSD@never"], &["library `fx` has no snapshot `never`: there is none"]),
    (&[], &["read", "fx/EURUSD", "--columns", "prise"], &["there is no column `prise`", "did you mean `price`?"]),
    (&[], &["read", "fx/EURUSD", "--range", "20200103-20200101"], &["--range"]),
    (&[], &["import", "p.csv", "fx/X", "--metadata", "{"], &["--metadata", "it is no JSON"]),
    (&[], &["read", "EURUSD"], &["write LIBRARY/SYMBOL, such as prices/EURUSD"]),
    (&[], &["versions", "fx/EURUSD@1"], &["no version can be chosen here: write fx/EURUSD"]),
    (&[], &["snapshot", "fx", "s", "EURUSD@9"], &["`EURUSD` has no version 9"]),
    (&[], &["snapshot", "fx", "s", "--delete"], &["library `fx` has no snapshot `s`"]),
    (&[], &["prune", "fx/EURUSD", "--keep", "long"], &["--keep", "long"]),
    (&[], &["export", "fx/EURUSD", "a.xlsx"], &["a.xlsx: its format is not known", "csv, parquet, ipc"]),
    (&[], &["export", "fx/EURUSD", "nowhere/a.csv"], &["there is no folder nowhere: make it first"]),
    (&[], &["stats", "fx/EURUS"], &["did you mean `EURUSD`?"]),
    (&[], &["compact", "fx/EURUSD@1"], &["no version can be chosen here"]),
    (&[], &["ls", "--store", "file:///nowhere/at/all"], &["there is no store at `/nowhere/at/all`", "--store"]),
    (&[], &["ls", "--store", "memory:///"], &["there is no store at `memory:///`"]),
    (&[], &["ls", "--store", "ftp://host/folder"], &["the place `ftp://host/folder`", "s3://BUCKET/PREFIX"]),
    (&[], &["ls", "--store", "nowhere"], &["there is no store at `nowhere`", "--store"]),
    (&[], &["import", "nowhere.csv", "fx/X"], &["nowhere.csv cannot be read", "No such file"]),
    (&[], &["copy", "fx/EURUS", "fx/B"], &["did you mean `EURUSD`?"]),
    (&[("a.parquet", b"time,price\n")], &["import", "a.parquet", "fx/X"], &["a.parquet cannot be read as Parquet"]),
    (&[("a.parquet", b"")], &["import", "a.parquet", "fx/X"], &["a.parquet is empty"]),
    (&[("a.csv", b"")], &["import", "a.csv", "fx/X"], &["a.csv is empty: it has not even a header"]),
    (&[("a.csv", b"time,price\n")], &["import", "a.csv", "fx/X"], &["a.csv is empty: it has a header and no rows"]),
    (&[("a.csv", b"time,\xff\n2020-01-01T00:00:00Z,\xfe\xfd\n")], &["import", "a.csv", "fx/X"], &["a.csv cannot be read as CSV"]),
    (&[("a.csv", b"time,x\n2020-01-01T00:00:00Z,1,2\n")], &["import", "a.csv", "fx/X"], &["a.csv cannot be read as CSV", "line"]),
    (&[("a.arrow", b"ARROW1 and no more")], &["import", "a.arrow", "fx/X"], &["a.arrow cannot be read as an Arrow IPC file"]),
    (&[("a.bin", b"0123456789")], &["import", "a.bin", "fx/X"], &["a.bin: its format is not known: give the option `format`"]),
    (
        &[("a.csv", b"t,x\n1,2\n")],
        &["import", "a.csv", "fx/X"],
        &["a.csv: there is no column `time`", "`t` (Int64)", "give the option `time`"],
    ),
    (&[("a.csv", b"t,x\n1,2\n")], &["import", "a.csv", "fx/X", "--time", "x1"], &["there is no column `x1`"]),
    (
        &[("a.csv", b"t,x\n1,2\n")],
        &["import", "a.csv", "fx/X", "--time", "t"],
        &["whole numbers: give the option `unit`, one of s, ms, us, ns"],
    ),
    (&[("a.csv", b"t,x\n1,2\n")], &["import", "a.csv", "fx/X", "--time", "t", "--unit", "h"], &["it is one of s, ms, us, ns"]),
    (&[("a.csv", b"time,x\n2020-01-01T00:00:00Z,1\nsoon,2\n")], &["import", "a.csv", "fx/X"], &["a.csv: row 2:", "soon"]),
    (
        &[("a.csv", b"time,x\n2020-01-01T00:00:02Z,1\n2020-01-01T00:00:01Z,2\n")],
        &["import", "a.csv", "fx/X"],
        &["a.csv: row 2: it is at 2020-01-01T00:00:01Z, before the row above it at 2020-01-01T00:00:02Z: sort the rows by time"],
    ),
    (
        &[("a.csv", b"time,x\n2020-01-01T00:00:02Z,1\n2020-01-01T00:00:03Z,word\n")],
        &["import", "a.csv", "fx/X", "--type", "x=i64"],
        &["a.csv cannot be read as CSV", "'word' as type 'Int64'", "line 2", "give the option `type`"],
    ),
    (
        &[("a.csv", b"time,x\n2020-01-01T00:00:02Z,1\n")],
        &["import", "a.csv", "fx/X", "--type", "y=i64"],
        &["the column `y`", "there are time, x"],
    ),
    (&[("a.csv", b"time,x\n2020-01-01T00:00:02Z,1\n")], &["import", "a.csv", "fx/X", "--type", "x=int"], &["there is no type `int`"]),
    (
        &[("a.csv", b"time,x\n2020-01-01T00:00:02Z,1\n")],
        &["import", "a.csv", "fx/X", "--kind", "tick"],
        &["library `fx` is of kind `version`, not `tick`"],
    ),
    (
        &[("a.csv", b"time,x\n2019-01-01T00:00:02Z,1\n")],
        &["import", "a.csv", "fx/EURUSD", "--append"],
        &["begin at 2019-01-01T00:00:02Z, before its last row"],
    ),
    (
        &[("a.csv", b"time,price\n2021-01-01T00:00:02Z,word\n")],
        &["import", "a.csv", "fx/EURUSD", "--append"],
        &["`price` is of type Utf8, and of type Float64 before"],
    ),
    (&[("a.csv", b"x\n1\n")], &["import", "a.csv", "t/X", "--kind", "tick", "--no-time"], &["ticks need a time index"]),
];

#[test]
fn bad_input_is_named_and_changes_nothing() {
    let place = place();
    let before = (well(&place, &["ls"]), well(&place, &["read", "fx/EURUSD", "--csv"]), well(&place, &["versions", "fx/EURUSD"]));
    for (files, args, says) in CASES {
        for (name, content) in *files {
            std::fs::write(place.path(name), content).expect("a file for a test");
        }
        let ran = place.run(&[&["store"], *args].concat());
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{args:?}: {}", ran.err);
        for text in *says {
            assert!(ran.err.contains(text), "{args:?}: {text}\n{}", ran.err);
        }
        files.iter().for_each(|(name, _)| std::fs::remove_file(place.path(name)).expect("the file"));
    }
    let after = (well(&place, &["ls"]), well(&place, &["read", "fx/EURUSD", "--csv"]), well(&place, &["versions", "fx/EURUSD"]));
    assert_eq!(after, before);
    assert!(well(&place, &["fsck"]).ends_with("all is well\n"));
}

#[test]
fn an_import_that_fails_makes_no_store_with_a_library() {
    let place = Place::new(&[("a.csv", b"time,x\n2020-01-01T00:00:02Z,1\n2020-01-01T00:00:01Z,1\n")]);
    assert_eq!(place.run(&["store", "import", "nowhere.csv", "fx/X"]).code, Some(2));
    assert!(!place.path("store").exists());
    assert_eq!(place.run(&["store", "import", "a.csv", "fx/X"]).code, Some(2));
    assert_eq!(well(&place, &["ls"]), "store: 0 libraries\n");
}

#[test]
fn a_full_pipe_and_a_reader_who_leaves_are_no_failure() {
    let place = Place::new(&[]);
    let rows: String = (0..50_000).map(|row| format!("{row},{row}\n")).collect();
    std::fs::write(place.path("a.csv"), format!("time,x\n{rows}")).expect("a file");
    well(&place, &["import", "a.csv", "n/X", "--unit", "ns"]);
    let mut command = place.command(&["store", "read", "n/X", "--csv"]);
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}
