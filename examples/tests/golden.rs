//! The golden trace of each scenario: what its run must come to, delivery by delivery. A short trace is kept whole, a long one as a digest
//! of all records up to every 4,000th, with each actor's chain. `STILLPOINT_BLESS=1 cargo test -p stillpoint-examples --test golden` writes
//! them anew; CHANGELOG.md then says when and why one has changed.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use stillpoint_engine::host::{Host, Launch};
use stillpoint_engine::scenario::{Scenario, ScenarioError};
use stillpoint_engine::trace::{Collect, Record};
use stillpoint_engine::{Simulation, digest_of};

#[path = "../examples/own_kind.rs"]
#[expect(dead_code, reason = "its main and its run")]
mod own_kind;

/// The most records of a trace that is kept whole.
const WHOLE: usize = 200;
/// The records from one digest to the next in a longer one.
const STRIDE: usize = 4_000;

fn here(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

fn simulation(file: &Path) -> Result<Simulation, ScenarioError> {
    let mut registry = own_kind::registry();
    stillpoint_actors::register(&mut registry);
    Ok(Scenario::read(file, &[])?.build(&registry)?.simulation)
}

/// Runs a scenario, and says what must not change: the outcome, the chains, the trace.
fn account(file: &Path, host: Host) -> String {
    let (trace, file) = (Collect::new("golden"), file.to_owned());
    let launch = Launch::new(move || simulation(&file)).host(host).observe(Box::new(trace.clone()));
    let (outcome, error) = match launch.run() {
        Ok(outcome) => (outcome, None),
        Err(failed) => (failed.outcome, Some(failed.error)),
    };
    let mut text = format!("end {}\n", outcome.end);
    if let Some(error) = error {
        _ = writeln!(text, "error {error}");
    }
    let counts = [
        ("events", outcome.events),
        ("deliveries", outcome.deliveries),
        ("late", outcome.late()),
        ("dead letters", outcome.dead_letters),
        ("lost", outcome.lost),
        ("never", outcome.never),
    ];
    counts.iter().for_each(|(name, count)| _ = writeln!(text, "{name} {count}"));
    _ = writeln!(text, "trace hash {}\n\nchains", outcome.trace_hash);
    outcome.chains.iter().for_each(|(path, chain, count)| _ = writeln!(text, "{path} #{count} {chain:016x}"));
    text + TRACE + &told(&trace.records())
}

/// What stands between the outcome and the trace.
const TRACE: &str = "\ntrace\n";

fn told(records: &[Record]) -> String {
    if records.len() <= WHOLE {
        return records.iter().map(|record| format!("{record}\n")).collect();
    }
    let mut digest = 0u64;
    let mut text = String::new();
    for (number, record) in (1..).zip(records) {
        // How a message prints is no part of the trace.
        let line = Record { text: None, ..record.clone() }.to_string();
        digest = digest_of(&(digest, line.as_str()));
        if number % STRIDE == 0 || number == records.len() {
            _ = writeln!(text, "{number} records up to {}, digest {digest:016x}", record.at);
        }
    }
    text
}

/// The first difference of two accounts. That of the trace explains all others, so it comes first.
fn first_difference(golden: &str, found: &str) -> Option<String> {
    if golden == found {
        return None;
    }
    let (golden, found) = [golden, found].map(|text| text.split_once(TRACE).unwrap_or((text, ""))).into();
    let [trace, rest] = [(golden.1, found.1), (golden.0, found.0)].map(|(golden, found)| {
        let (mut golden, mut found) = (golden.lines(), found.lines());
        let mut equal = "the beginning";
        loop {
            match (golden.next(), found.next()) {
                (None, None) => return None,
                (a, b) if a == b => equal = a.unwrap_or_default(),
                (a, b) => {
                    let [a, b] = [a, b].map(|line| line.unwrap_or("nothing"));
                    return Some(format!("after    {equal}\nexpected {a}\nfound    {b}"));
                }
            }
        }
    });
    trace.or(rest)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "asks whether to write the goldens; nothing of it reaches a run")]
fn every_scenario_has_its_golden_trace() {
    let blesses = std::env::var("STILLPOINT_BLESS").is_ok_and(|value| value == "1");
    let names = |folder: &str, extension: &str| -> Vec<String> {
        let entries = fs::read_dir(here(folder)).expect("a folder of the examples");
        let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name"));
        let mut names: Vec<String> = names.filter_map(|name| name.strip_suffix(extension).map(str::to_owned)).collect();
        names.sort();
        names
    };
    let scenarios = names("scenarios", ".ron");
    assert!(scenarios.len() >= 10, "{scenarios:?}");
    let mut problems = Vec::new();
    for name in &scenarios {
        let scenario = here("scenarios").join(format!("{name}.ron"));
        let found = account(&scenario, Host::Inline);
        let file = here("golden").join(format!("{name}.txt"));
        if blesses {
            fs::write(&file, found).expect("a file that can be written");
            continue;
        }
        let difference = first_difference(&found, &account(&scenario, Host::Actix { threads: 2 }));
        problems.extend(difference.map(|difference| format!("{name}.ron on two threads is not what it is on one:\n{difference}")));
        match fs::read_to_string(&file) {
            Err(error) => problems.push(format!("{name}.ron has no golden trace golden/{name}.txt: {error}")),
            Ok(golden) => problems.extend(
                first_difference(&golden, &found)
                    .map(|difference| format!("{name}.ron is not its golden trace golden/{name}.txt:\n{difference}")),
            ),
        }
    }
    let alone = names("golden", ".txt").into_iter().filter(|name| !scenarios.contains(name));
    problems.extend(alone.map(|name| format!("golden/{name}.txt is of no scenario: delete it")));
    assert!(
        problems.is_empty(),
        "{}\n\nTo see one delivery by delivery: run it before and after the change with `stillpoint run FILE --trace X.trace --trace-text`, and compare with \
         `stillpoint diff`. If it is meant to change: `STILLPOINT_BLESS=1 cargo test -p stillpoint-examples --test golden`, and a line in \
         CHANGELOG.md that says why.",
        problems.join("\n\n")
    );
}

/// What the README shows of the quickstart is what it comes to.
#[test]
fn the_readme_has_the_golden_hash() {
    let read = |name: &str| fs::read_to_string(here(name)).expect("a file of the project");
    let golden = read("golden/quickstart.txt");
    let hash = golden.lines().find_map(|line| line.strip_prefix("trace hash ")).expect("a golden hash");
    let shown = read("../README.md").matches(hash).count();
    assert_eq!(shown, 4, "README.md shows the hash of quickstart.ron four times, which is {hash} now");
}

#[test]
fn the_first_difference_is_that_of_the_trace() {
    let account = |hash: &str, records: &str| format!("end done\ntrace hash {hash}\n{TRACE}{records}");
    let golden = account("1", "a\nb\nc\n");
    let check = |found: String, expected: Option<&str>| assert_eq!(first_difference(&golden, &found).as_deref(), expected);
    check(golden.clone(), None);
    check(account("2", "a\nx\nc\n"), Some("after    a\nexpected b\nfound    x"));
    check(account("2", "a\nb\n"), Some("after    b\nexpected c\nfound    nothing"));
    check(account("2", "x\na\nb\nc\n"), Some("after    the beginning\nexpected a\nfound    x"));
    check(account("2", "a\nb\nc\n"), Some("after    end done\nexpected trace hash 1\nfound    trace hash 2"));
}
