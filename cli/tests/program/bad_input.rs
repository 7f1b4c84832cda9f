//! Bad input of every sort ends with a clear error and the right exit code, and never with a panic of the program.

use std::io::Write;

use crate::place::Place;
use flate2::Compression;
use flate2::write::GzEncoder;

/// One bad thing: a name, the scenario, another file, the arguments after the scenario, the exit code, and what the error must say.
struct Case {
    name: &'static str,
    scenario: String,
    data: (&'static str, Vec<u8>),
    args: &'static [&'static str],
    code: i32,
    says: &'static [&'static str],
}

/// A scenario with a stream of quotes from `data.csv` and a venue that hears it.
fn quotes(file: &str) -> String {
    let kind = format!(r#"csv_quotes(file: "{file}", instrument: (id: 0, symbol: "EURUSD"), time: "time", time_format: "s")"#);
    format!(
        r#"(
    name: "bad",
    streams: [(name: "quotes", kind: {kind})],
    actors: [(name: "venue", kind: venue(instruments: [(id: 0, symbol: "EURUSD")], quotes: ["quotes"]))],
)"#
    )
}

fn actors(actors: &str, rest: &str) -> String {
    format!("(\n    name: \"bad\",\n    start: \"2025-01-01T00:00:00Z\",\n    actors: [{actors}],\n    {rest}\n)")
}

fn truncated_gzip() -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(b"time,bid,ask\n").expect("memory takes bytes");
    (0..10_000u32)
        .for_each(|n| writeln!(packed, "{n},1.{:04},1.{:04}", n * 7919 % 10_000, n * 104_729 % 10_000).expect("memory takes bytes"));
    let bytes = packed.finish().expect("memory takes bytes");
    bytes[..bytes.len() / 2].to_vec()
}

