//! The test that the README shows runs when it is copied into an empty crate, and says what the README says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use stillpoint_sim_tests::Scratch;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace around this crate")
}

/// The blocks of one language in the README's section, in order.
fn blocks(language: &str) -> Vec<String> {
    let text = fs::read_to_string(repository().join("README.md")).expect("the README is there");
    let section = text.split_once("\n## Prove it\n").expect("the section is there").1;
    let section = section.split_once("\n## ").map_or(section, |(section, _)| section);
    let opening = format!("```{language}\n");
    section.split(&opening).skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// An empty crate, with what the README says put into it.
struct Crate(Scratch);

impl Crate {
    fn new(test: &str) -> Self {
        let krate = Self(Scratch::new().expect("a folder"));
        let dependencies = blocks("toml")[0].replace("../stillpoint", &repository().display().to_string());
        // As this workspace has it, so that what it depends on is built once.
        let ours = ["engine", "sim-tests"].map(|name| format!("[profile.dev.package.stillpoint-{name}]\ndebug = \"line-tables-only\"\n"));
        let profile = format!("[profile.dev.package.\"*\"]\ndebug = false\n{}[profile.test]\nopt-level = 1\n", ours.concat());
        let manifest = format!("[package]\nname = \"mine\"\nedition = \"2024\"\n\n{dependencies}\n{profile}");
        fs::create_dir(krate.path("src")).and_then(|()| fs::create_dir(krate.path("tests"))).expect("folders");
        for (file, text) in [("Cargo.toml", manifest.as_str()), ("src/lib.rs", ""), ("tests/book.rs", test)] {
            fs::write(krate.path(file), text).expect("a file");
        }
        fs::copy(repository().join("Cargo.lock"), krate.path("Cargo.lock")).expect("the versions of this workspace");
        krate
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn test(&self) -> (Output, String) {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["test", "--offline", "--test", "book", "--", "--nocapture"]).current_dir(self.0.path());
        let output = cargo.env("CARGO_TARGET_DIR", target).env_remove("RUST_BACKTRACE").output().expect("cargo starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output, text)
    }
}

/// Lines of the README that the program did not say.
fn missing<'s>(shown: &'s str, said: &str) -> Vec<&'s str> {
    shown.lines().filter(|line| !said.lines().any(|other| other.trim_end() == line.trim_end())).collect()
}

#[test]
fn the_test_of_the_readme_runs_in_an_empty_crate() {
    let (rust, shown) = (blocks("rust"), blocks("text"));
    let krate = Crate::new(&rust[0]);
    let (passed, said) = krate.test();
    assert!(passed.status.success() && said.contains("test my_book_is_deterministic ... ok"), "{said}");
    assert_eq!(missing(&shown[0], &said), [""; 0], "{said}");

    fs::write(krate.path("tests/book.rs"), rust[0].replace("BTreeMap", "HashMap")).expect("a file");
    let (failed, said) = krate.test();
    assert!(!failed.status.success(), "{said}");
    // What chance decides: which price comes first in which run, and how many tries it took.
    let stable: String = shown[1]
        .lines()
        .filter(|line| !["A  ", "B  ", "shrunk "].iter().any(|head| line.starts_with(head)))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(missing(&stable, &said), [""; 0], "{said}");
    let saved = fs::read_dir(krate.path("scenarios/book")).expect("the folder was made").count();
    assert_eq!(saved, 1, "{said}");

    fs::write(krate.path("tests/book.rs"), &rust[0]).expect("a file");
    let (mended, said) = krate.test();
    assert!(mended.status.success() && said.contains("64 cases of seed 22289, 1 saved ones"), "{said}");
}
