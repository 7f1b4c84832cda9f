//! What the store costs: a table of ten million ticks, small appends, many symbols.
//!
//! `cargo bench -p stillpoint-store [-- --json] [--rows N] [--only large|appends|symbols]`. A line a workload: its name, the figure, its unit, and the limit it is held to. Rates are per
//! second of one core's time; without `--bench`, which `cargo bench` adds, everything is run once and small.
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant as WallInstant;

use nix::sys::resource::{UsageWho, getrusage};
use stillpoint_engine::Instant;
use stillpoint_store::files::FileWriter;
use stillpoint_store::{
    AsOf, Bucket, Cache, DateRange, Kind, ReadOptions, Store, StoreOptions, Symbols, SystemClock, Table, VersionLibrary, WriteOptions,
};

struct Options {
    json: bool,
    rows: u64,
    appends: u64,
    symbols: u64,
    /// The part that is run; `None`: all.
    only: Option<String>,
}

fn options() -> Options {
    let mut options = Options { json: false, rows: 200_000, appends: 64, symbols: 50, only: None };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => options.json = true,
            "--bench" => (options.rows, options.appends, options.symbols) = (10_000_000, 10_000, 10_000),
            "--rows" => options.rows = arguments.next().and_then(|text| text.parse().ok()).expect("a number after --rows"),
            "--only" => options.only = arguments.next(),
            _ => {}
        }
    }
    options
}

/// Seconds of processor time that this process has used.
fn cpu() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("the system tells");
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 * 1e-6;
    seconds(usage.user_time()) + seconds(usage.system_time())
}

struct Report {
    json: bool,
    lines: Vec<String>,
}

