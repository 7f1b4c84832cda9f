//! Streams that are decoded once for all runs: no run can tell, and nothing is read twice that need not be.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde::Deserialize;
use stillpoint_engine::scenario::{Registry, Scenario, Shared, SharedFigures};
use stillpoint_engine::{Actor, Context, Duration, Handler, Instant, Outcome, Report, RunError, Source, SourceError, Stream, Timed};

/// Numbers, one a second, that may break off with an error.
struct Numbers {
    next: i64,
    count: i64,
    breaks_at: Option<i64>,
}

impl Source for Numbers {
    type Item = i64;

    fn next(&mut self) -> Result<Option<Timed<i64>>, SourceError> {
        if Some(self.next) == self.breaks_at {
            return Err(SourceError("the line is cut; mend it".to_owned()));
        }
        self.next += 1;
        Ok((self.next <= self.count).then(|| Timed { at: Instant::EPOCH + Duration::secs(self.next), value: self.next }))
    }
}

#[derive(Deserialize)]
struct NumbersParams {
    count: i64,
    #[serde(default)]
    breaks_at: Option<i64>,
    #[serde(default)]
    file: Option<String>,
}

struct Sum(i64);

impl Actor for Sum {
    fn report(&self, report: &mut Report) {
        report.integer("sum", self.0);
    }
}

impl Handler<i64> for Sum {
    fn handle(&mut self, number: &i64, _: &mut Context<'_, Self>) {
        self.0 += number;
    }
}

#[derive(Deserialize)]
struct SumParams {
    of: Vec<String>,
}

/// The kinds `numbers` and `sum`, and how often a source was opened.
fn kinds() -> (Registry, Arc<AtomicU64>) {
    let (mut registry, opened) = (Registry::new(), Arc::new(AtomicU64::new(0)));
    let count = opened.clone();
    registry.stream::<NumbersParams, i64>("numbers", "Numbers.", move |params, scene| {
        if let Some(file) = &params.file {
            scene.file(file)?;
        }
        let NumbersParams { count: items, breaks_at, .. } = params;
        let count = count.clone();
        Ok(Stream::open(move || {
            count.fetch_add(1, Ordering::SeqCst);
            Ok(Numbers { next: 0, count: items, breaks_at })
        }))
    });
    registry.actor::<SumParams, Sum>("sum", "A sum.", |params, scene| {
        for name in &params.of {
            let stream = scene.stream::<i64>(name)?;
            scene.subscribe(stream);
        }
        Ok(Sum(0))
    });
    (registry, opened)
}

fn text(streams: &str, of: &str) -> String {
    format!("(name: \"sums\", end: \"1970-01-01T00:01:00Z\", streams: [{streams}], actors: [(name: \"sum\", kind: sum(of: [{of}]))])")
}

fn run(text: &str, registry: &Registry, folder: &Path) -> Result<Outcome, RunError> {
    let scenario = Scenario::parse("sums.ron", text, &[]).expect("a scenario").in_folder(folder);
    scenario.build(registry).expect("a simulation").simulation.run().map_err(|failed| failed.error)
}

/// The streams `a` and `b` with these parameters, run `times` with a limit in bytes; each run must be as without sharing.
fn check(params: &str, limit: u64, times: u64, opened: u64, expected: SharedFigures) {
    let text = text(&format!("(name: \"a\", kind: numbers({params})), (name: \"b\", kind: numbers({params}))"), "\"a\", \"b\"");
    let (plain, _) = kinds();
    let (mut registry, count) = kinds();
    let shared = Arc::new(Shared::new(limit, |_| None));
    registry.share(&shared);
    let told = |ran: Result<Outcome, RunError>| ran.map(|outcome| (outcome.trace_hash, outcome.reports)).map_err(|error| error.to_string());
    let alone = told(run(&text, &plain, Path::new("")));
    for _ in 0..times {
        assert_eq!(told(run(&text, &registry, Path::new(""))), alone);
    }
    assert_eq!((count.load(Ordering::SeqCst), shared.figures()), (opened, expected), "{params}");
}

/// An item is an instant and a number of 8 bytes each.
const ITEM: u64 = 16;

#[test]
fn equal_streams_are_decoded_once() {
    let figures = SharedFigures { streams: 1, items: 50, bytes: 50 * ITEM, opened: 6, streamed: 0 };
    check("count: 50", 50 * ITEM, 3, 1, figures);
    let none = SharedFigures { streams: 1, opened: 6, ..SharedFigures::default() };
    check("count: 0", 0, 3, 1, none);
}

#[test]
fn what_is_beyond_the_limit_is_read_by_each_run() {
    // Once to find out, and twice in each of three runs.
    let figures = SharedFigures { streamed: 1, ..SharedFigures::default() };
    check("count: 50", 50 * ITEM - 1, 3, 7, figures);
}

#[test]
fn an_error_is_met_where_it_stands_and_not_before() {
    let figures = SharedFigures { streamed: 1, ..SharedFigures::default() };
    // In time, so that the run fails; and after the end of the run, which never comes there.
    check("count: 50, breaks_at: 20", 1 << 20, 2, 5, figures);
    check("count: 500, breaks_at: 400", 1 << 20, 2, 5, figures);
}

