//! Every mistake in a scenario is told with its line, its column, its cause and, where there is one, the name that was meant.

use stillpoint_engine::scenario::{Override, Registry, Scenario, ScenarioError};

const GOOD: &str = r#"#![enable(implicit_some)]
// The first line of code is the third.
(
    name: "greeting", /* of people */
    seed: 3,
    streams: [
        (name: "people", kind: script(steps: [Add(at: "2025-01-01T00:00:00Z", value: "Jane")]), late: DropAndCount),
        (name: "numbers", kind: script_numbers(steps: [])),
    ],
    actors: [
        (name: "porter", kind: relay(streams: ["people"], to: "greeter", delay: "1s")),
        (name: "greeter", kind: recorder, rank: 1),
    ],
    links: [(from: "porter", to: "greeter", latency: "250us")],
    faults: [Gap(stream: "people", from: "2025-01-02T00:00:00Z", to: "2025-01-03T00:00:00Z")],
    limits: (max_steps: 100),
)
"#;

fn build(text: &str, overrides: &[Override]) -> Result<(), ScenarioError> {
    Scenario::parse("bad.ron", text, overrides)?.build(&Registry::new()).map(|_| ())
}

#[test]
fn the_good_scenario_is_good() {
    build(GOOD, &[]).unwrap_or_else(|error| panic!("{error}"));
}

/// Replaces a part of the good scenario, which must make it fail with this first line and this help.
#[track_caller]
fn check(from: &str, to: &str, first: &str, help: &str) {
    assert_eq!(GOOD.matches(from).count(), 1, "`{from}` stands once in the good scenario");
    let error = build(&GOOD.replace(from, to), &[]).expect_err(to).to_string();
    assert_eq!(error.lines().next(), Some(first), "{error}");
    let found = error.lines().find_map(|line| line.strip_prefix("help: ")).unwrap_or("");
    assert_eq!(found, help, "{error}");
}

#[test]
fn unknown_names_are_told_with_the_nearest() {
    check("seed", "sed", "bad.ron:5:5: unknown field `sed`", "did you mean `seed`?");
    check("DropAndCount", "DropAndcount", "bad.ron:7:103: unknown value `DropAndcount`", "did you mean `DropAndCount`?");
    check("relay(", "rely(", "bad.ron:11:32: unknown kind of actor `rely`", "did you mean `relay`?");
    check("relay(", "script(", "bad.ron:11:32: unknown kind of actor `script`", "`script` is a kind of stream");
    check("delay", "dely", "bad.ron:11:74: unknown field `dely`", "did you mean `delay`?");
    check("[\"people\"]", "[\"poeple\"]", "bad.ron:11:48: there is no stream `poeple`", "did you mean `people`?");
    check("to: \"greeter\", delay", "to: \"gretter\", delay", "bad.ron:11:63: there is no actor `gretter`", "did you mean `greeter`?");
    check("to: \"greeter\", lat", "to: \"gretter\", lat", "bad.ron:14:34: there is no actor `gretter`", "did you mean `greeter`?");
    check("Gap(stream: \"people\"", "Gap(stream: \"pepole\"", "bad.ron:15:26: there is no stream `pepole`", "did you mean `people`?");
    check("Gap", "Gop", "bad.ron:15:14: unknown value `Gop`", "did you mean `Gap`?");
    check("max_steps", "max_step", "bad.ron:16:14: unknown field `max_step`", "did you mean `max_steps`?");
    check("implicit_some", "implict_some", "bad.ron:1:11: no RON extension named `implict_some`", "");
    check("Add(", "Ad(", "bad.ron:7:47: unknown value `Ad`", "did you mean `Add`?");
}

#[test]
fn names_are_unique_and_nameable() {
    check("name: \"greeter\"", "name: \"people\"", "bad.ron:12:16: duplicate name `people`: there is a stream of that name already", {
        "streams and actors share one set of names; choose another"
    });
    check(
        "name: \"greeter\"",
        "name: \"a/b\"",
        "bad.ron:12:16: the name `a/b` has a `/`, which is kept for children; use another character",
        "",
    );
    check("name: \"greeter\"", "name: \"\"", "bad.ron:12:16: a name is empty; give it at least one character", "");
}

