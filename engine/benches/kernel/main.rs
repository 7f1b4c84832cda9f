//! The cost of the kernel, one line a workload, next to that of a fixed floor measured in the same minute.
//!
//! `cargo bench -p stillpoint-engine --bench kernel [-- FILTER] [--json]` measures the workload named FILTER, or those whose names
//! contain it; `phold-alone`, which tells what no engine can save, only by its whole name. Without
//! `--bench`, which `cargo bench` adds, each is run once and small: `cargo test` then shows that the bench works.

mod engine;
mod floor;
mod measure;
mod random;
mod workload;

use measure::Cost;
use workload::Workload;

/// What to do.
struct Options {
    json: bool,
    full: bool,
    filter: String,
}

fn main() {
    let mut options = Options { json: false, full: false, filter: String::new() };
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--json" => options.json = true,
            "--bench" => options.full = true,
            option if option.starts_with(measure::CHILD) => {
                let events = option[measure::CHILD.len()..].parse().expect("a number of events");
                return measure::replay_and_print_peak(events);
            }
            option if option.starts_with('-') => {}
            filter => options.filter = filter.to_owned(),
        }
    }
    run(&options);
}

fn run(options: &Options) {
    let (count, rounds) = if options.full { (1_000_000, 7) } else { (20_000, 1) };
    let mut objects = Vec::new();
    if !options.json {
        println!("{:<14} {:>12} {:>9} {:>6}", "name", "ns_per_event", "floor_ns", "ratio");
    }
    let mut workloads = workload::all(count);
    let exact = workloads.iter().any(|workload| workload.name == options.filter);
    workloads.retain(
        |Workload { name, .. }| {
            if exact { *name == options.filter } else { name.contains(&options.filter) && *name != workload::ALONE }
        },
    );
    for workload in workloads {
        let name = workload.name;
        let Cost { ns_per_event, floor_ns, ratio } = measure::cost(&workload, rounds);
        let bytes = if name == "quotes-empty" { measure::bytes_per_event(count.max(200_000)) } else { None };
        if options.json {
            let memory = bytes.map_or(String::new(), |bytes| format!(r#", "bytes_per_event": {bytes:.1}"#));
            objects.push(format!(
                r#"  {{"name": "{name}", "ns_per_event": {ns_per_event:.2}, "floor_ns": {floor_ns:.2}, "ratio": {ratio:.3}{memory}}}"#
            ));
        } else {
            let goal = workload.goal.map_or(String::new(), |goal| format!("  (goal: ratio {goal})"));
            let memory = bytes.map_or(String::new(), |bytes| format!("  {bytes:.1} bytes an event  (goal: 60 ns and 64 bytes an event)"));
            println!("{name:<14} {ns_per_event:>12.1} {floor_ns:>9.1} {ratio:>6.2}{goal}{memory}");
        }
    }
    if options.json {
        println!("[\n{}\n]", objects.join(",\n"));
    }
}