#[test]
fn what_differs_is_decoded_for_itself_and_faults_are_the_runs_own() {
    let (mut registry, count) = kinds();
    let shared = Arc::new(Shared::new(1 << 20, |_| None));
    registry.share(&shared);
    let gap = |from: u32| {
        let text = text("(name: \"a\", kind: numbers(count: 10))", "\"a\"");
        let fault = format!("Gap(stream: \"a\", from: \"1970-01-01T00:00:0{from}Z\", to: \"1970-01-01T00:00:09Z\")");
        text.replace("actors:", &format!("faults: [{fault}], actors:"))
    };
    let sum = |text: &str| {
        let outcome = run(text, &registry, Path::new("")).expect("a run");
        outcome.report("sum").and_then(|report| report.get("sum").cloned())
    };
    // 1 + ... + 10 = 55; without 8, 47; without 5 to 8, 29.
    assert_eq!(sum(&gap(8)), Some(stillpoint_engine::Value::Integer(47)));
    assert_eq!(sum(&gap(5)), Some(stillpoint_engine::Value::Integer(29)));
    assert_eq!(count.load(Ordering::SeqCst), 1);
    assert_eq!(sum(&text("(name: \"a\", kind: numbers(count: 9))", "\"a\"")), Some(stillpoint_engine::Value::Integer(45)));
    assert_eq!((count.load(Ordering::SeqCst), shared.figures().streams), (2, 2));
}

#[test]
fn another_version_of_a_file_is_decoded_again_and_no_version_is_never_shared() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("numbers"), "").expect("a file");
    let (mut registry, count) = kinds();
    let versions = Arc::new(Mutex::new(BTreeMap::from([(folder.path().join("numbers"), 1)])));
    let told = versions.clone();
    let shared = Arc::new(Shared::new(1 << 20, move |file| told.lock().expect("a lock").get(file).copied()));
    registry.share(&shared);
    let text = text("(name: \"a\", kind: numbers(count: 10, file: \"numbers\"))", "\"a\"");
    let again = || {
        run(&text, &registry, folder.path()).expect("a run");
        count.load(Ordering::SeqCst)
    };
    assert_eq!([again(), again()], [1, 1]);
    versions.lock().expect("a lock").values_mut().for_each(|version| *version += 1);
    assert_eq!([again(), again()], [2, 2]);
    versions.lock().expect("a lock").clear();
    assert_eq!([again(), again()], [3, 4]);
}

#[test]
fn threads_that_come_together_wait_for_the_first() {
    let text = text("(name: \"a\", kind: numbers(count: 50))", "\"a\"");
    let (mut registry, count) = kinds();
    let shared = Arc::new(Shared::new(1 << 20, |_| None));
    registry.share(&shared);
    let hashes: Vec<_> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| run(&text, &registry, Path::new("")).expect("a run").trace_hash)).collect();
        runs.into_iter().map(|run| run.join().expect("no panic")).collect()
    });
    assert!(hashes.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[test]
fn what_owns_memory_is_not_shared() {
    let text = "(name: \"texts\", streams: [(name: \"a\", kind: script(steps: [Add(at: \"1970-01-01T00:00:00Z\", value: \"x\")]))],
        actors: [(name: \"clerk\", kind: recorder(streams: [\"a\"]))])";
    let mut registry = Registry::new();
    let shared = Arc::new(Shared::new(1 << 20, |_| None));
    registry.share(&shared);
    assert_eq!(run(text, &registry, Path::new("")).expect("a run").events, 1);
    assert_eq!(shared.figures(), SharedFigures::default());
}

#[test]
fn a_scenario_tells_the_files_that_its_kinds_ask_for() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("numbers"), "").expect("a file");
    let text = text("(name: \"a\", kind: numbers(count: 1, file: \"numbers\")), (name: \"b\", kind: numbers(count: 1))", "");
    let scenario =
        Scenario::parse("sums.ron", &text, &["seed=7".parse().expect("an override")]).expect("a scenario").in_folder(folder.path());
    assert!(scenario.text().starts_with("(seed: 7, name:"), "{}", scenario.text());
    let files: Vec<_> = scenario.build(&kinds().0).expect("a simulation").files.into_iter().collect();
    assert_eq!(files, [folder.path().join("numbers")]);
}

#[test]
fn a_run_tells_its_reports_on_the_way() {
    let text = text("(name: \"a\", kind: numbers(count: 10))", "\"a\"");
    let scenario = Scenario::parse("sums.ron", &text, &[]).expect("a scenario");
    let mut run = scenario.build(&kinds().0).expect("a simulation").simulation.begin().expect("a run");
    run.until(Instant::EPOCH + Duration::secs(3));
    let told: Vec<_> = run.reports().into_iter().map(|(path, report)| (path.to_string(), report.get("sum").cloned())).collect();
    assert_eq!(told, [("sum".to_owned(), Some(stillpoint_engine::Value::Integer(6)))]);
}