#[test]
fn bad_values_are_told_where_they_stand() {
    check("\"Jane\"", "3", "bad.ron:7:86: expected a text for `value`, found `3`", "");
    check("to: \"greeter\", delay", "to: 3, delay", "bad.ron:11:63: expected a text for `to`, found `3`", "write `\"3\"`");
    check("\"250us\"", "250", "bad.ron:14:54: expected a duration for `latency`, found `250`", {
        "write it with its unit, such as `\"250ms\"`"
    });
    check("[\"people\"]", "\"people\"", "bad.ron:11:47: expected a list for `streams`, found `\"people\"`", "write `[\"people\"]`");
    check("max_steps: 100", "max_steps: \"100\"", "bad.ron:16:25: expected a whole number for `max_steps`, found `\"100\"`", {
        "write `100`, without quotes"
    });
    check("max_steps: 100", "max_steps: 1.5", "bad.ron:16:25: expected a whole number, found `1.5` for `max_steps`", "");
    check("late: DropAndCount", "late: 3", "bad.ron:7:103: expected a name for `late`, found `3`", {
        "there are `Error`, `DropAndCount` and `DeliverFlagged`"
    });
    let too_long = "bad.ron:11:81: `106752d` is too long; a duration is at most \"106751d\", some 292 years";
    check("\"1s\"", "\"106752d\"", too_long, "");
    check("rank: 1", "rank: one", "bad.ron:12:49: expected a whole number for `rank`, found `one`", "");
    let duration = "write numbers with units (ns, us, ms, s, m, h, d), such as \"250us\" or \"1m30s\"";
    check("\"250us\"", "\"250u\"", &format!("bad.ron:14:54: `250u` is no duration; {duration}"), "");
    check("\"1s\"", "\"s\"", &format!("bad.ron:11:81: `s` is no duration; {duration}"), "");
    let instant = "write RFC 3339 between 1677-09-21 and 2262-04-11, such as \"2025-03-25T23:07:00.5Z\"";
    check("2025-01-01T00:00:00Z", "2025-13-01T00:00:00Z", &format!("bad.ron:7:55: `2025-13-01T00:00:00Z` is no instant; {instant}"), "");
    check("\"250us\"", "\"-1s\"", "bad.ron:14:20: the link from `porter` to `greeter` has a negative latency or jitter", {
        "a message cannot arrive before it is sent"
    });
    check(
        "2025-01-03",
        "2024-01-03",
        "bad.ron:15:26: the fault ends at 2024-01-03T00:00:00Z, not after its start at 2025-01-02T00:00:00Z",
        "",
    );
    check("kind: recorder,", "kind: \"recorder\",", "bad.ron:12:33: this is no kind", {
        "write the kind's name and its parameters, such as `script(steps: [])`"
    });
}

#[test]
fn a_host_has_at_least_one_thread() {
    let with = |threads: &str| format!("seed: 3,\n    host: Actix(threads: {threads}),");
    build(&GOOD.replace("seed: 3,", &with("1")), &[]).unwrap_or_else(|error| panic!("{error}"));
    check("seed: 3,", &with("0"), "bad.ron:6:26: expected a whole number of at least 1 for `threads`, found `0`", "");
    check("seed: 3,", &with("-1"), "bad.ron:6:26: `-1` is too small a number for `threads`", "");
}

#[test]
fn what_is_missing_or_too_much_is_told() {
    check("to: \"greeter\", delay", "delay", "bad.ron:11:69: the field `to` is missing", "");
    check("kind: recorder,", "kind: relay,", "bad.ron:12:33: kind `relay` needs parameters: the field `to` is missing", "");
    check("seed: 3,", "seed: 3, seed: 4,", "bad.ron:5:14: the field `seed` is given twice", "");
    check("seed: 3,", "seed: 3", "bad.ron:6:5: expected comma", "");
}

#[test]
fn references_have_types() {
    check("[\"people\"]", "[\"numbers\"]", "bad.ron:11:48: stream `numbers` carries `i64`, not `text`", "streams of `text`: `people`");
    let timer = r#"kind: timer(to: "porter", text: "x", every: "1s"),"#;
    check("kind: recorder,", timer, "bad.ron:11:63: actor `greeter` of kind `timer` does not accept `text`", "it accepts: none");
}

