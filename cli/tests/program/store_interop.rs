//! DuckDB, pandas and pyarrow read our segments, and what they write can be imported.
//!
//! `STILLPOINT_PYTHON` names a Python that has them; without it these tests are skipped.

use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};

use crate::place::Place;
use crate::store::{object, well};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/program/interop.py");

/// Runs the script in a folder and gives what it printed; `None` without such a Python.
#[expect(clippy::disallowed_methods, reason = "which Python to use is told to tests by the environment")]
fn python(folder: &Path, args: &[&str]) -> Option<String> {
    let Some(python) = std::env::var_os("STILLPOINT_PYTHON") else {
        println!("skipped: STILLPOINT_PYTHON names no Python with duckdb, pandas and pyarrow");
        return None;
    };
    let output = Command::new(python).arg(SCRIPT).args(args).current_dir(folder).output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).expect("text"))
}

#[test]
fn other_programs_read_our_segments() {
    let rows = 200_000;
    let place = Place::new(&[]);
    let line = |row: u64| {
        let size = if row.is_multiple_of(10) { String::new() } else { row.to_string() };
        format!("{},{}.25,{size},row {row}\n", 1_600_000_000_000_000_000 + row, row)
    };
    let csv = |from: u64, to: u64| format!("time,price,size,note\n{}", (from..to).map(line).collect::<String>());
    std::fs::write(place.path("a.csv"), csv(0, rows - 10)).expect("a file");
    std::fs::write(place.path("b.csv"), csv(rows - 10, rows)).expect("a file");
    well(&place, &["import", "a.csv", "n/X", "--unit", "ns"]);
    well(&place, &["import", "b.csv", "n/X", "--unit", "ns", "--append"]);
    let paths = object(&place, &["path", "n/X"]);
    let files: Vec<&str> = paths["files"].as_array().expect("a list").iter().map(|file| file.as_str().expect("a path")).collect();
    assert_eq!(files.len(), 2);
    let Some(said) = python(&place.path("."), &[&["read"], &files[..]].concat()) else { return };
    let said: Json = serde_json::from_str(&said).expect("one JSON object");
    // The sum of row + 0.25 over all rows.
    let sum = (rows * (rows - 1) / 2) as f64 + rows as f64 / 4.0;
    let first = 1_600_000_000_000_000_000_i64;
    let wanted = json!([rows, first, first + rows as i64 - 1, sum, rows / 10]);
    assert_eq!((&said["pandas"], &said["duckdb"]), (&wanted, &wanted));
    assert_eq!(said["notes"][199_999], "row 199999");
}

#[test]
fn what_other_programs_write_can_be_imported() {
    let place = Place::new(&[]);
    if python(&place.path("."), &["write", "."]).is_none() {
        return;
    }
    let text = |row: u64| {
        let size = if row.is_multiple_of(10) { String::new() } else { row.to_string() };
        format!("2024-01-01T00:{:02}:{:02}Z,{:?},{size},row {row}\n", row / 60, row % 60, row as f64 / 4.0)
    };
    let wanted = format!("time,price,size,note\n{}", (0..1000).map(text).collect::<String>());
    let files = [
        "pandas-snappy.parquet",
        "pandas-gzip.parquet",
        "pandas-zstd.parquet",
        "pandas-lz4.parquet",
        "pandas-none.parquet",
        "naive.parquet",
        "duckdb-snappy.parquet",
        "duckdb-gzip.parquet",
        "duckdb-zstd.parquet",
        "lz4.feather",
        "zstd.feather",
        "stream.arrows",
        "many",
    ];
    for file in files {
        let symbol = format!("n/{file}");
        well(&place, &["import", file, &symbol]);
        assert_eq!(well(&place, &["read", &symbol, "--csv"]), wanted, "{file}");
    }
    well(&place, &["import", "pandas.csv", "n/csv"]);
    assert_eq!(well(&place, &["read", "n/csv", "--csv"]), wanted, "CSV");
}
