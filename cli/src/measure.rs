//! What a run cost: the program's clocks, outside every simulation.
#![expect(clippy::disallowed_methods, reason = "what a run costs is measured in real time, after and around it")]

use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// The clocks when a run began.
pub(crate) struct Stopwatch {
    wall: Instant,
    cpu_seconds: f64,
}

/// The cost of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) wall_seconds: f64,
    /// Of all threads, user and system.
    pub(crate) cpu_seconds: f64,
    /// The most memory that the process ever held.
    pub(crate) peak_rss_bytes: u64,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self { wall: Instant::now(), cpu_seconds: usage().0 }
    }

    pub(crate) fn stop(&self) -> Cost {
        let (cpu_seconds, peak_rss_bytes) = usage();
        Cost { wall_seconds: self.wall.elapsed().as_secs_f64(), cpu_seconds: cpu_seconds - self.cpu_seconds, peak_rss_bytes }
    }
}

/// A clock in nanoseconds, for metrics.
pub(crate) fn nanos() -> impl FnMut() -> u64 {
    let start = Instant::now();
    move || start.elapsed().as_nanos() as u64
}

/// CPU seconds and the peak of resident memory; zeros where the system does not tell.
fn usage() -> (f64, u64) {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return (0.0, 0) };
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    // The unit of macOS is a byte, of the others a KiB.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    let max_rss = usage.max_rss() as u64 * unit;
    (micros as f64 / 1e6, high_water_mark().unwrap_or(max_rss))
}

/// `VmHWM` of proc_pid_status(5), in bytes, where there is such a file. On Linux the `ru_maxrss` of getrusage(2) begins with the peak of
/// the parent process, so that a small run started by a large shell would seem large.
fn high_water_mark() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix("kB")?;
    Some(kibibytes.trim().parse::<u64>().ok()? * 1024)
}

/// How many threads the machine runs at once.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
