//! The crate that `new` writes builds as it is, passes its test and runs its scenario.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::place::{Place, Ran, repository};

/// How this workspace builds its tests: what the new crate depends on is then built already.
fn profile() -> Vec<String> {
    let of_ours =
        ["engine", "actors", "adapters", "sim-tests", "cli"].map(|name| format!("package.stillpoint-{name}.debug='line-tables-only'"));
    let all = ["opt-level=1", "debug='line-tables-only'", "package.'*'.debug=false"].map(str::to_owned);
    all.into_iter().chain(of_ours).map(|setting| format!("--config=profile.dev.{setting}")).collect()
}

/// The folder in which this program was built.
fn target() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_stillpoint"));
    program.ancestors().nth(2).expect("target/debug/stillpoint").to_owned()
}

#[test]
fn a_new_crate_builds_and_passes_its_test() {
    let place = Place::new(&[]);
    let ran = place.run(&["new", "my-strategy"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let folder = place.path("my-strategy");
    // The versions of this workspace, so that nothing has to be fetched.
    std::fs::copy(repository("Cargo.lock"), folder.join("Cargo.lock")).expect("a lock file");
    let cargo = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO"));
        command.args(profile()).args(args).current_dir(&folder).env("CARGO_TARGET_DIR", target());
        Ran::of(&command.output().expect("cargo starts"))
    };
    let tested = cargo(&["test", "--offline"]);
    assert_eq!(tested.code, Some(0), "{}{}", tested.out, tested.err);
    assert!(tested.out.contains("the_first_scenario_meets_its_expectations ... ok"), "{}", tested.out);
    let run = cargo(&["run", "--offline", "--", "run", "scenarios/first.ron"]);
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    assert!(run.out.contains("\nmine\n"), "{}", run.out);
    let again = place.run(&["new", "my-strategy"]);
    assert_eq!(again.code, Some(2));
    assert!(again.err.contains("is not empty"), "{}", again.err);
}

#[test]
fn a_new_crate_can_use_a_repository() {
    let place = Place::new(&[]);
    assert_eq!(place.run(&["new", "mine", "--git", "https://example.org/stillpoint"]).code, Some(0));
    let manifest = std::fs::read_to_string(place.path("mine/Cargo.toml")).expect("a manifest");
    assert!(manifest.contains(r#"stillpoint-engine = { git = "https://example.org/stillpoint" }"#), "{manifest}");
    let ran = place.run(&["new", "other", "--engine", "nowhere"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("nowhere is no checkout"), "{}", ran.err);
}
