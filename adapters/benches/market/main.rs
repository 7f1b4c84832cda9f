//! What markets cost, one line a workload, next to a floor: the same items in a loop that does the least that must be done with them.
//!
//! `cargo bench -p stillpoint-adapters --bench market [-- FILTER] [--json] [--once]` measures the workloads whose names contain FILTER. Everything is read
//! into memory before. Changes of depth are those of recordings that do not ship: `STILLPOINT_DATA` names the folder that has them in `binance-l2`,
//! and without it these workloads are left out. Without `--bench`, which `cargo bench` adds, each is run once and small: `cargo test` then shows
//! that the bench works.
#![expect(clippy::disallowed_methods, reason = "a bench finds its data by the environment")]

mod depth;
mod measure;
mod pairs;
mod positions;
mod quotes;

use std::path::PathBuf;

use depth::{Trading, assets};
use measure::{Cost, Ready, cost, measured, median};

/// What to do.
struct Options {
    json: bool,
    full: bool,
    /// One round instead of five: under a profiler, which counts instructions, there is no need of more.
    once: bool,
    filter: String,
}

/// One line: a figure, next to what it should be at most or (where more is better) at least.
struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
    goal: f64,
    /// The floor and the ratio to it, if there is one.
    floor: Option<(f64, f64)>,
}

fn main() {
    let mut options = Options { json: false, full: false, once: false, filter: String::new() };
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--json" => options.json = true,
            "--bench" => options.full = true,
            "--once" => options.once = true,
            option if option.starts_with(measure::CHILD) => {
                let events = option[measure::CHILD.len()..].parse().expect("a number of events");
                return measure::replay_and_print_peak(events);
            }
            option if option.starts_with('-') => {}
            filter => options.filter = filter.to_owned(),
        }
    }
    let mut figures = Vec::new();
    for (name, make) in GROUPS {
        if name.iter().any(|name| name.contains(&options.filter)) {
            make(&options, &mut figures);
        }
    }
    print(&options, &figures);
}

/// The workloads that share what they need, and what measures them.
type Group = (&'static [&'static str], fn(&Options, &mut Vec<Figure>));

const GROUPS: [Group; 4] = [
    (&["quotes-cross", "quotes-three", "quotes-memory"], quotes_group),
    (&["positions-10", "positions-10000", "positions-ratio"], positions_group),
    (&["depth-one", "depth-four", "depth-grid"], depth_group),
    (&["pairs", "pairs-runs"], pairs_group),
];

impl Options {
    fn wants(&self, name: &str) -> bool {
        name.contains(&self.filter)
    }

    fn rounds(&self) -> usize {
        if self.full && !self.once { 5 } else { 1 }
    }

    /// Measures a workload against its floor, if it is wanted.
    fn compare(
        &self,
        figures: &mut Vec<Figure>,
        (name, unit, goal): (&'static str, &'static str, f64),
        floor: &dyn Fn() -> Ready,
        engine: &dyn Fn() -> Ready,
    ) {
        if self.wants(name) {
            let Cost { ns, floor_ns, ratio } = cost(name, floor, engine, self.rounds());
            figures.push(Figure { name, value: ns, unit, goal, floor: Some((floor_ns, ratio)) });
        }
    }
}

fn quotes_group(options: &Options, figures: &mut Vec<Figure>) {
    let count = if options.full { 1_000_000 } else { 20_000 };
    let quotes = quotes::walk(count);
    for (name, goal, strategies) in [("quotes-cross", 120.0, &quotes::ONE[..]), ("quotes-three", 250.0, &quotes::THREE[..])] {
        let floor = || quotes::floor(quotes.clone(), strategies);
        options.compare(figures, (name, "ns an event", goal), &floor, &|| quotes::engine(quotes.clone(), strategies));
    }
    if options.wants("quotes-memory")
        && let Some(value) = measure::bytes_per_event(count.max(200_000))
    {
        figures.push(Figure { name: "quotes-memory", value, unit: "bytes an event", goal: 64.0, floor: None });
    }
}

