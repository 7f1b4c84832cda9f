//! Hand-computed cases, in `cases/*.txt`: `case NAME`, maybe `with SETTINGS`, then `INPUT => ANSWERS` a line; `= BOOK`, `best QUOTE` and `last PRICE`
//! look at the state. Every case is worked out from what the types' documentation says, not from what the code does.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::text::Desk;

struct Case {
    place: String,
    name: String,
    settings: String,
    /// The line's number, the input, and the answers.
    steps: Vec<(usize, String, String)>,
}

fn read(file: &Path) -> Vec<Case> {
    let text = fs::read_to_string(file).expect("a file of cases");
    let place = file.file_name().expect("a file").to_string_lossy().into_owned();
    let mut cases: Vec<Case> = Vec::new();
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.is_empty() || line.starts_with("//") {
            continue;
        }
        if let Some(name) = line.strip_prefix("case ") {
            cases.push(Case { place: place.clone(), name: name.to_owned(), settings: String::new(), steps: Vec::new() });
            continue;
        }
        let case = cases.last_mut().unwrap_or_else(|| panic!("{place}:{number}: a step before any case"));
        if let Some(settings) = line.strip_prefix("with ") {
            case.settings = settings.to_owned();
        } else if let Some((input, answers)) = line.split_once(" => ") {
            case.steps.push((number, input.trim().to_owned(), answers.trim().to_owned()));
        } else if let Some((what, expected)) = line.split_once(' ').filter(|(what, _)| matches!(*what, "=" | "best" | "last")) {
            case.steps.push((number, format!("{what} ?"), expected.trim().to_owned()));
        } else {
            case.steps.push((number, line.to_owned(), "-".to_owned()));
        }
    }
    cases
}

fn play(case: &Case) -> Result<(), String> {
    let mut desk = Desk::new(&case.settings);
    for (number, input, expected) in &case.steps {
        let found = desk.play(input);
        if found != *expected {
            let Case { place, name, .. } = case;
            return Err(format!("{place}:{number}: {name}\n  {input}\n  expected: {expected}\n  found:    {found}"));
        }
    }
    Ok(())
}

#[test]
fn every_case_ends_as_worked_out() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exchange/cases");
    let mut files: Vec<_> = fs::read_dir(folder).expect("cases").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    let cases: Vec<Case> = files.iter().flat_map(|file| read(file)).collect();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "every case has a name of its own");
    assert!(cases.len() >= 200, "only {} cases", cases.len());
    let faults: Vec<String> = cases.iter().filter_map(|case| play(case).err()).collect();
    assert!(faults.is_empty(), "{} of {} cases:\n{}", faults.len(), cases.len(), faults.join("\n"));
}