impl Report {
    fn line(&mut self, name: &str, figure: f64, unit: &str, limit: &str) {
        if !self.json {
            println!("{name:<44} {figure:>12.2} {unit:<14} {limit}");
        }
        self.lines.push(format!(r#"{{"name": "{name}", "figure": {figure:.4}, "unit": "{unit}", "limit": "{limit}"}}"#));
    }
}

/// Ticks as markets have them: irregular instants, prices that walk in cents, sizes and sides. Always the same.
fn ticks(rows: u64) -> Table {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let (mut at, mut cents) = (1_600_000_000_000_000_000i64, 1_000_000i64);
    let (mut times, mut prices, mut sizes, mut sides) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rows {
        let draw = random();
        at += 1_000 * (1 + (draw % 2_000) as i64);
        cents += (draw >> 16) as i64 % 3 - 1;
        times.push(Instant::from_nanos(at));
        prices.push(cents as f64 / 100.0);
        sizes.push(1 + ((draw >> 32) % 100) as u32);
        sides.push((draw >> 48) as u8 & 1);
    }
    Table::at(times).column("price", prices).column("size", sizes).column("side", sides).finish().expect("rows in order")
}

/// `--export FILE`: the table, for benches of other programs.
fn export(table: &Table) {
    let Some(file) = std::env::args().skip_while(|argument| argument != "--export").nth(1) else { return };
    let mut writer = FileWriter::create(Path::new(&file), None, table.schema()).expect("a file");
    table.batches().iter().try_for_each(|batch| writer.write(batch)).expect("written");
    writer.finish().expect("written");
}

fn store(folder: &Path, synced: bool, cache: Cache) -> Store {
    let objects = Arc::new(Bucket::folder(folder, synced).expect("a folder"));
    let options = StoreOptions { clock: Arc::new(SystemClock), cache, background: None, writer: None };
    Store::open(objects, options).expect("a store")
}

fn library(folder: &Path, synced: bool, cache: Cache) -> VersionLibrary {
    let store = store(folder, synced, cache);
    store.create_with_quota("bench", Kind::Version, 0).expect("a new library");
    store.versions("bench").expect("it is there")
}

fn best(times: usize, mut work: impl FnMut()) -> f64 {
    let runs = (0..times).map(|_| {
        let begun = cpu();
        work();
        cpu() - begun
    });
    runs.fold(f64::MAX, f64::min)
}

fn quantile(mut times: Vec<f64>, part: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    times[((times.len() - 1) as f64 * part) as usize]
}

/// How long each call takes, in microseconds.
fn each(times: u64, mut work: impl FnMut(u64)) -> Vec<f64> {
    let timed = (0..times).map(|number| {
        let begun = WallInstant::now();
        work(number);
        begun.elapsed().as_secs_f64() * 1e6
    });
    timed.collect()
}

fn large_table(options: &Options, report: &mut Report) {
    let folder = tempfile::tempdir().expect("a folder");
    let library = library(folder.path(), false, Cache::new(1 << 30));
    let (table, rows) = (ticks(options.rows), options.rows as f64);
    export(&table);
    let seconds = best(3, || _ = library.write("ticks", &table, &WriteOptions::default().prune()).expect("written"));
    report.line("write", rows / seconds / 1e6, "M rows/s", ">= 20");
    let files = library.files("ticks", &AsOf::Latest).expect("listed");
    let bytes: u64 = files.iter().map(|file| std::fs::metadata(file).expect("a file").len()).sum();
    report.line("size", bytes as f64 / rows, "bytes a row", "<= 5.6");
    let all = ReadOptions::default().bypass_cache();
    let seconds = best(3, || assert_eq!(library.read("ticks", &all).expect("read").table.rows(), options.rows));
    report.line("read", rows / seconds / 1e6, "M rows/s", ">= 70");
    let times = table.times().expect("a time index");
    let middle = times.len() / 2;
    let (from, to) = (times[middle], times[middle + times.len() / 100]);
    let range = all.clone().range(DateRange::new(from..to).expect("a range"));
    let took = each(21, |_| assert!(library.read("ticks", &range).expect("read").table.rows() > 0));
    report.line("1 % range, median", quantile(took, 0.5) / 1e3, "ms", "<= 4");
    let cached = ReadOptions::default();
    library.read("ticks", &cached).expect("read");
    let mut sum = 0.0;
    let seconds = best(5, || {
        let table = library.read("ticks", &cached).expect("read").table;
        let prices = table.batches().iter().map(|batch| {
            let column =
                batch.column_by_name("price").expect("a column").as_any().downcast_ref::<arrow_array::Float64Array>().expect("floats");
            column.values().iter().sum::<f64>()
        });
        sum = prices.sum();
    });
    assert!(sum > 0.0, "prices were summed, so that the rows were looked at");
    report.line("read from the cache, prices summed", rows / seconds / 1e6, "M rows/s", ">= 200");
}

/// The best time of seven full reads, in seconds, into memory that the process has already.
fn full_read(library: &VersionLibrary, rows: u64) -> f64 {
    let all = ReadOptions::default().bypass_cache();
    // Whether the allocator gives the memory of a table back to the system, which then costs more than all the rest, depends on what
    // chances to lie behind it. So something does.
    let mut behind = Vec::new();
    best(7, || {
        let table = library.read("a", &all).expect("read").table;
        behind.push(vec![1u8; 100_000]);
        assert_eq!(table.rows(), rows);
    })
}

/// The same, of rows that were appended to a store with all its defaults.
fn read_after_usual(appended: &[Table]) -> f64 {
    let folder = tempfile::tempdir().expect("a folder");
    {
        let objects = Arc::new(Bucket::folder(folder.path(), false).expect("a folder"));
        let options = StoreOptions::default();
        let pool = options.background.clone().expect("it is the default");
        let store = Store::open(objects, options).expect("a store");
        store.create_with_quota("bench", Kind::Version, 0).expect("a new library");
        let library = store.versions("bench").expect("it is there");
        appended.iter().for_each(|table| _ = library.upsert("a", table, &WriteOptions::default()).expect("appended"));
        // Its one thread is done with what it had to do before.
        pool.submit(|| ()).wait().expect("done");
    }
    let library = store(folder.path(), false, Cache::new(0)).versions("bench").expect("it is there");
    full_read(&library, appended.iter().map(Table::rows).sum())
}

fn appends(options: &Options, report: &mut Report) {
    let rows: Vec<Table> = {
        let whole = ticks(options.appends * 1_000).whole().expect("one batch");
        (0..options.appends).map(|number| Table::from_batch(whole.slice(number as usize * 1_000, 1_000)).expect("rows")).collect()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let library = library(folder.path(), false, Cache::new(0));
    let took = each(options.appends, |number| _ = library.upsert("a", &rows[number as usize], &WriteOptions::default()).expect("appended"));
    let last = took.len() - (took.len() / 10).max(1);
    report.line("append of 1,000 rows, p50, not synced", quantile(took.clone(), 0.5), "us", "<= 300");
    report.line("the same, last tenth of them", quantile(took[last..].to_vec(), 0.5), "us", "");
    let before = full_read(&library, options.appends * 1_000);
    library.compact("a").expect("compacted");
    let after = full_read(&library, options.appends * 1_000);
    report.line("full read before any compaction, to after", before / after, "times", "<= 1.5");
    report.line("the same, compacted in the background as it is by default", read_after_usual(&rows) / after, "times", "<= 1.5");

    for (synced, name, limit) in [(false, "grouped appends, not synced", ">= 20000"), (true, "grouped appends, synced", ">= 2000")] {
        let folder = tempfile::tempdir().expect("a folder");
        let library = self::library(folder.path(), synced, Cache::new(0));
        const THREADS: u64 = 64;
        let count = options.appends / THREADS;
        let begun = WallInstant::now();
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (library, rows) = (library.clone(), &rows);
                let mine = move || {
                    for number in 0..count {
                        let table = &rows[number as usize % rows.len()];
                        library.upsert(&format!("s{thread}"), table, &WriteOptions::default()).expect("appended");
                    }
                };
                std::thread::Builder::new().spawn_scoped(scope, mine).expect("a thread");
            }
        });
        report.line(name, (count * THREADS) as f64 / begun.elapsed().as_secs_f64(), "appends/s", limit);
    }
}

