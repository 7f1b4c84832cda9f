//! R13: files. Whatever is not, byte for byte, what was written is refused, and says why.

use std::path::Path;
use std::process::Command;

use stillpoint_engine::snapshot::ReadError;
use stillpoint_engine::{Instant, Simulation, Snapshot, digest_of};

use super::kit::{at, items, ns};
use super::saved::{Planner, came, cast};

fn program() -> Simulation {
    let mut sim = Simulation::new("files").seed(5).start(Instant::EPOCH);
    let stream = sim.stream("s", items(&[(0, 1), (4, 2), (8, 3)])).expect("a free name");
    let a = Planner::new("1 every tick 1 3 7\n 2 say b 6 1\n 3 job sum 8 9\n 12 cancel tick\n 13 draw").hears("s", stream);
    cast(sim, vec![("a", a), ("b", Planner::new("2 draw\n 14 say a 1 3"))]).0
}

fn taken() -> Snapshot {
    let mut run = program().begin().expect("a simulation that begins");
    run.until(at(5));
    run.snapshot().expect("a still point")
}

fn read(bytes: &[u8]) -> Result<Snapshot, ReadError> {
    Snapshot::from_bytes(bytes, Path::new("it"))
}

/// A text under the checksum that it should have, worked out here once more.
pub(crate) fn sealed(body: &str) -> Snapshot {
    let lane = |name: &str| format!("{:016x}", digest_of(&(name, body.as_bytes())));
    let text = format!("stillpoint-snapshot 1\n{}{} {}\n{body}", lane("high"), lane("low"), body.len());
    read(text.as_bytes()).expect("a sealed text")
}

#[test]
fn r13_a_file_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.snap");
    let snapshot = taken();
    snapshot.write(&file).expect("a file");
    // Over one that is there, and with nothing left beside it.
    snapshot.write(&file).expect("a file");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
    let read = Snapshot::read(&file).expect("what was written");
    assert_eq!(read.to_text(), snapshot.to_text());
    assert_eq!((read.name(), read.at(), read.trace_hash()), ("files", at(5), snapshot.trace_hash()));
    assert_eq!(came(program().restore(&read).expect("the same program").finish()), came(program().run()));
}

#[test]
fn r13_a_byte_that_was_changed_is_noticed_anywhere() {
    let text = taken().to_text().into_bytes();
    for index in 0..text.len() {
        for bit in [0x01, 0x10, 0x20, 0x80] {
            let mut changed = text.clone();
            changed[index] ^= bit;
            assert!(read(&changed).is_err(), "bit {bit:02x} of byte {index}, {:?}", char::from(text[index]));
        }
    }
    let mut longer = text.clone();
    longer.push(b'\n');
    assert!(matches!(read(&longer), Err(ReadError::Damaged { .. })));
    assert!(read(&text).is_ok());
}

#[test]
fn r13_a_file_that_was_cut_is_noticed_anywhere() {
    let text = taken().to_text().into_bytes();
    for length in 0..text.len() {
        let error = read(&text[..length]).expect_err("a part of a snapshot");
        assert!(matches!(error, ReadError::Truncated { found, .. } if found == length as u64), "{length} bytes: {error}");
    }
    let error = read(&text[..text.len() - 3]).expect_err("a part of a snapshot");
    let (found, expected) = (text.len() - 3, text.len());
    assert_eq!(
        error.to_string(),
        format!("the snapshot `it` is cut short: it has {found} bytes where there should be {expected}; take it again")
    );
}

#[test]
fn r13_other_versions_and_other_files_say_so() {
    let text = taken().to_text();
    let version =
        |version: &str| read(text.replacen("snapshot 1", &format!("snapshot {version}"), 1).as_bytes()).expect_err("another version");
    assert_eq!(
        version("2").to_string(),
        "the snapshot `it` is of version 2, newer than 1, which this program reads; use a newer Stillpoint"
    );
    assert!(matches!(version("0"), ReadError::Older { version: 0, .. }));
    assert!(matches!(version("01"), ReadError::Foreign { .. }));
    assert!(matches!(version("one"), ReadError::Foreign { .. }));
    assert!(matches!(read(b"(name: \"quickstart\")\n"), Err(ReadError::Foreign { .. })));
    let missing = Snapshot::read(Path::new("there-is-no-such.snap")).expect_err("no file");
    assert!(missing.to_string().starts_with("the snapshot `there-is-no-such.snap` cannot be read: "), "{missing}");
    let folder = tempfile::tempdir().expect("a folder");
    let error = taken().write(&folder.path().join("no/such/folder")).expect_err("no folder");
    assert!(error.to_string().contains("cannot be written"), "{error}");
}

/// The other half of the next test, in a process of its own: it restores the file that it is told of and prints what the run came to.
#[test]
#[ignore = "run by r13_in_a_fresh_process"]
fn r13_restores_a_file_for_another_process() {
    #[expect(clippy::disallowed_methods, reason = "how one test tells the other process its file")]
    let Ok(file) = std::env::var("STILLPOINT_TEST_SNAPSHOT") else { return };
    let snapshot = Snapshot::read(Path::new(&file)).expect("a snapshot");
    println!("{}", came(program().restore(&snapshot).expect("the same program").finish()).to);
}

#[test]
fn r13_in_a_fresh_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.snap");
    taken().write(&file).expect("a file");
    let mut again = Command::new(std::env::current_exe().expect("this program"));
    again.args(["--ignored", "--exact", "--nocapture", "r13_files::r13_restores_a_file_for_another_process"]);
    let output = again.env("STILLPOINT_TEST_SNAPSHOT", &file).output().expect("a second process");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains(&came(program().run()).to), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    let _ = ns(0);
}
