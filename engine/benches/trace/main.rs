//! What it costs to write a trace of ten million records, and to compare it with another one: `cargo bench -p stillpoint-engine --bench
//! trace [-- --json]`. Without `--bench`, which `cargo bench` adds, it is done once and small: `cargo test` then shows that it works.

#[path = "../kernel/random.rs"]
#[expect(dead_code, reason = "the kernel's workloads use the rest")]
mod random;
mod world;

use std::path::{Path, PathBuf};

use nix::time::{ClockId, clock_gettime};
use stillpoint_engine::trace::{Comparison, Text, Writer, diff};

use world::{Change, run};

/// The most seconds that a comparison may take.
const LIMIT: f64 = 2.0;

/// What was measured, in which unit, and the most that it should be.
struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
    limit: Option<f64>,
}

fn seconds(clock: ClockId) -> f64 {
    let time = clock_gettime(clock).expect("a clock of the system");
    time.tv_sec() as f64 + time.tv_nsec() as f64 * 1e-9
}

fn measured<T>(clock: ClockId, work: impl FnOnce() -> T) -> (f64, T) {
    let start = seconds(clock);
    let done = work();
    (seconds(clock) - start, done)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Runs with a trace file; gives the CPU seconds and the file.
fn write(folder: &Path, records: u64, name: &str, change: Change, text: Text) -> (f64, PathBuf) {
    let file = folder.join(name);
    let writer = Writer::create(&file, text).expect("a file");
    let (cpu, _) = measured(ClockId::CLOCK_PROCESS_CPUTIME_ID, || run(records, change, Some(Box::new(writer))));
    (cpu, file)
}

/// Compares two files several times, after once: the page cache is warm. Gives the median of the seconds on the wall.
fn compared(a: &Path, b: &Path, rounds: usize) -> (f64, Comparison) {
    let compare = || diff(a, b).expect("two traces");
    let comparison = compare();
    (median((0..rounds).map(|_| measured(ClockId::CLOCK_MONOTONIC, compare).0).collect()), comparison)
}

fn main() {
    let full = std::env::args().any(|argument| argument == "--bench");
    let json = std::env::args().any(|argument| argument == "--json");
    let (records, rounds) = if full { (10_000_000, 5) } else { (20_000, 1) };
    let folder = tempfile::tempdir().expect("a folder");

    let (bare, _) = measured(ClockId::CLOCK_PROCESS_CPUTIME_ID, || run(records, Change::Nothing, None));
    let (cpu, plain) = write(folder.path(), records, "plain.trace", Change::Nothing, Text::Omit);
    let size = std::fs::metadata(&plain).expect("a file").len() as f64;
    let (equal, comparison) = {
        let (_, again) = write(folder.path(), records, "again.trace", Change::Nothing, Text::Omit);
        compared(&plain, &again, rounds)
    };
    assert!(comparison.is_equal(), "{comparison}");
    let count = comparison.a.records as f64;
    let figure = |name, value, unit, limit| Figure { name, value, unit, limit };
    let mut figures = vec![
        figure("records", count, "records", None),
        figure("run-without-trace", bare * 1e9 / count, "ns_per_record", None),
        figure("run-with-trace", cpu * 1e9 / count, "ns_per_record", None),
        figure("write", (cpu - bare) * 1e9 / count, "ns_per_record", None),
        figure("size", size / count, "bytes_per_record", None),
        figure("diff-equal", equal, "s", Some(LIMIT)),
    ];
    let mut explained = Vec::new();
    for (name, change) in [
        ("diff-first-percent", Change::Note(1)),
        ("diff-middle", Change::Note(50)),
        ("diff-last-percent", Change::Note(99)),
        ("diff-cause-at-start", Change::Alarm),
        ("diff-cause-in-stream", Change::Item),
    ] {
        let (_, changed) = write(folder.path(), records, "changed.trace", change, Text::Omit);
        let (seconds, comparison) = compared(&plain, &changed, rounds);
        let difference = comparison.difference.expect("a difference");
        explained.push(format!("{name}: {difference}"));
        figures.push(figure(name, seconds, "s", Some(LIMIT)));
    }
    let (_, plain) = write(folder.path(), records, "plain.trace", Change::Nothing, Text::Keep);
    let (_, changed) = write(folder.path(), records, "changed.trace", Change::Alarm, Text::Keep);
    figures.push(figure("size-with-text", std::fs::metadata(&plain).expect("a file").len() as f64 / count, "bytes_per_record", None));
    figures.push(figure("diff-with-text", compared(&plain, &changed, rounds).0, "s", Some(LIMIT)));
    if json {
        let objects = figures
            .iter()
            .map(|Figure { name, value, unit, .. }| format!(r#"  {{"name": "{name}", "value": {value:.3}, "unit": "{unit}"}}"#));
        println!("[\n{}\n]", objects.collect::<Vec<_>>().join(",\n"));
        return;
    }
    println!("{:<22} {:>14} {:<18} limit", "name", "value", "unit");
    for Figure { name, value, unit, limit } in &figures {
        let limit = limit.map_or(String::new(), |limit| limit.to_string());
        println!("{name:<22} {value:>14.3} {unit:<18} {limit}");
    }
    explained.iter().for_each(|text| println!("\n{text}"));
}