#[test]
fn kinds_check_what_no_type_can() {
    check(
        "kind: recorder,",
        r#"kind: timer(to: "porter", text: "x", every: "0s"),"#,
        "bad.ron:12:71: `every` must be longer than \"0s\"",
        "",
    );
    check(
        "steps: [])",
        "steps: [AdvanceToInfinity, Add(value: 1)])",
        "bad.ron:8:55: `steps` has a step 1 (counted from 0) after its end",
        "",
    );
}

#[test]
fn the_line_is_shown_with_a_caret_under_the_mistake() {
    let error = build("(\n    nme: \"x\",\n)", &[]).expect_err("a bad scenario").to_string();
    assert_eq!(error, "bad.ron:2:5: unknown field `nme`\n  |\n2 |     nme: \"x\",\n  |     ^^^\nhelp: did you mean `name`?");
}

#[test]
fn errors_of_overrides_name_the_flag() {
    for (given, expected) in [
        ("seeed=1", "--set seeed=1: unknown field `seeed`\nhelp: did you mean `seed`?"),
        ("seed=-1", "--set seed=-1: `-1` is too small a number for `seed`"),
        ("actors.gretter.keep=1", "--set actors.gretter.keep=1: nothing is called `gretter` there\nhelp: did you mean `greeter`?"),
        ("actors.greeter.kep=1", "--set actors.greeter.kep=1: unknown field `kep`\nhelp: did you mean `keep`?"),
        ("actors.porter.to=nobody", "--set actors.porter.to=nobody: there is no actor `nobody`\nhelp: there are `greeter` and `porter`"),
        (
            "streams.people.late=Never",
            "--set streams.people.late=Never: unknown value `Never`\nhelp: there are `Error`, `DropAndCount` and `DeliverFlagged`",
        ),
        ("name.first=x", "--set name.first=x: there is no field to hold `first`"),
        ("seed=2.5", "--set seed=2.5: expected a whole number, found `2.5` for `seed`"),
        ("limits.max_steps=0.25", "--set limits.max_steps=0.25: expected a whole number, found `0.25` for `max_steps`"),
        ("links.1.latency=1s", "--set links.1.latency=1s: nothing is called `1` there"),
    ] {
        let given: Override = given.parse().expect("an override");
        assert_eq!(build(GOOD, &[given]).expect_err(expected).to_string(), expected);
    }
    for bad in ["seed", "=3", "", "actors.\"a=b\""] {
        assert!(bad.parse::<Override>().is_err(), "{bad}");
    }
}

#[test]
fn a_name_with_dots_goes_into_quotes() {
    let text = GOOD.replace("\"greeter\"", "\"a.b=c\"");
    let build = |given: &str| build(&text, &[given.parse::<Override>().expect("an override")]);
    assert_eq!(build("actors.\"a.b=c\".keep=1"), Ok(()));
    let error = build("actors.\"a.b=c\".kep=1").expect_err("no such parameter").to_string();
    assert_eq!(error, "--set actors.\"a.b=c\".kep=1: unknown field `kep`\nhelp: did you mean `keep`?");
    let error = build("actors.a.b.keep=1").expect_err("no such name").to_string();
    assert_eq!(error, "--set actors.a.b.keep=1: nothing is called `a` there\nhelp: a name with a dot goes into quotes: \"a.b=c\"");
    let error = build("actors.\"a.b=c\"keep=1").expect_err("no path").to_string();
    assert!(error.contains("is no path\nhelp: write names with dots in quotes"), "{error}");
}

#[test]
fn errors_behind_an_override_keep_their_place() {
    let given: Override = "seed=12345678".parse().expect("an override");
    let error = build(&GOOD.replace("relay(", "rely("), &[given]).expect_err("a bad scenario").to_string();
    assert_eq!(error.lines().next(), Some("bad.ron:11:32: unknown kind of actor `rely`"));
}

#[test]
fn a_file_that_is_not_there_is_told() {
    let error = Scenario::read(std::path::Path::new("no/such/file.ron"), &[]).expect_err("no file").to_string();
    assert!(error.starts_with("no/such/file.ron: cannot be read: "), "{error}");
    let error = Scenario::read(std::path::Path::new("tests"), &[]).expect_err("a folder").to_string();
    assert_eq!(error, "tests: is a folder, not a file\nhelp: name a file in it");
}
