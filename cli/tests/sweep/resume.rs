//! What was stored is not run again; what has changed is.

use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::place::{Place, Ran};
use crate::{GRID, TICKS, ranking, swept};

#[test]
fn only_what_is_missing_is_run() {
    let place = Place::new(&[("ticks.ron", TICKS), ("grid.ron", GRID)]);
    let counts = |more: &[&str]| {
        let told = swept(&place, "grid.ron", more);
        (told["runs"].as_u64(), told["stored"].as_u64())
    };
    assert_eq!(counts(&["--limit", "2"]), (Some(2), Some(0)));
    assert_eq!(counts(&[]), (Some(6), Some(2)));
    assert_eq!(counts(&[]), (Some(6), Some(6)));
    assert_eq!(counts(&["--fresh"]), (Some(6), Some(0)));
    assert_eq!(counts(&["--store", "elsewhere"]), (Some(6), Some(0)));
    assert_eq!(counts(&[]), (Some(6), Some(6)));
    // Another objective is another look at the same runs.
    let other = String::from_utf8_lossy(GRID).replace("Maximise", "Minimise");
    std::fs::write(place.path("grid.ron"), other).expect("a file");
    assert_eq!(counts(&[]), (Some(6), Some(6)));
    let other = String::from_utf8_lossy(TICKS).replace("tick\"", "tock\"");
    std::fs::write(place.path("ticks.ron"), other).expect("a file");
    assert_eq!(counts(&[]), (Some(6), Some(0)));
}

#[test]
fn changed_data_is_run_again() {
    let scenario = br#"(
        name: "quotes",
        streams: [(name: "quotes", kind: csv_quotes(file: "quotes.csv", instrument: (id: 0, symbol: "X"), time: "time", time_format: "s"))],
        actors: [
            (name: "ema", kind: ema_cross(instrument: (id: 0, symbol: "X"), quotes: ["quotes"], venue: "venue", fast: 1, slow: 9, quantity: "1", limit: "1")),
            (name: "venue", kind: venue(instruments: [(id: 0, symbol: "X")], quotes: ["quotes"])),
        ],
    )"#;
    let sweep = br#"(
        scenario: "quotes.ron",
        parameters: [(path: "actors.ema.fast", values: [1, 2, 3])],
        objective: Maximise(actor: "ema", name: "last_price"),
    )"#;
    let quotes = |ask: u32| format!("time,bid,ask\n1,10,12\n2,10,{ask}\n").into_bytes();
    let place = Place::new(&[("quotes.ron", scenario), ("sweep.ron", sweep), ("quotes.csv", &quotes(14))]);
    let told = |more: &[&str]| {
        let told = swept(&place, "sweep.ron", more);
        (told["stored"].as_u64(), told["ranking"][0]["objective"].as_f64(), told["shared"]["streams"].as_u64())
    };
    assert_eq!(told(&[]), (Some(0), Some(12.0), Some(1)));
    assert_eq!(told(&[]), (Some(3), Some(12.0), Some(0)));
    std::fs::write(place.path("quotes.csv"), quotes(16)).expect("a file");
    assert_eq!(told(&[]), (Some(0), Some(13.0), Some(1)));
    // By content: the old rows are the old data, whenever they were written.
    std::fs::write(place.path("quotes.csv"), quotes(14)).expect("a file");
    assert_eq!(told(&[]), (Some(3), Some(12.0), Some(0)));
}

/// Three sets that end at once, and a fourth that never does.
const ENDLESS: &[u8] = br#"(
    scenario: "ticks.ron",
    parameters: [(path: "end", values: ["2025-01-01T00:00:10Z", "2025-01-01T00:00:20Z", "2025-01-01T00:00:30Z", "2250-01-01T00:00:00Z"])],
    objective: Maximise(actor: "clerk", name: "received"),
    threads: 1,
)"#;

/// An endless sweep of which the first three runs are stored.
fn started(place: &Place) -> Child {
    let mut command = place.command(&["sweep", "endless.ron", "--json"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    // Each result is a document with its count of ticks; another process may read them while the sweep goes on.
    while !(place.path("endless.results").join("store").is_dir() && stored(place) == 3) {
        std::thread::yield_now();
    }
    child
}

fn stored(place: &Place) -> usize {
    let store = stillpoint_store::Store::folder(place.path("endless.results"));
    let documents = store
        .and_then(|store| store.documents("sweep"))
        .and_then(|library| library.find("runs", &stillpoint_store::documents::Find::all()));
    documents.map_or(0, |documents| documents.len())
}

fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id() as i32), signal).expect("the program takes signals");
}

#[test]
fn ctrl_c_keeps_what_is_finished() {
    let place = Place::new(&[("ticks.ron", TICKS), ("endless.ron", ENDLESS)]);
    let child = started(&place);
    signal(&child, Signal::SIGINT);
    let ran = Ran::of(&child.wait_with_output().expect("the program ends"));
    let told: Value = serde_json::from_str(&ran.out).expect("stdout is one JSON object");
    assert_eq!((ran.code, &told["runs"], &told["missing"]), (Some(130), &json!(3), &json!(1)), "{}", ran.err);
    let again = swept(&place, "endless.ron", &["--limit", "3"]);
    assert_eq!((&again["stored"], ranking(&again)), (&json!(3), ranking(&told)));
}

#[test]
fn a_killed_sweep_goes_on() {
    let place = Place::new(&[("ticks.ron", TICKS), ("endless.ron", ENDLESS)]);
    let mut child = started(&place);
    signal(&child, Signal::SIGKILL);
    child.wait().expect("the program ends");
    let told = swept(&place, "endless.ron", &["--limit", "3"]);
    assert_eq!((&told["runs"], &told["stored"]), (&json!(3), &json!(3)));
}
