//! Ctrl-C ends a run at its next still point with the summary so far; a second one ends the program.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Stdio};

use crate::place::{Place, Ran};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};

const ENDLESS: &[u8] = br#"(
    name: "endless",
    start: "2025-01-01T00:00:00Z",
    actors: [(name: "clock", kind: timer(to: "clerk", text: "tick", every: "1ns")), (name: "clerk", kind: recorder)],
    expect: (dead_letters: 7),
)"#;

/// Starts an endless run that writes its trace into a pipe. Once the pipe gives something, the run is under way.
fn start(place: &Place) -> (Child, File) {
    let pipe = place.path("trace");
    mkfifo(&pipe, Mode::S_IRWXU).expect("a named pipe");
    let mut command = place.command(&["run", "endless.ron", "--json", "--trace", "trace"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut trace = File::open(pipe).expect("the program opens the pipe");
    trace.read_exact(&mut [0; 1]).expect("the program writes a trace");
    (child, trace)
}

fn interrupt(child: &Child) {
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).expect("the program takes signals");
}

#[test]
fn ctrl_c_ends_a_run_with_the_summary_so_far() {
    let place = Place::new(&[("endless.ron", ENDLESS)]);
    let (child, mut trace) = start(&place);
    interrupt(&child);
    let mut kept = vec![];
    trace.read_to_end(&mut kept).expect("the trace ends");
    let ran = Ran::of(&child.wait_with_output().expect("the program ends"));
    let object: serde_json::Value = serde_json::from_str(&ran.out).expect("stdout is one JSON object");
    assert_eq!((ran.code, ran.err.as_str(), object["end"].as_str()), (Some(130), "", Some("interrupted")));
    assert_eq!(object["unmet"], serde_json::Value::Null, "a run that was cut short is not held to expectations");
    // Ticks and texts come in pairs, one instant each, after the two starts.
    let (instants, deliveries) = (object["instants"].as_u64(), object["deliveries"].as_u64());
    assert_eq!(deliveries, instants.map(|instants| 2 * (instants - 1) + 2));
}

#[test]
fn the_trace_of_an_interrupted_run_is_whole() {
    let place = Place::new(&[("endless.ron", ENDLESS)]);
    let (child, mut trace) = start(&place);
    interrupt(&child);
    let mut kept = vec![0; 0];
    trace.read_to_end(&mut kept).expect("the trace ends");
    child.wait_with_output().expect("the program ends");
    // The first byte was taken to see that the run is under way.
    let first = std::fs::read(written_trace(&place)).expect("a trace")[0];
    let mut file = File::create(place.path("whole.trace")).expect("a file");
    file.write_all(&[first]).and_then(|()| file.write_all(&kept)).expect("a trace file");
    let ran = place.run(&["diff", "whole.trace", "whole.trace"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
}

/// A trace of nothing much, for its first byte.
fn written_trace(place: &Place) -> std::path::PathBuf {
    std::fs::write(place.path("empty.ron"), "(name: \"empty\")").expect("a scenario");
    assert_eq!(place.run(&["run", "empty.ron", "--trace", "empty.trace"]).code, Some(0));
    place.path("empty.trace")
}

/// Nobody reads the pipe, so the run stands still inside a write and never comes to a still point.
#[test]
fn a_second_ctrl_c_ends_the_program_at_once() {
    let place = Place::new(&[("endless.ron", ENDLESS)]);
    let (mut child, trace) = start(&place);
    let status = loop {
        interrupt(&child);
        if let Some(status) = child.try_wait().expect("the program can be asked") {
            break status;
        }
    };
    assert_eq!(status.code(), Some(130));
    drop(trace);
}
