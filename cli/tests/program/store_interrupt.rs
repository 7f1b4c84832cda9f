//! Ctrl-C while a file is imported: nothing of it is there afterwards, and everything that was there is.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};

use crate::place::Place;
use crate::store::{object, place, well};

/// Feeds a pipe until nobody reads it, and interrupts whoever reads once it has taken more than is looked at to guess types.
fn interrupted_import(place: &Place, symbol: &str, signal: Signal) -> (Option<i32>, String) {
    let pipe = place.path("pipe.csv");
    mkfifo(&pipe, Mode::S_IRWXU).expect("a named pipe");
    let mut command = place.command(&["store", "import", "pipe.csv", symbol, "--unit", "ns"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut out = OpenOptions::new().write(true).open(&pipe).expect("the program opens the pipe");
    out.write_all(b"time,x\n").expect("the program reads");
    let mut row = 0_u64;
    // Some pieces of rows are staged by then.
    let under_way = 2_500_000;
    loop {
        let lines: String = (row..row + 50_000).map(|row| format!("{},{row}\n", 1_600_000_000_000_000_000 + row)).collect();
        row += 50_000;
        if out.write_all(lines.as_bytes()).is_err() {
            break;
        }
        if row == under_way {
            kill(Pid::from_raw(child.id() as i32), signal).expect("the program takes signals");
        }
    }
    assert!(row >= under_way, "it read on until it was interrupted");
    let output = child.wait_with_output().expect("the program ends");
    std::fs::remove_file(pipe).expect("the pipe");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn parquet_files(folder: &Path) -> usize {
    let paths = folder.read_dir().expect("a folder").map(|entry| entry.expect("an entry").path());
    paths
        .map(
            |path| {
                if path.is_dir() { parquet_files(&path) } else { usize::from(path.extension().is_some_and(|ending| ending == "parquet")) }
            },
        )
        .sum()
}

#[test]
fn ctrl_c_during_an_import_leaves_nothing_of_it() {
    let place = place();
    let before = well(&place, &["read", "fx/EURUSD", "--csv"]);
    for symbol in ["fx/EURUSD", "new/X"] {
        let said = format!("interrupted: {symbol} is as it was before\n");
        assert_eq!(interrupted_import(&place, symbol, Signal::SIGINT), (Some(130), said));
    }
    assert_eq!(well(&place, &["read", "fx/EURUSD", "--csv"]), before);
    assert_eq!(object(&place, &["versions", "fx/EURUSD"])["versions"].as_array().map(Vec::len), Some(1));
    assert_eq!(object(&place, &["ls"])["libraries"].as_array().map(Vec::len), Some(1));
    assert_eq!(object(&place, &["fsck"])["findings"], serde_json::json!([]));
    assert_eq!(parquet_files(&place.path("store")), 1, "no file is left that nothing shows");
}

#[test]
fn a_killed_import_is_not_visible_either() {
    let place = place();
    let before = well(&place, &["read", "fx/EURUSD", "--csv"]);
    assert_eq!(interrupted_import(&place, "fx/EURUSD", Signal::SIGKILL).0, None);
    assert_eq!(well(&place, &["read", "fx/EURUSD", "--csv"]), before);
    well(&place, &["import", "later.csv", "fx/EURUSD", "--append"]);
    assert_eq!(object(&place, &["versions", "fx/EURUSD"])["versions"][0]["rows"], 4);
}
