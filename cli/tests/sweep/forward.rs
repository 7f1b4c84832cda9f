//! Walking forward and returns, by hand.

use serde_json::{Value, json};

use crate::place::Place;
use crate::{TICKS, swept};

/// Ticks count from the start of each run: in a train of 30 s without its last instant, a clock of 5 s ticks five times, one of 10 s twice; in a
/// test of 15 s twice, or once.
#[test]
fn the_best_of_each_train_is_tried_on_its_test() {
    let sweep = br#"(
        scenario: "ticks.ron",
        parameters: [(path: "actors.clock.every", values: ["10s", "5s"])],
        objective: Maximise(actor: "clerk", name: "received"),
        walk_forward: Rolling(train: "30s", test: "15s"),
    )"#;
    let place = Place::new(&[("ticks.ron", TICKS), ("walk.ron", sweep)]);
    let told = swept(&place, "walk.ron", &["--csv", "all.csv", "--report", "page"]);
    let splits = told["walk_forward"]["splits"].as_array().expect("splits");
    let at = |seconds: u32| format!("2025-01-01T00:0{}:{:02}Z", seconds / 60, seconds % 60);
    assert_eq!(splits.len(), 2);
    for (split, (train, test)) in splits.iter().zip([((0, 30), (30, 45)), ((15, 45), (45, 60))]) {
        assert_eq!((&split["train"], &split["test"]), (&json!([at(train.0), at(train.1)]), &json!([at(test.0), at(test.1)])));
        for (part, count) in [("in_sample", 5.0), ("out_of_sample", 2.0)] {
            assert_eq!((&split[part]["parameters"], &split[part]["objective"]), (&json!({"every": "5s"}), &json!(count)), "{part}");
        }
    }
    assert_eq!(told["walk_forward"]["sum"], json!({"splits": 2, "in_sample": 10.0, "out_of_sample": 4.0}));
    // Two splits of two sets, and a test each.
    assert_eq!((&told["runs"], &told["missing"]), (&json!(6), &json!(0)));
    let csv = std::fs::read_to_string(place.path("all.csv")).expect("the CSV file");
    let parts: Vec<String> = csv.lines().skip(1).map(|line| line.split(',').take(6).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(parts, ["train 1 1 10s  2", "train 1 2 5s  5", "train 2 1 10s  2", "train 2 2 5s  5", "test 1 2 5s  2", "test 2 2 5s  2"]);
    let text = place.run(&["sweep", "walk.ron"]).out;
    for part in ["all 6 were in", "sum over 2 splits: 10 in sample, 4 out of sample", "note: each set was chosen among 2"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(std::fs::read_to_string(place.path("page/index.html")).expect("the page").contains("Walking forward"));
}

/// In periods of 20 s a clock of 10 s gains 1, 2, 2 and one of 20 s 0, 1, 1. What comes in the instant of the end, after the third, is in no whole one.
#[test]
fn returns_give_sharpe_ratios() {
    let sweep = br#"(
        scenario: "ticks.ron",
        parameters: [(path: "actors.clock.every", values: ["20s", "10s"])],
        objective: Maximise(actor: "clerk", name: "received"),
        returns_every: "20s",
    )"#;
    let place = Place::new(&[("ticks.ron", TICKS), ("returns.ron", sweep)]);
    let luck = swept(&place, "returns.ron", &[])["luck"].clone();
    let near =
        |value: &Value, expected: f64| assert!((value.as_f64().expect("a number") - expected).abs() < 1e-6, "{value} is not {expected}");
    // Means 5/3 and 2/3, sample deviations sqrt(1/3) both.
    let (best, other) = (5.0 / 3.0 * 3f64.sqrt(), 2.0 / 3.0 * 3f64.sqrt());
    near(&luck["sharpe"], best);
    assert_eq!(luck["periods"], json!(3));
    // Two values differ from their mean by half of their difference each; Euler's constant times z(1 - 1 / 2e).
    near(&luck["expected_best_sharpe"], (best - other) / 2f64.sqrt() * 0.577_215_664_9 * 0.900_452_596_6);
    let text = place.run(&["sweep", "returns.ron"]).out;
    assert!(text.contains("every 10s is the best of 2 trials: its Sharpe ratio is 2.8868 a period (3 periods)"), "{text}");
}

/// The stream has one item, in the first train: the tests, and the second train, have none.
#[test]
fn spans_without_data_are_told() {
    let scenario = br#"(
        name: "one",
        start: "2025-01-01T00:00:00Z",
        end: "2025-01-01T00:01:00Z",
        streams: [(name: "ones", kind: script(steps: [AddAll(at: "2025-01-01T00:00:10Z", values: ["x"])]))],
        actors: [(name: "clerk", kind: recorder(streams: ["ones"]))],
    )"#;
    let sweep = br#"(
        scenario: "one.ron",
        parameters: [(path: "seed", values: [1, 2])],
        objective: Maximise(actor: "clerk", name: "received"),
        walk_forward: Rolling(train: "30s", test: "15s"),
    )"#;
    let place = Place::new(&[("one.ron", scenario), ("walk.ron", sweep)]);
    let text = place.run(&["sweep", "walk.ron"]).out;
    let told: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("no stream has an item"))
        .map(|line| &line[line.find("in the").unwrap()..][..22])
        .collect();
    assert_eq!(told, ["in the test of split 1", "in the train of split ", "in the test of split 2"], "{text}");
}