fn cases() -> Vec<Case> {
    let none = || ("unused", Vec::new());
    let csv = |text: &str| ("data.csv", text.as_bytes().to_vec());
    let loops = r#"(name: "a", kind: relay(to: "b")), (name: "b", kind: relay(to: "a")),
        (name: "first", kind: puppet(acts: [Send(at: "2025-01-01T00:00:01Z", to: "a", text: "x")]))"#;
    let panics = r#"(name: "clumsy", kind: puppet(acts: [Panic(at: "2025-01-01T00:00:01Z", text: "out of cheese")]))"#;
    let undeclared =
        r#"(name: "a", kind: puppet(acts: [Send(at: "2025-01-01T00:00:01Z", to: "b", text: "x")])), (name: "b", kind: recorder)"#;
    vec![
        Case {
            name: "truncated gzip",
            scenario: quotes("data.csv.gz"),
            data: ("data.csv.gz", truncated_gzip()),
            args: &[],
            code: 2,
            says: &["stream `quotes`", "data.csv.gz", "ends too early", "cut short"],
        },
        Case {
            name: "NaN price",
            scenario: quotes("data.csv"),
            data: csv("time,bid,ask\n1,1.0,1.1\n2,NaN,1.1\n"),
            args: &[],
            code: 2,
            says: &["stream `quotes`", "data.csv:3:", "`bid`", "`NaN`"],
        },
        Case {
            name: "missing column",
            scenario: quotes("data.csv"),
            data: csv("time,bid,bsk\n1,1.0,1.1\n"),
            args: &[],
            code: 2,
            says: &["bad.ron:3:", "data.csv", "`ask`", "did you mean `bsk`?"],
        },
        Case {
            name: "unsorted rows",
            scenario: quotes("data.csv"),
            data: csv("time,bid,ask\n5,1.0,1.1\n3,1.0,1.1\n"),
            args: &[],
            code: 2,
            says: &["item 1 of stream `quotes` is late", "1970-01-01T00:00:03Z", "2s behind", "DropAndCount"],
        },
        Case {
            name: "missing file",
            scenario: quotes("dta.csv"),
            data: csv(""),
            args: &[],
            code: 2,
            says: &["bad.ron:3:55:", "there is no file `dta.csv`", "relative to the folder of the scenario"],
        },
        Case {
            name: "unknown kind",
            scenario: actors(r#"(name: "a", kind: recoder)"#, ""),
            data: none(),
            args: &[],
            code: 2,
            says: &["bad.ron:4:32: unknown kind of actor `recoder`", "did you mean `recorder`?"],
        },
        Case {
            name: "an instrument of two sizes",
            scenario: quotes("data.csv").replace(r#""EURUSD")]"#, r#""EURUSD", price_decimals: 5)]"#),
            data: csv("time,bid,ask\n1,1,2\n"),
            args: &[],
            code: 2,
            says: &[
                "bad.ron:4:72: `price_decimals` of instrument 0 is 5 at `venue`, but 8 at `quotes`",
                "say the same of instrument 0 wherever it is declared",
            ],
        },
        Case {
            name: "duplicate actor name",
            scenario: actors(r#"(name: "a", kind: recorder), (name: "a", kind: recorder)"#, ""),
            data: none(),
            args: &[],
            code: 2,
            says: &["bad.ron:4:50: duplicate name `a`: there is an actor of that name already"],
        },
        Case {
            name: "undeclared send",
            scenario: actors(undeclared, r#"links: [(from: "b", to: "a", latency: "1s")],"#),
            data: none(),
            args: &[],
            code: 1,
            says: &["`a` sent to `b`", "2025-01-01T00:00:01Z", "declare the link from `a` to `b`"],
        },
        Case {
            name: "zero-delay loop",
            scenario: actors(loops, "limits: (max_steps: 1000),"),
            data: none(),
            args: &[],
            code: 1,
            says: &["the actors `a`, `b` keep sending without delay", "step 1000", "2025-01-01T00:00:01Z", "add a delay"],
        },
        Case {
            name: "panic in a handler",
            scenario: actors(panics, ""),
            data: none(),
            args: &[],
            code: 1,
            says: &["`clumsy` panicked while handling `cue`", "2025-01-01T00:00:01Z", "step 0", "out of cheese", "kinds.rs:"],
        },
        Case {
            name: "full disk while writing a trace",
            scenario: actors(
                r#"(name: "clock", kind: timer(to: "a", text: "x", every: "1ms", end: "2025-01-01T00:01:00Z")), (name: "a", kind: recorder)"#,
                "",
            ),
            data: none(),
            args: &["--trace", "/dev/full"],
            code: 1,
            says: &["/dev/full", "No space left on device", "write it elsewhere"],
        },
        Case {
            name: "a trace where none can be",
            scenario: actors("", ""),
            data: none(),
            args: &["--trace", "no/such/folder/x.trace"],
            code: 1,
            says: &["cannot create the trace file no/such/folder/x.trace"],
        },
        Case {
            name: "an override of nothing",
            scenario: actors("", ""),
            data: none(),
            args: &["--set", "sed=3"],
            code: 2,
            says: &["--set sed=3: unknown field `sed`", "did you mean `seed`?"],
        },
        Case {
            name: "no instant",
            scenario: actors("", ""),
            data: none(),
            args: &["--until", "tomorrow"],
            code: 2,
            says: &["`tomorrow` is no instant", "--until"],
        },
        Case {
            name: "an unmet expectation",
            scenario: actors(
                r#"(name: "a", kind: recorder)"#,
                r#"expect: (events: 3, results: [(actor: "a", name: "received", min: 1)]),"#,
            ),
            data: none(),
            args: &[],
            code: 1,
            says: &["did not meet", "events: expected 3, found 0", "a.received: expected at least 1, found 0"],
        },
    ]
}

#[test]
fn every_bad_input_is_told() {
    for case in cases() {
        let (file, content) = &case.data;
        let place = Place::new(&[("bad.ron", case.scenario.as_bytes()), (file, content)]);
        let mut args = vec!["run", "bad.ron"];
        args.extend(case.args);
        let ran = place.run(&args);
        assert_eq!(ran.code, Some(case.code), "{}: {}", case.name, ran.err);
        assert!(ran.err.starts_with("error: "), "{}: {}", case.name, ran.err);
        for text in case.says {
            assert!(ran.err.contains(text), "{}: `{text}` is not in: {}", case.name, ran.err);
        }
        for noise in ["thread '", "RUST_BACKTRACE", "stack backtrace"] {
            assert!(!ran.err.contains(noise), "{}: {}", case.name, ran.err);
        }
    }
}

#[test]
fn a_failed_run_tells_its_error_in_json_too() {
    let scenario = actors(r#"(name: "clumsy", kind: puppet(acts: [Panic(at: "2025-01-01T00:00:01Z", text: "out of cheese")]))"#, "");
    let ran = Place::new(&[("bad.ron", scenario.as_bytes())]).run(&["run", "bad.ron", "--json"]);
    let object: serde_json::Value = serde_json::from_str(&ran.out).expect("stdout is one JSON object");
    assert_eq!((ran.code, object["end"].as_str()), (Some(1), Some("failed")));
    assert!(object["error"].as_str().is_some_and(|error| error.contains("out of cheese")), "{object}");
}

#[test]
fn a_panic_under_poison_ends_the_actor_alone() {
    let actors = actors(
        r#"(name: "clumsy", kind: puppet(acts: [Panic(at: "2025-01-01T00:00:01Z", text: "out of cheese")])),
           (name: "clock", kind: timer(to: "a", text: "x", every: "1s", end: "2025-01-01T00:00:03Z")), (name: "a", kind: recorder)"#,
        "on_panic: Poison,\n    expect: (results: [(actor: \"a\", name: \"received\", min: 3, max: 3)]),",
    );
    let ran = Place::new(&[("bad.ron", actors.as_bytes())]).run(&["run", "bad.ron"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
}

/// What is a sweep is told so by all commands that read scenarios, and a scenario by the one that reads sweeps.
#[test]
fn a_file_for_another_command_is_told() {
    let sweep =
        b"(scenario: \"good.ron\", parameters: [(path: \"seed\", values: [1])], objective: Maximise(actor: \"a\", name: \"received\"))";
    let good = b"(name: \"good\", actors: [(name: \"a\", kind: recorder)])";
    let place = Place::new(&[("sweep.ron", sweep), ("good.ron", good)]);
    for command in ["run", "validate", "graph", "check"] {
        let ran = place.run(&[command, "sweep.ron"]);
        assert_eq!(ran.code, Some(2), "{command}: {}", ran.err);
        let help = "help: if this is a sweep, run it with `stillpoint sweep sweep.ron`\n";
        assert!(ran.err.starts_with("error: sweep.ron:1:2: unknown field `scenario`") && ran.err.ends_with(help), "{}", ran.err);
    }
    if cfg!(feature = "sweep") {
        let ran = place.run(&["sweep", "good.ron"]);
        assert_eq!(ran.err, "error: good.ron: this is a scenario, not a sweep\nhelp: run it with `stillpoint run good.ron`\n");
    }
}

#[test]
fn bad_arguments_are_told() {
    let place = Place::new(&[]);
    for (args, says) in [
        (&["rnu", "x.ron"] as &[&str], "unrecognized subcommand 'rnu'"),
        (&["run"], "<FILE>"),
        (&["run", "x.ron", "--sed", "3"], "unexpected argument '--sed'"),
        (&["run", "x.ron", "--set", "seed"], "`seed` is no override"),
        (&["run", "x.ron"], "x.ron: cannot be read"),
        (&["validate", "x.ron"], "x.ron: cannot be read"),
        (&["graph", "x.ron"], "x.ron: cannot be read"),
        (&["inspect", "x.csv"], "x.csv"),
        (&["inspect", "."], "error: .: is a folder, not a file; name a file in it\n"),
        (&["run", "."], "error: .: is a folder, not a file\nhelp: name a file in it\n"),
        (&["run", "x.ron", "--seed", "many"], "'many' for '--seed <NUMBER>': give a whole number from 0 to 18446744073709551615"),
        (&["run", "x.ron", "--seed", "-1"], "'-1' for '--seed <NUMBER>': give a whole number from 0"),
        (&["run", "x.ron", "--threads", "0"], "'0' for '--threads <THREADS>': give a whole number from 1 to 65535"),
        (&["diff", "x.trace", "y.trace"], "x.trace"),
        (&["schema", "recoder"], "there is no kind `recoder`\nhelp: did you mean `recorder`? `stillpoint kinds` lists them\n"),
        (&["new", "Not A Name"], "cannot name a crate"),
    ] {
        let ran = place.run(args);
        assert_eq!(ran.code, Some(2), "{args:?}: {}", ran.err);
        assert!(ran.err.contains(says), "{args:?}: {}", ran.err);
    }
}
