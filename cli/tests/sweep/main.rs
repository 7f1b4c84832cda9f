//! `stillpoint sweep`: results that are known by hand, whatever the threads, the interruptions and what was stored before.
#![cfg(feature = "sweep")]

mod bad_input;
mod forward;
#[path = "../program/place.rs"]
mod place;
mod resume;

use place::{Place, Ran, repository};
use serde_json::{Value, json};

/// A clock that ticks every `every` up to `end`, and a clerk who counts the ticks: `end / every` of them.
const TICKS: &[u8] = br#"(
    name: "ticks",
    start: "2025-01-01T00:00:00Z",
    end: "2025-01-01T00:01:00Z",
    actors: [
        (name: "clock", kind: timer(to: "clerk", text: "tick", every: "10s")),
        (name: "clerk", kind: recorder),
    ],
)"#;

/// 3 periods by 2 ends.
const GRID: &[u8] = br#"(
    scenario: "ticks.ron",
    parameters: [
        (path: "actors.clock.every", values: ["20s", "5s", "10s"]),
        (path: "end", values: ["2025-01-01T00:00:30Z", "2025-01-01T00:01:00Z"]),
    ],
    objective: Maximise(actor: "clerk", name: "received"),
    keep: [(name: "deliveries")],
)"#;

/// What a sweep of this file prints as JSON.
fn swept(place: &Place, file: &str, more: &[&str]) -> Value {
    let ran = place.run(&[&["sweep", file, "--json"], more].concat());
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{}", ran.out);
    serde_json::from_str(&ran.out).expect("stdout is one JSON object")
}

/// The ranking as (values of the parameters, objective).
fn ranking(told: &Value) -> Vec<(Vec<Value>, Value)> {
    let ranked = told["ranking"].as_array().expect("a ranking").iter();
    ranked
        .map(|score| (score["parameters"].as_object().expect("parameters").values().cloned().collect(), score["objective"].clone()))
        .collect()
}

#[test]
fn a_grid_by_hand() {
    let place = Place::new(&[("ticks.ron", TICKS), ("grid.ron", GRID)]);
    let told = swept(&place, "grid.ron", &["--csv", "all.csv"]);
    let (half, whole) = ("2025-01-01T00:00:30Z", "2025-01-01T00:01:00Z");
    // Of equals, the set that comes first in the grid: 20s, 5s, 10s, each at the half and the whole.
    let expected =
        [(whole, "5s", 12.0), (half, "5s", 6.0), (whole, "10s", 6.0), (whole, "20s", 3.0), (half, "10s", 3.0), (half, "20s", 1.0)];
    let expected: Vec<_> = expected.map(|(end, every, count)| (vec![json!(end), json!(every)], json!(count))).to_vec();
    assert_eq!(ranking(&told), expected);
    assert_eq!((&told["runs"], &told["stored"], &told["failed"], &told["sets"]), (&json!(6), &json!(0), &json!(0), &json!(6)));
    // A tick and its text, and two starts.
    assert_eq!(told["ranking"][0]["kept"]["deliveries"], json!(26.0));
    let csv = std::fs::read_to_string(place.path("all.csv")).expect("the CSV file");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "part,split,set,every,end,seed,clerk.received,deliveries,ended,events,trace_hash,error");
    assert!(lines[1].starts_with("whole,,1,20s,2025-01-01T00:00:30Z,,1,4,until,0,"), "{}", lines[1]);
    assert_eq!(lines.len(), 7);
}

#[test]
fn threads_change_nothing() {
    let mut all = Vec::new();
    for threads in ["1", "2", "4"] {
        let place = Place::new(&[("ticks.ron", TICKS), ("grid.ron", GRID)]);
        let told = swept(&place, "grid.ron", &["--threads", threads, "--csv", "all.csv"]);
        all.push((told["ranking"].clone(), std::fs::read_to_string(place.path("all.csv")).expect("the CSV file")));
    }
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{all:?}");
}

