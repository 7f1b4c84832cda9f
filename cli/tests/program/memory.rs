//! A run keeps little in memory, however long its data.

use std::fs::File;
use std::io::{BufWriter, Write};

use crate::place::Place;

const ROWS: u32 = 10_000_000;
const LIMIT_BYTES: u64 = 100_000_000;

/// The one object that a run with `--json` prints.
fn json(place: &Place) -> serde_json::Value {
    let ran = place.run(&["run", "memory.ron", "--json"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    serde_json::from_str(&ran.out).expect("stdout is one JSON object")
}

#[test]
fn a_long_csv_file_runs_in_little_memory() {
    let scenario = r#"(
        name: "memory",
        streams: [(name: "quotes", kind: csv_quotes(
            file: "quotes.csv", instrument: (id: 0, symbol: "EURUSD"), time: "time", time_format: "ms",
        ))],
        actors: [(name: "venue", kind: venue(instruments: [(id: 0, symbol: "EURUSD")], quotes: ["quotes"]))],
    )"#;
    let place = Place::new(&[("memory.ron", scenario.as_bytes())]);
    let mut file = BufWriter::new(File::create(place.path("quotes.csv")).expect("a file for a test"));
    writeln!(file, "time,bid,ask").expect("room for the rows");
    for row in 0..ROWS {
        writeln!(file, "{row},1.{:04},1.{:04}", row % 1_000, row % 1_000 + 2).expect("room for the rows");
    }
    file.flush().expect("room for the rows");
    let object = json(&place);
    assert_eq!(object["events"], ROWS);
    let peak = object["peak_rss_bytes"].as_u64().expect("a number of bytes");
    assert!((1_000_000..LIMIT_BYTES).contains(&peak), "{peak} bytes");
}

/// The system's own figure may begin with the peak of the process that started the program, which is this one.
#[test]
fn the_peak_of_memory_is_the_programs_own() {
    let ballast = vec![1_u8; 200_000_000];
    let peak = json(&Place::new(&[("memory.ron", b"(name: \"memory\")")]))["peak_rss_bytes"].as_u64().expect("a number of bytes");
    assert!((1_000_000..LIMIT_BYTES).contains(&peak), "{peak} bytes");
    assert_eq!(ballast.iter().step_by(4096).map(|byte| usize::from(*byte)).sum::<usize>(), ballast.len().div_ceil(4096));
}
