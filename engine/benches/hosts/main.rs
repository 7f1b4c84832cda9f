//! How much faster two threads are than one, by the work of an event and the work in a window, next to what the machine itself gives.
//!
//! `cargo bench -p stillpoint-engine --bench hosts [-- --json] [--rounds N] [--seconds S] [--threads N] [--work NS]
//! [--window US]`, the last two for one row or column of the table. Each cell is the
//! median over rounds, each a run on every host, one after the other; `of better` is how fast the automatic host was next to the better of
//! the two that it chooses from, in the same rounds. The control is the same for two loops that know nothing of each other. Without `--bench`, which `cargo bench` adds, everything is run once and small.
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

mod work;

use std::time::Instant as WallInstant;

use stillpoint_engine::host::{Host, Launch};
use stillpoint_engine::trace::TraceHash;
use work::{Hopping, Pace, spin};

/// The work of one event, in nanoseconds.
const WORK_NS: [u64; 4] = [0, 100, 1_000, 10_000];
/// The work in one window, on one thread, in microseconds.
const WINDOW_US: [u64; 3] = [5, 100, 1_000];
/// What an event costs beside its work, roughly, in nanoseconds.
const KERNEL_NS: u64 = 130;

struct Options {
    json: bool,
    full: bool,
    rounds: usize,
    seconds: f64,
    threads: usize,
    work_ns: Option<u64>,
    window_us: Option<u64>,
}

fn options() -> Options {
    let mut options = Options { json: false, full: false, rounds: 11, seconds: 0.3, threads: 2, work_ns: None, window_us: None };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|text| text.parse::<f64>().ok()).expect("a number after the option");
        match argument.as_str() {
            "--json" => options.json = true,
            "--bench" => options.full = true,
            "--rounds" => options.rounds = number() as usize,
            "--seconds" => options.seconds = number(),
            "--threads" => options.threads = number() as usize,
            "--work" => options.work_ns = Some(number() as u64),
            "--window" => options.window_us = Some(number() as u64),
            _ => {}
        }
    }
    if !options.full {
        (options.rounds, options.seconds) = (1, 0.002);
    }
    options
}

/// One cell: its work, and the medians of how much faster than inline each host was.
struct Cell {
    remote: u32,
    work_ns: u64,
    window_us: u64,
    inline_ms: f64,
    actix: f64,
    auto: f64,
    of_better: f64,
    crossing: f64,
}

fn main() {
    let options = options();
    let pace = Pace::measure();
    let control = median((0..options.rounds).map(|_| control(pace, options.seconds)));
    if !options.json {
        println!("two loops that know nothing of each other: {control:.2} times as fast on two threads as on one");
        println!("{:>8} {:>9} {:>10} {:>10} {:>9} {:>9} {:>10}", "work", "window", "crossing", "inline", "actix", "auto", "of better");
    }
    let mut cells = Vec::new();
    for (remote, name) in [(10, "10 % of the messages cross"), (0, "nothing crosses")] {
        if !options.json {
            println!("{name}");
        }
        for work_ns in WORK_NS {
            for window_us in if remote > 0 { &WINDOW_US[..] } else { &WINDOW_US[1..2] } {
                let is_asked = |asked: Option<u64>, this| asked.is_none_or(|asked| asked == this);
                if !is_asked(options.work_ns, work_ns) || !is_asked(options.window_us, *window_us) {
                    continue;
                }
                let cell = cell(&options, pace, remote, work_ns, *window_us);
                if !options.json {
                    let Cell { inline_ms, actix, auto, of_better, crossing, .. } = cell;
                    let percent = crossing * 100.0;
                    println!(
                        "{work_ns:>5} ns {window_us:>6} us {percent:>8.1} % {inline_ms:>7.1} ms {actix:>8.2}x {auto:>8.2}x {of_better:>10.3}"
                    );
                }
                cells.push(cell);
            }
        }
    }
    if options.json {
        print_json(control, &cells);
    }
}

fn print_json(control: f64, cells: &[Cell]) {
    let rows = cells.iter().map(|cell| {
        let Cell { remote, work_ns, window_us, inline_ms, actix, auto, of_better, crossing } = cell;
        format!(
            r#"    {{"remote_percent": {remote}, "work_ns": {work_ns}, "window_us": {window_us}, "inline_ms": {inline_ms:.2}, "actix": {actix:.3}, "auto": {auto:.3}, "of_better": {of_better:.3}, "crossing": {crossing:.3}}}"#
        )
    });
    let rows: Vec<String> = rows.collect();
    println!("{{\n  \"control\": {control:.3},\n  \"cells\": [\n{}\n  ]\n}}", rows.join(",\n"));
}

fn cell(options: &Options, pace: Pace, remote: u32, work_ns: u64, window_us: u64) -> Cell {
    let event_ns = work_ns + KERNEL_NS;
    let hopping = Hopping {
        remote,
        spins: pace.spins(work_ns),
        // So many events fall into one window.
        events_in_window: (window_us * 1_000) as f64 / event_ns as f64,
        events: (options.seconds * 1e9 / event_ns as f64) as u64,
    };
    let time = |host: Host| -> (f64, TraceHash) {
        let begun = WallInstant::now();
        let outcome = Launch::new(move || hopping.build()).host(host).run().expect("a run without an end of its own");
        (begun.elapsed().as_secs_f64(), outcome.trace_hash)
    };
    let threads = options.threads;
    let hosts = [Host::Inline, Host::Actix { threads }, Host::Auto { threads }];
    let rounds: Vec<[f64; 3]> = (0..options.rounds)
        .map(|_| {
            let [(inline, expected), (actix, of_actix), (auto, of_auto)] = hosts.map(time);
            assert_eq!([of_actix, of_auto], [expected; 2], "a host can be seen in the trace");
            [inline, actix, auto]
        })
        .collect();
    let speed_up = |host: usize| median(rounds.iter().map(|times| times[0] / times[host]));
    let (actix, auto) = (speed_up(1), speed_up(2));
    let better = usize::from(actix > 1.0);
    Cell {
        remote,
        work_ns,
        window_us,
        inline_ms: median(rounds.iter().map(|times| times[0])) * 1e3,
        actix,
        auto,
        of_better: median(rounds.iter().map(|times| times[better] / times[2])),
        crossing: hopping.crossing(),
    }
}

/// How much faster two loops are on two threads than one after the other.
fn control(pace: Pace, seconds: f64) -> f64 {
    let spins = pace.spins((seconds * 1e9) as u64);
    let begun = WallInstant::now();
    spin(spins);
    spin(spins);
    let one = begun.elapsed().as_secs_f64();
    let begun = WallInstant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| spin(spins));
        spin(spins);
    });
    one / begun.elapsed().as_secs_f64()
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
