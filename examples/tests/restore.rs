//! Every shipped scenario, saved at several instants and restored from the file's text, comes to what it comes to when it is not interrupted.

use std::fs;
use std::path::{Path, PathBuf};

use stillpoint_engine::scenario::Scenario;
use stillpoint_engine::{End, Failed, Instant, Outcome, Simulation, Snapshot};

#[path = "../examples/own_kind.rs"]
#[expect(dead_code, reason = "its main and its run")]
mod own_kind;

fn scenario(file: &Path) -> (Scenario, impl Fn() -> Simulation) {
    let read = Scenario::read(file, &[]).expect("a shipped scenario");
    let again = read.clone();
    let build = move || {
        let mut registry = own_kind::registry();
        stillpoint_actors::register(&mut registry);
        again.build(&registry).expect("a shipped scenario").simulation
    };
    (read, build)
}

/// All of an outcome that a run is held to, and its error.
fn told(ran: Result<Outcome, Box<Failed>>) -> (String, Outcome) {
    let (outcome, error) = match ran {
        Ok(outcome) => (outcome, String::new()),
        Err(failed) => (failed.outcome, failed.error.to_string()),
    };
    (format!("{error}\n{outcome:#?}"), outcome)
}

/// Instants of a run: its first, some from its inside, its last.
fn instants(outcome: &Outcome) -> Vec<Instant> {
    let (Some(first), Some(last)) = (outcome.first, outcome.last) else { return Vec::new() };
    let span = last.since(first).as_nanos();
    [0, 1, 17, 50, 83, 99, 100].map(|percent| Instant::from_nanos(first.as_nanos() + span / 100 * percent)).to_vec()
}

#[test]
fn r13_every_scenario_goes_on_from_a_snapshot() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    let (mut restored, mut pending) = (0, 0);
    for file in files {
        let (scenario, build) = scenario(&file);
        let (whole, outcome) = told(build().run());
        let mut run = build().begin().expect("a scenario that begins");
        for at in instants(&outcome) {
            run.until(at);
            if matches!(run.end(), Some(End::Failed | End::Stopped)) {
                break;
            }
            let text = run.snapshot().unwrap_or_else(|error| panic!("{} at {at}: {error}", file.display())).to_text();
            pending += text.matches("cargo: ").count();
            let snapshot = Snapshot::from_bytes(text.as_bytes(), &file).expect("what was just written");
            let rest = build().restore(&snapshot).unwrap_or_else(|error| panic!("{} from {at}: {error}", file.display())).finish();
            let (rest, outcome) = told(rest);
            assert!(rest == whole, "{} from {at}:\n{rest}\n\nexpected:\n{whole}", file.display());
            assert!(outcome.end == End::Failed || scenario.unmet(&outcome).is_empty(), "{} from {at}", file.display());
            restored += 1;
        }
    }
    assert!(restored >= 60 && pending >= 20, "{restored} runs were restored, with {pending} things pending");
}