#[test]
fn a_table_and_a_page_for_people() {
    let place = Place::new(&[("ticks.ron", TICKS), ("grid.ron", GRID)]);
    let ran = place.run(&["sweep", "grid.ron", "--top", "2", "--report", "page"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert!(ran.out.starts_with("grid: 6 runs of ticks: 6 sets of 2 parameters, the scenario's seed\n"), "{}", ran.out);
    let table = "highest clerk.received\n  rank  every                   end  clerk.received  deliveries\n     1     5s  2025-01-01T00:01:00Z              12          26\n";
    assert!(ran.out.contains(table), "{}", ran.out);
    assert!(
        ran.out.contains("  and 4 more\n") && ran.out.contains("is the best of 6 trials: of so many, one looks good by luck alone"),
        "{}",
        ran.out
    );
    let page = std::fs::read_to_string(place.path("page/index.html")).expect("the page");
    // Sorted by value; the map has no median to take, as there is one run in each cell.
    assert!(page.contains("<title>every 5s, end 2025-01-01T00:01:00Z: 12.00</title>"), "{page}");
    assert_eq!(page.matches("class=\"cell\"").count(), 6);
}

#[test]
fn a_dry_run_tells_the_number_and_the_first_sets() {
    let place = Place::new(&[("ticks.ron", TICKS), ("grid.ron", GRID)]);
    let ran = place.run(&["sweep", "grid.ron", "--dry-run", "--top", "2"]);
    let expected = "6 runs of ticks: 6 sets of 2 parameters, the scenario's seed
  set  every                   end
    1    20s  2025-01-01T00:00:30Z
    2    20s  2025-01-01T00:01:00Z
  and 4 more
";
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), expected), "{}", ran.err);
    assert!(!place.path("grid.results").exists(), "nothing is written");
}

#[test]
fn one_bad_run_is_a_row_with_its_error() {
    // Every at 0s cannot be built; a puppet that panics within the minute fails its run; the third is well.
    let scenario = String::from_utf8_lossy(TICKS).replace(
        "(name: \"clerk\"",
        "(name: \"puppet\", kind: puppet(acts: [Panic(at: \"2025-01-02T00:00:00Z\", text: \"out of luck\")])), (name: \"clerk\"",
    );
    let sweep = r#"(
        scenario: "ticks.ron",
        parameters: [
            (path: "actors.clock.every", values: ["0s", "10s"]),
            (name: "panic", path: "actors.puppet.acts.0.at", values: ["2025-01-01T00:00:30Z", "2025-01-02T00:00:00Z"]),
        ],
        objective: Maximise(actor: "clerk", name: "received"),
    )"#;
    let place = Place::new(&[("ticks.ron", scenario.as_bytes()), ("bad.ron", sweep.as_bytes())]);
    let told = swept(&place, "bad.ron", &["--csv", "all.csv"]);
    let objectives: Vec<_> = ranking(&told).into_iter().map(|(_, objective)| objective).collect();
    assert_eq!(objectives, [json!(6.0), Value::Null, Value::Null, Value::Null]);
    assert_eq!(told["failed"], json!(3));
    let csv = std::fs::read_to_string(place.path("all.csv")).expect("the CSV file");
    for part in ["bad.ron:4:13: every = \"\"0s\"\": `every` must be longer", "out of luck"] {
        assert!(csv.contains(part), "{part} in {csv}");
    }
    let ran = place.run(&["sweep", "bad.ron"]);
    assert!(ran.code == Some(0) && ran.out.contains("failed: every 10s, panic 2025-01-01T00:00:30Z: "), "{}", ran.out);
    let ranks: Vec<&str> = ran
        .out
        .lines()
        .skip_while(|line| !line.starts_with("  rank"))
        .skip(1)
        .take(4)
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(ranks, ["1", "-", "-", "-"], "what failed has no rank: {}", ran.out);
    // What panicked is known to panic; what could not be built is tried again.
    assert_eq!(swept(&place, "bad.ron", &[])["stored"], json!(2));
}

#[test]
fn a_sweep_in_which_all_runs_fail_fails() {
    let scenario = String::from_utf8_lossy(TICKS).replace(
        "(name: \"clerk\"",
        "(name: \"puppet\", kind: puppet(acts: [Panic(at: \"2025-01-01T00:00:01Z\", text: \"out of luck\")])), (name: \"clerk\"",
    );
    let place = Place::new(&[("ticks.ron", scenario.as_bytes()), ("grid.ron", GRID)]);
    let ran = place.run(&["sweep", "grid.ron"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.starts_with("error: all 6 runs failed, the first one with: ") && ran.err.contains("out of luck"), "{}", ran.err);
}

#[test]
fn seeds_are_aggregated_and_spread() {
    // A link that loses half of the ticks, by seed.
    let scenario = String::from_utf8_lossy(TICKS)
        .replace("    ],\n)", "    ],\n    links: [(from: \"clock\", to: \"clerk\", latency: \"1ms\", loss: 0.5)],\n)");
    let sweep = r#"(
        scenario: "ticks.ron",
        parameters: [(path: "actors.clock.every", values: ["1s"])],
        seeds: (1, 5),
        aggregate: Median,
        objective: Minimise(actor: "clerk", name: "received"),
    )"#;
    let place = Place::new(&[("ticks.ron", scenario.as_bytes()), ("seeds.ron", sweep.as_bytes())]);
    let told = swept(&place, "seeds.ron", &[]);
    let run = |seed: u64| {
        let ran = place.run(&["run", "ticks.ron", "--json", "--set", "actors.clock.every=1s", "--seed", &seed.to_string()]);
        let told: Value = serde_json::from_str(&ran.out).expect("JSON");
        told["result"]["clerk"]["received"].as_f64().expect("a count")
    };
    let mut counts: Vec<f64> = (1..=5).map(run).collect();
    counts.sort_by(f64::total_cmp);
    let score = &told["ranking"][0];
    assert_eq!([&score["objective"], &score["least"], &score["greatest"]], [&json!(counts[2]), &json!(counts[0]), &json!(counts[4])]);
    assert!(counts[0] < counts[4], "the seeds differ: {counts:?}");
    // Said only where nothing is random.
    let says_so = |scenario: &str| {
        let place = Place::new(&[("ticks.ron", scenario.as_bytes()), ("seeds.ron", sweep.as_bytes())]);
        place.run(&["sweep", "seeds.ron"]).out.contains("the 5 seeds of each set gave one and the same run")
    };
    assert_eq!([says_so(&scenario), says_so(&String::from_utf8_lossy(TICKS))], [false, true]);
}

