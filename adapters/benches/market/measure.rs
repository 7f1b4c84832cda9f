//! CPU time and memory of this process. Invariant: no wall clock, so that other work on the machine counts as little as it can.

use std::process::Command;

use nix::time::{ClockId, clock_gettime};

use crate::quotes;

/// One side of a workload, set up. Calling it, once, does the work and gives how much it was, in the workload's unit. What it leaves is dropped
/// after the measurement.
pub(crate) type Ready = Box<dyn FnMut() -> u64>;

/// What a workload costs.
pub(crate) struct Cost {
    pub(crate) ns: f64,
    pub(crate) floor_ns: f64,
    pub(crate) ratio: f64,
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("the CPU clock of this process");
    time.tv_sec() as f64 + time.tv_nsec() as f64 * 1e-9
}

/// Nanoseconds of CPU for one, and how many there were. A function of its own, by whose name a profiler tells what is measured from what
/// is set up.
#[inline(never)]
pub(crate) fn measured(mut ready: Ready) -> (f64, u64) {
    let start = cpu_seconds();
    let count = ready();
    ((cpu_seconds() - start) * 1e9 / count as f64, count)
}

/// Runs floor and engine in turn and takes medians; the ratio is of runs that followed each other.
///
/// # Panics
/// If the two sides did not do the same amount of work.
pub(crate) fn cost(name: &str, floor: &dyn Fn() -> Ready, engine: &dyn Fn() -> Ready, rounds: usize) -> Cost {
    let (mut floors, mut engines, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (floor, expected) = measured(floor());
        let (engine, count) = measured(engine());
        assert_eq!(count, expected, "{name}: the engine's count, and the floor's");
        floors.push(floor);
        engines.push(engine);
        ratios.push(engine / floor);
    }
    Cost { ns: median(engines), floor_ns: median(floors), ratio: median(ratios) }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The argument that makes this program a child that replays so many quotes and prints its peak of resident memory.
pub(crate) const CHILD: &str = "--peak-of-quotes=";

/// What a child does. It does not ask `getrusage`, whose peak begins with that of the process that started this one.
pub(crate) fn replay_and_print_peak(events: u64) {
    let replayed = quotes::engine(quotes::walk(events), &quotes::ONE)();
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
    let least = size_of::<stillpoint_engine::Timed<stillpoint_actors::Quote>>() as f64;
    // Linux counts resident pages on each processor and adds the counts up now and then, so that a peak may be some hundred KiB off.
    assert!(bytes >= least / 2.0, "{bytes} bytes an event, but a quote alone takes {least}");
    Some(bytes)
}