fn positions_group(options: &Options, figures: &mut Vec<Figure>) {
    let count = if options.full { 300_000 } else { 2_000 };
    let many = if options.full { 10_000 } else { 200 };
    let (mut few_ns, mut many_ns, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let costs = |positions, name| {
        let is_wanted = options.wants(name) || options.wants("positions-ratio");
        is_wanted.then(|| {
            let (ns, events) = measured(positions::engine(positions, count));
            assert_eq!(events, count);
            ns
        })
    };
    for _ in 0..options.rounds() {
        let (few, many) = (costs(10, "positions-10"), costs(many, "positions-10000"));
        few_ns.extend(few);
        many_ns.extend(many);
        ratios.extend(few.zip(many).map(|(few, many)| many / few));
    }
    let mut figure = |name, values, unit, goal| {
        if options.wants(name) {
            figures.push(Figure { name, value: median(values), unit, goal, floor: None });
        }
    };
    figure("positions-10", few_ns, "ns an event", f64::INFINITY);
    figure("positions-10000", many_ns, "ns an event", f64::INFINITY);
    figure("positions-ratio", ratios, "times", 1.3);
}

fn depth_group(options: &Options, figures: &mut Vec<Figure>) {
    let data: Option<PathBuf> = std::env::var_os("STILLPOINT_DATA").map(|folder| PathBuf::from(folder).join("binance-l2"));
    let count = if !options.full || !options.wants("depth-four") { 1 } else { 4 };
    let Some(assets) = assets(data.as_ref(), count) else {
        eprintln!("left out: changes of depth, since STILLPOINT_DATA names no folder with data");
        return;
    };
    let unit = "ns a row";
    let one = &assets[..1];
    options.compare(figures, ("depth-one", unit, 90.0), &|| depth::floor(one), &|| depth::engine(one, Trading::Maker));
    if count == 4 {
        options.compare(figures, ("depth-four", unit, 110.0), &|| depth::floor(&assets), &|| depth::engine(&assets, Trading::Maker));
    }
    options.compare(figures, ("depth-grid", unit, 110.0), &|| depth::floor(one), &|| depth::engine(one, Trading::Grid));
}

/// How many pairs share a run: their states then lie in the processor's cache, and the kernel tells each bar to all of them at once.
const TOGETHER: usize = 99;

fn pairs_group(options: &Options, figures: &mut Vec<Figure>) {
    let daily = pairs::daily();
    let all = pairs::pairs();
    let pairs = if options.full { &all[..] } else { &all[..33] };
    let work = (pairs.len() * daily.bars.len()) as u64;
    let engine = || -> Ready {
        let (daily, pairs) = (daily.clone(), pairs.to_vec());
        Box::new(move || {
            let fills: u64 = pairs.chunks(TOGETHER).map(|together| pairs::run(&daily, together).1).sum();
            assert!(fills > 10 * pairs.len() as u64, "{fills} fills of {} pairs", pairs.len());
            work
        })
    };
    let closes = pairs::closes(&daily);
    let floor = || -> Ready {
        let (closes, pairs) = (closes.clone(), pairs.to_vec());
        Box::new(move || {
            let equity: i128 = pairs.iter().map(|pair| pairs::naive(&closes, *pair)).sum();
            std::hint::black_box(equity);
            work
        })
    };
    let step = pairs.len() / 20;
    for (together, chunk) in pairs.chunks(TOGETHER).enumerate() {
        let (equities, _) = pairs::run(&daily, chunk);
        for (index, (pair, equity)) in chunk.iter().zip(equities).enumerate() {
            if (together * TOGETHER + index).is_multiple_of(step) {
                assert_eq!(pairs::run(&daily, &[*pair]).0, [equity], "the pair {pair:?} alone");
            }
        }
    }
    let Cost { ns, floor_ns, ratio } = cost("pairs", &floor, &engine, options.rounds());
    if options.wants("pairs") {
        figures.push(Figure { name: "pairs", value: ns, unit: "ns a bar and run", goal: 47.0, floor: Some((floor_ns, ratio)) });
    }
    if options.wants("pairs-runs") {
        let runs = 1e9 / (ns * daily.bars.len() as f64);
        figures.push(Figure { name: "pairs-runs", value: runs, unit: "runs a second", goal: 10_000.0, floor: None });
    }
}

fn print(options: &Options, figures: &[Figure]) {
    if options.json {
        let objects = figures.iter().map(|Figure { name, value, unit, goal, floor }| {
            let goal = if goal.is_finite() { format!(r#", "goal": {goal}"#) } else { String::new() };
            let floor = floor.map_or(String::new(), |(ns, ratio)| format!(r#", "floor_ns": {ns:.2}, "ratio": {ratio:.3}"#));
            format!(r#"  {{"name": "{name}", "value": {value:.2}, "unit": "{unit}"{goal}{floor}}}"#)
        });
        println!("[\n{}\n]", objects.collect::<Vec<_>>().join(",\n"));
        return;
    }
    println!("{:<16} {:>10} {:<16} {:>8} {:>9} {:>6}", "name", "value", "unit", "goal", "floor_ns", "ratio");
    for Figure { name, value, unit, goal, floor } in figures {
        let goal = if goal.is_finite() { format!("{goal}") } else { "none".to_owned() };
        let (floor, ratio) = floor.map_or_else(<(String, String)>::default, |(ns, ratio)| (format!("{ns:.1}"), format!("{ratio:.2}")));
        println!("{name:<16} {value:>10.1} {unit:<16} {goal:>8} {floor:>9} {ratio:>6}");
    }
}
