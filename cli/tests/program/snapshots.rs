//! `run --snapshot-at` and `run --restore`: a run that is saved, and one that goes on in another process.

use crate::place::{Place, Ran};

const TICKS: &str = r#"(
    name: "ticks",
    seed: 3,
    start: "2025-01-01T00:00:00Z",
    streams: [(name: "people", kind: script(steps: [
        Add(at: "2025-01-01T00:00:01Z", value: "Jane"), Add(at: "2025-01-01T00:00:07Z", value: "John"),
    ]), reorder: "2s")],
    actors: [
        (name: "clock", kind: timer(to: "porter", text: "tick", every: "1s", end: "2025-01-01T00:00:09Z")),
        (name: "porter", kind: relay(streams: ["people"], to: "greeter", delay: "300ms")),
        (name: "greeter", kind: recorder),
        (name: "puppet", kind: puppet(acts: [Send(at: "2025-01-01T00:00:08Z", to: "greeter", text: "late")])),
    ],
    links: [
        (from: "clock", to: "porter", latency: "250us", jitter: "50us"), (from: "porter", to: "greeter", latency: "1ms"),
        (from: "puppet", to: "greeter", latency: "1ms"),
    ],
    expect: (events: 2, results: [(actor: "greeter", name: "received", min: 12, max: 12)]),
)"#;

fn place() -> Place {
    Place::new(&[("ticks.ron", TICKS.as_bytes()), ("other.ron", TICKS.replace("\"ticks\"", "\"other\"").as_bytes())])
}

/// The summary without what depends on the machine.
fn told(ran: &Ran) -> Vec<String> {
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{}", ran.out);
    let lines = ran.out.lines().filter(|line| !line.contains("wall time") && !line.contains("peak memory"));
    lines.map(str::to_owned).collect()
}

#[test]
fn a_run_goes_on_in_another_process() {
    let place = place();
    let whole = told(&place.run(&["run", "ticks.ron"]));
    assert!(whole.contains(&"  expectations  met".to_owned()), "{whole:?}");
    for at in ["2025-01-01T00:00:00Z", "2025-01-01T00:00:04.1Z", "2025-01-01T00:00:08Z"] {
        assert_eq!(told(&place.run(&["run", "ticks.ron", "--snapshot-at", at, "ticks.snap"])), whole, "saving changes nothing");
        assert_eq!(told(&place.run(&["run", "ticks.ron", "--restore", "ticks.snap"])), whole, "from {at}");
    }
    // A restored run can be saved too, and ends where it is told to.
    let again = ["run", "ticks.ron", "--restore", "ticks.snap", "--snapshot-at", "2025-01-01T00:00:08.5Z", "later.snap"];
    assert_eq!(told(&place.run(&again)), whole);
    assert_eq!(told(&place.run(&["run", "ticks.ron", "--restore", "later.snap"])), whole);
    let short = place.run(&["run", "ticks.ron", "--restore", "later.snap", "--until", "2025-01-01T00:00:09Z"]);
    assert!(short.out.starts_with("ticks: reached its end"), "{}", short.out);
}

#[test]
fn what_is_no_snapshot_of_this_run_is_bad_input() {
    let place = place();
    assert_eq!(place.run(&["run", "ticks.ron", "--snapshot-at", "2025-01-01T00:00:04Z", "ticks.snap"]).code, Some(0));
    let (at, later) = ("2025-01-01T00:00:04Z", "2025-01-01T00:00:05Z");
    let twice = vec!["run", "ticks.ron", "--snapshot-at", at, "a.snap", "--snapshot-at", later, "b.snap"];
    for (arguments, code, said) in [
        (vec!["run", "ticks.ron", "--restore", "no.snap"], 2, "the snapshot `no.snap` cannot be read"),
        (vec!["run", "ticks.ron", "--restore", "ticks.ron"], 2, "`ticks.ron` is no snapshot"),
        (vec!["run", "other.ron", "--restore", "ticks.snap"], 2, "the snapshot is of the simulation `ticks`, not of `other`"),
        (vec!["run", "ticks.ron", "--seed", "4", "--restore", "ticks.snap"], 2, "the snapshot's run has seed 3, the simulation 4"),
        (vec!["run", "ticks.ron", "--snapshot-at", "soon", "a.snap"], 2, "`soon` is no instant"),
        (twice, 2, "cannot be used multiple times"),
    ] {
        let ran = place.run(&arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(said), "{arguments:?}: {}", ran.err);
    }
    let file = place.path("ticks.snap");
    let mut bytes = std::fs::read(&file).expect("a snapshot");
    let last = bytes.len() - 10;
    bytes[last] ^= 1;
    std::fs::write(&file, &bytes).expect("a file");
    let ran = place.run(&["run", "ticks.ron", "--restore", "ticks.snap"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("is damaged: its checksum does not match"), "{}", ran.err);
}
