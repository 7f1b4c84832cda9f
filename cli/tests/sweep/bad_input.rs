//! Sweeps that cannot be: each error names the file, the place, the cause, and what to do where that is known.

use crate::place::Place;
use crate::{GRID, TICKS};

/// The sweep with one text replaced by another, and what must be said of it.
fn check(from: &str, to: &str, parts: &[&str]) {
    let good = String::from_utf8_lossy(GRID);
    assert!(good.contains(from), "{from}");
    let place = Place::new(&[("ticks.ron", TICKS), ("grid.ron", good.replacen(from, to, 1).as_bytes())]);
    let ran = place.run(&["sweep", "grid.ron"]);
    assert_eq!(ran.code, Some(2), "{to}: {}{}", ran.out, ran.err);
    for part in parts {
        assert!(ran.err.contains(part), "{to}: {part:?} in {}", ran.err);
    }
    assert!(ran.out.is_empty());
}

#[test]
fn the_scenario_and_its_values() {
    check("\"ticks.ron\"", "\"tocks.ron\"", &["grid.ron:2:15: there is no file `tocks.ron`", "relative to the folder of the sweep's file"]);
    check(
        "actors.clock.every",
        "actors.clock.evry",
        &["grid.ron:4:9: `actors.clock.evry` with the value \"20s\"", "unknown field `evry`", "did you mean `every`?"],
    );
    check("actors.clock.every", "actors.clok.every", &["grid.ron:4:9: ", "nothing is called `clok` there", "did you mean `clock`?"]);
    check("\"20s\", \"5s\", \"10s\"", "true", &["grid.ron:4:9: ", "`actors.clock.every` with the value true"]);
    let scenario = String::from_utf8_lossy(TICKS).replace("\"ticks\"", "1");
    let place = Place::new(&[("ticks.ron", scenario.as_bytes()), ("grid.ron", GRID)]);
    let ran = place.run(&["sweep", "grid.ron"]);
    assert!(ran.code == Some(2) && ran.err.contains("ticks.ron:2:11: "), "{}", ran.err);
    let ran = place.run(&["sweep", "absent.ron"]);
    assert!(ran.code == Some(2) && ran.err.contains("absent.ron: cannot be read"), "{}", ran.err);
}

#[test]
fn the_file_itself() {
    check("objective:", "objectives:", &["grid.ron:7:5: unknown field `objectives`", "did you mean `objective`?"]);
    check("keep:", "wher: [], keep:", &["grid.ron:8:5: unknown field `wher`", "did you mean `where`?"]);
    check("    keep: [(name: \"deliveries\")],\n)", "    threads: 0,\n)", &["grid.ron:8:14: "]);
    check("path: \"end\"", "pth: \"end\"", &["grid.ron:5:10: unknown field `pth`", "did you mean `path`?"]);
}

#[test]
fn parameters() {
    check("values: [\"20s\", \"5s\", \"10s\"]", "values: []", &["grid.ron:4:9: parameter `every` has an empty list of values"]);
    check("\"5s\"", "\"20s\"", &["grid.ron:4:54: parameter `every` has the value \"20s\" twice"]);
    check(
        "values: [\"20s\", \"5s\", \"10s\"]",
        "range: (\"1s\", \"5s\", \"0s\")",
        &["grid.ron:4:46: parameter `every` has a step of \"0s\", which must be above zero"],
    );
    check("values: [\"20s\", \"5s\", \"10s\"]", "range: (\"5s\", \"1s\", \"1s\")", &["parameter `every` goes from \"5s\" down to \"1s\""]);
    check(
        "values: [\"20s\", \"5s\", \"10s\"]",
        "uniform: (1, 2)",
        &["parameter `every` is random, and there is no `sample`", "add `sample:"],
    );
    check(", values: [\"20s\", \"5s\", \"10s\"]", "", &["grid.ron:4:9: parameter `every` needs exactly one of `values`"]);
    check(
        "path: \"end\"",
        "name: \"every\", path: \"end\"",
        &["grid.ron:5:9: there are two parameters `every`", "give it a `name` of its own"],
    );
    check("path: \"end\"", "name: \"x\", path: \"actors.clock.every\"", &["grid.ron:5:9: two parameters set `actors.clock.every`"]);
    check("path: \"end\", ", "", &["grid.ron:5:9: the parameter has no path"]);
    check("keep:", "where: [\"every < ends\"], keep:", &["grid.ron:8:13: there is no parameter `ends`", "did you mean `end`?"]);
    check("keep:", "where: [\"every\"], keep:", &["grid.ron:8:13: `every` compares nothing"]);
    check("keep:", "where: [\"every < 1\"], keep:", &["grid.ron:8:13: none of the 6 combinations meets all of `where`"]);
    let undecided = ["grid.ron:8:29: `end < 1` cannot be decided", "is neither a number nor a duration"];
    check("keep:", "where: [\"every > 0.01\", \"end < 1\"], keep:", &undecided);
    check("keep:", "where: [\"every > 0.01\", \"end < 1\"], sample: (count: 2), keep:", &undecided);
    check("keep:", "sample: (count: 7), keep:", &["grid.ron:8:13: ", "found 6 different sets"]);
    check("keep:", "sample: (count: 0), keep:", &["grid.ron:8:13: a sample of 0 sets"]);
    check("keep:", "seeds: [], keep:", &["grid.ron:8:12: there is no seed in it"]);
    check("keep:", "seeds: [1, 1], keep:", &["grid.ron:8:12: the seed 1 is given twice"]);
}

