//! What whoever runs the tests asks for through the environment, and this program run again in another one. Invariant: without a wish,
//! nothing of the system is used.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::disturb;

/// Where the seed of generated cases is asked for: a number, or `random` for one from the system.
pub(crate) const SEED: &str = "STILLPOINT_SEED";
/// How many cases are generated.
pub(crate) const CASES: &str = "STILLPOINT_CASES";
/// A file with the one case that is to be run.
pub(crate) const CASE: &str = "STILLPOINT_CASE";
/// The folder in which a parent process waits for answers.
pub(crate) const CHILD: &str = "STILLPOINT_CHILD";

/// What a variable says, as a number. Panics if it says something else.
pub(crate) fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    if variable == SEED && text == "random" {
        return Some(system_number());
    }
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no whole number")))
}

/// What a variable says, as a path.
pub(crate) fn path(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from)
}

/// A number that no other process gets, from the system: only for who asked for it.
fn system_number() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
    now ^ u64::from(std::process::id()) << 32
}

/// The name of the test that runs on this thread, where the test harness gave it a thread of its own.
pub(crate) fn test_name() -> Option<String> {
    std::thread::current().name().filter(|name| *name != "main").map(str::to_owned)
}

/// Runs this very program again, in another environment, so that it answers what lies in `folder`. With a test's name that test alone.
pub(crate) fn run_again(test: Option<&str>, folder: &Path) -> io::Result<std::process::Output> {
    let mut command = Command::new(std::env::current_exe()?);
    match test {
        Some(test) => command.args([test, "--exact", "--include-ignored", "--nocapture"]),
        None => command.args(std::env::args_os().skip(1).collect::<Vec<OsString>>()),
    };
    for variable in [SEED, CASES, CASE] {
        command.env_remove(variable);
    }
    disturb(&mut command, folder).env(CHILD, folder).stdin(Stdio::null()).output()
}
