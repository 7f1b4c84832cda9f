//! What must never be there: dependencies against the direction of the crates, clocks and sockets outside the rim, `unsafe`, absolute
//! paths. Each message says where and what to do.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// The crates of this workspace that each crate may use: engine <- actors <- adapters, the kit stands on the engine, the rest on all.
const DIRECTION: [(&str, &[&str]); 7] = [
    ("engine", &[]),
    ("actors", &["engine"]),
    ("adapters", &["engine", "actors"]),
    ("store", &["engine"]),
    ("sim-tests", &["engine"]),
    ("examples", &["engine", "actors", "adapters", "store", "sim-tests", "cli"]),
    ("cli", &["engine", "actors", "adapters", "store", "sim-tests"]),
];

/// Files and folders that may use clocks, sockets or the environment, and why.
const RIM: [(&str, &str); 9] = [
    ("cli/src", "the program: its progress bar, its costs, its terminal"),
    ("engine/benches", "measures time"),
    ("store/benches", "measures time"),
    ("adapters/benches", "measures time"),
    ("engine/src/host", "paces batches and finds the faster host by the clock"),
    ("sim-tests/lints", "patterns that the lints must flag"),
    ("sim-tests/src/rim", "the kit's edge: seeds and files that are asked for, and processes with another environment"),
    ("store/src/clock.rs", "when a commit was made, unless whoever opens the store brings another clock"),
    ("sim-tests/tests/canaries/faulty", "strategies that must be caught for using them"),
];

/// What the rim alone may name.
const RIM_ONLY: [&str; 13] = [
    "std::time::",
    "SystemTime",
    "clock_gettime",
    "getrusage",
    "Utc::now",
    "Local::now",
    "std::net::",
    "std::os::unix::net",
    "tokio::net",
    "tokio::time",
    "thread::sleep",
    "env::var",
    "env::vars",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace around this crate").to_owned()
}

/// Every text file of the project: its path from the root, with `/`, and its text.
fn files() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the project") {
            let path = entry.expect("an entry of a folder").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            // In a worktree, `.git` is a file.
            if matches!(name, "target" | ".git" | "proptest-regressions") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                let name = path.strip_prefix(root()).expect("a path below the root").to_string_lossy().replace('\\', "/");
                found.insert(name, text);
            }
        }
    }
    assert!(found.contains_key("Cargo.toml") && found.len() > 20, "the project is not at {}", root().display());
    found
}

/// The Rust files alone, without this one.
fn sources() -> BTreeMap<String, String> {
    files().into_iter().filter(|(name, _)| name.ends_with(".rs") && !name.ends_with("tests/tidy.rs")).collect()
}

/// The lines of code with their numbers: comments are left out, and what follows `//` in a line.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines().map(|line| line.split("//").next().unwrap_or_default()))
}