#[test]
fn shared_data_changes_no_trace() {
    let sweep = format!(
        r#"(
            scenario: {:?},
            parameters: [(path: "actors.btc.fast", values: [50])],
            objective: Maximise(actor: "btc", name: "profit"),
        )"#,
        repository("examples/scenarios/quickstart.ron")
    );
    let place = Place::new(&[("one.ron", sweep.as_bytes())]);
    let golden = std::fs::read_to_string(repository("examples/golden/quickstart.txt")).expect("the golden trace");
    for (share, streams, items) in [("1024", 6, 50_000), ("0", 0, 0)] {
        let told = swept(&place, "one.ron", &["--fresh", "--share", share, "--csv", "all.csv"]);
        assert_eq!((&told["shared"]["streams"], &told["shared"]["items"]), (&json!(streams), &json!(items)));
        let csv = std::fs::read_to_string(place.path("all.csv")).expect("the CSV file");
        let hash = csv.lines().nth(1).and_then(|line| line.split(',').nth(8)).expect("a hash");
        assert!(hash.len() == 32 && golden.contains(hash), "{hash} with --share {share}");
    }
}

#[test]
fn a_random_sample_repeats_itself_and_meets_its_conditions() {
    let sweep = r#"(
        scenario: "ticks.ron",
        parameters: [
            (name: "every", path: "actors.clock.every", uniform: ("5s", "6s")),
            (name: "events", path: "limits.max_steps", integer: (10, 20)),
        ],
        where: ["events != 15"],
        sample: (count: 8, seed: 3),
        objective: Maximise(actor: "clerk", name: "received"),
    )"#;
    let place = Place::new(&[("ticks.ron", TICKS), ("sample.ron", sweep.as_bytes())]);
    let first = place.run(&["sweep", "sample.ron", "--dry-run"]);
    assert_eq!(first.code, Some(0), "{}", first.err);
    assert_eq!(first.out, place.run(&["sweep", "sample.ron", "--dry-run"]).out);
    let other = place.run(&["sweep", "sample.ron", "--dry-run"]).out.replace("seed: 3", "seed: 4");
    assert_eq!(first.out, other);
    let told = swept(&place, "sample.ron", &[]);
    for (values, objective) in ranking(&told) {
        let limit = values[0].as_f64().expect("a number");
        assert!((10.0..=20.0).contains(&limit) && limit != 15.0);
        // Ten or eleven ticks of five to six seconds, twelve of five.
        assert!((10.0..=12.0).contains(&objective.as_f64().expect("a count")));
    }
}

#[test]
fn the_examples_are_sweeps() {
    let place = Place::new(&[]);
    // 7 + 7 + 6 + 5 + 4 + 3 pairs; 4 + 4 + 4 + 3 + 2, and a test, in each of four splits.
    for (file, begins) in [("ema", "32 runs of quickstart: 32 sets"), ("forward", "72 runs of quickstart: 17 sets")] {
        let file = repository(&format!("examples/sweeps/{file}.ron"));
        let ran = place.run(&["sweep", file.to_str().expect("a path"), "--dry-run"]);
        assert!(ran.code == Some(0) && ran.out.starts_with(begins), "{}{}", ran.out, ran.err);
    }
}

#[test]
fn help_describes_the_file() {
    let place = Place::new(&[]);
    let Ran { code, out, .. } = place.run(&["sweep", "--help"]);
    assert_eq!(code, Some(0));
    for part in ["walk_forward: Rolling(", "log_uniform", "returns_every", "--dry-run", "1 GiB"] {
        assert!(out.contains(part), "{part}");
    }
}
