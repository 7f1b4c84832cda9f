//! The list of lints that ships flags each pattern of the probe crate, or the document says that it escapes and what finds it; the strict mode
//! makes errors of the worst.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("lints")
}

/// The codes of what cargo complains about in a crate's `src/lib.rs`, by line.
fn complaints(krate: &str, command: &str) -> BTreeMap<usize, Vec<String>> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lints");
    let output = Command::new(env!("CARGO"))
        .args([command, "--offline", "--quiet", "--message-format=json"])
        .current_dir(folder().join(krate))
        .env("CARGO_TARGET_DIR", target)
        .env("CLIPPY_CONF_DIR", folder())
        .env_remove("RUSTFLAGS")
        .output()
        .expect("cargo starts");
    let mut found: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let text = String::from_utf8_lossy(&output.stdout);
    let messages =
        text.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok()).filter(|line| line["reason"] == "compiler-message");
    for message in messages.map(|line| line["message"].clone()) {
        let Some(span) = message["spans"].as_array().and_then(|spans| spans.iter().find(|span| span["is_primary"] == true)) else {
            continue;
        };
        let place = outermost(span);
        assert!(place["file_name"].as_str().is_some_and(|file| file.ends_with("lib.rs")), "{message}");
        let code = message["code"]["code"].as_str().unwrap_or("error").trim_start_matches("clippy::").to_owned();
        found.entry(place["line_start"].as_u64().expect("a line") as usize).or_default().push(code);
    }
    assert!(!found.is_empty(), "{krate}: {}", String::from_utf8_lossy(&output.stderr));
    found
}

/// The place in the crate itself of what a macro made.
fn outermost(span: &Json) -> &Json {
    match span["expansion"]["span"].as_object() {
        Some(_) => outermost(&span["expansion"]["span"]),
        None => span,
    }
}

/// Lines with a remark at their end: number, and the remark.
fn remarks(krate: &str) -> BTreeMap<usize, String> {
    let text = fs::read_to_string(folder().join(krate).join("src/lib.rs")).expect("the crate is there");
    let remark = |(number, line): (usize, &str)| Some((number, line.trim_start().split_once(" // ")?.1.to_owned()));
    (1..).zip(text.lines()).filter_map(remark).collect()
}

#[test]
fn each_pattern_is_flagged_or_known_to_escape() {
    let (found, remarks) = (complaints("probe", "clippy"), remarks("probe"));
    let document = fs::read_to_string(folder().join("README.md")).expect("the document is there");
    let mut problems = Vec::new();
    for (line, remark) in &remarks {
        let mut codes = found.get(line).cloned().unwrap_or_default();
        codes.sort();
        match remark.strip_prefix("escapes: ") {
            Some(pattern) if !codes.is_empty() => problems.push(format!("line {line}: {pattern} escapes no more: {codes:?}")),
            Some(pattern) if !document.contains(&format!("\n| {pattern} |")) => {
                problems.push(format!("README.md does not say that {pattern} escapes"))
            }
            Some(_) => {}
            None => {
                let mut expected: Vec<&str> = remark.split(' ').collect();
                expected.sort_unstable();
                if codes != expected {
                    problems.push(format!("line {line}: expected {expected:?}, found {codes:?}"));
                }
            }
        }
    }
    let unexpected: Vec<_> = found.iter().filter(|(line, _)| !remarks.contains_key(line)).collect();
    assert!(problems.is_empty() && unexpected.is_empty(), "{problems:#?}\n{unexpected:?}");
    let escaping = remarks.values().filter(|remark| remark.starts_with("escapes: ")).count();
    println!("{} patterns, {escaping} of which escape", remarks.len());
    assert!(remarks.len() >= 50 && escaping <= 8);
}

#[test]
fn the_strict_mode_does_not_compile_the_worst() {
    let (found, remarks) = (complaints("strict", "check"), remarks("strict"));
    let lines: Vec<&usize> = found.keys().collect();
    assert_eq!(lines, remarks.keys().collect::<Vec<_>>(), "{found:?}");
}

#[test]
fn the_list_that_ships_has_every_entry_of_our_own() {
    let read = |path: PathBuf| fs::read_to_string(path).expect("the list is there").parse::<toml::Table>().expect("a list in TOML");
    let ours = read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../clippy.toml"));
    let shipped = read(folder().join("clippy.toml"));
    for list in ["disallowed-methods", "disallowed-types", "disallowed-macros"] {
        let shipped = shipped[list].as_array().expect("a list");
        let missing: Vec<_> = ours[list].as_array().expect("a list").iter().filter(|entry| !shipped.contains(entry)).collect();
        assert!(missing.is_empty(), "{list} of sim-tests/lints/clippy.toml lacks {missing:?}");
        // Each names what to use instead.
        let silent: Vec<_> = shipped.iter().filter(|entry| !entry["reason"].as_str().is_some_and(|reason| reason.contains("; "))).collect();
        assert!(silent.is_empty(), "{list}: no replacement for {silent:?}");
    }
}
