//! CPU time and memory of this process. Invariant: no wall clock, so that other work on the machine counts as little as it can.

use std::process::Command;

use nix::time::{ClockId, clock_gettime};

use stillpoint_engine::Timed;

use crate::workload::{Quote, Ready, Workload, quotes};

/// What a workload costs.
pub(crate) struct Cost {
    pub(crate) ns_per_event: f64,
    pub(crate) floor_ns: f64,
    pub(crate) ratio: f64,
}

/// CPU seconds of all threads of this process so far.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("the CPU clock of this process");
    time.tv_sec() as f64 + time.tv_nsec() as f64 * 1e-9
}

/// Nanoseconds of CPU an event, and the number of events.
fn measure(ready: Ready) -> (f64, u64) {
    let start = cpu_seconds();
    let events = ready();
    ((cpu_seconds() - start) * 1e9 / events as f64, events)
}

/// Runs the floor and the engine in turn and takes medians; the ratio is of runs that followed each other.
///
/// # Panics
/// If the two sides did not handle the same number of events: then they are not the same workload.
pub(crate) fn cost(workload: &Workload, rounds: usize) -> Cost {
    let (mut floors, mut engines, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (floor, expected) = measure((workload.floor)());
        let (engine, events) = measure((workload.engine)());
        assert_eq!(events, expected, "{}: the engine's events, and the floor's", workload.name);
        floors.push(floor);
        engines.push(engine);
        ratios.push(engine / floor);
    }
    Cost { ns_per_event: median(engines), floor_ns: median(floors), ratio: median(ratios) }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The argument that makes this program a child that replays so many quotes and prints its peak of resident memory.
pub(crate) const CHILD: &str = "--peak-of-quotes=";

/// What a child does. It does not ask `getrusage`, whose peak begins with that of the process that started this one.
pub(crate) fn replay_and_print_peak(events: u64) {
    let replayed = crate::engine::merged(quotes(events))();
    assert_eq!(replayed, events);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"));
    println!("{}", peak.unwrap_or("unknown").trim());
}

/// Resident memory an event of a replay from memory, over that of an empty run, each in a process of its own. `None` where the system does
/// not tell.
///
/// # Panics
/// If the figure is less than half of what the quotes themselves take: then it was not measured.
pub(crate) fn bytes_per_event(events: u64) -> Option<f64> {
    let peak_kib = |events: u64| -> Option<f64> {
        let program = std::env::current_exe().expect("the path of this program");
        let output = Command::new(program).arg(format!("{CHILD}{events}")).output().expect("a child process");
        assert!(output.status.success(), "a child failed: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().parse().ok()
    };
    let bytes = (peak_kib(events)? - peak_kib(0)?) * 1024.0 / events as f64;
    let least = size_of::<Timed<Quote>>() as f64;
    // Linux counts resident pages on each processor and adds the counts up now and then, so that a peak may be some hundred KiB off.
    assert!(bytes >= least / 2.0, "{bytes} bytes an event, but a quote alone takes {least}");
    Some(bytes)
}
