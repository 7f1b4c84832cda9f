//! The kit's edge: what whoever runs the tests may ask for, fresh processes, addresses, and quiet panics. Invariant: nothing here
//! reaches a simulation but through a canary's own fault.
#![expect(
    clippy::disallowed_methods,
    reason = "seeds and files are asked for through the environment, and processes are started with another one"
)]

use std::ffi::OsString;
use std::io;
use std::panic;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, Once, PoisonError};
use std::thread::ThreadId;

use stillpoint_engine::Rng;

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

/// A new folder for temporary files. It goes away with what is in it when this is dropped.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes a folder that nobody else has.
    ///
    /// # Errors
    /// When the system's folder for temporary files cannot be written.
    pub fn new() -> io::Result<Self> {
        static MADE: Mutex<u32> = Mutex::new(0);
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            *made += 1;
            let folder = std::env::temp_dir().join(format!("stillpoint-kit-{}-{made}", std::process::id()));
            match std::fs::create_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => return made.map(|()| Self(folder)),
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Makes a command run in another environment: time zone, language, user and working directory are not those of this process.
///
/// ```
/// use std::process::Command;
/// let folder = std::env::temp_dir();
/// let mut command = Command::new("a-program");
/// stillpoint_sim_tests::disturb(&mut command, &folder);
/// assert_eq!(command.get_current_dir(), Some(folder.as_path()));
/// assert!(command.get_envs().any(|(name, _)| name == "TZ"));
/// ```
pub fn disturb<'c>(command: &'c mut Command, folder: &Path) -> &'c mut Command {
    let settings =
        [("TZ", "Pacific/Chatham"), ("LANG", "tr_TR.UTF-8"), ("LC_ALL", "tr_TR.UTF-8"), ("USER", "somebody"), ("HOME", "elsewhere")];
    command.envs(settings).env("STILLPOINT_DISTURBED", "1").env_remove("LOGNAME").env_remove("HOSTNAME").current_dir(folder)
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

/// Memory that is held and freed in a pattern, so that what is allocated next lies elsewhere.
pub(crate) fn heap_noise(seed: u64) -> Vec<Vec<u8>> {
    let mut rng = Rng::of(seed, "heap", "noise");
    let mut held: Vec<Vec<u8>> = (0..96).map(|_| Vec::with_capacity(8 + rng.below(200) as usize)).collect();
    held.retain(|_| rng.below(2) == 0);
    held
}

/// Threads whose panics are not printed.
static QUIET: Mutex<Vec<ThreadId>> = Mutex::new(Vec::new());

/// As long as this lives, panics on this thread and on those of hosts are not printed: those of strategies become errors of runs.
pub(crate) struct Quiet(ThreadId);

impl Quiet {
    pub(crate) fn new() -> Self {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                let thread = std::thread::current();
                let quiet = QUIET.lock().unwrap_or_else(PoisonError::into_inner);
                let is_hosts = thread.name().is_some_and(|name| name.starts_with("stillpoint-") || name.starts_with("actix-rt|"));
                let is_quiet = quiet.contains(&thread.id()) || is_hosts && !quiet.is_empty();
                drop(quiet);
                if !is_quiet {
                    before(info);
                }
            }));
        });
        let thread = std::thread::current().id();
        QUIET.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        Self(thread)
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let mut quiet = QUIET.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = quiet.iter().position(|thread| *thread == self.0) {
            quiet.swap_remove(index);
        }
    }
}