fn symbols(options: &Options, report: &mut Report) {
    let folder = tempfile::tempdir().expect("a folder");
    let small = ticks(10);
    {
        let library = library(folder.path(), false, Cache::new(0));
        for number in 0..options.symbols {
            library.write(&format!("symbol-{number:05}"), &small, &WriteOptions::default()).expect("written");
        }
        library.write("large", &ticks(10_000), &WriteOptions::default()).expect("written");
        library.checkpoint().expect("written");
    }
    let open = |cache: Cache| store(folder.path(), false, cache).versions("bench").expect("a library");
    report.line("opening a store of 10,000 symbols", quantile(each(11, |_| drop(open(Cache::new(0)))), 0.5) / 1e3, "ms", "<= 50");
    let library = open(Cache::default());
    let took = each(21, |_| assert_eq!(library.list_symbols(&Symbols::default()).expect("listed").len() as u64, options.symbols + 1));
    report.line("list of 10,000 symbols", quantile(took, 0.5) / 1e3, "ms", "<= 1");
    let cold = ReadOptions::default().bypass_cache();
    let took = each(101, |_| assert_eq!(library.read("large", &cold).expect("read").table.rows(), 10_000));
    report.line("latest read of 10,000 rows, decoded anew", quantile(took, 0.5), "us", "<= 100");
    let took = each(101, |_| assert_eq!(library.read("large", &ReadOptions::default()).expect("read").table.rows(), 10_000));
    report.line("latest read of 10,000 rows, from the cache", quantile(took, 0.5), "us", "<= 100");
}

fn main() {
    let options = options();
    let mut report = Report { json: options.json, lines: Vec::new() };
    let is_asked = |name: &str| options.only.as_deref().is_none_or(|only| only == name);
    if is_asked("large") {
        large_table(&options, &mut report);
    }
    if is_asked("appends") {
        appends(&options, &mut report);
    }
    if is_asked("symbols") {
        symbols(&options, &mut report);
    }
    if options.json {
        println!("[\n  {}\n]", report.lines.join(",\n  "));
    }
}
