//! The other commands, and what `run` says when all is well.

use crate::place::{Place, repository};

const GREETER: &str = r#"(
    name: "greeter",
    streams: [(name: "people", kind: script(steps: [
        Add(at: "2025-01-01T00:00:00Z", value: "Jane"), Add(at: "2025-01-01T00:00:01Z", value: "John"),
    ]))],
    actors: [
        (name: "porter", kind: relay(streams: ["people"], to: "greeter")),
        (name: "greeter", kind: recorder),
    ],
    links: [(from: "porter", to: "greeter", latency: "250us")],
    expect: (events: 2),
)"#;

fn place() -> Place {
    Place::new(&[("greeter.ron", GREETER.as_bytes())])
}

#[test]
fn a_run_prints_a_summary() {
    let ran = place().run(&["run", "greeter.ron"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines[0], "greeter: done, nothing was left to do");
    for line in [
        "  virtual time  2025-01-01T00:00:00Z to 2025-01-01T00:00:01.000250Z (1.00025s)",
        "  events        2",
        "  deliveries    6",
        "  expectations  met",
        "greeter",
        "  received  2",
        "  0         2025-01-01T00:00:00.000250Z 2025-01-01T00:00:00.000250Z Jane",
    ] {
        assert!(lines.contains(&line), "{line}\n{}", ran.out);
    }
}

#[test]
fn json_has_every_figure() {
    let ran = place().run(&["run", "greeter.ron", "--json", "--pool", "2"]);
    let object: serde_json::Value = serde_json::from_str(&ran.out).expect("stdout is one JSON object");
    for (key, expected) in [
        ("scenario", "\"greeter\""),
        ("events", "2"),
        ("deliveries", "6"),
        ("instants", "4"),
        ("steps", "4"),
        ("virtual_start", "\"2025-01-01T00:00:00Z\""),
        ("virtual_end", "\"2025-01-01T00:00:01.000250Z\""),
        ("host", "\"inline\""),
        ("threads", "3"),
        ("late_events", "0"),
        ("dead_letters", "0"),
        ("end", "\"done\""),
    ] {
        assert_eq!(object[key].to_string(), expected, "{key}");
    }
    assert_eq!(object["result"]["greeter"]["received"], 2);
    assert_eq!(object["trace_hash"].as_str().map(str::len), Some(32));
    for figure in ["wall_seconds", "cpu_seconds", "ns_per_event", "peak_rss_bytes"] {
        assert!(object[figure].as_f64().is_some_and(|figure| figure >= 0.0), "{figure}: {object}");
    }
}

#[test]
fn flags_that_change_no_result_change_no_trace() {
    let place = place();
    let hash = |args: &[&str]| {
        let ran = place.run(&[&["run", "greeter.ron", "--json"], args].concat());
        let object: serde_json::Value = serde_json::from_str(&ran.out).expect("stdout is one JSON object");
        object["trace_hash"].to_string()
    };
    let plain = hash(&[]);
    assert_eq!(hash(&["--pool", "1"]), plain);
    assert_eq!(hash(&["--metrics"]), plain);
    assert_eq!(hash(&["--trace", "x.trace", "--trace-text"]), plain);
    assert_ne!(hash(&["--set", "links.0.latency=1ms"]), plain);
}

#[test]
fn overridden_runs_are_not_held_to_what_the_file_expects() {
    let place = place();
    let ran = place.run(&["run", "greeter.ron", "--until", "2025-01-01T00:00:00.5Z"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert!(ran.out.starts_with("greeter: reached its end") && ran.out.contains("not checked"), "{}", ran.out);
    assert_eq!(place.run(&["run", "greeter.ron", "--until", "2025-01-01T00:00:00.5Z", "--set", "expect.events=1"]).code, Some(0));
    assert_eq!(place.run(&["run", "greeter.ron", "--set", "expect.events=1"]).code, Some(1));
}

#[test]
fn diff_finds_the_first_difference() {
    let place = place();
    for (trace, extra) in [("a.trace", "seed=1"), ("b.trace", "seed=2"), ("c.trace", "links.0.latency=1ms")] {
        assert_eq!(place.run(&["run", "greeter.ron", "--trace", trace, "--set", extra]).code, Some(0));
    }
    let same = place.run(&["diff", "a.trace", "b.trace"]);
    assert_eq!(same.code, Some(0), "{}", same.out);
    let differs = place.run(&["diff", "a.trace", "c.trace"]);
    assert_eq!(differs.code, Some(1), "{}", differs.out);
    assert!(differs.out.contains("2025-01-01T00:00:00.000250Z") && differs.out.contains("greeter"), "{}", differs.out);
}

#[test]
fn check_runs_a_scenario_in_every_way_that_must_not_matter() {
    let place = place();
    let hash = place
        .run(&["run", "greeter.ron"])
        .out
        .lines()
        .find_map(|line| line.strip_prefix("  trace hash    ").map(str::to_owned))
        .expect("a hash");
    let ran = place.run(&["check", "greeter.ron", "--cases", "3"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{}", ran.out);
    let lines: Vec<&str> = ran.out.lines().collect();
    // The run as it is, a fresh process, and nine checks three times each.
    assert_eq!(lines[..2], ["greeter: the same in every run", &format!("  29 runs, 6 deliveries each, trace hash {hash}")]);
    let checks: Vec<&str> = lines[4..].iter().map(|line| line.split_whitespace().next().expect("a check")).collect();
    assert_eq!(checks, ["repeat", "process", "registration", "bystander", "pool", "ready-order", "host", "pause", "snapshot", "cut"]);
    let ran = place.run(&["check", "greeter.ron", "--json", "--seed", "7", "--set", "links.0.latency=1ms"]);
    let object: serde_json::Value = serde_json::from_str(&ran.out).expect("stdout is one JSON object");
    assert_eq!((ran.code, object["holds"].as_bool(), object["seed"].as_u64()), (Some(0), Some(true), Some(7)), "{}", ran.out);
    assert_ne!(object["trace_hash"], hash, "what is set is set in every run");
    let checks = object["checks"].as_array().expect("a list");
    assert!(checks.len() == 10 && checks.iter().all(|check| check["same"] == true), "{object}");
}

/// Whoever cannot be saved is named, and nothing else suffers; a run that fails is compared, and its failure is told with its own exit code.
#[test]
fn check_says_what_it_could_not_check_and_how_the_run_failed() {
    let place = Place::new(&[
        ("fails.ron", br#"(name: "f", streams: [(name: "s", kind: script(steps: [Add(at: "2025-01-01T00:00:00Z", value: "a"), Fault(error: "gone")]))],
            actors: [(name: "a", kind: recorder(streams: ["s"]))])"#),
        ("panics.ron", br#"(name: "p", actors: [(name: "a", kind: puppet(acts: [Panic(at: "2025-01-01T00:00:00Z", text: "oh")]))])"#),
    ]);
    let ran = place.run(&["check", "fails.ron"]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.out.contains("cut was not checked: a source fails") && ran.err.contains("gone"), "{}{}", ran.out, ran.err);
    let ran = place.run(&["check", "panics.ron"]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.out.contains("repeat           4  the same") && ran.err.contains("`a` panicked"), "{}{}", ran.out, ran.err);
    assert_eq!(place.run(&["check", "nowhere.ron"]).code, Some(2));
    assert_eq!(place.run(&["check", "panics.ron", "--cases", "0"]).code, Some(2));
}

#[test]
fn validate_builds_and_does_not_run() {
    let ran = place().run(&["validate", "greeter.ron"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "greeter.ron: a valid scenario of 1 stream, 2 actors, 1 link\n"));
}

#[test]
fn every_kind_is_documented() {
    let place = Place::new(&[]);
    let kinds = place.run(&["kinds"]).out;
    for line in kinds.lines().filter(|line| line.starts_with("  ")) {
        let kind = line.split_whitespace().next().expect("a line names a kind");
        let schema = place.run(&["schema", kind]);
        assert_eq!(schema.code, Some(0), "{kind}");
        if line.contains("in builds with the feature") {
            continue;
        }
        assert!(schema.out.contains(&format!("  kind: {kind}(")), "{kind} has an example: {}", schema.out);
        // Name, type, need and meaning stand two spaces apart.
        for row in schema.out.lines().filter(|row| row.contains("  required") || row.contains("  optional")) {
            let cells: Vec<&str> = row.split("  ").filter(|cell| !cell.trim().is_empty()).collect();
            assert_eq!(cells.len(), 4, "{kind}: {row}");
        }
    }
    for kind in ["script", "recorder", "ema_cross", "venue", "csv_quotes", "binance_quotes"] {
        assert!(kinds.contains(&format!("\n  {kind} ")), "{kind}: {kinds}");
    }
}

/// The shape that `schema` prints is one that scenarios have, but for the hash it expects.
#[test]
fn the_schema_of_scenarios_is_a_scenario() {
    let printed = Place::new(&[]).run(&["schema"]).out;
    let begin = printed.find("\n(\n").expect("the schema shows a scenario");
    let end = printed.find("\n)\n").expect("the schema shows a whole scenario");
    let place = Place::new(&[("schema.ron", &printed.as_bytes()[begin..end + 3])]);
    let ran = place.run(&["validate", "schema.ron"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
}

#[test]
fn a_graph_shows_boxes_links_and_latencies() {
    let place = place();
    let drawing = place.run(&["graph", "greeter.ron"]).out;
    for text in ["<svg ", ">people<", ">porter<", ">greeter<", ">script<", ">250us<", ">text<", "</svg>"] {
        assert!(drawing.contains(text), "{text}: {drawing}");
    }
    assert_eq!((drawing.matches("<rect ").count(), drawing.matches("marker-end").count()), (4, 2), "a background, three boxes, two arrows");
    assert_eq!(place.run(&["graph", "greeter.ron", "-o", "greeter.svg"]).code, Some(0));
    assert_eq!(std::fs::read_to_string(place.path("greeter.svg")).expect("the drawing"), drawing);
}

#[test]
fn inspect_tells_order_gaps_and_duplicates() {
    let place = Place::new(&[(
        "data.csv",
        b"time,price\n2025-01-01T00:00:00Z,1\n2025-01-01T00:00:05Z,2\n2025-01-01T00:00:05Z,2\n2025-01-01T00:00:04Z,3\n",
    )]);
    let ran = place.run(&["inspect", "data.csv"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let row = ran.out.lines().find(|line| line.starts_with("rows")).expect("a line of the rows");
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(cells, ["rows", "4", "2025-01-01T00:00:00Z", "2025-01-01T00:00:05Z", "1", "1s", "1", "1s", "5s", "1"]);
}

#[test]
fn inspect_does_not_take_a_scenario_for_data() {
    let ran = Place::new(&[("a.ron", b"(name: \"a\", seed: 1)\n")]).run(&["inspect", "a.ron"]);
    let says = "error: a.ron: is no data, but a scenario or a sweep; look at a scenario with `stillpoint validate`\n";
    assert_eq!((ran.code, ran.err.as_str()), (Some(2), says));
}

/// A recording that begins with digits is not taken for CSV.
#[test]
fn inspect_knows_binances_raw_feed() {
    let lines = br#"1000 {"stream":"x@trade","data":{"e":"trade","E":9,"T":8,"s":"X","t":77,"p":"9.5","q":"2","m":true}}
3000 {"stream":"x@trade","data":{"e":"trade","E":9,"T":8,"s":"X","t":78,"p":"9.5","q":"2","m":true}}
"#;
    let ran = Place::new(&[("feed", lines)]).run(&["inspect", "feed"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.starts_with("Binance's raw feed, by receive time\n"), "{}", ran.out);
    let row = ran.out.lines().find(|line| line.starts_with("x@trade")).expect("a line of the trades");
    assert_eq!(row.split_whitespace().nth(1), Some("2"));
    for kind in ["`feed_quotes` (bookTicker)", "`feed_trades` (trade)", "`feed_depth` (depth and whole books)"] {
        assert!(ran.out.contains(kind), "{kind}: {}", ran.out);
    }
}

/// Fields of structs in parameters are told with their units, in whatever kind they stand.
#[cfg(feature = "exchange")]
#[test]
fn schema_tells_what_structs_are_made_of() {
    let place = Place::new(&[]);
    for kind in ["exchange", "portfolio", "market_maker", "csv_bars", "venue"] {
        let schema = place.run(&["schema", kind]).out;
        let tick = schema.lines().find(|line| line.starts_with("    tick_size ")).unwrap_or_else(|| panic!("{kind}: {schema}"));
        assert!(
            tick.contains("default: 1  ") && tick.ends_with("in units of their last decimal: with 2 decimals, 5 is a step of 0.05"),
            "{tick}"
        );
        assert_eq!(schema.matches("\n  instrument: ").count(), 1, "{kind}: {schema}");
    }
    let schema = place.run(&["schema", "exchange"]).out;
    for field in ["book ", "queue ", "self_trade ", "fees ", "fee_days ", "impact ", "trigger_by ", "negative_prices ", "from ", "maker "] {
        assert!(schema.contains(&format!("\n    {field}")), "{field}: {schema}");
    }
    assert!(schema.contains("listings   list of listing "), "{schema}");
}

/// The scenario is one for one thread; who asks for more gets the host that has some, and no other trace.
#[test]
fn threads_need_no_host() {
    let place = place();
    let ran = |args: &[&str]| place.run(&[&["run", "greeter.ron", "--json"], args].concat());
    let told = |args: &[&str]| {
        let ran = ran(args);
        assert_eq!(ran.code, Some(0), "{args:?}: {}", ran.err);
        let told: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
        (told["host"].clone(), told["threads"].clone(), told["trace_hash"].clone())
    };
    let (host, threads, hash) = told(&[]);
    assert_eq!((host.as_str(), threads.as_u64()), (Some("inline"), Some(1)));
    assert_eq!(told(&["--threads", "1"]), (host, threads, hash.clone()));
    assert_eq!(told(&["--threads", "2"]), ("actix".into(), 2.into(), hash.clone()));
    assert_eq!(told(&["--threads", "2", "--host", "auto"]), ("auto".into(), 2.into(), hash));
    let both = ran(&["--threads", "2", "--host", "inline"]);
    assert_eq!((both.code, both.out.as_str()), (Some(2), ""));
    assert_eq!(both.err, "error: --threads 2: the host `inline` has one thread; leave `--threads` out, or give `--host actix`\n");
}

#[test]
fn names_with_dots_are_set_in_quotes() {
    let scenario = br#"(name: "dots", start: "2025-01-01T00:00:00Z", end: "2025-01-01T00:00:10Z", actors: [
        (name: "a.b", kind: timer(to: "clerk", text: "tick", every: "1s")), (name: "clerk", kind: recorder)])"#;
    let place = Place::new(&[("dots.ron", scenario)]);
    let received = |set: &str| {
        let ran = place.run(&["run", "dots.ron", "--json", "--set", set]);
        let told: serde_json::Value = serde_json::from_str(&ran.out).unwrap_or_default();
        (told["result"]["clerk"]["received"].as_u64(), ran.err)
    };
    assert_eq!(received(r#"actors."a.b".every=5s"#), (Some(2), String::new()));
    let (none, error) = received("actors.a.b.every=5s");
    assert!(none.is_none() && error.contains("a name with a dot goes into quotes: \"a.b\""), "{error}");
    assert!(place.run(&["run", "--help"]).out.contains("'actors.\"a.b\".fast=20'"));
}

/// Metadata of version 3 that names no symbol, and the schema mbo; records received at 5, 5 (the same again) and 4 s.
fn dbn() -> Vec<u8> {
    let mut file = b"DBN\x03\x78\0\0\0".to_vec();
    file.resize(8 + 120, 0);
    file[8 + 42..8 + 47].copy_from_slice(&[1, 0, 0, 71, 0]);
    for second in [5u64, 5, 4] {
        let mut record = vec![0u8; 56];
        record[..6].copy_from_slice(&[14, 0xa0, 1, 0, 7, 0]);
        record[38..40].copy_from_slice(b"RN");
        record[40..48].copy_from_slice(&(second * 1_000_000_000).to_le_bytes());
        file.extend(record);
    }
    file
}

#[test]
fn inspect_looks_at_dbn_files() {
    let place = Place::new(&[("data.dbn", &dbn()), ("data.dbn.frag", &dbn()[128..])]);
    let ran = place.run(&["inspect", "data.dbn"]);
    if cfg!(feature = "dbn") {
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        assert!(ran.out.starts_with("DBN, schema mbo, by receive time\n"), "{}", ran.out);
        let row = ran.out.lines().find_map(|line| line.strip_prefix("instrument 7, publisher 1")).expect("a line of the stream");
        let cells: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(cells, ["3", "1970-01-01T00:00:04Z", "1970-01-01T00:00:05Z", "1", "1s", "1", "1s", "0s", "1"]);
        let ran = place.run(&["inspect", "data.dbn.frag"]);
        assert!(ran.code == Some(2) && ran.err.starts_with("error: data.dbn.frag: does not begin with the metadata"), "{}", ran.err);
    } else {
        assert_eq!(ran.code, Some(2));
        let help = "build it with the feature `dbn`, as in `cargo build --release --features dbn`\n";
        assert_eq!(ran.err, format!("error: data.dbn: is a DBN file, which this program was built without; {help}"));
    }
}

#[cfg(not(feature = "parquet"))]
#[test]
fn inspect_says_which_feature_looks_at_parquet_files() {
    let ran = Place::new(&[("data", b"PAR1")]).run(&["inspect", "data"]);
    let help = "build it with the feature `parquet`, as in `cargo build --release --features parquet`\n";
    assert_eq!((ran.code, ran.err), (Some(2), format!("error: data: is a Parquet file, which this program was built without; {help}")));
}

/// Written by the store's writer: instants 0, 3 and 3 s, the last row twice.
#[cfg(feature = "store")]
#[test]
fn inspect_looks_at_parquet_files() {
    use stillpoint_engine::{Duration, Instant};
    use stillpoint_store::Table;
    use stillpoint_store::files::{FileFormat, FileWriter};

    let place = Place::new(&[]);
    let times = [0, 3, 3].map(|second| Instant::EPOCH + Duration::secs(second));
    let table = Table::at(times).column("price", vec![1.0, 2.0, 2.0]).finish().expect("columns");
    let mut file = FileWriter::create(&place.path("data.parquet"), Some(FileFormat::Parquet), table.schema()).expect("a folder");
    table.batches().iter().for_each(|batch| file.write(batch).expect("space for a small file"));
    file.finish().expect("space for a small file");
    let ran = place.run(&["inspect", "data.parquet"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let row = ran.out.lines().find(|line| line.starts_with("rows")).expect("a line of the rows");
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(cells, ["rows", "3", "1970-01-01T00:00:00Z", "1970-01-01T00:00:03Z", "0", "0s", "0", "0s", "3s", "1"]);
}

#[test]
fn the_examples_run_as_they_expect() {
    let folder = repository("examples/scenarios");
    let mut files: Vec<_> = folder.read_dir().expect("scenarios").map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "ron"));
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let name = file.display().to_string();
        let ran = Place::new(&[]).run(&["run", &name]);
        // One shows what a late event is, the other needs a program with a kind of its own.
        let is_lacking = cfg!(not(feature = "exchange")) && ["market-maker.ron", "portfolio.ron"].iter().any(|file| name.ends_with(file));
        let bad = is_lacking || ["late-error.ron", "own-kind.ron"].iter().any(|bad| name.ends_with(bad));
        let expected = if bad { 2 } else { 0 };
        assert_eq!(ran.code, Some(expected), "{name}: {}", ran.err);
    }
}