fn manifest(name: &str) -> Table {
    let path = root().join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    text.parse().unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn members() -> Vec<String> {
    let root = manifest("Cargo.toml");
    let members = root["workspace"]["members"].as_array().expect("a list of members");
    members.iter().map(|member| member.as_str().expect("a folder").to_owned()).collect()
}

/// The crates of this workspace that a table of dependencies names, and whether they are optional.
fn ours(table: Option<&Value>) -> Vec<(String, bool)> {
    let Some(table) = table.and_then(Value::as_table) else { return Vec::new() };
    let optional = |value: &Value| value.get("optional").and_then(Value::as_bool).unwrap_or(false);
    let ours = table.iter().filter_map(|(name, value)| Some((name.strip_prefix("stillpoint-")?.to_owned(), optional(value))));
    ours.collect()
}

fn fail_if_any(problems: Vec<String>) {
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn crates_depend_in_one_direction() {
    let mut problems = Vec::new();
    for member in members() {
        let Some((_, allowed)) = DIRECTION.iter().find(|(name, _)| *name == member) else {
            problems.push(format!("{member}/Cargo.toml: this crate has no line in DIRECTION of sim-tests/tests/tidy.rs; add one"));
            continue;
        };
        let manifest = manifest(&format!("{member}/Cargo.toml"));
        for (section, kit) in [("dependencies", false), ("build-dependencies", false), ("dev-dependencies", true)] {
            for (name, optional) in ours(manifest.get(section)) {
                let through_a_feature = member == "sim-tests" && optional;
                let in_tests = kit && (name == "sim-tests" || member == "sim-tests");
                if !allowed.contains(&name.as_str()) && !through_a_feature && !in_tests {
                    problems
                        .push(format!("{member}/Cargo.toml: [{section}] has {name}, which stands above {member}; put a trait into engine"));
                }
            }
        }
    }
    fail_if_any(problems);
}

#[test]
fn every_crate_takes_the_lints_and_versions_of_the_workspace() {
    let mut problems = Vec::new();
    assert_eq!(manifest("Cargo.toml")["workspace"]["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
    for member in members() {
        let name = format!("{member}/Cargo.toml");
        let manifest = manifest(&name);
        let lints = manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool);
        if lints != Some(true) {
            problems.push(format!("{name}: no `[lints] workspace = true`"));
        }
        for section in ["dependencies", "build-dependencies", "dev-dependencies"] {
            for (dependency, value) in manifest.get(section).and_then(Value::as_table).into_iter().flatten() {
                if value.get("workspace").and_then(Value::as_bool) != Some(true) {
                    problems.push(format!("{name}: {dependency} has a version of its own; move it to [workspace.dependencies]"));
                }
            }
        }
    }
    fail_if_any(problems);
}

#[test]
fn clocks_and_sockets_are_at_the_rim() {
    let mut problems = Vec::new();
    let mut used = BTreeMap::new();
    for (file, text) in sources() {
        let rim = RIM.iter().find(|(place, _)| file == *place || file.starts_with(&format!("{place}/")));
        let in_tests = file.split('/').nth(1) == Some("tests");
        for (number, line) in code(&text) {
            let Some(word) = RIM_ONLY.iter().find(|word| line.contains(**word)) else { continue };
            match rim {
                Some((place, _)) => _ = used.insert(*place, ()),
                None if in_tests && word.starts_with("env::") => {}
                None => problems
                    .push(format!("{file}:{number}: `{word}` is for the rim; take instants and inputs as values, or add to RIM why")),
            }
        }
    }
    let unused = RIM.iter().filter(|(place, _)| !used.contains_key(place));
    problems.extend(unused.map(|(place, _)| format!("RIM has {place}, which uses no clock and no socket; take it out")));
    fail_if_any(problems);
}

/// The one place of the engine that has state of a thread: clippy sees such macros for a whole crate or not at all.
const SCOPE: &str = "engine/src/snapshot/scope.rs";

#[test]
fn nothing_of_the_engine_belongs_to_a_thread() {
    let macros = |text: &str| code(text).filter(|(_, line)| line.contains("thread_local!")).map(|(number, _)| number).collect::<Vec<_>>();
    let sources = sources();
    assert_eq!(macros(&sources[SCOPE]).len(), 1, "{SCOPE} has one scope");
    let others = sources.iter().filter(|(file, _)| file.starts_with("engine/") && *file != SCOPE);
    let found = others.flat_map(|(file, text)| macros(text).into_iter().map(move |number| format!("{file}:{number}: a thread-local")));
    fail_if_any(found.collect());
}

#[test]
fn nothing_is_unsafe() {
    let mut problems = Vec::new();
    for (file, text) in sources() {
        for (number, line) in code(&text) {
            // A page's own script and style are allowed by this name.
            let line = line.replace("'unsafe-inline'", "");
            if line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe") {
                problems.push(format!("{file}:{number}: `unsafe`"));
            }
        }
    }
    fail_if_any(problems);
}

#[test]
fn no_path_is_absolute() {
    let places = ["home", "root", "Users", "work", "mnt", "tmp", "var"].map(|place| format!("/{place}/"));
    let mut problems = Vec::new();
    for (file, text) in files() {
        for (number, line) in (1..).zip(text.lines()) {
            for place in &places {
                let starts =
                    |(at, _): (usize, &str)| line[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && !"._-/}*)".contains(c));
                if line.match_indices(place.as_str()).any(starts) {
                    problems.push(format!("{file}:{number}: a path that begins with {place}; make it relative"));
                }
            }
        }
    }
    fail_if_any(problems);
}

#[test]
fn every_source_says_what_it_is() {
    let silent = sources().into_iter().filter(|(_, text)| !text.starts_with("//!"));
    fail_if_any(silent.map(|(file, _)| format!("{file}: begins with no `//!` sentence that says what it is")).collect());
}
