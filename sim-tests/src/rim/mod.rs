//! The kit's edge: other environments, folders for temporary files, addresses, and quiet panics. Invariant: nothing here reaches a
//! simulation but through a fault of its own.
#![expect(clippy::disallowed_methods, reason = "files lie in the system's folder for them, and a panic is known by its thread")]

#[cfg(feature = "proptest")]
pub(crate) mod asked;

use std::io;
use std::panic;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, Once, PoisonError};
use std::thread::ThreadId;

use stillpoint_engine::Rng;

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
