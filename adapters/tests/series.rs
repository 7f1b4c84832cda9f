//! Several files as one stream: named one by one or by days, in order, over the seams, and restored in any of them.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use stillpoint_actors::{DepthUpdate, Instrument, InstrumentId, Quote};
use stillpoint_adapters::{CsvReader, CsvSettings, FeedReader, FeedSettings, FileSeries, TimeFormat};
use stillpoint_engine::scenario::{Registry, Scenario};
use stillpoint_engine::{Actor, Context, Handler, Report, Saving, Simulation, Snapshot, Source, Timed, Value};
use tempfile::TempDir;

/// Adds up the bids that it hears, each times its place.
#[derive(Default, Serialize, Deserialize)]
struct Adder {
    heard: i64,
    sum: i64,
}

impl Actor for Adder {
    fn saving() -> Option<Saving<Self>> {
        Some(Saving::new().message::<Quote>())
    }

    fn report(&self, report: &mut Report) {
        report.integer("heard", self.heard);
        report.integer("sum", self.sum);
    }
}

impl Handler<Quote> for Adder {
    fn handle(&mut self, quote: &Quote, _: &mut Context<'_, Self>) {
        self.heard += 1;
        self.sum += self.heard * quote.bid.0;
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdderParams {
    quotes: String,
}

fn registry() -> Registry {
    let mut registry = Registry::new();
    stillpoint_adapters::register(&mut registry);
    registry.actor::<AdderParams, Adder>("adder", "Adds up bids.", |params, scene| {
        let quotes = scene.stream::<Quote>(&params.quotes)?;
        scene.subscribe(quotes);
        Ok(Adder::default())
    });
    registry
}

/// A folder with the file of a scenario and files of quotes: their names, and the second and the bid of each of their rows.
fn folder(params: &str, late: &str, files: &[(&str, &[(i64, i64)])]) -> TempDir {
    let folder = TempDir::new().expect("a folder for temporary files");
    for (name, rows) in files {
        let rows: String = rows.iter().map(|(second, bid)| format!("{second},{bid},{}\n", bid + 1)).collect();
        fs::write(folder.path().join(name), format!("time,bid,ask\n{rows}")).expect("space for a small file");
    }
    let instrument = r#"(id: 0, symbol: "X", price_decimals: 0)"#;
    let kind = format!(r#"csv_quotes({params}, instrument: {instrument}, time: "time", time_format: "s")"#);
    let scenario = format!(
        r#"(name: "series", streams: [(name: "quotes", late: {late}, kind: {kind})], actors: [(name: "adder", kind: adder(quotes: "quotes"))])"#
    );
    fs::write(folder.path().join("series.ron"), scenario).expect("space for a small file");
    folder
}

fn build(folder: &TempDir) -> Result<Simulation, String> {
    let scenario = Scenario::read(&folder.path().join("series.ron"), &[]).map_err(|error| error.to_string())?;
    scenario.build(&registry()).map(|built| built.simulation).map_err(|error| error.to_string())
}

/// What the adder has heard in the end, and its sum.
fn heard(folder: &TempDir) -> Result<(i64, i64), String> {
    let outcome = build(folder)?.run().map_err(|failed| failed.error.to_string())?;
    let report = outcome.report("adder").expect("the adder's results");
    let result = |name: &str| match report.get(name) {
        Some(Value::Integer(value)) => *value,
        other => panic!("{name}: {other:?}"),
    };
    Ok((result("heard"), result("sum")))
}

const THREE_DAYS: [(&str, &[(i64, i64)]); 3] =
    [("q-2025-03-24.csv", &[(10, 1), (20, 2)]), ("q-2025-03-26.csv", &[(30, 3)]), ("q-2025-03-27.csv", &[(30, 4), (40, 5)])];

/// 1*1 + 2*2 + 3*3 + 4*4 + 5*5 = 55 says that all five rows came in order.
#[test]
fn files_in_the_order_given() {
    let listed = r#"files: ["q-2025-03-24.csv", "q-2025-03-26.csv", "q-2025-03-27.csv"]"#;
    assert_eq!(heard(&folder(listed, "Error", &THREE_DAYS)), Ok((5, 55)));
    let days = r#"file: "q-%Y-%m-%d.csv", days: (from: "2025-03-24", to: "2025-03-31", skip_missing: true)"#;
    assert_eq!(heard(&folder(days, "Error", &THREE_DAYS)), Ok((5, 55)));
    let days = r#"file: "q-%Y-%m-%d.csv", days: (from: "2025-03-26", to: "2025-03-27")"#;
    assert_eq!(heard(&folder(days, "Error", &THREE_DAYS)), Ok((3, 3 + 2 * 4 + 3 * 5)));
    let empty = r#"files: ["none.csv", "q-2025-03-26.csv", "none.csv"]"#;
    assert_eq!(heard(&folder(empty, "Error", &[("none.csv", &[]), THREE_DAYS[1]])), Ok((1, 3)));
}

#[test]
fn a_file_that_begins_before_the_last_one_ended() {
    let files: [(&str, &[(i64, i64)]); 2] = [("a.csv", &[(10, 1), (30, 2)]), ("b.csv", &[(20, 7), (30, 3)])];
    let listed = r#"files: ["a.csv", "b.csv"]"#;
    let error = heard(&folder(listed, "Error", &files)).expect_err("an item that is late");
    assert!(error.starts_with("item 2 of stream `quotes` is late: its time 1970-01-01T00:00:20Z lies 10s behind"), "{error}");
    assert_eq!(heard(&folder(listed, "DropAndCount", &files)), Ok((3, 1 + 2 * 2 + 3 * 3)));
    assert_eq!(heard(&folder(listed, "DeliverFlagged", &files)), Ok((4, 1 + 2 * 2 + 3 * 7 + 4 * 3)));
}

#[test]
fn choices_that_make_no_sense() {
    for (params, cause) in [
        (r#"files: []"#, "there is no file to read: give `file`, or `files`"),
        (r#"file: "q-2025-03-24.csv", files: ["q-2025-03-26.csv"]"#, "`files` stands in place of `file`: give one of them"),
        (
            r#"files: ["q-2025-03-24.csv"], days: (from: "2025-03-24", to: "2025-03-24")"#,
            "`days` goes with `file`, whose name has the day in it",
        ),
        (r#"files: ["q-2025-03-24.csv", "q-2025-03-25.csv"]"#, "there is no file `"),
        (
            r#"file: "q-%Y-%m-%d.csv", days: (from: "2025-03-24", to: "2025-03-27")"#,
            "`days` has 2025-03-25, but there is no file `q-2025-03-25.csv`",
        ),
        (
            r#"file: "q-%Y-%m-%d.csv", days: (from: "2025-03-27", to: "2025-03-24")"#,
            "`days` ends on 2025-03-24, before it begins on 2025-03-27",
        ),
        (r#"file: "q-%Y-%m-%d.csv", days: (from: "2025-02-29", to: "2025-03-24")"#, "`2025-02-29` is no day"),
        (r#"file: "x-%Y-%m-%d.csv", days: (from: "2025-03-24", to: "2025-03-27", skip_missing: true)"#, "`days` has no day with a file"),
        (r#"file: "q-2025-03-24.csv", days: (from: "2025-03-24", to: "2025-03-24")"#, "`q-2025-03-24.csv` is the same on every day"),
        (r#"file: "q-%H.csv", days: (from: "2025-03-24", to: "2025-03-24")"#, "`q-%H.csv` is no pattern of days"),
        (r#"file: "q-%Q.csv", days: (from: "2025-03-24", to: "2025-03-24")"#, "`q-%Q.csv` is no pattern of days"),
    ] {
        let error = heard(&folder(params, "Error", &THREE_DAYS)).expect_err(params);
        assert!(error.contains(cause), "{params}\n{error}");
    }
    // A file that goes away between the check and its turn.
    let listed = r#"files: ["q-2025-03-24.csv", "q-2025-03-26.csv"]"#;
    let folder = folder(listed, "Error", &THREE_DAYS);
    let simulation = build(&folder).expect("files that are there");
    fs::remove_file(folder.path().join("q-2025-03-26.csv")).expect("a file to remove");
    let error = simulation.run().expect_err("a file that is gone").error.to_string();
    assert!(error.contains("q-2025-03-26.csv: cannot be opened: "), "{error}");
}

#[test]
fn r13_a_restored_run_goes_on_in_the_file_it_was_in() {
    let listed = r#"files: ["q-2025-03-24.csv", "q-2025-03-26.csv", "q-2025-03-27.csv"]"#;
    let folder = folder(listed, "Error", &THREE_DAYS);
    let whole = build(&folder).expect("a scenario").run().expect("a run");
    let mut run = build(&folder).expect("a scenario").begin().expect("a run");
    let mut instants = 0;
    while let Some(at) = run.next_instant() {
        instants += 1;
        run.until(at);
        let text = run.snapshot().expect("a still point").to_text();
        let snapshot = Snapshot::from_bytes(text.as_bytes(), Path::new("series.snap")).expect("what was just written");
        let rest = build(&folder).expect("a scenario").restore(&snapshot).expect("the same files").finish().expect("a run");
        assert_eq!((rest.trace_hash, rest.reports), (whole.trace_hash, whole.reports.clone()));
    }
    assert_eq!(instants, 4, "10, 20, 30 and 40 seconds");
}

#[test]
fn progress_is_that_of_all_files() {
    let folder = folder(r#"file: "q-2025-03-24.csv""#, "Error", &THREE_DAYS);
    let paths: Vec<PathBuf> = THREE_DAYS.iter().map(|(name, _)| folder.path().join(name)).collect();
    let settings = CsvSettings::new("", Instrument::new(InstrumentId(0), "X"), "time", TimeFormat::Seconds);
    let mut series = FileSeries::open(paths, move |path, _| CsvReader::<Quote>::open(&settings.at(path))).expect("three files");
    // 13 bytes of header each, and 7 a row.
    let mut seen = vec![series.progress()];
    while series.next().expect("whole rows").is_some() {
        seen.push(series.progress());
    }
    assert_eq!(seen, [27, 27, 27, 47, 74, 74].map(|read| Some((read, 74))));
}

/// A book goes on from file to file: the recording in two, cut anywhere, is the recording in one.
#[test]
fn a_book_goes_on_in_the_next_file() {
    let change = |at: u64, first: u64, last: u64, before: u64| {
        let data = format!(r#"{{"e":"depthUpdate","E":7,"T":6,"s":"X","U":{first},"u":{last},"pu":{before},"b":[["9.5","{at}"]],"a":[]}}"#);
        format!(r#"{at} {{"stream":"x@depth@0ms","data":{data}}}"#) + "\n"
    };
    let whole = r#"3000 {"lastUpdateId":10,"E":8,"T":8,"bids":[["9.5","2"],["9.0","7"]],"asks":[["10.5","4"]]}"#.to_owned() + "\n";
    let lines = [
        change(1000, 1, 4, 0),
        change(2000, 5, 12, 4),
        whole,
        change(5000, 13, 14, 12),
        change(6000, 15, 16, 14),
        change(7000, 20, 21, 19),
    ];
    let folder = TempDir::new().expect("a folder for temporary files");
    let read = |parts: &[&[String]]| {
        let paths: Vec<PathBuf> = (0..parts.len()).map(|part| folder.path().join(part.to_string())).collect();
        for (path, part) in paths.iter().zip(parts) {
            fs::write(path, part.concat()).expect("space for a small file");
        }
        let settings = FeedSettings::new("", Instrument::new(InstrumentId(0), "X"));
        let mut series = FileSeries::open(paths, move |path: &Path, before: Option<FeedReader<DepthUpdate>>| match before {
            Some(reader) => reader.go_on(path),
            None => FeedReader::open(&settings.at(path)),
        })
        .expect("files");
        let mut items: Vec<Timed<DepthUpdate>> = Vec::new();
        while let Some(item) = series.next().expect("good lines") {
            items.push(item);
        }
        items
    };
    let expected = read(&[&lines]);
    assert_eq!(expected.len(), 8, "the whole book with its clearing and one change, two more, and a clearing at the gap");
    for cut in 0..=lines.len() {
        assert_eq!(read(&[&lines[..cut], &lines[cut..]]), expected, "cut after {cut} lines");
    }
}