#[test]
fn figures() {
    check("actor: \"clerk\"", "actor: \"clrk\"", &["grid.ron:7:16: the scenario has no actor `clrk`", "did you mean `clerk`?"]);
    check("\"received\"", "\"recieved\"", &["grid.ron:7:16: the actor `clerk` does not report `recieved`", "did you mean `received`?"]);
    check("\"received\"", "\"0\"", &["grid.ron:7:16: `0` of the actor `clerk` is no number"]);
    check("actor: \"clerk\", ", "", &["grid.ron:7:16: `received` is no count of a run", "dead_letters"]);
    check("Maximise", "Maximize", &["grid.ron:7:16: unknown value `Maximize`", "did you mean `Maximise`?"]);
    check(
        "(name: \"deliveries\")",
        "(name: \"deliveries\"), (actor: \"clerk\", name: \"recieved\")",
        &["grid.ron:8:34: the actor `clerk` does not report `recieved`", "did you mean `received`?"],
    );
    check("(name: \"deliveries\")", "(actor: \"clck\", name: \"ticks\")", &["grid.ron:8:12: the scenario has no actor `clck`"]);
    check("keep:", "returns_every: \"0s\", keep:", &["grid.ron:8:20: the period of returns must be longer"]);
    let count = "name: \"deliveries\"), returns_every: \"1s\",";
    check("actor: \"clerk\", name: \"received\"),", count, &["grid.ron:7:61: `deliveries` is a count of a run, which has no returns"]);
}

/// Two of three values are whole, and would run.
#[test]
fn whole_numbers_have_no_point() {
    let steps = "(path: \"limits.max_steps\", values: [100, 200, 0.5])";
    let end = "(path: \"end\", values: [\"2025-01-01T00:00:30Z\", \"2025-01-01T00:01:00Z\"])";
    let expected = "grid.ron:5:9: `limits.max_steps` with the value 0.5: expected a whole number, found `0.5`";
    check(end, steps, &[expected]);
    check(end, &steps.replace("0.5", "20.25"), &["with the value 20.25: expected a whole number, found `20.25`"]);
}

/// The scenario is a minute long. Where a parameter sets its end, nobody knows before the runs.
#[test]
fn periods_that_cannot_be() {
    let fixed = |every: &str, parts: &[&str]| {
        let sweep = String::from_utf8_lossy(GRID)
            .replace("\"end\"", "\"seed\"")
            .replace("\"2025-01-01T00:00:30Z\", \"2025-01-01T00:01:00Z\"", "1, 2");
        let sweep = sweep.replace("keep:", &format!("returns_every: \"{every}\", keep:"));
        let place = Place::new(&[("ticks.ron", TICKS), ("grid.ron", sweep.as_bytes())]);
        let ran = place.run(&["sweep", "grid.ron", "--dry-run"]);
        assert_eq!(ran.code, Some(if parts.is_empty() { 0 } else { 2 }), "{every}: {}{}", ran.out, ran.err);
        parts.iter().for_each(|part| assert!(ran.err.contains(part), "{every}: {part:?} in {}", ran.err));
        assert!(!place.path("grid.results").exists(), "nothing has run");
    };
    fixed("30s", &[]);
    fixed("61s", &["grid.ron:8:20: `returns_every`: 61s is not shorter than the span 2025-01-01T00:00:00Z to ", "give a period"]);
    fixed("50us", &["grid.ron:8:20: `returns_every`: a run has more than 1000000 such periods", "give a longer one"]);
    let walk = "walk_forward: Rolling(train: \"20s\", test: \"20s\"), ";
    check("keep:", &format!("returns_every: \"20s\", {walk}keep:"), &["grid.ron:8:20: `returns_every`: 20s is not shorter than the span"]);
    check("keep:", "returns_every: \"2h\", keep:", &["grid.ron:8:20: `returns_every`: the runs are over within one period"]);
}

#[test]
fn splits() {
    let walk = |walk: &str, parts: &[&str]| check("keep:", &format!("walk_forward: {walk}, keep:"), parts);
    walk("Rolling(train: \"30s\", test: \"20s\", step: \"10s\")", &["grid.ron:8:19: a step of 10s is shorter than a test of 20s"]);
    walk("Rolling(train: \"50s\", test: \"20s\")", &["grid.ron:8:19: a train of 50s and a test of 20s do not fit"]);
    walk("Anchored(train: \"0s\", test: \"20s\")", &["grid.ron:8:19: `train` is 0s"]);
    walk("Splits([])", &["grid.ron:8:19: there is no split in it"]);
    let ends = "train: (\"2025-01-01T00:00:00Z\", \"2025-01-01T00:00:30Z\"), test: (\"2025-01-01T00:00:20Z\", \"2025-01-01T00:00:40Z\")";
    walk(&format!("Splits([({ends})])"), &["grid.ron:8:19: the test of split 1 starts at 2025-01-01T00:00:20Z, before its train ends"]);
    walk("Roling(train: \"30s\", test: \"20s\")", &["grid.ron:8:19: unknown value `Roling`", "did you mean `Rolling`?"]);
}
